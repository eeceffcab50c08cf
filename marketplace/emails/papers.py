"""A paper that lapses, has lapsed, was accepted or is to be sent again: for the partner."""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils.translation import gettext as _

from club.kernel import letters, words
from club.kernel.letters import Letter, Sort
from club.kernel.spans import local_day
from club.models import Message
from marketplace.emails.letters import partner_letter
from marketplace.enums import DocumentStatus, PartnerKind, PartnerStatus, Trade
from marketplace.models import Partner, PartnerDocument
from marketplace.queries.lapses import Lapse, lapses_of
from marketplace.queries.shown import partners_shown, trades_shown


def load(ids: Iterable[int]) -> dict[int, PartnerDocument]:
    found = PartnerDocument.objects.select_related("partner__landlord")
    return found.prefetch_related("partner__trades", "partner__documents__trades").in_bulk(
        list(ids)
    )


def lapse_of(document: PartnerDocument, on: date) -> Lapse | None:
    found = lapses_of(document.partner, on)
    return next((one for one in found if one.document.pk == document.pk), None)


def is_of_now(message: Message, document: PartnerDocument, now: datetime) -> bool:
    """Whether the paper still ends, and no later term has come meanwhile."""
    lapse = lapse_of(document, local_day(now))
    is_live = document.partner.status == PartnerStatus.LIVE
    return is_live and lapse is not None and lapse.term == message.facts["term"]


def is_as_told(message: Message, document: PartnerDocument, now: datetime) -> bool:
    """Whether staff have not said otherwise since."""
    is_accepted = message.event == "paper.accepted"
    moment = document.accepted_at if is_accepted else document.refused_at
    wanted = DocumentStatus.ACCEPTED if is_accepted else DocumentStatus.REFUSED
    return document.status == wanted and moment == datetime.fromisoformat(message.facts["at"])


def named(trades: Iterable[str]) -> str:
    """ "plomberie, chauffage"."""
    return ", ".join(str(Trade(trade).label) for trade in trades)


def shown_of(partner: Partner, on: date) -> tuple[bool, list[str]]:
    """Whether residents see its page today, and for which trades."""
    if partner.kind == PartnerKind.ARTISAN:
        rows = trades_shown(partner.landlord, on).filter(partner=partner)
        trades = list(rows.order_by("pk").values_list("trade", flat=True))
        return bool(trades), trades
    return partners_shown(partner.landlord, on).filter(pk=partner.pk).exists(), []


def write(message: Message, document: PartnerDocument, now: datetime) -> Letter:
    today = local_day(now)
    is_shown, trades = shown_of(document.partner, today)
    lapse = lapse_of(document, today) if message.event == "paper.lapses" else None
    context: dict[str, object] = {
        "paper": document.get_kind_display(),
        "day": words.day(document.ends_on, today),
        "received": words.day(document.received_at, today),
        "reason": document.get_refused_for_display(),
        "is_over": lapse is not None and lapse.term == 0,
        "is_renewed": lapse is not None and lapse.is_renewed,
        "lost": named(lapse.trades) if lapse else "",
        "is_shown": is_shown,
        "trades": named(trades),
    }
    template = "marketplace/email/" + message.event.replace(".", "_")
    button = _("Voir mes papiers") if message.event == "paper.accepted" else _("Envoyer le papier")
    return partner_letter(template, context, message, button=button)


def register() -> None:
    letters.register(Sort("paper.lapses", PartnerDocument, load, is_of_now, write))
    letters.register(Sort("paper.accepted", PartnerDocument, load, is_as_told, write))
    letters.register(Sort("paper.refused", PartnerDocument, load, is_as_told, write))
