"""A stay booked by its member: days and tasks, a page to check, "C’est réservé".

What is asked goes by POST alone: no address, and so no log and no history of a shared
phone, says from when to when a home is empty.
"""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from club.access import MemberRequest, member_required
from club.context import member_of, place_of
from club.kernel import codes
from club.kernel.bookings import Channel
from club.kernel.refusal import Reason, Refused
from club.kernel.spans import local_day
from club.models import Member
from concierge.domain.seats import right_reason
from concierge.domain.stays import (
    Wanted,
    book_once,
    book_stay,
    check_stay,
    limit_reason,
    soonest,
    wanted_of,
)
from concierge.enums import StayStatus
from concierge.models import Service, Stay
from concierge.stay_forms import StayForm
from concierge.views import shown_stays as shown
from concierge.views.shown_services import address_of

DAILY = "chaque-jour"
"""What "Modifier" says where an animal is to be fed: the daily rhythm is then chosen."""


def standing(member: Member | None, service: Service, now: datetime) -> Reason | None:
    """Why this member can book nothing for now, said before they fill anything in."""
    if member is None:
        return None
    reason = right_reason(member, service, local_day(now))
    if reason is not None and reason.code != "right_not_begun":
        return reason
    today = local_day(now)
    asked = wanted_of(service, member, today, today, service.tasks, None)
    return limit_reason(asked, Channel.WEB, now)


def stay_page(request: HttpRequest, service: Service, form: StayForm | None = None) -> HttpResponse:
    now, member = timezone.now(), member_of(request)
    if form is None:
        form = StayForm(service=service, initial={"key": codes.token()})
    first = soonest(service, now)
    for name in ("first_on", "last_on"):
        form.fields[name].widget.attrs["min"] = first.isoformat()
    context = {
        "service": service,
        "at": service.place,
        "is_elsewhere": service.place_id != getattr(place_of(request), "pk", None),
        "price": shown.price_words(service),
        "reason": standing(member, service, now),
        "form": form,
        "way_in": address_of(service),
    }
    refused = form.is_bound and bool(form.errors)
    return render(request, "concierge/stay.html", context, status=422 if refused else 200)


@never_cache
@member_required
def book(request: MemberRequest, service: Service) -> HttpResponse:
    """First looked at, then booked: it is a commitment. "Modifier" keeps what was filled in."""
    form = StayForm(request.POST, service=service)
    if not form.is_valid():
        return stay_page(request, service, form)
    if "modifier" in request.POST:
        said = {name: form.cleaned_data[name] for name in form.fields}
        if request.POST["modifier"] == DAILY:
            said["visit_every"] = 1
        return stay_page(request, service, StayForm(service=service, initial=said))
    now = timezone.now()
    try:
        if "sure" not in request.POST:
            wanted = wanted_by(form, service, request.member)
            return check_page(request, wanted, check_stay(wanted, now=now), form, now)
        made = book_once(
            form_key=form.cleaned_data["key"],
            member=request.member,
            make=lambda: booked(request, service, form, now),
        )
    except Refused as refused:
        form.refuse(refused)
        return stay_page(request, service, form)
    return redirect("services:booked", made.reference)


def wanted_by(form: StayForm, service: Service, member: Member) -> Wanted:
    said = form.cleaned_data
    return wanted_of(
        service, member, said["first_on"], said["last_on"], said["tasks"], said["visit_every"]
    )


def check_page(
    request: MemberRequest, wanted: Wanted, visits: list[date], form: StayForm, now: datetime
) -> HttpResponse:
    context: dict[str, Any] = {
        "service": wanted.service,
        "rows": shown.check_rows(wanted, visits, local_day(now)),
        "is_paid": bool(wanted.cents),
        "by_day": wanted.cents != wanted.service.unit_cents or wanted.service.unit == "day",
        "said": form.cleaned_data,
        "is_hungry": shown.is_hungry(wanted),
        "daily": DAILY,
    }
    return render(request, "concierge/stay_check.html", context)


def booked(request: MemberRequest, service: Service, form: StayForm, now: datetime) -> Stay:
    said = form.cleaned_data
    return book_stay(
        member=request.member,
        service=service,
        first_on=said["first_on"],
        last_on=said["last_on"],
        tasks=said["tasks"],
        visit_every=said["visit_every"],
        by=request.user,
        now=now,
    )


def confirmed(request: MemberRequest, reference: str) -> HttpResponse:
    """ "C’est réservé": for its own member alone, and as long as it is true."""
    stay = get_object_or_404(
        Stay.objects.select_related("service", "place"), reference=reference, member=request.member
    )
    if stay.status != StayStatus.BOOKED:
        return redirect("portal:booking", stay.reference)
    now = timezone.now()
    context = {"stay": stay, "ticket": shown.ticket(stay, now)}
    return render(request, "concierge/stay_booked.html", context)
