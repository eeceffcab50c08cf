"""What the page of an insurance intermediary tells besides: facts that it publishes itself.

No price for anybody in particular, nothing to sign, nothing that the club would earn.
"""

from typing import Any

from django.http import HttpRequest

from club.kernel import words
from marketplace.models import Partner
from marketplace.queries.people import people_of


def told(partner: Partner, request: HttpRequest) -> dict[str, Any]:
    """The table only with the day on which the intermediary published it."""
    prices = list(partner.prices.all()) if partner.prices_on else []
    meetings = partner.meetings
    return {
        "prices": [(one.rooms, words.money(one.yearly_cents)) for one in prices],
        "prices_day": words.date_of(partner.prices_on) if partner.prices_on else "",
        "meetings": meetings if meetings and meetings.live else None,
        "meetings_url": meetings.get_url(request) if meetings and meetings.live else "",
        "calls_back": people_of(partner).exists(),
    }
