"""The deliveries of a round: made some weeks ahead, sent at the cut-off, moved, cancelled.

The rule
- Dates come from the rule of the round; on a closed day the round says what becomes of
  them. The hours of the wall are kept across a change of the clock.
- A delivery is moved only to a day on which the desk is open when the collection begins:
  else nobody could fetch anything. Rounds that live outside the hours are left alone.
- At the cut-off all deliveries of a producer that end then are sent in one transaction
  under their locks: a second scheduler finds nothing left. The producer has one message
  with what to make for each place. Where nobody acts for the producer, staff call.
- The concierges of each place have one message with what comes to their counter.
- What a household with a standing order owes is looked at then, not weeks before.
- A delivery that nobody has ordered of does not come.
- Where a delivery is cancelled, every order of it fails, is credited, and is told.
"""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from club.domain.messages import SETTLING, channel_for, tell, tell_many, tell_user
from club.enums import Role
from club.kernel import producers, words
from club.kernel.producers import Hit
from club.kernel.refusal import refuse
from club.kernel.spans import at, local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Message, Producer, User
from club.queries.calendar import calendar_of
from club.queries.team import holders
from concierge.domain import order_fees as fees
from concierge.domain.orders import drop, locked, recount, tell_order
from concierge.domain.standing import GROUP, fill, tell_standing
from concierge.enums import BAKED_FOR, CancelledFor, DeliveryStatus, OrderStatus
from concierge.models import (
    Delivery,
    DeliveryRound,
    DeliveryStock,
    Order,
    Product,
    RoundProduct,
    StandingLine,
    StandingOrder,
)
from concierge.queries.deliveries import MOST_SHIFT, dates_of, day_of, suits, wants
from concierge.queries.pickups import CALLED, TO_CALL

logger = logging.getLogger(__name__)

PRODUCER_PAGE = "/espace-partenaire/commandes/"
LEAST_STAY = timedelta(minutes=1)
LIVE = (DeliveryStatus.OPEN, DeliveryStatus.SENT)


# -- Making ------------------------------------------------------------------------------------


def make_deliveries(now: datetime) -> int:
    """Each night, and when a round is written: the dates that are in reach. Says how many.

    A round that fails leaves the others; the job then fails, and runs again.
    """
    rounds = DeliveryRound.objects.filter(is_offered=True, producer__is_active=True)
    made, failed = 0, None
    for round in rounds.order_by("pk"):
        try:
            made += make_of(round, now)
        except Exception as error:
            logger.exception("Deliveries of round %s were not made", round.pk)
            failed = error
    if failed is not None:
        raise failed
    return made


@in_one_transaction
def make_of(round: DeliveryRound, now: datetime) -> int:
    """The deliveries of one round that are not there yet, with the orders that stand."""
    hold(round)
    round = DeliveryRound.objects.select_related("place__landlord", "producer").get(pk=round.pk)
    hold(round.producer)  # its days off are said under the same lock
    today = local_day(now)
    dates = dates_of(round, today, today + timedelta(weeks=round.weeks_ahead))
    there = set(
        Delivery.objects.filter(round=round, planned_on__in=dates).values_list(
            "planned_on", flat=True
        )
    )
    calendar = calendar_of(round.place)
    last = today + timedelta(weeks=round.weeks_ahead, days=MOST_SHIFT)
    off = producers.days_off(round.producer, today, last)
    made = 0
    for planned_on in dates:
        if planned_on in there:
            continue
        day = day_of(round, planned_on, calendar)
        if day is None or day in off:
            say_skipped(round, planned_on, now)
            continue
        hours = hours_of(round, day)
        if hours["cutoff_at"] <= now:
            continue
        make_one(round, planned_on, day, hours, now)
        made += 1
    if there:
        add_new_goods(round, now)
    return made


