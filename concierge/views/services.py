"""Services: the reason first, then a day, then an hour; or a turn on the list."""

from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from wagtail.views import serve

from club.access import MemberRequest, member_required
from club.context import member_of, place_of
from club.kernel import codes, words
from club.kernel.refusal import Reason, Refused
from club.kernel.spans import end_of, local_day, start_of
from club.models import Member
from club.queries.calendar import calendar_of
from concierge.domain.appointments import MOST_WEEKS, book_once, book_series, book_slot
from concierge.domain.seats import limit_reason, own_seats, right_reason
from concierge.domain.slot_wishes import LIVE, take_wish_back, wish
from concierge.enums import SEATED, AppointmentStatus, ServiceKind, WishStatus
from concierge.forms import AppointmentForm, WishForm
from concierge.models import Appointment, Service, SlotWish, Stay
from concierge.queries.services import offered_at
from concierge.queries.slots import Diary, diaries, diary_ahead
from concierge.views import shown_services as shown
from concierge.views import shown_stays, stays
from concierge.views.catalogue import here
from concierge.views.shown import hours_words
from concierge.views.tool import with_choice

FEW, MORE = 4, 21
"""How many days are proposed at first, and when others are asked for."""
WISHED = timedelta(days=14)


def find(request: HttpRequest, public_id: str) -> Service:
    """A service that is offered at one's own place, or at a public one of the landlord."""
    place = here(request)
    return get_object_or_404(
        Service.objects.select_related("place__landlord").filter(
            Q(place__is_public=True) | Q(place=place),
            place__landlord=place.landlord_id,
            is_offered=True,
        ),
        public_id=public_id,
    )


def changes_at(request: HttpRequest, diary: Diary, now: datetime) -> None:
    """Tell who keeps whole pages when the next slot can no longer be booked."""
    slot = next(iter(diary.bookable(now, with_taken=True)), None)
    if slot is not None:
        moment = slot.starts_at - timedelta(minutes=diary.service.lead_minutes)
        known = getattr(request, "_changes_at", [])
        request._changes_at = [*known, moment]  # type: ignore[attr-defined]


@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """The reasons to come. A place without services has its editors' page of that address."""
    place, now = here(request), timezone.now()
    found = list(offered_at(place))
    if not found:
        return serve(request, request.path_info.strip("/"))
    for service in found:
        service.place = place
    by_slot = [service for service in found if service.kind == ServiceKind.SLOT]
    today = local_day(now)
    farthest = max((service.horizon_days for service in by_slot), default=0)
    ahead = diaries(by_slot, today, today + timedelta(days=farthest)) if by_slot else {}
    for diary in ahead.values():
        changes_at(request, diary, now)
    context = {
        "cards": [shown.card(one, ahead.get(one.pk), now) for one in by_slot],
        "stays": [shown_stays.card(one) for one in found if one.kind == ServiceKind.STAY],
        "counter": [
            {"service": one, "url": shown.address_of(one), "price": shown.price_words(one)}
            for one in found
            if one.kind == ServiceKind.COUNTER
        ],
    }
    return render(request, "concierge/services.html", context)


# -- One service -----------------------------------------------------------------------------


def way_in(service: Service, **kept: object) -> str:
    """Sign in, then come back to the same choice."""
    query = urlencode({name: value for name, value in kept.items() if value})
    url = shown.address_of(service)
    address = f"{url}?{query}" if query else url
    return f"{reverse('account_login')}?{urlencode({'next': address})}"


def chosen_day(request: HttpRequest, form: AppointmentForm | None) -> date | None:
    """The day of the address, or that of the hour that was pressed."""
    text = form.data.get("slot", "")[:10] if form else request.GET.get("jour", "")
    try:
        return parse_date(text) if len(text) == 10 else None
    except ValueError:
        return None


def standing(member: Member | None, service: Service, now: datetime) -> Reason | None:
    """Why this member can book nothing for now, said before they choose a day."""
    if member is None:
        return None
    reason = right_reason(member, service, local_day(now))
    if reason is not None and reason.code != "right_not_begun":
        return reason
    return limit_reason(service, own_seats(member, now), "")


def live_wish(member: Member | None, service: Service) -> SlotWish | None:
    if member is None:
        return None
    rows = SlotWish.objects.filter(member=member, service=service, status__in=LIVE)
    return rows.select_related("appointment").first()


