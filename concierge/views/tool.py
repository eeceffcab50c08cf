"""One object: its pick-up days, the reservation, "C’est réservé"."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import MemberRequest, member_required
from club.context import member_of, place_of
from club.enums import Activity
from club.kernel import codes
from club.kernel.refusal import Reason, Refused
from club.models import Member, Place
from club.queries.entitlement import may
from concierge.domain.reserving import reserve_once
from concierge.enums import BEFORE_HANDOVER, CopyStatus
from concierge.forms import ReserveForm, SlotForm, read_slot
from concierge.models import Copy, Loan, Tool
from concierge.queries.availability import (
    Availability,
    Shelf,
    availability,
    lines,
    shelves,
    windows,
)
from concierge.queries.policies import policy_for
from concierge.queries.search import listed_tools
from concierge.views import shown
from concierge.views.catalogue import here

FEW, MORE = 3, 14
"""How many days are proposed at first, and when other days are asked for."""


def find(request: HttpRequest, public_id: str) -> tuple[Tool, Place]:
    """A listed object of this landlord, and the place that it is to be fetched from."""
    place = here(request)
    tool = get_object_or_404(listed_tools(place.landlord), public_id=public_id)
    wanted = (request.POST.get("lieu") or request.GET.get("lieu", "")).replace("\x00", "")
    if wanted and wanted != place.slug:
        place = get_object_or_404(
            Place.objects.select_related("landlord"),
            landlord=place.landlord,
            is_public=True,
            slug=wanted,
        )
    return tool, place


def chosen_length(form: SlotForm | None, request: HttpRequest, longest: int) -> int | None:
    """The days of the loan, where the page asks for another length than the usual."""
    raw = form.data.get("length", "") if form else request.GET.get("duree", "")
    length = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 4 else 0
    return length if 1 <= length <= longest else None


def with_choice(request: HttpRequest, buttons: list[shown.SlotButton]) -> list[shown.SlotButton]:
    """What was chosen before signing in comes first, if it is still free."""
    choice = request.GET.get("choix", "")
    return sorted(buttons, key=lambda button: button.value != choice) if choice else buttons


def way_in(tool: Tool, **kept: object) -> str:
    """Sign in, then come back to the same choice."""
    query = urlencode({name: value for name, value in kept.items() if value})
    address = f"{tool.get_absolute_url()}?{query}" if query else tool.get_absolute_url()
    return f"{reverse('account_login')}?{urlencode({'next': address})}"


def standing(member: Member | None) -> Reason | None:
    """Why this member can reserve nothing for now, said before they choose a day."""
    today = timezone.localdate()
    reason = may(member, Activity.LENDING, today, today) if member else None
    return None if reason is None or reason.code == "right_not_begun" else reason


def elsewhere(tool: Tool, copies: list[Copy], place: Place) -> list[dict[str, Any]]:
    """The landlord's other places that lend it, with their own line."""
    now = timezone.now()
    others = {
        copy.place_id: copy.place
        for copy in copies
        if copy.place_id != place.pk and copy.place.is_public and copy.status == CopyStatus.ACTIVE
    }
    return [
        {
            "place": other,
            "url": f"{tool.get_absolute_url()}?{urlencode({'lieu': other.slug})}",
            "availability": lines([tool], other, now)[tool.pk],
        }
        for other in others.values()
    ]


def free_neighbours(tool: Tool, place: Place) -> list[dict[str, Any]]:
    """Three objects of the same department that can be fetched soon, soonest first."""
    tools = list(
        listed_tools(place.landlord).filter(department=tool.department).exclude(pk=tool.pk)[:60]
    )
    said = lines(tools, place, timezone.now())
    free = [other for other in tools if said[other.pk].on is not None]
    free.sort(key=lambda other: said[other.pk].on or date.max)
    prefetch_related_objects(free[:3], "photo__renditions")
    return [shown.object_card(other, said[other.pk]) for other in free[:3]]


