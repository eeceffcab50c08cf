"""What every page shows: the place, its open line, who is here."""

from typing import Any

from django.db.models import Case, Q, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from club.models import Member, Place
from club.queries.calendar import calendar_of


def member_of(request: HttpRequest) -> Member | None:
    """The signed-in member, read once a request."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    if not hasattr(request, "_member"):
        request._member = (  # type: ignore[attr-defined]
            Member.objects.select_related("user", "household", "place__landlord")
            .filter(user=user)
            .first()
        )
    return request._member  # type: ignore[attr-defined]


def place_of(request: HttpRequest) -> Place | None:
    """The member's own place, else the first public place of this host's landlord."""
    if not hasattr(request, "_place"):
        member = member_of(request)
        if member is not None:
            request._place = member.place  # type: ignore[attr-defined]
        else:
            places = Place.objects.select_related("landlord").filter(is_public=True)
            host = request.get_host().split(":")[0]
            own = Q(landlord__hostname=host)
            request._place = (  # type: ignore[attr-defined]
                places.filter(own | Q(landlord__hostname=""))
                .order_by(Case(When(own, then=0), default=1), "pk")
                .first()
            )
    return request._place  # type: ignore[attr-defined]


def site(request: HttpRequest) -> dict[str, Any]:
    """The context of every template. Nothing is read until a template asks for it."""

    def open_line() -> Any:
        place = place_of(request)
        return calendar_of(place).open_line(timezone.now()) if place else None

    def theme_url() -> str:
        place = place_of(request)
        return reverse("theme", args=[place.landlord_id, place.rules_stamp[:12]]) if place else ""

    return {
        "place": SimpleLazyObject(lambda: place_of(request)),
        "landlord": SimpleLazyObject(lambda: getattr(place_of(request), "landlord", None)),
        "open_line": SimpleLazyObject(open_line),
        "member": SimpleLazyObject(lambda: member_of(request)),
        "theme_url": SimpleLazyObject(theme_url),
    }
