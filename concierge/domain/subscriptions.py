"""Subscriptions: asked for, paid, renewed, late, paused, ended.

Rights follow periods, and periods follow money, a gift or a sponsor: never a status
or a page. A period begins the day after the last one while the grace lasts, else on
the day of the payment; its end is counted in calendar months from the anchor, so that
the 31st of a month stays the 31st.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db.models import F, Q
from django.utils.translation import gettext as _

from club.domain.ledger import enter, reverse
from club.domain.messages import tell
from club.enums import Account, EntryKind, RightSource
from club.kernel import jobs, purchases, recurring, words
from club.kernel.jobs import DailyJob
from club.kernel.purchases import Due, Paid, Purchase
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Household, LedgerEntry, LogEntry, Member, Place, Right, User
from concierge.enums import (
    OPEN_SUBSCRIPTIONS,
    Audience,
    Renewal,
    SubscriptionStatus,
)
from concierge.models import Plan, Sponsorship, Subscription, SubscriptionPeriod
from concierge.queries.plans import not_for, open_subscription, renews_from

KIND = "subscription"
PROVISIONAL = timedelta(days=14)
"""How long a debit that is under way opens the door, once a year."""
ONCE_A_YEAR = relativedelta(years=1)
ENDED = (SubscriptionStatus.ENDED, SubscriptionStatus.CANCELLED)


def holder_of(subscription: Subscription) -> Member:
    """Who is told: the person, or the first of the household."""
    if subscription.member is not None:
        return subscription.member
    return Member.objects.filter(household=subscription.household_id).earliest("pk")


def locked(subscription: Subscription) -> Subscription:
    return (
        Subscription.objects.select_for_update(no_key=True, of=("self",))
        .select_related("plan", "next_plan", "household", "place", "member")
        .get(pk=subscription.pk)
    )


def tell_provider(subscription: Subscription) -> None:
    """What was decided here reaches the provider after this transaction."""
    if subscription.provider_id is not None:
        recurring.changed(KIND, subscription.pk)


# -- Asking ------------------------------------------------------------------------------


@in_one_transaction
def subscribe(member: Member, plan: Plan, *, place: Place, by: User, now: datetime) -> Subscription:
    """Ask for a plan: pending until it is paid, at once active when it is free.

    What is open already stays the one: a plan that is still unpaid is changed, a paid
    one takes the new plan at its next period.
    """
    reason = not_for(member, plan)
    if reason is not None:
        raise refuse(reason.code, reason.text, reason.field)
    hold(member.household)
    found = open_subscription(member, plan.kind)
    if found is not None:
        found = locked(found)
        if found.status == SubscriptionStatus.PENDING:
            change_unpaid(found, plan, by=by, now=now)
        elif (found.next_plan or found.plan) != plan:
            change_next(found, None if plan == found.plan else plan, by=by, now=now)
        return give_if_free(found, by=by, now=now)
    subscription = Subscription.objects.create(
        household=member.household,
        member=None if plan.for_household else member,
        place=place,
        plan=plan,
        kind=plan.kind,
        renewal=Renewal.BY_HAND if plan.price_cents else Renewal.FREE,
        created_at=now,
    )
    facts = {"from": None, "to": SubscriptionStatus.PENDING, "plan": plan.pk}
    log(subscription, "subscribe", by=by, now=now, facts=facts)
    return give_if_free(subscription, by=by, now=now)


def change_unpaid(subscription: Subscription, plan: Plan, *, by: User, now: datetime) -> None:
    if subscription.plan_id == plan.pk:
        return
    subscription.plan = plan
    subscription.renewal = Renewal.BY_HAND if plan.price_cents else Renewal.FREE
    subscription.save(update_fields=["plan", "renewal"])
    log(subscription, "change_plan", by=by, now=now, facts={"plan": plan.pk})


def renewal_on(subscription: Subscription, plan: Plan) -> str:
    """How it goes on with a plan: a debit stays one, else what costs nothing is free."""
    if subscription.renewal == Renewal.ONLINE and plan.price_cents:
        return Renewal.ONLINE
    return Renewal.BY_HAND if plan.price_cents else Renewal.FREE


def change_next(
    subscription: Subscription, plan: Plan | None, *, by: User | None, now: datetime
) -> None:
    """Another plan from the next period on; what is paid stays as it was paid."""
    subscription.next_plan = plan
    subscription.save(update_fields=["next_plan"])
    log(subscription, "change_next_plan", by=by, now=now, facts={"plan": plan and plan.pk})
    tell_provider(subscription)


def give_if_free(subscription: Subscription, *, by: User | None, now: datetime) -> Subscription:
    plan = subscription.next_plan or subscription.plan
    if plan.price_cents == 0 and subscription.status == SubscriptionStatus.PENDING:
        source = f"free:{subscription.pk}:{local_day(now)}"
        add_period(subscription, source, 0, RightSource.GIFT, by=by, now=now)
    return subscription


# -- Periods and rights ------------------------------------------------------------------


def months_between(anchor: date, start: date) -> int | None:
    """How many whole months lie between, or None where `start` is no month's day of it."""
    number = (start.year - anchor.year) * 12 + start.month - anchor.month
    return number if anchor + relativedelta(months=number) == start else None


