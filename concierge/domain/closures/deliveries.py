"""Bread and baskets that would come to a place that closes.

The rule, as it is told to people
- The round says what becomes of a date on a closed day: it comes the next open day, the one
  before, or not at all. A day on which the round comes anyway takes no second delivery,
  and a day on which the desk is shut when people collect takes none.
- Where it does not come its orders are credited, and a standing order skips that date.
- When the closure is withdrawn, a date that did not come for it and whose cut-off is ahead
  is opened again: standing orders are made again, the other orders are not. What was moved
  to another day stays there, and the plan says so.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.domain.messages import channel_for, tell_change
from club.kernel import producers, words
from club.kernel.closures import Change, Effect, Kind, Outcome
from club.kernel.transitions import move
from club.models import Place, Producer, User
from concierge.domain.deliveries import (
    LIVE,
    cancel_delivery,
    hours_of,
    make_of,
    shift_delivery,
)
from concierge.domain.order_fees import is_charged_now
from concierge.domain.orders import locked
from concierge.domain.standing import fill
from concierge.enums import CancelledFor, DeliveryStatus, OrderStatus
from concierge.models import Delivery, DeliveryRound, Order
from concierge.queries.deliveries import MOST_SHIFT, dates_of, day_of, wants

NAME = "delivery"
OF_ORDER = ("member__user", "delivery__round", "standing")


def plan(change: Change, now: datetime) -> list[Effect]:
    effects: list[Effect] = []
    if change.shut:
        effects += touched(change, now)
    if change.reopened:
        effects += come_back(change, now)
    return effects


def touched(change: Change, now: datetime) -> list[Effect]:
    rows = Delivery.objects.filter(
        place=change.place, status__in=LIVE, day__in=change.shut, collect_until__gt=now
    ).select_related("round", "producer")
    ahead = list(rows.order_by("collect_from", "pk"))
    off = off_of([one.producer for one in ahead], change.shut)
    orders: dict[int, list[Order]] = {one.pk: [] for one in ahead}
    asked = Order.objects.filter(delivery__in=ahead, status=OrderStatus.ORDERED)
    for order in asked.select_related(*OF_ORDER).order_by("pk"):
        orders[order.delivery_id].append(order)
    effects = []
    for delivery in ahead:
        to = new_day(delivery, change, now)
        to = None if to in off[delivery.producer_id] else to
        effects.append(effect_of(delivery, to, change))
        effects += [effect_on(order, to, change) for order in orders[delivery.pk]]
    return effects


def new_day(delivery: Delivery, change: Change, now: datetime) -> date | None:
    """By the round's own rule; None where that leads nowhere in time."""
    day = day_of(delivery.round, delivery.planned_on, change.after)
    if day is None or day == delivery.day or hours_of(delivery.round, day)["collect_from"] <= now:
        return None
    return day


def off_of(asked: Iterable[Producer], days: Iterable[date]) -> dict[int, set[date]]:
    """By producer, on which days around these it brings nothing."""
    days = list(days)
    if not days:
        return {}
    first, last = min(days), max(days)
    around = timedelta(days=MOST_SHIFT)
    return {
        pk: producers.days_off(producer, first - around, last + around)
        for pk, producer in {one.pk: one for one in asked}.items()
    }


def becomes(to: date | None, change: Change) -> str:
    if to is None:
        return str(_("pas de livraison"))
    return _("livré %(day)s") % {"day": words.day(to, change.today)}


def effect_of(delivery: Delivery, to: date | None, change: Change) -> Effect:
    return Effect(
        NAME,
        delivery.pk,
        Outcome.SKIPPED if to is None else Outcome.MOVED,
        str(delivery.round),
        words.day(delivery.day, change.today),
        becomes(to, change),
        facts=(delivery.status, delivery.day, to),
        carries=delivery,
    )


def effect_on(order: Order, to: date | None, change: Change) -> Effect:
    """One order, which follows its delivery."""
    text = becomes(to, change)
    if to is None and order.standing_id is not None:
        text = str(_("commande régulière : cette fois sautée"))
    return Effect(
        NAME,
        order.pk,
        Outcome.SKIPPED if to is None else Outcome.MOVED,
        str(order.delivery.round),
        words.day(order.delivery.day, change.today),
        text,
        order.member,
        channel_for(order.member),
        order.reference,
        cents=order.total_cents if to is None and is_charged_now(order) else 0,
        facts=(order.status, order.quantity),
    )


# -- Open again ---------------------------------------------------------------------------------


def come_back(change: Change, now: datetime) -> list[Effect]:
    """What did not come for a closure, and the dates that nobody has made yet."""
    reopened = change.reopened
    rows = Delivery.objects.filter(
        place=change.place,
        status=DeliveryStatus.CANCELLED,
        cancelled_for=CancelledFor.CLOSED,
        planned_on__in=reopened,
    ).select_related("round__producer")
    lost = list(rows.order_by("collect_from", "pk"))
    failed: dict[int, list[Order]] = {one.pk: [] for one in lost}
    orders = Order.objects.filter(delivery__in=lost, status=OrderStatus.FAILED)
    for order in orders.select_related(*OF_ORDER).order_by("pk"):
        failed[order.delivery_id].append(order)
    off = off_of([one.round.producer for one in lost], reopened)
    effects = []
    for delivery in lost:
        is_made = can_come(delivery.round, delivery.planned_on, off, now)
        outcome = Outcome.MADE if is_made else Outcome.STAYS
        effects.append(again(delivery.pk, delivery.round, delivery.planned_on, outcome, change))
        effects += [order_again(one, is_made, change) for one in failed[delivery.pk]]
    return effects + what_stays(change, now) + never_made(change, now)


