"""Menus, banner and windows for every template; nothing is read until one asks."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from cms.furnishing import Alert, Entry, frame_of, tiles_of


def shown(entries: list[Entry], request: HttpRequest) -> list[dict[str, Any]]:
    """The entries, the one of the current page (or of what lies below it) marked."""
    return [
        {
            "label": entry.label,
            "url": entry.url,
            "is_current": entry.url != "/" and request.path.startswith(entry.url),
        }
        for entry in entries
    ]


def alert(request: HttpRequest) -> Alert | None:
    banner = frame_of(request).alert
    return banner if banner is not None and banner.is_shown(timezone.now()) else None


def site(request: HttpRequest) -> dict[str, Any]:
    return {
        "menu": SimpleLazyObject(lambda: shown(frame_of(request).menu, request)),
        "footer_menu": SimpleLazyObject(lambda: shown(frame_of(request).footer_menu, request)),
        "alert": SimpleLazyObject(lambda: alert(request)),
        "tiles": SimpleLazyObject(lambda: tiles_of(request)),
    }
