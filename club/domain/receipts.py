"""Receipts: a number without a gap for each time that money changes hands.

The number is taken under the lock of the place's series, in the transaction that
enters the money: what fails takes no number.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F
from django.utils.translation import gettext_lazy as _

from club.domain.ledger import enter, reverse
from club.domain.messages import tell
from club.enums import DESK_MEANS, EntryKind, Means
from club.kernel import words
from club.kernel.purchases import Due, Paid, purchase
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Household, Member, Place, Receipt, ReceiptSeries, TillDay, User

MOST_CENTS = 1_000_00
"""More than this at once over the counter is a slip of the finger."""


def next_number(place: Place, year: int) -> int:
    series = ReceiptSeries.objects.filter(place=place, year=year)
    if not series.update(last=F("last") + 1):
        ReceiptSeries.objects.bulk_create(
            [ReceiptSeries(place=place, year=year)], ignore_conflicts=True
        )
        series.update(last=F("last") + 1)
    return series.values_list("last", flat=True).get()


def issue_receipt(
    *,
    place: Place,
    household: Household | None,
    member: Member | None,
    means: str,
    cents: int,
    by: User | None,
    now: datetime,
    given_cents: int | None = None,
    till: TillDay | None = None,
    cancels: Receipt | None = None,
    form_key: str | None = None,
) -> Receipt:
    """In the caller's transaction, with the entries that it covers."""
    year = local_day(now).year
    return Receipt.objects.create(
        place=place,
        year=year,
        number=next_number(place, year),
        household=household,
        member=member,
        means=means,
        cents=cents,
        given_cents=given_cents,
        till=till,
        cancels=cancels,
        form_key=form_key,
        issued_at=now,
        issued_by=by,
    )


def open_till(place: Place) -> TillDay | None:
    return TillDay.objects.filter(place=place, closed_at=None).first()


def till_for(place: Place, means: str) -> TillDay | None:
    """Each desk payment belongs to an open till, so that the day's count has them all."""
    till = TillDay.objects.select_for_update(no_key=True).filter(place=place, closed_at=None)
    found = till.first()
    if found is None and means == Means.CASH:
        raise refuse("till_closed", _("La caisse est fermée. Ouvrez-la d’abord."), "means")
    return found


@in_one_transaction
def take_payment(
    *,
    member: Member,
    place: Place,
    lines: Sequence[Due],
    means: str,
    by: User,
    now: datetime,
    given_cents: int | None = None,
    form_key: str | None = None,
) -> Receipt:
    """Take money at the desk for some things, give them, and write one receipt.

    `form_key` is the one-time key of the page: a second press finds the receipt of
    the first. Refused with what is wrong; nothing is then entered.
    """
    hold(member.household)
    if form_key:
        before = Receipt.objects.filter(form_key=form_key).first()
        if before is not None:
            return before
    cents = sum(line.cents for line in lines)
    reasons = []
    if means not in DESK_MEANS:
        reasons.append(Reason("means_wrong", _("Choisissez comment la personne paie."), "means"))
    if not lines:
        reasons.append(Reason("nothing_to_pay", _("Choisissez ce qui est payé."), "lines"))
    elif any(line.cents <= 0 for line in lines) or cents > MOST_CENTS:
        text = _("Le montant va de 1 centime à %(most)s.") % {"most": words.money(MOST_CENTS)}
        reasons.append(Reason("amount_wrong", text, "lines"))
    if given_cents is not None and given_cents < cents:
        text = _("Il manque %(cents)s.") % {"cents": words.money(cents - given_cents)}
        reasons.append(Reason("given_too_little", text, "given"))
    if reasons:
        raise Refused(reasons)
    till = till_for(place, means)
    receipt = issue_receipt(
        place=place,
        household=member.household,
        member=member,
        means=means,
        cents=cents,
        by=by,
        now=now,
        given_cents=given_cents if means == Means.CASH else None,
        till=till,
        form_key=form_key,
    )
    for number, line in enumerate(lines, 1):
        sold = purchase(line.kind)
        subject = sold.load(line.subject_id)
        enter(
            kind=EntryKind.PAYMENT,
            account=sold.account,
            cents=line.cents,
            place=place,
            household=member.household,
            member=member,
            subject_kind=line.kind,
            subject_id=line.subject_id,
            label=line.label,
            source=f"receipt:{receipt.pk}:{number}",
            means=means,
            receipt=receipt,
            till=till,
            at=now,
            by=by,
        )
        paid = Paid(line.cents, means, f"receipt:{receipt.pk}:{number}", now)
        sold.settle(subject, paid, by=by, now=now)
    log(receipt, "take_payment", by=by, now=now, facts={"cents": cents, "means": means})
    tell(member, "receipt.issued", receipt, key=f"receipt.issued:{receipt.pk}", now=now)
    return receipt


@in_one_transaction
def cancel_receipt(receipt: Receipt, *, by: User, now: datetime) -> Receipt:
    """Give the money back by the opposite receipt; what it had bought is taken back.

    Above the place's limit somebody else than the one who took the money does it.
    """
    if receipt.cancels_id is not None:
        raise refuse("is_opposite", _("Ce reçu annule déjà un autre reçu."))
    if receipt.means not in DESK_MEANS:
        raise refuse("paid_online", _("Ce paiement est en ligne. Remboursez-le là."))
    hold(receipt.place)
    if Receipt.objects.filter(cancels=receipt).exists():
        raise refuse("already_cancelled", _("Ce reçu est déjà annulé."))
    if receipt.cents > receipt.place.sign_off_cents and receipt.issued_by_id == by.pk:
        raise refuse(
            "second_person",
            _("Au-dessus de %(limit)s, une autre personne annule le reçu.")
            % {"limit": words.money(receipt.place.sign_off_cents)},
        )
    till = till_for(receipt.place, receipt.means)
    opposite = issue_receipt(
        place=receipt.place,
        household=receipt.household,
        member=receipt.member,
        means=receipt.means,
        cents=-receipt.cents,
        by=by,
        now=now,
        till=till,
        cancels=receipt,
    )
    for entry in receipt.entries.order_by("pk"):
        reverse(entry, by=by, now=now, receipt=opposite, till=till)
        sold = purchase(entry.subject_kind)
        sold.undo(sold.load(entry.subject_id), entry.source, by=by, now=now)
    log(opposite, "cancel_receipt", by=by, now=now, facts={"cancels": receipt.pk})
    if receipt.member is not None:
        key = f"receipt.cancelled:{opposite.pk}"
        tell(receipt.member, "receipt.cancelled", opposite, key=key, now=now)
    return opposite
