"""Events as OpenAgenda gives them: its own export, a public data portal's, or a table.

The portal writes lists as JSON inside strings, times in UTC beside local ones, and a
long event cut at midnight. A spreadsheet with the same columns is read alike.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.imports import reader
from club.imports.columns import Column, Match, match
from club.imports.values import Unfit, clean, short, stable_key, whole
from club.kernel.people import folded
from club.kernel.refusal import refuse
from club.kernel.spans import at
from events.imports.found import Date, Found, joined, key_of, moment_key
from events.imports.review import Review
from events.imports.texts import (
    asks_booking,
    is_junk,
    is_reserved,
    links_in,
    marks_in,
    paragraphs,
    plain,
    says_full,
    shortened,
)

COLUMNS = (
    Column("uid", gettext_lazy("identifiant"), ("uid", "identifiant", "identifiant unique", "id")),
    Column("title", gettext_lazy("titre"), (
        "title fr", "title", "titre", "titre fr", "nom", "evenement",
    ), required=True),
    Column("lead", gettext_lazy("description"), (
        "description fr", "description", "resume", "chapeau", "description courte",
    )),
    Column("body", gettext_lazy("description longue"), (
        "longdescription fr", "longdescription", "long description", "description longue",
        "description longue fr", "texte",
    )),
    Column("timings", gettext_lazy("horaires"), (
        "timings", "horaires", "horaires detailles", "horaires iso", "dates et horaires",
    )),
    Column("begin", gettext_lazy("début"), (
        "firstdate begin", "premiere date debut", "debut", "date de debut", "date debut",
    )),
    Column("end", gettext_lazy("fin"), (
        "firstdate end", "premiere date fin", "fin", "date de fin", "date fin",
    )),
    Column("last_begin", gettext_lazy("dernière date, début"), (
        "lastdate begin", "derniere date debut",
    )),
    Column("last_end", gettext_lazy("dernière date, fin"), ("lastdate end", "derniere date fin")),
    Column("day", gettext_lazy("date"), ("date", "jour")),
    Column("from", gettext_lazy("heure de début"), ("heure de debut", "heure debut", "de")),
    Column("to", gettext_lazy("heure de fin"), ("heure de fin", "heure fin", "a")),
    Column("status", gettext_lazy("état"), ("status", "etat", "statut")),
    Column("access", gettext_lazy("accessibilité"), ("accessibility", "accessibilite")),
    Column("mode", gettext_lazy("mode de participation"), (
        "attendancemode", "attendance mode", "mode de participation",
    )),
    Column("keywords", gettext_lazy("mots-clés"), (
        "keywords fr", "keywords", "mots cles", "mots cles fr",
    )),
    Column("registration", gettext_lazy("inscription"), (
        "registration", "inscription", "lien d inscription", "outils d inscription", "reservation",
    )),
    Column("conditions", gettext_lazy("conditions"), (
        "conditions fr", "conditions", "conditions de participation",
        "conditions de participation tarifs fr", "tarif", "tarifs", "prix",
    )),
    Column("age_min", gettext_lazy("âge minimum"), ("age min", "age minimum")),
    Column("age_max", gettext_lazy("âge maximum"), ("age max", "age maximum")),
    Column("room", gettext_lazy("lieu"), ("location name", "nom du lieu", "lieu", "salle")),
    Column("address", gettext_lazy("adresse"), ("location address", "adresse")),
    Column("postcode", gettext_lazy("code postal"), (
        "location postalcode", "location postal code", "code postal",
    )),
    Column("city", gettext_lazy("ville"), ("location city", "ville", "commune")),
    Column("origin", gettext_lazy("organisateur"), (
        "originagenda title", "origin agenda title", "agenda", "organisateur",
    )),
    Column("url", gettext_lazy("adresse web"), ("canonicalurl", "canonical url", "url", "lien")),
    Column("credit", gettext_lazy("crédit photo"), (
        "imagecredits", "image credits", "credit image", "credit de l image",
    )),
)  # fmt: skip
LABELS = {column.name: column.label for column in COLUMNS}
LISTS = ("events", "records", "results", "features", "data", "items")
INSIDE = ("fields", "properties", "record")

STATUS_WORDS = {"reporte": 4, "complet": 5, "annule": 6, "postponed": 4, "full": 5, "cancelled": 6}
MOVED_ON_LINE, POSTPONED, FULL, CANCELLED = 3, 4, 5, 6
MODE_WORDS = {"en ligne": 2, "online": 2}
ON_LINE = 2
ACCESS = {
    "mi": "step_free", "hi": "for_hearing", "vi": "for_sight",
    "ii": "for_understanding", "pi": "for_understanding",
    "handicap moteur": "step_free", "handicap auditif": "for_hearing",
    "handicap visuel": "for_sight", "handicap intellectuel": "for_understanding",
    "handicap psychique": "for_understanding",
}  # fmt: skip
ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?")
DAY_AND_HOUR = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:\D{0,4}(\d{1,2})\s*[h:]\s*(\d{2})?)?", re.ASCII
)
HOUR = re.compile(r"\s*(\d{1,2})\s*(?:[h:]\s*(\d{2})?)?(?::\d{2})?\s*", re.ASCII)


@dataclass
class Reading:
    """What a file holds, and what of it could not be read."""

    found: list[Found] = field(default_factory=list)
    faults: list[reader.Fault] = field(default_factory=list)
    left: list[tuple[int, str, str]] = field(default_factory=list)
    """Records left aside: number, title, why."""
    notes: list[str] = field(default_factory=list)


def read_records(
    text: str, encoding: str, columns: Mapping[str, str], most: int, now: datetime
) -> Reading:
    """From JSON or from a table, whichever it is."""
    reading = Reading()
    if text.lstrip()[0] in "[{":
        rows = json_rows(text, reading)
        headers = list(dict.fromkeys(name for _number, cells in rows for name in cells))
    else:
        table = reader.table_of(text, encoding)
        reading.faults += table.faults
        rows = [(row.number, dict(row.cells)) for row in table.rows]
        headers = table.headers
    if len(rows) > most:
        raise too_many(len(rows), most)
    if not rows and reading.faults:
        return reading
    found = match(headers, COLUMNS, columns)
    reading.notes += found.notes
    for number, cells in rows:
        try:
            reading.found.append(read_one(number, cells, found))
        except Unfit as unfit:
            reading.faults.append(reader.Fault(number, str(unfit)))
    return reading


def too_many(count: int, most: int) -> Exception:
    text = _("Ce fichier a %(count)d événements, %(most)d au plus. Choisissez un agenda.")
    return refuse("too_many_events", text % {"count": count, "most": most})


def json_rows(text: str, reading: Reading) -> list[tuple[int, dict[str, Any]]]:
    """Each record as one flat level of names."""
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise refuse(
            "json_broken", _("Ligne %(number)d : ce n’est pas du JSON lisible.") % {"number": line}
        ) from error
    if isinstance(content, dict):
        named = next((name for name in LISTS if isinstance(content.get(name), list)), None)
        content = content[named] if named else [content]
    rows = []
    for number, item in enumerate(content, 1):
        if not isinstance(item, dict):
            fault = reader.Fault(number, _("ce n’est pas un objet avec des champs."))
            reading.faults.append(fault)
            continue
        for name in INSIDE:
            if isinstance(item.get(name), dict):
                item = item[name]
        rows.append((number, flat(item)))
    if not rows and not reading.faults:
        raise refuse("file_empty", _("Ce fichier ne tient aucun événement."))
    return rows


def flat(item: dict[str, Any]) -> dict[str, Any]:
    """OpenAgenda's own export nests what the portals write side by side."""
    cells = {str(name).strip(): value for name, value in item.items()}
    location = cells.pop("location", None)
    if isinstance(location, dict):
        for theirs, ours in (
            ("name", "location_name"), ("address", "location_address"),
            ("postalCode", "location_postalcode"), ("city", "location_city"),
        ):  # fmt: skip
            cells.setdefault(ours, location.get(theirs))
    age = cells.pop("age", None)
    if isinstance(age, dict):
        cells.setdefault("age_min", age.get("min"))
        cells.setdefault("age_max", age.get("max"))
    agenda = cells.pop("originAgenda", None)
    if isinstance(agenda, dict):
        cells.setdefault("originagenda_title", agenda.get("title"))
    return cells


