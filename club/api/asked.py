"""What calls of several rooms ask for alike: a place, and a period in days."""

from datetime import date

from django.utils.translation import gettext as _

from club.api.problems import ProblemRaised
from club.models import Member, Place

MOST_DAYS = 366


def place_named(slug: str | None, member: Member) -> Place:
    """The member's own place, or another public one of the same landlord."""
    if slug is None or slug == member.place.slug:
        return member.place
    place = (
        Place.objects.select_related("landlord")
        .filter(slug=slug, landlord_id=member.place.landlord_id, is_public=True)
        .first()
    )
    if place is None:
        raise ProblemRaised(422, "unknown_place", _("Ce point d’accueil est inconnu."), "place")
    return place


def period_asked(first: date | None, last: date | None) -> tuple[date, date] | None:
    """Both days of a period, in order and not too far apart; None where none is asked."""
    if first is None and last is None:
        return None
    first = first or last
    last = last or first
    assert first is not None and last is not None
    if last < first:
        raise ProblemRaised(422, "dates_in_disorder", _("La fin vient après le début."), "to")
    if (last - first).days >= MOST_DAYS:
        raise ProblemRaised(
            422, "too_many_days", _("Demandez %(days)d jours au plus.") % {"days": MOST_DAYS}, "to"
        )
    return first, last
