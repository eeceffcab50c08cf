"""The places of a session: claimed by one statement, given back under the session's lock.

Order of locks: the session first, then its registrations.
"""

from functools import cache
from typing import Any

from django.db import connection
from django.db.models import F, Q
from django.db.models.signals import post_save

from events.enums import SessionStatus
from events.models import Registration, Session


def claim(session: Session, quantity: int) -> bool:
    """Take places if they are there: the statement that decides between two at once."""
    fits = Q(capacity=None) | Q(capacity__gte=F("booked") + quantity)
    rows = Session.objects.filter(fits, pk=session.pk, status=SessionStatus.SCHEDULED)
    return bool(rows.update(booked=F("booked") + quantity))


def insert_claiming(made: Registration) -> bool:
    """Insert a registration that takes its places; False where they are not there.

    PostgreSQL does both in one statement: others wait for the session from here to the
    commit, with one way there and back between.
    """
    if connection.vendor != "postgresql":
        if not claim(made.session, made.quantity):
            return False
        made.save(force_insert=True)
        return True
    statement, fields = claiming_insert()
    values = [field.get_db_prep_save(getattr(made, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [made.quantity, made.session_id, SessionStatus.SCHEDULED, made.quantity, *values],
        )
        row = cursor.fetchone()
    if row is None:
        return False
    made.pk = row[0]
    made._state.adding, made._state.db = False, connection.alias
    post_save.send(
        Registration, instance=made, created=True, raw=False, using=connection.alias,
        update_fields=None,
    )  # fmt: skip
    return True


@cache
def claiming_insert() -> tuple[str, list[Any]]:
    fields = [field for field in Registration._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    statement = f"""
        WITH claimed AS (
            UPDATE {Session._meta.db_table} SET booked = booked + %s
            WHERE id = %s AND status = %s AND (capacity IS NULL OR capacity >= booked + %s)
            RETURNING id)
        INSERT INTO {Registration._meta.db_table} ({columns})
        SELECT {", ".join(["%s"] * len(fields))} FROM claimed RETURNING id
    """  # noqa: S608 - names of ours
    return statement, fields


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
