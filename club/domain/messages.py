"""Writing messages: a verb leaves them in its own transaction; the worker sends them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models

from club.enums import MessageChannel, MessageStatus
from club.kernel.people import takes_sms
from club.kernel.rows import flush, insert
from club.models import Member, Message, Place, User

SETTLING = timedelta(minutes=10)
"""A change is told this much later, so that a correction made meanwhile replaces it."""


_as_one: ContextVar[tuple[str, datetime] | None] = ContextVar("as_one", default=None)


@contextmanager
def as_one(group: str, *, now: datetime) -> Iterator[None]:
    """What a member is told inside leaves as one message, once things have settled.

    For an act that touches several things of one person at once; each verb tells as ever.
    """
    token = _as_one.set((group, now + SETTLING))
    try:
        yield
    finally:
        _as_one.reset(token)


def channel_of(email: str, phone: str) -> str | None:
    """How somebody is reached: e-mail, else SMS, else nothing (the desk calls)."""
    if email:
        return MessageChannel.EMAIL
    by_sms = phone and settings.SMS_SENDER and takes_sms(phone)
    return MessageChannel.SMS if by_sms else None


def channel_for(member: Member) -> str | None:
    return channel_of(member.user.email, member.user.phone)


def tell(
    member: Member,
    event: str,
    subject: models.Model,
    *,
    key: str,
    now: datetime,
    due_at: datetime | None = None,
    group: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    """Leave one message about `subject`; `key` says what makes it one and the same."""
    leave(
        Message(
            key=key,
            event=event,
            group=group,
            member=member,
            facts=facts or {},
            due_at=due_at or now,
        ),
        subject,
    )


def tell_user(
    user: User,
    place: Place,
    event: str,
    subject: models.Model,
    *,
    key: str,
    now: datetime,
    due_at: datetime | None = None,
    group: str = "",
    facts: dict[str, Any] | None = None,
) -> None:
    """As `tell`, somebody who is no member (a partner), in the name of `place`."""
    leave(
        Message(
            key=key,
            event=event,
            group=group,
            user=user,
            place=place,
            facts=facts or {},
            due_at=due_at or now,
        ),
        subject,
    )


def leave(message: Message, subject: models.Model) -> None:
    """Put a message about `subject` in the outbox, unless nothing reaches its addressee."""
    channel = channel_of(message.addressee.email, message.addressee.phone)
    if channel is None:
        return
    message.channel = channel
    message.subject_kind = str(subject._meta.model_name)
    message.subject_id = subject.pk
    together = _as_one.get()
    if together is not None and message.member is not None:
        message.group, message.due_at = together
    insert(message)


def tell_change(
    member: Member,
    event: str,
    subject: models.Model,
    *,
    key: str,
    now: datetime,
    facts: dict[str, Any] | None = None,
) -> None:
    """Tell a change once things have settled; what waits about the subject is replaced.

    Words are made when the message leaves, from the subject as it is then: several
    moves in ten minutes are one message, and a cancel after them takes their place.
    """
    flush()
    Message.objects.filter(
        subject_kind=subject._meta.model_name,
        subject_id=subject.pk,
        member=member,
        status=MessageStatus.PENDING,
    ).delete()
    tell(member, event, subject, key=key, now=now, due_at=now + SETTLING, facts=facts)


def tell_many(messages: Iterable[Message]) -> None:
    """Leave many messages in few statements; those whose key is there already stay one."""
    Message.objects.bulk_create(messages, batch_size=1000, ignore_conflicts=True)
