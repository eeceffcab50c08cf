"""Each request is held to the SDK's own parameter types."""

from typing import Any

import pytest
import requests
import stripe

from tests.sim.shop import Shop, client_of


def refused(call: Any, *args: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(*args)
    return caught.value


@pytest.mark.parametrize(
    ("params", "param", "code"),
    [
        ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
        ({"line_items": [{"prize": "x"}]}, "line_items[0][prize]", "parameter_unknown"),
        ({"mode": "gift"}, "mode", None),
        ({"allowed_payment_method_types": ["coins"]}, "allowed_payment_method_types[0]", None),
        ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer"),
        (
            {"line_items": [{"quantity": "one"}]},
            "line_items[0][quantity]",
            "parameter_invalid_integer",
        ),
        (
            {"line_items": [{"price_data": {"unit_amount": 1}}]},
            "line_items[0][price_data][currency]",
            "parameter_missing",
        ),
        ({"line_items": "x"}, "line_items", None),
        ({"mode": {"a": "b"}}, "mode", None),
        ({"client_reference_id": ""}, "client_reference_id", "parameter_invalid_empty"),
        ({"metadata": {"k" * 41: "v"}}, f"metadata[{'k' * 41}]", None),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
    ],
)
def test_a_parameter_that_the_sdk_does_not_know(
    shop: Shop, params: dict[str, Any], param: str, code: str | None
) -> None:
    error = refused(shop.v1.checkout.sessions.create, params)
    assert (error.http_status, error.param, error.code) == (400, param, code)
    assert error.request_id.startswith("req_")
    assert error.json_body["error"]["type"] == "invalid_request_error"


def test_what_the_sdk_requires_is_required(shop: Shop) -> None:
    error = refused(shop.v1.prices.create, {"unit_amount": 1})
    assert (error.param, error.code) == ("currency", "parameter_missing")


def test_options_of_the_sdk_are_no_parameters(shop: Shop) -> None:
    error = refused(shop.v1.customers.create, {"stripe_version": "x"})
    assert error.code == "parameter_unknown"


def test_a_parameter_that_is_not_modelled_is_told(shop: Shop) -> None:
    with pytest.raises(stripe.APIError, match="does not model the parameter allow_promotion_codes"):
        shop.session(shop.customer(), allow_promotion_codes=True)


def test_a_method_that_is_not_modelled_is_told(shop: Shop) -> None:
    with pytest.raises(stripe.APIError, match="does not model GET /v1/payouts"):
        shop.v1.payouts.list()


def test_an_unset_value_is_accepted_where_the_sdk_says_so(shop: Shop) -> None:
    subscription = shop.subscribe()
    given = {"metadata": {"a": "1", "b": "2"}}
    shop.v1.subscriptions.update(subscription.id, given)
    shop.v1.subscriptions.update(subscription.id, {"metadata": {"a": ""}})
    assert shop.again(subscription).metadata.to_dict() == {"b": "2"}
    shop.v1.subscriptions.update(subscription.id, {"metadata": ""})
    assert shop.again(subscription).metadata.to_dict() == {}


@pytest.mark.parametrize("key", ["sk_live_shop", "pk_test_shop", "rubbish"])
def test_only_a_secret_test_key(shop: Shop, key: str) -> None:
    with pytest.raises(stripe.AuthenticationError):
        client_of(shop.sim, key).v1.customers.list()


def test_only_the_version_of_the_sdk(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version"):
        client_of(shop.sim, stripe_version="2024-06-20").v1.customers.list()


def test_a_body_is_a_form(shop: Shop) -> None:
    headers = {
        "Authorization": "Bearer sk_test_shop",
        "Stripe-Version": stripe.api_version,
    }
    url = f"{shop.sim.base}/v1/customers"
    answer = requests.post(url, json={"name": "Leïla"}, headers=headers, timeout=5)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    answer = requests.post(url, data={"name": "Leïla", "nom": "x"}, headers=headers, timeout=5)
    assert answer.json()["error"]["code"] == "parameter_unknown"
    answer = requests.post(
        url,
        data="preferred_locales[]=fr&preferred_locales[]=en",
        headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
        timeout=5,
    )
    assert answer.json()["preferred_locales"] == ["fr", "en"]


def test_a_key_has_255_characters(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="255"):
        shop.v1.customers.create({}, {"idempotency_key": "k" * 256})


def test_what_is_not_there(shop: Shop) -> None:
    error = refused(shop.v1.customers.retrieve, "cus_nobody")
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "id")
    assert str(error).endswith("No such customer: 'cus_nobody'")
    error = refused(shop.v1.invoices.list, {"customer": "cus_nobody"})
    assert (error.http_status, error.code, error.param) == (400, "resource_missing", "customer")


def test_euros_only(shop: Shop) -> None:
    with pytest.raises(stripe.APIError, match="does not model the currency usd"):
        shop.price(currency="usd")


def test_a_lookup_key_is_one_price_s(shop: Shop) -> None:
    first = shop.price(lookup_key="tenant")
    error = refused(lambda: shop.price(lookup_key="tenant"))
    assert (error.http_status, error.param) == (400, "lookup_key")
    second = shop.price(1_500, lookup_key="tenant", transfer_lookup_key=True)
    found = shop.v1.prices.list({"lookup_keys": ["tenant", "other"], "active": True}).data
    assert [price.id for price in found] == [second.id]
    assert shop.v1.prices.retrieve(first.id).lookup_key is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"mode": "payment"}, "recurring price"),
        ({"line_items": []}, "line_items"),
        ({"success_url": "merci"}, "Not a valid URL"),
        ({"expires_at": 1}, "at least 30 minutes"),
        ({"customer_email": "a@b.example"}, "only specify one"),
        ({"payment_intent_data": {"metadata": {"a": "b"}}}, "payment_intent_data"),
        ({"allowed_payment_method_types": ["paypal"]}, "No valid payment method types"),
    ],
)
def test_what_a_session_refuses(shop: Shop, params: dict[str, Any], message: str) -> None:
    error = refused(lambda: shop.session(shop.customer(), **params))
    assert message in str(error)
