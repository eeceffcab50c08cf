"""Closing a place in a test: the dry run, and the deed as it was shown."""

from collections.abc import Iterable
from datetime import date, datetime

from club.domain.closures import Plan, Wanted, close_place, plan_closures, withdrawn
from club.models import Closure, Place, User
from tests.factories.club import NOW, AssignmentFactory

TUESDAY, SATURDAY, REOPENS = date(2027, 3, 16), date(2027, 3, 20), date(2027, 3, 23)
"""The week after `NOW`'s, and the first open day that follows it."""


def days(first: date = TUESDAY, last: date = SATURDAY, closure: Closure | None = None) -> Wanted:
    return Wanted(first, last, "holidays", closure)


def shown(
    place: Place, wanted: Wanted | None = None, now: datetime = NOW, kept: Iterable[str] = ()
) -> Plan:
    place.refresh_from_db()
    return plan_closures(place, wanted or days(), now=now, kept=kept)


def shut(
    place: Place,
    wanted: Wanted | None = None,
    *,
    by: User | None = None,
    now: datetime = NOW,
    kept: Iterable[str] = (),
) -> Plan:
    wanted = wanted or days()
    seal = shown(place, wanted, now, kept).seal
    by = by or AssignmentFactory(place=place).user
    return close_place(place, wanted, seal=seal, by=by, now=now, kept=kept)


def reopen(place: Place, now: datetime = NOW) -> Plan:
    return shut(place, withdrawn(Closure.objects.get(place=place), now), now=now)


def lines(plan: Plan) -> list[tuple[str, str, str, str | None]]:
    """Of each effect what it is about, what becomes of it and how it is told."""
    return [
        (one.title, one.outcome, one.becomes.replace("\xa0", " "), one.how) for one in plan.effects
    ]
