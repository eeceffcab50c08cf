"""A request to an artisan in words: for the pages, the letters and the agendas."""

from datetime import datetime, timedelta

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from club.kernel import words
from club.kernel.bookings import CalendarEntry
from club.kernel.people import spoken_phone
from club.kernel.spans import local_day
from marketplace.enums import AskStatus, DayPart
from marketplace.models import VisitAsk, VisitRequest
from marketplace.queries.visits import Window, windows_of

LASTS = timedelta(hours=1)
"""How long a visit stands in an agenda; nobody knows how long the work takes."""


def title_of(visit: VisitRequest) -> str:
    """ "plomberie à Amiens": all that is told of where before an artisan accepts."""
    return _("%(trade)s à %(town)s") % {"trade": visit.get_trade_display(), "town": visit.town}


def moment_words(moment: datetime, now: datetime) -> str:
    """ "mardi 9 mars à 18 h", with its year where it is not that of `now`."""
    day = words.day(local_day(moment), local_day(now))
    return _("%(day)s à %(hour)s") % {"day": day, "hour": words.hour(moment)}


def window_words(window: Window, now: datetime) -> str:
    day, part = window
    said = {"day": words.day(day, local_day(now)), "part": DayPart(part).label}
    return _("%(day)s, %(part)s") % said


def wishes(visit: VisitRequest, now: datetime) -> list[str]:
    found = [capfirst(window_words(window, now)) for window in windows_of(visit)]
    return found or [_("Dès que possible")]


def phone_of(ask: VisitAsk) -> str:
    return spoken_phone(ask.partner.phone) if ask.partner.phone else ""


def accepted(visit: VisitRequest) -> VisitAsk | None:
    return visit.asks.select_related("partner").filter(status=AskStatus.ACCEPTED).first()


def entry(ask: VisitAsk, starts_at: datetime, *, for_artisan: bool, is_off: bool) -> CalendarEntry:
    """The visit as an agenda keeps it; each artisan's is an entry of its own.

    Once it is called off nobody's name or address is told any more.
    """
    visit = ask.visit
    trade = visit.get_trade_display()
    whom = str(visit.member) if for_artisan else ask.partner.name
    if is_off and for_artisan:
        whom = visit.town
    return CalendarEntry(
        uid=f"visite-{visit.public_id}-{ask.rank}@conciergerie",
        sequence=1 if is_off else 0,
        title=_("Visite, %(trade)s : %(whom)s") % {"trade": trade, "whom": whom},
        starts_at=starts_at,
        ends_at=starts_at + LASTS,
        where=visit.town if is_off else f"{visit.address}, {visit.town}",
        description="" if is_off else visit.what,
        cancelled=is_off,
        changed_at=ask.closed_at or ask.declined_at or ask.accepted_at or ask.asked_at,
    )
