"""Whom the desk calls about an unhappy answer: the list, one press, its undo, the board."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Member, Message, Opinion, Place
from tests.costs import session
from tests.desk.conftest import words
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.opinions import OpinionFactory, unhappy
from tests.signin import sign_in_staff

LIST = "/desk/a-appeler/"


@pytest.fixture
def one(member: Member) -> Opinion:
    member.user.phone = "+33612345678"
    member.user.save()
    return unhappy(member=member, reason="wait", asked_at=NOW - timedelta(days=1))


def press(desk: Client, one: Opinion, name: str) -> Any:
    return desk.post(f"{LIST}{one.reference}/{name}/", follow=True)


def test_who_where_about_what_and_why(desk: Client, one: Opinion) -> None:
    text = words(desk.get(LIST)).replace("\xa0", " ")
    assert "Samira Benali 06 12 34 56 78 Prêt : Gaufrier" in text
    assert "Dit lundi 8 mars : Trop d’attente" in text
    assert 'href="tel:+33612345678"' in desk.get(LIST).content.decode()


def test_noted_in_one_press_and_undone(desk: Client, one: Opinion) -> None:
    text = words(press(desk, one, "regle"))
    assert "Noté. Samira Benali, réglé." in text
    assert "Personne à appeler aujourd’hui." in text
    assert "refused" in press(desk, one, "regle").content.decode()
    text = words(press(desk, one, "defaire"))
    assert "Défait. Samira Benali est à appeler." in text
    one.refresh_from_db()
    assert (one.outcome, one.called_at) == ("", None)
    assert "deuxième appel" in words(press(desk, one, "pas-de-reponse"))
    text = words(desk.get(LIST))
    assert "Déjà appelé, pas de réponse" in text
    assert "Noté." in words(press(desk, one, "pas-de-reponse"))
    one.refresh_from_db()
    assert one.called_at == NOW
    assert not Message.objects.exists()
    assert desk.post(f"{LIST}{one.reference}/chante/").status_code == 404
    assert desk.get(f"{LIST}{one.reference}/regle/").status_code == 405


def test_only_what_is_of_this_place_and_of_somebody(desk: Client, one: Opinion) -> None:
    elsewhere = unhappy(member=MemberFactory(place=PlaceFactory()), label="Tondeuse")
    nobodys = unhappy(member=None, place=one.place, label="Scie")
    OpinionFactory(member=one.member, face="so_so", label="Perceuse")
    text = words(desk.get(LIST))
    assert [word for word in ("Gaufrier", "Tondeuse", "Scie", "Perceuse") if word in text] == [
        "Gaufrier"
    ]
    for other in (elsewhere, nobodys):
        assert desk.post(f"{LIST}{other.reference}/regle/").status_code == 404


def test_an_officer_reads_nobodys_opinion_of_a_stay(
    client: Client, desk: Client, one: Opinion
) -> None:
    stay = unhappy(member=MemberFactory(place=one.place), kind="stay", label="Garde de la maison")
    assert "Garde de la maison" in words(desk.get(LIST))
    officer = Client()
    sign_in_staff(officer, AssignmentFactory(place=one.place, role="officer").user)
    assert [line.opinion for line in officer.get(LIST).context["lines"]] == [one]
    assert "Garde de la maison" not in words(officer.get("/desk/tableau/"))
    assert officer.post(f"{LIST}{stay.reference}/regle/").status_code == 404
    press(desk, stay, "regle")
    assert [line.opinion for line in desk.get(LIST).context["noted"]] == [stay]
    assert officer.get(LIST).context["noted"] == []


def test_the_board_has_them_until_they_are_called(desk: Client, one: Opinion) -> None:
    text = words(desk.get("/desk/tableau/"))
    assert "À appeler 1 S. Benali, Gaufrier" in text.replace("\xa0", " ")
    press(desk, one, "transmis")
    assert "À appeler" not in words(desk.get("/desk/tableau/"))


@pytest.mark.parametrize("lines", [1, 3])
def test_a_list_is_as_many_statements_however_long(desk: Client, place: Place, lines: int) -> None:
    for _ in range(lines):
        unhappy(member=MemberFactory(place=place))
    desk.get(LIST)
    with CaptureQueriesContext(connection) as held:
        assert desk.get(LIST).status_code == 200
    assert len(held) == 5 + session(), [row["sql"] for row in held]


def test_another_places_staff_see_nothing(client: Client, one: Opinion) -> None:
    there = AssignmentFactory(place=PlaceFactory()).user
    sign_in_staff(client, there)
    assert "Benali" not in client.get(LIST).content.decode()
    assert client.post(f"{LIST}{one.reference}/regle/").status_code == 404
