"""Refunds, disputes and the balance: cents that add up."""

import pytest
import stripe

from tests.sim.shop import Shop
from tests.stripesim.process import SimError


def balance(shop: Shop) -> list[tuple[str, int, int, int]]:
    """Oldest first: type, amount, fee, net."""
    found = shop.v1.balance_transactions.list({"limit": 100}).data
    return [(x.type, x.amount, x.fee, x.net) for x in found][::-1]


def test_a_charge_with_its_fee(shop: Shop) -> None:
    shop.subscribe()
    assert balance(shop) == [("charge", 1_200, 43, 1_157)]


def test_a_debit_is_in_the_balance_when_it_settled(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    assert balance(shop) == []
    shop.sim.control("sepa", payment_intent=shop.intent(subscription).id)
    assert balance(shop) == [("payment", 1_200, 35, 1_165)]


def test_no_fees_where_control_says_so(shop: Shop) -> None:
    shop.sim.control("mode", fees="none")
    shop.subscribe()
    assert balance(shop) == [("charge", 1_200, 0, 1_200)]


def test_a_card_is_refunded_in_parts_and_never_more(shop: Shop) -> None:
    subscription = shop.subscribe()
    intent = shop.intent(subscription)
    part = {"payment_intent": intent.id, "amount": 500, "metadata": {"refund": "4"}}
    first = shop.v1.refunds.create(part)
    assert (first.status, first.charge, first.metadata["refund"]) == (
        "succeeded",
        intent.latest_charge,
        "4",
    )
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as caught:
        shop.v1.refunds.create({"payment_intent": intent.id, "amount": 701})
    assert caught.value.param == "amount"
    charge = shop.v1.charges.retrieve(intent.latest_charge)
    assert (charge.amount_refunded, charge.refunded) == (500, False)
    shop.v1.refunds.create({"payment_intent": intent.id})
    charge = shop.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (1_200, True)
    assert [x.amount for x in charge.refunds.data] == [700, 500]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.refunds.create({"payment_intent": intent.id})
    assert caught.value.code == "charge_already_refunded"
    assert [x.amount for x in shop.v1.refunds.list({"payment_intent": intent.id}).data] == [
        700,
        500,
    ]
    assert balance(shop)[1:] == [("refund", -500, 0, -500), ("refund", -700, 0, -700)]
    assert shop.events().count("charge.refunded") == 2


def test_a_debit_s_refund_is_pending_then_settles(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    intent = shop.intent(subscription)
    with pytest.raises(stripe.InvalidRequestError, match="successful charge to refund"):
        shop.v1.refunds.create({"payment_intent": intent.id})
    shop.sim.control("sepa", payment_intent=intent.id)
    made = shop.v1.refunds.create({"payment_intent": intent.id})
    assert (made.status, made.pending_reason) == ("pending", "processing")
    shop.advance(days=5)
    assert shop.v1.refunds.retrieve(made.id).status == "succeeded"


@pytest.mark.parametrize("method", ["card", "sepa_debit"])
def test_a_refund_that_comes_back(shop: Shop, method: str) -> None:
    subscription = shop.subscribe(method)
    intent = shop.intent(subscription)
    if method == "sepa_debit":
        shop.sim.control("sepa", payment_intent=intent.id)
    made = shop.v1.refunds.create({"payment_intent": intent.id})
    shop.sim.control("refund", refund=made.id, outcome="failed")
    failed = shop.v1.refunds.retrieve(made.id)
    assert (failed.status, failed.failure_reason) == ("failed", "declined")
    assert balance(shop)[-1] == ("refund_failure", 1_200, 0, 1_200)
    totals = shop.sim.control("state")["total"]
    assert (totals["received"], totals["refunded"]) == (1_200, 0)
    assert "refund.failed" in shop.events()
    with pytest.raises(SimError, match="already ended"):
        shop.sim.control("refund", refund=made.id)


def test_a_card_dispute_takes_the_money_until_it_is_won(shop: Shop) -> None:
    subscription = shop.subscribe()
    intent = shop.intent(subscription)
    opened = shop.sim.control("dispute", payment_intent=intent.id)
    found = shop.v1.disputes.list({"payment_intent": intent.id}).data[0]
    assert (found.id, found.status, found.reason) == (
        opened["id"],
        "needs_response",
        "fraudulent",
    )
    assert shop.v1.charges.retrieve(found.charge).disputed is True
    with pytest.raises(stripe.InvalidRequestError, match="charged back"):
        shop.v1.refunds.create({"payment_intent": intent.id})
    assert shop.sim.control("state")["total"]["disputed"] == 1_200
    shop.sim.control("dispute", dispute=found.id, outcome="won")
    assert shop.v1.disputes.retrieve(found.id).status == "won"
    assert balance(shop)[1:] == [
        ("adjustment", -1_200, 2_000, -3_200),
        ("adjustment", 1_200, 0, 1_200),
    ]
    assert shop.sim.control("state")["total"]["disputed"] == 0
    assert [x for x in shop.events() if "dispute" in x] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


@pytest.mark.parametrize(
    ("method", "number", "status"),
    [
        ("card", "4000 0000 0000 0259", "needs_response"),
        ("sepa_debit", "FR57 2004 1010 0505 0001 3M02 608", "lost"),
    ],
)
def test_numbers_whose_payers_take_the_money_back(
    shop: Shop, method: str, number: str, status: str
) -> None:
    subscription = shop.subscribe(method, number=number)
    shop.advance(days=5)
    assert [x.status for x in shop.v1.disputes.list().data] == [status]
    assert shop.invoices(subscription)[0].status == "paid"


def test_an_inquiry_takes_no_money(shop: Shop) -> None:
    intent = shop.intent(shop.subscribe())
    asked = shop.sim.control("dispute", payment_intent=intent.id, inquiry=True)
    assert (asked["status"], asked["balance_transactions"]) == ("warning_needs_response", [])
    assert shop.sim.control("state")["total"]["disputed"] == 0
    shop.v1.refunds.create({"payment_intent": intent.id})
    shop.sim.control("dispute", dispute=asked["id"], outcome="won")
    assert shop.v1.disputes.retrieve(asked["id"]).status == "warning_closed"
    assert "charge.dispute.funds_withdrawn" not in shop.events()


def test_a_debit_has_ids_of_its_own_kind(shop: Shop) -> None:
    intent = shop.intent(shop.subscribe("sepa_debit"))
    shop.sim.control("sepa", payment_intent=intent.id)
    refund = shop.v1.refunds.create({"payment_intent": intent.id})
    assert (refund.charge[:3], refund.id[:4]) == ("py_", "pyr_")


def test_a_debit_taken_back_is_lost_at_once(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    intent = shop.intent(subscription)
    with pytest.raises(SimError, match="took no money"):
        shop.sim.control("dispute", payment_intent=intent.id)
    shop.sim.control("sepa", payment_intent=intent.id)
    shop.sim.control("dispute", payment_intent=intent.id)
    found = shop.v1.disputes.list().data[0]
    assert (found.status, found.reason) == ("lost", "debit_not_authorized")
    assert [x for x in shop.events() if "dispute" in x or "mandate" in x] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "mandate.updated",
        "charge.dispute.closed",
    ]
    assert shop.invoices(subscription)[0].status == "paid"


def test_the_balance_adds_up_with_the_totals(shop: Shop) -> None:
    shop.sim.control("mode", fees="none")
    first, second, third = (shop.subscribe() for _ in range(3))
    shop.v1.refunds.create({"payment_intent": shop.intent(first).id, "amount": 300})
    shop.sim.control("dispute", payment_intent=shop.intent(second).id)
    totals = shop.sim.control("state")["total"]
    net = totals["received"] - totals["refunded"] - totals["disputed"]
    assert sum(x[3] for x in balance(shop)) == net == 2_100
    assert shop.sim.control("state")["customers"][third.customer]["received"] == 1_200
