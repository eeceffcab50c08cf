"""From a rule to sessions: the wall clock, what is left out, and what a new rule does."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from club.enums import SchoolZone
from club.kernel.refusal import Refused
from club.models import Place, SchoolHolidays
from events.domain.changes import Shift, move_sessions, plan_move
from events.domain.schedules import (
    AHEAD,
    MOST,
    check_schedule,
    days_of,
    endless,
    excepted_days,
    hours_of,
    make_sessions,
    strays,
)
from events.enums import Frequency, Holidays
from events.models import EventPage, Schedule, Session
from events.tasks import extend_schedules
from tests.events.test_register import take, unbroken
from tests.factories.club import NOW, ClosureFactory, MemberFactory, PlaceFactory
from tests.factories.events import RegistrationFactory, make_event

pytestmark = pytest.mark.django_db


def rule(event: EventPage, **fields: Any) -> Schedule:
    """Thursdays from 11 March 2027, 18 h to 20 h."""
    usual = {
        "starts_on": date(2027, 3, 11),
        "starts": time(18),
        "ends": time(20),
        "frequency": Frequency.WEEKLY,
    }
    return Schedule.objects.create(event=event, **(usual | fields))


def days(event: EventPage) -> list[date]:
    rows = Session.objects.filter(event=event).order_by("starts_at")
    return [session.day for session in rows]


def clock(session: Session) -> tuple[str, str]:
    starts, ends = timezone.localtime(session.starts_at), timezone.localtime(session.ends_at)
    return f"{starts:%d/%m %H:%M}", f"{ends:%d/%m %H:%M}"


@pytest.fixture
def event(place: Place) -> EventPage:
    return make_event(place, capacity=12, closes_minutes=60)


@pytest.fixture
def spring_holidays(place: Place) -> None:
    SchoolHolidays.objects.create(
        zone=place.landlord.school_zone or SchoolZone.B,
        name="Printemps",
        starts_on=date(2027, 4, 10),
        ends_on=date(2027, 4, 25),
    )
    place.refresh_from_db()


def test_every_second_thursday_until_june_but_in_the_school_holidays(
    event: EventPage, spring_holidays: None
) -> None:
    rule(
        event,
        frequency=Frequency.FORTNIGHTLY,
        until=date(2027, 6, 10),
        holidays=Holidays.SKIP,
    )
    made = make_sessions(event, by=None, now=NOW)
    wanted = [(3, 11), (3, 25), (4, 8), (5, 20), (6, 3)]
    # 22 April falls in the holidays and 6 May is Ascension Day.
    assert days(event) == [date(2027, month, day) for month, day in wanted]
    assert (made.added, made.followed, made.removed, made.stray) == (5, 0, 0, [])
    session = Session.objects.first()
    assert session is not None
    assert (session.capacity, session.closes_at) == (12, session.starts_at - timedelta(hours=1))
    unbroken()


def test_only_in_the_school_holidays(event: EventPage, spring_holidays: None) -> None:
    rule(event, until=date(2027, 6, 10), holidays=Holidays.ONLY)
    make_sessions(event, by=None, now=NOW)
    assert days(event) == [date(2027, 4, 15), date(2027, 4, 22)]


def test_made_twice_adds_none(event: EventPage) -> None:
    rule(event, until=date(2027, 4, 1))
    assert make_sessions(event, by=None, now=NOW).added == 4
    again = make_sessions(event, by=None, now=NOW)
    assert (again.added, again.followed, again.removed, again.stray) == (0, 0, 0, [])


def test_the_fifth_weekday_is_the_last_one(event: EventPage) -> None:
    rule(
        event,
        starts_on=date(2027, 3, 30),
        frequency=Frequency.MONTHLY,
        until=date(2027, 7, 31),
    )
    make_sessions(event, by=None, now=NOW)
    wanted = [(3, 30), (4, 27), (5, 25), (6, 29), (7, 27)]
    assert days(event) == [date(2027, month, day) for month, day in wanted]


def test_the_second_tuesday_of_each_month(event: EventPage) -> None:
    rule(
        event,
        starts_on=date(2027, 4, 13),
        frequency=Frequency.MONTHLY,
        until=date(2027, 7, 31),
    )
    make_sessions(event, by=None, now=NOW)
    wanted = [(4, 13), (5, 11), (6, 8)]
    # 13 July is the second Tuesday; the 14th is the holiday.
    assert days(event) == [*(date(2027, month, day) for month, day in wanted), date(2027, 7, 13)]


def test_no_clock_change_moves_a_session(event: EventPage) -> None:
    rule(event, starts_on=date(2027, 3, 27), until=date(2027, 4, 3))
    rule(event, starts_on=date(2027, 10, 30), until=date(2027, 11, 6))
    make_sessions(event, by=None, now=NOW)
    rows = Session.objects.order_by("starts_at")
    assert [clock(one)[0] for one in rows] == [
        "27/03 18:00", "03/04 18:00", "30/10 18:00", "06/11 18:00",
    ]  # fmt: skip
    assert [one.starts_at.astimezone(timezone.get_fixed_timezone(0)).hour for one in rows] == [
        17, 16, 16, 17,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "hours"),
    [(date(2027, 3, 27), 6), (date(2027, 4, 3), 7), (date(2027, 10, 30), 8)],
)
def test_past_midnight_it_ends_on_the_next_day(place: Place, day: date, hours: int) -> None:
    """22 h to 5 h: six hours on the short night, eight on the long one."""
    event = make_event(place)
    night = rule(event, starts_on=day, starts=time(22), ends=time(5))
    starts_at, ends_at = hours_of(night, day)
    assert ends_at - starts_at == timedelta(hours=hours)
    assert timezone.localtime(ends_at).time() == time(5)


def test_an_hour_that_the_spring_night_skips_still_lasts(place: Place) -> None:
    night = rule(make_event(place), starts=time(2), ends=time(3))
    starts_at, ends_at = hours_of(night, date(2027, 3, 28))
    assert ends_at - starts_at == timedelta(hours=1)


def test_public_holidays_are_left_out_unless_wanted(event: EventPage) -> None:
    line = rule(event, starts_on=date(2027, 4, 29), until=date(2027, 5, 13))
    place = Place.objects.get()
    assert days_of(line, place, NOW) == [date(2027, 4, 29), date(2027, 5, 13)]
    line.on_public_holidays = True
    assert days_of(line, place, NOW)[1] == date(2027, 5, 6)


def test_one_date_that_was_written_is_meant(event: EventPage) -> None:
    """A feast on 14 July is no slip of the hand."""
    rule(event, starts_on=date(2027, 7, 14), frequency=Frequency.ONCE)
    make_sessions(event, by=None, now=NOW)
    assert days(event) == [date(2027, 7, 14)]


def test_closures_and_closed_days_are_left_out(event: EventPage, place: Place) -> None:
    ClosureFactory(place=place)
    place.refresh_from_db()
    closed = rule(event, starts_on=date(2027, 3, 11), until=date(2027, 3, 25))
    assert days_of(closed, place, NOW) == [date(2027, 3, 11), date(2027, 3, 25)]
    mondays = rule(event, starts_on=date(2027, 3, 15), until=date(2027, 3, 29))
    # Easter Monday is left out in any case.
    assert days_of(mondays, place, NOW) == [date(2027, 3, 15), date(2027, 3, 22)]
    mondays.when_closed = False
    assert days_of(mondays, place, NOW) == []


def test_excepted_days(event: EventPage, place: Place) -> None:
    line = rule(event, until=date(2027, 4, 1), except_on="18/03/2027, 25/3/2027")
    assert days_of(line, place, NOW) == [date(2027, 3, 11), date(2027, 4, 1)]


@pytest.mark.parametrize("text", ["31/02/2027", "demain", "2027-03-18", "18/03/27", "١٨/03/2027"])
def test_an_excepted_day_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(Refused) as refused:
        excepted_days(f"11/03/2027\n{text}")
    [reason] = refused.value.reasons
    assert (reason.code, reason.field) == ("day_wrong", "except_on")
    assert text in str(reason.text)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"until": date(2027, 3, 10)}, "dates_in_disorder", "until"),
        ({"until": date(2027, 3, 12), "except_on": "11/03/2027"}, "no_session", "starts_on"),
        ({"ends": time(18)}, "no_length", "ends"),
        ({"starts_on": date(9999, 12, 31)}, "too_far", "starts_on"),
        ({"starts_on": date(1, 1, 1), "frequency": "daily"}, "too_far", "starts_on"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_at_its_field(
    event: EventPage, place: Place, fields: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_schedule(rule(event, **fields), place, NOW)
    [reason] = refused.value.reasons
    assert (reason.code, reason.field) == (code, field)


def test_ten_thousand_sessions_are_refused_and_none_is_made(event: EventPage) -> None:
    for hour in range(8, 20):
        rule(
            event,
            frequency=Frequency.DAILY,
            starts=time(hour),
            ends=time(hour, 50),
            until=date(2060, 1, 1),
        )
    with pytest.raises(Refused) as refused:
        make_sessions(event, by=None, now=NOW)
    assert refused.value.codes == ["too_many_sessions"]
    assert not Session.objects.exists()


def test_a_rule_without_an_end_goes_on_each_night(event: EventPage) -> None:
    rule(event)
    one_off = rule(event, starts_on=date(2027, 3, 13), frequency=Frequency.ONCE)
    make_sessions(event, by=None, now=NOW)
    last = max(days(event))
    assert NOW.date() + AHEAD - last < timedelta(days=14)
    later = NOW + timedelta(days=60)
    assert list(endless(later)) == [event]
    extend_schedules(later)
    assert max(days(event)) > last + timedelta(days=50)
    one_off.delete()
    assert list(endless(later)) == [event]


def test_a_daily_rule_goes_on_for_years(event: EventPage) -> None:
    """What is over does not count among the sessions that a rule may have."""
    rule(event, frequency=Frequency.DAILY, starts_on=date(2022, 1, 1), on_public_holidays=True)
    made = make_sessions(event, by=None, now=NOW)
    assert made.added == AHEAD.days + 1
    assert made.added <= MOST
    unbroken()


@pytest.mark.parametrize(
    ("first", "wanted"),
    [
        # 2026 has a week 53: "every second week" counts weeks and not their numbers.
        (date(2026, 12, 17), [(2026, 12, 17), (2026, 12, 31), (2027, 1, 14), (2027, 1, 28)]),
        (date(2026, 12, 24), [(2026, 12, 24), (2027, 1, 7), (2027, 1, 21)]),
    ],
)
def test_a_fortnight_over_new_year(
    event: EventPage, place: Place, first: date, wanted: list[tuple[int, int, int]]
) -> None:
    line = rule(event, starts_on=first, frequency=Frequency.FORTNIGHTLY, until=date(2027, 1, 31))
    assert days_of(line, place, NOW) == [date(*parts) for parts in wanted]


def test_several_days_of_every_second_week(event: EventPage, place: Place) -> None:
    """Begun on a Thursday: the Tuesday of that week is over, the next is a fortnight on."""
    line = rule(event, frequency=Frequency.FORTNIGHTLY, weekdays=[1, 3], until=date(2027, 4, 10))
    wanted = [(3, 11), (3, 23), (3, 25), (4, 6), (4, 8)]
    assert days_of(line, place, NOW) == [date(2027, month, day) for month, day in wanted]


# -- Another rule -----------------------------------------------------------------------------


def test_new_hours_are_followed_where_nobody_is_registered(event: EventPage) -> None:
    line = rule(event, until=date(2027, 4, 1))
    make_sessions(event, by=None, now=NOW)
    first, second, *_rest = Session.objects.order_by("starts_at")
    take(MemberFactory(place=first.place), first)
    Schedule.objects.filter(pk=line.pk).update(starts=time(19), ends=time(21), room="Balzac")
    made = make_sessions(event, by=None, now=NOW)
    assert (made.added, made.followed, made.removed) == (0, 3, 0)
    assert made.stray == [first]
    assert strays(event, NOW) == [first.pk]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (clock(first)[0], first.sequence, first.room) == ("11/03 18:00", 0, "")
    assert (clock(second)[0], second.sequence, second.room) == ("18/03 19:00", 1, "Balzac")
    assert second.closes_at == second.starts_at - timedelta(hours=1)
    unbroken()


def test_another_weekday_takes_away_what_nobody_is_at(event: EventPage) -> None:
    line = rule(event, until=date(2027, 4, 1))
    make_sessions(event, by=None, now=NOW)
    kept = Session.objects.order_by("starts_at")[1]
    take(MemberFactory(place=kept.place), kept)
    Schedule.objects.filter(pk=line.pk).update(weekdays=[4])
    made = make_sessions(event, by=None, now=NOW)
    assert (made.added, made.removed, made.stray) == (3, 3, [kept])
    wanted = [(3, 12), (3, 18), (3, 19), (3, 26)]
    assert days(event) == [date(2027, month, day) for month, day in wanted]
    unbroken()


def test_a_rule_written_anew_takes_its_sessions_with_their_people(event: EventPage) -> None:
    rule(event, until=date(2027, 4, 1))
    make_sessions(event, by=None, now=NOW)
    kept = Session.objects.order_by("starts_at")[1]
    held = RegistrationFactory(session=kept)
    event.schedules.all().delete()
    rule(event, until=date(2027, 3, 25))
    made = make_sessions(event, by=None, now=NOW)
    assert (made.added, made.removed, made.stray) == (0, 1, [])
    assert days(event) == [date(2027, 3, 11), date(2027, 3, 18), date(2027, 3, 25)]
    held.refresh_from_db()
    assert held.session == kept


def test_what_was_moved_by_hand_no_rule_moves_again(event: EventPage, place: Place) -> None:
    line = rule(event, until=date(2027, 3, 18))
    make_sessions(event, by=None, now=NOW)
    session = Session.objects.order_by("starts_at")[0]
    to = NOW + timedelta(days=3)
    seal = plan_move([session], now=NOW).seal
    by = MemberFactory(place=place).user
    shift = Shift(to, to + timedelta(hours=2), place)
    move_sessions([session], shift, seal=seal, by=by, now=NOW)
    Schedule.objects.filter(pk=line.pk).update(starts=time(19), ends=time(21))
    made = make_sessions(event, by=None, now=NOW)
    assert (made.added, made.followed, made.stray) == (0, 1, [])
    session.refresh_from_db()
    assert session.starts_at == to


def test_what_is_over_stays_as_it_was(event: EventPage) -> None:
    line = rule(event, until=date(2027, 4, 1))
    make_sessions(event, by=None, now=NOW)
    line.delete()
    later = NOW + timedelta(days=10)
    made = make_sessions(event, by=None, now=later)
    assert (made.added, made.removed) == (0, 2)
    assert days(event) == [date(2027, 3, 11), date(2027, 3, 18)]


def test_sessions_stand_at_the_rules_place(event: EventPage, place: Place) -> None:
    other = PlaceFactory(landlord=place.landlord, slug="ailleurs")
    rule(event, until=date(2027, 3, 11), place=other)
    rule(event, until=date(2027, 3, 11), starts=time(9), ends=time(10))
    make_sessions(event, by=None, now=NOW)
    assert [one.place for one in Session.objects.order_by("starts_at")] == [place, other]


def test_who_registers_when_is_counted_in_calendar_days(place: Place) -> None:
    """Opened a week before at midnight, over the clock change; subscribers two days sooner."""
    event = make_event(place, opens_days=7, members_first_days=2)
    rule(event, starts_on=date(2027, 4, 1), frequency=Frequency.ONCE)
    make_sessions(event, by=None, now=NOW)
    session = Session.objects.get()
    assert session.opens_at is not None
    assert session.others_at is not None
    opens, others = timezone.localtime(session.opens_at), timezone.localtime(session.others_at)
    assert (opens.date(), opens.hour) == (date(2027, 3, 25), 0)
    assert (others.date(), others.hour) == (date(2027, 3, 27), 0)


def test_the_night_job_leaves_a_rule_that_cannot_be_read(
    event: EventPage, caplog: pytest.LogCaptureFixture
) -> None:
    rule(event, except_on="demain")
    extend_schedules(NOW)
    assert "day_wrong" in caplog.text
    assert not Session.objects.exists()


def test_a_draft_has_no_sessions_made_by_night(event: EventPage) -> None:
    rule(event)
    EventPage.objects.update(live=False)
    extend_schedules(NOW)
    assert not Session.objects.exists()


def test_instants_are_aware(event: EventPage) -> None:
    rule(event, until=date(2027, 3, 11))
    make_sessions(event, by=None, now=NOW)
    session = Session.objects.get()
    paris = timezone.get_default_timezone()
    assert session.starts_at == datetime(2027, 3, 11, 18, tzinfo=paris)
