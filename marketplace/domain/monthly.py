"""Once a month each partner is told how many came; numbers alone, and none where nobody did."""

from datetime import date, datetime

from dateutil.relativedelta import relativedelta
from django.urls import reverse

from club.kernel.spans import local_day, start_of
from club.kernel.transactions import hold, in_one_transaction
from club.models import Message
from marketplace.domain.told import tell_partner
from marketplace.models import OfferUse, Partner

EVENT = "partner.month"
TELLING_DAYS = 7
"""A worker that was down on the first tells it a day later, and not weeks later."""


def month_told(today: date) -> date:
    """The first day of the month that is over."""
    return today.replace(day=1) - relativedelta(months=1)


def tell_last_month(now: datetime) -> None:
    today = local_day(now)
    if today.day > TELLING_DAYS:
        return
    month = month_told(today)
    used = OfferUse.objects.filter(
        used_at__gte=start_of(month), used_at__lt=start_of(today.replace(day=1))
    )
    for partner in Partner.objects.filter(pk__in=used.values("offer__partner")).order_by("pk"):
        tell(partner, month, now=now)


@in_one_transaction
def tell(partner: Partner, month: date, *, now: datetime) -> None:
    hold(partner)
    key = f"{EVENT}:{partner.pk}:{month:%Y-%m}"
    if Message.objects.filter(key__startswith=f"{key}:").exists():
        return
    tell_partner(
        partner,
        EVENT,
        partner,
        key=key,
        now=now,
        following=reverse("pro:figures"),
        facts={"month": month.isoformat()},
    )
