"""Ten years of a household: whatever happens in whatever order, the books hold.

Days pass in jumps; the person pays, is refunded, stops, changes the plan, leaves the
landlord's dwelling, is sponsored. Beside the product stands a plain count of the money.
"""

import contextlib
import itertools
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from club.domain.ledger import balance_of
from club.domain.receipts import cancel_receipt, take_payment
from club.enums import Activity, Means
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.kernel.spans import at
from club.models import LedgerEntry, Member, Place, Receipt, Right, User
from club.queries.entitlement import may
from concierge.domain import subscriptions
from concierge.enums import OPEN_SUBSCRIPTIONS, SubscriptionStatus
from concierge.models import Plan, Subscription, SubscriptionPeriod
from tests.factories.club import AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.money import PlanFactory, SponsorshipFactory, TillDayFactory

FIRST = date(2027, 1, 31)
TEN_YEARS = 3653
ACTS = ("ask", "pay", "cancel", "stop", "keep", "change", "pause", "resume", "sponsor")

life = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(ACTS)), min_size=5, max_size=30
)  # fmt: skip


class Life:
    """One household with its desk; `money` is what is in its hands at the end."""

    def __init__(self) -> None:
        self.place: Place = PlaceFactory()
        self.place.sign_off_cents = 10**6
        self.place.save()
        self.member: Member = MemberFactory(place=self.place)
        self.desk: User = AssignmentFactory(place=self.place).user
        TillDayFactory(place=self.place, opened_by=self.desk)
        self.plans: list[Plan] = [
            PlanFactory(landlord=self.place.landlord, price_cents=1200, months=12),
            PlanFactory(landlord=self.place.landlord, price_cents=100, months=1, grace_days=5),
        ]
        self.code = SponsorshipFactory(plan=self.plans[0], ends_on=date(2099, 1, 1)).code
        self.day = FIRST
        self.money = 0
        self.receipts: list[int] = []

    @property
    def now(self) -> datetime:
        return at(self.day, time(10))

    def current(self) -> Subscription | None:
        return Subscription.objects.filter(status__in=OPEN_SUBSCRIPTIONS).first()

    def live(self, act: str) -> None:
        with contextlib.suppress(Refused):
            getattr(self, act)()

    def ask(self) -> None:
        subscriptions.subscribe(
            self.member, self.plans[0], place=self.place, by=self.desk, now=self.now
        )

    def change(self) -> None:
        subscriptions.subscribe(
            self.member, self.plans[1], place=self.place, by=self.desk, now=self.now
        )

    def pay(self) -> None:
        receipt = take_payment(
            member=self.member,
            place=self.place,
            lines=due_of(self.member.household, self.now),
            means=Means.CASH,
            by=self.desk,
            now=self.now,
        )
        self.money += receipt.cents
        self.receipts.append(receipt.pk)

    def cancel(self) -> None:
        if self.receipts:
            receipt = Receipt.objects.get(pk=self.receipts[-1])
            opposite = cancel_receipt(receipt, by=self.desk, now=self.now)
            self.receipts.pop()
            self.money += opposite.cents

    def of_current(self, verb: str) -> None:
        subscription = self.current()
        if subscription is not None:
            getattr(subscriptions, verb)(subscription, by=self.desk, now=self.now)

    def stop(self) -> None:
        self.of_current("stop")

    def keep(self) -> None:
        self.of_current("keep")

    def pause(self) -> None:
        self.of_current("pause")

    def resume(self) -> None:
        self.of_current("resume")

    def sponsor(self) -> None:
        subscriptions.use_sponsorship(self.member, self.code, by=self.desk, now=self.now)


def books_hold(house: Life) -> None:
    entries = LedgerEntry.objects.exclude(kind="charge")
    assert sum(entries.values_list("cents", flat=True)) == house.money
    assert balance_of(house.member.household) == 0
    for year in Receipt.objects.values_list("year", flat=True).distinct():
        numbers = list(
            Receipt.objects.filter(year=year).order_by("number").values_list("number", flat=True)
        )
        assert numbers == list(range(1, len(numbers) + 1))


def periods_hold() -> None:
    """No overlap; each live period follows on, or begins after the grace had run out."""
    for subscription in Subscription.objects.all():
        live = list(subscription.periods.filter(revoked_at=None).order_by("starts_on"))
        for before, after in itertools.pairwise(live):
            assert before.ends_on < after.starts_on
        for period in live:
            rights = Right.objects.filter(origin=period.origin)
            held = {(right.starts_on, right.ends_on) for right in rights}
            assert held == {(period.starts_on, period.ends_on)}
            assert rights.count() == len(period.plan.activities)
    assert Subscription.objects.filter(status__in=OPEN_SUBSCRIPTIONS).count() <= 1


def doors_hold(house: Life) -> None:
    """Who has paid is never turned away, and money alone opens."""
    today = house.day
    paid = SubscriptionPeriod.objects.filter(
        revoked_at=None, starts_on__lte=today, ends_on__gte=today
    ).exclude(subscription__status=SubscriptionStatus.PAUSED)
    reason = may(house.member, Activity.LENDING, today, today)
    ever_paused = Subscription.objects.exclude(paused_at=None).exists()
    if paid.exists() and not ever_paused:
        assert reason is None
    if not SubscriptionPeriod.objects.exists():
        assert reason is not None


@pytest.mark.django_db
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=life)
def test_whatever_happens_in_ten_years_the_books_hold(db: None, story: list) -> None:
    from django.db import transaction

    with transaction.atomic():
        house = Life()
        for days, act in story:
            house.day = min(house.day + timedelta(days=days), FIRST + timedelta(days=TEN_YEARS))
            subscriptions.tend(house.now)
            house.live(act)
            books_hold(house)
            periods_hold()
            doors_hold(house)
        transaction.set_rollback(True)
