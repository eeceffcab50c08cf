"""Two adults, two telephones: one invites, the other joins, and leaves again."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from club.models import Member
from cms.setup import build_site
from tests.factories.club import CardFactory
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def host(new_page: Callable[..., Page], live: str, member: Member) -> Page:
    build_site(member.place)
    CardFactory(member=member)
    page = new_page(width=360, height=800)
    sign_in(page, live, member.user)
    return page


@pytest.fixture
def guest(new_page: Callable[..., Page], live: str, host: Page, other_member: Member) -> Page:
    page = new_page(width=360, height=800)
    sign_in(page, live, other_member.user)
    return page


def fits(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def test_invited_joined_and_left(
    host: Page, guest: Page, live: str, member: Member, other_member: Member
) -> None:
    host.goto(f"{live}/mon-espace/foyer/")
    host.get_by_role("button", name="Inviter un autre adulte").click()
    expect(host.get_by_role("heading", name="Votre invitation est prête")).to_be_visible()
    fits(host)
    code = host.locator(".invitation-code").inner_text()
    sms = host.get_by_role("link", name="L’envoyer par SMS").get_attribute("href") or ""
    assert re.match(r"sms:\?&body=Samira%20", sms)
    assert code in sms

    guest.goto(f"{live}/mon-espace/foyer/rejoindre/")
    guest.get_by_label("Code d’invitation").fill(code.lower())
    guest.get_by_role("button", name="Voir l’invitation").click()
    expect(guest.locator("h1")).to_have_text("Rejoindre le foyer de Samira\u00a0?")
    fits(guest)
    guest.get_by_role("button", name="Rejoindre ce foyer").click()
    expect(guest.get_by_text("Bienvenue dans ce foyer.")).to_be_visible()
    expect(guest.locator(".booking__title")).to_have_count(2)
    fits(guest)
    assert Member.objects.get(pk=other_member.pk).household_id == member.household_id

    guest.get_by_role("link", name="Quitter ce foyer").click()
    fits(guest)
    guest.get_by_role("button", name="Quitter ce foyer").click()
    expect(guest.locator(".booking__title")).to_have_count(1)
    host.goto(f"{live}/mon-espace/foyer/")
    expect(host.locator(".booking__title")).to_have_count(1)


def test_erased_after_the_word(guest: Page, live: str, other_member: Member) -> None:
    guest.goto(f"{live}/mon-espace/informations/")
    guest.get_by_role("link", name="Effacer mon compte").click()
    guest.get_by_role("button", name="Effacer mon compte").click()
    expect(guest.locator(".error-summary")).to_contain_text("Écrivez le mot EFFACER.")
    fits(guest)
    guest.get_by_label("Pour confirmer, écrivez le mot EFFACER").fill("effacer")
    guest.get_by_role("button", name="Effacer mon compte").click()
    expect(guest.locator("h1")).to_have_text("Votre compte est effacé")
    fits(guest)
    guest.goto(f"{live}/mon-espace/")
    expect(guest).to_have_url(re.compile("/compte/connexion/"))
    other_member.user.refresh_from_db()
    assert not other_member.user.is_active
