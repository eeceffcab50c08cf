"""Which plans are for whom, and how their prices are told."""

from datetime import date, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.enums import TenancyResult
from club.kernel import words
from club.kernel.refusal import Reason
from club.models import Household, Member, TenancyCheck
from concierge.enums import OPEN_SUBSCRIPTIONS, Audience, PlanKind
from concierge.models import Plan, PlanListing, Subscription


def is_tenant(household: Household) -> bool:
    """What the latest check of anybody of the household said."""
    latest = (
        TenancyCheck.objects.filter(member__household=household)
        .order_by("-checked_on", "-pk")
        .values_list("result", flat=True)
        .first()
    )
    return latest == TenancyResult.YES


def not_for(member: Member, plan: Plan) -> Reason | None:
    """Why a plan is not for a member, if it is not."""
    if plan.landlord_id != member.household.landlord_id:
        return Reason("other_landlord", _("Cette formule est d’un autre bailleur."), "plan")
    if plan.audience == Audience.TENANT and not is_tenant(member.household):
        text = _("Cette formule est pour les locataires. Montrez une quittance à l’accueil.")
        return Reason("tenants_only", text, "plan")
    if plan.audience == Audience.LISTED:
        listed = PlanListing.objects.filter(plan=plan, member__household=member.household)
        if not listed.exists():
            return Reason(
                "listed_only", _("Cette formule est pour une liste de personnes."), "plan"
            )
    return None


def offered_plans(member: Member, kind: str | None = None) -> list[Plan]:
    """The plans that a member may take now, the cheapest first."""
    plans = Plan.objects.filter(landlord_id=member.household.landlord_id, is_offered=True)
    if kind is not None:
        plans = plans.filter(kind=kind)
    return [plan for plan in plans if not_for(member, plan) is None]


def best_plan(member: Member, kind: str = PlanKind.SUBSCRIPTION) -> Plan | None:
    """The cheapest of them by the month."""
    plans = offered_plans(member, kind)
    return min(
        plans, key=lambda plan: (plan.price_cents / plan.months, plan.position), default=None
    )


def subscriptions_of(member: Member) -> QuerySet[Subscription]:
    """A member's own and their household's, the open ones first."""
    mine = Q(member=None) | Q(member=member)
    return (
        Subscription.objects.filter(mine, household=member.household)
        .select_related("plan", "next_plan", "household")
        .order_by("-created_at", "-pk")
    )


def open_subscription(member: Member, kind: str) -> Subscription | None:
    """The one that is pending, active, late or paused; of two, the household's."""
    found = subscriptions_of(member).filter(kind=kind, status__in=OPEN_SUBSCRIPTIONS)
    return min(found, key=lambda one: one.member_id is not None, default=None)


def price_words(plan: Plan) -> str:
    """ "1 € par mois, payé 12 € par an" — the whole truth in one line."""
    if not plan.price_cents:
        return _("gratuit")
    price = words.money(plan.price_cents)
    if plan.months == 1:
        return _("%(price)s par mois") % {"price": price}
    length = (
        _("par an")
        if plan.months == 12
        else ngettext("pour %(number)d mois", "pour %(number)d mois", plan.months)
        % {"number": plan.months}
    )
    if plan.told_by_month and plan.price_cents % plan.months == 0:
        each = words.money(plan.price_cents // plan.months)
        return _("%(each)s par mois, payé %(price)s %(length)s") % {
            "each": each, "price": price, "length": length,
        }  # fmt: skip
    return f"{price} {length}"


def renews_from(subscription: Subscription) -> date | None:
    """From which day the next period may be paid by hand: not much sooner, or twice is easy."""
    if subscription.paid_until is None:
        return None
    return subscription.paid_until - renewal_window(subscription.plan)


def renewal_window(plan: Plan) -> timedelta:
    return timedelta(days=min(60, plan.months * 15))
