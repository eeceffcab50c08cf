"""Ma carte: a QR and six large digits, readable without a network; lost, replaced, printed."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club.access import MemberRequest, member_required
from club.domain.cards import replace_card
from club.kernel import codes
from club.models import Card, Member
from club.queries.members import valid_until
from club.views.card import printed


def card_of(member: Member) -> Card | None:
    return member.cards.filter(revoked_at=None).first()


@require_safe
@never_cache
@member_required
def card(request: MemberRequest) -> HttpResponse:
    held = card_of(request.member)
    context: dict[str, Any] = {
        "held": held,
        "digits": codes.spoken(held.number) if held else "",
        "address": settings.BASE_URL + reverse("card", args=[held.token]) if held else "",
        "until": valid_until(request.member, timezone.localdate()),
    }
    return render(request, "portal/card.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def lost(request: MemberRequest) -> HttpResponse:
    """Asked once more: the old card dies at once, wherever it is."""
    held = card_of(request.member)
    if held is None:
        return redirect("portal:card")
    if request.method != "POST":
        return render(request, "portal/card_lost.html", {"held": held})
    number = request.POST.get("card") or held.number
    replace_card(request.member, by=request.user, now=timezone.now(), lost=number)
    messages.success(request, _("L’ancienne carte ne marche plus. Voici la nouvelle."))
    return redirect("portal:card")


@require_safe
@never_cache
@member_required
def on_paper(request: MemberRequest) -> HttpResponse:
    held = card_of(request.member)
    if held is None:
        return redirect("portal:card")
    return printed(request, held, back=reverse("portal:card"))


@require_safe
@cache_control(private=True, max_age=3600)
def worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps the card; served here since it may answer for its folder only."""
    context = {"kept": "card-1"}
    return render(request, "portal/card_worker.js", context, content_type="text/javascript")
