"""The pages of deliveries: what comes, one of them, its sheets, an order for somebody."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from secrets import randbelow
from typing import Any

from django.db.models import Sum
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest
from club.domain.messages import channel_for
from club.enums import MessageChannel
from club.forms import add_refusal
from club.kernel import codes, words
from club.kernel.bookings import Channel
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused, refuse
from club.kernel.spans import end_of, local_day
from club.kernel.transactions import in_one_transaction
from club.models import Member, User
from club.sheets import Column, Line, Sheet, as_pdf
from club.views.files import as_pdf_file
from concierge.domain.deliveries import (
    cancel_delivery,
    mark_called,
    refuse_day,
    set_most,
    shift_delivery,
)
from concierge.domain.orders import cancel_order, change_order, order_once, place_order
from concierge.domain.pickups import LATE
from concierge.enums import BAKED_FOR, CancelledFor, DeliveryStatus, OrderStatus
from concierge.models import Delivery, Order, OrderLine
from concierge.order_forms import quantity_name
from concierge.queries.deliveries import coming, last_lines, sheet, totals
from concierge.queries.pickups import (
    WAITING,
    ahead,
    called_off,
    last_day,
    of_day,
    orders_of,
    stock_of,
    to_call,
    unfinished,
    with_lines,
)
from concierge.views.shown_orders import hours_words
from desk import acts, delivery_scans, order_acts
from desk.access import staff
from desk.delivery_forms import CancelForm, DeskOrderForm, MostForm, ShiftForm
from desk.delivery_scans import Screen
from desk.parcel_forms import AssignForm
from desk.parcels import collector
from desk.screen import member_url
from desk.views import BIGGEST_SCAN, answer, counter_of, result_said, said, served

FORM = require_http_methods(["GET", "HEAD", "POST"])


def delivery_here(request: StaffRequest, public_id: str) -> Delivery:
    return get_object_or_404(
        Delivery.objects.select_related("round", "producer", "place__landlord"),
        public_id=public_id,
        place=request.place,
    )


# -- All of them ---------------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def deliveries(request: StaffRequest) -> HttpResponse:
    today = local_day(timezone.now())
    context = {
        "past": unfinished(request.place, today),
        "todays": of_day(request.place, today),
        "coming": ahead(request.place, today),
        "called_off": called_off(request.place, today),
        "to_call": to_call(request.place, timezone.now()),
        "result": result_said(request),
    }
    return render(request, "desk/deliveries.html", context)


# -- One of them ---------------------------------------------------------------------------------


def page(request: StaffRequest, screen: Screen) -> HttpResponse:
    """The delivery alone for the page's own requests, else the whole page."""
    now = timezone.now()
    delivery = screen.delivery
    is_open = delivery.status == DeliveryStatus.OPEN
    last = last_day(delivery)
    context: dict[str, Any] = {
        "screen": screen,
        "delivery": delivery,
        "hours": hours_words(delivery),
        "is_cancelled": delivery.status == DeliveryStatus.CANCELLED,
        "is_open": is_open and now < delivery.cutoff_at,
        "is_coming": delivery.status in (DeliveryStatus.OPEN, DeliveryStatus.SENT),
        "has_come": local_day(now) >= delivery.day,
        "can_miss": now >= delivery.collect_until and delivery.status == DeliveryStatus.SENT,
        "can_shift": is_open or (delivery.status == DeliveryStatus.SENT and not screen.collected),
        "kept_until": words.day(last) if delivery.leftover == "kept" else "",
        "over_at": end_of(last),
        "is_over": now >= end_of(last),
        "can_note_late": end_of(last) <= now < end_of(last + LATE),
        "late_key": delivery_scans.LATE_KEY,
        "waiting_statuses": WAITING,
        "scan": randbelow(BIGGEST_SCAN),
        "result": result_said(request),
        "must_call": to_call(request.place, now).filter(pk=delivery.pk).exists(),
        "producer_phone": spoken_phone(delivery.producer.phone) if delivery.producer.phone else "",
    }
    name = "desk/delivery_list.html" if request.headers.get("X-Desk") else "desk/delivery.html"
    response = render(request, name, context)
    if request.headers.get("X-Desk"):
        response["X-Desk"] = "1"
    return response


