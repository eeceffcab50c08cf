"""A debit takes days: a right meanwhile, withdrawn when it fails; mandates and their end."""

from typing import Any

import pytest

from club.enums import Activity, MandateStatus, RightSource
from club.kernel.refusal import Refused
from club.models import Household, Mandate, Member, Message
from club.queries.entitlement import may
from concierge.domain.online import void_mandates
from concierge.enums import Renewal, SubscriptionStatus
from concierge.models import Plan, Subscription
from tests.club.payments.house import House, entries, money_here


@pytest.fixture(params=["active", "incomplete"])
def pending(request: Any, house: House, samira: Member, plan: Plan) -> Subscription:
    """A debit under way, in both ways in which the provider is known to tell it."""
    house.sim.control("mode", sepa_pending_status=request.param)
    subscription = house.subscribe(samira, plan)
    house.pay(house.begin(samira, subscription), "sepa_debit")
    house.hear()
    subscription.refresh_from_db()
    return subscription


def end(house: House, outcome: str, code: str = "") -> None:
    intent = house.objects("payment_intents")[0].id
    house.pass_time(days=4)
    house.sim.control("sepa", payment_intent=intent, outcome=outcome, code=code)
    house.hear()


def refused(member: Member, house: House, *, firm: bool = False) -> str:
    today = house.now.date()
    reason = may(member, Activity.LENDING, today, today, firm=firm)
    return reason.code if reason else ""


def test_under_way_the_door_opens_and_valuables_wait(
    house: House, samira: Member, pending: Subscription, household: Household
) -> None:
    assert pending.status == SubscriptionStatus.PENDING
    assert pending.renewal == Renewal.ONLINE
    assert entries(household) == []
    assert refused(samira, house) == ""
    assert refused(samira, house, firm=True) == "payment_awaited"
    last = max(household.rights.values_list("ends_on", flat=True))
    assert last.isoformat() == "2027-03-22"


def test_settled_it_is_a_paid_year_from_the_day_of_the_debit(
    house: House, samira: Member, pending: Subscription, household: Household
) -> None:
    end(house, "settle")
    pending.refresh_from_db()
    assert pending.status == SubscriptionStatus.ACTIVE
    assert pending.paid_until is not None
    assert pending.paid_until.isoformat() == "2028-03-08"
    assert entries(household) == [("payment", 1200), ("charge", -1200)]
    assert household.receipts.get().means == "sepa"
    live = household.rights.filter(revoked_at=None)
    assert set(live.values_list("source", flat=True)) == {RightSource.PAYMENT}
    assert money_here() == house.money_there() == 1200


def test_refused_by_the_bank_the_door_closes_and_the_person_is_told(
    house: House, samira: Member, pending: Subscription, household: Household
) -> None:
    end(house, "fail", "insufficient_funds")
    house.hear()
    pending.refresh_from_db()
    assert pending.status == SubscriptionStatus.PENDING
    assert pending.payment_failed_at is not None
    assert refused(samira, house) != ""
    assert entries(household) == []
    told = Message.objects.filter(event="subscription.payment_failed")
    assert [message.member for message in told] == [samira]


def test_after_a_refusal_it_can_be_paid_anew_without_a_second_gift(
    house: House, samira: Member, pending: Subscription, household: Household
) -> None:
    end(house, "fail", "insufficient_funds")
    house.pass_time(days=3)
    house.hear()
    pending.refresh_from_db()
    if pending.provider_id is not None:
        # The provider tries again by itself.
        house.pass_time(days=20)
        house.hear()
        pending.refresh_from_db()
    assert pending.provider_id is None
    house.pay(house.begin(samira, pending), "sepa_debit")
    house.hear()
    assert refused(samira, house) != ""
    intent = house.objects("payment_intents")[0].id
    house.sim.control("sepa", payment_intent=intent, outcome="settle")
    house.hear()
    pending.refresh_from_db()
    assert pending.status == SubscriptionStatus.ACTIVE
    assert money_here() == house.money_there() == 1200


def test_while_it_is_under_way_no_second_page_is_given(
    house: House, samira: Member, pending: Subscription
) -> None:
    with pytest.raises(Refused) as reasons:
        house.url(samira, pending)
    assert reasons.value.codes == ["under_way"]


def test_a_mandate_is_known_by_its_reference(
    house: House, pending: Subscription, household: Household
) -> None:
    mandate = Mandate.objects.get()
    assert mandate.status == MandateStatus.ACTIVE
    assert mandate.customer.household == household
    assert len(mandate.reference) > 5
    assert mandate.last4 == "2606"
    assert mandate.last_used_on is not None


@pytest.mark.parametrize("pending", ["active"], indirect=True)
def test_a_closed_account_bounces_the_mandate(house: House, pending: Subscription) -> None:
    end(house, "fail", "account_closed")
    assert Mandate.objects.get().status == MandateStatus.BOUNCED


@pytest.mark.parametrize("pending", ["active"], indirect=True)
def test_a_mandate_revoked_at_the_bank_is_rescinded(house: House, pending: Subscription) -> None:
    end(house, "settle")
    house.sim.control("mandate", mandate=Mandate.objects.get().provider_id, status="inactive")
    house.hear()
    assert Mandate.objects.get().status == MandateStatus.RESCINDED


@pytest.mark.parametrize("pending", ["active"], indirect=True)
def test_a_mandate_unused_for_36_months_is_void_and_forgotten(
    house: House, pending: Subscription, household: Household
) -> None:
    end(house, "settle")
    from concierge.domain.subscriptions import stop

    stop(pending, by=None, now=house.now)
    house.work()
    used = Mandate.objects.get().last_used_on
    assert used is not None
    house.pass_time(days=36 * 30)
    void_mandates(house.now)
    assert Mandate.objects.get().status == MandateStatus.ACTIVE
    house.pass_time(days=30)
    void_mandates(house.now)
    house.work()
    assert Mandate.objects.get().status == MandateStatus.VOID
    customer = household.customer.provider_id
    assert house.objects("payment_methods", customer=customer) == []
    house.hear()
    assert Mandate.objects.get().status == MandateStatus.VOID
