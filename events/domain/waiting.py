"""The waiting list of a session, for several places together.

The rule, as it is told to people:

- Those who wait stand in the order in which they came.
- When places are free, the list is walked from its head. Each is offered places if all
  that they wait for are free; whoever said that fewer would do is offered what is left.
  The walk goes on with what remains.
- Whoever waits for more places than are free is passed over and keeps their turn: they
  are looked at first again each time a place comes free.
- An offer holds its places until the next evening, and never until the session's last
  hours: then it lapses, the turn is over, and the places go on to the next.
- Who asks for fewer places keeps their turn; who asks for more begins again at the end.
- In the last hours before a session (the place says how many) nothing is offered any
  more: what is free goes to whoever comes. Nobody is offered what has begun.
- A newcomer may take free places at once only because the list was walked when they
  came free: nobody who waits could use them.

Raising a capacity, cancelled and lapsed registrations, offers that were declined or
withdrawn and no-shows all free places here, by this one walk.
"""

from datetime import datetime, timedelta

from club.kernel.spans import at, local_day
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import move
from club.models import User
from events.domain.places import give_back, locked_session
from events.domain.told import told
from events.enums import RegistrationStatus, SessionStatus
from events.models import Registration, Session
from events.queries.policies import policy_for

LAST_WORD = timedelta(minutes=30)
"""An offer that would end sooner than this is not made."""


def offers_stop_at(session: Session) -> datetime:
    """From then on what is free goes to whoever comes."""
    return session.starts_at - timedelta(minutes=policy_for(session.place).last_offer_minutes)


def offer_end(session: Session, now: datetime) -> datetime | None:
    """Until when an offer made now holds; None where it is too late for one."""
    evening = at(local_day(now) + timedelta(days=1), policy_for(session.place).offer_until)
    ends_at = min(evening, offers_stop_at(session))
    return ends_at if ends_at >= now + LAST_WORD else None


def queue_of(session: Session) -> list[Registration]:
    """Those who wait, in their order, locked."""
    return list(
        Registration.objects.select_for_update(no_key=True, of=("self",))
        .filter(session=session, status=RegistrationStatus.WAITING)
        .select_related("member__user", "session__event", "place")
        .order_by("queued_at", "pk")
    )


def offer_places(session: Session, *, by: User | None, now: datetime) -> list[Registration]:
    """Walk the list of a locked session and offer what is free."""
    ends_at = offer_end(session, now)
    if session.status != SessionStatus.SCHEDULED or ends_at is None or session.free == 0:
        return []
    offered = []
    for waiting in queue_of(session):
        free = session.free
        if free == 0:
            break
        quantity = waiting.quantity if free is None else min(waiting.quantity, free)
        if quantity < waiting.quantity and not waiting.fewer_ok:
            continue
        session.booked += quantity
        move(
            waiting,
            RegistrationStatus.OFFERED,
            by=by,
            now=now,
            verb="offer",
            facts={"quantity": quantity, "until": ends_at.isoformat()},
            quantity=quantity,
            offer_ends_at=ends_at,
            sequence=waiting.sequence + 1,
        )
        told(waiting, "registration.offered", now=now)
        offered.append(waiting)
    if offered:
        session.save(update_fields=["booked"])
    return offered


def free_places(session: Session, quantity: int, *, by: User | None, now: datetime) -> None:
    """Places of a locked session come back, and go on to those who wait."""
    give_back(session, quantity)
    offer_places(session, by=by, now=now)


@in_one_transaction
def look_again(session: Session, *, by: User | None, now: datetime) -> list[Registration]:
    """Walk the list once more: a capacity was raised, or a worker was away."""
    return offer_places(locked_session(session.pk), by=by, now=now)


def position_of(waiting: Registration) -> int:
    """1 for the head of the list."""
    before = Registration.objects.filter(
        session=waiting.session_id, status=RegistrationStatus.WAITING
    )
    return (
        before.filter(queued_at__lt=waiting.queued_at).count()
        + before.filter(queued_at=waiting.queued_at, pk__lt=waiting.pk).count()
        + 1
    )
