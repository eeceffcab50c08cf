"""Each invariant: nothing is found in a whole house, and its fault is found when made."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from club.kernel import guards
from club.kernel.invariants import all_invariants
from club.models import Card, Consent, LogEntry, Member, Message, Place, Right, User
from concierge.domain.copies import add_copy
from concierge.domain.lending import (
    cancel_loan,
    enter_forgotten_loan,
    hand_over,
    move_loan,
    report_fault,
    reserve_tool,
    set_aside,
    step_repair,
    take_back,
    undo_hand_over,
    undo_take_back,
)
from concierge.guards import ONE_CLAIM
from concierge.models import Copy, Loan, Repair, Tool
from tests.factories.club import CardFactory, HouseholdFactory, MemberFactory, RightFactory
from tests.factories.concierge import PolicyFactory


def check() -> tuple[set[str], str]:
    """The names of what is broken, and what the command prints."""
    printed = StringIO()
    with suppress(CommandError):
        call_command("check_invariants", stdout=printed)
    lines = printed.getvalue().splitlines()
    return {line.split()[1] for line in lines if line.startswith("BROKEN")}, printed.getvalue()


@pytest.fixture
def house(
    place: Place,
    member: Member,
    other_member: Member,
    tool: Tool,
    concierge_user: User,
    now: datetime,
) -> dict[str, Any]:
    """Loans in every state, made by the verbs alone."""
    PolicyFactory(place=place, limit=50)
    place.refresh_from_db()
    by = concierge_user
    copies = [add_copy(tool=tool, place=place, by=by, now=now) for _ in range(4)]
    day = now.date()

    def reserve(whose: Member, days: int) -> Loan:
        return reserve_tool(
            member=whose,
            tool=tool,
            place=place,
            starts_on=day + timedelta(days=days),
            by=whose.user,
            now=now,
        )

    moved = move_loan(reserve(member, 1), starts_on=day + timedelta(days=2), by=by, now=now)
    cancel_loan(reserve(member, 1), by=by, now=now)
    set_aside(reserve(other_member, 0), by=by, now=now)
    free = [copy for copy in copies if copy.pk not in {moved.copy_id}][-1]
    lent = hand_over(copy=free, member=member, by=by, now=now)
    undo_hand_over(lent, by=by, now=now)
    lent = hand_over(copy=free, member=member, by=by, now=now + timedelta(minutes=1))
    back = take_back(copy=free, by=by, now=now + timedelta(hours=1)).loan
    undo_take_back(back, by=by, now=now + timedelta(hours=1, minutes=1))
    take_back(copy=free, by=by, now=now + timedelta(hours=2))
    report_fault(copy=free, fault="broken", by=by, now=now + timedelta(hours=2))
    repair = Repair.objects.get()
    step_repair(repair, "repairing", by=by, now=now + timedelta(hours=3))
    step_repair(repair, "resolved", by=by, now=now + timedelta(hours=4))
    enter_forgotten_loan(
        copy=free,
        member=other_member,
        on=day - timedelta(days=1),
        by=by,
        now=now + timedelta(hours=5),
    )
    for somebody in (member, other_member):
        CardFactory(member=somebody)
    return {"member": member, "other": other_member, "copy": free, "moved": moved}


@pytest.fixture
def no_rules(db: None) -> Iterator[Callable[[str], None]]:
    """Take constraints away by name; the test's transaction brings them back."""

    def drop(table: str, *names: str) -> None:
        settle()
        with connection.cursor() as cursor:
            for name in names:
                if connection.vendor == "postgresql":
                    cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE")
                cursor.execute(f"DROP INDEX IF EXISTS {name}")

    yield drop


def without_guards() -> None:
    """As `no_rules`, for the guards that are no constraint of Django's."""
    settle()
    guards.remove(ONE_CLAIM)


def settle() -> None:
    """PostgreSQL changes no table while checks on its rows are put off."""
    if connection.vendor == "postgresql":
        sql("SET CONSTRAINTS ALL IMMEDIATE")


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_a_whole_house_breaks_nothing(house: dict[str, Any]) -> None:
    broken, printed = check()
    assert broken == set(), printed
    assert printed.count("ok      ") == len(list(all_invariants()))


def test_an_empty_house_breaks_nothing(db: None) -> None:
    assert check()[0] == set()


def test_the_command_ends_with_an_error(house: dict[str, Any]) -> None:
    sql("UPDATE concierge_loan SET status = 'returned' WHERE status = 'cancelled'")
    with pytest.raises(CommandError, match="invariants are broken"):
        call_command("check_invariants", stdout=StringIO())


def test_two_claims_on_one_copy(house: dict[str, Any]) -> None:
    without_guards()
    other = Loan.objects.filter(status="ready").get()
    sql(
        "UPDATE concierge_loan SET copy_id = %s, starts_at = %s WHERE id = %s",
        other.copy_id,
        other.starts_at + timedelta(hours=1),
        house["moved"].pk,
    )
    broken, printed = check()
    assert "claims" in broken
    assert house["moved"].reference in printed


def test_a_claim_inside_a_long_one_that_began_before_another(house: dict[str, Any]) -> None:
    """The neighbour before is not enough: the longest of all before counts."""
    without_guards()
    long, short, last = Loan.objects.filter(status__in=["reserved", "ready", "out"])[:3]
    begins = long.starts_at
    for loan, starts, ends in [
        (long, begins, begins + timedelta(days=9)),
        (short, begins + timedelta(hours=1), begins + timedelta(hours=2)),
        (last, begins + timedelta(days=3), begins + timedelta(days=4)),
    ]:
        Loan.objects.filter(pk=loan.pk).update(
            copy=long.copy, starts_at=starts, ends_at=ends, held_until=ends
        )
    printed = check()[1]
    assert f"loan {last.reference} claims copy" in printed


