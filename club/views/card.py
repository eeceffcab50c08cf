"""The membership card: what it tells to anybody, and its printing."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from ipaddress import ip_address, ip_network
from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club.access import StaffRequest, staff_required
from club.domain.cards import replace_card
from club.enums import Role
from club.forms import CardNumberForm
from club.kernel import limits
from club.models import Card, Member
from club.queries.members import valid_until

CHECKS, CHECKS_SECONDS = 60, 5 * 60
"""From one address of the network, by QR or by digits: a busy counter does no more."""
MISSES, MISSES_SECONDS = 8, 15 * 60
MISSES_OF_ALL, ALL_SECONDS = 300, 3600
"""Digits can be guessed, a QR cannot: after so many wrong ones the QR alone is answered."""


def for_anybody(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Found by no search engine, kept by no cache, not asked without end."""

    @wraps(view)
    @never_cache
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        key = f"card:{address_of(request)}"
        if limits.hit(key, CHECKS, CHECKS_SECONDS, timezone.now()).is_spent:
            response = render(request, "429.html", status=429)
        else:
            response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return wrapped


def address_of(request: HttpRequest) -> str:
    """Who asks; of an IPv6 address the network, since a home has billions of them."""
    address = ip_address(get_adapter(request).get_client_ip(request))
    return str(ip_network(f"{address}/64", strict=False) if address.version == 6 else address)


def told(on: date, **card: str) -> tuple[str, date] | None:
    """First name and last day of a card that is good on a day; nothing of any other."""
    held = (
        Card.objects.select_related("member__user", "member__household")
        .filter(**card, revoked_at=None, member__user__is_active=True)
        .first()
    )
    until = valid_until(held.member, on) if held else None
    return (held.member.first_name, until) if held and until else None


@require_safe
@for_anybody
def card(request: HttpRequest, token: str) -> HttpResponse:
    """Valid or not, first name and last day; nothing else. Not valid looks always the same."""
    found = told(timezone.localdate(), token=token)
    context = {"is_answered": True, "found": found, "form": CardNumberForm()}
    return render(request, "club/card.html", context, status=200 if found else 404)


@require_http_methods(["GET", "HEAD", "POST"])
@for_anybody
def check(request: HttpRequest) -> HttpResponse:
    """The six digits, for who has no camera: the same answer as the QR."""
    form = CardNumberForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form}
    if not form.is_bound:
        return render(request, "club/card.html", context)
    if is_shut(request):
        return render(request, "429.html", status=429)
    if not form.is_valid():
        return render(request, "club/card.html", context, status=422)
    now = timezone.now()
    found = told(timezone.localdate(now), number=form.cleaned_data["number"])
    if found is None:
        count_miss(request, now)
    context |= {"is_answered": True, "found": found, "form": CardNumberForm()}
    return render(request, "club/card.html", context)


def shutters(request: HttpRequest) -> dict[str, tuple[int, int]]:
    """By key, how many wrong digits in how many seconds: from one address, from all."""
    return {
        f"card-miss:{address_of(request)}": (MISSES, MISSES_SECONDS),
        "card-miss": (MISSES_OF_ALL, ALL_SECONDS),
    }


def is_shut(request: HttpRequest) -> bool:
    return bool(cache.get_many(shutters(request)))


def count_miss(request: HttpRequest, now: datetime) -> None:
    for key, (most, seconds) in shutters(request).items():
        allowance = limits.hit(key, most, seconds, now)
        if not allowance.remaining:
            cache.set(key, True, allowance.resets_in)


FORMATS = ("a6", "carte")


def printed(request: HttpRequest, held: Card, *, back: str, **context: Any) -> HttpResponse:
    """A card on paper: a sheet to read from afar, or the size of a bank card."""
    wanted = request.GET.get("format")
    context |= {
        "card": held,
        "address": settings.BASE_URL + reverse("card", args=[held.token]),
        "format": wanted if wanted in FORMATS else FORMATS[0],
        "back": back,
    }
    return render(request, "club/card_print.html", context)


@never_cache
@staff_required(Role.CONCIERGE, Role.OFFICER)
def print_card(request: StaffRequest, pk: int) -> HttpResponse:
    held = get_object_or_404(
        Card.objects.select_related("member__user", "member__place"),
        member__pk=pk,
        revoked_at=None,
        member__place=request.place,
    )
    return printed(request, held, back=f"{reverse('desk:home')}?membre={pk}", is_desk=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_required(Role.CONCIERGE, Role.OFFICER)
def lost(request: StaffRequest, pk: int) -> HttpResponse:
    """A card lost by somebody of this place: the new one is printed at once."""
    member = get_object_or_404(
        Member.objects.select_related("user", "place"),
        pk=pk,
        place=request.place,
        user__is_active=True,
    )
    held = member.cards.filter(revoked_at=None).first()
    if request.method != "POST":
        return render(request, "club/card_lost.html", {"who": member, "held": held})
    number = request.POST.get("card", "")
    replace_card(member, by=request.user, now=timezone.now(), lost=number)
    return redirect("club:card-print", pk)
