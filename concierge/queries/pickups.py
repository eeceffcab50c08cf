"""Which orders wait at a counter, for whom; how far a delivery has got; what a producer brings."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery

from club.kernel.spans import local_day
from club.models import LogEntry, Member, Place, Producer
from club.queries.calendar import calendar_of
from concierge.enums import BAKED_FOR, DeliveryStatus, Leftover, OrderStatus
from concierge.models import Delivery, DeliveryStock, Order, OrderLine

KEPT_AT_MOST = timedelta(days=14)
"""How far back something kept for the next open day is looked for."""
COMING = (DeliveryStatus.OPEN, DeliveryStatus.SENT)
WAITING = (OrderStatus.ORDERED, OrderStatus.MISSED)
"""What can still be handed over, on its days."""
MOST_DAYS = 60


def lines_read() -> Prefetch:
    lines = OrderLine.objects.select_related("stock__product")
    return Prefetch(
        "lines", lines.order_by("stock__product__position", "stock__product__name", "pk")
    )


def with_lines(orders: QuerySet[Order]) -> QuerySet[Order]:
    return orders.prefetch_related(lines_read())


def orders_of(delivery: Delivery) -> QuerySet[Order]:
    """Everybody's of one delivery, those too who gave theirs back, by name."""
    rows = Order.objects.filter(delivery=delivery).select_related(
        "member__user", "member__household", "member__place"
    )
    return with_lines(rows).order_by("member__search_name", "pk")


# -- A person at the counter ---------------------------------------------------------------------


def last_day(delivery: Delivery) -> date:
    """The last day on which it is handed over; the next open day where the rest is kept."""
    if delivery.leftover != Leftover.KEPT:
        return delivery.day
    after = delivery.day + timedelta(days=1)
    return calendar_of(delivery.place).next_open_day(after) or after


def is_here(order: Order, today: date) -> bool:
    """Whether it can be handed over on that day."""
    delivery = order.delivery
    if order.status not in WAITING or today < delivery.day:
        return False
    return today == delivery.day or today <= last_day(delivery)


def of_household(member: Member, place: Place, now: datetime) -> list[Order]:
    """What the adults of one home have there, today or later; and what is kept for them."""
    rows = (
        Order.objects.filter(
            Q(status=OrderStatus.ORDERED) | Q(status=OrderStatus.MISSED),
            member__household=member.household_id,
            place=place,
            delivery__day__gte=local_day(now) - KEPT_AT_MOST,
        )
        .select_related("member__user", "delivery__round", "delivery__place")
        .order_by("starts_at", "pk")
    )
    return list(with_lines(rows))


# -- The deliveries ------------------------------------------------------------------------------


