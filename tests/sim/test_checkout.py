"""The hosted page's outcomes, and what the objects say after each."""

import pytest
import stripe

from tests.sim.shop import Shop
from tests.stripesim.process import SimError


def last_session(shop: Shop) -> stripe.checkout.Session:
    return shop.v1.checkout.sessions.list({"limit": 1}).data[0]


def test_a_session_waits_with_its_page(shop: Shop) -> None:
    session = shop.session(
        shop.customer(),
        locale="fr",
        client_reference_id="household-7",
        metadata={"checkout": "9"},
        allowed_payment_method_types=["card", "sepa_debit"],
    )
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.url.startswith(shop.sim.base + "/c/pay/cs_test_")
    assert (session.subscription, session.payment_intent, session.invoice) == (None, None, None)
    assert session.payment_method_types == ["card", "sepa_debit"]
    assert session.amount_total == 1_200
    assert session.expires_at - session.created == 86_400
    assert shop.v1.checkout.sessions.retrieve(session.id).metadata.to_dict() == {"checkout": "9"}


def test_what_the_session_offers_is_what_the_account_has(shop: Shop) -> None:
    shop.sim.control("mode", offered_methods=["card"])
    session = shop.session(shop.customer(), allowed_payment_method_types=["card", "sepa_debit"])
    assert session.allowed_payment_method_types == ["card", "sepa_debit"]
    assert session.payment_method_types == ["card"]
    with pytest.raises(SimError, match="does not offer sepa_debit"):
        shop.pay(session, "sepa_debit")


