"""From "every second Thursday until June, not in the school holidays" to sessions.

Dates are reckoned by the wall clock and become instants one by one, so that a clock
change moves none. A rule without an end has its sessions made a year ahead, and each
night the next ones. What has been made is found again by (schedule, day): making them
twice adds none. Where nobody is registered a session follows its rule to other hours,
and goes where the rule no longer wants it; else it stays as people know it, and staff
decide. What staff moved by hand no rule moves again.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from dateutil import rrule
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import at, local_day, start_of
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import LogEntry, Place, User
from club.queries.calendar import Calendar, calendar_of, public_holidays
from events.enums import LIVE, Frequency, Holidays, SessionStatus
from events.models import (
    CheckIn,
    EventIndex,
    EventPage,
    Registration,
    Schedule,
    Session,
    Terms,
    WalkIn,
)

Key = tuple[int | None, date | None]
DAY = timedelta(days=1)

AHEAD = timedelta(days=366)
MOST = 500
"""Sessions that one event may have ahead: more is a slip of the hand."""
WITHIN = timedelta(days=10 * 366)
"""A first day further away than this, on either side, is a slip of the hand too."""

TERMS = tuple(field.name for field in Terms._meta.get_fields())
RULES: dict[str, tuple[Literal[2, 3], int]] = {
    Frequency.DAILY: (rrule.DAILY, 1),
    Frequency.WEEKLY: (rrule.WEEKLY, 1),
    Frequency.FORTNIGHTLY: (rrule.WEEKLY, 2),
}
WRITTEN_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\Z", re.ASCII)


@dataclass(frozen=True)
class Made:
    """What publishing did: new sessions, those that followed the rule, those taken away.

    `stray` are those that staff must look at: they have people, and the rule is another.
    """

    added: int
    followed: int
    removed: int
    stray: list[Session]


@dataclass(frozen=True)
class Wanted:
    """One session as its rule wants it."""

    schedule: Schedule
    place: Place
    starts_at: datetime
    ends_at: datetime

    def fits(self, session: Session) -> bool:
        return (
            (session.starts_at, session.ends_at) == (self.starts_at, self.ends_at)
            and session.place_id == self.place.pk
            and (session.room, session.address) == (self.schedule.room, self.schedule.address)
        )


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
    return found


def check_schedule(schedule: Schedule, place: Place, now: datetime) -> int:
    """How many sessions to come its rule gives; every fault of it at its field."""
    reasons: list[Reason] = []
    if schedule.until is not None and schedule.until < schedule.starts_on:
        reasons.append(Reason("dates_in_disorder", _("La fin vient après le début."), "until"))
    if schedule.ends == schedule.starts:
        text = _("La séance finit à l’heure où elle commence. Changez une des deux.")
        reasons.append(Reason("no_length", text, "ends"))
    if abs(schedule.starts_on - local_day(now)) > WITHIN:
        text = _("Cette date est trop loin d’aujourd’hui. Relisez l’année.")
        reasons.append(Reason("too_far", text, "starts_on"))
    if reasons:
        raise Refused(reasons)
    days = days_of(schedule, place, now)
    if not days:
        text = _("Cette règle ne donne aucune séance. Changez les jours ou les dates.")
        raise refuse("no_session", text, "starts_on")
    return sum(hours_of(schedule, day)[1] > now for day in days)


def refuse_too_many(sessions: int) -> None:
    """Of all the rules of an event together."""
    if sessions > MOST:
        text = _("Ces règles donnent plus de %(most)s séances. Rapprochez la fin.")
        raise refuse("too_many_sessions", text % {"most": MOST}, "until")


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


def touched(sessions: Iterable[Session]) -> set[int]:
    """Those of which some row tells: they cannot go."""
    rows = [one.pk for one in sessions]
    return {
        pk
        for model in (Registration, WalkIn, CheckIn)
        for pk in model._default_manager.filter(session__in=rows).values_list("session", flat=True)
    }


def peopled(sessions: Iterable[Session]) -> set[int]:
    """Those that somebody has a place at, waits for or came to: they change by a verb alone."""
    rows = [one.pk for one in sessions]
    live = Registration.objects.filter(session__in=rows, status__in=LIVE)
    came = WalkIn.objects.filter(session__in=rows, undone_at=None)
    return {*live.values_list("session", flat=True), *came.values_list("session", flat=True)}


def moved_by_hand(sessions: Iterable[Session]) -> set[int]:
    rows = LogEntry.objects.filter(
        subject_kind="session", subject_id__in=[one.pk for one in sessions], verb="move_session"
    )
    return set(rows.values_list("subject_id", flat=True))


def put(
    session: Session,
    starts_at: datetime,
    ends_at: datetime,
    place: Place,
    *,
    room: str,
    address: str,
    now: datetime,
) -> None:
    """At another time or another place; the hours of registration go along.

    It closes as long before the start; it opens as many calendar days before it.
    """
    days = local_day(starts_at) - session.day
    session.closes_at += starts_at - session.starts_at
    for name in ("opens_at", "others_at"):
        before = getattr(session, name)
        if before is not None:
            local = timezone.localtime(before)
            after = at(local.date() + days, local.time())
            setattr(session, name, min(after, session.closes_at))
    session.starts_at, session.ends_at = starts_at, ends_at
    session.place, session.room, session.address = place, room, address
    session.sequence += 1
    session.changed_at = now
    session.save()


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
    """Bring the sessions that are to come in line with the event's schedules."""
    EventPage.objects.select_for_update(no_key=True, of=("self",)).get(pk=event.pk)
    wanted = wanted_of(event, now)
    known = {
        (one.schedule_id, one.planned_on): one
        for one in Session.objects.filter(event=event, planned_on__gte=local_day(now) - DAY)
        .select_related("place", "event")
        .order_by("pk")
    }
    spare = unwanted(event, wanted, now)
    adopted = adopt(spare, {key: one for key, one in wanted.items() if key not in known})
    added: list[Session] = []
    for key, one in wanted.items():
        if key in known or key in adopted:
            continue
        session = new_session(event, one.place, one.starts_at, one.ends_at)
        session.schedule, session.planned_on = one.schedule, key[1]
        session.room, session.address = one.schedule.room, one.schedule.address
        session.changed_at = now
        added.append(session)
    Session.objects.bulk_create(added, batch_size=200)
    for session in added:
        logged_as_added(session, by=by, now=now)
    followed, stray = follow(known, wanted, by=by, now=now)
    spare = [one for one in spare if one not in adopted.values()]
    kept = touched(spare)
    for session in spare:
        if session.pk not in kept:
            session.delete()
    stray += [one for one in spare if one.pk in kept]
    stray.sort(key=lambda one: (one.starts_at, one.pk))
    return Made(len(added), followed, len(spare) - len(kept), stray)


