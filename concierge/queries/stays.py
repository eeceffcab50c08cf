"""Stays: who may see them, which seats are free, and what a day at the desk has to do.

Decided once, and tested as a table: a stay tells that a home is empty. Its member sees it,
and the concierges of its place; no officer, editor, partner, neighbour or concierge of
another place does, on no page, in no list, calendar or file.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Prefetch, Q, QuerySet
from django.db.models.functions import TruncMonth

from club.enums import Role
from club.kernel.spans import Span, end_of, local_day, start_of, whole_days
from club.models import Member, Opinion, Place, User
from club.permissions import roles_of
from concierge.enums import ON_HOOK, WATCHED, KeyStatus, StayStatus
from concierge.models import KeySet, Service, Stay, StayVisit
from concierge.queries.slots import LANES

WITH_NAMES = ("service", "place", "member__user")
WITH_DOOR = (
    "stay__service",
    "stay__place",
    "stay__member__user",
    "stay__member__household__dwelling__residence",
)


def visible_to(user: Any) -> QuerySet[Stay]:
    """A member's own stays; those of a place for its concierges, and for nobody else."""
    if not isinstance(user, User) or not user.is_active:
        return Stay.objects.none()
    staffed = user.assignments.filter(role=Role.CONCIERGE).values("place")
    return Stay.objects.filter(Q(member__user=user) | Q(place__in=staffed)).select_related(
        *WITH_NAMES
    )


def keeps_watch(user: User, place: Place) -> bool:
    """Whether absences at that place are this person's to know."""
    return user.is_superuser or (Role.CONCIERGE, place.pk) in roles_of(user)


def without_absences(opinions: QuerySet[Opinion], user: User, place: Place) -> QuerySet[Opinion]:
    """What somebody thinks of a stay tells that they had one."""
    return opinions if keeps_watch(user, place) else opinions.exclude(kind="stay")


# -- Seats -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lanes:
    all: range
    held: frozenset[int]

    @property
    def free(self) -> list[int]:
        return [lane for lane in self.all if lane not in self.held]


def lanes_held(service: Service, span: Span, *, without: int | None = None) -> Lanes:
    """Seats are lanes `service × LANES + n`, as those of appointments are."""
    first = service.pk * LANES
    rows = Stay.objects.filter(
        service=service,
        status__in=WATCHED,
        starts_at__lt=span.ends_at,
        ends_at__gt=span.starts_at,
    ).exclude(pk=without or 0)
    held = frozenset(rows.values_list("lane", flat=True))
    return Lanes(range(first, first + service.seats), held)


def first_free_day(
    service: Service, days: int, after: date, now: datetime, *, without: int | None = None
) -> date | None:
    """From when on a stay of that length would fit; None within the horizon."""
    until = local_day(now) + timedelta(days=service.horizon_days)
    first = service.pk * LANES
    claims: dict[int, list[tuple[datetime, datetime]]] = {
        lane: [] for lane in range(first, first + service.seats)
    }
    rows = Stay.objects.filter(
        service=service, status__in=WATCHED, ends_at__gt=start_of(after)
    ).exclude(pk=without or 0)
    for lane, starts_at, ends_at in rows.values_list("lane", "starts_at", "ends_at"):
        claims.setdefault(lane, []).append((starts_at, ends_at))
    seats = [claims[lane] for lane in range(first, first + service.seats)]
    day = after + timedelta(days=1)
    while day <= until:
        span = whole_days(day, day + timedelta(days=days - 1))
        for seat in seats:
            if not any(a < span.ends_at and span.starts_at < b for a, b in seat):
                return day
        day += timedelta(days=1)
    return None


# -- At the desk -------------------------------------------------------------------------------


OVERDUE = timedelta(days=14)
"""How long a visit that nobody made stands on the list."""


def awaited_by(day: date) -> Q:
    """Begins until the next day, and its keys are not here."""
    return Q(status=StayStatus.BOOKED, starts_at__lt=end_of(day + timedelta(days=1)))


def ending_by(day: date) -> Q:
    """The last day has come, and it still runs: keys to give back."""
    return Q(status=StayStatus.RUNNING, ends_at__lte=end_of(day))


@dataclass
class Round:
    """What a day has to do: visits, calls, keys to come, keys to give back."""

    visits: list[StayVisit] = field(default_factory=list)
    done: list[StayVisit] = field(default_factory=list)
    calls: list[StayVisit] = field(default_factory=list)
    awaited: list[Stay] = field(default_factory=list)
    ending: list[Stay] = field(default_factory=list)


