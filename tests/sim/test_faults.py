"""What goes wrong between a caller and the service, by rule or at random."""

import time
from typing import Any

import pytest
import stripe

from tests.sim.shop import Shop, client_of
from tests.stripesim.process import SimError, StripeSim

KEY = {"idempotency_key": "household-7"}


def rule(shop: Shop, kind: str, **more: Any) -> None:
    shop.sim.control("faults", rules=[{"kind": kind, "path": "/v1/customers", **more}])


def customers(shop: Shop) -> int:
    return shop.sim.control("state")["counts"].get("customer", 0)


def test_a_500_before_anything_was_done(shop: Shop) -> None:
    rule(shop, "before_write")
    with pytest.raises(stripe.APIError) as caught:
        shop.v1.customers.create({"name": "Leïla"}, KEY)
    assert (caught.value.http_status, customers(shop)) == (500, 0)
    shop.v1.customers.create({"name": "Leïla"}, KEY)
    assert customers(shop) == 1


@pytest.mark.parametrize(
    ("close", "error"), [(False, stripe.APIError), (True, stripe.APIConnectionError)]
)
def test_an_answer_lost_after_all_was_done(shop: Shop, close: bool, error: type[Exception]) -> None:
    rule(shop, "after_write", close=close)
    with pytest.raises(error):
        shop.v1.customers.create({"name": "Leïla"}, KEY)
    assert customers(shop) == 1
    made = shop.v1.customers.create({"name": "Leïla"}, KEY)
    assert made.last_response.headers["Idempotent-Replayed"] == "true"
    assert (made.name, customers(shop)) == ("Leïla", 1)


@pytest.mark.parametrize("close", [False, True])
def test_without_the_key_the_same_fault_makes_two(shop: Shop, close: bool) -> None:
    rule(shop, "after_write", close=close)
    with pytest.raises(stripe.StripeError):
        shop.v1.customers.create({"name": "Leïla"})
    shop.v1.customers.create({"name": "Leïla"})
    assert customers(shop) == 2


def test_a_500_kept_under_its_key(shop: Shop) -> None:
    """As the real service says that it does: only another key gets further."""
    rule(shop, "after_write", kept=True)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            shop.v1.customers.create({"name": "Leïla"}, KEY)
    assert customers(shop) == 1


def test_the_sdk_retries_with_its_key(shop: Shop) -> None:
    rule(shop, "after_write", close=True)
    rule(shop, "before_write")
    client_of(shop.sim, max_network_retries=2).v1.customers.create({"name": "Leïla"})
    assert customers(shop) == 1


def test_a_connection_closed_before(shop: Shop) -> None:
    rule(shop, "close_before")
    with pytest.raises(stripe.APIConnectionError):
        shop.v1.customers.create({"name": "Leïla"})
    assert customers(shop) == 0


def test_too_many_requests(shop: Shop) -> None:
    rule(shop, "rate_limit", times=2)
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as caught:
            shop.v1.customers.list()
        assert caught.value.http_status == 429
    assert shop.v1.customers.list().data == []


def test_a_slow_answer(shop: Shop) -> None:
    rule(shop, "delay", seconds=0.4)
    began = time.monotonic()
    shop.v1.customers.list()
    assert time.monotonic() - began >= 0.4


def test_a_rule_names_its_method_and_how_many_pass_first(shop: Shop) -> None:
    rule(shop, "before_write", method="POST", skip=1)
    shop.v1.customers.list()
    shop.v1.customers.create({"name": "first"})
    with pytest.raises(stripe.APIError):
        shop.v1.customers.create({"name": "second"})
    shop.v1.customers.create({"name": "third"})
    assert customers(shop) == 2


def test_random_faults_are_the_same_for_the_same_seed(shop: Shop) -> None:
    def ended() -> list[int]:
        rates = {"before_write": 0.2, "after_write": 0.2, "rate_limit": 0.1}
        shop.sim.control("faults", seed=7, rates=rates)
        for i in range(40):
            try:
                shop.v1.customers.create({"name": f"n{i}"})
            except stripe.StripeError:
                continue
        faults = [call["fault"] for call in shop.sim.control("log")]
        shop.sim.reset()
        return faults

    first = ended()
    assert ended() == first
    assert {"before_write", "after_write", "rate_limit", None} == set(first)


def test_an_unknown_kind_is_refused(stripesim: StripeSim) -> None:
    with pytest.raises(SimError, match="kind is one of"):
        stripesim.control("faults", rules=[{"kind": "flood"}])


def test_the_log_tells_what_was_asked(shop: Shop) -> None:
    shop.v1.customers.create({"name": "Leïla", "metadata": {"a": "1"}}, KEY)
    call = shop.sim.control("log")[-1]
    assert call["params"] == {"name": "Leïla", "metadata[a]": "1"}
    assert (call["method"], call["path"], call["status"], call["idempotency_key"]) == (
        "POST",
        "/v1/customers",
        200,
        "household-7",
    )


def test_ids_differ_after_a_reset_unless_it_has_a_seed(shop: Shop) -> None:
    def one(**how: int) -> str:
        shop.sim.control("reset", **how)
        return shop.customer().id

    assert one() != one()
    assert one(seed=4) == one(seed=4)


def test_a_reset_forgets_everything(shop: Shop) -> None:
    shop.subscribe()
    shop.sim.control("mode", decline_next=3)
    rule(shop, "before_write")
    shop.sim.reset()
    assert shop.sim.control("state")["counts"] == {}
    assert shop.v1.customers.list().data == []
    assert shop.sim.control("mode")["decline_next"] == 0
