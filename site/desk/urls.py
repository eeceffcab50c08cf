from django.urls import path

from desk import views

app_name = "desk"
urlpatterns = [
    path("", views.home, name="home"),
    path("tableau/", views.day_board, name="board"),
    path("defaire/", views.undo, name="undo"),
    path("pret/<slug:reference>/<slug:act>/", views.loan_act, name="loan-act"),
    path("exemplaire/<slug:label>/", views.copy_act, name="copy-act"),
    path("exemplaire/<slug:label>/defaut/", views.fault, name="fault"),
    path("reparation/<int:pk>/", views.repair, name="repair"),
    path("rendre/", views.return_list, name="return-list"),
    path("jour/", views.day, name="day"),
    path("appels/", views.calls, name="calls"),
    path("nouveau-membre/", views.new_member, name="new-member"),
    path("membre/<int:pk>/abonnement/", views.right, name="right"),
    path("pret-oublie/", views.forgotten_loan, name="forgotten-loan"),
]
