"""Requests to artisans by month: how many, how soon answered, how they went. Nobody is told.

A request counts in the month in which it was made. Opinions of fewer than five people in
a month are not told at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import TruncMonth

from club.kernel.spans import end_of, local_day, start_of
from club.models import Landlord
from marketplace.enums import Satisfaction, UnhappyFor, VisitStatus
from marketplace.models import VisitAsk, VisitRequest
from marketplace.queries.uses import FEW

SOON = timedelta(hours=48)


@dataclass
class Month:
    """What the requests of one month to one landlord's artisans came to."""

    month: date
    """Its first day."""
    landlord: Landlord
    asked: int = 0
    answered: int = 0
    """Of these, answered by an artisan within 48 hours."""
    agreed: int = 0
    """For which a visit was agreed, whatever came of it."""
    done: int = 0
    opinions: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def has_few(self) -> bool:
        return sum(self.opinions.values()) < FEW

    @property
    def told_opinions(self) -> list[tuple[str, int]]:
        if self.has_few:
            return []
        return [(str(one.label), self.opinions.get(one, 0)) for one in Satisfaction]

    @property
    def told_reasons(self) -> list[tuple[str, int]]:
        if self.has_few:
            return []
        told = [(str(one.label), self.reasons.get(one, 0)) for one in UnhappyFor]
        return [(label, number) for label, number in told if number]


def is_answered_soon() -> Exists:
    in_time = OuterRef("asked_at") + SOON
    said = Q(accepted_at__lte=in_time) | Q(proposed_at__lte=in_time) | Q(declined_at__lte=in_time)
    return Exists(VisitAsk.objects.filter(said, visit=OuterRef("pk")))


def by_month(landlords: Iterable[Landlord], first: date, last: date) -> list[Month]:
    """Three statements, however many requests there were."""
    known = {landlord.pk: landlord for landlord in landlords}
    visits = VisitRequest.objects.filter(
        landlord__in=known, asked_at__gte=start_of(first), asked_at__lt=end_of(last)
    )
    rows = visits.annotate(month=TruncMonth("asked_at"), soon=is_answered_soon()).order_by()
    found: dict[tuple[date, int], Month] = {}
    was_agreed = Q(agreed_at__isnull=False) | Q(status=VisitStatus.DONE)
    for row in rows.values("month", "landlord").annotate(
        asked=Count("pk"),
        answered=Count("pk", filter=Q(soon=True)),
        agreed=Count("pk", filter=was_agreed),
        done=Count("pk", filter=Q(status=VisitStatus.DONE)),
    ):
        key = (local_day(row["month"]), row["landlord"])
        numbers = {name: row[name] for name in ("asked", "answered", "agreed", "done")}
        found[key] = Month(key[0], known[key[1]], **numbers)
    for name, kept in (("satisfaction", "opinions"), ("unhappy_for", "reasons")):
        said = rows.exclude(**{name: ""}).values("month", "landlord", said=F(name))
        for line in said.annotate(number=Count("pk")):
            month = found[local_day(line["month"]), line["landlord"]]
            getattr(month, kept)[line["said"]] = line["number"]
    return sorted(found.values(), key=lambda one: (one.month, one.landlord.name))