def test_a_copy_that_is_out_twice(house: dict[str, Any], no_rules: Any) -> None:
    without_guards()
    no_rules("concierge_loan", "concierge_loan_one_out")
    out = Loan.objects.get(status="out")
    sql(
        "UPDATE concierge_loan SET copy_id = %s, status = 'out' WHERE id = %s",
        out.copy_id,
        house["moved"].pk,
    )
    assert {"out", "claims"} <= check()[0]


def test_a_retired_copy_that_is_out(house: dict[str, Any]) -> None:
    out = Loan.objects.get(status="out")
    sql("UPDATE concierge_copy SET status = 'retired' WHERE id = %s", out.copy_id)
    assert check()[0] == {"out", "copy-log"}


def test_a_claim_on_another_tools_copy(house: dict[str, Any]) -> None:
    from tests.factories.concierge import CopyFactory

    strange = CopyFactory(tool__name="Perceuse", place=house["copy"].place)
    sql("UPDATE concierge_loan SET copy_id = %s WHERE id = %s", strange.pk, house["moved"].pk)
    broken, printed = check()
    assert "copies" in broken
    assert house["moved"].reference in printed


@pytest.mark.parametrize("column", ["returned_at", "cancelled_at"])
def test_an_ended_loan_without_its_time(house: dict[str, Any], column: str) -> None:
    sql(f"UPDATE concierge_loan SET {column} = NULL")
    assert check()[0] == {"loans"}


def test_a_status_that_was_changed_by_hand(house: dict[str, Any]) -> None:
    sql("UPDATE concierge_loan SET status = 'lost' WHERE status = 'cancelled'")
    assert check()[0] == {"loan-log"}


def test_a_step_without_its_log(house: dict[str, Any]) -> None:
    entry = LogEntry.objects.filter(subject_kind="loan", verb="take_back").first()
    assert entry is not None
    entry.delete()
    assert check()[0] == {"loan-log"}


def test_a_step_logged_twice(house: dict[str, Any]) -> None:
    entry = LogEntry.objects.filter(subject_kind="loan", verb="cancel").get()
    entry.pk = None
    entry.save()
    assert check()[0] == {"loan-log"}


def test_a_step_that_is_not_in_the_table(house: dict[str, Any]) -> None:
    loan = Loan.objects.filter(status="cancelled")[0]
    LogEntry.objects.create(
        subject_kind="loan",
        subject_id=loan.pk,
        verb="cheat",
        at=timezone.now(),
        facts={"from": "cancelled", "to": "lapsed"},
    )
    sql("UPDATE concierge_loan SET status = 'lapsed' WHERE id = %s", loan.pk)
    broken, printed = check()
    assert "loan-log" in broken
    assert "from cancelled to lapsed" in printed


def test_a_loan_that_nothing_is_written_of(house: dict[str, Any]) -> None:
    LogEntry.objects.filter(subject_kind="loan", subject_id=house["moved"].pk).delete()
    assert check()[0] == {"loan-log"}


def test_a_repair_that_ended_without_closing(house: dict[str, Any]) -> None:
    sql("UPDATE concierge_repair SET closed_at = NULL")
    assert check()[0] == {"repairs"}


def test_two_live_cards(house: dict[str, Any], no_rules: Any) -> None:
    no_rules("club_card", "club_card_one_live")
    Card.objects.create(member=house["member"], number="999999", issued_at=timezone.now())
    assert check()[0] == {"cards"}


def test_a_consent_given_twice(house: dict[str, Any], no_rules: Any) -> None:
    no_rules("club_consent", "club_consent_one_live")
    for _ in range(2):
        Consent.objects.create(
            member=house["member"], kind="sms", wording="1", given_at=timezone.now()
        )
    assert check()[0] == {"consents"}


def test_an_address_of_two_accounts(house: dict[str, Any], no_rules: Any) -> None:
    no_rules("club_user", "club_user_email_once")
    MemberFactory(user__email=house["member"].user.email.upper())
    assert check()[0] == {"accounts"}


def test_a_right_of_another_household(house: dict[str, Any]) -> None:
    RightFactory(household=HouseholdFactory(), member=house["member"])
    assert check()[0] == {"rights"}
    Right.objects.all().delete()
    assert check()[0] == set()


def test_a_message_about_nothing(house: dict[str, Any]) -> None:
    Message.objects.create(
        key="x",
        event="loan.reserved",
        member=house["member"],
        subject_kind="loan",
        subject_id=10**9,
        channel="email",
        due_at=timezone.now(),
    )
    assert check()[0] == {"subjects"}


def test_a_message_that_is_sent_at_no_time(house: dict[str, Any]) -> None:
    Message.objects.update(status="sent")
    assert check()[0] == {"sending"}


def test_a_message_that_a_sender_keeps(house: dict[str, Any]) -> None:
    Message.objects.update(status="sending", claimed_at=timezone.now() - timedelta(hours=2))
    assert check()[0] == {"sending"}


def test_the_statements_do_not_grow_with_the_house(
    house: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(165):
        check()
    assert Copy.objects.count() == 4
