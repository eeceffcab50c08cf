"""How plans and subscriptions look: prices, states and dates in words, for any screen."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from club.enums import Activity
from club.kernel import words
from club.kernel.spans import local_day
from club.models import Customer, Member, Place, Right
from club.queries.calendar import calendar_of
from concierge.enums import Audience, Renewal, SubscriptionStatus
from concierge.models import Plan, Subscription
from concierge.queries.plans import not_for, price_words

OPENS = {
    Activity.LENDING: ("box", gettext_lazy("Emprunter des objets")),
    Activity.SERVICES: ("bell", gettext_lazy("Demander un service")),
    Activity.EVENTS: ("calendar", gettext_lazy("Venir aux ateliers et aux fêtes")),
    Activity.CLUB: ("tag", gettext_lazy("Profiter des avantages du club")),
}
OVER = (SubscriptionStatus.ENDED, SubscriptionStatus.CANCELLED)
DAYS_SHOWN = 3


def opens(activities: list[str]) -> list[dict[str, Any]]:
    """What a plan opens, in the house's order."""
    return [
        {"icon": icon, "text": text}
        for activity, (icon, text) in OPENS.items()
        if activity in activities
    ]


def why_at_once(plan: Plan) -> str:
    """Why a price that is told by the month is not paid by the month."""
    if not plan.told_by_month or plan.months == 1 or not plan.price_cents:
        return ""
    return _("Payé en une fois : des paiements chaque mois coûteraient trop de frais.")


def for_whom(plan: Plan) -> str:
    if plan.audience == Audience.TENANT:
        return _("Pour les locataires de %(landlord)s") % {"landlord": plan.landlord.name}
    if plan.audience == Audience.LISTED:
        return _("Pour les personnes invitées")
    return _("Pour tous les habitants")


def shared_by(plan: Plan) -> str:
    return _("Pour tout le foyer") if plan.for_household else _("Pour une personne")


def length_words(plan: Plan) -> str:
    if plan.months == 12:
        return _("un an")
    return ngettext("%(number)d mois", "%(number)d mois", plan.months) % {"number": plan.months}


@dataclass(frozen=True)
class PlanCard:
    """One plan, as lists and check pages show it."""

    plan: Plan
    name: str
    price: str
    why: str
    whom: str
    shared: str
    length: str
    opens: list[dict[str, Any]]

    @property
    def line(self) -> str:
        """Its price and who shares it, on one line."""
        return _("%(price)s. %(shared)s.") % {
            "price": capfirst(self.price), "shared": self.shared,
        }  # fmt: skip


def plan_card(plan: Plan) -> PlanCard:
    return PlanCard(
        plan=plan,
        name=plan.name,
        price=price_words(plan),
        why=why_at_once(plan),
        whom=for_whom(plan),
        shared=shared_by(plan),
        length=length_words(plan),
        opens=opens(plan.activities),
    )


def by_price(plans: list[Plan]) -> list[Plan]:
    return sorted(plans, key=lambda plan: (plan.price_cents / plan.months, plan.position, plan.pk))


def beats(one: Plan, other: Plan) -> bool:
    """Whether `one` gives all that `other` gives, for as long, and costs less."""
    return (
        one.kind == other.kind
        and one.months == other.months
        and one.price_cents < other.price_cents
        and set(other.activities) <= set(one.activities)
        and (one.for_household or not other.for_household)
    )


def worth_showing(plans: list[Plan]) -> list[Plan]:
    """Nobody is offered 5 € for what they may have for 1 €."""
    return by_price([plan for plan in plans if not any(beats(better, plan) for better in plans)])


def if_tenant(member: Member, offered: list[Plan]) -> list[Plan]:
    """The plans that a proof of tenancy would open, where they beat what is offered now."""
    plans = Plan.objects.filter(
        landlord=member.household.landlord_id, audience=Audience.TENANT, is_offered=True
    ).select_related("landlord")
    closed = [plan for plan in plans if not_for(member, plan) is not None]
    kinds = {plan.kind for plan in offered}
    return by_price(
        [
            plan
            for plan in closed
            if plan.kind not in kinds or any(beats(plan, other) for other in offered)
        ]
    )


# -- A subscription as it stands -----------------------------------------------------------


@dataclass(frozen=True)
class Chip:
    """Colour, icon and word of a state, always the three."""

    kind: str
    icon: str
    text: str


@dataclass(frozen=True)
class Standing:
    """One subscription on one day: what it is, until when, how it goes on, who pays."""

    subscription: Subscription
    chip: Chip
    until: str
    more: str
    price: str
    renewal: str
    payer: str
    opens: list[dict[str, Any]]
    is_open: bool
    is_late: bool
    is_awaited: bool


def is_late(subscription: Subscription, today: date) -> bool:
    """Late by its status, or by its date before the night's work has seen it."""
    if subscription.status == SubscriptionStatus.LATE:
        return True
    until = subscription.paid_until
    return (
        subscription.status == SubscriptionStatus.ACTIVE
        and until is not None
        and until < today
        and (subscription.next_plan or subscription.plan).price_cents > 0
        and not subscription.stops_at_end
    )


def awaited_until(subscription: Subscription, today: date) -> date | None:
    """Until when a debit under way opens the door."""
    return (
        Right.objects.filter(
            household=subscription.household_id,
            origin__startswith=f"awaited:{subscription.pk}:",
            revoked_at=None,
            ends_on__gte=today,
        )
        .values_list("ends_on", flat=True)
        .first()
    )


