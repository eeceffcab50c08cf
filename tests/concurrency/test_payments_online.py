"""Several at once: presses, readings, refunds of one payment. Real threads, real commits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from club.domain import checkouts, refunds, sync
from club.domain.checkouts import begin_checkout
from club.enums import CheckoutStatus, RefundReason
from club.models import Checkout, LedgerEntry, Member, Place, Refund, User
from concierge.domain.subscriptions import subscribe
from concierge.models import Subscription, SubscriptionPeriod
from tests.club.payments.house import money_here
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import MemberFactory, UserFactory
from tests.factories.money import PlanFactory
from tests.stripesim.fixtures import stripesim, stripesim_process
from tests.stripesim.process import StripeSim

__all__ = ["stripesim", "stripesim_process"]

pytestmark = pytest.mark.django_db(transaction=True)
Race = Callable[..., list[Any]]
SAME = 6


@pytest.fixture
def provider(stripesim: StripeSim, settings: Any) -> StripeSim:
    settings.STRIPE_SECRET_KEY = "sk_test_race"
    settings.STRIPE_WEBHOOK_SECRET = stripesim.secret
    settings.STRIPE_API_BASE = stripesim.base
    return stripesim


@pytest.fixture
def samira(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def asked(provider: StripeSim, samira: Member) -> Subscription:
    plan = PlanFactory(landlord=samira.household.landlord)
    return subscribe(samira, plan, place=samira.place, by=samira.user, now=timezone.now())


def press(samira: Member, asked: Subscription) -> str:
    return begin_checkout(
        samira, "subscription", asked.pk, origin="http://testserver", by=samira.user,
        now=timezone.now(),
    )  # fmt: skip


def test_presses_at_once_lead_to_one_page(
    race: Race, samira: Member, asked: Subscription, seed: int
) -> None:
    answers = race(lambda _n: press(samira, asked), list(range(SAME)))
    assert unexpected(answers) == []
    assert len(set(answers)) == 1
    assert Checkout.objects.filter(status=CheckoutStatus.OPEN).count() == 1


def test_without_the_lock_presses_would_fail_on_the_index(
    race: Race,
    samira: Member,
    asked: Subscription,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Teeth: the database still keeps it to one page, but a person would see an error."""
    if connection.vendor == "sqlite":
        pytest.skip("A write transaction of SQLite is alone from its start.")
    monkeypatch.setattr(checkouts, "hold", lambda instance: None)
    failed = False
    for _ in range(20):
        Checkout.objects.all().delete()
        answers = race(lambda _n: press(samira, asked), list(range(SAME)))
        assert Checkout.objects.filter(status=CheckoutStatus.OPEN).count() == 1
        failed = failed or any(isinstance(answer, IntegrityError) for answer in answers)
        if failed:
            break
    assert failed


@pytest.fixture
def paid(provider: StripeSim, samira: Member, asked: Subscription) -> LedgerEntry:
    pay(provider, samira, asked)
    sync.sync(samira.household.customer.pk, now=timezone.now())
    return LedgerEntry.objects.get(kind="payment")


def pay(provider: StripeSim, samira: Member, asked: Subscription) -> None:
    press(samira, asked)
    provider.control("pay_session", session=Checkout.objects.get().session_id)


def test_readings_at_once_write_one_payment(
    race: Race, provider: StripeSim, samira: Member, asked: Subscription, seed: int
) -> None:
    pay(provider, samira, asked)
    customer = samira.household.customer.pk
    answers = race(lambda _n: sync.sync(customer, now=timezone.now()), list(range(SAME)))
    assert unexpected(answers) == []
    assert LedgerEntry.objects.filter(kind="payment").count() == 1
    assert SubscriptionPeriod.objects.count() == 1
    assert samira.household.receipts.count() == 1
    assert money_here() == 1200


def ask(entry: LedgerEntry, by: User) -> Refund:
    return refunds.ask_refund(entry, 500, RefundReason.MISTAKE, by=by, now=timezone.now())


def test_refunds_at_once_are_never_more_than_the_payment(
    race: Race, paid: LedgerEntry, seed: int
) -> None:
    people = [UserFactory() for _ in range(SAME)]
    answers = race(lambda by: ask(paid, by), people)
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 2
    assert refunds.left_to_refund(paid) == 200


def test_without_the_lock_more_would_be_given_back_than_was_paid(
    race: Race, paid: LedgerEntry, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("A write transaction of SQLite is alone from its start.")
    monkeypatch.setattr(refunds, "lock_payer", lambda entry: None)
    most = 0
    for _ in range(20):
        Refund.objects.all().delete()
        people = [UserFactory() for _ in range(SAME)]
        race(lambda by: ask(paid, by), people)
        most = max(most, Refund.objects.count())
        if most > 2:
            break
    assert most > 2
