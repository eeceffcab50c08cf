"""What the concierge's subscriptions do when a person changes household."""

from datetime import datetime

from club.kernel import households
from club.kernel.households import Move
from club.models import Customer, User
from concierge.domain.subscriptions import stop
from concierge.enums import OPEN_SUBSCRIPTIONS, Renewal, SubscriptionStatus
from concierge.models import Subscription


def follow(move: Move, *, by: User, now: datetime) -> None:
    """One's own subscription goes along; a debit whose payer has left ends with its period."""
    running = Subscription.objects.filter(
        household=move.before, status__in=OPEN_SUBSCRIPTIONS
    ).order_by("pk")
    pays = Customer.objects.filter(household=move.before, payer=move.member).exists()
    debited = running.filter(renewal=Renewal.ONLINE, stops_at_end=False)
    to_stop = list(debited if pays else debited.filter(member=move.member))
    Subscription.objects.filter(household=move.before, member=move.member).update(
        household=move.after
    )
    if move.leaves_nobody:
        for subscription in running.filter(member=None):
            if subscription.status == SubscriptionStatus.PENDING:
                stop(subscription, by=by, now=now)
            else:
                take_along(subscription, move)
    for subscription in to_stop:
        stop(subscription, by=by, now=now)


def take_along(subscription: Subscription, move: Move) -> None:
    """The household's becomes the person's own, unless they have one of that sort already."""
    taken = Subscription.objects.filter(
        member=move.member, kind=subscription.kind, status__in=OPEN_SUBSCRIPTIONS
    )
    if not taken.exists():
        subscription.household, subscription.member = move.after, move.member
        subscription.save(update_fields=["household", "member"])


def register() -> None:
    households.register("concierge", follow)
