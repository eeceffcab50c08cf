"""An order that repeats: what it makes and skips; changed, paused, stopped."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from club.access import MemberRequest, member_required
from club.kernel import producers, words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Member
from club.queries.calendar import calendar_of
from concierge.domain.standing import (
    change_standing,
    end_pause,
    end_standing,
    moved_away,
    pause_standing,
    weekdays_of,
)
from concierge.enums import DeliveryStatus, OrderStatus
from concierge.models import Delivery, DeliveryStock, Order, Product, StandingOrder, StandingPause
from concierge.order_forms import AwayForm, StandingForm, quantity_name
from concierge.queries.deliveries import MOST_SHIFT, dates_of, day_of, wants
from concierge.views import shown_orders as shown
from concierge.views.orders import lines_of, tell_skipped

MOST_DATES = 12


def own(member: Member, reference: str) -> StandingOrder:
    """The member's own that still stands; what was stopped is told by its orders."""
    return get_object_or_404(
        StandingOrder.objects.select_related(
            "round__place__landlord", "round__producer", "member__household", "member__user"
        ),
        reference=reference,
        member=member,
        ended_at=None,
    )


@dataclass(frozen=True)
class Date:
    """One date of it: what is ordered, or why nothing is."""

    day: date
    reference: str = ""
    why: str = ""


def dates_ahead(standing: StandingOrder, now: datetime) -> list[Date]:
    """Its next dates, as far as deliveries are open; those that are skipped say why."""
    round, today = standing.round, local_day(now)
    last = today + timedelta(weeks=round.weeks_ahead)
    calendar = calendar_of(round.place)
    made = {
        order.delivery.planned_on: order
        for order in Order.objects.filter(standing=standing, delivery__planned_on__gte=today)
        .select_related("delivery")
        .order_by("pk")
    }
    coming = dict(
        Delivery.objects.filter(round=round, planned_on__gte=today).values_list(
            "planned_on", "status"
        )
    )
    pauses = list(standing.pauses.all())
    moved = moved_away(standing, now)
    off = producers.days_off(round.producer, today, last + timedelta(days=MOST_SHIFT))
    found = []
    for planned_on in dates_of(round, today, last):
        if not wants(standing, planned_on):
            continue
        order = made.get(planned_on)
        day = order.delivery.day if order else day_of(round, planned_on, calendar)
        if order is not None and order.status == OrderStatus.ORDERED:
            found.append(Date(order.delivery.day, order.reference))
        elif day in moved:
            is_same = moved[day].place_id == round.place_id
            found.append(moved_date(day, moved[day], today, is_same_place=is_same))
        elif day is None:
            found.append(Date(planned_on, why=_("Pas de livraison : l’accueil est fermé.")))
        elif any(pause.first_on <= day <= pause.last_on for pause in pauses):
            found.append(Date(day, why=_("Vous êtes absent : rien n’est commandé.")))
        elif order is not None and order.status == OrderStatus.CANCELLED:
            found.append(Date(day, order.reference, _("Vous avez annulé cette date.")))
        elif order is not None and order.status == OrderStatus.FAILED:
            found.append(Date(day, order.reference, _("Cette livraison n’a pas lieu.")))
        elif coming.get(planned_on) == DeliveryStatus.CANCELLED:
            found.append(Date(day, why=_("Cette livraison n’a pas lieu.")))
        elif planned_on not in coming and day in off:
            found.append(Date(day, why=_("Pas de livraison : le producteur est fermé.")))
        elif planned_on not in coming:
            found.append(Date(day, why=_("Prévu : la commande n’est pas encore ouverte.")))
        elif order is None:
            found.append(Date(day, why=_("Rien n’est commandé ce jour-là.")))
    return found[:MOST_DATES]


def moved_date(day: date, order: Order, today: date, *, is_same_place: bool) -> Date:
    """Where it went; back on its first day it is ordered like any other."""
    there = {"day": words.day(order.delivery.day, today), "place": order.place.name}
    if not is_same_place:
        return Date(day, order.reference, _("Déplacée au %(day)s, à %(place)s") % there)
    if order.delivery.day == day:
        return Date(day, order.reference)
    return Date(day, order.reference, _("Déplacée au %(day)s") % there)


