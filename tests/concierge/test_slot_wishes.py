"""The waiting list of a service: order, offers, answers; and any history of them."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from club.enums import Activity
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import Member, Message, Place, Right
from concierge.appointment_tasks import lapse_offers, offer_free_slots
from concierge.domain.appointments import (
    book_slot,
    cancel_appointment,
    move_slot,
)
from concierge.domain.slot_wishes import (
    accept_offer,
    first_fitting,
    look_again,
    take_wish_back,
    waiting_for,
    wish,
)
from concierge.models import Appointment, Service, SlotWish
from concierge.queries.slots import diary_ahead
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.services import ServiceFactory, client_of, on

WEDNESDAY = date(2027, 3, 10)
TEN = on(10, 10)


@pytest.fixture
def service(place: Place) -> Service:
    """One slot a day: Wednesdays and Thursdays at ten."""
    return ServiceFactory(place=place, lines=[(2, 10, 10.5), (3, 10, 10.5)])


@pytest.fixture
def people(place: Place) -> list[Member]:
    return [client_of(place, first_name=name) for name in ("Samira", "Jeanne", "Awa", "Paul")]


@pytest.fixture(autouse=True)
def unbroken(db: None) -> Iterator[None]:
    yield
    assert [line for one in all_invariants() for line in one.violations()] == []


def book(service: Service, member: Member, starts_at: datetime = TEN, now: datetime = NOW):
    return book_slot(member=member, service=service, starts_at=starts_at, by=member.user, now=now)


def wait(service: Service, member: Member, first=WEDNESDAY, last=WEDNESDAY, now=NOW) -> SlotWish:
    return wish(member, service, first, last, by=member.user, now=now)


def codes_of(call, *args, **more) -> list[str]:
    with pytest.raises(Refused) as caught:
        call(*args, **more)
    return caught.value.codes


def test_the_first_whose_days_fit_is_offered_what_comes_free(service, people, now):
    samira, jeanne, awa, paul = people
    held = book(service, samira)
    book(service, paul, on(11, 10))
    elsewhen = wait(service, jeanne, date(2027, 3, 11), date(2027, 3, 11))
    fitting = wait(service, awa, now=now + timedelta(minutes=1))
    cancel_appointment(held, by=samira.user, now=now)
    fitting.refresh_from_db()
    elsewhen.refresh_from_db()
    assert (elsewhen.status, fitting.status) == ("waiting", "offered")
    offered = fitting.appointment
    assert (offered.member, offered.status, offered.starts_at) == (awa, "offered", TEN)
    assert offered.offered_until == TEN - timedelta(hours=1)
    assert Message.objects.get(member=awa).event == "appointment.offered"
    assert codes_of(book, service, jeanne) == ["taken"]


def test_an_offer_holds_until_the_next_evening(service, people, now):
    held = book(service, people[0], on(18, 10))
    book(service, people[3], on(17, 10))
    waiting = wait(service, people[1], date(2027, 3, 17), date(2027, 3, 18))
    cancel_appointment(held, by=people[0].user, now=now)
    waiting.refresh_from_db()
    assert waiting.appointment.offered_until == at(date(2027, 3, 10), on(10, 20).time())


def test_yes_makes_it_sure_and_a_second_yes_changes_nothing(service, people, now):
    held = book(service, people[0])
    waiting = wait(service, people[1])
    cancel_appointment(held, by=people[0].user, now=now)
    offered = Appointment.objects.get(status="offered")
    for _ in range(2):
        taken = accept_offer(offered, by=people[1].user, now=now)
    waiting.refresh_from_db()
    assert (taken.status, waiting.status) == ("booked", "taken")


def test_no_ends_the_turn_and_the_next_is_offered(service, people, now):
    held = book(service, people[0])
    turns = [wait(service, one) for one in people[1:3]]
    cancel_appointment(held, by=people[0].user, now=now)
    offered = Appointment.objects.get(status="offered")
    cancel_appointment(offered, by=people[1].user, now=now)
    for turn in turns:
        turn.refresh_from_db()
    assert [turn.status for turn in turns] == ["cancelled", "offered"]
    assert codes_of(accept_offer, offered, by=people[1].user, now=now) == ["offer_over"]


def test_an_offer_that_staff_take_back_keeps_its_turn(service, people, concierge_user, now):
    held = book(service, people[0])
    turn = wait(service, people[1])
    cancel_appointment(held, by=people[0].user, now=now)
    cancel_appointment(Appointment.objects.get(status="offered"), by=concierge_user, now=now)
    turn.refresh_from_db()
    assert turn.status == "waiting"
    look_again(service, by=concierge_user, now=now)
    turn.refresh_from_db()
    assert turn.status == "offered"


def test_silence_lapses_the_offer_and_it_goes_on(service, people, now):
    held = book(service, people[0], on(17, 10))
    day = date(2027, 3, 17)
    turns = [wait(service, one, day, day) for one in people[1:3]]
    cancel_appointment(held, by=people[0].user, now=now)
    first = Appointment.objects.get(status="offered")
    lapse_offers(first.offered_until - timedelta(seconds=1))
    assert Appointment.objects.get(status="offered") == first
    lapse_offers(first.offered_until)
    for turn in turns:
        turn.refresh_from_db()
    assert [turn.status for turn in turns] == ["lapsed", "offered"]
    first.refresh_from_db()
    assert first.status == "lapsed"
    assert Message.objects.filter(event="appointment.lapsed", member=people[1]).exists()


def test_a_moved_appointment_frees_its_slot_for_who_waits(service, people, now):
    held = book(service, people[0])
    turn = wait(service, people[1])
    move_slot(held, on(11, 10), by=people[0].user, now=now)
    turn.refresh_from_db()
    assert (turn.status, turn.appointment.starts_at) == ("offered", TEN)


def test_who_cannot_come_is_passed_over_and_keeps_the_turn(place, service, people, now):
    """Another appointment at that hour, a subscription that ends before."""
    samira, busy, ended, awa = people
    held = book(service, samira)
    turns = [wait(service, one) for one in (busy, ended, awa)]
    book(ServiceFactory(place=place, name="Vélo"), busy)
    Right.objects.filter(household=ended.household, activity=Activity.SERVICES).update(
        ends_on=date(2027, 3, 9)
    )
    cancel_appointment(held, by=samira.user, now=now)
    for turn in turns:
        turn.refresh_from_db()
    assert [turn.status for turn in turns] == ["waiting", "waiting", "offered"]


def test_where_a_slot_is_free_nobody_waits(service, people):
    assert codes_of(wait, service, people[0]) == ["slot_is_free"]


def test_one_turn_a_person_and_days_in_order(service, people):
    book(service, people[0])
    wait(service, people[1])
    assert codes_of(wait, service, people[1]) == ["already_waiting"]
    assert codes_of(wait, service, people[2], WEDNESDAY, NOW.date()) == ["dates_in_disorder"]
    past = date(2027, 3, 8)
    assert codes_of(wait, service, people[2], past, past) == ["in_the_past"]
    far = date(2029, 1, 1)
    assert codes_of(wait, service, people[2], far, far) == ["too_far_ahead"]


def test_without_a_right_nobody_waits(place, service, people):
    book(service, people[0])
    assert codes_of(wait, service, MemberFactory(place=place)) == ["no_right"]


def test_who_books_on_a_day_they_waited_for_waits_no_more(place, people, now):
    service = ServiceFactory(place=place, lines=[(2, 10, 11)])
    for one, starts_at in ((people[0], TEN), (people[1], on(10, 10.5))):
        book(service, one, starts_at)
    turn = wait(service, people[2])
    Service.objects.update(seats=2)
    service.refresh_from_db()
    book(service, people[2])
    turn.refresh_from_db()
    assert turn.status == "cancelled"


def test_leaving_the_list_with_an_offer_in_hand_sends_it_on(service, people, now):
    held = book(service, people[0])
    first, second = (wait(service, one) for one in people[1:3])
    cancel_appointment(held, by=people[0].user, now=now)
    first.refresh_from_db()
    take_wish_back(first, by=people[1].user, now=now)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("cancelled", "offered")


def test_each_night_old_turns_end_and_days_in_reach_are_offered(place, people, now):
    service = ServiceFactory(place=place, horizon_days=1, lines=[(2, 10, 10.5), (3, 10, 10.5)])
    book(service, people[0])
    over = wait(service, people[1])
    later = wait(service, people[2], date(2027, 3, 11), date(2027, 3, 11))
    offer_free_slots(now)
    later.refresh_from_db()
    assert later.status == "waiting"
    offer_free_slots(on(10, 6))
    later.refresh_from_db()
    assert later.status == "offered"
    offer_free_slots(on(11, 6))
    over.refresh_from_db()
    assert over.status == "lapsed"
    assert Message.objects.filter(event="slot_wish.lapsed", member=people[1]).exists()


STARTS = [TEN, on(10, 10.5), on(11, 10), on(17, 10)]


class SlotList(RuleBasedStateMachine):
    """Any history of one service with three slots and five people.

    After each step: nobody who waits could use a free slot, seats hold, offers have turns.
    """

    @initialize()
    def open(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        place = PlaceFactory()
        self.service = ServiceFactory(
            place=place, most_open=1, lines=[(2, 10, 11), (3, 10, 10.5)], horizon_days=9
        )
        self.people = [client_of(place) for _ in range(5)]
        self.now = NOW

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def trying(self, call, *args, **more) -> None:
        with suppress(Refused):
            call(*args, **more)

    @rule(who=st.integers(0, 4), start=st.sampled_from(STARTS))
    def books(self, who: int, start: datetime) -> None:
        self.trying(book, self.service, self.people[who], start, self.now)

    @rule(who=st.integers(0, 4), first=st.integers(0, 8), length=st.integers(0, 3))
    def waits(self, who: int, first: int, length: int) -> None:
        day = local_day(self.now) + timedelta(days=first)
        last = day + timedelta(days=length)
        self.trying(wait, self.service, self.people[who], day, last, self.now)

    @rule(who=st.integers(0, 4))
    def cancels(self, who: int) -> None:
        one = Appointment.objects.filter(
            member=self.people[who], status__in=["booked", "offered"], ends_at__gt=self.now
        ).first()
        if one is not None:
            self.trying(cancel_appointment, one, by=self.people[who].user, now=self.now)

    @rule(who=st.integers(0, 4))
    def accepts(self, who: int) -> None:
        one = Appointment.objects.filter(member=self.people[who], status="offered").first()
        if one is not None:
            self.trying(accept_offer, one, by=self.people[who].user, now=self.now)

    @rule(who=st.integers(0, 4), start=st.sampled_from(STARTS))
    def moves(self, who: int, start: datetime) -> None:
        one = Appointment.objects.filter(member=self.people[who], status="booked").first()
        if one is not None:
            self.trying(move_slot, one, start, by=self.people[who].user, now=self.now)

    @rule(seats=st.integers(1, 2))
    def staff_change_the_seats(self, seats: int) -> None:
        Service.objects.filter(pk=self.service.pk).update(seats=seats)
        look_again(self.service, by=None, now=self.now)

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        lapse_offers(self.now)
        offer_free_slots(self.now)

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "service"):
            return
        service = Service.objects.select_related("place__landlord").get(pk=self.service.pk)
        diary = diary_ahead(service, self.now)
        assert [w for w in waiting_for(service) if first_fitting(w, diary, self.now)] == []
        names = {"lanes", "wishes", "served"}
        broken = [
            line for one in all_invariants() if one.name in names for line in one.violations()
        ]
        assert broken == []


TestSlotList = SlotList.TestCase
TestSlotList.settings = hypothesis_settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestSlotList = pytest.mark.django_db(TestSlotList)
