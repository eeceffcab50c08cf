"""Which registrations are recalled on which day: D-7 and D-1 of their session."""

from datetime import date, datetime, timedelta

from django.db.models import Q

from club.domain.messages import tell_many
from club.domain.reminders import leaves_today, reminders
from club.kernel.spans import end_of, local_day, start_of
from club.models import Message
from events.enums import EXPECTED, SessionStatus
from events.models import Registration

DAYS = {"registration.in_7": 7, "registration.tomorrow": 1}
"""By event, how many days before the session."""
ALSO_BY_SMS = {"registration.tomorrow"}
"""For those who asked for it."""


def recalled_on(day: date) -> dict[str, Q]:
    """By event, the registrations that are recalled on `day`.

    They were made before that day: whoever registers today for tomorrow has just been
    told. The days are asked of the sessions, which are fewer.
    """
    expected = Q(
        status__in=EXPECTED,
        created_at__lt=start_of(day),
        session__status=SessionStatus.SCHEDULED,
    )
    return {
        event: expected
        & Q(
            session__starts_at__gte=start_of(day + timedelta(days=days)),
            session__starts_at__lt=end_of(day + timedelta(days=days)),
        )
        for event, days in DAYS.items()
    }


def write_reminders(now: datetime) -> None:
    """Leave the day's reminders in the outbox; again on the same day adds none."""
    for event, recalled in recalled_on(local_day(now)).items():
        found = Registration.objects.filter(recalled)
        tell_many(reminders(event, found, now, also_by_sms=event in ALSO_BY_SMS))


def is_of_today(message: Message, registration: Registration, now: datetime) -> bool:
    """Whether a reminder still is for the day on which it leaves, and still true."""
    if not leaves_today(message, now) or registration.status not in EXPECTED:
        return False
    on = local_day(now) + timedelta(days=DAYS[message.event])
    return registration.session.day == on
