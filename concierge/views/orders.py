"""Bread and baskets: a day, how much, the total, "C’est commandé"."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from wagtail.views import serve

from club.access import MemberRequest, member_required
from club.context import member_of, place_of
from club.enums import Activity
from club.forms import RefusableForm
from club.kernel import codes, words
from club.kernel.refusal import Reason, Refused
from club.kernel.spans import local_day
from club.models import Member
from club.queries.entitlement import may
from club.queries.paying import pays_online
from concierge.domain import order_fees as fees
from concierge.domain.orders import order_once, place_order
from concierge.domain.standing import Stood, stand
from concierge.enums import BAKED_FOR, OrderStatus
from concierge.models import Delivery, Order, Product, StandingLine, StandingOrder
from concierge.order_forms import (
    BasketForm,
    OrderForm,
    price_name,
    quantity_name,
)
from concierge.queries.deliveries import (
    coming,
    last_order,
    offered_again,
    on_shelves,
    rounds_at,
    weeks_apart,
)
from concierge.views import shown_orders as shown
from concierge.views.catalogue import here
from concierge.views.shown import SlotButton

FEW = 4
"""How many dates of a round are proposed at first."""
OF_THE_PAGE = {"chaque", "jours", "jusquau", "key"}
"""What is asked beside the total; all else is asked on the page of quantities."""
OF_MONEY = {"owes_too_much", "no_right", "right_ends", "right_not_begun"}


def find(request: HttpRequest, public_id: str) -> Delivery:
    """A delivery to one's own place, or to a public one of the landlord, with its shelf."""
    place = here(request)
    rows = Delivery.objects.filter(
        Q(place__is_public=True) | Q(place=place),
        place__landlord=place.landlord_id,
        round__is_offered=True,
        public_id=public_id,
    )
    for found in on_shelves(rows):
        return found
    raise Http404


def changes_at(request: HttpRequest, deliveries: Sequence[Delivery]) -> None:
    """Tell who keeps whole pages when the next of them can no longer be ordered."""
    known = getattr(request, "_changes_at", [])
    moments = [delivery.cutoff_at for delivery in deliveries]
    request._changes_at = [*known, *moments]  # type: ignore[attr-defined]


def goods_of(delivery: Delivery) -> list[tuple[Product, int]]:
    return [(stock.product, stock.unit_cents) for stock in delivery.shelf]


def own_order(member: Member | None, delivery: Delivery) -> Order | None:
    if member is None:
        return None
    return Order.objects.filter(delivery=delivery, member=member, status__in=BAKED_FOR).first()


def own_standing(member: Member | None, delivery: Delivery) -> StandingOrder | None:
    if member is None:
        return None
    return StandingOrder.objects.filter(
        member=member, round=delivery.round_id, ended_at=None
    ).first()


def right_reason(member: Member | None, delivery: Delivery) -> Reason | None:
    """Why this member can order nothing of it, said before they choose."""
    if member is None or not delivery.round.needs_right:
        return None
    return may(member, Activity.SERVICES, delivery.day, delivery.day)


# -- What comes ------------------------------------------------------------------------------


@require_safe
def rounds(request: HttpRequest) -> HttpResponse:
    """Each round of the place with its next dates."""
    place, now = here(request), timezone.now()
    member = member_of(request)
    more = request.GET.get("jours") == "plus"
    ahead = coming(place, now)
    changes_at(request, ahead)
    by_round: dict[int, list[Delivery]] = {}
    for delivery in ahead:
        by_round.setdefault(delivery.round_id, []).append(delivery)
    ordered: dict[int, str] = {}
    if member is not None:
        rows = Order.objects.filter(member=member, status=OrderStatus.ORDERED, ends_at__gt=now)
        ordered = dict(rows.values_list("delivery_id", "reference"))
    found = list(rounds_at(place))
    context = {
        "rounds": [
            shown.round_section(one, by_round.get(one.pk, []), ordered, now, None if more else FEW)
            for one in found
        ],
        "needs_right": any(one.needs_right for one in found),
        "more": more,
        "has_more": any(len(found) > FEW for found in by_round.values()),
        "balance_words": shown.balance_words(fees.balance(member.household)) if member else "",
    }
    return render(request, "concierge/rounds.html", context)


def editors_page(request: HttpRequest) -> HttpResponse:
    """The editors' page of bread and baskets, at a place where nothing is ordered on line."""
    if rounds_at(here(request)).exists():
        return redirect("orders:rounds")
    return serve(request, request.path_info.strip("/"))


# -- One delivery ------------------------------------------------------------------------------


def typed(request: HttpRequest) -> dict[str, str]:
    """The quantities that stand in an address or a form."""
    said = request.POST if request.method == "POST" else request.GET
    return {name: str(value) for name, value in said.items() if name.startswith("line_")}


