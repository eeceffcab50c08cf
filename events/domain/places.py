"""The places of a session: claimed by one statement, given back under the session's lock.

Order of locks: the session first, then its registrations. A registration that is made
only inserts, and claims its places as late as it can.
"""

from django.db.models import F, Q

from events.enums import SessionStatus
from events.models import Session


def claim(session: Session, quantity: int) -> bool:
    """Take places if they are there: the statement that decides between two at once."""
    fits = Q(capacity=None) | Q(capacity__gte=F("booked") + quantity)
    rows = Session.objects.filter(fits, pk=session.pk, status=SessionStatus.SCHEDULED)
    return bool(rows.update(booked=F("booked") + quantity))


def claim_beyond(session: Session, quantity: int) -> None:
    """At the door somebody who has no place is let in: the room grows by what is missing."""
    session = locked_session(session.pk)
    session.booked += quantity
    if session.capacity is not None and session.booked > session.capacity:
        if session.target_capacity is None:
            session.target_capacity = session.capacity
        session.capacity = session.booked
    session.save(update_fields=["booked", "capacity", "target_capacity"])


def locked_session(pk: int) -> Session:
    return (
        Session.objects.select_for_update(no_key=True, of=("self",))
        .select_related("event", "place__landlord", "place__event_policy")
        .get(pk=pk)
    )


def give_back(session: Session, quantity: int) -> None:
    """Free places of a locked session; a capacity that is to shrink shrinks with them."""
    session.booked -= quantity
    if session.target_capacity is not None:
        session.capacity = max(session.target_capacity, session.booked)
        if session.capacity == session.target_capacity:
            session.target_capacity = None
    session.save(update_fields=["booked", "capacity", "target_capacity"])
