"""Uses of offers in numbers: for the firm, for the member, for the landlord.

Uses that are too old to be kept one by one are added from the counts of their month.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth

from club.kernel.spans import end_of, local_day, start_of
from club.models import Landlord, Member, Residence
from marketplace.models import Offer, OfferUse, OfferUseCount, Partner
from marketplace.queries.offers import offers_shown, with_stock

FEW = 5
"""Fewer people than this are not told as a number, and no residence is told alone."""


def usable_at(partner: Partner, on: date) -> QuerySet[Offer]:
    """What a card gives at a partner's on a day."""
    shown = offers_shown(partner.landlord, on).filter(partner=partner)
    found: QuerySet[Any] = with_stock(shown, on)
    return found.filter(is_sold_out=False).order_by("title", "pk")


def by_month(uses: QuerySet[OfferUse]) -> QuerySet[Any]:
    return uses.annotate(month=TruncMonth("used_at")).order_by()


# -- A partner's months ----------------------------------------------------------------------


@dataclass
class PartnerMonth:
    """`people` is None where it is not known any more: uses were made numbers."""

    month: date
    uses: int = 0
    saving_cents: int = 0
    people: int | None = None
    by_offer: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def has_few(self) -> bool:
        return self.people is not None and self.people < FEW

    @property
    def offers(self) -> list[tuple[str, int]]:
        return sorted(self.by_offer.items(), key=lambda pair: (-pair[1], pair[0]))


def months_of(partner: Partner, since: date) -> list[PartnerMonth]:
    """The months since a day with any use, the last one first. Three statements."""
    found: dict[date, PartnerMonth] = {}

    def add(month: date, title: str, uses: int, cents: int) -> None:
        told = found.setdefault(month, PartnerMonth(month))
        told.uses += uses
        told.saving_cents += cents
        told.by_offer[title] += uses

    recent = OfferUse.objects.filter(offer__partner=partner, used_at__gte=start_of(since))
    old = OfferUseCount.objects.filter(offer__partner=partner, month__gte=since).order_by()
    rows = by_month(recent).values_list("month", "offer", "offer__title")
    for month, _offer, title, uses, cents in rows.annotate(Count("pk"), Sum("saving_cents")):
        add(local_day(month), title, uses, cents)
    folded = old.values_list("month", "offer", "offer__title")
    incomplete = set()
    for month, _offer, title, uses, cents in folded.annotate(Sum("uses"), Sum("saving_cents")):
        add(month, title, uses, cents)
        incomplete.add(month)
    people = by_month(recent).values_list("month").annotate(Count("member", distinct=True))
    for month, number in people:
        found[local_day(month)].people = number
    for told in found.values():
        if told.month in incomplete:
            told.people = None
    return sorted(found.values(), key=lambda one: one.month, reverse=True)


# -- A member's own --------------------------------------------------------------------------


def uses_of(member: Member) -> QuerySet[OfferUse]:
    mine = OfferUse.objects.filter(member=member).select_related("offer__partner")
    return mine.order_by("-used_at", "-pk")


def saved_between(member: Member, first: date, last: date) -> int:
    mine = OfferUse.objects.filter(
        member=member, used_at__gte=start_of(first), used_at__lt=end_of(last)
    )
    return mine.aggregate(sum=Sum("saving_cents"))["sum"] or 0


# -- A landlord's report ---------------------------------------------------------------------


@dataclass
class Saved:
    """What was saved in a month by one residence, or by all that are told together."""

    month: date
    landlord: Landlord
    residence: Residence | None
    uses: int = 0
    saving_cents: int = 0


Key = tuple[date, int, int | None]


def saved_by_residence(landlords: Iterable[Landlord], first: date, last: date) -> list[Saved]:
    """By month, then residence; those with few uses in a month come as one, without a name.

    `first` begins a month and `last` ends one: a count of a month cannot be cut.
    """
    known = {landlord.pk: landlord for landlord in landlords}
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    recent = OfferUse.objects.filter(
        offer__partner__landlord__in=known,
        used_at__gte=start_of(first),
        used_at__lt=end_of(last),
    )
    rows = by_month(recent).values_list("month", "offer__partner__landlord", "residence")
    old = OfferUseCount.objects.filter(
        offer__partner__landlord__in=known, month__gte=first, month__lte=last
    ).order_by()
    folded = old.values_list("month", "offer__partner__landlord", "residence")
    for month, *where, uses, cents in [
        *rows.annotate(Count("pk"), Sum("saving_cents")),
        *folded.annotate(Sum("uses"), Sum("saving_cents")),
    ]:
        day = local_day(month) if isinstance(month, datetime) else month
        total = sums[day, where[0], where[1]]
        total[0] += uses
        total[1] += cents
    return sorted(grouped(sums, known), key=order)


def grouped(sums: dict[Key, list[int]], known: dict[int, Landlord]) -> list[Saved]:
    residences = Residence.objects.in_bulk([where for _m, _l, where in sums if where is not None])
    found: dict[Key, Saved] = {}
    for (month, landlord, where), (uses, cents) in sums.items():
        told = where if uses >= FEW else None
        key = (month, landlord, told)
        residence = residences[told] if told is not None else None
        line = found.setdefault(key, Saved(month, known[landlord], residence))
        line.uses += uses
        line.saving_cents += cents
    return list(found.values())


def order(one: Saved) -> tuple[date, str, bool, str, int]:
    name = one.residence.name if one.residence else ""
    number = one.residence.pk if one.residence else 0
    return (one.month, one.landlord.name, one.residence is None, name, number)
