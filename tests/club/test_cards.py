"""The card: what it tells to anybody, how it is replaced, how it is printed."""

from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from club.domain import cards
from club.guesses import MISSES, MISSES_OF_ALL
from club.kernel import codes
from club.kernel.refusal import Refused
from club.models import Card, LogEntry, Member, Place, User
from club.views.card import CHECKS
from tests.factories.club import AssignmentFactory, CardFactory, MemberFactory, PlaceFactory
from tests.signin import sign_in_staff

CHECK = "/c/"
NOT_VALID = "Pas valable"


@pytest.fixture(autouse=True)
def clock(now: datetime, time_machine: Any) -> None:
    time_machine.move_to(now, tick=False)


@pytest.fixture
def card(member: Member) -> Card:
    return CardFactory(member=member)


def words(answer: Any) -> str:
    """The page's own words, without what differs each time."""
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return "".join(part for part in main.splitlines() if "csrfmiddlewaretoken" not in part)


def unused_number() -> str:
    taken = set(Card.objects.values_list("number", flat=True))
    return codes.unused(codes.card_number, taken.__contains__)


# -- What it tells -----------------------------------------------------------------------


def test_it_tells_valid_first_name_and_last_day_alone(
    client: Client, member: Member, card: Card
) -> None:
    answer = client.get(f"/c/{card.token}")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Valable" in text and NOT_VALID not in text
    assert "Samira" in text and "jusqu’au vendredi 31\u00a0décembre" in text
    for secret in ("Benali", member.user.email, card.number):
        assert secret not in text
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]


def test_what_is_not_valid_looks_always_the_same(
    client: Client, member: Member, card: Card, now: datetime, time_machine: Any
) -> None:
    dead = CardFactory(member=MemberFactory(place=member.place), revoked_at=now)
    never = CardFactory(member=MemberFactory(place=member.place))
    closed = CardFactory(member=MemberFactory(place=member.place, user__is_active=False))
    answers = [client.get(f"/c/{t}") for t in ("x", dead.token, never.token, closed.token)]
    time_machine.move_to("2028-01-02T10:00:00Z", tick=False)
    expired = client.get(f"/c/{card.token}")
    assert {(a.status_code, words(a)) for a in [*answers, expired]} == {(404, words(answers[0]))}
    assert NOT_VALID in words(expired) and "Samira" not in words(expired)


def test_the_digits_give_the_answer_of_the_qr(client: Client, card: Card, now: datetime) -> None:
    page = client.get(CHECK)
    assert page.status_code == 200 and "Valable" not in words(page)
    for typed in (card.number, f"M {card.number[:3]} {card.number[3:]}"):
        answer = client.post(CHECK, {"number": typed})
        assert answer.status_code == 200
        assert answer.context["found"] == client.get(f"/c/{card.token}").context["found"]
        assert "Samira" in words(answer) and "Benali" not in words(answer)
    cards.revoke_card(card, by=None, now=now)
    assert NOT_VALID in words(client.post(CHECK, {"number": card.number}))
    assert NOT_VALID in words(client.post(CHECK, {"number": unused_number()}))


@pytest.mark.parametrize("typed", ["", "12", "123456", "R1234567897", "\x00", "9" * 40])
def test_digits_that_cannot_be_are_told_at_the_field(
    client: Client, card: Card, typed: str
) -> None:
    answer = client.post(CHECK, {"number": typed})
    assert answer.status_code == 422
    assert "Il y a un problème" in words(answer)


# -- Not to be guessed ---------------------------------------------------------------------


