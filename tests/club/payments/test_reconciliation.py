"""Each night the provider against the ledger, to the cent: what differs stands on a list."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from club import gateway
from club.domain.ledger import enter
from club.domain.reconciliation import reconcile
from club.enums import DifferenceKind
from club.models import LedgerEntry, Member, ProviderDifference
from club.tasks import read_provider
from concierge.models import Plan, Subscription
from tests.club.payments.house import House, money_here


@pytest.fixture
def paid(house: House, samira: Member, plan: Plan) -> Subscription:
    return house.subscribed(samira, plan)


def open_differences() -> list[tuple[str, int, int]]:
    rows = ProviderDifference.objects.filter(settled_at=None).order_by("pk")
    return list(rows.values_list("kind", "provider_cents", "ledger_cents"))


def ready(client: Client) -> dict[str, Any]:
    return client.get("/healthz/ready").json()["parts"]["payments"]


def test_what_agrees_is_on_no_list(house: House, paid: Subscription, client: Client) -> None:
    assert reconcile(house.now) == []
    assert open_differences() == []
    assert ready(client) == {"up": True, "online": True, "oldest_age": None, "differences": 0}


def test_a_payment_that_nobody_told_is_found_and_written(
    house: House, samira: Member, plan: Plan
) -> None:
    subscription = house.subscribe(samira, plan)
    house.pay(house.begin(samira, subscription))
    assert money_here() == 0
    read_provider(house.now)
    house.work()
    assert money_here() == house.money_there() == 1200
    assert open_differences() == []


def test_a_payment_for_nothing_known_is_on_the_list_until_it_goes_back(
    house: House, paid: Subscription, client: Client, samira: Member
) -> None:
    customer = samira.household.customer.provider_id
    page = gateway.open_page(
        reference="by-hand", customer=customer, facts={}, renews=None, name="?", cents=700,
        expires_at=house.now + timedelta(hours=1), back="http://x.example/", cancelled="http://x.example/",
    )  # fmt: skip
    house.sim.control("pay_session", session=page.id)
    house.hear()
    assert [one.kind for one in reconcile(house.now)] == [DifferenceKind.MISSING]
    reconcile(house.now)
    assert open_differences() == [("missing", 700, 0)]
    assert ready(client)["up"] is False
    assert ready(client)["differences"] == 1


def test_an_entry_that_the_provider_does_not_know(
    house: House, paid: Subscription, samira: Member
) -> None:
    enter(
        kind="payment", account="subscription", cents=500, place=samira.place,
        household=samira.household, subject_kind="subscription", subject_id=paid.pk,
        label="?", source="stripe:pi_nobody", means="card", at=house.now, by=None,
    )  # fmt: skip
    reconcile(house.now)
    assert open_differences() == [("unknown", 0, 500)]


def test_another_amount_is_told_and_settled_when_it_agrees_again(
    house: House, paid: Subscription
) -> None:
    entry = LedgerEntry.objects.get(kind="payment")
    alter(entry, 1199)
    assert [x.kind for x in reconcile(house.now)] == [DifferenceKind.AMOUNT]
    assert open_differences() == [("amount", 1200, 1199)]
    alter(entry, 1200)
    assert reconcile(house.now) == []
    assert open_differences() == []
    assert ProviderDifference.objects.get().settled_at == house.now


def alter(entry: LedgerEntry, cents: int) -> None:
    """As nobody can: the guard of the database is taken off for it."""
    from club.guards import ENTRIES_STAY
    from club.kernel import guards

    guards.remove(ENTRIES_STAY)
    LedgerEntry.objects.filter(pk=entry.pk).update(cents=cents)
    guards.install(connection.alias)


def test_refunds_and_disputes_are_compared_too(house: House, paid: Subscription) -> None:
    entry = LedgerEntry.objects.get(kind="payment")
    intent = entry.source.removeprefix("stripe:")
    gateway.api().refunds.create({"payment_intent": intent, "amount": 300})
    assert [x.provider_cents for x in reconcile(house.now)] == []
    assert money_here() == house.money_there() == 900
    house.sim.control("dispute", payment_intent=intent, amount=900)
    reconcile(house.now)
    assert money_here() == house.money_there() == 0


def test_a_payment_older_than_the_window_is_no_difference(house: House, paid: Subscription) -> None:
    house.pass_time(days=40)
    assert reconcile(house.now) == []


def test_the_provider_down_the_night_fails_and_is_run_again(
    house: House, paid: Subscription
) -> None:
    house.sim.control("faults", rules=[{"kind": "before_write", "times": 30}])
    with pytest.raises(gateway.Unavailable):
        read_provider(house.now)
    house.sim.control("faults", clear=True)
    read_provider(house.now)
    assert open_differences() == []


def test_the_command_compares_and_says_so(house: House, paid: Subscription, capsys: Any) -> None:
    call_command("reconcile", days=10)
    assert "agree" in capsys.readouterr().out
    alter(LedgerEntry.objects.get(kind="payment"), 1)
    with pytest.raises(CommandError):
        call_command("reconcile", days=10)


def test_without_keys_the_night_asks_nobody(settings: Any, db: None, now: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    read_provider(now)
    with pytest.raises(CommandError):
        call_command("reconcile")
