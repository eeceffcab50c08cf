"""Each answer is held to the SDK's own resource classes."""

import json
from typing import Any

import pytest
import stripe
from stripe._customer import Customer
from stripe._invoice import Invoice

from tests.sim.shop import Shop
from tests.stripesim import types
from tests.stripesim.control import VERBS
from tests.stripesim.errors import ShapeError
from tests.stripesim.http import App, Call
from tests.stripesim.resources import SERVED
from tests.stripesim.state import Store


@pytest.fixture
def customer(shop: Shop) -> dict[str, Any]:
    return shop.customer().to_dict()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"colour": "red"}, "Customer.colour: Customer has no such field"),
        ({"livemode": "false"}, "Customer.livemode is 'false'"),
        ({"livemode": None}, "Customer.livemode is null"),
        ({"created": "today"}, "Customer.created is 'today'"),
        ({"tax_exempt": "perhaps"}, "Customer.tax_exempt is 'perhaps'"),
        ({"metadata": {"a": 1}}, "Customer.metadata.a is 1"),
        ({"invoice_settings": {"other": 1}}, "has no such field"),
        ({"preferred_locales": "fr"}, "Customer.preferred_locales is 'fr'"),
        ({"subscriptions": {"data": []}}, "is no list object"),
        ({"object": "client"}, "Customer.object is 'client'"),
    ],
)
def test_a_wrong_shape_is_seen(customer: dict[str, Any], change: dict[str, Any], told: str) -> None:
    types.check_resource(customer, Customer)
    with pytest.raises(ShapeError, match=told.replace("[", r"\[")):
        types.check_resource({**customer, **change}, Customer)


def test_a_field_that_is_always_there(customer: dict[str, Any]) -> None:
    del customer["livemode"]
    with pytest.raises(ShapeError, match=r"Customer\.livemode is missing"):
        types.check_resource(customer, Customer)


def test_a_wrong_object_is_never_kept() -> None:
    with pytest.raises(ShapeError):
        Store().add("refund", amount="12", currency="eur")


@pytest.mark.parametrize("path", ["/v1/customers/cus_x", "/v1/customers"])
def test_a_wrong_answer_is_told_and_remembered(path: str) -> None:
    app = App()
    wrong = {"id": "cus_x", "object": "customer", "colour": "red"}
    app.store.tables["customer"]["cus_x"] = wrong
    headers = {"Authorization": "Bearer sk_test_shop", "Stripe-Version": stripe.api_version}
    answer = app.answer(Call("GET", path, [], headers, "req_1", None))
    assert (answer.status, answer.headers["Stripe-Should-Retry"]) == (500, "false")
    told = "Customer.colour: Customer has no such field"
    assert told in json.loads(answer.body)["error"]["message"]
    own = VERBS["reset"](app)["own_faults"]
    assert (len(own), told in own[0]) == (1, True)
    assert VERBS["reset"](app) == {"own_faults": []}


def test_every_method_served_is_one_of_the_sdk() -> None:
    served = {name: types.operation(name) for name in SERVED}
    assert served["checkout.sessions.expire"].path == "/v1/checkout/sessions/{session}/expire"
    assert served["subscriptions.cancel"].verb == "DELETE"
    assert served["invoices.list"].is_list
    assert all(op.params for op in served.values())


def test_a_method_that_the_sdk_lacks_is_seen() -> None:
    with pytest.raises(LookupError):
        types.operation("customers.forget")


def test_lists_are_cut_in_pages_newest_first(shop: Shop) -> None:
    made = [shop.customer(name=f"n{i}").id for i in range(7)][::-1]
    first = shop.v1.customers.list({"limit": 3})
    assert ([x.id for x in first.data], first.has_more) == (made[:3], True)
    second = shop.v1.customers.list({"limit": 3, "starting_after": made[2]})
    assert ([x.id for x in second.data], second.has_more) == (made[3:6], True)
    last = shop.v1.customers.list({"limit": 3, "starting_after": made[5]})
    assert ([x.id for x in last.data], last.has_more) == (made[6:], False)
    before = shop.v1.customers.list({"limit": 2, "ending_before": made[3]})
    assert ([x.id for x in before.data], before.has_more) == (made[1:3], True)
    everyone = shop.v1.customers.list({"limit": 2}).auto_paging_iter()
    assert [x.id for x in everyone] == made


