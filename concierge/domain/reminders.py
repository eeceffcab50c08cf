"""Which loans are recalled on which day: D-7 and D-1 of a pick-up, D-1, D+1, D+3 of a return.

Days are calendar days. What a reminder says is true on its day alone: it leaves on
that day, or not at all.
"""

from datetime import date, datetime, timedelta

from django.db.models import Q

from club.domain.messages import tell_many
from club.domain.reminders import leaves_today, reminders
from club.kernel.spans import end_of, local_day, start_of
from club.models import Message
from concierge.enums import BEFORE_HANDOVER, LoanStatus
from concierge.models import Loan


def recalled_on(day: date) -> dict[str, Q]:
    """By event, the loans that are recalled on `day`.

    A pick-up is recalled if it was booked before that day: whoever books today for
    tomorrow has just been told.
    """
    tomorrow, in_a_week = day + timedelta(days=1), day + timedelta(days=7)
    booked = Q(status__in=BEFORE_HANDOVER, created_at__lt=start_of(day))

    def fetched_on(when: date) -> Q:
        return Q(starts_at__gte=start_of(when), starts_at__lt=end_of(when))

    def due_on(when: date) -> Q:
        return Q(status=LoanStatus.OUT, due_on=when)

    return {
        "loan.pickup_in_7": booked & fetched_on(in_a_week),
        "loan.pickup_tomorrow": booked & fetched_on(tomorrow),
        "loan.due_tomorrow": due_on(tomorrow),
        "loan.late_1": due_on(day - timedelta(days=1)),
        "loan.late_3": due_on(day - timedelta(days=3)),
    }


ALSO_BY_SMS = {"loan.pickup_tomorrow", "loan.due_tomorrow"}
"""For those who asked for it."""


def write_reminders(now: datetime) -> None:
    """Leave the day's reminders in the outbox; again on the same day adds none."""
    for event, recalled in recalled_on(local_day(now)).items():
        found = Loan.objects.filter(recalled)
        tell_many(reminders(event, found, now, also_by_sms=event in ALSO_BY_SMS))


def is_of_today(message: Message, loan: Loan, now: datetime) -> bool:
    """Whether a reminder still is for the day on which it leaves, and still true."""
    day = local_day(now)
    if not leaves_today(message, now):
        return False
    if loan.status == LoanStatus.OUT:
        days = {"loan.due_tomorrow": 1, "loan.late_1": -1, "loan.late_3": -3}
        return loan.due_on == day + timedelta(days=days.get(message.event, 999))
    if loan.status in BEFORE_HANDOVER:
        days = {"loan.pickup_tomorrow": 1, "loan.pickup_in_7": 7}
        return loan.pickup_on == day + timedelta(days=days.get(message.event, 999))
    return False
