"""The card in real hands: shown without a network, lost, checked by a baker, printed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from club.models import Card, Member
from cms.setup import build_site
from tests.factories.club import CardFactory
from tests.journeys.conftest import assert_accessible, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def card(member: Member) -> Card:
    build_site(member.place)
    return CardFactory(member=member, number="482174")


@pytest.fixture
def phone(new_page: Callable[..., Page], live: str, member: Member) -> Page:
    page = new_page(width=360, height=800)
    sign_in(page, live, member.user)
    return page


@pytest.fixture
def bakery(new_page: Callable[..., Page]) -> Page:
    return new_page(width=360, height=800)


def fits(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def test_lost_and_replaced_the_baker_sees_red_then_green(
    phone: Page, bakery: Page, live: str, card: Card
) -> None:
    bakery.goto(f"{live}/c/{card.token}")
    expect(bakery.locator("h1")).to_have_text("Valable")
    expect(bakery.locator(".card-check")).to_contain_text("Samira")
    fits(bakery)

    phone.goto(f"{live}/mon-espace/carte/")
    expect(phone.locator(".member-card__digits")).to_contain_text("482\u00a0174")
    fits(phone)
    phone.get_by_role("link", name="J’ai perdu ma carte").click()
    expect(phone.locator("h1")).to_have_text("Remplacer ma carte\u00a0?")
    fits(phone)
    phone.get_by_role("button", name="Remplacer ma carte").click()
    expect(phone.get_by_text("L’ancienne carte ne marche plus.")).to_be_visible()
    new = Card.objects.get(revoked_at=None)
    expect(phone.locator(".member-card__digits")).to_contain_text(
        f"{new.number[:3]}\u00a0{new.number[3:]}"
    )

    bakery.reload()
    expect(bakery.locator("h1")).to_have_text("Pas valable")
    assert "Samira" not in bakery.locator("main").inner_text()
    fits(bakery)
    bakery.get_by_label("Les six chiffres de la carte").fill(new.number)
    bakery.get_by_role("button", name="Vérifier la carte").click()
    expect(bakery.locator("h1")).to_have_text("Valable")
    fits(bakery)


def test_digits_alone_with_a_slip_of_the_finger(bakery: Page, live: str, card: Card) -> None:
    bakery.goto(f"{live}/c/")
    expect(bakery.locator("h1")).to_have_text("Vérifier une carte")
    fits(bakery)
    bakery.get_by_label("Les six chiffres de la carte").fill("482175")
    press(bakery, "Enter")
    expect(bakery.locator(".error-summary")).to_contain_text("Relisez la carte.")
    expect(bakery.get_by_label("Les six chiffres de la carte")).to_have_value("482175")
    fits(bakery)


def test_the_card_is_shown_without_a_network(phone: Page, live: str, card: Card) -> None:
    phone.goto(f"{live}/mon-espace/carte/")
    kept = "caches.open('card-1').then((c) => c.match(location.href)).then((r) => !!r)"
    for _ in range(50):
        if phone.evaluate(kept):
            break
        phone.wait_for_timeout(200)
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.locator(".member-card__digits")).to_contain_text("482\u00a0174")
    expect(phone.locator(".member-card svg.qr")).to_be_visible()
    phone.context.set_offline(False)


def test_it_prints_in_both_sizes(phone: Page, live: str, card: Card) -> None:
    phone.goto(f"{live}/mon-espace/carte/imprimer/")
    expect(phone.get_by_role("button", name="Imprimer ma carte")).to_be_visible()
    fits(phone)
    sheet = phone.pdf(prefer_css_page_size=True)
    assert sheet.count(b"/Type /Page\n") == 1
    phone.get_by_role("link", name="Carte de poche").click()
    fits(phone)
    expect(phone.locator(".paper-card")).to_have_count(2)


@pytest.mark.parametrize(
    "path", ["foyer/", "foyer/rejoindre/", "accords/", "donnees/", "effacer/", "informations/"]
)
def test_the_pages_around_the_card_fit_a_phone(
    phone: Page, live: str, card: Card, path: str
) -> None:
    phone.goto(f"{live}/mon-espace/{path}")
    fits(phone)
