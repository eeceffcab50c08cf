"""`/events`: the programme with its sessions; their places are taken by `/bookings`."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from club.api.answers import bad_cursor, make_cursor, read, read_cursor
from club.api.asked import period_asked, place_named
from club.api.auth import member_of, reads
from club.api.problems import PROBLEMS, declared, not_found
from club.api.texts import gettext_lazy
from club.kernel.inputs import Cursor, Day, Identifier
from club.kernel.spans import end_of, local_day, start_of
from club.models import Member
from events.domain.rules import depends_on_rights
from events.domain.waiting import offers_stop_at
from events.enums import AnswerKind, Audience, Entry, SessionStatus, Theme
from events.models import EventPage, Session
from events.queries.listing import (
    Listed,
    Position,
    Rights,
    coming,
    page_of_events,
    rights_to_events,
    sessions_between,
    sessions_for,
)

router = Router(tags=["events"], auth=reads)
PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,12}\Z", re.ASCII)
DAYS_AHEAD = timedelta(days=30)
MOST_SESSIONS = 50
MOST_SESSIONS_OF_ONE = 200
NO_RIGHTS = Rights(())


class SessionOut(Schema):
    """`cents` is the price of a place for the caller; `opens_at` is theirs too."""

    id: str
    starts_at: datetime
    ends_at: datetime
    place: str
    room: str
    address: str
    note: str
    status: SessionStatus
    capacity: int | None
    places_left: int | None
    full: bool
    waiting_list: bool
    opens_at: datetime | None
    closes_at: datetime
    subscribers_only: bool
    cents: int
    subscriber_cents: int
    other_cents: int


class EventOut(Schema):
    id: str
    title: str
    lead: str
    theme: Theme
    picture: str
    audience: Audience
    age_min: int | None
    age_max: int | None
    step_free: bool
    for_hearing: bool
    for_sight: bool
    for_understanding: bool
    price_text: str
    organiser: str
    partner: str
    entry: Entry
    entry_url: str
    sessions: list[SessionOut]
    sessions_total: int


class EventsOut(Schema):
    items: list[EventOut]
    next: str | None


class QuestionOut(Schema):
    id: int
    text: str
    kind: AnswerKind
    choices: list[str]
    required: bool


class EventDetailOut(EventOut):
    bring: str
    asks_names: bool
    asks_ages: bool
    questions: list[QuestionOut]


class Filters(Schema):
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")
    place: Identifier | None = None
    limit: int = Field(20, ge=1, le=100)
    cursor: Cursor | None = None


def period_of(filters: Filters, now: datetime) -> tuple[datetime, datetime]:
    """The window that is asked for; else a month from its one day, or from today."""
    first, last = filters.first, filters.last
    if first is None:
        first = min(local_day(now), last) if last else local_day(now)
    if last is None:
        last = first + DAYS_AHEAD
    period = period_asked(first, last)
    assert period is not None
    return start_of(period[0]), end_of(period[1])


def position_in(cursor: str) -> Position:
    first, event = read_cursor(cursor, 2)
    try:
        at = datetime.fromisoformat(first)
    except ValueError:
        raise bad_cursor() from None
    is_ours = at.tzinfo is not None and 2000 <= at.year <= 2101
    if not (is_ours and re.fullmatch(r"\d{1,18}", event, re.ASCII)):
        raise bad_cursor()
    return Position(at, int(event))


def rights_for(member: Member, listed: list[Listed]) -> Rights:
    """Read where a price or an hour depends on them: for as many sessions as there are."""
    sessions = [session for one in listed for session in one.sessions]
    return rights_to_events(member) if any(map(depends_on_rights, sessions)) else NO_RIGHTS


def session_json(session: Session, rights: Rights, now: datetime) -> dict[str, Any]:
    subscribes = rights.cover(session.day)
    opens_at = session.opens_at
    if session.others_at is not None and not subscribes:
        opens_at = session.others_at
    takes_place = session.status == SessionStatus.SCHEDULED
    waits = (
        takes_place
        and session.event.entry == Entry.LISTED
        and session.capacity is not None
        and (opens_at is None or opens_at <= now)
        and now < min(session.closes_at, offers_stop_at(session))
    )
    return {
        "id": session.public_id,
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "place": session.place.slug,
        "room": session.room,
        "address": session.address,
        "note": session.note,
        "status": session.status,
        "capacity": session.capacity,
        "places_left": session.free if takes_place else 0,
        "full": takes_place and session.is_full,
        "waiting_list": waits,
        "opens_at": opens_at,
        "closes_at": session.closes_at,
        "subscribers_only": session.members_only,
        "cents": session.price_for(subscribes),
        "subscriber_cents": session.member_price_cents,
        "other_cents": session.price_cents,
    }


def event_json(listed: Listed, rights: Rights, now: datetime) -> dict[str, Any]:
    event = listed.event
    return {
        "id": event.public_id,
        "title": event.title,
        "lead": event.lead,
        "theme": event.theme,
        "picture": static(f"img/{event.drawn}.svg"),
        "audience": event.audience,
        "age_min": event.age_min,
        "age_max": event.age_max,
        "step_free": event.step_free,
        "for_hearing": event.for_hearing,
        "for_sight": event.for_sight,
        "for_understanding": event.for_understanding,
        "price_text": event.price_text,
        "organiser": event.organiser,
        "partner": event.partner,
        "entry": event.entry,
        "entry_url": event.entry_url,
        "sessions": [session_json(session, rights, now) for session in listed.sessions],
        "sessions_total": listed.total,
    }


@router.get(
    "/events",
    summary=gettext_lazy("Les événements, avec leurs séances"),
    description=gettext_lazy(
        "De from à to, 366 jours au plus ; sans dates, les trente jours à venir. "
        "Les cinquante premières séances de chacun ; sessions_total dit combien il y en a."
    ),
    response={200: EventsOut, 304: None, **PROBLEMS},
)
def events(request: HttpRequest, filters: Query[Filters]) -> HttpResponse:
    now = timezone.now()
    member = member_of(request)
    place = place_named(filters.place, member) if filters.place else None
    sessions = sessions_between(member, *period_of(filters, now), place)
    after = position_in(filters.cursor) if filters.cursor else None
    listed, following = page_of_events(sessions, after, filters.limit, MOST_SESSIONS)
    rights = rights_for(member, listed)
    return read(
        request,
        {
            "items": [event_json(one, rights, now) for one in listed],
            "next": make_cursor(following.first.isoformat(), str(following.event))
            if following
            else None,
        },
    )


def event_named(public_id: str, member: Member) -> EventPage:
    event = (
        EventPage.objects.live()
        .filter(public_id=public_id, pk__in=sessions_for(member).values("event"))
        .first()
        if PUBLIC_ID.match(public_id)
        else None
    )
    if event is None:
        raise not_found()
    return event


@router.get(
    "/events/{event_id}",
    summary=gettext_lazy("Un événement, avec ses séances à venir"),
    description=gettext_lazy("Les deux cents premières ; sessions_total dit combien il y en a."),
    response={200: EventDetailOut, 304: None, **PROBLEMS, **declared(404)},
)
def event(request: HttpRequest, event_id: str) -> HttpResponse:
    now = timezone.now()
    member = member_of(request)
    listed = coming(sessions_for(member), event_named(event_id, member), now, MOST_SESSIONS_OF_ONE)
    return read(
        request,
        {
            **event_json(listed, rights_for(member, [listed]), now),
            "bring": listed.event.bring,
            "asks_names": listed.event.asks_names,
            "asks_ages": listed.event.asks_ages,
            "questions": [
                {
                    "id": question.pk,
                    "text": question.text,
                    "kind": question.kind,
                    "choices": question.options,
                    "required": question.required,
                }
                for question in listed.event.questions.all()
            ],
        },
    )
