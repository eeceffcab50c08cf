"""Bread and baskets in the admin: euros, ticked days, and nothing that is ordered changes."""

from collections.abc import Iterator
from datetime import date, time
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from club.enums import Role
from club.models import Member, Place
from concierge.domain.deliveries import make_deliveries
from concierge.domain.standing import stand
from concierge.models import Delivery, DeliveryRound, DeliveryStock, Product, StandingOrder
from concierge.views.shown_orders import allergens_words
from tests.concierge.test_services_admin import rows
from tests.factories.club import NOW, LandlordFactory
from tests.factories.cms import staff
from tests.factories.orders import (
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    ProducerFactory,
    ProductFactory,
    product_of,
)
from tests.signin import sign_in_staff


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def admin(client: Client, place: Place) -> Client:
    sign_in_staff(client, staff(place, Role.OFFICER))
    return client


@pytest.fixture
def round(place: Place) -> DeliveryRound:
    made: DeliveryRound = DeliveryRoundFactory(place=place)
    return made


def product_data(producer: Any, **more: Any) -> dict[str, Any]:
    return {
        "producer": producer.pk, "name": "Pain de campagne", "size": "", "about": "",
        "picture": "", "wall": "honey", "position": 0, "euros": "2,40", "allergens": ["gluten"],
        **more,
    }  # fmt: skip


def round_data(round: DeliveryRound, **more: Any) -> dict[str, Any]:
    """What the edit page of a round sends, with its goods as they are."""
    lines = [
        {"id": one.pk, "product": one.product_id, "most": "" if one.most is None else one.most}
        for one in round.goods.all()
    ]
    goods = rows("goods", *more.pop("goods", lines))
    goods["goods-INITIAL_FORMS"] = sum(bool(line.get("id")) for line in lines)
    return {
        "place": round.place_id, "producer": round.producer_id, "name": round.name,
        "picture": "", "wall": "water", "is_offered": "on", "position": 0,
        "weekdays": [str(day) for day in round.weekdays], "every_weeks": 1,
        "starts_on": "2027-01-01", "ends_on": "", "collect_from": "16:00",
        "collect_until": "19:00", "cutoff_days": 1, "cutoff_time": "12:00", "weeks_ahead": 6,
        "on_closed": "skip", "most_pieces": "", "owed": "200", "leftover": "given", **goods, **more,
    }  # fmt: skip


def edit(admin: Client, round: DeliveryRound, **more: Any) -> Any:
    url = reverse("deliveryround:edit", args=[round.pk])
    return admin.post(url, round_data(round, **more), follow=True)


# -- Products --------------------------------------------------------------------------------------


def test_a_product_with_its_price_in_euros_and_its_allergens(admin: Client, place: Place) -> None:
    producer = ProducerFactory(landlord=place.landlord)
    answer = admin.post(reverse("product:add"), product_data(producer))
    assert answer.status_code == 302
    product = Product.objects.get()
    assert (product.price_cents, product.allergens) == (240, ["gluten"])
    form = admin.get(reverse("product:edit", args=[product.pk])).context["form"]
    assert form["euros"].value() == "2,40" and form["allergens"].value() == ["gluten"]
    for wrong in ({"euros": "201"}, {"euros": "cher"}, {"euros": ""}, {"allergens": ["amiante"]}):
        page = admin.post(reverse("product:add"), product_data(producer, name="Autre", **wrong))
        assert page.status_code == 200 and page.context["form"].errors
    theirs = ProducerFactory(landlord=LandlordFactory(slug="autre", name="Autre Habitat"))
    page = admin.post(reverse("product:add"), product_data(theirs))
    assert "producer" in page.context["form"].errors


def test_that_a_product_has_no_allergen_is_said_and_not_left_out(
    admin: Client, place: Place
) -> None:
    producer = ProducerFactory(landlord=place.landlord)
    for wrong, told in (
        ([], "Aucun des quatorze"),
        (["none", "gluten"], "ne cochez pas les deux"),
    ):
        page = admin.post(reverse("product:add"), product_data(producer, allergens=wrong))
        assert told in page.context["form"].errors["allergens"][0]
    assert not Product.objects.exists()
    answer = admin.post(reverse("product:add"), product_data(producer, allergens=["none"]))
    assert answer.status_code == 302
    product = Product.objects.get()
    assert (product.allergens, allergens_words(product)) == ([], "Aucun allergène à déclarer.")
    form = admin.get(reverse("product:edit", args=[product.pk])).context["form"]
    assert form["allergens"].value() == ["none"]


def test_a_round_offers_ones_own_products_alone(admin: Client, round: DeliveryRound) -> None:
    other = LandlordFactory(slug="autre", name="Autre Habitat")
    theirs = ProductFactory(producer=ProducerFactory(landlord=other), name="Pain des autres")
    ours = round.goods.get()
    for url in (reverse("deliveryround:add"), reverse("deliveryround:edit", args=[round.pk])):
        page = admin.get(url)
        assert ours.product.name in page.text and "Pain des autres" not in page.text
    page = edit(admin, round, goods=[{"id": ours.pk, "product": theirs.pk, "most": ""}])
    assert page.context["form"].formsets["goods"].errors == [
        {
            "product": [
                "Sélectionnez un choix valide. Ce choix ne fait pas partie de ceux disponibles."
            ]
        }
    ]
    assert round.goods.get().product == ours.product


