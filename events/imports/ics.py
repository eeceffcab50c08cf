"""Events of an iCalendar file: each VEVENT by itself, so that one that is broken spoils no other.

Rules are spread out by the wall clock of their own zone, then become instants: a clock
change moves no date. Guests and organisers are people, and are never read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Any

import icalendar
from dateutil.rrule import rrulestr
from django.utils import timezone
from django.utils.translation import gettext as _

from club.imports.reader import Fault, is_damaged
from club.imports.values import Unfit, clean
from club.kernel.refusal import refuse
from events.domain.schedules import AHEAD
from events.imports.found import WHOLE_DAY, Date, Found, key_of, moment_key
from events.imports.records import Reading, booking, mark, origin_link, too_many
from events.imports.review import Review
from events.imports.texts import (
    is_junk,
    marks_in,
    paragraphs,
    plain,
    says_full,
    shortened,
)

BEHIND = timedelta(days=400)
"""Older dates of a rule are not even counted."""
MOST_STEPS = 200_000
RULES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
READ_WHOLE = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
PRIVATE = {"PRIVATE", "CONFIDENTIAL"}


@dataclass
class Block:
    """The lines of one VEVENT, and on which line of the file it begins."""

    number: int
    lines: list[str] = field(default_factory=list)


@dataclass
class Entry:
    """One VEVENT as read: a master, or one date of a master that differs (`instead_of`)."""

    number: int
    uid: str
    component: Any
    starts: datetime
    """By the wall clock of `zone`, without zone."""
    length: timedelta
    zone: tzinfo
    is_whole_day: bool
    instead_of: date | None = None
    """As the file writes it: the master may tell its hours in another zone."""


def is_calendar(text: str) -> bool:
    return text.lstrip("\ufeff \r\n\t")[:15].upper() == "BEGIN:VCALENDAR"


def read_calendar(text: str, most: int, now: datetime) -> Reading:
    reading = Reading()
    blocks, zones, name = blocks_of(text, reading)
    if len(blocks) > most:
        raise too_many(len(blocks), most)
    if not blocks and not reading.faults:
        raise refuse("file_empty", _("Ce fichier ne tient aucun événement."))
    masters: dict[str, Entry] = {}
    others: dict[str, list[Entry]] = {}
    for block in blocks:
        try:
            entry = entry_of(block, zones)
        except Unfit as unfit:
            reading.faults.append(Fault(block.number, str(unfit)))
            continue
        if str(entry.component.get("CLASS", "")).upper() in PRIVATE:
            reading.left.append((entry.number, "", _("événement privé")))
        elif entry.instead_of is not None:
            others.setdefault(entry.uid, []).append(entry)
        elif entry.uid in masters:
            reading.left.append((entry.number, "", _("déjà lu : même identifiant")))
        else:
            masters[entry.uid] = entry
    for uid, changed in others.items():
        # A calendar cut to a window may hold a changed date without its rule.
        masters.setdefault(uid, changed[0])
    origin = "" if "@" in name else shortened(plain(name), 120)
    for uid, entry in masters.items():
        try:
            reading.found.append(found_of(entry, others.get(uid, []), origin, now))
        except Unfit as unfit:
            reading.faults.append(Fault(entry.number, str(unfit)))
    return reading


def blocks_of(text: str, reading: Reading) -> tuple[list[Block], list[str], str]:
    """The events, the zones that the file defines, and its name."""
    blocks: list[Block] = []
    zones: list[str] = []
    name, open_block, in_zone = "", None, False
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        mark_of_line = line.strip().upper()
        if mark_of_line == "BEGIN:VEVENT":
            if open_block is not None:
                reading.faults.append(cut_short(open_block))
            open_block = Block(number)
        if open_block is not None:
            open_block.lines.append(line)
            if mark_of_line == "END:VEVENT":
                blocks.append(open_block)
                open_block = None
            continue
        in_zone = in_zone or mark_of_line == "BEGIN:VTIMEZONE"
        if in_zone:
            zones.append(line)
            in_zone = mark_of_line != "END:VTIMEZONE"
        elif mark_of_line.startswith("X-WR-CALNAME"):
            name = line.partition(":")[2].replace("\\,", ",").replace("\\;", ";").strip()
    if open_block is not None:
        reading.faults.append(cut_short(open_block))
    return blocks, zones, name


def cut_short(block: Block) -> Fault:
    return Fault(block.number, _("l’événement n’est pas fini : END:VEVENT manque."))


# -- One VEVENT -------------------------------------------------------------------------------


def entry_of(block: Block, zones: list[str]) -> Entry:
    lines = ["BEGIN:VCALENDAR", *zones, *block.lines, "END:VCALENDAR"]
    try:
        calendar: Any = icalendar.Calendar.from_ical("\r\n".join(lines))
        component = calendar.walk("VEVENT")[0]
    except (ValueError, IndexError, KeyError, AttributeError, TypeError) as error:
        raise Unfit(_("l’événement est illisible.")) from error
    for name in READ_WHOLE:
        values = component.get(name)
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, icalendar.vBroken):
                raise Unfit(_("%(name)s est illisible.") % {"name": name})
    uid = clean(str(component.get("UID", ""))) or clean(str(component.get("SUMMARY", "")))
    if not uid:
        raise Unfit(_("ni identifiant ni titre."))
    starts, zone, is_whole_day = wall(value_of(component, "DTSTART", _("le début manque.")))
    return Entry(
        number=block.number,
        uid=uid,
        component=component,
        starts=starts,
        length=length_of(component, starts, zone, is_whole_day),
        zone=zone,
        is_whole_day=is_whole_day,
        instead_of=getattr(component.get("RECURRENCE-ID"), "dt", None),
    )


def value_of(component: Any, name: str, missing: str) -> Any:
    value = getattr(component.get(name), "dt", None)
    if not isinstance(value, date):
        raise Unfit(missing)
    if not 1600 <= value.year <= 2100:
        raise Unfit(_("date illisible : « %(text)s »") % {"text": value.isoformat()})
    return value


def wall(value: date) -> tuple[datetime, tzinfo, bool]:
    """As the wall clock shows it, in which zone, and whether it is a whole day."""
    here = timezone.get_default_timezone()
    if not isinstance(value, datetime):
        return datetime.combine(value, time.min), here, True
    if value.tzinfo is None:
        return value, here, False
    return value.replace(tzinfo=None), value.tzinfo, False


def instant(moment: datetime, zone: tzinfo) -> datetime:
    return moment.replace(tzinfo=zone).astimezone(UTC)


def to_wall(value: date, zone: tzinfo) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, time.min)
    return value if value.tzinfo is None else value.astimezone(zone).replace(tzinfo=None)


def length_of(component: Any, starts: datetime, zone: tzinfo, is_whole_day: bool) -> timedelta:
    """By DTEND or DURATION; a whole day, or an hour, where both lack."""
    usual = timedelta(days=1) if is_whole_day else timedelta(hours=1)
    end = getattr(component.get("DTEND"), "dt", None)
    lasts = getattr(component.get("DURATION"), "dt", None)
    if isinstance(end, date):
        lasts = to_wall(end, zone) - starts
    if not isinstance(lasts, timedelta) or not timedelta(0) < lasts <= AHEAD:
        return usual
    return lasts


def says_no_end(component: Any) -> bool:
    return component.get("DTEND") is None and component.get("DURATION") is None


def moments(component: Any, name: str, zone: tzinfo) -> list[datetime]:
    """EXDATE or RDATE, once or several times, as wall clock."""
    held = component.get(name)
    found = []
    for one in held if isinstance(held, list) else [held] if held is not None else []:
        for part in getattr(one, "dts", [one]):
            value = getattr(part, "dt", None)
            value = value[0] if isinstance(value, tuple) else value
            if isinstance(value, date):
                found.append(to_wall(value, zone))
    return found


# -- Its dates ----------------------------------------------------------------------------------


def occurrences(entry: Entry, now: datetime) -> Iterator[datetime]:
    """Each start by the wall clock, from somewhat before now to a year ahead."""
    local_now = now.astimezone(entry.zone).replace(tzinfo=None)
    last = local_now + AHEAD
    rule = entry.component.get("RRULE")
    added = moments(entry.component, "RDATE", entry.zone)
    if rule is None and not added:
        yield entry.starts
        return
    left_out = set(moments(entry.component, "EXDATE", entry.zone))
    whole_days_out = {one.date() for one in left_out if one.time() == time.min}
    starts = {entry.starts, *added}
    for one in rule if isinstance(rule, list) else [rule] if rule is not None else []:
        starts.update(spread(entry, one, last))
    kept = sorted(
        one for one in starts
        if one <= last and one not in left_out and one.date() not in whole_days_out
    )  # fmt: skip
    recent = [one for one in kept if one + entry.length > local_now - BEHIND]
    yield from recent or kept[-1:]


def spread(entry: Entry, rule: Any, last: datetime) -> Iterator[datetime]:
    """What a rule gives until `last`; one finer than a day is no event's."""
    parts = {str(name).upper(): value for name, value in rule.items()}
    first = {name: value[0] if isinstance(value, list) else value for name, value in parts.items()}
    if str(first.get("FREQ", "")).upper() not in RULES:
        raise Unfit(_("cette répétition n’est pas lue : au plus une fois par jour."))
    try:
        count = int(first["COUNT"]) if "COUNT" in first else MOST_STEPS
        if int(first.get("INTERVAL", 1)) < 1 or count < 1:
            raise ValueError
        until = to_wall(first["UNTIL"], entry.zone) if "UNTIL" in first else last
        if "UNTIL" in first and not isinstance(first["UNTIL"], datetime):
            until += timedelta(days=1) - timedelta(seconds=1)
        bare: Any = icalendar.vRecur(
            {n: v for n, v in parts.items() if n not in {"COUNT", "UNTIL"}}
        )
        spread_out: Any = rrulestr(bare.to_ical().decode(), dtstart=entry.starts)
        yield from islice(spread_out.replace(until=min(until, last)), min(count, MOST_STEPS))
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise Unfit(_("la règle de répétition est illisible.")) from error


