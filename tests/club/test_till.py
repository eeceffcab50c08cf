"""The till's day: opened, counted blind, closed with its difference, signed by a second person."""

import pytest

from club.domain.ledger import enter
from club.domain.till import (
    close_till_day,
    expected_cash,
    move_cash,
    needs_second_person,
    open_till_day,
    sign_till_day,
)
from club.enums import Account, EntryKind, Means, MovementKind
from club.kernel.refusal import Refused
from club.models import LedgerEntry, Member, Place, TillDay, User
from tests.factories.club import NOW, AssignmentFactory
from tests.factories.money import TillDayFactory


@pytest.fixture
def till(place: Place, concierge_user: User) -> TillDay:
    return open_till_day(place, 5000, by=concierge_user, now=NOW)


def took(till: TillDay, member: Member, cents: int, means: str = Means.CASH) -> None:
    enter(
        kind=EntryKind.PAYMENT,
        account=Account.FEE,
        cents=cents,
        place=till.place,
        household=member.household,
        subject_kind="loan",
        subject_id=1,
        label="Participation",
        source=f"test:{LedgerEntry.objects.count()}",
        means=means,
        till=till,
        at=NOW,
        by=till.opened_by,
    )


def refused(act: object) -> list[str]:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.codes


def test_one_till_is_open_at_a_place(till: TillDay, concierge_user: User) -> None:
    again = refused(lambda: open_till_day(till.place, 0, by=concierge_user, now=NOW))
    assert again == ["till_open"]


@pytest.mark.parametrize("cents", [-1, 100_001])
def test_a_float_is_plausible(place: Place, concierge_user: User, cents: int) -> None:
    said = refused(lambda: open_till_day(place, cents, by=concierge_user, now=NOW))
    assert said == ["float_wrong"]


def test_the_drawer_holds_float_cash_and_movements(
    till: TillDay, member: Member, concierge_user: User
) -> None:
    took(till, member, 1200)
    took(till, member, -200)
    took(till, member, 6000, Means.CHEQUE)
    move_cash(till, MovementKind.BANKED, 3000, by=concierge_user, now=NOW)
    move_cash(till, MovementKind.ADDED, 500, by=concierge_user, now=NOW)
    assert expected_cash(till) == 5000 + 1200 - 200 - 3000 + 500


def test_a_right_count_closes_without_a_line(
    till: TillDay, member: Member, concierge_user: User
) -> None:
    took(till, member, 1200)
    closed = close_till_day(till, {5000: 1, 1000: 1, 200: 1}, by=concierge_user, now=NOW)
    assert (closed.counted_cents, closed.expected_cents, closed.difference_cents) == (6200, 6200, 0)
    assert closed.counted == {"5000": 1, "1000": 1, "200": 1}
    assert not LedgerEntry.objects.filter(account=Account.GAP).exists()


def test_a_difference_is_entered(till: TillDay, concierge_user: User) -> None:
    closed = close_till_day(till, {2000: 2, 500: 1}, by=concierge_user, now=NOW)
    assert closed.difference_cents == -500
    gap = LedgerEntry.objects.get(account=Account.GAP)
    assert (gap.cents, gap.household, gap.means) == (-500, None, Means.CASH)
    assert not needs_second_person(closed)


def test_a_large_difference_waits_for_a_second_person(till: TillDay, concierge_user: User) -> None:
    till.place.sign_off_cents = 1000
    till.place.save()
    closed = close_till_day(till, {}, by=concierge_user, now=NOW)
    assert needs_second_person(closed)
    assert refused(lambda: sign_till_day(closed, by=concierge_user, now=NOW)) == ["second_person"]
    other = AssignmentFactory(place=till.place).user
    sign_till_day(closed, by=other, now=NOW)
    closed.refresh_from_db()
    assert closed.signed_by == other
    assert refused(lambda: sign_till_day(closed, by=other, now=NOW)) == ["nothing_to_sign"]


@pytest.mark.parametrize("counted", [{7: 1}, {100: -1}, {100: 2001}])
def test_a_count_is_of_real_coins(
    till: TillDay, concierge_user: User, counted: dict[int, int]
) -> None:
    said = refused(lambda: close_till_day(till, counted, by=concierge_user, now=NOW))
    assert said == ["count_wrong"]
    till.refresh_from_db()
    assert till.closed_at is None


def test_what_is_closed_takes_nothing_more(till: TillDay, concierge_user: User) -> None:
    close_till_day(till, {5000: 1}, by=concierge_user, now=NOW)
    for act in (
        lambda: close_till_day(till, {5000: 1}, by=concierge_user, now=NOW),
        lambda: move_cash(till, MovementKind.ADDED, 5, by=concierge_user, now=NOW),
    ):
        assert refused(act) == ["till_closed"]


@pytest.mark.parametrize(
    ("kind", "cents", "code"),
    [
        (MovementKind.BANKED, 5001, "not_enough"),
        (MovementKind.BANKED, 0, "amount_wrong"),
        (MovementKind.ADDED, -5, "amount_wrong"),
        ("stolen", 5, "kind_missing"),
    ],
)
def test_a_movement_is_plausible(
    till: TillDay, concierge_user: User, kind: str, cents: int, code: str
) -> None:
    assert refused(lambda: move_cash(till, kind, cents, by=concierge_user, now=NOW)) == [code]


def test_the_day_after_has_a_till_of_its_own(till: TillDay, concierge_user: User) -> None:
    close_till_day(till, {5000: 1}, by=concierge_user, now=NOW)
    assert open_till_day(till.place, 5000, by=concierge_user, now=NOW) != till
    assert TillDayFactory._meta.model.objects.filter(closed_at=None).count() == 1
