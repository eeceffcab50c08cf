"""A partner as search engines read it: schema.org in JSON-LD."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe

from marketplace.models import Partner

SCHEMA = "https://schema.org"
UNSAFE = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def as_script(data: dict[str, Any]) -> SafeString:
    """JSON for a data block, which no browser runs; nothing in it can end the block."""
    return mark_safe(json.dumps(data, ensure_ascii=False).translate(UNSAFE))  # noqa: S308


def of_partner(partner: Partner, request: HttpRequest, what: str, image: str) -> dict[str, Any]:
    """Facts that the page itself shows, and no others."""
    told: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "LocalBusiness",
        "name": partner.name,
        "description": partner.description or what,
        "url": request.build_absolute_uri(partner.get_absolute_url()),
    }
    if partner.address or partner.city:
        told["address"] = {
            "@type": "PostalAddress",
            "streetAddress": partner.address,
            "postalCode": partner.postcode,
            "addressLocality": partner.city,
            "addressCountry": "FR",
        }
    if partner.phone:
        told["telephone"] = partner.phone
    if image:
        told["image"] = image
    hours = [
        {
            "@type": "OpeningHoursSpecification",
            "dayOfWeek": f"{SCHEMA}/{DAYS[row.weekday]}",
            "opens": f"{row.opens:%H:%M}",
            "closes": f"{row.closes:%H:%M}",
        }
        for row in partner.hours.all()
    ]
    if hours:
        told["openingHoursSpecification"] = hours
    return told
