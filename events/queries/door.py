"""What the door of a session shows: who is expected, who is in, who waits."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import IntegerField, OuterRef, Prefetch, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from club.kernel.spans import end_of, local_day, start_of
from club.models import Card, LedgerEntry, Place
from events.enums import EXPECTED, LIVE, RegistrationStatus, SessionStatus
from events.models import Registration, Session, WalkIn

AHEAD = timedelta(days=14)
PRESENT = RegistrationStatus.PRESENT
GONE = (RegistrationStatus.CANCELLED, RegistrationStatus.LAPSED, RegistrationStatus.REFUSED)


def people(rows: QuerySet, number: str) -> Coalesce:
    """How many people the rows of a session are."""
    of_session = rows.filter(session=OuterRef("pk")).order_by().values("session")
    counted = of_session.annotate(n=Sum(number)).values("n")
    return Coalesce(Subquery(counted), 0, output_field=IntegerField())


def with_counts(sessions: QuerySet[Session]) -> QuerySet[Any]:
    """`entered` of `expected` people, walk-ins among both; `waiting` and `asked` places."""
    registered = Registration.objects.all()
    walked_in = people(WalkIn.objects.filter(undone_at=None), "quantity")
    return sessions.select_related("event__picture", "place").annotate(
        entered=people(registered, "came") + walked_in,
        expected=people(registered.filter(status__in=[*EXPECTED, PRESENT]), "quantity") + walked_in,
        waiting=people(registered.filter(status=RegistrationStatus.WAITING), "quantity"),
        asked=people(registered.filter(status=RegistrationStatus.ASKED), "quantity"),
    )


def sessions_of_day(place: Place, now: datetime) -> QuerySet[Any]:
    """Today's at this place, in one statement."""
    today = local_day(now)
    return with_counts(
        Session.objects.filter(
            place=place,
            status=SessionStatus.SCHEDULED,
            starts_at__gte=start_of(today),
            starts_at__lt=end_of(today),
        )
    ).order_by("starts_at", "pk")


def sessions_around(place: Place, now: datetime) -> QuerySet[Any]:
    """Those of the last days, whose sheet may still be entered, and of the coming ones."""
    today = local_day(now)
    return with_counts(
        Session.objects.filter(
            place=place,
            starts_at__gte=start_of(today - timedelta(days=7)),
            starts_at__lt=end_of(today + AHEAD),
        )
    ).order_by("starts_at", "pk")


@dataclass
class Door:
    """A session with all that stands on its list."""

    session: Session
    people: list[Registration] = field(default_factory=list)
    """Expected, in or absent, by name."""
    waiting: list[Registration] = field(default_factory=list)
    """In their order."""
    asked: list[Registration] = field(default_factory=list)
    offered: list[Registration] = field(default_factory=list)
    gone: list[Registration] = field(default_factory=list)
    walk_ins: list[WalkIn] = field(default_factory=list)
    due: dict[int, int] = field(default_factory=dict)
    """Cents still to pay, by registration."""

    @property
    def walked_in(self) -> int:
        return sum(one.quantity for one in self.walk_ins)

    @property
    def entered(self) -> int:
        return sum(one.came for one in self.people) + self.walked_in

    @property
    def expected(self) -> int:
        here = [one for one in self.people if one.status != RegistrationStatus.ABSENT]
        return sum(one.quantity for one in here) + self.walked_in

    @property
    def missing(self) -> list[Registration]:
        return [one for one in self.people if one.status == RegistrationStatus.CONFIRMED]

    @property
    def live(self) -> list[Registration]:
        return [*self.people, *self.offered, *self.asked, *self.waiting]


def door_of(session: Session) -> Door:
    """Five statements, however many are on the list."""
    door = Door(session)
    cards = Prefetch(
        "member__cards", queryset=Card.objects.filter(revoked_at=None), to_attr="live_cards"
    )
    rows = (
        Registration.objects.filter(session=session, status__in=[*LIVE, *GONE])
        .select_related("member__user", "member__household")
        .prefetch_related("participants", cards)
        .order_by("member__user__last_name", "member__user__first_name", "pk")
    )
    lists = {
        RegistrationStatus.WAITING: door.waiting,
        RegistrationStatus.ASKED: door.asked,
        RegistrationStatus.OFFERED: door.offered,
        **dict.fromkeys(GONE, door.gone),
    }
    for registration in rows:
        registration.session = session
        lists.get(RegistrationStatus(registration.status), door.people).append(registration)
    door.waiting.sort(key=lambda one: (one.queued_at, one.pk))
    door.walk_ins = list(WalkIn.objects.filter(session=session, undone_at=None).order_by("pk"))
    door.due = due_of(door.people)
    return door


def due_of(registrations: list[Registration]) -> dict[int, int]:
    """What each still has to pay; those who have nothing to pay are left out."""
    owing = [one.pk for one in registrations if one.unit_cents]
    rows = LedgerEntry.objects.filter(subject_kind="registration", subject_id__in=owing)
    sums = rows.values("subject_id").annotate(sum=Sum("cents")).filter(sum__lt=0)
    return {row["subject_id"]: -row["sum"] for row in sums}
