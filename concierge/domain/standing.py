"""A standing order: the same goods every week or every other, as long as it stands.

The rule
- Its orders are made when deliveries are, some weeks ahead, so that what it will need is
  counted before anybody else orders. Each delivery makes at most one order of it; one that
  was cancelled is not made again.
- It is accepted for the dates that have room; dates that are full, or on which the member
  has an order already, are left out and told. Beyond the dates that are open, what all
  standing orders take on the fullest date must fit what the producer makes and what the
  place keeps: else it is refused.
- Of a round that comes on several days of the week it stands on those that were chosen; on
  every one where none was named.
- Every other week is counted in calendar weeks from that of its start.
- A pause leaves out the days of an absence, and cancels what is ordered on them while
  that is possible.
- What it makes is charged at the cut-off. Whoever owes too much then gets nothing that
  time, and is told.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from club.domain.messages import SETTLING, tell
from club.kernel import codes
from club.kernel.bookings import Channel
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.rows import flush
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import LogEntry, Member, Message, User
from concierge.domain.orders import (
    Lines,
    asked_lines,
    cancel_order,
    change_order,
    check,
    drop,
    field_of,
    locked,
    no_room,
    read,
    uncount,
    unknown_delivery,
    write,
)
from concierge.enums import DeliveryStatus, OrderStatus
from concierge.models import (
    Delivery,
    DeliveryRound,
    Order,
    Product,
    RoundProduct,
    StandingLine,
    StandingOrder,
    StandingPause,
)
from concierge.queries.deliveries import dates_of, wants

GROUP = "orders"
MOST_EVERY = 4
MOST_AHEAD = timedelta(days=366)
CYCLE = 12
"""Weeks after which standing orders of every 1, 2, 3 and 4 weeks fall together again."""
LONGEST_PAUSE = timedelta(days=365)


@dataclass(frozen=True)
class Stood:
    """What a standing order made at once, and the dates that it left out with why."""

    standing: StandingOrder
    made: list[Order] = field(default_factory=list)
    skipped: list[tuple[date, Reason]] = field(default_factory=list)


# -- Standing ----------------------------------------------------------------------------------


@in_one_transaction
def stand(
    *,
    member: Member,
    round: DeliveryRound,
    lines: Lines,
    every_weeks: int = 1,
    weekdays: Collection[int] = (),
    starts_on: date | None = None,
    ends_on: date | None = None,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Stood:
    """Begin a standing order, and make its orders of the dates that are open."""
    asked = asked_lines(lines)
    today = local_day(now)
    starts_on = max(starts_on or today, today)
    hold(member.household)
    round = locked_round(round)
    check_round(round, member, channel)
    check_dates(every_weeks, starts_on, ends_on, local_day(now))
    check_weekdays(round, weekdays)
    if standing_of(member, round) is not None:
        text = _("Vous avez déjà une commande régulière ici. Changez-la.")
        raise refuse("standing_already", text, "round")
    standing = StandingOrder(
        member=member,
        round=round,
        every_weeks=every_weeks,
        weekdays=sorted(set(weekdays)),
        starts_on=starts_on,
        ends_on=ends_on,
        channel=channel,
        created_at=now,
    )
    products = goods_of(round, asked)
    check_ahead(standing, products, asked, now)
    standing.save(force_insert=True)
    keep_lines(standing, products, asked)
    facts = {"every": every_weeks, "weekdays": standing.weekdays}
    log(standing, "stand", by=by, now=now, channel=channel, facts=facts)
    made, skipped = make_all(standing, by=by, now=now, channel=channel)
    tell_standing(standing, "standing.begun", now=now, **skipped_facts(skipped))
    return Stood(standing, made, skipped)


def standing_of(member: Member, round: DeliveryRound) -> StandingOrder | None:
    return StandingOrder.objects.filter(member=member, round=round, ended_at=None).first()


def locked_round(round: DeliveryRound) -> DeliveryRound:
    """Held while what stands is counted: two who stand at once would both fit."""
    hold(round)
    return DeliveryRound.objects.select_related("place", "producer").get(pk=round.pk)


def locked_standing(standing: StandingOrder) -> StandingOrder:
    hold(standing.member.household)
    hold(standing.round)
    return (
        StandingOrder.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "round__place", "round__producer", "member__user", "member__household", "member__place"
        )
        .get(pk=standing.pk)
    )


def check_round(round: DeliveryRound, member: Member, channel: str) -> None:
    place = round.place
    is_seen = place.is_public or place.pk == member.place_id or channel == Channel.DESK
    if place.landlord_id != member.place.landlord_id or not is_seen:
        raise unknown_delivery()
    if not round.is_offered or not round.producer.is_active:
        raise refuse("closed", _("Ce producteur ne livre plus ici."), "round")


def check_dates(every_weeks: int, starts_on: date, ends_on: date | None, today: date) -> None:
    reasons = []
    if starts_on > today + MOST_AHEAD:
        text: Any = _("Choisissez un début dans l’année qui vient.")
        reasons.append(Reason("dates_wrong", text, "starts_on"))
    if not 1 <= every_weeks <= MOST_EVERY:
        text = _("Choisissez d’une à quatre semaines.")
        reasons.append(Reason("weeks_wrong", text, "every_weeks"))
    if ends_on is not None and ends_on < starts_on:
        text = _("La fin ne peut pas être avant le début.")
        reasons.append(Reason("dates_wrong", text, "ends_on"))
    if reasons:
        raise Refused(reasons)


def check_weekdays(round: DeliveryRound, weekdays: Collection[int]) -> None:
    """A day on which the round never comes would stand for nothing, and nobody would see it."""
    if not set(weekdays) <= set(round.weekdays):
        raise refuse("weekdays_wrong", _("Choisissez un jour de livraison."), "weekdays")


def weekdays_of(standing: StandingOrder) -> list[int]:
    """The days of the week on which it makes orders, of those on which its round comes."""
    days = set(standing.round.weekdays)
    return sorted(days & set(standing.weekdays) if standing.weekdays else days)


def goods_of(round: DeliveryRound, asked: Mapping[str, int]) -> dict[str, RoundProduct]:
    """Of the round's products those that are asked for; all must be offered."""
    rows = RoundProduct.objects.filter(round=round, product__is_offered=True)
    found = {row.product.public_id: row for row in rows.select_related("product").order_by("pk")}
    unknown = [
        Reason("unknown_product", _("Ce produit n’est plus proposé."), field_of(product))
        for product in asked
        if product not in found
    ]
    if unknown:
        raise Refused(unknown)
    return found


