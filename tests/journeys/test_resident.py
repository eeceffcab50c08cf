"""A resident with a telephone: found in two steps, reserved in three, moved, cancelled."""

import re
from collections.abc import Callable

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from club.models import Member, Place
from cms.setup import build_site
from concierge.enums import LoanStatus
from concierge.models import Copy, Loan, Tool
from tests.factories.concierge import CopyFactory, DepartmentFactory, PolicyFactory, ToolFactory
from tests.journeys.conftest import assert_accessible, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 360, "height": 800}


@pytest.fixture
def street(place: Place, tool: Tool, copy: Copy) -> Place:
    """A place with its pages, its rules and a second object."""
    PolicyFactory(place=place)
    CopyFactory(
        place=place,
        tool=ToolFactory(
            landlord=place.landlord,
            name="Perceuse",
            other_names="visseuse, Bosch",
            picture="perceuse",
            department=DepartmentFactory(
                landlord=place.landlord, name="Bricoler", slug="bricoler", wall="butter"
            ),
        ),
    )
    build_site(place)
    return place


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    return new_page(**PHONE)


def fits(page: Page) -> None:
    """Nothing is wider than the screen, and axe finds nothing grave."""
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def sign_in_by_code(page: Page, live: str, email: str) -> None:
    page.goto(f"{live}/compte/connexion/")
    fits(page)
    page.locator("main input:visible").first.fill(email)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/code/")
    fits(page)
    code = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert code is not None
    page.locator("main input:visible").first.fill(code.group())
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/mon-espace/")


def test_from_the_code_to_the_cancelled_reservation(
    phone: Page, live: str, street: Place, member: Member
) -> None:
    sign_in_by_code(phone, live, member.user.email)
    expect(phone.locator("h1")).to_have_text("Bonjour Samira")
    fits(phone)

    phone.get_by_role("link", name="Emprunter").first.click()
    fits(phone)
    phone.get_by_role("link", name="Cuisiner").click()
    fits(phone)
    phone.get_by_role("link", name="Gaufrier").first.click()
    expect(phone.locator("h1")).to_have_text("Gaufrier")
    fits(phone)

    phone.get_by_role("button", name="Venir mercredi 10").click()
    expect(phone.locator("h1")).to_have_text("C’est réservé")
    fits(phone)
    loan = Loan.objects.get()
    assert loan.status == LoanStatus.RESERVED

    phone.goto(f"{live}/mon-espace/reservations/")
    fits(phone)
    phone.get_by_role("link", name="Changer le jour").first.click()
    fits(phone)
    phone.get_by_role("button", name="Venir vendredi 12").click()
    phone.wait_for_load_state()
    fits(phone)
    loan.refresh_from_db()
    assert loan.due_on.isoformat() == "2027-03-19"

    phone.goto(f"{live}/mon-espace/reservations/")
    phone.get_by_role("link", name="Annuler").first.click()
    fits(phone)
    phone.get_by_role("button", name="Annuler ma réservation").click()
    phone.wait_for_load_state()
    fits(phone)
    loan.refresh_from_db()
    assert loan.status == LoanStatus.CANCELLED


def test_a_visitor_searches_with_the_wrong_word_and_finds(
    phone: Page, live: str, street: Place
) -> None:
    phone.goto(f"{live}/")
    fits(phone)
    phone.goto(f"{live}/emprunter/")
    phone.get_by_label("Que cherchez-vous").fill("viseuse")
    phone.get_by_role("button", name="Chercher").click()
    expect(phone.locator("main")).to_contain_text("Perceuse")
    fits(phone)
    phone.get_by_label("Que cherchez-vous").fill("zzzzzz")
    phone.get_by_role("button", name="Chercher").click()
    fits(phone)


def test_without_javascript_the_same_is_done(
    new_page: Callable[..., Page], live: str, street: Place, member: Member
) -> None:
    page = new_page(**PHONE, java_script_enabled=False)
    sign_in(page, live, member.user)
    page.goto(f"{live}{Tool.objects.get(name='Gaufrier').get_absolute_url()}")
    page.get_by_role("button", name="Venir mercredi 10").click()
    expect(page.locator("h1")).to_have_text("C’est réservé")
    page.goto(f"{live}/mon-espace/reservations/")
    page.get_by_role("link", name="Annuler").first.click()
    page.get_by_role("button", name="Annuler ma réservation").click()
    assert Loan.objects.get().status == LoanStatus.CANCELLED


def test_with_the_keyboard_alone_a_window_is_taken(
    phone: Page, live: str, street: Place, member: Member
) -> None:
    sign_in(phone, live, member.user)
    phone.goto(f"{live}{Tool.objects.get(name='Gaufrier').get_absolute_url()}")
    for _ in range(40):
        press(phone, "Tab")
        if phone.evaluate("document.activeElement.innerText || ''").startswith("Venir"):
            break
    assert phone.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    press(phone, "Enter")
    expect(phone.locator("h1")).to_have_text("C’est réservé")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/services/",
        "/pain-et-paniers/",
        "/evenements/",
        "/avantages/",
        "/entraide/",
        "/nouvelles/",
        "/accessibilite/",
        "/schema-accessibilite/",
        "/signaler-un-defaut/",
        "/mentions-legales/",
        "/donnees-personnelles/",
        "/recherche/?q=gaufrier",
        "/recherche/?q=zzzz",
        "/compte/inscription/",
        "/compte/equipe/",
        "/bienvenue/",
        "/composants/",
        "/api/v1/docs",
        "/une-page-qui-nexiste-pas/",
    ],
)
@pytest.mark.parametrize("width", [360, 1280])
def test_each_public_page_fits_and_can_be_read(
    new_page: Callable[..., Page], live: str, street: Place, path: str, width: int
) -> None:
    page = new_page(width=width, height=800)
    page.goto(live + path)
    fits(page)


@pytest.mark.parametrize(
    "path",
    [
        "/mon-espace/",
        "/mon-espace/reservations/",
        "/mon-espace/carte/",
        "/mon-espace/agenda/",
        "/mon-espace/acces/",
        "/mon-espace/informations/",
        "/mon-compte/locataire/",
        "/compte/appareils/",
    ],
)
def test_each_page_of_a_member_fits_and_can_be_read(
    phone: Page, live: str, street: Place, member: Member, path: str
) -> None:
    sign_in(phone, live, member.user)
    phone.goto(live + path)
    fits(phone)