@staff
@never_cache
@FORM
def delivery(request: StaffRequest, public_id: str) -> HttpResponse:
    here = delivery_here(request, public_id)
    if request.method != "POST":
        return page(request, delivery_scans.screen_of(here))
    tokens = request.POST.get("choix", "").replace("\x00", "").split()[: delivery_scans.CHOICES]
    counter = replace(counter_of(request), member=None)
    return page(request, delivery_scans.read(here, request.POST.get("texte", ""), counter, tokens))


@staff
@never_cache
@require_POST
def undo(request: StaffRequest, public_id: str) -> HttpResponse:
    here = delivery_here(request, public_id)
    signed = request.GET.get("acte", "")
    return page(request, delivery_scans.undo(here, signed, counter_of(request)))


@staff
@never_cache
@require_POST
def expect(request: StaffRequest, public_id: str, reference: str) -> HttpResponse:
    """Taken back for one person of the list, however long ago it was."""
    here = delivery_here(request, public_id)
    order = get_object_or_404(
        Order.objects.select_related("delivery"), reference=reference, delivery=here
    )
    return page(request, delivery_scans.expect(here, order, counter_of(request)))


@staff
@never_cache
@require_POST
def missed(request: StaffRequest, public_id: str) -> HttpResponse:
    here = delivery_here(request, public_id)
    return page(request, fresh(here, delivery_scans.miss(here, counter_of(request))))


@staff
@never_cache
@require_POST
def present(request: StaffRequest, public_id: str) -> HttpResponse:
    """Those who were noted as not come a moment ago are expected again."""
    here = delivery_here(request, public_id)
    try:
        marked_at = parse_datetime(request.GET.get("quand", "").replace(" ", "+"))
    except ValueError:
        marked_at = None
    if marked_at is None or timezone.is_naive(marked_at) or not 2000 < marked_at.year < 2200:
        raise Http404
    return page(request, fresh(here, delivery_scans.unmiss(here, marked_at, counter_of(request))))


def fresh(here: Delivery, screen: Screen) -> Screen:
    """With the delivery's state after the verb, which read a row of its own."""
    here.refresh_from_db(fields=["status"])
    return screen


@staff
@never_cache
@require_POST
def called(request: StaffRequest, public_id: str) -> HttpResponse:
    """Nobody acts for the producer on line: it was told by telephone."""
    here = delivery_here(request, public_id)
    mark_called(here, by=request.user, now=timezone.now())
    return said(delivery_scans.url_of(here), "done", _("Noté : producteur prévenu."))


@staff
@never_cache
@require_POST
def hand_over(request: StaffRequest) -> HttpResponse:
    """At the counter: the ticked orders of one person, to whose button was pressed."""
    counter = counter_of(request)
    try:
        ticked = order_acts.chosen(
            counter, [key for key in request.POST if codes.as_scanned(key) == key]
        )
    except Refused as refusal:
        return answer(request, counter.screen(result=acts.refused(refusal)))
    to = collector(ticked[0].member, request.POST.get("a", ""), counter.now)
    return answer(request, order_acts.hand_over(counter, ticked, to))


# -- How many at most ----------------------------------------------------------------------------


@staff
@never_cache
@FORM
def most(request: StaffRequest, public_id: str) -> HttpResponse:
    here = delivery_here(request, public_id)
    form = MostForm(request.POST or None, delivery=here, stock=stock_of(here))
    if request.method == "POST" and form.is_valid():
        try:
            changed = set_all(form, by=request.user, now=timezone.now())
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            word = _("Noté.") if changed else _("Rien n’a changé.")
            return said(delivery_scans.url_of(here), "done", word)
    context = {"form": form, "delivery": here, "hours": hours_words(here)}
    status = 422 if form.errors else 200
    return render(request, "desk/delivery_most.html", context, status=status)


