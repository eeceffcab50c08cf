"""Accounts made at the desk, rights, search, letters, cards, tokens, consents."""

import re
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.domain import cards, consents, members, tokens
from club.enums import Activity, ConsentKind, RightSource, Scope
from club.kernel.refusal import Refused
from club.models import Card, Household, LogEntry, Member, Place, Right, User
from club.queries.members import search_members
from club.queries.tokens import bearer
from tests.factories.club import CardFactory, LandlordFactory, MemberFactory, PlaceFactory
from tests.signin import sign_in_staff

CLAIM = "/bienvenue/"


@pytest.fixture
def rose(place: Place, concierge_user: User, now: Any) -> Member:
    return members.register_member(
        first_name="Rose", last_name="Lefèvre", place=place, by=concierge_user, now=now
    )


def test_a_member_without_email_or_phone(rose: Member, place: Place, now: Any) -> None:
    assert (rose.user.email, rose.user.phone) == ("", "")
    assert rose.search_name == "rose lefevre"
    assert rose.household.landlord == place.landlord
    assert rose.joined_at == now
    assert Card.objects.get(member=rose).issued_at == now
    assert LogEntry.objects.filter(subject_kind="member", verb="register").count() == 1


def test_phone_and_email_are_stored_in_one_form(
    place: Place, concierge_user: User, now: Any
) -> None:
    made = members.register_member(
        first_name=" Awa ",
        last_name=" Diop ",
        place=place,
        email="Awa@Example.ORG",
        phone="06.39.98.12.34",
        by=concierge_user,
        now=now,
    )
    assert (made.user.email, made.user.phone) == ("awa@example.org", "+33639981234")
    assert made.user.get_full_name() == "Awa Diop"
    assert not made.user.phone_verified


def test_every_reason_is_said_at_once(
    place: Place, member: Member, concierge_user: User, now: Any
) -> None:
    foreign = Household.objects.create(landlord=LandlordFactory(slug="x", name="X"))
    with pytest.raises(Refused) as refusal:
        members.register_member(
            first_name="",
            last_name=" ",
            place=place,
            email=member.user.email.upper(),
            phone="12",
            household=foreign,
            by=concierge_user,
            now=now,
        )
    assert refusal.value.codes == [
        "first_name_missing",
        "last_name_missing",
        "email_taken",
        "phone_wrong",
        "other_landlord",
    ]
    assert User.objects.count() == 2


def test_the_same_household_grows(member: Member, concierge_user: User, now: Any) -> None:
    home = member.household
    home.size = 1
    home.save()
    made = members.register_member(
        first_name="Karim",
        last_name="Benali",
        place=member.place,
        household=home,
        by=concierge_user,
        now=now,
    )
    assert made.household == home
    home.refresh_from_db()
    assert home.size == 2


@pytest.mark.parametrize(
    ("first", "last", "email", "phone", "found"),
    [
        ("Léila", "AMRANI", "", "", True),
        ("Amrani", "Leila", "", "", True),
        ("Leilla", "Amrani", "", "", True),
        ("X", "Y", "leila+club@example.org", "", True),
        ("X", "Y", "", "06 39 98 12 34", True),
        ("Paul", "Durand", "autre@example.org", "06 11 11 11 11", False),
    ],
)
def test_likely_the_same_person(
    place: Place, first: str, last: str, email: str, phone: str, found: bool
) -> None:
    leila = MemberFactory(
        place=place,
        user__first_name="Leila",
        user__last_name="Amrani",
        user__email="leila@example.org",
        user__phone="+33639981234",
        search_name="leila amrani",
    )
    seen = members.likely_same(first, last, email, phone, place)
    assert seen == ([leila] if found else [])


def test_members_of_another_landlord_are_not_told(place: Place) -> None:
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="x", name="X"))
    MemberFactory(place=elsewhere, search_name="leila amrani")
    assert members.likely_same("Leila", "Amrani", "", "", place) == []


def test_search_by_few_letters(place: Place) -> None:
    zoe = MemberFactory(
        place=place,
        user__first_name="Zoé",
        user__last_name="N’Guyen",
        search_name="zoe n guyen",
        user__phone="+33639981234",
    )
    card = CardFactory(member=zoe)
    MemberFactory(place=PlaceFactory(), search_name="zoe ailleurs")
    for text in (
        "zo",
        "ZOÉ",
        "guy",
        "nguyen zoe"[1:],
        card.number,
        f"M {card.number}",
        "06 39 98",
        "+33 6 39 98 12 34",
    ):
        assert search_members(place, text) == [zoe], text
    for text in ("", "  ", "oé", "xyz", "12", "'; --"):
        assert search_members(place, text) == [], text


def test_a_dead_card_finds_nobody(rose: Member, concierge_user: User, now: Any) -> None:
    old = Card.objects.get(member=rose)
    cards.revoke_card(old, by=concierge_user, now=now)
    assert search_members(rose.place, old.number) == []


@pytest.mark.parametrize("rows", [1, 12])
def test_search_costs_two_statements_and_eight_rows(place: Place, rows: int) -> None:
    for _ in range(rows):
        MemberFactory(place=place)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = search_members(place, "sam")
        [(m.user.email, m.household.size, m.live_cards) for m in found]
    assert len(found) == min(rows, 8)
    assert len(queries) == 2


