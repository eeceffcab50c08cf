"""Whatever is done, in whatever order: cents add up, periods join, events tell all."""

import itertools
import json
from typing import Any

import stripe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from stripe._encode import _api_encode

from tests.stripesim import billing, control
from tests.stripesim.errors import ApiError
from tests.stripesim.http import App, Call

HEADERS = {"Authorization": "Bearer sk_test_shop", "Stripe-Version": stripe.api_version}
MEANS = st.sampled_from(["card", "sepa_debit"])
BEHAVIOUR = st.sampled_from(["ok", "ok", "declined_later", "insufficient_funds", "dispute"])
DAYS = st.sampled_from([0, 1, 3, 5, 9, 31, 62])
NTH = st.integers(min_value=0, max_value=50)
# Every change of these is told by an event; the rest changes silently, as at the real service.
TOLD = (
    "subscription",
    "checkout.session",
    "invoice",
    "payment_intent",
    "refund",
    "dispute",
    "mandate",
    "payment_method",
)


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.app = App()
        self.store = self.app.store
        self.control("mode", fees="none")
        self.events: list[dict[str, Any]] = []

    def api(self, verb: str, path: str, **params: Any) -> Any:
        pairs = [(name, str(value)) for name, value in _api_encode(params)]
        call = Call(verb, f"/v1/{path}", pairs, HEADERS, self.store.token(8), None)
        answer = self.app.answer(call)
        assert answer.status not in (500, 501), answer.body
        return json.loads(answer.body) if answer.status == 200 else None

    def control(self, verb: str, **wanted: Any) -> Any:
        """None where the state refuses it, as it may."""
        try:
            return control.VERBS[verb](self.app, **wanted)
        except ApiError:
            return None

    def nth(self, kind: str, n: int) -> dict[str, Any] | None:
        things = list(self.store.tables[kind].values())
        return things[n % len(things)] if things else None

    @initialize()
    def shop(self) -> None:
        self.prices = [
            self.api(
                "POST",
                "prices",
                currency="eur",
                unit_amount=cents,
                recurring={"interval": "month"},
                product_data={"name": "Abonnement"},
            )["id"]
            for cents in (100, 500)
        ]
        self.customers = [self.api("POST", "customers")["id"] for _ in range(2)]
        for n, means in enumerate(("card", "sepa_debit")):
            self.open_page(n, n)
            self.pay_page(n, means, "ok")

    @rule(n=NTH, price=NTH)
    def open_page(self, n: int, price: int) -> None:
        self.api(
            "POST",
            "checkout/sessions",
            mode="subscription",
            customer=self.customers[n % 2],
            line_items=[{"price": self.prices[price % 2], "quantity": 1}],
            success_url="https://shop.example/",
        )

    @rule(n=NTH, means=MEANS, behaviour=BEHAVIOUR)
    def pay_page(self, n: int, means: str, behaviour: str) -> None:
        session = self.nth("checkout.session", n)
        if session:
            self.control("pay_session", session=session["id"], method=means, outcome=behaviour)

    @rule(
        pending=st.sampled_from(["active", "incomplete"]),
        after=st.sampled_from(["cancel", "unpaid", "past_due"]),
    )
    def switch(self, pending: str, after: str) -> None:
        self.control("mode", sepa_pending_status=pending, after_retries=after)

    @rule(days=DAYS)
    def wait(self, days: int) -> None:
        self.control("clock", advance_seconds=days * 86_400 + 7_200)

    @rule(
        n=NTH,
        outcome=st.sampled_from(["settle", "fail"]),
        code=st.sampled_from(["insufficient_funds", "debit_not_authorized"]),
    )
    def end_debit(self, n: int, outcome: str, code: str) -> None:
        intent = self.nth("payment_intent", n)
        if intent:
            self.control("sepa", payment_intent=intent["id"], outcome=outcome, code=code)

    @rule(n=NTH, amount=st.one_of(st.none(), st.integers(min_value=1, max_value=120)))
    def give_back(self, n: int, amount: int | None) -> None:
        intent = self.nth("payment_intent", n)
        if intent:
            self.api("POST", "refunds", payment_intent=intent["id"], amount=amount)

    @rule(n=NTH, outcome=st.sampled_from(["succeeded", "failed"]))
    def end_refund(self, n: int, outcome: str) -> None:
        refund = self.nth("refund", n)
        if refund:
            self.control("refund", refund=refund["id"], outcome=outcome)

    @rule(n=NTH, inquiry=st.booleans())
    def dispute(self, n: int, inquiry: bool) -> None:
        intent = self.nth("payment_intent", n)
        if intent:
            self.control("dispute", payment_intent=intent["id"], inquiry=inquiry)

    @rule(n=NTH, outcome=st.sampled_from(["won", "lost"]))
    def end_dispute(self, n: int, outcome: str) -> None:
        dispute = self.nth("dispute", n)
        if dispute:
            self.control("dispute", dispute=dispute["id"], outcome=outcome)

    @rule(n=NTH, ends=st.booleans())
    def end_later(self, n: int, ends: bool) -> None:
        subscription = self.nth("subscription", n)
        if subscription:
            path = f"subscriptions/{subscription['id']}"
            self.api("POST", path, cancel_at_period_end=ends)

    @rule(n=NTH)
    def end_now(self, n: int) -> None:
        subscription = self.nth("subscription", n)
        if subscription:
            self.api("DELETE", f"subscriptions/{subscription['id']}")

    @rule(n=NTH, means=MEANS, behaviour=BEHAVIOUR)
    def change_means(self, n: int, means: str, behaviour: str) -> None:
        customer = self.customers[n % 2]
        self.control("portal", customer=customer, action="change", method=means, outcome=behaviour)

    @rule(n=NTH)
    def detach(self, n: int) -> None:
        method = self.nth("payment_method", n)
        if method:
            self.api("POST", f"payment_methods/{method['id']}/detach")

    @rule(n=NTH, verb=st.sampled_from(["pay", "void", "mark_uncollectible", "finalize"]))
    def on_invoice(self, n: int, verb: str) -> None:
        invoice = self.nth("invoice", n)
        if invoice:
            self.api("POST", f"invoices/{invoice['id']}/{verb}")

    @rule(n=NTH)
    @precondition(lambda self: self.store.tables["checkout.session"])
    def expire(self, n: int) -> None:
        session = self.nth("checkout.session", n)
        assert session
        self.api("POST", f"checkout/sessions/{session['id']}/expire")

    # What holds at any time.

    @invariant()
    def cents_add_up(self) -> None:
        total = control.VERBS["state"](self.app)["total"]
        booked = sum(x["amount"] for x in self.store.all("balance_transaction"))
        assert booked == total["received"] - total["refunded"] - total["disputed"]
        for charge in self.store.all("charge"):
            refunds = [x for x in self.store.all("refund") if x["charge"] == charge["id"]]
            given = sum(x["amount"] for x in refunds if x["status"] != "failed")
            assert charge["amount_refunded"] == given <= charge["amount"]

    @invariant()
    def an_intent_takes_money_once(self) -> None:
        for intent in self.store.all("payment_intent"):
            mine = [x for x in self.store.all("charge") if x["payment_intent"] == intent["id"]]
            taken = [x for x in mine if x["status"] == "succeeded"]
            assert intent["amount_received"] == sum(x["amount"] for x in taken)
            assert (intent["status"] == "succeeded") == (len(taken) == 1)
            pending = [x for x in mine if x["status"] == "pending"]
            assert (intent["status"] == "processing") == (len(pending) == 1)

    @invariant()
    def an_invoice_is_paid_when_its_intent_is(self) -> None:
        for invoice in self.store.all("invoice"):
            intent = billing.intent_of(self.store, invoice)
            paid = bool(intent and intent["status"] == "succeeded")
            assert (invoice["status"] == "paid") == paid
            due = 0 if paid else invoice["amount_due"]
            assert invoice["amount_remaining"] == due

    @invariant()
    def periods_join(self) -> None:
        for subscription in self.store.all("subscription"):
            invoices = [
                x
                for x in self.store.tables["invoice"].values()
                if billing.subscription_id(x) == subscription["id"]
            ]
            periods = [x["lines"]["data"][0]["period"] for x in invoices]
            assert all(a["end"] == b["start"] for a, b in itertools.pairwise(periods))
            assert billing.period_of(subscription) == (periods[-1]["start"], periods[-1]["end"])
            assert subscription["latest_invoice"] == invoices[-1]["id"]

    @invariant()
    def an_ended_subscription_asks_for_nothing(self) -> None:
        for subscription in self.store.all("subscription"):
            assert (subscription["ended_at"] is not None) == (
                subscription["status"] in billing.ENDED
            )
            if subscription["status"] in billing.ENDED:
                mine = (
                    x
                    for x in self.store.all("invoice")
                    if billing.subscription_id(x) == subscription["id"]
                )
                assert not any(x["next_payment_attempt"] for x in mine)

    @invariant()
    def the_last_event_shows_what_is(self) -> None:
        """Somebody who follows the events alone ends with the same objects."""
        shown: dict[str, Any] = {}
        for event in self.store.tables["event"].values():
            thing = event["data"]["object"]
            shown[thing["id"]] = thing
        for kind in TOLD:
            for key, thing in self.store.tables[kind].items():
                if key in shown:
                    assert shown[key] == self.store.render(thing)

    @invariant()
    def never_wrong_itself(self) -> None:
        assert self.app.own_faults == []


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
