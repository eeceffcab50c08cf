"""A round is written anew: what becomes of the deliveries that it has announced.

A delivery of which somebody has ordered is never changed here: it stays as it was said, and
staff are told which. One of which nobody has ordered goes, and is made again by the rule as
it is now. What is closed, sent, moved by hand or called off stays as it is. A product that
left the round leaves the standing orders of it too.
"""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import User
from concierge.domain.deliveries import leave_out, make_of
from concierge.domain.orders import locked
from concierge.enums import DeliveryStatus
from concierge.models import (
    Delivery,
    DeliveryRound,
    DeliveryStock,
    Order,
    Product,
    StandingLine,
)


@dataclass
class Kept:
    """What has become of the announced deliveries: how many were made, which stay."""

    remade: int = 0
    ordered: list[Delivery] = field(default_factory=list)


@in_one_transaction
def round_written(round: DeliveryRound, *, by: User | None, now: datetime) -> Kept:
    """Call it in the transaction that has written the round and its goods."""
    hold(round)
    asked = Delivery.objects.filter(
        round=round, status=DeliveryStatus.OPEN, cutoff_at__gt=now, planned_on=F("day")
    )
    kept = Kept()
    for delivery in locked(*asked.order_by("pk")) if asked.exists() else ():
        if delivery.status != DeliveryStatus.OPEN:
            continue
        if Order.objects.filter(delivery=delivery).exists():
            kept.ordered.append(delivery)
        else:
            DeliveryStock.objects.filter(delivery=delivery).delete()
            delivery.delete()
    gone = StandingLine.objects.filter(standing__round=round, standing__ended_at=None).exclude(
        product__in=round.goods.order_by().values("product")
    )
    for product in Product.objects.filter(pk__in=gone.values("product")).order_by("pk"):
        leave_out(product, gone, by=by, now=now)
    if round.is_offered and round.producer.is_active:
        kept.remade = make_of(round, now)
    facts = {"remade": kept.remade, "kept": len(kept.ordered), "day": local_day(now).isoformat()}
    log(round, "written", by=by, now=now, facts=facts)
    return kept


@in_one_transaction
def offer_again(product: Product, *, by: User, now: datetime) -> None:
    """It can be ordered again, also of the deliveries that are open already."""
    hold(product)
    if Product.objects.filter(pk=product.pk, is_offered=True).exists():
        raise refuse("wrong_state", _("Ce produit est déjà proposé."))
    Product.objects.filter(pk=product.pk).update(is_offered=True)
    product.is_offered = True
    open_ = DeliveryStock.objects.filter(product=product, delivery__status=DeliveryStatus.OPEN)
    open_.update(is_withdrawn=False)
    log(product, "offer", by=by, now=now)
