"""A resident pays on line with a telephone, on the provider's own page, and comes back."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django_q.models import OrmQ
from django_q.signing import SignedPackage
from playwright.sync_api import Page, expect

from club.models import Member, Place
from cms.setup import build_site
from concierge.domain.subscriptions import subscribe
from concierge.models import Subscription
from tests.club.payments.house import run
from tests.factories.club import NOW, CardFactory, MemberFactory
from tests.factories.money import PlanFactory
from tests.journeys.conftest import assert_accessible, sign_in
from tests.stripesim.fixtures import stripesim, stripesim_process
from tests.stripesim.process import StripeSim

__all__ = ["stripesim", "stripesim_process"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 360, "height": 800}
CARD, REFUSED, CHECKED = "4242424242424242", "4000000000000002", "4000002760003184"
IBAN = "FR1420041010050500013M02606"


@pytest.fixture
def provider(stripesim: StripeSim, settings: Any, live: str) -> StripeSim:
    settings.STRIPE_SECRET_KEY = "sk_test_journey"
    settings.STRIPE_WEBHOOK_SECRET = stripesim.secret
    settings.STRIPE_API_BASE = stripesim.base
    stripesim.control("clock", set=NOW.timestamp())
    stripesim.control("mode", signature_clock="sim", sepa_settle_seconds=None)
    stripesim.control("webhook", url=f"{live}/stripe/webhook/")
    return stripesim


@pytest.fixture
def worker() -> Iterator[None]:
    """Takes tasks off the queue while the browser waits."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            row = OrmQ.objects.order_by("pk").first()
            if row is None:
                time.sleep(0.05)
                continue
            row.delete()
            run(SignedPackage.loads(row.payload))
        connections.close_all()

    thread = threading.Thread(target=loop)
    thread.start()
    yield
    stop.set()
    thread.join(20)


@pytest.fixture
def asked(place: Place) -> Subscription:
    build_site(place)
    member = MemberFactory(place=place)
    CardFactory(member=member, number="482174")
    plan = PlanFactory(landlord=place.landlord)
    return subscribe(member, plan, place=place, by=member.user, now=NOW)


@pytest.fixture
def samira(asked: Subscription) -> Member:
    return Member.objects.get(household=asked.household)


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    return new_page(**PHONE)


def fits(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def to_the_page(phone: Page, live: str, samira: Member) -> None:
    sign_in(phone, live, samira.user)
    phone.goto(f"{live}/mon-espace/abonnement/")
    phone.get_by_role("link", name="Payer 12\xa0€").click()
    phone.get_by_role("link", name="Payer 12\xa0€ en ligne").click()
    expect(phone.locator("h1")).to_have_text("Payer en ligne")
    fits(phone)
    phone.get_by_role("button", name="Payer 12\xa0€").click()
    phone.wait_for_url("**/c/pay/**")


def test_subscribed_by_card_from_the_button_to_the_card(
    phone: Page, live: str, provider: StripeSim, samira: Member, worker: None
) -> None:
    to_the_page(phone, live, samira)
    phone.get_by_label("Numéro de carte").fill(CARD)
    phone.get_by_role("button", name="Payer").click()
    expect(phone.locator("h1")).to_have_text("C’est payé", timeout=15_000)
    fits(phone)
    expect(phone.locator("main")).to_contain_text("jusqu’au mercredi 8\xa0mars\xa02028")
    phone.get_by_role("link", name="Voir mon reçu").click()
    fits(phone)
    expect(phone.locator("main")).to_contain_text("12\xa0€")
    phone.goto(f"{live}/mon-espace/moyens-de-paiement/")
    expect(phone.locator("main")).to_contain_text("carte bancaire")
    fits(phone)
    phone.get_by_role("button", name="Changer de moyen de paiement").click()
    phone.wait_for_url("**/p/session/**")


def test_a_refused_card_then_one_that_the_bank_checks(
    phone: Page, live: str, provider: StripeSim, samira: Member, worker: None
) -> None:
    to_the_page(phone, live, samira)
    phone.get_by_label("Numéro de carte").fill(REFUSED)
    phone.get_by_role("button", name="Payer").click()
    expect(phone.get_by_role("alert")).to_have_text("Ce paiement est refusé.")
    phone.get_by_label("Numéro de carte").fill(CHECKED)
    phone.get_by_role("button", name="Payer").click()
    phone.get_by_role("button", name="Confirmer").click()
    expect(phone.locator("h1")).to_have_text("C’est payé", timeout=15_000)


def test_by_debit_the_door_opens_while_it_is_under_way(
    phone: Page, live: str, provider: StripeSim, samira: Member, worker: None
) -> None:
    to_the_page(phone, live, samira)
    phone.get_by_label("Prélèvement SEPA").check()
    phone.get_by_label("IBAN").fill(IBAN)
    phone.get_by_role("button", name="Payer").click()
    expect(phone.locator("h1")).to_have_text("Prélèvement en cours", timeout=15_000)
    fits(phone)


def test_back_from_the_payment_page_the_button_is_there_again(
    phone: Page, live: str, provider: StripeSim, samira: Member, worker: None
) -> None:
    to_the_page(phone, live, samira)
    first = phone.url
    phone.get_by_role("button", name="Retour").click()
    expect(phone.locator("h1")).to_have_text("Payer en ligne")
    phone.get_by_role("button", name="Payer 12\xa0€").click()
    phone.wait_for_url("**/c/pay/**")
    assert phone.url == first
    phone.go_back()
    expect(phone.locator("h1")).to_have_text("Payer en ligne")
    phone.get_by_role("button", name="Payer 12\xa0€").click()
    phone.wait_for_url("**/c/pay/**")
    assert phone.url == first


def test_without_javascript_one_asks_by_the_button_whether_it_is_paid(
    new_page: Callable[..., Page], live: str, provider: StripeSim, samira: Member
) -> None:
    page = new_page(**PHONE, java_script_enabled=False)
    to_the_page_without_checks(page, live, samira)
    page.get_by_label("Numéro de carte").fill(CARD)
    page.get_by_role("button", name="Payer").click()
    expect(page.locator("h1")).to_have_text("Paiement en cours de vérification")
    provider.control("wait", timeout=10)
    for row in OrmQ.objects.order_by("pk"):
        run(SignedPackage.loads(row.payload))
    page.get_by_role("link", name="Voir si c’est payé").click()
    expect(page.locator("h1")).to_have_text("C’est payé")


def to_the_page_without_checks(page: Page, live: str, samira: Member) -> None:
    sign_in(page, live, samira.user)
    page.goto(f"{live}/mon-espace/abonnement/")
    page.get_by_role("link", name="Payer 12\xa0€").click()
    page.get_by_role("link", name="Payer 12\xa0€ en ligne").click()
    page.get_by_role("button", name="Payer 12\xa0€").click()
    page.wait_for_url("**/c/pay/**")
