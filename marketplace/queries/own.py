"""A partner's own screens: its offers of today, its people, the firms of one person."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from club.models import Member
from marketplace.models import EntryLink, Offer, Partner, PartnerPerson
from marketplace.queries.people import people_of


def own_offers(partner: Partner, today: date) -> QuerySet[Offer]:
    """All that still matter: those whose days are over are left out."""
    return (
        Offer.objects.filter(partner=partner)
        .exclude(live=True, ends_on__lt=today)
        .select_related("picture", "partner")
        .order_by("pk")
    )


def own_people(partner: Partner) -> QuerySet[PartnerPerson]:
    """Each with `is_known`: whether colleagues may read their name.

    Somebody is invited by an address alone. Where it is a resident's, or another firm's,
    the name of its account would be told to whoever typed it, so it waits until the
    person has come in by the link.
    """
    came_in = EntryLink.objects.filter(person=OuterRef("pk"), used_at__isnull=False)
    resident = Member.objects.filter(user=OuterRef("user"))
    elsewhere = PartnerPerson.objects.filter(user=OuterRef("user")).exclude(partner=partner)
    known = Q(Exists(came_in)) | ~Q(Exists(resident)) & ~Q(Exists(elsewhere))
    return people_of(partner).annotate(is_known=known)
