"""From the button to the page: one page open, whatever is pressed, and how often."""

from datetime import timedelta

import pytest

from club import gateway
from club.domain import checkouts
from club.enums import CheckoutStatus
from club.kernel.refusal import Refused
from club.models import Checkout, Customer, Household, Member
from concierge.enums import Renewal, SubscriptionStatus
from concierge.models import Plan, SubscriptionPeriod
from tests.club.payments.house import House, entries, money_here
from tests.factories.money import PlanFactory


def test_paid_by_card_the_right_is_there(
    house: House, samira: Member, plan: Plan, household: Household
) -> None:
    subscription = house.subscribe(samira, plan)
    house.pay(house.begin(samira, subscription))
    assert entries(household) == []
    house.hear()
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.renewal == Renewal.ONLINE
    assert subscription.paid_until is not None
    assert subscription.paid_until.isoformat() == "2028-03-08"
    assert entries(household) == [("payment", 1200), ("charge", -1200)]
    receipt = household.receipts.get()
    assert (receipt.means, receipt.cents, receipt.till) == ("card", 1200, None)
    assert Checkout.objects.get().status == CheckoutStatus.PAID
    assert money_here() == house.money_there() == 1200


def test_a_double_press_leads_to_the_same_page(house: House, samira: Member, plan: Plan) -> None:
    subscription = house.subscribe(samira, plan)
    urls = {house.url(samira, subscription) for _ in range(3)}
    assert len(urls) == 1
    assert Checkout.objects.count() == 1
    assert len(house.calls("POST", "/v1/checkout/sessions")) == 1


def test_killed_before_the_page_was_noted_the_next_press_finds_it(
    house: House, samira: Member, plan: Plan
) -> None:
    subscription = house.subscribe(samira, plan)
    first = house.url(samira, subscription)
    Checkout.objects.update(session_id=None, url="")
    assert house.url(samira, subscription) == first
    assert len(house.objects("checkout.sessions")) == 1


def test_another_plan_closes_the_page_of_the_first(
    house: House, samira: Member, plan: Plan
) -> None:
    subscription = house.subscribe(samira, plan)
    first = house.begin(samira, subscription)
    house.subscribe(samira, PlanFactory(landlord=plan.landlord, price_cents=6000))
    second = house.begin(samira, subscription)
    house.work()
    first.refresh_from_db()
    assert (first.status, second.status) == (CheckoutStatus.EXPIRED, CheckoutStatus.OPEN)
    assert {x.id: x.status for x in house.objects("checkout.sessions")} == {
        first.session_id: "expired",
        second.session_id: "open",
    }


def test_an_abandoned_page_ends_and_leaves_nothing(
    house: House, samira: Member, plan: Plan, household: Household
) -> None:
    subscription = house.subscribe(samira, plan)
    checkout = house.begin(samira, subscription)
    house.pass_time(minutes=61)
    checkouts.expire_old(house.now)
    house.work()
    checkout.refresh_from_db()
    subscription.refresh_from_db()
    assert checkout.status == CheckoutStatus.EXPIRED
    assert subscription.status == SubscriptionStatus.PENDING
    assert entries(household) == []
    assert house.begin(samira, subscription).pk != checkout.pk


def test_paid_after_it_expired_still_counts(
    house: House, samira: Member, plan: Plan, household: Household
) -> None:
    house.sim.control("mode", allow_pay_expired=True)
    subscription = house.subscribe(samira, plan)
    checkout = house.begin(samira, subscription)
    house.pass_time(minutes=61)
    checkouts.expire_old(house.now)
    house.work()
    house.pay(checkout)
    house.hear()
    checkout.refresh_from_db()
    subscription.refresh_from_db()
    assert checkout.status == CheckoutStatus.PAID
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert entries(household) == [("payment", 1200), ("charge", -1200)]


def test_what_is_paid_is_not_paid_again(house: House, samira: Member, plan: Plan) -> None:
    subscription = house.subscribed(samira, plan)
    with pytest.raises(Refused) as refused:
        house.url(samira, subscription)
    assert refused.value.codes == ["paid_already"]


def test_a_place_in_public_accounting_takes_nothing_on_line(
    house: House, samira: Member, plan: Plan
) -> None:
    samira.place.collector = "public"
    samira.place.save()
    with pytest.raises(Refused) as refused:
        house.url(samira, house.subscribe(samira, plan))
    assert refused.value.codes == ["desk_only"]
    assert Checkout.objects.count() == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "before_write"},
        {"kind": "after_write"},
        {"kind": "after_write", "close": True},
        {"kind": "after_write", "kept": True},
        {"kind": "close_before"},
        {"kind": "rate_limit"},
    ],
)
@pytest.mark.parametrize("path", ["customers$", "prices$", "checkout/sessions$"])
def test_a_faulty_provider_loses_nothing_and_makes_one_page_that_counts(
    house: House, samira: Member, plan: Plan, fault: dict[str, object], path: str
) -> None:
    subscription = house.subscribe(samira, plan)
    house.sim.control("faults", rules=[{**fault, "method": "POST", "path": path, "times": 1}])
    for _press in range(3):
        try:
            house.url(samira, subscription)
            break
        except gateway.Unavailable:
            continue
    house.pay(Checkout.objects.get(status=CheckoutStatus.OPEN))
    house.hear()
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert SubscriptionPeriod.objects.count() == 1
    assert Customer.objects.count() == 1
    assert money_here() == house.money_there() == 1200


def test_a_provider_that_is_down_gives_no_page_and_keeps_the_subscription(
    house: House, samira: Member, plan: Plan, settings: object
) -> None:
    subscription = house.subscribe(samira, plan)
    house.sim.control("faults", rules=[{"kind": "before_write", "times": 20}])
    with pytest.raises(gateway.Unavailable):
        house.url(samira, subscription)
    house.sim.control("faults", clear=True)
    assert house.url(samira, subscription).startswith(house.sim.base)
    assert Checkout.objects.filter(status=CheckoutStatus.OPEN).count() == 1


def test_a_page_too_short_for_the_provider_is_replaced(
    house: House, samira: Member, plan: Plan
) -> None:
    subscription = house.subscribe(samira, plan)
    first = house.begin(samira, subscription)
    Checkout.objects.update(url="", session_id=None)
    house.pass_time(minutes=40)
    second = house.begin(samira, subscription)
    assert second.pk != first.pk
    assert second.expires_at == house.now + timedelta(minutes=60)


def test_a_means_that_is_not_switched_on_is_told_to_the_operator(
    house: House, samira: Member, plan: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    house.sim.control("mode", offered_methods=["card"])
    house.begin(samira, house.subscribe(samira, plan))
    assert "does not offer ['sepa_debit']" in caplog.text
