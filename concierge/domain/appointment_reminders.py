"""Which appointments are recalled on which day: D-7 and D-1."""

from datetime import date, datetime, timedelta

from django.db.models import Q

from club.domain.messages import tell_many
from club.domain.reminders import leaves_today, reminders
from club.kernel.spans import end_of, local_day, start_of
from club.models import Message
from concierge.enums import AppointmentStatus
from concierge.models import Appointment

DAYS = {"appointment.in_7": 7, "appointment.tomorrow": 1}
"""By event, how many days before."""
ALSO_BY_SMS = {"appointment.tomorrow"}
"""For those who asked for it."""


def recalled_on(day: date) -> dict[str, Q]:
    """Booked before that day: whoever books today for tomorrow has just been told."""
    booked = Q(status=AppointmentStatus.BOOKED, created_at__lt=start_of(day))
    return {
        event: booked
        & Q(
            starts_at__gte=start_of(day + timedelta(days=days)),
            starts_at__lt=end_of(day + timedelta(days=days)),
        )
        for event, days in DAYS.items()
    }


def write_appointment_reminders(now: datetime) -> None:
    """Leave the day's reminders in the outbox; again on the same day adds none."""
    for event, recalled in recalled_on(local_day(now)).items():
        found = Appointment.objects.filter(recalled)
        tell_many(reminders(event, found, now, also_by_sms=event in ALSO_BY_SMS))


def is_of_today(message: Message, appointment: Appointment, now: datetime) -> bool:
    """Whether a reminder still is for the day on which it leaves, and still true."""
    if not leaves_today(message, now) or appointment.status != AppointmentStatus.BOOKED:
        return False
    on = local_day(now) + timedelta(days=DAYS[message.event])
    return local_day(appointment.starts_at) == on
