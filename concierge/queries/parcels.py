"""Which parcels wait, for whom, who may collect them, and what a month came to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from django.db.models import Count, Q, QuerySet

from club.kernel.spans import local_day
from club.models import Member, Place
from concierge.enums import ParcelStatus
from concierge.models import Parcel, ParcelPolicy, Proxy

WAITING = Q(status=ParcelStatus.WAITING)
WITH_NAMES = ("member__user", "member__household", "place")


def takes_parcels(place: Place) -> bool:
    """A place takes parcels once somebody has written its rule."""
    return ParcelPolicy.objects.filter(place=place).exists()


def visible_to(member: Member) -> QuerySet[Parcel]:
    """A member's own, and nobody else's: not the household's, not those of whoever named them."""
    return Parcel.objects.filter(member=member)


def waiting_for(member: Member) -> QuerySet[Parcel]:
    return visible_to(member).filter(WAITING).select_related("place").order_by("keep_until", "pk")


def history_of(member: Member) -> QuerySet[Parcel]:
    """What was collected or went back, the latest first."""
    return visible_to(member).exclude(WAITING).select_related("place").order_by("-received_at")


# -- At the desk -----------------------------------------------------------------------------


def waiting_at(place: Place) -> QuerySet[Parcel]:
    return (
        Parcel.objects.filter(WAITING, place=place)
        .select_related(*WITH_NAMES)
        .order_by("received_at", "pk")
    )


def waiting_for_household(member: Member, place: Place) -> QuerySet[Parcel]:
    """What the adults of one home may take along, the member's own first."""
    return waiting_at(place).filter(member__household=member.household_id)


@dataclass(frozen=True)
class Waiting:
    """How many parcels stand on the shelves: the board's three numbers."""

    for_somebody: int
    for_nobody: int
    to_send_back: int


def numbers_at(place: Place, today: date) -> Waiting:
    past = Q(keep_until__lt=today)
    found = Parcel.objects.filter(WAITING, place=place).aggregate(
        for_somebody=Count("pk", filter=Q(member__isnull=False) & ~past),
        for_nobody=Count("pk", filter=Q(member=None) & ~past),
        to_send_back=Count("pk", filter=past),
    )
    return Waiting(**found)


def lying_here(place: Place, tracking: str) -> Parcel | None:
    """The parcel of that barcode that waits here."""
    if not tracking:
        return None
    return waiting_at(place).filter(tracking=tracking).first()


def found_by(place: Place, code: str) -> Parcel | None:
    """The parcel that a scan names, by reference or barcode: the one that waits, else the last."""
    here = Parcel.objects.filter(place=place).select_related(*WITH_NAMES)
    named = here.filter(Q(reference=code) | Q(tracking=code))
    return lying_here(place, code) or named.order_by("-received_at", "-pk").first()


# -- Who collects ------------------------------------------------------------------------------


def live_proxies(members: Iterable[Member], today: date) -> QuerySet[Proxy]:
    """Whom these members have named, and not taken back, in the order of naming."""
    return Proxy.objects.filter(
        Q(until=None) | Q(until__gte=today), member__in=members, removed_at=None
    ).order_by("named_at", "pk")


# -- Figures -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Month:
    """What came in during a month, and what had become of it since."""

    first_day: date
    received: int
    collected: int
    returned: int
    median_days: float | None
    """From the shelf to the hand, of those that were collected."""


def months_of(parcels: QuerySet[Parcel], since: datetime) -> list[Month]:
    """By month of reception, the latest first."""
    rows: dict[date, list[tuple[str, int]]] = {}
    found = parcels.filter(received_at__gte=since).order_by("-received_at")
    for status, received_at, collected_at in found.values_list(
        "status", "received_at", "collected_at"
    ):
        day = local_day(received_at)
        days = (local_day(collected_at) - day).days if collected_at else 0
        rows.setdefault(day.replace(day=1), []).append((status, days))
    return [month_of(first, received) for first, received in rows.items()]


def month_of(first_day: date, received: list[tuple[str, int]]) -> Month:
    waits = [days for status, days in received if status == ParcelStatus.COLLECTED]
    return Month(
        first_day=first_day,
        received=len(received),
        collected=len(waits),
        returned=sum(status == ParcelStatus.RETURNED for status, _days in received),
        median_days=median(waits) if waits else None,
    )