def test_rights_to_one_person_or_to_the_household(
    member: Member, concierge_user: User, now: Any
) -> None:
    Right.objects.all().delete()
    first, last = date(2027, 3, 9), date(2028, 3, 8)
    [own] = members.give_right(
        member, [Activity.LENDING], first, last, RightSource.GIFT, by=concierge_user, now=now
    )
    both = members.give_right(
        member.household,
        [Activity.LENDING, Activity.EVENTS],
        first,
        last,
        RightSource.SPONSOR,
        by=concierge_user,
        now=now,
    )
    assert own.member == member
    assert [right.member for right in both] == [None, None]
    members.withdraw_right(own, by=concierge_user, now=now)
    own.refresh_from_db()
    assert own.revoked_at == now
    with pytest.raises(Refused):
        members.withdraw_right(own, by=concierge_user, now=now)
    with pytest.raises(Refused) as refusal:
        members.give_right(member, [], last, first, "rumour", by=concierge_user, now=now)
    assert refusal.value.codes == ["activity_missing", "source_missing", "dates_order"]


def test_a_letter_opens_the_account_once(
    client: Client, rose: Member, concierge_user: User, time_machine: Any, now: Any
) -> None:
    time_machine.move_to(now, tick=False)
    sign_in_staff(client, concierge_user)
    assert "Préparer la lettre" in client.get(f"/accueil/lettre/{rose.pk}/").content.decode()
    letter = client.post(f"/accueil/lettre/{rose.pk}/").content.decode()
    code = re.search(r"letter__code\">([^<]+)<", letter).group(1)
    assert re.fullmatch(r"[B-DF-HJ-LNPR-TVX2-9]{4}-[B-DF-HJ-LNPR-TVX2-9]{4}", code)
    assert "<svg" in letter
    assert "style=" not in letter.replace("stylesheet", "")
    rose.refresh_from_db()
    assert code.replace("-", "") not in rose.claim_digest.upper()

    resident = Client()
    page = resident.get(f"{CLAIM}?code={code}").content.decode()
    assert f'value="{code}"' in page
    answer = resident.post(CLAIM, {"code": code.lower(), "last_name": "LEFEVRE"})
    assert answer.url == "/mon-compte/contact/"
    assert resident.session["_auth_user_id"] == str(rose.user.pk)
    assert resident.session.get_expiry_age() > 89 * 24 * 3600
    rose.refresh_from_db()
    assert rose.claimed_at == now

    again = Client()
    assert again.post(CLAIM, {"code": code, "last_name": "Lefèvre"}).status_code == 200
    assert "_auth_user_id" not in again.session


def test_failures_of_a_letter_sound_the_same(
    client: Client, rose: Member, now: Any, time_machine: Any
) -> None:
    time_machine.move_to(now, tick=False)
    code = members.issue_claim(rose, by=None, now=now)

    def said(code: str, name: str) -> str:
        page = client.post(CLAIM, {"code": code, "last_name": name}).content.decode()
        return re.search(r"Ce code et ce nom[^<]+", page).group()

    known = said(code, "Autre")
    assert known == said("BCDF2345", "Lefèvre")
    time_machine.move_to(now + timedelta(days=61), tick=False)
    assert known == said(code, "Lefèvre")
    rose.refresh_from_db()
    assert rose.claimed_at is None


def test_a_new_letter_replaces_the_one_before(rose: Member, now: Any) -> None:
    first = members.issue_claim(rose, by=None, now=now)
    second = members.issue_claim(rose, by=None, now=now)
    with pytest.raises(Refused):
        members.claim(first, "Lefèvre", now=now)
    assert members.claim(second, "lefevre", now=now) == rose


def test_tries_of_letters_are_limited(client: Client, rose: Member, now: Any) -> None:
    code = members.issue_claim(rose, by=None, now=now)
    for _ in range(10):
        assert client.post(CLAIM, {"code": "BCDF2345", "last_name": "X"}).status_code == 200
    answer = client.post(CLAIM, {"code": code, "last_name": "Lefèvre"})
    assert answer.status_code == 429
    assert "_auth_user_id" not in client.session


def test_tokens_are_told_once_and_kept_as_digests(member: Member, now: Any) -> None:
    token, plain = tokens.create_token(member.user, "Agenda", Scope.READ, now)
    assert plain not in (token.digest, str(token.__dict__))
    with CaptureQueriesContext(connection) as queries:
        found = bearer(plain)
        assert found is not None
        assert found.user.member.household_id
        assert found.user.member.place.landlord.name
    assert len(queries) == 1
    assert bearer(plain + "x") is None
    tokens.revoke_token(token, now)
    assert bearer(plain) is None
    with pytest.raises(Refused):
        tokens.revoke_token(token, now)


@pytest.mark.parametrize(("name", "scope"), [("", Scope.READ), ("Agenda", "admin")])
def test_a_token_needs_a_name_and_a_scope(member: Member, now: Any, name: str, scope: str) -> None:
    with pytest.raises(Refused):
        tokens.create_token(member.user, name, scope, now)


def test_the_command_prints_the_token_alone_on_its_last_line(member: Member) -> None:
    card = CardFactory(member=member)
    for who in (member.user.email.upper(), card.number, f"M{card.number}"):
        out = StringIO()
        call_command("api_token", who, stdout=out)
        plain = out.getvalue().splitlines()[-1]
        found = bearer(plain)
        assert found is not None
        assert found.user == member.user
    with pytest.raises(CommandError, match="Personne"):
        call_command("api_token", "absente@example.org")


def test_consent_keeps_its_proof(member: Member, now: Any) -> None:
    given = consents.give_consent(member, ConsentKind.CLUB_NEWS, by=member.user, now=now)
    assert consents.give_consent(member, ConsentKind.CLUB_NEWS, by=member.user, now=now) == given
    assert given.wording == consents.WORDING
    live = member.consents.filter(withdrawn_at=None)
    assert live.get() == given
    consents.withdraw_consent(member, ConsentKind.CLUB_NEWS, by=member.user, now=now)
    given.refresh_from_db()
    assert given.withdrawn_at == now
    assert not live.all().exists()
