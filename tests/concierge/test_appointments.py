"""Booking a slot: the rules, the series, moving, cancelling, coming."""

from datetime import datetime, timedelta

import pytest

from club.kernel.bookings import Channel
from club.kernel.invariants import all_invariants
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.models import LogEntry, Member, Message, Place, User
from concierge.domain.appointments import (
    book_once,
    book_series,
    book_slot,
    cancel_appointment,
    mark_absent,
    mark_done,
    move_slot,
    unmark,
)
from concierge.enums import AppointmentStatus, ServiceKind, ServiceUnit
from concierge.models import Appointment, Service, ServicePause, ServiceQuestion
from tests.factories.club import MemberFactory, RightFactory
from tests.factories.services import ServiceFactory, client_of, on

WEDNESDAY_10 = on(10, 10)


@pytest.fixture
def service(place: Place) -> Service:
    return ServiceFactory(place=place, most_open=2)


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


@pytest.fixture
def jeanne(place: Place) -> Member:
    return client_of(place, first_name="Jeanne", last_name="Delattre")


@pytest.fixture(autouse=True)
def unbroken(db: None) -> object:
    yield
    found = [line for one in all_invariants() for line in one.violations()]
    assert found == []


def booking(service: Service, member: Member, starts_at: datetime, now: datetime, **more):
    return book_slot(
        member=member, service=service, starts_at=starts_at, by=member.user, now=now, **more
    )


