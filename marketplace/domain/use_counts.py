"""Uses that are too old become numbers of a month: nobody is in them, and sums stay.

Each night, one transaction for an offer's month: killed halfway, the night after goes on.
"""

from calendar import monthrange
from datetime import date, datetime

from django.db.models import Count, Min, Sum

from club.kernel.personal import scans_end
from club.kernel.spans import end_of, local_day, start_of
from club.kernel.transactions import hold, in_one_transaction
from marketplace.models import Offer, OfferUse, OfferUseCount


def fold_old_uses(now: datetime) -> None:
    end = scans_end(now)
    old = OfferUse.objects.filter(used_at__lt=end)
    for offer in Offer.objects.filter(pk__in=old.values("offer")).order_by("pk"):
        while (month := first_month(offer, end)) is not None:
            fold(offer, month, end)


def first_month(offer: Offer, end: datetime) -> date | None:
    old = OfferUse.objects.filter(offer=offer, used_at__lt=end)
    first: datetime | None = old.aggregate(first=Min("used_at"))["first"]
    return local_day(first).replace(day=1) if first else None


@in_one_transaction
def fold(offer: Offer, month: date, end: datetime) -> None:
    """The month's uses that are too old, added to what was folded of it before."""
    hold(offer)
    old = OfferUse.objects.filter(
        offer=offer, used_at__gte=start_of(month), used_at__lt=min(end, end_of(last_of(month)))
    )
    sums = old.order_by().values_list("residence").annotate(Count("pk"), Sum("saving_cents"))
    for residence, uses, cents in sums:
        known = OfferUseCount.objects.filter(offer=offer, month=month, residence=residence)
        told = known.first() or OfferUseCount(
            offer=offer, month=month, residence_id=residence, uses=0, saving_cents=0
        )
        told.uses += uses
        told.saving_cents += cents
        told.save()
    old.delete()


def last_of(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])
