"""The offers of a day in one list: in the order of their partners' turns, narrowed or not."""

from datetime import date
from typing import Any

from django.db.models import QuerySet

from club.kernel.people import folded
from club.models import Landlord, Place
from marketplace.enums import OfferKind, PartnerKind, Shop
from marketplace.models import Offer, Partner
from marketplace.queries.directory import Wanted, filtered, telling, turn_in
from marketplace.queries.offers import offers_shown, with_stock

ORDER = ("turn", "pk")


def offers_listed(
    landlord: Landlord,
    on: date,
    *,
    kind: str = "",
    place: Place | None = None,
    text: str = "",
    ordered_on: date | None = None,
) -> QuerySet[Any]:
    """What a card gives that day. Partners come in the order of the day or of another."""
    offers: QuerySet[Any] = with_stock(offers_shown(landlord, on), on)
    if kind:
        offers = offers.filter(kind=kind)
    if place is not None:
        serving = filtered(Partner.objects.all(), Wanted(place=place))
        offers = offers.filter(partner__in=serving.values("pk"))
    asked = telling(text)
    if asked:
        offers = offers.filter(pk__in=named(offers, asked))
    turned = offers.annotate(turn=turn_in("partner", ordered_on or on))
    return turned.select_related("partner").order_by(*ORDER)


def named(offers: QuerySet[Offer], asked: list[str]) -> list[int]:
    """Those whose own words, or their partner's, hold each word."""
    rows = offers.values_list(
        "pk", "title", "gift", "conditions", "kind",
        "partner__name", "partner__kind", "partner__shop",
    )  # fmt: skip
    found = []
    for pk, *words, kind, name, sort, shop in rows:
        sold = Shop(shop).label if shop else ""
        said = [*words, OfferKind(kind).label, name, PartnerKind(sort).label, sold]
        text = folded(" ".join(map(str, said)))
        if all(word in text for word in asked):
            found.append(pk)
    return found
