"""Money that goes back on line: our row first, then the call that is keyed by it.

Above the place's limit a second person signs. What the provider did is written into the
ledger by the reading (`club.domain.sync`), which also sees what was given back by other
ways than ours.
"""

import logging
from datetime import datetime

from django.utils.translation import gettext as _
from django_q.tasks import async_task

from club import gateway
from club.domain.ledger import balance_of_subject
from club.enums import ONLINE_MEANS, Account, EntryKind, RefundReason, RefundStatus
from club.kernel import words
from club.kernel.refusal import Refused, refuse
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Customer, LedgerEntry, Place, Refund, User

logger = logging.getLogger(__name__)

COUNTING = (RefundStatus.ASKED, RefundStatus.SENDING, RefundStatus.DONE)
"""A refund in one of these takes its cents from what can still be given back."""


def is_online_payment(entry: LedgerEntry) -> bool:
    return (
        entry.kind == EntryKind.PAYMENT
        and entry.means in ONLINE_MEANS
        and entry.source.startswith("stripe:")
        and entry.cents > 0
    )


def left_to_refund(entry: LedgerEntry) -> int:
    """Paid, less what was or is being given back; of a deposit, less what the desk gave."""
    asked = Refund.objects.filter(entry=entry, status__in=COUNTING)
    left = entry.cents - sum(asked.values_list("cents", flat=True))
    if entry.account != Account.DEPOSIT:
        return left
    waiting = Refund.objects.filter(
        entry__subject_kind=entry.subject_kind,
        entry__subject_id=entry.subject_id,
        status__in=(RefundStatus.ASKED, RefundStatus.SENDING),
    )
    held = balance_of_subject(entry.subject_kind, entry.subject_id)
    return min(left, held - sum(waiting.values_list("cents", flat=True)))


def is_disputed(entry: LedgerEntry) -> bool:
    """The bank has taken the money back, and a refund would give it twice."""
    return LedgerEntry.objects.filter(
        kind=EntryKind.DISPUTE,
        subject_kind=entry.subject_kind,
        subject_id=entry.subject_id,
        at__gte=entry.at,
        cents__lt=0,
        reversed_by=None,
    ).exists()


def lock_payer(entry: LedgerEntry) -> None:
    """What has been given back is counted and added to by one at a time."""
    hold(entry.household or entry.place)


@in_one_transaction
def ask_refund(
    entry: LedgerEntry, cents: int, reason: str, *, by: User | None, now: datetime
) -> Refund:
    """Give back some of an online payment; nobody (`by` None) for what was paid twice."""
    lock_payer(entry)
    if not is_online_payment(entry):
        raise refuse("not_online", _("Ce paiement n’est pas en ligne. Annulez son reçu."))
    if reason not in RefundReason.values:
        raise refuse("reason_wrong", _("Choisissez un motif."), "reason")
    if by is not None and is_disputed(entry):
        raise refuse("disputed", _("Ce paiement est contesté : la banque a repris l’argent."))
    left = left_to_refund(entry)
    if not 0 < cents <= left:
        text = _("On peut rendre de 1 centime à %(left)s.") % {"left": words.money(left)}
        if left <= 0:
            text = _("Tout a déjà été rendu.")
        raise refuse("too_much", text, "cents", left=left)
    refund = Refund.objects.create(
        entry=entry, cents=cents, reason=reason, asked_by=by, asked_at=now
    )
    log(refund, "ask_refund", by=by, now=now, facts={"from": None, "to": RefundStatus.ASKED})
    if by is None or cents <= entry.place.sign_off_cents:
        send_off(refund, by=by, now=now)
    return refund


@in_one_transaction
def approve_refund(refund: Refund, *, by: User, now: datetime) -> Refund:
    """The second person's sign-off: never the one who asked."""
    lock_payer(refund.entry)
    if refund.asked_by_id == by.pk:
        raise refuse("second_person", _("Une autre personne signe ce remboursement."))
    if is_disputed(refund.entry):
        raise refuse("disputed", _("Ce paiement est contesté : la banque a repris l’argent."))
    send_off(refund, by=by, now=now, approved_by=by)
    return refund


@in_one_transaction
def refuse_refund(refund: Refund, *, by: User, now: datetime) -> Refund:
    move(refund, RefundStatus.REFUSED, by=by, now=now, verb="refuse_refund", approved_by=by)
    return refund


def send_off(
    refund: Refund, *, by: User | None, now: datetime, approved_by: User | None = None
) -> None:
    move(refund, RefundStatus.SENDING, by=by, now=now, approved_by=approved_by)
    async_task("club.tasks.send_refund", refund.pk, group="provider")


def send_refund(refund_id: int, *, now: datetime) -> None:
    """Call the provider, outside any transaction; again as often as it takes.

    Where it says no, the refund has failed and somebody reads why; where it does not
    answer, the sweeper comes back.
    """
    refund = Refund.objects.select_related("entry").get(pk=refund_id)
    if refund.status != RefundStatus.SENDING:
        return
    payment = refund.entry.source.removeprefix("stripe:")
    try:
        made = gateway.give_back(payment, refund.cents, ours=refund.pk)
    except gateway.Declined as error:
        fail_refund(refund, str(error), now=now)
        return
    named(refund, made.id)


@in_one_transaction
def named(refund: Refund, provider_id: str) -> None:
    Refund.objects.filter(pk=refund.pk, provider_id=None).update(provider_id=provider_id)
    customer = Customer.objects.filter(household=refund.entry.household_id).first()
    if customer is not None:
        async_task("club.tasks.sync_customer", customer.pk, group="provider")


@in_one_transaction
def fail_refund(refund: Refund, error: str, *, now: datetime) -> None:
    lock_payer(refund.entry)
    try:
        move(refund, RefundStatus.FAILED, by=None, now=now, verb="fail_refund", error=error[:200])
    except Refused:
        return
    logger.error("Refund %s was refused by the provider: %s", refund.pk, error)


def unsent(now: datetime) -> list[int]:
    """Refunds that are to be sent and have no name at the provider yet."""
    waiting = Refund.objects.filter(status=RefundStatus.SENDING, provider_id=None)
    return list(waiting.order_by("pk").values_list("pk", flat=True)[:100])


def to_sign(places: list[Place]) -> int:
    return Refund.objects.filter(status=RefundStatus.ASKED, entry__place__in=places).count()
