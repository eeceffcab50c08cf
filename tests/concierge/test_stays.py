"""Stays: booked, moved, given up, begun and ended; the plan of visits; what is told and due."""

from collections.abc import Callable
from datetime import date, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from club.kernel.invariants import all_invariants
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.models import LedgerEntry, Member, Message, Place, Right, User
from club.queries.calendar import Calendar, Line
from concierge.domain.stay_personal import forget_old_pictures
from concierge.domain.stay_visits import (
    drop_incident,
    mark_called,
    note_incident,
    plan,
    tick_visit,
    undo_tick,
)
from concierge.domain.stays import (
    book_stay,
    cancel_stay,
    end_stay,
    lapse_stay,
    move_stay,
    reopen_stay,
    start_without_keys,
)
from concierge.enums import ServiceUnit
from concierge.models import Service, Stay, StayVisit
from concierge.service_viewsets import ServiceViewSet
from concierge.stay_tasks import tend_stays
from content.pictures import reencoded
from tests.factories.club import NOW, ClosureFactory, MemberFactory, PlaceFactory
from tests.factories.services import ServiceFactory, client_of, on
from tests.factories.stays import (
    FIRST,
    LAST,
    TASKS,
    RunningStayFactory,
    StayFactory,
    StayServiceFactory,
    photo,
)

RULES = {"stay-lanes", "stay-visits", "hooks", "stay-fees", "stay-log", "keyset-log"}


def broken() -> list[str]:
    return [f"{one.name}: {line}" for one in all_invariants() for line in one.violations()]


@pytest.fixture(autouse=True)
def unbroken(db: None) -> Any:
    yield
    assert broken() == []


@pytest.fixture
def service(place: Place) -> Service:
    return StayServiceFactory(place=place)


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


def booked(service: Service, member: Member, **more: Any) -> Stay:
    asked: dict[str, Any] = {
        "first_on": FIRST, "last_on": LAST, "tasks": TASKS, "by": member.user, "now": NOW,
    }  # fmt: skip
    return book_stay(member=member, service=service, **(asked | more))


