"""Who works here: their sessions need more than a code or a link."""

from typing import Any

from club.models import Assignment


def is_team(user: Any) -> bool:
    """Whether somebody works here, in any role: they need the second factor."""
    if not user.is_authenticated:
        return False
    return user.is_superuser or user.is_staff or Assignment.objects.filter(user=user).exists()
