"""From "every second Thursday until June, not in the school holidays" to sessions.

Dates are reckoned by the wall clock and become instants one by one, so that a clock
change moves none. A rule without an end has its sessions made a year ahead, and each
night the next ones. What has been made is found again by (schedule, day): making them
twice adds none. A session that the rule no longer wants goes by itself only where
nobody is registered; else it stays and staff decide.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from dateutil import rrule
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import at, local_day, start_of
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Place, User
from club.queries.calendar import Calendar, calendar_of, public_holidays
from events.enums import Frequency, Holidays
from events.models import EventIndex, EventPage, Registration, Schedule, Session, Terms, WalkIn

AHEAD = timedelta(days=366)
MOST = 500
"""Sessions that one rule may have ahead: more is a slip of the hand."""

TERMS = tuple(field.name for field in Terms._meta.get_fields())
RULES: dict[str, tuple[Literal[2, 3], int]] = {
    Frequency.DAILY: (rrule.DAILY, 1),
    Frequency.WEEKLY: (rrule.WEEKLY, 1),
    Frequency.FORTNIGHTLY: (rrule.WEEKLY, 2),
}
WRITTEN_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\Z", re.ASCII)


@dataclass(frozen=True)
class Made:
    """What publishing did: new sessions, those taken away, those that staff must look at."""

    added: int
    removed: int
    stray: list[Session]


def excepted_days(text: str) -> list[date]:
    """The days written in "sauf le". Raises `Refused` for one that cannot be read."""
    days = []
    for part in re.split(r"[,;\s]+", text.strip()):
        if not part:
            continue
        found = WRITTEN_DAY.match(part)
        try:
            if found is None:
                raise ValueError
            days.append(date(int(found[3]), int(found[2]), int(found[1])))
        except ValueError:
            said = _("« %(part)s » n’est pas une date. Écrivez par exemple 24/12/2026.")
            raise refuse("day_wrong", said % {"part": part[:20]}, "except_on") from None
    return days


def bare_days(schedule: Schedule, last: date) -> Iterator[date]:
    """The days of the rule itself, to `last`, without what is left out."""
    first = schedule.starts_on
    if schedule.frequency == Frequency.ONCE:
        yield first
        return
    if schedule.frequency == Frequency.MONTHLY:
        # The second Tuesday; the last one where the first date is a month's fifth.
        which = (first.day - 1) // 7 + 1
        day = rrule.weekday(first.weekday())(which if which < 5 else -1)
        rule = rrule.rrule(rrule.MONTHLY, dtstart=first, until=last, byweekday=day)
    else:
        frequency, interval = RULES[schedule.frequency]
        days = schedule.weekdays if frequency == rrule.WEEKLY else []
        rule = rrule.rrule(
            frequency,
            interval=interval,
            dtstart=first,
            until=last,
            byweekday=sorted(days) or None,
            wkst=rrule.MO,
        )
    for moment in rule:
        yield moment.date()


def is_left_out(schedule: Schedule, day: date, calendar: Calendar) -> bool:
    holiday = calendar.is_school_holiday(day)
    return (
        (schedule.holidays == Holidays.SKIP and holiday)
        or (schedule.holidays == Holidays.ONLY and not holiday)
        or (not schedule.on_public_holidays and day in public_holidays(day.year))
        or (not schedule.when_closed and not calendar.is_open_day(day))
        or calendar.closed_by_closure(day)
    )


def days_of(schedule: Schedule, place: Place, now: datetime) -> list[date]:
    """Each day on which there is a session, as far ahead as sessions are made."""
    horizon = local_day(now) + AHEAD
    last = min(schedule.until or horizon, max(horizon, schedule.starts_on))
    calendar = calendar_of(place)
    excepted = set(excepted_days(schedule.except_on))
    found: list[date] = []
    for day in bare_days(schedule, last):
        if schedule.frequency == Frequency.ONCE:
            return [] if day in excepted else [day]
        if day not in excepted and not is_left_out(schedule, day, calendar):
            found.append(day)
        if len(found) > MOST:
            text = _("Cette règle donne plus de %(most)s séances. Rapprochez la fin.")
            raise refuse("too_many_sessions", text % {"most": MOST}, "until")
    return found


def check_schedule(schedule: Schedule, place: Place, now: datetime) -> None:
    """Whether its sessions can be made; every fault at its field."""
    reasons: list[Reason] = []
    if schedule.until is not None and schedule.until < schedule.starts_on:
        reasons.append(Reason("dates_in_disorder", _("La fin vient après le début."), "until"))
    if reasons:
        raise Refused(reasons)
    if not days_of(schedule, place, now):
        text = _("Cette règle ne donne aucune séance. Changez les jours ou les dates.")
        raise refuse("no_session", text, "starts_on")


def hours_of(schedule: Schedule, day: date) -> tuple[datetime, datetime]:
    """By the wall clock: past midnight, the end is on the next day."""
    ends_on = day if schedule.ends > schedule.starts else day + timedelta(days=1)
    starts_at, ends_at = at(day, schedule.starts), at(ends_on, schedule.ends)
    # On the night of the change an hour can be missing: a session lasts a while all the same.
    return starts_at, ends_at if ends_at > starts_at else starts_at + schedule.length


def new_session(event: EventPage, place: Place, starts_at: datetime, ends_at: datetime) -> Session:
    """A session on the event's own terms."""
    session = Session(event=event, place=place, starts_at=starts_at, ends_at=ends_at)
    for name in TERMS:
        setattr(session, name, getattr(event, name))
    set_hours(session, event)
    return session


