"""The partners' own screens, under `/espace-partenaire/`."""

from django.urls import path

from marketplace.views.pro import (
    callbacks,
    colleagues,
    entry,
    offers,
    offers_today,
    page,
    papers,
    till,
    visits,
)

app_name = "pro"
urlpatterns = [
    path("", entry.home, name="home"),
    path("entrer/<str:signed>/", entry.entry, name="entry"),
    path("entrer/<str:signed>/nouveau/", entry.another, name="entry-again"),
    path("mon-offre/", offers_today.offers, name="offers"),
    path("mon-offre/<slug:public_id>/aujourd-hui/", offers_today.stock, name="stock"),
    path("ma-page/", page.page, name="page"),
    path("ma-page/confirmer/", page.confirm, name="confirm"),
    path("ma-page/commerce/", page.choose, name="choose"),
    path("ma-page/defaire/<int:pk>/", page.take_back, name="undo"),
    path("ma-page/horaires/", page.week, name="hours"),
    path("ma-page/telephone/", page.phone, name="phone"),
    path("ma-page/photo/", page.photo, name="photo"),
    path("ma-page/fermer/", page.closure, name="closure"),
    path("ma-page/fermer/<int:pk>/rouvrir/", page.reopen, name="reopen"),
    path("ma-page/collegue/", colleagues.add, name="person-add"),
    path("ma-page/collegue/<int:pk>/retirer/", colleagues.remove, name="person-remove"),
    path("caisse/", till.till, name="till"),
    path("caisse/compter/", till.count, name="till-count"),
    path("caisse/annuler/", till.undo, name="till-undo"),
    path("chiffres/", till.figures, name="figures"),
    path("papiers/", papers.papers, name="papers"),
    path("papiers/<int:pk>/", papers.paper, name="paper"),
    path("rappels/", callbacks.callbacks, name="callbacks"),
    path("rappels/<int:pk>/fait/", callbacks.called, name="callback-called"),
    path("offre/nouvelle/", offers.new, name="offer-new"),
    path("offre/<slug:public_id>/", offers.edit, name="offer-edit"),
    path("offre/<slug:public_id>/<slug:deed>/", offers.act, name="offer-act"),
    path("demandes/", visits.visits, name="visits"),
    path("demandes/<slug:public_id>/", visits.visit, name="visit"),
    path("demandes/<slug:public_id>/photo/<int:number>/", visits.photo, name="visit-photo"),
]
