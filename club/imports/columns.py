"""Which column is which: by the names that real exports use, or as the person says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from club.kernel.people import folded
from club.kernel.refusal import refuse

CLOSE_ENOUGH = 88
"""Likeness, of 100, from which a header with a typing error is still recognised."""


@dataclass(frozen=True)
class Column:
    """A field of ours, with the headers it goes by: the first that is there wins."""

    name: str
    label: str | Promise
    headers: tuple[str, ...]
    required: bool = False


@dataclass
class Match:
    """Which header each field has, what was read in spite of a typing error, what is left."""

    header_of: dict[str, str]
    notes: list[str]
    unread: list[str]

    def cell(self, cells: Mapping[str, str], name: str) -> str:
        header = self.header_of.get(name)
        return cells.get(header, "") if header is not None else ""

    def has(self, name: str) -> bool:
        return name in self.header_of


def match(headers: list[str], columns: Iterable[Column], given: Mapping[str, str]) -> Match:
    """`given` says field by field what the file does not say itself (`--column`)."""
    columns = list(columns)
    known = {column.name: column for column in columns}
    found = ", ".join(f"« {header} »" for header in headers if header)
    by_name = {folded(header): header for header in headers if header}
    header_of: dict[str, str] = {}
    for name, header in given.items():
        if name not in known:
            raise refuse(
                "unknown_field",
                _("Le champ « %(name)s » n’existe pas. Champs possibles : %(fields)s.")
                % {"name": name, "fields": ", ".join(sorted(known))},
            )
        if folded(header) not in by_name:
            raise refuse(
                "unknown_column",
                _("La colonne « %(header)s » n’est pas dans le fichier. Il a : %(found)s.")
                % {"header": header, "found": found},
            )
        header_of[name] = by_name[folded(header)]
    for column in columns:
        if column.name in header_of:
            continue
        for alias in column.headers:
            there = by_name.get(folded(alias))
            if there is not None and there not in header_of.values():
                header_of[column.name] = there
                break
    notes = like_a_header(columns, by_name, header_of)
    missing = [column for column in columns if column.required and column.name not in header_of]
    if missing:
        raise refuse(
            "missing_column",
            _("Colonne introuvable : %(missing)s. Le fichier a : %(found)s. "
              "Dites laquelle avec --column %(example)s=Titre.")
            % {
                "missing": ", ".join(str(column.label) for column in missing),
                "found": found,
                "example": missing[0].name,
            },
        )  # fmt: skip
    read = set(header_of.values())
    return Match(header_of, notes, [name for name in headers if name and name not in read])


def like_a_header(
    columns: list[Column], by_name: dict[str, str], header_of: dict[str, str]
) -> list[str]:
    """Give columns still without a header one that differs by a letter or two."""
    notes = []
    for column in columns:
        free = [name for name, header in by_name.items() if header not in header_of.values()]
        if column.name in header_of or not free:
            continue
        aliases = [folded(alias) for alias in column.headers if len(alias) > 4]
        scored = [process.extractOne(alias, free, scorer=fuzz.ratio) for alias in aliases]
        best = max(scored, key=lambda result: result[1], default=None)
        if best is not None and best[1] >= CLOSE_ENOUGH:
            header_of[column.name] = by_name[best[0]]
            notes.append(
                _("Colonne « %(header)s » lue comme « %(label)s ».")
                % {"header": by_name[best[0]], "label": column.label}
            )
    return notes