def set_hours(session: Session, event: EventPage) -> None:
    """From when on, and until when, one registers: in calendar days, then by the clock."""
    session.closes_at = session.starts_at - timedelta(minutes=event.closes_minutes)
    session.opens_at = session.others_at = None
    if event.opens_days is not None:
        session.opens_at = start_of(session.day - timedelta(days=event.opens_days))
    if event.members_first_days and session.opens_at is not None:
        opens_on = local_day(session.opens_at)
        others = start_of(opens_on + timedelta(days=event.members_first_days))
        session.others_at = min(others, session.closes_at)


def programme_place(event: EventPage) -> Place:
    index = EventIndex.objects.ancestor_of(event).select_related("place__landlord").get()
    place: Place = index.place
    return place


def is_needless(session: Session) -> bool:
    """Nobody has ever had anything to do with it."""
    return (
        not Registration.objects.filter(session=session).exists()
        and not WalkIn.objects.filter(session=session).exists()
    )


def logged_as_added(session: Session, *, by: User | None, now: datetime) -> None:
    log(session, "add_session", by=by, now=now, facts={"from": None, "to": session.status})


@in_one_transaction
def add_session(session: Session, *, by: User | None, now: datetime) -> Session:
    """One more date, by hand or from a file."""
    if session.ends_at <= session.starts_at:
        raise refuse("dates_in_disorder", _("La fin vient après le début."), "ends_at")
    session.changed_at = now
    session.save(force_insert=True)
    logged_as_added(session, by=by, now=now)
    return session


@in_one_transaction
def make_sessions(event: EventPage, *, by: User | None, now: datetime) -> Made:
    """Bring the sessions that are to come in line with the event's schedules.

    What was changed by hand stays as it is: only what is missing is added.
    """
    EventPage.objects.select_for_update(no_key=True, of=("self",)).get(pk=event.pk)
    default = programme_place(event)
    wanted: set[tuple[int, date]] = set()
    added: list[Session] = []
    known = set(
        Session.objects.filter(event=event, planned_on__isnull=False).values_list(
            "schedule_id", "planned_on"
        )
    )
    for schedule in event.schedules.select_related("place__landlord"):
        place = schedule.place or default
        for day in days_of(schedule, place, now):
            wanted.add((schedule.pk, day))
            starts_at, ends_at = hours_of(schedule, day)
            if (schedule.pk, day) in known or ends_at <= now:
                continue
            session = new_session(event, place, starts_at, ends_at)
            session.schedule, session.planned_on = schedule, day
            session.room, session.address = schedule.room, schedule.address
            session.changed_at = now
            added.append(session)
    Session.objects.bulk_create(added, batch_size=200)
    for session in added:
        logged_as_added(session, by=by, now=now)
    removed, stray = 0, []
    for session in unwanted(event, wanted, now):
        if is_needless(session):
            session.delete()
            removed += 1
        else:
            stray.append(session)
    return Made(len(added), removed, stray)


def unwanted(event: EventPage, wanted: set[tuple[int, date]], now: datetime) -> list[Session]:
    """Planned sessions to come that no schedule asks for any more."""
    coming = Session.objects.filter(
        event=event, planned_on__isnull=False, starts_at__gt=now, status="scheduled"
    )
    return [one for one in coming if (one.schedule_id, one.planned_on) not in wanted]


def endless(now: datetime) -> QuerySet[EventPage]:
    """Live events whose sessions go on beyond what has been made."""
    last = local_day(now) + AHEAD - timedelta(days=30)
    return (
        EventPage.objects.live()
        .filter(
            ~Q(schedules__frequency=Frequency.ONCE),
            Q(schedules__until=None) | Q(schedules__until__gte=last),
            schedules__isnull=False,
        )
        .distinct()
        .order_by("pk")
    )
