"""Sending what verbs have left in the outbox: in batches, once, whatever is killed.

How a message leaves
- A batch is claimed in one short transaction: its rows become `sending` and are
  leased for two minutes, longer than a task may live. No two senders hold one row.
- Outside any transaction its words are made, from the thing as it is now, and it is
  handed over; at once, and on its own, its row becomes `sent`.
- Where the thing has nothing to tell any more, the row becomes `dropped`.
- What is refused waits longer each time, and after the last time is `failed`, which
  the health page counts. When the mail server cannot be reached, nothing has been
  tried: the rows wait, and the next round tries again.

When a sender is killed
- The leases of its rows run out, and the rows are claimed again. It had handed over
  one message after the other, so of one alone nobody knows whether it left.
- That one has the name (Message-ID) that it had, made from its key. A transport that
  can be asked for that name is asked, and nothing leaves twice. A mail server cannot
  be asked: the message leaves again under the same name, which mailboxes recognise,
  since a confirmation that is lost harms more than one that comes twice.
- The first row of a batch whose senders died time after time is what kills them: it
  has failed, and the others go on.

Messages of one person with the same `group` that are due on one day leave as one. One
e-mail bears one place's name: what two places tell a partner stays two.
"""

import hashlib
import logging
import smtplib
from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Protocol

from django.db import transaction
from django.db.models import F, Q

from club.enums import MessageStatus
from club.kernel import letters
from club.kernel.letters import Letter
from club.kernel.spans import end_of, local_day
from club.models import Heartbeat, Message

BATCH = 50
LEASE = timedelta(minutes=2)
ROUND_SECONDS = 40
WAITS = [
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
]
"""After how long a message that was refused is tried again; then it has failed."""

logger = logging.getLogger(__name__)


class Unreachable(Exception):
    """The mail server or the SMS gateway does not answer: nothing was tried."""


class Transport(Protocol):
    """What letters are handed to; `club.emails` makes it of e-mail and SMS."""

    def send(self, name: str, message: Message, found: list[Letter], now: datetime) -> None:
        """Hand over one parcel under its stable name."""

    def holds(self, name: str, message: Message) -> bool:
        """Whether a parcel of that name has left, as far as it can be known."""


@dataclass
class Round:
    """What one round did."""

    sent: int = 0
    dropped: int = 0
    put_off: int = 0
    failed: int = 0


@dataclass
class Claim:
    rows: list[Message]
    unsure: set[int] = field(default_factory=set)
    """Rows whose former sender vanished: they may have left."""


def claim(now: datetime, limit: int = BATCH) -> Claim:
    """Lease the next rows that are due, with those that leave together with them."""
    lease_over = Q(status=MessageStatus.SENDING, claimed_at__lte=now - LEASE)
    waiting = Q(status=MessageStatus.PENDING)
    with transaction.atomic():
        take_turn(now)
        rows = (
            Message.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("member__user", "member__place__landlord", "user", "place__landlord")
            .filter(
                waiting | lease_over,
                status__in=[MessageStatus.PENDING, MessageStatus.SENDING],
            )
        )
        claimed = list(rows.filter(due_at__lte=now).order_by("due_at", "pk")[:limit])
        grouped = [row for row in claimed if row.group]
        if grouped:
            together = rows.filter(
                Q(member__in={row.member_id for row in grouped if row.member_id})
                | Q(user__in={row.user_id for row in grouped if row.user_id}),
                group__in={row.group for row in grouped},
                due_at__lt=end_of(local_day(now)),
            ).exclude(pk__in=[row.pk for row in claimed])
            parcelled = {parcel_of(row) for row in grouped}
            claimed += [row for row in together if parcel_of(row) in parcelled]
        Message.objects.filter(pk__in=[row.pk for row in claimed]).update(
            status=MessageStatus.SENDING, claimed_at=now, attempts=F("attempts") + 1
        )
    return Claim(claimed, {row.pk for row in claimed if row.status == MessageStatus.SENDING})


def take_turn(now: datetime) -> None:
    """One sender claims at a time, or a group could be split between two."""
    if not Heartbeat.objects.filter(name="outbox").update(beat_at=now):
        Heartbeat.objects.bulk_create(
            [Heartbeat(name="outbox", beat_at=now)], ignore_conflicts=True
        )


def parcel_of(row: Message) -> Hashable:
    """What rows of one parcel have in common; a row without a group leaves alone."""
    if not row.group:
        return row.pk
    return (row.member_id, row.user_id, row.place_id, row.group, row.channel)


def parcels(rows: list[Message]) -> Iterator[list[Message]]:
    """Rows that leave as one, in the order of the first of each."""
    together: dict[Hashable, list[Message]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.due_at, row.pk)):
        together[parcel_of(row)].append(row)
    yield from together.values()


