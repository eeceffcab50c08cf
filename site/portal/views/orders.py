"""Mes commandes: bread and baskets ordered, those that repeat, the balance; what an order has."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club.access import MemberRequest, member_required
from club.kernel.bookings import kind
from club.kernel.refusal import Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import in_one_transaction
from club.queries.paying import pays_online
from concierge.domain import order_fees as fees
from concierge.domain.orders import change_order
from concierge.enums import OrderStatus
from concierge.models import Delivery, Order, StandingOrder
from concierge.order_forms import BasketForm, quantity_name
from concierge.queries.deliveries import on_shelves
from concierge.views import shown_orders as shown
from portal.lines import lines_of
from portal.views.bookings import (
    Door,
    again,
    is_offered,
    page_of,
    refused_page,
    through_a_door,
)

LATEST = 20
"""How many orders of the past are listed; "my data" has them all."""


@require_safe
@never_cache
@member_required
def orders(request: MemberRequest) -> HttpResponse:
    member, now = request.member, timezone.now()
    today = local_day(now)
    sort = kind("order")
    rows = sort.visible_to(member.user).filter(member=member)
    is_open = {"status": OrderStatus.ORDERED, "ends_at__gt": now}
    ahead = rows.filter(**is_open).order_by("starts_at")
    over = rows.exclude(**is_open).order_by("-starts_at")[:LATEST]
    standing = (
        StandingOrder.objects.filter(member=member, ended_at=None)
        .select_related("round__place")
        .prefetch_related("lines__product")
        .order_by("created_at", "pk")
    )
    held = fees.balance(member.household)
    context = {
        "open": lines_of([(sort, one) for one in ahead], now),
        "over": lines_of([(sort, one) for one in over], now),
        "standing": [
            {
                "reference": one.reference,
                "title": f"{one.round.name}, {shown.often_words(one).lower()}",
                "lines": shown.lines_words(one.lines.all()),
                "period": shown.period_words(one.starts_on, one.ends_on, today),
                "picture": one.round.picture or shown.PICTURE,
                "wall": one.round.wall,
            }
            for one in standing
        ],
        "held": held,
        "balance_words": shown.balance_words(held),
        "to_pay": to_pay(request, held),
        "online": pays_online(member.place),
        "top_ups": [(fees.top_up_kind(cents), cents) for cents in fees.TOP_UPS],
    }
    return render(request, "portal/orders.html", context)


def to_pay(request: MemberRequest, held: int) -> dict[str, Any] | None:
    if held >= 0:
        return None
    return {
        "kind": fees.GOODS,
        "subject_id": request.member.household_id,
        "cents": -held,
        "online": pays_online(request.member.place),
    }


# -- What one order has ------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@through_a_door
def lines(request: HttpRequest, door: Door) -> HttpResponse:
    """Other quantities, at the prices of today, until the cut-off."""
    if not isinstance(door.booking, Order):
        return redirect(door.url())
    if request.method != "POST":
        return lines_page(request, door) if is_offered(door, "lines") else redirect(door.url())
    form = basket(door.booking, request.POST)
    if not is_offered(door, "lines") or not form.is_valid():
        return lines_page(request, door, form)
    if request.POST.get("lue", "") not in ("", str(door.booking.sequence)):
        text = _("Cette commande a changé entre-temps. Relisez-la.")
        form.refuse(refuse("changed_meanwhile", text))
        return lines_page(request, door, form)
    try:
        change_at_price(door, form)
    except Refused as refused:
        door = again(door)
        if not is_offered(door, "lines"):
            return refused_page(request, door, refused)
        form.refuse(refused)
        return lines_page(request, door, form)
    messages.success(request, _("C’est changé. Votre commande est à jour."))
    return redirect(door.url())


@in_one_transaction
def change_at_price(door: Door, form: BasketForm) -> None:
    now = timezone.now()
    assert isinstance(door.booking, Order)
    changed = change_order(door.booking, form.wanted(), by=door.by, now=now)
    form.refuse_another_total(changed.total_cents)


def delivery_of(order: Order) -> Delivery:
    return on_shelves(Delivery.objects.filter(pk=order.delivery_id))[0]


def basket(order: Order, data: Any = None) -> BasketForm:
    own = {quantity_name(line.stock.product): line.quantity for line in order.lines.all()}
    shelf = delivery_of(order).shelf
    return BasketForm(
        data, goods=[(stock.product, stock.unit_cents) for stock in shelf], initial=own
    )


def lines_page(request: HttpRequest, door: Door, form: BasketForm | None = None) -> HttpResponse:
    order = door.booking
    assert isinstance(order, Order)
    form = form or basket(order)
    delivery = delivery_of(order)
    own = {line.stock.product.public_id: line.quantity for line in order.lines.all()}
    fields = shown.quantity_fields(form, delivery.shelf, own, delivery.round.picture)
    return page_of(
        request,
        door,
        "portal/order_lines.html",
        form,
        fields=fields,
        read=order.sequence,
        cutoff=shown.cutoff_words(delivery),
        is_open=is_offered(door, "lines"),
        closed_words=shown.closed_words(delivery),
    )
