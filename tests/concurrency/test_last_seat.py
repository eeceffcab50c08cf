"""Invariant 2 of services: a seat at a slot is given once, whoever comes at the same time."""

import random
import threading
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from club.kernel import guards
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from concierge.domain.appointments import book_slot, cancel_appointment, move_slot
from concierge.domain.slot_wishes import accept_offer, lapse_offer, look_again, wish
from concierge.enums import SEATED
from concierge.guards import ONE_SEAT
from concierge.models import Appointment, SlotWish
from concierge.queries.slots import LANES, diary_of
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import NOW, PlaceFactory
from tests.factories.services import ServiceFactory, client_of, on

pytestmark = pytest.mark.django_db(transaction=True)
TEN = on(10, 10)
DAY = date(2027, 3, 10)
PEOPLE = 16
ROUNDS = 3


@pytest.fixture
def place():
    return PlaceFactory()


def crowd(place, count):
    return [client_of(place) for _ in range(count)]


def booking(service, starts_at=TEN):
    return lambda member: book_slot(
        member=member, service=service, starts_at=starts_at, by=member.user, now=NOW
    )


def seats_at(service, instant=TEN):
    """How many sit there at that instant, and on how many lanes."""
    rows = Appointment.objects.filter(
        service=service, status__in=SEATED, starts_at__lte=instant, held_until__gt=instant
    )
    lanes = list(rows.values_list("lane", flat=True))
    return len(lanes), len(set(lanes))


def unbroken():
    names = {"lanes", "wishes", "served"}
    found = [line for one in all_invariants() if one.name in names for line in one.violations()]
    assert found == []


def look_then_insert(service, gate, *, in_transaction):
    """What a booking looks like without the guard: look, think, write."""

    def look():
        free = not Appointment.objects.filter(service=service, starts_at=TEN).exists()
        gate.wait(timeout=20)
        return free

    def call(member):
        free = None if in_transaction else look()
        with transaction.atomic():
            if look() if free is None else free:
                Appointment.objects.create(
                    service=service, member=member, place=service.place, starts_at=TEN,
                    ends_at=TEN + timedelta(minutes=30), held_until=TEN + timedelta(minutes=30),
                    lane=service.pk * LANES, created_at=NOW,
                )  # fmt: skip

    return call


def test_without_the_guard_two_sit_on_the_last_seat(place, race, seed):
    """The race is real. On SQLite a write transaction excludes the others from its first
    read on (BEGIN IMMEDIATE), so there the look stands outside it."""
    service = ServiceFactory(place=place)
    people = crowd(place, 8)
    inside = connection.vendor == "postgresql"
    guards.remove(ONE_SEAT)
    try:
        race(look_then_insert(service, threading.Barrier(8), in_transaction=inside), people)
        taken, lanes = seats_at(service)
        assert taken > lanes == 1
    finally:
        Appointment.objects.all().delete()
        guards.install(only=ONE_SEAT)


def test_the_database_itself_refuses_the_second(place, race, seed):
    """The guard alone, without the verb: the writes race, one stays."""
    service = ServiceFactory(place=place)
    people = crowd(place, 8)
    inside = connection.vendor == "postgresql"
    race(look_then_insert(service, threading.Barrier(8), in_transaction=inside), people)
    assert seats_at(service) == (1, 1)


@pytest.mark.parametrize("seats", [1, 5])
def test_many_come_for_the_last_seats_and_the_others_are_told(place, race, seed, seats):
    service = ServiceFactory(place=place, seats=seats)
    answers = race(booking(service), crowd(place, PEOPLE))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == seats
    refusals = [answer for answer in answers if isinstance(answer, Refused)]
    assert {tuple(refusal.codes) for refusal in refusals} == {("taken",)}
    assert all(refusal.reasons[0].facts["next_slots"] for refusal in refusals)
    assert seats_at(service) == (seats, seats)
    unbroken()


def test_slots_cut_anew_between_two_never_overlap(place, race, seed):
    """Some book by the old length while others book by the new one."""
    service = ServiceFactory(place=place, most_open=5)

    def act(step):
        member, starts_at = step
        if member is None:
            type(service).objects.filter(pk=service.pk).update(minutes=starts_at)
            return None
        return booking(service, starts_at)(member)

    starts = [on(10, 10), on(10, 10 + 2 / 3), on(10, 9 + 2 / 3), on(10, 9.5)]
    steps = [(member, random.choice(starts)) for member in crowd(place, 12)]
    steps += [(None, 40), (None, 30)]
    random.shuffle(steps)
    assert unexpected(race(act, steps)) == []
    unbroken()


