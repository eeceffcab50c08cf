"""The door as a concierge holds it: a scanner, a phone, the network that drops."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from club.models import Member, User
from events.domain.registrations import register
from events.models import CheckIn, Registration, Session
from events.tickets import ticket_code
from tests.factories.club import NOW, CardFactory, MemberFactory
from tests.factories.events import SessionFactory
from tests.journeys.conftest import assert_accessible, press, scan, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = [("Samira", "Diallo"), ("Paul", "Lefebvre"), ("Aline", "Roussel"), ("Marc", "Caron")]


@pytest.fixture
def session(place: Any) -> Session:
    starts_at = NOW + timedelta(minutes=30)
    return SessionFactory(
        place=place,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
        closes_at=starts_at,
    )


@pytest.fixture
def registered(place: Any, session: Session) -> list[Registration]:
    """Four families of two, each with a card."""
    made = []
    for first, last in NAMES:
        member: Member = MemberFactory(place=place, user__first_name=first, user__last_name=last)
        CardFactory(member=member)
        made.append(register(member=member, session=session, quantity=2, by=member.user, now=NOW))
    return made


@pytest.fixture
def door(page: Page, live: str, concierge_user: User, session: Session, registered: Any) -> Page:
    sign_in(page, live, concierge_user)
    page.goto(f"{live}/desk/seances/{session.public_id}/")
    return page


def answered(page: Page, kind: str, words: str) -> None:
    expect(page.locator(f"[data-result={kind}]")).to_contain_text(words)


def entered(page: Page) -> Any:
    return page.locator("[data-entered]")


def test_scans_a_search_a_walk_in_and_an_undo(door: Page, registered: list[Registration]) -> None:
    expect(door.locator("#texte")).to_be_focused()
    assert_accessible(door)
    scan(door, ticket_code(registered[0]))
    answered(door, "in", "Samira D., 2 personnes.")
    expect(entered(door)).to_have_text("2")
    assert_accessible(door)
    door.wait_for_timeout(2100)
    scan(door, registered[0].reference)
    answered(door, "already", "Samira D. est déjà à l’intérieur")
    scan(door, "rouss")
    answered(door, "in", "Aline R., 2 personnes.")
    press(door, "F9")
    answered(door, "out", "Aline R.")
    expect(entered(door)).to_have_text("2")
    door.fill("#prenom", "Inès")
    door.get_by_role("button", name="Compter l’entrée").click()
    answered(door, "walk_in", "Inès, 1 personne.")
    expect(entered(door)).to_have_text("3")
    assert_accessible(door)


def test_three_scans_off_line_count_once(
    door: Page, session: Session, registered: list[Registration], live: str
) -> None:
    other = SessionFactory(place=session.place, event=session.event, in_days=9)
    elsewhere = register(
        member=MemberFactory(place=session.place), session=other, quantity=1,
        by=registered[0].member.user, now=NOW,
    )  # fmt: skip
    card = registered[1].member.cards.get()
    door.context.set_offline(True)
    expect(door.get_by_text("Hors ligne")).to_be_visible()
    scan(door, ticket_code(registered[0]))
    answered(door, "in", "Samira D., 2 personnes.")
    scan(door, f"M{card.number}")
    answered(door, "in", "Paul L., 2 personnes.")
    scan(door, "caron")
    answered(door, "in", "Marc C., 2 personnes.")
    expect(entered(door)).to_have_text("6")
    door.wait_for_timeout(2100)
    scan(door, registered[0].reference)
    answered(door, "already", "Samira D.")
    scan(door, ticket_code(elsewhere))
    answered(door, "wrong", "Autre séance.")
    forged = ticket_code(registered[2])
    scan(door, forged[:-4] + ("AAAA" if forged[-4:] != "AAAA" else "BBBB"))
    answered(door, "unknown", "Inconnu.")
    assert CheckIn.objects.count() == 0
    expect(door.locator("[data-waiting]")).to_have_text("6 en attente")
    door.context.set_offline(False)
    answered(door, "unknown", "Ce code n’est pas connu ici.")
    expect(door.get_by_text("En ligne")).to_be_visible()
    expect(entered(door)).to_have_text("6")
    came = dict(Registration.objects.filter(session=session).values_list("reference", "came"))
    assert sorted(came.values()) == [0, 2, 2, 2]
    assert sorted(CheckIn.objects.values_list("outcome", flat=True)) == [
        "already", "in", "in", "in", "unknown", "wrong",
    ]  # fmt: skip
    assert all(CheckIn.objects.values_list("offline", flat=True))
    door.reload()
    expect(entered(door)).to_have_text("6")
    assert CheckIn.objects.count() == 6


def test_two_phones_off_line(
    door: Page, new_page: Callable[..., Page], live: str, concierge_user: User,
    session: Session, registered: list[Registration],
) -> None:  # fmt: skip
    phone = new_page(width=360, height=740)
    sign_in(phone, live, concierge_user)
    phone.goto(f"{live}/desk/seances/{session.public_id}/")
    for page in (door, phone):
        page.context.set_offline(True)
        expect(page.get_by_text("Hors ligne")).to_be_visible()
        scan(page, registered[0].reference)
        answered(page, "in", "Samira D., 2 personnes.")
    for page in (door, phone):
        page.context.set_offline(False)
        expect(page.locator("[data-waiting]")).to_be_hidden()
    expect(phone.locator("[data-journal]")).to_contain_text("deux entrées ont lu ce code")
    assert sorted(CheckIn.objects.values_list("outcome", flat=True)) == ["forced", "in"]
    registered[0].refresh_from_db()
    assert registered[0].came == 2


def test_without_javascript(
    new_page: Callable[..., Page], live: str, concierge_user: User,
    session: Session, registered: list[Registration],
) -> None:  # fmt: skip
    page = new_page(width=360, height=740, java_script_enabled=False)
    sign_in(page, live, concierge_user)
    page.goto(f"{live}/desk/seances/")
    page.get_by_role("link", name="Atelier cuisine").click()
    page.fill("#texte", registered[0].reference)
    page.press("#texte", "Enter")
    answered(page, "in", "Samira D., 2 personnes.")
    page.get_by_role("button", name="Défaire").click()
    answered(page, "out", "Samira D.")
    page.fill("#prenom", "Inès")
    page.get_by_role("button", name="Compter l’entrée").click()
    answered(page, "walk_in", "Inès, 1 personne.")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_fit(door: Page, live: str, session: Session, width: int) -> None:
    door.set_viewport_size({"width": width, "height": 900})
    session.event.is_training = True
    session.event.save()
    scan(door, "samira")
    answered(door, "in", "Samira D.")
    folder = Path("/tmp/shots-door")
    for name in ("", "feuille/", "attestations/"):
        if name:
            door.goto(f"{live}/desk/seances/{session.public_id}/{name}")
        if folder.is_dir():
            door.screenshot(path=folder / f"{width}-{name.strip('/')}.png", full_page=True)
        assert_accessible(door)
        assert door.evaluate("document.documentElement.scrollWidth") <= width
    door.goto(f"{live}/desk/seances/")
    if folder.is_dir():
        door.screenshot(path=folder / f"{width}-liste.png", full_page=True)
    assert_accessible(door)
