"""Which stays are recalled on which day: a week and a day before, and the day before the end."""

from datetime import date, datetime, timedelta

from django.db.models import Q

from club.domain.messages import tell_many
from club.domain.reminders import leaves_today, reminders
from club.kernel.spans import end_of, local_day, start_of
from club.models import Message
from concierge.enums import WATCHED, StayStatus
from concierge.models import Stay

DAYS = {"stay.in_7": 7, "stay.tomorrow": 1}
"""By event, how many days before the first one."""
ENDS = "stay.ends_tomorrow"
ALSO_BY_SMS = {"stay.tomorrow", ENDS}
"""For those who asked for it."""


def recalled_on(day: date) -> dict[str, Q]:
    """Booked before that day: whoever books today for tomorrow has just been told."""
    booked = Q(status__in=WATCHED, created_at__lt=start_of(day))
    found = {
        event: booked
        & Q(
            starts_at__gte=start_of(day + timedelta(days=days)),
            starts_at__lt=end_of(day + timedelta(days=days)),
        )
        for event, days in DAYS.items()
    }
    tomorrow = end_of(day + timedelta(days=1))
    found[ENDS] = Q(
        status=StayStatus.RUNNING, ends_at=tomorrow, starts_at__lt=start_of(day + timedelta(days=1))
    )
    return found


def write_stay_reminders(now: datetime) -> None:
    """Leave the day's reminders in the outbox; again on the same day adds none."""
    for event, recalled in recalled_on(local_day(now)).items():
        found = Stay.objects.filter(recalled)
        tell_many(reminders(event, found, now, also_by_sms=event in ALSO_BY_SMS))


def is_of_today(message: Message, stay: Stay, now: datetime) -> bool:
    """Whether a reminder still is for the day on which it leaves, and still true."""
    if not leaves_today(message, now):
        return False
    today = local_day(now)
    if message.event == ENDS:
        return stay.status == StayStatus.RUNNING and stay.last_on == today + timedelta(days=1)
    on = today + timedelta(days=DAYS[message.event])
    return stay.status in WATCHED and stay.first_on == on
