"""The day at the counter: what to prepare, to give, to expect, to mend, to check."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import codes, words
from club.kernel.spans import local_day
from club.models import Place
from club.queries.calendar import calendar_of
from concierge.models import Loan, Repair
from concierge.queries import loans
from desk.screen import shelf_of
from events.queries.door import sessions_of_day

SHOWN = 6
"""How many lines of each part stand on the board; the printed day has them all."""


@dataclass(frozen=True)
class Entry:
    """One line: `end` is what counts (an hour, a shelf, days), `when` is for paper."""

    text: str
    end: str
    url: str = ""
    when: str = ""
    tool: str = ""
    label: str = ""
    name: str = ""
    is_page: bool = False
    """Whether `url` is a page of its own, and no state of the counter."""


@dataclass
class Part:
    key: str
    title: str
    icon: str = ""
    entries: list[Entry] = field(default_factory=list)

    @property
    def shown(self) -> list[Entry]:
        return self.entries[:SHOWN]

    @property
    def hidden(self) -> int:
        return max(0, len(self.entries) - SHOWN)


def copy_url(label: str) -> str:
    return f"{reverse('desk:home')}?{urlencode({'objet': label})}"


def member_url(member_id: int) -> str:
    return f"{reverse('desk:home')}?{urlencode({'membre': member_id})}"


def late_words(days: int) -> str:
    return ngettext("%(days)d jour", "%(days)d jours", days) % {"days": days}


def board(place: Place, now: datetime) -> list[Part]:
    """The parts of the day, in the order in which the morning goes."""
    today = local_day(now)
    calendar = calendar_of(place)
    following = calendar.next_open_day(today + timedelta(days=1)) or today

    def soon(loan: Loan) -> str:
        if loan.pickup_on == today:
            return words.hour(loan.starts_at)
        return words.weekday(loan.pickup_on)

    def line(loan: Loan, end: str, url: str = "", when: str = "") -> Entry:
        name = loan.member.short_name.replace(" ", words.NBSP)
        return Entry(
            text=f"{loan.tool.name}, {name}",
            end=end,
            url=url or copy_url(loan.copy.label),
            when=when or end,
            tool=loan.tool.name,
            label=codes.spoken(loan.copy.label),
            name=loan.member.short_name,
        )

    prepare = Part("prepare", _("À préparer"))
    stranded = list(loans.without_a_copy(place, following))
    stuck = {loan.pk for loan in stranded}
    for loan in loans.to_prepare(place, following):
        if loan.pk not in stuck:
            prepare.entries.append(line(loan, soon(loan)))
    give = Part("give", _("À remettre"))
    for loan in loans.set_aside_now(place):
        end = shelf_of(loan.copy)
        give.entries.append(line(loan, end, member_url(loan.member_id), soon(loan)))
    late = Part("late", _("En retard"), "warning")
    back = Part("back", _("Retours du jour"))
    for loan in loans.due_until(place, today):
        days = loan.days_late(today)
        part = late if days else back
        end = late_words(days) if days else shelf_of(loan.copy)
        part.entries.append(line(loan, end, member_url(loan.member_id)))
    repair = Part("repair", _("À réparer"), "spanner")
    repair.entries.extend(repair_line(ticket) for ticket in loans.open_repairs(place))
    check = Part("check", _("À vérifier"), "question")
    for loan in stranded:
        check.entries.append(line(loan, _("pas revenu"), member_url(loan.member_id), soon(loan)))
    for day in loans.due_days(place):
        if day >= today and not calendar.is_open_day(day):
            text = _("Retours prévus %(day)s") % {"day": words.day(day, today)}
            check.entries.append(Entry(text, _("fermé"), when=_("fermé"), tool=text))
    events = Part("events", _("Séances"), "calendar")
    events.entries.extend(session_line(session) for session in sessions_of_day(place, now))
    parts = (events, prepare, give, late, back, repair, check)
    return [part for part in parts if part.entries]


def session_line(session: Any) -> Entry:
    """A session of today: how many are in of those who are expected."""
    people = _("%(entered)d sur %(expected)d") % {
        "entered": session.entered,
        "expected": session.expected,
    }
    hour = words.hour(session.starts_at)
    return Entry(
        text=f"{session.event.title}, {people}",
        end=hour,
        url=reverse("desk:session", args=[session.public_id]),
        when=hour,
        tool=session.event.title,
        name=people,
        is_page=True,
    )


def repair_line(ticket: Repair) -> Entry:
    label = codes.spoken(ticket.copy.label)
    fault = str(ticket.get_fault_display())
    return Entry(
        text=f"{ticket.copy.tool.name} {label}",
        end=fault,
        url=copy_url(ticket.copy.label),
        when=str(ticket.get_status_display()),
        tool=ticket.copy.tool.name,
        label=label,
        name=fault,
    )
