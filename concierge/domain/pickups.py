"""Bread and baskets given out: to whom, until when, and what becomes of the rest.

The rule
- An order is handed to the member, to another adult of the household, or to a person whom
  the member has named, as a parcel is.
- It is handed over on the day of its delivery, at any hour: who comes late still gets it.
  Where the delivery keeps what is left, also until the end of the next open day.
- Once its last day is past, nothing of it is taken back. A hand-over that nobody noted can
  still be noted for two weeks, at the delivery's own list.
- What nobody fetched is noted in one go, from the end of the collection on. It stays paid,
  and the person is told what becomes of it; a mistake is taken back in one go too.
- A delivery is over once nothing of it waits any more. Taking back a hand-over, or what was
  noted as not fetched, opens it again.
"""

from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from club.domain.messages import SETTLING, tell
from club.enums import MessageStatus
from club.kernel import words
from club.kernel.bookings import Channel
from club.kernel.refusal import refuse
from club.kernel.rows import flush
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import move
from club.models import Member, Message, User
from concierge.domain.orders import drop, recount, tell_order
from concierge.domain.parcels import may_collect
from concierge.enums import DeliveryStatus, OrderStatus
from concierge.models import Delivery, Order, Proxy
from concierge.queries.pickups import WAITING, last_day

MISSED = "order.missed"
LATE = timedelta(days=14)
"""For how long after its last day a hand-over that nobody noted can be noted."""


def locked(order: Order) -> Order:
    return (
        Order.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member__user", "member__household", "delivery__round", "place")
        .get(pk=order.pk)
    )


# -- To one person -------------------------------------------------------------------------------


@in_one_transaction
def hand_over_order(
    order: Order, to: Member | Proxy, *, by: User, now: datetime, is_late: bool = False
) -> Order:
    """Into the hands of somebody who may collect it; their name is kept as it was shown.

    `is_late` notes what went over the counter on its day: nobody comes for it now.
    """
    order = locked(order)
    today = local_day(now)
    if order.status in WAITING and not (is_late and may_note_late(order, today)):
        check_day(order.delivery, today, now)
    if not may_collect(order.member, to, today):
        text = _("%(name)s ne peut pas retirer cette commande : cette personne n’est pas nommée.")
        raise refuse("not_named", text % {"name": to})
    untell(order)
    move(
        order,
        OrderStatus.COLLECTED,
        by=by,
        now=now,
        channel=Channel.DESK,
        collected_by=str(to)[:140],
        missed_at=None,
    )
    return order


def check_day(delivery: Delivery, today: date, now: datetime) -> None:
    """Not before its day and its cut-off, and not when it has gone elsewhere."""
    day = {"day": words.day(delivery.day, today)}
    if today < delivery.day:
        raise refuse("wrong_day", _("Cette commande arrive %(day)s.") % day)
    if delivery.status == DeliveryStatus.OPEN and now < delivery.cutoff_at:
        raise refuse("not_yet", _("Les commandes de ce jour ne sont pas encore closes."))
    if is_over(delivery, today):
        text = _("Cette commande était pour %(day)s. Elle n’est plus là.")
        raise refuse("wrong_day", text % day)


def is_over(delivery: Delivery, today: date) -> bool:
    """Whether the last day on which it is handed over is past."""
    return today > delivery.day and today > last_day(delivery)


def may_note_late(order: Order, today: date) -> bool:
    """Nobody has said anything of it, and its day is past since not too long."""
    return (
        order.status == OrderStatus.ORDERED
        and is_over(order.delivery, today)
        and today <= last_day(order.delivery) + LATE
    )


def refuse_past(delivery: Delivery, now: datetime) -> None:
    """Expected again after its last day, a person could be given nothing any more."""
    if is_over(delivery, local_day(now)):
        raise refuse("over", _("Cette livraison est passée : on n’y défait plus rien."))