def round_of(place: Place, day: date) -> Round:
    """Overdue visits of a home come first, once; one of today takes their place."""
    found = Round()
    watched = (
        StayVisit.objects.filter(stay__place=place, stay__status__in=WATCHED)
        .select_related(*WITH_DOOR, "done_by")
        .prefetch_related(
            Prefetch(
                "stay__key_sets",
                KeySet.objects.filter(status__in=ON_HOOK).order_by("hook"),
                to_attr="on_hook",
            )
        )
    )
    last: dict[int, StayVisit] = {}
    for visit in watched.filter(day__lte=day, day__gt=day - OVERDUE).order_by("day"):
        last[visit.stay_id] = visit
    for visit in sorted(last.values(), key=lambda one: (hook_of(one.stay), one.pk)):
        if visit.done_at is None:
            found.visits.append(visit)
        elif local_day(visit.done_at) == day:
            found.done.append(visit)
    found.calls = list(calls_at(place))
    stays = Stay.objects.filter(place=place).select_related(*WITH_NAMES)
    found.awaited = list(stays.filter(awaited_by(day)).order_by("starts_at", "pk"))
    found.ending = list(stays.filter(ending_by(day)).order_by("ends_at", "pk"))
    return found


def hook_of(stay: Stay) -> int:
    keys = getattr(stay, "on_hook", [])
    return keys[0].hook if keys else 1000


def calls_at(place: Place) -> QuerySet[StayVisit]:
    """Something was found, and nobody has called yet: the oldest first."""
    waiting = StayVisit.objects.filter(stay__place=place, called_at=None).exclude(incident="")
    return waiting.select_related(*WITH_DOOR).order_by("day", "pk")


def open_at(place: Place) -> QuerySet[Stay]:
    rows = Stay.objects.filter(place=place, status__in=WATCHED).select_related(*WITH_NAMES)
    return rows.order_by("starts_at", "pk")


def of_member(member: Member, place: Place) -> QuerySet[Stay]:
    return open_at(place).filter(member=member)


@dataclass(frozen=True)
class Month:
    """What a service came to in one month; visits are counts, no homes."""

    first_day: date
    service: str
    stays: int
    visits: int
    incidents: int


def months_of(place: Place, since: datetime) -> list[Month]:
    """By month and service, the newest first."""
    rows = (
        Stay.objects.filter(place=place, starts_at__gte=since)
        .exclude(status=StayStatus.CANCELLED)
        .annotate(month=TruncMonth("starts_at"))
        .order_by()
        .values_list("month", "service__name")
        .annotate(
            stays=Count("pk", distinct=True),
            made=Count("visits", filter=Q(visits__done_at__isnull=False)),
            found=Count("visits", filter=~Q(visits__incident="")),
        )
    )
    months = [Month(local_day(month).replace(day=1), *rest) for month, *rest in rows]
    return sorted(months, key=lambda one: (-one.first_day.toordinal(), one.service))


# -- Keys --------------------------------------------------------------------------------------


def keys_at(place: Place) -> QuerySet[KeySet]:
    """The hooks that are taken, in their order."""
    rows = KeySet.objects.filter(place=place, status__in=ON_HOOK)
    return rows.select_related("member__user", "stay__service").order_by("hook")


def keys_of_member(member: Member, place: Place) -> QuerySet[KeySet]:
    return keys_at(place).filter(member=member)


def own_keys(member: Member) -> QuerySet[KeySet]:
    """What the member reads of their own: every set, the latest first."""
    return KeySet.objects.filter(member=member).select_related("place").order_by("-received_at")


def lowest_free_hook(place: Place) -> int:
    taken = set(
        KeySet.objects.filter(place=place, status__in=ON_HOOK).values_list("hook", flat=True)
    )
    return next(number for number in range(1, len(taken) + 2) if number not in taken)


def gone_keys(place: Place) -> QuerySet[KeySet]:
    rows = KeySet.objects.filter(place=place, status__in=[KeyStatus.RETURNED, KeyStatus.LOST])
    return rows.select_related("member__user").order_by("-returned_at", "-lost_at", "-pk")


@dataclass(frozen=True)
class Numbers:
    """The board's lines: how many visits, calls, keys to come and to give back."""

    visits: int
    calls: int
    awaited: int
    ending: int


def numbers_at(place: Place, day: date) -> Numbers:
    """What `round_of` lists, in two statements."""
    near = Q(stay__status__in=WATCHED, day__lte=day, day__gt=day - OVERDUE)
    to_call = Q(called_at=None) & ~Q(incident="")
    rows = StayVisit.objects.filter(near | to_call, stay__place=place).order_by("day")
    last: dict[int, datetime | None] = {}
    calls = 0
    for stay_id, on, status, done_at, incident, called_at in rows.values_list(
        "stay_id", "day", "stay__status", "done_at", "incident", "called_at"
    ):
        calls += bool(incident) and called_at is None
        if status in WATCHED and day - OVERDUE < on <= day:
            last[stay_id] = done_at
    stays = Stay.objects.filter(place=place).aggregate(
        awaited=Count("pk", filter=awaited_by(day)), ending=Count("pk", filter=ending_by(day))
    )
    return Numbers(sum(done_at is None for done_at in last.values()), calls, **stays)
