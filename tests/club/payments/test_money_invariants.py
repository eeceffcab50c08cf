"""What always holds of money: each rule finds the fault that it is there for, and no other."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from club.domain.receipts import cancel_receipt, take_payment
from club.domain.refunds import ask_refund
from club.enums import RefundReason
from club.guards import ENTRIES_STAY, RECEIPTS_STAY
from club.kernel import guards
from club.kernel.invariants import all_invariants
from club.models import LedgerEntry, Member, Receipt, ReceiptSeries, Refund, Right, User
from concierge.domain.subscriptions import due
from concierge.models import Plan, Subscription, SubscriptionPeriod
from tests.club.payments.house import House
from tests.factories.club import MemberFactory, UserFactory
from tests.factories.money import TillDayFactory


def broken() -> set[str]:
    return {one.name for one in all_invariants() if list(one.violations())}


@pytest.fixture
def town(house: House, samira: Member, plan: Plan, concierge_user: User) -> None:
    """A year paid on line, a part of it given back; another at the desk, cancelled again."""
    house.subscribed(samira, plan)
    entry = LedgerEntry.objects.get(kind="payment")
    ask_refund(entry, 200, RefundReason.MISTAKE, by=concierge_user, now=house.now)
    house.work()
    other = MemberFactory(place=samira.place)
    house.subscribe(other, plan)
    TillDayFactory(place=samira.place)
    receipt = take_payment(
        member=other, place=other.place, lines=list(due(other.household, house.now)),
        means="cash", by=concierge_user, now=house.now,
    )  # fmt: skip
    cancel_receipt(receipt, by=UserFactory(), now=house.now)
    assert broken() == set()
    for guard in (ENTRIES_STAY, RECEIPTS_STAY):
        guards.remove(guard)


FAULTS: dict[str, Callable[[], Any]] = {
    "receipts": lambda: ReceiptSeries.objects.update(last=99),
    "receipt-sums": lambda: Receipt.objects.filter(cents=-200).update(cents=-199),
    "reversals": lambda: LedgerEntry.objects.filter(reverses__kind="charge").update(cents=7),
    "online": lambda: LedgerEntry.objects.filter(kind="refund").update(source="hand:1"),
    "refunds": lambda: Refund.objects.update(cents=1201),
    "refunded": lambda: Refund.objects.update(provider_id="re_other"),
    "paid": lambda: SubscriptionPeriod.objects.filter(revoked_at=None).update(cents=1),
    "charged": lambda: LedgerEntry.objects.filter(kind="charge", reverses=None).update(cents=-7),
    "entitled": lambda: Right.objects.filter(revoked_at=None).update(origin="period:0"),
    "subscription-log": lambda: Subscription.objects.filter(status="active").update(status="late"),
    "refund-log": lambda: Refund.objects.update(status="failed"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_found(house: House, town: None, name: str) -> None:
    assert FAULTS[name]()
    assert name in broken()


def test_a_receipt_that_is_gone_leaves_a_gap(house: House, town: None) -> None:
    receipt = Receipt.objects.filter(cents=-200).get()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE club_receipt SET number = 77 WHERE id = %s", [receipt.pk])
    assert "receipts" in broken()
