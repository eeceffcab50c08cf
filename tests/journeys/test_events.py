"""A family and its places: from the programme to "C’est réservé", or to the waiting list."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from club.models import Member, Place
from cms.setup import build_site
from events.models import Registration, Session
from tests.factories.club import NOW
from tests.factories.events import RegistrationFactory, SessionFactory, make_event
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 360, "height": 800}


@pytest.fixture
def programme(place: Place) -> Place:
    """Four events: places, full, names asked, and one entry for all."""
    build_site(place)
    make = {
        "Atelier cuisine": {"theme": "cook", "step_free": True, "lead": "Un repas à partager."},
        "Couture": {"theme": "mend", "drawing": "tools/machine-a-coudre"},
        "Sortie à la mer": {"theme": "out", "asks_names": True, "asks_ages": True},
        "Fête de la cour": {"theme": "party", "entry": "free"},
    }
    for days, (title, fields) in enumerate(make.items(), 1):
        event = make_event(place, title=title, **fields)
        SessionFactory(place=place, event=event, capacity=6, starts_at=NOW + timedelta(days=days))
    RegistrationFactory(session=Session.objects.get(event__title="Couture"), quantity=6)
    return place


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    return new_page(**PHONE)


def fits(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def test_a_mother_of_two_takes_three_places_in_three_steps(
    phone: Page, live: str, programme: Place, member: Member
) -> None:
    sign_in(phone, live, member.user)
    phone.goto(f"{live}/evenements/")
    expect(phone.locator("h1")).to_have_text("Événements")
    fits(phone)
    phone.get_by_role("link", name="S’inscrire – Atelier cuisine").click()
    fits(phone)
    phone.get_by_role("button", name="Une place de plus").click()
    phone.get_by_role("button", name="Une place de plus").click()
    phone.get_by_role("button", name="S’inscrire").click()
    expect(phone.locator("h1")).to_have_text("C’est réservé")
    fits(phone)
    assert Registration.objects.get(member=member).quantity == 3
    phone.goto(f"{live}/evenements/")
    expect(phone.locator("main")).to_contain_text("Vous avez 3 places")


def test_a_full_list_and_three_places_together(
    phone: Page, live: str, programme: Place, member: Member
) -> None:
    sign_in(phone, live, member.user)
    phone.goto(f"{live}/evenements/")
    phone.get_by_role("link", name="Me mettre en attente – Couture").click()
    expect(phone.locator("main")).to_contain_text("Qui attend plus de places garde son tour.")
    fits(phone)
    phone.get_by_label("Combien de places ensemble ?").fill("3")
    phone.get_by_label("Moins de places me conviendrait aussi").check()
    phone.get_by_role("button", name="Me mettre en attente").click()
    expect(phone.locator("h1")).to_have_text("Vous êtes en attente")
    fits(phone)
    made = Registration.objects.get(member=member)
    assert (made.status, made.quantity, made.fewer_ok) == ("waiting", 3, True)


def test_names_are_asked_and_a_forgotten_one_is_found_without_javascript(
    new_page: Callable[..., Page], live: str, programme: Place, member: Member
) -> None:
    page = new_page(**PHONE, java_script_enabled=False)
    sign_in(page, live, member.user)
    session = Session.objects.get(event__title="Sortie à la mer")
    page.goto(f"{live}{session.event.get_url()}")
    page.get_by_role("link", name="Vendredi 12").click()
    page.get_by_label("Combien de places ?").fill("2")
    page.get_by_role("button", name="Continuer").click()
    page.get_by_label("Âge, si c’est un enfant").last.fill("8")
    page.get_by_role("button", name="S’inscrire").click()
    expect(page.locator(".error-summary")).to_contain_text("Écrivez le nom de cette personne.")
    assert page.title().startswith("Erreur")
    page.get_by_label("Prénom et nom").last.fill("Inès")
    page.get_by_role("button", name="S’inscrire").click()
    expect(page.locator("h1")).to_have_text("C’est réservé")
    made = Registration.objects.get(member=member)
    assert [one.age for one in made.participants.order_by("pk")] == [None, 8]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_of_a_visitor_fit_and_can_be_read(
    new_page: Callable[..., Page], live: str, programme: Place, width: int
) -> None:
    page = new_page(width=width, height=900)
    full = Session.objects.get(event__title="Couture")
    for path in [
        "/evenements/",
        "/evenements/?mois=2027-03&papier=1",
        "/evenements/?enfants=on&plain_pied=on&rayon=grow",
        full.event.get_url(),
        full.get_absolute_url(),
        Session.objects.get(event__title="Atelier cuisine").get_absolute_url(),
    ]:
        page.goto(live + path)
        fits(page)
