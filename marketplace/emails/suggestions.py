"""What became of a suggestion: for who made it, and in the end for who voted."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Message
from marketplace.enums import SuggestionStatus
from marketplace.models import Suggestion

STATES = {
    "suggestion.open": SuggestionStatus.OPEN,
    "suggestion.talking": SuggestionStatus.TALKING,
    "suggestion.joined": SuggestionStatus.JOINED,
    "suggestion.declined": SuggestionStatus.DECLINED,
}


def load(ids: Iterable[int]) -> dict[int, Suggestion]:
    return Suggestion.objects.select_related("partner").in_bulk(list(ids))


def is_wanted(message: Message, suggestion: Suggestion, now: datetime) -> bool:
    """What changed again meanwhile is told as it became."""
    return suggestion.status == STATES[message.event]


def write(message: Message, suggestion: Suggestion, now: datetime) -> Letter:
    moment = getattr(suggestion, f"{suggestion.status}_at")
    context: dict[str, object] = {
        "name": suggestion.name,
        "day": words.day(moment, local_day(now)),
        "reason": suggestion.get_declined_for_display(),
        "is_author": suggestion.member_id == message.member_id,
    }
    button, path = _("Voir les souhaits"), reverse("marketplace:wishes")
    if suggestion.status == SuggestionStatus.JOINED and suggestion.partner is not None:
        button, path = _("Voir sa page"), suggestion.partner.get_absolute_url()
    template = "marketplace/email/" + message.event.replace(".", "_")
    return letter_of(template, context, button=button, link=settings.BASE_URL + path)


def register() -> None:
    for event in STATES:
        letters.register(Sort(event, Suggestion, load, is_wanted, write))
