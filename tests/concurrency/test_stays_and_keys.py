"""The last seat of a service that watches homes, and one hook: whoever comes at the same time."""

import pytest

from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from concierge.domain.keys import give_back, receive_keys
from concierge.domain.stays import book_stay
from concierge.models import KeySet, Stay
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import NOW, PlaceFactory, UserFactory
from tests.factories.services import client_of
from tests.factories.stays import FIRST, LAST, StayServiceFactory

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 12


@pytest.fixture
def place():
    return PlaceFactory()


@pytest.fixture
def people(place):
    return [client_of(place) for _ in range(PEOPLE)]


def unbroken():
    names = {"stay-lanes", "stay-visits", "hooks"}
    found = [line for one in all_invariants() if one.name in names for line in one.violations()]
    assert found == []


def codes_of(answers):
    return {tuple(one.codes) for one in answers if isinstance(one, Refused)}


@pytest.mark.parametrize("seats", [1, 3])
def test_the_last_seats_go_to_as_many_homes(place, people, race, seed, seats):
    service = StayServiceFactory(place=place, seats=seats)
    answers = race(
        lambda member: book_stay(
            member=member, service=service, first_on=FIRST, last_on=LAST, tasks=["look"],
            by=member.user, now=NOW,
        ),
        people,
    )  # fmt: skip
    assert unexpected(answers) == []
    assert len(accepted(answers)) == seats
    assert codes_of(answers) == {("taken",)}
    assert Stay.objects.values("lane").distinct().count() == seats
    unbroken()


def test_one_hook_holds_the_keys_of_one(place, people, race, seed):
    answers = race(
        lambda member: receive_keys(
            place=place, member=member, hook=4, reason="spare", on_paper=True, by=member.user,
            now=NOW,
        ),
        people,
    )  # fmt: skip
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    assert codes_of(answers) == {("hook_taken",)}
    assert KeySet.objects.count() == 1
    unbroken()


def test_keys_are_given_back_once(place, people, race, seed):
    by = UserFactory()
    keys = receive_keys(
        place=place, member=people[0], hook=4, reason="spare", on_paper=True, by=by, now=NOW
    )
    answers = race(
        lambda _member: give_back(keys, people[0], on_paper=True, by=by, now=NOW), people
    )
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    assert codes_of(answers) == {("given_back",)}
    unbroken()
