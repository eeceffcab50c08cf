"""Mes accès: tokens for the API, each shown once."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from club.access import MemberRequest, member_required
from club.domain.tokens import create_token, revoke_token
from club.forms import add_refusal
from club.kernel.refusal import Refused
from club.models import ApiToken
from portal.forms import TokenForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def tokens(request: MemberRequest) -> HttpResponse:
    """The list and the form; a new token is told on the answer itself and never again."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    plain = ""
    if form.is_bound and form.is_valid():
        try:
            _token, plain = create_token(
                request.user,
                form.cleaned_data["name"],
                form.cleaned_data["scope"],
                timezone.now(),
            )
            form = TokenForm()
        except Refused as refused:
            add_refusal(form, refused)
    context = {
        "form": form,
        "plain": plain,
        "tokens": ApiToken.objects.filter(user=request.user.pk, revoked_at=None).order_by("-pk"),
    }
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "portal/tokens.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def revoke(request: MemberRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken, pk=pk, user=request.user.pk)
    if request.method != "POST":
        return render(request, "portal/token_revoke.html", {"token": token})
    try:
        revoke_token(token, timezone.now(), request.user)
        messages.success(request, _("L’accès est annulé."))
    except Refused as refused:
        for reason in refused.reasons:
            messages.info(request, str(reason.text))
    return redirect("portal:tokens")
