"""What is decided here reaches the provider: stop, keep, another tariff, a payer who left."""

import pytest

from club import gateway
from club.domain import sync
from club.domain.erasure import erase_member
from club.domain.household import leave_household
from club.models import Member, Message, TenancyCheck, User
from club.tasks import read_provider
from concierge.domain.subscriptions import keep, left_the_dwelling, stop, tend
from concierge.enums import Renewal, SubscriptionStatus
from concierge.models import Plan, Subscription
from tests.club.payments.house import House, entries, money_here
from tests.factories.club import MemberFactory
from tests.factories.money import PlanFactory, TenancyCheckFactory, TenantPlanFactory


@pytest.fixture
def paid(house: House, samira: Member, plan: Plan) -> Subscription:
    return house.subscribed(samira, plan)


def there(house: House, subscription: Subscription) -> gateway.Renewing:
    subscription.refresh_from_db()
    key = subscription.provider_id or house.objects("subscriptions", status="all")[0].id
    return gateway.subscription(key)


def test_stopped_here_it_ends_there_and_kept_it_goes_on(
    house: House, paid: Subscription, samira: Member
) -> None:
    stop(paid, by=samira.user, now=house.now)
    house.work()
    assert there(house, paid).stops
    keep(paid, by=samira.user, now=house.now)
    house.work()
    assert not there(house, paid).stops
    house.hear()
    paid.refresh_from_db()
    assert not paid.stops_at_end


def test_a_reading_between_the_decision_and_the_call_undoes_neither(
    house: House, paid: Subscription, samira: Member
) -> None:
    stop(paid, by=samira.user, now=house.now)
    tasks = house.tasks()
    assert tasks == ["club.tasks.push_to_provider"]
    house.forget()
    sync.sync(samira.household.customer.pk, now=house.now)
    paid.refresh_from_db()
    assert paid.stops_at_end
    house.work()
    assert there(house, paid).stops


def test_stopped_on_the_providers_pages_it_is_stopped_here(
    house: House, paid: Subscription, samira: Member
) -> None:
    house.sim.control(
        "portal",
        customer=samira.household.customer.provider_id,
        action="cancel",
        subscription=paid.provider_id,
    )
    house.hear()
    paid.refresh_from_db()
    assert paid.stops_at_end
    keep(paid, by=samira.user, now=house.now)
    house.work()
    house.hear()
    paid.refresh_from_db()
    assert (paid.stops_at_end, there(house, paid).stops) == (False, False)


def test_stopped_it_runs_to_its_end_and_nothing_more_is_debited(
    house: House, paid: Subscription, samira: Member
) -> None:
    stop(paid, by=samira.user, now=house.now)
    house.work()
    house.pass_time(days=367)
    tend(house.now)
    house.hear()
    paid.refresh_from_db()
    assert paid.status == SubscriptionStatus.CANCELLED
    assert (paid.renewal, paid.provider_id) == (Renewal.BY_HAND, None)
    assert money_here() == house.money_there() == 1200


def test_no_tenant_any_more_the_next_period_costs_what_anybody_pays(
    house: House, samira: Member, concierge_user: User
) -> None:
    landlord = samira.household.landlord
    TenancyCheckFactory(member=samira)
    tenants = TenantPlanFactory(landlord=landlord, price_cents=1200)
    anybody = PlanFactory(landlord=landlord, price_cents=6000)
    subscription = house.subscribed(samira, tenants)
    TenancyCheckFactory(member=samira, result="no", checked_on=house.now.date())
    assert TenancyCheck.objects.count() == 2
    left_the_dwelling(samira.household, by=concierge_user, now=house.now)
    house.work()
    assert there(house, subscription).lookup_key.endswith(".6000.12")
    assert money_here() == house.money_there() == 1200
    house.pass_time(days=367)
    house.hear()
    subscription.refresh_from_db()
    assert subscription.plan == anybody
    assert money_here() == house.money_there() == 7200


