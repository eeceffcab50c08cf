"""Shops and producers from a file: drafts for the officer, who signs with them or not.

Nothing that is read here is shown to residents: a convention is signed first. Rows that
look like a shop of the file or of the list already are proposed and not made twice.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rapidfuzz import fuzz

from club.imports import reader
from club.imports.addresses import in_small_letters
from club.imports.columns import Column, Match, match
from club.imports.report import Line, Outcome, Report
from club.imports.values import Unfit, clean, coordinates, short, stable_key
from club.kernel.people import e164, folded
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log
from club.models import Landlord, User
from marketplace.domain.partners import add_partner
from marketplace.enums import PartnerKind, Shop
from marketplace.models import Partner, PartnerHours
from marketplace.models.partners import clean_siret

COLUMNS = (
    Column("name", gettext_lazy("nom"), (
        "nom", "nom du commerce", "enseigne", "name", "raison sociale", "denomination",
    ), required=True),
    Column("source", gettext_lazy("identifiant"), (
        "recordid", "identifiant", "id", "osm id", "reference", "code",
    )),
    Column("siret", gettext_lazy("SIRET"), ("siret", "pivot", "numero siret", "ref fr siret")),
    Column("shop", gettext_lazy("commerce"), (
        "type de commerce", "commerce", "categorie", "activite", "type", "shop", "category",
    ), required=True),
    Column("description", gettext_lazy("description"), (
        "precisions", "description", "descriptif", "commentaire",
    )),
    Column("address", gettext_lazy("adresse"), ("adresse", "address", "rue", "voie")),
    Column("postcode", gettext_lazy("code postal"), ("code postal", "cp", "postcode")),
    Column("city", gettext_lazy("commune"), ("commune", "ville", "city")),
    Column("phone", gettext_lazy("téléphone"), ("telephone", "tel", "phone", "contact phone")),
    Column("email", gettext_lazy("e-mail"), ("mail", "e mail", "email", "courriel")),
    Column("website", gettext_lazy("site"), ("site internet", "site", "website", "url", "web")),
    Column("latitude", gettext_lazy("latitude"), ("lat", "latitude")),
    Column("longitude", gettext_lazy("longitude"), ("lon", "lng", "longitude")),
    Column("hours", gettext_lazy("horaires"), ("opening hours", "horaires", "horaires ouverture")),
)  # fmt: skip
LABELS = {column.name: column.label for column in COLUMNS}
SHOP_WORDS: tuple[tuple[str, str], ...] = (
    ("boulang", Shop.BAKERY), ("patiss", Shop.BAKERY), ("bouch", Shop.BUTCHER),
    ("charcut", Shop.BUTCHER), ("primeur", Shop.GREENGROCER), ("fruits", Shop.GREENGROCER),
    ("fromag", Shop.CHEESE), ("poisson", Shop.FISH), ("boisson", Shop.DRINKS),
    ("caviste", Shop.DRINKS), ("restaur", Shop.CAFE), ("traiteur", Shop.CAFE),
    ("cafe", Shop.CAFE), ("epicerie", Shop.GROCER), ("alimentation", Shop.GROCER),
    ("pharma", Shop.PHARMACY), ("medic", Shop.PHARMACY), ("opti", Shop.OPTICIAN),
    ("coiff", Shop.HAIR), ("beaute", Shop.HAIR), ("blanchiss", Shop.LAUNDRY),
    ("pressing", Shop.LAUNDRY), ("laverie", Shop.LAUNDRY), ("bricol", Shop.HOME),
    ("quincaill", Shop.HOME), ("informatique", Shop.COMPUTERS), ("presse", Shop.BOOKS),
    ("papet", Shop.BOOKS), ("librair", Shop.BOOKS), ("sport", Shop.SPORT),
    ("vetement", Shop.CLOTHES), ("couture", Shop.CLOTHES), ("cinema", Shop.CULTURE),
    ("theatre", Shop.CULTURE), ("maraich", Shop.FARM), ("ferme", Shop.FARM),
)  # fmt: skip
DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\Z", re.ASCII)
ALIKE = 90
"""Likeness, of 100, from which two names or addresses are thought to be one."""


@dataclass
class Wanted:
    number: int
    source: str
    values: dict[str, Any]
    hours: list[tuple[int, time, time]] | None
    words: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.values["name"])


def import_partners(
    path: Path,
    *,
    landlord: Landlord,
    columns: Mapping[str, str] | None = None,
    by: User | None = None,
    now: datetime,
    dry_run: bool = False,
    skip_bad: bool = False,
    bar: Callable[[Iterable[Any], int], Iterable[Any]] = lambda rows, total: rows,
) -> Report:
    """Load shops as drafts. A row with a fault keeps the whole file out unless `skip_bad`."""
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
    if dry_run or (report.faults and not skip_bad):
        settle(wanted, landlord, report, now=now, by=by, bar=bar, write=False)
    else:
        load(wanted, landlord, report, now=now, by=by, bar=bar)
    return report


# -- One row ----------------------------------------------------------------------------------


def read_row(row: reader.Row, found: Match) -> Wanted:
    def cell(name: str) -> str:
        return found.cell(row.cells, name)

    words: list[str] = []
    name = in_small_letters(short(cell("name"), 120, LABELS["name"]))
    if not name:
        raise Unfit(_("le nom manque."))
    name = name[:1].upper() + name[1:]
    address = in_small_letters(short(cell("address"), 200, LABELS["address"]))
    email, website = contacts(cell("email"), cell("website"), words)
    values: dict[str, Any] = {
        "name": name,
        "siret": siret(cell("siret"), words),
        "shop": shop_of(cell("shop"), words),
        "description": clean(cell("description"), lines=True)[:600],
        "address": address,
        "postcode": postcode(cell("postcode"), words),
        "city": in_small_letters(short(cell("city"), 100, LABELS["city"])),
        "phone": phone(cell("phone"), words),
        "email": email,
        "website": website,
    }
    where = coordinates(f"{cell('latitude')} {cell('longitude')}".strip())
    if where is not None:
        values["latitude"], values["longitude"] = where
    if not values["phone"] and not email:
        words.append(_("ni téléphone ni e-mail"))
    hours = None
    if cell("hours"):
        hours = hours_of(cell("hours"))
        if hours is None:
            values["hours_note"] = short(cell("hours"), 160, LABELS["hours"])
            words.append(_("horaires gardés en mots"))
    own = short(cell("source"), 80, LABELS["source"])
    return Wanted(
        number=row.number,
        source=own or stable_key(name, address),
        values={key: value for key, value in values.items() if value},
        hours=hours,
        words=words,
    )


def shop_of(text: str, words: list[str]) -> str:
    plain = folded(text)
    for part, shop in SHOP_WORDS:
        if part in plain:
            return shop
    words.append(_("commerce « %(text)s » rangé dans « autre »") % {"text": text[:40]})
    return Shop.OTHER


def siret(text: str, words: list[str]) -> str:
    """A list separated by bars holds other numbers too: the first that fits is kept."""
    for part in re.split(r"[|;]", text):
        if not part.strip():
            continue
        try:
            return clean_siret(part)
        except ValidationError:
            words.append(_("SIRET « %(text)s » non valable") % {"text": part.strip()[:20]})
    return ""


def postcode(text: str, words: list[str]) -> str:
    first = re.split(r"[|;]", text)[0].strip()
    if re.fullmatch(r"\d{4,5}", first, re.ASCII):
        return first.zfill(5)
    if first:
        words.append(_("code postal « %(text)s » illisible") % {"text": first[:20]})
    return ""


def phone(text: str, words: list[str]) -> str:
    """A spreadsheet takes the leading 0 away: it is put back."""
    if not text.strip():
        return ""
    bare = re.sub(r"\D", "", text)
    number = e164(f"0{bare}" if len(bare) == 9 and "+" not in text else text)
    if number is None:
        words.append(_("téléphone « %(text)s » illisible") % {"text": text[:30]})
    return number or ""


def contacts(email: str, website: str, words: list[str]) -> tuple[str, str]:
    """E-mail and site, each in its own place, whichever column it stood in."""
    addresses = [part for part in re.split(r"[,;|\s]+", email) if part]
    if len(addresses) > 1:
        words.append(_("plusieurs e-mails : le premier est gardé"))
    address, site = (addresses or [""])[0], website.strip()
    bare = re.sub(r"^(https?://)+", "", site, flags=re.IGNORECASE)
    site = site if site.startswith("http://") and site[7:] == bare else bare and f"https://{bare}"
    if "@" in bare and "/" not in bare:
        words.append(_("e-mail trouvé dans la colonne du site"))
        address, site = address or bare, ""
    try:
        if address:
            validate_email(address)
    except ValidationError:
        words.append(_("e-mail « %(text)s » illisible") % {"text": address[:40]})
        address = ""
    if site and (len(site) > 300 or not re.fullmatch(r"https?://[^\s/]+\.[^\s]+", site)):
        words.append(_("site « %(text)s » illisible") % {"text": site[:40]})
        site = ""
    return address.lower(), site


def hours_of(text: str) -> list[tuple[int, time, time]] | None:
    """OpenStreetMap's opening hours, where they are plain: "Tu-Sa 07:00-13:00,15:00-19:30".

    None where they say more (seasons, holidays): then they are kept as words.
    """
    found: list[tuple[int, time, time]] = []
    for rule in text.lower().split(";"):
        parts = rule.split(None, 1)
        if not parts or rule.strip() in {"ph off", "off"}:
            continue
        if len(parts) != 2:
            return None
        days = days_of(parts[0])
        if days is None:
            return None
        if parts[1].strip() == "off":
            found = [line for line in found if line[0] not in days]
            continue
        for span in parts[1].split(","):
            hours = SPAN.match(span.strip())
            if hours is None:
                return None
            try:
                opens = time(int(hours[1]), int(hours[2]))
                closes = time(int(hours[3]), int(hours[4]))
            except ValueError:
                return None
            if closes <= opens:
                return None
            found += [(day, opens, closes) for day in days]
    return sorted(set(found)) or None


def days_of(text: str) -> set[int] | None:
    days: set[int] = set()
    for part in text.split(","):
        first, _dash, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            return None
        start, end = DAYS.index(first), DAYS.index(last or first)
        days |= {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}
    return days


# -- The list ------------------------------------------------------------------------------


@in_one_transaction
def load(
    wanted: list[Wanted],
    landlord: Landlord,
    report: Report,
    *,
    now: datetime,
    by: User | None,
    bar: Callable[[Iterable[Any], int], Iterable[Any]],
) -> None:
    settle(wanted, landlord, report, now=now, by=by, bar=bar, write=True)
    report.loaded = True
    log(landlord, "import_partners", by=by, now=now, channel="import", facts=report.counts)


def settle(
    wanted: list[Wanted],
    landlord: Landlord,
    report: Report,
    *,
    now: datetime,
    by: User | None,
    bar: Callable[[Iterable[Any], int], Iterable[Any]],
    write: bool,
) -> None:
    """Compare each row with the list and with the rows before it, tell it, and write."""
    held = {one.source: one for one in Partner.objects.filter(landlord=landlord)}
    known = Known(held.values())
    for row in bar(wanted, len(wanted)):
        partner = held.get(row.source)
        twin = None if partner is not None else known.like(row)
        if twin is not None:
            words = _("doublon probable de « %(name)s »") % {"name": twin}
            report.lines.append(
                Line(row.number, row.source, row.name, Outcome.SKIPPED, joined(row, words))
            )
            continue
        if partner is None:
            known.add(row.name, row.values)
            changes: list[str] = []
            outcome = Outcome.CREATED
        else:
            changes = [key for key, new in row.values.items() if getattr(partner, key) != new]
            outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
        if write and outcome != Outcome.UNCHANGED:
            held[row.source] = store(partner, row, landlord, by=by, now=now)
        said = ", ".join(str(LABELS.get(key, key)) for key in changes)
        report.lines.append(Line(row.number, row.source, row.name, outcome, joined(row, said)))


def joined(row: Wanted, words: str) -> str:
    return " ; ".join([*row.words, *([words] if words else [])])


def store(
    partner: Partner | None, row: Wanted, landlord: Landlord, *, by: User | None, now: datetime
) -> Partner:
    is_new = partner is None
    farm = row.values.get("shop") == Shop.FARM
    if partner is None:
        kind = PartnerKind.PRODUCER if farm else PartnerKind.MERCHANT
        partner = Partner(landlord=landlord, source=row.source, kind=kind)
    for key, value in row.values.items():
        setattr(partner, key, value)
    if is_new:
        add_partner(partner, by=by, now=now)
    else:
        partner.save()
    if row.hours and (is_new or not partner.hours.exists()):
        PartnerHours.objects.bulk_create(
            PartnerHours(partner=partner, weekday=day, opens=opens, closes=closes)
            for day, opens, closes in row.hours
        )
    return partner


class Known:
    """Partners by postcode, to find one that a row would make a second time."""

    def __init__(self, partners: Iterable[Partner]) -> None:
        self.by_postcode: dict[str, list[tuple[str, str, str, str]]] = {}
        for one in partners:
            self.add(one.name, {"postcode": one.postcode, "address": one.address,
                                "siret": one.siret})  # fmt: skip

    def add(self, name: str, values: Mapping[str, Any]) -> None:
        line = (name, folded(name), folded(values.get("address", "")), values.get("siret", ""))
        self.by_postcode.setdefault(values.get("postcode", ""), []).append(line)

    def like(self, row: Wanted) -> str | None:
        """The name of the one it looks like: same SIRET, or nearly same name and address."""
        own, address = folded(row.name), folded(row.values.get("address", ""))
        number = row.values.get("siret", "")
        for name, plain, where, siret_of in self.by_postcode.get(
            row.values.get("postcode", ""), []
        ):
            if number and number == siret_of:
                return name
            if (
                not (number and siret_of)
                and fuzz.ratio(own, plain) >= ALIKE
                and (fuzz.ratio(address, where) >= ALIKE)
            ):
                return name
        return None
