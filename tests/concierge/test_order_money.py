"""The money of goods: one balance a household, charged, credited, paid in beforehand."""

from typing import Any

import pytest
from django.db.models import Sum

from club.domain.checkouts import due_of_subject
from club.domain.journal import as_fec, lines_of
from club.domain.receipts import cancel_receipt, take_payment
from club.enums import Account, Means
from club.kernel.invariants import all_invariants
from club.kernel.purchases import due_of, on_request_of
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import LedgerEntry, Member, Message, User
from concierge.domain.deliveries import make_of, send_due
from concierge.domain.order_fees import balance, owed, top_up_kind
from concierge.domain.orders import cancel_order, change_order, place_order
from concierge.domain.standing import stand
from concierge.enums import BAKED_FOR, OrderStatus
from concierge.models import Delivery, Order
from tests.factories.club import MemberFactory
from tests.factories.money import TillDayFactory
from tests.factories.orders import (
    NOW,
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    product_of,
)

pytestmark = pytest.mark.django_db


def broken() -> list[str]:
    return [line for one in all_invariants() for line in one.violations()]


@pytest.fixture
def delivery(member: Member) -> Delivery:
    """A basket of 12 €; nobody owes more than 30 €."""
    round = DeliveryRoundFactory(place=member.place, most_owed_cents=30_00)
    return DeliveryFactory(round=round)


def pay(member: Member, desk: User, lines: Any) -> Any:
    return take_payment(
        member=member, place=member.place, lines=lines, means=Means.CASH, by=desk, now=NOW
    )


def test_what_is_ordered_is_owed_and_what_is_cancelled_is_credited(
    delivery: Delivery, member: Member
) -> None:
    basket = product_of(delivery).public_id
    made = OrderFactory(delivery=delivery, member=member)
    by = {"by": member.user, "now": NOW}
    assert (balance(member.household), owed(member.household)) == (-12_00, 12_00)
    change_order(made, {basket: 2}, **by)
    change_order(made, {basket: 1}, **by)
    change_order(made, {basket: 2}, **by)
    assert balance(member.household) == -24_00
    entries = LedgerEntry.objects.order_by("pk").values_list("cents", flat=True)
    assert list(entries) == [-1200, 1200, -2400, 2400, -1200, 1200, -2400]
    cancel_order(made, **by)
    assert balance(member.household) == 0
    debit = {line.account[0]: (line.debit, line.credit) for line in lines_of(
        member.place, local_day(NOW), local_day(NOW))}  # fmt: skip
    assert set(debit) == {"411", "707"}
    assert "707" in "".join(as_fec(lines_of(member.place, local_day(NOW), local_day(NOW))))
    assert broken() == []


def test_above_the_limit_one_pays_first_at_the_desk_or_on_line(
    delivery: Delivery, member: Member, concierge_user: User
) -> None:
    """The whole household counts, whoever of it ordered."""
    TillDayFactory(place=member.place, opened_by=concierge_user)
    other = MemberFactory(place=member.place, household=member.household)
    basket = product_of(delivery).public_id
    OrderFactory(delivery=delivery, member=member, lines={basket: 2})
    more = {"delivery": delivery, "lines": {basket: 1}, "by": other.user, "now": NOW}
    with pytest.raises(Refused) as found:
        place_order(member=other, **more)
    assert found.value.codes == ["owes_too_much"]
    assert found.value.reasons[0].facts == {"owed": 24_00, "missing": 6_00}
    (due,) = due_of(member.household, NOW)
    assert (due.kind, due.cents, due.subject_id) == ("goods", 24_00, member.household_id)
    receipt = pay(member, concierge_user, [due])
    assert balance(member.household) == 0
    place_order(member=other, **more)
    cancel_receipt(receipt, by=concierge_user, now=NOW)
    assert balance(member.household) == -36_00
    assert broken() == []


def test_money_paid_in_beforehand_is_asked_for_and_owed_by_nobody(
    delivery: Delivery, member: Member, concierge_user: User
) -> None:
    delivery.round.most_owed_cents = 0
    delivery.round.save()
    TillDayFactory(place=member.place, opened_by=concierge_user)
    with pytest.raises(Refused) as found:
        OrderFactory(delivery=delivery, member=member)
    assert found.value.reasons[0].facts == {"owed": 0, "missing": 12_00}
    assert due_of(member.household, NOW) == []
    offered = on_request_of(member.household, NOW)
    assert [due.cents for due in offered] == [10_00, 20_00, 50_00]
    kind = top_up_kind(20_00)
    assert due_of_subject(member.household, kind, member.household_id, NOW) == offered[1]
    pay(member, concierge_user, [offered[1]])
    OrderFactory(delivery=delivery, member=member)
    assert (balance(member.household), due_of(member.household, NOW)) == (8_00, [])
    assert broken() == []


def test_a_standing_order_is_charged_at_each_cut_off_and_not_before(
    member: Member, other_member: Member
) -> None:
    """Six baskets ahead owe nothing; who owes too much at the cut-off gets none, and is told."""
    round = DeliveryRoundFactory(place=member.place, most_owed_cents=20_00)
    make_of(round, NOW)
    lines = {round.goods.get().product.public_id: 1}
    for one in (member, other_member):
        assert len(stand(member=one, round=round, lines=lines, by=one.user, now=NOW).made) == 6
        assert balance(one.household) == 0
    first, second = Delivery.objects.order_by("day")[:2]
    send_due(first.cutoff_at)
    assert balance(member.household) == balance(other_member.household) == -12_00
    pay_in = LedgerEntry.objects.get(household=member.household)
    assert (pay_in.account, pay_in.subject_kind) == (Account.GOODS, "order")
    LedgerEntry.objects.create(
        kind="payment", account=Account.GOODS, cents=12_00, place=member.place,
        household=member.household, subject_kind="goods", subject_id=member.household_id,
        label="payé", source="test:1", means=Means.CASH, at=NOW,
    )  # fmt: skip
    send_due(second.cutoff_at)
    assert balance(member.household) == balance(other_member.household) == -12_00
    dropped = Order.objects.get(delivery=second, member=other_member)
    assert dropped.status == OrderStatus.CANCELLED
    second.refresh_from_db()
    assert second.ordered == 1
    told = Message.objects.filter(event="order.unpaid").values_list("member", "facts")
    assert list(told) == [(other_member.pk, {"owed": 12_00, "missing": 4_00})]
    assert broken() == []


def test_the_ledger_is_the_orders(delivery: Delivery, member: Member) -> None:
    for number in range(1, 4):
        one = MemberFactory(place=member.place)
        made = OrderFactory(
            delivery=delivery, member=one, lines={product_of(delivery).public_id: min(number, 2)}
        )
    cancel_order(made, by=made.member.user, now=NOW)
    charged = LedgerEntry.objects.filter(account=Account.GOODS).aggregate(sum=Sum("cents"))["sum"]
    baked = Order.objects.filter(status__in=BAKED_FOR).aggregate(sum=Sum("total_cents"))["sum"]
    assert -charged == baked == 36_00
