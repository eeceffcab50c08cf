"""Who is gone for good is warned, then erased; who comes back stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from django.core import mail
from django.core.management import call_command

from club.domain.housekeeping import tidy
from club.domain.ledger import enter
from club.domain.retention import kept_for, retain
from club.enums import Account, EntryKind
from club.kernel.spans import local_day
from club.models import LogEntry, Member, Message, Place, Right, User
from club.tasks import send_messages
from concierge.enums import LoanStatus
from concierge.models import Copy
from tests.factories.club import AssignmentFactory, MemberFactory, RightFactory
from tests.factories.concierge import LoanFactory

MONTH = relativedelta(months=1)


@pytest.fixture
def asleep(place: Place, now: datetime) -> Member:
    """Somebody who has done nothing for two years, and has no right any more."""
    then = now - relativedelta(months=24) - timedelta(days=1)
    member = MemberFactory(place=place, joined_at=then, user__last_login=then)
    RightFactory(
        household=member.household, starts_on=then.date(), ends_on=then.date() + timedelta(days=30)
    )
    return member


def is_there(member: Member) -> bool:
    return User.objects.get(pk=member.user_id).is_active


def warned(now: datetime) -> list[int]:
    return retain(now, dry_run=True).warned


def test_warned_first_and_erased_a_month_later(asleep: Member, now: datetime) -> None:
    assert (retain(now).warned, is_there(asleep)) == ([asleep.pk], True)
    message = Message.objects.get(event="account.ends")
    assert (message.member, message.due_at) == (asleep, now)
    for days in (1, 29):
        later = retain(now + timedelta(days=days))
        assert (later.warned, later.erased, is_there(asleep)) == ([], [], True)
    assert retain(now + timedelta(days=30)).erased == [asleep.pk]
    assert not is_there(asleep)
    assert not Message.objects.exists()
    after = retain(now + timedelta(days=31))
    assert (after.warned, after.erased) == ([], [])
    assert LogEntry.objects.get(verb="erase").actor is None


def test_a_warning_leaves_a_month_before_the_time_is_over(place: Place, now: datetime) -> None:
    then = now - relativedelta(months=24) + timedelta(days=29)
    member = MemberFactory(place=place, joined_at=then, user__last_login=then)
    assert warned(now) == [member.pk]
    assert warned(now - timedelta(days=1)) == []
    retain(now)
    assert retain(now + timedelta(days=28)).erased == []
    assert retain(now + timedelta(days=30)).erased == [member.pk]


def signing_in(member: Member, copy: Copy, now: datetime) -> None:
    User.objects.filter(pk=member.user_id).update(last_login=now)


def borrowing(member: Member, copy: Copy, now: datetime) -> None:
    LoanFactory(copy=copy, member=member, starts_at=now, created_at=now)


def having(member: Member, copy: Copy, now: datetime) -> None:
    LoanFactory(
        copy=copy, member=member, status=LoanStatus.OUT,
        starts_at=now - MONTH * 30, created_at=now - MONTH * 30,
    )  # fmt: skip


def being_entitled(member: Member, copy: Copy, now: datetime) -> None:
    end = local_day(now - MONTH * 2)
    Right.objects.update(ends_on=end)


def working(member: Member, copy: Copy, now: datetime) -> None:
    AssignmentFactory(user=member.user, place=member.place)


@pytest.mark.parametrize("act", [signing_in, borrowing, having, being_entitled, working])
def test_who_is_about_is_left_alone(
    asleep: Member, copy: Copy, now: datetime, act: Callable[[Member, Copy, datetime], None]
) -> None:
    assert warned(now) == [asleep.pk]
    act(asleep, copy, now)
    assert warned(now) == []


def test_who_comes_back_after_the_warning_stays_and_is_warned_again(
    asleep: Member, copy: Copy, now: datetime
) -> None:
    retain(now)
    signing_in(asleep, copy, now + timedelta(days=20))
    assert retain(now + timedelta(days=40)).erased == []
    next_time = now + timedelta(days=20) + MONTH * 24
    round_two = retain(next_time - timedelta(days=20))
    assert (round_two.warned, round_two.erased) == ([asleep.pk], [])
    assert retain(next_time + timedelta(days=1)).erased == []
    assert retain(next_time + timedelta(days=10)).erased == [asleep.pk]


def test_what_is_open_keeps_the_account(asleep: Member, now: datetime) -> None:
    retain(now)
    enter(
        kind=EntryKind.CHARGE, account=Account.FEE, cents=-300, place=asleep.place,
        household=asleep.household, member=asleep, subject_kind="fee", subject_id=1, label="x",
        source="fee:1:1", at=now, by=None,
    )  # fmt: skip
    done = retain(now + timedelta(days=30))
    assert (done.erased, done.in_the_way) == ([], {asleep.pk: ["owes"]})
    assert is_there(asleep)


def test_a_dry_run_only_tells(asleep: Member, now: datetime, time_machine: Any) -> None:
    time_machine.move_to(now, tick=False)
    out = StringIO()
    call_command("retention", "--dry-run", stdout=out)
    assert f"1 members would be warned: {asleep.pk}" in out.getvalue()
    assert not LogEntry.objects.exists() and not Message.objects.exists()
    call_command("retention", stdout=StringIO())
    time_machine.move_to(now + timedelta(days=31), tick=False)
    call_command("retention", "--dry-run", stdout=out)
    assert f"1 members would be erased: {asleep.pk}" in out.getvalue()
    assert is_there(asleep)
    call_command("retention", stdout=out)
    assert not is_there(asleep)


def test_the_letter_says_when_and_what_to_do(
    asleep: Member, now: datetime, time_machine: Any
) -> None:
    time_machine.move_to(now, tick=False)
    retain(now)
    send_messages()
    letter = mail.outbox[0]
    assert letter.subject == "Votre compte sera effacé jeudi 8\u00a0avril"
    assert "connectez-vous une fois avant jeudi 8\u00a0avril" in letter.body
    assert letter.body.count("/mon-espace/") == 1


def test_the_letter_is_dropped_for_who_came_back(
    asleep: Member, copy: Copy, now: datetime, time_machine: Any
) -> None:
    retain(now)
    time_machine.move_to(now + timedelta(hours=1), tick=False)
    signing_in(asleep, copy, now + timedelta(minutes=5))
    send_messages()
    assert mail.outbox == []


def test_the_terms_are_settings(asleep: Member, now: datetime, settings: Any) -> None:
    settings.RETENTION_ACCOUNT_MONTHS = 36
    assert warned(now) == []
    assert ("36 mois" in kept_for()[0][1], kept_for()[1][1]) == (True, "13 mois")
    message = Message.objects.create(
        key="x", event="x", member=asleep, subject_kind="member", subject_id=asleep.pk,
        channel="email", due_at=now - MONTH * 12, status="sent",
    )  # fmt: skip
    tidy(now)
    assert Message.objects.filter(pk=message.pk).exists()
    settings.RETENTION_MESSAGES_MONTHS = 11
    tidy(now)
    assert not Message.objects.filter(pk=message.pk).exists()


def test_as_many_statements_for_ten_as_for_one(
    place: Place, now: datetime, django_assert_num_queries: Any
) -> None:
    """Looking through who is about reads no person one by one."""
    MemberFactory.create_batch(10, place=place, joined_at=now)
    with django_assert_num_queries(16):
        retain(now, dry_run=True)