def keep_lines(
    standing: StandingOrder, goods: Mapping[str, RoundProduct], asked: Mapping[str, int]
) -> None:
    StandingLine.objects.bulk_create(
        StandingLine(standing=standing, product=goods[product].product, quantity=quantity)
        for product, quantity in asked.items()
    )


# -- Beyond the dates that are open ------------------------------------------------------------


def check_ahead(
    standing: StandingOrder,
    goods: Mapping[str, RoundProduct],
    asked: Mapping[str, int],
    now: datetime,
) -> None:
    """On the fullest date to come, all that stands must fit, this one with it."""
    round = standing.round
    dates = dates_ahead(standing, now)
    if not dates:
        raise refuse("no_date", _("Aucune livraison ne tombe à ces dates."), "starts_on")
    if round.most_pieces is None and all(goods[product].most is None for product in asked):
        return
    others = [
        (other, {line.product_id: line.quantity for line in other.lines.all()})
        for other in StandingOrder.objects.filter(round=round, ended_at=None)
        .exclude(pk=standing.pk)
        .prefetch_related("lines")
    ]
    reasons: dict[str, Reason] = {}
    open_until = last_made(round)
    for day in dates:
        if open_until is not None and day <= open_until:
            continue
        taken: dict[int, int] = defaultdict(int)
        for other, numbers in others:
            if wants(other, day):
                for product_id, number in numbers.items():
                    taken[product_id] += number
        for product, number in asked.items():
            good = goods[product]
            left = None if good.most is None else max(0, good.most - taken[good.product_id])
            if left is not None and number > left and product not in reasons:
                reasons[product] = no_room_of(good.product, left)
        if round.most_pieces is not None:
            left = max(0, round.most_pieces - sum(taken.values()))
            if sum(asked.values()) > left:
                reasons.setdefault("", no_room(left))
    if reasons:
        raise Refused(reasons.values())


def no_room_of(product: Product, left: int) -> Reason:
    text = _("Toutes les semaines sont prises pour « %(name)s ». Commandez date par date.")
    facts = {"left": {product.public_id: left}}
    return Reason("no_room", text % {"name": product}, field_of(product.public_id), facts)


