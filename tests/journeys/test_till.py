"""A baker at her till, on a phone: the card, what it is used for, a slip undone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from club.models import Card, Member
from marketplace.enums import LimitPer, OfferKind
from marketplace.models import OfferUse
from tests.factories.club import CardFactory
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def card(member: Member) -> Card:
    return CardFactory(member=member, number="482174")


@pytest.fixture
def till(new_page: Callable[..., Page], live: str, place: Any) -> Page:
    partner = PartnerFactory(landlord=place.landlord, name="Boulangerie Delattre")
    OfferFactory(partner=partner, limit_count=1, limit_per=LimitPer.DAY)
    OfferFactory(
        partner=partner, title="Pain de campagne", kind=OfferKind.PRICE, percent=None,
        price_cents=1_10, usual_price_cents=1_30,
    )  # fmt: skip
    page = new_page(360, 800)
    sign_in(page, live, PersonFactory(partner=partner).user)
    page.goto(f"{live}/espace-partenaire/caisse/")
    return page


def fits(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def check(page: Page, number: str) -> None:
    page.get_by_label("Les six chiffres de la carte").fill(number)
    page.get_by_role("button", name="Vérifier la carte").click()


def test_a_card_is_checked_used_and_the_use_undone(till: Page, live: str, card: Card) -> None:
    fits(till)
    check(till, card.number)
    assert till.get_by_role("heading", level=1).inner_text() == "Valable"
    fits(till)
    till.get_by_label("Montant de l’achat").fill("12,50")
    till.get_by_role("button", name="Tout le magasin").click()
    till.get_by_text("C’est compté\u00a0: 1,25\u00a0€ d’économie.").wait_for()
    fits(till)
    counted = till.url
    assert OfferUse.objects.get().saving_cents == 1_25
    check(till, card.number)
    till.get_by_role("button", name="Tout le magasin").click()
    till.get_by_text("Déjà utilisé aujourd’hui.").first.wait_for()
    fits(till)
    till.goto(counted)
    till.get_by_role("button", name="Défaire").click()
    till.get_by_text("C’est annulé. Rien n’est compté.").wait_for()
    assert not OfferUse.objects.exists()
    check(till, "123455")
    assert till.get_by_role("heading", level=1).inner_text() == "Pas valable"
    fits(till)


def test_the_figures_and_the_members_own_savings(
    till: Page, live: str, card: Card, new_page: Callable[..., Page]
) -> None:
    check(till, card.number)
    till.get_by_role("button", name="Pain de campagne").click()
    till.get_by_text("C’est compté\u00a0: 0,20\u00a0€ d’économie.").wait_for()
    till.get_by_role("link", name="Mes chiffres").click()
    till.get_by_text("moins de 5").wait_for()
    fits(till)
    page = new_page(360, 800)
    sign_in(page, live, card.member.user)
    page.goto(f"{live}/avantages/mes-economies/")
    page.get_by_text("0,20\u00a0€ en 2027").wait_for()
    fits(page)
