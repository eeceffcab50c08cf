"""Which years of a convention are paid: asked of the ledger, which alone knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta
from django.utils.translation import gettext as _

from club.enums import EntryKind
from club.models import LedgerEntry
from marketplace.models import Convention, Partner

KIND = "convention"


@dataclass(frozen=True)
class FeeYear:
    """A year of a convention, from its own first day on; the last may be shorter."""

    convention: Convention
    starts_on: date
    ends_on: date

    @property
    def source(self) -> str:
        """What its charge is called in the ledger."""
        return f"{KIND}:{self.convention.pk}:{self.starts_on.year}"


def years_until(convention: Convention, on: date) -> list[FeeYear]:
    """The years that have begun by a day, the newest first."""
    found: list[FeeYear] = []
    first = convention.starts_on
    while first <= min(on, convention.ends_on):
        after = convention.starts_on + relativedelta(years=len(found) + 1)
        last = min(after - timedelta(days=1), convention.ends_on)
        found.append(FeeYear(convention, first, last))
        first = after
    return found[::-1]


def running_year(conventions: Iterable[Convention], on: date) -> FeeYear | None:
    """That of the convention that runs on a day; of two, the one signed last."""
    running = [one for one in conventions if one.starts_on <= on <= one.ends_on]
    if not running:
        return None
    return years_until(max(running, key=lambda one: (one.starts_on, one.pk)), on)[0]


def charges_of(conventions: Iterable[Convention]) -> dict[str, LedgerEntry]:
    """The charges that stand, by the year's own source; each was paid when it was entered."""
    numbers = [one.pk for one in conventions]
    if not numbers:
        return {}
    rows = LedgerEntry.objects.filter(
        kind=EntryKind.CHARGE,
        subject_kind=KIND,
        subject_id__in=numbers,
        reverses=None,
        reversed_by=None,
    ).select_related("receipt")
    return {":".join(row.source.split(":")[:3]): row for row in rows}


def has_money(conventions: Iterable[int]) -> bool:
    """Whether the ledger speaks of one of them, even if all of it was reversed."""
    rows = LedgerEntry.objects.filter(subject_kind=KIND, subject_id__in=list(conventions))
    return rows.exists()


@dataclass(frozen=True)
class Fee:
    """How a year of a convention stands."""

    year: FeeYear
    charge: LedgerEntry | None

    @property
    def is_paid(self) -> bool:
        return self.charge is not None

    @property
    def is_due(self) -> bool:
        return self.charge is None and self.year.convention.fee_cents > 0


def said_of(fee: Fee | None) -> str:
    """In a list: "payée", "à payer"; empty where nothing runs or nothing is asked."""
    if fee is None or not (fee.is_paid or fee.is_due):
        return ""
    return _("payée") if fee.is_paid else _("à payer")


def fees_of(partner: Partner, on: date) -> list[Fee]:
    """Each year that has begun, the newest first."""
    conventions = list(partner.conventions.all())
    charges = charges_of(conventions)
    years = [year for one in conventions for year in years_until(one, on)]
    years.sort(key=lambda year: (year.starts_on, year.convention.pk), reverse=True)
    return [Fee(year, charges.get(year.source)) for year in years]


def running_fees(partners: Iterable[Partner], on: date) -> dict[int, Fee]:
    """The running year of each partner, whose conventions are at hand: one statement."""
    years = {
        one.pk: year
        for one in partners
        if (year := running_year(one.conventions.all(), on)) is not None
    }
    charges = charges_of(year.convention for year in years.values())
    return {pk: Fee(year, charges.get(year.source)) for pk, year in years.items()}
