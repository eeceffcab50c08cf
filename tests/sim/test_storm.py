"""Many callers, faults and webhooks at once: the money stays what it is."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import stripe

from tests.sim.receiver import Receiver
from tests.sim.shop import CANCEL, SUCCESS, Shop, client_of

SECRET = "whsec_stripesim"
HOUSEHOLDS = 60
SEED = 11


def insist(call: Any, *args: Any) -> Any:
    """As a worker would: the same call with the same key until it answers."""
    for _ in range(50):
        try:
            return call(*args)
        except (stripe.APIError, stripe.APIConnectionError, stripe.RateLimitError):
            continue
    raise AssertionError("never answered")


def test_each_household_pays_once(shop: Shop, receiver: Receiver) -> None:
    price = shop.price(100, "month").id
    shop.sim.control("webhook", url=receiver.url)
    shop.sim.control(
        "delivery",
        seed=SEED,
        rates={"duplicate": 0.2, "drop": 0.1, "reorder": 0.3, "corrupt": 0.1},
        max_delay=0.1,
        workers=3,
    )
    rates = {"before_write": 0.1, "after_write": 0.15, "rate_limit": 0.05, "close_before": 0.05}
    shop.sim.control("faults", seed=SEED, rates=rates)

    def subscribe(household: int) -> str:
        v1 = client_of(shop.sim).v1
        key = {"idempotency_key": f"customer-{household}"}
        customer = insist(v1.customers.create, {"metadata": {"household": str(household)}}, key)
        wanted = {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": SUCCESS,
            "cancel_url": CANCEL,
        }
        key = {"idempotency_key": f"checkout-{household}"}
        session = insist(v1.checkout.sessions.create, wanted, key)
        method = "sepa_debit" if household % 3 == 0 else "card"
        shop.sim.control("pay_session", session=session.id, method=method)
        intent = insist(v1.charges.list, {"customer": customer.id}).data[0].payment_intent
        if household % 3 and household % 5 == 1:
            wanted = {"payment_intent": intent, "amount": 40}
            insist(v1.refunds.create, wanted, {"idempotency_key": f"refund-{household}"})
        return customer.id

    with ThreadPoolExecutor(6) as pool:
        customers = list(pool.map(subscribe, range(HOUSEHOLDS)))
    shop.sim.control("faults", clear=True)
    shop.advance(days=6)
    assert shop.sim.control("wait", timeout=30) == {"idle": True}, f"seed {SEED}"

    state = shop.sim.control("state")
    assert len(set(customers)) == state["counts"]["customer"] == HOUSEHOLDS
    assert state["counts"]["subscription"] == HOUSEHOLDS
    assert {x["received"] for x in state["customers"].values()} == {100}
    assert state["total"]["refunded"] == 8 * 40
    entries = shop.v1.balance_transactions.list({"limit": 100}).auto_paging_iter()
    assert sum(x.amount for x in entries) == HOUSEHOLDS * 100 - state["total"]["refunded"]
    check_deliveries(shop, receiver, set(state["lost"]))


def check_deliveries(shop: Shop, receiver: Receiver, lost: set[str]) -> None:
    """Each event came, or is known to be lost; what was corrupted does not verify."""
    got: Counter[str] = Counter()
    corrupted = 0
    for one in receiver.got:
        try:
            got[one.event(SECRET).id] += 1
        except stripe.SignatureVerificationError:
            corrupted += 1
    events = shop.v1.events.list({"limit": 100}).auto_paging_iter()
    every = {x.id for x in events if x.type not in ("product.created", "price.created")}
    assert set(got) | lost == every
    assert not set(got) & lost
    assert corrupted > 10
    assert max(got.values()) == 2
