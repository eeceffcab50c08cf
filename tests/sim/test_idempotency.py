"""The same key has one effect and one answer."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.sim.shop import Shop, client_of

KEY = {"idempotency_key": "household-7"}


def customers(shop: Shop) -> int:
    return shop.sim.control("state")["counts"].get("customer", 0)


def test_the_same_key_and_parameters(shop: Shop) -> None:
    first = shop.v1.customers.create({"name": "Leïla", "metadata": {"a": "1"}}, KEY)
    second = shop.v1.customers.create({"metadata": {"a": "1"}, "name": "Leïla"}, KEY)
    assert second.to_dict() == first.to_dict()
    headers = second.last_response.headers
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first.last_response.request_id
    assert customers(shop) == 1


@pytest.mark.parametrize("params", [{"name": "Marc"}, {"name": "Leïla", "phone": "1"}, {}])
def test_the_same_key_with_other_parameters(shop: Shop, params: dict[str, str]) -> None:
    shop.v1.customers.create({"name": "Leïla"}, KEY)
    with pytest.raises(stripe.IdempotencyError) as caught:
        shop.v1.customers.create(params, KEY)
    assert caught.value.http_status == 400
    assert caught.value.json_body["error"]["type"] == "idempotency_error"
    assert customers(shop) == 1


def test_the_same_key_elsewhere(shop: Shop) -> None:
    shop.v1.customers.create({"name": "Leïla"}, KEY)
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        shop.v1.products.create({"name": "Leïla"}, KEY)


def test_two_at_once(shop: Shop) -> None:
    slow = {"kind": "delay", "seconds": 1.2, "path": "/v1/customers"}
    shop.sim.control("faults", rules=[slow])

    def create(_: int) -> Any:
        try:
            return client_of(shop.sim).v1.customers.create({"name": "Leïla"}, KEY).id
        except stripe.APIError as error:
            return error.http_status, error.json_body["error"]["code"]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(create, range(4)))
    assert answers.count((409, "idempotency_key_in_use")) == 3
    assert customers(shop) == 1
    assert create(0) in answers


def test_the_sdk_s_own_retries_outlast_the_conflict(shop: Shop) -> None:
    slow = {"kind": "delay", "seconds": 0.3, "path": "/v1/customers"}
    shop.sim.control("faults", rules=[slow])

    def create(_: int) -> str:
        patient = client_of(shop.sim, max_network_retries=2)
        return patient.v1.customers.create({"name": "Leïla"}, KEY).id

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(create, range(2)))) == 1


def test_a_refusal_is_an_answer_too(shop: Shop) -> None:
    subscription = shop.subscribe()
    intent = shop.intent(subscription).id
    params = {"payment_intent": intent, "amount": 5_000}
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded") as caught:
            shop.v1.refunds.create(params, KEY)
    assert caught.value.headers["Idempotent-Replayed"] == "true"


def test_what_never_began_holds_no_key(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        shop.v1.customers.create({"nom": "Leïla"}, KEY)
    assert shop.v1.customers.create({"name": "Leïla"}, KEY).name == "Leïla"


def test_a_key_lives_a_day(shop: Shop) -> None:
    first = shop.v1.customers.create({"name": "Leïla"}, KEY)
    shop.advance(days=0.99)
    assert shop.v1.customers.create({"name": "Leïla"}, KEY).id == first.id
    shop.advance(days=0.02)
    assert shop.v1.customers.create({"name": "Leïla"}, KEY).id != first.id
    assert customers(shop) == 2
