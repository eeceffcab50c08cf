"""How lending looks: slots, tickets and cards, in words, for any screen that shows them."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, ngettext_lazy

from club.kernel import codes, words
from club.kernel.spans import Span, local_day
from club.models import Place
from club.queries.calendar import Calendar, calendar_of
from concierge.enums import BEFORE_HANDOVER, Condition, CopyStatus, LoanStatus, PriceClass
from concierge.forms import Slot
from concierge.models import Copy, LendingPolicy, Loan, Tool
from concierge.queries.availability import Availability, Window, pickup_spans


@dataclass(frozen=True)
class SlotButton:
    """One proposed day, as `{% slot_button %}` draws it."""

    value: str
    label: str
    sub: str
    taken: bool = False


def span_words(span: Span, starts_at: datetime) -> str:
    if starts_at > span.starts_at:
        return _("jusqu’à %(hour)s") % {"hour": words.hour(span.ends_at)}
    return words.span(span.starts_at, span.ends_at)


def hours_words(calendar: Calendar, starts_at: datetime, ends_at: datetime) -> str:
    """When one may come between two instants of a day: "de 9 h à 12 h ou de 14 h à 18 h"."""
    spans = [
        span
        for span in calendar.spans(local_day(starts_at))
        if span.ends_at > starts_at and span.starts_at < ends_at
    ]
    if not spans:
        return _("avant %(hour)s") % {"hour": words.hour(ends_at)}
    said = [span_words(span, starts_at) for span in spans]
    if len(said) == 1:
        return said[0]
    return _("%(first)s ou %(last)s") % {"first": ", ".join(said[:-1]), "last": said[-1]}


def slot_buttons(
    proposals: list[Window], place: Place, policy: LendingPolicy, now: datetime, *, due: bool
) -> list[SlotButton]:
    """Buttons for proposed windows; with `due` each tells its return day too.

    A day that is free from its first span on is offered whole: one may come in any
    of its hours. Else the button names the span at which the object is back.
    """
    calendar = calendar_of(place)
    today = local_day(now)
    buttons = []
    for proposal in proposals:
        day = words.day(proposal.day, today)
        if not proposal.is_free:
            buttons.append(SlotButton("", capfirst(day), "", taken=True))
            continue
        first = next(pickup_spans(calendar, policy, now, proposal.day))
        whole = first.starts_at == proposal.starts_at
        slot = Slot(proposal.day, None if whole else proposal.starts_at)
        closes_at = calendar.closes_at(proposal.day) if whole else proposal.pickup_ends_at
        sub = hours_words(calendar, proposal.starts_at, closes_at or proposal.pickup_ends_at)
        label = _("Venir %(day)s") % {"day": day}
        if proposal.day == today:
            label = _("Venir aujourd’hui")
            sub = f"{day}, {sub}"
        if due:
            sub = _("%(hours)s. Retour %(day)s.") % {
                "hours": sub,
                "day": words.day(proposal.due_on, today),
            }
        buttons.append(SlotButton(str(slot), label, sub))
    return buttons


def length_words(days: int) -> str:
    """ "une semaine", "deux semaines", "10 jours"."""
    if days % 7 == 0 and days < 35:
        weeks = [_("une semaine"), _("deux semaines"), _("trois semaines"), _("quatre semaines")]
        return weeks[days // 7 - 1]
    return ngettext("%(days)d jour", "%(days)d jours", days) % {"days": days}


def terms(tool: Tool, policy: LendingPolicy) -> str:
    """ "Prêt d’une semaine, gratuit.": how long and for how much."""
    length = length_words(policy.loan_days)
    price = str(tool.get_price_class_display())
    if tool.price_class != PriceClass.FREE:
        price = price.replace(" ", words.NBSP)
    if policy.loan_days == 7:
        return _("Prêt d’une semaine, %(price)s.") % {"price": price}
    return _("Prêt de %(length)s, %(price)s.") % {"length": length, "price": price}


def deposit_words(tool: Tool) -> str:
    """ "Caution : chèque de 30 €.", or the landlord's own words where there is none."""
    if not tool.deposit or is_without_deposit(tool):
        return f"{capfirst(tool.deposit)}." if tool.deposit else ""
    return _("Caution : %(deposit)s.") % {"deposit": tool.deposit}


