"""Nobody pays twice: two pages, two ways, money for what is closed."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest

from club import gateway
from club.domain import checkouts, sync
from club.domain.receipts import take_payment
from club.enums import RefundReason, RefundStatus
from club.kernel.purchases import Due
from club.models import Checkout, Customer, Household, LedgerEntry, Member, Place, Refund, User
from concierge.domain.subscriptions import due, stop, tend
from concierge.enums import Renewal, SubscriptionStatus
from concierge.models import Plan, Subscription, SubscriptionPeriod
from tests.club.payments.house import House, entries, money_here
from tests.factories.money import PlanFactory, TillDayFactory


def pay_at_desk(house: House, member: Member, by: User, lines: Sequence[Due] | None = None) -> None:
    take_payment(
        member=member,
        place=member.place,
        lines=lines or list(due(member.household, house.now)),
        means="cash",
        by=by,
        now=house.now,
    )


def twice_there(house: House, member: Member, subscription: Subscription) -> None:
    """Two pages of one purchase, both paid: the first is closed here and not there."""
    first = house.begin(member, subscription)
    Checkout.objects.filter(pk=first.pk).update(expires_at=house.now)
    second = house.begin(member, subscription)
    assert first.session_id != second.session_id
    house.forget()
    house.pay(first)
    house.pay(second)


def living(house: House) -> list[str]:
    found = house.objects("subscriptions", status="all")
    return [x.id for x in found if x.status not in ("canceled", "incomplete_expired")]


def test_paid_on_two_pages_one_stays_and_the_other_is_given_back(
    house: House, samira: Member, plan: Plan, household: Household
) -> None:
    subscription = house.subscribe(samira, plan)
    twice_there(house, samira, subscription)
    house.hear()
    house.hear()
    subscription.refresh_from_db()
    assert entries(household) == [
        ("payment", 1200),
        ("charge", -1200),
        ("payment", 1200),
        ("refund", -1200),
    ]
    refund = Refund.objects.get()
    assert (refund.reason, refund.status) == (RefundReason.TWICE, RefundStatus.DONE)
    assert living(house) == [subscription.provider_id]
    assert SubscriptionPeriod.objects.filter(revoked_at=None).count() == 1
    assert money_here() == house.money_there() == 1200


def test_paid_at_the_desk_while_the_page_was_open(
    house: House, samira: Member, plan: Plan, household: Household, concierge_user: User
) -> None:
    subscription = house.subscribe(samira, plan)
    checkout = house.begin(samira, subscription)
    TillDayFactory(place=samira.place)
    pay_at_desk(house, samira, concierge_user)
    house.pay(checkout)
    house.hear()
    subscription.refresh_from_db()
    assert money_here() == house.money_there() == 0
    assert living(house) == []
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert (subscription.renewal, subscription.provider_id) == (Renewal.BY_HAND, None)
    assert SubscriptionPeriod.objects.filter(revoked_at=None).count() == 1
    assert sum(cents for _kind, cents in entries(household)) == 0


def test_a_debit_under_way_and_cash_at_the_desk_the_debit_is_given_back(
    house: House, samira: Member, plan: Plan, household: Household, concierge_user: User
) -> None:
    subscription = house.subscribe(samira, plan)
    shown = list(due(household, house.now))
    house.pay(house.begin(samira, subscription), "sepa_debit")
    house.hear()
    TillDayFactory(place=samira.place)
    assert list(due(household, house.now)) == []
    # The counter's page was open since before.
    pay_at_desk(house, samira, concierge_user, shown)
    intent = house.objects("payment_intents")[0].id
    house.pass_time(days=5)
    house.sim.control("sepa", payment_intent=intent, outcome="settle")
    house.hear()
    house.pass_time(days=6)
    house.hear()
    assert Refund.objects.get().reason == RefundReason.TWICE
    assert money_here() == house.money_there() == 0
    assert living(house) == []
    assert SubscriptionPeriod.objects.filter(revoked_at=None).count() == 1


def test_money_for_a_cancelled_subscription_counts_once_and_renews_no_more(
    house: House, samira: Member, plan: Plan, household: Household
) -> None:
    subscription = house.subscribe(samira, plan)
    checkout = house.begin(samira, subscription)
    stop(subscription, by=samira.user, now=house.now)
    house.pay(checkout)
    house.hear()
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.stops_at_end
    assert house.objects("subscriptions")[0].cancel_at_period_end
    assert entries(household) == [("payment", 1200), ("charge", -1200)]


def test_money_for_a_closed_subscription_counts_on_the_open_one(
    house: House, samira: Member, plan: Plan, household: Household
) -> None:
    old = house.subscribe(samira, plan)
    checkout = house.begin(samira, old)
    stop(old, by=samira.user, now=house.now)
    new = house.subscribe(samira, plan)
    house.pay(checkout)
    house.hear()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.status, new.status) == (SubscriptionStatus.CANCELLED, SubscriptionStatus.ACTIVE)
    assert new.provider_id == house.objects("subscriptions")[0].id
    assert house.objects("subscriptions")[0].cancel_at_period_end is False


def test_money_for_a_closed_one_while_the_other_is_paid_is_given_back(
    house: House, samira: Member, plan: Plan, household: Household, concierge_user: User
) -> None:
    old = house.subscribe(samira, plan)
    checkout = house.begin(samira, old)
    stop(old, by=samira.user, now=house.now)
    house.subscribe(samira, plan)
    TillDayFactory(place=samira.place)
    pay_at_desk(house, samira, concierge_user)
    house.pay(checkout)
    house.hear()
    assert money_here() == house.money_there() == 0
    assert living(house) == []


def test_late_the_desk_is_paid_and_the_open_invoice_is_dropped(
    house: House, samira: Member, plan: Plan, place: Place, concierge_user: User
) -> None:
    """A renewal was refused; coins at the desk pay it; the card is not tried again."""
    subscription = house.subscribed(samira, plan)
    method = house.objects("payment_methods", customer=samira.household.customer.provider_id)[0]
    house.sim.control("means", payment_method=method.id, behaviour="insufficient_funds")
    house.pass_time(days=366, hours=2)
    house.hear()
    subscription.refresh_from_db()
    assert subscription.payment_failed_at is not None
    tend(house.now)
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.LATE
    TillDayFactory(place=place)
    pay_at_desk(house, samira, concierge_user)
    house.work()
    house.sim.control("means", payment_method=method.id, behaviour="ok")
    house.pass_time(days=30)
    sync.sync(samira.household.customer.pk, now=house.now)
    house.work()
    assert money_here() == house.money_there() == 1200
    subscription.refresh_from_db()
    assert subscription.payment_failed_at is None
    assert [x.status for x in house.objects("invoices")] == ["void", "paid"]
    assert living(house) == [subscription.provider_id]


@pytest.mark.parametrize("guarded", [False, True])
def test_a_late_reading_of_old_things_sets_no_state(
    house: House, samira: Member, plan: Plan, guarded: bool
) -> None:
    """Begun before it ended there, written down after it: without its number it would revive."""
    subscription = house.subscribed(samira, plan)
    customer = samira.household.customer
    dead = subscription.provider_id
    assert dead is not None
    number, provider_id = sync.begin_reading(customer.pk)
    old = gateway.read(provider_id)
    gateway.end_now(dead)
    house.hear()
    subscription.refresh_from_db()
    assert (subscription.provider_id, subscription.renewal) == (None, Renewal.BY_HAND)
    if not guarded:
        Customer.objects.update(applied=0)
    sync.write_down(customer.pk, number, old, now=house.now)
    subscription.refresh_from_db()
    assert subscription.provider_id == (None if guarded else dead)


def test_an_old_reading_that_ends_late_still_brings_its_money(
    house: House, samira: Member, plan: Plan
) -> None:
    """Money is added whatever the order: only states belong to the newest."""
    subscription = house.subscribe(samira, plan)
    house.pay(house.begin(samira, subscription))
    customer = samira.household.customer
    number, provider_id = sync.begin_reading(customer.pk)
    old = gateway.read(provider_id)
    Customer.objects.update(applied=number + 1)
    sync.write_down(customer.pk, number, old, now=house.now)
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.provider_id is None
    assert money_here() == 1200


def test_the_same_reading_written_twice_changes_nothing(
    house: House, samira: Member, plan: Plan, household: Household
) -> None:
    house.subscribed(samira, plan)
    before = list(LedgerEntry.objects.values_list("pk", "source"))
    for _ in range(3):
        house.pass_time(minutes=1)
        sync.sync(household.customer.pk, now=house.now)
        house.work()
    assert list(LedgerEntry.objects.values_list("pk", "source")) == before
    assert not checkouts.Checkout.objects.filter(status="open").exists()


def test_a_renewal_a_year_later_is_the_next_period(
    house: House, samira: Member, plan: Plan, household: Household
) -> None:
    subscription = house.subscribed(samira, plan)
    house.pass_time(days=366, hours=2)
    house.hear()
    subscription.refresh_from_db()
    spans = subscription.periods.values_list("starts_on", "ends_on")
    assert [(a.isoformat(), b.isoformat()) for a, b in spans] == [
        ("2027-03-09", "2028-03-08"),
        ("2028-03-09", "2029-03-08"),
    ]
    assert money_here() == house.money_there() == 2400
    assert sum(cents for _kind, cents in entries(household)) == 0


def test_taken_anew_after_it_ended_unpaid_the_old_one_debits_no_more(
    house: House, samira: Member, plan: Plan
) -> None:
    """The provider still tries the old card while the person subscribes with a new one."""
    house.sim.control("mode", retry_days=[100], after_retries="past_due")
    old = house.subscribed(samira, plan)
    first = old.provider_id
    method = house.objects("payment_methods", customer=samira.household.customer.provider_id)[0]
    house.sim.control("means", payment_method=method.id, behaviour="expired")
    house.pass_time(days=366, hours=2)
    house.hear()
    tend(house.now)
    house.pass_time(days=20)
    tend(house.now)
    old.refresh_from_db()
    assert old.status == SubscriptionStatus.ENDED
    new = house.subscribed(samira, plan)
    assert new.pk != old.pk
    house.hear()
    house.sim.control("means", payment_method=method.id, behaviour="ok")
    house.pass_time(days=120)
    house.hear()
    new.refresh_from_db()
    assert new.provider_id not in (None, first)
    assert living(house) == [new.provider_id]
    assert money_here() == house.money_there() == 2400


def test_ten_renewals_leave_no_gap(house: House, samira: Member) -> None:
    plan = PlanFactory(landlord=samira.household.landlord, price_cents=100, months=1)
    subscription = house.subscribed(samira, plan)
    for _ in range(21):
        house.pass_time(days=15)
        house.hear()
    spans = list(subscription.periods.values_list("starts_on", "ends_on"))
    assert len(spans) == 11
    for (_a, end), (start, _b) in pairwise(spans):
        assert start == end + timedelta(days=1)
    assert money_here() == house.money_there() == 1100
