"""Attendance figures: by month and place, with a constant number of statements."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from club.kernel.spans import at
from events.enums import RegistrationStatus, SessionStatus
from events.models import WalkIn
from events.queries.figures import by_month
from tests.factories.club import NOW, PARIS, MemberFactory, PlaceFactory
from tests.factories.events import RegistrationFactory, SessionFactory

pytestmark = pytest.mark.django_db

YEAR = (date(2027, 1, 1), date(2027, 12, 31))


def test_one_month_of_one_place(place: Any) -> None:
    session = SessionFactory(place=place, in_days=-3, capacity=10)
    family = MemberFactory(place=place)
    partner = MemberFactory(place=place, household=family.household)
    RegistrationFactory(
        session=session, member=family, quantity=3, came=2, status=RegistrationStatus.PRESENT
    )
    RegistrationFactory(session=session, member=partner, came=1, status=RegistrationStatus.PRESENT)
    RegistrationFactory(session=session, quantity=2, status=RegistrationStatus.ABSENT)
    RegistrationFactory(session=session, quantity=4, status=RegistrationStatus.CANCELLED)
    WalkIn.objects.create(session=session, first_name="Inès", quantity=2, came_at=NOW)
    WalkIn.objects.create(session=session, first_name="Léo", came_at=NOW, undone_at=NOW)
    SessionFactory(place=place, in_days=-2, status=SessionStatus.CANCELLED)
    SessionFactory(place=place, in_days=-1, capacity=None)
    SessionFactory(place=place, in_days=1)
    [month] = by_month([place], *YEAR, now=NOW)
    assert (month.month, month.place) == (date(2027, 3, 1), place)
    assert (month.held, month.uncounted, month.cancelled, month.places) == (2, 1, 1, 10)
    assert (month.registered, month.came, month.no_shows, month.walk_ins) == (6, 3, 3, 2)
    assert (month.people, month.households, month.filled) == (5, 1, 8)
    assert (month.fill_rate, month.show_rate) == (0.8, 0.5)


def test_a_month_without_places_has_no_rate(place: Any) -> None:
    SessionFactory(place=place, in_days=-1, capacity=None)
    [month] = by_month([place], *YEAR, now=NOW)
    assert (month.fill_rate, month.show_rate) == (None, None)


def test_months_end_at_local_midnight(place: Any) -> None:
    for starts_at in (
        datetime(2027, 2, 28, 23, 30, tzinfo=PARIS),
        datetime(2027, 3, 1, 0, 30, tzinfo=PARIS),
    ):
        SessionFactory(
            place=place,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            closes_at=starts_at,
        )
    months = by_month([place], *YEAR, now=NOW)
    assert [(one.month.month, one.held) for one in months] == [(2, 1), (3, 1)]
    [february] = by_month([place], date(2027, 2, 1), date(2027, 2, 28), now=NOW)
    assert february.month == date(2027, 2, 1)
    assert at(date(2027, 3, 1), datetime.min.time()) > datetime(2027, 2, 28, 22, tzinfo=PARIS)


def test_only_the_places_asked_for(place: Any) -> None:
    elsewhere = PlaceFactory(landlord=place.landlord, name="Accueil des Aulnes")
    for one in (place, elsewhere):
        RegistrationFactory(session=SessionFactory(place=one, in_days=-1))
    assert [one.place for one in by_month([elsewhere], *YEAR, now=NOW)] == [elsewhere]
    assert [one.place for one in by_month([place, elsewhere], *YEAR, now=NOW)] == [
        elsewhere,
        place,
    ]


@pytest.mark.parametrize("sessions", [1, 3])
def test_three_statements(place: Any, sessions: int) -> None:
    for day in range(1, sessions + 1):
        session = SessionFactory(place=place, in_days=-day * 20)
        RegistrationFactory(session=session, status=RegistrationStatus.PRESENT, came=1)
        WalkIn.objects.create(session=session, first_name="Inès", came_at=NOW)
    with CaptureQueriesContext(connection) as held:
        by_month([place], date(2026, 1, 1), date(2027, 12, 31), now=NOW)
    assert len(held) == 3