def weeks_of(service: Service) -> int:
    return min(MOST_WEEKS, service.horizon_days // 7 + 1)


def service_page(
    request: HttpRequest, service: Service, form: AppointmentForm | None = None
) -> HttpResponse:
    if service.kind == ServiceKind.COUNTER:
        return counter_page(request, service)
    if service.kind == ServiceKind.STAY:
        return stays.stay_page(request, service)
    now = timezone.now()
    member = member_of(request)
    diary = diary_ahead(service, now)
    changes_at(request, diary, now)
    day = chosen_day(request, form)
    hours = list(diary.bookable(now, day, day)) if day else []
    more = request.GET.get("jours") == "plus"
    days = shown.day_buttons(diary.bookable(now), now, MORE if more else FEW)
    reason = standing(member, service, now)
    if member and hours and form is None:
        form = AppointmentForm(rules=diary.rules, weeks=weeks_of(service))
    buttons = with_choice(request, shown.hour_buttons(hours))
    wished = live_wish(member, service)
    context = {
        "service": service,
        "at": service.place,
        "is_elsewhere": service.place_id != getattr(place_of(request), "pk", None),
        "price": shown.price_words(service),
        "length": shown.length_words(service),
        "day": day if hours else None,
        "hours": buttons
        if member
        else [(b, way_in(service, jour=day, choix=b.value)) for b in buttons],
        "days": [b for b in days if not hours or day is None or b.value != day.isoformat()],
        "more": more,
        "reason": reason,
        "wished": wished,
        "wished_days": wished_words(wished) if wished else "",
        "is_offered": bool(wished and wished.status == WishStatus.OFFERED),
        "form": form,
        "form_key": codes.token() if member else "",
    }
    refused = form is not None and form.is_bound
    return render(request, "concierge/service.html", context, status=422 if refused else 200)


def wished_words(wished: SlotWish) -> str:
    if wished.first_on == wished.last_on:
        return words.day(wished.first_on)
    days = {"first": words.day(wished.first_on), "last": words.day(wished.last_on)}
    return _("du %(first)s au %(last)s") % days


def counter_page(request: HttpRequest, service: Service) -> HttpResponse:
    """What one comes for without an appointment: when, and for how much."""
    place, now = service.place, timezone.now()
    calendar, today = calendar_of(place), local_day(now)
    context = {
        "service": service,
        "at": place,
        "price": shown.price_words(service),
        "hours": [
            (capfirst(words.day(day, today)), hours_words(calendar, start_of(day), end_of(day)))
            for day in islice(calendar.open_days(today), 3)
        ],
    }
    return render(request, "concierge/service_counter.html", context)


@require_safe
def service(request: HttpRequest, public_id: str) -> HttpResponse:
    return service_page(request, find(request, public_id))


def book(request: HttpRequest, public_id: str) -> HttpResponse:
    """The press of an hour. Who signs in on the way comes back to the same choice."""
    found = find(request, public_id)
    if found.kind == ServiceKind.STAY:
        if request.method == "POST" and request.user.is_authenticated:
            return stays.book(request, found)
        return redirect(way_in(found) if request.method == "POST" else shown.address_of(found))
    if request.method == "POST" and request.user.is_authenticated:
        return book_for_member(request, found)
    if request.method == "POST":
        choix = request.POST.get("slot", "")
        return redirect(way_in(found, jour=choix[:10], choix=choix))
    return redirect(shown.address_of(found))


@member_required
def book_for_member(request: MemberRequest, found: Service) -> HttpResponse:
    rules = diary_ahead(found, timezone.now()).rules
    form = AppointmentForm(request.POST, rules=rules, weeks=weeks_of(found))
    if not form.is_valid():
        return service_page(request, found, form)
    try:
        made = book_once(
            form_key=form.cleaned_data["key"],
            member=request.member,
            make=lambda: booked(request, found, form),
        )
    except Refused as refused:
        form.refuse(refused)
        return service_page(request, found, form)
    return redirect("services:booked", made.reference)


def booked(request: MemberRequest, found: Service, form: AppointmentForm) -> Appointment:
    said = form.cleaned_data
    asked: dict[str, Any] = {
        "member": request.member,
        "service": found,
        "starts_at": said["slot"].starts_at,
        "answers": form.answers(),
        "by": request.user,
        "now": timezone.now(),
    }
    if not said["semaines"]:
        return book_slot(**asked)
    series = book_series(**asked, weeks=said["semaines"])
    if series.skipped:
        days = ", ".join(words.day(local_day(date)) for date in series.skipped)
        text = _("Ces dates n’étaient pas libres : %(days)s.")
        messages.warning(request, text % {"days": days})
    return series.made[0]


@require_safe
@never_cache
@member_required
def confirmed(request: MemberRequest, reference: str) -> HttpResponse:
    """ "C’est réservé": for its own member alone, and as long as it is true."""
    if Stay.objects.filter(reference=reference).exists():
        return stays.confirmed(request, reference)
    appointment = get_object_or_404(
        Appointment.objects.select_related("service", "place"),
        reference=reference,
        member=request.member,
    )
    if appointment.status != AppointmentStatus.BOOKED:
        return redirect("portal:booking", appointment.reference)
    now = timezone.now()
    others = Appointment.objects.none()
    if appointment.series:
        others = Appointment.objects.filter(
            series=appointment.series, member=request.member, status__in=SEATED
        ).exclude(pk=appointment.pk)
    context = {
        "appointment": appointment,
        "ticket": shown.ticket(appointment, now),
        "others": others.order_by("starts_at"),
        "is_reminded": local_day(appointment.starts_at) > local_day(now) + timedelta(days=1),
    }
    return render(request, "concierge/service_booked.html", context)


# -- Waiting -----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def wait(request: MemberRequest, public_id: str) -> HttpResponse:
    """The days on which any slot will do."""
    found, now = find(request, public_id), timezone.now()
    if found.kind != ServiceKind.SLOT or live_wish(request.member, found):
        return redirect(shown.address_of(found))
    today = local_day(now)
    initial = {"first_on": today + timedelta(days=1), "last_on": today + WISHED}
    form = WishForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            wish(request.member, found, **form.cleaned_data, by=request.user, now=now)
        except Refused as refused:
            form.refuse(refused)
        else:
            text = _("C’est noté. Nous vous écrivons dès qu’un créneau se libère.")
            messages.success(request, text)
            return redirect(shown.address_of(found))
    context = {"service": found, "form": form, "url": shown.address_of(found)}
    status = 422 if form.errors else 200
    return render(request, "concierge/service_wait.html", context, status=status)


@require_POST
@never_cache
@member_required
def wait_no_more(request: MemberRequest, public_id: str) -> HttpResponse:
    found = find(request, public_id)
    wished = live_wish(request.member, found)
    if wished is not None:
        take_wish_back(wished, by=request.user, now=timezone.now())
        messages.success(request, _("C’est fait. Vous n’attendez plus de créneau."))
    return redirect(shown.address_of(found))
