"""Money goes back: a reason, a second person above the limit, never more than was paid."""

import pytest

from club import gateway
from club.domain import sync
from club.domain.refunds import approve_refund, ask_refund, left_to_refund, refuse_refund
from club.enums import RefundReason, RefundStatus
from club.kernel.refusal import Refused
from club.models import Household, LedgerEntry, Member, Receipt, Refund, User
from club.tasks import send_refund, sweep_payments
from concierge.enums import SubscriptionStatus
from concierge.models import Plan, Subscription
from tests.club.payments.house import House, entries, money_here
from tests.factories.club import UserFactory
from tests.factories.money import PlanFactory


@pytest.fixture
def paid(house: House, samira: Member, plan: Plan) -> Subscription:
    return house.subscribed(samira, plan)


@pytest.fixture
def entry(paid: Subscription) -> LedgerEntry:
    return LedgerEntry.objects.get(kind="payment")


def ask(entry: LedgerEntry, cents: int, by: User, house: House) -> Refund:
    return ask_refund(entry, cents, RefundReason.MISTAKE, by=by, now=house.now)


def test_the_whole_goes_back_and_the_period_with_it(
    house: House, entry: LedgerEntry, paid: Subscription, concierge_user: User, household: Household
) -> None:
    refund = ask(entry, 1200, concierge_user, house)
    assert refund.status == RefundStatus.SENDING
    house.work()
    refund.refresh_from_db()
    paid.refresh_from_db()
    assert (refund.status, refund.provider_id is None) == (RefundStatus.DONE, False)
    assert entries(household) == [
        ("payment", 1200),
        ("charge", -1200),
        ("refund", -1200),
        ("charge", 1200),
    ]
    assert paid.status == SubscriptionStatus.LATE
    assert not household.rights.filter(revoked_at=None).exists()
    assert money_here() == house.money_there() == 0
    back = Receipt.objects.get(cents=-1200)
    assert back.cancels == entry.receipt


def test_what_was_given_back_is_not_debited_again(
    house: House, entry: LedgerEntry, paid: Subscription, concierge_user: User
) -> None:
    ask(entry, 1200, concierge_user, house)
    house.work()
    assert [x.status for x in house.objects("subscriptions", status="all")] == ["canceled"]


def test_a_part_goes_back_and_the_period_stays(
    house: House, entry: LedgerEntry, paid: Subscription, concierge_user: User
) -> None:
    ask(entry, 500, concierge_user, house)
    house.work()
    paid.refresh_from_db()
    assert paid.status == SubscriptionStatus.ACTIVE
    assert left_to_refund(entry) == 700
    assert money_here() == house.money_there() == 700
    ask(entry, 700, concierge_user, house)
    house.work()
    paid.refresh_from_db()
    assert paid.status == SubscriptionStatus.LATE
    assert money_here() == house.money_there() == 0


@pytest.mark.parametrize("cents", [1201, 0, -1, 10**9])
def test_more_than_was_paid_is_refused(
    house: House, entry: LedgerEntry, concierge_user: User, cents: int
) -> None:
    with pytest.raises(Refused) as refused:
        ask(entry, cents, concierge_user, house)
    assert refused.value.codes == ["too_much"]
    assert Refund.objects.count() == 0


def test_two_parts_are_never_more_than_the_whole(
    house: House, entry: LedgerEntry, concierge_user: User
) -> None:
    ask(entry, 700, concierge_user, house)
    with pytest.raises(Refused) as refused:
        ask(entry, 501, concierge_user, house)
    assert refused.value.codes == ["too_much"]


def test_a_desk_payment_is_not_refunded_here(
    house: House, entry: LedgerEntry, concierge_user: User
) -> None:
    charge = LedgerEntry.objects.get(kind="charge")
    with pytest.raises(Refused) as refused:
        ask(charge, 100, concierge_user, house)
    assert refused.value.codes == ["not_online"]


@pytest.fixture
def dear(house: House, samira: Member) -> LedgerEntry:
    house.subscribed(samira, PlanFactory(landlord=samira.household.landlord, price_cents=9000))
    return LedgerEntry.objects.get(kind="payment")


def test_above_the_limit_another_person_signs(
    house: House, dear: LedgerEntry, concierge_user: User
) -> None:
    assert dear.place.sign_off_cents < 9000
    refund = ask(dear, 9000, concierge_user, house)
    house.work()
    assert refund.status == RefundStatus.ASKED
    assert house.money_there() == 9000
    with pytest.raises(Refused) as refused:
        approve_refund(refund, by=concierge_user, now=house.now)
    assert refused.value.codes == ["second_person"]
    approve_refund(refund, by=UserFactory(), now=house.now)
    house.work()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.DONE
    assert money_here() == house.money_there() == 0