def delivery_page(
    request: HttpRequest, found: Delivery, form: BasketForm | None = None
) -> HttpResponse:
    now, member = timezone.now(), member_of(request)
    changes_at(request, [found])
    own = own_order(member, found)
    is_open = shown.may_change(found, now)
    if form is None:
        form = BasketForm(initial=typed(request), goods=goods_of(found))
    reason = right_reason(member, found)
    before: dict[str, int] = {}
    when = ""
    if member and is_open and not own and not reason:
        before, when = again_of(member, found)
    context = {
        "delivery": found,
        "is_elsewhere": found.place_id != getattr(place_of(request), "pk", None),
        "hours": shown.hours_words(found),
        "cutoff": shown.cutoff_words(found),
        "is_open": is_open,
        "closed_words": shown.closed_words(found),
        "reason": reason,
        "is_sold_out": shown.is_sold_out(found),
        "own": own,
        "standing": own_standing(member, found),
        "form": form,
        "fields": shown.quantity_fields(form, found.shelf, {}, found.round.picture),
        "again": shown.checked_at(found, before) if before else "",
        "again_words": shown.wanted_words(before, goods_of(found)),
        "again_when": when,
        "others": others(found, request, now) if needs_others(found, reason, is_open) else [],
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "concierge/delivery.html", context, status=status)


def again_of(member: Member, found: Delivery) -> tuple[dict[str, int], str]:
    """What was ordered the last time, and when that was, told from the day of this one."""
    last = last_order(member, found.round, found.day)
    if last is None:
        return {}, ""
    is_last_week = weeks_apart(last.delivery.day, found.day) == 1
    when = _("Comme la semaine dernière") if is_last_week else _("Comme la dernière fois")
    return offered_again(last, found.round), when


def needs_others(found: Delivery, reason: Reason | None, is_open: bool) -> bool:
    """Whether another day may do where this one does not; without any right none does."""
    if reason is not None and is_open:
        return reason.code != "no_right"
    return not is_open or shown.is_sold_out(found)


def others(found: Delivery, request: HttpRequest, now: datetime) -> list[tuple[str, SlotButton]]:
    """The next dates of the same round, with what was typed kept."""
    query = urlencode(typed(request))
    buttons: list[tuple[str, SlotButton]] = []
    for delivery in coming(found.place, now, round=found.round):
        if delivery.pk != found.pk and len(buttons) < FEW:
            url, button = shown.delivery_button(delivery, local_day(now))
            buttons.append((f"{url}?{query}" if query else url, button))
    return buttons


@require_safe
def delivery(request: HttpRequest, public_id: str) -> HttpResponse:
    return delivery_page(request, find(request, public_id))


@require_safe
@never_cache
@member_required
def check(request: MemberRequest, public_id: str) -> HttpResponse:
    """The total, who collects and how it is paid, before it is ordered. Who signs in on the
    way comes back with the same quantities."""
    found = find(request, public_id)
    form = BasketForm(request.GET, goods=goods_of(found))
    if not typed(request) or own_order(request.member, found):
        return redirect(shown.address_of(found))
    if not (shown.may_change(found, timezone.now()) and form.is_valid() and fits(form, found)):
        return delivery_page(request, found, form)
    return check_page(request, found, form, order_form(found))


def order_form(found: Delivery, data: Any = None) -> OrderForm:
    goods = goods_of(found) if data is not None else []
    return OrderForm(data, goods=goods, round=found.round, planned_on=found.planned_on)


def fits(form: BasketForm, found: Delivery) -> bool:
    """Say beside the field where less is left; the order itself counts under lock."""
    for stock in found.shelf:
        left = shown.left_of(stock)
        if left is not None and form.wanted().get(stock.product.public_id, 0) > left:
            form.add_error(quantity_name(stock.product), shown.too_few_words(left))
    return not form.errors


