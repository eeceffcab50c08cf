"""An offer from a baker's phone, past the officer's desk, to a resident; and one refused."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from club.enums import Role
from club.models import Place, User
from cms.setup import build_site
from marketplace.domain import people
from marketplace.models import Offer, OfferStock, PartnerPerson
from tests.factories.club import NOW, CardFactory, MemberFactory
from tests.factories.cms import staff
from tests.factories.marketplace import PersonFactory
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning"),
]
PHONE = {"width": 360, "height": 800}
NBSP = "\u00a0"


@pytest.fixture
def baker(place: Place) -> PartnerPerson:
    build_site(place)
    return PersonFactory(
        partner__landlord=place.landlord,
        partner__name="Le Fournil",
        user__first_name="Karim",
        user__email="fournil@example.org",
    )


@pytest.fixture
def officer(place: Place) -> User:
    return staff(place, Role.OFFICER, "mission@example.org")


def seen(page: Page, name: str) -> None:
    """Keep a picture of the page where somebody asked for pictures."""
    folder = os.environ.get("JOURNEY_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def fits(page: Page, name: str, *, has_scripts: bool = True) -> None:
    page.wait_for_load_state("load")
    seen(page, name)
    if not has_scripts:
        return
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def photo() -> bytes:
    out = BytesIO()
    Image.new("RGB", (640, 400), (201, 154, 94)).save(out, "JPEG")
    return out.getvalue()


def enter(page: Page, live: str, person: PartnerPerson) -> None:
    link = people.make_link(person, now=NOW, following=reverse("pro:offer-new"))
    page.goto(live + reverse("pro:entry", args=[people.signed(link)]))
    page.get_by_role("button", name="Entrer sur ce téléphone").click()
    page.wait_for_url("**/offre/nouvelle/")


def propose(page: Page, *, has_scripts: bool = True) -> None:
    expect(page.locator("h1")).to_have_text("Proposer un avantage")
    fits(page, "1-form", has_scripts=has_scripts)
    page.get_by_label("Prix réservé aux membres").check()
    page.get_by_label("Prix membre, en euros").fill("1,10")
    page.get_by_label("Prix habituel, en euros").fill("1,30")
    page.get_by_label("Jusqu’au").fill("2027-03-01")
    page.get_by_role("button", name="Envoyer pour accord").click()
    faults = page.locator(".error-summary")
    expect(faults).to_contain_text("Écrivez sur quoi porte l’avantage.")
    expect(faults).to_contain_text("La fin ne peut pas être avant le début.")
    fits(page, "2-faults", has_scripts=has_scripts)
    page.get_by_label("Sur quoi").first.fill("Pain de campagne")
    page.get_by_label("Jusqu’au").fill("")
    page.get_by_label("Photo").set_input_files(
        {"name": "pain.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    page.get_by_role("button", name="Voir ce que liront les habitants").click()
    preview = page.locator("#apercu")
    expect(preview).to_contain_text(f"1,10{NBSP}€ au lieu de 1,30{NBSP}€")
    expect(preview.locator("img")).to_be_visible()
    fits(page, "3-preview", has_scripts=has_scripts)
    preview.get_by_role("button", name="Envoyer pour accord").click()
    expect(page.locator("h1")).to_have_text("C’est envoyé")
    fits(page, "4-sent", has_scripts=has_scripts)


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_a_baker_proposes_an_officer_agrees_and_a_resident_reads(
    new_page: Callable[..., Page],
    live: str,
    place: Place,
    baker: PartnerPerson,
    officer: User,
    scripts: bool,
) -> None:
    phone = new_page(**PHONE, java_script_enabled=scripts)
    enter(phone, live, baker)
    propose(phone, has_scripts=scripts)
    offer = Offer.objects.get()
    assert not offer.live

    desk = new_page(width=1280)
    sign_in(desk, live, officer)
    desk.goto(f"{live}/admin/avantages-a-relire/")
    asked = desk.locator(f"#avantage-{offer.pk}")
    expect(asked).to_contain_text("nouvel avantage")
    expect(asked).to_contain_text("Pain de campagne")
    seen(desk, "5-to-read")
    assert_accessible(desk)
    asked.get_by_role("button", name="Mettre en ligne").click()
    expect(desk.locator("body")).to_contain_text("L’avantage est en ligne.")

    resident = new_page(**PHONE)
    member = MemberFactory(place=place)
    CardFactory(member=member)
    sign_in(resident, live, member.user)
    resident.goto(f"{live}/avantages/")
    resident.get_by_role("link", name="Voir tous les avantages").click()
    expect(resident.locator(".offer")).to_contain_text(f"1,10{NBSP}€ au lieu de 1,30{NBSP}€")
    fits(resident, "6-list")
    resident.get_by_role("link", name="Le Fournil").click()
    expect(resident.locator("main")).to_contain_text("Montrez votre carte avant de payer.")
    fits(resident, "7-shop")


def test_a_change_is_refused_and_the_baker_reads_why(
    new_page: Callable[..., Page], live: str, place: Place, baker: PartnerPerson, officer: User
) -> None:
    offer = Offer.objects.create(
        partner=baker.partner, title="Pain de campagne", kind="percent", percent=10,
        starts_on=NOW.date(), live=True,
    )  # fmt: skip
    phone = new_page(**PHONE)
    enter(phone, live, baker)
    phone.goto(live + reverse("pro:offer-edit", args=[offer.public_id]))
    fits(phone, "8-change")
    phone.get_by_label("Remise, en %").fill("80")
    phone.get_by_role("button", name="Envoyer pour accord").click()
    expect(phone.locator(".offer-state")).to_contain_text("L’avantage d’avant reste en ligne.")
    fits(phone, "9-waits")

    desk = new_page(width=1280)
    sign_in(desk, live, officer)
    desk.goto(f"{live}/admin/")
    expect(desk.locator("body")).to_contain_text("Pain de campagne")
    desk.goto(f"{live}/admin/avantages-a-relire/")
    asked = desk.locator(f"#avantage-{offer.pk}")
    expect(asked.locator(".offer-asked__new")).to_have_count(1)
    asked.get_by_role("button", name="Refuser").click()
    expect(desk.locator("body")).to_contain_text("Dites pourquoi")
    asked.get_by_label("Si vous refusez, dites pourquoi").fill("80 % est trop pour durer.")
    seen(desk, "10-refuse")
    assert_accessible(desk)
    asked.get_by_role("button", name="Refuser").click()
    expect(desk.locator("body")).to_contain_text("Rien n’attend votre accord.")

    phone.reload()
    expect(phone.locator(".offer-state")).to_contain_text("80 % est trop pour durer.")
    expect(phone.get_by_label("Remise, en %")).to_have_value("80")
    fits(phone, "11-refused")
    phone.get_by_role("button", name="Garder l’avantage d’avant").click()
    expect(phone.locator(".offer-state")).to_contain_text("En ligne")
    expect(phone.get_by_label("Remise, en %")).to_have_value("10")
    assert Offer.objects.get().percent == 10


def test_taps_at_the_counter_move_nothing_and_each_counts(
    new_page: Callable[..., Page], live: str, baker: PartnerPerson
) -> None:
    Offer.objects.create(
        partner=baker.partner, title="Pain de campagne", kind="price", price_cents=110,
        usual_price_cents=130, starts_on=NOW.date(), live=True,
    )  # fmt: skip
    phone = new_page(**PHONE)
    enter(phone, live, baker)
    phone.goto(live + reverse("pro:offers"))
    plus = phone.get_by_role("button", name="Un de plus")
    before = plus.bounding_box()
    assert before is not None
    middle = (before["x"] + before["width"] / 2, before["y"] + before["height"] / 2)
    for _ in range(5):
        phone.mouse.click(*middle)
    expect(phone.locator(".quantity__number")).to_have_text("5")
    expect(phone.locator("main")).to_contain_text("Enregistré à")
    assert plus.bounding_box() == before
    expect(plus).to_be_focused()
    assert OfferStock.objects.get().left == 5
    phone.get_by_role("button", name="Un de moins").click()
    expect(phone.locator(".quantity__number")).to_have_text("4")
    phone.wait_for_load_state("networkidle")
    fits(phone, "12-taps")
    phone.reload()
    expect(phone.locator(".quantity__number")).to_have_text("4")


def test_a_stale_tab_publishes_nothing_unread(
    new_page: Callable[..., Page], live: str, place: Place, baker: PartnerPerson, officer: User
) -> None:
    phone = new_page(**PHONE)
    enter(phone, live, baker)
    propose(phone)
    desk = new_page(width=1280)
    sign_in(desk, live, officer)
    desk.goto(f"{live}/admin/avantages-a-relire/")
    phone.get_by_label("Prix membre, en euros").fill("0,10")
    phone.get_by_role("button", name="Envoyer pour accord").click()
    expect(phone.locator("h1")).to_have_text("C’est envoyé")
    desk.get_by_role("button", name="Mettre en ligne").click()
    expect(desk.locator("body")).to_contain_text("modifié entre-temps")
    expect(desk.locator("body")).to_contain_text(f"0,10{NBSP}€")
    assert not Offer.objects.get().live
