"""Closing the place at the desk: the days, the plan, one confirmation, the calls."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Closure, Place
from concierge.models import Loan
from tests.costs import session as session_cost
from tests.desk.conftest import words
from tests.factories.closures import SATURDAY, TUESDAY
from tests.factories.club import (
    NOW,
    AssignmentFactory,
    ClosureFactory,
    MemberFactory,
    PlaceFactory,
)
from tests.factories.concierge import CopyFactory, LoanFactory
from tests.factories.events import SessionFactory
from tests.factories.stays import StayFactory
from tests.signin import sign_in_staff

pytestmark = pytest.mark.django_db

CLOSE = "/desk/fermetures/fermer/"
TYPED = {"starts_on": "2027-03-16", "ends_on": "2027-03-20", "reason": "holidays"}


def lent(place: Place, **user: Any) -> Loan:
    member = MemberFactory(place=place, **{f"user__{name}": text for name, text in user.items()})
    return LoanFactory(
        copy=CopyFactory(place=place), member=member, status="out", out_at=NOW,
        ends_at=NOW + timedelta(days=7),
    )  # fmt: skip


def seal(page: Any) -> dict[str, str]:
    """The plan's own fields and its one button."""
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return dict(hidden) | {"faire": "1"}


def test_shown_then_done(desk: Client, place: Place) -> None:
    loan = lent(place)
    page = desk.post(CLOSE, TYPED)
    assert page.status_code == 200
    text = words(page)
    assert "Fermer du mardi 16 mars au samedi 20 mars" in text.replace("\xa0", " ")
    assert "1 personne prévenue par message." in text
    assert "Gaufrier Samira Benali à rendre mardi 16 mars à rendre mardi 23 mars e-mail" in (
        text.replace("\xa0", " ")
    )
    assert not Closure.objects.exists()
    done = desk.get(desk.post(CLOSE, seal(page))["Location"])
    assert "La fermeture est notée. 1 personne prévenue par message." in words(done)
    assert "Du mardi 16 mars au samedi 20 mars" in words(done).replace("\xa0", " ")
    loan.refresh_from_db()
    assert loan.due_on == date(2027, 3, 23)


def test_what_changed_meanwhile_is_shown_anew(desk: Client, place: Place) -> None:
    page = desk.post(CLOSE, TYPED)
    lent(place)
    again = desk.post(CLOSE, seal(page))
    assert again.status_code == 422
    assert "Des réservations ont changé. Relisez ce que cela change." in words(again)
    assert "Gaufrier" in words(again)
    assert not Closure.objects.exists()
    assert desk.post(CLOSE, seal(again)).status_code == 302


def test_days_in_disorder_stand_beside_the_field_and_nothing_is_lost(desk: Client) -> None:
    page = desk.post(CLOSE, TYPED | {"ends_on": "2027-03-15"})
    assert page.status_code == 422
    errors = page.context["form"].errors
    assert errors == {"ends_on": ["Le dernier jour vient après le premier."]}
    assert 'value="2027-03-16"' in page.text
    back = desk.post(CLOSE, TYPED | {"revoir": "1"})
    assert (back.status_code, back.templates[0].name) == (200, "desk/closure.html")


def test_a_session_is_ticked_and_read_once_more(desk: Client, place: Place) -> None:
    session = SessionFactory(place=place)
    page = desk.post(CLOSE, TYPED)
    tick = {"garde": f"session-{session.public_id}"}
    again = desk.post(CLOSE, seal(page) | tick)
    assert again.status_code == 422
    assert "Vous avez changé les séances. Relisez, puis confirmez." in words(again)
    assert desk.post(CLOSE, seal(again) | tick).status_code == 302
    session.refresh_from_db()
    assert session.status == "scheduled"


def test_changed_and_withdrawn_the_same_way(desk: Client, place: Place) -> None:
    closure = ClosureFactory(place=place)
    change, withdraw = f"/desk/fermetures/{closure.pk}/", f"/desk/fermetures/{closure.pk}/rouvrir/"
    assert 'value="2027-03-20"' in desk.get(change).text
    page = desk.post(change, TYPED | {"ends_on": "2027-03-18"})
    desk.post(change, seal(page))
    closure.refresh_from_db()
    assert closure.ends_on == date(2027, 3, 18)
    page = desk.get(withdraw)
    assert "Rouvrir et prévenir" in words(page)
    done = desk.get(desk.post(withdraw, seal(page))["Location"])
    assert "La fermeture est retirée." in words(done)
    assert not Closure.objects.exists()


def test_the_calls_stay_until_they_are_noted(desk: Client, place: Place) -> None:
    loan = lent(place, first_name="Rose", last_name="Lemaire", email="", phone="+33322450001")
    page = desk.post(CLOSE, TYPED)
    assert "À appeler (1)" in words(page)
    assert "03 22 45 00 01" in words(page).replace("\xa0", " ")
    desk.post(CLOSE, seal(page))
    listed = desk.get("/desk/fermetures/")
    [line] = listed.context["calls"]
    assert "Rose Lemaire" in words(desk.get("/desk/fermetures/appels/"))
    assert "Fermeture à annoncer" in words(desk.get("/desk/"))
    desk.post(f"/desk/fermetures/appels/{line['call'].entry}/{loan.member_id}/")
    assert desk.get("/desk/fermetures/").context["calls"] == []
    assert "Fermeture à annoncer" not in words(desk.get("/desk/"))


def test_an_officer_closes_and_learns_of_no_absence(client: Client, place: Place) -> None:
    stay = StayFactory(first=TUESDAY, last=SATURDAY, service__place=place)
    sign_in_staff(client, AssignmentFactory(place=place, role="officer").user)
    page = client.post(CLOSE, TYPED)
    assert "Gardes (1)" in words(page)
    assert str(stay.member) not in words(page)
    client.post(CLOSE, seal(page))
    assert client.get("/desk/fermetures/").context["calls"] == []


def test_a_call_that_tells_of_an_absence_too_is_the_concierges_to_tick(
    desk: Client, place: Place
) -> None:
    loan = lent(place, email="", phone="+33322450001")
    StayFactory(first=TUESDAY, last=SATURDAY, service__place=place, member=loan.member)
    desk.post(CLOSE, seal(desk.post(CLOSE, TYPED)))
    officer = Client()
    sign_in_staff(officer, AssignmentFactory(place=place, role="officer").user)
    page = officer.get("/desk/fermetures/")
    [line] = page.context["calls"]
    assert ([title for title, _was, _becomes in line["lines"]], line["may_tick"]) == (
        ["Gaufrier"], False,
    )  # fmt: skip
    assert "Noter l’appel" not in words(page)
    url = f"/desk/fermetures/appels/{line['call'].entry}/{loan.member_id}/"
    assert officer.post(url).status_code == 404
    assert "Noter l’appel" in words(desk.get("/desk/fermetures/"))
    assert desk.post(url).status_code == 302
    assert officer.get("/desk/fermetures/").context["calls"] == []


def test_another_place_has_its_own(desk: Client) -> None:
    closure = ClosureFactory(place=PlaceFactory())
    for path in ("", "rouvrir/"):
        assert desk.get(f"/desk/fermetures/{closure.pk}/{path}").status_code == 404


def test_the_plan_costs_the_same_for_one_and_for_three(desk: Client, place: Place) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as held:
            assert desk.post(CLOSE, TYPED).status_code == 200
        return len(held)

    lent(place)
    cost()
    first = cost()
    lent(place)
    lent(place)
    assert first == cost() == 11 + session_cost()
