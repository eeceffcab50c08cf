"""Reading the landlord's file of tenancies: line by line, to digests and nothing else."""

import csv
from dataclasses import dataclass, field
from datetime import date, datetime
from io import StringIO

from club.domain.tenancy import tenancy_digest
from club.kernel.people import folded
from club.models import Landlord

COLUMNS = {
    "lease": {
        "lease",
        "lease reference",
        "bail",
        "reference bail",
        "reference du bail",
        "ref bail",
        "numero de bail",
        "numero bail",
        "no bail",
        "n bail",
        "contrat",
        "numero de contrat",
        "reference contrat",
        "reference",
    },
    "surname": {
        "surname",
        "last name",
        "nom",
        "nom de famille",
        "nom locataire",
        "nom du locataire",
        "nom du titulaire",
        "titulaire",
        "locataire",
    },
    "birth_date": {
        "birth date",
        "birthdate",
        "date of birth",
        "date de naissance",
        "date naissance",
        "naissance",
        "ne le",
        "nee le",
        "ddn",
    },
}
LABELS = {
    "lease": "référence du bail",
    "surname": "nom",
    "birth_date": "date de naissance",
}
DATES = ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%d/%m/%y")
OLDEST = date(1900, 1, 1)


class UnreadableFile(Exception):
    """The whole file is refused; the words say why."""


@dataclass
class Reading:
    """What a file gave: digests of good lines, a sentence for each bad one."""

    digests: set[str] = field(default_factory=set)
    good: int = 0
    bad: list[str] = field(default_factory=list)


def decoded(content: bytes) -> str:
    """UTF-8 with or without a mark, UTF-16 with one, else the Latin letters of Excel."""
    if not content.strip():
        raise UnreadableFile("Le fichier est vide.")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        try:
            content.decode("utf-8-sig")
            encoding = "utf-8-sig"
        except UnicodeDecodeError:
            encoding = "cp1252"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            "Les lettres du fichier ne se lisent pas. Enregistrez-le en CSV UTF-8."
        ) from error
    if "\x00" in text:
        raise UnreadableFile("Ce n’est pas un fichier CSV. Enregistrez-le en CSV UTF-8.")
    return text


def columns_of(header: list[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for position, title in enumerate(header):
        for name, titles in COLUMNS.items():
            if folded(title) in titles:
                places.setdefault(name, position)
    missing = [LABELS[name] for name in COLUMNS if name not in places]
    if missing:
        found = ", ".join(title.strip() for title in header if title.strip()) or "aucune"
        raise UnreadableFile(
            f"Colonne introuvable : {', '.join(missing)}. Colonnes lues : {found}."
        )
    return places


def as_date(text: str, today: date) -> date | None:
    for pattern in DATES:
        try:
            day = datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day, no instant
        except ValueError:
            continue
        return day if OLDEST <= day <= today else None
    return None


def read_tenancies(content: bytes, landlord: Landlord, today: date) -> Reading:
    """The digests of a CSV file. Sentences name the line and the column, never what is in it."""
    text = decoded(content)
    first_line = next(line for line in text.splitlines() if line.strip())
    delimiter = max(";,\t|", key=first_line.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    reading = Reading()
    places: dict[str, int] = {}
    width = 0
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if not places:
                places, width = columns_of(row), len(row)
                continue
            read_line(row, reader.line_num, places, width, landlord, today, reading)
    except csv.Error as error:
        raise UnreadableFile(f"Ligne {reader.line_num} : la ligne ne se lit pas.") from error
    if not reading.good and not reading.bad:
        raise UnreadableFile("Le fichier n’a aucune ligne sous les titres.")
    return reading


def read_line(
    row: list[str],
    number: int,
    places: dict[str, int],
    width: int,
    landlord: Landlord,
    today: date,
    reading: Reading,
) -> None:
    if len(row) != width:
        reading.bad.append(f"Ligne {number} : {len(row)} cases au lieu de {width}.")
        return
    cells = {name: row[position].strip() for name, position in places.items()}
    faults = [f"{LABELS[name]} vide" for name, cell in cells.items() if not folded(cell)]
    if "�" in "".join(cells.values()):
        faults.append("lettres illisibles")
    day = as_date(cells["birth_date"], today)
    if day is None and folded(cells["birth_date"]):
        faults.append("date de naissance illisible")
    if faults or day is None:
        reading.bad.append(f"Ligne {number} : {', '.join(faults)}.")
        return
    reading.good += 1
    reading.digests.add(tenancy_digest(landlord, cells["lease"], cells["surname"], day))
