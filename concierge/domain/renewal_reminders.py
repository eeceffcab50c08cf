"""Which subscriptions are recalled on which day, to be renewed, debited or paid.

By hand: 30 and 7 days before the end, and on the day. Debited: a notice 7 days before.
Unpaid: 3 and 7 days after the end, or after the debit that was refused. Days are
calendar days, and what a reminder says is true on its day alone; but a notice is owed:
where the worker was down that day, it leaves later, until two days before the debit.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import BigIntegerField, Case, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from club.domain.messages import channel_for, tell_many
from club.domain.reminders import GROUP, HOUR, leaves_today
from club.enums import EntryKind, MandateStatus, Means
from club.kernel.spans import at, end_of, local_day, start_of
from club.models import Customer, LedgerEntry, Mandate, Member, Message
from concierge.enums import Renewal, SubscriptionStatus
from concierge.models import Subscription

ENDS = {"subscription.ends_in_30": 30, "subscription.ends_in_7": 7, "subscription.ends_today": 0}
LATE = {"subscription.late_3": 3, "subscription.late_7": 7}
SEPA, CARD = "subscription.sepa_notice", "subscription.card_notice"
NOTICE_DAYS, LATEST_NOTICE = 7, 2
UNPAID = (SubscriptionStatus.PENDING, SubscriptionStatus.ACTIVE, SubscriptionStatus.LATE)
COSTS = Q(next_plan=None, plan__price_cents__gt=0) | Q(next_plan__price_cents__gt=0)


RUNNING = COSTS & Q(status=SubscriptionStatus.ACTIVE, stops_at_end=False)
"""What goes on after its last day, and costs something then."""
DEBITED = Q(renewal=Renewal.ONLINE)


def plainly(event: str, one: Subscription) -> tuple[str, dict[str, Any]]:
    return event, {}


def unpaid_since(day: date) -> Q:
    failed = Q(
        status__in=UNPAID,
        payment_failed_at__gte=start_of(day),
        payment_failed_at__lt=end_of(day),
    )
    return Q(stops_at_end=False) & (failed | Q(status=SubscriptionStatus.LATE, paid_until=day))


def recalled_on(day: date) -> dict[str, Q]:
    """By event, the subscriptions that are recalled on `day`; debits are apart.

    A month before the end of a plan by the month is its first day: too soon to pay.
    """
    found = {
        event: RUNNING & ~DEBITED & Q(paid_until=day + timedelta(days=days))
        for event, days in ENDS.items()
    }
    found["subscription.ends_in_30"] &= Q(plan__months__gte=2)
    found |= {event: unpaid_since(day - timedelta(days=days)) for event, days in LATE.items()}
    return found


def debited_on(day: date) -> Q:
    """Those whose notice may leave on `day`: the debit follows their last day."""
    first = day + timedelta(days=LATEST_NOTICE - 1)
    last = day + timedelta(days=NOTICE_DAYS - 1)
    return RUNNING & DEBITED & Q(paid_until__gte=first, paid_until__lte=last)


def write_renewal_reminders(now: datetime) -> None:
    """Leave the day's reminders in the outbox; again on the same day adds none."""
    day = local_day(now)
    for event, recalled in recalled_on(day).items():
        tell_many(reminders(with_reader(recalled), partial(plainly, event), now))
    debited = list(with_reader(debited_on(day)).select_related("plan", "next_plan"))
    mandates = mandates_of(debited)
    tell_many(reminders(debited, lambda one: notice(one, mandates.get(one.pk)), now))


def with_reader(recalled: Q) -> QuerySet[Subscription]:
    """With the member who reads it: who pays on line, the person, the household's first."""
    payer = Customer.objects.filter(
        household=OuterRef("household"), payer__household=OuterRef("household")
    )
    first = Member.objects.filter(household=OuterRef("household")).order_by("pk")
    return Subscription.objects.filter(recalled).annotate(
        reader=Coalesce(
            Case(When(renewal=Renewal.ONLINE, then=Subquery(payer.values("payer")[:1]))),
            "member",
            Subquery(first.values("pk")[:1]),
            output_field=BigIntegerField(),
        )
    )


