"""What always holds of orders, whatever happened."""

from collections.abc import Iterator

from django.db.models import F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from club.domain.invariants import SHOWN, register_status_of, twice
from club.enums import EntryKind
from club.kernel import invariants
from club.kernel.invariants import Invariant
from club.models import LedgerEntry
from concierge.domain.order_fees import KIND
from concierge.enums import BAKED_FOR, DeliveryStatus, OrderStatus
from concierge.models import Delivery, DeliveryStock, Order, OrderLine

PROMISED = OrderLine.objects.filter(order__status__in=BAKED_FOR)


def summed(rows: QuerySet, key: str, of: object) -> Coalesce:
    sums = rows.order_by().values(key).annotate(n=Sum(of)).values("n")
    return Coalesce(Subquery(sums, output_field=IntegerField()), 0)


def promised_is_counted() -> Iterator[str]:
    """The counters say what the rows say, and no more than there is."""
    of_stock = summed(PROMISED.filter(stock=OuterRef("pk")), "stock", "quantity")
    wrong = DeliveryStock.objects.annotate(n=of_stock).filter(
        ~Q(ordered=F("n")) | Q(most__lt=F("ordered"))
    )
    for pk, ordered, n, most in wrong.values_list("pk", "ordered", "n", "most")[:SHOWN]:
        yield f"stock {pk} counts {ordered} of {most}, its orders have {n}"
    of_delivery = summed(
        PROMISED.filter(order__delivery=OuterRef("pk")), "order__delivery", "quantity"
    )
    wrong_ones = Delivery.objects.annotate(n=of_delivery).filter(
        ~Q(ordered=F("n")) | Q(most_pieces__lt=F("ordered"))
    )
    for row in wrong_ones.values_list("public_id", "ordered", "n", "most_pieces")[:SHOWN]:
        yield f"delivery {row[0]} counts {row[1]} of {row[3]}, its orders have {row[2]}"


def orders_and_lines() -> Iterator[str]:
    """An order is the sum of its lines, all of its own delivery."""
    lines = OrderLine.objects.filter(order=OuterRef("pk"))
    wrong = Order.objects.annotate(
        pieces=summed(lines, "order", "quantity"),
        cents=summed(lines, "order", F("quantity") * F("unit_cents")),
    ).exclude(pieces=F("quantity"), cents=F("total_cents"))
    for reference, pieces, cents in wrong.values_list("reference", "pieces", "cents")[:SHOWN]:
        yield f"order {reference} has lines of {pieces} pieces and {cents} cents"
    strange = OrderLine.objects.exclude(stock__delivery=F("order__delivery"))
    for pk in strange.values_list("pk", flat=True)[:SHOWN]:
        yield f"order line {pk} is of another delivery"


def orders_and_ledger() -> Iterator[str]:
    """What is baked for is charged, once; of a standing order from the cut-off on."""
    entries = LedgerEntry.objects.filter(
        subject_kind=KIND, subject_id=OuterRef("pk"), kind=EntryKind.CHARGE
    )
    rows = Order.objects.annotate(charged=summed(entries, "subject_id", "cents"))
    is_due = Q(status__in=BAKED_FOR) & ~Q(
        standing__isnull=False, delivery__status=DeliveryStatus.OPEN
    )
    wrong = rows.filter(
        is_due & ~Q(charged=-F("total_cents")) | ~is_due & ~Q(charged=0)
    ).values_list("reference", "charged", "total_cents")
    for reference, charged, cents in wrong[:SHOWN]:
        yield f"order {reference} of {cents} cents is charged {-charged}"


def orders_once() -> Iterator[str]:
    yield from twice(Order.objects.filter(status__in=BAKED_FOR), "delivery", "member")
    yield from twice(Order.objects.exclude(standing=None), "delivery", "standing")
    yield from twice(Delivery.objects.all(), "round", "planned_on")


def orders_and_deliveries() -> Iterator[str]:
    """What waits has the hours of its delivery; nothing waits for one that does not come."""
    waiting = Order.objects.filter(status=OrderStatus.ORDERED)
    wrong = waiting.exclude(
        starts_at=F("delivery__collect_from"),
        ends_at=F("delivery__collect_until"),
        place=F("delivery__place"),
    )
    for reference in wrong.values_list("reference", flat=True)[:SHOWN]:
        yield f"order {reference} has other hours than its delivery"
    lost = waiting.filter(delivery__status__in=[DeliveryStatus.CANCELLED, DeliveryStatus.DONE])
    for reference in lost.values_list("reference", flat=True)[:SHOWN]:
        yield f"order {reference} waits for a delivery that is over"


def register() -> None:
    invariants.register(
        Invariant("baskets", "What is promised is counted, and there.", promised_is_counted),
        Invariant("order-lines", "An order is the sum of its lines.", orders_and_lines),
        Invariant("order-money", "The ledger is the orders.", orders_and_ledger),
        Invariant("order-once", "Of a delivery each has one order.", orders_once),
        Invariant("order-hours", "An order waits as its delivery comes.", orders_and_deliveries),
    )
    register_status_of(Order, Delivery)
