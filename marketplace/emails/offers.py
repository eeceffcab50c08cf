"""What is told of an offer: to the officers that one waits, to the partner the answer."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.models import WorkflowState

from club.emails import letter_of
from club.kernel import letters
from club.kernel.letters import Letter, Sort
from club.models import Message
from marketplace.emails.letters import partner_letter
from marketplace.models import Offer
from marketplace.queries.offers import active_state, as_offer, terms_in


def load(ids: Iterable[int]) -> dict[int, Offer]:
    return Offer.objects.select_related("partner__landlord").in_bulk(list(ids))


def state_of(message: Message, offer: Offer) -> WorkflowState | None:
    """What is open about the revision that the message tells of; a later one has its own."""
    state = active_state(offer)
    is_same = state is not None and (
        state.current_task_state.revision_id == message.facts["revision"]
    )
    return state if is_same else None


def still_waits(message: Message, offer: Offer, now: datetime) -> bool:
    state = state_of(message, offer)
    return state is not None and state.status == WorkflowState.STATUS_IN_PROGRESS


def still_refused(message: Message, offer: Offer, now: datetime) -> bool:
    state = state_of(message, offer)
    return state is not None and state.status == WorkflowState.STATUS_NEEDS_CHANGES


def still_agreed(message: Message, offer: Offer, now: datetime) -> bool:
    return offer.live_revision_id == message.facts["revision"] and offer.withdrawn_on is None


def as_proposed(message: Message, offer: Offer) -> dict[str, object]:
    """The words of the revision; the offer itself still says what is on line."""
    state = state_of(message, offer)
    if state is None:
        return {"offer": offer, "partner": offer.partner}
    task = state.current_task_state
    proposed = as_offer(offer, terms_in(task.revision.content))
    return {"offer": proposed, "partner": offer.partner, "why": task.comment}


def proposed(message: Message, offer: Offer, now: datetime) -> Letter:
    return letter_of(
        "marketplace/email/offer_proposed",
        as_proposed(message, offer),
        button=_("Relire cet avantage"),
        link=settings.BASE_URL + reverse("partner-offers"),
    )


def approved(message: Message, offer: Offer, now: datetime) -> Letter:
    context: dict[str, object] = {"offer": offer, "partner": offer.partner}
    return partner_letter(
        "marketplace/email/offer_approved", context, message, button=_("Voir mon avantage")
    )


def refused(message: Message, offer: Offer, now: datetime) -> Letter:
    return partner_letter(
        "marketplace/email/offer_refused",
        as_proposed(message, offer),
        message,
        button=_("Corriger mon avantage"),
    )


def register() -> None:
    letters.register(Sort("offer.proposed", Offer, load, still_waits, proposed))
    letters.register(Sort("offer.approved", Offer, load, still_agreed, approved))
    letters.register(Sort("offer.refused", Offer, load, still_refused, refused))
