"""Any CSV, TSV or JSON that an office exports, as rows with the line they stand on.

Encoding and separator are found, not asked for. What cannot be read is never
guessed at: the line, or the file where its shape is lost, is refused with a sentence.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _

from club.kernel.refusal import refuse

MAX_BYTES = 50 * 1024 * 1024
SEPARATORS = ";\t,|"
EMPTY_WORDS = {"null", "\\n", "#n/a", "n/a", "nan"}
SINGLE_BYTE = ["cp1252", "mac_roman", "cp850"]
# What French and its neighbours write beyond ASCII; anything else in a file of one
# byte a letter says that the guess of its encoding was wrong.
EXPECTED = frozenset(
    "àâäáãåæçéèêëíìîïñóòôöõœúùûüÿß" "ÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕŒÚÙÛÜŸ"
    "«»“”‘’‚„–—…•·°ºª€£§²³¹µ½¼¾×÷±©®™\u00a0\u00ad"
)  # fmt: skip
HARDEST_TO_READ = 0.2
"""The share of unexpected letters from which a file is refused as unreadable."""


@dataclass(frozen=True)
class Row:
    """One record: the line on which it begins (its rank in JSON) and its cells by header."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Fault:
    """Why the record that begins on that line is refused."""

    number: int
    text: str


@dataclass
class Table:
    headers: list[str]
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    encoding: str = "utf-8"


def read(path: Path) -> Table:
    """The table in a file; raises `Refused` where the file as a whole cannot be read."""
    return table_of(*text_of(path))


def text_of(path: Path) -> tuple[str, str]:
    """What a file says, and the name of its encoding."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise refuse("file_too_large", _("Ce fichier dépasse 50 Mo. Coupez-le en plusieurs."))
        data = path.read_bytes()
    except OSError as error:
        raise refuse(
            "file_missing", _("Le fichier %(path)s ne s’ouvre pas.") % {"path": path}
        ) from error
    text, encoding = decoded(data)
    if not text.strip():
        raise refuse("file_empty", _("Ce fichier est vide."))
    return text, encoding


def table_of(text: str, encoding: str) -> Table:
    table = read_json(text) if text.lstrip()[0] in "[{" else read_separated(text)
    table.encoding = encoding
    if not table.rows and not table.faults:
        raise refuse("file_empty", _("Ce fichier n’a que des titres de colonnes, aucune ligne."))
    table.rows, damaged = split_damaged(table.rows)
    table.faults = sorted([*table.faults, *damaged], key=lambda fault: fault.number)
    return table


# -- Letters --------------------------------------------------------------------------


def decoded(data: bytes) -> tuple[str, str]:
    """The text and the name of its encoding."""
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise refuse(
            "file_is_workbook",
            _("C’est un classeur. Enregistrez-le au format CSV, puis recommencez."),
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError as error:
            raise unreadable() from error
    if b"\x00" in data:
        raise refuse("file_not_text", _("Ce fichier n’est pas du texte."))
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        pass
    lines = data.split(b"\n")
    wrong = sum(not is_utf8(line) for line in lines)
    accented = sum(is_utf8(line) and not line.isascii() for line in lines)
    if accented > wrong:
        # A UTF-8 file with damaged lines: these are refused one by one.
        return data.decode("utf-8-sig", errors="replace"), "utf-8"
    return one_byte_a_letter(data)


def one_byte_a_letter(data: bytes) -> tuple[str, str]:
    best = from_bytes(data, cp_isolation=SINGLE_BYTE).best()
    guesses = ([best.encoding] if best else []) + SINGLE_BYTE
    tried: list[tuple[float, int, str, str]] = []
    for rank, encoding in enumerate(dict.fromkeys(guesses)):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        tried.append((strangeness(text), rank, text, encoding))
    if not tried or min(tried)[0] > HARDEST_TO_READ:
        raise unreadable()
    _share, _rank, text, encoding = min(tried)
    return text, encoding


def strangeness(text: str) -> float:
    """The share of letters beyond ASCII that no French text would hold."""
    beyond = [letter for letter in text if not letter.isascii()]
    return sum(letter not in EXPECTED for letter in beyond) / max(1, len(beyond))


def is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def unreadable() -> Exception:
    return refuse(
        "file_encoding",
        _("Les lettres de ce fichier sont illisibles. Enregistrez-le en UTF-8."),
    )


def is_damaged(text: str) -> bool:
    """Letters lost, or UTF-8 once read as Windows-1252 ("Ã©" for "é")."""
    if text.isascii():
        return False
    if "\ufffd" in text:
        return True
    for word in text.split(" "):
        for encoding in ("cp1252", "latin-1"):
            try:
                if not word.isascii() and word.encode(encoding).decode("utf-8") != word:
                    return True
            except UnicodeError:
                continue
    return False


def split_damaged(rows: list[Row]) -> tuple[list[Row], list[Fault]]:
    kept, faults = [], []
    for row in rows:
        header = next((name for name, cell in row.cells.items() if is_damaged(cell)), None)
        if header is None:
            kept.append(row)
        else:
            text = _("lettres abîmées dans « %(header)s » : %(cell)s") % {
                "header": header, "cell": row.cells[header][:60],
            }  # fmt: skip
            faults.append(Fault(row.number, text))
    return kept, faults


# -- Separated values -------------------------------------------------------------------


def read_separated(text: str) -> Table:
    separator = separator_of(text)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, strict=True)
    faults: list[Fault] = []
    records = iter(numbered(reader, faults))
    _number, first = next(records, (0, []))
    headers = [cell.strip() for cell in first]
    while headers and not headers[-1]:
        headers.pop()
    if not headers:
        raise refuse("no_header", _("La première ligne doit donner le titre des colonnes."))
    table = Table(unique_headers(headers), faults=faults)
    width = len(headers)
    for number, cells in records:
        if any(cell.strip() for cell in cells[width:]) or len(cells) < width:
            text = _("%(found)d cellules, il en faut %(wanted)d.") % {
                "found": len(cells), "wanted": width,
            }  # fmt: skip
            faults.append(Fault(number, text))
        else:
            table.rows.append(
                Row(number, dict(zip(headers, map(worded, cells[:width]), strict=True)))
            )
    return table


def numbered(reader: Any, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins; blank ones are passed over."""
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise refuse(
                    "quote_left_open",
                    _("Ligne %(number)d : un guillemet s’ouvre et ne se ferme pas.")
                    % {"number": number},
                ) from error
            faults.append(Fault(number, _("guillemets mal placés, la ligne est illisible.")))
            continue
        if any(cell.strip() for cell in cells):
            yield number, cells


