"""The membership card: what it tells to anybody, and its printing."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any

from django.conf import settings
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
from club.guesses import address_of, count_miss, is_shut
from club.kernel import limits
from club.kernel.homes import home_of
from club.models import Card, Member
from club.queries.members import good_card

CHECKS, CHECKS_SECONDS = 60, 5 * 60
"""From one address of the network, by QR or by digits: a busy counter does no more."""


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


def told(on: date, **card: str) -> tuple[str, date] | None:
    """First name and last day of a card that is good on a day; nothing of any other."""
    found = good_card(on, **card)
    return (found[0].first_name, found[1]) if found else None


@require_safe
@for_anybody
def card(request: HttpRequest, token: str) -> HttpResponse:
    """Valid or not, first name and last day; nothing else. Not valid looks always the same.

    Who stands at a till is shown the way to it: there a use is counted.
    """
    found = told(timezone.localdate(), token=token)
    home = home_of(request.user) if request.user.is_authenticated else None
    context = {
        "is_answered": True,
        "found": found,
        "form": CardNumberForm(),
        "till_url": home.till(token) if home else "",
    }
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
