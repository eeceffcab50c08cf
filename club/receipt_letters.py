"""How a receipt is told: the whole receipt in the letter itself, and where to print it."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Message, Receipt


def load(ids: Iterable[int]) -> dict[int, Receipt]:
    found = Receipt.objects.select_related("place", "cancels", "cancelled_by")
    return found.prefetch_related("entries").in_bulk(list(ids))


def is_cancelled(receipt: Receipt) -> bool:
    return hasattr(receipt, "cancelled_by")


def title_of(receipt: Receipt) -> str:
    """ "Reçu 2027-000012", or the receipt that undoes one."""
    if receipt.cancels_id is not None:
        return _("Reçu %(number)s, annule le %(other)s") % {
            "number": receipt, "other": receipt.cancels,
        }  # fmt: skip
    return _("Reçu %(number)s") % {"number": receipt}


def facts_of(receipt: Receipt, now: datetime) -> list[tuple[str, str]]:
    place = receipt.place
    facts = [
        (_("Reçu"), str(receipt)),
        (_("Date"), words.day(receipt.issued_at, local_day(now))),
    ]
    facts += [
        (entry.label, words.money(entry.cents))
        for entry in sorted(receipt.entries.all(), key=lambda entry: entry.pk)
    ]
    facts += [
        (_("Total"), words.money(receipt.cents)),
        (_("Moyen"), receipt.get_means_display()),
        (_("Payé à"), place.payee or place.name),
    ]
    if receipt.cancels is not None:
        facts.append((_("Annule"), str(receipt.cancels)))
    return facts


def write(message: Message, receipt: Receipt, now: datetime) -> Letter:
    context = {
        "receipt": receipt,
        "money": words.money(abs(receipt.cents)),
        "day": words.day(receipt.issued_at, local_day(now)),
        "facts": facts_of(receipt, now),
    }
    template = "club/email/" + message.event.replace(".", "_")
    link = settings.BASE_URL + reverse("portal:receipt", args=[receipt.pk])
    return letter_of(
        template,
        context,
        button=_("Voir mon reçu"),
        link=link,
    )


def is_still_a_receipt(message: Message, receipt: Receipt, now: datetime) -> bool:
    """What was cancelled before it was told is told by its opposite alone."""
    return not is_cancelled(receipt)


def always(message: Message, receipt: Receipt, now: datetime) -> bool:
    return True


def register() -> None:
    letters.register(Sort("receipt.issued", Receipt, load, is_still_a_receipt, write))
    letters.register(Sort("receipt.cancelled", Receipt, load, always, write))
