"""Mes commandes, and one order through both of its doors: quantities, another date, cancelled."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from club.kernel.links import booking_path
from club.models import Member, Place
from concierge.domain import order_fees as fees
from concierge.domain.orders import place_order
from concierge.domain.pickups import hand_over_order, mark_missed
from concierge.models import Delivery, DeliveryStock, Order, StandingOrder
from tests.costs import session
from tests.factories.club import MemberFactory, PlaceFactory, UserFactory
from tests.factories.orders import (
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    ProducerFactory,
    ProductFactory,
    after_cutoff,
)

FRIDAYS = (date(2027, 3, 12), date(2027, 3, 19))


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def delivery(place: Place) -> Delivery:
    producer = ProducerFactory(landlord=place.landlord)
    bread = ProductFactory(producer=producer, name="Pain", price_cents=4_50)
    basket = ProductFactory(producer=producer, name="Panier", price_cents=12_00, position=1)
    round = DeliveryRoundFactory(
        place=place, producer=producer, name="Paniers", goods=[(bread, None), (basket, 5)]
    )
    return DeliveryFactory(round=round)


@pytest.fixture
def samira(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def order(delivery: Delivery, samira: Member) -> Order:
    """One of each."""
    return OrderFactory(delivery=delivery, member=samira)


@pytest.fixture(params=["signed in", "by the link"])
def door(request: Any, client: Client, order: Order, samira: Member) -> str:
    if request.param == "by the link":
        return booking_path(order.reference)
    client.force_login(samira.user)
    return f"/mon-espace/reservations/{order.reference}/"


def said(delivery: Delivery, *numbers: Any) -> dict[str, Any]:
    fields = {}
    stock = delivery.stock.select_related("product").order_by("product__position")
    for one, number in zip(stock, numbers, strict=True):
        fields[f"line_{one.product.public_id}"] = number
        fields[f"prix_{one.product.public_id}"] = one.unit_cents
    return fields


def numbers(order: Order) -> list[int]:
    lines = order.lines.order_by("stock__product__position")
    return list(lines.values_list("quantity", flat=True))


# -- One order -----------------------------------------------------------------------------------


def test_its_page_says_what_where_until_when_and_what_is_to_pay(client, door, order):
    page = client.get(door)
    for words in (
        "Ma commande\u00a0: Paniers", "Pain", "1\u00a0× 12\u00a0€", "16,50\u00a0€",
        "Vous pouvez changer ou annuler jusqu’au jeudi 11\u00a0mars à 12\u00a0h.",
        "Changer les quantités", "Changer le jour ou le lieu", "Annuler ma commande",
    ):  # fmt: skip
        assert words in page.text
    assert page.context["to_pay"].cents == 16_50
    assert "À payer en tout, pour votre foyer" in page.text
    agenda = client.get(door + "agenda.ics")
    assert "SUMMARY:Retirer" in agenda.text


def test_other_quantities_are_charged_at_the_price_that_was_shown(client, door, order, delivery):
    page = client.get(door + "quantites/")
    assert [one["field"].value() for one in page.context["fields"]] == [1, 1]
    assert client.post(door + "quantites/", said(delivery, 3, 0))["Location"] == door
    order.refresh_from_db()
    assert (numbers(order), order.total_cents, fees.balance(order.member.household)) == (
        [3], 13_50, -13_50,
    )  # fmt: skip
    stale = said(delivery, 1, 1)
    DeliveryStock.objects.filter(delivery=delivery, product__name="Pain").update(unit_cents=5_00)
    page = client.post(door + "quantites/", stale)
    assert page.status_code == 422
    assert "Le prix a changé\u00a0: 5\u00a0€ au lieu de 4,50\u00a0€." in page.text
    assert numbers(order) == [3]


def test_what_another_tab_has_changed_is_read_again_first(client, door, order, delivery):
    first, second = (client.get(door + "quantites/").context["read"] for _tab in range(2))
    client.post(door + "quantites/", said(delivery, 3, 1) | {"lue": first})
    page = client.post(door + "quantites/", said(delivery, 2, 1) | {"lue": second})
    assert page.status_code == 422 and "a changé entre-temps" in page.text
    assert [one["field"].value() for one in page.context["fields"]] == ["2", "1"]
    assert numbers(order) == [3, 1]
    again = client.post(door + "quantites/", said(delivery, 2, 1) | {"lue": page.context["read"]})
    assert (again["Location"], numbers(order)) == (door, [2, 1])


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ((0, 0), "Choisissez au moins un produit."),
        ((10**9, 1), "20 au plus."),
        ((1, 6), "Panier"),
    ],
)
def test_what_cannot_be_is_said_and_kept(client, door, order, delivery, wanted, message):
    page = client.post(door + "quantites/", said(delivery, *wanted))
    assert page.status_code == 422
    assert message in str(page.context["form"].errors)
    assert page.context["fields"][0]["field"].value() == str(wanted[0])
    assert numbers(order) == [1, 1]


def test_it_moves_to_another_date_or_place_of_the_same_producer(client, door, order, delivery):
    later = DeliveryFactory(round=delivery.round, day=FRIDAYS[1])
    other_place = PlaceFactory(landlord=delivery.place.landlord, name="Accueil des Aulnes")
    goods = [(stock.product, None) for stock in delivery.stock.select_related("product")]
    there = DeliveryFactory(
        round=DeliveryRoundFactory(place=other_place, producer=delivery.producer, goods=goods)
    )
    less = DeliveryRoundFactory(place=other_place, producer=delivery.producer, goods=goods[:1])
    DeliveryFactory(round=less)
    stranger = PlaceFactory(landlord__slug="autre", landlord__name="Autre Habitat")
    foreign = DeliveryFactory(round=DeliveryRoundFactory(place=stranger))
    page = client.get(door + "changer/")
    assert [(button.value, button.sub) for button in page.context["buttons"]] == [
        (there.public_id, "De 16\u00a0h à 19\u00a0h. À\u00a0: Accueil des Aulnes."),
        (later.public_id, "De 16\u00a0h à 19\u00a0h."),
    ]
    for nonsense in ("", "x" * 40, "inconnu", foreign.public_id):
        assert client.post(door + "changer/", {"slot": nonsense}).status_code == 422
    assert client.post(door + "changer/", {"slot": there.public_id})["Location"] == door
    assert client.post(door + "changer/", {"slot": later.public_id})["Location"] == door
    order.refresh_from_db()
    assert (order.delivery_id, order.place_id, order.total_cents) == (
        later.pk, delivery.place_id, 16_50,
    )  # fmt: skip


def test_the_days_near_the_one_that_is_moved_come_first(client, samira, place, delivery):
    days = [date(2027, 3, day) for day in (11, 18, 19, 25, 26)]
    there = [DeliveryFactory(round=delivery.round, day=day) for day in days]
    mine = OrderFactory(delivery=there[3], member=samira)
    client.force_login(samira.user)
    page = client.get(f"/mon-espace/reservations/{mine.reference}/changer/")
    near = [there[4], there[2], there[1], delivery]
    assert [button.value for button in page.context["buttons"]] == [one.public_id for one in near]


def test_cancelled_it_costs_nothing(client, door, order):
    assert "Son prix est rendu à votre solde." in client.get(door + "annuler/").text
    assert client.post(door + "annuler/")["Location"] == door
    order.refresh_from_db()
    assert (order.status, fees.balance(order.member.household)) == ("cancelled", 0)
    assert "Cette commande est annulée." in client.get(door).text


def test_after_the_cut_off_nothing_changes_and_the_page_says_since_when(
    client, door, order, delivery
):
    later = DeliveryFactory(round=delivery.round, day=FRIDAYS[1])
    form = said(delivery, 2, 2)
    with time_machine.travel(after_cutoff(delivery), tick=False):
        for act in ("quantites/", "changer/", "annuler/"):
            assert client.get(door + act)["Location"] == door
        page = client.post(door + "quantites/", form)
        assert "Les commandes sont closes depuis jeudi 11\u00a0mars à 12\u00a0h" in page.text
        assert client.post(door + "changer/", {"slot": later.public_id}).status_code == 422
        assert client.post(door + "annuler/").status_code == 422
        assert "Quelqu’un peut la retirer pour vous." in client.get(door).text
    order.refresh_from_db()
    assert (order.status, numbers(order), order.delivery_id) == ("ordered", [1, 1], delivery.pk)


def test_collected_and_missed_are_told(client, door, order, delivery, samira):
    with time_machine.travel(delivery.collect_until + timedelta(minutes=1), tick=False):
        moment = delivery.collect_until + timedelta(minutes=1)
        by = UserFactory()
        Delivery.objects.filter(pk=delivery.pk).update(status="sent")
        delivery.refresh_from_db()
        mark_missed(delivery, by=by, now=moment)
        assert "Elle reste payée." in client.get(door).text
        order.refresh_from_db()
        hand_over_order(order, samira, by=by, now=moment)
        assert f"Remise à {samira}." in client.get(door).text


def test_somebody_elses_order_does_not_exist(client, order, place):
    client.force_login(MemberFactory(place=place).user)
    for act in ("", "quantites/", "changer/", "annuler/", "agenda.ics"):
        address = f"/mon-espace/reservations/{order.reference}/{act}"
        assert client.get(address).status_code == 404
        assert client.post(address).status_code in {404, 405}
    order.refresh_from_db()
    assert order.status == "ordered"


# -- Mes commandes -------------------------------------------------------------------------------


@pytest.fixture
def signed_in(client: Client, samira: Member) -> Client:
    client.force_login(samira.user)
    return client


def test_mine_lists_what_is_ordered_what_repeats_and_the_balance(
    signed_in, order, delivery, samira, settings
):
    standing = StandingOrder.objects.create(
        member=samira, round=delivery.round, every_weeks=2, starts_on=FRIDAYS[0],
        created_at=datetime.now().astimezone(),
    )  # fmt: skip
    standing.lines.create(product=delivery.stock.first().product, quantity=2)
    OrderFactory(delivery=DeliveryFactory(round=delivery.round, day=FRIDAYS[1]))
    settings.STRIPE_SECRET_KEY = ""
    page = signed_in.get("/mon-espace/paniers/")
    assert [line["number"] for line in page.context["open"]] == [order.reference]
    for words in (
        "Paniers, toutes les deux semaines", "2\u00a0× Pain", "À partir du vendredi 12\u00a0mars",
        "16,50\u00a0€", "Ajoutez de l’argent à l’accueil",
    ):  # fmt: skip
        assert words in page.text
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    page = signed_in.get("/mon-espace/paniers/")
    prices = {"goods": 16_50, "goods-10": 10_00, "goods-20": 20_00, "goods-50": 50_00}
    for kind, cents in prices.items():
        address = reverse("portal:pay", args=[kind, samira.household_id])
        assert address in page.text
        paying = signed_in.get(address)
        assert paying.status_code == 200
        assert paying.context["due"].cents == cents
    theirs = MemberFactory(place=samira.place).household_id
    assert signed_in.get(reverse("portal:pay", args=["goods", theirs])).status_code == 404
    assert signed_in.get(reverse("portal:pay", args=["goods-20", theirs])).status_code == 404


LIST = 10
"""Who it is, what is ordered with its lines, what repeats with its lines, the balance."""


def test_a_long_list_costs_no_more(signed_in, delivery, samira, django_assert_num_queries, now):
    for rows in (1, 3):
        while Order.objects.filter(member=samira).count() < rows:
            round = DeliveryRoundFactory(place=samira.place)
            lately = DeliveryFactory(round=round)
            lines = {lately.stock.get().product.public_id: 1}
            place_order(member=samira, delivery=lately, lines=lines, by=samira.user, now=now)
            standing = StandingOrder.objects.create(
                member=samira, round=round, starts_on=FRIDAYS[0], created_at=now
            )
            standing.lines.create(product=lately.stock.get().product, quantity=2)
        signed_in.get("/mon-espace/paniers/")
        with django_assert_num_queries(LIST + session()):
            page = signed_in.get("/mon-espace/paniers/")
        assert len(page.context["open"]) == len(page.context["standing"]) == rows


def test_the_home_page_has_a_window_where_something_is_ordered(signed_in, place):
    assert "tiles/pain-paniers" not in windows(signed_in)
    DeliveryRoundFactory(place=place)
    assert "tiles/pain-paniers" in windows(signed_in)
    assert "/paniers/" in signed_in.get("/mon-espace/").text


def windows(client: Client) -> list[str]:
    return [tile["pictures"] for tile in client.get("/mon-espace/").context["own_tiles"]()]
