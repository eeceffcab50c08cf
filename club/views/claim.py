"""The printed letter: made at the desk, opened by the resident."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from club.access import StaffRequest, staff_required
from club.domain import members
from club.enums import Role
from club.forms import ClaimForm, add_refusal
from club.kernel import limits
from club.kernel.refusal import Refused
from club.models import Member

TRIES, TRIES_SECONDS = 10, 15 * 60
"""From one address of the network: a short code must not be found by trying."""


@never_cache
@sensitive_post_parameters()
def claim(request: HttpRequest) -> HttpResponse:
    """Code and surname sign the person in: no e-mail and no phone needed."""
    form = ClaimForm(request.POST or None, initial={"code": request.GET.get("code", "")[:20]})
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        address = get_adapter(request).get_client_ip(request)
        if limits.hit(f"claim:{address}", TRIES, TRIES_SECONDS, now).is_spent:
            form.add_error(None, str(get_adapter().error_messages["rate_limited"]))
            return render(request, "club/claim.html", {"form": form}, status=429)
        try:
            member = members.claim(**form.cleaned_data, now=now)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            if request.user.is_authenticated:
                logout(request)
            record_authentication(request, member.user, "letter")
            reached = member.user.email or member.user.phone
            target = reverse("portal:home" if reached else "club:contact")
            return perform_login(request, Login(user=member.user, redirect_url=target))
    return render(request, "club/claim.html", {"form": form})


@never_cache
@staff_required(Role.CONCIERGE, Role.OFFICER)
def letter(request: StaffRequest, pk: int) -> HttpResponse:
    """Make a letter with a new code (POST), shown once and meant to be printed."""
    member = get_object_or_404(
        Member.objects.select_related("user", "place"), pk=pk, place=request.place
    )
    if request.method != "POST":
        return render(request, "club/letter_ask.html", {"who": member})
    code = members.issue_claim(member, by=request.user, now=timezone.now())
    address = request.build_absolute_uri(reverse("claim"))
    context = {
        "who": member,
        "code": code,
        "address": address,
        "qr_address": f"{address}?{urlencode({'code': code})}",
        "until": member.claim_expires_at,
        "card": member.cards.filter(revoked_at=None).first(),
    }
    return render(request, "club/letter.html", context)
