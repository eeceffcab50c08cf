"""Asked for, paid, renewed, late, ended: what a household may do follows its money."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from club.domain.ledger import balance_of, balance_of_subject
from club.domain.receipts import cancel_receipt, take_payment
from club.enums import Activity, Means, RightSource
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.models import Member, Message, Place, Receipt, Right, TillDay, User
from club.queries.entitlement import may
from concierge.domain import subscriptions
from concierge.domain.subscriptions import subscribe, tend
from concierge.enums import PlanKind, SubscriptionStatus
from concierge.models import Plan, Subscription
from concierge.queries.plans import offered_plans, price_words
from tests.factories.club import NOW, PARIS, MemberFactory
from tests.factories.money import (
    ClubPlanFactory,
    PlanFactory,
    SponsorshipFactory,
    TenancyCheckFactory,
    TenantPlanFactory,
    TillDayFactory,
)

TODAY = date(2027, 3, 9)


def at_ten(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 10, tzinfo=PARIS)


@pytest.fixture
def newcomer(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def plan(place: Place) -> Plan:
    return PlanFactory(landlord=place.landlord)


@pytest.fixture
def till(place: Place, concierge_user: User) -> TillDay:
    return TillDayFactory(place=place, opened_by=concierge_user)


def ask(member: Member, plan: Plan, now: datetime = NOW) -> Subscription:
    return subscribe(member, plan, place=member.place, by=member.user, now=now)


def pay(member: Member, by: User, now: datetime = NOW, means: str = Means.CASH) -> Receipt:
    """All that is due, as the desk takes it."""
    return take_payment(
        member=member,
        place=member.place,
        lines=due_of(member.household, now),
        means=means,
        by=by,
        now=now,
    )


def borrows(member: Member, first: date, last: date | None = None) -> str | None:
    reason = may(member, Activity.LENDING, first, last or first)
    return reason.code if reason else None


def test_nothing_opens_before_money_has_come(newcomer: Member, plan: Plan) -> None:
    subscription = ask(newcomer, plan)
    assert subscription.status == SubscriptionStatus.PENDING
    assert borrows(newcomer, TODAY) == "no_right"


def test_paying_at_the_desk_opens_the_door_at_once(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    receipt = pay(newcomer, concierge_user)
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.paid_until == date(2028, 3, 8)
    assert borrows(newcomer, TODAY, date(2028, 3, 8)) is None
    assert borrows(newcomer, TODAY, date(2028, 3, 9)) == "right_ends"
    assert (receipt.cents, str(receipt)) == (1200, "2027-000001")
    assert balance_of(newcomer.household) == 0
    assert balance_of_subject("subscription", subscription.pk) == 0


def test_the_whole_household_may_borrow(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    ask(newcomer, plan)
    pay(newcomer, concierge_user)
    partner = MemberFactory(place=newcomer.place, household=newcomer.household)
    assert borrows(partner, TODAY) is None


def test_a_personal_plan_is_one_person_s(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    plan.for_household = False
    plan.save()
    ask(newcomer, plan)
    pay(newcomer, concierge_user)
    partner = MemberFactory(place=newcomer.place, household=newcomer.household)
    assert borrows(newcomer, TODAY) is None
    assert borrows(partner, TODAY) == "no_right"


def test_asking_twice_is_one_subscription(newcomer: Member, plan: Plan) -> None:
    assert ask(newcomer, plan) == ask(newcomer, plan)
    assert Subscription.objects.count() == 1


def test_an_unpaid_plan_can_be_changed(newcomer: Member, plan: Plan, place: Place) -> None:
    other = PlanFactory(landlord=place.landlord, price_cents=6000)
    ask(newcomer, plan)
    subscription = ask(newcomer, other)
    assert subscription.plan == other
    assert [due.cents for due in due_of(newcomer.household, NOW)] == [6000]


def test_a_paid_plan_changes_with_the_next_period(
    newcomer: Member, plan: Plan, place: Place, concierge_user: User, till: TillDay
) -> None:
    other = PlanFactory(landlord=place.landlord, price_cents=100, months=1)
    ask(newcomer, plan)
    pay(newcomer, concierge_user)
    subscription = ask(newcomer, other)
    assert (subscription.plan, subscription.next_plan) == (plan, other)
    later = at_ten(date(2028, 3, 1))
    assert [due.cents for due in due_of(newcomer.household, later)] == [100]
    pay(newcomer, concierge_user, later)
    subscription.refresh_from_db()
    assert (subscription.plan, subscription.next_plan) == (other, None)
    assert subscription.paid_until == date(2028, 4, 8)


def test_a_tenant_s_price_asks_for_the_proof(newcomer: Member, place: Place) -> None:
    tenants = TenantPlanFactory(landlord=place.landlord)
    with pytest.raises(Refused) as refused:
        ask(newcomer, tenants)
    assert refused.value.codes == ["tenants_only"]
    TenancyCheckFactory(member=newcomer)
    assert ask(newcomer, tenants).plan == tenants


def test_offers_are_those_one_may_take(newcomer: Member, plan: Plan, place: Place) -> None:
    tenants = TenantPlanFactory(landlord=place.landlord, price_cents=1200)
    listed = PlanFactory(landlord=place.landlord, audience="listed", price_cents=0)
    PlanFactory(landlord=place.landlord, is_offered=False)
    PlanFactory(landlord__slug="autre", landlord__name="Autre bailleur")
    assert offered_plans(newcomer) == [plan]
    TenancyCheckFactory(member=newcomer)
    listed.listings.create(member=newcomer, listed_at=NOW)
    assert set(offered_plans(newcomer)) == {plan, tenants, listed}


def test_a_free_membership_is_there_at_once(newcomer: Member, place: Place) -> None:
    club = ClubPlanFactory(landlord=place.landlord)
    subscription = ask(newcomer, club)
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert may(newcomer, Activity.CLUB, TODAY, TODAY) is None
    assert borrows(newcomer, TODAY) == "no_right"
    assert due_of(newcomer.household, NOW) == []


def test_a_free_membership_goes_on_by_itself(newcomer: Member, place: Place) -> None:
    subscription = ask(newcomer, ClubPlanFactory(landlord=place.landlord))
    tend(at_ten(date(2028, 3, 9)))
    tend(at_ten(date(2028, 3, 9)))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.paid_until == date(2029, 3, 8)


def test_club_and_subscription_stand_side_by_side(
    newcomer: Member, plan: Plan, place: Place, concierge_user: User, till: TillDay
) -> None:
    ask(newcomer, ClubPlanFactory(landlord=place.landlord))
    ask(newcomer, plan)
    pay(newcomer, concierge_user)
    kinds = Subscription.objects.filter(status=SubscriptionStatus.ACTIVE).values_list("kind")
    assert sorted(kind for (kind,) in kinds) == [PlanKind.MEMBERSHIP, PlanKind.SUBSCRIPTION]


def test_what_is_paid_for_long_is_not_due_again(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    ask(newcomer, plan)
    pay(newcomer, concierge_user)
    assert due_of(newcomer.household, NOW) == []
    assert due_of(newcomer.household, at_ten(date(2028, 1, 7))) == []
    assert len(due_of(newcomer.household, at_ten(date(2028, 1, 8)))) == 1


def test_paying_early_loses_no_day(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    pay(newcomer, concierge_user)
    pay(newcomer, concierge_user, at_ten(date(2028, 2, 1)))
    subscription.refresh_from_db()
    assert subscription.paid_until == date(2029, 3, 8)
    dates = [(p.starts_on, p.ends_on) for p in subscription.periods.all()]
    assert dates == [
        (date(2027, 3, 9), date(2028, 3, 8)),
        (date(2028, 3, 9), date(2029, 3, 8)),
    ]


def test_late_keeps_the_door_open_for_the_grace_and_no_longer(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    pay(newcomer, concierge_user)
    tend(at_ten(date(2028, 3, 8)))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    tend(at_ten(date(2028, 3, 9)))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.LATE
    assert borrows(newcomer, date(2028, 3, 9), date(2028, 3, 23)) is None
    assert borrows(newcomer, date(2028, 3, 9), date(2028, 3, 24)) == "right_ends"
    tend(at_ten(date(2028, 3, 24)))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ENDED
    assert Message.objects.filter(event="subscription.ended").count() == 1


def test_paying_in_the_grace_leaves_no_gap(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    pay(newcomer, concierge_user)
    tend(at_ten(date(2028, 3, 10)))
    pay(newcomer, concierge_user, at_ten(date(2028, 3, 20)))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.paid_until == date(2029, 3, 8)
    assert Right.objects.filter(origin__startswith="grace:", revoked_at=None).count() == 0


def test_paying_after_the_end_begins_on_the_day(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    ask(newcomer, plan)
    pay(newcomer, concierge_user)
    tend(at_ten(date(2028, 3, 9)))
    tend(at_ten(date(2028, 4, 1)))
    again = ask(newcomer, plan, at_ten(date(2028, 5, 31)))
    pay(newcomer, concierge_user, at_ten(date(2028, 5, 31)))
    again.refresh_from_db()
    assert again.paid_until == date(2029, 5, 30)


def test_the_worker_that_was_down_for_a_month_ends_it_at_once(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    pay(newcomer, concierge_user)
    tend(at_ten(date(2028, 4, 15)))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ENDED
    assert borrows(newcomer, date(2028, 4, 15)) == "right_ends"


@pytest.mark.parametrize(
    ("start", "months", "ends"),
    [
        (date(2027, 1, 31), 1, [date(2027, 2, 27), date(2027, 3, 30), date(2027, 4, 29)]),
        (date(2028, 2, 29), 12, [date(2029, 2, 27), date(2030, 2, 27), date(2031, 2, 27)]),
        (date(2027, 3, 28), 1, [date(2027, 4, 27), date(2027, 5, 27), date(2027, 6, 27)]),
        (date(2026, 12, 31), 2, [date(2027, 2, 27), date(2027, 4, 29), date(2027, 6, 29)]),
    ],
)
def test_periods_count_calendar_months_from_the_anchor(
    newcomer: Member, place: Place, start: date, months: int, ends: list[date]
) -> None:
    plan = PlanFactory(landlord=place.landlord, months=months)
    subscription = ask(newcomer, plan, at_ten(start))
    for number, end in enumerate(ends):
        paid_on = start if subscription.paid_until is None else subscription.paid_until
        period = subscriptions.add_period(
            subscription, f"test:{number}", 100, RightSource.PAYMENT, by=None, now=at_ten(paid_on)
        )
        assert period.ends_on == end


def test_the_anchor_comes_back_after_a_leap_year(newcomer: Member, plan: Plan) -> None:
    subscription = ask(newcomer, plan, at_ten(date(2028, 2, 29)))
    for number in range(4):
        paid_on = subscription.paid_until or date(2028, 2, 29)
        period = subscriptions.add_period(
            subscription, f"test:{number}", 1200, RightSource.PAYMENT, by=None, now=at_ten(paid_on)
        )
    assert (period.starts_on, period.ends_on) == (date(2031, 2, 28), date(2032, 2, 28))


def test_the_opposite_receipt_closes_the_door(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    receipt = pay(newcomer, concierge_user)
    opposite = cancel_receipt(receipt, by=concierge_user, now=NOW + timedelta(hours=1))
    subscription.refresh_from_db()
    assert (opposite.cents, str(opposite)) == (-1200, "2027-000002")
    assert subscription.status == SubscriptionStatus.LATE
    assert subscription.paid_until is None
    assert borrows(newcomer, TODAY) == "no_right"
    assert balance_of(newcomer.household) == 0


def test_after_the_opposite_receipt_it_can_be_paid_again(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    cancel_receipt(pay(newcomer, concierge_user), by=concierge_user, now=NOW)
    pay(newcomer, concierge_user)
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    assert subscription.paid_until == date(2028, 3, 8)


def test_stopping_lasts_until_what_is_paid_is_over(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    pay(newcomer, concierge_user)
    subscriptions.stop(subscription, by=newcomer.user, now=NOW)
    assert borrows(newcomer, date(2028, 3, 8)) is None
    tend(at_ten(date(2028, 3, 9)))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.CANCELLED
    assert borrows(newcomer, date(2028, 3, 9)) == "right_ends"


def test_stopping_can_be_taken_back(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    pay(newcomer, concierge_user)
    subscriptions.stop(subscription, by=newcomer.user, now=NOW)
    subscriptions.keep(subscription, by=newcomer.user, now=NOW)
    tend(at_ten(date(2028, 3, 9)))
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.LATE


def test_an_unpaid_one_stops_at_once(newcomer: Member, plan: Plan) -> None:
    subscription = ask(newcomer, plan)
    stopped = subscriptions.stop(subscription, by=newcomer.user, now=NOW)
    assert stopped.status == SubscriptionStatus.CANCELLED
    assert ask(newcomer, plan) != subscription


def test_paused_days_are_given_back(
    newcomer: Member, plan: Plan, concierge_user: User, till: TillDay
) -> None:
    subscription = ask(newcomer, plan)
    pay(newcomer, concierge_user)
    subscriptions.pause(subscription, by=concierge_user, now=at_ten(date(2027, 6, 1)))
    assert borrows(newcomer, date(2027, 6, 2)) == "no_right"
    resumed = subscriptions.resume(subscription, by=concierge_user, now=at_ten(date(2027, 9, 1)))
    left = date(2028, 3, 8) - date(2027, 6, 1)
    assert resumed.paid_until == date(2027, 9, 1) + left
    assert borrows(newcomer, date(2027, 9, 1), resumed.paid_until) is None


def test_a_sponsor_s_code_pays_once_a_household_while_places_are_left(
    place: Place, concierge_user: User
) -> None:
    sponsorship = SponsorshipFactory(plan__landlord=place.landlord, quota=2)
    members = [MemberFactory(place=place) for _ in range(3)]
    for member in members[:2]:
        subscriptions.use_sponsorship(
            member, " " + sponsorship.code.lower(), by=member.user, now=NOW
        )
        assert borrows(member, TODAY) is None
        assert balance_of(member.household) == 0
    with pytest.raises(Refused) as refused:
        subscriptions.use_sponsorship(members[0], sponsorship.code, by=concierge_user, now=NOW)
    assert refused.value.codes == ["code_used"]
    with pytest.raises(Refused) as refused:
        subscriptions.use_sponsorship(members[2], sponsorship.code, by=concierge_user, now=NOW)
    assert refused.value.codes == ["code_spent"]
    sponsorship.refresh_from_db()
    assert sponsorship.used == 2


@pytest.mark.parametrize("code", ["", "RIEN", "\x00", "ETE' OR 1=1"])
def test_an_unknown_code_is_refused(newcomer: Member, code: str) -> None:
    with pytest.raises(Refused) as refused:
        subscriptions.use_sponsorship(newcomer, code, by=newcomer.user, now=NOW)
    assert refused.value.codes == ["code_unknown"]


def test_a_debit_under_way_opens_for_two_weeks_once_a_year(newcomer: Member, plan: Plan) -> None:
    subscription = ask(newcomer, plan)
    assert subscriptions.give_awaited_right(subscription, by=None, now=NOW)
    assert borrows(newcomer, TODAY, date(2027, 3, 22)) is None
    assert borrows(newcomer, TODAY, date(2027, 3, 23)) == "right_ends"
    valuable = may(newcomer, Activity.LENDING, TODAY, TODAY, firm=True)
    assert valuable is not None
    assert valuable.code == "payment_awaited"
    later = at_ten(date(2028, 3, 8))
    assert not subscriptions.give_awaited_right(subscription, by=None, now=later)
    assert subscriptions.give_awaited_right(subscription, by=None, now=later + timedelta(days=1))


def test_a_refused_debit_closes_the_door_and_is_told(newcomer: Member, plan: Plan) -> None:
    subscription = ask(newcomer, plan)
    subscriptions.give_awaited_right(subscription, by=None, now=NOW)
    subscriptions.payment_failed(subscription, by=None, now=NOW)
    subscriptions.payment_failed(subscription, by=None, now=NOW)
    assert borrows(newcomer, TODAY) == "no_right"
    assert Message.objects.filter(event="subscription.payment_failed").count() == 1


def test_who_is_no_tenant_any_more_keeps_what_is_paid(
    newcomer: Member, plan: Plan, place: Place, concierge_user: User, till: TillDay
) -> None:
    tenants = TenantPlanFactory(landlord=place.landlord, price_cents=600)
    TenancyCheckFactory(member=newcomer)
    subscription = ask(newcomer, tenants)
    pay(newcomer, concierge_user)
    TenancyCheckFactory(member=newcomer, result="no", checked_on=date(2027, 9, 1))
    subscriptions.left_the_dwelling(
        newcomer.household, by=concierge_user, now=at_ten(date(2027, 9, 1))
    )
    subscription.refresh_from_db()
    assert subscription.next_plan == plan
    assert borrows(newcomer, date(2028, 3, 8)) is None
    assert [d.cents for d in due_of(newcomer.household, at_ten(date(2028, 3, 1)))] == [1200]


@pytest.mark.parametrize(
    ("cents", "months", "by_month", "words"),
    [
        (1200, 12, True, "1\xa0€ par mois, payé 12\xa0€ par an"),
        (6000, 12, True, "5\xa0€ par mois, payé 60\xa0€ par an"),
        (1000, 12, True, "10\xa0€ par an"),
        (1200, 12, False, "12\xa0€ par an"),
        (100, 1, True, "1\xa0€ par mois"),
        (900, 6, False, "9\xa0€ pour 6\xa0mois"),
        (0, 12, False, "gratuit"),
    ],
)
def test_prices_are_told_whole(cents: int, months: int, by_month: bool, words: str) -> None:
    plan = Plan(price_cents=cents, months=months, told_by_month=by_month)
    assert price_words(plan) == words


def test_the_same_source_gives_one_period(newcomer: Member, plan: Plan) -> None:
    subscription = ask(newcomer, plan)
    add: Any = subscriptions.add_period
    first = add(subscription, "stripe:in_1", 1200, RightSource.PAYMENT, by=None, now=NOW)
    again = add(subscription, "stripe:in_1", 1200, RightSource.PAYMENT, by=None, now=NOW)
    assert first == again
    assert subscription.periods.count() == 1
