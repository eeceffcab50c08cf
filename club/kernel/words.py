"""Dates, hours and money as people say them, in the language of the moment."""

from datetime import date, datetime, time, timedelta

from django.utils import dateformat, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

NBSP = "\u00a0"


def in_french() -> bool:
    return (get_language() or "fr").startswith("fr")


def day(value: date, today: date | None = None) -> str:
    """ "mardi 12 mars", with the year when it is not today's."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    today = today or timezone.localdate()
    number = "1\\e\\r" if in_french() and value.day == 1 else "j"
    text = dateformat.format(value, f"l {number}") + NBSP + dateformat.format(value, "F")
    return text if value.year == today.year else text + NBSP + str(value.year)


def date_of(value: date) -> str:
    """ "12 mars 2027": with its year, for what is read again years later."""
    number = "1\\e\\r" if in_french() and value.day == 1 else "j"
    return dateformat.format(value, f"{number} F Y").replace(" ", NBSP)


def weekday(value: date) -> str:
    """ "mardi"."""
    return dateformat.format(value, "l")


def hour(value: datetime | time) -> str:
    """ "18 h", "9 h 30"; "18:00" in other languages than French."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).time()
    if not in_french():
        return dateformat.time_format(value, "H:i")
    text = f"{value.hour}{NBSP}h"
    return text if value.minute == 0 else f"{text}{NBSP}{value.minute:02d}"


def moment(value: datetime) -> str:
    """ "mardi 12 mars à 18 h"."""
    return _("%(day)s à %(hour)s") % {"day": day(value), "hour": hour(value)}


def until(value: datetime) -> str:
    """Of a limit, to follow "jusqu’au": at 0 h it is the evening before that people mean."""
    local = timezone.localtime(value)
    if (local.hour, local.minute) != (0, 0):
        return moment(value)
    return _("%(day)s à minuit") % {"day": day(local.date() - timedelta(days=1))}


def span(starts: datetime | time, ends: datetime | time) -> str:
    return _("de %(start)s à %(end)s") % {"start": hour(starts), "end": hour(ends)}


def money(cents: int) -> str:
    """ "1,10 €", "5 €"; cents are whole numbers of euro cents, negative for a debt."""
    sign = "-" if cents < 0 else ""
    euros, rest = divmod(abs(cents), 100)
    if in_french():
        amount = f"{euros}" if rest == 0 else f"{euros},{rest:02d}"
        return f"{sign}{amount}{NBSP}€"
    return f"{sign}€{euros}" if rest == 0 else f"{sign}€{euros}.{rest:02d}"