def found_of(entry: Entry, changed: list[Entry], origin: str, now: datetime) -> Found:
    component = entry.component
    summary, text = str(component.get("SUMMARY", "")), str(component.get("DESCRIPTION", ""))
    for said in (summary, text, str(component.get("LOCATION", ""))):
        if is_damaged(said):
            raise Unfit(_("lettres abîmées : %(cell)s") % {"cell": said[:60]})
    title, marks = marks_in(plain(summary))
    if not title:
        raise Unfit(_("le titre manque."))
    room, address = where_of(plain(str(component.get("LOCATION", ""))))
    found = Found(
        number=entry.number,
        key=key_of("ics", entry.uid),
        title=shortened(title, 160),
        lead=shortened(plain(text), 290),
        body=paragraphs(text),
        keywords=categories(component),
        origin=origin,
        department=department_of(address),
    )
    status = str(component.get("STATUS", "")).upper()
    if status == "CANCELLED":
        marks.add("cancelled")
    if status == "TENTATIVE":
        found.review(Review.TENTATIVE)
    if says_full(text):
        marks.add("full")
    mark(found, marks)
    booking(found, None, is_full="full" in marks)
    if is_junk(title, found.lead, found.body):
        found.review(Review.JUNK)
    if re.match(r"https?://", room):
        found.review(Review.ONLINE)
        room = ""
    elif not (room or address):
        found.review(Review.NO_PLACE)
    if entry.is_whole_day or says_no_end(component):
        found.review(Review.HOURS)
    found.dates = dates_of(entry, changed, found, room, address, "full" in marks, now)
    if any(one.ends_at - one.starts_at >= WHOLE_DAY for one in found.dates):
        found.review(Review.HOURS)
    if not found.dates:
        found.review(Review.NO_DATE)
    found.body += origin_link(str(component.get("URL", "")))
    return found


