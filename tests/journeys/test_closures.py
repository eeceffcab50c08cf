"""The place closes for a week: the plan is read, confirmed, and who has no e-mail is called."""

import os
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from club.models import Closure, Place, User
from concierge.models import Loan
from tests.factories.club import NOW, MemberFactory
from tests.factories.concierge import CopyFactory, LoanFactory
from tests.factories.events import RegistrationFactory, SessionFactory
from tests.factories.parcels import ParcelFactory
from tests.factories.services import AppointmentFactory, on
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def town(place: Place) -> Place:
    """A week with something of each kind; Rose has no e-mail."""
    for number in range(9):
        LoanFactory(
            copy=CopyFactory(place=place), status="out", out_at=NOW,
            member=MemberFactory(place=place), ends_at=NOW + timedelta(days=7 + number % 4),
        )  # fmt: skip
    rose = MemberFactory(
        place=place, user__first_name="Rose", user__email="", user__phone="+33322450001"
    )
    ParcelFactory(member=rose, keep_until=date(2027, 3, 17))
    AppointmentFactory(service__place=place, starts_at=on(17, 10))
    RegistrationFactory(session=SessionFactory(place=place))
    return place


def pictured(page: Page, name: str) -> None:
    """For whoever looks at the pages: `PICTURES` names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_week_is_closed_shown_first(
    page: Page, live: str, town: Place, concierge_user: User
) -> None:
    sign_in(page, live, concierge_user)
    page.goto(f"{live}/desk/")
    page.get_by_role("link", name="Fermetures").click()
    page.get_by_role("link", name="Fermer le lieu").click()
    assert_accessible(page)
    page.get_by_label("Premier jour fermé").fill("2027-03-20")
    page.get_by_label("Dernier jour fermé").fill("2027-03-16")
    page.get_by_role("button", name="Voir ce que cela change").click()
    expect(page.get_by_role("alert")).to_contain_text("Le dernier jour vient après le premier.")
    page.get_by_label("Premier jour fermé").fill("2027-03-16")
    page.get_by_label("Dernier jour fermé").fill("2027-03-20")
    page.get_by_role("button", name="Voir ce que cela change").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fermer du mardi 16")
    assert_accessible(page)
    pictured(page, "plan-1280")
    page.set_viewport_size({"width": 360, "height": 800})
    assert_accessible(page)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    pictured(page, "plan-360")
    assert not Closure.objects.exists()
    page.get_by_role("button", name="Fermer et prévenir").click()
    expect(page.locator(".result__words")).to_contain_text("La fermeture est notée.")
    assert_accessible(page)
    pictured(page, "list-360")
    page.set_viewport_size({"width": 1280, "height": 800})
    pictured(page, "list-1280")
    assert not Loan.objects.filter(due_on__lt=date(2027, 3, 23)).exists()
    page.get_by_role("button", name="Noter l’appel").click()
    expect(page.get_by_role("heading", name="À appeler")).to_have_count(0)
    page.get_by_role("link", name="Rouvrir").click()
    assert_accessible(page)
    pictured(page, "withdraw-1280")
    page.get_by_role("button", name="Rouvrir et prévenir").click()
    expect(page.locator(".result__words")).to_contain_text("La fermeture est retirée.")
    assert not Closure.objects.exists()