def test_a_plan_of_another_length_ends_the_renewal_rather_than_bill_at_once(
    house: House, paid: Subscription, samira: Member, plan: Plan
) -> None:
    monthly = PlanFactory(landlord=plan.landlord, price_cents=100, months=1)
    house.subscribe(samira, monthly)
    house.work()
    assert there(house, paid).stops
    house.hear()
    paid.refresh_from_db()
    assert not paid.stops_at_end
    assert money_here() == house.money_there() == 1200


def test_a_price_that_rose_is_asked_from_the_next_period_on(
    house: House, paid: Subscription, plan: Plan
) -> None:
    Plan.objects.filter(pk=plan.pk).update(price_cents=1500)
    house.pass_time(hours=1)
    sync.sync(paid.household.customer.pk, now=house.now)
    house.work()
    assert there(house, paid).lookup_key.endswith(".1500.12")


def test_the_payer_who_leaves_is_debited_no_more(
    house: House, paid: Subscription, samira: Member, plan: Plan
) -> None:
    partner = MemberFactory(place=samira.place, household=samira.household)
    other = MemberFactory(place=samira.place)
    Member.objects.filter(pk=samira.pk).update(household=other.household)
    read_provider(house.now)
    house.work()
    paid.refresh_from_db()
    assert paid.stops_at_end
    assert there(house, paid).stops
    customer = paid.household.customer
    customer.refresh_from_db()
    assert customer.payer == partner
    told = Message.objects.get(event="subscription.stopping")
    assert told.member == partner
    house.pass_time(days=400)
    house.hear()
    assert money_here() == house.money_there() == 1200


@pytest.mark.parametrize("silent", [{"kind": "before_write"}, {"kind": "after_write"}])
def test_the_provider_down_the_decision_is_told_later(
    house: House, paid: Subscription, samira: Member, silent: dict[str, str]
) -> None:
    house.sim.control("faults", rules=[{**silent, "method": "POST", "times": 9}])
    stop(paid, by=samira.user, now=house.now)
    with pytest.raises(gateway.Unavailable):
        house.work()
    house.forget()
    house.sim.control("faults", clear=True)
    house.pass_time(hours=1)
    read_provider(house.now)
    house.work()
    assert there(house, paid).stops


@pytest.mark.parametrize("days", [0, 100])
def test_a_decision_whose_task_was_lost_is_told_at_night(
    house: House, paid: Subscription, samira: Member, days: int
) -> None:
    house.pass_time(days=days)
    stop(paid, by=samira.user, now=house.now)
    house.forget()
    read_provider(house.now)
    house.work()
    assert there(house, paid).stops


def test_whoever_is_erased_is_nameless_at_the_provider_too(
    house: House, samira: Member, plan: Plan
) -> None:
    subscription = house.subscribed(samira, plan)
    stop(subscription, by=samira.user, now=house.now)
    house.work()
    house.pass_time(days=400)
    house.hear()
    tend(house.now)
    customer = house.objects("customers")[0]
    assert samira.user.email == customer.email
    erase_member(samira, by=samira.user, now=house.now)
    house.work()
    there_now = house.objects("customers")[0]
    assert (there_now.name, there_now.email) == ("-", "efface@example.invalid")
    assert house.objects("payment_methods", customer=customer.id) == []
    assert house.money_there() == 1200


def test_whoever_moved_takes_the_subscription_and_its_money_along(
    house: House, samira: Member
) -> None:
    landlord = samira.household.landlord
    plan = PlanFactory(landlord=landlord, for_household=False, price_cents=100, months=1)
    MemberFactory(place=samira.place, household=samira.household)
    subscription = house.subscribe(samira, plan)
    checkout = house.begin(samira, subscription)
    after = leave_household(samira, by=samira.user, now=house.now)
    house.pay(checkout)
    house.hear()
    subscription.refresh_from_db()
    assert subscription.household == after
    assert entries(after) == [("payment", 100), ("charge", -100)]
    assert subscription.status == SubscriptionStatus.ACTIVE
