"""The programme as a list of events, each with its sessions: some statements, however long."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Count, F, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from club.enums import Activity
from club.models import Member, Place
from club.queries.entitlement import rights_of
from events.models import EventPage, Session

WITH_PLACE = ("place__event_policy",)


@dataclass
class Listed:
    """An event, its first sessions of a period, and how many it has in all."""

    event: EventPage
    sessions: list[Session] = field(default_factory=list)
    total: int = 0


@dataclass(frozen=True)
class Position:
    """Where a page of the list ended: events follow by their first session, then by key."""

    first: datetime
    event: int


@dataclass(frozen=True)
class Rights:
    """The days on which somebody is a subscriber, read once for many sessions."""

    spans: tuple[tuple[date, date], ...]

    def cover(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.spans)


def rights_to_events(member: Member) -> Rights:
    rows = rights_of(member, Activity.EVENTS).order_by("pk")
    return Rights(tuple(rows.values_list("starts_on", "ends_on")))


def sessions_for(member: Member) -> QuerySet[Session]:
    """What a member sees: live events at the landlord's public places and at their own."""
    return Session.objects.filter(
        Q(place__is_public=True) | Q(place=member.place_id),
        place__landlord=member.place.landlord_id,
        event__live=True,
    )


def sessions_between(
    member: Member, starts_at: datetime, ends_at: datetime, place: Place | None
) -> QuerySet[Session]:
    rows = sessions_for(member).filter(starts_at__gte=starts_at, starts_at__lt=ends_at)
    return rows if place is None else rows.filter(place=place)


def page_of_events(
    sessions: QuerySet[Session], after: Position | None, limit: int, most: int
) -> tuple[list[Listed], Position | None]:
    """The next events by their first session, and where to go on; None at the end."""
    rows = sessions.order_by().values("event_id")
    rows = rows.annotate(first=Min("starts_at"), total=Count("pk")).order_by("first", "event_id")
    if after is not None:
        rows = rows.filter(
            Q(first__gt=after.first) | Q(first=after.first, event_id__gt=after.event)
        )
    found = list(rows[: limit + 1])
    shown = found[:limit]
    following = None
    if len(found) > limit:
        following = Position(shown[-1]["first"], shown[-1]["event_id"])
    events = EventPage.objects.defer("body").in_bulk([row["event_id"] for row in shown])
    listed = {
        row["event_id"]: Listed(events[row["event_id"]], total=row["total"])
        for row in shown
        if row["event_id"] in events
    }
    for session in first_of_each(sessions.filter(event__in=listed), most):
        session.event = listed[session.event_id].event
        listed[session.event_id].sessions.append(session)
    return list(listed.values()), following


def first_of_each(sessions: QuerySet[Session], most: int) -> Iterable[Session]:
    """At most so many sessions of each event, in their order."""
    number = Window(RowNumber(), partition_by=F("event_id"), order_by=[F("starts_at"), F("pk")])
    rows = sessions.annotate(number=number).filter(number__lte=most)
    return rows.select_related(*WITH_PLACE).order_by("starts_at", "pk")


def coming(sessions: QuerySet[Session], event: EventPage, now: datetime, most: int) -> Listed:
    """One event with what is not over yet."""
    rows = sessions.filter(event=event, ends_at__gt=now)
    listed = Listed(
        event, list(rows.select_related(*WITH_PLACE).order_by("starts_at", "pk")[:most])
    )
    listed.total = len(listed.sessions) if len(listed.sessions) < most else rows.count()
    for session in listed.sessions:
        session.event = event
    return listed
