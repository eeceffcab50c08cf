"""When a partner is open, told as the desk's own hours are; its closures go before them."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from club.enums import Period
from club.kernel import words
from club.kernel.spans import local_day
from club.queries.calendar import Calendar, Line, OpenLine
from marketplace.models import Partner

MONDAY = date(2024, 1, 1)
ONE_DAY = timedelta(days=1)
TOLD_AHEAD = timedelta(days=60)
"""How long before it begins a closure is told."""
Hours = tuple[tuple[time, time], ...]


def calendar_of(partner: Partner) -> Calendar | None:
    """None where no hours are known: then nothing is said rather than "fermé".

    Reads the hours and closures: prefetch both for a list.
    """
    lines = [
        Line(row.weekday, row.opens, row.closes, Period.ALWAYS, None) for row in partner.hours.all()
    ]
    closures = [(row.starts_on, row.ends_on) for row in partner.closures.all()]
    if not lines:
        return None
    return Calendar(closed_on_public_holidays=False, lines=lines, closures=closures)


def open_line(partner: Partner, now: datetime) -> OpenLine | None:
    """ "Ouvert, ferme à 18 h"; during a closure the day on which it opens again."""
    calendar = calendar_of(partner)
    today = local_day(now)
    last = closed_through(partner, today)
    if last is None:
        return calendar.open_line(now) if calendar else None
    day = calendar.next_open_day(last + ONE_DAY) if calendar else last + ONE_DAY
    if day is None:
        return OpenLine(False, _("Fermé"))
    return OpenLine(False, _("Fermé, rouvre %(day)s") % {"day": words.day(day, today)})


def closed_through(partner: Partner, today: date) -> date | None:
    """The last day of the closure that runs today, and of those that follow it at once."""
    last = None
    for row in sorted(partner.closures.all(), key=lambda row: row.starts_on):
        if row.starts_on <= (last + ONE_DAY if last else today) and row.ends_on >= (last or today):
            last = row.ends_on
    return last


def closures_said(partner: Partner, today: date) -> list[str]:
    """ "Fermé du mardi 16 mars au samedi 20 mars", of those that are near."""
    return [
        _("Fermé %(days)s") % {"days": days_of(row.starts_on, row.ends_on, today)}
        for row in sorted(partner.closures.all(), key=lambda row: row.starts_on)
        if row.ends_on >= today and row.starts_on <= today + TOLD_AHEAD
    ]


def days_of(first: date, last: date, today: date) -> str:
    """ "le mardi 16 mars", "du mardi 16 mars au samedi 20 mars"."""
    if first == last:
        return _("le %(day)s") % {"day": words.day(first, today)}
    ends = {"first": words.day(first, today), "last": words.day(last, today)}
    return _("du %(first)s au %(last)s") % ends


def changes_on(calendar: Calendar, moment: datetime) -> list[datetime]:
    """When that day's words change by themselves."""
    return [
        instant
        for span in calendar.spans(local_day(moment))
        for instant in (span.starts_at, span.ends_at)
    ]


def said(partner: Partner) -> str:
    """The partner's own sentence, else one of the hours; empty where neither is known."""
    if partner.hours_note:
        return partner.hours_note
    calendar = calendar_of(partner)
    return sentence(calendar) if calendar else ""


def week_said(rows: Iterable[tuple[int, time, time]]) -> str:
    """The sentence of hours that stand nowhere yet; empty where there is none."""
    lines = [Line(weekday, opens, closes, Period.ALWAYS, None) for weekday, opens, closes in rows]
    return sentence(Calendar(closed_on_public_holidays=False, lines=lines)) if lines else ""


def sentence(calendar: Calendar) -> str:
    """ "Du mardi au samedi, de 7 h à 19 h ; le dimanche, de 7 h à 13 h"."""
    week: list[Hours] = [
        tuple(calendar.hours(MONDAY.replace(day=1 + weekday))) for weekday in range(7)
    ]
    parts = []
    for hours in dict.fromkeys(hours for hours in week if hours):
        days = [weekday for weekday in range(7) if week[weekday] == hours]
        spans = joined(words.span(opens, closes) for opens, closes in hours)
        parts.append(f"{days_words(days)}, {spans}")
    text = f"{words.NBSP}; ".join(parts)
    return text[:1].upper() + text[1:]


def days_words(days: list[int]) -> str:
    """ "tous les jours", "le lundi et du mercredi au vendredi"."""
    if len(days) == 7:
        return _("tous les jours")
    runs: list[list[int]] = []
    for weekday in days:
        if runs and weekday == runs[-1][-1] + 1:
            runs[-1].append(weekday)
        else:
            runs.append([weekday])
    said = []
    for run in runs:
        if len(run) > 2:
            ends = {"first": name_of(run[0]), "last": name_of(run[-1])}
            said.append(_("du %(first)s au %(last)s") % ends)
        else:
            said += [_("le %(day)s") % {"day": name_of(weekday)} for weekday in run]
    return joined(said)


def name_of(weekday: int) -> str:
    return words.weekday(MONDAY.replace(day=1 + weekday))


def joined(parts: Iterable[str]) -> str:
    *most, last = parts
    return _("%(most)s et %(last)s") % {"most": ", ".join(most), "last": last} if most else last
