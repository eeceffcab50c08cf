"""Coming in by the link of a message, and the first page."""

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from club.kernel import limits
from club.kernel.refusal import Refused
from marketplace.access import PARTNER_KEY, PartnerRequest, partner_required
from marketplace.domain import people
from marketplace.enums import PartnerKind
from marketplace.models import EntryLink
from marketplace.queries.people import place_for

NEW_LINKS, NEW_LINKS_SECONDS = 3, 3600
"""Per old link: who presses again and again sends no flood to somebody's phone."""
FIRST_PAGES = {PartnerKind.ARTISAN: "pro:visits", PartnerKind.INTERMEDIARY: "pro:callbacks"}


def following(link: EntryLink) -> str:
    path = link.following
    safe = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if safe else reverse("pro:home")


def is_here(request: HttpRequest, link: EntryLink) -> bool:
    """This phone is signed in as that person already: the link only shows the way."""
    return request.user.is_authenticated and request.user.pk == link.person.user_id


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def entry(request: HttpRequest, signed: str) -> HttpResponse:
    """A page first: programs that look into messages open links, and press nothing."""
    link = people.link_of(signed)
    if link is None:
        return render(request, "marketplace/pro/link_over.html", status=404)
    request._place = place_for(link.person.partner)  # type: ignore[attr-defined]
    now = timezone.now()
    if is_here(request, link):
        request.session[PARTNER_KEY] = link.person.partner_id
        return redirect(following(link))
    context: dict[str, Any] = {"signed": signed, "partner": link.person.partner}
    if request.method == "POST" and people.is_also_member(link.person):
        # Their account is more than the shop: a link that was handed on must not open it.
        if request.user.is_authenticated:
            logout(request)
        return redirect_to_login(request.get_full_path(), reverse("account_login"))
    if request.method == "POST":
        try:
            person = people.enter(link, now=now)
        except Refused as refused:
            context["refused"] = refused
        else:
            if request.user.is_authenticated:
                logout(request)
            record_authentication(request, person.user, "link")
            response = perform_login(request, Login(user=person.user, redirect_url=following(link)))
            request.session[PARTNER_KEY] = person.partner_id
            return response
    if not people.lives(link, now):
        return render(request, "marketplace/pro/link_over.html", context, status=410)
    return render(request, "marketplace/pro/entry.html", context)


@require_POST
@never_cache
def another(request: HttpRequest, signed: str) -> HttpResponse:
    """A new link goes to the person's own address, whoever asks for it."""
    link = people.link_of(signed)
    now = timezone.now()
    if link is not None:
        allowance = limits.hit(f"partner-link:{link.pk}", NEW_LINKS, NEW_LINKS_SECONDS, now)
        if not allowance.is_spent and people.acts(link.person):
            people.send_link(link.person, now=now, following=link.following)
    return render(request, "marketplace/pro/link_sent.html")


@partner_required()
def home(request: PartnerRequest) -> HttpResponse:
    return redirect(FIRST_PAGES.get(PartnerKind(request.partner.kind), "pro:offers"))