def next_dates(subscription: Subscription, on: date) -> tuple[date, date, date]:
    """First and last day of the next period, and the anchor that they are counted from."""
    plan = subscription.next_plan or subscription.plan
    grace = subscription.grace_ends_on
    start = on
    if subscription.paid_until is not None and grace is not None and on <= grace:
        start = subscription.paid_until + timedelta(days=1)
    anchor = subscription.anchor_on or start
    passed = months_between(anchor, start)
    if passed is None or start < anchor:
        anchor, passed = start, 0
    end = anchor + relativedelta(months=passed + plan.months) - timedelta(days=1)
    return start, end, anchor


@in_one_transaction
def add_period(
    subscription: Subscription,
    source: str,
    cents: int,
    right_source: str,
    *,
    by: User | None,
    now: datetime,
    on: date | None = None,
) -> SubscriptionPeriod:
    """The next period with its rights: once for a `source`, whatever is called again."""
    before = SubscriptionPeriod.objects.filter(source=source).first()
    if before is not None:
        return before
    subscription_now = locked(subscription)
    start, end, anchor = next_dates(subscription_now, on or local_day(now))
    plan = subscription_now.next_plan or subscription_now.plan
    period = SubscriptionPeriod.objects.create(
        subscription=subscription_now,
        plan=plan,
        starts_on=start,
        ends_on=end,
        cents=cents,
        source=source,
        created_at=now,
    )
    give_rights(subscription_now, plan, period.origin, start, end, right_source, by)
    withdraw_rights(subscription_now, f"grace:{subscription_now.pk}:", now)
    withdraw_rights(subscription_now, f"awaited:{subscription_now.pk}:", now)
    changes: dict[str, Any] = {
        "paid_until": end,
        "anchor_on": anchor,
        "plan": plan,
        "next_plan": None,
        "renewal": renewal_on(subscription_now, plan),
        "payment_failed_at": None,
    }
    facts = {"period": period.pk, "until": end.isoformat(), "source": source}
    if subscription_now.status in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAUSED):
        for name, value in changes.items():
            setattr(subscription_now, name, value)
        subscription_now.save(update_fields=[*changes])
        log(subscription_now, "add_period", by=by, now=now, facts=facts)
    else:
        begins = subscription_now.status != SubscriptionStatus.LATE
        move(
            subscription_now,
            SubscriptionStatus.ACTIVE,
            by=by,
            now=now,
            verb="add_period",
            facts=facts,
            stops_at_end=False,
            **changes,
        )
        if begins:
            tell(
                holder_of(subscription_now), "subscription.started", subscription_now,
                key=f"subscription.started:{period.pk}", now=now,
            )  # fmt: skip
    subscription.refresh_from_db()
    return period


def give_rights(
    subscription: Subscription,
    plan: Plan,
    origin: str,
    start: date,
    end: date,
    source: str,
    by: User | None,
) -> None:
    Right.objects.bulk_create(
        [
            Right(
                household=subscription.household,
                member=subscription.member,
                activity=activity,
                starts_on=start,
                ends_on=end,
                source=source,
                origin=origin,
                given_by=by,
            )
            for activity in plan.activities
        ],
        ignore_conflicts=True,
    )


def withdraw_rights(subscription: Subscription, origin: str, now: datetime) -> None:
    Right.objects.filter(
        household=subscription.household, origin__startswith=origin, revoked_at=None
    ).update(revoked_at=now)


