"""The accountant's journal: two lines that balance for each entry of the single ledger.

A charge is owed by the household and is income; a payment goes to what it was paid
with and off the household's debt, a deposit to what is owed back; the till's gaps and
movements have their own accounts. Nobody's name is in it: a household is a number.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from heapq import merge

from django.utils.translation import gettext as _
from django.utils.translation import override

from club.enums import Account, BookAccount, EntryKind, Means
from club.kernel.spans import at, end_of, local_day
from club.models import LedgerEntry, Place, TillMovement

NUMBERS = {
    BookAccount.CASH: "530",
    BookAccount.CHEQUE: "5112",
    BookAccount.BANK: "512",
    BookAccount.CARD: "5115",
    BookAccount.SEPA: "5116",
    BookAccount.INTERNAL: "580",
    BookAccount.HOUSEHOLDS: "411",
    BookAccount.SUBSCRIPTION: "756",
    BookAccount.FEE: "706",
    BookAccount.EVENT: "7061",
    BookAccount.GOODS: "707",
    BookAccount.PARTNER: "7562",
    BookAccount.DEPOSIT: "165",
    BookAccount.LOSS: "658",
    BookAccount.GAIN: "758",
}
"""The usual French numbers; a place writes its own beside them."""

PAID_INTO = {
    Means.CASH: BookAccount.CASH,
    Means.CHEQUE: BookAccount.CHEQUE,
    Means.TRANSFER: BookAccount.BANK,
    Means.CARD: BookAccount.CARD,
    Means.SEPA: BookAccount.SEPA,
}
INCOME = {
    Account.SUBSCRIPTION: BookAccount.SUBSCRIPTION,
    Account.FEE: BookAccount.FEE,
    Account.EVENT: BookAccount.EVENT,
    Account.GOODS: BookAccount.GOODS,
    Account.PARTNER: BookAccount.PARTNER,
    Account.DEPOSIT: BookAccount.DEPOSIT,
    Account.GAP: BookAccount.GAIN,
}
JOURNALS = {
    BookAccount.CASH: ("CA", "Caisse"),
    BookAccount.CHEQUE: ("CH", "Chèques"),
    BookAccount.BANK: ("BQ", "Banque"),
    BookAccount.CARD: ("CB", "Cartes"),
    BookAccount.SEPA: ("PR", "Prélèvements"),
    None: ("VT", "Ventes"),
}
FEC_COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib",
    "CompAuxNum", "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit",
    "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise",
)  # fmt: skip
"""Article A47 A-1 of the French book of tax procedure."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Line:
    """One side of an entry: `debit` or `credit` is above zero, never both."""

    journal: tuple[str, str]
    number: int
    day: date
    account: tuple[str, str]
    household: int | None
    piece: str
    piece_day: date
    label: str
    debit: int
    credit: int


def accounts_of(place: Place) -> dict[str, tuple[str, str]]:
    """Number and name of each account: the place's own, else the usual ones."""
    with override("fr"):
        found = {use.value: (number, str(use.label)) for use, number in NUMBERS.items()}
    for own in place.account_numbers.all():
        found[own.use] = (own.number, own.name or found[own.use][1])
    return found


def paid_into(entry: LedgerEntry) -> BookAccount:
    return PAID_INTO[Means(entry.means)] if entry.means else BookAccount.BANK


def sides(entry: LedgerEntry) -> tuple[str, str, int]:
    """What is debited and what is credited when the cents are above zero, and the cents."""
    if entry.kind == EntryKind.CHARGE:
        return INCOME[Account(entry.account)], BookAccount.HOUSEHOLDS, entry.cents
    into = paid_into(entry)
    if entry.kind == EntryKind.GAP:
        lost = BookAccount.LOSS if entry.cents < 0 else BookAccount.GAIN
        return into, lost, entry.cents
    if entry.account == Account.DEPOSIT:
        return into, BookAccount.DEPOSIT, entry.cents
    return into, BookAccount.HOUSEHOLDS, entry.cents


def lines_of(place: Place, first: date, last: date) -> Iterator[Line]:
    """The lines of some days. Entries are numbered through each year, without a gap."""
    accounts = accounts_of(place)
    year, number = first.year, numbered_before(place, first)
    begins, ends = at(first, time.min), end_of(last)
    rows: Iterable[LedgerEntry | TillMovement] = merge(
        entries_of(place, begins, ends), moves_of(place, begins, ends), key=moment_of
    )
    for row in rows:
        day = local_day(row.at)
        if day.year != year:
            year, number = day.year, 0
        number += 1
        if isinstance(row, TillMovement):
            yield from of_movement(row, number, day, accounts)
        else:
            yield from of_entry(row, number, day, accounts)


