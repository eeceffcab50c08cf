"""Money at the counter with a keyboard: a newcomer in one go, the till's day, a deposit."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from club.enums import Activity
from club.models import Member, Place, Receipt, TillDay, User
from club.queries.entitlement import may
from concierge.models import Copy, Plan
from tests.factories.club import NOW, CardFactory, MemberFactory
from tests.factories.concierge import PolicyFactory
from tests.factories.money import PlanFactory, TenantPlanFactory, TillDayFactory
from tests.journeys.conftest import assert_accessible, press, scan, sign_in
from tests.journeys.test_desk import answered

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def plans(place: Place) -> list[Plan]:
    return [
        PlanFactory(landlord=place.landlord, name="Voisins", price_cents=6000, position=2),
        TenantPlanFactory(landlord=place.landlord, position=1),
    ]


@pytest.fixture
def newcomer(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def counter(page: Page, live: str, concierge_user: User) -> Page:
    sign_in(page, live, concierge_user)
    page.goto(f"{live}/desk/")
    return page


def test_a_newcomer_subscribes_with_coins_and_the_keyboard_alone(
    counter: Page, place: Place, plans: list[Plan]
) -> None:
    keys = counter.keyboard
    press(counter, "F2")
    expect(counter.get_by_label("Prénom")).to_be_focused()
    for text in ("Inès", "Diallo", "0612345678"):
        keys.type(text)
        keys.press("Tab")
    keys.press("Enter")
    answered(counter, "Membre créé.")
    press(counter, "F4")
    expect(counter.get_by_role("heading", level=1)).to_contain_text("Encaisser")
    assert_accessible(counter)
    expect(counter.get_by_label("Reçu en espèces")).to_be_focused()
    # Up to the plans: the tenants' one, and the paper that was seen.
    expect(counter.locator("[data-total]")).to_have_text("60\xa0€")
    counter.get_by_label("Voisins").focus()
    keys.press("ArrowUp")
    expect(counter.locator("[data-total]")).to_have_text("12\xa0€")
    keys.press("Tab")
    keys.press("Space")
    counter.get_by_label("Reçu en espèces").focus()
    keys.type("20")
    expect(counter.locator("[data-change]")).to_contain_text("À rendre 8\xa0€")
    keys.press("Tab")
    keys.type("50")
    keys.press("Enter")
    answered(counter, "Encaissé 12\xa0€. Rendez 8\xa0€.")
    assert_accessible(counter)
    member = Member.objects.get(user__last_name="Diallo")
    assert may(member, Activity.LENDING, NOW.date(), NOW.date()) is None
    receipt = Receipt.objects.get()
    assert (receipt.cents, TillDay.objects.get().float_cents) == (1200, 5000)
    press(counter, "F10")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Reçu 2027-000001")
    assert_accessible(counter)
    press(counter, "Escape")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Inès Diallo")


def test_a_second_press_makes_one_receipt_and_the_back_button_tells_it(
    counter: Page, live: str, place: Place, newcomer: Member, plans: list[Plan]
) -> None:
    TillDayFactory(place=place)
    counter.goto(f"{live}/desk/membre/{newcomer.pk}/encaisser/")
    counter.get_by_role("button", name="Encaisser").dblclick()
    answered(counter, "Encaissé 60\xa0€.")
    counter.go_back()
    expect(counter.locator("main")).to_contain_text("payé jusqu’au mercredi 8\xa0mars")
    assert Receipt.objects.count() == 1


def test_the_tills_day(
    counter: Page, live: str, place: Place, newcomer: Member, plans: list[Plan]
) -> None:
    counter.get_by_role("link", name="Ouvrir ou compter").click()
    expect(counter.get_by_label("Fond de caisse")).to_be_focused()
    assert_accessible(counter)
    counter.keyboard.type("50")
    press(counter, "Enter")
    expect(counter.locator("main")).to_contain_text("fond de 50\xa0€")
    assert_accessible(counter)
    counter.goto(f"{live}/desk/membre/{newcomer.pk}/encaisser/")
    expect(counter.get_by_label("Reçu en espèces")).to_be_focused()
    press(counter, "Enter")
    answered(counter, "Encaissé 60\xa0€.")
    counter.goto(f"{live}/desk/caisse/")
    counter.get_by_role("link", name="Compter et fermer la caisse").click()
    assert_accessible(counter)
    counter.get_by_label("50\xa0€", exact=True).fill("2")
    counter.get_by_label("5\xa0€", exact=True).fill("2")
    expect(counter.locator("[data-sum]")).to_have_text("Compté 110\xa0€")
    press(counter, "Enter")
    expect(counter.locator("main")).to_contain_text("Le compte est juste.")
    assert_accessible(counter)
    for path in ("recus/", "journal/", f"recu/{Receipt.objects.get().pk}/annuler/"):
        counter.goto(f"{live}/desk/{path}")
        assert_accessible(counter)


def test_a_deposit_is_paid_before_the_object_leaves_and_goes_back_after(
    counter: Page, live: str, place: Place, member: Member, copy: Copy
) -> None:
    card = CardFactory(member=member)
    PolicyFactory(place=place, deposit_cents=5000)
    TillDayFactory(place=place)
    scan(counter, f"M{card.number}")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Samira Benali")
    scan(counter, copy.label)
    answered(counter, "Caution\xa0: 50\xa0€.")
    expect(counter.locator(".money-line")).to_contain_text("À payer\xa0: 50\xa0€")
    press(counter, "F4")
    expect(counter.get_by_label("Reçu en espèces")).to_be_focused()
    press(counter, "Enter")
    answered(counter, "Encaissé 50\xa0€.")
    scan(counter, copy.label)
    answered(counter, "Prêté")
    expect(counter.locator(".money-line")).to_contain_text("Caution gardée\xa0: 50\xa0€")
    counter.wait_for_timeout(2100)
    scan(counter, copy.label)
    answered(counter, "Rendu")
    counter.get_by_role("link", name="Rendre la caution").click()
    assert_accessible(counter)
    counter.get_by_role("button", name="Rendre la caution").click()
    answered(counter, "Caution rendue. Rendez 50\xa0€.")
    assert sum(Receipt.objects.values_list("cents", flat=True)) == 0


def test_without_javascript_the_same_money_is_taken(
    new_page: Callable[..., Page],
    live: str,
    concierge_user: User,
    place: Place,
    newcomer: Member,
    plans: Any,
) -> None:
    page = new_page(width=360, height=800, java_script_enabled=False)
    sign_in(page, live, concierge_user)
    page.goto(f"{live}/desk/membre/{newcomer.pk}/encaisser/")
    page.get_by_label("Reçu en espèces").fill("50")
    page.get_by_role("button", name="Encaisser").click()
    expect(page.locator(".error-summary")).to_contain_text("Il manque 10\xa0€.")
    expect(page.locator(".error-summary")).to_contain_text("La caisse est fermée.")
    page.get_by_label("Reçu en espèces").fill("60")
    page.get_by_label("Fond de caisse").fill("0")
    page.get_by_role("button", name="Encaisser").click()
    answered(page, "Encaissé 60\xa0€.")
    page.goto(f"{live}/desk/caisse/")
    page.get_by_role("link", name="Compter et fermer la caisse").click()
    page.get_by_label("20\xa0€", exact=True).fill("3")
    page.get_by_role("button", name="Fermer la caisse").click()
    expect(page.locator("main")).to_contain_text("Le compte est juste.")
