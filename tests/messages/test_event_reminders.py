"""Which sessions are recalled on which day, and that each reminder leaves on its day or not."""

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
from concierge.domain.reminders import write_reminders as write_loan_reminders
from concierge.models import Copy
from events.domain import fees
from events.domain.changes import Shift, move_sessions, plan_move
from events.domain.registrations import cancel
from events.domain.reminders import write_reminders
from events.enums import RegistrationStatus
from events.models import Registration, Session
from tests.factories.club import MemberFactory
from tests.factories.concierge import LoanFactory
from tests.factories.events import RegistrationFactory, SessionFactory

PARIS = ZoneInfo("Europe/Paris")


def session_on(place: Place, day: date, hour: time = time(18)) -> Session:
    starts_at = at(day, hour)
    return SessionFactory(place=place, starts_at=starts_at)


def registered(
    member: Member, on: date, made: datetime, status: str = RegistrationStatus.CONFIRMED
) -> Registration:
    session = session_on(member.place, on)
    return RegistrationFactory(session=session, member=member, status=status, created_at=made)


def events() -> list[str]:
    return sorted(Message.objects.values_list("event", flat=True))


def morning(now: datetime, days: int = 0) -> datetime:
    return at(now.date() + timedelta(days=days), time(7, 5))


def send(now: datetime) -> Round:
    with MailAndSms() as transport:
        return send_due(now, transport)


def wants_sms(member: Member, now: datetime) -> None:
    member.user.phone = "+33612345678"
    member.user.save()
    Consent.objects.create(
        member=member, kind=ConsentKind.SMS, wording="1", given_at=now - timedelta(days=9)
    )


@pytest.mark.parametrize(
    ("days_to_session", "made_days_ago", "expected"),
    [
        (7, 1, ["registration.in_7"]),
        (7, 0, []),
        (8, 5, []),
        (6, 5, []),
        (2, 5, []),
        (1, 3, ["registration.tomorrow"]),
        (1, 0, []),
        (0, 3, []),
        (-1, 3, []),
    ],
)
def test_a_session_is_recalled_a_week_before_if_booked_earlier_and_the_day_before(
    days_to_session: int, made_days_ago: int, expected: list[str], member: Member, now: datetime
) -> None:
    made = now - timedelta(days=made_days_ago)
    registered(member, now.date() + timedelta(days=days_to_session), made)
    write_reminders(now.replace(hour=23))
    assert events() == expected


@pytest.mark.parametrize("status", RegistrationStatus.values)
def test_only_who_is_expected_is_recalled(status: str, member: Member, now: datetime) -> None:
    made = now - timedelta(days=5)
    registered(member, now.date() + timedelta(days=1), made, status)
    write_reminders(morning(now))
    expected = status in {"confirmed", "pending"}
    assert events() == (["registration.tomorrow"] if expected else [])


def test_a_session_that_does_not_take_place_is_not_recalled(member: Member, now: datetime) -> None:
    registered(member, now.date() + timedelta(days=1), now - timedelta(days=5))
    Session.objects.update(status="cancelled")
    write_reminders(morning(now))
    assert events() == []


def test_again_on_the_same_day_adds_none_and_they_leave_at_eight(
    member: Member, now: datetime
) -> None:
    registered(member, now.date() + timedelta(days=1), now - timedelta(days=5))
    for minutes in (0, 10, 20):
        write_reminders(morning(now) + timedelta(minutes=minutes))
    row = Message.objects.get()
    assert (row.due_at, row.group) == (at(now.date(), time(8)), "reminder")


def test_a_reminder_that_could_not_leave_on_its_day_is_dropped(
    member: Member, now: datetime
) -> None:
    registered(member, now.date() + timedelta(days=1), now - timedelta(days=5))
    write_reminders(morning(now))
    assert send(morning(now, 1)) == Round(dropped=1)
    assert mail.outbox == []


def test_what_was_given_back_meanwhile_is_not_recalled(member: Member, now: datetime) -> None:
    one = registered(member, now.date() + timedelta(days=1), now - timedelta(days=5))
    write_reminders(morning(now))
    Registration.objects.filter(pk=one.pk).update(status=RegistrationStatus.CANCELLED)
    assert send(now) == Round(dropped=1)


def test_whoever_cancels_hears_of_that_alone(member: Member, now: datetime) -> None:
    one = registered(member, now.date() + timedelta(days=1), now - timedelta(days=5))
    write_reminders(morning(now))
    cancel(one, by=member.user, now=morning(now))
    assert events() == ["registration.cancelled"]