@in_one_transaction
def set_all(form: MostForm, *, by: User, now: datetime) -> int:
    """All of them or none; what is refused is told beside its field."""
    changes = form.changes()
    for name, thing, after in changes:
        try:
            set_most(thing, after, by=by, now=now)
        except Refused as refusal:
            raise Refused([replace(one, field=name) for one in refusal.reasons]) from refusal
    return len(changes)


# -- Called off, or on another day ---------------------------------------------------------------


def told_of(delivery: Delivery) -> dict[str, Any]:
    """Who would be told and how, who must be called, and what goes back to whom."""
    waiting = [order for order in orders_of(delivery) if order.status == OrderStatus.ORDERED]
    ways = {order.pk: channel_for(order.member) for order in waiting}
    return {
        "people": len(waiting),
        "pieces": sum(order.quantity for order in waiting),
        "cents": sum(order.total_cents for order in waiting),
        "by_email": sum(way == MessageChannel.EMAIL for way in ways.values()),
        "by_sms": sum(way == MessageChannel.SMS for way in ways.values()),
        "to_call": [
            (order.member, spoken_phone(order.member.user.phone))
            for order in waiting
            if ways[order.pk] is None
        ],
    }


@staff
@never_cache
@FORM
def cancel(request: StaffRequest, public_id: str) -> HttpResponse:
    here = delivery_here(request, public_id)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = CancelledFor(form.cleaned_data["reason"])
        try:
            cancel_delivery(here, reason, by=request.user, now=timezone.now())
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            text = _("Tout est recrédité, les personnes sont prévenues.")
            return said(delivery_scans.url_of(here), "done", _("Livraison annulée."), text)
    context = {"form": form, "delivery": here, "hours": hours_words(here), "told": told_of(here)}
    status = 422 if form.errors else 200
    return render(request, "desk/delivery_cancel.html", context, status=status)


@staff
@never_cache
@FORM
def shift(request: StaffRequest, public_id: str) -> HttpResponse:
    """The day first, then what it would mean, then the press that does it."""
    here, now = delivery_here(request, public_id), timezone.now()
    today = local_day(now)
    typed = request.POST or (request.GET if "jour" in request.GET else None)
    form = ShiftForm(typed, today=today)
    day: date | None = None
    if typed is not None and form.is_valid():
        day = form.cleaned_data["jour"]
        try:
            if request.method == "POST":
                shift_delivery(here, day, by=request.user, now=now)
                text = _("%(day)s. Les personnes sont prévenues.") % {
                    "day": words.day(day, today).capitalize()
                }
                return said(delivery_scans.url_of(here), "done", _("Livraison déplacée."), text)
            refuse_day(here, day, now=now)
        except Refused as refusal:
            add_refusal(form, refusal, fields={"day": "jour"})
            day = None
    context = {
        "form": form,
        "delivery": here,
        "hours": hours_words(here),
        "day": words.day(day, today) if day else "",
        "told": told_of(here) if day else None,
    }
    status = 422 if form.errors else 200
    return render(request, "desk/delivery_shift.html", context, status=status)


# -- On paper ------------------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def depot_sheet(request: StaffRequest, public_id: str) -> HttpResponse:
    """To sign: who, what, a box; those who are away or gave theirs back stand there greyed."""
    here = delivery_here(request, public_id)
    context = {"delivery": here, "hours": hours_words(here), "totals": totals([here])}
    return render(request, "desk/delivery_sheet.html", context | {"rows": rows_of(here)})