def test_a_product_is_withdrawn_and_offered_again_by_its_verbs(
    admin: Client, round: DeliveryRound, member: Member
) -> None:
    delivery = DeliveryFactory(round=round)
    product = product_of(delivery)
    OrderFactory(delivery=delivery, member=member)
    step = reverse("product:step", args=[product.pk, "retirer"])
    assert "Plus personne ne peut en commander" in admin.get(step).text
    admin.post(step)
    product.refresh_from_db()
    assert (product.is_offered, DeliveryStock.objects.get().is_withdrawn) == (False, True)
    assert DeliveryStock.objects.get().ordered == 1
    again = reverse("product:step", args=[product.pk, "remettre"])
    for _pressed_twice in range(2):
        admin.post(again)
    product.refresh_from_db()
    assert (product.is_offered, DeliveryStock.objects.get().is_withdrawn) == (True, False)
    assert (
        admin.get(reverse("product:edit", args=[product.pk]))
        .context["form"]
        .fields["producer"]
        .disabled
    )


# -- Rounds ----------------------------------------------------------------------------------------


def test_a_round_is_written_and_its_deliveries_are_there(admin: Client, place: Place) -> None:
    product = ProductFactory(producer__landlord=place.landlord)
    goods = [{"product": product.pk, "most": "30"}]
    other = DeliveryRoundFactory(place=place, name="Autre")
    data = {**round_data(other), "name": "Paniers"}
    data |= {"producer": product.producer_id, "weekdays": ["2", "4"], **rows("goods", *goods)}
    answer = admin.post(reverse("deliveryround:add"), data)
    assert answer.status_code == 302, answer.context["form"].errors
    made = DeliveryRound.objects.get(name="Paniers")
    assert (made.weekdays, made.most_owed_cents) == ([2, 4], 200_00)
    days = [one.day for one in made.deliveries.order_by("day")]
    assert days[:3] == [date(2027, 3, 10), date(2027, 3, 12), date(2027, 3, 17)]
    assert {one.most for one in DeliveryStock.objects.filter(delivery__round=made)} == {30}


@pytest.mark.parametrize(
    "more",
    [
        {"weekdays": []},
        {"collect_until": "15:00"},
        {"cutoff_days": 0, "cutoff_time": "17:00"},
        {"owed": "501"},
        {"ends_on": "2026-12-31"},
    ],
)
def test_what_cannot_be_is_told(admin: Client, round: DeliveryRound, more: dict[str, Any]) -> None:
    page = edit(admin, round, **more)
    assert page.context["form"].errors
    assert not Delivery.objects.exists()


def test_goods_are_the_producers_own(admin: Client, round: DeliveryRound) -> None:
    theirs = ProductFactory(producer__landlord=round.place.landlord, producer__name="Autre")
    line = round.goods.get()
    goods = [{"id": line.pk, "product": theirs.pk, "most": ""}]
    page = edit(admin, round, goods=goods)
    assert "est d’un autre producteur." in page.text
    goods = [{"id": line.pk, "product": line.product_id, "most": "", "DELETE": "on"}]
    edit(admin, round, goods=goods)
    assert round.goods.count() == 1


def test_a_changed_round_remakes_what_nobody_ordered_and_keeps_the_rest(
    admin: Client, round: DeliveryRound, member: Member
) -> None:
    make_deliveries(NOW)
    first, second = Delivery.objects.order_by("day")[:2]
    order = OrderFactory(delivery=first, member=member)
    page = edit(admin, round, collect_from="17:00")
    told = [str(message).replace("\xa0", " ") for message in page.context["messages"]]
    assert "Déjà commandées, elles restent comme annoncées : vendredi 12 mars." in told
    first.refresh_from_db()
    order.refresh_from_db()
    assert order.starts_at == first.collect_from
    hours = {
        one.day: one.collect_from.astimezone(NOW.tzinfo).time()
        for one in Delivery.objects.filter(round=round)
    }
    assert hours.pop(first.day) == time(16)
    assert set(hours.values()) == {time(17)}
    assert second.day in hours
    form = admin.get(reverse("deliveryround:edit", args=[round.pk])).context["form"]
    assert form.fields["place"].disabled and form.fields["producer"].disabled


def test_another_weekday_and_standing_orders_follow(
    admin: Client, round: DeliveryRound, member: Member
) -> None:
    """What a standing order has made is an order as any other: its delivery stays."""
    make_deliveries(NOW)
    stand(
        member=member,
        round=round,
        lines={round.goods.get().product.public_id: 1},
        every_weeks=2,
        starts_on=date(2027, 3, 12),
        ends_on=None,
        by=member.user,
        now=NOW,
    )
    edit(admin, round, weekdays=["2"])
    days = {one.day: one.orders.count() for one in Delivery.objects.filter(round=round)}
    kept = [day for day, number in days.items() if day.weekday() == 4]
    assert kept and all(days[day] == 1 for day in kept)
    assert any(day.weekday() == 2 for day in days)
    assert StandingOrder.objects.get().ended_at is None


def test_a_round_that_is_not_offered_any_more_makes_nothing(
    admin: Client, round: DeliveryRound, member: Member
) -> None:
    make_deliveries(NOW)
    first = Delivery.objects.order_by("day")[0]
    OrderFactory(delivery=first, member=member)
    edit(admin, round, is_offered="")
    assert list(Delivery.objects.all()) == [first]


def test_deliveries_are_read_here(admin: Client, round: DeliveryRound) -> None:
    delivery = DeliveryFactory(round=round)
    assert str(round) in admin.get(reverse("delivery:index")).text
    assert admin.get(reverse("delivery:inspect", args=[delivery.pk])).status_code == 200
    assert admin.get(reverse("delivery:edit", args=[delivery.pk])).status_code == 302
