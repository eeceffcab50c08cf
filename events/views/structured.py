"""An event as search engines and shared links read it: schema.org in JSON-LD."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from events.enums import Entry, SessionStatus
from events.models import EventPage, Session

SCHEMA = "https://schema.org"
UNSAFE = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
SESSIONS_TOLD = 10


def as_script(data: dict[str, Any]) -> SafeString:
    """JSON for a data block, which no browser runs; nothing in it can end the block."""
    return mark_safe(json.dumps(data, ensure_ascii=False).translate(UNSAFE))  # noqa: S308


def where(session: Session) -> dict[str, Any]:
    place = session.place
    address: Any = session.address or {
        "@type": "PostalAddress",
        "streetAddress": place.address,
        "postalCode": place.postcode,
        "addressLocality": place.city,
        "addressCountry": "FR",
    }
    name = session.room or (session.address or place.name)
    return {"@type": "Place", "name": name, "address": address}


def offer(session: Session, address: str) -> dict[str, Any]:
    left = "SoldOut" if session.is_full else "InStock"
    told = {
        "@type": "Offer",
        "price": f"{session.price_cents // 100}.{session.price_cents % 100:02d}",
        "priceCurrency": "EUR",
        "availability": f"{SCHEMA}/{left}",
        "url": address,
    }
    if session.opens_at is not None:
        told["validFrom"] = timezone.localtime(session.opens_at).isoformat()
    return told


def one(session: Session, request: HttpRequest) -> dict[str, Any]:
    """One date, with all that a reader of this entry alone must know."""
    event = session.event
    cancelled = session.status == SessionStatus.CANCELLED
    address = request.build_absolute_uri(session.get_absolute_url())
    told: dict[str, Any] = {
        "@type": "Event",
        "name": event.title,
        "startDate": timezone.localtime(session.starts_at).isoformat(),
        "endDate": timezone.localtime(session.ends_at).isoformat(),
        "eventStatus": f"{SCHEMA}/{'EventCancelled' if cancelled else 'EventScheduled'}",
        "eventAttendanceMode": f"{SCHEMA}/OfflineEventAttendanceMode",
        "location": where(session),
        "url": address,
    }
    if event.entry == Entry.LISTED:
        told["offers"] = offer(session, address)
        told["isAccessibleForFree"] = not session.price_cents
    elif event.entry == Entry.FREE:
        told["isAccessibleForFree"] = True
    return told


def of_event(
    event: EventPage, sessions: list[Session], request: HttpRequest, image: str
) -> dict[str, Any]:
    """The event; with several dates a series of them."""
    told: dict[str, Any] = {"@context": SCHEMA}
    if len(sessions) == 1:
        told |= one(sessions[0], request)
    else:
        told |= {"@type": "EventSeries", "name": event.title}
    told["url"] = request.build_absolute_uri(event.get_url(request))
    if event.lead:
        told["description"] = event.lead
    if image:
        told["image"] = image
    if event.organiser:
        told["organizer"] = {"@type": "Organization", "name": event.organiser}
    if event.age_min is not None or event.age_max is not None:
        low = event.age_min if event.age_min is not None else 0
        told["typicalAgeRange"] = f"{low}-{event.age_max}" if event.age_max else f"{low}-"
    if len(sessions) > 1:
        told["startDate"] = timezone.localtime(sessions[0].starts_at).isoformat()
        told["location"] = where(sessions[0])
        told["subEvent"] = [one(session, request) for session in sessions[:SESSIONS_TOLD]]
    return told