def dates_of(
    entry: Entry,
    changed: list[Entry],
    found: Found,
    room: str,
    address: str,
    is_full: bool,
    now: datetime,
) -> list[Date]:
    instead = {
        to_wall(one.instead_of, entry.zone): one for one in changed if one.instead_of is not None
    }
    repeats = entry.component.get("RRULE") is not None or entry.component.get("RDATE") is not None
    own_key = found.key.partition(":")[2]
    starts = list(occurrences(entry, now)) if entry.instead_of is None else []
    # One that was moved into the window from beyond it is a date too.
    starts += [one for one in instead if one not in starts]
    dates = []
    for start in starts:
        other = instead.get(start)
        one = other or entry
        begins = instant(one.starts if other else start, one.zone)
        length = one.length
        # By the wall clock: a party over the night of the clock change ends when it says.
        ends = instant((one.starts if other else start) + length, one.zone)
        if ends <= begins:
            ends = begins + length
        its_room, its_address = room, address
        if other is not None and other.component.get("LOCATION") is not None:
            its_room, its_address = where_of(plain(str(other.component["LOCATION"])))
        gone = other is not None and str(other.component.get("STATUS", "")).upper() == "CANCELLED"
        several = repeats or bool(instead)
        dates.append(
            Date(
                key=moment_key(found.key, instant(start, entry.zone)) if several else own_key,
                starts_at=begins,
                ends_at=ends,
                room=its_room,
                address=shortened(its_address, 240),
                is_cancelled=gone or found.is_cancelled,
                is_full=is_full,
            )
        )
    return sorted(dates, key=lambda one: (one.starts_at, one.key))


def where_of(text: str) -> tuple[str, str]:
    """ "Salle Balzac, 3 rue de la Paix, 80080 Amiens" as room and address."""
    text = text.strip(" ,")
    if not re.search(r"\d{5}|,", text):
        return shortened(text, 120), ""
    first, _comma, rest = text.partition(",")
    if re.match(r"\s*\d", first):
        return "", text
    return shortened(first.strip(), 120), re.sub(r",?\s*France\s*$", "", rest.strip())


def department_of(address: str) -> str:
    found = re.findall(r"(?<!\d)(\d{2})\d{3}(?!\d)", address)
    return found[-1] if found else ""


def categories(component: Any) -> str:
    held = component.get("CATEGORIES")
    words = []
    for one in held if isinstance(held, list) else [held] if held is not None else []:
        words += [str(word) for word in getattr(one, "cats", [one])]
    return plain(", ".join(words))