@staff
@never_cache
@require_GET
def depot_pdf(request: StaffRequest, public_id: str) -> HttpResponse:
    """The same sheet as a file, to send and to file away."""
    here = delivery_here(request, public_id)
    name = f"{here.round}-{here.day.isoformat()}"
    return as_pdf_file(as_pdf(paper_of(here)), name)


def paper_of(here: Delivery) -> Sheet:
    head = [f"{_('Retrait')} {hours_words(here)} · {here.producer}"]
    if here.status == DeliveryStatus.OPEN:
        text = _("jusqu’ici : on commande jusqu’au %(moment)s")
        head.append(text % {"moment": words.moment(here.cutoff_at)})
    elif here.status == DeliveryStatus.CANCELLED:
        head.append(_("annulée"))
    return Sheet(
        title=f"{here.place} : {here.round}, {words.day(here.day)}",
        head=head,
        totals=[f"{total.quantity} × {total.product}" for total in totals([here])]
        or [_("Rien n’est commandé.")],
        columns=[
            Column(_("Nom"), 40),
            Column(_("Carte"), 28),
            Column(_("Commande")),
            Column(_("Signature"), 50),
        ],
        lines=[
            Line(
                (row["name"], row["number"], goods_on_paper(row["lines"]), row["state"]),
                row["is_grey"],
            )
            for row in rows_of(here)
        ],
    )


def goods_on_paper(lines: Iterable[OrderLine]) -> list[str]:
    return [f"{line.quantity} {line.stock.product}" for line in lines]


def rows_of(here: Delivery) -> list[dict[str, Any]]:
    rows = [
        {
            "name": row.name,
            "number": row.number,
            "lines": row.lines,
            "state": _("absent") if row.absent else state_on_paper(row.order),
            "is_grey": row.absent,
        }
        for row in sheet(here)
    ]
    rows += [
        {
            "name": f"{order.member.last_name} {order.member.first_name}".strip(),
            "number": "",
            "lines": list(order.lines.all()),
            "state": _("annulé"),
            "is_grey": True,
        }
        for order in delivery_scans.screen_of(here).gone
        if here.status != DeliveryStatus.CANCELLED
    ]
    return sorted(rows, key=lambda row: str(row["name"]).casefold())


def state_on_paper(order: Order | None) -> str:
    is_done = order is not None and order.status == OrderStatus.COLLECTED
    return _("remis") if is_done else ""


@staff
@never_cache
@require_GET
def totals_sheet(request: StaffRequest, public_id: str) -> HttpResponse:
    """What the producer brings, without a name."""
    here = delivery_here(request, public_id)
    people = Order.objects.filter(delivery=here, status__in=BAKED_FOR)
    context = {
        "delivery": here,
        "hours": hours_words(here),
        "totals": totals([here]),
        "people": people.count(),
        "pieces": people.aggregate(sum=Sum("quantity"))["sum"] or 0,
        "is_final": here.status != DeliveryStatus.OPEN,
    }
    return render(request, "desk/delivery_totals.html", context)


# -- An order for somebody -----------------------------------------------------------------------


@staff
@never_cache
@FORM
def order_who(request: StaffRequest, public_id: str) -> HttpResponse:
    """From a delivery: for whom, then how many."""
    here = delivery_here(request, public_id)
    form = AssignForm(request.POST or None, place=request.place)
    form.fields["person" if "person" in form.fields else "who"].widget.attrs["autofocus"] = True
    if request.method == "POST" and form.is_valid():
        url = reverse("desk:order-for", args=[form.cleaned_data["member"].pk])
        return redirect(f"{url}?livraison={here.public_id}")
    context = {"form": form, "delivery": here, "hours": hours_words(here)}
    status = 422 if form.errors else 200
    return render(request, "desk/order_who.html", context, status=status)


