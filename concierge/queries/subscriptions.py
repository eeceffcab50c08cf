"""Which subscriptions need a call: no letter of ours reaches the household, or none helped."""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from club.models import Member, Place
from concierge.enums import Renewal, SubscriptionStatus
from concierge.models import Subscription

NEAR = timedelta(days=30)
PATIENCE = timedelta(days=3)


def to_call(place: Place, today: date) -> QuerySet[Subscription]:
    """An end that is near or a payment that failed, where nobody has an e-mail.

    Who has one was written to; they are called when the money still has not come
    after three days.
    """
    written_to = Member.objects.filter(household=OuterRef("household")).exclude(user__email="")
    near = Q(
        status=SubscriptionStatus.ACTIVE,
        renewal=Renewal.BY_HAND,
        stops_at_end=False,
        paid_until__lte=today + NEAR,
    )
    failed = Q(status=SubscriptionStatus.LATE) | Q(
        status=SubscriptionStatus.ACTIVE, payment_failed_at__isnull=False
    )
    long_ago = Q(status=SubscriptionStatus.LATE, paid_until__lt=today - PATIENCE)
    return (
        Subscription.objects.filter(place=place)
        .filter(((near | failed) & ~Exists(written_to)) | long_ago)
        .select_related("plan", "member__user", "household")
        .prefetch_related("household__members__user")
        .order_by("paid_until", "pk")
    )
