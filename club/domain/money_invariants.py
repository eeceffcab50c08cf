"""What always holds of money: receipts without a gap, sums, the provider's names."""

from collections.abc import Iterator

from django.db.models import Count, F, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from club.domain.invariants import SHOWN, register_status_of
from club.domain.refunds import COUNTING
from club.enums import ONLINE_MEANS, EntryKind, RefundStatus
from club.kernel import invariants
from club.kernel.invariants import Invariant
from club.models import Checkout, LedgerEntry, Mandate, Receipt, ReceiptSeries, Refund


def receipts_without_gap() -> Iterator[str]:
    """From 1 to the last, each number once; the series stands at the last."""
    counted = Receipt.objects.values("place", "year").annotate(n=Count("pk"), last=Max("number"))
    found = {(row["place"], row["year"]): row for row in counted}
    for series in ReceiptSeries.objects.all():
        row = found.pop((series.place_id, series.year), {"n": 0, "last": 0})
        if not row["n"] == row["last"] == series.last:
            yield (
                f"place {series.place_id}, {series.year}: {row['n']} receipts, the highest"
                f" is {row['last']}, the series stands at {series.last}"
            )
    for place_id, year in found:
        yield f"place {place_id}, {year}: receipts without a series"


def receipts_and_entries() -> Iterator[str]:
    moved = (
        LedgerEntry.objects.filter(receipt=OuterRef("pk"))
        .exclude(kind=EntryKind.CHARGE)
        .order_by()
        .values("receipt")
        .annotate(sum=Sum("cents"))
        .values("sum")
    )
    wrong = Receipt.objects.annotate(moved=Coalesce(Subquery(moved), 0)).exclude(moved=F("cents"))
    for pk, cents, sum_ in wrong.values_list("pk", "cents", "moved")[:SHOWN]:
        yield f"receipt {pk} says {cents} cents, its entries {sum_}"


def reversals_are_opposite() -> Iterator[str]:
    wrong = LedgerEntry.objects.exclude(reverses=None).exclude(
        cents=-F("reverses__cents"),
        kind=F("reverses__kind"),
        subject_id=F("reverses__subject_id"),
    )
    for pk in wrong.values_list("pk", flat=True)[:SHOWN]:
        yield f"entry {pk} is not the opposite of what it reverses"


def online_money_has_a_name() -> Iterator[str]:
    """What moved on line carries the name that it has at the provider, or undoes one."""
    named = Q(source__startswith="stripe:") | Q(reverses__source__startswith="stripe:")
    online = LedgerEntry.objects.filter(means__in=ONLINE_MEANS)
    for pk in online.exclude(named).values_list("pk", flat=True)[:SHOWN]:
        yield f"entry {pk} moved on line and names nothing there"
    offline = LedgerEntry.objects.filter(source__startswith="stripe:")
    for pk in offline.exclude(means__in=ONLINE_MEANS).values_list("pk", flat=True)[:SHOWN]:
        yield f"entry {pk} names the provider and did not move on line"


def refunds_within_payments() -> Iterator[str]:
    asked = (
        Refund.objects.filter(status__in=COUNTING)
        .order_by()
        .values("entry")
        .annotate(sum=Sum("cents"))
        .filter(sum__gt=F("entry__cents"))
    )
    for row in asked[:SHOWN]:
        yield f"entry {row['entry']} is refunded beyond what was paid: {row['sum']} cents"


def refunds_in_the_ledger() -> Iterator[str]:
    rows = LedgerEntry.objects.filter(kind=EntryKind.REFUND, reverses=None, reversed_by=None)
    written = {
        source.removeprefix("stripe:"): cents
        for source, cents in rows.values_list("source", "cents")
    }
    for refund in Refund.objects.filter(status=RefundStatus.DONE).iterator():
        if written.pop(refund.provider_id or "", None) != -refund.cents:
            yield f"refund {refund.pk} is done, and the ledger does not say so"
    waiting = Refund.objects.filter(status=RefundStatus.SENDING, provider_id__in=list(written))
    known = set(waiting.values_list("provider_id", flat=True))
    for name in sorted(set(written) - known)[:SHOWN]:
        yield f"the ledger has a refund {name} that nobody asked for"


def register() -> None:
    invariants.register(
        Invariant("receipts", "Receipts are numbered without a gap.", receipts_without_gap),
        Invariant("receipt-sums", "A receipt is the sum of its entries.", receipts_and_entries),
        Invariant("reversals", "A reversal is the opposite of its entry.", reversals_are_opposite),
        Invariant("online", "What moved on line has its name there.", online_money_has_a_name),
        Invariant("refunds", "No payment is refunded beyond itself.", refunds_within_payments),
        Invariant("refunded", "A refund that is done is in the ledger.", refunds_in_the_ledger),
    )
    register_status_of(Checkout, Refund, Mandate)
