"""What orders of bread and baskets tell the screens that mix kinds of bookings."""

from datetime import date, datetime
from typing import Any, Literal

from django.db.models import Prefetch, QuerySet, prefetch_related_objects
from django.utils.translation import gettext as _
from pydantic import BaseModel, Field

from club.kernel import codes, words
from club.kernel.bookings import CalendarEntry, Channel, Kind
from club.kernel.inputs import Identifier, Request
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.models import Member, User
from concierge.domain.orders import (
    cancel_order,
    change_order,
    move_order,
    numbers_of,
    place_order,
)
from concierge.enums import OrderStatus
from concierge.models import Order, OrderLine
from concierge.models.orders import MOST_PIECES
from concierge.queries import deliveries

CHIPS = {OrderStatus.ORDERED: "ok", OrderStatus.COLLECTED: "ok"}
GONE = (OrderStatus.CANCELLED, OrderStatus.FAILED)
MOST_LINES = 50
PICTURE = "tiles/pain-paniers"


LINES = Prefetch(
    "lines",
    OrderLine.objects.select_related("stock__product").order_by("stock__product__position", "pk"),
)


def with_lines(order: Order) -> Order:
    """Read anew what a verb has just written."""
    prefetch_related_objects([order], LINES)
    return order


def visible_to(user: Any) -> QuerySet[Order]:
    """With what they have, in one statement more."""
    rows = deliveries.visible_to(user).select_related("member__household")
    return rows.prefetch_related(LINES)


def card(order: Order, now: datetime) -> dict[str, Any]:
    """One line of "Mes réservations"."""
    round, day = order.delivery.round, order.delivery.day
    labels = {OrderStatus.COLLECTED: _("Retiré"), OrderStatus.ORDERED: _("À retirer")}
    return {
        "title": round.name,
        "picture": round.picture or PICTURE,
        "photo": None,
        "wall": round.wall,
        "reference": codes.spoken(order.reference),
        "label": labels.get(OrderStatus(order.status), _("Retrait prévu")),
        "day": words.day(day, local_day(now)),
        "date": day,
        "chip": {
            "kind": CHIPS.get(OrderStatus(order.status), "info"),
            "text": str(order.get_status_display()).capitalize(),
        },
    }


def entry(order: Order) -> CalendarEntry:
    place = order.place
    said = [f"{line.quantity}{words.NBSP}× {line.stock.product}" for line in order.lines.all()]
    return CalendarEntry(
        uid=f"{order.reference}@conciergerie",
        sequence=order.sequence,
        title=_("Retirer : %(title)s") % {"title": order.delivery.round.name},
        starts_at=order.starts_at,
        ends_at=order.ends_at,
        where=f"{place.name}, {place.address}, {place.postcode} {place.city}",
        description=_("Commande %(reference)s. %(lines)s.")
        % {"reference": codes.spoken(order.reference), "lines": ", ".join(said)},
        cancelled=order.status in GONE,
        changed_at=order.cancelled_at or order.failed_at or order.created_at,
    )


def as_json(order: Order) -> dict[str, Any]:
    return {
        "kind": "order",
        "reference": order.reference,
        "status": order.status,
        "place": order.place.slug,
        "delivery": order.delivery.public_id,
        "title": order.delivery.round.name,
        "day": order.delivery.day,
        "starts_at": order.starts_at,
        "ends_at": order.ends_at,
        "changes_until": order.delivery.cutoff_at,
        "lines": [
            {
                "product": line.stock.product.public_id,
                "name": str(line.stock.product),
                "quantity": line.quantity,
                "unit_cents": line.unit_cents,
            }
            for line in order.lines.all()
        ],
        "quantity": order.quantity,
        "total_cents": order.total_cents,
        "repeats": order.standing_id is not None,
        "created_at": order.created_at,
    }


class OrderLineIn(Request):
    product: Identifier
    quantity: int = Field(ge=0, le=MOST_PIECES)


class OrderRequest(Request):
    """Some of one delivery: each product once. `GET /deliveries` tells what there is."""

    kind: Literal["order"]
    delivery: Identifier
    lines: list[OrderLineIn] = Field(min_length=1, max_length=MOST_LINES)


class OrderChanges(Request):
    """All its lines anew, or another delivery: one of both."""

    lines: list[OrderLineIn] | None = Field(None, min_length=1, max_length=MOST_LINES)
    delivery: Identifier | None = None


class OrderLineOut(BaseModel):
    product: str
    name: str
    quantity: int
    unit_cents: int


class OrderOut(BaseModel):
    """`repeats`: a standing order made it; it is then paid when its delivery is sent."""

    kind: Literal["order"]
    reference: str
    status: OrderStatus
    place: str
    delivery: str
    title: str
    day: date
    starts_at: datetime
    ends_at: datetime
    changes_until: datetime
    lines: list[OrderLineOut]
    quantity: int
    total_cents: int
    repeats: bool
    created_at: datetime


def wanted(lines: list[OrderLineIn]) -> dict[str, int]:
    said = {line.product: line.quantity for line in lines}
    if len(said) < len(lines):
        text = _("Un produit est là deux fois. Mettez-le une fois.")
        raise refuse("product_twice", text, "lines")
    return said


def as_asked(refused: Refused) -> Refused:
    """The verb names a line of its page; the body of a call has them all in `lines`."""
    return Refused(
        Reason(one.code, one.text, "lines", one.facts)
        if (one.field or "").startswith("line_")
        else one
        for one in refused.reasons
    )


def create(body: OrderRequest, *, member: Member, now: datetime) -> Order:
    try:
        made = place_order(
            member=member,
            delivery=body.delivery,
            lines=wanted(body.lines),
            by=member.user,
            now=now,
            channel=Channel.API,
        )
    except Refused as refused:
        raise as_asked(refused) from refused
    return with_lines(made)


def change(order: Order, body: OrderChanges, *, by: User, now: datetime) -> Order:
    if (body.lines is None) == (body.delivery is None):
        raise refuse("one_change", _("Demandez un seul changement : produits ou livraison."))
    try:
        if body.delivery is not None:
            return with_lines(move_order(order, body.delivery, by=by, now=now, channel=Channel.API))
        assert body.lines is not None
        return with_lines(other_lines(order, wanted(body.lines), by=by, now=now))
    except Refused as refused:
        raise as_asked(refused) from refused


@in_one_transaction
def other_lines(order: Order, lines: dict[str, int], *, by: User, now: datetime) -> Order:
    """What a first call did refuses the second, which is then answered as the first was."""
    hold(order.member.household)
    if numbers_of(order) == {product: number for product, number in lines.items() if number}:
        raise refuse("wrong_state", _("Il n’y a rien à changer."))
    return change_order(order, lines, by=by, now=now, channel=Channel.API)


ORDER = Kind(
    name="order",
    model=Order,
    visible_to=visible_to,
    card=card,
    entry=entry,
    cancel=cancel_order,
    as_json=as_json,
    request=OrderRequest,
    changes=OrderChanges,
    answer=OrderOut,
    create=create,
    move=change,
    ends_by_itself=True,
)
