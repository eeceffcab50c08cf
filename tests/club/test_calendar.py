from datetime import date, datetime, time

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from club.kernel.spans import at, end_of, local_day, start_of
from club.models import ExceptionalHours, OpeningHours, SchoolHolidays, Season
from club.queries.calendar import Calendar, Line, calendar_of
from tests.factories.club import NOW, ClosureFactory, PlaceFactory

PARIS = timezone.get_default_timezone()


def hours(place, day):
    place.refresh_from_db()
    return calendar_of(place).hours(day)


@pytest.mark.django_db
def test_a_day_may_have_several_spans(place):
    assert hours(place, date(2027, 3, 9)) == [(time(9), time(12)), (time(14), time(18))]
    assert hours(place, date(2027, 3, 14)) == []


@pytest.mark.django_db
def test_a_closure_wins_over_exceptional_hours_and_these_over_public_holidays(place):
    easter_monday_week = date(2027, 5, 1)  # a Saturday, a public holiday
    assert hours(place, easter_monday_week) == []
    ExceptionalHours.objects.create(
        place=place, day=easter_monday_week, opens=time(10), closes=time(11)
    )
    assert hours(place, easter_monday_week) == [(time(10), time(11))]
    closure = ClosureFactory(place=place, starts_on=easter_monday_week, ends_on=easter_monday_week)
    assert hours(place, easter_monday_week) == []
    closure.delete()
    assert hours(place, easter_monday_week) == [(time(10), time(11))]


@pytest.mark.django_db
def test_a_season_replaces_the_usual_lines_also_over_the_turn_of_the_year(place):
    winter = Season.objects.create(place=place, name="Hiver", first_day="15/12", last_day="15/01")
    OpeningHours.objects.create(
        place=place, weekday=1, opens=time(10), closes=time(16), season=winter
    )
    assert hours(place, date(2027, 12, 28)) == [(time(10), time(16))]
    assert hours(place, date(2028, 1, 11)) == [(time(10), time(16))]
    assert hours(place, date(2028, 1, 12)) == []
    assert hours(place, date(2028, 1, 18)) == [(time(9), time(12)), (time(14), time(18))]


@pytest.mark.django_db
def test_school_holidays_have_hours_of_their_own(place):
    SchoolHolidays.objects.create(
        zone="B", name="Printemps", starts_on=date(2027, 4, 17), ends_on=date(2027, 5, 2)
    )
    place.opening_hours.filter(weekday=2).update(period="term")
    OpeningHours.objects.create(
        place=place, weekday=2, opens=time(13), closes=time(17), period="holidays"
    )
    assert hours(place, date(2027, 4, 21)) == [(time(13), time(17))]
    assert hours(place, date(2027, 4, 14)) == [(time(9), time(12)), (time(14), time(18))]


@pytest.mark.django_db
def test_any_change_of_hours_is_seen_by_the_next_reader(place, django_assert_num_queries):
    before = place.rules_stamp
    calendar_of(place)
    with django_assert_num_queries(0):
        calendar_of(place)
    OpeningHours.objects.create(place=place, weekday=6, opens=time(10), closes=time(12))
    place.refresh_from_db()
    assert place.rules_stamp != before
    assert calendar_of(place).hours(date(2027, 3, 14)) == [(time(10), time(12))]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("moment", "is_open", "text"),
    [
        (NOW, True, "Ouvert, ferme à 12\u00a0h"),
        (NOW.replace(hour=13), False, "Fermé, ouvre à 14\u00a0h"),
        (NOW.replace(hour=18, minute=0), False, "Fermé, ouvre mercredi à 9\u00a0h"),
        (NOW.replace(day=13, hour=20), False, "Fermé, ouvre mardi à 9\u00a0h"),
    ],
)
def test_the_open_line(place, moment, is_open, text):
    line = calendar_of(place).open_line(moment)
    assert (line.is_open, line.text) == (is_open, text)


@pytest.mark.django_db
def test_where_nothing_is_known_the_line_says_closed_and_no_more():
    assert calendar_of(PlaceFactory(hours=False)).open_line(NOW).text == "Fermé"


def test_hours_are_built_from_wall_time_on_the_nights_of_the_clock_change():
    calendar = Calendar(lines=[Line(6, time(9), time(18), "always", None)])
    for sunday in (date(2027, 3, 28), date(2027, 10, 31)):
        (span,) = calendar.spans(sunday)
        assert span.starts_at.astimezone(PARIS).hour == 9
        assert span.ends_at.astimezone(PARIS).hour == 18


def test_an_hour_that_does_not_exist_and_one_that_comes_twice():
    assert at(date(2027, 3, 28), time(2, 30)) == datetime(2027, 3, 28, 3, 30, tzinfo=PARIS)
    assert at(date(2027, 10, 31), time(2, 30)).utcoffset().total_seconds() == 0
    assert (end_of(date(2027, 3, 28)) - start_of(date(2027, 3, 28))).total_seconds() == 23 * 3600
    assert (end_of(date(2027, 10, 31)) - start_of(date(2027, 10, 31))).total_seconds() == 25 * 3600


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.times())
def test_a_local_day_holds_each_of_its_instants(day, hour):
    assert local_day(at(day, hour.replace(tzinfo=None))) == day
