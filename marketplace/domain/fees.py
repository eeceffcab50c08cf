"""The yearly fee of a convention: charged and paid in one act, by the ledger and its receipts.

A receipt that is cancelled takes its charge along, and the year is to be paid again.
Whether a partner has paid changes nothing in the directory.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.domain.ledger import enter
from club.domain.receipts import issue_receipt, till_for
from club.enums import DESK_MEANS, Account, EntryKind
from club.kernel import purchases, words
from club.kernel.purchases import Due, Purchase, nothing_to_settle, nothing_to_undo
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Household, LedgerEntry, Place, Receipt, User
from marketplace.models import Convention
from marketplace.queries.fees import KIND, FeeYear, charges_of, years_until


def label_of(year: FeeYear) -> str:
    return gettext("Participation de %(partner)s, du %(first)s au %(last)s") % {
        "partner": year.convention.partner.name,
        "first": words.date_of(year.starts_on),
        "last": words.date_of(year.ends_on),
    }


def charge_fee(year: FeeYear, receipt: Receipt, *, by: User, now: datetime) -> LedgerEntry:
    """What the year costs; numbered, so that the database refuses the same one twice."""
    source = f"{year.source}:"
    before = LedgerEntry.objects.filter(
        kind=EntryKind.CHARGE, reverses=None, source__startswith=source
    ).count()
    return enter(
        kind=EntryKind.CHARGE,
        account=Account.PARTNER,
        cents=-year.convention.fee_cents,
        place=receipt.place,
        household=None,
        subject_kind=KIND,
        subject_id=year.convention.pk,
        label=label_of(year),
        source=f"{source}{before + 1}",
        receipt=receipt,
        at=now,
        by=by,
    )


@in_one_transaction
def take_fee(
    convention: Convention,
    *,
    starts_on: date,
    cents: int,
    means: str,
    place: Place,
    by: User,
    now: datetime,
) -> Receipt:
    """Take the fee of the year that begins on `starts_on`, and write its receipt.

    `cents` is the sum that was read and paid: where it changed meanwhile nothing is taken.
    """
    hold(convention)
    convention.refresh_from_db()
    years = years_until(convention, local_day(now))
    year = next((one for one in years if one.starts_on == starts_on), None)
    if year is None:
        raise refuse("no_year", _("Cette année de la convention n’a pas commencé."))
    if place.landlord_id != convention.partner.landlord_id:
        raise refuse("place_wrong", _("Choisissez un point d’accueil de ce bailleur."), "place")
    if means not in DESK_MEANS:
        raise refuse("means_wrong", _("Choisissez comment le partenaire paie."), "means")
    if not convention.fee_cents:
        raise refuse("no_fee", _("Cette convention ne demande aucune participation."))
    if convention.fee_cents != cents:
        raise refuse("changed", _("Le montant a changé entre-temps. Relisez-le."), "year")
    paid = charges_of([convention]).get(year.source)
    if paid is not None:
        text = _("Cette année est déjà payée : reçu %(number)s.") % {"number": paid.receipt}
        raise refuse("already_paid", text)
    till = till_for(place, means)
    receipt = issue_receipt(
        place=place,
        household=None,
        member=None,
        means=means,
        cents=convention.fee_cents,
        by=by,
        now=now,
        till=till,
    )
    enter(
        kind=EntryKind.PAYMENT,
        account=Account.PARTNER,
        cents=convention.fee_cents,
        place=place,
        household=None,
        subject_kind=KIND,
        subject_id=convention.pk,
        label=label_of(year),
        source=f"receipt:{receipt.pk}:1",
        means=means,
        receipt=receipt,
        till=till,
        at=now,
        by=by,
    )
    charge_fee(year, receipt, by=by, now=now)
    log(receipt, "take_fee", by=by, now=now, facts={"convention": convention.pk, "means": means})
    return receipt


def owed_by_no_household(household: Household, now: datetime) -> Iterable[Due]:
    return ()


FEES = Purchase(
    KIND,
    Account.PARTNER,
    Convention,
    lambda convention: str(convention),
    nothing_to_settle,
    nothing_to_undo,
    owed_by_no_household,
)
"""So that the desk can cancel its receipt as any other."""


def register() -> None:
    purchases.register(FEES)
