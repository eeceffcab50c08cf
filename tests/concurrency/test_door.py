"""Two doors at the same second: a family is let in once, a room is not overfilled."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from club.kernel.invariants import all_invariants
from events.domain.checkin import check_in, mark_absent, walk_in
from events.domain.registrations import register
from events.models import CheckIn, Registration, Session, WalkIn
from tests.factories.club import NOW, MemberFactory
from tests.factories.events import SessionFactory

pytestmark = pytest.mark.django_db(transaction=True)

DOOR = NOW + timedelta(days=7)


def at_once(jobs: list[Any]) -> list[Any]:
    def alone(job: Any) -> Any:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(alone, jobs))


def test_one_family_at_two_doors_and_one_number_twice(place: Any) -> None:
    session = SessionFactory(place=place)
    made = []
    for _ in range(4):
        member = MemberFactory(place=place)
        made.append(register(member=member, session=session, quantity=2, by=member.user, now=NOW))

    def scan(one: Registration, number: str) -> Any:
        return lambda: (
            check_in(session, one.reference, scan=number, at=DOOR, by=None, now=DOOR).outcome
        )

    jobs = [scan(one, f"{one.pk}.{door}") for one in made for door in "aabb"]
    seed = random.randrange(10**6)
    print("seed", seed)
    random.Random(seed).shuffle(jobs)
    outcomes = at_once(jobs)
    assert CheckIn.objects.filter(outcome="in").count() == 4
    assert CheckIn.objects.count() == 8
    assert sorted(set(outcomes)) == ["already", "in"]
    assert set(Registration.objects.values_list("came", flat=True)) == {2}
    assert [line for one in all_invariants() for line in one.violations()] == []


def test_walk_ins_take_the_places_of_absents_and_no_more(place: Any) -> None:
    session = SessionFactory(place=place, capacity=6)
    for _ in range(3):
        member = MemberFactory(place=place)
        register(member=member, session=session, quantity=2, by=member.user, now=NOW)
    later = DOOR + timedelta(minutes=10)
    jobs = [lambda: mark_absent(session, by=None, now=later)] * 2
    jobs += [
        lambda n=n: walk_in(session, "Inès", 1, scan=f"w{n}", at=later, by=None, now=later)
        for n in range(12)
    ]
    at_once(jobs)
    walked = WalkIn.objects.count()
    assert walked <= 6
    assert Session.objects.get().booked == walked
    assert CheckIn.objects.filter(outcome="full").count() == 12 - walked
    assert [line for one in all_invariants() for line in one.violations()] == []