def test_one_person_in_many_tabs_keeps_to_the_limit(place, race, seed):
    service = ServiceFactory(place=place, most_open=2)
    other = ServiceFactory(place=place, name="Vélo")
    [member] = crowd(place, 1)
    wanted = [(service, on(10, 9 + n / 2)) for n in range(5)]
    wanted += [(other, on(10, 9)), (other, on(10, 9.5)), (other, on(10, 14))]
    answers = race(lambda step: booking(*step)(member), wanted)
    assert unexpected(answers) == []
    mine = Appointment.objects.filter(member=member, status__in=SEATED)
    assert mine.filter(service=service).count() <= 2
    starts = list(mine.values_list("starts_at", flat=True))
    assert len(set(starts)) == len(starts)
    unbroken()


def test_who_waits_comes_before_who_arrives(place, race, seed):
    """A seat comes free while others arrive and the worker walks the list."""

    def one_round(number):
        service = ServiceFactory(
            place=place, name=f"Vélo {number}", lines=[(2, 10, 10.5)], horizon_days=5
        )
        holder, waiting, *newcomers = crowd(place, 6)
        held = booking(service)(holder)
        turn = wish(waiting, service, DAY, DAY, by=waiting.user, now=NOW)
        acts = [
            lambda: cancel_appointment(held, by=holder.user, now=NOW),
            lambda: look_again(service, by=None, now=NOW),
            *[lambda member=member: booking(service)(member) for member in newcomers],
        ]
        random.shuffle(acts)
        answers = race(lambda act: act(), acts)
        assert unexpected(answers) == []
        turn.refresh_from_db()
        assert turn.status == "offered"
        assert not Appointment.objects.filter(service=service, member__in=newcomers).exists()

    for number in range(ROUNDS):
        one_round(number)
    unbroken()


def test_an_offer_is_taken_or_lapses(place, race, seed):
    def one_round(number):
        service = ServiceFactory(
            place=place, name=f"Papiers {number}", lines=[(2, 10, 10.5)], horizon_days=5
        )
        holder, first, second = crowd(place, 3)
        held = booking(service)(holder)
        turns = [wish(one, service, DAY, DAY, by=one.user, now=NOW) for one in (first, second)]
        cancel_appointment(held, by=holder.user, now=NOW)
        offer = Appointment.objects.get(service=service, status="offered")
        end = offer.offered_until
        answers = race(
            lambda act: act(),
            [
                lambda: accept_offer(offer, by=first.user, now=end - timedelta(seconds=1)),
                lambda: lapse_offer(offer, now=end),
                lambda: lapse_offer(offer, now=end),
            ],
        )
        assert unexpected(answers) == []
        states = [SlotWish.objects.get(pk=turn.pk).status for turn in turns]
        offer.refresh_from_db()
        assert (offer.status, *states) in {
            ("booked", "taken", "waiting"),
            ("lapsed", "lapsed", "waiting"),
            ("lapsed", "lapsed", "offered"),
        }

    for number in range(ROUNDS):
        one_round(number)
    unbroken()


def test_a_long_crowd_of_every_act_at_once(place, race, seed):
    """Whatever happened in whichever order: seats hold, nobody waits for what is free."""
    service = ServiceFactory(
        place=place, seats=2, most_open=1, lines=[(2, 9, 11), (3, 9, 10)], horizon_days=5
    )
    members = crowd(place, 16)
    starts = [on(10, 9), on(10, 9.5), on(10, 10), on(10, 10.5), on(11, 9), on(11, 9.5)]
    days = [DAY, DAY + timedelta(days=1)]

    def act(chance, member):
        mine = Appointment.objects.filter(member=member, status__in=SEATED).first()
        if mine is None and chance.random() < 0.6:
            return booking(service, chance.choice(starts))(member)
        if mine is None:
            first, last = sorted(chance.choices(days, k=2))
            return wish(member, service, first, last, by=member.user, now=NOW)
        if mine.status == "offered":
            return chance.choice([accept_offer, cancel_appointment])(mine, by=member.user, now=NOW)
        if chance.random() < 0.4:
            return move_slot(mine, chance.choice(starts), by=member.user, now=NOW)
        return cancel_appointment(mine, by=member.user, now=NOW)

    def client(start):
        chance = random.Random(start)
        for _ in range(15):
            try:
                act(chance, chance.choice(members))
            except Refused:
                continue
        return True

    assert race(client, [random.random() for _ in range(8)]) == [True] * 8
    unbroken()
    for day in days:
        service.place.refresh_from_db()
        for slot in diary_of(service, day).slots(day):
            taken, lanes = seats_at(service, slot.starts_at)
            assert taken == lanes <= 2
    before = Appointment.objects.filter(status="offered").count()
    look_again(service, by=None, now=NOW)
    assert Appointment.objects.filter(status="offered").count() == before
