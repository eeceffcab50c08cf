"""Many payments over HTTP while everything goes wrong: the sums agree to the cent.

Real threads are the worker; the provider is a process of its own; its messages are lost,
doubled, late, out of order or spoiled; its answers are 500s before and after the write,
or nothing. `PAYMENTS=1000` is the long run, `STORM_SEED` repeats one.
"""

import os
import random
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from club import gateway
from club.domain import checkouts, provider_events, reconciliation, sync
from club.kernel.invariants import all_invariants
from club.models import Checkout, Customer, LedgerEntry, Member, Place, ProviderEvent, Refund
from club.tasks import sweep_payments
from concierge.domain.subscriptions import subscribe
from concierge.enums import SubscriptionStatus
from concierge.models import Subscription, SubscriptionPeriod
from tests.club.payments.house import money_here, run
from tests.factories.club import MemberFactory
from tests.factories.money import PlanFactory
from tests.stripesim.process import StripeSim

pytestmark = pytest.mark.django_db(transaction=True)
MANY = int(os.environ.get("PAYMENTS", "60"))
WORKERS, PAYERS = 3, 4
ANSWERS = {
    "before_write": 0.03,
    "after_write": 0.03,
    "close_before": 0.02,
    "rate_limit": 0.01,
    "delay": 0.03,
}
MESSAGES = {"drop": 0.15, "duplicate": 0.2, "reorder": 0.3, "corrupt": 0.05, "delay": 0.2}


@pytest.fixture
def seed(capsys: pytest.CaptureFixture[str]) -> int:
    value = int(os.environ.get("STORM_SEED", random.SystemRandom().randrange(10**6)))
    with capsys.disabled():
        print(f"\nSTORM_SEED={value}", end=" ")
    return value


@pytest.fixture
def storm(stripesim: StripeSim, settings: Any, live_server: Any, seed: int) -> StripeSim:
    settings.STRIPE_SECRET_KEY = "sk_test_storm"
    settings.STRIPE_WEBHOOK_SECRET = stripesim.secret
    settings.STRIPE_API_BASE = stripesim.base
    stripesim.control("webhook", url=f"{live_server.url}/stripe/webhook/")
    stripesim.control(
        "delivery", seed=seed, rates=MESSAGES, retries=2, retry_seconds=0.1, workers=4
    )
    stripesim.control("mode", allow_pay_expired=True)
    stripesim.control("faults", seed=seed, rates=ANSWERS, seconds=0.05)
    return stripesim


class Workers:
    """Threads that take tasks off the queue as the cluster does; some die with theirs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.killed = 0
        self.threads = [threading.Thread(target=self.loop) for _ in range(WORKERS)]

    def take(self) -> dict[str, Any] | None:
        with self.lock:
            row = OrmQ.objects.order_by("pk").first()
            if row is None:
                return None
            task = SignedPackage.loads(row.payload)
            row.delete()
            if self.random.random() < 0.1:
                self.killed += 1
                return {}
            return task

    def loop(self) -> None:
        while not self.stop.is_set():
            try:
                task = self.take()
                if task is None:
                    time.sleep(0.02)
                elif task:
                    run(task)
            except (gateway.Unavailable, gateway.Declined, OperationalError):
                continue
        connections.close_all()

    def __enter__(self) -> "Workers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join(60)


def press(member: Member, subscription: Subscription, chance: random.Random) -> Checkout | None:
    """Press until there is a page; some press twice, some come back later."""
    for _ in range(40):
        try:
            for _twice in range(chance.choice([1, 1, 2])):
                checkouts.begin_checkout(
                    member, "subscription", subscription.pk,
                    origin="http://testserver", by=member.user, now=timezone.now(),
                )  # fmt: skip
        except (gateway.Unavailable, gateway.Declined):
            continue
        return Checkout.objects.filter(household=member.household).latest("pk")
    return None


def pay_all(
    sim: StripeSim, asked: list[tuple[Member, Subscription]], seed: int, faults: list[str]
) -> None:
    chance = random.Random(seed)
    try:
        for member, subscription in asked:
            checkout = press(member, subscription, chance)
            assert checkout is not None
            if chance.random() < 0.1:
                # The page is closed here, another is opened, and both are paid.
                Checkout.objects.filter(pk=checkout.pk).update(expires_at=timezone.now())
                second = press(member, subscription, chance)
                assert second is not None
                sim.control("pay_session", session=second.session_id)
            sim.control("pay_session", session=checkout.session_id)
    except Exception as error:
        faults.append(repr(error))
    finally:
        connections.close_all()


def settle_down(sim: StripeSim) -> None:
    """The wind drops: the sweeper, the hourly list and the nightly reading do their work."""
    sim.control("faults", clear=True)
    sim.control("delivery", mode="now")
    sim.control("wait", timeout=60)
    later = timezone.now() + timedelta(hours=13)
    provider_events.fetch_lost(timezone.now())
    for _ in range(6):
        drain()
        sweep_payments(later)
    for customer in Customer.objects.all():
        sync.sync(customer.pk, now=timezone.now())
    drain()


def drain() -> None:
    while True:
        rows = list(OrmQ.objects.order_by("pk"))
        if not rows:
            return
        for row in rows:
            run(SignedPackage.loads(row.payload))
            row.delete()


@pytest.mark.timeout(3600)
def test_after_a_storm_the_money_here_is_the_money_there(
    storm: StripeSim, place: Place, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = PlanFactory(landlord=place.landlord)
    now = timezone.now()
    asked = []
    for _ in range(MANY):
        member = MemberFactory(place=place)
        asked.append((member, subscribe(member, plan, place=place, by=member.user, now=now)))
    faults: list[str] = []
    with Workers(seed) as workers:
        payers = [
            threading.Thread(target=pay_all, args=(storm, asked[n::PAYERS], seed + n, faults))
            for n in range(PAYERS)
        ]
        for payer in payers:
            payer.start()
        for payer in payers:
            payer.join()
        storm.control("wait", timeout=60)
    assert faults == []
    settle_down(storm)

    total = storm.control("state")["total"]
    there = total["received"] - total["refunded"]
    assert total["received"] >= MANY * 1200
    assert money_here() == there == MANY * 1200
    assert set(Subscription.objects.values_list("status", flat=True)) == {SubscriptionStatus.ACTIVE}
    assert SubscriptionPeriod.objects.filter(revoked_at=None).count() == MANY
    assert SubscriptionPeriod.objects.count() == MANY
    rows = LedgerEntry.objects.filter(kind="payment")
    assert rows.count() == total["received"] // 1200
    assert Refund.objects.count() == total["received"] // 1200 - MANY
    assert not ProviderEvent.objects.filter(done_at=None).exists()
    assert reconciliation.reconcile(timezone.now()) == []
    broken = {one.name: list(one.violations()) for one in all_invariants()}
    assert {name: found for name, found in broken.items() if found} == {}
    living = [
        x.status
        for x in gateway.api().subscriptions.list({"limit": 100}).auto_paging_iter()
        if x.status not in gateway.ENDED
    ]
    assert living == ["active"] * MANY
    with capsys.disabled():
        lost = len(storm.control("state")["lost"])
        print(
            f"{MANY} households, {rows.count()} payments, {workers.killed} tasks killed,"
            f" {lost} messages lost",
            end=" ",
        )