@in_one_transaction
def undo_hand_over_order(order: Order, *, by: User, now: datetime) -> Order:
    """It waits again, and its delivery is not over any more."""
    hold(order.delivery)
    order = locked(order)
    if order.status != OrderStatus.COLLECTED:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    refuse_past(order.delivery, now)
    move(
        order,
        OrderStatus.ORDERED,
        by=by,
        now=now,
        verb="undo_hand_over",
        channel=Channel.DESK,
        collected_by="",
        collected_at=None,
    )
    reopen(order, by=by, now=now)
    return order


# -- What is left --------------------------------------------------------------------------------


@in_one_transaction
def mark_missed(delivery: Delivery, *, by: User, now: datetime) -> int:
    """All that still waits, in one go, from the end of the collection on."""
    hold(delivery)
    delivery = Delivery.objects.select_related("round", "place__landlord").get(pk=delivery.pk)
    if now < delivery.collect_until:
        until = {"hour": words.hour(delivery.collect_until)}
        text = _("Le retrait dure jusqu’à %(hour)s. Notez les absents ensuite.")
        raise refuse("too_early", text % until)
    left = list(waiting_of(delivery))
    for order in left:
        move(order, OrderStatus.MISSED, by=by, now=now, channel=Channel.DESK)
        key = f"{MISSED}:{order.reference}:{int(now.timestamp())}"
        tell(order.member, MISSED, order, key=key, now=now, due_at=now + SETTLING)
    close(delivery, by=by, now=now)
    return len(left)


def waiting_of(delivery: Delivery) -> QuerySet[Order]:
    rows = Order.objects.filter(delivery=delivery, status=OrderStatus.ORDERED)
    return rows.select_related("member__user", "member__place").order_by("pk")


@in_one_transaction
def undo_missed(order: Order, *, by: User, now: datetime) -> Order:
    """It waits still: it was noted too early, or was found."""
    hold(order.delivery)
    order = locked(order)
    if order.status != OrderStatus.MISSED:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    refuse_past(order.delivery, now)
    untell(order)
    move(
        order,
        OrderStatus.ORDERED,
        by=by,
        now=now,
        verb="undo_missed",
        channel=Channel.DESK,
        missed_at=None,
    )
    reopen(order, by=by, now=now)
    return order


@in_one_transaction
def undo_mark_missed(delivery: Delivery, marked_at: datetime, *, by: User, now: datetime) -> int:
    """Those who were noted at that moment are expected again."""
    hold(delivery)
    rows = Order.objects.filter(delivery=delivery, status=OrderStatus.MISSED, missed_at=marked_at)
    found = list(rows.select_related("delivery").order_by("pk"))
    if not found:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    for order in found:
        undo_missed(order, by=by, now=now)
    return len(found)


@in_one_transaction
def close(delivery: Delivery, *, by: User | None, now: datetime) -> Delivery:
    """Nothing of it waits any more."""
    hold(delivery)
    if now < delivery.collect_from:
        raise refuse("too_early", _("Cette livraison n’est pas encore venue."))
    if waiting_of(delivery).exists():
        raise refuse("still_waiting", _("Des commandes attendent encore. Notez-les d’abord."))
    move(delivery, DeliveryStatus.DONE, by=by, now=now, channel=Channel.DESK)
    return delivery


def reopen(order: Order, *, by: User, now: datetime) -> None:
    """Its delivery is not over any more; of one that was called off meanwhile it fails as the
    others did, and is credited."""
    delivery = order.delivery
    delivery.refresh_from_db(fields=["status"])
    if delivery.status == DeliveryStatus.CANCELLED:
        cents = drop(order, OrderStatus.FAILED, by=by, now=now)
        recount(delivery)
        tell_order(order, "order.failed", now=now, credited=cents)
    if delivery.status == DeliveryStatus.DONE:
        move(
            delivery,
            DeliveryStatus.SENT,
            by=by,
            now=now,
            verb="reopen",
            channel=Channel.DESK,
            sent_at=delivery.sent_at,
            done_at=None,
        )


def untell(order: Order) -> None:
    """That it was not fetched is told no more, as long as it has not left."""
    flush()
    Message.objects.filter(
        event=MISSED,
        subject_kind="order",
        subject_id=order.pk,
        status=MessageStatus.PENDING,
    ).delete()
