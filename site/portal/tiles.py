"""The windows of "Mon espace" at a place whose home page has none yet."""

from typing import TypedDict

from django.urls import reverse
from django.utils.translation import gettext as _

from club.models import Place
from concierge.models import Copy
from concierge.queries.deliveries import rounds_at
from concierge.queries.parcels import takes_parcels
from concierge.queries.services import offered_at


class Tile(TypedDict):
    url: str
    label: str
    wall: str
    pictures: str


def tiles_for(place: Place) -> list[Tile]:
    """A service that the place lacks has no window."""
    tiles: list[Tile] = []
    if Copy.objects.filter(place=place).exists():
        tiles.append(
            {
                "url": reverse("concierge:catalogue"),
                "label": _("Emprunter"),
                "wall": "butter",
                "pictures": "perceuse gaufrier",
            }
        )
    if takes_parcels(place):
        tiles.append(
            {
                "url": reverse("portal:parcels"),
                "label": _("Retirer un colis"),
                "wall": "clay",
                "pictures": "tiles/colis",
            }
        )
    if offered_at(place).exists():
        tiles.append(
            {
                "url": reverse("services:services"),
                "label": _("Réserver un service"),
                "wall": "water",
                "pictures": "tiles/service tiles/rendez-vous",
            }
        )
    if rounds_at(place).exists():
        tiles.append(
            {
                "url": reverse("orders:rounds"),
                "label": _("Pain et paniers"),
                "wall": "clay",
                "pictures": "tiles/pain-paniers",
            }
        )
    tiles.append(
        {
            "url": reverse("portal:bookings"),
            "label": _("Mes réservations"),
            "wall": "water",
            "pictures": "tiles/rendez-vous",
        }
    )
    return tiles
