"""From the message to the call: one tap on a phone, with scripts and without, then the desk."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from club.kernel import links
from club.models import Member, Opinion, User
from tests.factories.opinions import OpinionFactory
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_one_tap_then_a_call(
    new_page: Callable[..., Page], live: str, member: Member, concierge_user: User
) -> None:
    one = OpinionFactory(member=member, label="Nettoyeur à haute pression")
    here = live + links.opinion_path(one.reference)

    plain = new_page(360, 800, java_script_enabled=False)
    plain.goto(f"{here}?visage=happy")
    expect(plain.get_by_role("button", name="Envoyer mon avis")).to_be_visible()
    one.refresh_from_db()
    assert one.face == "", "opening a link keeps nothing"
    plain.get_by_role("link", name="Choisir un autre visage").click()
    plain.get_by_role("button", name="Moyen").click()
    expect(plain.get_by_role("heading", level=1)).to_have_text("Merci, c’est noté")

    phone = new_page(360, 800)
    phone.goto(here + "?changer=1")
    assert_accessible(phone)
    assert fits(phone)
    phone.goto(f"{here}?visage=unhappy")
    expect(phone.get_by_role("heading", level=1)).to_have_text("Merci, c’est noté")
    assert_accessible(phone)
    assert fits(phone)
    phone.get_by_role("button", name="Trop d’attente").press("Enter")
    expect(phone.get_by_text("Votre raison")).to_be_visible()
    one.refresh_from_db()
    assert (one.face, one.reason) == ("unhappy", "wait")

    desk = new_page()
    sign_in(desk, live, concierge_user)
    desk.goto(f"{live}/desk/")
    desk.get_by_role("link", name="Nettoyeur à haute pression").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("À appeler")
    assert_accessible(desk)
    desk.get_by_role("button", name="Noter que c’est réglé").click()
    expect(desk.get_by_text("Personne à appeler aujourd’hui.")).to_be_visible()
    desk.get_by_role("button", name="Défaire").click()
    expect(desk.get_by_role("button", name="Noter que c’est réglé")).to_be_visible()
    assert Opinion.objects.get().called_at is None
