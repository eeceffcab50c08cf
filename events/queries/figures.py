"""Attendance by month and place: what a landlord's officer reports each year.

A registration counts at the session's place and month. Those who did not come are counted
only where the door was held: a session where nobody was checked in says nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Sum, When
from django.db.models.functions import Coalesce, TruncMonth

from club.kernel.spans import end_of, local_day, start_of
from club.models import Place
from events.enums import RegistrationStatus, SessionStatus
from events.models import Registration, Session, WalkIn

TOOK_PLACES = (
    RegistrationStatus.PENDING,
    RegistrationStatus.CONFIRMED,
    RegistrationStatus.PRESENT,
    RegistrationStatus.ABSENT,
)


@dataclass
class Month:
    """What the sessions of one place came to in one month; people unless said."""

    month: date
    """Its first day."""
    place: Place
    held: int = 0
    """Sessions that took place."""
    uncounted: int = 0
    """Of these, sessions where nobody was checked in."""
    cancelled: int = 0
    """Sessions that were called off."""
    places: int = 0
    """Places of the sessions held that have a limit."""
    registered: int = 0
    came: int = 0
    """Of the registered."""
    no_shows: int = 0
    walk_ins: int = 0
    households: int = 0
    """Households of which somebody registered came."""
    filled: int = 0
    """Registered and walk-ins of the sessions with a limit."""

    @property
    def people(self) -> int:
        return self.came + self.walk_ins

    @property
    def fill_rate(self) -> float | None:
        """Places taken of those that there were; above 1 where more were let in."""
        return self.filled / self.places if self.places else None

    @property
    def show_rate(self) -> float | None:
        """Of the registered, those who came, where the door was held."""
        expected = self.came + self.no_shows
        return self.came / expected if expected else None


def door_was_held() -> Q:
    """Of a session: somebody was let in, or staff said who did not come."""
    marked = Registration.objects.filter(
        session=OuterRef("pk"), status__in=[RegistrationStatus.PRESENT, RegistrationStatus.ABSENT]
    )
    walked_in = WalkIn.objects.filter(session=OuterRef("pk"), undone_at=None)
    return Q(Exists(marked)) | Q(Exists(walked_in))


def by_month(places: Iterable[Place], first: date, last: date, *, now: datetime) -> list[Month]:
    """The months from `first` to `last` that had sessions, by month and then by place.

    Three statements, however many sessions there were.
    """
    known = {place.pk: place for place in places}
    found: dict[tuple[date, int], Month] = {}
    sessions = Session.objects.filter(
        place__in=known, starts_at__gte=start_of(first), starts_at__lt=end_of(last)
    )
    for row in sums_of_sessions(sessions, now):
        key = (local_day(row.pop("month")), row.pop("place"))
        found[key] = Month(key[0], known[key[1]], **row)
    over = sessions.filter(status=SessionStatus.SCHEDULED, ends_at__lte=now)
    limited = Q(session__capacity__isnull=False)
    came_to = by_month_of_session(Registration.objects.filter(session__in=over)).annotate(
        registered=total("quantity", Q(status__in=TOOK_PLACES)),
        filled=total("quantity", Q(status__in=TOOK_PLACES) & limited),
        came=total("came"),
        absent=total("quantity", Q(status=RegistrationStatus.ABSENT)),
        present=total("quantity", Q(status=RegistrationStatus.PRESENT)),
        households=Count(
            "member__household", filter=Q(status=RegistrationStatus.PRESENT), distinct=True
        ),
    )
    for row in came_to:
        month = found[local_day(row["month"]), row["session__place"]]
        month.registered, month.came = row["registered"], row["came"]
        month.no_shows = row["absent"] + row["present"] - row["came"]
        month.households = row["households"]
        month.filled += row["filled"]
    walked_in = WalkIn.objects.filter(session__in=over, undone_at=None)
    for row in by_month_of_session(walked_in).annotate(
        people=total("quantity"), filled=total("quantity", limited)
    ):
        month = found[local_day(row["month"]), row["session__place"]]
        month.walk_ins = row["people"]
        month.filled += row["filled"]
    return sorted(found.values(), key=lambda one: (one.month, one.place.name, one.place.pk))


def sums_of_sessions(sessions: QuerySet[Session], now: datetime) -> Iterable[Any]:
    over = Q(status=SessionStatus.SCHEDULED, ends_at__lte=now)
    called_off = Q(status=SessionStatus.CANCELLED)
    return (
        sessions.annotate(
            month=TruncMonth("starts_at"),
            was_held=Case(When(door_was_held(), then=True), default=False),
        )
        .filter(over | called_off)
        .order_by()
        .values("month", "place")
        .annotate(
            held=Count("pk", filter=over),
            uncounted=Count("pk", filter=over & Q(was_held=False)),
            cancelled=Count("pk", filter=called_off),
            places=Coalesce(Sum(Coalesce(F("target_capacity"), F("capacity")), filter=over), 0),
        )
    )


def by_month_of_session(rows: QuerySet) -> QuerySet:
    grouped = rows.annotate(month=TruncMonth("session__starts_at")).order_by()
    return grouped.values("month", "session__place")


def total(field: str, condition: Q | None = None) -> Coalesce:
    return Coalesce(Sum(field, filter=condition), 0, output_field=IntegerField())
