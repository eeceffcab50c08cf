"""How a question about how it went is told: three faces, each a link with its word."""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from club.domain.opinions import EVENT, LATELY, may_answer
from club.emails import letter_of
from club.enums import Face
from club.kernel import letters, links, opinions, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Message, Opinion


def load(ids: Iterable[int]) -> dict[int, Opinion]:
    return Opinion.objects.select_related("member", "place").in_bulk(list(ids))


def is_wanted(message: Message, opinion: Opinion, now: datetime) -> bool:
    """Not after some days in an outbox that stood still: nobody remembers by then."""
    is_fresh = now < opinion.asked_at + LATELY
    return is_fresh and not opinion.face and may_answer(opinion, now)


def write(message: Message, opinion: Opinion, now: datetime) -> Letter:
    reference = opinion.reference
    context: dict[str, object] = {
        "label": opinion.label,
        "about": opinions.about(opinion.kind, opinion.label),
        "day": words.day(date.fromisoformat(message.facts["on"]), local_day(now)),
        "faces": [(capfirst(face.label), links.opinion_link(reference, face)) for face in Face],
        "stop": links.no_more_opinions_link(reference),
    }
    return letter_of(
        "club/email/opinion_asked",
        context,
        button=_("Ouvrir la question"),
        link=links.opinion_link(reference),
        short_link=links.short_opinion_link(reference, local_day(now)),
    )


def register() -> None:
    letters.register(Sort(EVENT, Opinion, load, is_wanted, write))
