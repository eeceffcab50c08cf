"""Renewals by the clock: periods, drafts, retries, ends."""

from itertools import pairwise

import pytest
import stripe

from tests.sim.shop import Shop, day, period_of


def statuses(shop: Shop, subscription: stripe.Subscription) -> list[str]:
    """Of the invoices, oldest first."""
    return [invoice.status for invoice in shop.invoices(subscription)][::-1]


@pytest.mark.parametrize(
    ("start", "interval", "ends"),
    [
        ("2027-01-31", "month", ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]),
        ("2027-12-31", "month", ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]),
        ("2028-02-29", "year", ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        ("2027-06-15", "year", ["2028-06-15", "2029-06-15"]),
        ("2027-06-15", "week", ["2027-06-22", "2027-06-29"]),
    ],
)
def test_periods_keep_their_anchor(shop: Shop, start: str, interval: str, ends: list[str]) -> None:
    shop.at(f"{start}T10:30:00")
    subscription = shop.subscribe(price=shop.price(interval=interval))
    seen = [period_of(subscription)]
    for _ in ends[1:]:
        shop.sim.control("renew", subscription=subscription.id)
        seen.append(period_of(shop.again(subscription)))
    assert [end for _, end in seen] == ends
    assert [begin for begin, _ in seen] == [start, *ends[:-1]]


def test_a_renewal_is_a_draft_for_an_hour_then_paid(shop: Shop) -> None:
    shop.at("2027-03-10T10:00:00")
    subscription = shop.subscribe(price=shop.price(100, "month"))
    shop.at("2027-04-10T10:00:00")
    draft = shop.invoices(subscription)[0]
    assert (draft.status, draft.number, draft.billing_reason) == (
        "draft",
        None,
        "subscription_cycle",
    )
    assert (day(draft.period_start), day(draft.period_end)) == ("2027-03-10", "2027-04-10")
    line = draft.lines.data[0]
    assert (day(line.period.start), day(line.period.end)) == ("2027-04-10", "2027-05-10")
    assert shop.again(subscription).status == "active"
    shop.advance(seconds=3_600)
    assert statuses(shop, subscription) == ["paid", "paid"]
    assert shop.v1.invoices.retrieve(draft.id).number.endswith("-0002")


def test_a_renewal_is_announced(shop: Shop) -> None:
    shop.at("2027-03-10T10:00:00")
    subscription = shop.subscribe(price=shop.price(100, "month"))
    shop.at("2027-04-03T10:00:00")
    told = shop.v1.events.list({"type": "invoice.upcoming"}).data
    assert len(told) == 1
    coming = told[0].data.object
    assert (coming["amount_due"], coming["billing_reason"]) == (100, "upcoming")
    assert day(coming["lines"]["data"][0]["period"]["start"]) == "2027-04-10"
    assert len(shop.invoices(subscription)) == 1


def test_many_years_in_one_step(shop: Shop) -> None:
    shop.at("2026-01-31T10:00:00")
    subscription = shop.subscribe(price=shop.price(100, "month"))
    shop.at("2036-01-31T12:00:00")
    periods = [invoice.lines.data[0].period for invoice in all_invoices(shop, subscription)]
    assert len(periods) == 121
    assert all(a.end == b.start for a, b in pairwise(periods))
    assert shop.sim.control("state")["total"]["received"] == 12_100


def all_invoices(shop: Shop, subscription: stripe.Subscription) -> list[stripe.Invoice]:
    wanted = {"subscription": subscription.id, "limit": 100}
    return list(shop.v1.invoices.list(wanted).auto_paging_iter())[::-1]


def test_an_amount_of_nothing_is_paid_at_once(shop: Shop) -> None:
    shop.at("2027-03-10T10:00:00")
    subscription = shop.subscribe(price=shop.price(100, "month"))
    free = shop.price(0, "month")
    item = subscription["items"].data[0].id
    shop.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item, "price": free.id}], "proration_behavior": "none"},
    )
    shop.at("2027-04-10T12:00:00")
    newest = shop.invoices(subscription)[0]
    assert (newest.status, newest.amount_paid) == ("paid", 0)
    assert shop.sim.control("state")["total"]["received"] == 100


