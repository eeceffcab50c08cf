"""A partner that brings bread or baskets is also a producer, the fact that orders know.

Name, telephone and whether it still delivers follow the partner at each save. It is told
through the people who act for the partner.
"""

from datetime import date
from typing import Any

from django.db import models

from club.kernel.spans import days_between
from club.models import Producer
from marketplace.domain.told import tell_partner
from marketplace.enums import PartnerStatus
from marketplace.models import Partner, PartnerClosure


def keep_in_step(partner: Partner) -> None:
    """Made with the first save that says it delivers; never deleted."""
    facts = {
        "name": partner.name,
        "phone": partner.phone[:20],
        "is_active": partner.delivers and partner.status == PartnerStatus.LIVE,
    }
    if partner.producer_id is not None:
        Producer.objects.filter(pk=partner.producer_id).exclude(**facts).update(**facts)
    elif partner.delivers:
        partner.producer = Producer.objects.create(landlord_id=partner.landlord_id, **facts)
        Partner.objects.filter(pk=partner.pk).update(producer=partner.producer)


def tell(producer: Producer, event: str, subject: models.Model, **said: Any) -> int:
    """None are told where the producer is no partner any more."""
    partner = Partner.objects.filter(producer=producer).select_related("landlord").first()
    return 0 if partner is None else tell_partner(partner, event, subject, **said)


def days_off(producer: Producer, first: date, last: date) -> set[date]:
    """Its closures; its weekly hours say when the shop is open, not when it delivers."""
    rows = PartnerClosure.objects.filter(
        partner__producer=producer, starts_on__lte=last, ends_on__gte=first
    )
    return {
        day
        for starts_on, ends_on in rows.values_list("starts_on", "ends_on")
        for day in days_between(max(starts_on, first), min(ends_on, last))
    }