def separator_of(text: str) -> str:
    """The separator that cuts the first lines most evenly into most columns."""
    sample = text[:20_000].splitlines()[:30]
    if len(text) > 20_000:
        sample = sample[:-1] or sample
    best, best_score = ";", (0.0, 0)
    for separator in SEPARATORS:
        try:
            widths = [len(cells) for cells in csv.reader(sample, delimiter=separator) if cells]
        except csv.Error:
            continue
        if not widths or widths[0] < 2:
            continue
        even = sum(width == widths[0] for width in widths) / len(widths)
        if (score := (round(even, 1), widths[0])) > best_score:
            best, best_score = separator, score
    return best


def unique_headers(headers: list[str]) -> list[str]:
    named = [header for header in headers if header]
    double = next((header for header in named if named.count(header) > 1), None)
    if double is not None:
        raise refuse(
            "header_twice",
            _("Deux colonnes ont le même titre : « %(header)s ».") % {"header": double},
        )
    return headers


def worded(cell: str) -> str:
    """A cell without its margins; an export's word for "nothing" is nothing."""
    text = cell.strip()
    return "" if text.lower() in EMPTY_WORDS else text


# -- JSON ---------------------------------------------------------------------------------


def read_json(text: str) -> Table:
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise refuse(
            "json_broken", _("Ligne %(number)d : ce n’est pas du JSON lisible.") % {"number": line}
        ) from error
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if len(lists) == 1 else [content]
    table = Table([])
    for number, item in enumerate(content, 1):
        if not isinstance(item, dict):
            table.faults.append(Fault(number, _("ce n’est pas un objet avec des champs.")))
            continue
        item = item["fields"] if isinstance(item.get("fields"), dict) else item
        cells = {str(name).strip(): as_text(value) for name, value in item.items()}
        table.rows.append(Row(number, cells))
        table.headers.extend(name for name in cells if name not in table.headers)
    return table


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, list):
        return " | ".join(as_text(part) for part in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return worded(str(value))
