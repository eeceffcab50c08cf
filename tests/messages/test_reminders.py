"""Which reminders are written on which day, and that each leaves on its day or not."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from club.domain.outbox import Round, send_due
from club.emails import MailAndSms
from club.enums import ConsentKind
from club.kernel.spans import at
from club.models import Consent, Member, Message, Place
from concierge.domain.lending import renew_loan, take_back
from concierge.domain.reminders import write_reminders
from concierge.enums import LoanStatus
from concierge.models import Copy, Loan
from tests.factories.concierge import CopyFactory, LoanFactory

PARIS = ZoneInfo("Europe/Paris")


def lent(member: Member, copy: Copy, now: datetime, due_on: date) -> Loan:
    begins = now - timedelta(days=12)
    loan = LoanFactory(
        member=member,
        copy=copy,
        starts_at=begins,
        ends_at=at(due_on, time(18)),
        created_at=begins,
        out_at=begins,
        due_on=due_on,
    )
    Loan.objects.filter(pk=loan.pk).update(status=LoanStatus.OUT)
    loan.refresh_from_db()
    return loan


def booked(member: Member, copy: Copy, on: date, created_at: datetime) -> Loan:
    return LoanFactory(member=member, copy=copy, starts_at=at(on, time(14)), created_at=created_at)


def events() -> list[str]:
    return sorted(Message.objects.values_list("event", flat=True))


def morning(now: datetime, days: int = 0) -> datetime:
    return at(now.date() + timedelta(days=days), time(7, 5))


@pytest.mark.parametrize(
    ("days_to_due", "expected"),
    [
        (2, []),
        (1, ["loan.due_tomorrow"]),
        (0, []),
        (-1, ["loan.late_1"]),
        (-2, []),
        (-3, ["loan.late_3"]),
        (-4, []),
    ],
)
def test_a_loan_is_recalled_the_day_before_and_one_and_three_days_after(
    days_to_due: int, expected: list[str], member: Member, copy: Copy, now: datetime
) -> None:
    lent(member, copy, now, now.date() + timedelta(days=days_to_due))
    write_reminders(morning(now))
    assert events() == expected


@pytest.mark.parametrize(
    ("days_to_pickup", "booked_days_ago", "expected"),
    [
        (7, 1, ["loan.pickup_in_7"]),
        (7, 0, []),
        (8, 5, []),
        (1, 3, ["loan.pickup_tomorrow"]),
        (1, 0, []),
        (0, 3, []),
    ],
)
def test_a_pick_up_is_recalled_a_week_before_if_booked_earlier_and_the_day_before(
    days_to_pickup: int,
    booked_days_ago: int,
    expected: list[str],
    member: Member,
    copy: Copy,
    now: datetime,
) -> None:
    created = now - timedelta(days=booked_days_ago)
    booked(member, copy, now.date() + timedelta(days=days_to_pickup), created)
    write_reminders(now.replace(hour=23))
    assert events() == expected


def test_again_on_the_same_day_adds_none_and_they_leave_at_eight(
    member: Member, copy: Copy, now: datetime
) -> None:
    lent(member, copy, now, now.date() + timedelta(days=1))
    for minutes in (0, 10, 20):
        write_reminders(morning(now) + timedelta(minutes=minutes))
    row = Message.objects.get()
    assert row.due_at == at(now.date(), time(8))


def test_a_worker_that_was_down_catches_up_on_the_day_and_never_later(
    member: Member, copy: Copy, now: datetime
) -> None:
    loan = lent(member, copy, now, now.date() - timedelta(days=1))
    evening = now.replace(hour=21)
    write_reminders(evening)
    assert events() == ["loan.late_1"]
    assert Message.objects.get().due_at == evening
    Message.objects.all().delete()
    write_reminders(evening + timedelta(days=1))
    assert events() == []
    assert loan.days_late(now.date()) == 1


def test_a_reminder_that_could_not_leave_on_its_day_is_dropped(
    member: Member, copy: Copy, now: datetime
) -> None:
    lent(member, copy, now, now.date() - timedelta(days=1))
    write_reminders(morning(now))
    with MailAndSms() as transport:
        assert send_due(morning(now, 1), transport) == Round(dropped=1)
    assert mail.outbox == []


def test_what_was_returned_or_renewed_meanwhile_is_not_recalled(
    member: Member, copy: Copy, now: datetime, concierge_user: Any
) -> None:
    lent(member, copy, now, now.date() + timedelta(days=1))
    write_reminders(morning(now))
    take_back(copy=copy, by=concierge_user, now=morning(now))
    with MailAndSms() as transport:
        assert send_due(now, transport) == Round(dropped=1)


def test_a_renewed_loan_has_new_reminders(member: Member, copy: Copy, now: datetime) -> None:
    loan = lent(member, copy, now, now.date() + timedelta(days=1))
    write_reminders(morning(now))
    loan = renew_loan(loan, by=member.user, now=now)
    assert events() == ["loan.renewed"]
    Message.objects.all().delete()
    write_reminders(at(loan.due_on - timedelta(days=1), time(7)))
    assert events() == ["loan.due_tomorrow"]


def test_several_on_one_day_are_one_message(
    member: Member, copy: Copy, place: Place, now: datetime
) -> None:
    lent(member, copy, now, now.date() + timedelta(days=1))
    lent(member, CopyFactory(place=place), now, now.date() - timedelta(days=1))
    write_reminders(morning(now))
    with MailAndSms() as transport:
        assert send_due(now, transport) == Round(sent=2)
    assert [message.subject for message in mail.outbox] == ["2 rappels, mardi 9\u00a0mars"]


def test_an_sms_the_day_before_for_those_who_asked(
    member: Member, copy: Copy, now: datetime
) -> None:
    member.user.phone = "+33612345678"
    member.user.save()
    loan = lent(member, copy, now, now.date() + timedelta(days=1))
    write_reminders(morning(now))
    assert list(Message.objects.values_list("channel", flat=True)) == ["email"]
    Message.objects.all().delete()
    Consent.objects.create(
        member=member, kind=ConsentKind.SMS, wording="1", given_at=now - timedelta(days=9)
    )
    write_reminders(morning(now))
    assert sorted(Message.objects.values_list("channel", flat=True)) == ["email", "sms"]
    Message.objects.all().delete()
    Loan.objects.filter(pk=loan.pk).update(due_on=now.date() - timedelta(days=1))
    write_reminders(morning(now))
    assert list(Message.objects.values_list("channel", flat=True)) == ["email"]


@pytest.mark.parametrize("night", [date(2027, 3, 28), date(2027, 10, 31)])
def test_the_nights_of_the_clock_change_lose_and_double_nothing(
    night: date, member: Member, copy: Copy, now: datetime
) -> None:
    lent(member, copy, now, night + timedelta(days=1))
    start = datetime.combine(night, time(0), tzinfo=PARIS).timestamp()
    for quarter in range(25 * 4 + 4):
        instant = datetime.fromtimestamp(start + quarter * 900, tz=PARIS)
        if instant.date() == night and instant.hour >= 7:
            write_reminders(instant)
    assert events() == ["loan.due_tomorrow"]
    assert Message.objects.get().due_at == datetime.combine(night, time(8), tzinfo=PARIS)


def test_statements_do_not_grow_with_the_number_of_reminders(
    member: Member, place: Place, now: datetime
) -> None:
    counts = []
    for many in (1, 12):
        for _ in range(many):
            lent(member, CopyFactory(place=place), now, now.date() + timedelta(days=1))
        with CaptureQueriesContext(connection) as queries:
            write_reminders(morning(now))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Message.objects.count() == 13
