"""Who asks to be called back: told to the intermediary without a name, and receipted."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.people import spoken_phone
from club.models import Message
from marketplace.domain.callbacks import sentence_of
from marketplace.emails.letters import partner_letter
from marketplace.models import CallbackRequest


def load(ids: Iterable[int]) -> dict[int, CallbackRequest]:
    return CallbackRequest.objects.select_related("partner").in_bulk(list(ids))


def still_waits(message: Message, asked: CallbackRequest, now: datetime) -> bool:
    return asked.called_at is None and asked.withdrawn_at is None


def to_partner(message: Message, asked: CallbackRequest, now: datetime) -> Letter:
    context: dict[str, object] = {"day": words.day(asked.asked_at)}
    return partner_letter(
        "marketplace/email/callback_asked", context, message, button=_("Voir qui rappeler")
    )


def to_member(message: Message, asked: CallbackRequest, now: datetime) -> Letter:
    path = reverse("marketplace:callback", args=[asked.partner.public_id])
    context: dict[str, object] = {
        "partner": asked.partner,
        "day": words.day(asked.asked_at),
        "phone": spoken_phone(asked.phone),
        "sentence": sentence_of(asked.partner, asked.wording),
        "wording": asked.wording,
    }
    return letter_of(
        "marketplace/email/callback_receipt",
        context,
        button=_("Voir ou retirer ma demande"),
        link=settings.BASE_URL + path,
    )


def register() -> None:
    letters.register(Sort("callback.asked", CallbackRequest, load, still_waits, to_partner))
    letters.register(Sort("callback.receipt", CallbackRequest, load, still_waits, to_member))