@in_one_transaction
def revoke_period(period: SubscriptionPeriod, *, by: User | None, now: datetime) -> None:
    """The money of a period went back: its rights end, and the last paid day falls back."""
    done = SubscriptionPeriod.objects.filter(pk=period.pk, revoked_at=None).update(revoked_at=now)
    if not done:
        return
    subscription = locked(period.subscription)
    Right.objects.filter(origin=period.origin, revoked_at=None).update(revoked_at=now)
    charged = LedgerEntry.objects.filter(source=period.origin).first()
    if charged is not None and not LedgerEntry.objects.filter(reverses=charged).exists():
        reverse(charged, by=by, now=now)
    last = subscription.periods.filter(revoked_at=None).order_by("-ends_on").first()
    subscription.paid_until = last.ends_on if last else None
    subscription.save(update_fields=["paid_until"])
    log(subscription, "revoke_period", by=by, now=now, facts={"period": period.pk})
    today = local_day(now)
    if subscription.status in ENDED or (last is not None and last.ends_on >= today):
        return
    if subscription.status == SubscriptionStatus.ACTIVE:
        move(subscription, SubscriptionStatus.LATE, by=by, now=now, verb="revoked")


@in_one_transaction
def give_awaited_right(subscription: Subscription, *, by: User | None, now: datetime) -> bool:
    """A debit is under way: the door opens for two weeks, once a year, without valuables."""
    today = local_day(now)
    origin = f"awaited:{subscription.pk}:"
    last_year = Right.objects.filter(
        household=subscription.household,
        source=RightSource.AWAITED,
        origin__startswith="awaited:",
        starts_on__gt=today - ONCE_A_YEAR,
    )
    if last_year.exists():
        return False
    end = today + PROVISIONAL - timedelta(days=1)
    plan = subscription.next_plan or subscription.plan
    give_rights(subscription, plan, f"{origin}{today}", today, end, RightSource.AWAITED, by)
    log(subscription, "give_awaited_right", by=by, now=now, facts={"until": end.isoformat()})
    return True


@in_one_transaction
def payment_failed(subscription: Subscription, *, by: User | None, now: datetime) -> None:
    """The debit was refused: what was given in advance ends, and the person is told."""
    subscription = locked(subscription)
    withdraw_rights(subscription, f"awaited:{subscription.pk}:", now)
    if subscription.payment_failed_at is not None:
        return
    subscription.payment_failed_at = now
    subscription.save(update_fields=["payment_failed_at"])
    log(subscription, "payment_failed", by=by, now=now)
    key = f"subscription.payment_failed:{subscription.pk}:{local_day(now)}"
    tell(holder_of(subscription), "subscription.payment_failed", subscription, key=key, now=now)


# -- Money ---------------------------------------------------------------------------------


def label_of(subscription: Subscription) -> str:
    plan = subscription.next_plan or subscription.plan
    return _("Abonnement « %(plan)s »") % {"plan": plan.name}


def settle(subscription: Subscription, paid: Paid, *, by: User | None, now: datetime) -> None:
    """Money came for a subscription: its charge is entered and the period is given."""
    period = add_period(
        subscription, paid.source, paid.cents, RightSource.PAYMENT,
        by=by, now=now, on=local_day(paid.on),
    )  # fmt: skip
    if LedgerEntry.objects.filter(source=period.origin).exists():
        return
    subscription = period.subscription
    if not paid.source.startswith("stripe:"):
        tell_provider(subscription)
    enter(
        kind=EntryKind.CHARGE,
        account=Account.SUBSCRIPTION,
        cents=-paid.cents,
        place=subscription.place,
        household=subscription.household,
        member=subscription.member,
        subject_kind=KIND,
        subject_id=subscription.pk,
        label=_("%(plan)s, du %(first)s au %(last)s")
        % {
            "plan": period.plan.name,
            "first": words.date_of(period.starts_on),
            "last": words.date_of(period.ends_on),
        },
        source=period.origin,
        at=now,
        by=by,
    )


def undo(subscription: Subscription, source: str, *, by: User | None, now: datetime) -> None:
    period = SubscriptionPeriod.objects.filter(source=source).first()
    if period is not None:
        revoke_period(period, by=by, now=now)


def is_needless(subscription: Subscription, on: date) -> bool:
    """Whether a first payment would only pay again what is paid for a good while."""
    begins = renews_from(subscription)
    return begins is not None and on < begins and subscription.status not in ENDED