def refused(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.codes


def days_of(stay: Stay) -> list[date]:
    return list(stay.visits.values_list("day", flat=True))


# -- The plan ----------------------------------------------------------------------------------


def calendar(weekdays: set[int], closures: list[tuple[date, date]] | None = None) -> Calendar:
    lines = [Line(day, time(9), time(18), "always", None) for day in sorted(weekdays)]
    return Calendar(lines=lines, closures=closures or [])


def test_a_visit_every_two_days_and_none_on_closed_ones():
    """From Tuesday 16 to Thursday 25 March; Sunday and Monday are closed: Saturday, then
    Tuesday, which is the next open day."""
    days = plan(calendar({1, 2, 3, 4, 5}), FIRST, LAST, 2)
    assert [day.day for day in days] == [17, 19, 20, 23, 25]
    assert [day.day for day in plan(calendar({1, 2, 3, 4, 5}), FIRST, LAST, 1)] == [
        16, 17, 18, 19, 20, 23, 24, 25,
    ]  # fmt: skip
    assert [day.day for day in plan(calendar({0}), FIRST, LAST, 2)] == [22]
    assert plan(calendar({0}), FIRST, FIRST, 2) == []
    assert [day.day for day in plan(calendar({1, 2}), FIRST, FIRST, 7)] == [16], "At least one."


def test_what_was_visited_counts_and_what_is_past_is_not_planned():
    week = calendar(set(range(6)))
    again = plan(week, FIRST, LAST, 3, visited=date(2027, 3, 17), today=date(2027, 3, 18))
    assert [day.day for day in again] == [20, 23]
    late = plan(week, FIRST, LAST, 3, today=date(2027, 3, 24))
    assert [day.day for day in late] == [24], "Overdue: at once."


ANY_DAY = st.dates(date(2026, 10, 1), date(2028, 4, 30))
"""Two New Years, three clock changes, week 53 of 2026."""


@given(
    weekdays=st.sets(st.integers(0, 6), max_size=7),
    first=ANY_DAY,
    days=st.integers(1, 60),
    every=st.integers(1, 14),
    closed=st.lists(st.tuples(ANY_DAY, st.integers(0, 25)), max_size=4),
)
def test_no_gap_is_longer_than_the_rhythm_unless_all_between_is_closed(
    weekdays: set[int], first: date, days: int, every: int, closed: list[tuple[date, int]]
):
    last = first + timedelta(days=days - 1)
    closures = [(day, day + timedelta(days=length)) for day, length in closed]
    hours = calendar(weekdays, closures)
    found = plan(hours, first, last, every)
    assert found == sorted(set(found)), "Never two on a day."
    assert all(first <= day <= last and hours.is_open_day(day) for day in found)
    opens = [day for n in range(days) if hours.is_open_day(day := first + timedelta(days=n))]
    assert bool(found) == bool(opens)
    edges = [first - timedelta(days=1), *found]
    for before, after in zip(edges, [*found, None], strict=True):
        until = after or last + timedelta(days=1)
        between = [day for day in opens if before < day < until]
        assert (until - before).days <= every or not between
    # The plainest way to say the same: nobody can leave one visit out.
    for left_out in found[:-1]:
        rest = [first - timedelta(days=1), *(day for day in found if day != left_out)]
        gaps = [(b - a).days for a, b in pairwise(rest) if a < left_out < b]
        assert gaps
        assert max(gaps) > every or left_out == found[0]


# -- Booking -----------------------------------------------------------------------------------


def test_ten_days_are_booked_with_their_visits_and_told(service, samira):
    stay = booked(service, samira)
    assert (stay.first_on, stay.last_on, stay.status) == (FIRST, LAST, "booked")
    assert (stay.unit_cents, stay.quantity, stay.visit_every) == (300, 10, 2)
    assert [day.day for day in days_of(stay)] == [17, 19, 20, 23, 25]
    assert list(Message.objects.values_list("event", "member")) == [("stay.booked", samira.pk)]
    assert due_of(samira.household, NOW) == [], "It is paid when it ends."


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"last_on": FIRST - timedelta(days=1)}, "dates_in_disorder"),
        ({"first_on": NOW.date()}, "too_soon"),
        ({"first_on": date(2027, 6, 8), "last_on": date(2027, 6, 9)}, "too_far_ahead"),
        ({"last_on": FIRST + timedelta(days=35)}, "too_long"),
        ({"first_on": date(2027, 3, 14), "last_on": date(2027, 3, 15)}, "closed"),
        ({"tasks": []}, "tasks_wrong"),
        ({"tasks": ["cat"]}, "tasks_wrong"),
        ({"visit_every": 3}, "rhythm_wrong"),
        ({"visit_every": -1}, "rhythm_wrong"),
    ],
)
def test_what_cannot_be_asked(service, samira, asked, code):
    assert refused(lambda: booked(service, samira, **asked)) == [code]
    assert not Stay.objects.exists()


def test_who_may_and_which_service(service, samira, place):
    stranger = MemberFactory(place=place)
    assert refused(lambda: booked(service, stranger)) == ["no_right"]
    Right.objects.filter(household=samira.household).update(ends_on=date(2027, 3, 20))
    assert refused(lambda: booked(service, samira)) == ["right_ends"], "Over the whole stay."
    slots = ServiceFactory(place=place)
    assert refused(lambda: booked(slots, client_of(place))) == ["no_stay"]
    service.is_offered = False
    service.save()
    other = client_of(place)
    assert refused(lambda: booked(service, other)) == ["not_offered"]
    assert booked(service, other, channel="desk", first_on=NOW.date()).channel == "desk"
    far = client_of(PlaceFactory(landlord__slug="autre", landlord__name="Autre"))
    assert refused(lambda: booked(service, far)) == ["unknown_service"]
    assert refused(lambda: booked("inconnu", samira)) == ["unknown_service"]


def test_one_seat_is_one_home_and_the_next_free_day_is_told(service, samira, place):
    booked(service, samira)
    other = client_of(place)
    with pytest.raises(Refused) as caught:
        booked(service, other, first_on=LAST, last_on=LAST + timedelta(days=2))
    assert caught.value.codes == ["taken"]
    assert caught.value.reasons[0].facts == {
        "next_free": [{"starts_on": "2027-03-26", "ends_on": "2027-03-28"}]
    }
    service.seats = 2
    service.save()
    assert booked(service, other).lane == booked(
        service, client_of(place), first_on=date(2027, 4, 6), last_on=date(2027, 4, 7)
    ).lane + 1  # fmt: skip


