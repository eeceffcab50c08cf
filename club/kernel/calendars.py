"""Bookings as an agenda reads them: iCalendar (RFC 5545)."""

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings
from django.utils import timezone

from club.kernel.bookings import CalendarEntry

PARIS = ZoneInfo(settings.TIME_ZONE)
PRODUCT = "-//conciergerie//agenda//FR"


def ics_of(
    entries: Iterable[CalendarEntry],
    *,
    name: str = "",
    links: dict[str, str] | None = None,
) -> bytes:
    """A calendar file of these entries, with the time zone that their hours are in.

    An agenda knows an entry by its `uid` and takes the one of the highest
    `sequence`; a cancelled one is removed there. `links` gives an entry's page by
    uid; only an https address is written, since some agendas open what they find.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    if name:
        calendar.add("x-wr-calname", name)
        calendar.add("x-wr-timezone", str(PARIS))
    for entry in entries:
        calendar.add_component(event_of(entry, (links or {}).get(entry.uid, "")))
    calendar.add_missing_timezones()
    return calendar.to_ical()


def event_of(entry: CalendarEntry, link: str) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.sequence)
    event.add("dtstamp", instant(entry.changed_at))
    event.add("last-modified", instant(entry.changed_at))
    event.add("dtstart", local(entry.starts_at))
    event.add("dtend", local(max(entry.starts_at, entry.ends_at)))
    event.add("summary", entry.title)
    event.add("location", entry.where)
    event.add("description", entry.description)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    if link.startswith("https://"):
        event.add("url", link)
    return event


def local(moment: datetime) -> datetime:
    """Wall time with its zone, to the second: agendas know no finer."""
    return timezone.localtime(moment, PARIS).replace(microsecond=0)


def instant(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
