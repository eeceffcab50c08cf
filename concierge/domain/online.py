"""How a subscription renews by itself at the payment provider."""

from datetime import date, datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.db.models import Q
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from club.enums import MandateStatus
from club.kernel import jobs, recurring, words
from club.kernel.jobs import DailyJob
from club.kernel.recurring import Price, Recurring
from club.kernel.refusal import Reason
from club.kernel.spans import local_day
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log, move
from club.models import Household, LogEntry, Mandate, User
from concierge.domain.subscriptions import (
    KIND,
    give_awaited_right,
    is_needless,
    payment_failed,
    stop,
)
from concierge.enums import OPEN_SUBSCRIPTIONS, Renewal, SubscriptionStatus
from concierge.models import Subscription

SOON = timedelta(days=20)
LATELY = timedelta(days=8)
DECISIONS = ("stop", "keep", "change_next_plan", "change_plan")
MANDATE_LIFE = relativedelta(months=36)


def price(subscription: Subscription) -> Price:
    plan = subscription.next_plan or subscription.plan
    key = f"{plan.landlord.slug}.{plan.slug}.{plan.price_cents}.{plan.months}"
    return Price(key, plan.name, plan.price_cents, plan.months)


def refusal(subscription: Subscription, now: datetime) -> Reason | None:
    """Why it cannot be paid on line now, if it cannot."""
    if subscription.status not in OPEN_SUBSCRIPTIONS:
        return Reason("not_open", _("Cet abonnement est terminé. Choisissez une formule."))
    if is_needless(subscription, local_day(now)) and subscription.paid_until is not None:
        text = _("Votre abonnement est payé jusqu’au %(day)s.")
        return Reason("paid_already", text % {"day": words.day(subscription.paid_until)})
    if subscription.provider_id is None:
        return None
    if subscription.status == SubscriptionStatus.PENDING:
        return Reason("under_way", _("Votre prélèvement est en cours. Il prend quelques jours."))
    if subscription.status == SubscriptionStatus.LATE:
        return Reason(
            "change_means", _("Le prélèvement n’a pas marché. Changez de moyen de paiement.")
        )
    return Reason("debited", _("Votre abonnement est prélevé tout seul."))


def receiver(subscription: Subscription) -> Subscription:
    """Money for a closed subscription counts on the open one, where there is one."""
    if subscription.status in OPEN_SUBSCRIPTIONS:
        return subscription
    other = Subscription.objects.filter(
        household=subscription.household_id,
        member=subscription.member_id,
        kind=subscription.kind,
        status__in=OPEN_SUBSCRIPTIONS,
    ).first()
    return other or subscription


def is_over(subscription: Subscription) -> bool:
    return subscription.status == SubscriptionStatus.CANCELLED


def paid_until(subscription: Subscription) -> date | None:
    return subscription.paid_until


def linked(subscription: Subscription) -> str | None:
    return subscription.provider_id


@in_one_transaction
def link(
    subscription: Subscription, provider_id: str | None, *, by: User | None, now: datetime
) -> None:
    """It renews there from now on, or nowhere: then it is paid by hand again."""
    if provider_id is not None:
        renewal = Renewal.ONLINE
    else:
        renewal = Renewal.FREE if subscription.plan.price_cents == 0 else Renewal.BY_HAND
    if (subscription.provider_id, subscription.renewal) == (provider_id, renewal):
        return
    subscription.provider_id = provider_id
    subscription.renewal = renewal
    subscription.save(update_fields=["provider_id", "renewal"])
    log(subscription, "link", by=by, now=now, facts={"renewal": renewal})


def stops(subscription: Subscription) -> bool:
    return subscription.stops_at_end


@in_one_transaction
def set_stops(subscription: Subscription, wanted: bool, *, by: User | None, now: datetime) -> None:
    if subscription.stops_at_end == wanted:
        return
    subscription.stops_at_end = wanted
    subscription.save(update_fields=["stops_at_end"])
    log(subscription, "stop" if wanted else "keep", by=by, now=now, facts={"at": "provider"})


def pays(subscription: Subscription, *, at: datetime, by: User | None, now: datetime) -> None:
    """A debit is under way: the door opens, unless it is open for money that came."""
    today = local_day(now)
    is_paid = subscription.paid_until is not None and subscription.paid_until >= today
    if subscription.status in OPEN_SUBSCRIPTIONS and not is_paid:
        give_awaited_right(subscription, by=by, now=now)


def fails(subscription: Subscription, *, at: datetime, by: User | None, now: datetime) -> None:
    """A debit was refused, and nothing has paid its period since."""
    is_paid = subscription.paid_until is not None and subscription.paid_until >= local_day(at)
    if subscription.status in OPEN_SUBSCRIPTIONS and not is_paid:
        payment_failed(subscription, by=by, now=now)


@in_one_transaction
def leave(household: Household, by: User | None, now: datetime) -> None:
    """The payer has left: what is paid stays, nothing more is debited."""
    for subscription in Subscription.objects.filter(
        household=household, status__in=OPEN_SUBSCRIPTIONS, renewal=Renewal.ONLINE
    ):
        if not subscription.stops_at_end:
            stop(subscription, by=by, now=now)


def coming(now: datetime) -> list[int]:
    """What is debited in the next weeks, and what was decided lately."""
    today = local_day(now)
    decided = LogEntry.objects.filter(
        subject_kind=KIND, verb__in=DECISIONS, at__gte=now - LATELY
    ).values("subject_id")
    soon = Q(
        status__in=[SubscriptionStatus.ACTIVE, SubscriptionStatus.LATE],
        paid_until__range=(today - SOON, today + SOON),
    )
    found = Subscription.objects.filter(soon | Q(pk__in=decided)).exclude(provider_id=None)
    return list(found.order_by("pk").values_list("pk", flat=True))


# -- SEPA ------------------------------------------------------------------------------------


def void_mandates(now: datetime) -> None:
    """A mandate that was not used for 36 months is void; it is forgotten there too."""
    limit = local_day(now) - MANDATE_LIFE
    for mandate in Mandate.objects.exclude(status=MandateStatus.VOID).filter(accepted_on__lt=limit):
        if mandate.last_used_on is None or mandate.last_used_on < limit:
            void_mandate(mandate, now=now)


@in_one_transaction
def void_mandate(mandate: Mandate, *, now: datetime) -> None:
    move(mandate, MandateStatus.VOID, by=None, now=now)
    async_task("club.tasks.forget_mandate", mandate.pk, group="provider")


RENEWAL = Recurring(
    kind=KIND,
    price=price,
    refusal=refusal,
    receiver=receiver,
    is_needless=is_needless,
    is_over=is_over,
    paid_until=paid_until,
    linked=linked,
    link=link,
    stops=stops,
    set_stops=set_stops,
    pays=pays,
    fails=fails,
    leave=leave,
    coming=coming,
)


def register() -> None:
    recurring.register(RENEWAL)
    jobs.register(DailyJob("mandates", 3, void_mandates))
