"""People under races: a code serves once, a lost card gives one card, an erasure is one."""

from typing import Any

import pytest
from django.db import connection, transaction

from club.domain import household
from club.domain.cards import replace_card
from club.domain.erasure import erase_member
from club.domain.household import invite, join_household, leave_household
from club.models import Card, Household, LogEntry, Member
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import NOW, CardFactory, MemberFactory, PlaceFactory

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 5


@pytest.fixture
def host() -> Member:
    member = MemberFactory(place=PlaceFactory())
    CardFactory(member=member)
    return member


def fresh(member: Member) -> Member:
    return Member.objects.select_related("user", "household", "place").get(pk=member.pk)


def joining(code: str) -> Any:
    return lambda who: join_household(fresh(who), code, by=who.user, now=NOW)


def test_without_the_lock_a_code_serves_several(
    host: Member, race: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite writes one after the other from the start.")
    guests = MemberFactory.create_batch(PEOPLE, place=host.place)
    monkeypatch.setattr(household, "hold_home", lambda member, *others: None)
    waiting = household.why_not_join

    def slow(*sides: Any) -> Any:
        reason = waiting(*sides)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.3)")
        return reason

    monkeypatch.setattr(household, "why_not_join", slow)
    answers = race(joining(invite(host, by=host.user, now=NOW)), guests)
    assert len(accepted(answers)) > 1


def test_a_code_serves_once(host: Member, race: Any, seed: int) -> None:
    guests = MemberFactory.create_batch(PEOPLE, place=host.place)
    answers = race(joining(invite(host, by=host.user, now=NOW)), guests)
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    host.household.refresh_from_db()
    assert host.household.members.count() == 2


def test_a_person_leaves_once(host: Member, race: Any, seed: int) -> None:
    karim = MemberFactory(place=host.place, household=host.household)
    before = Household.objects.count()
    answers = race(lambda who: leave_household(fresh(who), by=who.user, now=NOW), [karim] * 4)
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    assert Household.objects.count() == before + 1


def test_two_who_leave_each_other_end_apart(host: Member, race: Any, seed: int) -> None:
    karim = MemberFactory(place=host.place, household=host.household)
    answers = race(lambda who: leave_household(fresh(who), by=who.user, now=NOW), [host, karim])
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    assert fresh(host).household_id != fresh(karim).household_id


def test_a_lost_card_gives_one_card(host: Member, race: Any, seed: int) -> None:
    lost = Card.objects.get(member=host).number
    answers = race(
        lambda who: replace_card(fresh(who), by=who.user, now=NOW, lost=lost), [host] * PEOPLE
    )
    assert unexpected(answers) == []
    assert len({card.pk for card in accepted(answers)}) == 1
    assert Card.objects.filter(member=host).count() == 2


def test_a_person_is_erased_once(host: Member, race: Any, seed: int) -> None:
    answers = race(lambda who: erase_member(fresh(who), by=None, now=NOW), [host] * 4)
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    assert LogEntry.objects.filter(verb="erase").count() == 1
    with transaction.atomic():
        assert not fresh(host).user.is_active