def name_of(parcel: list[Message]) -> str:
    """The name under which a parcel leaves, the same however often it is tried."""
    first = min(parcel, key=lambda row: row.pk)
    return hashlib.sha256(first.key.encode()).hexdigest()[:32]


def send_due(now: datetime, transport: Transport, seconds: float = ROUND_SECONDS) -> Round:
    """Send what is due, batch after batch, until none is left or the time is over."""
    done = Round()
    stop_at = monotonic() + seconds
    while monotonic() < stop_at:
        batch = claim(now)
        if not batch.rows or not send_batch(batch, now, transport, stop_at, done):
            break
    return done


def send_batch(
    batch: Claim, now: datetime, transport: Transport, stop_at: float, done: Round
) -> bool:
    """Send one claimed batch; False when the rest had to be given back."""
    subjects = subjects_of(batch.rows)
    waiting = list(parcels(batch.rows))
    fatal = waiting[0]
    if any(row.pk in batch.unsure and row.attempts > len(WAITS) for row in fatal):
        put_off(waiting.pop(0), RuntimeError("Each sender of it died."), now, done)
    while waiting:
        if monotonic() > stop_at:
            give_back(waiting, now)
            return False
        parcel = waiting.pop(0)
        try:
            send_parcel(parcel, batch.unsure, subjects, now, transport, done)
        except Unreachable as error:
            logger.warning("Messages wait: %s", error)
            give_back([parcel, *waiting], now)
            return False
        except smtplib.SMTPServerDisconnected as error:
            put_off(parcel, error, now, done)
            give_back(waiting, now)
            return False
        except Exception as error:
            logger.exception("Message %s was not sent", parcel[0].pk)
            put_off(parcel, error, now, done)
    return True


def send_parcel(
    parcel: list[Message],
    unsure: set[int],
    subjects: dict[tuple[str, int], Any],
    now: datetime,
    transport: Transport,
    done: Round,
) -> None:
    begun = [row for row in parcel if row.pk in unsure]
    if begun and transport.holds(name_of(begun), begun[0]):
        settle(begun, MessageStatus.SENT, now)
        done.sent += len(begun)
        parcel = [row for row in parcel if row.pk not in unsure]
    kept, idle, found = [], [], []
    for row in parcel:
        sort = letters.sort_of(row.event)
        subject = subjects.get((row.subject_kind, row.subject_id))
        if sort is None:
            raise LookupError(f"Nothing says how to tell {row.event}.")
        if subject is None or not sort.is_wanted(row, subject, now):
            idle.append(row)
        else:
            kept.append(row)
            found.append(sort.write(row, subject, now))
    settle(idle, MessageStatus.DROPPED, now)
    done.dropped += len(idle)
    if kept:
        transport.send(name_of(kept), kept[0], found, now)
        settle(kept, MessageStatus.SENT, now)
        done.sent += len(kept)


def subjects_of(rows: list[Message]) -> dict[tuple[str, int], Any]:
    """What the rows are about, read in one statement a kind."""
    wanted: dict[str, set[int]] = defaultdict(set)
    loaders = {}
    for row in rows:
        sort = letters.sort_of(row.event)
        if sort is not None:
            wanted[row.subject_kind].add(row.subject_id)
            loaders[row.subject_kind] = sort.load
    return {
        (kind, pk): subject
        for kind, ids in wanted.items()
        for pk, subject in loaders[kind](ids).items()
    }


def settle(rows: list[Message], status: str, now: datetime) -> None:
    """What became of rows that are still ours."""
    if rows:
        Message.objects.filter(
            pk__in=[row.pk for row in rows], status=MessageStatus.SENDING, claimed_at=now
        ).update(status=status, sent_at=now if status == MessageStatus.SENT else None, error="")


def give_back(waiting: list[list[Message]], now: datetime) -> None:
    """Rows that were not tried wait as before."""
    Message.objects.filter(
        pk__in=[row.pk for parcel in waiting for row in parcel],
        status=MessageStatus.SENDING,
        claimed_at=now,
    ).update(status=MessageStatus.PENDING, claimed_at=None, attempts=F("attempts") - 1)


def put_off(parcel: list[Message], error: Exception, now: datetime, done: Round) -> None:
    """Rows that were refused are tried again later, or have failed."""
    for row in parcel:
        tried = row.attempts + 1
        mine = Message.objects.filter(pk=row.pk, status=MessageStatus.SENDING, claimed_at=now)
        words = f"{type(error).__name__}: {error}"[:200]
        if tried > len(WAITS):
            mine.update(status=MessageStatus.FAILED, error=words)
            done.failed += 1
        else:
            mine.update(status=MessageStatus.PENDING, due_at=now + WAITS[tried - 1], error=words)
            done.put_off += 1
