"""A session never has too many, and nobody jumps the queue, whoever comes at once."""

import random
import threading
import time
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import count

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum

from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import Household, Member, User
from events.domain.changes import set_capacity
from events.domain.registrations import (
    accept,
    cancel,
    change_quantity,
    lapse,
    register,
    withdraw_offer,
)
from events.domain.waiting import look_again
from events.enums import HOLDING, RegistrationStatus
from events.models import Registration, Session
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.events import SessionFactory

pytestmark = pytest.mark.django_db(transaction=True)
PLACES = 200
REQUESTS = 500
CLIENTS = 32
ROUNDS = 10
NUMBERS = count()


@pytest.fixture
def place():
    return PlaceFactory()


@pytest.fixture
def staff(place):
    return AssignmentFactory(place=place).user


@pytest.fixture(autouse=True)
def no_deadlock():
    """A deadlock is tried again and would pass unseen: PostgreSQL counts them."""
    before = deadlocks()
    yield
    assert deadlocks() == before


def deadlocks():
    if connection.vendor != "postgresql":
        return 0
    time.sleep(0.3)
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return cursor.fetchone()[0]


def crowd(place, number):
    """Members in a few statements: nobody here signs in."""
    users = User.objects.bulk_create(
        User(username=f"foule{next(NUMBERS)}", first_name="Membre", last_name=str(n))
        for n in range(number)
    )
    homes = Household.objects.bulk_create(Household(landlord=place.landlord) for _ in users)
    return Member.objects.bulk_create(
        Member(user=user, household=home, place=place, search_name=user.last_name, joined_at=NOW)
        for user, home in zip(users, homes, strict=True)
    )


def taking(session, quantity=1, **more):
    return lambda member: register(
        member=member, session=session.public_id, quantity=quantity, by=member.user, now=NOW, **more
    )


def rows_of(session):
    held = Registration.objects.filter(session=session, status__in=HOLDING)
    return held.aggregate(sum=Sum("quantity"))["sum"] or 0


def unbroken():
    assert [line for one in all_invariants() for line in one.violations()] == []


def count_then_insert(session, gate, *, in_transaction):
    """What taking a place looks like without the counter: count, think, write."""

    def look():
        free = session.capacity - rows_of(session)
        gate.wait(timeout=10)
        return free

    def call(member):
        free = None if in_transaction else look()
        with transaction.atomic():
            if (look() if free is None else free) > 0:
                Registration.objects.create(
                    session=session,
                    member=member,
                    place=session.place,
                    starts_at=session.starts_at,
                    ends_at=session.ends_at,
                    created_at=NOW,
                )

    return call


def test_without_the_counter_too_many_places_are_promised(place, race, seed):
    """The race is real. On SQLite a write transaction excludes the others from its
    first read on, so there the count stands outside it."""
    session = SessionFactory(place=place, capacity=3)
    members = crowd(place, 8)
    inside = connection.vendor == "postgresql"
    race(count_then_insert(session, threading.Barrier(8), in_transaction=inside), members)
    assert rows_of(session) > session.capacity
    Registration.objects.all().delete()


def test_many_clients_get_exactly_the_places_there_are(place, race, seed):
    session = SessionFactory(place=place, capacity=PLACES)
    members = crowd(place, REQUESTS)
    take = taking(session)

    def answer_to(member):
        try:
            return take(member)
        except Refused as refused:
            return refused
        except OperationalError:
            # SQLite let others go first for twenty seconds: told so, one comes again.
            if connection.vendor == "postgresql":
                raise
            return answer_to(member)

    def client(mine):
        return [answer_to(member) for member in mine]

    shares = [members[n::CLIENTS] for n in range(CLIENTS)]
    answers = [answer for share in race(client, shares) for answer in share]
    refusals = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(answers) == REQUESTS
    assert len(answers) - len(refusals) == PLACES
    assert {tuple(refusal.codes) for refusal in refusals} == {("full",)}
    session.refresh_from_db()
    assert session.booked == rows_of(session) == PLACES
    unbroken()


def test_families_of_all_sizes_never_get_too_many(place, race, seed):
    session = SessionFactory(place=place, capacity=20)
    wishes = [(member, random.randint(1, 5)) for member in crowd(place, 16)]
    answers = race(lambda wish: taking(session, wish[1])(wish[0]), wishes)
    assert unexpected(answers) == []
    session.refresh_from_db()
    assert session.booked == rows_of(session) <= 20
    left = 20 - session.booked
    pairs = zip(wishes, answers, strict=True)
    refused = [wish[1] for wish, answer in pairs if isinstance(answer, Refused)]
    assert all(quantity > left for quantity in refused)
    unbroken()


def test_two_adults_of_a_household_stay_within_its_limit(place, race, seed):
    session = SessionFactory(place=place, household_limit=4)
    one = MemberFactory(place=place)
    other = MemberFactory(place=place, household=one.household)
    answers = race(taking(session, 3), [one, other])
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    [refused] = [answer for answer in answers if isinstance(answer, Refused)]
    assert refused.codes == ["household_limit"]


@pytest.mark.parametrize("waits", [False, True])
def test_one_person_in_many_tabs_registers_once(place, race, seed, waits):
    session = SessionFactory(place=place, capacity=4)
    holder, member = crowd(place, 2)
    if waits:
        taking(session, 4)(holder)
    take = taking(session, 2, waits=waits)
    answers = race(lambda _tab: take(member), list(range(6)))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    refusals = [answer for answer in answers if isinstance(answer, Refused)]
    assert {tuple(refusal.codes) for refusal in refusals} == {("already_registered",)}
    unbroken()


