"""Mon foyer: seen, shared with another adult, left."""

from datetime import datetime

import pytest
from django.test import Client

from club.models import Household, Member
from portal.views.household import TRIES
from tests.factories.club import CardFactory, MemberFactory

HOME = "/mon-espace/foyer/"
LEAVE, CODE = f"{HOME}quitter/", f"{HOME}rejoindre/"


@pytest.fixture
def code(signed_in: Client, member: Member) -> str:
    CardFactory(member=member)
    return str(signed_in.post(HOME).context["code"])


def test_it_tells_first_names_alone(signed_in: Client, member: Member) -> None:
    MemberFactory(
        household=member.household, place=member.place,
        user__first_name="Karim", user__last_name="Haddad", user__email="karim@example.org",
    )  # fmt: skip
    text = signed_in.get(HOME).text
    assert "Samira" in text and "Karim" in text and "Membre depuis mardi 9\u00a0mars" in text
    assert "Haddad" not in text and "karim@example.org" not in text
    assert "4 personnes" in text


def test_an_invitation_is_shown_with_its_ways_on(signed_in: Client, code: str) -> None:
    page = signed_in.post(HOME)
    assert page.context["code"] == code
    assert "<svg" in page.text and code in page.text
    assert 'href="sms:?&amp;body=Samira%20vous%20invite' in page.text
    assert 'href="mailto:?subject=' in page.text
    assert code not in signed_in.get(HOME).text


def test_without_a_card_nobody_is_invited(signed_in: Client) -> None:
    page = signed_in.post(HOME)
    assert page.status_code == 422
    assert "Il faut votre carte de membre." in page.text


def test_the_invited_sign_in_and_agree(
    client: Client, code: str, member: Member, other_member: Member
) -> None:
    client.logout()
    answer = client.get(f"{CODE}{code}/")
    assert answer["Location"].startswith("/compte/connexion/?next=/mon-espace/foyer/rejoindre/")
    client.force_login(other_member.user)
    page = client.get(f"{CODE}{code}/")
    assert "Rejoindre le foyer de Samira" in page.text and "Benali" not in page.text
    assert Member.objects.get(pk=other_member.pk).household != member.household
    assert client.post(f"{CODE}{code}/")["Location"] == HOME
    assert Member.objects.get(pk=other_member.pk).household == member.household
    again = client.post(f"{CODE}{code}/")
    assert again.status_code == 404 and "Cette invitation ne sert plus" in again.text


def test_a_wrong_code_is_told_alike_to_everybody(client: Client, member: Member) -> None:
    for signs_in in (False, True):
        if signs_in:
            client.force_login(member.user)
        assert client.get(f"{CODE}482174-BCDF-2345/").status_code == 404


def test_a_typed_code_leads_to_the_question(
    client: Client, code: str, other_member: Member
) -> None:
    client.force_login(other_member.user)
    assert client.get(CODE).status_code == 200
    answer = client.post(CODE, {"code": code.lower()})
    assert answer["Location"] == f"{CODE}{code.lower()}/"
    for typed in ("", "abc", "482174BCDF2345", "x" * 400):
        page = client.post(CODE, {"code": typed})
        assert page.status_code == 422 and "Il y a un problème" in page.text


def test_ones_own_code_is_refused_with_the_reason(signed_in: Client, code: str) -> None:
    page = signed_in.get(f"{CODE}{code}/")
    assert page.status_code == 422 and "Vous êtes déjà dans ce foyer." in page.text


def test_codes_are_not_found_by_trying(client: Client, member: Member, code: str) -> None:
    for _ in range(TRIES):
        client.get(f"{CODE}482174-BCDF-2345/")
    assert client.get(f"{CODE}{code}/").status_code == 429


def test_leaving_is_asked_once_more(signed_in: Client, member: Member, now: datetime) -> None:
    home = member.household
    assert signed_in.get(LEAVE)["Location"] == HOME
    MemberFactory(household=home, place=member.place, user__first_name="Karim")
    page = signed_in.get(LEAVE)
    assert page.status_code == 200 and "Karim" in page.text
    assert Member.objects.get(pk=member.pk).household == home
    for _ in range(2):
        assert signed_in.post(LEAVE)["Location"] == HOME
    assert Member.objects.get(pk=member.pk).household != home
    assert Household.objects.count() == 2
    assert "Il n’y a pas d’autre adulte dans ce foyer." in signed_in.get(HOME).text
