"""What always holds of people, messages and the log, whatever happened.

Each check is one statement that reads an index or one pass over a table, and yields
what it found; an unbroken house yields nothing.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from django.db import connection, models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone

from club.enums import MessageStatus
from club.kernel import invariants, letters
from club.kernel.invariants import Invariant
from club.models import Card, Consent, IdempotentAnswer, Message, Right, User

SHOWN = 20
"""How many violations of one kind are read at most."""


def twice(rows: models.QuerySet, *fields: str) -> Iterator[str]:
    """The values that more than one row holds."""
    doubled = rows.order_by().values(*fields).annotate(n=Count("pk")).filter(n__gt=1)
    for row in doubled[:SHOWN]:
        values = ", ".join(f"{name} {row[name]}" for name in fields)
        yield f"{rows.model._meta.model_name}: {row['n']} × {values}"


def one_live_card() -> Iterator[str]:
    return twice(Card.objects.filter(revoked_at=None), "member")


def one_live_consent() -> Iterator[str]:
    return twice(Consent.objects.filter(withdrawn_at=None), "member", "kind")


def one_account_an_address() -> Iterator[str]:
    yield from twice(User.objects.exclude(email="").annotate(e=Lower("email")), "e")
    yield from twice(User.objects.exclude(phone=""), "phone")


def rights_of_the_household() -> Iterator[str]:
    wrong = Right.objects.exclude(member=None).exclude(member__household=F("household"))
    wrong = wrong | Right.objects.filter(ends_on__lt=F("starts_on"))
    for pk in wrong.values_list("pk", flat=True)[:SHOWN]:
        yield f"right {pk}"


def messages_once() -> Iterator[str]:
    return twice(Message.objects.all(), "key")


def messages_with_subject() -> Iterator[str]:
    kinds = letters.models_by_kind()
    for row in Message.objects.exclude(subject_kind__in=kinds)[:SHOWN]:
        yield f"message {row.pk} is about an unknown {row.subject_kind}"
    for kind, model in kinds.items():
        gone = Message.objects.filter(subject_kind=kind).filter(
            ~Exists(model._default_manager.filter(pk=OuterRef("subject_id")))
        )
        for pk, subject_id in gone.values_list("pk", "subject_id")[:SHOWN]:
            yield f"message {pk} is about {kind} {subject_id}, which is not there"


def messages_in_order() -> Iterator[str]:
    """A message is sent at a time, or not sent; no sender holds one for an hour."""
    sent = Q(status=MessageStatus.SENT)
    wrong = Message.objects.filter(
        (sent & Q(sent_at=None))
        | (~sent & ~Q(sent_at=None))
        | (Q(status=MessageStatus.SENDING) & Q(claimed_at=None))
    )
    for pk, status in wrong.values_list("pk", "status")[:SHOWN]:
        yield f"message {pk} is {status} without its time, or the other way round"
    held = Message.objects.filter(
        status=MessageStatus.SENDING, claimed_at__lt=timezone.now() - timedelta(hours=1)
    )
    for pk in held.values_list("pk", flat=True)[:SHOWN]:
        yield f"message {pk} has been in sending for more than an hour"


def one_answer_a_key() -> Iterator[str]:
    return twice(IdempotentAnswer.objects.all(), "token", "key")


STEPS = """
    WITH steps AS (
        SELECT id, subject_id, facts ->> 'from' AS before, facts ->> 'to' AS after,
               LAG(facts ->> 'to') OVER (PARTITION BY subject_id ORDER BY id) AS expected,
               LEAD(id) OVER (PARTITION BY subject_id ORDER BY id) AS following
        FROM club_logentry WHERE subject_kind = %s AND facts ->> 'to' IS NOT NULL
    )
"""


def status_and_log(model: Any) -> Iterator[str]:
    """Each step of a status begins where the one before ended; the last one is the row's."""
    kind, table = model._meta.model_name, connection.ops.quote_name(model._meta.db_table)
    found: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute(
            STEPS + "SELECT id, subject_id, before, expected FROM steps"  # noqa: S608
            " WHERE COALESCE(before, '') <> COALESCE(expected, '') LIMIT %s",
            [kind, SHOWN],
        )
        found += [
            f"log {pk}: {kind} {subject} goes from {before}, but was {expected}"
            for pk, subject, before, expected in cursor.fetchall()
        ]
        cursor.execute(
            STEPS + "SELECT thing.id, thing.status, steps.after"  # noqa: S608
            f" FROM {table} AS thing LEFT JOIN steps"
            " ON steps.subject_id = thing.id AND steps.following IS NULL"
            " WHERE COALESCE(steps.after, '') <> thing.status LIMIT %s",
            [kind, SHOWN],
        )
        found += [
            f"{kind} {pk} is {status}, but its log says {after}"
            for pk, status, after in cursor.fetchall()
        ]
        cursor.execute(
            STEPS + "SELECT before, after, COUNT(*) FROM steps"  # noqa: S608
            " WHERE before IS NOT NULL GROUP BY before, after",
            [kind],
        )
        found += [
            f"{kind}: {count} × from {before} to {after}, which is not in its table"
            for before, after, count in cursor.fetchall()
            if after not in model.MOVES.get(before, ())
        ]
    yield from found


def logged_status(model: Any) -> Callable[[], Iterator[str]]:
    return lambda: status_and_log(model)


def register() -> None:
    invariants.register(
        Invariant("cards", "A member has at most one live card.", one_live_card),
        Invariant("consents", "A consent is given once.", one_live_consent),
        Invariant("accounts", "An address opens one account.", one_account_an_address),
        Invariant("rights", "A right is its household's, in order.", rights_of_the_household),
        Invariant("messages", "A message is written once.", messages_once),
        Invariant("subjects", "What a message is about exists.", messages_with_subject),
        Invariant("sending", "A message's state and times agree.", messages_in_order),
        Invariant("answers", "A key has one answer.", one_answer_a_key),
    )


def register_status_of(*with_moves: Any) -> None:
    """Called by each app for its models whose status moves."""
    invariants.register(
        *(
            Invariant(
                f"{model._meta.model_name}-log",
                f"Each step of a {model._meta.model_name} is in the log, once and in order.",
                logged_status(model),
            )
            for model in with_moves
        )
    )
