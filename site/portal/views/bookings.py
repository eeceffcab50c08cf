"""Mes réservations, and the pages of one booking.

Each page has two doors: the member's own session, and the signed link of a message,
which opens that booking alone. Behind either, somebody else's reference does not
exist.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club.access import MemberRequest, member_required
from club.forms import RefusableForm
from club.kernel.bookings import Booking, Kind, kinds, of_member
from club.kernel.calendars import ics_of
from club.kernel.links import LIFE, SALT, booking_link
from club.kernel.refusal import Refused
from club.models import Member, User
from concierge.forms import SlotForm
from concierge.order_forms import DeliveryChoiceForm
from portal.forms import QuantityForm
from portal.lines import lines_of
from portal.screen import Screen
from portal.screens import SCREENS

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Door:
    """One booking, opened by somebody who may: with its kind and its own addresses."""

    kind: Kind
    screen: Screen
    booking: Booking
    by: User
    name: str
    argument: str

    def url(self, act: str = "") -> str:
        name = f"portal:{self.name}-{act}" if act else f"portal:{self.name}"
        return reverse(name, args=[self.argument])

    def urls(self) -> dict[str, str]:
        acts = ("move", "lines", "quantity", "accept", "cancel", "renew", "agenda")
        return {"booking": self.url()} | {act: self.url(act) for act in acts}


def own(reference: str, member: Member) -> tuple[Kind, Booking]:
    """A member's own booking; what staff may see of others is the desk's."""
    for kind in kinds():
        booking = kind.visible_to(member.user).filter(reference=reference, member=member).first()
        if booking is not None and kind.name in SCREENS:
            return kind, booking
    raise Http404


def owner_of(reference: str) -> Member:
    for kind in kinds():
        booking = (
            kind.model._default_manager.filter(reference=reference)
            .select_related("member__user")
            .first()
        )
        if booking is not None:
            return booking.member
    raise Http404


def through_a_door(view: View) -> View:
    """Give the view its `Door`: by the reference for its member, by the link for anybody."""

    @member_required
    def for_member(request: MemberRequest, reference: str) -> HttpResponse:
        member = request.member
        kind, booking = own(reference, member)
        door = Door(kind, SCREENS[kind.name], booking, member.user, "booking", reference)
        return view(request, door)

    @wraps(view)
    @never_cache
    def wrapped(request: HttpRequest, reference: str = "", signed: str = "") -> HttpResponse:
        if not signed:
            return for_member(request, reference)
        try:
            reference = signing.loads(signed, salt=SALT, max_age=LIFE)
        except signing.SignatureExpired:
            return render(request, "portal/link_expired.html", status=410)
        except signing.BadSignature:
            raise Http404 from None
        member = owner_of(reference)
        kind, booking = own(reference, member)
        door = Door(kind, SCREENS[kind.name], booking, member.user, "booking-link", signed)
        return view(request, door)

    return wrapped


@require_safe
@never_cache
@member_required
def bookings(request: MemberRequest) -> HttpResponse:
    member = request.member
    now = timezone.now()
    context = {
        "open": lines_of(of_member(member, upcoming=True, now=now), now),
        "over": lines_of(of_member(member, upcoming=False, now=now), now),
    }
    return render(request, "portal/bookings.html", context)


def page_of(
    request: HttpRequest,
    door: Door,
    template: str,
    form: SlotForm | QuantityForm | RefusableForm | None = None,
    **more: Any,
) -> HttpResponse:
    now, screen, booking = timezone.now(), door.screen, door.booking
    context = {
        "door": door,
        "urls": door.urls(),
        "ticket": screen.ticket(booking, now),
        "line": door.kind.card(booking, now),
        "acts": screen.acts(booking, now),
        "says": screen.says(booking),
        "form": form,
        **more,
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, template, context, status=status)


def booking_page(request: HttpRequest, door: Door, form: SlotForm | None = None) -> HttpResponse:
    now, screen = timezone.now(), door.screen
    url, label = screen.onward(door.booking)
    template, below = screen.below(door.booking, now) or ("", {})
    return page_of(
        request,
        door,
        "portal/booking.html",
        form,
        next_steps=screen.next_steps(door.booking, now),
        to_pay=screen.to_pay(door.booking, now),
        code=screen.code(door.booking),
        onward={"url": url, "label": label},
        below=template,
        **below,
    )


def refused_page(request: HttpRequest, door: Door, refused: Refused) -> HttpResponse:
    """The booking's page as it is now, with the reasons on top."""
    form = SlotForm({})
    form.errors.clear()
    form.refuse(refused)
    return booking_page(request, again(door), form)


