from django.urls import path

from desk import pay, sessions, till, views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("tableau/", views.day_board, name="board"),
    path("defaire/", views.undo, name="undo"),
    path("pret/<slug:reference>/caution/", pay.deposit, name="deposit"),
    path("pret/<slug:reference>/<slug:act>/", views.loan_act, name="loan-act"),
    path("exemplaire/<slug:label>/", views.copy_act, name="copy-act"),
    path("exemplaire/<slug:label>/defaut/", views.fault, name="fault"),
    path("reparation/<int:pk>/", views.repair, name="repair"),
    path("rendre/", views.return_list, name="return-list"),
    path("jour/", views.day, name="day"),
    path("appels/", views.calls, name="calls"),
    path("nouveau-membre/", views.new_member, name="new-member"),
    path("membre/<int:pk>/abonnement/", views.right, name="right"),
    path("encaisser/", pay.find, name="pay-find"),
    path("membre/<int:pk>/encaisser/", pay.pay, name="pay"),
    path("places/<slug:reference>/rendre/", pay.places_back, name="places-back"),
    path("membre/<int:pk>/plus-locataire/", pay.left_dwelling, name="left-dwelling"),
    path("recus/", pay.receipts, name="receipts"),
    path("recu/<int:pk>/", pay.receipt, name="receipt"),
    path("recu/<int:pk>/annuler/", pay.cancel, name="receipt-cancel"),
    path("caisse/", till.till, name="till"),
    path("caisse/<int:pk>/", till.till_day, name="till-day"),
    path("caisse/<int:pk>/compter/", till.count, name="till-count"),
    path("caisse/<int:pk>/signer/", till.sign, name="till-sign"),
    path("journal/", till.book, name="journal"),
    path("pret-oublie/", views.forgotten_loan, name="forgotten-loan"),
    path("seances/", sessions.sessions, name="sessions"),
    path("seances/<slug:public_id>/", sessions.session, name="session"),
    path("seances/<slug:public_id>/sans-inscription/", sessions.walk_in, name="session-walk-in"),
    path("seances/<slug:public_id>/defaire/", sessions.undo, name="session-undo"),
    path("seances/<slug:public_id>/inscrire/", sessions.register, name="session-register"),
    path(
        "seances/<slug:public_id>/inscription/<slug:reference>/<slug:name>/",
        sessions.act,
        name="session-act",
    ),
    path("seances/<slug:public_id>/absents/", sessions.absent, name="session-absent"),
    path("seances/<slug:public_id>/attendus/", sessions.present, name="session-present"),
    path("seances/<slug:public_id>/feuille/", sessions.sheet, name="session-sheet"),
    path(
        "seances/<slug:public_id>/attestations/", sessions.certificates, name="session-certificates"
    ),
]