@pytest.mark.parametrize(
    ("after", "status", "invoice"),
    [("cancel", "canceled", "open"), ("unpaid", "unpaid", "open"), ("past_due",) * 2 + ("open",)],
)
def test_a_card_that_fails_is_tried_again_then_given_up(
    shop: Shop, after: str, status: str, invoice: str
) -> None:
    shop.sim.control("mode", after_retries=after)
    subscription = shop.subscribe(outcome="declined_later")
    assert subscription.status == "active"
    shop.sim.control("renew", subscription=subscription.id)
    open_one = shop.invoices(subscription)[0]
    assert (open_one.status, open_one.attempt_count) == ("open", 1)
    assert open_one.next_payment_attempt is not None
    assert shop.again(subscription).status == "past_due"
    assert shop.v1.customers.retrieve(subscription.customer).delinquent is True
    for days, attempts in ((3, 2), (5, 3)):
        shop.advance(days=days, seconds=5)
        assert shop.v1.invoices.retrieve(open_one.id).attempt_count == attempts
    shop.advance(days=7, seconds=5)
    last = shop.v1.invoices.retrieve(open_one.id)
    assert (last.status, last.attempt_count, last.next_payment_attempt) == (invoice, 4, None)
    assert shop.again(subscription).status == status
    assert shop.events().count("invoice.payment_failed") == 4


def test_another_card_ends_the_debt_at_the_next_try(shop: Shop) -> None:
    subscription = shop.subscribe(outcome="declined_later")
    shop.sim.control("renew", subscription=subscription.id)
    shop.sim.control("portal", customer=subscription.customer, action="change")
    shop.advance(days=3, seconds=5)
    assert shop.again(subscription).status == "active"
    assert statuses(shop, subscription) == ["paid", "paid"]
    assert shop.v1.customers.retrieve(subscription.customer).delinquent is False


def test_an_invoice_is_paid_by_hand(shop: Shop) -> None:
    subscription = shop.subscribe(outcome="declined_later")
    shop.sim.control("renew", subscription=subscription.id)
    debt = shop.invoices(subscription)[0]
    with pytest.raises(stripe.CardError) as caught:
        shop.v1.invoices.pay(debt.id)
    assert (caught.value.code, caught.value.http_status) == ("card_declined", 402)
    shop.sim.control("means", payment_method=subscription.default_payment_method, behaviour="ok")
    assert shop.v1.invoices.pay(debt.id).status == "paid"
    assert shop.again(subscription).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="already paid"):
        shop.v1.invoices.pay(debt.id)


def test_paid_elsewhere(shop: Shop) -> None:
    subscription = shop.subscribe(outcome="declined_later")
    shop.sim.control("renew", subscription=subscription.id)
    debt = shop.invoices(subscription)[0]
    paid = shop.v1.invoices.pay(debt.id, {"paid_out_of_band": True})
    assert (paid.status, paid.amount_paid) == ("paid", 1_200)
    assert shop.sim.control("state")["total"]["received"] == 1_200


def test_a_debt_forgotten(shop: Shop) -> None:
    subscription = shop.subscribe(outcome="declined_later")
    shop.sim.control("renew", subscription=subscription.id)
    debt = shop.invoices(subscription)[0]
    assert shop.v1.invoices.mark_uncollectible(debt.id).status == "uncollectible"
    void = shop.v1.invoices.void_invoice(debt.id)
    assert (void.status, void.status_transitions.voided_at is not None) == ("void", True)
    intent = shop.v1.payment_intents.list({"customer": subscription.customer}).data[0]
    assert (intent.status, intent.cancellation_reason) == ("canceled", "void_invoice")
    with pytest.raises(stripe.InvalidRequestError, match="isn't open"):
        shop.v1.invoices.void_invoice(debt.id)


