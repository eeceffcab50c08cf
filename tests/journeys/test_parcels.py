"""Parcels with a scanner and a keyboard; the member's codes on a phone, without a network too."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from club.models import Card, Member, Place, User
from concierge.enums import ParcelStatus
from concierge.models import Parcel, Proxy
from tests.factories.club import NOW, CardFactory, MemberFactory
from tests.factories.parcels import ParcelFactory, ParcelPolicyFactory, ProxyFactory
from tests.journeys.conftest import assert_accessible, press, scan, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LABELS = ("6A12345678901", "XY123456789FR", "1Z999AA10123456784")


@pytest.fixture
def card(member: Member) -> Card:
    return CardFactory(member=member)


@pytest.fixture
def counter(page: Page, live: str, place: Place, concierge_user: User) -> Page:
    ParcelPolicyFactory(place=place)
    sign_in(page, live, concierge_user)
    page.goto(f"{live}/desk/")
    return page


def answered(page: Page, words: str) -> None:
    expect(page.locator("[data-result]")).to_contain_text(words)


def waiting() -> int:
    return Parcel.objects.filter(status=ParcelStatus.WAITING).count()


def test_three_received_and_all_handed_over_without_a_mouse(
    counter: Page, card: Card, member: Member
) -> None:
    press(counter, "F5")
    expect(counter.get_by_role("heading", level=1)).to_have_text("Recevoir un colis")
    assert_accessible(counter)
    for number, label in enumerate(LABELS, start=1):
        expect(counter.locator("#id_code")).to_be_focused()
        scan(counter, label)
        expect(counter.locator("#id_who")).to_be_focused()
        scan(counter, "bena")
        counter.keyboard.type("3")
        expect(counter.locator("#id_shelf")).to_be_focused()
        if number == 1:
            counter.keyboard.type("c2")
        press(counter, "Enter")
        expect(counter.locator(".result__words")).to_contain_text("Étagère C2")
        expect(counter.locator("#id_code")).to_have_value("")
        assert waiting() == number
    assert_accessible(counter)
    assert set(Parcel.objects.values_list("size", "shelf", "member")) == {
        ("large", "C2", member.pk)
    }
    press(counter, "F9")
    expect(counter.locator(".result__words")).to_contain_text("Défait.")
    assert waiting() == 2
    press(counter, "Escape")
    expect(counter.locator("#texte")).to_be_focused()
    expect(counter.locator(".board")).to_contain_text("À remettre")
    scan(counter, f"M{card.number}")
    answered(counter, "2 colis à remettre.")
    assert_accessible(counter)
    press(counter, "F1")
    answered(counter, "Remis")
    assert waiting() == 0
    press(counter, "F9")
    answered(counter, "De nouveau sur l’étagère.")
    assert waiting() == 2
    scan(counter, LABELS[0])
    answered(counter, "Un colis à remettre.")
    assert waiting() == 1


def test_two_of_one_name_are_told_apart_by_a_digit(
    counter: Page, live: str, place: Place, member: Member
) -> None:
    namesake = MemberFactory(place=place)
    counter.goto(f"{live}/desk/colis/recevoir/")
    scan(counter, LABELS[0])
    scan(counter, "bena")
    counter.keyboard.type("1")
    press(counter, "Enter")
    expect(counter.locator("[name=person]").first).to_be_focused()
    assert_accessible(counter)
    counter.keyboard.type("2")
    expect(counter.locator("[name=size]:checked")).to_be_focused()
    press(counter, "Enter")
    press(counter, "Enter")
    expect(counter.locator(".result__words")).to_contain_text("Samira Benali")
    parcel = Parcel.objects.get()
    assert parcel.member in {member, namesake}
    assert parcel.size == "letter"


def test_to_a_named_person_by_tab_and_enter(counter: Page, member: Member) -> None:
    parcel = ParcelFactory(member=member)
    ProxyFactory(member=member)
    scan(counter, parcel.reference)
    answered(counter, "Étagère C2.")
    expect(counter.locator("main")).to_contain_text("pièce d’identité au nom de Marc Diallo")
    counter.get_by_role("button", name="Remettre à Marc Diallo").focus()
    press(counter, "Enter")
    answered(counter, "À Marc Diallo.")
    parcel.refresh_from_db()
    assert parcel.collected_by == "Marc Diallo"


def test_the_shelves_and_one_parcel(counter: Page, live: str, member: Member) -> None:
    ParcelFactory(member=member, keep_until=NOW.date() - timedelta(days=1))
    nobodys = ParcelFactory(member=None, place=member.place)
    counter.goto(f"{live}/desk/colis/")
    assert_accessible(counter)
    counter.get_by_role("link", name="Dire pour qui").press("Enter")
    assert_accessible(counter)
    counter.locator("#id_who").focus()
    scan(counter, "benali")
    expect(counter.locator(".result__words")).to_contain_text("Pour Samira Benali.")
    nobodys.refresh_from_db()
    assert nobodys.member == member


def test_the_codes_on_a_phone_also_without_a_network(
    new_page: Any, live: str, member: Member
) -> None:
    phone = new_page(width=360, height=780)
    ParcelFactory(member=member, reference="R4821703319")
    sign_in(phone, live, member.user)
    phone.goto(f"{live}/mon-espace/colis/")
    assert_accessible(phone)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.get_by_label("Prénom").fill("Marc")
    phone.get_by_label("Nom", exact=True).fill("Diallo")
    phone.get_by_role("button", name="Nommer cette personne").click()
    expect(phone.locator("main")).to_contain_text("Marc Diallo peut retirer vos colis.")
    assert Proxy.objects.count() == 1
    kept = "caches.open('parcels-1').then((c) => c.match(location.href)).then((r) => !!r)"
    for _each in range(50):
        if phone.evaluate(kept):
            break
        phone.wait_for_timeout(200)
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.locator(".parcel__digits")).to_contain_text("482")
    phone.context.set_offline(False)