def counted(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """With `people`, `collected`, `missed` and `waiting`: how many orders are how far."""

    def number(*statuses: str) -> Count:
        return Count("orders", filter=Q(orders__status__in=statuses))

    return deliveries.select_related("round", "producer").annotate(
        people=number(*BAKED_FOR),
        collected=number(OrderStatus.COLLECTED),
        missed=number(OrderStatus.MISSED),
        waiting=number(OrderStatus.ORDERED),
    )


def of_day(place: Place, today: date) -> QuerySet[Delivery]:
    """What comes today and is not called off."""
    rows = Delivery.objects.filter(place=place, day=today)
    return counted(rows.exclude(status=DeliveryStatus.CANCELLED)).order_by("collect_from", "pk")


def on_board(place: Place, today: date) -> QuerySet[Delivery]:
    """What comes today, and what of earlier days is not finished; earlier ones first."""
    left = Order.objects.filter(delivery=OuterRef("pk"), status=OrderStatus.ORDERED)
    is_left = Q(day__lt=today, status__in=COMING) & Exists(left)
    rows = Delivery.objects.filter(is_left | Q(day=today), place=place)
    return counted(rows.exclude(status=DeliveryStatus.CANCELLED)).order_by("collect_from", "pk")


def ahead(place: Place, today: date) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(place=place, day__gt=today, status__in=COMING)
    return counted(rows).order_by("collect_from", "pk")


def unfinished(place: Place, today: date) -> QuerySet[Delivery]:
    """Earlier days of which something is not noted yet."""
    rows = Delivery.objects.filter(
        place=place, day__lt=today, status__in=COMING, orders__status=OrderStatus.ORDERED
    )
    found = Delivery.objects.filter(pk__in=rows.values("pk"))
    return counted(found).order_by("collect_from", "pk")


def called_off(place: Place, today: date) -> QuerySet[Delivery]:
    """What does not come after all, from today on."""
    rows = Delivery.objects.filter(place=place, day__gte=today, status=DeliveryStatus.CANCELLED)
    return counted(rows).order_by("collect_from", "pk")


def stock_of(delivery: Delivery) -> list[DeliveryStock]:
    rows = DeliveryStock.objects.filter(delivery=delivery).select_related("product")
    return list(rows.order_by("product__position", "product__name", "product__size", "pk"))


# -- What a producer brings ----------------------------------------------------------------------


@dataclass(frozen=True)
class Stop:
    """One delivery of a producer: where, when, and how many of each product."""

    delivery: Delivery
    goods: list[tuple[str, int]]

    @property
    def pieces(self) -> int:
        return sum(number for _name, number in self.goods)

    @property
    def is_final(self) -> bool:
        return self.delivery.status != DeliveryStatus.OPEN


@dataclass
class Round:
    """A day of a producer, with what all its stops come to."""

    day: date
    stops: list[Stop] = field(default_factory=list)

    @property
    def totals(self) -> list[tuple[str, int]]:
        found: Counter[str] = Counter()
        for stop in self.stops:
            for name, number in stop.goods:
                found[name] += number
        return list(found.items())

    @property
    def pieces(self) -> int:
        return sum(stop.pieces for stop in self.stops)

    @property
    def is_final(self) -> bool:
        return all(stop.is_final for stop in self.stops)

    @property
    def closes_at(self) -> datetime:
        """When the last of them is closed."""
        return max(stop.delivery.cutoff_at for stop in self.stops)


def days_of(producer: Producer, first: date, last: date) -> list[Round]:
    """What it brings from one day to another, by day and place; numbers, never names."""
    rows = (
        Delivery.objects.filter(producer=producer, day__gte=first, day__lte=last)
        .exclude(status=DeliveryStatus.CANCELLED)
        .select_related("round", "place")
        .order_by("day", "place__name", "collect_from", "pk")
    )
    deliveries = list(rows)
    goods = goods_of(deliveries)
    days: dict[date, Round] = {}
    for delivery in deliveries:
        stop = Stop(delivery, goods.get(delivery.pk, []))
        days.setdefault(delivery.day, Round(delivery.day)).stops.append(stop)
    return list(days.values())


def goods_of(deliveries: Iterable[Delivery]) -> dict[int, list[tuple[str, int]]]:
    found: dict[int, list[tuple[str, int]]] = {}
    rows = DeliveryStock.objects.filter(delivery__in=list(deliveries), ordered__gt=0)
    for stock in rows.select_related("product").order_by("product__position", "product__name"):
        found.setdefault(stock.delivery_id, []).append((str(stock.product), stock.ordered))
    return found


def delivers(producer: Producer | None) -> bool:
    """Whether it has rounds, so that its space shows orders."""
    return producer is not None and producer.rounds.exists()


TO_CALL, CALLED = "producer_to_call", "producer_called"
"""What the log of a delivery says: nobody could be told of it; staff have called."""


def to_call(place: Place, now: datetime) -> QuerySet[Delivery]:
    """Of what was sent and is still to come: where no message reaches the producer, and no one
    has called. What nobody ordered asks for no call."""

    def last(verb: str) -> Subquery:
        rows = LogEntry.objects.filter(
            subject_kind="delivery", subject_id=OuterRef("pk"), verb=verb
        )
        return Subquery(rows.order_by("-pk").values("pk")[:1])

    return (
        Delivery.objects.filter(place=place, collect_until__gt=now, sent_at__isnull=False)
        .annotate(asked=last(TO_CALL), called=last(CALLED))
        .filter(Q(called=None) | Q(called__lt=F("asked")), asked__isnull=False)
        .select_related("round", "producer")
        .order_by("collect_from", "pk")
    )