def test_one_member_has_one_stay_of_a_service_at_a_time(service, samira, place):
    service.seats = 3
    service.most_open = 2
    service.save()
    booked(service, samira)
    assert refused(lambda: booked(service, samira)) == ["same_time"]
    cats = StayServiceFactory(place=place, name="Garde du chat", tasks=["cat"])
    booked(cats, samira, tasks=["cat"])
    booked(service, samira, first_on=date(2027, 4, 6), last_on=date(2027, 4, 7))
    assert refused(
        lambda: booked(service, samira, first_on=date(2027, 5, 4), last_on=date(2027, 5, 5))
    ) == ["too_many_open"]


# -- Changing ----------------------------------------------------------------------------------


def test_other_days_have_other_visits_and_another_price(service, samira):
    stay = booked(service, samira)
    moved = move_stay(stay, date(2027, 3, 17), date(2027, 3, 19), by=samira.user, now=NOW)
    assert (moved.quantity, moved.sequence) == (3, 1)
    assert [day.day for day in days_of(moved)] == [18]
    assert list(Message.objects.values_list("event", flat=True)) == ["stay.moved"]
    assert refused(
        lambda: move_stay(moved, moved.first_on, moved.last_on, by=samira.user, now=NOW)
    ) == ["wrong_state"]
    late = on(16, 23)
    assert refused(lambda: move_stay(moved, FIRST, LAST, by=samira.user, now=late)) == ["too_late"]
    assert refused(lambda: cancel_stay(moved, by=samira.user, now=late)) == ["too_late"]
    cancelled = cancel_stay(moved, by=samira.user, now=NOW)
    assert (cancelled.status, days_of(cancelled)) == ("cancelled", [])
    assert list(Message.objects.values_list("event", flat=True)) == ["stay.cancelled"]


def test_who_comes_back_later_keeps_the_first_day(service, samira, concierge_user):
    stay = RunningStayFactory(service=service, member=samira)
    done = stay.visits.get(day=NOW.date())
    tick_visit(done, ["look"], by=concierge_user, now=NOW)
    assert refused(
        lambda: move_stay(stay, FIRST, LAST, by=concierge_user, now=NOW)
    ) == ["has_begun"]  # fmt: skip
    moved = move_stay(stay, stay.first_on, date(2027, 3, 24), by=concierge_user, now=NOW)
    assert [day.day for day in days_of(moved)] == [9, 11, 13, 16, 18, 20, 23]
    assert refused(
        lambda: move_stay(moved, stay.first_on, date(2027, 3, 8), by=concierge_user, now=NOW)
    ) == ["past"]
    assert refused(lambda: cancel_stay(moved, by=concierge_user, now=NOW)) == ["has_begun"]
    assert done.pk in moved.visits.values_list("pk", flat=True)


def test_a_closure_moves_the_visits_at_night(service, samira):
    stay = booked(service, samira)
    ClosureFactory(place=service.place, starts_on=date(2027, 3, 18), ends_on=date(2027, 3, 20))
    tend_stays(NOW)
    assert [day.day for day in days_of(stay)] == [17, 23, 25]
    tend_stays(NOW)
    assert [day.day for day in days_of(stay)] == [17, 23, 25]


# -- Beginning and ending ----------------------------------------------------------------------


def test_it_ends_with_what_is_due_and_can_be_opened_again(service, samira, concierge_user):
    stay = booked(service, samira)
    assert refused(lambda: start_without_keys(stay, by=concierge_user, now=NOW)) == ["not_yet"]
    start_without_keys(stay, by=concierge_user, now=on(16, 9))
    ended = end_stay(stay, by=concierge_user, now=on(18, 9))
    assert (ended.status, ended.quantity, days_of(ended)) == ("ended", 3, [])
    [due] = due_of(samira.household, NOW)
    assert (due.kind, due.cents, due.label) == ("stay", 900, "Garde de la maison, 3 jours")
    assert "mars" not in LedgerEntry.objects.get().label, "No entry says when a home was empty."
    again = reopen_stay(ended, by=concierge_user, now=on(18, 10))
    assert (again.status, again.quantity) == ("running", 10)
    assert [day.day for day in days_of(again)] == [18, 20, 23, 25]
    assert due_of(samira.household, NOW) == []
    assert end_stay(again, by=concierge_user, now=on(30, 9)).quantity == 10, "Never more."
    assert refused(lambda: end_stay(again, by=concierge_user, now=on(30, 9))) == ["wrong_state"]


