"""The membership card: what its QR tells, and its printing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from club.access import StaffRequest, staff_required
from club.enums import Role
from club.models import Card
from club.queries.members import valid_until


@never_cache
def card(request: HttpRequest, token: str) -> HttpResponse:
    """Valid or not, first name and last day; nothing else, to anybody."""
    held = (
        Card.objects.select_related("member__user", "member__household")
        .filter(token=token, revoked_at=None, member__user__is_active=True)
        .first()
    )
    until = valid_until(held.member, timezone.localdate()) if held else None
    context = {"first_name": held.member.first_name if held and until else "", "until": until}
    response = render(request, "club/card.html", context, status=200 if held else 404)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@never_cache
@staff_required(Role.CONCIERGE, Role.OFFICER)
def print_card(request: StaffRequest, pk: int) -> HttpResponse:
    """A member's live card, in the size of a bank card."""
    held = get_object_or_404(
        Card.objects.select_related("member__user", "member__place"),
        member__pk=pk,
        revoked_at=None,
        member__place=request.place,
    )
    address = request.build_absolute_uri(reverse("card", args=[held.token]))
    return render(request, "club/card_print.html", {"card": held, "address": address})
