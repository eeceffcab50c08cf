"""Two weeks away: booked on a phone, keys signed for, each visit read, keys given back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from club.models import Member, Place, User
from cms.setup import build_site
from concierge.models import KeySet, Stay, StayVisit
from tests.factories.club import NOW
from tests.factories.parcels import ProxyFactory
from tests.factories.services import client_of
from tests.factories.stays import RunningStayFactory, StayServiceFactory, photo
from tests.journeys.conftest import assert_accessible, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def samira(place: Place) -> Member:
    build_site(place)
    return client_of(place)


def fits(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def sign(page: Page) -> None:
    """Drawn with the mouse, as a finger does."""
    pad = page.locator("canvas")
    pad.scroll_into_view_if_needed()
    frame = pad.bounding_box()
    assert frame is not None
    left, top = frame["x"], frame["y"]
    page.mouse.move(left + 20, top + 60)
    page.mouse.down()
    page.mouse.move(left + 80, top + 20, steps=4)
    page.mouse.move(left + 160, top + 70, steps=4)
    page.mouse.up()
    expect(page.locator("[data-sign-said]")).to_have_text("Signature faite.")


def test_booked_on_a_phone_and_read_visit_by_visit(
    new_page: Callable[..., Page], live: str, place: Place, samira: Member, concierge_user: User,
    tmp_path: Path,
) -> None:  # fmt: skip
    phone = new_page(width=360, height=800)
    StayServiceFactory(place=place)
    sign_in(phone, live, samira.user)
    phone.goto(f"{live}/services/")
    phone.get_by_role("link", name="Choisir mes dates – Garde de la maison").click()
    fits(phone)
    phone.get_by_role("button", name="Voir ce que je réserve").click()
    expect(phone.locator("body")).to_contain_text("Choisissez le premier jour.")
    fits(phone)
    phone.get_by_label("Premier jour").fill("2027-03-10")
    phone.get_by_label("Dernier jour").fill("2027-03-23")
    phone.get_by_label("Relever le courrier").check()
    phone.get_by_label("Arroser les plantes").check()
    phone.get_by_role("button", name="Voir ce que je réserve").click()
    expect(phone.locator("h1")).to_have_text("C’est bien cela\u00a0?")
    expect(phone.locator("main")).to_contain_text("14 jours à 3\u00a0€, soit 42\u00a0€")
    fits(phone)
    phone.get_by_role("button", name="Réserver et payer à la fin").click()
    expect(phone.locator("h1")).to_have_text("C’est réservé")
    fits(phone)

    # At the counter the keys are signed for on the screen.
    stay = Stay.objects.get()
    counter = new_page()
    sign_in(counter, live, concierge_user)
    counter.goto(f"{live}/desk/")
    counter.keyboard.type(stay.reference)
    press(counter, "Enter")
    expect(counter.locator("[data-result]")).to_contain_text("Garde lue.")
    assert_accessible(counter)
    counter.get_by_role("link", name="Recevoir les clés").click()
    counter.get_by_role("button", name="Recevoir ces clés").click()
    expect(counter.locator("main")).to_contain_text("Faites signer à l’écran")
    assert_accessible(counter)
    sign(counter)
    counter.get_by_role("button", name="Recevoir ces clés").click()
    expect(counter.locator("[data-result]")).to_contain_text("Reçu.")
    expect(counter.locator("img.signature__drawn")).to_be_visible()
    assert_accessible(counter)
    keys = KeySet.objects.get()
    stay.refresh_from_db()
    assert (stay.status, keys.received_on_paper) == ("running", False)
    counter.get_by_role("link", name="Imprimer l’étiquette").click()
    expect(counter.locator(".key-tag")).not_to_contain_text("Benali")

    # Given back on paper, to somebody whom the member has named.
    aunt = ProxyFactory(member=samira)
    counter.goto(f"{live}/desk/cles/{keys.reference}/")
    press(counter, "F6")
    counter.get_by_label(str(aunt)).check()
    counter.get_by_label("Signé sur papier").check()
    assert_accessible(counter)
    counter.get_by_role("button", name="Rendre les clés").click()
    expect(counter.locator("main")).to_contain_text(f"Rendues à {aunt},")
    stay.refresh_from_db()
    assert stay.status == "booked", "They went back before the first day."


def test_ticked_at_the_door_with_a_photo_and_a_problem(
    new_page: Callable[..., Page], live: str, place: Place, samira: Member, concierge_user: User,
    tmp_path: Path,
) -> None:  # fmt: skip
    stay = RunningStayFactory(service=StayServiceFactory(place=place), member=samira)
    door = new_page(width=360, height=800)
    sign_in(door, live, concierge_user)
    door.goto(f"{live}/desk/gardes/")
    fits(door)
    door.get_by_role("link", name="Noter la visite").click()
    fits(door)
    picture = tmp_path / "visite.jpg"
    picture.write_bytes(photo().read())
    door.get_by_label("Vérifier que tout va bien").check()
    door.get_by_label("Photo").set_input_files(picture)
    door.get_by_role("button", name="Noter la visite faite").click()
    expect(door.locator("[data-result]")).to_contain_text("Visite faite.")
    fits(door)
    door.get_by_text("Signaler un problème").click()
    door.get_by_label("Fuite d’eau").check()
    door.get_by_role("button", name="Noter le problème et prévenir").click()
    expect(door.locator("[data-result]")).to_contain_text("Problème noté.")
    fits(door)
    door.get_by_role("button", name="Noter appelé").click()
    expect(door.locator("[data-result]")).to_contain_text("Appel noté.")
    visit = StayVisit.objects.get(day=NOW.date())
    assert (visit.incident, bool(visit.called_at)) == ("water", True)

    phone = new_page(width=360, height=800)
    sign_in(phone, live, samira.user)
    phone.goto(f"{live}/mon-espace/reservations/{stay.reference}/")
    expect(phone.locator("main")).to_contain_text("L’accueil vous a appelé.")
    image = phone.locator("img.stay-photo")
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("one => one.naturalWidth") == 64
    fits(phone)
    phone.goto(f"{live}/mon-espace/cles/")
    fits(phone)
