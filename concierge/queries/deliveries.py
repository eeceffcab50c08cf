"""When a round comes, what is left of each delivery, and who has ordered what."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Prefetch, Q, QuerySet, Sum

from club.enums import Role
from club.kernel.spans import days_between, monday_of
from club.models import Card, Member, Place, User
from club.queries.calendar import Calendar
from concierge.enums import BAKED_FOR, DeliveryStatus, OnClosed, OrderStatus
from concierge.models import (
    Delivery,
    DeliveryRound,
    DeliveryStock,
    Order,
    OrderLine,
    Product,
    StandingOrder,
)

WITH_NAMES = ("delivery__round", "delivery__producer", "place", "member__user")
SHELF: str = "shelf"
MOST_SHIFT = 6
"""Days. A delivery of a closed day comes less than a week away, or not at all."""
WEEKS_AROUND = 4
"""A holiday says nothing of a weekday's hours: those of the weeks around are looked at too."""


# -- Dates of the rule -------------------------------------------------------------------------


def weeks_apart(first: date, other: date) -> int:
    """Calendar weeks from one day's to the other's: no number of a week is asked for."""
    return (monday_of(other) - monday_of(first)).days // 7


def falls_on(round: DeliveryRound, day: date) -> bool:
    """Whether the rule names that day."""
    return (
        day >= round.starts_on
        and (round.ends_on is None or day <= round.ends_on)
        and day.weekday() in round.weekdays
        and weeks_apart(round.starts_on, day) % round.every_weeks == 0
    )


def dates_of(round: DeliveryRound, first: date, last: date) -> list[date]:
    """The dates that the rule gives, whether the place is open then or not."""
    return [day for day in days_between(first, last) if falls_on(round, day)]


def day_of(round: DeliveryRound, planned_on: date, calendar: Calendar) -> date | None:
    """When a date of the rule comes; None: that time it does not.

    Moved away from a closed day, it never lands on a day that has its own date, nor on one
    on which the desk is shut when people would collect.
    """
    if calendar.is_open_day(planned_on):
        return planned_on
    if round.on_closed == OnClosed.SKIP:
        return None
    step = 1 if round.on_closed == OnClosed.AFTER else -1
    for days in range(1, MOST_SHIFT + 1):
        day = planned_on + timedelta(days=step * days)
        if not calendar.is_open_day(day):
            continue
        if falls_on(round, day):
            return None
        if suits(round, planned_on, day, calendar):
            return day
    return None


def suits(round: DeliveryRound, planned_on: date, day: date, calendar: Calendar) -> bool:
    """Whether somebody is there to hand out, on an open day to which a date is moved.

    The day that the rule gave is never judged. A round that is outside the hours on its own
    weekday lives so: any open day will do.
    """
    if day == planned_on or collects_within(round, day, calendar):
        return True
    usual = calendar.with_closures(())
    around = (planned_on + timedelta(weeks=week) for week in range(-WEEKS_AROUND, WEEKS_AROUND + 1))
    return not any(collects_within(round, one, usual) for one in around)


def collects_within(round: DeliveryRound, day: date, calendar: Calendar) -> bool:
    """Whether the desk is open when the collection begins."""
    return any(opens <= round.collect_from < closes for opens, closes in calendar.hours(day))


def wants(standing: StandingOrder, planned_on: date) -> bool:
    """Whether a standing order is for that date of its round, pauses apart."""
    return (
        standing.ended_at is None
        and standing.starts_on <= planned_on
        and (standing.ends_on is None or planned_on <= standing.ends_on)
        and (not standing.weekdays or planned_on.weekday() in standing.weekdays)
        and weeks_apart(standing.starts_on, planned_on) % standing.every_weeks == 0
    )


# -- What can be ordered -----------------------------------------------------------------------


def rounds_at(place: Place) -> QuerySet[DeliveryRound]:
    """What the residents of a place are offered, in its order."""
    return (
        DeliveryRound.objects.filter(place=place, is_offered=True, producer__is_active=True)
        .select_related("producer", "place")
        .order_by("position", "name", "pk")
    )


def rounds_for(member: Member) -> QuerySet[DeliveryRound]:
    """Those of the member's own place and of their landlord's public ones."""
    return (
        DeliveryRound.objects.filter(
            Q(place__is_public=True) | Q(place=member.place_id),
            place__landlord=member.place.landlord_id,
            is_offered=True,
            producer__is_active=True,
        )
        .select_related("producer", "place")
        .order_by("place__name", "position", "name", "pk")
    )


def on_shelves(deliveries: QuerySet[Delivery]) -> list[Delivery]:
    """With names, and `shelf`: what each has, and how much is left of it."""
    stock = DeliveryStock.objects.select_related("product").order_by(
        "product__position", "product__name", "product__size", "pk"
    )
    rows = deliveries.select_related("round", "producer", "place").prefetch_related(
        Prefetch("stock", stock, to_attr=SHELF)
    )
    found = list(rows.order_by("collect_from", "pk"))
    for delivery in found:
        delivery.shelf = [one for one in delivery.shelf if not one.is_withdrawn or one.ordered]
        left = free_of(delivery)
        for one in delivery.shelf:
            one.left = left[one.pk]
    return found


def coming(place: Place, now: datetime, *, round: DeliveryRound | None = None) -> list[Delivery]:
    """Open for orders, the next first."""
    rows = Delivery.objects.filter(
        place=place,
        status=DeliveryStatus.OPEN,
        cutoff_at__gt=now,
        round__is_offered=True,
        producer__is_active=True,
    )
    return on_shelves(rows if round is None else rows.filter(round=round))