def moment_of(row: LedgerEntry | TillMovement) -> tuple[datetime, bool, int]:
    return row.at, isinstance(row, TillMovement), row.pk


def entries_of(place: Place, begins: datetime, ends: datetime) -> Iterator[LedgerEntry]:
    rows = LedgerEntry.objects.filter(place=place, at__gte=begins, at__lt=ends)
    return rows.select_related("receipt").order_by("at", "pk").iterator()


def moves_of(place: Place, begins: datetime, ends: datetime) -> Iterator[TillMovement]:
    rows = TillMovement.objects.filter(till__place=place, at__gte=begins, at__lt=ends)
    return rows.order_by("at", "pk").iterator()


def numbered_before(place: Place, first: date) -> int:
    """How many entries of its year stand before a day."""
    begins, ends = at(date(first.year, 1, 1), time.min), at(first, time.min)
    entries = LedgerEntry.objects.filter(place=place, at__gte=begins, at__lt=ends)
    moves = TillMovement.objects.filter(till__place=place, at__gte=begins, at__lt=ends)
    return entries.count() + moves.count()


def of_entry(
    entry: LedgerEntry, number: int, day: date, accounts: dict[str, tuple[str, str]]
) -> Iterator[Line]:
    debited, credited, cents = sides(entry)
    piece, piece_day = entry.source, day
    if entry.receipt is not None:
        piece, piece_day = str(entry.receipt), local_day(entry.receipt.issued_at)
    journal = JOURNALS[None if entry.kind == EntryKind.CHARGE else paid_into(entry)]
    for use, signed in ((debited, cents), (credited, -cents)):
        household = entry.household_id if use == BookAccount.HOUSEHOLDS else None
        yield Line(
            journal, number, day, accounts[use], household, piece, piece_day, entry.label,
            max(signed, 0), max(-signed, 0),
        )  # fmt: skip


def of_movement(
    moved: TillMovement, number: int, day: date, accounts: dict[str, tuple[str, str]]
) -> Iterator[Line]:
    label = str(moved.get_kind_display()).capitalize()
    for use, signed in ((BookAccount.CASH, moved.cents), (BookAccount.INTERNAL, -moved.cents)):
        yield Line(
            JOURNALS[BookAccount.CASH], number, day, accounts[use], None, f"caisse:{moved.till_id}",
            day, label, max(signed, 0), max(-signed, 0),
        )  # fmt: skip


# -- Files ---------------------------------------------------------------------------------


def amount(cents: int) -> str:
    """ "12,50", as both files write it."""
    return f"{cents // 100},{cents % 100:02d}"


def household_number(household: int | None) -> str:
    return f"F{household:06d}" if household else ""


def plain(text: str) -> str:
    """No cell that a spreadsheet would take for a formula."""
    text = " ".join(text.split())
    return f"'{text}" if text.startswith(FORMULA) else text


def one_line(text: str) -> str:
    """No separator inside a field of the tax file."""
    return " ".join(text.replace("|", "/").split())


def as_csv(lines: Iterable[Line]) -> Iterator[str]:
    """For a spreadsheet in French: semicolons, decimal commas, a mark that says UTF-8."""
    yield "\ufeff" + csv_row(
        _("Journal"), _("Écriture"), _("Date"), _("Compte"), _("Intitulé"), _("Foyer"),
        _("Pièce"), _("Libellé"), _("Débit"), _("Crédit"),
    )  # fmt: skip
    for line in lines:
        yield csv_row(
            line.journal[0], str(line.number), f"{line.day:%d/%m/%Y}", line.account[0],
            plain(line.account[1]), household_number(line.household), plain(line.piece),
            plain(line.label), amount(line.debit), amount(line.credit),
        )  # fmt: skip


def csv_row(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow(cells)
    return text.getvalue()


def as_fec(lines: Iterable[Line]) -> Iterator[str]:
    yield "\t".join(FEC_COLUMNS) + "\r\n"
    for line in lines:
        aux = household_number(line.household)
        cells = (
            *line.journal, str(line.number), f"{line.day:%Y%m%d}", line.account[0],
            one_line(line.account[1]), aux, f"Foyer {aux}" if aux else "", one_line(line.piece),
            f"{line.piece_day:%Y%m%d}", one_line(line.label), amount(line.debit),
            amount(line.credit), "", "", f"{line.day:%Y%m%d}", "", "",
        )  # fmt: skip
        yield "\t".join(cells) + "\r\n"


def totals_of(lines: Iterable[Line]) -> dict[tuple[str, str], tuple[int, int]]:
    """Debit and credit of each account."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for line in lines:
        debit, credit = found.get(line.account, (0, 0))
        found[line.account] = (debit + line.debit, credit + line.credit)
    return dict(sorted(found.items()))
