"""Bookings as lines of a list, whatever their kind."""

from datetime import datetime
from typing import Any

from django.db.models import prefetch_related_objects
from django.urls import reverse

from club.kernel.bookings import Booking, Kind
from portal.screens import SCREENS


def lines_of(pairs: list[tuple[Kind, Booking]], now: datetime) -> list[dict[str, Any]]:
    """One line a booking; the photos of all come in one statement."""
    lines = []
    for kind, booking in pairs:
        line = kind.card(booking, now)
        screen = SCREENS.get(kind.name)
        line["url"] = reverse("portal:booking", args=[booking.reference])
        line["number"] = booking.reference
        line["acts"] = screen.acts(booking, now) if screen else set()
        line["says"] = screen.says(booking) if screen else None
        lines.append(line)
    prefetch_related_objects([line["photo"] for line in lines if line["photo"]], "renditions")
    return lines


def urgency(line: dict[str, Any], now_on: Any) -> tuple[float, Any]:
    """Late, then what asks for an answer, then due or to fetch today, then set aside, then
    the next day that counts."""
    rank: float
    if line["chip"]["kind"] == "late":
        rank = 0
    elif line.get("asks"):
        rank = 0.75
    elif line["date"] <= now_on:
        rank = 1
    elif line["chip"]["kind"] == "aside":
        rank = 2
    else:
        rank = 3
    return rank, line["date"]