@pytest.mark.parametrize("limit", [0, 101])
def test_a_page_has_limits(shop: Shop, limit: int) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="between 1 and 100"):
        shop.v1.customers.list({"limit": limit})


def test_a_cursor_that_is_not_there(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        shop.v1.customers.list({"starting_after": "cus_nobody"})
    assert caught.value.param == "starting_after"


def test_expand_goes_through_ids_lists_and_what_is_only_shown_when_asked(shop: Shop) -> None:
    subscription = shop.subscribe()
    plain = shop.invoices(subscription)[0]
    assert isinstance(plain.customer, str)
    assert "payments" not in plain.to_dict()
    full = shop.v1.invoices.list(
        {
            "subscription": subscription.id,
            "expand": [
                "data.customer",
                "data.payments.data.payment.payment_intent",
                "data.parent.subscription_details.subscription",
            ],
        }
    ).data[0]
    assert full.customer.email == "leila@demo.example"
    assert full.payments.data[0].payment.payment_intent.status == "succeeded"
    assert full.parent.subscription_details.subscription.id == subscription.id
    session = shop.v1.checkout.sessions.list({"limit": 1}).data[0]
    asked = {"expand": ["line_items", "subscription.latest_invoice"]}
    session = shop.v1.checkout.sessions.retrieve(session.id, asked)
    assert session.line_items.data[0].amount_total == 1_200
    assert session.subscription.latest_invoice.status == "paid"
    charge = shop.v1.charges.list({"expand": ["data.balance_transaction"]}).data[0]
    assert charge.balance_transaction.amount == 1_200


@pytest.mark.parametrize("path", ["email", "rubbish", "metadata.a", "invoice_settings.footer"])
def test_what_cannot_be_expanded(shop: Shop, path: str) -> None:
    customer = shop.customer()
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        shop.v1.customers.retrieve(customer.id, {"expand": [path]})


def test_a_list_inside_an_object_shows_ten_and_where_the_rest_is(shop: Shop) -> None:
    intent = shop.intent(shop.subscribe())
    for _ in range(12):
        shop.v1.refunds.create({"payment_intent": intent.id, "amount": 10})
    charge = shop.v1.charges.retrieve(intent.latest_charge, {"expand": ["refunds"]})
    assert (len(charge.refunds.data), charge.refunds.has_more) == (10, True)
    assert len({refund.id for refund in charge.refunds.auto_paging_iter()}) == 12


def test_expand_goes_four_levels_deep(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels"):
        shop.v1.customers.retrieve(shop.customer().id, {"expand": ["a.b.c.d.e"]})


def test_a_customer_deleted_leaves_a_stub(shop: Shop) -> None:
    subscription = shop.subscribe("sepa_debit")
    intent = shop.intent(subscription)
    shop.v1.customers.delete(subscription.customer)
    stub = shop.v1.customers.retrieve(subscription.customer).to_dict()
    assert stub == {"id": subscription.customer, "object": "customer", "deleted": True}
    assert shop.again(subscription).status == "canceled"
    shop.sim.control("sepa", payment_intent=intent.id)
    assert shop.invoices(subscription)[0].status == "paid"


def test_the_period_is_the_item_s_and_the_subscription_is_the_parent_s(shop: Shop) -> None:
    subscription = shop.subscribe()
    assert "current_period_end" not in types.annotations_of(stripe.Subscription)
    item = subscription["items"].data[0]
    line = shop.invoices(subscription)[0].lines.data[0]
    assert (line.period.start, line.period.end) == (
        item.current_period_start,
        item.current_period_end,
    )
    assert "subscription" not in types.annotations_of(Invoice)
