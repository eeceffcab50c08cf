"""The programme as everybody reads it: which sessions, in which order, how many of each."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber, TruncDate
from rapidfuzz import fuzz

from club.kernel.people import folded
from club.kernel.spans import start_of
from club.models import Member
from events.enums import LIVE, WITH_CHILDREN, Entry, SessionStatus
from events.models import EventPage, Registration, Session

FEW = 3
"""Dates of one event in the list of what is next: the others stand on its page."""
OF_A_MONTH = 5
"""Dates of one event in a month: each week's is there, each day's is not."""
MOST_LINES = 60
CLOSE_ENOUGH = 86
HOME_DAYS = timedelta(days=7)
UNREAD = ("event__body", "event__search_description", "event__review", "event__draft_title")
"""What no list shows, and what weighs most."""
FED_BACK = timedelta(days=30)
FED_MOST = 1000


@dataclass(frozen=True)
class Wanted:
    """What a visitor asks for; an empty one asks for everything that is to come."""

    place: str = ""
    theme: str = ""
    children: bool = False
    step_free: bool = False
    with_places: bool = False
    text: str = ""
    month: date | None = None
    day: date | None = None
    paper: bool = False

    @property
    def most_of_one(self) -> int | None:
        """How many dates of one event are listed; None: all."""
        if self.day is not None or self.paper:
            return None
        return FEW if self.month is None else OF_A_MONTH


def next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def public_sessions(landlord_id: int) -> QuerySet[Session]:
    """All that is shown to everybody: published events at public places."""
    return Session.objects.filter(
        place__landlord=landlord_id, place__is_public=True, event__live=True
    )


def with_places_left(now: datetime) -> Q:
    """Where one may still come: by registering in time, or just so."""
    in_time = Q(event__entry=Entry.FREE) | Q(closes_at__gt=now)
    room = Q(capacity=None) | Q(booked__lt=F("capacity"))
    return in_time & room & Q(status=SessionStatus.SCHEDULED)


def events_named(landlord_id: int, text: str, now: datetime) -> list[int]:
    """Events whose words hold each word of `text`, or whose title is nearly it."""
    wanted = folded(text)
    events = (
        EventPage.objects.live()
        .filter(
            sessions__place__landlord=landlord_id,
            sessions__place__is_public=True,
            sessions__ends_at__gt=now,
        )
        .distinct()
        .values_list("pk", "title", "lead", "organiser", "partner")
    )
    found = []
    for pk, title, *more in events:
        said = folded(" ".join([title, *more]))
        near = fuzz.partial_ratio(wanted, folded(title)) >= CLOSE_ENOUGH and len(wanted) > 3
        if near or all(word in said for word in wanted.split()):
            found.append(pk)
    return found


def filtered(landlord_id: int, wanted: Wanted, now: datetime) -> QuerySet[Session]:
    """What is not over and answers every filter but the month and the day."""
    sessions = public_sessions(landlord_id).filter(ends_at__gt=now)
    if wanted.place:
        sessions = sessions.filter(place__slug=wanted.place)
    if wanted.theme:
        sessions = sessions.filter(event__theme=wanted.theme)
    if wanted.children:
        young = Q(event__age_min=None) | Q(event__age_min__lt=12)
        sessions = sessions.filter(young, event__audience__in=WITH_CHILDREN)
    if wanted.step_free:
        sessions = sessions.filter(event__step_free=True)
    if wanted.with_places:
        sessions = sessions.filter(with_places_left(now))
    if wanted.text:
        sessions = sessions.filter(event__in=events_named(landlord_id, wanted.text, now))
    return sessions


def within(sessions: QuerySet[Session], first: date, after: date) -> QuerySet[Session]:
    """Those that begin on a day from `first` to the one before `after`."""
    return sessions.filter(starts_at__gte=start_of(first), starts_at__lt=start_of(after))


def in_window(sessions: QuerySet[Session], wanted: Wanted) -> QuerySet[Session]:
    if wanted.day is not None:
        return within(sessions, wanted.day, wanted.day + timedelta(days=1))
    if wanted.month is not None:
        return within(sessions, wanted.month, next_month(wanted.month))
    return sessions


def listed(
    sessions: QuerySet[Session], wanted: Wanted, *, page: int = 1, most: int = MOST_LINES
) -> list[Session]:
    """One page of the list by date, and one session more where there is another page.

    An event with 176 sessions has a few lines: the numbers are counted first, so that
    only what is shown is read whole.
    """
    kept = in_window(sessions, wanted)
    if wanted.most_of_one is not None:
        number = Window(RowNumber(), partition_by="event_id", order_by=["starts_at", "pk"])
        kept = kept.annotate(number=number).filter(number__lte=wanted.most_of_one)
    first = (page - 1) * most
    numbers = kept.order_by("starts_at", "pk").values("pk")[first : first + most + 1]
    return list(
        Session.objects.filter(pk__in=numbers)
        .select_related("event__picture", "place__event_policy")
        .defer(*UNREAD)
        .order_by("starts_at", "pk")
    )


def days_of_month(sessions: QuerySet[Session], month: date) -> set[date]:
    """The days of a month on which something takes place."""
    rows = within(sessions, month, next_month(month)).filter(status=SessionStatus.SCHEDULED)
    return set(rows.order_by().values_list(TruncDate("starts_at"), flat=True).distinct())


def sessions_of(event: EventPage, now: datetime, most: int) -> list[Session]:
    """What is not over of one event, and one more where there are others."""
    sessions = event.sessions.filter(place__is_public=True, ends_at__gt=now)
    found = sessions.select_related("place__event_policy").order_by("starts_at", "pk")
    return list(found[: most + 1])


def mine(member: Member | None, sessions: list[Session]) -> dict[int, Registration]:
    """The member's own places and turns, by session."""
    if member is None or not sessions:
        return {}
    rows = Registration.objects.filter(member=member, session__in=sessions, status__in=LIVE)
    return {row.session_id: row for row in rows}


def week_at(place_id: int, now: datetime, most: int) -> list[Session]:
    """What is on at a place in the next days, each event once."""
    rows = (
        Session.objects.filter(
            place=place_id,
            event__live=True,
            status=SessionStatus.SCHEDULED,
            ends_at__gt=now,
            starts_at__lt=now + HOME_DAYS,
        )
        .select_related("event")
        .defer(*UNREAD)
        .order_by("starts_at", "pk")
    )
    found: dict[int, Session] = {}
    for session in rows[: most * 10]:
        found.setdefault(session.event_id, session)
    return list(found.values())[:most]


def fed(sessions: QuerySet[Session], now: datetime) -> list[Session]:
    """What an agenda takes: a month back, so that what was cancelled goes out of it."""
    recent = sessions.filter(ends_at__gt=now - FED_BACK)
    return list(
        recent.select_related("event", "place")
        .defer(*UNREAD)
        .order_by("starts_at", "pk")[:FED_MOST]
    )
