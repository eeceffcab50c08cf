"""Mes colis: what waits with its code, readable without a network, and who collects for me."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from club.access import MemberRequest, member_required
from club.domain.household import adults_of
from club.forms import add_refusal
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from concierge.domain.parcels import MOST_PROXIES, name_proxy, remove_proxy
from concierge.models import Proxy
from concierge.queries.parcels import history_of, live_proxies, waiting_for
from portal.forms import ProxyForm

LATEST = 20
"""How many parcels of the past are listed; "my data" has them all."""


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def parcels(request: MemberRequest) -> HttpResponse:
    """The shelf as the member knows it; a press names somebody who collects."""
    member, now = request.member, timezone.now()
    form = ProxyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            proxy = name_proxy(member, **form.cleaned_data, by=request.user, now=now)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            said = _("%(name)s peut retirer vos colis.") % {"name": proxy}
            messages.success(request, said)
            return redirect("portal:parcels")
    proxies = list(live_proxies([member], local_day(now)))
    context = {
        "today": local_day(now),
        "waiting": list(waiting_for(member)),
        "history": list(history_of(member)[:LATEST]),
        "adults": [one for one in adults_of(member.household) if one.pk != member.pk],
        "proxies": proxies,
        "may_name": len(proxies) < MOST_PROXIES,
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "portal/parcels.html", context, status=status)


@never_cache
@member_required
@require_POST
def remove(request: MemberRequest, pk: int) -> HttpResponse:
    proxy = get_object_or_404(Proxy, pk=pk, member=request.member)
    remove_proxy(proxy, by=request.user, now=timezone.now())
    messages.success(request, _("%(name)s ne retire plus vos colis.") % {"name": proxy})
    return redirect("portal:parcels")


@require_safe
@cache_control(private=True, max_age=3600)
def worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps the codes; served here since it may answer for its folder only."""
    context = {"kept": "parcels-1"}
    return render(request, "portal/card_worker.js", context, content_type="text/javascript")
