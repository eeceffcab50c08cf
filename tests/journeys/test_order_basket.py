"""Bread and a basket in three steps on a phone; every week without scripts, and an absence."""

from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from club.models import Member, Place
from cms.setup import build_site
from concierge.models import Delivery, Order, StandingOrder
from tests.factories.club import MemberFactory
from tests.factories.orders import (
    DeliveryFactory,
    DeliveryRoundFactory,
    ProducerFactory,
    ProductFactory,
)
from tests.journeys.conftest import assert_accessible, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FRIDAYS = (date(2027, 3, 12), date(2027, 3, 19), date(2027, 3, 26))


@pytest.fixture
def deliveries(place: Place) -> list[Delivery]:
    build_site(place)
    producer = ProducerFactory(landlord=place.landlord)
    goods = [
        (ProductFactory(producer=producer, name="Pain de campagne", size="1 kg", price_cents=4_50,
                        about="Au levain, cuit le matin.", allergens=["gluten"]), None),
        (ProductFactory(producer=producer, name="Panier de légumes", size="petit, pour deux",
                        price_cents=12_00, position=1), 3),
    ]  # fmt: skip
    round = DeliveryRoundFactory(place=place, producer=producer, goods=goods)
    return [DeliveryFactory(round=round, day=day) for day in FRIDAYS]


@pytest.fixture
def samira(place: Place) -> Member:
    return MemberFactory(place=place)


def fits(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def test_a_basket_in_three_steps_then_changed_and_moved(
    new_page: Callable[..., Page], live: str, deliveries: list[Delivery], samira: Member
) -> None:
    phone = new_page(width=360, height=800)
    phone.goto(f"{live}/paniers/")
    fits(phone)
    sign_in(phone, live, samira.user)
    phone.goto(f"{live}/paniers/")
    phone.get_by_role("link", name="Vendredi 12\u00a0mars").click()
    fits(phone)
    more = phone.get_by_role("button", name="Pain de campagne, 1 kg\u00a0: un de plus")
    more.focus()
    press(phone, "Enter")
    press(phone, "Enter")
    expect(phone.get_by_label("Combien\u00a0? Pain de campagne")).to_have_value("2")
    phone.get_by_label("Combien\u00a0? Panier de légumes").fill("4")
    phone.get_by_role("button", name="Voir le total").click()
    expect(phone.locator("body")).to_contain_text("Il n’en reste que 3.")
    fits(phone)
    phone.get_by_label("Combien\u00a0? Panier de légumes").fill("1")
    phone.get_by_role("button", name="Voir le total").click()
    expect(phone.locator("h1")).to_have_text("Total\u00a0: 21\u00a0€")
    fits(phone)
    phone.get_by_role("button", name="Commander").click()
    expect(phone.locator("h1")).to_have_text("C’est commandé")
    fits(phone)
    phone.get_by_role("link", name="Changer les quantités").click()
    fits(phone)
    phone.get_by_label("Combien\u00a0? Panier de légumes").fill("0")
    phone.get_by_role("button", name="Changer ma commande").click()
    expect(phone.locator("body")).to_contain_text("C’est changé.")
    fits(phone)
    phone.get_by_role("link", name="Changer le jour ou le lieu").click()
    fits(phone)
    phone.get_by_role("button", name="Vendredi 19\u00a0mars").click()
    expect(phone.locator("body")).to_contain_text("Venez vendredi 19\u00a0mars.")
    phone.goto(f"{live}/mon-espace/paniers/")
    fits(phone)
    made = Order.objects.get()
    assert (made.delivery, made.total_cents) == (deliveries[1], 9_00)


def test_every_week_without_scripts_and_away_for_one(
    new_page: Callable[..., Page], live: str, deliveries: list[Delivery], samira: Member
) -> None:
    phone = new_page(width=360, height=800, java_script_enabled=False)
    sign_in(phone, live, samira.user)
    phone.goto(f"{live}/paniers/{deliveries[0].public_id}/")
    expect(phone.get_by_role("button", name="un de plus")).to_have_count(0)
    bread = phone.get_by_label("Combien\u00a0? Pain de campagne")
    bread.fill("1")
    bread.press("Enter")
    expect(phone.locator("h1")).to_have_text("Total\u00a0: 4,50\u00a0€")
    phone.get_by_text("Recommander chaque semaine").click()
    phone.get_by_label("Chaque semaine").check()
    phone.get_by_role("button", name="Commander").click()
    expect(phone.locator("h1")).to_have_text("C’est commandé")
    phone.get_by_role("link", name="Changer, suspendre ou arrêter").click()
    expect(phone.locator("body")).to_contain_text("Vendredi 26\u00a0mars")
    phone.get_by_role("link", name="Dire une absence").click()
    phone.get_by_label("Je suis absent du").fill("2027-03-15")
    phone.get_by_label("au", exact=True).fill("2027-03-21")
    phone.get_by_role("button", name="Sauter ces jours").click()
    expect(phone.locator("body")).to_contain_text("Rien n’est commandé ces jours-là.")
    standing = StandingOrder.objects.get()
    ordered = standing.orders.filter(status="ordered").order_by("starts_at")
    assert [one.delivery.day for one in ordered] == [FRIDAYS[0], FRIDAYS[2]]
    page = new_page(width=360, height=800)
    sign_in(page, live, samira.user)
    base = f"{live}/paniers/reguliere/{standing.reference}/"
    for act in ("", "changer/", "absence/", "arreter/"):
        page.goto(base + act)
        fits(page)
