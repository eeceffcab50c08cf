"""The day at the counter: what to prepare, to give, to expect, to mend, to check."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.domain.closures import calls_of
from club.kernel import codes, words
from club.kernel.spans import local_day
from club.models import Place, User
from club.queries.calendar import calendar_of
from club.queries.opinions import calls_to_make
from concierge.models import Appointment, Loan, Repair
from concierge.queries import appointments, loans
from concierge.queries import stays as watched
from concierge.queries.parcels import numbers_at
from concierge.queries.pickups import on_board, to_call
from desk.screen import member_url, shelf_of
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
    number: int = 1
    """How many things the line stands for."""


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
    def number(self) -> int:
        return sum(entry.number for entry in self.entries)

    @property
    def hidden(self) -> int:
        return max(0, len(self.entries) - SHOWN)


def copy_url(label: str) -> str:
    return f"{reverse('desk:home')}?{urlencode({'objet': label})}"


def late_words(days: int) -> str:
    return ngettext("%(days)d jour", "%(days)d jours", days) % {"days": days}


def board(place: Place, now: datetime, by: User | None = None) -> list[Part]:
    """The parts of the day, in the order in which the morning goes. Homes that are looked
    after are for the concierges: nobody else reads that somebody is away."""
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
    parcels = Part("parcels", _("Colis"), "box", parcel_lines(place, today))
    brought, to_tell = delivery_lines(place, now)
    deliveries = Part("deliveries", _("Livraisons"), "bread", brought)
    check.entries.extend(to_tell)
    expected, stray = appointment_lines(place, now)
    meetings = Part("appointments", _("Rendez-vous"), "clock", expected)
    is_told = by is not None and watched.keeps_watch(by, place)
    visits = Part("visits", _("Visites"), "key", visit_lines(place, today) if is_told else [])
    check.entries.extend(stray)
    calls = Part(
        "calls",
        _("À appeler"),
        "phone",
        [*call_lines(place, is_told), *closure_call_lines(place, now, is_told)],
    )
    parts = (
        events, meetings, visits, prepare, give, deliveries, parcels, late, back, calls, repair,
        check,
    )  # fmt: skip
    return [part for part in parts if part.entries]


def call_lines(place: Place, is_told: bool) -> list[Entry]:
    """Who said that they were not happy, and waits for a call; of absences who may know."""
    waiting = calls_to_make(place)
    url = reverse("desk:opinion-calls")
    return [
        Entry(
            text=f"{one.member.short_name.replace(' ', words.NBSP)}, {one.label}",
            end=words.weekday(local_day(one.answered_at)),
            url=url,
            when=words.weekday(local_day(one.answered_at)),
            tool=one.label,
            name=one.member.short_name,
            is_page=True,
        )
        for one in (waiting if is_told else waiting.exclude(kind="stay"))
        if one.member is not None and one.answered_at is not None
    ]


def closure_call_lines(place: Place, now: datetime, is_told: bool) -> list[Entry]:
    """Whom a closure concerns and no message reaches: one line leads to all of them."""
    calls = calls_of(place, now)
    number = sum(is_told or any(not line[3] for line in call.lines) for call in calls)
    if not number:
        return []
    text, url = _("Fermeture à annoncer"), reverse("desk:closures")
    return [Entry(text, str(number), url, when=str(number), tool=text, is_page=True, number=number)]


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


def appointment_lines(place: Place, now: datetime) -> tuple[list[Entry], list[Entry]]:
    """Those of today, and those of any day that no slot carries any more."""
    today = local_day(now)
    coming = list(appointments.ahead(place, now))
    stray = appointments.outside(coming, place)
    todays = [one for one in coming if local_day(one.starts_at) == today]
    return (
        [appointment_line(one, words.hour(one.starts_at)) for one in todays],
        [appointment_line(one, _("hors créneaux")) for one in stray],
    )


def appointment_line(one: Appointment, end: str) -> Entry:
    name = one.member.short_name.replace(" ", words.NBSP)
    return Entry(
        text=f"{one.service.name}, {name}",
        end=end,
        url=reverse("desk:appointment", args=[one.reference]),
        when=end,
        tool=one.service.name,
        name=one.member.short_name,
        is_page=True,
    )


def parcel_lines(place: Place, today: date) -> list[Entry]:
    """Three numbers at most: each leads to the shelves."""
    numbers = numbers_at(place, today)
    lines = (
        (_("À rendre au transporteur"), numbers.to_send_back),
        (_("Pour personne encore"), numbers.for_nobody),
        (_("À remettre"), numbers.for_somebody),
    )
    url = reverse("desk:parcels")
    return [
        Entry(text, str(number), url, when=str(number), tool=text, is_page=True, number=number)
        for text, number in lines
        if number
    ]


def delivery_lines(place: Place, now: datetime) -> tuple[list[Entry], list[Entry]]:
    """What comes today, how far it has got and what is not noted yet; producers to call."""
    today = local_day(now)
    return (
        [delivery_line(one, today) for one in on_board(place, today)],
        [
            delivery_entry(
                one,
                _("Producteur à appeler : %(name)s") % {"name": one.producer},
                words.weekday(one.day),
            )
            for one in to_call(place, now)
        ],
    )


def delivery_line(one: Any, today: date) -> Entry:
    if one.day < today:
        text = _("%(round)s, à terminer") % {"round": one.round}
        return delivery_entry(one, text, words.weekday(one.day))
    people = _("%(collected)d sur %(people)d") % {"collected": one.collected, "people": one.people}
    return delivery_entry(one, f"{one.round}, {people}", words.hour(one.collect_from))


def delivery_entry(one: Any, text: str, end: str) -> Entry:
    url = reverse("desk:delivery", args=[one.public_id])
    return Entry(text, end, url, when=end, tool=text, is_page=True)


def visit_lines(place: Place, today: date) -> list[Entry]:
    """Numbers that lead to the round: no name of who is away stands on the board."""
    numbers = watched.numbers_at(place, today)
    lines = (
        (_("Problèmes à signaler par téléphone"), numbers.calls),
        (_("Visites à faire"), numbers.visits),
        (_("Clés attendues"), numbers.awaited),
        (_("Clés à rendre"), numbers.ending),
    )
    url = reverse("desk:stays")
    return [
        Entry(text, str(number), url, when=str(number), tool=text, is_page=True, number=number)
        for text, number in lines
        if number
    ]


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
