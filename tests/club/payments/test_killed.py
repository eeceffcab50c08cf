"""Killed between any two steps, the work is done once when it is done again.

Each step that leaves the house or writes is cut in turn: the process ends there, its
transaction is rolled back, its task is lost. Then the sweeper and a second press do what
they do in life.
"""

from datetime import timedelta
from typing import Any

import pytest

from club import gateway
from club.domain import checkouts, provider_events, refunds, sync
from club.enums import CheckoutStatus, RefundReason, RefundStatus
from club.models import Checkout, Customer, LedgerEntry, Member, ProviderEvent, Refund, User
from club.tasks import sweep_payments
from concierge.enums import SubscriptionStatus
from concierge.models import Plan, SubscriptionPeriod
from tests.club.payments.house import House, money_here


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


def cut(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, *, after: bool) -> None:
    """End the process before a step, or just after it, once."""
    whole = getattr(where, name)
    left = [1]

    def cut_off(*args: Any, **kwargs: Any) -> Any:
        if not left:
            return whole(*args, **kwargs)
        left.clear()
        if after:
            whole(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(where, name, cut_off)


PRESS = [
    (gateway, "make_customer"),
    (gateway, "name_customer"),
    (gateway, "price_id"),
    (gateway, "open_page"),
    (checkouts, "introduce"),
    (checkouts, "facts_of"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "name"), PRESS, ids=[name for _where, name in PRESS])
@pytest.mark.django_db(transaction=True)
def test_a_press_that_dies_is_pressed_again(
    house: House,
    samira: Member,
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    after: bool,
) -> None:
    subscription = house.subscribe(samira, plan)
    cut(monkeypatch, where, name, after=after)
    with pytest.raises(Killed):
        house.url(samira, subscription)
    house.forget()
    house.url(samira, subscription)
    checkout = Checkout.objects.get(status=CheckoutStatus.OPEN)
    assert len(house.objects("checkout.sessions")) == 1
    assert Customer.objects.count() == len(house.objects("customers")) == 1
    house.pay(checkout)
    house.hear()
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert money_here() == house.money_there() == 1200


READING = [
    (sync, "begin_reading"),
    (gateway, "read"),
    (sync, "write_down"),
    (sync, "issue_receipt"),
    (sync, "enter"),
    (sync, "tell"),
    (sync, "move"),
    (sync.Reading, "settle"),
    (sync.Reading, "set_states"),
    (sync.Reading, "set_renewal"),
    (provider_events, "sync"),
    (provider_events, "done"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "name"), READING, ids=[name for _where, name in READING])
@pytest.mark.django_db(transaction=True)
def test_a_reading_that_dies_is_read_again(
    house: House,
    samira: Member,
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    after: bool,
) -> None:
    subscription = house.subscribe(samira, plan)
    house.pay(house.begin(samira, subscription))
    provider_events.fetch_lost(house.now)
    cut(monkeypatch, where, name, after=after)
    with pytest.raises(Killed):
        house.work()
    house.forget()
    house.pass_time(minutes=3)
    sweep_payments(house.now)
    house.work()
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.provider_id is not None
    assert SubscriptionPeriod.objects.count() == 1
    assert LedgerEntry.objects.filter(kind="payment").count() == 1
    assert [receipt.number for receipt in samira.household.receipts.all()] == [1]
    assert not ProviderEvent.objects.filter(done_at=None).exists()
    assert money_here() == house.money_there() == 1200


GIVING_BACK = [
    (refunds, "send_refund"),
    (gateway, "give_back"),
    (refunds, "named"),
    (sync.Reading, "enter_refund"),
    (sync.Reading, "settle_refund"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("where", "name"), GIVING_BACK, ids=[x[1] for x in GIVING_BACK])
@pytest.mark.django_db(transaction=True)
def test_a_refund_that_dies_is_given_once(
    house: House,
    samira: Member,
    plan: Plan,
    concierge_user: User,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    after: bool,
) -> None:
    house.subscribed(samira, plan)
    entry = LedgerEntry.objects.get(kind="payment")
    refunds.ask_refund(entry, 1200, RefundReason.MISTAKE, by=concierge_user, now=house.now)
    cut(monkeypatch, where, name, after=after)
    with pytest.raises(Killed):
        house.work()
    house.forget()
    house.pass_time(days=2)
    sweep_payments(house.now)
    house.hear()
    house.pass_time(minutes=5)
    sweep_payments(house.now + timedelta(minutes=5))
    assert Refund.objects.get().status == RefundStatus.DONE
    assert len(house.objects("refunds")) == 1
    assert money_here() == house.money_there() == 0
