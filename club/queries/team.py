"""Who works here: their sessions need more than a code or a link."""

from typing import Any

from club.models import Assignment


def holders(role: str, **where: Any) -> list[Assignment]:
    """Who works in a role, each person once, with the place in whose name they are told."""
    rows = Assignment.objects.filter(role=role, user__is_active=True, **where)
    found = rows.select_related("user", "place__landlord").order_by("-pk")
    return list({one.user_id: one for one in found}.values())


def is_team(user: Any) -> bool:
    """Whether somebody works here, in any role: they need the second factor."""
    if not user.is_authenticated:
        return False
    return user.is_superuser or user.is_staff or Assignment.objects.filter(user=user).exists()
