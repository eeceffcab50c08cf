"""What a loan costs: its fee, charged at the hand-over, and its deposit, given back after.

Both go through the ledger, tied to the loan: a fee is a charge that is paid later or
at once; a deposit is money that is held and owed to the household.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from club.domain.ledger import balance_of_subject, enter, reverse
from club.domain.messages import tell
from club.domain.receipts import issue_receipt, till_for
from club.enums import DESK_MEANS, Account, EntryKind
from club.kernel import purchases, words
from club.kernel.purchases import Due, Purchase, nothing_to_settle
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import end_of, local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Household, LedgerEntry, Receipt, User
from concierge.enums import BEFORE_HANDOVER, KeptReason, LoanStatus, PriceClass
from concierge.models import LendingPolicy, Loan
from concierge.queries.policies import policy_for

FEE, DEPOSIT = "fee", "deposit"
FEE_CENTS = {
    PriceClass.FREE: 0,
    PriceClass.SMALL: 1_00,
    PriceClass.MEDIUM: 3_00,
    PriceClass.LARGE: 5_00,
}


# -- Fees ----------------------------------------------------------------------------


def charge_fee(loan: Loan, *, by: User, now: datetime) -> None:
    """In the transaction of the hand-over; each hand-over has a charge of its own."""
    cents = FEE_CENTS[PriceClass(loan.tool.price_class)]
    if not cents:
        return
    number = fees_of(loan).count() + 1
    enter(
        kind=EntryKind.CHARGE,
        account=Account.FEE,
        cents=-cents,
        place=loan.place,
        household=loan.member.household,
        member=loan.member,
        subject_kind=FEE,
        subject_id=loan.pk,
        label=fee_label(loan),
        source=f"fee:{loan.pk}:{number}",
        at=now,
        by=by,
    )


def uncharge_fee(loan: Loan, *, by: User, now: datetime) -> None:
    """The hand-over was a mistake: what it charged is taken back."""
    if loan.tool.price_class == PriceClass.FREE:
        return
    for entry in fees_of(loan).filter(reversed_by=None):
        reverse(entry, by=by, now=now)


def fees_of(loan: Loan) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(
        subject_kind=FEE, subject_id=loan.pk, source__startswith="fee:"
    )


def fee_label(loan: Loan) -> str:
    return _("Participation : %(tool)s") % {"tool": loan.tool.name}


def fees_due(household: Household, now: datetime) -> Iterable[Due]:
    """What was charged for loans and is not paid yet."""
    rows = (
        LedgerEntry.objects.filter(household=household, subject_kind=FEE)
        .values("subject_id")
        .annotate(sum=Sum("cents"))
        .filter(sum__lt=0)
        .order_by("subject_id")
    )
    owed = {row["subject_id"]: -row["sum"] for row in rows}
    if not owed:
        return
    for loan in Loan.objects.filter(pk__in=owed).select_related("tool").order_by("pk"):
        yield Due(FEE, loan.pk, fee_label(loan), owed[loan.pk])


# -- Deposits --------------------------------------------------------------------------


def deposit_held(loan: Loan) -> int:
    return balance_of_subject(DEPOSIT, loan.pk)


def deposit_label(loan: Loan) -> str:
    return _("Caution : %(tool)s") % {"tool": loan.tool.name}


def refuse_without_deposit(loan: Loan | None, policy: LendingPolicy) -> None:
    """Where the policy says so, the money comes before the object leaves.

    Asked before anything is written. `walk_in` tells that there is no claim yet to
    tie the deposit to.
    """
    if not policy.deposit_cents or not policy.deposit_first:
        return
    if loan is not None and deposit_held(loan) >= policy.deposit_cents:
        return
    raise refuse(
        "deposit_due",
        _("Caution de %(cents)s à encaisser avant la remise.")
        % {"cents": words.money(policy.deposit_cents)},
        walk_in=loan is None,
        cents=policy.deposit_cents,
    )


def held_of(household: Household) -> dict[int, int]:
    """What is held for each loan of the household."""
    rows = (
        LedgerEntry.objects.filter(household=household, subject_kind=DEPOSIT)
        .values("subject_id")
        .annotate(sum=Sum("cents"))
        .filter(sum__gt=0)
    )
    return {row["subject_id"]: row["sum"] for row in rows}


def deposits_due(household: Household, now: datetime) -> Iterable[Due]:
    """For what is out, set aside, or reserved for today, where nothing is held yet."""
    loans = Loan.objects.filter(
        Q(status__in=[LoanStatus.OUT, LoanStatus.READY])
        | Q(status__in=BEFORE_HANDOVER, starts_at__lt=end_of(local_day(now))),
        member__household=household,
        place__policies__deposit_cents__gt=0,
    )
    found = list(loans.select_related("tool", "place").order_by("pk").distinct())
    held = held_of(household) if found else {}
    for loan in found:
        cents = policy_for(loan.place, loan.tool.value_class).deposit_cents - held.get(loan.pk, 0)
        if cents > 0:
            yield Due(DEPOSIT, loan.pk, deposit_label(loan), cents)


def take_back_deposit(loan: Loan, source: str, *, by: User | None, now: datetime) -> None:
    """A cancelled receipt gives a deposit back only while it is still held."""
    if deposit_held(loan) < 0:
        raise refuse("given_back", _("Cette caution est déjà rendue."))


@in_one_transaction
def give_back_deposit(
    loan: Loan,
    *,
    means: str,
    kept_cents: int = 0,
    reason: str = "",
    by: User,
    now: datetime,
    form_key: str | None = None,
) -> Receipt:
    """The object is back, or never went: the deposit too, less what is kept and why.

    One receipt tells it: the whole deposit out, and what is kept paid in.
    """
    loan = Loan.objects.select_related("tool", "place", "member__household").get(pk=loan.pk)
    household = loan.member.household
    hold(household)
    if form_key:
        before = Receipt.objects.filter(form_key=form_key, household=household).first()
        if before is not None:
            return before
    held = deposit_held(loan)
    reasons = []
    if held <= 0:
        raise refuse("not_held", _("Aucune caution n’est gardée pour ce prêt."))
    if loan.status == LoanStatus.OUT:
        raise refuse("still_out", _("L’objet n’est pas rendu. Rendez-le d’abord."))
    if means not in DESK_MEANS:
        reasons.append(
            Reason("means_wrong", _("Choisissez comment la caution est rendue."), "means")
        )
    if not 0 <= kept_cents <= held:
        text = _("On garde de 0 à %(held)s.") % {"held": words.money(held)}
        reasons.append(Reason("kept_wrong", text, "kept"))
    elif kept_cents and reason not in KeptReason.values:
        reasons.append(Reason("reason_missing", _("Choisissez pourquoi."), "reason"))
    if reasons:
        raise Refused(reasons)
    till = till_for(loan.place, means)
    receipt = issue_receipt(
        place=loan.place,
        household=household,
        member=loan.member,
        means=means,
        cents=kept_cents - held,
        by=by,
        now=now,
        till=till,
        form_key=form_key,
    )
    common: dict[str, Any] = {
        "place": loan.place,
        "household": household,
        "member": loan.member,
        "subject_id": loan.pk,
        "at": now,
        "by": by,
    }
    paid: dict[str, Any] = {
        "kind": EntryKind.PAYMENT, "means": means, "till": till, "receipt": receipt,
    }  # fmt: skip
    enter(
        **common, **paid, account=Account.DEPOSIT, subject_kind=DEPOSIT, cents=-held,
        label=_("Caution rendue : %(tool)s") % {"tool": loan.tool.name},
        source=f"receipt:{receipt.pk}:1",
    )  # fmt: skip
    if kept_cents:
        label = _("Retenu, %(reason)s : %(tool)s") % {
            "reason": KeptReason(reason).label, "tool": loan.tool.name,
        }  # fmt: skip
        enter(
            **common, kind=EntryKind.CHARGE, account=Account.FEE, subject_kind=FEE,
            cents=-kept_cents, label=label, source=f"kept:{receipt.pk}",
        )  # fmt: skip
        enter(
            **common, **paid, account=Account.FEE, subject_kind=FEE, cents=kept_cents,
            label=label, source=f"receipt:{receipt.pk}:2",
        )  # fmt: skip
    facts = {"loan": loan.pk, "held": held, "kept": kept_cents, "reason": reason}
    log(receipt, "give_back_deposit", by=by, now=now, facts=facts)
    tell(loan.member, "receipt.issued", receipt, key=f"receipt.issued:{receipt.pk}", now=now)
    return receipt


def uncharge_kept(loan: Loan, source: str, *, by: User | None, now: datetime) -> None:
    """With a cancelled receipt goes what it kept of a deposit; a loan's own fee stays owed."""
    receipt = source.split(":")[1]
    kept = LedgerEntry.objects.filter(source=f"kept:{receipt}", reversed_by=None).first()
    if kept is not None:
        reverse(kept, by=by, now=now)


FEES = Purchase(
    FEE, Account.FEE, Loan, fee_label, nothing_to_settle, uncharge_kept, fees_due
)  # fmt: skip
DEPOSITS = Purchase(
    DEPOSIT, Account.DEPOSIT, Loan, deposit_label, nothing_to_settle, take_back_deposit,
    deposits_due,
)  # fmt: skip


def register() -> None:
    purchases.register(FEES)
    purchases.register(DEPOSITS)