def again(door: Door) -> Door:
    """The booking as it is now: somebody else, or another tab, was there first."""
    _kind, fresh = own(door.booking.reference, door.booking.member)
    return replace(door, booking=fresh)


def is_offered(door: Door, act: str) -> bool:
    return act in door.screen.acts(door.booking, timezone.now())


@require_safe
@through_a_door
def booking(request: HttpRequest, door: Door) -> HttpResponse:
    return booking_page(request, door)


def days_page(
    request: HttpRequest, door: Door, form: SlotForm | DeliveryChoiceForm | None = None
) -> HttpResponse:
    more = "plus" in {request.GET.get("jours"), request.POST.get("jours")}
    buttons = door.screen.buttons(door.booking, timezone.now(), more)
    form = form or door.screen.blank(door.booking)
    template = door.screen.move_template
    return page_of(request, door, template, form, buttons=buttons, more=more)


@require_http_methods(["GET", "HEAD", "POST"])
@through_a_door
def move(request: HttpRequest, door: Door) -> HttpResponse:
    if request.method != "POST":
        return days_page(request, door) if is_offered(door, "move") else redirect(door.url())
    form = door.screen.slot_form(request.POST)
    if not form.is_valid():
        return days_page(request, door, form)
    try:
        said = door.screen.move(door.booking, form.cleaned_data["slot"], door.by, timezone.now())
    except Refused as refused:
        door = again(door)
        if not is_offered(door, "move"):
            return refused_page(request, door, refused)
        form.refuse(refused)
        return days_page(request, door, form)
    messages.success(request, said)
    return redirect(door.url())


@require_http_methods(["GET", "HEAD", "POST"])
@through_a_door
def quantity(request: HttpRequest, door: Door) -> HttpResponse:
    """More or fewer places, where a booking has several."""
    offered = is_offered(door, "quantity")
    if request.method != "POST" and not offered:
        return redirect(door.url())
    form = QuantityForm(request.POST or None, initial={"quantity": door.booking.quantity})
    if form.is_valid():
        wanted = form.cleaned_data["quantity"]
        try:
            said = door.screen.change_quantity(door.booking, wanted, door.by, timezone.now())
        except Refused as refused:
            door = again(door)
            if not is_offered(door, "quantity"):
                return refused_page(request, door, refused)
            form.refuse(refused)
        else:
            messages.success(request, said)
            return redirect(door.url())
    elif not offered:
        return redirect(door.url())
    follows = door.screen.quantity_words(door.booking)
    return page_of(request, door, "portal/quantity.html", form, follows=follows)


@require_http_methods(["GET", "HEAD", "POST"])
@through_a_door
def cancel(request: HttpRequest, door: Door) -> HttpResponse:
    """Asked once more, since what is given up goes to the next person at once."""
    if request.method != "POST":
        if not is_offered(door, "cancel"):
            return redirect(door.url())
        follows = door.screen.cancelling(door.booking, timezone.now())
        return page_of(request, door, "portal/cancel.html", follows=follows)
    return pressed(request, door, door.screen.cancel)


@require_http_methods(["GET", "HEAD", "POST"])
@through_a_door
def renew(request: HttpRequest, door: Door) -> HttpResponse:
    """One press from the booking's page; signing in on the way leads back there."""
    if request.method != "POST":
        return redirect(door.url())
    return pressed(request, door, door.screen.renew)


@require_http_methods(["GET", "HEAD", "POST"])
@through_a_door
def accept(request: HttpRequest, door: Door) -> HttpResponse:
    """Yes to what was offered, by one press."""
    if request.method != "POST":
        return redirect(door.url())
    return pressed(request, door, door.screen.accept)


def pressed(request: HttpRequest, door: Door, act: Callable[..., str]) -> HttpResponse:
    try:
        said = act(door.booking, door.by, timezone.now())
    except Refused as refused:
        return refused_page(request, door, refused)
    messages.success(request, said)
    return redirect(door.url())


@require_safe
@through_a_door
def agenda(request: HttpRequest, door: Door) -> HttpResponse:
    entry = door.kind.entry(door.booking)
    links = {entry.uid: booking_link(door.booking.reference)}
    response = HttpResponse(ics_of([entry], links=links), content_type="text/calendar")
    name = f"reservation-{door.booking.reference}.ics"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