def hours_of(round: DeliveryRound, day: date) -> dict[str, datetime]:
    """The instants at which wall clocks show the hours of the rule.

    In the hour that a night of the year skips or repeats, order is kept all the same.
    """
    begins = at(day, round.collect_from)
    return {
        "collect_from": begins,
        "collect_until": max(at(day, round.collect_until), begins + LEAST_STAY),
        "cutoff_at": min(at(day - timedelta(days=round.cutoff_days), round.cutoff_time), begins),
    }


def make_one(
    round: DeliveryRound, planned_on: date, day: date, hours: dict[str, datetime], now: datetime
) -> Delivery:
    delivery = Delivery.objects.create(
        round=round,
        producer=round.producer,
        place=round.place,
        planned_on=planned_on,
        day=day,
        most_pieces=round.most_pieces,
        leftover=round.leftover,
        **hours,
    )
    stock_up(delivery)
    log(delivery, "make", by=None, now=now, facts={"to": delivery.status})
    fill(delivery, now)
    return delivery


def stock_up(delivery: Delivery) -> None:
    """What the round has to offer, at the price of the day on which it is made."""
    DeliveryStock.objects.bulk_create(
        stock_of(delivery, good) for good in goods_offered(delivery.round)
    )


def goods_offered(round: DeliveryRound) -> list[RoundProduct]:
    rows = RoundProduct.objects.filter(round=round, product__is_offered=True)
    return list(rows.select_related("product").order_by("pk"))


def stock_of(delivery: Delivery, good: RoundProduct) -> DeliveryStock:
    return DeliveryStock(
        delivery=delivery,
        product=good.product,
        unit_cents=good.product.price_cents,
        most=good.most,
    )


def add_new_goods(round: DeliveryRound, now: datetime) -> None:
    """What the producer has begun to make is offered on the dates that are open already."""
    rows = Delivery.objects.filter(round=round, status=DeliveryStatus.OPEN, cutoff_at__gt=now)
    deliveries = list(rows.order_by("pk"))
    there = set(
        DeliveryStock.objects.filter(delivery__in=deliveries).values_list("delivery", "product")
    )
    DeliveryStock.objects.bulk_create(
        stock_of(delivery, good)
        for good in goods_offered(round)
        for delivery in deliveries
        if (delivery.pk, good.product_id) not in there
    )


def say_skipped(round: DeliveryRound, planned_on: date, now: datetime) -> None:
    """Those who have a standing order learn once that a date does not come, two weeks ahead."""
    if planned_on > local_day(now) + timedelta(days=14):
        return
    found: list[Message] = []
    rows = StandingOrder.objects.filter(round=round, ended_at=None, member__user__is_active=True)
    for standing in rows.select_related("member__user").order_by("pk"):
        if wants(standing, planned_on):
            found += skipped_message(standing, planned_on, now)
    tell_many(found)


def skipped_message(standing: StandingOrder, planned_on: date, now: datetime) -> list[Message]:
    channel = channel_for(standing.member)
    if channel is None:
        return []
    return [
        Message(
            key=f"standing.skipped:{standing.reference}:{planned_on}",
            event="standing.skipped",
            group=GROUP,
            member=standing.member,
            subject_kind="standingorder",
            subject_id=standing.pk,
            channel=channel,
            facts={"day": planned_on.isoformat(), "why": "no_delivery"},
            due_at=now + SETTLING,
        )
    ]


# -- The cut-off -------------------------------------------------------------------------------


def send_due(now: datetime) -> int:
    """Each minute: what reached its cut-off is sent, each producer's deliveries of one
    instant together. One that fails leaves the others; says how many were sent."""
    due = (
        Delivery.objects.filter(status=DeliveryStatus.OPEN, cutoff_at__lte=now)
        .order_by("cutoff_at", "producer")
        .values_list("producer", "cutoff_at")
        .distinct()
    )
    sent = 0
    for producer_id, cutoff_at in list(due):
        try:
            sent += send_together(producer_id, cutoff_at, now=now)
        except Exception:
            logger.exception("Deliveries of producer %s were not sent", producer_id)
    return sent