# -- One record --------------------------------------------------------------------------------


def read_one(number: int, cells: Mapping[str, Any], match: Match) -> Found:
    def raw(name: str) -> Any:
        header = match.header_of.get(name)
        return unpacked(cells.get(header)) if header is not None else None

    def said(name: str) -> str:
        return words_of(raw(name))

    for name in ("title", "lead", "body", "conditions", "room"):
        if reader.is_damaged(said(name)):
            text = _("lettres abîmées dans « %(header)s » : %(cell)s")
            raise Unfit(text % {"header": LABELS[name], "cell": said(name)[:60]})
    title, marks = marks_in(plain(said("title")))
    if not title:
        raise Unfit(_("le titre manque."))
    lead, body = plain(said("lead")), paragraphs(said("body") or said("lead"))
    own_key = said("uid") or stable_key(title, said("room"), said("address"))
    found = Found(
        number=number,
        key=key_of("openagenda" if said("uid") else "titre", own_key),
        title=shortened(title, 160),
        lead=shortened(lead, 290),
        body=body,
        keywords=plain(said("keywords").replace(";", ", ")),
        origin=shortened(plain(said("origin")), 120),
        price=plain(said("conditions")),
        access=access_of(raw("access")),
        department=short(said("postcode"), 20, LABELS["postcode"])[:2],
    )
    ages(found, said)
    state = number_in(raw("status"), STATUS_WORDS)
    if state == FULL or says_full(found.price):
        marks.add("full")
    if state in (CANCELLED, POSTPONED):
        marks.add("cancelled" if state == CANCELLED else "postponed")
    mark(found, marks)
    if state == MOVED_ON_LINE or number_in(raw("mode"), MODE_WORDS) == ON_LINE:
        found.review(Review.ONLINE)
    booking(found, raw("registration"), is_full="full" in marks)
    if is_reserved(found.price):
        found.review(Review.RESERVED)
    if is_junk(title, lead, body):
        found.review(Review.JUNK)
    found.dates = dates_of(found, raw, said, is_full="full" in marks)
    found.body += origin_link(said("url"))
    if said("credit"):
        credit = _("photo à ajouter, crédit « %(credit)s »")
        found.words.append(credit % {"credit": plain(said("credit"))[:80]})
    return found


