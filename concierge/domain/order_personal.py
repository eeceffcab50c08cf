"""What orders hold of a person: to tell it, to forget it, and for how long."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.kernel import codes, jobs, personal
from club.kernel.jobs import DailyJob
from club.kernel.personal import Held, Room, Term, Traces, scans_end
from club.kernel.refusal import Reason
from club.kernel.spans import local_day
from club.models import Member, User
from concierge.domain.orders import cancel_order
from concierge.domain.parcel_traces import forget_collector
from concierge.domain.standing import end_standing
from concierge.enums import DeliveryStatus, OrderStatus
from concierge.models import Order, OrderLine, StandingLine, StandingOrder, StandingPause


def orders_of(member: Member) -> QuerySet[Order]:
    return Order.objects.filter(member=member)


def lines_of(member: Member) -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(order__member=member)


def standing_of(member: Member) -> QuerySet[StandingOrder]:
    return StandingOrder.objects.filter(member=member)


def standing_lines_of(member: Member) -> QuerySet[StandingLine]:
    return StandingLine.objects.filter(standing__member=member)


def pauses_of(member: Member) -> QuerySet[StandingPause]:
    return StandingPause.objects.filter(standing__member=member)


def still_changeable(now: datetime) -> Q:
    return Q(delivery__status=DeliveryStatus.OPEN, delivery__cutoff_at__gt=now)


def still_coming(member: Member, now: datetime) -> Iterable[Reason]:
    """Made by now, and paid: without its person nobody could collect it."""
    rows = orders_of(member).filter(status=OrderStatus.ORDERED).exclude(still_changeable(now))
    for order in rows.order_by("starts_at", "pk"):
        text = gettext("Une commande vous attend à l’accueil : %(code)s. Retirez-la d’abord.")
        yield Reason("order_waits", text % {"code": codes.spoken(order.reference)})


def forget(member: Member, traces: Traces, *, by: User | None, now: datetime) -> None:
    """Standing orders end first, so that none makes another; what the rows say of a person
    then is what was paid, and no day of absence."""
    live = standing_of(member).filter(ended_at=None)
    for standing in live.select_related("member__household", "round").order_by("pk"):
        end_standing(standing, by=by, now=now)
    coming = orders_of(member).filter(still_changeable(now), status=OrderStatus.ORDERED)
    for order in coming.select_related("member__household").order_by("pk"):
        cancel_order(order, by=by, now=now)
    pauses_of(member).delete()
    forget_collector(Order.objects.all(), member)
    orders_of(member).update(collected_by="")


def ordered_since(since: datetime) -> Iterable[QuerySet]:
    """Ordered, collected, or has something standing."""
    busy = Q(created_at__gte=since) | Q(collected_at__gte=since) | Q(starts_at__gte=since)
    yield Order.objects.filter(busy).values("member")
    yield StandingOrder.objects.filter(Q(ended_at=None) | Q(ended_at__gte=since)).values("member")


ORDERS = Room(
    name="commandes",
    title=_("Mes commandes de pain et de paniers"),
    held=(
        Held(Order, orders_of, without=("form_key",), sheet="commandes"),
        Held(OrderLine, lines_of),
        Held(StandingOrder, standing_of, sheet="commandes-regulieres"),
        Held(StandingLine, standing_lines_of),
        Held(StandingPause, pauses_of),
    ),
    obstacles=still_coming,
    forget=forget,
    recent=ordered_since,
)


# -- Terms -------------------------------------------------------------------------------------


def old_pauses(now: datetime) -> QuerySet[StandingPause]:
    return StandingPause.objects.filter(last_on__lt=local_day(scans_end(now)))


def forget_old_collectors(now: datetime) -> None:
    """Each night: who collected it is nobody's business any more; the order stays, as paid."""
    old = Order.objects.filter(collected_at__lt=scans_end(now)).exclude(collected_by="")
    old.update(collected_by="")


def register() -> None:
    personal.register(ORDERS)
    personal.keep_for(Term("standing-pauses", _("Les pauses des commandes régulières"), old_pauses))
    jobs.register(DailyJob("order-names", 4, forget_old_collectors))
