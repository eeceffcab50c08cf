"""A tenant sends the certificate from a phone; an intermediary's page is read beside it."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from club.models import Place
from marketplace.enums import DocumentKind, PartnerKind
from marketplace.models import Certificate, InsurancePrice
from tests.factories.club import CardFactory, MemberFactory
from tests.factories.marketplace import PartnerFactory, PersonFactory, insured
from tests.journeys.conftest import assert_accessible, sign_in
from tests.marketplace.test_certificates import checked

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fits(page: Page) -> bool:
    """No part of the page is wider than the phone."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    return new_page(width=360, height=800, java_script_enabled=False)


@pytest.fixture
def photo(tmp_path: Path, settings: Any) -> Path:
    options = {"OPTIONS": {"location": tmp_path / "private", "base_url": None}}
    private = settings.STORAGES["private"] | options
    settings.STORAGES = settings.STORAGES | {"private": private}
    path = tmp_path / "attestation.jpg"
    Image.new("RGB", (600, 800), "#fbf5e9").save(path, "JPEG")
    return path


def test_a_photo_from_a_phone_without_scripts(
    place: Place, live: str, phone: Page, photo: Path
) -> None:
    member = checked(MemberFactory(place=place))
    CardFactory(member=member)
    sign_in(phone, live, member.user)
    phone.goto(f"{live}/attestation-assurance/")
    expect(phone.get_by_text("Nous n’avons pas reçu votre attestation.")).to_be_visible()
    assert fits(phone)
    phone.get_by_role("link", name="Envoyer mon attestation").click()
    phone.get_by_role("button", name="Envoyer l’attestation").click()
    expect(phone.get_by_role("alert")).to_contain_text("Il y a un problème")
    assert fits(phone)
    phone.get_by_label("Prendre une photo").set_input_files(photo)
    phone.get_by_label("Nom de l’assureur").fill("Assurances du Nord")
    phone.get_by_label("Valable du").fill("2027-03-01")
    phone.get_by_label("Jusqu’au").fill("2028-02-29")
    phone.get_by_role("button", name="Envoyer l’attestation").click()
    expect(phone.get_by_role("heading", level=1)).to_have_text("C’est envoyé")
    assert fits(phone)
    assert Certificate.objects.get().household == member.household


def test_the_intermediary_s_page_and_a_call(
    place: Place, live: str, new_page: Callable[..., Page]
) -> None:
    broker = PartnerFactory(
        landlord=place.landlord, kind=PartnerKind.INTERMEDIARY, shop="", name="Assur’Nord",
        orias="12345678", prices_on=date(2027, 1, 4),
    )  # fmt: skip
    insured(broker, kind=DocumentKind.ORIAS)
    person = PersonFactory(partner=broker)
    for rooms in range(1, 6):
        InsurancePrice.objects.create(partner=broker, rooms=rooms, yearly_cents=9_000 + rooms * 900)
    member = MemberFactory(place=place)
    page = new_page(width=360, height=800)
    sign_in(page, live, member.user)
    page.goto(live + broker.get_absolute_url())
    expect(page.get_by_role("row")).to_have_count(6)
    assert fits(page)
    assert_accessible(page)
    page.get_by_role("link", name="Être rappelé").click()
    assert_accessible(page)
    tick = page.get_by_role("checkbox")
    expect(tick).not_to_be_checked()
    page.get_by_label("Votre numéro de téléphone").fill("06 39 98 00 01")
    page.get_by_role("button", name="Demander un rappel").click()
    expect(page.get_by_role("alert")).to_contain_text("Cochez la case")
    tick.check()
    page.get_by_role("button", name="Demander un rappel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("C’est demandé")
    assert_accessible(page)
    theirs = new_page(width=360, height=800)
    sign_in(theirs, live, person.user)
    theirs.goto(live + reverse("pro:callbacks"))
    expect(theirs.get_by_role("link", name="Appeler le")).to_be_visible()
    assert fits(theirs)
    assert_accessible(theirs)
    theirs.get_by_role("button", name="J’ai rappelé").click()
    expect(theirs.get_by_text("Personne n’attend de rappel")).to_be_visible()