def test_a_price_for_all_is_one_price(place, samira, concierge_user):
    service = StayServiceFactory(place=place, unit=ServiceUnit.ONCE, unit_cents=1000)
    stay = booked(service, samira)
    assert stay.quantity == 1
    start_without_keys(stay, by=concierge_user, now=on(16, 9))
    end_stay(stay, by=concierge_user, now=on(17, 9))
    [due] = due_of(samira.household, NOW)
    assert (due.cents, due.label) == (1000, "Garde de la maison")


def test_what_was_told_is_charged_whatever_the_service_asks_today(service, samira, concierge_user):
    stay = booked(service, samira)
    start_without_keys(stay, by=concierge_user, now=on(16, 9))
    Service.objects.update(unit=ServiceUnit.ONCE)
    assert end_stay(stay, by=concierge_user, now=on(17, 9)).quantity == 2
    Service.objects.update(unit=ServiceUnit.DAY)
    once = StayServiceFactory(place=service.place, name="Plantes", unit=ServiceUnit.ONCE)
    other = booked(once, samira)
    start_without_keys(other, by=concierge_user, now=on(16, 9))
    Service.objects.update(unit=ServiceUnit.DAY)
    assert end_stay(other, by=concierge_user, now=on(20, 9)).quantity == 1
    form = ServiceViewSet().get_form_class(for_update=True)(
        instance=service, for_user=concierge_user
    )
    assert form.fields["unit"].disabled


def test_what_is_long_over_stays_so_and_one_home_is_watched_once(service, samira, concierge_user):
    service.seats = 2
    service.save()
    stay = booked(service, samira)
    start_without_keys(stay, by=concierge_user, now=on(16, 9))
    end_stay(stay, by=concierge_user, now=on(17, 9))
    assert refused(lambda: reopen_stay(stay, by=concierge_user, now=on(26, 0))) == ["over"]
    again = booked(service, samira, first_on=date(2027, 3, 24), last_on=date(2027, 3, 26))
    assert refused(lambda: reopen_stay(stay, by=concierge_user, now=on(18, 9))) == ["same_time"]
    cancel_stay(again, by=None, now=on(18, 9))
    assert reopen_stay(stay, by=concierge_user, now=on(18, 9)).status == "running"


def test_at_night_what_is_over_ends(service, samira, place):
    never = booked(service, samira)
    runs = RunningStayFactory(service__place=place, service__name="Plantes", visits_on=())
    tend_stays(on(26, 0.5))
    never.refresh_from_db()
    runs.refresh_from_db()
    assert (never.status, runs.status) == ("cancelled", "ended")
    assert not Message.objects.filter(event="stay.cancelled").exists()
    lapse_stay(never, now=on(27, 0.5))


# -- Visits ------------------------------------------------------------------------------------


@pytest.fixture
def visit(service: Service, samira: Member) -> StayVisit:
    return RunningStayFactory(service=service, member=samira).visits.get(day=NOW.date())


def test_a_visit_is_ticked_once_with_a_photo_without_exif(visit, samira, concierge_user):
    drawn = reencoded(photo())
    done = tick_visit(visit, ["post", "look"], photo=drawn, by=concierge_user, now=NOW)
    assert (done.ticked, done.done_at, done.done_by) == (["look", "post"], NOW, concierge_user)
    with done.photo.open() as file, Image.open(file) as kept:
        assert (kept.size, dict(kept.getexif())) == ((64, 48), {})
    [message] = Message.objects.all()
    assert (message.event, message.group, message.due_at) == (
        "visit.done", "stay-visits", on(9, 18),
    )  # fmt: skip
    codes = refused(lambda: tick_visit(visit, ["look"], by=concierge_user, now=NOW))
    assert codes == ["done_already"]
    name, storage = done.photo.name, done.photo.storage
    undone = undo_tick(visit, by=concierge_user, now=NOW)
    assert (undone.ticked, undone.done_at, bool(undone.photo)) == ([], None, False)
    assert not Message.objects.exists()
    assert name
    assert storage.exists(name), "Gone with the commit, which a test's transaction never is."
    assert refused(lambda: undo_tick(visit, by=concierge_user, now=NOW)) == ["wrong_state"]


