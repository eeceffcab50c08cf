"""What a shop asks of the service, through the SDK itself."""

from datetime import UTC, datetime
from typing import Any

import stripe

from tests.stripesim.process import StripeSim

SUCCESS = "https://shop.example/merci?session={CHECKOUT_SESSION_ID}"
CANCEL = "https://shop.example/retour"


def client_of(sim: StripeSim, key: str = "sk_test_shop", **more: Any) -> stripe.StripeClient:
    options = {"max_network_retries": 0, "base_addresses": {"api": sim.base}, **more}
    return stripe.StripeClient(key, **options)


class Shop:
    def __init__(self, sim: StripeSim) -> None:
        self.sim = sim
        self.client = client_of(sim)
        self.v1 = self.client.v1

    def customer(self, **params: Any) -> stripe.Customer:
        return self.v1.customers.create({"name": "Leïla", "email": "leila@demo.example", **params})

    def price(self, amount: int = 1_200, interval: str | None = "year", **params: Any):
        period = {"recurring": {"interval": interval}} if interval else {}
        return self.v1.prices.create(
            {
                "currency": "eur",
                "unit_amount": amount,
                "product_data": {"name": "Abonnement"},
                **period,
                **params,
            }
        )

    def session(self, customer: stripe.Customer | None = None, **params: Any):
        given = {"customer": customer.id} if customer else {}
        if "line_items" not in params:
            given["line_items"] = [{"price": self.price().id, "quantity": 1}]
        return self.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "success_url": SUCCESS,
                "cancel_url": CANCEL,
                **given,
                **params,
            }
        )

    def once(self, customer: stripe.Customer, amount: int = 2_500, **params: Any):
        line = {
            "quantity": 1,
            "price_data": {
                "currency": "eur",
                "unit_amount": amount,
                "product_data": {"name": "Caution"},
            },
        }
        return self.session(customer, mode="payment", line_items=[line], **params)

    def pay(self, session: Any, method: str = "card", **wanted: Any) -> dict[str, Any]:
        return self.sim.control("pay_session", session=session.id, method=method, **wanted)

    def subscribe(
        self, method: str = "card", price: Any = None, **wanted: Any
    ) -> stripe.Subscription:
        """A customer with a subscription paid, or a debit under way."""
        customer = self.customer()
        line = {"price": (price or self.price()).id, "quantity": 1}
        session = self.session(customer, line_items=[line])
        assert self.pay(session, method, **wanted)["ended"] == "complete"
        return self.v1.subscriptions.list({"customer": customer.id, "status": "all"}).data[0]

    def intent(self, subscription: stripe.Subscription) -> stripe.PaymentIntent:
        invoice = self.v1.invoices.retrieve(
            subscription.latest_invoice,
            {"expand": ["payments.data.payment.payment_intent"]},
        )
        return invoice.payments.data[0].payment.payment_intent

    def invoices(self, subscription: stripe.Subscription) -> list[stripe.Invoice]:
        return self.v1.invoices.list({"subscription": subscription.id}).data

    def again(self, subscription: stripe.Subscription) -> stripe.Subscription:
        return self.v1.subscriptions.retrieve(subscription.id)

    def advance(self, days: float = 0, seconds: float = 0) -> None:
        self.sim.control("clock", advance_seconds=days * 86_400 + seconds)

    def at(self, text: str) -> None:
        """Stop the clock at this instant, in UTC; only forward, or before anything is."""
        stamp = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
        self.sim.control("clock", set=stamp, freeze=True)

    def events(self) -> list[str]:
        """Types of all events, oldest first."""
        found = self.v1.events.list({"limit": 100}).auto_paging_iter()
        return [event.type for event in found][::-1]


def period_of(subscription: stripe.Subscription) -> tuple[str, str]:
    item = subscription["items"].data[0]
    return day(item.current_period_start), day(item.current_period_end)


def day(stamp: int) -> str:
    return datetime.fromtimestamp(stamp, UTC).date().isoformat()