def test_what_is_refused_by_the_second_person_is_free_to_be_asked_again(
    house: House, dear: LedgerEntry, concierge_user: User
) -> None:
    refund = ask(dear, 9000, concierge_user, house)
    refuse_refund(refund, by=UserFactory(), now=house.now)
    assert left_to_refund(dear) == 9000
    with pytest.raises(Refused):
        approve_refund(refund, by=UserFactory(), now=house.now)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "before_write"},
        {"kind": "after_write"},
        {"kind": "after_write", "close": True},
        {"kind": "after_write", "kept": True},
        {"kind": "close_before"},
    ],
)
@pytest.mark.parametrize("times", [1, 9])
def test_the_provider_silent_after_it_acted_gives_back_once(
    house: House,
    entry: LedgerEntry,
    concierge_user: User,
    fault: dict[str, object],
    times: int,
) -> None:
    house.sim.control(
        "faults", rules=[{**fault, "method": "POST", "path": "refunds$", "times": times}]
    )
    refund = ask(entry, 1200, concierge_user, house)
    house.forget()
    for _ in range(4):
        sweep_payments(house.now)
        house.work()
    house.sim.control("faults", clear=True)
    sweep_payments(house.now)
    house.work()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.DONE
    assert money_here() == house.money_there() == 0
    assert len(house.objects("refunds")) == 1


def test_killed_after_the_call_a_day_later_it_is_found_and_not_made_again(
    house: House, entry: LedgerEntry, concierge_user: User
) -> None:
    """The provider's memory of keys is over by then; its list is not."""
    refund = ask(entry, 500, concierge_user, house)
    house.forget()
    gateway.give_back(entry.source.removeprefix("stripe:"), 500, ours=refund.pk)
    house.pass_time(days=2)
    send_refund(refund.pk)
    house.work()
    assert len(house.objects("refunds")) == 1
    assert money_here() == house.money_there() == 700


def test_what_the_provider_refuses_has_failed_with_its_reason(
    house: House, entry: LedgerEntry, concierge_user: User
) -> None:
    refund = ask(entry, 1200, concierge_user, house)
    house.forget()
    house.sim.control("dispute", payment_intent=entry.source.removeprefix("stripe:"))
    send_refund(refund.pk)
    refund.refresh_from_db()
    assert refund.status == RefundStatus.FAILED
    assert "charged back" in refund.error


def test_given_back_on_the_providers_own_pages_it_is_known_here(
    house: House, entry: LedgerEntry, paid: Subscription, household: Household
) -> None:
    intent = entry.source.removeprefix("stripe:")
    gateway.api().refunds.create({"payment_intent": intent, "amount": 1200})
    house.hear()
    refund = Refund.objects.get()
    assert (refund.status, refund.asked_by) == (RefundStatus.DONE, None)
    assert left_to_refund(entry) == 0
    paid.refresh_from_db()
    assert paid.status == SubscriptionStatus.LATE
    assert money_here() == house.money_there() == 0


def test_a_sepa_refund_that_fails_later_is_put_right(
    house: House, samira: Member, plan: Plan, concierge_user: User, household: Household
) -> None:
    house.sim.control("mode", refund_settle_seconds=None)
    subscription = house.subscribe(samira, plan)
    house.pay(house.begin(samira, subscription), "sepa_debit")
    intent = house.objects("payment_intents")[0].id
    house.sim.control("sepa", payment_intent=intent, outcome="settle")
    house.hear()
    entry = LedgerEntry.objects.get(kind="payment")
    refund = ask(entry, 1200, concierge_user, house)
    house.work()
    refund.refresh_from_db()
    assert refund.status == RefundStatus.SENDING
    house.sim.control("refund", refund=refund.provider_id, outcome="failed")
    house.pass_time(hours=1)
    house.hear()
    refund.refresh_from_db()
    subscription.refresh_from_db()
    assert refund.status == RefundStatus.FAILED
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert money_here() == house.money_there() == 1200
    assert sum(cents for _kind, cents in entries(household)) == 0
    sync.sync(household.customer.pk, now=house.now)
    assert money_here() == 1200


@pytest.mark.parametrize("method", ["card", "sepa_debit"])
def test_a_dispute_takes_the_period_and_a_won_one_gives_it_again(
    house: House, samira: Member, plan: Plan, household: Household, method: str
) -> None:
    subscription = house.subscribe(samira, plan)
    house.pay(house.begin(samira, subscription), method)
    intent = house.objects("payment_intents")[0].id
    if method == "sepa_debit":
        house.sim.control("sepa", payment_intent=intent, outcome="settle")
    house.hear()
    dispute = house.sim.control("dispute", payment_intent=intent)
    house.hear()
    subscription.refresh_from_db()
    assert entries(household)[2:] == [("dispute", -1200), ("charge", 1200)]
    assert subscription.status == SubscriptionStatus.LATE
    assert not household.rights.filter(revoked_at=None).exists()
    assert [x.status for x in house.objects("subscriptions", status="all")] == ["canceled"]
    assert money_here() == house.money_there() == 0
    if method == "card":
        house.sim.control("dispute", dispute=dispute["id"], outcome="won")
        house.hear()
        subscription.refresh_from_db()
        assert subscription.status == SubscriptionStatus.ACTIVE
        assert money_here() == house.money_there() == 1200
        assert sum(cents for _kind, cents in entries(household)) == 0


def test_what_is_disputed_is_not_given_back_too(
    house: House, entry: LedgerEntry, concierge_user: User
) -> None:
    house.sim.control("dispute", payment_intent=entry.source.removeprefix("stripe:"))
    house.hear()
    with pytest.raises(Refused) as refused:
        ask(entry, 1200, concierge_user, house)
    assert refused.value.codes == ["disputed"]