def unpacked(value: Any) -> Any:
    """JSON inside a string is what it says; among languages, French."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            value = json.loads(value)
        except (json.JSONDecodeError, RecursionError):
            return value
    if isinstance(value, dict) and "fr" in value:
        return value["fr"]
    return value


def words_of(value: Any) -> str:
    """Any value as text; lists with semicolons, as the portals write them."""
    if isinstance(value, dict):
        return words_of(value.get("fr") or next(iter(value.values()), ""))
    if isinstance(value, list):
        return ";".join(words_of(part) for part in value)
    if isinstance(value, bool) or value is None:
        return ""
    return reader.worded(str(value))


def number_in(value: Any, words: Mapping[str, int]) -> int:
    """The number of a closed list: `{"id": 5, "label": …}`, 5, "5", or its word."""
    if isinstance(value, dict):
        value = value.get("id", value.get("label"))
    text = words_of(value).strip()
    if text.isascii() and text.isdigit() and len(text) < 3:
        return int(text)
    return next((number for word, number in words.items() if word in folded(text)), 0)


def access_of(value: Any) -> frozenset[str]:
    """ "hi;mi", ["hi", "mi"] or {"hi": true, "mi": false}."""
    if isinstance(value, dict):
        value = [name for name, holds in value.items() if holds is True]
    parts = re.split(r"[;,|]", words_of(value))
    return frozenset(ACCESS[part] for one in parts if (part := one.strip().casefold()) in ACCESS)


def ages(found: Found, said: Any) -> None:
    """99 means no limit; ages in disorder say nothing."""
    bounds = []
    for name in ("age_min", "age_max"):
        try:
            bounds.append(whole(said(name), LABELS[name], 120) or None)
        except Unfit:
            bounds.append(None)
            found.words.append(_("âge illisible"))
    low, high = bounds
    high = None if high is not None and high >= 99 else high
    if low is not None and high is not None and high < low:
        found.words.append(_("âges en désordre"))
        low = high = None
    found.age_min, found.age_max = low, high


def mark(found: Found, marks: Iterable[str]) -> None:
    if "cancelled" in marks:
        found.review(Review.CANCELLED)
    if "postponed" in marks:
        found.review(Review.POSTPONED)
    if "full" in marks:
        found.words.append(_("complet"))
    found.is_cancelled = bool({"cancelled", "postponed"} & set(marks))


def booking(found: Found, value: Any, *, is_full: bool) -> None:
    """The first safe link; else whether one has to book in another way. What is full was
    booked, so without a link it is not free to enter."""
    ways = value if isinstance(value, list) else [value] if value else []
    texts = [words_of(way.get("value") if isinstance(way, dict) else way) for way in ways]
    safe = [link for text in [*texts, found.price] for link in links_in(text)]
    safe = [link for link in safe if link.startswith("https://") and len(link) <= 390]
    if safe:
        found.link = safe[0]
        return
    others = [clean(text) for text in texts if clean(text)]
    if others or is_full or asks_booking(found.price):
        found.review(Review.BOOKING)
        if others:
            ways_told = _("Inscription : %(ways)s.") % {"ways": ", ".join(others)[:300]}
            found.body += paragraphs(ways_told)


def origin_link(url: str) -> str:
    """Where it was found, told at the end."""
    links = [link for link in links_in(url) if link.startswith("https://")]
    if not links:
        return ""
    return paragraphs(f"[{_('Voir l’annonce d’origine')}]({links[0]})")


# -- Its dates -------------------------------------------------------------------------------


def dates_of(found: Found, raw: Any, said: Any, *, is_full: bool) -> list[Date]:
    """From the list of times, or else from the first and the last, or one day."""
    room = shortened(plain(said("room")), 120)
    address = address_of(plain(said("address")), said("postcode"), plain(said("city")))
    if not (room or address):
        found.review(Review.NO_PLACE)
    dates = []
    for begins, ends in spans_of(found, raw, said):
        dates.append(
            Date(
                key=moment_key(found.key, begins),
                starts_at=begins,
                ends_at=ends,
                room=room,
                address=shortened(address, 240),
                is_cancelled=found.is_cancelled,
                is_full=is_full,
            )
        )
    if not dates:
        found.review(Review.NO_DATE)
    whole = joined(dates)
    if any(date.ends_at - date.starts_at >= timedelta(hours=20) for date in whole):
        found.review(Review.HOURS)
    return whole


def address_of(address: str, postcode: str, city: str) -> str:
    """With its town, once."""
    if postcode and postcode not in address:
        address = f"{address}, {postcode} {city}".strip(" ,")
    return re.sub(r",?\s*France\s*$", "", address)


def spans_of(found: Found, raw: Any, said: Any) -> list[tuple[datetime, datetime]]:
    timings = raw("timings")
    pairs: list[tuple[str, str]] = []
    if isinstance(timings, list):
        pairs = [
            (words_of(one.get("begin") or one.get("start")), words_of(one.get("end")))
            for one in timings
            if isinstance(one, dict)
        ]
    elif timings:
        moments = ISO.findall(str(timings))
        pairs = list(zip(moments[::2], moments[1::2], strict=False))
    if not pairs and said("day"):
        pairs = [(f"{said('day')} {hour_in(said('from'))}", f"{said('day')} {hour_in(said('to'))}")]
    if not pairs and said("begin"):
        pairs = [(said("begin"), said("end"))]
        if said("last_begin") and said("last_begin") != said("begin"):
            pairs.append((said("last_begin"), said("last_end")))
    spans = []
    for begin, end in pairs:
        span = span_of(found, begin, end)
        if span is not None:
            spans.append(span)
    return spans


def hour_in(text: str) -> str:
    """ "14h", "14 h 30", "9:00:00" as an hour that follows a date."""
    found = HOUR.fullmatch(text)
    return f"{found[1]}:{found[2] or '00'}" if found else ""


def span_of(found: Found, begin: str, end: str) -> tuple[datetime, datetime] | None:
    """An end that lacks, or that comes first, is an hour after the start."""
    try:
        starts_at, has_hour = moment_of(begin)
    except Unfit as unfit:
        found.words.append(str(unfit))
        return None
    if not has_hour:
        found.review(Review.HOURS)
        return starts_at, starts_at + timedelta(days=1)
    try:
        ends_at, has_end = moment_of(end)
    except Unfit:
        has_end, ends_at = False, starts_at
    if has_end and timedelta(0) > ends_at - starts_at > timedelta(hours=-20):
        ends_at += timedelta(days=1)
    if not has_end or ends_at <= starts_at:
        found.review(Review.HOURS)
        return starts_at, starts_at + timedelta(hours=1)
    return starts_at, ends_at


def moment_of(text: str) -> tuple[datetime, bool]:
    """An instant, and whether its hour was said. Without a zone, our wall clock."""
    text = text.strip()
    unread = Unfit(_("date illisible : « %(text)s »") % {"text": text[:40]})
    written = DAY_AND_HOUR.match(text)
    try:
        if written is not None:
            day, month, year, hour, minute = written.groups()
            found = datetime(int(year), int(month), int(day))  # noqa: DTZ001 - made aware below
            hours = time(int(hour), int(minute or 0)) if hour else time.min
            moment, has_hour = at(found.date(), hours), bool(hour)
        else:
            read = datetime.fromisoformat(text.replace(" ", "T", 1))
            has_hour = len(text) > 10
            moment = read if timezone.is_aware(read) else at(read.date(), read.time())
    except (ValueError, OverflowError):
        raise unread from None
    if not 1970 <= moment.year <= 2100:
        raise unread
    return moment, has_hour
