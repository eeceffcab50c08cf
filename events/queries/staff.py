"""What staff look up of the events of their own places."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from club.models import Member, Place
from events.enums import EXPECTED, OPEN, RegistrationStatus, SessionStatus
from events.models import CheckIn, EventIndex, EventPage, Registration, Session, WalkIn


def events_of(places: Iterable[Place] | QuerySet[Place]) -> QuerySet[EventPage]:
    """The events in the programmes of some places."""
    paths = EventIndex.objects.filter(place__in=places).values_list("path", flat=True)
    below = [Q(path__startswith=path) for path in paths]
    if not below:
        return EventPage.objects.none()
    return EventPage.objects.filter(reduce(or_, below)).order_by("title", "pk")


def with_numbers(sessions: QuerySet[Session]) -> QuerySet[Session]:
    """Each session with how many places are waited for: one statement for a list."""
    waiting = (
        Registration.objects.filter(session=OuterRef("pk"), status=RegistrationStatus.WAITING)
        .order_by()
        .values("session")
        .annotate(n=Sum("quantity"))
        .values("n")
    )
    return sessions.annotate(waiting=Coalesce(Subquery(waiting), 0))


def coming_of_event(event: EventPage, now: datetime) -> QuerySet[Session]:
    """Its dates to come that take place, the next one first."""
    rows = Session.objects.filter(event=event, status=SessionStatus.SCHEDULED, starts_at__gt=now)
    return rows.order_by("starts_at", "pk")


def is_used(events: Iterable[EventPage] | QuerySet[EventPage]) -> bool:
    """Whether somebody registered for, or came to, one of their sessions."""
    return any(
        model._default_manager.filter(session__event__in=events).exists()
        for model in (Registration, WalkIn, CheckIn)
    )


def expected_at(event: EventPage, now: datetime) -> int:
    """How many people hold places at its sessions to come."""
    held = Registration.objects.filter(session__event=event, status__in=EXPECTED, starts_at__gt=now)
    return held.aggregate(sum=Sum("quantity"))["sum"] or 0


def to_call_about(session: Session) -> QuerySet[Member]:
    """Who has no address that a message reaches, and was to come or is."""
    rows = Registration.objects.filter(session=session)
    if session.status == SessionStatus.CANCELLED:
        rows = rows.filter(status=RegistrationStatus.CANCELLED, cancelled_at=session.cancelled_at)
    else:
        rows = rows.filter(status__in=OPEN)
    return (
        Member.objects.filter(pk__in=rows.values("member"), user__email="")
        .select_related("user", "place")
        .order_by("search_name", "pk")
    )


def to_review(places: Iterable[Place] | QuerySet[Place]) -> QuerySet[EventPage]:
    """Imported events that somebody has to read before they are shown."""
    return (
        events_of(places)
        .filter(live=False)
        .exclude(review=[])
        .annotate(dates=Count("sessions"))
        .order_by("latest_revision_created_at", "title", "pk")
    )
