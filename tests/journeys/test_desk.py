"""The counter as a concierge uses it: a scanner, a keyboard, no mouse."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from club.models import Card, Member, User
from concierge.domain.lending import hand_over
from concierge.enums import LoanStatus
from concierge.models import Copy, Loan
from tests.factories.club import NOW, CardFactory, MemberFactory
from tests.factories.concierge import CopyFactory
from tests.journeys.conftest import assert_accessible, press, scan, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def card(member: Member) -> Card:
    return CardFactory(member=member)


@pytest.fixture
def copies(copy: Copy) -> list[Copy]:
    return [copy, *CopyFactory.create_batch(4, tool=copy.tool, place=copy.place)]


@pytest.fixture
def counter(page: Page, live: str, concierge_user: User) -> Page:
    sign_in(page, live, concierge_user)
    page.goto(f"{live}/desk/")
    return page


def answered(page: Page, words: str) -> None:
    expect(page.locator("[data-result]")).to_contain_text(words)


def is_post(route: Any) -> bool:
    return bool(route.request.method == "POST")


def out() -> int:
    return Loan.objects.filter(status=LoanStatus.OUT).count()


def test_five_loans_with_six_scans_and_five_returns_with_five(
    counter: Page, card: Card, copies: list[Copy]
) -> None:
    expect(counter.locator("#texte")).to_be_focused()
    assert_accessible(counter)
    scan(counter, f"M{card.number}")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Samira Benali")
    for number, copy in enumerate(copies, start=1):
        scan(counter, copy.label)
        answered(counter, f"a maintenant {number} objet")
    assert_accessible(counter)
    assert out() == 5
    expect(counter.locator("#texte")).to_be_focused()
    press(counter, "Escape")
    expect(counter.get_by_role("heading", name="Samira Benali")).to_have_count(0)
    for copy in copies:
        scan(counter, copy.label)
        answered(counter, "Samira B. l’avait.")
        expect(counter.locator("input[name=rendu]")).to_have_value(copy.label)
    assert_accessible(counter)
    assert out() == 0
    assert Loan.objects.filter(status=LoanStatus.RETURNED).count() == 5


def test_scans_faster_than_the_answers_stay_in_order(
    counter: Page, card: Card, copies: list[Copy]
) -> None:
    for code in [f"M{card.number}", *[copy.label for copy in copies]]:
        scan(counter, code)
    answered(counter, "a maintenant 5 objets")
    assert out() == 5


def test_a_trembling_hand_scans_once(counter: Page, card: Card, copy: Copy) -> None:
    scan(counter, f"M{card.number}")
    scan(counter, copy.label)
    scan(counter, copy.label)
    answered(counter, "a maintenant 1 objet")
    counter.wait_for_timeout(300)
    assert out() == 1


def test_scans_wait_while_the_network_is_down_and_take_effect_once(
    counter: Page, card: Card, copies: list[Copy]
) -> None:
    scan(counter, f"M{card.number}")
    answered(counter, "Rien à rendre.")
    counter.context.set_offline(True)
    expect(counter.get_by_text("Hors ligne")).to_be_visible()
    for copy in copies[:3]:
        scan(counter, copy.label)
    expect(counter.locator("[data-waiting]")).to_have_text("3 en attente")
    assert out() == 0
    counter.context.set_offline(False)
    answered(counter, "a maintenant 3 objets")
    expect(counter.get_by_text("En ligne")).to_be_visible()
    assert out() == 3


def test_scans_outlive_the_page(counter: Page, live: str, card: Card, copies: list[Copy]) -> None:
    scan(counter, f"M{card.number}")
    answered(counter, "Rien à rendre.")
    down = counter.context
    down.route("**/desk/", lambda route: route.abort() if is_post(route) else route.continue_())
    scan(counter, copies[0].label)
    expect(counter.locator("[data-waiting]")).to_have_text("1 en attente")
    counter.goto(f"{live}/desk/")
    expect(counter.locator("[data-waiting]")).to_have_text("1 en attente")
    down.unroute("**/desk/")
    answered(counter, "a maintenant 1 objet")
    assert out() == 1


def test_an_answer_lost_on_the_way_has_one_effect(counter: Page, card: Card, copy: Copy) -> None:
    """The server acts, the answer never arrives, the page sends the scan again."""
    scan(counter, f"M{card.number}")
    answered(counter, "Rien à rendre.")
    lost = []

    def lose_the_first(route: Any) -> None:
        if is_post(route) and not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    counter.route("**/desk/", lose_the_first)
    scan(counter, copy.label)
    answered(counter, "a maintenant 1 objet")
    assert lost == [200]
    assert [loan.status for loan in Loan.objects.all()] == [LoanStatus.OUT]


def test_what_went_wrong_during_the_cut_stays_on_a_list(
    counter: Page, card: Card, copy: Copy
) -> None:
    scan(counter, f"M{card.number}")
    answered(counter, "Rien à rendre.")
    counter.context.set_offline(True)
    scan(counter, "O090001")
    scan(counter, copy.label)
    counter.context.set_offline(False)
    answered(counter, "a maintenant 1 objet")
    journal = counter.locator("[data-journal]")
    expect(journal).to_contain_text("À revoir après la coupure")


def test_undo_a_fault_and_the_keys(counter: Page, card: Card, copy: Copy) -> None:
    scan(counter, f"M{card.number}")
    scan(counter, copy.label)
    answered(counter, "a maintenant 1 objet")
    press(counter, "F9")
    answered(counter, "ne l’a pas emprunté")
    assert out() == 0
    scan(counter, copy.label)
    answered(counter, "a maintenant 1 objet")
    press(counter, "F7")
    answered(counter, "Prolongé")
    counter.wait_for_timeout(2100)
    scan(counter, copy.label)
    answered(counter, "Rendu")
    scan(counter, "3")
    answered(counter, "Ne marche pas")
    expect(counter.locator(".board")).to_contain_text("À réparer")


def test_a_lone_digit_chooses_at_once(counter: Page, member: Member, place: Any) -> None:
    MemberFactory(place=place, user__first_name="Samir", user__last_name="Cohen")
    scan(counter, "sami")
    expect(counter.get_by_role("heading", name="Qui, ou quoi")).to_be_visible()
    assert_accessible(counter)
    counter.keyboard.type("1")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Samir Cohen")


def test_the_other_pages_by_keys(
    counter: Page, live: str, copy: Copy, member: Member, card: Card
) -> None:
    hand_over(copy=copy, member=member, by=member.user, now=NOW)
    press(counter, "F2")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Nouveau membre")
    assert_accessible(counter)
    press(counter, "Escape")
    counter.wait_for_url(f"{live}/desk/")
    scan(counter, f"M{card.number}")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Samira Benali")
    press(counter, "F3")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Ce que Samira Benali rend")
    assert_accessible(counter)
    press(counter, "1")
    answered(counter, "Rendu")
    press(counter, "F8")
    expect(counter.get_by_role("button", name="Imprimer la journée")).to_be_visible()
    assert_accessible(counter)
    counter.goto(f"{live}/desk/appels/")
    assert_accessible(counter)
    for path in (f"membre/{member.pk}/encaisser/", "pret-oublie/", f"?objet={copy.label}"):
        counter.goto(f"{live}/desk/{path}")
        assert_accessible(counter)


def test_without_javascript_the_same_scans_work(
    new_page: Callable[..., Page],
    live: str,
    concierge_user: User,
    card: Card,
    copies: list[Copy],
) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, live, concierge_user)
    page.goto(f"{live}/desk/")
    for code in [f"M{card.number}", copies[0].label, copies[1].label]:
        page.fill("#texte", code)
        page.press("#texte", "Enter")
    answered(page, "a maintenant 2 objets")
    page.get_by_role("button", name="Défaire").click()
    answered(page, "ne l’a pas emprunté")
    assert out() == 1
