"""Mon agenda: a private address that a phone's agenda reads by itself."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club.access import MemberRequest, member_required
from club.domain.feeds import new_feed_address
from club.kernel.bookings import of_member
from club.kernel.calendars import ics_of
from club.models import Member

CANCELLED_FOR = timedelta(days=30)
"""How long a cancelled booking stays in the feed, so that each agenda takes it out."""


@require_safe
@cache_control(private=True, max_age=900)
def feed(request: HttpRequest, feed_token: str) -> HttpResponse:
    """Open and recently cancelled bookings. Whoever has the address may read it."""
    member = get_object_or_404(
        Member.objects.select_related("user"), feed_token=feed_token, user__is_active=True
    )
    now = timezone.now()
    pairs = [(row, kind.entry(row)) for kind, row in of_member(member, upcoming=True, now=now)]
    pairs += [
        (row, entry)
        for kind, row in of_member(member, upcoming=False, now=now)
        if (entry := kind.entry(row)).cancelled and now - entry.changed_at < CANCELLED_FOR
    ]
    links = {
        entry.uid: settings.BASE_URL + reverse("portal:booking", args=[row.reference])
        for row, entry in pairs
    }
    entries = [entry for _row, entry in pairs]
    body = ics_of(entries, name=_("Mes réservations"), links=links)
    return HttpResponse(body, content_type="text/calendar")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def agenda(request: MemberRequest) -> HttpResponse:
    member = request.member
    if request.method == "POST":
        new_feed_address(member, by=request.user, now=timezone.now())
        messages.success(request, _("L’adresse a changé. L’ancienne ne répond plus."))
        return redirect("portal:agenda")
    path = reverse("portal:feed", args=[member.feed_token])
    context = {
        "address": settings.BASE_URL + path,
        "path": path,
        "has_bookings": bool(of_member(member, upcoming=True, now=timezone.now())),
    }
    return render(request, "portal/agenda.html", context)
