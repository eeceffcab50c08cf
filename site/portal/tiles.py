"""The windows of "Mon espace" at a place whose home page has none yet."""

from typing import TypedDict

from django.urls import reverse
from django.utils.translation import gettext as _

from club.models import Place
from concierge.models import Copy


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
    tiles.append(
        {
            "url": reverse("portal:bookings"),
            "label": _("Mes réservations"),
            "wall": "water",
            "pictures": "tiles/rendez-vous",
        }
    )
    return tiles
