"""Pages that nobody has confirmed for six months: who is asked, since when, how often."""

from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.db.models import Q, QuerySet

from club.kernel.spans import end_of, local_day
from marketplace.enums import PartnerStatus
from marketplace.models import Partner

MONTHS = 6
AGAIN_AFTER_DAYS = 30
MOST_AGAIN = 3
SHORT_MONTH = timedelta(days=3)
"""31 August and six months is 28 February, whose six months before are 28 August."""


@dataclass(frozen=True)
class Asking:
    """The half-year's end on which it was due, and how many times it was asked since."""

    due_on: date
    again: int


def last_said(partner: Partner) -> date:
    return partner.confirmed_on or local_day(partner.live_at or partner.created_at)


def asking(partner: Partner, today: date) -> Asking | None:
    """None while the last half-year is not over, or where residents see no page."""
    if partner.status != PartnerStatus.LIVE:
        return None
    since = last_said(partner)
    halves = 0
    while since + relativedelta(months=MONTHS * (halves + 1)) <= today:
        halves += 1
    if not halves:
        return None
    due_on = since + relativedelta(months=MONTHS * halves)
    return Asking(due_on, min((today - due_on).days // AGAIN_AFTER_DAYS, MOST_AGAIN))


def unconfirmed(today: date) -> QuerySet[Partner]:
    """Those that `asking` may be true of; it decides."""
    before = today - relativedelta(months=MONTHS) + SHORT_MONTH
    instant = end_of(before)
    never = Q(live_at__lt=instant) | Q(live_at=None, created_at__lt=instant)
    return (
        Partner.objects.filter(status=PartnerStatus.LIVE)
        .filter(Q(confirmed_on__lte=before) | Q(confirmed_on=None) & never)
        .select_related("landlord")
        .order_by("pk")
    )
