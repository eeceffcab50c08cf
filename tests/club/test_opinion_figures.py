"""The officers' figures: by month, place and kind; what few people said is not told."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from club.enums import Role
from club.models import Member, Place
from club.queries.opinion_figures import by_month
from tests.factories.club import LandlordFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.opinions import OpinionFactory, counts, unhappy
from tests.signin import sign_in_staff

REPORT = "/admin/avis/"
FIRST, LAST = date(2027, 1, 1), date(2027, 3, 31)


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Any:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def said(place: Place, member: Member, now: datetime) -> None:
    """March: five of seven about loans answered; three and two about other things."""
    counts(3, "happy", now, place=place)
    counts(1, "so_so", now, place=place, reason="price")
    unhappy(member=member, reason="wait", asked_at=now)
    OpinionFactory.create_batch(2, member=None, place=place, asked_at=now)
    counts(3, "happy", now, place=place, kind="order")
    counts(2, "unhappy", now, place=place, kind="registration", reason="manner")
    counts(4, "unhappy", now.replace(month=1), place=place)
    counts(9, "happy", now.replace(year=2026), place=place)
    counts(
        9, "happy", now, place=PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    )


def test_counts_by_month_and_kind_and_little_ones_together(place: Place, said: None) -> None:
    january, loans, rest = by_month([place], FIRST, LAST)
    assert (january.month, january.title) == (date(2027, 1, 1), "Le reste, ensemble")
    assert (january.asked, january.answered) == (4, 4)
    assert (january.told_faces, january.told_reasons) == ([], [])
    assert (loans.title, loans.asked, loans.answered) == ("Prêts", 7, 5)
    assert loans.told_faces == [("Content", 3, 60), ("Moyen", 1, 20), ("Pas content", 1, 20)]
    assert loans.told_reasons == [("trop d’attente", 1), ("trop cher", 1)]
    assert (rest.kind, rest.asked, rest.answered) == ("", 5, 5)
    assert rest.told_faces == [("Content", 3, 60), ("Moyen", 0, 0), ("Pas content", 2, 40)]


@pytest.mark.parametrize("months", [1, 3])
def test_one_statement_however_many(
    place: Place, now: datetime, months: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(months):
        counts(5, "happy", now - number * timedelta(days=30), place=place)
    with django_assert_num_queries(1):
        assert len(by_month([place], FIRST, LAST)) == months


def test_the_page_and_its_file_name_nobody(
    client: Client, place: Place, member: Member, said: None
) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    page = client.get(REPORT)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Content 3 (60\u00a0%)" in text
    assert "trop peu" in text
    assert member.last_name not in text
    answer = client.get(REPORT, {"first": "2027-01-09", "last": "2027-03-01", "fichier": "csv"})
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert lines[1].startswith('"01/2027"') or lines[1].startswith("01/2027")
    assert lines[1].replace('"', "").endswith(";;;;;;;;;;")
    assert lines[2].replace('"', "").split(";")[2:8] == ["Prêts", "7", "5", "3", "1", "1"]
    assert client.get(REPORT, {"first": "2027-03-01", "last": "2026-03-01"}).status_code == 200


def test_officers_alone(client: Client, place: Place) -> None:
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    assert client.get(REPORT).status_code in (302, 403)
    assert "/admin/avis/" not in client.get("/admin/").content.decode()