def room_of(delivery: Delivery) -> int | None:
    """Pieces that the place can still keep of it; None: no end."""
    if delivery.most_pieces is None:
        return None
    return max(0, delivery.most_pieces - delivery.ordered)


def free_of(delivery: Delivery) -> dict[int, int | None]:
    """By stock line, the pieces left: of the product, and of the room at the place."""
    shelf = getattr(delivery, "shelf", None)
    room = room_of(delivery)
    found: dict[int, int | None] = {}
    for one in delivery.stock.all() if shelf is None else shelf:
        if one.is_withdrawn:
            found[one.pk] = 0
            continue
        ends = [end for end in (room, left_of(one)) if end is not None]
        found[one.pk] = min(ends) if ends else None
    return found


def left_of(stock: DeliveryStock) -> int | None:
    return None if stock.most is None else max(0, stock.most - stock.ordered)


def last_lines(member: Member, round: DeliveryRound, before: date) -> dict[str, int]:
    """What the member had the last time of it, by product: only what is still offered."""
    last = last_order(member, round, before)
    return {} if last is None else offered_again(last, round)


def last_order(member: Member, round: DeliveryRound, before: date) -> Order | None:
    return (
        Order.objects.filter(
            member=member, delivery__round=round, delivery__day__lt=before, status__in=BAKED_FOR
        )
        .select_related("delivery")
        .order_by("-delivery__day", "-pk")
        .first()
    )


def offered_again(last: Order, round: DeliveryRound) -> dict[str, int]:
    rows = OrderLine.objects.filter(
        order=last,
        stock__product__is_offered=True,
        stock__product__rounds__round=round,
    )
    return dict(rows.values_list("stock__product__public_id", "quantity"))


# -- Who has ordered ---------------------------------------------------------------------------


def visible_to(user: Any) -> QuerySet[Order]:
    """A member's own orders; all those of a place for its concierges and officers."""
    if not isinstance(user, User) or not user.is_active:
        return Order.objects.none()
    staffed = user.assignments.filter(role__in=[Role.CONCIERGE, Role.OFFICER]).values("place")
    return Order.objects.filter(Q(member__user=user) | Q(place__in=staffed)).select_related(
        *WITH_NAMES
    )


def of_household(member: Member) -> QuerySet[Order]:
    """What the adults of one home have to collect, the next first."""
    return (
        Order.objects.filter(member__household=member.household_id, status=OrderStatus.ORDERED)
        .select_related(*WITH_NAMES)
        .order_by("starts_at", "pk")
    )


# -- Sheets ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Total:
    """How many of one product are made; `cents` is what they come to."""

    product: Product
    quantity: int
    cents: int = 0


def totals(deliveries: Iterable[Delivery]) -> list[Total]:
    """What the producer makes for these deliveries together."""
    rows = (
        OrderLine.objects.filter(order__delivery__in=list(deliveries), order__status__in=BAKED_FOR)
        .order_by()
        .values_list("stock__product", "unit_cents")
        .annotate(n=Sum("quantity"))
    )
    numbers: dict[int, tuple[int, int]] = {}
    for product, cents, number in rows:
        before, sum_ = numbers.get(product, (0, 0))
        numbers[product] = (before + number, sum_ + number * cents)
    products = Product.objects.filter(pk__in=numbers).select_related("producer")
    return [Total(product, *numbers[product.pk]) for product in products]


def baskets_of(deliveries: Iterable[Delivery]) -> Counter[int]:
    """How many orders are handed over at each delivery."""
    rows = Order.objects.filter(delivery__in=list(deliveries), status__in=BAKED_FOR)
    return Counter(rows.values_list("delivery", flat=True))


@dataclass(frozen=True)
class Row:
    """One person of a depot sheet. Somebody absent usually comes, and has nothing this time."""

    member: Member
    name: str
    number: str
    order: Order | None = None
    lines: list[OrderLine] = field(default_factory=list)

    @property
    def absent(self) -> bool:
        return self.order is None


def sheet(delivery: Delivery) -> list[Row]:
    """Who collects what, by name; those whose standing order leaves this date out stand there
    too, greyed, so that nobody looks for their basket."""
    lines = OrderLine.objects.select_related("stock__product").order_by(
        "stock__product__position", "stock__product__name", "pk"
    )
    orders = list(
        Order.objects.filter(delivery=delivery, status__in=BAKED_FOR)
        .select_related("member__user", "delivery", "place")
        .prefetch_related(Prefetch("lines", lines))
    )
    coming_ = {order.member_id for order in orders}
    away = [
        standing.member
        for standing in StandingOrder.objects.filter(round=delivery.round_id, ended_at=None)
        .exclude(member__in=coming_)
        .select_related("member__user")
        if standing.member.user.is_active and wants(standing, delivery.planned_on)
    ]
    numbers = card_numbers([order.member for order in orders] + away)
    rows = [
        Row(
            one.member, name_of(one.member), numbers.get(one.member_id, ""), one, [*one.lines.all()]
        )
        for one in orders
    ]
    rows += [Row(one, name_of(one), numbers.get(one.pk, "")) for one in away]
    return sorted(rows, key=lambda row: (row.name.casefold(), row.member.pk))


def name_of(member: Member) -> str:
    """ "Diallo Aminata": lists are looked through by family name."""
    return f"{member.last_name} {member.first_name}".strip()


def card_numbers(members: Iterable[Member]) -> Mapping[int, str]:
    rows = Card.objects.filter(member__in=list(members), revoked_at=None)
    return {card.member_id: str(card) for card in rows}