@staff
@never_cache
@FORM
def order_for(request: StaffRequest, pk: int) -> HttpResponse:
    """The delivery, then how many of each: two presses."""
    member, now = served(request, str(pk)), timezone.now()
    found = coming(request.place, now)
    asked = (request.POST or request.GET).get("livraison", "").replace("\x00", "")
    chosen = next((one for one in found if one.public_id == asked), None)
    if chosen is None:
        if asked:
            delivery_here(request, asked[:12])
            text = _("Les commandes de cette livraison sont closes.")
            return said(member_url(member.pk), "refused", _("Refusé."), text)
        own = dict(own_orders(member, found).values_list("delivery", "reference"))
        lines = [(one, hours_words(one), own.get(one.pk, "")) for one in found]
        context = {"person": member, "lines": lines}
        return render(request, "desk/order_for.html", context)
    return order_of(request, member, chosen, now)


def own_orders(member: Member, found: list[Delivery]) -> Any:
    return Order.objects.filter(delivery__in=found, member=member, status=OrderStatus.ORDERED)


def order_of(
    request: StaffRequest, member: Member, chosen: Delivery, now: datetime
) -> HttpResponse:
    order = with_lines(own_orders(member, [chosen])).first()
    own = numbers_of(order) if order else {}
    read = f"{order.reference}.{order.sequence}" if order else ""
    last = {} if own else last_lines(member, chosen.round, chosen.day)
    form = DeskOrderForm(
        request.POST or None,
        shelf=chosen.shelf,
        own=own or (last if "derniere" in request.GET else {}),
    )
    for one in chosen.shelf[:1]:
        form.fields[quantity_name(one.product)].widget.attrs["autofocus"] = True
    is_stale = request.method == "POST" and request.POST.get("commande", read) != read
    if is_stale:
        text = _("Cette commande a changé entre-temps. Relisez-la.")
        form.refuse(refuse("changed_meanwhile", text))
    elif request.method == "POST" and "annuler" in request.POST and order is not None:
        try:
            cancel_order(order, by=request.user, now=now, channel=Channel.DESK)
        except Refused as refused:
            text = " ".join(str(reason.text) for reason in refused.reasons)
            return said(member_url(member.pk), "refused", _("Refusé."), text)
        return said(member_url(member.pk), "returned", _("Commande annulée."))
    elif request.method == "POST" and form.is_valid():
        try:
            made = ordered(form, member, chosen, order, by=request.user, now=now)
        except Refused as refused:
            form.refuse(refused)
        else:
            word = _("Commande changée.") if order else _("Commandé.")
            return said(member_url(member.pk), "done", word, ordered_words(made))
    context = {
        "person": member,
        "delivery": chosen,
        "hours": hours_words(chosen),
        "order": order,
        "read": read,
        "form": form,
        "key": codes.token(),
        "owes": "owes_too_much" in form.codes,
        "last": ", ".join(
            f"{last[one.product.public_id]} × {one.product}"
            for one in chosen.shelf
            if one.product.public_id in last
        ),
    }
    status = 422 if form.errors else 200
    return render(request, "desk/order_quantities.html", context, status=status)


def numbers_of(order: Order) -> dict[str, int]:
    return {line.stock.product.public_id: line.quantity for line in order.lines.all()}


def ordered(
    form: DeskOrderForm,
    member: Member,
    chosen: Delivery,
    order: Order | None,
    *,
    by: User,
    now: datetime,
) -> Order:
    if order is not None:
        return change_order(order, form.wanted(), by=by, now=now, channel=Channel.DESK)
    return order_once(
        form_key=form.cleaned_data["key"],
        member=member,
        make=lambda: place_order(
            member=member,
            delivery=chosen,
            lines=form.wanted(),
            by=by,
            now=now,
            channel=Channel.DESK,
        ),
    )


def ordered_words(made: Order) -> str:
    facts = {
        "round": made.delivery.round.name,
        "day": words.day(made.delivery.day),
        "money": words.money(made.total_cents),
    }
    return _("%(round)s, %(day)s, %(money)s.") % facts
