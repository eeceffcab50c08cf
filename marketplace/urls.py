from django.urls import path

from marketplace.views import callbacks, directory, offers, refusals, savings, visits, wishes

app_name = "marketplace"
urlpatterns = [
    path("", directory.directory, name="directory"),
    path("classement/", directory.ranking, name="ranking"),
    path("partenaire/<slug:public_id>/", directory.partner, name="partner"),
    path("partenaire/<slug:public_id>/rappel/", callbacks.callback, name="callback"),
    path("offre/<slug:public_id>/refuse/", refusals.refused, name="refused"),
    path("proposer/", wishes.suggest, name="suggest"),
    path("souhaits/", wishes.wishes, name="wishes"),
    path("souhaits/<int:pk>/voix/", wishes.vote, name="vote"),
    path("offres/", offers.offers, name="offers"),
    path("mes-economies/", savings.savings, name="savings"),
    path("demande/", visits.new, name="visit-new"),
    path("demande/<slug:public_id>/", visits.visit, name="visit"),
    path("demande/<slug:public_id>/envoyee/", visits.sent, name="visit-sent"),
    path("demande/<slug:public_id>/annuler/", visits.cancel, name="visit-cancel"),
    path("demande/<slug:public_id>/photo/<int:number>/", visits.photo, name="visit-photo"),
    path("mes-demandes/", visits.mine, name="visits"),
    path("<slug:kind>/", directory.listing, name="list"),
    path("<slug:kind>/<slug:sort>/", directory.listing, name="sort"),
]
