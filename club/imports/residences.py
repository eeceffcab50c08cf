"""Residences and dwellings: places, not people."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.imports import reader
from club.imports.addresses import in_small_letters, parted
from club.imports.columns import Column, Match, match
from club.imports.report import Line, Outcome, Report
from club.imports.values import Unfit, clean, coordinates, short, stable_key, whole
from club.kernel.people import folded
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Dwelling, Landlord, Place, Residence, User

COLUMNS = (
    Column("code", gettext_lazy("identifiant"), (
        "code", "identifiant", "code residence", "identifiant residence", "code programme",
        "numero programme", "id livraison", "id", "reference", "code groupe",
    )),
    Column("name", gettext_lazy("nom"), (
        "nom", "nom residence", "residence", "nom programme", "nom de la residence", "name",
        "programme", "libelle", "designation",
    )),
    Column("address", gettext_lazy("adresse"), (
        "adresse", "adresse programme", "adresse residence", "address", "adresse complete", "voie",
    )),
    Column("street_number", gettext_lazy("numéro de voie"), ("numero voie", "numero de voie")),
    Column("street_suffix", gettext_lazy("indice de répétition"), ("indice repetition",)),
    Column("street_kind", gettext_lazy("type de voie"), ("type voie", "type de voie")),
    Column("street_name", gettext_lazy("nom de voie"), ("nom voie", "nom de voie")),
    Column("postcode", gettext_lazy("code postal"), ("code postal", "cp", "postcode", "zip")),
    Column("city", gettext_lazy("commune"), ("commune", "ville", "nom commune", "city", "town")),
    Column("dwelling_count", gettext_lazy("nombre de logements"), (
        "logements", "nombre de logements", "nb logements", "nb logmt total", "nb logts",
        "dwellings", "nombre logements",
    )),
    Column("point", gettext_lazy("coordonnées"), (
        "coordonnees", "geo point 2d", "geo point", "coordonnees geographiques", "geopoint", "gps",
    )),
    Column("latitude", gettext_lazy("latitude"), ("latitude", "lat")),
    Column("longitude", gettext_lazy("longitude"), ("longitude", "lon", "lng", "long")),
    Column("dwelling", gettext_lazy("logement"), (
        "identifiant logement si proprietaire", "identifiant logement", "code logement",
        "numero logement", "identifiant logement repertoire", "dwelling",
    )),
    Column("floor", gettext_lazy("étage"), ("etage", "floor")),
    Column("door", gettext_lazy("porte"), ("porte", "numero appartement", "door")),
    Column("rooms", gettext_lazy("pièces"), (
        "pieces", "nb pieces principales", "nb pieces", "nombre de pieces", "rooms", "typologie",
    )),
)  # fmt: skip
LABELS = {column.name: column.label for column in COLUMNS}
STORED = ("name", "address", "postcode", "city", "dwelling_count", "latitude", "longitude")


@dataclass
class Wanted:
    """A row as it should stand in the database."""

    number: int
    code: str
    values: dict[str, Any]
    dwelling: dict[str, Any] | None = None
    words: list[str] = field(default_factory=list)


def import_residences(
    path: Path,
    *,
    landlord: Landlord,
    place: Place | None = None,
    columns: Mapping[str, str] | None = None,
    by: User | None = None,
    now: datetime,
    dry_run: bool = False,
    skip_bad: bool = False,
    bar: Callable[[Iterable[Any], int], Iterable[Any]] = lambda rows, total: rows,
) -> Report:
    """Load a landlord's residences, and their dwellings where the file has them.

    A row with a fault keeps the whole file out unless `skip_bad`.
    """
    table = reader.read(path)
    found = match(table.headers, COLUMNS, columns or {})
    if not (found.has("name") or found.has("address") or found.has("street_name")):
        match(table.headers, [Column("address", LABELS["address"], (), required=True)], {})
    report = Report(notes=[*found.notes])
    if found.unread:
        names = ", ".join(found.unread)
        report.notes.append(_("Colonnes non lues : %(names)s.") % {"names": names})
    report.refuse(table.faults)
    wanted = []
    for row in bar(table.rows, len(table.rows)):
        try:
            wanted.append(read_row(row, found))
        except Unfit as unfit:
            report.refuse([reader.Fault(row.number, str(unfit))])
    wanted = without_repeats(wanted, report)
    if dry_run or (report.faults and not skip_bad):
        settle(wanted, landlord, place, report, write=False)
    else:
        load(wanted, landlord, place, report, by=by, now=now)
    return report


# -- One row ---------------------------------------------------------------------------


def read_row(row: reader.Row, found: Match) -> Wanted:
    def cell(name: str) -> str:
        return found.cell(row.cells, name)

    words: list[str] = []
    lot, addresses = parted(clean(cell("address")))
    if not cell("address") and cell("street_name"):
        parts = [cell(name) for name in (
            "street_number", "street_suffix", "street_kind", "street_name"
        )]  # fmt: skip
        addresses = [in_small_letters(clean(" ".join(part for part in parts if part)))]
    if len(addresses) > 1:
        words.append(_("%(number)d adresses dans la cellule") % {"number": len(addresses)})
    name = clean(cell("name")) or lot[:1].upper() + lot[1:] or (addresses[0] if addresses else "")
    if not name:
        raise Unfit(_("ni nom ni adresse."))
    latitude, longitude = place_on_map(cell)
    values: dict[str, Any] = {
        "name": short(name, 200, LABELS["name"]),
        "address": short(" / ".join(addresses), 300, LABELS["address"]),
        "postcode": postcode(cell("postcode"), words),
        "city": short(in_small_letters(clean(cell("city"))), 100, LABELS["city"]),
        "dwelling_count": whole(cell("dwelling_count"), LABELS["dwelling_count"], 20_000),
        "latitude": latitude,
        "longitude": longitude,
    }
    dwelling = dwelling_of(cell)
    # The entrances of one named residence differ in address: its dwellings share its key.
    apart = "" if dwelling and cell("name") else values["address"]
    code = short(cell("code"), 60, LABELS["code"]) or stable_key(
        values["name"], apart, values["postcode"]
    )
    return Wanted(row.number, code, values, dwelling, words)


def place_on_map(cell: Callable[[str], str]) -> tuple[Decimal | None, Decimal | None]:
    both = cell("point") or f"{with_decimals(cell('latitude'))} {with_decimals(cell('longitude'))}"
    return coordinates(both.strip()) or (None, None)


def with_decimals(number: str) -> str:
    return number + ".0" if re.fullmatch(r"-?\d+", number) else number


def postcode(text: str, words: list[str]) -> str:
    """Five digits; a leading 0 that a spreadsheet ate is put back."""
    text = clean(text)
    if not text or re.fullmatch(r"\d{5}", text):
        return text
    if re.fullmatch(r"\d{4}(?:\.0)?", text):
        words.append(_("code postal complété : 0%(text)s") % {"text": text[:4]})
        return "0" + text[:4]
    inside = re.findall(r"(?<!\d)\d{5}(?!\d)", text)
    if not inside:
        raise Unfit(_("code postal illisible : « %(text)s ».") % {"text": text})
    words.append(_("code postal « %(text)s » lu %(code)s") % {"text": text, "code": inside[0]})
    return str(inside[0])


def dwelling_of(cell: Callable[[str], str]) -> dict[str, Any] | None:
    if not cell("dwelling"):
        return None
    rooms = re.sub(r"^[TF](?=\d)", "", cell("rooms").strip().upper())
    return {
        "code": short(cell("dwelling"), 40, LABELS["dwelling"]),
        "floor": short(cell("floor"), 10, LABELS["floor"]),
        "door": short(cell("door"), 10, LABELS["door"]),
        "rooms": whole(rooms, LABELS["rooms"], 50),
    }


def without_repeats(wanted: list[Wanted], report: Report) -> list[Wanted]:
    """One row for each residence and dwelling.

    The same identifier again at the same address is the same residence: the first
    row stands. At another address nobody can tell which is meant: refused, unless
    the row brings a dwelling of its own.
    """
    first: dict[str, Wanted] = {}
    dwellings: set[tuple[str, str]] = set()
    kept = []
    for row in wanted:
        known = first.setdefault(row.code, row)
        key = (row.code, row.dwelling["code"]) if row.dwelling else None
        if known is row or (key and key not in dwellings):
            kept.append(row)
        elif key or same_address(known, row):
            words = _("comme la ligne %(number)d") % {"number": known.number}
            report.lines.append(
                Line(row.number, row.code, row.values["name"], Outcome.MERGED, words)
            )
        else:
            words = _(
                "l’identifiant %(code)s est déjà celui de la ligne %(number)d, à une autre adresse."
            ) % {"code": row.code, "number": known.number}
            report.refuse([reader.Fault(row.number, words)])
        if key:
            dwellings.add(key)
    return kept


def same_address(one: Wanted, other: Wanted) -> bool:
    return folded(one.values["address"]) == folded(other.values["address"])


# -- The database -------------------------------------------------------------------------


@in_one_transaction
def load(
    wanted: list[Wanted],
    landlord: Landlord,
    place: Place | None,
    report: Report,
    *,
    by: User | None,
    now: datetime,
) -> None:
    settle(wanted, landlord, place, report, write=True)
    report.loaded = True
    log(landlord, "import_residences", by=by, now=now, channel="import", facts=report.counts)


def settle(
    wanted: list[Wanted], landlord: Landlord, place: Place | None, report: Report, *, write: bool
) -> None:
    """Compare each row with what is stored, say what became of it, and write."""
    held = {residence.code: residence for residence in landlord.residences.all()}
    new: list[Residence] = []
    changed: list[Residence] = []
    lines: dict[str, Line] = {}
    for row in wanted:
        if row.code in lines:
            continue
        residence = held.get(row.code)
        if residence is None:
            residence = Residence(landlord=landlord, place=place, code=row.code, **row.values)
            held[row.code] = residence
            new.append(residence)
            outcome, words = Outcome.CREATED, row.words
        else:
            given = {name: value for name, value in row.values.items() if value not in ("", None)}
            names = [n for n, value in given.items() if getattr(residence, n) != value]
            for name in names:
                setattr(residence, name, given[name])
            if names:
                changed.append(residence)
            outcome = Outcome.UPDATED if names else Outcome.UNCHANGED
            words = [*row.words, *(str(LABELS[name]) for name in names)]
        lines[row.code] = Line(row.number, row.code, row.values["name"], outcome, " ; ".join(words))
    if write:
        Residence.objects.bulk_create(new, batch_size=500)
        Residence.objects.bulk_update(changed, STORED, batch_size=200)
    settle_dwellings([row for row in wanted if row.dwelling], held, lines, report, write=write)
    report.lines.extend(lines.values())


def settle_dwellings(
    rows: list[Wanted],
    residences: dict[str, Residence],
    lines: dict[str, Line],
    report: Report,
    *,
    write: bool,
) -> None:
    """Dwellings; their line in the report takes the place of their residence's."""
    stored = {
        (dwelling.residence_id, dwelling.code): dwelling
        for dwelling in Dwelling.objects.filter(
            residence__in=[r.pk for r in residences.values() if r.pk]
        )
    }
    new, changed = [], []
    for row in rows:
        assert row.dwelling is not None
        residence = residences[row.code]
        dwelling = stored.get((residence.pk, row.dwelling["code"])) if residence.pk else None
        if dwelling is None:
            new.append(Dwelling(residence=residence, **row.dwelling))
            outcome = Outcome.CREATED
        else:
            given = {name: v for name, v in row.dwelling.items() if v not in ("", None)}
            differs = any(getattr(dwelling, name) != value for name, value in given.items())
            for name, value in given.items():
                setattr(dwelling, name, value)
            if differs:
                changed.append(dwelling)
            outcome = Outcome.UPDATED if differs else Outcome.UNCHANGED
        lines.pop(row.code, None)
        report.lines.append(
            Line(
                row.number, f"{row.code} {row.dwelling['code']}", row.values["name"], outcome,
                " ; ".join(row.words),
            )
        )  # fmt: skip
    if write:
        Dwelling.objects.bulk_create(new, batch_size=500)
        Dwelling.objects.bulk_update(changed, ["floor", "door", "rooms"], batch_size=200)
