"""Ma carte: a QR and six large digits, readable without a network."""

import segno
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from club.access import member_required
from club.enums import Activity
from club.kernel import codes
from club.queries.entitlement import coverage


@require_safe
@never_cache
@member_required
def card(request: HttpRequest) -> HttpResponse:
    member = request.member  # type: ignore[attr-defined]
    held = member.cards.filter(revoked_at=None).first()
    today = timezone.localdate()
    right = coverage(member, Activity.LENDING, today)
    context = {
        "held": held,
        "digits": codes.spoken(held.number) if held else "",
        "drawing": drawing(settings.BASE_URL + reverse("card", args=[held.token])) if held else "",
        "right_until": right.ends_on if right.covers(today, today) else None,
    }
    return render(request, "portal/card.html", context)


def drawing(address: str) -> str:
    """The QR as inline SVG: no request of its own, so that it is there off line too."""
    code = segno.make(address, error="m", micro=False)
    return mark_safe(  # noqa: S308 - drawn by the library from an address of ours
        code.svg_inline(border=4, omitsize=True, light="#fff")
    )


@require_safe
@cache_control(private=True, max_age=3600)
def worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps the card; served here since it may answer for its folder only."""
    return render(request, "portal/card_worker.js", content_type="text/javascript")