Told = tuple[str, dict[str, Any]]


def reminders(
    found: Iterable[Subscription], told: Callable[[Any], Told], now: datetime
) -> Iterator[Message]:
    day = local_day(now)
    recalled = [(one, one.reader) for one in found]  # type: ignore[attr-defined]
    members = Member.objects.select_related("user").in_bulk({reader for _, reader in recalled})
    for one, reader in recalled:
        member = members.get(reader)
        channel = channel_for(member) if member else None
        if member is None or channel is None:
            continue
        event, facts = told(one)
        yield Message(
            # A debit has one notice, whatever the day on which it leaves.
            key=f"{event}:{one.pk}:{facts.get('on', day)}",
            event=event,
            group=GROUP,
            member=member,
            subject_kind="subscription",
            subject_id=one.pk,
            channel=channel,
            facts={"day": day.isoformat()} | facts,
            due_at=max(now, at(day, HOUR)),
        )


# -- The notice before a debit -------------------------------------------------------------


def notice(one: Subscription, mandate: Mandate | None) -> Told:
    """How much leaves whose account on which day, and by which mandate."""
    assert one.paid_until is not None
    facts: dict[str, Any] = {
        "cents": (one.next_plan or one.plan).price_cents,
        "on": (one.paid_until + timedelta(days=1)).isoformat(),
    }
    if mandate is None:
        return CARD, facts
    return SEPA, facts | {"mandate": mandate.reference, "last4": mandate.last4}


def mandates_of(found: list[Subscription]) -> dict[int, Mandate]:
    """The mandate by which each will be debited: the latest, unless a card was used since."""
    by_household: dict[int, Mandate] = {}
    for mandate in (
        Mandate.objects.filter(
            customer__household__in=[one.household_id for one in found], status=MandateStatus.ACTIVE
        )
        .select_related("customer")
        .order_by("accepted_on", "pk")
    ):
        by_household[mandate.customer.household_id] = mandate
    cards: dict[int, date] = {
        subject_id: local_day(at)
        for subject_id, at in LedgerEntry.objects.filter(
            subject_kind="subscription",
            subject_id__in=[one.pk for one in found],
            kind=EntryKind.PAYMENT,
            means=Means.CARD,
        )
        .order_by("at")
        .values_list("subject_id", "at")
    }
    return {
        one.pk: held
        for one in found
        if (held := by_household.get(one.household_id)) is not None
        and cards.get(one.pk, date.min) <= (held.last_used_on or held.accepted_on)
    }


# -- Whether it still is true --------------------------------------------------------------


def is_of_today(message: Message, one: Subscription, now: datetime) -> bool:
    """Whether a reminder still is for the day on which it leaves, and still true."""
    day = local_day(now)
    if one.stops_at_end:
        return False
    if message.event in (SEPA, CARD):
        return is_debited_then(message, one, day)
    if not leaves_today(message, now):
        return False
    if message.event in LATE:
        since = day - timedelta(days=LATE[message.event])
        failed = one.payment_failed_at is not None and local_day(one.payment_failed_at) == since
        late = one.status == SubscriptionStatus.LATE and one.paid_until == since
        return one.status in UNPAID and (failed or late)
    if one.status != SubscriptionStatus.ACTIVE or not (one.next_plan or one.plan).price_cents:
        return False
    ends_on = day + timedelta(days=ENDS[message.event])
    return one.renewal != Renewal.ONLINE and one.paid_until == ends_on


def is_debited_then(message: Message, one: Subscription, day: date) -> bool:
    """Whether the debit that a notice tells of still is to come on that day."""
    if one.status != SubscriptionStatus.ACTIVE or one.renewal != Renewal.ONLINE:
        return False
    if one.paid_until is None or one.paid_until < day:
        return False
    on = (one.paid_until + timedelta(days=1)).isoformat()
    return bool((one.next_plan or one.plan).price_cents) and message.facts.get("on", on) == on
