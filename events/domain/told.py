"""One way of telling a member about their registration."""

from datetime import datetime
from typing import Any

from club.domain.messages import tell, tell_change
from events.models import Registration


def told(
    registration: Registration,
    event: str,
    *,
    now: datetime,
    settles: bool = False,
    facts: dict[str, Any] | None = None,
) -> None:
    """`sequence` grows with each change, so that each is told once.

    `settles` waits some minutes, and takes the place of what waits about it.
    """
    way = tell_change if settles else tell
    way(
        registration.member,
        event,
        registration,
        key=f"{event}:{registration.reference}:{registration.sequence}",
        now=now,
        facts=facts,
    )
