"""What the concierge holds of a person, and what goes along when they change household."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.domain.household import adults_of
from club.kernel import households, personal
from club.kernel.households import Move
from club.kernel.personal import Held, Room, Traces
from club.kernel.refusal import Reason
from club.kernel.transitions import move as move_status
from club.models import Customer, Member, User
from concierge.domain.lending import cancel_loan
from concierge.domain.subscriptions import locked, stop
from concierge.enums import (
    BEFORE_HANDOVER,
    OPEN_SUBSCRIPTIONS,
    LoanStatus,
    Renewal,
    SubscriptionStatus,
)
from concierge.models import Loan, PlanListing, Subscription, SubscriptionPeriod

# -- Changing household --------------------------------------------------------------------


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


# -- My data, and erasing ------------------------------------------------------------------


def loans_of(member: Member) -> QuerySet[Loan]:
    return Loan.objects.filter(member=member)


def own_subscriptions(member: Member) -> QuerySet[Subscription]:
    shared = Q(member=None, household=member.household_id)
    return Subscription.objects.filter(Q(member=member) | shared)


def periods_of(member: Member) -> QuerySet[SubscriptionPeriod]:
    return SubscriptionPeriod.objects.filter(subscription__in=own_subscriptions(member))


def listings_of(member: Member) -> QuerySet[PlanListing]:
    return PlanListing.objects.filter(member=member)


def still_out(member: Member, now: datetime) -> Iterable[Reason]:
    """Objects to bring back, a debit to stop."""
    for loan in loans_of(member).filter(status=LoanStatus.OUT).select_related("tool"):
        text = gettext("Vous avez encore « %(tool)s ». Rapportez-le d’abord.")
        yield Reason("loan_out", text % {"tool": loan.tool.name})
    debited = Subscription.objects.filter(
        status__in=OPEN_SUBSCRIPTIONS, renewal=Renewal.ONLINE, stops_at_end=False
    )
    alone = not adults_of(member.household).exclude(pk=member.pk).exists()
    pays = alone or Customer.objects.filter(household=member.household_id, payer=member).exists()
    mine = Q(member=member) | (Q(household=member.household_id) if pays else Q(pk=None))
    if debited.filter(mine).exists():
        yield Reason("debited", _("Un prélèvement est en cours. Arrêtez d’abord l’abonnement."))


def forget(member: Member, traces: Traces, *, by: User, now: datetime) -> None:
    """What is reserved is given back, what was subscribed ends; loans stay, without a name."""
    for loan in loans_of(member).filter(status__in=BEFORE_HANDOVER).order_by("pk"):
        cancel_loan(loan, by=by, now=now)
    for subscription in Subscription.objects.filter(
        household=member.household_id, status__in=OPEN_SUBSCRIPTIONS
    ).order_by("pk"):
        move_status(
            locked(subscription), SubscriptionStatus.CANCELLED, by=by, now=now, verb="holder_erased"
        )
    listings_of(member).delete()


def borrowed_since(since: datetime) -> Iterable[QuerySet]:
    """Reserved, took out or brought back an object, or has one; or a right lasts."""
    busy = Q(created_at__gte=since) | Q(out_at__gte=since) | Q(returned_at__gte=since)
    yield Loan.objects.filter(busy | Q(status=LoanStatus.OUT)).values("member")


LENDING = Room(
    name="prets",
    title=_("Mes prêts et mes réservations"),
    held=(Held(Loan, loans_of, without=("form_key",), sheet="prets"),),
    recent=borrowed_since,
)
SUBSCRIPTIONS = Room(
    name="abonnements",
    title=_("Mes abonnements"),
    held=(
        Held(Subscription, own_subscriptions),
        Held(SubscriptionPeriod, periods_of),
        Held(PlanListing, listings_of),
    ),
    obstacles=still_out,
    forget=forget,
)


def register() -> None:
    households.register("concierge", follow)
    personal.register(LENDING, SUBSCRIPTIONS)
