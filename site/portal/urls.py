from django.urls import path

from portal.views import access, bookings, card, feed, home

app_name = "portal"


def of_booking(prefix: str, name: str) -> list[object]:
    """The pages of one booking: under "Mon espace", and behind a link in a message."""
    return [
        path(prefix, bookings.booking, name=name),
        path(f"{prefix}changer/", bookings.move, name=f"{name}-move"),
        path(f"{prefix}annuler/", bookings.cancel, name=f"{name}-cancel"),
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
    path("agenda/", feed.agenda, name="agenda"),
    path("agenda/<str:feed_token>.ics", feed.feed, name="feed"),
    path("acces/", access.tokens, name="tokens"),
    path("acces/<int:pk>/annuler/", access.revoke, name="token-revoke"),
    path("informations/", home.data, name="data"),
]
