"""What places cost over the counter: to pay first or at the door, and given back."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from club.domain.ledger import balance_of
from club.domain.receipts import cancel_receipt, take_payment
from club.domain.till import expected_cash
from club.enums import Means
from club.kernel.invariants import all_invariants
from club.kernel.purchases import Due, due_of
from club.kernel.refusal import Refused
from club.models import Member, Receipt, TillDay, User
from events.domain import fees
from events.domain.registrations import cancel, change_quantity, move_to, register
from events.enums import RegistrationStatus
from events.models import Registration, Session
from tests.factories.club import NOW, MemberFactory
from tests.factories.events import SessionFactory
from tests.factories.money import TillDayFactory

LATE = timedelta(days=6, hours=1)


@pytest.fixture
def till(place: Any) -> TillDay:
    return TillDayFactory(place=place)


@pytest.fixture
def session(place: Any) -> Session:
    return SessionFactory(place=place, price_cents=300, member_price_cents=300)


def take(member: Member, session: Session, quantity: int = 2) -> Registration:
    return register(member=member, session=session, quantity=quantity, by=member.user, now=NOW)


def pay(registration: Registration, by: User, now: datetime = NOW) -> Receipt:
    member = registration.member
    receipt = take_payment(
        member=member,
        place=registration.place,
        lines=due_of(member.household, now),
        means=Means.CASH,
        by=by,
        now=now,
    )
    registration.refresh_from_db()
    return receipt


def back(registration: Registration, by: User, **more: Any) -> Receipt:
    more.setdefault("means", Means.CASH)
    return fees.pay_back(registration, by=by, now=NOW, **more)


def to_pay(member: Member) -> list[int]:
    return [due.cents for due in due_of(member.household, NOW)]


def owed(member: Member) -> list[int]:
    return [cents for _one, cents in fees.to_give_back(member.household)]


def unbroken() -> None:
    assert [line for one in all_invariants() for line in one.violations()] == []


def test_paid_at_the_desk_the_places_are_sure(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    assert due_of(member.household, NOW) == [Due("registration", made.pk, fees.label_of(made), 600)]
    pay(made, concierge_user)
    assert (made.status, to_pay(member)) == (RegistrationStatus.CONFIRMED, [])
    unbroken()


def test_the_price_at_the_door_is_to_be_paid_too(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    session.pay_first = False
    session.save()
    made = take(member, session)
    assert made.status == RegistrationStatus.CONFIRMED
    assert to_pay(member) == [600]
    receipt = pay(made, concierge_user)
    assert to_pay(member) == []
    cancel_receipt(receipt, by=concierge_user, now=NOW)
    made.refresh_from_db()
    assert made.status == RegistrationStatus.CONFIRMED
    assert to_pay(member) == [600]
    unbroken()


def test_a_cancelled_receipt_makes_it_payable_again(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    receipt = pay(made, concierge_user)
    later = NOW + timedelta(hours=60)
    cancel_receipt(receipt, by=concierge_user, now=later)
    made.refresh_from_db()
    assert (made.status, made.pay_until) == (
        RegistrationStatus.PENDING,
        later + timedelta(hours=48),
    )
    assert to_pay(member) == [600]
    pay(made, concierge_user, later)
    assert made.status == RegistrationStatus.CONFIRMED
    unbroken()


def test_what_was_paid_waits_at_the_desk_after_a_cancellation(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    pay(made, concierge_user)
    assert owed(member) == []
    cancel(made, by=member.user, now=NOW)
    assert owed(member) == [600]
    receipt = back(made, concierge_user, form_key="k")
    assert (receipt.cents, receipt.till) == (-600, till)
    assert back(made, concierge_user, form_key="k") == receipt
    assert (owed(member), balance_of(member.household)) == ([], 0)
    assert expected_cash(till) == till.float_cents
    with pytest.raises(Refused) as refused:
        back(made, concierge_user)
    assert refused.value.codes == ["nothing_owed"]
    unbroken()


def test_what_was_given_back_by_mistake_is_owed_again(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    pay(made, concierge_user)
    cancel(made, by=member.user, now=NOW)
    cancel_receipt(back(made, concierge_user), by=concierge_user, now=NOW)
    assert owed(member) == [600]
    unbroken()


def test_what_was_given_back_is_not_given_back_by_its_receipt_again(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    receipt = pay(made, concierge_user)
    cancel(made, by=member.user, now=NOW)
    back(made, concierge_user)
    with pytest.raises(Refused) as refused:
        cancel_receipt(receipt, by=concierge_user, now=NOW)
    assert refused.value.codes == ["given_back"]


def test_too_late_the_money_stays_and_a_gesture_leaves_no_debt(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    receipt = pay(made, concierge_user)
    cancel(made, by=member.user, now=NOW + LATE)
    assert (owed(member), to_pay(member), balance_of(member.household)) == ([], [], 0)
    cancel_receipt(receipt, by=concierge_user, now=NOW + LATE)
    assert (owed(member), to_pay(member), balance_of(member.household)) == ([], [], 0)
    unbroken()


def test_whoever_has_not_paid_owes_nothing_after_cancelling_late(
    member: Member, session: Session
) -> None:
    session.pay_first = False
    session.save()
    cancel(take(member, session), by=member.user, now=NOW + LATE)
    assert (to_pay(member), balance_of(member.household)) == ([], 0)


def test_a_place_less_is_owed_and_a_place_more_is_due(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    pay(made, concierge_user)
    change_quantity(made, 1, by=member.user, now=NOW)
    assert (owed(member), to_pay(member)) == ([300], [])
    change_quantity(made, 3, by=member.user, now=NOW)
    assert owed(member) == []
    assert to_pay(member) == [300]
    unbroken()


def test_an_odd_means_or_a_closed_till_gives_nothing_back(
    member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    pay(made, concierge_user)
    cancel(made, by=member.user, now=NOW)
    for means in ("card", "", "bitcoin"):
        with pytest.raises(Refused) as refused:
            back(made, concierge_user, means=means)
        assert refused.value.codes == ["means_wrong"]
    TillDay.objects.update(closed_at=NOW)
    with pytest.raises(Refused) as closed:
        back(made, concierge_user)
    assert closed.value.codes == ["till_closed"]
    assert owed(member) == [600]


def test_a_dearer_date_and_a_cheaper_one(
    place: Any, member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    dear = SessionFactory(
        place=place, event=session.event, in_days=14, price_cents=500, member_price_cents=500
    )
    made = take(member, session, 1)
    pay(made, concierge_user)
    move_to(made, dear, by=member.user, now=NOW)
    assert to_pay(member) == [200]
    move_to(made, session, by=member.user, now=NOW)
    assert (to_pay(member), owed(member)) == ([], [])
    unbroken()


def test_another_household_has_nothing_of_it(
    place: Any, member: Member, session: Session, till: TillDay, concierge_user: User
) -> None:
    made = take(member, session)
    pay(made, concierge_user)
    cancel(made, by=member.user, now=NOW)
    neighbour = MemberFactory(place=place)
    assert (owed(neighbour), to_pay(neighbour)) == ([], [])
