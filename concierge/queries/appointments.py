"""The appointments of a place: of a day, ahead, and those that no slot carries any more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth

from club.kernel.spans import end_of, local_day, start_of
from club.models import Member, Place
from club.queries.calendar import calendar_of
from concierge.enums import SEATED, AppointmentStatus
from concierge.models import Appointment, CounterUse, Service
from concierge.queries.services import WITH_NAMES, rules_of
from concierge.queries.slots import LANES, Diary, Slot

SHOWN = (*SEATED, AppointmentStatus.DONE, AppointmentStatus.ABSENT)


def named(rows: QuerySet[Appointment]) -> QuerySet[Appointment]:
    return rows.select_related(*WITH_NAMES, "member__household").order_by("starts_at", "pk")


def of_day(place: Place, day: date) -> QuerySet[Appointment]:
    """Who is expected, came or did not come, by hour."""
    inside = {"starts_at__gte": start_of(day), "starts_at__lt": end_of(day)}
    return named(Appointment.objects.filter(place=place, status__in=SHOWN, **inside))


def ahead(place: Place, now: datetime) -> QuerySet[Appointment]:
    """Seats that are held from today on, by hour."""
    begin = start_of(local_day(now))
    return named(Appointment.objects.filter(place=place, status__in=SEATED, starts_at__gte=begin))


def of_member(member: Member, place: Place, now: datetime) -> QuerySet[Appointment]:
    """What somebody at the counter comes for, today or later."""
    return ahead(place, now).filter(member=member)


def outside(appointments: Iterable[Appointment], place: Place) -> list[Appointment]:
    """Those that stand where the service has no slot, or no such seat, any more.

    Hours that change and seats that are cut evict nobody: staff call, or let them come.
    """
    days: dict[tuple[int, date], list[Slot]] = {}
    found = []
    for one in appointments:
        one.service.place = place
        day = local_day(one.starts_at)
        if (one.service_id, day) not in days:
            days[one.service_id, day] = rules_day(one.service, day)
        if not any(carries(slot, one) for slot in days[one.service_id, day]):
            found.append(one)
    return found


def rules_day(service: Service, day: date) -> list[Slot]:
    return Diary(service, rules_of(service), calendar_of(service.place)).cut(day)


def carries(slot: Slot, one: Appointment) -> bool:
    seat = one.lane - one.service_id * LANES
    return (slot.starts_at, slot.ends_at) == (one.starts_at, one.ends_at) and seat < slot.seats


# -- Figures ----------------------------------------------------------------------------------


@dataclass
class Month:
    """What one service came to in one month."""

    first_day: date
    service: str
    served: int = 0
    absent: int = 0
    cancelled: int = 0
    counted: int = 0
    """Over the counter: pages, codes."""
    people: int = 0
    """Households that were served by appointment."""


COUNTED_AS = {
    AppointmentStatus.DONE: "served",
    AppointmentStatus.ABSENT: "absent",
    AppointmentStatus.CANCELLED: "cancelled",
}


def months_of(place: Place, since: datetime) -> list[Month]:
    """By month and service, the newest first: for the landlord's report."""
    found: dict[tuple[date, str], Month] = {}

    def of(month: datetime, service: str) -> Month:
        key = (local_day(month).replace(day=1), service)
        return found.setdefault(key, Month(*key))

    rows = (
        Appointment.objects.filter(place=place, starts_at__gte=since, status__in=COUNTED_AS)
        .annotate(month=TruncMonth("starts_at"))
        .order_by()
        .values_list("month", "service__name", "status")
        .annotate(number=Count("pk"), households=Count("member__household", distinct=True))
    )
    for month, service, status, number, households in rows:
        line = of(month, service)
        setattr(line, COUNTED_AS[AppointmentStatus(status)], number)
        if status == AppointmentStatus.DONE:
            line.people = households
    uses = (
        CounterUse.objects.filter(place=place, at__gte=since, undone_at=None)
        .annotate(month=TruncMonth("at"))
        .order_by()
        .values_list("month", "service__name")
        .annotate(number=Sum("quantity"))
    )
    for month, service, number in uses:
        of(month, service).counted = number
    return sorted(found.values(), key=lambda line: (-line.first_day.toordinal(), line.service))