def last_made(round: DeliveryRound) -> date | None:
    """The last date of which there is a delivery: until then rows are counted."""
    last = Delivery.objects.filter(round=round).order_by("-planned_on").first()
    return last.planned_on if last else None


def dates_ahead(standing: StandingOrder, now: datetime) -> list[date]:
    """Its dates until all that stands repeats itself."""
    round = standing.round
    rows = StandingOrder.objects.filter(round=round, ended_at=None)
    turns = [standing.starts_on, round.starts_on, local_day(now)]
    turns += rows.values_list("starts_on", flat=True)  # an end only makes room
    last = max(turns) + timedelta(weeks=CYCLE * round.every_weeks + round.weeks_ahead + 1)
    if standing.ends_on is not None:
        last = min(last, standing.ends_on)
    return [day for day in dates_of(round, standing.starts_on, last) if wants(standing, day)]


# -- Making its orders -------------------------------------------------------------------------


def open_deliveries(standing: StandingOrder, now: datetime) -> list[Delivery]:
    """Those that it is for, locked in the order of all."""
    rows = Delivery.objects.filter(
        round=standing.round_id, status=DeliveryStatus.OPEN, cutoff_at__gt=now
    )
    return [one for one in locked(*rows) if wants(standing, one.planned_on)]


def make_all(
    standing: StandingOrder, *, by: User | None, now: datetime, channel: str
) -> tuple[list[Order], list[tuple[date, Reason]]]:
    made: list[Order] = []
    skipped: list[tuple[date, Reason]] = []
    for delivery in sorted(open_deliveries(standing, now), key=lambda one: one.collect_from):
        found = make_one(standing, delivery, by=by, now=now, channel=channel)
        if isinstance(found, Order):
            made.append(found)
        elif found is not None:
            skipped.append((delivery.day, found))
    return made, skipped


def make_one(
    standing: StandingOrder,
    delivery: Delivery,
    *,
    by: User | None,
    now: datetime,
    channel: str = "",
) -> Order | Reason | None:
    """Its order of a locked delivery, why there is none, or nothing to say.

    Every rule is asked before anything is written: what is refused here leaves no trace.
    """
    if is_paused(standing, delivery.day):
        return None
    if Order.objects.filter(standing=standing, delivery=delivery).exists():
        return None
    asked = {line.product.public_id: line.quantity for line in lines_of(standing)}
    member = standing.member
    if not asked or not member.user.is_active:
        return None
    try:
        counter = read(delivery, member, now)
        check(counter, member, asked, now=now, channel=Channel.DESK, standing=standing)
    except Refused as refused:
        return refused.reasons[0]
    channel = channel or standing.channel
    return write(counter, member, asked, by=by, now=now, channel=channel, standing=standing)


def lines_of(standing: StandingOrder) -> Iterable[StandingLine]:
    return standing.lines.select_related("product").order_by("pk")


def is_paused(standing: StandingOrder, day: date) -> bool:
    return standing.pauses.filter(first_on__lte=day, last_on__gte=day).exists()


@in_one_transaction
def fill(delivery: Delivery, now: datetime) -> list[Order]:
    """The orders of all that stands, each once, in the order in which they were begun."""
    made = []
    found = locked(delivery)
    rows = (
        StandingOrder.objects.filter(round=delivery.round_id, ended_at=None)
        .select_related("member__user", "member__household", "member__place")
        .order_by("created_at", "pk")
    )
    for standing in rows if found and found[0].status == DeliveryStatus.OPEN else ():
        if not wants(standing, delivery.planned_on):
            continue
        one = make_one(standing, found[0], by=None, now=now)
        if isinstance(one, Order):
            made.append(one)
        elif one is not None and one.code != "ordered_already":
            tell_skipped(standing, found[0].day, one, now=now)
    return made


# -- Changing ----------------------------------------------------------------------------------


