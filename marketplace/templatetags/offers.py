from django import template

from marketplace.models import Offer
from marketplace.queries.offers import Standing, with_standings

register = template.Library()


@register.simple_tag
def standing_of(offer: Offer) -> Standing:
    """How an offer stands; asked of the tables where `with_standings` did not do it for all."""
    found: Standing | None = getattr(offer, "standing", None)
    return found or with_standings([offer])[0].standing
