"""The rules of a place for its events; a place that has none goes by the usual ones."""

from club.models import Place
from events.models import EventPolicy


def policy_for(place: Place) -> EventPolicy:
    try:
        return place.event_policy
    except EventPolicy.DoesNotExist:
        return EventPolicy(place=place)