def wanted_of(event: EventPage, now: datetime) -> dict[Key, Wanted]:
    """What the event's schedules ask for from now on, by (schedule, day)."""
    default = programme_place(event)
    wanted: dict[Key, Wanted] = {}
    for schedule in event.schedules.select_related("place__landlord"):
        place = schedule.place or default
        for day in days_of(schedule, place, now):
            starts_at, ends_at = hours_of(schedule, day)
            if ends_at > now:
                wanted[schedule.pk, day] = Wanted(schedule, place, starts_at, ends_at)
    refuse_too_many(len(wanted))
    return wanted


def unwanted(event: EventPage, wanted: Iterable[Key], now: datetime) -> list[Session]:
    """Planned sessions to come that no schedule asks for any more."""
    coming = Session.objects.filter(
        event=event,
        planned_on__isnull=False,
        starts_at__gt=now,
        status=SessionStatus.SCHEDULED,
    ).select_related("place", "event")
    keys = set(wanted)
    return [one for one in coming if (one.schedule_id, one.planned_on) not in keys]


def adopt(spare: list[Session], missing: dict[Key, Wanted]) -> dict[Key, Session]:
    """A rule was written anew: sessions at just its hours are its own, with their people."""
    adopted: dict[Key, Session] = {}
    for key, one in missing.items():
        found = next((s for s in spare if one.fits(s) and s not in adopted.values()), None)
        if found is not None:
            found.schedule, found.planned_on = one.schedule, key[1]
            found.save(update_fields=["schedule", "planned_on"])
            adopted[key] = found
    return adopted


def follow(
    known: dict[Key, Session], wanted: dict[Key, Wanted], *, by: User | None, now: datetime
) -> tuple[int, list[Session]]:
    """Sessions nobody is at go to their rule's new hours; the others are returned."""
    differing = [
        (session, wanted[key])
        for key, session in known.items()
        if key in wanted
        and session.status == SessionStatus.SCHEDULED
        and session.starts_at > now
        and not wanted[key].fits(session)
    ]
    by_hand = moved_by_hand(session for session, _one in differing)
    with_people = peopled(session for session, _one in differing)
    followed, stray = 0, []
    for session, one in differing:
        if session.pk in by_hand:
            continue
        if session.pk in with_people or one.starts_at <= now:
            stray.append(session)
            continue
        room, address = one.schedule.room, one.schedule.address
        put(session, one.starts_at, one.ends_at, one.place, room=room, address=address, now=now)
        log(session, "follow_rule", by=by, now=now)
        followed += 1
    return followed, stray


def strays(event: EventPage, now: datetime) -> list[int]:
    """The sessions with people that are not as their rule is, as staff look them up."""
    wanted = wanted_of(event, now)
    coming = Session.objects.filter(
        event=event, planned_on__isnull=False, starts_at__gt=now, status=SessionStatus.SCHEDULED
    )
    differing = [
        one
        for one in coming
        if (key := (one.schedule_id, one.planned_on)) not in wanted or not wanted[key].fits(one)
    ]
    kept = touched(differing) - moved_by_hand(differing)
    return [one.pk for one in differing if one.pk in kept]


def endless(now: datetime) -> QuerySet[EventPage]:
    """Live events whose sessions go on beyond what has been made."""
    last = local_day(now) + AHEAD - timedelta(days=30)
    going_on = Schedule.objects.exclude(frequency=Frequency.ONCE).filter(
        Q(until=None) | Q(until__gte=last)
    )
    return EventPage.objects.live().filter(pk__in=going_on.values("event")).order_by("pk")