def due(household: Household, now: datetime) -> Iterable[Due]:
    """The periods that can be paid by hand now."""
    today = local_day(now)
    wanted = Subscription.objects.filter(
        Q(status__in=OPEN_SUBSCRIPTIONS), household=household
    ).select_related("plan", "next_plan")
    for subscription in wanted:
        plan = subscription.next_plan or subscription.plan
        # Pending and on line: a first debit is under way.
        debited = subscription.renewal == Renewal.ONLINE and subscription.status in (
            SubscriptionStatus.ACTIVE,
            SubscriptionStatus.PENDING,
        )
        if not plan.price_cents or debited or is_needless(subscription, today):
            continue
        yield Due(KIND, subscription.pk, label_of(subscription), plan.price_cents)


# -- Gifts and sponsors ----------------------------------------------------------------------


@in_one_transaction
def use_sponsorship(member: Member, code: str, *, by: User, now: datetime) -> Subscription:
    """A code of the landlord's pays one period, once a household, while places are left."""
    plain = "".join(c for c in code.upper() if c.isalnum() or c == "-")
    no = refuse("code_unknown", _("Ce code n’est pas connu, ou il n’est plus valable."), "code")
    sponsorship = Sponsorship.objects.select_related("plan").filter(code__iexact=plain).first()
    if sponsorship is None or sponsorship.plan.landlord_id != member.household.landlord_id:
        raise no
    if sponsorship.ends_on < local_day(now):
        raise no
    hold(member.household)
    source = f"sponsorship:{sponsorship.pk}:{member.household_id}"
    if SubscriptionPeriod.objects.filter(source=source).exists():
        raise refuse("code_used", _("Votre foyer a déjà utilisé ce code."), "code")
    taken = Sponsorship.objects.filter(pk=sponsorship.pk, used__lt=F("quota"))
    if not taken.update(used=F("used") + 1):
        raise refuse("code_spent", _("Ce code a déjà servi pour tous ses foyers."), "code")
    subscription = open_subscription(member, sponsorship.plan.kind)
    if subscription is None:
        subscription = subscribe(member, sponsorship.plan, place=member.place, by=by, now=now)
    add_period(subscription, source, 0, RightSource.SPONSOR, by=by, now=now)
    log(sponsorship, "use_sponsorship", by=by, now=now, facts={"household": member.household_id})
    return subscription


# -- Stopping and pausing ----------------------------------------------------------------------


@in_one_transaction
def stop(subscription: Subscription, *, by: User | None, now: datetime) -> Subscription:
    """No further period: at once where nothing is paid, else at the end of what is paid."""
    subscription = locked(subscription)
    if subscription.status not in OPEN_SUBSCRIPTIONS:
        raise refuse("not_open", _("Cet abonnement est déjà terminé."))
    tell_provider(subscription)
    if subscription.status == SubscriptionStatus.PENDING:
        move(subscription, SubscriptionStatus.CANCELLED, by=by, now=now, verb="stop")
        return subscription
    if not subscription.stops_at_end:
        subscription.stops_at_end = True
        subscription.save(update_fields=["stops_at_end"])
        stops = LogEntry.objects.filter(
            subject_kind=KIND, subject_id=subscription.pk, verb="stop"
        ).count()
        log(subscription, "stop", by=by, now=now)
        key = f"subscription.stopping:{subscription.pk}:{subscription.paid_until}:{stops}"
        tell(holder_of(subscription), "subscription.stopping", subscription, key=key, now=now)
    return subscription


@in_one_transaction
def keep(subscription: Subscription, *, by: User, now: datetime) -> Subscription:
    """Not to stop after all, while it still runs."""
    subscription = locked(subscription)
    if subscription.status not in OPEN_SUBSCRIPTIONS or not subscription.stops_at_end:
        raise refuse("not_stopping", _("Cet abonnement ne s’arrête pas."))
    subscription.stops_at_end = False
    subscription.save(update_fields=["stops_at_end"])
    log(subscription, "keep", by=by, now=now)
    tell_provider(subscription)
    return subscription


