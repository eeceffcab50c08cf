"""A catalogue of objects from a file: entries, their parts and their copies."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.imports import reader
from club.imports.columns import Column, Match, match
from club.imports.report import Line, Outcome, Report
from club.imports.values import Unfit, cents, clean, day, one_of, short, stable_key, whole
from club.kernel import codes
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Place, User
from concierge.domain.copies import add_copy, next_label
from concierge.enums import Condition, PriceClass, ValueClass
from concierge.imports.departments import ensure_departments, names_of, slug_for
from concierge.models import Part, Tool

COLUMNS = (
    Column("name", gettext_lazy("nom"), (
        "nom", "name", "objet", "designation", "libelle", "titre", "title", "item name",
    ), required=True),
    Column("model", gettext_lazy("modèle"), ("modele", "model")),
    Column("source_id", gettext_lazy("identifiant"), (
        "identifiant d origine", "source id", "identifiant", "id", "asset tag", "complete number",
        "code", "number", "numero", "reference", "sku",
    )),
    Column("other_names", gettext_lazy("autres noms"), (
        "autres noms", "other names", "synonymes", "mots cles", "keywords", "tags",
    )),
    Column("department", gettext_lazy("rayon"), (
        "rayon", "category", "categories", "categorie", "department", "departement",
    )),
    Column("description", gettext_lazy("description"), (
        "description", "long description", "description markdown", "descriptif",
    )),
    Column("summary", gettext_lazy("description courte"), (
        "short description", "description courte", "resume",
    )),
    Column("advice", gettext_lazy("conseils"), (
        "conseils", "conseil", "care information", "advice", "mode d emploi",
    )),
    Column("safety", gettext_lazy("sécurité"), (
        "securite", "precautions", "precaution", "safety", "checkout notice",
    )),
    Column("parts", gettext_lazy("accessoires"), (
        "accessoires", "accessoires et pieces", "components", "parts", "pieces",
    )),
    Column("brand", gettext_lazy("marque"), ("marque", "brand", "manufacturer", "fabricant")),
    Column("value_class", gettext_lazy("classe de valeur"), ("classe de valeur", "value class")),
    Column("value", gettext_lazy("valeur"), (
        "valeur", "value", "price paid", "purchase price", "purchase cost", "prix d achat",
    )),
    Column("price_class", gettext_lazy("classe de prix"), ("classe de prix", "price class")),
    Column("price", gettext_lazy("prix du prêt"), (
        "prix du pret", "tarif", "loan fee", "fee", "prix",
    )),
    Column("deposit", gettext_lazy("caution"), ("caution", "deposit", "depot de garantie")),
    Column("quantity", gettext_lazy("exemplaires"), (
        "exemplaires", "nombre d exemplaires", "quantite", "quantity", "qty", "on hand", "nombre",
    )),
    Column("picture", gettext_lazy("dessin"), ("dessin", "picture key")),
    Column("condition", gettext_lazy("condition"), ("condition", "etat")),
    Column("serial", gettext_lazy("numéro de série"), ("numero de serie", "serial")),
    Column("shelf", gettext_lazy("étagère"), ("etagere", "location shelf", "shelf")),
    Column("bought_on", gettext_lazy("acheté le"), ("achete le", "date d achat", "purchase date")),
)  # fmt: skip
LABELS = {column.name: column.label for column in COLUMNS}
MOST_COPIES = 200
CONDITION_WORDS = {
    "a neuf": Condition.NEW, "as new": Condition.NEW, "excellent": Condition.NEW,
    "bon": Condition.GOOD, "fair": Condition.WORN, "poor": Condition.WORN,
    "moyen": Condition.WORN, "used": Condition.WORN,
}  # fmt: skip


@dataclass
class Wanted:
    """A row as it should stand in the database."""

    number: int
    source_id: str
    values: dict[str, Any]
    category: str
    parts: list[tuple[str, int]] | None
    copies: int
    copy_values: dict[str, Any]
    has_own_id: bool
    department: str = ""
    words: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.values["name"])


def import_tools(
    path: Path,
    *,
    place: Place,
    columns: Mapping[str, str] | None = None,
    by: User | None = None,
    now: datetime,
    dry_run: bool = False,
    skip_bad: bool = False,
    bar: Callable[[Iterable[Any], int], Iterable[Any]] = lambda rows, total: rows,
) -> Report:
    """Load a catalogue for the place's landlord, with its copies at the place.

    A row with a fault keeps the whole file out unless `skip_bad`.
    """
    table = reader.read(path)
    found = match(table.headers, COLUMNS, columns or {})
    report = Report(notes=[*found.notes])
    if found.unread:
        names = ", ".join(found.unread)
        report.notes.append(_("Colonnes non lues : %(names)s.") % {"names": names})
    report.refuse(table.faults)
    wanted = []
    for row in table.rows:
        try:
            wanted.append(read_row(row, found))
        except Unfit as unfit:
            report.refuse([reader.Fault(row.number, str(unfit))])
    wanted = without_repeats(wanted, report)
    if dry_run or (report.faults and not skip_bad):
        settle(wanted, place, report, now=now, by=by, bar=bar, write=False)
    else:
        load(wanted, place, report, now=now, by=by, bar=bar)
    return report


# -- One row ----------------------------------------------------------------------------


def read_row(row: reader.Row, found: Match) -> Wanted:
    def cell(name: str) -> str:
        return found.cell(row.cells, name)

    words: list[str] = []

    def listed(name: str, choices: Mapping[str, object]) -> str:
        value, word = one_of(cell(name), choices, LABELS[name])
        if word:
            words.append(word)
        return value

    name = short(cell("name") or cell("model"), 120, LABELS["name"])
    if not name:
        raise Unfit(_("le nom manque."))
    brand = short(cell("brand"), 80, LABELS["brand"])
    paid = cents(cell("value"), LABELS["value"])
    values: dict[str, Any] = {
        "name": name,
        "other_names": short(cell("other_names").replace(" | ", ", "), 300, LABELS["other_names"]),
        "description": clean(cell("description") or cell("summary"), lines=True),
        "advice": clean(cell("advice"), lines=True),
        "safety": clean(cell("safety"), lines=True),
        "brand": brand,
        "deposit": short(cell("deposit"), 120, LABELS["deposit"]),
        "picture": drawn(cell("picture"), words),
    }
    values = {key: value for key, value in values.items() if value}
    if cell("value_class"):
        values["value_class"] = listed("value_class", dict(ValueClass.choices))
    elif paid is not None:
        values["value_class"] = value_class_of(paid)
    if cell("price_class"):
        values["price_class"] = listed("price_class", dict(PriceClass.choices))
    elif cell("price"):
        values["price_class"] = price_class_of(cents(cell("price"), LABELS["price"]) or 0, words)
    quantity = whole(cell("quantity"), LABELS["quantity"], MOST_COPIES)
    copy_values: dict[str, Any] = {
        "condition": condition_of(cell("condition"), words),
        "shelf": short(cell("shelf"), 20, LABELS["shelf"]),
        "serial": short(cell("serial"), 80, LABELS["serial"]),
        "bought_on": day(cell("bought_on"), LABELS["bought_on"]),
        "price_cents": paid,
    }
    own_id = short(cell("source_id"), 80, LABELS["source_id"])
    return Wanted(
        number=row.number,
        source_id=own_id or stable_key(name, brand),
        values=values,
        category=clean(cell("department")),
        parts=parts_of(cell("parts")) if found.has("parts") else None,
        copies=1 if quantity is None else quantity,
        copy_values=copy_values,
        has_own_id=bool(own_id),
        words=words,
    )


def parts_of(text: str) -> list[tuple[str, int]]:
    """ "2 × foret | coffret": name and number of each accessory."""
    text = clean(text, lines=True)
    marks = r"[|;\n]" if re.search(r"[|;\n]", text) else ","
    parts = []
    for piece in re.split(marks, text):
        found = re.match(r"\s*(\d{1,3})\s*[x×]\s*(.+)", piece)
        name, number = (found[2], int(found[1])) if found else (piece, 1)
        if name.strip():
            parts.append((short(name, 80, LABELS["parts"]), number))
    return parts


def condition_of(text: str, words: list[str]) -> str:
    """An unknown condition is no reason to refuse an object: it is in good state."""
    if not text:
        return Condition.GOOD
    if text.casefold() in CONDITION_WORDS:
        return CONDITION_WORDS[text.casefold()]
    try:
        value, word = one_of(text, dict(Condition.choices), LABELS["condition"])
    except Unfit:
        value, word = Condition.GOOD, _("condition « %(text)s » inconnue") % {"text": text}
    if word:
        words.append(word)
    return value


def value_class_of(paid: int) -> str:
    if paid < 50_00:
        return ValueClass.LIGHT
    return ValueClass.MIDDLE if paid <= 150_00 else ValueClass.VALUABLE


def price_class_of(price: int, words: list[str]) -> str:
    """The class of nearest price, with a word where it is not the same."""
    prices = {
        PriceClass.FREE: 0, PriceClass.SMALL: 1_00, PriceClass.MEDIUM: 3_00, PriceClass.LARGE: 5_00,
    }  # fmt: skip
    nearest = min(prices, key=lambda name: abs(prices[name] - price))
    if prices[nearest] != price:
        words.append(_("prix ramené à « %(class)s »") % {"class": nearest.label})
    return nearest


@cache
def is_drawn(key: str) -> bool:
    return finders.find(f"img/tools/{key}.svg") is not None


def drawn(key: str, words: list[str]) -> str:
    if not key or (re.fullmatch(r"[a-z0-9-]{1,40}", key) and is_drawn(key)):
        return key
    words.append(_("dessin « %(key)s » introuvable") % {"key": key})
    return ""


def without_repeats(wanted: list[Wanted], report: Report) -> list[Wanted]:
    """One row for each object.

    Without identifiers, the same name and brand again is one more copy; the same
    identifier twice is a fault of the file.
    """
    first: dict[str, Wanted] = {}
    for row in wanted:
        known = first.setdefault(row.source_id, row)
        if known is row:
            continue
        if row.has_own_id:
            words = _("l’identifiant %(code)s est déjà celui de la ligne %(number)d.") % {
                "code": row.source_id, "number": known.number,
            }  # fmt: skip
            report.refuse([reader.Fault(row.number, words)])
        else:
            known.copies += row.copies
            words = _("exemplaire de plus de la ligne %(number)d") % {"number": known.number}
            report.lines.append(Line(row.number, row.source_id, row.name, Outcome.MERGED, words))
    return list(first.values())


# -- The database --------------------------------------------------------------------------


@in_one_transaction
def load(
    wanted: list[Wanted],
    place: Place,
    report: Report,
    *,
    now: datetime,
    by: User | None,
    bar: Callable[[Iterable[Any], int], Iterable[Any]],
) -> None:
    settle(wanted, place, report, now=now, by=by, bar=bar, write=True)
    report.loaded = True
    log(place, "import_tools", by=by, now=now, channel="import", facts=report.counts)


def settle(
    wanted: list[Wanted],
    place: Place,
    report: Report,
    *,
    now: datetime,
    by: User | None,
    bar: Callable[[Iterable[Any], int], Iterable[Any]],
    write: bool,
) -> None:
    """Compare each row with what is stored, say what became of it, and write."""
    landlord = place.landlord
    held = {
        tool.source_id: tool
        for tool in landlord.tools.exclude(source_id="")
        .select_related("department")
        .prefetch_related("parts")
    }
    standing = dict(place.copies.order_by().values_list("tool").annotate(number=Count("pk")))
    names = names_of(landlord)
    departments = ensure_departments(landlord) if write else {}
    labels = fresh_labels() if write else iter(())
    for row in bar(wanted, len(wanted)):
        tool = held.get(row.source_id)
        row.department, word = department_of(row, tool, names)
        row.words += [word] if word else []
        changes = differences(tool, row) if tool is not None else []
        missing = max(0, row.copies - (standing.get(tool.pk, 0) if tool is not None else 0))
        if tool is None:
            outcome = Outcome.CREATED
        else:
            outcome = Outcome.UPDATED if changes or missing else Outcome.UNCHANGED
        words = [*row.words, *(str(LABELS[name]) for name in changes)]
        if tool is not None and missing:
            words.append(_("%(number)d exemplaires de plus") % {"number": missing})
        if write:
            if tool is None:
                tool = Tool(landlord=landlord, source_id=row.source_id)
            if outcome != Outcome.UNCHANGED:
                store(tool, row, changes, departments)
            for _each in range(missing):
                add_copy(
                    tool=tool, place=place, by=by, now=now, label=next(labels), **row.copy_values
                )
        report.lines.append(Line(row.number, row.source_id, row.name, outcome, " ; ".join(words)))


def department_of(row: Wanted, tool: Tool | None, names: dict[str, str]) -> tuple[str, str]:
    """Its slug, and a word for the report; a file that says nothing changes nothing."""
    if tool is not None and not row.category:
        return tool.department.slug, ""
    return slug_for(row.category, row.name, names)


def differences(tool: Tool, row: Wanted) -> list[str]:
    """The fields that the file gives and that stand otherwise in the catalogue."""
    names = [name for name, value in row.values.items() if getattr(tool, name) != value]
    if tool.department.slug != row.department:
        names.append("department")
    if row.parts and row.parts != [(part.name, part.quantity) for part in tool.parts.all()]:
        names.append("parts")
    return names


def store(tool: Tool, row: Wanted, changes: list[str], departments: dict[str, Any]) -> None:
    is_new = tool.pk is None
    if is_new or changes:
        for name, value in row.values.items():
            setattr(tool, name, value)
        tool.department = departments[row.department]
        tool.save()
    if row.parts and (is_new or "parts" in changes):
        Part.objects.filter(tool=tool).delete()
        Part.objects.bulk_create(
            Part(tool=tool, name=name, quantity=quantity) for name, quantity in row.parts
        )


def fresh_labels() -> Iterator[str]:
    """The labels after the highest, one after the other."""
    number = int(next_label()[1:-1])
    while True:
        yield codes.label_code(number)
        number += 1