def tool_page(
    request: HttpRequest, tool: Tool, place: Place, form: SlotForm | None = None
) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    shelf: Shelf = shelves([tool], place, now)[tool.pk]
    policy = policy_for(place, tool.value_class)
    line: Availability = availability(shelf, now)
    more = request.GET.get("jours") == "plus" or bool(form and form.data.get("jours"))
    length = chosen_length(form, request, policy.max_days)
    refused_on = read_slot(form.data.get("slot", "")) if form else None
    from_day = refused_on.starts_on if refused_on and refused_on.starts_on >= today else None
    proposals = windows(
        shelf,
        now,
        first=None if more else from_day,
        days=length,
        limit=MORE if more else FEW,
        with_taken=more,
    ) or windows(shelf, now, days=length, limit=FEW)
    buttons = shown.slot_buttons(proposals, place, policy, now, due=more or length is not None)
    buttons = with_choice(request, buttons)
    member = member_of(request)
    is_elsewhere = place != place_of(request)
    kept = {"duree": length, "lieu": place.slug if is_elsewhere else "", "jours": more and "plus"}
    copies = list(
        tool.copies.select_related("place").filter(
            status__in=[CopyStatus.ACTIVE, CopyStatus.REPAIR]
        )
    )
    context = {
        "tool": tool,
        "parts": tool.parts.all(),
        "department": tool.department,
        "at": place,
        "is_elsewhere": is_elsewhere,
        "line": line,
        "terms": shown.terms(tool, policy),
        "deposit": shown.deposit_words(tool),
        "buttons": buttons
        if member
        else [(button, way_in(tool, choix=button.value, **kept)) for button in buttons],
        "has_free": any(not button.taken for button in buttons),
        "more": more,
        "length": length or policy.loan_days,
        "lengths": shown.lengths(policy),
        "form_length": length or "",
        "copies": shown.copies_words([copy for copy in copies if copy.place_id == place.pk]),
        "elsewhere": elsewhere(tool, copies, place),
        "neighbours": free_neighbours(tool, place) if line.on is None else [],
        "no_right": standing(member),
        "form": form,
        "form_key": codes.token() if member else "",
    }
    return render(request, "concierge/tool.html", context, status=422 if form else 200)


@require_safe
def tool(request: HttpRequest, public_id: str) -> HttpResponse:
    return tool_page(request, *find(request, public_id))


def reserve(request: HttpRequest, public_id: str) -> HttpResponse:
    """The press of a slot. Somebody whose session has ended comes back to the same choice."""
    found, place = find(request, public_id)
    if request.method == "POST" and request.user.is_authenticated:
        return reserve_for_member(request, found, place)
    if request.method == "POST":
        lieu = place.slug if place != place_of(request) else ""
        choix, duree = request.POST.get("slot", ""), request.POST.get("length", "")
        return redirect(way_in(found, choix=choix, duree=duree, lieu=lieu))
    return redirect(found)


@member_required
def reserve_for_member(request: MemberRequest, found: Tool, place: Place) -> HttpResponse:
    form = ReserveForm(request.POST)
    if not form.is_valid():
        return tool_page(request, found, place, form)
    slot, length = form.cleaned_data["slot"], form.cleaned_data["length"]
    try:
        loan = reserve_once(
            form_key=form.cleaned_data["key"],
            member=request.member,
            tool=found,
            place=place,
            starts_on=slot.starts_on,
            ends_on=slot.starts_on + timedelta(days=length) if length else None,
            starts_at=slot.starts_at,
            by=request.user,
            now=timezone.now(),
        )
    except Refused as refused:
        form.refuse(refused)
        return tool_page(request, found, place, form)
    return redirect("concierge:reserved", loan.reference)


@require_safe
@never_cache
@member_required
def reserved(request: MemberRequest, reference: str) -> HttpResponse:
    """ "C’est réservé": for its own member alone, and as long as it is true."""
    loan = get_object_or_404(
        Loan.objects.select_related("tool__department", "tool__photo", "place"),
        reference=reference,
        member=request.member,
    )
    if loan.status not in BEFORE_HANDOVER:
        return redirect("portal:booking", loan.reference)
    context = {"loan": loan, "ticket": shown.ticket(loan, timezone.localdate())}
    return render(request, "concierge/reserved.html", context)
