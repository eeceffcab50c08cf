"""The reminders of one day: by which channels each leaves, when, and all of them as one.

Days are calendar days. What a reminder says is true on its day alone: it leaves on that
day, or not at all. Which bookings are recalled, each app says itself.
"""

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from django.db.models import QuerySet

from club.domain.messages import channel_of
from club.enums import ConsentKind, MessageChannel
from club.kernel.spans import at, local_day
from club.models import Consent, Message

HOUR = time(8)
"""From when on reminders leave; an hour that each day of the year has once."""
GROUP = "reminder"


def reminders(
    event: str, found: QuerySet[Any], now: datetime, *, also_by_sms: bool = False
) -> Iterator[Message]:
    """One for each booking that was found, in two statements at most.

    `also_by_sms` adds one by SMS for those who asked for it.
    """
    day = local_day(now)
    due_at = max(now, at(day, HOUR))
    kind = str(found.model._meta.model_name)
    by_sms = set(
        Consent.objects.filter(
            kind=ConsentKind.SMS, withdrawn_at=None, member__in=found.values("member")
        ).values_list("member_id", flat=True)
        if also_by_sms
        else ()
    )
    for pk, reference, member_id, email, phone in found.values_list(
        "pk", "reference", "member_id", "member__user__email", "member__user__phone"
    ):
        channels = [channel_of(email, phone)]
        if phone and member_id in by_sms and channels != [MessageChannel.SMS]:
            channels.append(MessageChannel.SMS)
        for channel in channels:
            if channel is None:
                continue
            yield Message(
                key=f"{event}:{reference}:{day}:{channel}",
                event=event,
                group=GROUP,
                member_id=member_id,
                subject_kind=kind,
                subject_id=pk,
                channel=channel,
                facts={"day": day.isoformat()},
                due_at=due_at,
            )


def leaves_today(message: Message, now: datetime) -> bool:
    """Whether a reminder still is for the day on which it leaves."""
    return bool(message.facts.get("day") == local_day(now).isoformat())
