"""Bread and baskets by the API: what comes, ordering, changing, another delivery."""

from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from concierge.domain.order_fees import balance
from concierge.models import Delivery, Order
from tests.api.test_statements import limit_statements
from tests.factories.club import PlaceFactory
from tests.factories.orders import (
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    ProducerFactory,
    ProductFactory,
    product_of,
)

FRIDAYS = (date(2027, 3, 12), date(2027, 3, 19), date(2027, 3, 26))


@pytest.fixture
def delivery(place: Any) -> Delivery:
    producer = ProducerFactory(landlord=place.landlord)
    bread = ProductFactory(
        producer=producer, name="Pain", size="1 kg", price_cents=4_50, allergens=["gluten"]
    )
    round = DeliveryRoundFactory(place=place, producer=producer, name="Pain", goods=[(bread, 5)])
    return DeliveryFactory(round=round)


def body(delivery: Delivery, quantity: Any = 2, **more: Any) -> dict[str, Any]:
    lines = [{"product": product_of(delivery).public_id, "quantity": quantity}]
    return {"kind": "order", "delivery": delivery.public_id, "lines": lines, **more}


def problem(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [error["code"] for error in answer.json()["errors"]]


def test_deliveries_tell_what_there_is_until_when_and_what_is_left(api, delivery):
    OrderFactory(delivery=delivery)
    DeliveryFactory(round=DeliveryRoundFactory(place=delivery.place, is_offered=False))
    [said] = api.get("/deliveries").json()["items"]
    for name in ("collect_from", "collect_until", "cutoff_at"):
        assert datetime.fromisoformat(said.pop(name)) == getattr(delivery, name)
    assert said == {
        "id": delivery.public_id, "name": "Pain", "producer": "Ferme des Marais",
        "place": "tilleuls", "day": "2027-03-12", "status": "open", "can_order": True,
        "subscribers_only": False,
        "products": [
            {"id": product_of(delivery).public_id, "name": "Pain", "size": "1 kg", "about": "",
             "cents": 450, "allergens": ["gluten"], "left": 4}
        ],
    }  # fmt: skip


def test_days_places_and_pages(api, delivery, place):
    for day in FRIDAYS[1:]:
        DeliveryFactory(round=delivery.round, day=day)
    aulnes = PlaceFactory(landlord=place.landlord, slug="aulnes", name="Les Aulnes")
    DeliveryFactory(round=DeliveryRoundFactory(place=aulnes))
    hidden = PlaceFactory(landlord=place.landlord, slug="cache", name="Cache", is_public=False)
    assert days(api.get("/deliveries")) == [*FRIDAYS]
    assert days(api.get("/deliveries?from=2027-03-13&to=2027-03-19")) == [FRIDAYS[1]]
    assert [one["place"] for one in api.get("/deliveries?place=aulnes").json()["items"]] == [
        "aulnes"
    ]
    assert problem(api.get(f"/deliveries?place={hidden.slug}")) == (422, ["unknown_place"])
    assert problem(api.get("/deliveries?from=2027-03-13&to=2027-03-12")) == (
        422, ["dates_in_disorder"],
    )  # fmt: skip
    assert problem(api.get("/deliveries?from=2027-01-01&to=2028-03-01")) == (
        422, ["too_many_days"],
    )  # fmt: skip
    first = api.get("/deliveries?limit=2")
    assert days(first) == [*FRIDAYS[:2]]
    following = api.get(f"/deliveries?limit=2&cursor={first.json()['next']}")
    assert (days(following), following.json()["next"]) == ([FRIDAYS[2]], None)
    for cursor in ("x", "WyJhIiwiYiJd", "WyI5OTk5LTEyLTMxVDAwOjAwOjAwWiIsIjEiXQ"):
        assert problem(api.get(f"/deliveries?cursor={cursor}")) == (422, ["bad_cursor"])
    assert api.get("/deliveries?limit=101").status_code == 422


def days(answer: Any) -> list[date]:
    return [date.fromisoformat(one["day"]) for one in answer.json()["items"]]


def test_a_list_costs_the_same_for_one_and_for_three(api, delivery):
    for rows in (1, 3):
        while Delivery.objects.count() < rows:
            DeliveryFactory(round=DeliveryRoundFactory(place=delivery.place))
        with CaptureQueriesContext(connection) as statements:
            assert len(api.get("/deliveries").json()["items"]) == rows
        assert len(statements) == 1 + 3 + limit_statements()


def test_an_order_is_made_once_for_one_key_read_and_changed(api, delivery):
    answer = api.post("/bookings", body(delivery), Idempotency_Key="une-fois")
    assert answer.status_code == 201
    assert api.post("/bookings", body(delivery), Idempotency_Key="une-fois").json() == answer.json()
    made = Order.objects.get()
    said = answer.json()
    assert (said["kind"], said["status"], said["delivery"], said["total_cents"]) == (
        "order", "ordered", delivery.public_id, 9_00,
    )  # fmt: skip
    assert said["lines"] == [
        {"product": product_of(delivery).public_id, "name": "Pain, 1 kg", "quantity": 2,
         "unit_cents": 450}
    ]  # fmt: skip
    path = f"/bookings/{made.reference}"
    assert api.get(path).json() == said
    assert [one["reference"] for one in api.get("/bookings").json()["items"]] == [made.reference]
    three = {"lines": body(delivery, 3)["lines"]}
    assert api.patch(path, three).json()["total_cents"] == 13_50
    assert problem(api.patch(path, three)) == (409, ["wrong_state"])
    later = DeliveryFactory(round=delivery.round, day=FRIDAYS[1])
    moved = api.patch(path, {"delivery": later.public_id}).json()
    assert (moved["delivery"], moved["day"], moved["quantity"]) == (
        later.public_id, "2027-03-19", 3,
    )  # fmt: skip
    for changes in ({}, three | {"delivery": later.public_id}):
        assert problem(api.patch(path, changes)) == (422, ["one_change"])
    assert api.post(f"{path}/cancel").json()["status"] == "cancelled"
    assert balance(made.member.household) == 0


@pytest.mark.parametrize("quantity", [-1, 21, 10**9, "deux", 1.5, None])
def test_what_is_no_quantity_is_refused(api, delivery, quantity):
    assert api.post("/bookings", body(delivery, quantity)).status_code == 422
    assert not Order.objects.exists()


def test_what_meets_something_that_exists_is_a_conflict(api, delivery):
    assert problem(api.post("/bookings", body(delivery, 6))) == (409, ["sold_out"])
    assert problem(api.post("/bookings", body(delivery, 0))) == (422, ["nothing_ordered"])
    twice = body(delivery)
    twice["lines"] *= 2
    assert problem(api.post("/bookings", twice)) == (422, ["product_twice"])
    assert api.post("/bookings", body(delivery)).status_code == 201
    assert problem(api.post("/bookings", body(delivery))) == (409, ["ordered_already"])


def test_another_producers_product_and_another_landlords_delivery(api, delivery, place):
    foreign = ProductFactory(producer=ProducerFactory(landlord=place.landlord, name="Autre"))
    asked = body(delivery)
    asked["lines"][0]["product"] = foreign.public_id
    answer = api.post("/bookings", asked)
    assert problem(answer) == (422, ["unknown_product"])
    assert answer.json()["errors"][0]["field"] == "lines"
    elsewhere = PlaceFactory(landlord__slug="autre", landlord__name="Autre Habitat")
    theirs = DeliveryFactory(round=DeliveryRoundFactory(place=elsewhere))
    assert problem(api.post("/bookings", body(theirs))) == (422, ["unknown_delivery"])
    unknown = body(delivery) | {"delivery": "inconnue"}
    assert problem(api.post("/bookings", unknown)) == (422, ["unknown_delivery"])


def test_at_the_cut_off_it_is_too_late(api, delivery):
    Delivery.objects.filter(pk=delivery.pk).update(cutoff_at="2027-03-09T09:24:00+00:00")
    [said] = api.get("/deliveries").json()["items"]
    assert said["can_order"] is False
    assert problem(api.post("/bookings", body(delivery))) == (422, ["cut_off"])
    assert not Order.objects.exists()
