"""The link that lets a partner's person in."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from club.kernel import letters
from club.kernel.letters import Letter, Sort
from club.models import Message
from marketplace.emails.letters import partner_letter
from marketplace.models import PartnerPerson


def load(ids: Iterable[int]) -> dict[int, PartnerPerson]:
    return PartnerPerson.objects.select_related("partner", "user").in_bulk(list(ids))


def is_wanted(message: Message, person: PartnerPerson, now: datetime) -> bool:
    return person.left_at is None


def write(message: Message, person: PartnerPerson, now: datetime) -> Letter:
    context: dict[str, object] = {"partner": person.partner, "person": person}
    return partner_letter(
        "marketplace/email/partner_entry", context, message, button=_("Entrer dans mon espace")
    )


def register() -> None:
    letters.register(Sort("partner.entry", PartnerPerson, load, is_wanted, write))
