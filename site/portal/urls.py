from django.urls import path

from portal.views import (
    access,
    bookings,
    card,
    consents,
    feed,
    home,
    household,
    my_data,
    orders,
    parcels,
    paying,
    receipts,
    stays,
    subscription,
)

app_name = "portal"


def of_booking(prefix: str, name: str) -> list[object]:
    """The pages of one booking: under "Mon espace", and behind a link in a message."""
    return [
        path(prefix, bookings.booking, name=name),
        path(f"{prefix}changer/", bookings.move, name=f"{name}-move"),
        path(f"{prefix}annuler/", bookings.cancel, name=f"{name}-cancel"),
        path(f"{prefix}quantites/", orders.lines, name=f"{name}-lines"),
        path(f"{prefix}places/", bookings.quantity, name=f"{name}-quantity"),
        path(f"{prefix}accepter/", bookings.accept, name=f"{name}-accept"),
        path(f"{prefix}prolonger/", bookings.renew, name=f"{name}-renew"),
        path(f"{prefix}agenda.ics", bookings.agenda, name=f"{name}-agenda"),
    ]


urlpatterns = [
    path("", home.home, name="home"),
    path("reservations/", bookings.bookings, name="bookings"),
    *of_booking("reservations/<slug:reference>/", "booking"),
    *of_booking("r/<str:signed>/", "booking-link"),
    path("carte/", card.card, name="card"),
    path("carte/hors-ligne.js", card.worker, name="card-worker"),
    path("carte/perdue/", card.lost, name="card-lost"),
    path("carte/imprimer/", card.on_paper, name="card-print"),
    path("colis/", parcels.parcels, name="parcels"),
    path("colis/hors-ligne.js", parcels.worker, name="parcels-worker"),
    path("colis/personne/<int:pk>/retirer/", parcels.remove, name="proxy-remove"),
    path("paniers/", orders.orders, name="orders"),
    path("cles/", stays.keys, name="keys"),
    path("gardes/visite/<int:pk>/photo/", stays.photo, name="stay-photo"),
    path("foyer/", household.household, name="household"),
    path("foyer/quitter/", household.leave, name="household-leave"),
    path("foyer/rejoindre/", household.type_code, name="household-code"),
    path("foyer/rejoindre/<str:code>/", household.join, name="household-join"),
    path("accords/", consents.consents, name="consents"),
    path("accords/stop/<str:signed>/", consents.unsubscribe, name="unsubscribe"),
    path("payer/<slug:kind>/<int:pk>/", paying.pay, name="pay"),
    path("payer/retour/<str:reference>/", paying.paid, name="paid"),
    path("moyens-de-paiement/", paying.means, name="means"),
    path("agenda/", feed.agenda, name="agenda"),
    path("agenda/<str:feed_token>.ics", feed.feed, name="feed"),
    path("acces/", access.tokens, name="tokens"),
    path("acces/<int:pk>/annuler/", access.revoke, name="token-revoke"),
    path("informations/", home.data, name="data"),
    path("donnees/", my_data.export, name="export"),
    path("effacer/", my_data.erase, name="erase"),
    path("abonnement/", subscription.subscription, name="subscription"),
    path("abonnement/formules/", subscription.plans, name="subscription-plans"),
    path("abonnement/choisir/", subscription.choose, name="subscription-choose"),
    path("abonnement/code/", subscription.sponsorship, name="subscription-code"),
    path("abonnement/<int:pk>/payer/", subscription.pay, name="subscription-pay"),
    path("abonnement/<int:pk>/actif/", subscription.active, name="subscription-active"),
    path("abonnement/<int:pk>/arreter/", subscription.end, name="subscription-stop"),
    path("abonnement/<int:pk>/garder/", subscription.go_on, name="subscription-keep"),
    path("recus/", receipts.receipts, name="receipts"),
    path("recus/<int:pk>/", receipts.receipt, name="receipt"),
    path("paiements/", receipts.payments, name="payments"),
]
