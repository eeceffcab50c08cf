"""Two pages, two tabs, two counters at the same second: money is taken and counted once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db.models import Sum

from club.domain.till import close_till_day, expected_cash, open_till_day
from club.kernel.refusal import Refused
from club.models import LedgerEntry, Member, Place, Receipt, TillDay, User
from concierge.models import Plan, SubscriptionPeriod
from desk.taking import Wanted, take
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import MemberFactory
from tests.factories.money import PlanFactory, TillDayFactory

pytestmark = pytest.mark.django_db(transaction=True)
Race = Callable[..., list[Any]]
PRESSES = 5


@pytest.fixture
def plan(place: Place) -> Plan:
    return PlanFactory(landlord=place.landlord)


@pytest.fixture
def payer(place: Place) -> Member:
    return MemberFactory(place=place)


def taking(plan: Plan, by: User, now: datetime) -> Callable[..., dict[str, Any]]:
    def call(member: Member, number: int, **more: Any) -> dict[str, Any]:
        wanted = Wanted(plans={plan: plan.price_cents}, **more)
        member = Member.objects.select_related("household", "place").get(pk=member.pk)
        return take(member, wanted, place=member.place, number=number, by=by, now=now)

    return call


def test_one_page_pressed_at_once_is_paid_once(
    race: Race, plan: Plan, payer: Member, place: Place, concierge_user: User, now: datetime
) -> None:
    TillDayFactory(place=place)
    call = taking(plan, concierge_user, now)
    answers = race(lambda _: call(payer, 7), list(range(PRESSES)))
    receipt = Receipt.objects.get()
    assert [answer["receipt"] for answer in answers] == [receipt.pk] * PRESSES


def test_several_pages_at_once_pay_one_period(
    race: Race, plan: Plan, payer: Member, place: Place, concierge_user: User, now: datetime
) -> None:
    TillDayFactory(place=place)
    call = taking(plan, concierge_user, now)
    answers = race(lambda number: call(payer, number), list(range(PRESSES)))
    assert unexpected(answers) == []
    assert (len(accepted(answers)), Receipt.objects.count()) == (1, 1)
    assert SubscriptionPeriod.objects.count() == 1


def test_coins_that_come_while_the_till_is_closed_are_in_the_count_or_refused(
    race: Race, seed: int, plan: Plan, place: Place, concierge_user: User, now: datetime
) -> None:
    till = TillDayFactory(place=place)
    payers = MemberFactory.create_batch(PRESSES, place=place)
    call = taking(plan, concierge_user, now)

    def work(position: int) -> Any:
        if position == 2:
            return close_till_day(till, {5000: 1}, by=concierge_user, now=now)
        return call(payers[position], position)

    answers = race(work, list(range(PRESSES)))
    assert unexpected(answers) == []
    till.refresh_from_db()
    taken = Receipt.objects.filter(till=till).aggregate(sum=Sum("cents"))["sum"] or 0
    assert till.expected_cents == till.float_cents + taken
    assert expected_cash(till) == till.expected_cents
    assert Receipt.objects.count() == len(accepted(answers)) - 1
    assert {code for error in answers if isinstance(error, Refused) for code in error.codes} <= {
        "till_closed"
    }
    numbers = Receipt.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, len(numbers) + 1))


def test_two_tabs_close_it_once(
    race: Race, place: Place, concierge_user: User, now: datetime
) -> None:
    till = TillDayFactory(place=place)
    counts = [{5000: 1}, {2000: 1}, {}]
    answers = race(lambda count: close_till_day(till, count, by=concierge_user, now=now), counts)
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    till.refresh_from_db()
    gaps = LedgerEntry.objects.aggregate(sum=Sum("cents"))["sum"] or 0
    assert gaps == till.difference_cents


def test_two_counters_open_it_once(
    race: Race, plan: Plan, place: Place, concierge_user: User, now: datetime
) -> None:
    payers = MemberFactory.create_batch(3, place=place)
    call = taking(plan, concierge_user, now)

    def work(position: int) -> Any:
        if position == 0:
            return open_till_day(place, 5000, by=concierge_user, now=now)
        return call(payers[position], position, float_cents=5000)

    answers = race(work, [0, 1, 2])
    assert unexpected(answers) == []
    assert TillDay.objects.count() == 1
    assert all(receipt.till == TillDay.objects.get() for receipt in Receipt.objects.all())


def test_a_till_opened_by_many_is_open_once(
    race: Race, place: Place, concierge_user: User, now: datetime
) -> None:
    for _ in range(5):
        answers = race(
            lambda _: open_till_day(place, 0, by=concierge_user, now=now), list(range(PRESSES))
        )
        assert unexpected(answers) == []
        assert len(accepted(answers)) == 1
        TillDay.objects.all().delete()
