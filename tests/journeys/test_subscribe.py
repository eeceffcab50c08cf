"""A resident subscribes with a telephone: chosen, paid at the desk, stopped, kept, proved."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from club.domain.receipts import take_payment
from club.enums import RightSource
from club.kernel.purchases import due_of
from club.models import Member, Place, User
from cms.setup import build_site
from concierge.domain.subscriptions import add_period, subscribe, tend
from concierge.models import Plan, Subscription
from tests.factories.club import NOW, CardFactory, MemberFactory
from tests.factories.money import (
    ClubPlanFactory,
    PlanFactory,
    SponsorshipFactory,
    TenantPlanFactory,
    TillDayFactory,
)
from tests.journeys.conftest import assert_accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = {"width": 360, "height": 800}


@pytest.fixture
def street(place: Place) -> Place:
    """A place with its pages and three formulas."""
    landlord = place.landlord
    TenantPlanFactory(landlord=landlord, slug="locataires", position=1)
    plan = PlanFactory(landlord=landlord, slug="habitants", price_cents=6000, position=2)
    ClubPlanFactory(landlord=landlord, slug="club", position=3)
    SponsorshipFactory(plan=plan, code="TILLEUL24")
    build_site(place)
    return place


@pytest.fixture
def newcomer(street: Place) -> Member:
    member = MemberFactory(place=street)
    CardFactory(member=member, number="482174")
    return member


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    return new_page(**PHONE)


def fits(page: Page) -> None:
    """Nothing is wider than the screen, and axe finds nothing grave."""
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert_accessible(page)


def pays_at_the_desk(member: Member, by: User) -> None:
    TillDayFactory(place=member.place, opened_by=by)
    now = timezone.now()
    take_payment(
        member=member, place=member.place, lines=due_of(member.household, now),
        means="cash", by=by, now=now, given_cents=10000,
    )  # fmt: skip


def test_from_the_price_to_the_receipt(
    phone: Page, live: str, newcomer: Member, concierge_user: User
) -> None:
    sign_in(phone, live, newcomer.user)
    phone.goto(f"{live}/mon-espace/")
    phone.get_by_role("link", name="M’abonner").click()
    expect(phone.locator("h1")).to_have_text("Mon abonnement")
    fits(phone)
    phone.get_by_role("link", name=re.compile("Habitants")).first.click()
    fits(phone)
    phone.get_by_role("button", name="M’abonner").click()
    expect(phone.locator("h1")).to_have_text("Payez à l’accueil")
    fits(phone)
    phone.goto(f"{live}/mon-espace/abonnement/")
    expect(phone.locator("main")).to_contain_text("En attente")
    fits(phone)

    pays_at_the_desk(newcomer, concierge_user)
    phone.reload()
    expect(phone.locator("main")).to_contain_text("À jour")
    fits(phone)
    phone.goto(f"{live}/mon-espace/recus/")
    fits(phone)
    phone.get_by_role("link", name=re.compile("60")).first.click()
    expect(phone.locator("h1")).to_have_text("Reçu 2027-000001")
    expect(phone.get_by_role("button", name="Imprimer ce reçu")).to_be_visible()
    fits(phone)
    phone.goto(f"{live}/mon-espace/paiements/")
    expect(phone.locator("main")).to_contain_text("Tout est payé.")
    fits(phone)


def test_stopped_then_kept(phone: Page, live: str, newcomer: Member, concierge_user: User) -> None:
    sign_in(phone, live, newcomer.user)
    phone.goto(f"{live}/mon-espace/abonnement/choisir/?formule=habitants")
    phone.get_by_role("button", name="M’abonner").click()
    pays_at_the_desk(newcomer, concierge_user)
    phone.goto(f"{live}/mon-espace/abonnement/")
    phone.get_by_role("link", name="Arrêter").click()
    fits(phone)
    phone.get_by_role("button", name="Arrêter mon abonnement").click()
    expect(phone.get_by_role("status")).to_contain_text("Il dure jusqu’au")
    fits(phone)
    phone.get_by_role("link", name="Continuer après tout").click()
    fits(phone)
    phone.get_by_role("button", name="Garder mon abonnement").click()
    expect(phone.get_by_role("status")).to_contain_text("continue")
    one = Subscription.objects.get()
    assert (one.status, one.stops_at_end) == ("active", False)


def test_renewed_late_without_losing_a_day(
    phone: Page, live: str, newcomer: Member, concierge_user: User
) -> None:
    plan = Plan.objects.get(slug="habitants")
    asked_at = NOW - timedelta(days=368)
    one = subscribe(newcomer, plan, place=newcomer.place, by=newcomer.user, now=asked_at)
    add_period(one, "stripe:1", 6000, RightSource.PAYMENT, by=None, now=asked_at)
    tend(NOW)
    sign_in(phone, live, newcomer.user)
    phone.goto(f"{live}/mon-espace/")
    fits(phone)
    phone.get_by_role("link", name="Abonnement, en retard").click()
    expect(phone.locator("main")).to_contain_text("En retard")
    fits(phone)
    phone.get_by_role("link", name="Renouveler pour 60").click()
    expect(phone.locator("h1")).to_have_text("Payez à l’accueil")
    pays_at_the_desk(newcomer, concierge_user)
    phone.goto(f"{live}/mon-espace/abonnement/")
    expect(phone.locator("main")).to_contain_text("À jour")
    first, second = one.periods.order_by("starts_on")
    assert second.starts_on == first.ends_on + timedelta(days=1)


def test_the_free_club_is_one_press_and_works_without_javascript(
    new_page: Callable[..., Page], live: str, newcomer: Member
) -> None:
    page = new_page(**PHONE, java_script_enabled=False)
    sign_in(page, live, newcomer.user)
    page.goto(f"{live}/mon-espace/abonnement/")
    page.get_by_role("link", name=re.compile("Club")).click()
    page.get_by_role("button", name="M’abonner gratuitement").click()
    expect(page.locator("h1")).to_have_text("C’est actif")
    assert Subscription.objects.get().status == "active"


def test_a_code_that_is_wrong_then_right(phone: Page, live: str, newcomer: Member) -> None:
    sign_in(phone, live, newcomer.user)
    phone.goto(f"{live}/mon-espace/abonnement/")
    phone.get_by_role("link", name="J’ai un code").click()
    fits(phone)
    phone.get_by_label("Le code").fill("TILLEUL42")
    phone.get_by_role("button", name="Utiliser ce code").click()
    expect(phone.get_by_role("alert")).to_contain_text("Ce code n’est pas connu")
    fits(phone)
    phone.get_by_label("Le code").fill("tilleul24")
    phone.get_by_role("button", name="Utiliser ce code").click()
    expect(phone.locator("h1")).to_have_text("C’est actif")
    fits(phone)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_visitor_reads_the_prices(
    new_page: Callable[..., Page], live: str, street: Place, width: int
) -> None:
    page = new_page(width=width, height=800)
    page.goto(f"{live}/")
    page.get_by_role("link", name="Voir les prix et m’abonner").click()
    expect(page.locator("h1")).to_have_text("S’abonner")
    fits(page)
    page.get_by_role("link", name="Créer mon compte et m’abonner").click()
    assert "next=" in page.url