def test_a_page_that_is_open_at_the_door_outlives_a_new_plan(visit, concierge_user):
    stay, gone = visit.stay, visit.stay.visits.last()
    rows = {visit.pk, gone.pk}
    moved = move_stay(stay, stay.first_on, NOW.date(), by=concierge_user, now=NOW)
    moved = move_stay(moved, stay.first_on, date(2027, 3, 20), by=concierge_user, now=NOW)
    assert rows & set(moved.visits.values_list("pk", flat=True)) == {visit.pk}
    assert tick_visit(visit, ["look"], by=concierge_user, now=NOW).done_at == NOW
    assert refused(lambda: tick_visit(gone, ["look"], by=concierge_user, now=NOW)) == ["gone"]


def test_a_tick_that_fails_leaves_no_photo(visit):
    before = stored(visit)
    with pytest.raises(ValueError, match="unsaved related object"):
        tick_visit(visit, ["look"], photo=reencoded(photo()), by=User(), now=NOW)
    assert stored(visit) == before


def stored(visit: StayVisit) -> set[str]:
    folder = Path(visit.photo.storage.path("."))
    return {str(one) for one in folder.rglob("*.jpg")}


def test_what_cannot_be_ticked(visit, concierge_user, place):
    for tasks in ([], ["cat"], ["look", "cat"]):
        assert refused(
            lambda tasks=tasks: tick_visit(visit, tasks, by=concierge_user, now=NOW)
        ) == ["tasks_wrong"]
    later = visit.stay.visits.last()
    assert refused(lambda: tick_visit(later, ["look"], by=concierge_user, now=NOW)) == ["not_yet"]
    waits = StayFactory(service__place=place, service__name="Plantes")
    early = StayVisit.objects.create(stay=waits, day=FIRST)
    assert refused(
        lambda: tick_visit(early, ["look"], by=concierge_user, now=on(16, 9))
    ) == ["not_begun"]  # fmt: skip


def test_who_has_no_email_gets_no_message_a_visit(visit, samira, concierge_user):
    User.objects.filter(pk=samira.user_id).update(email="", phone="+33639980001")
    tick_visit(visit, ["look"], by=concierge_user, now=NOW)
    assert not Message.objects.exists()


def test_an_incident_waits_for_a_call(visit, concierge_user):
    assert refused(
        lambda: note_incident(visit, "ghost", by=concierge_user, now=NOW)
    ) == ["incident_wrong"]  # fmt: skip
    note_incident(visit, "smell", by=concierge_user, now=NOW)
    drop_incident(visit, by=concierge_user, now=NOW)
    assert not Message.objects.exists()
    note_incident(visit, "water", by=concierge_user, now=NOW)
    assert [(one.event, one.due_at) for one in Message.objects.all()] == [("visit.incident", NOW)]
    called = mark_called(visit, by=concierge_user, now=NOW)
    assert (called.incident, called.called_by) == ("water", concierge_user)
    for verb in (mark_called, drop_incident):
        assert refused(lambda verb=verb: verb(visit, by=concierge_user, now=NOW)) == ["wrong_state"]


def test_photos_go_after_thirteen_months_and_ticks_stay(
    visit, concierge_user, django_capture_on_commit_callbacks
):
    drawn = reencoded(photo())
    done = tick_visit(visit, ["look"], photo=drawn, by=concierge_user, now=NOW)
    name, storage = done.photo.name, done.photo.storage
    end = visit.stay.ends_at + relativedelta(months=13)
    forget_old_pictures(end - timedelta(days=1))
    assert storage.exists(name)
    with django_capture_on_commit_callbacks(execute=True):
        forget_old_pictures(end + timedelta(days=1))
    done.refresh_from_db()
    assert (bool(done.photo), storage.exists(name), done.ticked) == (False, False, ["look"])


# -- Invariants with teeth ---------------------------------------------------------------------


def fault(name: str) -> bool:
    return any(line.startswith(f"{name}:") for line in broken())


def test_each_rule_sees_its_fault(visit, samira, concierge_user):
    StayVisit.objects.filter(pk=visit.pk).update(day=date(2027, 5, 1))
    assert fault("stay-visits")
    StayVisit.objects.filter(pk=visit.pk).update(day=NOW.date())
    Stay.objects.update(lane=1)
    assert fault("stay-lanes")
    Stay.objects.update(lane=visit.stay.lane)
    Stay.objects.update(status="ended")
    assert {name for name in RULES if fault(name)} == {"stay-visits", "stay-fees", "stay-log"}
    Stay.objects.update(status="running")
