"""A page that nobody has confirmed for six months: is it still right?"""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.people import spoken_phone
from club.kernel.spans import local_day
from club.models import Message
from marketplace.domain.confirming import EVENT
from marketplace.emails.letters import partner_letter
from marketplace.models import Partner
from marketplace.queries import hours
from marketplace.queries.confirmed import asking, last_said
from marketplace.queries.people import people_of


def load(ids: Iterable[int]) -> dict[int, Partner]:
    return Partner.objects.prefetch_related("hours", "closures").in_bulk(list(ids))


def is_wanted(message: Message, partner: Partner, now: datetime) -> bool:
    """Nobody has confirmed it meanwhile, and this person still acts for it."""
    is_due = asking(partner, local_day(now)) is not None
    return is_due and people_of(partner).filter(user=message.user).exists()


def write(message: Message, partner: Partner, now: datetime) -> Letter:
    context: dict[str, object] = {
        "partner": partner,
        "said_on": words.date_of(last_said(partner)),
        "hours": hours.said(partner),
        "phone": spoken_phone(partner.phone) if partner.phone else "",
    }
    return partner_letter(
        "marketplace/email/partner_confirm", context, message, button=_("Relire ma page")
    )


def register() -> None:
    letters.register(Sort(EVENT, Partner, load, is_wanted, write))
