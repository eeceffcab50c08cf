"""What came of a refused offer, for the member; its terms once more, for the partner."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from club.emails import letter_of
from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Message
from marketplace.domain.reports import is_still_a_fault
from marketplace.emails.letters import partner_letter
from marketplace.enums import ReportStatus
from marketplace.models import Offer, RefusalReport


def load_reports(ids: Iterable[int]) -> dict[int, RefusalReport]:
    return RefusalReport.objects.select_related("offer__partner").in_bulk(list(ids))


def in_state(status: str) -> Callable[[Message, Any, datetime], bool]:
    return lambda message, report, now: bool(report.status == status)


def answer(message: Message, report: RefusalReport, now: datetime) -> Letter:
    partner = report.offer.partner
    context: dict[str, object] = {
        "partner": partner.name,
        "day": words.day(report.happened_on, local_day(now)),
        "offer": report.offer,
    }
    template = "marketplace/email/" + message.event.replace(".", "_")
    path = reverse("marketplace:directory")
    return letter_of(
        template, context, button=_("Voir les avantages"), link=settings.BASE_URL + path
    )


# -- The partner -------------------------------------------------------------------------------


def load_offers(ids: Iterable[int]) -> dict[int, Offer]:
    return Offer.objects.select_related("partner").in_bulk(list(ids))


def week_in(message: Message) -> date:
    return date.fromisoformat(message.facts["week"])


def is_wanted(message: Message, offer: Offer, now: datetime) -> bool:
    return offer.live and offer.withdrawn_on is None and is_still_a_fault(offer, week_in(message))


def remind(message: Message, offer: Offer, now: datetime) -> Letter:
    context: dict[str, object] = {
        "offer": offer,
        "week": words.day(week_in(message), local_day(now)),
        "partner": offer.partner.name,
    }
    return partner_letter(
        "marketplace/email/report_terms", context, message, button=_("Voir mon offre")
    )


def register() -> None:
    for status in (ReportStatus.SETTLED, ReportStatus.UNFOUNDED, ReportStatus.WITHDRAWN):
        event = f"report.{status}"
        letters.register(Sort(event, RefusalReport, load_reports, in_state(status), answer))
    letters.register(Sort("report.terms", Offer, load_offers, is_wanted, remind))