def test_wrong_digits_shut_the_form_and_not_the_qr(client: Client, card: Card) -> None:
    for _ in range(MISSES):
        assert client.post(CHECK, {"number": unused_number()}).status_code == 200
    assert client.post(CHECK, {"number": card.number}).status_code == 429
    assert client.get(f"/c/{card.token}").status_code == 200
    elsewhere = client.post(CHECK, {"number": card.number}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200


def test_one_home_with_many_addresses_is_one_address(client: Client, card: Card) -> None:
    for n in range(MISSES):
        client.post(CHECK, {"number": unused_number()}, REMOTE_ADDR=f"2001:db8:7:7::{n + 1:x}")
    answer = client.post(CHECK, {"number": card.number}, REMOTE_ADDR="2001:db8:7:7:ffff::1")
    assert answer.status_code == 429


def test_right_digits_never_shut_the_form(client: Client, card: Card) -> None:
    for _ in range(MISSES + 2):
        assert client.post(CHECK, {"number": card.number}).status_code == 200


def test_many_addresses_together_shut_it_for_all(client: Client, card: Card, db: None) -> None:
    number = unused_number()
    for n in range(MISSES_OF_ALL):
        client.post(CHECK, {"number": number}, REMOTE_ADDR=f"2001:db8:0:{n:x}::1")
    assert client.post(CHECK, {"number": card.number}).status_code == 429
    assert client.get(f"/c/{card.token}").status_code == 200
    cache.clear()
    assert client.post(CHECK, {"number": card.number}).status_code == 200


def test_one_address_asks_so_often_and_no_more(client: Client, card: Card) -> None:
    for _ in range(CHECKS):
        assert client.get(f"/c/{card.token}").status_code == 200
    assert client.get(f"/c/{card.token}").status_code == 429


# -- Lost ------------------------------------------------------------------------------------


def test_a_replaced_card_is_dead_at_once(
    client: Client, member: Member, card: Card, concierge_user: User, now: datetime
) -> None:
    with pytest.raises(Refused):
        cards.issue_card(member, by=concierge_user, now=now)
    new = cards.replace_card(member, by=concierge_user, now=now)
    assert client.get(f"/c/{card.token}").status_code == 404
    assert client.get(f"/c/{new.token}").status_code == 200
    card.refresh_from_db()
    assert (card.revoked_at, new.member) == (now, member)
    assert {card.number, card.token}.isdisjoint({new.number, new.token})
    told = list(LogEntry.objects.order_by("pk").values_list("verb", "actor"))
    assert told == [("revoke_card", concierge_user.pk), ("issue_card", concierge_user.pk)]


def test_a_second_press_finds_the_new_card(member: Member, card: Card, now: datetime) -> None:
    first = cards.replace_card(member, by=member.user, now=now, lost=card.number)
    second = cards.replace_card(member, by=member.user, now=now, lost=card.number)
    assert first == second
    assert Card.objects.filter(member=member).count() == 2


def test_the_desk_replaces_and_prints(
    client: Client, member: Member, card: Card, concierge_user: User
) -> None:
    sign_in_staff(client, concierge_user)
    address = reverse("club:card-lost", args=[member.pk])
    page = client.get(address)
    assert page.status_code == 200 and str(card) in page.content.decode()
    assert Card.objects.get(revoked_at=None) == card
    for _ in range(2):
        answer = client.post(address, {"card": card.number})
        assert answer["Location"] == reverse("club:card-print", args=[member.pk])
    new = Card.objects.get(revoked_at=None)
    assert new != card and Card.objects.count() == 2
    assert str(new) in client.get(answer["Location"]).content.decode()


def test_another_places_member_is_not_there(client: Client, member: Member, card: Card) -> None:
    elsewhere = PlaceFactory(landlord=member.place.landlord)
    sign_in_staff(client, AssignmentFactory(place=elsewhere).user)
    for name in ("club:card-lost", "club:card-print"):
        address = reverse(name, args=[member.pk])
        assert client.get(address).status_code == 404
    assert client.post(reverse("club:card-lost", args=[member.pk])).status_code == 404
    assert Card.objects.get() == card


# -- On paper --------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["", "?format=a6", "?format=carte", "?format=../x"])
def test_it_prints_on_a_sheet_and_as_a_card(
    client: Client, member: Member, card: Card, place: Place, concierge_user: User, wanted: str
) -> None:
    sign_in_staff(client, concierge_user)
    text = client.get(f"/accueil/carte/{member.pk}/{wanted}").content.decode()
    for expected in ("<svg", "Samira Benali", str(card), place.phone):
        assert expected in text
    assert ("paper-cards" in text) == ("carte" in wanted)
    assert card.token not in text