def test_paid_by_card(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.session(customer, subscription_data={"metadata": {"household": "7"}})
    shop.pay(session)
    session = shop.v1.checkout.sessions.retrieve(session.id)
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    subscription = shop.v1.subscriptions.retrieve(session.subscription)
    assert (subscription.status, subscription.latest_invoice) == ("active", session.invoice)
    assert subscription.metadata.to_dict() == {"household": "7"}
    invoice = shop.v1.invoices.retrieve(session.invoice)
    assert (invoice.status, invoice.amount_paid, invoice.amount_remaining) == ("paid", 1_200, 0)
    assert invoice.billing_reason == "subscription_create"
    assert invoice.parent.subscription_details.metadata.to_dict() == {"household": "7"}
    assert invoice.number.endswith("-0001")
    means = shop.v1.payment_methods.list({"customer": customer.id}).data
    assert [(x.id, x.type, x.card.last4) for x in means] == [
        (subscription.default_payment_method, "card", "4242")
    ]
    assert shop.events() == [
        "customer.created",
        "product.created",
        "price.created",
        "payment_intent.created",
        "payment_method.attached",
        "customer.subscription.created",
        "invoice.created",
        "customer.subscription.updated",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]


@pytest.mark.parametrize("pending", ["active", "incomplete"])
def test_a_debit_under_way_then_settled(shop: Shop, pending: str) -> None:
    shop.sim.control("mode", sepa_pending_status=pending)
    subscription = shop.subscribe("sepa_debit")
    session = last_session(shop)
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert subscription.status == pending
    assert [x.status for x in shop.invoices(subscription)] == ["open"]
    intent = shop.intent(subscription)
    assert intent.status == "processing"
    charge = shop.v1.charges.list({"payment_intent": intent.id}).data[0]
    assert (charge.status, charge.paid) == ("pending", False)
    mandate = shop.v1.mandates.retrieve(charge.payment_method_details.sepa_debit.mandate)
    assert (mandate.status, mandate.type) == ("active", "multi_use")

    shop.sim.control("sepa", payment_intent=intent.id, outcome="settle")
    assert shop.again(subscription).status == "active"
    assert [x.status for x in shop.invoices(subscription)] == ["paid"]
    assert last_session(shop).payment_status == "paid"
    told = shop.events()
    for name in ("charge.succeeded", "invoice.paid", "checkout.session.async_payment_succeeded"):
        assert told.count(name) == 1


@pytest.mark.parametrize(
    ("pending", "after"), [("active", "past_due"), ("incomplete", "incomplete")]
)
def test_a_debit_under_way_then_returned(shop: Shop, pending: str, after: str) -> None:
    shop.sim.control("mode", sepa_pending_status=pending)
    subscription = shop.subscribe("sepa_debit")
    intent = shop.intent(subscription)
    shop.sim.control("sepa", payment_intent=intent.id, outcome="fail", code="debit_not_authorized")
    assert shop.again(subscription).status == after
    assert [x.status for x in shop.invoices(subscription)] == ["open"]
    intent = shop.v1.payment_intents.retrieve(intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error.code == "debit_not_authorized"
    charge = shop.v1.charges.retrieve(intent.latest_charge)
    assert (charge.status, charge.failure_code) == ("failed", "debit_not_authorized")
    mandate = charge.payment_method_details.sepa_debit.mandate
    assert shop.v1.mandates.retrieve(mandate).status == "inactive"
    assert last_session(shop).payment_status == "unpaid"
    told = shop.events()
    assert told.count("checkout.session.async_payment_failed") == 1
    assert told.count("mandate.updated") == 1
    assert "invoice.paid" not in told


def test_a_session_tells_once_how_its_debit_ended(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    intent = shop.intent(subscription)
    shop.sim.control("sepa", payment_intent=intent.id, outcome="fail")
    shop.advance(days=3, seconds=5)
    shop.sim.control("sepa", payment_intent=intent.id, outcome="settle")
    assert shop.again(subscription).status == "active"
    told = [x for x in shop.events() if "async" in x]
    assert told == ["checkout.session.async_payment_failed"]


def test_a_first_debit_returned_late_ends_an_incomplete_subscription(shop: Shop) -> None:
    shop.sim.control("mode", sepa_pending_status="incomplete")
    subscription = shop.subscribe("sepa_debit", outcome="insufficient_funds")
    shop.advance(days=4)
    assert shop.again(subscription).status == "incomplete"
    shop.advance(days=1)
    assert shop.again(subscription).status == "incomplete_expired"
    assert [x.status for x in shop.invoices(subscription)] == ["void"]


def test_all_debits_end_by_a_seeded_rate(shop: Shop) -> None:
    for _ in range(20):
        shop.subscribe("sepa_debit")
    ended = shop.sim.control("sepa_all", fail_rate=0.4, seed=3)
    assert (sum(ended.values()), 2 < ended["failed"] < 18) == (20, True)
    state = shop.sim.control("state")
    assert state["total"]["received"] == ended["settled"] * 1_200
    assert len(state["paid_periods"]) == ended["settled"]
    assert shop.sim.control("sepa_all") == {"settled": 0, "failed": 0}


def test_a_debit_settles_by_the_clock(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    shop.advance(days=5)
    assert [x.status for x in shop.invoices(subscription)] == ["paid"]


@pytest.mark.parametrize(
    ("outcome", "decline_code"),
    [("declined", "generic_decline"), ("insufficient_funds", "insufficient_funds")],
)
def test_a_card_refused_leaves_the_page_open(shop: Shop, outcome: str, decline_code: str) -> None:
    customer = shop.customer()
    session = shop.session(customer)
    assert shop.pay(session, outcome=outcome)["ended"] == "declined"
    assert shop.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert shop.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data == []
    intent = shop.v1.payment_intents.list({"customer": customer.id}).data[0]
    assert intent.last_payment_error.decline_code == decline_code
    assert shop.events()[-2:] == ["charge.failed", "payment_intent.payment_failed"]

    assert shop.pay(session)["ended"] == "complete"
    charges = shop.v1.charges.list({"payment_intent": intent.id}).data
    assert [x.status for x in charges] == ["succeeded", "failed"]
    assert shop.sim.control("state")["total"]["received"] == 1_200


@pytest.mark.parametrize(("passed", "ended"), [(True, "complete"), (False, "declined")])
def test_the_bank_asks(shop: Shop, passed: bool, ended: str) -> None:
    session = shop.session(shop.customer())
    assert shop.pay(session, outcome="authenticate")["ended"] == "requires_action"
    assert shop.events()[-1] == "payment_intent.requires_action"
    answer = shop.sim.control("authenticate", session=session.id, passed=passed)
    assert answer["ended"] == ended
    received = shop.sim.control("state")["total"]["received"]
    assert received == (1_200 if passed else 0)


def test_a_payment_once(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.once(customer, payment_intent_data={"metadata": {"deposit": "3"}})
    shop.pay(session)
    session = shop.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (session.payment_status, session.subscription) == ("paid", None)
    assert session.payment_intent.amount_received == 2_500
    assert session.payment_intent.metadata.to_dict() == {"deposit": "3"}
    charge = shop.v1.charges.retrieve(session.payment_intent.latest_charge)
    assert charge.metadata.to_dict() == {"deposit": "3"}


def test_a_debit_once(shop: Shop) -> None:
    session = shop.once(shop.customer())
    shop.pay(session, "sepa_debit")
    intent = shop.v1.checkout.sessions.retrieve(session.id).payment_intent
    shop.sim.control("sepa", payment_intent=intent, outcome="fail")
    assert shop.events()[-1] == "checkout.session.async_payment_failed"
    with pytest.raises(SimError, match="No debit is under way"):
        shop.sim.control("sepa", payment_intent=intent)


def test_a_page_expires_by_itself_or_by_hand(shop: Shop) -> None:
    now = shop.sim.control("clock")["now"]
    first = shop.session(shop.customer(), expires_at=now + 1_900)
    second = shop.session(shop.customer())
    shop.advance(seconds=2_000)
    expired = shop.v1.checkout.sessions.retrieve(first.id)
    assert (expired.status, expired.url) == ("expired", None)
    assert shop.v1.checkout.sessions.expire(second.id).status == "expired"
    assert shop.events().count("checkout.session.expired") == 2
    third = shop.session(shop.customer())
    shop.pay(third, outcome="declined")
    shop.v1.checkout.sessions.expire(third.id)
    intent = shop.v1.payment_intents.list({"customer": third.customer}).data[0]
    assert (intent.status, intent.cancellation_reason) == ("canceled", "expired")
    with pytest.raises(stripe.InvalidRequestError, match="can be expired"):
        shop.v1.checkout.sessions.expire(second.id)
    assert shop.v1.checkout.sessions.list({"status": "open"}).data == []


def test_paid_after_it_expired_only_where_control_allows(shop: Shop) -> None:
    session = shop.session(shop.customer())
    shop.v1.checkout.sessions.expire(session.id)
    with pytest.raises(SimError, match="is expired"):
        shop.pay(session)
    shop.sim.control("mode", allow_pay_expired=True)
    assert shop.pay(session)["ended"] == "complete"
    assert last_session(shop).payment_status == "paid"


def test_a_page_is_paid_once(shop: Shop) -> None:
    session = shop.session(shop.customer())
    shop.pay(session)
    with pytest.raises(SimError, match="is complete"):
        shop.pay(session)
    assert shop.sim.control("state")["total"]["received"] == 1_200


def test_two_pages_paid_take_twice_the_money(shop: Shop) -> None:
    customer = shop.customer()
    for session in [shop.session(customer), shop.session(customer)]:
        shop.pay(session)
    assert len(shop.v1.subscriptions.list({"customer": customer.id}).data) == 2
    totals = shop.sim.control("state")["customers"][customer.id]
    assert totals == {"received": 2_400, "refunded": 0, "disputed": 0, "pending": 0}


def test_a_mandate_s_reference_may_begin_with_our_name(shop: Shop) -> None:
    options = {"sepa_debit": {"mandate_options": {"reference_prefix": "TILLEULS"}}}
    session = shop.session(shop.customer(), payment_method_options=options)
    shop.pay(session, "sepa_debit")
    charge = shop.v1.charges.list().data[0]
    mandate = shop.v1.mandates.retrieve(charge.payment_method_details.sepa_debit.mandate)
    reference = mandate.payment_method_details.sepa_debit.reference
    assert (reference[:8], len(reference)) == ("TILLEULS", 24)
    with pytest.raises(stripe.APIError, match=r"not model the parameter payment_method_options\[c"):
        shop.session(
            shop.customer(), payment_method_options={"card": {"request_three_d_secure": "any"}}
        )


def test_a_means_kept_without_money(shop: Shop) -> None:
    customer = shop.customer()
    session = shop.session(customer, mode="setup", line_items=[], currency="eur")
    shop.pay(session, "sepa_debit")
    session = shop.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert session.payment_status == "no_payment_required"
    assert session.setup_intent.status == "succeeded"
    method = shop.v1.payment_methods.retrieve(session.setup_intent.payment_method)
    assert (method.customer, method.sepa_debit.country) == (customer.id, "FR")
    assert shop.sim.control("state")["total"]["received"] == 0
