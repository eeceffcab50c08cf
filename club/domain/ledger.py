"""The ledger: amounts entered once, corrected by their opposite, summed when asked.

Cents are seen from the household: a charge is negative, a payment positive. What was
entered is never changed; the database refuses it.
"""

from datetime import datetime

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from club.enums import Account, EntryKind
from club.kernel.refusal import refuse
from club.kernel.transactions import in_one_transaction
from club.models import Household, LedgerEntry, Member, Place, Receipt, TillDay, User


@in_one_transaction
def enter(
    *,
    kind: str,
    account: str,
    cents: int,
    place: Place,
    household: Household | None,
    subject_kind: str,
    subject_id: int,
    label: str,
    source: str,
    at: datetime,
    by: User | None,
    means: str = "",
    member: Member | None = None,
    receipt: Receipt | None = None,
    till: TillDay | None = None,
    reverses: LedgerEntry | None = None,
) -> LedgerEntry:
    """One line of the ledger. `source` is its one cause: a second entry of it is an error."""
    return LedgerEntry.objects.create(
        kind=kind,
        account=account,
        cents=cents,
        place=place,
        household=household,
        member=member,
        subject_kind=subject_kind,
        subject_id=subject_id,
        label=label[:200],
        source=source,
        means=means,
        receipt=receipt,
        till=till,
        reverses=reverses,
        at=at,
        by=by,
    )


@in_one_transaction
def reverse(
    entry: LedgerEntry,
    *,
    by: User | None,
    now: datetime,
    receipt: Receipt | None = None,
    till: TillDay | None = None,
) -> LedgerEntry:
    """The opposite of an entry, once."""
    if LedgerEntry.objects.filter(reverses=entry).exists():
        raise refuse("already_reversed", _("Cette écriture est déjà annulée."))
    return enter(
        kind=entry.kind,
        account=entry.account,
        cents=-entry.cents,
        place=entry.place,
        household=entry.household,
        member=entry.member,
        subject_kind=entry.subject_kind,
        subject_id=entry.subject_id,
        label=_("Annulation : %(label)s") % {"label": entry.label},
        source=f"reversal:{entry.pk}",
        means=entry.means,
        receipt=receipt,
        till=till,
        reverses=entry,
        at=now,
        by=by,
    )


def sum_of(entries: QuerySet[LedgerEntry]) -> int:
    return entries.aggregate(sum=Sum("cents"))["sum"] or 0


def balance_of(household: Household) -> int:
    """What the household has paid beyond what it owes, deposits apart; negative: it owes."""
    return sum_of(LedgerEntry.objects.filter(household=household).exclude(account=Account.DEPOSIT))


def deposits_of(household: Household) -> int:
    """Deposits that are held for the household."""
    return sum_of(LedgerEntry.objects.filter(household=household, account=Account.DEPOSIT))


def balance_of_subject(kind: str, subject_id: int) -> int:
    """What has been paid for one thing beyond its price; negative: still to pay."""
    return sum_of(LedgerEntry.objects.filter(subject_kind=kind, subject_id=subject_id))


def balance_of_place(place: Place) -> dict[str, int]:
    """Money taken at a place less money given back, by means."""
    moved = LedgerEntry.objects.filter(place=place).exclude(kind=EntryKind.CHARGE)
    sums = moved.values("means").annotate(sum=Sum("cents")).order_by("means")
    return {row["means"]: row["sum"] for row in sums}