@require_safe
@never_cache
@member_required
def standing(request: MemberRequest, reference: str) -> HttpResponse:
    found, now = own(request.member, reference), timezone.now()
    today = local_day(now)
    lines, moved = lines_of(found), moved_away(found, now)
    context = {
        "standing": found,
        "lines": [shown.line_words(line.quantity, line.product) for line in lines],
        "cost": shown.cost_words(found, lines),
        "often": shown.often_words(found),
        "period": shown.period_words(found.starts_on, found.ends_on, today),
        "dates": dates_ahead(found, now),
        "pauses": [
            (pause, shown.period_words(pause.first_on, pause.last_on, today))
            for pause in found.pauses.filter(last_on__gte=today)
            if pause.first_on != pause.last_on or pause.first_on not in moved
        ],
        "picture": found.round.picture or shown.PICTURE,
    }
    return render(request, "concierge/standing.html", context)


def shelf_of(standing: StandingOrder) -> list[DeliveryStock]:
    """The round's products as of today, at today's prices, and what is left without end:
    how much fits is counted for each date."""
    rows = standing.round.goods.filter(product__is_offered=True).select_related("product")
    products: list[Product] = [row.product for row in rows.order_by("product__position", "pk")]
    shelf = [DeliveryStock(product=product, unit_cents=product.price_cents) for product in products]
    for stock in shelf:
        stock.left = None
    return shelf


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def change(request: MemberRequest, reference: str) -> HttpResponse:
    found, now = own(request.member, reference), timezone.now()
    shelf = shelf_of(found)
    goods = [(stock.product, stock.unit_cents) for stock in shelf]
    initial: dict[str, Any] = {
        quantity_name(line.product): line.quantity for line in lines_of(found)
    }
    initial |= {
        "chaque": found.every_weeks, "jours": weekdays_of(found), "jusquau": found.ends_on,
    }  # fmt: skip
    form = StandingForm(request.POST or None, goods=goods, round=found.round, initial=initial)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            changed = change_standing(
                found,
                form.wanted(),
                every_weeks=said["chaque"],
                weekdays=form.weekdays,
                ends_on=said["jusquau"],
                by=request.user,
                now=now,
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            tell_skipped(request, changed)
            messages.success(request, _("C’est changé, pour toutes les dates encore ouvertes."))
            return redirect("orders:standing", reference)
    context = {
        "standing": found,
        "form": form,
        "fields": shown.quantity_fields(form, shelf, {}, found.round.picture),
    }
    status = 422 if form.errors else 200
    return render(request, "concierge/standing_change.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def away(request: MemberRequest, reference: str) -> HttpResponse:
    """Days on which nothing is to be ordered. Nobody is told why."""
    found, now = own(request.member, reference), timezone.now()
    form = AwayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            pause_standing(found, said["first_on"], said["last_on"], by=request.user, now=now)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("C’est noté. Rien n’est commandé ces jours-là."))
            return redirect("orders:standing", reference)
    status = 422 if form.errors else 200
    return render(
        request, "concierge/standing_away.html", {"standing": found, "form": form}, status=status
    )


@require_POST
@never_cache
@member_required
def back(request: MemberRequest, reference: str, pk: int) -> HttpResponse:
    """Back earlier, or not leaving at all."""
    found = own(request.member, reference)
    pause = get_object_or_404(StandingPause, pk=pk, standing=found)
    try:
        resumed = end_pause(pause, by=request.user, now=timezone.now())
    except Refused as refused:
        for reason in refused.reasons:
            messages.warning(request, str(reason.text))
    else:
        tell_skipped(request, resumed)
        messages.success(request, _("C’est noté. Vos commandes reprennent."))
    return redirect("orders:standing", reference)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def stop(request: MemberRequest, reference: str) -> HttpResponse:
    """Asked once more: what is ordered ahead goes with it; what was moved away stays."""
    found, now = own(request.member, reference), timezone.now()
    staying = [
        one for one in moved_away(found, now).values() if shown.may_change(one.delivery, now)
    ]
    if request.method == "POST":
        try:
            end_standing(found, by=request.user, now=now)
        except Refused as refused:
            for reason in refused.reasons:
                messages.warning(request, str(reason.text))
        else:
            messages.success(request, _("C’est arrêté. Les dates encore ouvertes sont annulées."))
            for order in staying:
                text = _("La commande du %(day)s reste. Annulez-la si vous ne la voulez pas.")
                messages.warning(request, text % {"day": words.day(order.delivery.day)})
        return redirect("portal:orders")
    return render(request, "concierge/standing_stop.html", {"standing": found, "staying": staying})
