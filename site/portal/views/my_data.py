"""Mes données: all of it in a file, and the way out."""

from django import forms
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from club.access import MemberRequest, member_required
from club.domain.erasure import erase_member, obstacles
from club.domain.export import note_export
from club.forms import ErasureForm, add_refusal
from club.kernel import limits
from club.kernel.refusal import Refused
from portal.archive import archive_of

FILES, FILES_SECONDS = 5, 3600


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def export(request: MemberRequest) -> HttpResponse:
    """Made at once, on request; nothing is kept of it."""
    if request.method != "POST":
        return render(request, "portal/export.html")
    now = timezone.now()
    if limits.hit(f"export:{request.member.pk}", FILES, FILES_SECONDS, now).is_spent:
        return render(request, "429.html", status=429)
    note_export(request.member, by=request.user, now=now)
    response = HttpResponse(archive_of(request.member, now), content_type="application/zip")
    name = f"mes-donnees-{timezone.localdate(now)}.zip"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def erase(request: MemberRequest) -> HttpResponse:
    """What goes and what stays; then a word to type, since nothing brings it back."""
    now = timezone.now()
    form: forms.Form = ErasureForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            erase_member(request.member, by=request.user, now=now)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return goodbye(request)
    context = {"form": form, "reasons": obstacles(request.member, now)}
    return render(request, "portal/erase.html", context, status=422 if form.is_bound else 200)


def goodbye(request: HttpRequest) -> HttpResponse:
    logout(request)
    for name in ("_member", "_place"):
        if hasattr(request, name):
            delattr(request, name)
    response = render(request, "portal/erased.html", {"title": _("Votre compte est effacé")})
    # The telephone keeps the card for when there is no network: it forgets it too.
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
