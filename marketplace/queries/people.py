"""Who acts for which partner today, and in whose name partners are written to."""

from django.db.models import Exists, OuterRef, QuerySet

from club.models import Assignment, Place, User
from marketplace.enums import PartnerStatus
from marketplace.models import Partner, PartnerPerson


def acting(user: User) -> QuerySet[PartnerPerson]:
    """The partners somebody acts for: not those they left, nor those whose time is over.

    Staff act for none: what they may do asks for a password and a second factor.
    """
    works_here = Exists(Assignment.objects.filter(user=OuterRef("user")))
    return (
        PartnerPerson.objects.filter(
            ~works_here,
            user=user,
            left_at=None,
            user__is_active=True,
            user__is_staff=False,
            user__is_superuser=False,
        )
        .exclude(partner__status=PartnerStatus.ENDED)
        .select_related("partner__landlord", "user")
        .order_by("pk")
    )


def people_of(partner: Partner) -> QuerySet[PartnerPerson]:
    return (
        PartnerPerson.objects.filter(partner=partner, left_at=None, user__is_active=True)
        .select_related("user", "partner")
        .order_by("pk")
    )


def place_for(partner: Partner) -> Place | None:
    """Whose name and phone a partner sees: the first place it serves, or the landlord's."""
    served = partner.places.order_by("pk").first()
    if served is not None:
        return served
    places = Place.objects.filter(landlord=partner.landlord_id).select_related("landlord")
    return places.order_by("-is_public", "pk").first()
