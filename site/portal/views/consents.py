"""Mes accords: each tick on its own, given and taken back by one press."""

from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from club.access import MemberRequest, member_required
from club.domain.consents import SENTENCES, give_consent, withdraw_consent
from club.enums import OBJECTIONS, ConsentKind
from club.kernel import links
from club.kernel.refusal import Refused
from club.models import Member


def lines_of(member: Member) -> list[dict[str, Any]]:
    """Each kind with its sentence and its last tick; reminders by SMS need a phone."""
    last = {one.kind: one for one in member.consents.order_by("given_at", "pk")}
    return [
        {
            "kind": kind,
            "sentence": SENTENCES[kind],
            "last": last.get(kind),
            "is_objection": kind in OBJECTIONS,
        }
        for kind in ConsentKind
        if kind != ConsentKind.SMS or member.user.phone or kind in last
    ]


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def consents(request: MemberRequest) -> HttpResponse:
    member = request.member
    if request.method == "POST":
        kind, now = request.POST.get("kind"), timezone.now()
        if kind not in ConsentKind.values:
            messages.info(request, _("Choisissez un accord de la liste."))
        elif request.POST.get("act") == "give":
            try:
                give_consent(member, kind, by=request.user, now=now)
                text = _("C’est noté : vous êtes d’accord.")
                if kind in OBJECTIONS:
                    text = _("C’est noté : nous ne vous demanderons plus votre avis.")
                messages.success(request, text)
            except Refused as refused:
                messages.info(request, str(refused.reasons[0].text))
        else:
            withdraw_consent(member, kind, by=request.user, now=now)
            text = _("C’est noté : vous n’êtes plus d’accord.")
            if kind in OBJECTIONS:
                text = _("C’est noté : nous pourrons vous demander votre avis.")
            messages.success(request, text)
        return redirect("portal:consents")
    return render(request, "portal/consents.html", {"lines": lines_of(member)})


@csrf_exempt  # A mailbox's own "unsubscribe" button posts without our page; the link is the key.
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def unsubscribe(request: HttpRequest, signed: str) -> HttpResponse:
    """From a letter, without signing in. A mail scanner that opens the link changes nothing."""
    try:
        member_id, kind = links.unsubscribed(signed)
    except signing.BadSignature:
        raise Http404 from None
    member = get_object_or_404(Member.objects.select_related("user", "place"), pk=member_id)
    is_done = request.method == "POST"
    if is_done:
        withdraw_consent(member, kind, by=member.user, now=timezone.now())
    context = {"label": ConsentKind(kind).label, "is_done": is_done}
    response = render(request, "portal/unsubscribe.html", context)
    response["Referrer-Policy"] = "no-referrer"
    return response
