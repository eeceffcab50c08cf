"""Mon espace: one reminder at most, the windows, the ways on."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import member_required
from club.enums import Activity
from club.kernel.bookings import of_member
from club.kernel.people import spoken_phone
from club.queries.entitlement import coverage
from portal.lines import lines_of, urgency
from portal.tiles import tiles_for


@require_safe
@never_cache
@member_required
def home(request: HttpRequest) -> HttpResponse:
    member = request.member  # type: ignore[attr-defined]
    now = timezone.now()
    today = timezone.localdate(now)
    lines = lines_of(of_member(member, upcoming=True, now=now), now)
    held = coverage(member, Activity.LENDING, today)
    context = {
        "reminder": min(lines, key=lambda line: urgency(line, today), default=None),
        "open_count": len(lines),
        "own_tiles": lambda: tiles_for(member.place),
        "right_until": held.ends_on if held.covers(today, today) else None,
        "right_ended": held.ends_on if held.ends_on and held.ends_on < today else None,
    }
    return render(request, "portal/home.html", context)


@require_safe
@never_cache
@member_required
def data(request: HttpRequest) -> HttpResponse:
    """What is written about the member, to check and have corrected."""
    member = request.member  # type: ignore[attr-defined]
    context = {
        "checks": member.tenancy_checks.order_by("-checked_on", "-pk")[:1],
        "phone": spoken_phone(member.user.phone) if member.user.phone else "",
    }
    return render(request, "portal/data.html", context)