@in_one_transaction
def send_together(producer_id: int, cutoff_at: datetime, *, now: datetime) -> int:
    asked = Delivery.objects.filter(
        producer=producer_id, cutoff_at=cutoff_at, status=DeliveryStatus.OPEN
    )
    # Under the lock: whoever came first has sent them, or has moved one away.
    found = [
        one
        for one in locked(*asked)
        if one.status == DeliveryStatus.OPEN and one.cutoff_at == cutoff_at
    ]
    for delivery in found:
        charge_standing(delivery, now)
        if delivery.ordered:
            facts = {"pieces": delivery.ordered}
            move(delivery, DeliveryStatus.SENT, by=None, now=now, verb="send", facts=facts)
        else:
            move(
                delivery, DeliveryStatus.CANCELLED, by=None, now=now, verb="send_nothing",
                cancelled_for=CancelledFor.TOO_FEW,
            )  # fmt: skip
    if found:
        tell_producer(found, "delivery.sent", now)
        tell_counters([one for one in found if one.status == DeliveryStatus.SENT], now)
    return len(found)


def charge_standing(delivery: Delivery, now: datetime) -> None:
    """What standing orders made is charged now; of whoever owes too much it is dropped."""
    rows = (
        Order.objects.filter(delivery=delivery, standing__isnull=False, status__in=BAKED_FOR)
        .select_related("member__household", "member__user", "place", "standing")
        .order_by("pk")
    )
    orders = list(rows)
    for order in orders:
        order.delivery = delivery
        held = fees.balance(order.member.household) if order.total_cents else 0
        reason = fees.limit_reason(delivery.round, held, order.total_cents)
        if reason is None or order.status != OrderStatus.ORDERED:
            fees.charge(order, by=None, now=now)
        else:
            drop(order, OrderStatus.CANCELLED, by=None, now=now, verb="unpaid")
            tell_order(order, "order.unpaid", now=now, **reason.facts)
    if orders:
        recount(delivery)


def tell_producer(deliveries: Sequence[Delivery], event: str, now: datetime, **facts: Any) -> None:
    """One message for all of them; where nobody acts for the producer, the desk calls."""
    head = deliveries[0]
    told = producers.tell(
        head.producer,
        event,
        head,
        key=f"{event}:{head.public_id}:{int(now.timestamp())}",
        now=now,
        following=PRODUCER_PAGE,
        facts={"deliveries": [one.pk for one in deliveries]} | facts,
    )
    if not told:
        for one in deliveries:
            log(one, TO_CALL, by=None, now=now, facts={"event": event})