@in_one_transaction
def pause(subscription: Subscription, *, by: User, now: datetime) -> Subscription:
    """Set aside what is paid (a long stay in hospital): the days left are given on return."""
    subscription = locked(subscription)
    today = local_day(now)
    if subscription.renewal == Renewal.ONLINE:
        raise refuse("debited", _("Cet abonnement est prélevé. Arrêtez d’abord le prélèvement."))
    if subscription.paid_until is None or subscription.paid_until <= today:
        raise refuse("nothing_left", _("Il ne reste aucun jour à mettre de côté."))
    move(subscription, SubscriptionStatus.PAUSED, by=by, now=now, verb="pause")
    Right.objects.filter(
        household=subscription.household,
        origin__in=[period.origin for period in subscription.periods.filter(revoked_at=None)],
        revoked_at=None,
    ).update(revoked_at=now)
    return subscription


@in_one_transaction
def resume(subscription: Subscription, *, by: User, now: datetime) -> Subscription:
    """The days that were left when it was paused begin today."""
    subscription = locked(subscription)
    today = local_day(now)
    if subscription.paused_at is None or subscription.paid_until is None:
        raise refuse("not_paused", _("Cet abonnement n’est pas en pause."))
    left = subscription.paid_until - local_day(subscription.paused_at)
    end = today + left
    move(
        subscription, SubscriptionStatus.ACTIVE, by=by, now=now, verb="resume",
        paid_until=end, anchor_on=end + timedelta(days=1),
    )  # fmt: skip
    origin = f"resumed:{subscription.pk}:{today}"
    give_rights(subscription, subscription.plan, origin, today, end, RightSource.PAYMENT, by)
    return subscription


# -- The calendar's work --------------------------------------------------------------------


def tend(now: datetime) -> None:
    """Each day: what has run out is late, what was late too long has ended."""
    today = local_day(now)
    running = Subscription.objects.filter(
        status__in=[SubscriptionStatus.ACTIVE, SubscriptionStatus.LATE], paid_until__lt=today
    )
    for subscription in running.order_by("pk").iterator():
        tend_one(subscription, now=now)


@in_one_transaction
def tend_one(subscription: Subscription, *, now: datetime) -> None:
    subscription = locked(subscription)
    today = local_day(now)
    if subscription.paid_until is None or subscription.paid_until >= today:
        return
    plan = subscription.next_plan or subscription.plan
    if subscription.stops_at_end:
        move(subscription, SubscriptionStatus.CANCELLED, by=None, now=now, verb="run_out")
    elif plan.price_cents == 0:
        source = f"free:{subscription.pk}:{subscription.paid_until}"
        add_period(subscription, source, 0, RightSource.GIFT, by=None, now=now)
    elif subscription.status == SubscriptionStatus.ACTIVE:
        move(subscription, SubscriptionStatus.LATE, by=None, now=now, verb="run_out")
        grace = subscription.grace_ends_on
        assert grace is not None
        if plan.grace_days and grace >= today:
            origin = f"grace:{subscription.pk}:{subscription.paid_until}"
            first = subscription.paid_until + timedelta(days=1)
            give_rights(subscription, plan, origin, first, grace, RightSource.GIFT, None)
    if subscription.status == SubscriptionStatus.LATE:
        grace = subscription.grace_ends_on
        if grace is not None and grace < today:
            move(subscription, SubscriptionStatus.ENDED, by=None, now=now, verb="run_out")
            key = f"subscription.ended:{subscription.pk}:{subscription.paid_until}"
            tell(holder_of(subscription), "subscription.ended", subscription, key=key, now=now)


@in_one_transaction
def left_the_dwelling(household: Household, *, by: User, now: datetime) -> None:
    """No tenant any more: what is paid stays; the next period is on a plan for everybody."""
    for subscription in Subscription.objects.filter(
        household=household, status__in=OPEN_SUBSCRIPTIONS
    ).select_related("plan"):
        member = holder_of(subscription)
        if not_for(member, subscription.plan) is None:
            continue
        other = Plan.objects.filter(
            landlord=household.landlord_id,
            kind=subscription.kind,
            is_offered=True,
            audience=Audience.ANYBODY,
            for_household=subscription.member_id is None,
        ).first()
        if subscription.stops_at_end if other is None else subscription.next_plan == other:
            continue
        change_next(locked(subscription), other, by=by, now=now)
        if other is None:
            stop(subscription, by=by, now=now)
        key = f"subscription.next_plan:{subscription.pk}:{subscription.paid_until}"
        tell(member, "subscription.next_plan", subscription, key=key, now=now)


SALE = Purchase(KIND, Account.SUBSCRIPTION, Subscription, label_of, settle, undo, due)


def register() -> None:
    purchases.register(SALE)
    jobs.register(DailyJob("subscriptions", 3, tend))
