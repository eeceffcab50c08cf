"""Who may see which registrations, and the lists that screens are made of."""

from typing import Any

from django.db.models import Q, QuerySet

from club.enums import Role
from club.models import User
from events.models import Registration

WITH_NAMES = ("session__event__picture", "session__place", "place", "member__user")


def visible_to(user: Any) -> QuerySet[Registration]:
    """A member's own; all those of a place for its concierges and officers."""
    if not isinstance(user, User) or not user.is_active:
        return Registration.objects.none()
    staffed = user.assignments.filter(role__in=[Role.CONCIERGE, Role.OFFICER]).values("place")
    return Registration.objects.filter(Q(member__user=user) | Q(place__in=staffed)).select_related(
        *WITH_NAMES
    )
