"""Mon foyer: who is in it, inviting another adult, joining another, leaving."""

from urllib.parse import quote

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from club.access import MemberRequest, member_required
from club.domain.household import (
    adults_of,
    invite,
    inviter_of,
    join_household,
    leave_household,
    why_not_join,
)
from club.forms import InvitationForm
from club.kernel import limits
from club.kernel.refusal import Refused

TRIES, TRIES_SECONDS = 20, 15 * 60
"""From one address of the network: a code must not be found by trying."""


def is_trying_too_often(request: HttpRequest) -> bool:
    address = get_adapter(request).get_client_ip(request)
    return limits.hit(f"invitation:{address}", TRIES, TRIES_SECONDS, timezone.now()).is_spent


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def household(request: MemberRequest) -> HttpResponse:
    """The list; a press makes an invitation, which the answer shows."""
    context: dict[str, object] = {}
    status = 200
    if request.method == "POST":
        try:
            code = invite(request.member, by=request.user, now=timezone.now())
        except Refused as refused:
            context["reasons"] = [str(reason.text) for reason in refused.reasons]
            status = 422
        else:
            context |= invitation(request, code)
    adults = adults_of(request.member.household)
    context |= {"adults": adults, "others": [one for one in adults if one != request.member]}
    return render(request, "portal/household.html", context, status=status)


def invitation(request: MemberRequest, code: str) -> dict[str, str]:
    """The code, and the ways to pass it on: the site is told no address of anybody."""
    link = settings.BASE_URL + reverse("portal:household-join", args=[code])
    words = _("%(name)s vous invite dans son foyer : %(link)s") % {
        "name": request.member.first_name,
        "link": link,
    }
    subject = _("Rejoindre mon foyer")
    return {
        "code": code,
        "link": link,
        "sms": f"sms:?&body={quote(words)}",
        "mailto": f"mailto:?subject={quote(subject)}&body={quote(words)}",
    }


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def leave(request: MemberRequest) -> HttpResponse:
    others = adults_of(request.member.household).exclude(pk=request.member.pk)
    if request.method != "POST":
        if not others:
            return redirect("portal:household")
        return render(request, "portal/household_leave.html", {"others": others})
    try:
        leave_household(request.member, by=request.user, now=timezone.now())
    except Refused as refused:
        for reason in refused.reasons:
            messages.info(request, str(reason.text))
    else:
        messages.success(request, _("C’est fait. Vous avez votre propre foyer."))
    return redirect("portal:household")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def type_code(request: MemberRequest) -> HttpResponse:
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        code = form.cleaned_data["code"]
        if is_trying_too_often(request):
            form.add_error("code", _("Trop d’essais. Attendez quelques minutes."))
        elif reason := why_not_join(request.member, inviter_of(code, timezone.now())):
            form.add_error("code", str(reason.text))
        else:
            return redirect("portal:household-join", code)
    status = 422 if form.is_bound else 200
    return render(request, "portal/household_code.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Behind the link: whom one would join, and what that changes. Asked before signing in."""
    if is_trying_too_often(request):
        return render(request, "429.html", status=429)
    if inviter_of(code, timezone.now()) is None:
        return render(request, "portal/invitation_unknown.html", status=404)
    return join_signed_in(request, code)


@member_required
def join_signed_in(request: MemberRequest, code: str) -> HttpResponse:
    now = timezone.now()
    inviter = inviter_of(code, now)
    reason = why_not_join(request.member, inviter)
    if request.method == "POST":
        try:
            join_household(request.member, code, by=request.user, now=now)
        except Refused as refused:
            reason = refused.reasons[0]
        else:
            messages.success(request, _("Bienvenue dans ce foyer."))
            return redirect("portal:household")
    others = adults_of(request.member.household).exclude(pk=request.member.pk)
    context = {"inviter": inviter, "reason": reason, "others": others, "code": code}
    status = 422 if reason else 200
    return render(request, "portal/household_join.html", context, status=status)