def tell_counters(deliveries: Sequence[Delivery], now: datetime) -> None:
    """Each concierge of a place has one message with all that comes to it."""
    of_place: dict[int, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        of_place[delivery.place_id].append(delivery)
    for place, found in of_place.items():
        head, facts = found[0], {"deliveries": [one.pk for one in found]}
        for row in holders(Role.CONCIERGE, place=place):
            key = f"delivery.expected:{head.public_id}:{int(now.timestamp())}:{row.user_id}"
            tell_user(row.user, row.place, "delivery.expected", head, key=key, now=now, facts=facts)


@in_one_transaction
def mark_called(delivery: Delivery, *, by: User, now: datetime) -> None:
    """Staff have told the producer by telephone."""
    log(delivery, CALLED, by=by, now=now)


# -- Cancelled ---------------------------------------------------------------------------------


def locked_live(delivery: Delivery) -> Delivery:
    found = locked(delivery)[0]
    if found.status not in LIVE:
        text = _("Cette livraison ne peut plus changer : %(state)s.")
        raise refuse("wrong_state", text % {"state": found.get_status_display()})
    return found


@in_one_transaction
def cancel_delivery(
    delivery: Delivery, reason: str, *, by: User | None, now: datetime, tells_producer: bool = True
) -> Delivery:
    """It does not come: its orders fail, are credited and told; also after the cut-off."""
    delivery = locked_live(delivery)
    was_sent = delivery.status == DeliveryStatus.SENT
    rows = (
        Order.objects.select_for_update(no_key=True, of=("self",))
        .filter(delivery=delivery, status=OrderStatus.ORDERED)
        .select_related("member__household", "member__user", "place")
        .order_by("pk")
    )
    for order in list(rows):
        order.delivery = delivery
        credited = drop(order, OrderStatus.FAILED, by=by, now=now)
        tell_failed(order, credited, now)
    recount(delivery)
    move(
        delivery,
        DeliveryStatus.CANCELLED,
        by=by,
        now=now,
        verb="cancel",
        facts={"why": reason},
        cancelled_for=reason,
    )
    if was_sent and tells_producer and reason != CancelledFor.PRODUCER:
        tell_producer([delivery], "delivery.cancelled", now)
    return delivery


def tell_failed(order: Order, credited: int, now: datetime) -> None:
    """Two weeks that a closure cancels are one message."""
    key = f"order.failed:{order.reference}"
    tell(
        order.member, "order.failed", order, key=key, now=now, due_at=now + SETTLING, group=GROUP,
        facts={"credited": credited},
    )  # fmt: skip


def ahead_of(producer: Producer, first: date, last: date) -> list[Delivery]:
    rows = Delivery.objects.filter(producer=producer, day__gte=first, day__lte=last)
    return list(
        rows.filter(status__in=LIVE).select_related("round", "place").order_by("collect_from", "pk")
    )


def hits(producer: Producer, first: date, last: date, now: datetime) -> list[Hit]:
    """What days off would cancel."""
    found = [one for one in ahead_of(producer, first, last) if one.collect_until > now]
    numbers: dict[int, int] = defaultdict(int)
    for pk in Order.objects.filter(delivery__in=found, status=OrderStatus.ORDERED).values_list(
        "delivery", flat=True
    ):
        numbers[pk] += 1
    return [
        Hit(one.day, str(one.place), str(one.round), numbers[one.pk], one.ordered) for one in found
    ]


@in_one_transaction
def fail(producer: Producer, first: date, last: date, *, by: User | None, now: datetime) -> int:
    """The producer does not come on these days. Dates that are not made yet follow the days
    off that it said, when they would be."""
    hold(producer)
    found = [one for one in ahead_of(producer, first, last) if one.collect_until > now]
    locked(*found)
    for delivery in found:
        cancel_delivery(delivery, CancelledFor.PRODUCER, by=by, now=now)
    return len(found)


# -- Another day -------------------------------------------------------------------------------


@in_one_transaction
def shift_delivery(delivery: Delivery, day: date, *, by: User | None, now: datetime) -> Delivery:
    """It comes another day, at the same hours of the wall. Orders follow, and are told;
    `planned_on` stays, so that its date is not made again."""
    delivery = locked_live(delivery)
    round = delivery.round
    hours = hours_of(round, day)
    if delivery.status == DeliveryStatus.SENT or hours["cutoff_at"] <= now:
        hours["cutoff_at"] = min(delivery.cutoff_at, hours["collect_from"])
    refuse_day(delivery, day, now=now)
    before = delivery.day
    delivery.day = day
    for name, instant in hours.items():
        setattr(delivery, name, instant)
    delivery.save(update_fields=["day", *hours])
    facts = {"before": before.isoformat(), "after": day.isoformat()}
    log(delivery, "shift", by=by, now=now, facts=facts)
    rows = (
        Order.objects.select_for_update(no_key=True, of=("self",))
        .filter(delivery=delivery, status=OrderStatus.ORDERED)
        .select_related("member__user")
        .order_by("pk")
    )
    for order in list(rows):
        order.starts_at, order.ends_at = delivery.collect_from, delivery.collect_until
        order.sequence += 1
        order.save(update_fields=["starts_at", "ends_at", "sequence"])
        tell_order(order, "order.moved", now=now, before=before.isoformat())
    tell_producer([delivery], "delivery.moved", now, before=before.isoformat())
    return delivery


def refuse_day(delivery: Delivery, day: date, *, now: datetime) -> None:
    """Another day, to come, on which people can collect; asked before the press too."""
    round, calendar = delivery.round, calendar_of(delivery.place)
    if hours_of(round, day)["collect_from"] <= now or day == delivery.day:
        raise refuse("past", _("Choisissez un autre jour, à venir."), "day")
    if not calendar.is_open_day(day):
        text = _("L’accueil est fermé le %(day)s.") % {"day": words.day(day)}
        raise refuse("closed", text, "day")
    if not suits(round, delivery.planned_on, day, calendar):
        text = _(
            "Le %(day)s, l’accueil ouvre %(hours)s : personne ne pourrait retirer à %(hour)s."
        ) % {
            "day": words.day(day),
            "hours": ", ".join(words.span(*span) for span in calendar.hours(day)),
            "hour": words.hour(round.collect_from),
        }
        raise refuse("outside_hours", text, "day")


# -- How much, and what ------------------------------------------------------------------------


@in_one_transaction
def set_most(of: DeliveryStock | Delivery, most: int | None, *, by: User, now: datetime) -> None:
    """Of a product, or of the room at the place; never under what is promised."""
    delivery = of if isinstance(of, Delivery) else of.delivery
    delivery = locked(delivery)[0]
    if delivery.status != DeliveryStatus.OPEN:
        raise refuse("wrong_state", _("Cette livraison est close."))
    if isinstance(of, Delivery):
        ordered, name, before = delivery.ordered, "most_pieces", delivery.most_pieces
    else:
        row = DeliveryStock.objects.get(pk=of.pk)
        ordered, name, before = row.ordered, "most", row.most
    if most is not None and most < ordered:
        text = _("%(ordered)d sont déjà promis. Choisissez %(ordered)d au moins.")
        raise refuse("promised", text % {"ordered": ordered}, name, ordered=ordered)
    type(of).objects.filter(pk=of.pk).update(**{name: most})
    setattr(of, name, most)
    log(delivery, "set_most", by=by, now=now, facts={"before": before, "after": most})


@in_one_transaction
def withdraw(product: Product, *, by: User | None, now: datetime) -> int:
    """No new orders of it. What is ordered stays; standing orders go on without it, or end
    where nothing else is left of them. Says how many were touched."""
    hold(product)
    Product.objects.filter(pk=product.pk).update(is_offered=False)
    product.is_offered = False
    stock = DeliveryStock.objects.filter(product=product, delivery__status=DeliveryStatus.OPEN)
    stock.update(is_withdrawn=True)
    touched = leave_out(product, StandingLine.objects.all(), by=by, now=now)
    log(product, "withdraw", by=by, now=now, facts={"standing": touched})
    return touched


def leave_out(
    product: Product, lines: QuerySet[StandingLine], *, by: User | None, now: datetime
) -> int:
    """Standing orders go on without it, or end. Says how many were touched."""
    lines = lines.filter(product=product, standing__ended_at=None)
    standings = list(
        StandingOrder.objects.filter(pk__in=lines.values("standing"))
        .select_related("round", "member__user", "member__household")
        .order_by("pk")
    )
    lines.delete()
    for standing in standings:
        if standing.lines.exists():
            log(standing, "withdrawn", by=by, now=now, facts={"product": product.pk})
            tell_standing(standing, "standing.withdrawn", now=now, product=str(product))
        else:
            stop(standing, product, by=by, now=now)
    return len(standings)


def stop(standing: StandingOrder, product: Product, *, by: User | None, now: datetime) -> None:
    """Nothing is left of it; what it has ordered already stays, and comes."""
    standing.ended_at = now
    standing.save(update_fields=["ended_at"])
    log(standing, "end", by=by, now=now, facts={"withdrawn": product.pk})
    tell_standing(standing, "standing.ended", now=now, product=str(product))


def register() -> None:
    producers.register_deliveries(hits, fail)
