"""How an offer looks to residents, on any screen."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import words
from content.models import Picture
from marketplace.enums import LimitPer
from marketplace.models import Offer
from marketplace.views import shown


@dataclass(frozen=True)
class Card:
    """An offer with its terms in words; `left` where the shop counts today."""

    offer: Offer
    wall: str
    picture: str
    until: str
    limit: str
    is_sold_out: bool
    left: int | None

    @property
    def photo(self) -> Any:
        return self.offer.picture or self.offer.partner.picture

    @property
    def facts(self) -> list[str]:
        """ "Sauf le dimanche.", "Une fois par mois.", "Jusqu’au mardi 12 mars."."""
        conditions = self.offer.conditions.strip()
        if conditions and conditions[-1] not in ".!?…":
            conditions += "."
        return [fact for fact in (capfirst(conditions), self.limit, self.until) if fact]


def card_of(offer: Offer, today: date) -> Card:
    wall, picture = shown.look_of(offer.partner, [])
    return Card(
        offer=offer,
        wall=wall,
        picture=picture,
        until=days_words(offer, today),
        limit=limit_words(offer),
        is_sold_out=getattr(offer, "is_sold_out", False),
        left=getattr(offer, "left", None),
    )


def days_words(offer: Offer, today: date) -> str:
    starts = words.day(offer.starts_on, today) if offer.starts_on > today else ""
    ends = words.day(offer.ends_on, today) if offer.ends_on else ""
    if starts and ends:
        return _("Du %(starts)s au %(ends)s.") % {"starts": starts, "ends": ends}
    if starts:
        return _("À partir du %(day)s.") % {"day": starts}
    return _("Jusqu’au %(day)s.") % {"day": ends} if ends else ""


def limit_words(offer: Offer) -> str:
    if not offer.limit_count:
        return ""
    said = ngettext("%(number)d fois %(per)s.", "%(number)d fois %(per)s.", offer.limit_count)
    return said % {"number": offer.limit_count, "per": str(LimitPer(offer.limit_per).label)}


@dataclass(frozen=True)
class Fact:
    """One of an offer's terms in words; a photo is seen as well."""

    text: str
    photo: Picture | None = None


def facts_of(offer: Offer, today: date, photos: dict[int, Picture]) -> dict[str, Fact]:
    """Everything that is moderated, by the name of its line."""
    photo = photos.get(offer.picture_id or 0)
    ends = words.day(offer.ends_on, today) if offer.ends_on else _("sans fin")
    return {
        _("Ce que donne la carte"): Fact(offer.gives),
        _("Sur quoi"): Fact(offer.title),
        _("Conditions"): Fact(offer.conditions or _("aucune")),
        _("À partir du"): Fact(words.day(offer.starts_on, today)),
        _("Jusqu’au"): Fact(ends),
        _("Limite"): Fact(limit_words(offer) or _("aucune")),
        _("Photo"): Fact("", photo) if photo else Fact(_("aucune")),
    }
