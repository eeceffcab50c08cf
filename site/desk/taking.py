"""What a person pays at the counter, and taking it: one press, one transaction, once.

The page names what it showed with its price; under the household's lock only what is
really due at that price is taken. A page's number finds what its first press did.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from club.domain.receipts import open_till, take_payment
from club.domain.tenancy import confirm_on_paper, keep_check
from club.domain.till import open_till_day
from club.enums import Activity, Means, TenancyMethod
from club.kernel import words
from club.kernel.bookings import Channel
from club.kernel.purchases import Due, due_of, on_request_of
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.models import LogEntry, Member, Place, User
from club.queries.entitlement import coverage
from concierge.domain import subscriptions
from concierge.enums import Audience, PlanKind, Renewal, SubscriptionStatus
from concierge.models import Plan, Subscription
from concierge.queries.deliveries import rounds_for
from concierge.queries.plans import best_plan, is_tenant, not_for, open_subscription

TAKING = "taking"
SOON = timedelta(days=60)
KINDS = (PlanKind.SUBSCRIPTION, PlanKind.MEMBERSHIP)


@dataclass(frozen=True)
class Offer:
    """What one sort of subscription asks of a person: a choice of plans, or a sentence."""

    kind: PlanKind
    current: Subscription | None
    plans: list[Plan] = field(default_factory=list)
    default: Plan | None = None
    sentence: str = ""


@dataclass
class Owed:
    """All that the counter can take from a person now."""

    member: Member
    is_tenant: bool
    offers: list[Offer]
    lines: list[Due]
    more: list[Due] = field(default_factory=list)
    """What may be paid in beforehand, where goods are ordered."""

    @property
    def asks_paper(self) -> bool:
        """A plan for tenants is on the list, and the household is not known as one."""
        return not self.is_tenant and any(
            plan.audience == Audience.TENANT for offer in self.offers for plan in offer.plans
        )

    @property
    def total(self) -> int:
        plans = sum(offer.default.price_cents for offer in self.offers if offer.default)
        return plans + sum(line.cents for line in self.lines)


def owed_by(member: Member, now: datetime) -> Owed:
    offers = [offer for kind in KINDS if (offer := offer_of(member, kind, now)) is not None]
    own = {offer.current.pk for offer in offers if offer.current is not None}
    lines = [
        due
        for due in due_of(member.household, now)
        if due.kind != subscriptions.KIND or due.subject_id not in own
    ]
    more = on_request_of(member.household, now) if rounds_for(member).exists() else []
    return Owed(member, is_tenant(member.household), offers, lines, more)


def offer_of(member: Member, kind: PlanKind, now: datetime) -> Offer | None:
    current = open_subscription(member, kind)
    sentence = paid_sentence(current, now) if current else ""
    if sentence:
        return Offer(kind, current, sentence=sentence)
    plans = plans_for(member, kind)
    own = (current.next_plan or current.plan) if current else None
    if own is not None and own not in plans:
        plans.insert(0, own)
    if not plans:
        return None
    default = own
    if current is None and kind == PlanKind.SUBSCRIPTION and is_wanting(member, now):
        default = best_plan(member, kind)
    elif current is not None and current.status == SubscriptionStatus.PAUSED:
        default = None
    return Offer(kind, current, plans, default)


def is_wanting(member: Member, now: datetime) -> bool:
    """No right to borrow, or one that ends soon: then a plan is proposed at once."""
    today = local_day(now)
    held = coverage(member, Activity.LENDING, today)
    return held.ends_on is None or held.ends_on <= today + SOON


def plans_for(member: Member, kind: str) -> list[Plan]:
    """Those that are offered to the person, and those for tenants: a paper may prove it."""
    offered = Plan.objects.filter(
        landlord_id=member.household.landlord_id, is_offered=True, kind=kind
    )
    return [
        plan
        for plan in offered
        if plan.audience == Audience.TENANT or not_for(member, plan) is None
    ]


def paid_sentence(subscription: Subscription, now: datetime) -> str:
    """Why nothing is to be paid for it now; empty where something is."""
    plan = subscription.next_plan or subscription.plan
    if subscription.status == SubscriptionStatus.ACTIVE and subscription.paid_until is not None:
        until = {"plan": plan.name, "day": words.day(subscription.paid_until, local_day(now))}
        if subscription.renewal == Renewal.ONLINE:
            return _("%(plan)s : prélevé en ligne, payé jusqu’au %(day)s.") % until
        if plan.price_cents == 0 and subscription.plan.price_cents == 0:
            return _("%(plan)s : gratuit, se renouvelle tout seul.") % until
        if subscriptions.is_needless(subscription, local_day(now)):
            return _("%(plan)s : payé jusqu’au %(day)s.") % until
    return ""


# -- Taking ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """What was ticked, each with the price that the page told."""

    plans: dict[Plan, int] = field(default_factory=dict)
    lines: Sequence[Due] = ()
    paper_seen: bool = False
    code: str = ""
    means: str = Means.CASH
    given_cents: int | None = None
    float_cents: int | None = None


def taken_by(by: User, number: int | None, member: Member) -> dict[str, Any] | None:
    """What the page with this number has done already."""
    if number is None:
        return None
    seen = LogEntry.objects.filter(subject_kind=TAKING, subject_id=number, actor=by).first()
    if seen is None:
        return None
    if seen.facts["household"] != member.household_id:
        raise refuse("other_page", _("Cette page a servi pour une autre personne. Rechargez-la."))
    facts: dict[str, Any] = seen.facts
    return facts


@in_one_transaction
def take(
    member: Member, wanted: Wanted, *, place: Place, number: int | None, by: User, now: datetime
) -> dict[str, Any]:
    """Subscribe, give what is free or sponsored, take the money: all of it or nothing."""
    hold(member.household)
    before = taken_by(by, number, member)
    if before is not None:
        return before
    facts: dict[str, Any] = {"household": member.household_id, "receipt": None, "given": []}
    chosen = list(asked_for(member, wanted, place, by, now))
    if wanted.code:
        given = subscriptions.use_sponsorship(member, wanted.code, by=by, now=now)
        facts["given"].append(given.pk)
    lines = checked_lines(member, chosen, wanted, facts, now)
    if lines:
        if wanted.means == Means.CASH and open_till(place) is None:
            open_for_cash(place, wanted, sum(line.cents for line in lines), by, now)
        receipt = take_payment(
            member=member,
            place=place,
            lines=lines,
            means=wanted.means,
            by=by,
            now=now,
            given_cents=wanted.given_cents if wanted.means == Means.CASH else None,
            form_key=None if number is None else f"desk:{by.pk}:{number}",
        )
        facts["receipt"] = receipt.pk
    elif not facts["given"]:
        raise refuse("nothing_to_pay", _("Choisissez ce qui est payé."), "lines")
    if number is not None:
        LogEntry.objects.create(
            subject_kind=TAKING,
            subject_id=number,
            verb="take",
            actor=by,
            at=now,
            channel=Channel.DESK,
            facts=facts,
        )
    return facts


def asked_for(
    member: Member, wanted: Wanted, place: Place, by: User, now: datetime
) -> Iterator[tuple[Subscription, Plan, int]]:
    """Subscribe to each chosen plan; a plan for tenants after its paper was seen."""
    for plan, cents in wanted.plans.items():
        if wanted.code and plan.kind == PlanKind.SUBSCRIPTION:
            continue
        if plan.audience == Audience.TENANT and not is_tenant(member.household):
            if not wanted.paper_seen:
                text = _("Regardez une quittance ou le bail, puis cochez.")
                raise refuse("paper_unseen", text, "paper")
            confirm_on_paper(member, by=by, now=now)
        if plan.price_cents != cents:
            raise price_changed()
        current = open_subscription(member, plan.kind)
        if current is not None and (sentence := paid_sentence(current, now)):
            raise refuse("needless", sentence, f"plan_{plan.kind}")
        yield subscriptions.subscribe(member, plan, place=place, by=by, now=now), plan, cents


def checked_lines(
    member: Member,
    chosen: Sequence[tuple[Subscription, Plan, int]],
    wanted: Wanted,
    facts: dict[str, Any],
    now: datetime,
) -> list[Due]:
    """Of what was asked only what is due now, at the price that was told."""
    known = [*due_of(member.household, now), *on_request_of(member.household, now)]
    due = {(line.kind, line.subject_id): line for line in known}
    lines = []
    for subscription, plan, cents in chosen:
        if not plan.price_cents:
            facts["given"].append(subscription.pk)
            continue
        found = due.get((subscriptions.KIND, subscription.pk))
        if found is None or found.cents != cents:
            raise price_changed()
        lines.append(found)
    for line in wanted.lines:
        found = due.get((line.kind, line.subject_id))
        if found is None:
            text = _("Ce n’est plus à payer : %(label)s.") % {"label": line.label}
            raise refuse("not_due", text, "lines")
        if found.cents != line.cents:
            raise price_changed()
        if found not in lines:
            lines.append(found)
    return lines


def price_changed() -> Refused:
    return Refused(
        Reason("price_changed", _("Le prix a changé. Regardez-le, puis encaissez à nouveau."))
    )


def open_for_cash(place: Place, wanted: Wanted, cents: int, by: User, now: datetime) -> None:
    """On the way to the first coins of the day; with what else is wrong with them."""
    given = wanted.given_cents
    if wanted.float_cents is None:
        text = _("La caisse est fermée. Comptez le fond et écrivez-le.")
        reasons = [Reason("till_closed", text, "float")]
        if given is not None and given < cents:
            missing = _("Il manque %(cents)s.") % {"cents": words.money(cents - given)}
            reasons.insert(0, Reason("given_too_little", missing, "given"))
        raise Refused(reasons)
    open_till_day(place, wanted.float_cents, by=by, now=now)


@in_one_transaction
def no_tenant_any_more(member: Member, *, by: User, now: datetime) -> None:
    """The household has left its dwelling: the latest check says so, and the plans follow."""
    hold(member.household)
    keep_check(member, TenancyMethod.PAPER, False, by=by, now=now)
    subscriptions.left_the_dwelling(member.household, by=by, now=now)