def check_page(
    request: MemberRequest, found: Delivery, basket: BasketForm, form: RefusableForm
) -> HttpResponse:
    member, now = request.member, timezone.now()
    balance = fees.balance(member.household)
    lines = basket.lines
    context = {
        "delivery": found,
        "hours": shown.hours_words(found),
        "until": words.until(found.cutoff_at),
        "reason": right_reason(member, found),
        "lines": [(shown.line_words(number, product), cents) for product, number, cents in lines],
        "hidden": [
            *((quantity_name(product), number) for product, number, _cents in lines),
            *((price_name(product), cents // number) for product, number, cents in lines),
        ],
        "total": basket.total,
        "collectors": shown.collectors(member, local_day(now)),
        "balance": balance,
        "pays_from_balance": balance >= basket.total,
        "online": pays_online(found.place),
        "standing": own_standing(member, found),
        "form": form,
        "form_key": codes.token(),
        "change": shown.address_of(found, basket.wanted()),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "concierge/order_check.html", context, status=status)


def order(request: HttpRequest, public_id: str) -> HttpResponse:
    """The press on "Commander"."""
    found = find(request, public_id)
    if request.method == "POST" and request.user.is_authenticated:
        return order_for_member(request, found)
    if request.method == "POST":
        back = f"{reverse('orders:check', args=[found.public_id])}?{urlencode(typed(request))}"
        return redirect(f"{reverse('account_login')}?{urlencode({'next': back})}")
    return redirect(shown.address_of(found))


@never_cache
@member_required
def order_for_member(request: MemberRequest, found: Delivery) -> HttpResponse:
    form = order_form(found, request.POST)
    if not form.is_valid():
        if set(form.errors) <= OF_THE_PAGE:
            return check_page(request, found, form, form)
        return delivery_page(request, found, form)
    try:
        made = once(request, found, form) if form.cleaned_data["chaque"] is None else None
        stood = repeated(request, found, form) if made is None else None
    except Refused as refused:
        form.refuse(refused)
        if set(refused.codes) <= OF_MONEY or set(form.errors) <= OF_THE_PAGE:
            return check_page(request, found, form, form)
        return delivery_page(request, find(request, found.public_id), form)
    if made is not None:
        return redirect("orders:ordered", made.reference)
    assert stood is not None
    tell_skipped(request, stood)
    if stood.made:
        return redirect("orders:ordered", stood.made[0].reference)
    messages.success(request, _("C’est noté. Votre commande régulière est enregistrée."))
    return redirect("orders:standing", stood.standing.reference)


def once(request: MemberRequest, found: Delivery, form: OrderForm) -> Order:
    def make() -> Order:
        made = place_order(
            member=request.member,
            delivery=found,
            lines=form.wanted(),
            by=request.user,
            now=timezone.now(),
        )
        form.refuse_another_total(made.total_cents)
        return made

    return order_once(form_key=form.cleaned_data["key"], member=request.member, make=make)


def repeated(request: MemberRequest, found: Delivery, form: OrderForm) -> Stood:
    """Pressed twice, it is answered with what the first press made."""
    said = form.cleaned_data
    asked: dict[str, Any] = {
        "lines": form.wanted(),
        "every_weeks": said["chaque"],
        "weekdays": form.weekdays,
        "starts_on": found.planned_on,
        "ends_on": said["jusquau"],
    }
    known = own_standing(request.member, found)
    if known is not None and is_same(known, **asked):
        made = known.orders.filter(status=OrderStatus.ORDERED).order_by("starts_at")
        return Stood(known, list(made), [])
    return stand(
        member=request.member, round=found.round, by=request.user, now=timezone.now(), **asked
    )


def is_same(standing: StandingOrder, *, lines: dict[str, int], **said: Any) -> bool:
    held = {line.product.public_id: line.quantity for line in lines_of(standing)}
    return held == lines and all(getattr(standing, name) == value for name, value in said.items())


def lines_of(standing: StandingOrder) -> list[StandingLine]:
    return list(standing.lines.select_related("product").order_by("product__position", "pk"))


def tell_skipped(request: HttpRequest, stood: Stood) -> None:
    """The dates on which a standing order makes nothing, each with its reason."""
    for why, dates in groupby(stood.skipped, key=lambda pair: str(pair[1].text)):
        days = ", ".join(words.day(day) for day, _reason in dates)
        messages.warning(
            request, _("Rien n’est commandé %(days)s. %(why)s") % {"days": days, "why": why}
        )


@require_safe
@never_cache
@member_required
def ordered(request: MemberRequest, reference: str) -> HttpResponse:
    """ "C’est commandé": for its own member alone, and as long as it is true."""
    order = get_object_or_404(
        Order.objects.select_related(
            "delivery__round", "place", "standing__round", "member"
        ).prefetch_related("lines__stock__product"),
        reference=reference,
        member=request.member,
    )
    if order.status != OrderStatus.ORDERED:
        return redirect("portal:booking", order.reference)
    now = timezone.now()
    following = Order.objects.none()
    if order.standing:
        following = order.standing.orders.filter(status=OrderStatus.ORDERED, ends_at__gt=now)
        following = following.exclude(pk=order.pk).order_by("starts_at")
    held = fees.balance(request.member.household)
    context = {
        "order": order,
        "ticket": shown.ticket(order, now),
        "to_pay": to_pay(order, held),
        "paid_words": shown.paid_words(order, held),
        "may_change": shown.may_change(order.delivery, now),
        "until": words.until(order.delivery.cutoff_at),
        "others": following,
        "often": shown.often_words(order.standing) if order.standing else "",
        "collectors": shown.collectors(request.member, local_day(now)),
    }
    return render(request, "concierge/ordered.html", context)


def to_pay(order: Order, held: int) -> dict[str, Any] | None:
    """What the household owes for goods, all together."""
    if held >= 0:
        return None
    return {
        "kind": fees.GOODS,
        "subject_id": order.member.household_id,
        "cents": -held,
        "before": -held - order.total_cents if fees.is_charged_now(order) else 0,
        "online": pays_online(order.place),
    }