def refusal(call, *args, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    return caught.value


def test_a_slot_is_booked_with_its_log_line_and_its_message(service, samira, now):
    made = booking(service, samira, WEDNESDAY_10, now)
    assert (made.status, made.starts_at, made.ends_at) == (
        "booked", WEDNESDAY_10, WEDNESDAY_10 + timedelta(minutes=30),
    )  # fmt: skip
    entry = LogEntry.objects.get(subject_kind="appointment")
    assert (entry.verb, entry.facts, entry.actor) == ("book", {"to": "booked"}, samira.user)
    assert Message.objects.get().event == "appointment.booked"


def test_the_last_seat_goes_once_and_the_next_slots_slots_are_named(service, samira, jeanne, now):
    booking(service, samira, WEDNESDAY_10, now)
    refused = refusal(booking, service, jeanne, WEDNESDAY_10, now)
    assert refused.codes == ["taken"]
    named = [datetime.fromisoformat(one) for one in refused.reasons[0].facts["next_slots"]]
    assert named == [on(10, 9), on(10, 9.5), on(10, 10.5)]
    assert Appointment.objects.count() == 1


def test_a_service_of_three_seats_takes_three(place, now):
    service = ServiceFactory(place=place, seats=3)
    people = [client_of(place) for _ in range(4)]
    for one in people[:3]:
        booking(service, one, WEDNESDAY_10, now)
    assert refusal(booking, service, people[3], WEDNESDAY_10, now).codes == ["taken"]
    assert len(set(Appointment.objects.values_list("lane", flat=True))) == 3


@pytest.mark.parametrize(
    ("starts_at", "code"),
    [
        (on(10, 10.25), "no_such_slot"),
        (on(10, 12), "no_such_slot"),
        (on(14, 10), "no_such_slot"),
        (on(9, 9), "too_late"),
        (on(9, 11), "too_late"),
        (on(9, 10, month=6), "too_far_ahead"),
    ],
)
def test_only_slots_that_are_there_in_time(service, samira, now, starts_at, code):
    assert refusal(booking, service, samira, starts_at, now).codes == [code]


def test_the_desk_books_what_still_runs(service, samira, concierge_user, now):
    made = book_slot(
        member=samira, service=service, starts_at=on(9, 10), by=concierge_user, now=now,
        channel=Channel.DESK,
    )  # fmt: skip
    assert made.channel == "desk"


def test_without_a_right_there_is_no_slot_where_one_is_needed(place, service, now):
    stranger = MemberFactory(place=place)
    RightFactory(household=stranger.household, activity="lending")
    assert refusal(booking, service, stranger, WEDNESDAY_10, now).codes == ["no_right"]
    Service.objects.update(needs_right=False)
    assert booking(service, stranger, WEDNESDAY_10, now).status == "booked"


def test_so_many_at_a_time_and_the_desk_may_add_one(service, samira, concierge_user, now):
    booking(service, samira, on(10, 10), now)
    booking(service, samira, on(11, 10), now)
    refused = refusal(booking, service, samira, on(12, 10), now)
    assert refused.codes == ["too_many_open"]
    book_slot(
        member=samira, service=service, starts_at=on(12, 10), by=concierge_user, now=now,
        channel=Channel.DESK,
    )  # fmt: skip


def test_nobody_is_in_two_places_at_once(place, service, samira, now):
    other = ServiceFactory(place=place, name="Imprimer", minutes=45)
    booking(service, samira, on(10, 9.5), now)
    assert refusal(booking, other, samira, on(10, 9), now).codes == ["same_time"]
    assert booking(other, samira, on(10, 10.5), now).status == "booked"


def test_a_service_of_another_landlord_is_unknown(service, now):
    stranger = MemberFactory(place__landlord__slug="autre", place__landlord__name="Autre Habitat")
    assert refusal(booking, service, stranger, WEDNESDAY_10, now).codes == ["unknown_service"]


def test_what_is_over_the_counter_or_withdrawn_takes_no_appointment(place, samira, now):
    counter = ServiceFactory(place=place, kind=ServiceKind.COUNTER)
    withdrawn = ServiceFactory(place=place, name="Vélo", is_offered=False)
    assert refusal(booking, counter, samira, WEDNESDAY_10, now).codes == ["no_appointment"]
    assert refusal(booking, withdrawn, samira, WEDNESDAY_10, now).codes == ["not_offered"]


def test_a_paused_slot_is_not_there(service, samira, now):
    ServicePause.objects.create(service=service, starts_at=on(10, 9), ends_at=on(10, 10.5))
    refused = refusal(booking, service, samira, WEDNESDAY_10, now)
    assert refused.codes == ["no_such_slot"]
    assert datetime.fromisoformat(refused.reasons[0].facts["next_slots"][0]) == on(10, 10.5)


def test_questions_are_answered_by_a_choice_and_the_desk_may_leave_them(
    service, samira, concierge_user, now
):
    asked = ServiceQuestion.objects.create(
        service=service, text="Quel papier ?", choices="CAF\nImpôts"
    )
    assert refusal(booking, service, samira, WEDNESDAY_10, now).codes == ["answer_missing"]
    wrong = refusal(booking, service, samira, WEDNESDAY_10, now, answers={asked.pk: "Autre"})
    assert [(one.code, one.field) for one in wrong.reasons] == [
        ("answer_wrong", f"question_{asked.pk}")
    ]
    made = booking(service, samira, WEDNESDAY_10, now, answers={asked.pk: "CAF"})
    assert list(made.answers.values_list("asked", "value")) == [("Quel papier ?", "CAF")]
    book_slot(
        member=samira, service=service, starts_at=on(10, 11), by=concierge_user, now=now,
        channel=Channel.DESK,
    )  # fmt: skip


def test_one_page_pressed_twice_books_once(service, samira, now):
    def make():
        return booking(service, samira, WEDNESDAY_10, now)

    first = book_once(form_key="a" * 30, member=samira, make=make)
    again = book_once(form_key="a" * 30, member=samira, make=make)
    assert first.pk == again.pk


# -- Series ------------------------------------------------------------------------------------


def series(service, member, now, **more):
    return book_series(
        member=member, service=service, starts_at=on(10, 10), by=member.user, now=now, **more
    )


def test_a_series_keeps_its_hour_over_the_clock_change_and_skips_what_is_taken(
    service, samira, jeanne, now
):
    booking(service, jeanne, on(17, 10), now)
    made = series(service, samira, now, weeks=5)
    assert [one.starts_at for one in made.made] == [
        on(10, 10),
        on(24, 10),
        on(31, 10),
        on(7, 10, 4),
    ]
    assert made.skipped == [on(17, 10)]
    assert {one.series for one in made.made} == {made.made[0].series}
    assert LogEntry.objects.get(verb="book_series").facts["skipped"] == [
        "2027-03-17T09:00:00+00:00"
    ]
    assert sorted(Message.objects.values_list("event", flat=True)) == [
        "appointment.booked", "appointment.series",
    ]  # fmt: skip


def test_a_series_counts_as_one_at_a_time(service, samira, now):
    series(service, samira, now, weeks=4)
    booking(service, samira, on(11, 10), now)
    assert refusal(booking, service, samira, on(12, 10), now).codes == ["too_many_open"]


def test_all_or_nothing_where_it_is_asked(service, samira, jeanne, now):
    booking(service, jeanne, on(17, 10), now)
    refused = refusal(series, service, samira, now, weeks=3, skip_taken=False)
    assert refused.codes == ["taken"]
    assert not Appointment.objects.filter(member=samira).exists()


def test_a_series_of_which_nothing_is_free_is_refused(service, samira, jeanne, now):
    booking(service, jeanne, on(10, 10), now)
    booking(service, jeanne, on(17, 10), now)
    assert refusal(series, service, samira, now, weeks=2).codes == ["taken"]
    assert refusal(series, service, samira, now, weeks=1).codes == ["weeks_wrong"]


# -- Changing ----------------------------------------------------------------------------------


def test_moving_frees_the_old_slot_and_tells_it_once_things_have_settled(
    service, samira, jeanne, now
):
    made = booking(service, samira, WEDNESDAY_10, now)
    moved = move_slot(made, on(11, 10), by=samira.user, now=now)
    assert (moved.starts_at, moved.reference, moved.sequence) == (on(11, 10), made.reference, 1)
    booking(service, jeanne, WEDNESDAY_10, now)
    assert Message.objects.get(member=samira).event == "appointment.moved"


def test_moving_to_a_taken_slot_changes_nothing(service, samira, jeanne, now):
    made = booking(service, samira, WEDNESDAY_10, now)
    booking(service, jeanne, on(11, 10), now)
    assert refusal(move_slot, made, on(11, 10), by=samira.user, now=now).codes == ["taken"]
    made.refresh_from_db()
    assert made.starts_at == WEDNESDAY_10


def test_at_the_limit_one_may_still_move(service, samira, now):
    booking(service, samira, on(11, 10), now)
    made = booking(service, samira, WEDNESDAY_10, now)
    assert move_slot(made, on(12, 10), by=samira.user, now=now).starts_at == on(12, 10)


def test_cancelling_frees_the_seat_once(service, samira, jeanne, now):
    made = booking(service, samira, WEDNESDAY_10, now)
    cancel_appointment(made, by=samira.user, now=now)
    assert refusal(cancel_appointment, made, by=samira.user, now=now).codes == ["wrong_state"]
    booking(service, jeanne, WEDNESDAY_10, now)


def test_after_the_cut_off_members_call_and_the_desk_acts(service, samira, concierge_user, now):
    made = booking(service, samira, WEDNESDAY_10, now)
    late = WEDNESDAY_10 - timedelta(minutes=119)
    assert refusal(cancel_appointment, made, by=samira.user, now=late).codes == ["too_late"]
    assert refusal(move_slot, made, on(11, 10), by=samira.user, now=late).codes == ["too_late"]
    assert cancel_appointment(made, by=concierge_user, now=late).status == "cancelled"


def test_what_is_over_stays(service, samira, concierge_user, now):
    made = booking(service, samira, WEDNESDAY_10, now)
    after = WEDNESDAY_10 + timedelta(minutes=30)
    assert refusal(cancel_appointment, made, by=concierge_user, now=after).codes == ["over"]


# -- Coming ------------------------------------------------------------------------------------


def test_who_was_served_owes_the_price_and_an_undo_takes_it_back(
    place, samira, concierge_user, now
):
    service = ServiceFactory(place=place, unit_cents=20, unit=ServiceUnit.PAGE)
    made = booking(service, samira, WEDNESDAY_10, now)
    done = mark_done(made, 12, by=concierge_user, now=WEDNESDAY_10)
    assert (done.status, done.quantity) == ("done", 12)
    [due] = due_of(samira.household, now)
    assert (due.kind, due.cents) == ("appointment", 240)
    unmark(done, by=concierge_user, now=WEDNESDAY_10)
    assert due_of(samira.household, now) == []
    mark_done(done, 3, by=concierge_user, now=WEDNESDAY_10)
    assert [one.cents for one in due_of(samira.household, now)] == [60]


def test_by_the_hour_the_length_of_the_slot_counts(place, samira, concierge_user, now):
    service = ServiceFactory(place=place, unit_cents=300, unit=ServiceUnit.HOUR, minutes=90)
    made = booking(service, samira, on(10, 9), now)
    mark_done(made, by=concierge_user, now=on(10, 9))
    assert [one.cents for one in due_of(samira.household, now)] == [450]


def test_absent_frees_the_rest_and_owes_nothing(place, samira, jeanne, concierge_user, now):
    service = ServiceFactory(place=place, unit_cents=200)
    made = booking(service, samira, WEDNESDAY_10, now)
    assert refusal(mark_absent, made, by=concierge_user, now=now).codes == ["not_yet"]
    at_ten = WEDNESDAY_10 + timedelta(minutes=10)
    mark_absent(made, by=concierge_user, now=at_ten)
    assert due_of(samira.household, now) == []
    book_slot(
        member=jeanne, service=service, starts_at=WEDNESDAY_10, by=concierge_user, now=at_ten,
        channel=Channel.DESK,
    )  # fmt: skip
    assert refusal(unmark, made, by=concierge_user, now=at_ten).codes == ["taken"]
    late = mark_done(made, by=concierge_user, now=at_ten)
    assert late.status == AppointmentStatus.DONE


def test_another_day_nobody_comes(service, samira, concierge_user, now):
    made = booking(service, samira, WEDNESDAY_10, now)
    assert refusal(mark_done, made, by=concierge_user, now=now).codes == ["not_yet"]
    wrong = refusal(mark_done, made, 0, by=concierge_user, now=WEDNESDAY_10)
    assert wrong.codes == ["quantity_wrong"]


def test_fewer_seats_evict_nobody_and_nobody_joins_them(place, concierge_user, now):
    service = ServiceFactory(place=place, seats=3)
    people = [client_of(place) for _ in range(4)]
    made = [booking(service, one, WEDNESDAY_10, now) for one in people[:3]]
    Service.objects.update(seats=2)
    cancel_appointment(made[0], by=people[0].user, now=now)
    assert refusal(booking, service, people[3], WEDNESDAY_10, now).codes == ["taken"]
    cancel_appointment(made[1], by=people[1].user, now=now)
    assert booking(service, people[3], WEDNESDAY_10, now).status == "booked"


def test_the_concierge_is_who_acts(service, samira, concierge_user: User, now):
    made = booking(service, samira, WEDNESDAY_10, now)
    mark_done(made, by=concierge_user, now=WEDNESDAY_10)
    assert LogEntry.objects.get(verb="done").actor == concierge_user
