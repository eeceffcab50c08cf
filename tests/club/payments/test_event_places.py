"""Places at an event paid on line: sure once paid, given back by themselves once too late."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from club.domain import checkouts
from club.domain.receipts import take_payment
from club.domain.refunds import ask_refund, fail_refund
from club.enums import RefundReason, RefundStatus
from club.kernel.invariants import all_invariants
from club.kernel.purchases import due_of
from club.models import Checkout, LedgerEntry, Member, Message, Place, Refund, User
from events.domain import fees
from events.domain.changes import cancel_sessions, plan_cancellation
from events.domain.registrations import cancel, change_quantity, lapse, move_to, register
from events.enums import CancelReason, RegistrationStatus
from events.models import Registration, Session
from tests.club.payments.house import ORIGIN, House, entries, money_here
from tests.factories.events import SessionFactory
from tests.factories.money import TillDayFactory


@pytest.fixture
def session(place: Place) -> Session:
    """3 € a place, to be paid first."""
    return SessionFactory(place=place, price_cents=300, member_price_cents=300)


@pytest.fixture
def places(house: House, samira: Member, session: Session) -> Registration:
    return register(
        member=samira, session=session, quantity=2, by=samira.user, now=house.now
    )  # fmt: skip


def begin(house: House, registration: Registration) -> Checkout:
    member = registration.member
    checkouts.begin_checkout(
        member, "registration", registration.pk, origin=ORIGIN, by=member.user, now=house.now
    )
    return Checkout.objects.filter(household=member.household).latest("pk")


def paid(house: House, registration: Registration) -> Registration:
    house.pay(begin(house, registration))
    house.hear()
    registration.refresh_from_db()
    return registration


def unbroken() -> None:
    assert [line for one in all_invariants() for line in one.violations()] == []


def refunds() -> list[tuple[int, str, str]]:
    return list(Refund.objects.order_by("pk").values_list("cents", "reason", "status"))


def test_paid_on_line_the_places_are_sure(house: House, places: Registration) -> None:
    assert places.status == RegistrationStatus.PENDING
    paid(house, places)
    assert (places.status, places.pay_until) == (RegistrationStatus.CONFIRMED, None)
    assert due_of(places.member.household, house.now) == []
    assert money_here() == house.money_there() == 600
    assert entries(places.member.household) == [("charge", -600), ("payment", 600)]
    told = Message.objects.filter(member=places.member).order_by("pk")
    assert list(told.values_list("event", flat=True)) == [
        "registration.pending",
        "receipt.issued",
        "registration.confirmed",
    ]
    unbroken()


def test_a_debit_would_come_too_late_and_is_not_offered(house: House, places: Registration) -> None:
    page = begin(house, places)
    known = house.objects("checkout.sessions")
    assert [one.payment_method_types for one in known if one.id == page.session_id] == [["card"]]


def test_paid_twice_the_second_goes_back(house: House, places: Registration) -> None:
    first = begin(house, places)
    Checkout.objects.filter(pk=first.pk).update(expires_at=house.now)
    second = begin(house, places)
    house.pay(first)
    house.pay(second)
    house.hear()
    places.refresh_from_db()
    assert places.status == RegistrationStatus.CONFIRMED
    assert refunds() == [(600, RefundReason.TWICE, RefundStatus.DONE)]
    assert money_here() == house.money_there() == 600
    unbroken()


def test_paid_at_the_desk_while_the_page_was_open(
    house: House, places: Registration, concierge_user: User
) -> None:
    page = begin(house, places)
    TillDayFactory(place=places.place)
    take_payment(
        member=places.member,
        place=places.place,
        lines=due_of(places.member.household, house.now),
        means="cash",
        by=concierge_user,
        now=house.now,
    )
    house.pay(page)
    house.hear()
    places.refresh_from_db()
    assert places.status == RegistrationStatus.CONFIRMED
    assert refunds() == [(600, RefundReason.TWICE, RefundStatus.DONE)]
    assert money_here() == house.money_there() == 0
    unbroken()


def end_by_cancelling(house: House, places: Registration) -> None:
    cancel(places, by=places.member.user, now=house.now)


def end_by_lapsing(house: House, places: Registration) -> None:
    house.pass_time(hours=48)
    lapse(places, now=house.now)


def end_by_calling_off(house: House, places: Registration) -> None:
    plan = plan_cancellation([places.session], instead=None, now=house.now)
    cancel_sessions(
        [places.session],
        reason=CancelReason.ILLNESS,
        seal=plan.seal,
        by=places.member.user,
        now=house.now,
    )


@pytest.mark.parametrize("ended", [end_by_cancelling, end_by_lapsing, end_by_calling_off])
def test_money_for_what_is_over_goes_back_and_is_told(
    house: House, places: Registration, ended: Callable[[House, Registration], None]
) -> None:
    """The page was paid meanwhile, and its news comes after the places were given back."""
    house.pay(begin(house, places))
    Checkout.objects.update(expires_at=house.now)
    ended(house, places)
    places.refresh_from_db()
    over = places.status
    assert over in {RegistrationStatus.CANCELLED, RegistrationStatus.LAPSED}
    house.hear()
    places.refresh_from_db()
    assert places.status == over
    assert refunds() == [(600, RefundReason.CANCELLED, RefundStatus.DONE)]
    assert money_here() == house.money_there() == 0
    told = Message.objects.filter(member=places.member, event__startswith="receipt")
    assert list(told.order_by("pk").values_list("event", flat=True)) == [
        "receipt.issued",
        "receipt.cancelled",
    ]
    assert fees.to_give_back(places.member.household) == []
    unbroken()


def test_an_open_page_keeps_the_places(house: House, places: Registration) -> None:
    house.pass_time(hours=47, minutes=30)
    begin(house, places)
    house.pass_time(minutes=31)
    lapse(places, now=house.now)
    places.refresh_from_db()
    assert places.status == RegistrationStatus.PENDING
    house.pass_time(minutes=38)
    lapse(places, now=house.now)
    places.refresh_from_db()
    assert places.status == RegistrationStatus.PENDING
    house.pass_time(minutes=2)
    lapse(places, now=house.now)
    places.refresh_from_db()
    assert places.status == RegistrationStatus.LAPSED
    unbroken()


def test_cancelled_in_time_the_money_goes_back_the_same_way(
    house: House, places: Registration
) -> None:
    paid(house, places)
    cancel(places, by=places.member.user, now=house.now)
    assert fees.to_give_back(places.member.household) == []
    house.work()
    places.refresh_from_db()
    assert places.status == RegistrationStatus.CANCELLED
    assert refunds() == [(600, RefundReason.CANCELLED, RefundStatus.DONE)]
    assert money_here() == house.money_there() == 0
    assert sum(cents for _kind, cents in entries(places.member.household)) == 0
    unbroken()


def test_cancelled_too_late_the_money_stays(house: House, places: Registration) -> None:
    paid(house, places)
    house.clock.move_to(places.starts_at - timedelta(hours=23))
    cancel(places, by=places.member.user, now=house.now)
    house.work()
    assert refunds() == []
    assert money_here() == house.money_there() == 600
    assert due_of(places.member.household, house.now) == []
    unbroken()


def test_called_off_by_the_house_even_late_the_money_goes_back(
    house: House, places: Registration
) -> None:
    paid(house, places)
    house.clock.move_to(places.starts_at - timedelta(hours=1))
    end_by_calling_off(house, places)
    house.work()
    assert refunds() == [(600, RefundReason.CANCELLED, RefundStatus.DONE)]
    assert money_here() == house.money_there() == 0
    unbroken()


def test_one_place_less_gives_its_price_back(house: House, places: Registration) -> None:
    paid(house, places)
    change_quantity(places, 1, by=places.member.user, now=house.now)
    house.work()
    places.refresh_from_db()
    assert (places.status, places.quantity) == (RegistrationStatus.CONFIRMED, 1)
    assert refunds() == [(300, RefundReason.CANCELLED, RefundStatus.DONE)]
    assert money_here() == house.money_there() == 300
    unbroken()


def test_one_place_less_while_the_page_of_two_is_open(house: House, places: Registration) -> None:
    page = begin(house, places)
    change_quantity(places, 1, by=places.member.user, now=house.now)
    house.pay(page)
    house.hear()
    places.refresh_from_db()
    assert (places.status, places.quantity) == (RegistrationStatus.CONFIRMED, 1)
    assert refunds() == [(300, RefundReason.CANCELLED, RefundStatus.DONE)]
    assert money_here() == house.money_there() == 300
    unbroken()


def test_one_place_more_while_the_page_is_open_is_still_to_pay(
    house: House, places: Registration
) -> None:
    page = begin(house, places)
    change_quantity(places, 3, by=places.member.user, now=house.now)
    house.pay(page)
    house.hear()
    places.refresh_from_db()
    assert places.status == RegistrationStatus.PENDING
    assert [due.cents for due in due_of(places.member.household, house.now)] == [300]
    paid(house, places)
    assert places.status == RegistrationStatus.CONFIRMED
    assert money_here() == house.money_there() == 900
    unbroken()


def test_at_a_free_date_nothing_is_left_to_pay(
    house: House, places: Registration, session: Session
) -> None:
    free = SessionFactory(place=session.place, event=session.event, in_days=14)
    moved = move_to(places, free, by=places.member.user, now=house.now)
    moved.refresh_from_db()
    assert (moved.status, moved.pay_until) == (RegistrationStatus.CONFIRMED, None)
    assert due_of(places.member.household, house.now) == []
    unbroken()


def test_a_gesture_of_the_house_makes_it_payable_again(
    house: House, places: Registration, concierge_user: User
) -> None:
    """Money that goes back in whole undoes what it bought, as everywhere."""
    paid(house, places)
    entry = LedgerEntry.objects.get(kind="payment")
    ask_refund(entry, 600, RefundReason.MISTAKE, by=concierge_user, now=house.now)
    house.work()
    places.refresh_from_db()
    assert places.status == RegistrationStatus.PENDING
    assert [due.cents for due in due_of(places.member.household, house.now)] == [600]
    unbroken()


def test_what_the_provider_cannot_give_back_waits_at_the_desk(
    house: House, places: Registration
) -> None:
    paid(house, places)
    cancel(places, by=places.member.user, now=house.now)
    refund = Refund.objects.get()
    house.forget()
    fail_refund(refund, "expired card", now=house.now)
    fees.give_money_back(places, now=house.now)
    assert Refund.objects.count() == 1
    assert fees.to_give_back(places.member.household) == [(places, 600)]


def test_the_same_news_twice_changes_nothing(house: House, places: Registration) -> None:
    paid(house, places)
    before = list(LedgerEntry.objects.values_list("pk", "source"))
    for _ in range(2):
        house.pass_time(minutes=1)
        house.hear()
    assert list(LedgerEntry.objects.values_list("pk", "source")) == before


def test_a_payment_that_the_bank_took_back_is_to_be_paid_again(
    house: House, places: Registration
) -> None:
    paid(house, places)
    entry = LedgerEntry.objects.get(kind="payment")
    intent = entry.source.removeprefix("stripe:")
    dispute = house.sim.control("dispute", payment_intent=intent)
    house.hear()
    places.refresh_from_db()
    assert places.status == RegistrationStatus.PENDING
    house.sim.control("dispute", dispute=dispute["id"], outcome="won")
    house.hear()
    places.refresh_from_db()
    assert places.status == RegistrationStatus.CONFIRMED
    assert refunds() == []
    assert money_here() == house.money_there() == 600
    unbroken()
