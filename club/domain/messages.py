"""Writing messages: a verb leaves them in its own transaction; the worker sends them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models

from club.enums import MessageChannel, MessageStatus
from club.kernel.people import takes_sms
from club.kernel.rows import flush, insert
from club.models import Member, Message

SETTLING = timedelta(minutes=10)
"""A change is told this much later, so that a correction made meanwhile replaces it."""


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
    channel = channel_for(member)
    if channel is None:
        return
    insert(
        Message(
            key=key,
            event=event,
            group=group,
            member=member,
            subject_kind=str(subject._meta.model_name),
            subject_id=subject.pk,
            channel=channel,
            facts=facts or {},
            due_at=due_at or now,
        )
    )


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
