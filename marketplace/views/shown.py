"""How partners look: windows, trades, hours and checks in words, for any screen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.kernel import words
from club.kernel.people import spoken_phone
from club.queries.calendar import OpenLine
from content.enums import Wall
from marketplace.enums import TRADE_LOOK, PartnerKind, Shop, Spoken, Trade
from marketplace.models import Offer, Partner
from marketplace.queries import hours
from marketplace.queries.trades import KINDS, SHOPS, TRADES

KIND_TITLES: dict[str, Promise | str] = {
    PartnerKind.ARTISAN: gettext_lazy("Artisans vérifiés"),
    PartnerKind.MERCHANT: gettext_lazy("Commerçants"),
    PartnerKind.PRODUCER: gettext_lazy("Producteurs"),
    PartnerKind.INTERMEDIARY: gettext_lazy("Assurance"),
}
NOBODY: dict[str, Promise | str] = {
    PartnerKind.ARTISAN: gettext_lazy("Aucun artisan vérifié aujourd’hui"),
    PartnerKind.MERCHANT: gettext_lazy("Aucun commerçant pour le moment"),
    PartnerKind.PRODUCER: gettext_lazy("Aucun producteur pour le moment"),
    PartnerKind.INTERMEDIARY: gettext_lazy("Aucun assureur pour le moment"),
}
KIND_LOOK: dict[str, tuple[str, str]] = {
    PartnerKind.ARTISAN: (Wall.BUTTER, "tools/caisse-a-outils"),
    PartnerKind.MERCHANT: (Wall.LINDEN, "tiles/avantages"),
    PartnerKind.PRODUCER: (Wall.CLAY, "tiles/pain-paniers"),
    PartnerKind.INTERMEDIARY: (Wall.WATER, "tiles/rendez-vous"),
}
SHOP_LOOK: dict[str, tuple[str, str]] = {
    Shop.BAKERY: (Wall.CLAY, "tiles/pain-paniers"),
    Shop.BUTCHER: (Wall.ROSE, "tools/plancha"),
    Shop.GROCER: (Wall.HONEY, "tools/marmite"),
    Shop.GREENGROCER: (Wall.LINDEN, "tiles/pain-paniers"),
    Shop.CHEESE: (Wall.BUTTER, "tools/raclette"),
    Shop.FISH: (Wall.WATER, "tools/friteuse"),
    Shop.DRINKS: (Wall.LINDEN, "tools/blender"),
    Shop.CAFE: (Wall.BUTTER, "tools/percolateur"),
    Shop.PHARMACY: (Wall.WATER, "tiles/service"),
    Shop.OPTICIAN: (Wall.HONEY, "tiles/rendez-vous"),
    Shop.HAIR: (Wall.ROSE, "tiles/service"),
    Shop.CLOTHES: (Wall.ROSE, "tools/machine-a-coudre"),
    Shop.LAUNDRY: (Wall.WATER, "tools/etendoir"),
    Shop.HOME: (Wall.HONEY, "tools/perceuse"),
    Shop.COMPUTERS: (Wall.ROSE, "tools/videoprojecteur"),
    Shop.BOOKS: (Wall.WATER, "tiles/devoirs"),
    Shop.SPORT: (Wall.LINDEN, "tiles/gym"),
    Shop.CULTURE: (Wall.BUTTER, "tools/sono"),
    Shop.CARE: (Wall.HONEY, "tiles/entraide"),
    Shop.FARM: (Wall.LINDEN, "tools/brouette"),
    Shop.OTHER: (Wall.BUTTER, "tiles/avantages"),
}


@dataclass(frozen=True)
class Sort:
    """A trade or a sort of shop, as a way to its own list."""

    url: str
    name: str
    about: str
    wall: str
    picture: str


@dataclass(frozen=True)
class Line:
    """A partner in a list."""

    partner: Partner
    wall: str
    picture: str
    what: str
    phone: str
    open: OpenLine | None
    check: str
    gives: str = ""


def trade_sort(trade: str) -> Sort:
    wall, picture = TRADE_LOOK[trade]
    said = TRADES[trade]
    url = reverse("marketplace:sort", args=[KINDS[PartnerKind.ARTISAN], said.slug])
    return Sort(url, capfirst(str(Trade(trade).label)), str(said.about), wall, picture)


def shop_sort(kind: str, shop: str) -> Sort:
    wall, picture = SHOP_LOOK[shop]
    url = reverse("marketplace:sort", args=[KINDS[kind], SHOPS[shop]])
    return Sort(url, capfirst(str(Shop(shop).label)), "", wall, picture)


def look_of(partner: Partner, trades: list[str]) -> tuple[str, str]:
    """The wall and the drawing of its window; a photo of its own goes before the drawing."""
    if trades:
        return TRADE_LOOK[trades[0]]
    return SHOP_LOOK.get(partner.shop) or KIND_LOOK[partner.kind]


def what_of(partner: Partner, trades: list[str]) -> str:
    """ "Plomberie, chauffage", "Boulangerie"."""
    if trades:
        return capfirst(", ".join(str(Trade(trade).label) for trade in trades))
    return capfirst(str(partner.get_shop_display() or partner.get_kind_display()))


def check_words(partner: Partner) -> str:
    """What the check of an artisan's papers is worth: the law's own words."""
    if partner.kind != PartnerKind.ARTISAN:
        return ""
    if partner.checked_on is None:
        return _("Vérification documentaire, ne vaut pas garantie.")
    day = words.date_of(partner.checked_on)
    return _("Vérification documentaire au %(day)s, ne vaut pas garantie.") % {"day": day}


def line_of(partner: Partner, trades: list[str], now: datetime, offer: Offer | None = None) -> Line:
    """With the first thing that the card gives there, where one is shown."""
    wall, picture = look_of(partner, trades)
    return Line(
        partner=partner,
        wall=wall,
        picture=picture,
        what=what_of(partner, trades),
        phone=spoken_phone(partner.phone) if partner.phone else "",
        open=hours.open_line(partner, now),
        check=check_words(partner),
        gives=offer.gives if offer is not None else "",
    )


def languages_of(partner: Partner) -> str:
    """ "Français, arabe", in the list's order."""
    spoken = [str(name) for code, name in Spoken.choices if code in partner.languages]
    return capfirst(", ".join(spoken))


def changes_of(partners: list[Partner], now: datetime) -> list[datetime]:
    """When "ouvert" and "fermé" change today by themselves."""
    calendars = [hours.calendar_of(partner) for partner in partners]
    return [moment for one in calendars if one for moment in hours.changes_on(one, now)]


def until(request: HttpRequest, moments: list[datetime]) -> None:
    """Tell who keeps whole pages when this one is no longer true."""
    known: list[Any] = getattr(request, "_changes_at", [])
    request._changes_at = known + moments  # type: ignore[attr-defined]
