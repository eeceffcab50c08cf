"""Money under races: one receipt a press, numbers without a gap, no period twice."""

import threading
from datetime import date

import pytest
from django.db import connection, transaction
from django.db.models import Max

from club.domain import receipts
from club.domain.receipts import take_payment
from club.domain.till import close_till_day, expected_cash
from club.enums import Means
from club.kernel import guards
from club.kernel.purchases import due_of
from club.models import LedgerEntry, Receipt, ReceiptSeries
from concierge.domain.subscriptions import subscribe, use_sponsorship
from concierge.guards import ONE_PERIOD
from concierge.models import Sponsorship, Subscription, SubscriptionPeriod
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.money import PlanFactory, SponsorshipFactory, TillDayFactory

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 6


@pytest.fixture
def counter():
    """A place with an open till, and people who have asked for the same plan."""
    place = PlaceFactory()
    plan = PlanFactory(landlord=place.landlord)
    by = AssignmentFactory(place=place).user
    TillDayFactory(place=place, opened_by=by)
    members = [MemberFactory(place=place) for _ in range(PEOPLE)]
    for member in members:
        subscribe(member, plan, place=place, by=by, now=NOW)
    return place, by, members


def paying(place, by, form_key=None):
    def call(member):
        return take_payment(
            member=member,
            place=place,
            lines=due_of(member.household, NOW),
            means=Means.CASH,
            by=by,
            now=NOW,
            form_key=form_key,
        )

    return call


def numbers() -> list[int]:
    return sorted(Receipt.objects.values_list("number", flat=True))


def test_without_the_lock_two_receipts_take_one_number(counter, race, seed, monkeypatch):
    """The race is real: reading the last number and adding one gives it twice. On SQLite
    a write transaction is alone from its start, so there the number is read before it."""
    place, by, members = counter
    gate = threading.Barrier(PEOPLE)
    ReceiptSeries.objects.create(place=place, year=2027)

    def read_then_write(member):
        highest = Receipt.objects.aggregate(last=Max("number"))["last"] or 0
        gate.wait(timeout=20)
        with transaction.atomic():
            monkeypatch.setattr(receipts, "next_number", lambda place, year: highest + 1)
            return paying(place, by)(member)

    answers = race(read_then_write, members)
    assert len(accepted(answers)) < PEOPLE


def test_each_receipt_has_its_number_and_none_is_missing(counter, race, seed):
    place, by, members = counter
    answers = race(paying(place, by), members)
    assert unexpected(answers) == []
    assert numbers() == list(range(1, PEOPLE + 1))
    assert ReceiptSeries.objects.get().last == PEOPLE


def test_a_double_click_is_one_receipt(counter, race, seed):
    place, by, members = counter
    answers = race(paying(place, by, form_key="one-press"), [members[0]] * PEOPLE)
    assert unexpected(answers) == []
    assert numbers() == [1]
    assert len(accepted(answers)) >= 1
    assert SubscriptionPeriod.objects.count() == 1
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0


def test_six_tabs_ask_and_there_is_one_subscription(race, seed):
    place = PlaceFactory()
    plan = PlanFactory(landlord=place.landlord)
    member = MemberFactory(place=place)
    answers = race(
        lambda _n: subscribe(member, plan, place=place, by=member.user, now=NOW),
        list(range(PEOPLE)),
    )
    assert unexpected(answers) == []
    assert Subscription.objects.count() == 1


def test_the_last_sponsored_place_is_given_once(race, seed):
    place = PlaceFactory()
    sponsorship = SponsorshipFactory(plan__landlord=place.landlord, quota=2)
    members = [MemberFactory(place=place) for _ in range(PEOPLE)]
    answers = race(
        lambda member: use_sponsorship(member, sponsorship.code, by=member.user, now=NOW), members
    )
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 2
    assert Sponsorship.objects.get().used == 2


@pytest.mark.parametrize("guarded", [False, True])
def test_the_database_refuses_two_periods_at_once(counter, guarded):
    _place, _by, members = counter
    subscription = Subscription.objects.get(household=members[0].household)

    def period(source, first, last):
        SubscriptionPeriod.objects.create(
            subscription=subscription,
            plan=subscription.plan,
            starts_on=first,
            ends_on=last,
            cents=1,
            source=source,
            created_at=NOW,
        )

    period("a", date(2027, 1, 1), date(2027, 1, 31))
    if not guarded:
        guards.remove(ONE_PERIOD)
        try:
            period("b", date(2027, 1, 31), date(2027, 2, 27))
            assert SubscriptionPeriod.objects.count() == 2
        finally:
            SubscriptionPeriod.objects.all().delete()
            guards.install(only=ONE_PERIOD)
        return
    with pytest.raises(Exception, match=ONE_PERIOD.name):
        period("b", date(2027, 1, 31), date(2027, 2, 27))
    connection.close()
    period("c", date(2027, 2, 1), date(2027, 2, 27))
    SubscriptionPeriod.objects.filter(source="a").update(revoked_at=NOW)
    period("d", date(2027, 1, 1), date(2027, 1, 31))


def test_the_count_has_all_that_was_taken_before_it(counter, race, seed):
    """Closing while others take cash: each receipt is in the count, or was refused."""
    place, by, members = counter
    till = TillDayFactory._meta.model.objects.get()

    def act(who):
        if who is None:
            return close_till_day(till, {5000: 1}, by=by, now=NOW)
        return paying(place, by)(who)

    answers = race(act, [*members, None])
    assert unexpected(answers) == []
    till.refresh_from_db()
    taken = Receipt.objects.filter(till=till).count()
    assert till.expected_cents == till.float_cents + 1200 * taken
    assert expected_cash(till) == till.expected_cents
    assert numbers() == list(range(1, taken + 1))


def test_the_series_is_made_once(race, seed):
    place = PlaceFactory()
    with_number = race(lambda _n: receipts.next_number(place, 2027), list(range(PEOPLE)))
    assert unexpected(with_number) == []
    assert ReceiptSeries.objects.get(place=place).last == PEOPLE