def what_stays(change: Change, now: datetime) -> list[Effect]:
    """What left a day that is open again for another, on which it still comes."""
    rows = Delivery.objects.filter(
        place=change.place,
        status__in=LIVE,
        planned_on__in=change.reopened,
        collect_until__gt=now,
    ).exclude(day=F("planned_on"))
    return [
        Effect(
            NAME,
            delivery.pk,
            Outcome.STAYS,
            str(delivery.round),
            words.day(delivery.planned_on, change.today),
            _("reste au %(day)s") % {"day": words.day(delivery.day, change.today)},
            facts=(delivery.status, delivery.day),
        )
        for delivery in rows.select_related("round").order_by("collect_from", "pk")
        if delivery.day not in change.shut
    ]


def can_come(
    round: DeliveryRound, planned_on: date, off: dict[int, set[date]], now: datetime
) -> bool:
    return (
        round.is_offered
        and round.producer.is_active
        and planned_on not in off[round.producer_id]
        and hours_of(round, planned_on)["cutoff_at"] > now
    )


def never_made(change: Change, now: datetime) -> list[Effect]:
    """Dates of the rule that were skipped before they were made: the night makes them, and
    so does the act."""
    rounds = list(
        DeliveryRound.objects.filter(place=change.place, is_offered=True, producer__is_active=True)
        .select_related("producer")
        .order_by("pk")
    )
    off = off_of([one.producer for one in rounds], change.reopened)
    there = set(
        Delivery.objects.filter(round__in=rounds, planned_on__in=change.reopened).values_list(
            "round", "planned_on"
        )
    )
    effects = []
    for round in rounds:
        reach = change.today + timedelta(weeks=round.weeks_ahead)
        for day in dates_of(round, min(change.reopened), min(reach, max(change.reopened))):
            is_new = day in change.reopened and (round.pk, day) not in there
            if is_new and can_come(round, day, off, now):
                effects.append(again(round.pk, round, day, Outcome.MADE, change, is_new=True))
    return effects


def again(
    pk: int,
    round: DeliveryRound,
    day: date,
    outcome: str,
    change: Change,
    *,
    is_new: bool = False,
) -> Effect:
    text = _("livraison reprise") if outcome == Outcome.MADE else _("reste annulée")
    return Effect(
        NAME,
        pk,
        outcome,
        str(round),
        words.day(day, change.today),
        text,
        facts=(day, is_new),
        carries=None if is_new else pk,
    )


def order_again(order: Order, is_made: bool, change: Change) -> Effect:
    standing, planned_on = order.standing, order.delivery.planned_on
    is_standing = is_made and standing is not None and wants(standing, planned_on)
    return Effect(
        NAME,
        order.pk,
        Outcome.MADE if is_standing else Outcome.STAYS,
        str(order.delivery.round),
        words.day(order.delivery.planned_on, change.today),
        _("commande régulière reprise") if is_standing else _("commande reste annulée"),
        order.member,
        channel_for(order.member) if is_standing else "",
        order.reference,
        facts=(order.status,),
    )


# -- Doing --------------------------------------------------------------------------------------


def lock(place: Place) -> None:
    """Rounds before their deliveries, as everywhere."""
    rounds = DeliveryRound.objects.select_for_update(no_key=True).filter(place=place)
    list(rounds.order_by("pk").values_list("pk"))
    rows = Delivery.objects.select_for_update(no_key=True, of=("self",))
    list(rows.filter(place=place, status__in=LIVE).order_by("pk").values_list("pk"))


def apply(change: Change, effects: Sequence[Effect], by: User, now: datetime) -> None:
    whole = [effect for effect in effects if effect.member is None]
    for effect in whole:
        if effect.outcome == Outcome.SKIPPED:
            cancel_delivery(effect.carries, CancelledFor.CLOSED, by=by, now=now)
        elif effect.outcome == Outcome.MOVED:
            to = new_day(effect.carries, change, now)
            assert to is not None
            shift_delivery(effect.carries, to, by=by, now=now)
    made = [effect for effect in whole if effect.outcome == Outcome.MADE]
    for effect in made:
        if effect.carries is not None:
            open_again(Delivery(pk=effect.carries), by=by, now=now)
    for pk in sorted({effect.pk for effect in made if effect.carries is None}):
        make_of(DeliveryRound(pk=pk), now)


def open_again(delivery: Delivery, *, by: User, now: datetime) -> None:
    """Its date comes after all. A standing order lets go of the order that failed, so that
    it makes another; each is told."""
    delivery = locked(delivery)[0]
    hours: dict[str, Any] = dict(hours_of(delivery.round, delivery.planned_on))
    move(
        delivery,
        DeliveryStatus.OPEN,
        by=by,
        now=now,
        verb="open_again",
        cancelled_for="",
        cancelled_at=None,
        sent_at=None,
        day=delivery.planned_on,
        **hours,
    )
    Order.objects.filter(
        delivery=delivery, status=OrderStatus.FAILED, standing__isnull=False
    ).update(standing=None)
    for order in fill(delivery, now):
        key = f"order.closure_back:{order.reference}"
        tell_change(order.member, "order.closure_back", order, key=key, now=now)


DELIVERIES = Kind(NAME, gettext_lazy("Pain et paniers"), plan, apply, lock)