def test_cancelled_in_many_tabs_frees_once(place, race, seed):
    session = SessionFactory(place=place)
    member = MemberFactory(place=place)
    made = taking(session, 3)(member)
    answers = race(lambda _tab: cancel(made, by=member.user, now=NOW), list(range(6)))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    session.refresh_from_db()
    assert session.booked == 0
    unbroken()


def test_who_waits_comes_before_who_arrives(place, race, seed):
    """Places come free while others arrive and the list is walked by the worker."""

    def one_round():
        session = SessionFactory(place=place, capacity=4)
        holder, big, small, *newcomers = crowd(place, 6)
        held = taking(session, 4)(holder)
        turns = [taking(session, 3, waits=True)(big), taking(session, 1, waits=True)(small)]
        acts = [
            lambda: cancel(held, by=holder.user, now=NOW),
            lambda: look_again(session, by=None, now=NOW),
            *[partial(taking(session, 1), member) for member in newcomers],
        ]
        random.shuffle(acts)
        answers = race(lambda act: act(), acts)
        assert unexpected(answers) == []
        for waiting in turns:
            waiting.refresh_from_db()
            assert waiting.status == RegistrationStatus.OFFERED
        assert not Registration.objects.filter(member__in=newcomers).exists()
        session.refresh_from_db()
        assert session.booked == 4

    for _ in range(ROUNDS):
        one_round()
    unbroken()


def test_an_offer_is_taken_or_lapses(place, race, seed):
    def one_round():
        session = SessionFactory(place=place, capacity=2)
        holder, first, second = crowd(place, 3)
        held = taking(session, 2)(holder)
        offer = taking(session, 2, waits=True)(first)
        after = taking(session, 2, waits=True)(second)
        cancel(held, by=holder.user, now=NOW)
        offer.refresh_from_db()
        end = offer.offer_ends_at
        answers = race(
            lambda act: act(),
            [
                lambda: accept(offer, by=first.user, now=end - timedelta(seconds=1)),
                lambda: lapse(offer, now=end),
                lambda: lapse(offer, now=end),
            ],
        )
        assert unexpected(answers) == []
        offer.refresh_from_db()
        after.refresh_from_db()
        assert (offer.status, after.status) in {("confirmed", "waiting"), ("lapsed", "offered")}
        was_taken = not isinstance(answers[0], Refused)
        assert was_taken == (offer.status == RegistrationStatus.CONFIRMED)

    for _ in range(ROUNDS):
        one_round()
    unbroken()


def test_a_room_that_grows_while_places_come_back(place, staff, race, seed):
    def one_round():
        session = SessionFactory(place=place, capacity=4)
        one, other, family, late = crowd(place, 4)
        held = [taking(session, 2)(one), taking(session, 2)(other)]
        waiting = taking(session, 4, waits=True)(family)
        answers = race(
            lambda act: act(),
            [
                lambda: set_capacity(session, 6, by=staff, now=NOW),
                lambda: cancel(held[0], by=one.user, now=NOW),
                lambda: taking(session, 3)(late),
            ],
        )
        assert unexpected(answers) == []
        waiting.refresh_from_db()
        session.refresh_from_db()
        assert (waiting.status, session.capacity, session.booked) == ("offered", 6, 6)

    for _ in range(ROUNDS):
        one_round()
    unbroken()


def test_a_long_crowd_of_every_act_at_once(place, staff, race, seed):
    """Whatever happened in whichever order: the counter is the rows, and nobody waits
    for places that are free."""
    session = SessionFactory(place=place, capacity=10)
    members = crowd(place, 24)
    seeds = [random.random() for _ in range(8)]

    def act(chance, member):
        mine = Registration.objects.filter(session=session, member=member).order_by("-pk").first()
        status = mine.status if mine else None
        if status in {None, RegistrationStatus.CANCELLED, RegistrationStatus.LAPSED}:
            more = {"waits": chance.random() < 0.8, "fewer_ok": chance.random() < 0.3}
            return taking(session, chance.randint(1, 5), **more)(member)
        if status == RegistrationStatus.OFFERED:
            verb = chance.choice([accept, cancel, withdraw_offer, lapse])
            if verb is lapse:
                return lapse(mine, now=NOW + timedelta(days=2))
            return verb(mine, by=staff, now=NOW)
        if chance.random() < 0.2:
            wanted = chance.randint(8, 14)
            return set_capacity(session, wanted, keep_registered=True, by=staff, now=NOW)
        if chance.random() < 0.4:
            return change_quantity(mine, chance.randint(1, 5), by=member.user, now=NOW)
        return cancel(mine, by=member.user, now=NOW)

    def client(start):
        chance = random.Random(start)
        for _ in range(25):
            with suppress(Refused):
                act(chance, chance.choice(members))
        return True

    assert race(client, seeds) == [True] * len(seeds)
    session.refresh_from_db()
    assert session.booked == rows_of(session) <= session.capacity
    waiting = Registration.objects.filter(session=session, status=RegistrationStatus.WAITING)
    free = session.capacity - session.booked
    assert [w.quantity for w in waiting if w.quantity <= free or (free and w.fewer_ok)] == []
    unbroken()
    assert Session.objects.get().booked == session.booked