def test_an_invoice_whose_debit_is_under_way_is_left_alone(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    invoice = shop.invoices(subscription)[0]
    for call in (
        shop.v1.invoices.void_invoice,
        shop.v1.invoices.mark_uncollectible,
        shop.v1.invoices.pay,
    ):
        with pytest.raises(stripe.InvalidRequestError, match="payment under way"):
            call(invoice.id)
    shop.sim.control("sepa", payment_intent=shop.intent(subscription).id)
    assert statuses(shop, subscription) == ["paid"]


def test_an_older_debt_paid_does_not_make_up_for_the_newest(shop: Shop) -> None:
    shop.sim.control("mode", after_retries="past_due", retry_days=[])
    subscription = shop.subscribe(price=shop.price(100, "month"), outcome="declined_later")
    for _ in range(2):
        shop.sim.control("renew", subscription=subscription.id)
    means = subscription.default_payment_method
    shop.sim.control("means", payment_method=means, behaviour="ok")
    newest, older, _ = shop.invoices(subscription)
    shop.v1.invoices.pay(older.id)
    assert shop.again(subscription).status == "past_due"
    shop.v1.invoices.pay(newest.id)
    assert shop.again(subscription).status == "active"


def test_an_ended_subscription_s_debit_is_not_tried_again(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    intent = shop.intent(subscription)
    shop.v1.subscriptions.cancel(subscription.id)
    shop.sim.control("sepa", payment_intent=intent.id, outcome="fail")
    invoice = shop.invoices(subscription)[0]
    assert (invoice.status, invoice.next_payment_attempt) == ("open", None)
    shop.advance(days=20)
    assert shop.invoices(subscription)[0].attempt_count == 1


def test_a_sepa_renewal_is_under_way_for_days(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    shop.advance(days=5)
    shop.sim.control("renew", subscription=subscription.id)
    assert statuses(shop, subscription) == ["paid", "open"]
    assert shop.again(subscription).status == "active"
    assert shop.intent(shop.again(subscription)).status == "processing"
    shop.advance(days=5)
    assert statuses(shop, subscription) == ["paid", "paid"]


def test_a_sepa_renewal_returned_is_tried_again(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    shop.advance(days=5)
    means = {"payment_method": subscription.default_payment_method}
    shop.sim.control("means", **means, behaviour="insufficient_funds")
    shop.sim.control("renew", subscription=subscription.id)
    shop.advance(days=5)
    assert shop.again(subscription).status == "past_due"
    shop.sim.control("means", **means, behaviour="ok")
    shop.advance(days=3)
    assert shop.again(subscription).status == "past_due"
    shop.advance(days=5)
    assert shop.again(subscription).status == "active"
    assert statuses(shop, subscription) == ["paid", "paid"]


def test_ended_at_the_period_s_end(shop: Shop) -> None:
    subscription = shop.subscribe()
    end = subscription["items"].data[0].current_period_end
    ending = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert (ending.status, ending.cancel_at, ending.cancel_at_period_end) == ("active", end, True)
    assert ending.cancellation_details.reason == "cancellation_requested"
    shop.sim.control("renew", subscription=subscription.id)
    ended = shop.again(subscription)
    assert (ended.status, ended.ended_at, ended.canceled_at) == (
        "canceled",
        end,
        ending.canceled_at,
    )
    assert statuses(shop, subscription) == ["paid"]
    assert shop.events()[-1] == "customer.subscription.deleted"


def test_an_end_taken_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    for wanted in (True, False):
        found = shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": wanted})
    assert (found.cancel_at, found.canceled_at) == (None, None)
    shop.sim.control("renew", subscription=subscription.id)
    assert statuses(shop, subscription) == ["paid", "paid"]


def test_ended_at_once(shop: Shop) -> None:
    subscription = shop.subscribe()
    ended = shop.v1.subscriptions.cancel(
        subscription.id, {"cancellation_details": {"comment": "Déménagement"}}
    )
    assert (ended.status, ended.cancellation_details.comment) == ("canceled", "Déménagement")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.subscriptions.cancel(subscription.id)
    assert caught.value.code == "resource_missing"
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription"):
        shop.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    listed = {"customer": subscription.customer}
    assert shop.v1.subscriptions.list(listed).data == []
    for status in ("all", "ended", "canceled"):
        assert len(shop.v1.subscriptions.list({**listed, "status": status}).data) == 1


def test_a_first_debit_slower_than_the_period(shop: Shop) -> None:
    shop.sim.control("mode", sepa_pending_status="incomplete")
    subscription = shop.subscribe("sepa_debit", shop.price(100, "day"))
    shop.advance(days=5)
    assert statuses(shop, subscription) == ["paid", *["draft"] * 5]
    assert shop.again(subscription).status == "active"


def test_money_may_come_after_the_end(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    intent = shop.intent(subscription)
    shop.v1.subscriptions.cancel(subscription.id)
    shop.sim.control("sepa", payment_intent=intent.id)
    assert statuses(shop, subscription) == ["paid"]
    assert shop.again(subscription).status == "canceled"


def test_another_price_from_the_next_period_on(shop: Shop) -> None:
    """A tenant becomes an outsider."""
    subscription = shop.subscribe(price=shop.price(100, "month"))
    outsider = shop.price(500, "month")
    item = {"id": subscription["items"].data[0].id, "price": outsider.id}
    with pytest.raises(stripe.APIError, match="does not model prorations"):
        shop.v1.subscriptions.update(subscription.id, {"items": [item]})
    shop.v1.subscriptions.update(subscription.id, {"items": [item], "proration_behavior": "none"})
    shop.sim.control("renew", subscription=subscription.id)
    assert [x.amount_paid for x in shop.invoices(subscription)] == [500, 100]


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")],
)
def test_a_collection_paused(shop: Shop, behaviour: str, status: str) -> None:
    subscription = shop.subscribe()
    paused = {"pause_collection": {"behavior": behaviour}}
    shop.v1.subscriptions.update(subscription.id, paused)
    shop.sim.control("renew", subscription=subscription.id)
    assert statuses(shop, subscription) == ["paid", status]
    shop.v1.subscriptions.update(subscription.id, {"pause_collection": ""})
    shop.sim.control("renew", subscription=subscription.id)
    assert statuses(shop, subscription) == ["paid", status, "paid"]
