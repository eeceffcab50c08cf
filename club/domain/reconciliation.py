"""The provider against the ledger, amount by amount, to the cent.

Each night what moved at the provider is held against the rows that carry its name. What
differs is first read once more, and then stands on a list until it agrees.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from club import gateway
from club.domain.sync import active_since, sync
from club.enums import DifferenceKind
from club.gateway import Moved
from club.kernel.transactions import in_one_transaction
from club.models import Customer, LedgerEntry, ProviderDifference

logger = logging.getLogger(__name__)

ACTIVE = timedelta(days=3)
WINDOW = timedelta(days=35)
"""A night looks back so far: a month that was closed in between is seen twice."""


@dataclass(frozen=True)
class Difference:
    kind: str
    provider_id: str
    provider_cents: int
    ledger_cents: int


def read_active(now: datetime) -> int:
    """Read every customer about whom something happened lately; one that fails waits."""
    failed = 0
    for pk in active_since(now - ACTIVE):
        try:
            sync(pk, now=now)
        except gateway.Unavailable:
            failed += 1
    return failed


def reconcile(now: datetime, *, since: datetime | None = None) -> list[Difference]:
    """Compare, read again what differs, compare again, and write down what is left."""
    start = since or now - WINDOW
    moved = gateway.moved_since(start)
    found = list(differences(moved, start))
    if found:
        read_again(found, moved, now)
        found = list(differences(moved, start))
    write_down(found, now=now)
    for one in found:
        logger.error(
            "Difference with the provider: %s %s, %d cents there, %d here.",
            one.kind, one.provider_id, one.provider_cents, one.ledger_cents,
        )  # fmt: skip
    return found


def differences(moved: list[Moved], start: datetime) -> Iterator[Difference]:
    there = {one.id: one.cents for one in moved}
    rows = LedgerEntry.objects.filter(reverses=None, source__startswith="stripe:")
    here = {
        source.removeprefix("stripe:"): (cents, reversal is not None)
        for source, cents, reversal in rows.filter(at__gte=start).values_list(
            "source", "cents", "reversed_by"
        )
    }
    older = [f"stripe:{key}" for key in there if key not in here]
    for at in range(0, len(older), 500):
        found = rows.filter(source__in=older[at : at + 500])
        for source, cents, reversal in found.values_list("source", "cents", "reversed_by"):
            here[source.removeprefix("stripe:")] = (cents, reversal is not None)
    for key, cents in there.items():
        if key not in here or here[key][1]:
            yield Difference(DifferenceKind.MISSING, key, cents, 0)
        elif here[key][0] != cents:
            yield Difference(DifferenceKind.AMOUNT, key, cents, here[key][0])
    for key, (cents, is_reversed) in here.items():
        if key in there:
            continue
        known = gateway.moved_one(key)
        if known is None and not is_reversed:
            yield Difference(DifferenceKind.UNKNOWN, key, 0, cents)
        elif known is not None and is_reversed:
            yield Difference(DifferenceKind.MISSING, key, known.cents, 0)
        elif known is not None and known.cents != cents:
            yield Difference(DifferenceKind.AMOUNT, key, known.cents, cents)


def read_again(found: list[Difference], moved: list[Moved], now: datetime) -> None:
    """Whose money it is: a payment names its customer, what came of it names the payment."""
    wanted = {one.provider_id for one in found}
    named = [one for one in moved if one.id in wanted]
    of_payment = LedgerEntry.objects.filter(source__in=[f"stripe:{one.payment}" for one in named])
    customers = Customer.objects.filter(
        Q(provider_id__in=[one.customer for one in named if one.customer])
        | Q(household__in=of_payment.values("household"))
    )
    for pk in customers.values_list("pk", flat=True):
        try:
            sync(pk, now=now)
        except gateway.Unavailable as error:
            logger.warning("The customer %s could not be read: %s", pk, error)


@in_one_transaction
def write_down(found: list[Difference], *, now: datetime) -> None:
    """One open row for each difference; what agrees again is settled."""
    standing = {(one.kind, one.provider_id) for one in found}
    for row in ProviderDifference.objects.filter(settled_at=None):
        if (row.kind, row.provider_id) not in standing:
            row.settled_at = now
            row.save(update_fields=["settled_at"])
    ProviderDifference.objects.bulk_create(
        [
            ProviderDifference(
                kind=one.kind,
                provider_id=one.provider_id,
                provider_cents=one.provider_cents,
                ledger_cents=one.ledger_cents,
                found_at=now,
            )
            for one in found
        ],
        ignore_conflicts=True,
    )
