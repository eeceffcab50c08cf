"""Which parcels are recalled on which day: after the days of the rule, and two before the end.

A parcel that comes near its end on the very day of its reminder is recalled once.
"""

from datetime import date, datetime, timedelta

from django.db.models import Q

from club.domain.messages import tell_many
from club.domain.reminders import leaves_today, reminders
from club.kernel.spans import end_of, local_day, start_of
from club.models import Message
from concierge.enums import ParcelStatus
from concierge.models import Parcel, ParcelPolicy

LAST = timedelta(days=2)
REMINDER, LAST_REMINDER = "parcel.reminder", "parcel.last_reminder"
EVENTS = (REMINDER, LAST_REMINDER)


def recalled_on(day: date) -> dict[str, Q]:
    """By event, the parcels that are recalled on `day`, each place by its own rule."""
    waiting = Q(status=ParcelStatus.WAITING, member__isnull=False)
    of_its_day = Q(pk=None)
    for place_id, days in ParcelPolicy.objects.values_list("place", "remind_days"):
        came = day - timedelta(days=days)
        of_its_day |= Q(
            place=place_id, received_at__gte=start_of(came), received_at__lt=end_of(came)
        )
    return {
        REMINDER: waiting & of_its_day & Q(keep_until__gt=day + LAST),
        LAST_REMINDER: waiting & Q(keep_until=day + LAST, received_at__lt=start_of(day)),
    }


def write_parcel_reminders(now: datetime) -> None:
    """Leave the day's reminders in the outbox; again on the same day adds none."""
    for event, recalled in recalled_on(local_day(now)).items():
        tell_many(reminders(event, Parcel.objects.filter(recalled), now, also_by_sms=True))


def is_of_today(message: Message, parcel: Parcel, now: datetime) -> bool:
    """Whether a reminder still is for the day on which it leaves, and still true."""
    is_theirs = parcel.member_id == message.member_id
    return leaves_today(message, now) and is_theirs and parcel.status == ParcelStatus.WAITING
