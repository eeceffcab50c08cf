"""Mes données: the ways to them, the file, the way out."""

from datetime import datetime

import pytest
from django.test import Client

from club.domain.household import adults_of
from club.models import LogEntry, Member, User
from concierge.models import Loan
from portal.views.my_data import FILES
from tests.factories.club import CardFactory, MemberFactory

EXPORT, ERASE = "/mon-espace/donnees/", "/mon-espace/effacer/"


def is_there(member: Member) -> bool:
    return User.objects.get(pk=member.user_id).is_active


def test_my_information_leads_to_each(signed_in: Client) -> None:
    text = signed_in.get("/mon-espace/informations/").text
    for path in ("foyer/", "accords/", "donnees/", "effacer/"):
        assert f'href="/mon-espace/{path}"' in text


def test_so_many_files_an_hour(signed_in: Client) -> None:
    for _ in range(FILES):
        assert signed_in.post(EXPORT).status_code == 200
    assert signed_in.post(EXPORT).status_code == 429
    assert signed_in.get(EXPORT).status_code == 200


def test_it_tells_what_goes_and_what_stays(signed_in: Client, member: Member) -> None:
    page = signed_in.get(ERASE)
    assert page.status_code == 200
    for words in ("Votre nom, votre e-mail", "10 ans, comme la loi le demande", "EFFACER"):
        assert words in page.text
    assert is_there(member)


@pytest.mark.parametrize("word", ["", "oui", "EFFACE", "\x00", "x" * 50])
def test_a_slip_of_the_finger_erases_nobody(signed_in: Client, member: Member, word: str) -> None:
    page = signed_in.post(ERASE, {"word": word})
    assert page.status_code == 422 and "Il y a un problème" in page.text
    assert is_there(member)


def test_the_word_erases_and_signs_out(signed_in: Client, member: Member) -> None:
    card = CardFactory(member=member)
    page = signed_in.post(ERASE, {"word": " effacer "})
    assert page.status_code == 200 and "Votre compte est effacé" in page.text
    assert "no-store" in page["Cache-Control"]
    assert page["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_there(member)
    assert "_auth_user_id" not in signed_in.session
    assert signed_in.get("/mon-espace/").status_code == 302
    assert signed_in.post(ERASE, {"word": "effacer"}).status_code == 302
    assert signed_in.get(f"/c/{card.token}").status_code == 404
    assert LogEntry.objects.filter(verb="erase").count() == 1


def test_what_is_open_is_named_with_what_to_do(
    signed_in: Client, member: Member, loan_out: Loan
) -> None:
    text = signed_in.get(ERASE).text
    assert f"Vous avez encore «\u00a0{loan_out.tool.name}\u00a0». Rapportez-le d’abord." in text
    assert 'name="word"' not in text
    page = signed_in.post(ERASE, {"word": "EFFACER"})
    assert page.status_code == 422 and is_there(member)


def test_nobody_else_of_the_household_is_touched(
    signed_in: Client, member: Member, now: datetime
) -> None:
    karim = MemberFactory(household=member.household, place=member.place)
    signed_in.post(ERASE, {"word": "EFFACER"})
    assert is_there(karim)
    assert list(adults_of(karim.household)) == [karim]
