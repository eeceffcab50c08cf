"""What people, the provider and the worker do in the tests of payments."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import time_machine
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from club.domain import checkouts, provider_events
from club.models import Checkout, Household, LedgerEntry, Member
from concierge.domain.subscriptions import subscribe
from concierge.models import Plan, Subscription
from tests.stripesim.process import StripeSim

ORIGIN = "http://testserver"


class House:
    def __init__(self, sim: StripeSim, clock: time_machine.Traveller) -> None:
        self.sim = sim
        self.clock = clock

    @property
    def now(self) -> datetime:
        return timezone.now()

    # -- People

    def subscribe(self, member: Member, plan: Plan) -> Subscription:
        return subscribe(member, plan, place=member.place, by=member.user, now=self.now)

    def begin(self, member: Member, subscription: Subscription) -> Checkout:
        """Press the button; the checkout with its page."""
        self.url(member, subscription)
        return Checkout.objects.filter(household=member.household).latest("pk")

    def url(self, member: Member, subscription: Subscription) -> str:
        return checkouts.begin_checkout(
            member, "subscription", subscription.pk, origin=ORIGIN, by=member.user, now=self.now
        )

    def pay(self, checkout: Checkout, method: str = "card", **wanted: Any) -> Any:
        return self.sim.control("pay_session", session=checkout.session_id, method=method, **wanted)

    def subscribed(self, member: Member, plan: Plan, method: str = "card") -> Subscription:
        """All of it, to the end."""
        subscription = self.subscribe(member, plan)
        self.pay(self.begin(member, subscription), method)
        self.hear()
        subscription.refresh_from_db()
        return subscription

    # -- The provider's messages and the worker

    def hear(self) -> None:
        """Every message arrives (those that did not come before), and is worked off."""
        provider_events.fetch_lost(self.now)
        self.work()

    def tasks(self) -> list[str]:
        return [SignedPackage.loads(row.payload)["func"] for row in OrmQ.objects.order_by("pk")]

    def work(self, rounds: int = 20) -> None:
        """Do what is on the queue, and what that puts there."""
        for _round in range(rounds):
            rows = list(OrmQ.objects.order_by("pk"))
            if not rows:
                return
            for row in rows:
                run(SignedPackage.loads(row.payload))
                row.delete()
        raise AssertionError(f"The queue does not end: {self.tasks()}")

    def forget(self) -> None:
        """The worker was killed with the tasks in its hand."""
        OrmQ.objects.all().delete()

    def pass_time(self, **parts: float) -> None:
        step = timedelta(**parts)
        self.sim.control("clock", advance_seconds=step.total_seconds())
        self.clock.shift(step)

    # -- What there is

    def state(self) -> Any:
        return self.sim.control("state")

    def money_there(self) -> int:
        """Received, less given back, less taken back by banks."""
        total = self.state()["total"]
        return int(total["received"] - total["refunded"] - total["disputed"])

    def objects(self, kind: str, **wanted: Any) -> list[Any]:
        from club import gateway

        service = gateway.api()
        for name in kind.split("."):
            service = getattr(service, name)
        return list(service.list({"limit": 100, **wanted}).auto_paging_iter())

    def calls(self, method: str, path: str) -> list[Any]:
        return [
            call
            for call in self.sim.control("log")
            if call["method"] == method and call["path"] == path
        ]


def run(task: dict[str, Any]) -> None:
    module, _dot, name = task["func"].rpartition(".")
    getattr(import_module(module), name)(*task["args"], **task["kwargs"])


def money_here(household: Household | None = None) -> int:
    rows = LedgerEntry.objects.exclude(kind="charge").filter(means__in=["card", "sepa"])
    if household is not None:
        rows = rows.filter(household=household)
    return sum(rows.values_list("cents", flat=True))


def entries(household: Household) -> list[tuple[str, int]]:
    return list(
        LedgerEntry.objects.filter(household=household).order_by("pk").values_list("kind", "cents")
    )