def test_a_session_that_was_moved_is_recalled_before_its_new_day(
    member: Member, now: datetime, concierge_user: Any
) -> None:
    one = registered(member, now.date() + timedelta(days=1), now - timedelta(days=5))
    write_reminders(morning(now))
    session = Session.objects.get()
    starts_at = at(now.date() + timedelta(days=3), time(18))
    shift = Shift(starts_at, starts_at + timedelta(hours=2), session.place)
    plan = plan_move([session], now=morning(now))
    move_sessions([session], shift, seal=plan.seal, by=concierge_user, now=morning(now))
    assert events() == ["registration.session_moved"]
    write_reminders(morning(now, 2))
    row = Message.objects.get(event="registration.tomorrow")
    assert row.subject_id == one.pk
    assert send(now + timedelta(days=2)) == Round(sent=2)


def test_loans_and_sessions_of_one_day_are_one_message(
    member: Member, copy: Copy, now: datetime
) -> None:
    tomorrow = now.date() + timedelta(days=1)
    registered(member, tomorrow, now - timedelta(days=5))
    registered(member, now.date() + timedelta(days=7), now - timedelta(days=5))
    LoanFactory(
        member=member,
        copy=copy,
        starts_at=at(tomorrow, time(14)),
        created_at=now - timedelta(days=5),
    )
    write_loan_reminders(morning(now))
    write_reminders(morning(now))
    assert events() == ["loan.pickup_tomorrow", "registration.in_7", "registration.tomorrow"]
    assert send(now) == Round(sent=3)
    assert [message.subject for message in mail.outbox] == ["3 rappels, mardi 9\u00a0mars"]
    body = mail.outbox[0].body
    assert "Demain, mercredi 10\u00a0mars à 18\u00a0h\u00a0: Atelier cuisine" in body
    assert "Dans une semaine, mardi 16\u00a0mars à 18\u00a0h\u00a0: Atelier cuisine" in body


def test_an_sms_the_day_before_for_those_who_asked(member: Member, now: datetime) -> None:
    member.user.phone = "+33612345678"
    member.user.save()
    made = now - timedelta(days=5)
    registered(member, now.date() + timedelta(days=1), made)
    registered(member, now.date() + timedelta(days=7), made)
    write_reminders(morning(now))
    assert set(Message.objects.values_list("channel", flat=True)) == {"email"}
    Message.objects.all().delete()
    wants_sms(member, now)
    write_reminders(morning(now))
    assert sorted(Message.objects.values_list("event", "channel")) == [
        ("registration.in_7", "email"),
        ("registration.tomorrow", "email"),
        ("registration.tomorrow", "sms"),
    ]


def test_who_has_no_address_is_recalled_by_sms_and_who_has_nothing_by_nobody(
    place: Place, now: datetime
) -> None:
    made = now - timedelta(days=5)
    for phone in ("+33612345678", ""):
        member = MemberFactory(place=place, user__email="", user__phone=phone)
        registered(member, now.date() + timedelta(days=1), made)
    write_reminders(morning(now))
    assert list(Message.objects.values_list("channel", flat=True)) == ["sms"]


def test_what_is_still_to_be_paid_is_said_with_its_term(place: Place, now: datetime) -> None:
    one = registered(
        MemberFactory(place=place), now.date() + timedelta(days=1), now - timedelta(days=5)
    )
    Registration.objects.filter(pk=one.pk).update(
        status="pending", unit_cents=300, quantity=2, pay_until=now + timedelta(hours=6)
    )
    one.refresh_from_db()
    fees.charge(one, by=None, now=now)
    write_reminders(morning(now))
    assert send(now) == Round(sent=1)
    assert (
        "Il reste 6\u00a0€ à payer avant le mardi 9\u00a0mars à 16\u00a0h\u00a024."
        in mail.outbox[0].body
    )


@pytest.mark.parametrize("night", [date(2027, 3, 28), date(2027, 10, 31)])
def test_the_nights_of_the_clock_change_lose_and_double_nothing(
    night: date, member: Member, now: datetime
) -> None:
    registered(member, night + timedelta(days=1), now)
    start = datetime.combine(night, time(0), tzinfo=PARIS).timestamp()
    for quarter in range(25 * 4 + 4):
        instant = datetime.fromtimestamp(start + quarter * 900, tz=PARIS)
        if instant.date() == night and instant.hour >= 7:
            write_reminders(instant)
    assert events() == ["registration.tomorrow"]
    assert Message.objects.get().due_at == datetime.combine(night, time(8), tzinfo=PARIS)


def test_statements_do_not_grow_with_the_number_of_reminders(place: Place, now: datetime) -> None:
    session = session_on(place, now.date() + timedelta(days=1))
    counts = []
    for many in (1, 11):
        for _ in range(many):
            RegistrationFactory(session=session, created_at=now - timedelta(days=5))
        with CaptureQueriesContext(connection) as queries:
            write_reminders(morning(now))
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Message.objects.count() == 12