@in_one_transaction
def change_standing(
    standing: StandingOrder,
    lines: Lines,
    *,
    every_weeks: int | None = None,
    weekdays: Collection[int] | None = None,
    ends_on: date | None = None,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Stood:
    """Other goods, another rhythm, other days or another end; `weekdays` None keeps its days.
    What it has made and can still change follows."""
    asked = asked_lines(lines)
    standing = locked_standing(standing)
    refuse_ended(standing)
    check_round(standing.round, standing.member, Channel.DESK)
    every_weeks = every_weeks or standing.every_weeks
    today = local_day(now)
    check_dates(every_weeks, max(standing.starts_on, today), ends_on, today)
    standing.every_weeks, standing.ends_on = every_weeks, ends_on
    if weekdays is not None:
        check_weekdays(standing.round, weekdays)
        standing.weekdays = sorted(set(weekdays))
    goods = goods_of(standing.round, asked)
    check_ahead(standing, goods, asked, now)
    standing.save(update_fields=["every_weeks", "weekdays", "ends_on"])
    standing.lines.all().delete()
    keep_lines(standing, goods, asked)
    facts = {"every": every_weeks, "weekdays": standing.weekdays}
    log(standing, "change", by=by, now=now, channel=channel, facts=facts)
    skipped: list[tuple[date, Reason]] = []
    for order in changeable(standing, now):
        if not wants(standing, order.delivery.planned_on):
            cancel_order(order, by=by, now=now, channel=channel)
            # The date is not given up: it is made again when the rhythm wants it again.
            Order.objects.filter(pk=order.pk).update(standing=None)
            continue
        try:
            change_order(order, asked, by=by, now=now, channel=channel)
        except Refused as refused:
            skipped.append((order.delivery.day, refused.reasons[0]))
    made, more = make_all(standing, by=by, now=now, channel=channel)
    skipped += more
    tell_standing(standing, "standing.changed", now=now, **skipped_facts(skipped))
    return Stood(standing, made, skipped)


def refuse_ended(standing: StandingOrder) -> None:
    if standing.ended_at is not None:
        raise refuse("wrong_state", _("Cette commande régulière est déjà arrêtée."))


def changeable(standing: StandingOrder, now: datetime, **only: Any) -> list[Order]:
    """What it has made that is not sent yet; its deliveries locked in the order of all."""
    rows = Order.objects.filter(
        standing=standing,
        status=OrderStatus.ORDERED,
        delivery__status=DeliveryStatus.OPEN,
        delivery__cutoff_at__gt=now,
        **only,
    ).select_related("delivery__round", "member__household", "member__user")
    found = list(rows.order_by("starts_at", "pk"))
    still = {one.pk for one in locked(*(order.delivery for order in found)) if one.status == "open"}
    return [order for order in found if order.delivery_id in still]


@in_one_transaction
def end_standing(
    standing: StandingOrder, *, by: User | None, now: datetime, channel: str = Channel.WEB
) -> int:
    """Stop it; what it has made and is not sent yet is cancelled. Says how many."""
    standing = locked_standing(standing)
    refuse_ended(standing)
    return finish(standing, by=by, now=now, channel=channel)


def finish(
    standing: StandingOrder, *, by: User | None, now: datetime, channel: str = "", why: str = ""
) -> int:
    standing.ended_at = now
    standing.save(update_fields=["ended_at"])
    orders = changeable(standing, now)
    for order in orders:
        quietly_cancel(order, by=by, now=now, channel=channel)
    log(standing, "end", by=by, now=now, channel=channel, facts={"orders": len(orders)})
    tell_standing(standing, "standing.ended", now=now, why=why)
    return len(orders)


def quietly_cancel(order: Order, *, by: User | None, now: datetime, channel: str) -> None:
    """With the standing order that made it, which tells it once for all."""
    drop(order, OrderStatus.CANCELLED, by=by, now=now, channel=channel, verb="standing")
    uncount(order)


# -- Pauses ------------------------------------------------------------------------------------


@in_one_transaction
def pause_standing(
    standing: StandingOrder,
    first: date,
    last: date,
    *,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> StandingPause:
    """Leave out the days of an absence; what can still be cancelled of them is."""
    standing = locked_standing(standing)
    refuse_ended(standing)
    reasons = []
    if last < first:
        text: Any = _("La fin ne peut pas être avant le début.")
        reasons.append(Reason("dates_wrong", text, "last_on"))
    elif last < local_day(now):
        reasons.append(Reason("past", _("Choisissez des jours à venir."), "last_on"))
    elif last - first > LONGEST_PAUSE:
        text = _("Une pause dure un an au plus. Arrêtez plutôt la commande.")
        reasons.append(Reason("too_long", text, "last_on"))
    if reasons:
        raise Refused(reasons)
    pause = StandingPause.objects.create(standing=standing, first_on=first, last_on=last)
    orders = changeable(standing, now, delivery__day__gte=first, delivery__day__lte=last)
    for order in orders:
        quietly_cancel(order, by=by, now=now, channel=channel)
    facts = {"first": first.isoformat(), "last": last.isoformat(), "orders": len(orders)}
    log(standing, "pause", by=by, now=now, channel=channel, facts=facts)
    tell_standing(standing, "standing.paused", now=now, **facts)
    return pause


@in_one_transaction
def end_pause(
    pause: StandingPause, *, by: User, now: datetime, channel: str = Channel.WEB
) -> Stood:
    """Back earlier, or not leaving: dates whose order was not made or was cancelled by the
    pause are made again where there is room."""
    standing = locked_standing(
        StandingOrder.objects.select_related("member__household", "round").get(pk=pause.standing_id)
    )
    found = standing.pauses.filter(pk=pause.pk).first()
    if found is None:
        return Stood(standing)
    first, last = found.first_on, found.last_on
    if first == last and first in moved_away(standing, now):
        raise refuse("moved", _("Cette date est déplacée : elle est déjà commandée."))
    found.delete()
    Order.objects.filter(
        standing=standing,
        status=OrderStatus.CANCELLED,
        delivery__day__gte=first,
        delivery__day__lte=last,
        pk__in=cancelled_by_pause(standing),
    ).update(standing=None)
    log(standing, "end_pause", by=by, now=now, channel=channel)
    made, skipped = make_all(standing, by=by, now=now, channel=channel)
    if made or skipped:
        tell_standing(standing, "standing.changed", now=now, **skipped_facts(skipped))
    return Stood(standing, made, skipped)


def cancelled_by_pause(standing: StandingOrder) -> Iterator[int]:
    orders = Order.objects.filter(standing=standing, status=OrderStatus.CANCELLED).values("pk")
    rows = LogEntry.objects.filter(subject_kind="order", verb="standing", subject_id__in=orders)
    yield from rows.values_list("subject_id", flat=True)


def moved_away(standing: StandingOrder, now: datetime) -> dict[date, Order]:
    """By the day that it left, what a member moved to another date and is still to come.

    It stands by itself since, and left a pause of one day: taken up again, that day would be
    ordered twice. The journal knows from where it went.
    """
    days = {one.first_on for one in standing.pauses.all() if one.first_on == one.last_on}
    if not days:
        return {}
    rows = Delivery.objects.filter(round=standing.round_id, day__in=days)
    left = dict(rows.values_list("public_id", "day"))
    orders = {
        order.pk: order
        for order in Order.objects.filter(
            member=standing.member_id, standing=None, status=OrderStatus.ORDERED, ends_at__gt=now
        ).select_related("delivery", "place")
    }
    moves = LogEntry.objects.filter(subject_kind="order", verb="move", subject_id__in=orders)
    return {
        left[facts["before"]]: orders[pk]
        for pk, facts in moves.order_by("pk").values_list("subject_id", "facts")
        if facts.get("before") in left
    }


# -- Telling -----------------------------------------------------------------------------------


def skipped_facts(skipped: Iterable[tuple[date, Reason]]) -> dict[str, Any]:
    return {"skipped": [[day.isoformat(), reason.code] for day, reason in skipped]}


def tell_standing(standing: StandingOrder, event: str, *, now: datetime, **facts: Any) -> None:
    """Each change is told, two in one second too."""
    key = f"{event}:{standing.reference}:{codes.token()}"
    tell(
        standing.member, event, standing, key=key, now=now, due_at=now + SETTLING, group=GROUP,
        facts=facts,
    )  # fmt: skip


def tell_skipped(standing: StandingOrder, day: date, reason: Reason, *, now: datetime) -> None:
    """Once for each date, however often it is made anew."""
    key = f"standing.skipped:{standing.reference}:{day}"
    flush()
    if Message.objects.filter(key=key).exists():
        return
    tell(
        standing.member, "standing.skipped", standing, key=key, now=now, due_at=now + SETTLING,
        group=GROUP, facts={"day": day.isoformat(), "why": reason.code},
    )  # fmt: skip
