"""An order of bread or baskets: made, changed, moved to another date or place, cancelled.

The rule
- Until the cut-off, and not at its second: then the delivery is sent to its producer, and
  an order neither comes nor goes. Whoever is late calls the desk, which cannot either.
- A member has one order of a delivery; more of it is a change of that order.
- What is promised of a delivery is counted on its rows. The counters move last, in the
  order delivery, then stock, so that they are locked for the shortest time and never
  crosswise; the database judges them, and whoever loses reads again.
- The household's row is held from the first read: two tabs cannot both find that little
  is owed.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import Case, Exists, F, IntegerField, Sum, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from club.domain.messages import SETTLING, tell, tell_change
from club.enums import Activity
from club.kernel import words
from club.kernel.bookings import Channel
from club.kernel.form_keys import once_a_form
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import Contended, hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, User
from club.queries.entitlement import covering_until, may
from concierge.domain import order_fees as fees
from concierge.enums import BAKED_FOR, DeliveryStatus, OrderStatus
from concierge.models import (
    Delivery,
    DeliveryStock,
    Order,
    OrderLine,
    StandingOrder,
    StandingPause,
)
from concierge.models.orders import MOST_PIECES
from concierge.queries.deliveries import left_of, room_of

Lines = Mapping[str, int]
"""How many of each product, by its public identifier; none of it is left out."""
GUARDS = (
    "concierge_delivery_within",
    "concierge_stock_within",
    "concierge_order_once",
    "concierge_order_of_standing_once",
    "concierge_order.delivery_id",
)
"""Of the unique keys SQLite says the columns, not the name."""


@dataclass(frozen=True)
class Counter:
    """One delivery as somebody orders of it: what it has, and what they have."""

    delivery: Delivery
    shelf: dict[str, DeliveryStock]
    held: int = 0
    """What the household has, or owes, in cents."""
    has_order: bool = False
    right_until: Any = None


# -- Reading -----------------------------------------------------------------------------------


def read(delivery: Delivery | str, member: Member, now: datetime) -> Counter:
    """All that an order asks about, in one statement where the right is simple."""
    asked = (
        {"delivery__public_id": delivery}
        if isinstance(delivery, str)
        else {"delivery": delivery.pk}
    )
    orders = Order.objects.filter(
        delivery__in=asked_delivery(delivery), member=member, status__in=BAKED_FOR
    )
    rows = list(
        DeliveryStock.objects.filter(**asked)
        .select_related("product", "delivery__round", "delivery__place", "delivery__producer")
        .annotate(
            held=fees.held_by(member.household_id),
            has_order=Exists(orders),
            right_until=covering_until(member, Activity.SERVICES, local_day(now)),
        )
        .order_by("pk")
    )
    if not rows:
        raise unknown_delivery()
    first = rows[0]
    for row in rows[1:]:
        row.delivery = first.delivery
    return Counter(
        first.delivery,
        {row.product.public_id: row for row in rows},
        first.held,
        first.has_order,
        first.right_until,
    )


def asked_delivery(delivery: Delivery | str) -> Any:
    if isinstance(delivery, str):
        return Delivery.objects.filter(public_id=delivery).values("pk")
    return [delivery.pk]


def unknown_delivery() -> Refused:
    return refuse("unknown_delivery", _("Cette livraison est inconnue."), "delivery")


def locked_order(order: Order) -> Order:
    """As it is now, until the transaction ends; its household is held first, as everywhere."""
    hold(order.member.household)
    return (
        Order.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "delivery__round", "delivery__place", "delivery__producer", "place",
            "member__user", "member__household", "member__place",
        )
        .get(pk=order.pk)
    )  # fmt: skip


# -- Rules -------------------------------------------------------------------------------------


def closed_reason(delivery: Delivery, now: datetime) -> Reason | None:
    """Why nothing of it changes any more."""
    if delivery.status == DeliveryStatus.CANCELLED:
        text = _("Il n’y a pas de livraison le %(day)s : %(why)s.")
        facts = {"day": words.day(delivery.day), "why": delivery.get_cancelled_for_display()}
        return Reason("closed", text % facts, "delivery")
    if delivery.status != DeliveryStatus.OPEN or now >= delivery.cutoff_at:
        text = _("Les commandes sont closes depuis le %(moment)s.")
        facts = {"moment": words.moment(delivery.cutoff_at)}
        return Reason(
            "cut_off", text % facts, "delivery", {"cutoff_at": delivery.cutoff_at.isoformat()}
        )
    return None


def delivery_reason(
    delivery: Delivery, member: Member, now: datetime, channel: str
) -> Reason | None:
    place = delivery.place
    is_seen = place.is_public or place.pk == member.place_id or channel == Channel.DESK
    if place.landlord_id != member.place.landlord_id or not is_seen:
        return unknown_delivery().reasons[0]
    if not delivery.producer.is_active or not delivery.round.is_offered:
        return Reason("closed", _("Ce producteur ne livre plus ici."), "delivery")
    return closed_reason(delivery, now)


def right_reason(counter: Counter, member: Member, now: datetime) -> Reason | None:
    delivery = counter.delivery
    if not delivery.round.needs_right:
        return None
    if counter.right_until is not None and counter.right_until >= delivery.day >= local_day(now):
        return None
    return may(member, Activity.SERVICES, delivery.day, delivery.day)


def asked_lines(lines: Lines) -> dict[str, int]:
    """What is asked for: whole numbers, something at all."""
    reasons = [
        Reason("quantity_wrong", quantity_text(), field_of(product))
        for product, quantity in lines.items()
        if not isinstance(quantity, int) or not 0 <= quantity <= MOST_PIECES
    ]
    if reasons:
        raise Refused(reasons)
    asked = {product: quantity for product, quantity in lines.items() if quantity}
    if not asked:
        raise refuse("nothing_ordered", _("Choisissez au moins un produit."), "lines")
    return asked


def quantity_text() -> Any:
    return _("Écrivez un nombre de 0 à %(most)s.") % {"most": MOST_PIECES}


def field_of(product: str) -> str:
    return f"line_{product}"


def line_reasons(
    counter: Counter, asked: Mapping[str, int], own: Mapping[str, int] | None = None
) -> list[Reason]:
    """Why the delivery cannot have these; `own` is what the order has of it already."""
    own = own or {}
    reasons = []
    for product, quantity in asked.items():
        stock = counter.shelf.get(product)
        if stock is None:
            text = _("Ce produit n’est pas dans cette livraison.")
            reasons.append(Reason("unknown_product", text, field_of(product)))
            continue
        more = quantity - own.get(product, 0)
        left = 0 if stock.is_withdrawn else left_of(stock)
        if more > 0 and left is not None and more > left:
            reasons.append(sold_out(stock, left + own.get(product, 0)))
    room = room_of(counter.delivery)
    more = sum(asked.values()) - sum(own.values())
    if not reasons and room is not None and more > max(0, room):
        reasons.append(no_room(room + sum(own.values())))
    return reasons


def sold_out(stock: DeliveryStock, left: int) -> Reason:
    facts = {"left": {stock.product.public_id: left}}
    name = str(stock.product)
    if not left:
        text: Any = _("Il n’y a plus de « %(name)s » pour ce jour.") % {"name": name}
    else:
        text = ngettext_lazy(
            "Il ne reste qu’un « %(name)s » pour ce jour.",
            "Il ne reste que %(left)d « %(name)s » pour ce jour.",
            left,
        ) % {"left": left, "name": name}
    return Reason("sold_out", text, field_of(stock.product.public_id), facts)


def no_room(left: int) -> Reason:
    text: Any = _("L’accueil ne peut plus rien garder ce jour-là.")
    if left:
        text = ngettext_lazy(
            "L’accueil ne peut plus garder qu’une pièce ce jour-là.",
            "L’accueil ne peut plus garder que %(left)d pièces ce jour-là.",
            left,
        ) % {"left": left}
    return Reason("no_room", text, "lines", {"left": left})


def total_of(counter: Counter, asked: Mapping[str, int]) -> int:
    return sum(counter.shelf[product].unit_cents * n for product, n in asked.items())


# -- Counters ----------------------------------------------------------------------------------


@contextmanager
def judged() -> Iterator[None]:
    """The database judges between two who take the last one: the loser reads again."""
    try:
        yield
    except IntegrityError as error:
        if any(name in str(error) for name in GUARDS):
            raise Contended from error
        raise


def count(delivery: Delivery, changes: Mapping[int, int]) -> None:
    """Move the counters by so many of each stock line, while orders are open; last of all."""
    changes = {pk: number for pk, number in changes.items() if number}
    pieces = sum(changes.values())
    with judged():
        # One that was moved meanwhile has other hours: they are read anew.
        rows = Delivery.objects.filter(
            pk=delivery.pk, status=DeliveryStatus.OPEN, collect_from=delivery.collect_from
        )
        if not rows.update(ordered=F("ordered") + pieces):
            raise Contended
        if changes:
            cases = [When(pk=pk, then=Value(number)) for pk, number in sorted(changes.items())]
            more = Case(*cases, output_field=IntegerField())
            DeliveryStock.objects.filter(pk__in=changes).update(ordered=F("ordered") + more)


def uncount(order: Order) -> None:
    """What an order had is free again, as long as its delivery is open."""
    count(order.delivery, {pk: -number for pk, number in stock_of(order).items()})


def stock_of(order: Order) -> dict[int, int]:
    return dict(order.lines.values_list("stock_id", "quantity"))


def recount(delivery: Delivery) -> None:
    """Of a locked delivery of which many orders end at once: as its rows say."""
    rows = OrderLine.objects.filter(order__delivery=delivery, order__status__in=BAKED_FOR)
    numbers = dict(rows.order_by().values_list("stock").annotate(n=Sum("quantity")))
    for pk, ordered in delivery.stock.order_by("pk").values_list("pk", "ordered"):
        if ordered != numbers.get(pk, 0):
            DeliveryStock.objects.filter(pk=pk).update(ordered=numbers.get(pk, 0))
    delivery.ordered = sum(numbers.values())
    Delivery.objects.filter(pk=delivery.pk).update(ordered=delivery.ordered)


def locked(*deliveries: Delivery) -> list[Delivery]:
    """As they are now, always in the same order, until the transaction ends."""
    rows = Delivery.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "round", "place__landlord", "producer"
    )
    return list(rows.filter(pk__in=[one.pk for one in deliveries]).order_by("pk"))


# -- Ordering ----------------------------------------------------------------------------------


@in_one_transaction
def place_order(
    *,
    member: Member,
    delivery: Delivery | str,
    lines: Lines,
    by: User | None,
    now: datetime,
    channel: str = Channel.WEB,
    standing: StandingOrder | None = None,
) -> Order:
    """Order of one delivery. Raises `Refused`: `cut_off`, `closed`, `ordered_already`,
    `no_right`, `sold_out` and `no_room` with what is left, `owes_too_much`.

    The API gives the public identifier, so that no statement only looks the delivery up.
    """
    asked = asked_lines(lines)
    hold(member.household)
    counter = read(delivery, member, now)
    check(counter, member, asked, now=now, channel=channel, standing=standing)
    return write(
        counter, member, asked, by=by, now=now, channel=channel, standing=standing
    )  # fmt: skip


def check(
    counter: Counter,
    member: Member,
    asked: Mapping[str, int],
    *,
    now: datetime,
    channel: str,
    standing: StandingOrder | None = None,
) -> None:
    delivery = counter.delivery
    reason = delivery_reason(delivery, member, now, channel)
    if reason is None and counter.has_order:
        text = _("Vous avez déjà une commande pour ce jour. Changez-la.")
        reason = Reason("ordered_already", text, "delivery")
    if reason is not None:
        raise Refused(reason)
    reasons = line_reasons(counter, asked)
    right = right_reason(counter, member, now)
    if right is not None:
        reasons.append(right)
    if not reasons and standing is None:
        limit = fees.limit_reason(delivery.round, counter.held, total_of(counter, asked))
        if limit is not None:
            reasons.append(limit)
    if reasons:
        raise Refused(reasons)


def write(
    counter: Counter,
    member: Member,
    asked: Mapping[str, int],
    *,
    by: User | None,
    now: datetime,
    channel: str,
    standing: StandingOrder | None = None,
    is_told: bool = True,
) -> Order:
    """What all rules have agreed to."""
    delivery = counter.delivery
    order = Order(
        delivery=delivery,
        member=member,
        place=delivery.place,
        standing=standing,
        starts_at=delivery.collect_from,
        ends_at=delivery.collect_until,
        quantity=sum(asked.values()),
        total_cents=total_of(counter, asked),
        channel=channel,
        created_at=now,
    )
    with judged():
        order.save(force_insert=True)
    keep_lines(order, counter, asked)
    if fees.is_charged_now(order):
        fees.charge(order, by=by, now=now, number=1)
    facts = {"to": order.status, "cents": order.total_cents}
    log(order, "order", by=by, now=now, channel=channel, facts=facts)
    if standing is None and is_told:
        key = f"order.made:{order.reference}"
        tell(member, "order.made", order, key=key, now=now, due_at=now + SETTLING)
    count(delivery, {counter.shelf[product].pk: number for product, number in asked.items()})
    return order


def keep_lines(order: Order, counter: Counter, asked: Mapping[str, int]) -> None:
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            stock=counter.shelf[product],
            quantity=quantity,
            unit_cents=counter.shelf[product].unit_cents,
        )
        for product, quantity in asked.items()
    )


def order_once(*, form_key: str, member: Member, make: Callable[[], Order]) -> Order:
    """For the page that carries `form_key`: pressed twice, made once."""
    return once_a_form(Order, form_key=form_key, member=member, make=make)


# -- Changing ----------------------------------------------------------------------------------


def refuse_closed(order: Order, now: datetime) -> None:
    """What is over stays; at and after the cut-off nothing changes."""
    if order.status != OrderStatus.ORDERED:
        text = _("Cette commande ne peut plus changer : %(state)s.")
        raise refuse("wrong_state", text % {"state": order.get_status_display()})
    reason = closed_reason(order.delivery, now)
    if reason is not None:
        raise Refused(reason)


def numbers_of(order: Order) -> dict[str, int]:
    """What an order has, by product."""
    return dict(order.lines.values_list("stock__product__public_id", "quantity"))


@in_one_transaction
def change_order(
    order: Order, lines: Lines, *, by: User, now: datetime, channel: str = Channel.WEB
) -> Order:
    """Other products, or another number of them."""
    asked = asked_lines(lines)
    order = locked_order(order)
    refuse_closed(order, now)
    counter = read(order.delivery, order.member, now)
    own = numbers_of(order)
    if asked == own:
        return order
    reasons = line_reasons(counter, asked, own)
    total = total_of(counter, asked)
    more = total - order.total_cents
    if not reasons and more > 0 and fees.is_charged_now(order):
        limit = fees.limit_reason(order.delivery.round, counter.held, more)
        reasons += [limit] if limit is not None else []
    if reasons:
        raise Refused(reasons)
    is_charged = fees.is_charged_now(order)
    if is_charged:
        fees.uncharge(order, by=by, now=now)
    order.lines.all().delete()
    keep_lines(order, counter, asked)
    order.quantity, order.total_cents = sum(asked.values()), total
    order.sequence += 1
    order.save(update_fields=["quantity", "total_cents", "sequence"])
    if is_charged:
        fees.charge(order, by=by, now=now)
    facts = {"cents": total, "before": total - more}
    log(order, "change", by=by, now=now, channel=channel, facts=facts)
    tell_order(order, "order.changed", now=now)
    changes = {
        stock.pk: asked.get(product, 0) - own.get(product, 0)
        for product, stock in counter.shelf.items()
    }
    count(order.delivery, changes)
    return order


@in_one_transaction
def move_order(
    order: Order,
    delivery: Delivery | str,
    *,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Order:
    """The same goods on another date or at another place; the reference stays.

    What a standing order made becomes an order of its own, and leaves a pause of that day.
    """
    order = locked_order(order)
    refuse_closed(order, now)
    before = order.delivery
    counter = read(delivery, order.member, now)
    after = counter.delivery
    if after.pk == before.pk:
        raise refuse("wrong_state", _("Il n’y a rien à changer."))
    asked = numbers_of(order)
    cents = total_of(counter, {p: n for p, n in asked.items() if p in counter.shelf})
    was_charged = fees.is_charged_now(order)
    room = Counter(
        after,
        counter.shelf,
        counter.held + (order.total_cents if was_charged else 0),
        counter.has_order,
        counter.right_until,
    )
    if before.round_id != after.round_id and not set(asked) <= set(counter.shelf):
        text = _("Cette livraison n’a pas les mêmes produits.")
        raise refuse("unknown_product", text, "delivery")
    check(room, order.member, asked, now=now, channel=channel)
    locked(before, after)
    uncount(order)
    if was_charged:
        fees.uncharge(order, by=by, now=now)
    if order.standing_id is not None:
        StandingPause.objects.create(
            standing_id=order.standing_id, first_on=before.day, last_on=before.day
        )
    order.lines.all().delete()
    order.delivery, order.place, order.standing = after, after.place, None
    order.starts_at, order.ends_at = after.collect_from, after.collect_until
    order.total_cents = cents
    order.sequence += 1
    with judged():
        order.save(
            update_fields=[
                "delivery", "place", "standing", "starts_at", "ends_at", "total_cents", "sequence",
            ]
        )  # fmt: skip
    keep_lines(order, counter, asked)
    fees.charge(order, by=by, now=now)
    facts = {"before": before.public_id, "after": after.public_id}
    log(order, "move", by=by, now=now, channel=channel, facts=facts)
    tell_order(order, "order.moved", now=now)
    count(after, {counter.shelf[product].pk: number for product, number in asked.items()})
    return order


@in_one_transaction
def cancel_order(
    order: Order, *, by: User | None, now: datetime, channel: str = Channel.WEB
) -> Order:
    """Before the cut-off: what it promised is free again, and what it cost is credited."""
    order = locked_order(order)
    refuse_closed(order, now)
    drop(order, OrderStatus.CANCELLED, by=by, now=now, channel=channel)
    uncount(order)
    tell_order(order, "order.cancelled", now=now)
    return order


def drop(
    order: Order, to: str, *, by: User | None, now: datetime, verb: str = "", channel: str = ""
) -> int:
    """Of a locked order: its charge goes back; says what is credited. Counters are theirs
    who call: one by one, or all of a delivery at once."""
    cents = fees.uncharge(order, by=by, now=now)
    usual = "cancel" if to == OrderStatus.CANCELLED else "fail"
    move(
        order, to, by=by, now=now, verb=verb or usual, channel=channel,
        facts={"credited": cents}, sequence=order.sequence + 1,
    )  # fmt: skip
    return cents


def tell_order(order: Order, event: str, *, now: datetime, **facts: Any) -> None:
    """Once things have settled; `sequence` grows with each change."""
    key = f"{event}:{order.reference}:{order.sequence}"
    tell_change(order.member, event, order, key=key, now=now, facts=facts)
