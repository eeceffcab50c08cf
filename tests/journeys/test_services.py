"""A slot in four steps: the reason, the day, the hour, "C’est réservé"; or a turn."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from club.models import Place
from cms.setup import build_site
from concierge.enums import ServiceKind
from concierge.models import Appointment, ServiceQuestion
from tests.factories.services import AppointmentFactory, ServiceFactory, client_of, on
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    return new_page(width=360, height=800)


def fits(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def test_help_with_papers_is_booked_in_four_steps_and_moved(
    phone: Page, live: str, place: Place
) -> None:
    build_site(place)
    service = ServiceFactory(place=place)
    ServiceFactory(place=place, name="Code Wi-Fi", kind=ServiceKind.COUNTER)
    ServiceQuestion.objects.create(service=service, text="Quel papier ?", choices="CAF\nEDF")
    samira = client_of(place)
    sign_in(phone, live, samira.user)
    phone.goto(f"{live}/services/")
    fits(phone)
    phone.get_by_role("link", name="Choisir un créneau – Aide aux papiers").click()
    fits(phone)
    phone.get_by_role("link", name="Mercredi 10\u00a0mars").click()
    fits(phone)
    phone.get_by_role("button", name="10\u00a0h jusqu’à 10\u00a0h\u00a030").click()
    expect(phone.locator("body")).to_contain_text("Répondez à cette question.")
    fits(phone)
    phone.get_by_label("CAF").check()
    phone.get_by_role("button", name="10\u00a0h jusqu’à 10\u00a0h\u00a030").click()
    expect(phone.locator("h1")).to_have_text("C’est réservé")
    fits(phone)
    phone.get_by_role("link", name="Changer l’heure").click()
    fits(phone)
    phone.get_by_role("button").filter(has_text="9\u00a0h à 9\u00a0h\u00a030").first.click()
    expect(phone.locator("body")).to_contain_text("C’est changé.")
    fits(phone)
    assert Appointment.objects.get().sequence == 1


def test_who_finds_no_slot_waits(phone: Page, live: str, place: Place) -> None:
    build_site(place)
    service = ServiceFactory(place=place, lines=[(2, 10, 10.5)], horizon_days=6)
    AppointmentFactory(service=service, starts_at=on(10, 10))
    samira = client_of(place)
    sign_in(phone, live, samira.user)
    phone.goto(f"{live}/services/{service.public_id}/")
    phone.get_by_role("link", name="M’inscrire sur la liste d’attente").click()
    fits(phone)
    phone.get_by_role("button", name="Me mettre en attente").click()
    expect(phone.locator("body")).to_contain_text("Vous attendez un créneau")
    fits(phone)
