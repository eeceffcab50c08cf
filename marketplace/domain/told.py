"""One way of telling a partner: each person who acts for it, with a link that lets them in."""

from datetime import datetime
from typing import Any

from django.db import models

from club.domain.messages import channel_of, tell_user
from marketplace.domain.people import make_link
from marketplace.models import Partner
from marketplace.queries.people import people_of, place_for


def tell_partner(
    partner: Partner,
    event: str,
    subject: models.Model,
    *,
    key: str,
    now: datetime,
    due_at: datetime | None = None,
    following: str = "",
    facts: dict[str, Any] | None = None,
) -> int:
    """How many are reached; none where nobody acts for it yet, or has an address that
    messages reach (staff call then).

    `following` is the path that the message's button leads to.
    """
    place = place_for(partner)
    people = list(people_of(partner)) if place else []
    for person in people:
        link = make_link(person, now=max(now, due_at or now), following=following)
        tell_user(
            person.user,
            place,  # type: ignore[arg-type]
            event,
            subject,
            key=f"{key}:{person.pk}",
            now=now,
            due_at=due_at,
            facts={"link": link.pk} | (facts or {}),
        )
    return sum(channel_of(one.user.email, one.user.phone) is not None for one in people)
