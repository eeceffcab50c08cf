"""A Friday: forty baskets over the counter with a scanner and a keyboard, timed."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Page, expect

from club.models import Card, Place, User
from concierge.domain.deliveries import send_due
from concierge.enums import OrderStatus
from concierge.models import Delivery, Order
from marketplace.models import Partner
from tests.factories.club import CardFactory, MemberFactory
from tests.factories.marketplace import PartnerFactory, PersonFactory
from tests.factories.orders import (
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    ProductFactory,
    after_cutoff,
)
from tests.factories.services import on
from tests.journeys.conftest import assert_accessible, press, scan, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PEOPLE = 40
ENOUGH = 20.0
"""Seconds for one hand-over on a busy machine: forty in half an hour are 45 each."""
NAMES = ("Benali", "Cohen", "Diallo", "Ferret", "Garnier", "Haddad", "Ibrahim", "Kaya")


@pytest.fixture
def baker(place: Place) -> Partner:
    partner = PartnerFactory(landlord=place.landlord, name="Ferme des Marais", delivers=True)
    PersonFactory(partner=partner)
    return Partner.objects.get(pk=partner.pk)


@pytest.fixture
def delivery(place: Place, baker: Partner) -> Delivery:
    made: Delivery = DeliveryFactory(
        round=DeliveryRoundFactory(
            place=place,
            producer=baker.producer,
            name="Paniers de la semaine",
            goods=[
                (ProductFactory(producer=baker.producer, name="Panier de légumes", size=size), 40)
                for size in ("petit", "grand")
            ],
        )
    )
    return made


@pytest.fixture
def cards(place: Place, delivery: Delivery) -> list[Card]:
    goods = [one.product.public_id for one in delivery.stock.all()]
    found = []
    for number in range(PEOPLE):
        member = MemberFactory(
            place=place, user__last_name=NAMES[number % 8] + "abcde"[number // 8]
        )
        found.append(CardFactory(member=member))
        lines = {goods[0]: 1} if number % 3 else {goods[0]: 1, goods[1]: 1}
        OrderFactory(delivery=delivery, member=member, lines=lines)
    return found


@pytest.fixture
def friday(live_server: Any, delivery: Delivery, cards: list[Card]) -> Iterator[str]:
    """The site with its clock on Friday at half past four."""
    send_due(after_cutoff(delivery))
    with time_machine.travel(on(12, 16.5), tick=True):
        yield live_server.url


def collected() -> int:
    return Order.objects.filter(status=OrderStatus.COLLECTED).count()


def test_forty_baskets_without_a_mouse(
    page: Page, friday: str, delivery: Delivery, cards: list[Card], concierge_user: User
) -> None:
    sign_in(page, friday, concierge_user)
    page.goto(f"{friday}/desk/")
    expect(page.locator(".board")).to_contain_text("Paniers de la semaine, 0 sur 40")
    page.goto(f"{friday}/desk/livraisons/{delivery.public_id}/")
    expect(page.locator("#texte")).to_be_focused()
    assert_accessible(page)
    counted = page.locator("[data-collected]")
    started = time.perf_counter()
    for number, card in enumerate(cards[:-3], start=1):
        scan(page, f"M{card.number}")
        expect(counted).to_have_text(str(number))
        expect(page.locator("#texte")).to_be_focused()
    seconds = (time.perf_counter() - started) / len(cards[:-3])
    print(f"\n{seconds:.2f} seconds a hand-over")
    assert seconds < ENOUGH
    expect(page.locator("[data-result]")).to_contain_text("Remis.")

    press(page, "F9")
    expect(page.locator("[data-result]")).to_contain_text("On attend de nouveau")
    expect(counted).to_have_text("36")
    scan(page, cards[-4].member.user.last_name)
    expect(counted).to_have_text("37")
    page.wait_for_timeout(2100)
    scan(page, cards[0].number)
    expect(page.locator("[data-result=already]")).to_contain_text("Déjà remis.")
    assert_accessible(page)
    # Two cards in one breath: none is lost, though the first is still on its way.
    for card in cards[-3:-1]:
        scan(page, f"M{card.number}")
    expect(counted).to_have_text("39")
    assert collected() == PEOPLE - 1


def test_at_the_counter_the_card_again_or_enter_hands_over(
    page: Page, friday: str, cards: list[Card], concierge_user: User
) -> None:
    sign_in(page, friday, concierge_user)
    page.goto(f"{friday}/desk/")
    scan(page, cards[0].number)
    expect(page.locator("[data-result]")).to_contain_text("Une commande à remettre.")
    assert_accessible(page)
    page.wait_for_timeout(2100)
    scan(page, cards[0].number)
    expect(page.locator("[data-result]")).to_contain_text("Remis : une commande.")
    press(page, "F9")
    expect(page.locator("[data-result]")).to_contain_text("C’est de nouveau à remettre.")
    press(page, "Enter")
    expect(page.locator("[data-result]")).to_contain_text("Remis : une commande.")
    assert collected() == 1


def test_pages_of_a_delivery_and_of_its_producer(
    new_page: Any, live: str, delivery: Delivery, baker: Partner, concierge_user: User
) -> None:
    member = MemberFactory(place=delivery.place)
    OrderFactory(delivery=delivery, member=member)
    desk = new_page()
    sign_in(desk, live, concierge_user)
    here = f"{live}/desk/livraisons/"
    pages = ("", "places/", "annuler/", "deplacer/?jour=2027-03-16", "feuille/", "totaux/")
    for path in ("", *(f"{delivery.public_id}/{name}" for name in pages)):
        desk.goto(f"{here}{path}")
        assert_accessible(desk)
    desk.goto(f"{live}/desk/membre/{member.pk}/commander/?livraison={delivery.public_id}")
    assert_accessible(desk)
    phone = new_page(360, 800)
    sign_in(phone, live, baker.people.get().user)
    for path in ("commandes/", "commandes/2027-03-12/", "mon-offre/"):
        phone.goto(f"{live}/espace-partenaire/{path}")
        assert_accessible(phone)
        assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.goto(f"{live}/espace-partenaire/ma-page/fermer/")
    phone.get_by_label("Premier jour fermé").fill("2027-03-12")
    phone.get_by_role("button", name="Fermer ces jours").click()
    expect(phone.locator("main")).to_contain_text("1 personne attend 2 produits.")
    assert_accessible(phone)
    phone.get_by_role("button", name="Fermer et annuler ces livraisons").click()
    expect(phone.locator("main")).to_contain_text("prévenus")
    assert Order.objects.get().status == OrderStatus.FAILED
