"""How many came last month."""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils.translation import gettext as _

from club.kernel import letters
from club.kernel.letters import Letter, Sort
from club.models import Message
from marketplace.domain.monthly import EVENT
from marketplace.emails.letters import partner_letter
from marketplace.models import Partner
from marketplace.queries.people import people_of
from marketplace.queries.uses import FEW, PartnerMonth, months_of


def load(ids: Iterable[int]) -> dict[int, Partner]:
    return Partner.objects.in_bulk(list(ids))


def month_of(message: Message, partner: Partner) -> PartnerMonth | None:
    """As it stands when the message leaves: a use may have been taken back."""
    first = date.fromisoformat(message.facts["month"])
    return next((one for one in months_of(partner, first) if one.month == first), None)


def is_wanted(message: Message, partner: Partner, now: datetime) -> bool:
    still_acts = people_of(partner).filter(user=message.user).exists()
    return still_acts and month_of(message, partner) is not None


def write(message: Message, partner: Partner, now: datetime) -> Letter:
    month = month_of(message, partner)
    context: dict[str, object] = {"partner": partner, "month": month, "few": FEW}
    return partner_letter(
        "marketplace/email/partner_month", context, message, button=_("Voir mes chiffres")
    )


def register() -> None:
    letters.register(Sort(EVENT, Partner, load, is_wanted, write))
