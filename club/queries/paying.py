"""Whether and how money may be taken at a place."""

from django.conf import settings

from club.enums import Collector
from club.models import Place


def pays_online(place: Place) -> bool:
    """The provider's keys are there, and who collects is allowed to take money on line."""
    return bool(settings.STRIPE_SECRET_KEY) and place.collector != Collector.PUBLIC