def is_without_deposit(tool: Tool) -> bool:
    return tool.deposit.lower().startswith(("sans", "aucun", "pas de"))


def lengths(policy: LendingPolicy) -> list[tuple[int, str]]:
    """The loan lengths that a person may choose: days, weeks, the usual and the longest."""
    days = {1, 3, 7, 14, 21, 28, policy.loan_days, policy.max_days}
    return [
        (number, capfirst(length_words(number)))
        for number in sorted(days)
        if number <= policy.max_days
    ]


def copies_words(copies: list[Copy]) -> list[str]:
    """ "2 exemplaires en bon état", "1 exemplaire en réparation"."""
    counts = Counter(
        copy.condition if copy.status == CopyStatus.ACTIVE else CopyStatus.REPAIR for copy in copies
    )
    said = {
        Condition.NEW: ngettext_lazy("%d exemplaire neuf", "%d exemplaires neufs"),
        Condition.GOOD: ngettext_lazy("%d exemplaire en bon état", "%d exemplaires en bon état"),
        Condition.WORN: ngettext_lazy("%d exemplaire usé", "%d exemplaires usés"),
        CopyStatus.REPAIR: ngettext_lazy(
            "%d exemplaire en réparation", "%d exemplaires en réparation"
        ),
    }
    return [str(words % counts[state]) for state, words in said.items() if counts[state]]


def object_card(tool: Tool, availability: Availability) -> dict[str, Any]:
    can_reserve = availability.on is not None
    return {
        "url": reverse("concierge:tool", args=[tool.public_id]),
        "name": tool.name,
        "picture": tool.picture,
        "photo": tool.photo,
        "wall": tool.department.wall,
        "availability": {"state": availability.state, "text": availability.text},
        "action_label": _("Réserver") if can_reserve else _("Voir l’objet"),
    }


def ticket(loan: Loan, today: date) -> dict[str, Any]:
    """The cloakroom ticket: what, reference, when, where, until when."""
    place = loan.place
    calendar = calendar_of(place)
    fetched = loan.status in {LoanStatus.OUT, LoanStatus.RETURNED, LoanStatus.LOST}
    rows = []
    if fetched and loan.out_at:
        rows.append(row("calendar", _("Emprunté"), local_day(loan.out_at), "", today))
    else:
        hours = hours_words(calendar, loan.starts_at, loan.pickup_ends_at)
        rows.append(row("calendar", _("À retirer"), loan.pickup_on, hours, today))
    rows.append({"icon": "pin", "label": _("Où"), "strong": place.name, "text": place.address})
    if loan.status == LoanStatus.RETURNED and loan.returned_at:
        rows.append(row("return", _("Rendu"), local_day(loan.returned_at), "", today))
    else:
        closes_at = calendar.closes_at(loan.due_on) or loan.ends_at
        before = _("avant %(hour)s") % {"hour": words.hour(closes_at)}
        if not calendar.is_open_day(loan.due_on):
            before = ""
        rows.append(row("return", _("À rendre"), loan.due_on, before, today))
    if loan.status in BEFORE_HANDOVER and loan.tool.deposit and not is_without_deposit(loan.tool):
        rows.append(
            {
                "icon": "info",
                "label": _("Caution à apporter"),
                "strong": capfirst(loan.tool.deposit),
                "text": "",
            }
        )
    return {
        "title": loan.tool.name,
        "reference": codes.spoken(loan.reference),
        "picture": loan.tool.picture,
        "photo": loan.tool.photo,
        "wall": loan.tool.department.wall,
        "rows": rows,
    }


def row(icon: str, label: str, day: date, text: str, today: date) -> dict[str, str]:
    return {"icon": icon, "label": label, "strong": capfirst(words.day(day, today)), "text": text}
