"""Slots are cut from the wall: hours, closures, pauses, the clock changes, the free seats."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from club.kernel.spans import Span, at
from club.models import OpeningHours, Place
from club.queries.calendar import Calendar
from club.queries.calendar import Line as OpenLine
from concierge.models import Service, ServicePause
from concierge.queries.services import Line, Rules
from concierge.queries.slots import LANES, Diary, Seated, Slot, diaries, diary_ahead, diary_of
from tests.factories.club import ClosureFactory, PlaceFactory
from tests.factories.services import AppointmentFactory, ServiceFactory, on

WEDNESDAY = date(2027, 3, 10)
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)


def walls(slots: list[Slot]) -> list[str]:
    return [timezone.localtime(slot.starts_at).strftime("%H:%M") for slot in slots]


def cut(service: Service, day: date) -> list[str]:
    service.place.refresh_from_db()
    return walls(diary_of(service, day).cut(day))


@pytest.fixture
def service(place: Place) -> Service:
    return ServiceFactory(place=place)


# -- Cutting -----------------------------------------------------------------------------------


def test_without_hours_of_its_own_it_is_there_whenever_the_place_is_open(service):
    assert cut(service, WEDNESDAY) == [
        "09:00", "09:30", "10:00", "10:30", "11:00", "11:30",
        "14:00", "14:30", "15:00", "15:30", "16:00", "16:30", "17:00", "17:30",
    ]  # fmt: skip
    assert cut(service, date(2027, 3, 14)) == []


def test_its_own_hours_hold_while_the_place_is_open(place):
    service = ServiceFactory(place=place, minutes=60, lines=[(2, 11, 15.5), (6, 9, 12)])
    assert cut(service, WEDNESDAY) == ["11:00", "14:00"]
    assert cut(service, date(2027, 3, 11)) == []
    assert cut(service, date(2027, 3, 14)) == []


def test_the_buffer_stands_between_two_slots_and_not_after_the_last(place):
    service = ServiceFactory(place=place, minutes=50, buffer_minutes=15, lines=[(2, 9, 11)])
    assert cut(service, WEDNESDAY) == ["09:00", "10:05"]
    slot = diary_of(service, WEDNESDAY).cut(WEDNESDAY)[0]
    assert (slot.ends_at, slot.held_until) == (on(10, 9 + 50 / 60), on(10, 10 + 5 / 60))


def test_a_line_may_have_seats_of_its_own(place):
    service = ServiceFactory(place=place, seats=2, lines=[(2, 9, 10), (2, 14, 15, 5)])
    seats = [slot.seats for slot in diary_of(service, WEDNESDAY).slots(WEDNESDAY)]
    assert seats == [2, 2, 5, 5]


def test_a_closed_day_has_no_slot(service, place):
    ClosureFactory(place=place, starts_on=WEDNESDAY, ends_on=WEDNESDAY)
    assert cut(service, WEDNESDAY) == []


def test_a_pause_takes_out_what_it_touches(service):
    ServicePause.objects.create(service=service, starts_at=on(10, 10.25), ends_at=on(10, 11))
    assert cut(service, WEDNESDAY)[:4] == ["09:00", "09:30", "11:00", "11:30"]


def night_place(day: date) -> Place:
    """Open all night long on the day of a clock change: slots meet the missing hour."""
    place = PlaceFactory(hours=False)
    OpeningHours.objects.create(place=place, weekday=day.weekday(), opens=time(0), closes=time(6))
    place.refresh_from_db()
    return place


@pytest.mark.django_db
def test_the_two_nights_of_the_clock_change_lose_and_double_nothing():
    spring = ServiceFactory(place=night_place(SPRING))
    assert cut(spring, SPRING) == [
        "00:00", "00:30", "01:00", "01:30",
        "03:00", "03:30", "04:00", "04:30", "05:00", "05:30",
    ]  # fmt: skip
    autumn = ServiceFactory(place=night_place(AUTUMN))
    assert cut(autumn, AUTUMN) == [
        "00:00", "00:30", "01:00", "01:30", "02:00", "02:30",
        "03:00", "03:30", "04:00", "04:30", "05:00", "05:30",
    ]  # fmt: skip
    for service, day in ((spring, SPRING), (autumn, AUTUMN)):
        slots = diary_of(service, day).cut(day)
        assert {slot.ends_at - slot.starts_at for slot in slots} == {timedelta(minutes=30)}


def test_an_afternoon_keeps_its_hours_on_both_days(place):
    OpeningHours.objects.create(place=place, weekday=6, opens=time(14), closes=time(16))
    service = ServiceFactory(place=place)
    for day in (SPRING, AUTUMN):
        assert cut(service, day) == ["14:00", "14:30", "15:00", "15:30"]


def test_the_last_day_of_the_year_and_the_first(place):
    service = ServiceFactory(place=place, horizon_days=366)
    assert len(cut(service, date(2027, 12, 31))) == 14
    assert cut(service, date(2028, 1, 1)) == []
    place.closed_on_public_holidays = False
    place.save()
    assert len(cut(service, date(2028, 1, 1))) == 8
    assert len(cut(service, date(2028, 2, 29))) == 14


# -- When one may book --------------------------------------------------------------------------


def test_from_the_lead_to_the_horizon(place, now):
    service = ServiceFactory(place=place, lead_minutes=240, horizon_days=2)
    slots = list(diary_ahead(service, now).bookable(now))
    assert slots[0].starts_at == on(9, 14.5)
    assert slots[-1].starts_at == on(11, 17.5)
    at_desk = next(iter(diary_ahead(service, now).bookable(now, at_desk=True)))
    assert at_desk.starts_at == on(9, 10)


def test_free_seats_are_one_statement_for_all_services(place, now, django_assert_num_queries):
    for rows in (1, 3):
        services = [ServiceFactory(place=place, name=f"S{rows}{n}", seats=2) for n in range(rows)]
        for service in services:
            AppointmentFactory(service=service, member__place=place)
            service.place = place
        diary_ahead(services[0], now)
        with django_assert_num_queries(1):
            found = diaries(services, WEDNESDAY, date(2027, 4, 8))
            free = [one.slot_at(on(10, 10)).free for one in found.values()]
        assert free == [1] * rows


def test_somebody_who_came_or_cancelled_holds_no_seat(place):
    service = ServiceFactory(place=place)
    for status in ("done", "absent", "cancelled", "lapsed"):
        AppointmentFactory(service=service, status=status)
    assert diary_of(service, WEDNESDAY).slot_at(on(10, 10)).free == 1
    held = AppointmentFactory(service=service, status="offered")
    assert diary_of(service, WEDNESDAY).slot_at(on(10, 10)).free == 0
    assert diary_of(service, WEDNESDAY, without=held.pk).slot_at(on(10, 10)).free == 1


def test_slots_cut_anew_are_not_free_under_an_old_appointment(place):
    service = ServiceFactory(place=place, minutes=30)
    AppointmentFactory(service=service, starts_at=on(10, 9.5))
    service.minutes = 40
    service.save()
    free = walls([s for s in diary_of(service, WEDNESDAY).slots(WEDNESDAY) if s.free])
    assert free[:2] == ["10:20", "11:00"]


# -- Whatever the rules ---------------------------------------------------------------------------

HOURS = st.integers(0, 23 * 12).map(lambda n: time(n // 12, n % 12 * 5))


@st.composite
def spans(draw, most=3):
    pairs = draw(st.lists(st.tuples(HOURS, HOURS), max_size=most))
    return [(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]]


@st.composite
def days_of_service(draw):
    """A service and a place with any hours, on any day, with some pauses."""
    day = draw(st.sampled_from([SPRING, AUTUMN, date(2027, 12, 31), date(2028, 2, 29), WEDNESDAY]))
    service = Service(
        pk=7,
        minutes=draw(st.integers(5, 480)),
        buffer_minutes=draw(st.integers(0, 240)),
        seats=draw(st.integers(1, 4)),
    )
    lines = [
        Line(day.weekday(), opens, closes, draw(st.none() | st.integers(1, 4)))
        for opens, closes in draw(spans())
    ]
    pauses = [Span(at(day, first), at(day, last)) for first, last in draw(spans(2))]
    open_lines = [
        OpenLine(day.weekday(), opens, closes, "always", None) for opens, closes in draw(spans())
    ]
    calendar = Calendar(closed_on_public_holidays=False, lines=open_lines)
    return day, Diary(service, Rules(lines, pauses), calendar)


@given(days_of_service())
@hypothesis_settings(max_examples=300, deadline=None)
def test_slots_follow_one_another_inside_the_hours_and_outside_the_pauses(case):
    day, diary = case
    slots = diary.cut(day)
    length = timedelta(minutes=diary.service.minutes)
    open_spans = diary.calendar.spans(day)
    for before, after in pairwise(slots):
        assert before.held_until <= after.starts_at
    for slot in slots:
        assert slot.ends_at - slot.starts_at == length
        assert any(o.starts_at <= slot.starts_at and slot.ends_at <= o.ends_at for o in open_spans)
        assert not any(
            pause.starts_at < slot.ends_at and slot.starts_at < pause.ends_at
            for pause in diary.rules.pauses
        )
        wall = timezone.localtime(slot.starts_at)
        assert wall.date() == day
        assert at(day, wall.time()) == slot.starts_at


@given(days_of_service(), st.data())
@hypothesis_settings(max_examples=200, deadline=None)
def test_at_every_instant_no_lane_has_two_and_no_service_too_many(case, data):
    """Seats are taken wherever one is free, while the rules change under them."""
    day, diary = case
    seated: list[Seated] = []
    for number in range(data.draw(st.integers(0, 12))):
        if data.draw(st.integers(0, 4)) == 0:
            diary.service.minutes = data.draw(st.integers(5, 120))
            diary.service.buffer_minutes = data.draw(st.integers(0, 30))
        free = [slot for slot in diary.slots(day) if slot.free]
        if not free:
            continue
        slot = data.draw(st.sampled_from(free))
        one = Seated(number, slot.lanes[0], slot.starts_at, slot.held_until)
        diary.seat(one)
        seated.append(one)
    most = max([diary.service.seats, *(line.seats or 0 for line in diary.rules.lines)])
    for instant in [one.starts_at for one in seated]:
        here = [one for one in seated if one.starts_at <= instant < one.held_until]
        assert len({one.lane for one in here}) == len(here)
        assert len(here) <= most
        assert all(7 * LANES <= one.lane < 7 * LANES + most for one in here)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 4))
def test_a_cut_of_seats_evicts_nobody_and_lets_nobody_in_beyond(before, after, taken):
    service = Service(pk=7, seats=before, minutes=30)
    calendar = Calendar(lines=[OpenLine(2, time(9), time(12), "always", None)])
    diary = Diary(service, Rules(), calendar)
    for number in range(min(taken, before)):
        slot = diary.slot_at(on(10, 10))
        assert slot is not None
        diary.seat(Seated(number, slot.lanes[-1], slot.starts_at, slot.held_until))
    service.seats = after
    found = diary.slot_at(on(10, 10))
    assert found is not None
    assert found.free == max(0, after - min(taken, before))


def test_a_moment_is_read_in_the_time_of_the_place(place):
    service = ServiceFactory(place=place)
    utc = datetime(2027, 3, 10, 9, tzinfo=timezone.get_fixed_timezone(0))
    assert diary_of(service, WEDNESDAY).slot_at(utc).starts_at == on(10, 10)
