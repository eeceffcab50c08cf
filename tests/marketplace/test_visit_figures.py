"""The officers' report of requests to artisans: counts by month, opinions of few untold."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from club.enums import Role
from club.models import Member, Place
from marketplace.enums import AskStatus, VisitStatus
from marketplace.queries.visit_figures import by_month
from tests.factories.club import LandlordFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import AskFactory, VisitFactory
from tests.signin import sign_in_staff

REPORT = "/admin/partenaires/visites/"
FIRST, LAST = date(2027, 1, 1), date(2027, 3, 31)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Any:
    with time_machine.travel(now, tick=False):
        yield


def a_visit(member: Member, asked_at: datetime, after: int, **more: Any) -> None:
    visit = VisitFactory(member=member, asked_at=asked_at, **more)
    answered = asked_at + after * HOUR
    AskFactory(visit=visit, status=AskStatus.ACCEPTED, accepted_at=answered, asked_at=asked_at)


@pytest.fixture
def months(member: Member, now: datetime) -> None:
    """March with five opinions, January with one."""
    done = {"status": VisitStatus.DONE, "agreed_at": now, "done_at": now}
    for satisfaction in ("happy", "happy", "so_so"):
        a_visit(member, now, 2, satisfaction=satisfaction, **done)
    for reason in ("late", ""):
        a_visit(member, now, 49, satisfaction="unhappy", unhappy_for=reason, **done)
    VisitFactory(member=member, asked_at=now)
    january = now.replace(month=1)
    a_visit(member, january, 1, satisfaction="unhappy", unhappy_for="price", **done)
    VisitFactory(member=member, asked_at=now.replace(year=2026))


def test_counts_by_month(member: Member, months: None) -> None:
    january, march = by_month([member.place.landlord], FIRST, LAST)
    assert (january.month, january.asked, january.done) == (date(2027, 1, 1), 1, 1)
    assert (january.has_few, january.told_opinions, january.told_reasons) == (True, [], [])
    assert (march.asked, march.answered, march.agreed, march.done) == (6, 3, 5, 5)
    assert march.told_opinions == [("content", 2), ("moyen", 1), ("pas content", 2)]
    assert march.told_reasons == [("en retard ou absent", 1)]


def test_another_landlords_are_not_counted(member: Member, months: None) -> None:
    assert by_month([LandlordFactory(slug="autre", name="Autre")], FIRST, LAST) == []


@pytest.mark.parametrize("more", [0, 30])
def test_many_requests_cost_the_same(
    member: Member, months: None, now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries, more: int,
) -> None:  # fmt: skip
    for _ in range(more):
        VisitFactory(member=member, asked_at=now)
    with django_assert_num_queries(3):
        by_month([member.place.landlord], FIRST, LAST)


def test_officers_alone_read_it(client: Client, place: Place, member: Member, months: None) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    page = client.get(REPORT)
    assert "content 2, moyen 1, pas content 2" in page.text
    assert "trop peu" in page.text
    file = client.get(page.context["file_url"].join([REPORT, ""]))
    assert file["Content-Type"].startswith("text/csv")
    lines = file.content.decode().splitlines()
    assert len(lines) == 3
    assert ";1;1;1;1;;;" in lines[1]
    assert ";6;3;5;5;2;1;2;1;0;0;0;0" in lines[2]
    for role in (Role.CONCIERGE, Role.EDITOR):
        other = Client()
        sign_in_staff(other, staff(place, role))
        assert other.get(REPORT).status_code in {302, 403}


def test_an_officer_of_another_landlord_reads_their_own(
    client: Client, member: Member, months: None
) -> None:
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    sign_in_staff(client, staff(elsewhere, Role.OFFICER))
    assert "Aucune demande sur ces mois." in client.get(REPORT).text
