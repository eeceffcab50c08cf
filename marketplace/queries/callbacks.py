"""Who waits to be called back, as each side may read it."""

from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from club.models import Landlord, Member
from marketplace.enums import PartnerKind
from marketplace.models import CallbackRequest, Partner
from marketplace.queries.people import people_of
from marketplace.queries.shown import partners_shown

STAYS = timedelta(days=1)
"""How long somebody who was called stays in the list: the button is pressed too soon."""


def takes_callbacks(partner: Partner, landlord: Landlord, on: date) -> bool:
    """An intermediary of that landlord, shown that day, for whom somebody acts."""
    shown = partners_shown(landlord, on, [PartnerKind.INTERMEDIARY])
    return shown.filter(pk=partner.pk).exists() and people_of(partner).exists()


def open_of(member: Member, partner: Partner) -> CallbackRequest | None:
    return CallbackRequest.objects.filter(
        member=member, partner=partner, called_at=None, withdrawn_at=None
    ).first()


def asked_of(partner: Partner, now: datetime) -> QuerySet[CallbackRequest]:
    """Who waits, the longest first; then who was called since yesterday. Nobody who took
    it back."""
    return (
        CallbackRequest.objects.filter(
            Q(called_at=None) | Q(called_at__gt=now - STAYS), partner=partner, withdrawn_at=None
        )
        .select_related("member__user")
        .order_by("asked_at", "pk")
    )
