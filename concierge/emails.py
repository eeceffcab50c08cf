"""How lending is told: the words of each event, from the loan as it is now."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import codes, letters, links, words
from club.kernel.calendars import ics_of
from club.kernel.letters import Attachment, Letter, Sort
from club.kernel.spans import local_day
from club.models import Message
from concierge.domain.reminders import is_of_today
from concierge.enums import BEFORE_HANDOVER, LoanStatus
from concierge.kinds import entry
from concierge.models import Loan

IN_AGENDA = {"loan.reserved", "loan.moved", "loan.cancelled", "loan.renewed", "loan.lapsed"}


def load(ids: Iterable[int]) -> dict[int, Loan]:
    return Loan.objects.select_related("tool", "place").in_bulk(list(ids))


def in_status(*statuses: str) -> Callable[[Message, Loan, datetime], bool]:
    return lambda message, loan, now: loan.status in statuses


def facts_of(loan: Loan, now: datetime) -> list[tuple[str, str]]:
    today = local_day(now)
    facts = [(_("Objet"), loan.tool.name), (_("Référence"), codes.spoken(loan.reference))]
    if loan.status in BEFORE_HANDOVER:
        hours = words.span(loan.starts_at, loan.pickup_ends_at)
        facts.append((_("Retrait"), f"{words.day(loan.pickup_on, today)}, {hours}"))
    if loan.status in {*BEFORE_HANDOVER, LoanStatus.OUT}:
        facts.append((_("Retour"), words.day(loan.due_on, today)))
    facts.append((_("Où"), f"{loan.place.name}, {loan.place.address}"))
    return facts


def agenda_of(loan: Loan, link: str) -> Attachment:
    at = entry(loan)
    return Attachment("reservation.ics", ics_of([at], links={at.uid: link}), "text/calendar")


def write(message: Message, loan: Loan, now: datetime) -> Letter:
    today = local_day(now)
    context = {
        "name": loan.tool.name,
        "pickup": _("%(day)s à %(hour)s")
        % {"day": words.day(loan.pickup_on, today), "hour": words.hour(loan.starts_at)},
        "pickup_day": words.day(loan.pickup_on, today),
        "due_day": words.day(loan.due_on, today),
        "facts": facts_of(loan, now),
        "loan": loan,
    }
    template = "concierge/email/" + message.event.replace(".", "_")
    link = links.booking_link(loan.reference)
    return letter_of(
        template,
        context,
        button=_("Voir ma réservation"),
        link=link,
        short_link=links.short_booking_link(loan.reference, today),
        attachments=(agenda_of(loan, link),) if message.event in IN_AGENDA else (),
    )


WANTED: dict[str, Any] = {
    "loan.reserved": in_status(*BEFORE_HANDOVER),
    "loan.moved": in_status(*BEFORE_HANDOVER),
    "loan.cancelled": in_status(LoanStatus.CANCELLED),
    "loan.renewed": in_status(LoanStatus.OUT),
    "loan.lapsed": in_status(LoanStatus.LAPSED),
    "loan.pickup_in_7": is_of_today,
    "loan.pickup_tomorrow": is_of_today,
    "loan.due_tomorrow": is_of_today,
    "loan.late_1": is_of_today,
    "loan.late_3": is_of_today,
}


def register() -> None:
    for event, is_wanted in WANTED.items():
        letters.register(Sort(event, Loan, load, is_wanted, write))
