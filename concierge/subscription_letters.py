"""How a subscription is told: each event in words, from the subscription as it is now."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Message
from club.queries.paying import pays_online
from concierge.domain.renewal_reminders import CARD, ENDS, LATE, SEPA, is_of_today
from concierge.enums import OPEN_SUBSCRIPTIONS, Renewal, SubscriptionStatus
from concierge.models import Subscription
from concierge.queries.plans import price_words

TO_PAY = {*ENDS, *LATE, "subscription.payment_failed", "subscription.ended"}
DEBITED = {SEPA, CARD}


def load(ids: Iterable[int]) -> dict[int, Subscription]:
    return Subscription.objects.select_related(
        "plan__landlord", "next_plan__landlord", "place", "household"
    ).in_bulk(list(ids))


def has_started(message: Message, one: Subscription, now: datetime) -> bool:
    return one.status == SubscriptionStatus.ACTIVE


def is_unpaid(message: Message, one: Subscription, now: datetime) -> bool:
    return one.payment_failed_at is not None and one.status in OPEN_SUBSCRIPTIONS


def is_stopping(message: Message, one: Subscription, now: datetime) -> bool:
    return one.stops_at_end and one.status in OPEN_SUBSCRIPTIONS


def has_ended(message: Message, one: Subscription, now: datetime) -> bool:
    return one.status == SubscriptionStatus.ENDED


def changes_plan(message: Message, one: Subscription, now: datetime) -> bool:
    """What is not paid yet has no day from which on it changes; its page says the rest."""
    if one.status not in OPEN_SUBSCRIPTIONS or one.paid_until is None:
        return False
    return one.next_plan_id is not None or one.stops_at_end


def will_be_debited(message: Message, one: Subscription, now: datetime) -> bool:
    """A notice of the day is of its day; one that names its own date holds until then."""
    if "day" in message.facts:
        return is_of_today(message, one, now)
    on = message.facts.get("on")
    return (
        one.renewal == Renewal.ONLINE
        and one.status in OPEN_SUBSCRIPTIONS
        and not one.stops_at_end
        and (on is None or date.fromisoformat(on) >= local_day(now))
    )


WANTED: dict[str, Any] = {
    "subscription.started": has_started,
    "subscription.payment_failed": is_unpaid,
    "subscription.stopping": is_stopping,
    "subscription.ended": has_ended,
    "subscription.next_plan": changes_plan,
    SEPA: will_be_debited,
    CARD: will_be_debited,
    **dict.fromkeys([*ENDS, *LATE], is_of_today),
}


def debit_day(message: Message, one: Subscription) -> date | None:
    on = message.facts.get("on")
    if on:
        return date.fromisoformat(on)
    return one.paid_until + timedelta(days=1) if one.paid_until else None


def facts_of(message: Message, one: Subscription, said: dict[str, Any]) -> list[tuple[str, str]]:
    if message.event in DEBITED:
        facts = [(_("Montant"), said["money"]), (_("Date"), said["debit_day"])]
        if message.event == SEPA and message.facts.get("mandate"):
            facts.append((_("Mandat"), message.facts["mandate"]))
        if message.event == SEPA and message.facts.get("last4"):
            facts.append((_("Compte"), _("finit par %(end)s") % {"end": message.facts["last4"]}))
        facts.append((_("Pour"), said["name"]))
        return facts
    facts = [(_("Formule"), said["name"]), (_("Prix"), said["price"])]
    if said["until"]:
        label = _("Terminé") if one.status == SubscriptionStatus.ENDED else _("Jusqu’au")
        facts.append((label, said["until"]))
    if message.event in TO_PAY:
        facts.append((_("Où payer"), said["where"]))
    return facts


def words_of(message: Message, one: Subscription, now: datetime) -> dict[str, Any]:
    """All that a letter may need, in words; what does not apply is empty."""
    today = local_day(now)

    def said(day: date | None) -> str:
        return words.day(day, today) if day else ""

    plan = one.plan if message.event == "subscription.started" else one.next_plan or one.plan
    grace = one.grace_ends_on
    desk = f"{one.place.name}, {one.place.address}"
    return {
        "name": one.plan.name,
        "next_name": one.next_plan.name if one.next_plan else "",
        "price": price_words(plan),
        "money": words.money(message.facts.get("cents", plan.price_cents)),
        "until": said(one.paid_until),
        "after": said(one.paid_until + timedelta(days=1)) if one.paid_until else "",
        "grace": said(grace) if grace and grace >= today and one.plan.grace_days else "",
        "failed_day": said(local_day(one.payment_failed_at)) if one.payment_failed_at else "",
        "debit_day": said(debit_day(message, one)),
        "today": said(today),
        "where": _("en ligne, ou à l’accueil : %(desk)s") % {"desk": desk}
        if pays_online(one.place)
        else desk,
    }


def write(message: Message, one: Subscription, now: datetime) -> Letter:
    context = words_of(message, one, now)
    context["facts"] = facts_of(message, one, context)
    template = "concierge/email/" + message.event.replace(".", "_")
    link = settings.BASE_URL + reverse("portal:subscription")
    to_pay = message.event in TO_PAY
    return letter_of(
        template,
        context,
        button=_("Payer mon abonnement") if to_pay else _("Voir mon abonnement"),
        link=link,
    )


def register() -> None:
    for event, is_wanted in WANTED.items():
        letters.register(Sort(event, Subscription, load, is_wanted, write))
