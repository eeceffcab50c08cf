"""A leaking tap at 360 px: asked for in one form, answered by one button, without a script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from club.models import Place
from marketplace.enums import Trade, VisitStatus
from marketplace.models import VisitRequest
from tests.factories.club import MemberFactory
from tests.factories.marketplace import ArtisanFactory, PersonFactory, insured
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("scripts", [True, False])
def test_a_leaking_tap(
    new_page: Callable[..., Page], live: str, place: Place, scripts: bool
) -> None:
    member = MemberFactory(place=place, user__phone="+33639980001")
    people = []
    for name in ("Plomberie Lefèvre", "Durand & fils", "Eau Claire Services"):
        partner = ArtisanFactory(landlord=place.landlord, name=name, phone="+33322010203")
        insured(partner, Trade.PLUMBING)
        people.append(PersonFactory(partner=partner))
    page = new_page(360, 800, java_script_enabled=scripts)
    sign_in(page, live, member.user)
    page.goto(f"{live}/avantages/artisans/plomberie/")
    page.get_by_role("link", name="Demander une visite").click()
    if scripts:
        assert fits(page)
        assert_accessible(page)
    page.get_by_label("Que faut-il réparer").fill("Le robinet de la cuisine fuit.")
    page.get_by_label("Adresse, bâtiment, étage").fill("3, allée des Tilleuls")
    page.get_by_role("button", name="Envoyer ma demande").click()
    page.get_by_role("heading", name="Il y a un problème").wait_for()
    if scripts:
        assert_accessible(page)
    page.get_by_role("group", name="Mercredi 10 mars").get_by_text("Matin").click()
    page.get_by_role("button", name="Envoyer ma demande").click()
    page.get_by_role("heading", name="C’est envoyé").wait_for()
    page.get_by_role("link", name="Suivre ma demande").click()

    visit = VisitRequest.objects.get()
    theirs = new_page(360, 800, java_script_enabled=scripts)
    ask = visit.asks.get(rank=1)
    sign_in(theirs, live, ask.partner.people.get().user)
    theirs.goto(f"{live}/espace-partenaire/demandes/")
    theirs.get_by_role("link", name="Plomberie à Amiens").click()
    if scripts:
        assert fits(theirs)
        assert_accessible(theirs)
    theirs.get_by_role("button", name="Accepter à 9 h").click()
    theirs.get_by_text("C’est convenu. Voici qui vous attend.").wait_for()
    if scripts:
        assert_accessible(theirs)
    visit.refresh_from_db()
    assert visit.status == VisitStatus.AGREED

    page.reload()
    page.get_by_text(f"{ask.partner.name} vient mercredi 10 mars à 9 h.").wait_for()
    if scripts:
        assert fits(page)
        assert_accessible(page)
