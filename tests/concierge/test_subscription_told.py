"""What is told when a subscription begins, stops, or changes its plan; each time once."""

from collections import Counter
from datetime import date, datetime

import pytest

from club.enums import RightSource
from club.models import Member, Message, Place
from concierge.domain.subscriptions import (
    add_period,
    keep,
    left_the_dwelling,
    stop,
    subscribe,
    tend,
)
from concierge.models import Plan, Subscription
from tests.factories.club import NOW, PARIS, MemberFactory
from tests.factories.money import (
    ClubPlanFactory,
    PlanFactory,
    TenancyCheckFactory,
    TenantPlanFactory,
)


@pytest.fixture
def newcomer(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def plan(place: Place) -> Plan:
    return PlanFactory(landlord=place.landlord)


def ask(member: Member, plan: Plan) -> Subscription:
    return subscribe(member, plan, place=member.place, by=member.user, now=NOW)


def paid(subscription: Subscription, source: str, now: datetime = NOW) -> Subscription:
    cents = subscription.plan.price_cents
    add_period(subscription, source, cents, RightSource.PAYMENT, by=None, now=now)
    subscription.refresh_from_db()
    return subscription


def told() -> dict[str, int]:
    return dict(Counter(Message.objects.values_list("event", flat=True)))


def test_the_first_period_is_told_and_a_further_one_is_not(newcomer: Member, plan: Plan) -> None:
    subscription = ask(newcomer, plan)
    assert told() == {}
    paid(subscription, "stripe:1")
    assert told() == {"subscription.started": 1}
    paid(subscription, "stripe:2", datetime(2028, 3, 1, tzinfo=PARIS))
    assert told() == {"subscription.started": 1}


def test_what_is_paid_late_goes_on_and_what_had_ended_begins_again(
    newcomer: Member, plan: Plan
) -> None:
    subscription = paid(ask(newcomer, plan), "stripe:1")
    late = datetime(2028, 3, 12, 10, tzinfo=PARIS)
    tend(late)
    paid(subscription, "stripe:2", late)
    assert told() == {"subscription.started": 1}
    ended = datetime(2029, 5, 1, 10, tzinfo=PARIS)
    tend(ended)
    paid(subscription, "stripe:3", ended)
    assert told() == {"subscription.started": 2, "subscription.ended": 1}


def test_a_free_plan_is_told_as_it_begins(newcomer: Member, place: Place) -> None:
    free = ClubPlanFactory(landlord=place.landlord)
    ask(newcomer, free)
    ask(newcomer, free)
    assert told() == {"subscription.started": 1}


def test_stopping_again_after_keeping_is_told_again(newcomer: Member, plan: Plan) -> None:
    subscription = paid(ask(newcomer, plan), "stripe:1")
    stop(subscription, by=newcomer.user, now=NOW)
    stop(subscription, by=newcomer.user, now=NOW)
    keep(subscription, by=newcomer.user, now=NOW)
    stop(subscription, by=newcomer.user, now=NOW)
    assert told() == {"subscription.started": 1, "subscription.stopping": 2}


def test_the_present_plan_can_be_chosen_again(newcomer: Member, plan: Plan, place: Place) -> None:
    other = PlanFactory(landlord=place.landlord, price_cents=6000)
    subscription = paid(ask(newcomer, plan), "stripe:1")
    ask(newcomer, other)
    ask(newcomer, plan)
    subscription.refresh_from_db()
    assert (subscription.plan, subscription.next_plan) == (plan, None)


def test_how_it_renews_follows_the_plan(newcomer: Member, plan: Plan, place: Place) -> None:
    free = PlanFactory(landlord=place.landlord, price_cents=0)
    subscription = ask(newcomer, free)
    assert subscription.renewal == "free"
    ask(newcomer, plan)
    assert paid(subscription, "stripe:1").renewal == "by_hand"
    Subscription.objects.update(renewal="online")
    assert paid(subscription, "stripe:2", datetime(2029, 3, 1, tzinfo=PARIS)).renewal == "online"
    ask(newcomer, free)
    assert paid(subscription, "free:1", datetime(2030, 3, 1, tzinfo=PARIS)).renewal == "free"


@pytest.mark.parametrize("has_other", [True, False])
def test_leaving_the_dwelling_twice_is_told_once(
    newcomer: Member, place: Place, has_other: bool
) -> None:
    tenants = TenantPlanFactory(landlord=place.landlord)
    if has_other:
        PlanFactory(landlord=place.landlord)
    TenancyCheckFactory(member=newcomer)
    paid(ask(newcomer, tenants), "stripe:1")
    TenancyCheckFactory(member=newcomer, result="no", checked_on=date(2027, 3, 8))
    for _ in range(2):
        left_the_dwelling(newcomer.household, by=newcomer.user, now=NOW)
    expected = {"subscription.started": 1, "subscription.next_plan": 1}
    assert told() == expected | ({} if has_other else {"subscription.stopping": 1})
