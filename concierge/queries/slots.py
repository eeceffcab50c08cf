"""The slots of a service: cut from hours of the wall, never stored.

A day's slots begin at the first hour of the service and follow one another by their
length and buffer, as wall clocks show it; so a clock change moves none. Which seats are
free is one range read of the appointments, folded in Python.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from club.kernel.spans import Span, at, days_between, end_of, local_day, start_of
from club.queries.calendar import Calendar, calendar_of
from concierge.enums import SEATED, ServiceKind
from concierge.models import Appointment, Service
from concierge.queries.services import Rules, rules_of

LANES = 1000
"""Seat n of a service is lane `service × LANES + n`."""
LONGEST = timedelta(minutes=480 + 240)
"""No appointment holds its seat for longer: its length and its buffer."""


@dataclass(frozen=True)
class Seated:
    """Somebody's seat, held over [starts_at, held_until)."""

    pk: int
    lane: int
    starts_at: datetime
    held_until: datetime


@dataclass(frozen=True)
class Slot:
    """One slot with its seats, and how many of them are free."""

    starts_at: datetime
    ends_at: datetime
    held_until: datetime
    seats: int
    lanes: tuple[int, ...] = ()
    """The free seats that may be given, in order."""

    @property
    def day(self) -> date:
        return local_day(self.starts_at)

    @property
    def free(self) -> int:
        return len(self.lanes)


def exists(day: date, hour: time) -> bool:
    """Whether wall clocks show that hour on that day: one hour of spring they skip."""
    return timezone.localtime(at(day, hour), timezone.get_default_timezone()).time() == hour


@dataclass
class Diary:
    """A service over some days, with the seats that are held in them."""

    service: Service
    rules: Rules
    calendar: Calendar
    seated: dict[date, list[Seated]] = field(default_factory=dict)

    # -- Cutting -------------------------------------------------------------------------

    def windows(self, day: date) -> Iterator[tuple[time, time, int]]:
        """The wall hours at which somebody is there, while the place is open."""
        open_hours = self.calendar.hours(day)
        lines = sorted(
            (line.opens, line.closes, line.seats or self.service.seats)
            for line in self.rules.lines
            if line.weekday == day.weekday()
        )
        if not self.rules.lines:
            lines = [(opens, closes, self.service.seats) for opens, closes in open_hours]
        for opens, closes, seats in lines:
            for place_opens, place_closes in open_hours:
                first, last = max(opens, place_opens), min(closes, place_closes)
                if first < last:
                    yield first, last, seats

    def cut(self, day: date) -> list[Slot]:
        """The slots of a day, whatever is taken. None begins before the last one is over."""
        if self.service.kind != ServiceKind.SLOT:
            return []
        length = timedelta(minutes=self.service.minutes)
        buffer = timedelta(minutes=self.service.buffer_minutes)
        slots: list[Slot] = []
        for opens, closes, seats in self.windows(day):
            wall, last = datetime.combine(day, opens), datetime.combine(day, closes)
            while wall + length <= last:
                starts_at = at(day, wall.time())
                slot = Slot(starts_at, starts_at + length, starts_at + length + buffer, seats)
                is_after = not slots or slots[-1].held_until <= starts_at
                ends_in_time = slot.ends_at <= at(day, closes)
                if exists(day, wall.time()) and is_after and ends_in_time:
                    slots.append(slot)
                wall += length + buffer
        return [slot for slot in slots if not self.is_paused(slot)]

    def is_paused(self, slot: Slot) -> bool:
        span = Span(slot.starts_at, slot.ends_at)
        return any(span.overlaps(pause) for pause in self.rules.pauses)

    # -- Free seats ----------------------------------------------------------------------

    def held_lanes(self, slot: Slot) -> set[int]:
        return {
            seated.lane
            for day in days_between(slot.day, local_day(slot.held_until))
            for seated in self.seated.get(day, ())
            if seated.starts_at < slot.held_until and slot.starts_at < seated.held_until
        }

    def free_lanes(self, slot: Slot) -> tuple[int, ...]:
        """The seats that may be given. Who sits on one that was cut counts against the rest."""
        held = self.held_lanes(slot)
        first = self.service.pk * LANES
        free = [lane for lane in range(first, first + slot.seats) if lane not in held]
        return tuple(free[: max(0, slot.seats - len(held))])

    def slots(self, day: date) -> list[Slot]:
        return [replace(slot, lanes=self.free_lanes(slot)) for slot in self.cut(day)]

    def slot_at(self, starts_at: datetime) -> Slot | None:
        return next((s for s in self.slots(local_day(starts_at)) if s.starts_at == starts_at), None)

    def seat(self, one: Seated) -> None:
        for day in days_between(local_day(one.starts_at), local_day(one.held_until)):
            self.seated.setdefault(day, []).append(one)

    # -- When one may book ----------------------------------------------------------------

    def last_day(self, now: datetime) -> date:
        return local_day(now) + timedelta(days=self.service.horizon_days)

    def is_too_late(self, slot: Slot, now: datetime, *, at_desk: bool = False) -> bool:
        """On line until the lead; at the desk as long as the slot runs."""
        if at_desk:
            return slot.ends_at <= now
        return slot.starts_at < now + timedelta(minutes=self.service.lead_minutes)

    def bookable(
        self,
        now: datetime,
        first: date | None = None,
        last: date | None = None,
        *,
        at_desk: bool = False,
        with_taken: bool = False,
    ) -> Iterator[Slot]:
        """In order of time, the slots with a free seat; `with_taken` the others too."""
        begin = max(first or local_day(now), local_day(now))
        end = min(last or self.last_day(now), self.last_day(now))
        for day in days_between(begin, end):
            for slot in self.slots(day):
                if (slot.free or with_taken) and not self.is_too_late(slot, now, at_desk=at_desk):
                    yield slot


def diaries(
    services: Iterable[Service], first: date, last: date, *, without: int = 0
) -> dict[int, Diary]:
    """By service, what is held from the first day to the last: one statement for all."""
    found = {
        service.pk: Diary(service, rules_of(service), calendar_of(service.place))
        for service in services
    }
    begins, ends = start_of(first), end_of(last)
    rows = (
        Appointment.objects.filter(
            service__in=list(found),
            status__in=SEATED,
            starts_at__gt=begins - LONGEST,
            starts_at__lt=ends,
            held_until__gt=begins,
        )
        .exclude(pk=without)
        .order_by()
        .values_list("service_id", "pk", "lane", "starts_at", "held_until")
    )
    for service_id, pk, lane, starts_at, held_until in rows if found else ():
        found[service_id].seat(Seated(pk, lane, starts_at, held_until))
    return found


def diary_of(
    service: Service,
    first: date,
    last: date | None = None,
    *,
    without: int = 0,
) -> Diary:
    """`without` leaves one appointment out: what would be free if it went elsewhere."""
    return diaries([service], first, last or first, without=without)[service.pk]


def diary_ahead(service: Service, now: datetime, *, without: int = 0) -> Diary:
    """From today to as far as one may book."""
    today = local_day(now)
    last = today + timedelta(days=service.horizon_days)
    return diary_of(service, today, last, without=without)