def chip_of(subscription: Subscription, today: date, awaited: bool) -> Chip:
    if subscription.status in OVER:
        return Chip("info", "cross", _("Arrêté"))
    if subscription.status == SubscriptionStatus.PAUSED:
        return Chip("aside", "pause", _("En pause"))
    if awaited:
        return Chip("aside", "clock", _("Paiement en cours"))
    if subscription.status == SubscriptionStatus.PENDING:
        return Chip("aside", "clock", _("En attente"))
    if is_late(subscription, today):
        return Chip("late", "warning", _("En retard"))
    if subscription.payment_failed_at:
        return Chip("late", "warning", _("Paiement refusé"))
    return Chip("ok", "check", _("À jour"))


def until_words(subscription: Subscription, today: date, awaited: date | None) -> str:
    until = subscription.paid_until
    if subscription.status == SubscriptionStatus.PENDING and awaited:
        return _("Ouvert jusqu’au %(day)s") % {"day": words.day(awaited, today)}
    if until is None:
        return _("Pas encore payé")
    day = {"day": words.day(until, today)}
    if subscription.status in OVER or until < today:
        return _("Terminé le %(day)s") % day
    return _("Jusqu’au %(day)s") % day


def more_words(
    subscription: Subscription, today: date, awaited: date | None, under_way: bool
) -> str:
    """The one sentence that says what comes next."""
    grace = subscription.grace_ends_on
    if subscription.status in OVER:
        return _("Choisissez une formule pour reprendre.")
    if subscription.status == SubscriptionStatus.PAUSED:
        return _("Il est mis de côté. L’accueil le reprend quand vous voulez.")
    if awaited:
        return _("Rien à faire. Les objets de valeur attendent que l’argent arrive.")
    if under_way:
        return _("Rien à faire. La banque met quelques jours.")
    if subscription.status == SubscriptionStatus.PENDING:
        return _("Il commence le jour où il est payé.")
    if subscription.stops_at_end:
        return _("Il s’arrête ensuite. Rien d’autre ne sera payé.")
    if is_late(subscription, today) or subscription.payment_failed_at:
        if grace is None or grace < today:
            return _("Payez pour pouvoir de nouveau emprunter.")
        day = words.day(grace, today)
        return _("Payez avant le %(day)s pour ne rien perdre.") % {"day": day}
    if subscription.next_plan is not None:
        return _("Ensuite : formule « %(plan)s », %(price)s.") % {
            "plan": subscription.next_plan.name,
            "price": price_words(subscription.next_plan),
        }
    return ""


def renewal_words(subscription: Subscription, today: date) -> str:
    if subscription.status in OVER:
        return _("Arrêté")
    if subscription.stops_at_end:
        return _("Aucun : il s’arrête à la fin")
    if subscription.renewal == Renewal.ONLINE:
        return _("Prélevé tout seul à chaque fin")
    if not (subscription.next_plan or subscription.plan).price_cents:
        return _("Tout seul, gratuitement")
    return _("À la main : nous vous le rappelons")


def payer_words(subscription: Subscription, member: Member) -> str:
    """Who pays: somebody of the household, the landlord, or nobody."""
    if not subscription.plan.price_cents:
        return _("Personne : c’est gratuit")
    last = subscription.periods.filter(revoked_at=None).order_by("-starts_on").first()
    if last is not None and last.source.startswith("sponsorship:"):
        return subscription.plan.landlord.name
    if subscription.renewal == Renewal.ONLINE:
        customer = Customer.objects.filter(household=subscription.household_id).first()
        if customer is not None and customer.payer_id != member.pk:
            return customer.payer.first_name
        return _("Vous")
    return _("Votre foyer") if subscription.member_id is None else _("Vous")


def standing_of(subscription: Subscription, member: Member, now: datetime) -> Standing:
    today = local_day(now)
    unpaid = subscription.status in {SubscriptionStatus.PENDING, SubscriptionStatus.LATE}
    awaited = awaited_until(subscription, today) if unpaid else None
    under_way = awaited is not None or (
        subscription.status == SubscriptionStatus.PENDING and subscription.provider_id is not None
    )
    return Standing(
        subscription=subscription,
        chip=chip_of(subscription, today, under_way),
        until=until_words(subscription, today, awaited),
        more=more_words(subscription, today, awaited, under_way),
        price=price_words(
            subscription.plan
            if subscription.paid_until
            else subscription.next_plan or subscription.plan
        ),
        renewal=renewal_words(subscription, today),
        payer=payer_words(subscription, member),
        opens=opens(subscription.plan.activities),
        is_open=subscription.status not in OVER,
        is_late=is_late(subscription, today),
        is_awaited=under_way,
    )


def hours_of(place: Place, now: datetime) -> list[dict[str, str]]:
    """The next open days of a place with their hours, for whoever comes to pay."""
    today = local_day(now)
    calendar = calendar_of(place)
    found = []
    for day in calendar.open_days(today):
        spans = [span for span in calendar.spans(day) if span.ends_at > now]
        if not spans:
            continue
        hours = ", ".join(words.span(span.starts_at, span.ends_at) for span in spans)
        found.append({"day": capfirst(words.day(day, today)), "hours": hours})
        if len(found) == DAYS_SHOWN:
            break
    return found
