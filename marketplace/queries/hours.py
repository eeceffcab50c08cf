"""When a partner is open, told as the desk's own hours are."""

from collections.abc import Iterable
from datetime import date, datetime, time

from django.utils.translation import gettext as _

from club.enums import Period
from club.kernel import words
from club.kernel.spans import local_day
from club.queries.calendar import Calendar, Line
from marketplace.models import Partner

MONDAY = date(2024, 1, 1)
Hours = tuple[tuple[time, time], ...]


def calendar_of(partner: Partner) -> Calendar | None:
    """None where no hours are known: then nothing is said rather than "fermé"."""
    lines = [
        Line(row.weekday, row.opens, row.closes, Period.ALWAYS, None) for row in partner.hours.all()
    ]
    return Calendar(closed_on_public_holidays=False, lines=lines) if lines else None


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
