"""What places cost: charged when they are held, paid at the desk or on line, given back.

All goes through the ledger, tied to the registration. Its balance says the rest: below
nothing it is still to pay, above nothing it is owed to the household.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from club.domain.ledger import balance_of_subject, enter, reverse
from club.domain.messages import tell
from club.domain.receipts import issue_receipt, till_for
from club.domain.refunds import ask_refund, is_disputed, left_to_refund
from club.enums import (
    DESK_MEANS,
    ONLINE_MEANS,
    Account,
    CheckoutStatus,
    EntryKind,
    RefundReason,
    RefundStatus,
)
from club.kernel import purchases, words
from club.kernel.purchases import Due, Paid, Purchase
from club.kernel.refusal import refuse
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Checkout, Household, LedgerEntry, Receipt, Refund, User
from events.domain.told import told
from events.enums import RegistrationStatus
from events.models import Registration
from events.queries.policies import policy_for

KIND = "registration"
PAYABLE = (
    RegistrationStatus.PENDING,
    RegistrationStatus.CONFIRMED,
    RegistrationStatus.PRESENT,
)
NAMED = ("session__event", "member__household", "member__user", "place")
AT_THE_DOOR = timedelta(minutes=30)
AFTER_THE_PAGE = timedelta(minutes=10)
"""How long after its payment page a registration waits for news of the money."""


def label_of(registration: Registration) -> str:
    session = registration.session
    return _("%(title)s, %(day)s") % {
        "title": session.event.title,
        "day": words.day(session.day),
    }


def charges_of(registration: Registration) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(
        subject_kind=KIND, subject_id=registration.pk, source__startswith=f"{KIND}:"
    )


def charge(registration: Registration, *, by: User | None, now: datetime) -> None:
    """What its places cost; nothing where they are free."""
    if not registration.cents:
        return
    number = charges_of(registration).count() + 1
    enter(
        kind=EntryKind.CHARGE,
        account=Account.EVENT,
        cents=-registration.cents,
        place=registration.place,
        household=registration.member.household,
        member=registration.member,
        subject_kind=KIND,
        subject_id=registration.pk,
        label=label_of(registration),
        source=f"{KIND}:{registration.pk}:{number}",
        at=now,
        by=by,
    )


def uncharge(registration: Registration, *, by: User | None, now: datetime) -> None:
    """What was charged is taken back; what was paid is then owed to the household."""
    for entry in charges_of(registration).filter(reversed_by=None):
        reverse(entry, by=by, now=now)


def charge_anew(registration: Registration, *, by: User | None, now: datetime) -> None:
    """After a change of quantity or price; money that is too much goes back."""
    uncharge(registration, by=by, now=now)
    charge(registration, by=by, now=now)
    give_money_back(registration, now=now)
    make_sure(registration, by=by, now=now)


def make_sure(registration: Registration, *, by: User | None, now: datetime) -> None:
    """Paid in full, or with nothing left to pay, the places are sure."""
    if registration.status == RegistrationStatus.PENDING and balance(registration) >= 0:
        move(
            registration,
            RegistrationStatus.CONFIRMED,
            by=by,
            now=now,
            verb="paid",
            pay_until=None,
            sequence=registration.sequence + 1,
        )
        told(registration, "registration.confirmed", now=now)


def balance(registration: Registration) -> int:
    return balance_of_subject(KIND, registration.pk)


def is_paid(registration: Registration) -> bool:
    return not registration.cents or balance(registration) >= 0


def paid_for(ids: Iterable[int]) -> dict[int, int]:
    """What was paid for each, less what went back."""
    rows = LedgerEntry.objects.filter(subject_kind=KIND, subject_id__in=list(ids))
    sums = rows.exclude(kind=EntryKind.CHARGE).values("subject_id").annotate(sum=Sum("cents"))
    return {row["subject_id"]: row["sum"] for row in sums}


def pay_until(registration: Registration, now: datetime) -> datetime:
    """The term for paying: some hours, not past the beginning; at the door, some minutes."""
    hours = timedelta(hours=policy_for(registration.place).pay_hours)
    return max(min(now + hours, registration.starts_at), now + AT_THE_DOOR)


# -- Money that goes back -----------------------------------------------------------------


def payments_of(registration: Registration) -> QuerySet[LedgerEntry]:
    return LedgerEntry.objects.filter(
        subject_kind=KIND, subject_id=registration.pk, kind=EntryKind.PAYMENT, cents__gt=0
    )


def on_its_way(registration: Registration) -> int:
    """Cents that the provider was asked to give back and has not yet."""
    waiting = Refund.objects.filter(
        entry__in=payments_of(registration),
        status__in=[RefundStatus.ASKED, RefundStatus.SENDING],
    )
    return waiting.aggregate(sum=Sum("cents"))["sum"] or 0


def owed(registration: Registration) -> int:
    """Cents that the house still has to give back by itself: at the desk."""
    return max(0, balance(registration) - on_its_way(registration))


def give_money_back(registration: Registration, *, now: datetime) -> None:
    """What was paid on line and is owed goes back the same way; the rest waits at the desk.

    The place's rules decide it and not a person, so nobody signs. What the provider
    could not give back once waits at the desk too: asked again, it would fail for ever.
    """
    left = owed(registration)
    for entry in payments_of(registration).filter(means__in=ONLINE_MEANS).order_by("-pk"):
        if left <= 0:
            return
        stuck = is_disputed(entry) or entry.refunds.filter(status=RefundStatus.FAILED).exists()
        cents = 0 if stuck else min(left, left_to_refund(entry))
        if cents > 0:
            ask_refund(entry, cents, RefundReason.CANCELLED, by=None, now=now)
            left -= cents


def to_give_back(household: Household) -> list[tuple[Registration, int]]:
    """Registrations whose money waits at the desk for this household."""
    rows = (
        LedgerEntry.objects.filter(household=household, subject_kind=KIND)
        .values("subject_id")
        .annotate(sum=Sum("cents"))
        .filter(sum__gt=0)
        .order_by("subject_id")
    )
    found = registrations(row["subject_id"] for row in rows)
    return [(one, cents) for one in found if (cents := owed(one)) > 0]


def registrations(ids: Iterable[int]) -> list[Registration]:
    wanted = list(ids)
    if not wanted:
        return []
    rows = Registration.objects.filter(pk__in=wanted)
    return list(rows.select_related(*NAMED).order_by("pk"))


@in_one_transaction
def pay_back(
    registration: Registration,
    *,
    means: str,
    by: User,
    now: datetime,
    form_key: str | None = None,
) -> Receipt:
    """At the desk: the household gets back what is owed, against one receipt."""
    registration = registrations([registration.pk])[0]
    household = registration.member.household
    hold(household)
    if form_key:
        before = Receipt.objects.filter(form_key=form_key, household=household).first()
        if before is not None:
            return before
    cents = owed(registration)
    if cents <= 0:
        raise refuse("nothing_owed", _("Il n’y a rien à rendre pour cette inscription."))
    if means not in DESK_MEANS:
        raise refuse("means_wrong", _("Choisissez comment l’argent est rendu."), "means")
    till = till_for(registration.place, means)
    receipt = issue_receipt(
        place=registration.place,
        household=household,
        member=registration.member,
        means=means,
        cents=-cents,
        by=by,
        now=now,
        till=till,
        form_key=form_key,
    )
    enter(
        kind=EntryKind.PAYMENT,
        account=Account.EVENT,
        cents=-cents,
        place=registration.place,
        household=household,
        member=registration.member,
        subject_kind=KIND,
        subject_id=registration.pk,
        label=_("Rendu : %(what)s") % {"what": label_of(registration)},
        source=f"receipt:{receipt.pk}:1",
        means=means,
        receipt=receipt,
        till=till,
        at=now,
        by=by,
    )
    log(receipt, "pay_back", by=by, now=now, facts={"registration": registration.pk})
    key = f"receipt.issued:{receipt.pk}"
    tell(registration.member, "receipt.issued", receipt, key=key, now=now)
    return receipt


# -- As the till and the provider know it ------------------------------------------------------


def dues(household: Household, now: datetime) -> Iterable[Due]:
    rows = (
        LedgerEntry.objects.filter(household=household, subject_kind=KIND)
        .values("subject_id")
        .annotate(sum=Sum("cents"))
        .filter(sum__lt=0)
    )
    owing = {row["subject_id"]: -row["sum"] for row in rows}
    for registration in registrations(owing):
        if registration.status in PAYABLE:
            cents = owing[registration.pk]
            yield Due(KIND, registration.pk, label_of(registration), cents)


def settle(registration: Registration, paid: Paid, *, by: User | None, now: datetime) -> None:
    """Paid in full, the places are sure; what came too late or is too much goes back."""
    registration = locked(registration)
    make_sure(registration, by=by, now=now)
    give_money_back(registration, now=now)


def locked(registration: Registration) -> Registration:
    """As it is now: somebody may give its places back while its money comes."""
    rows = Registration.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related(*NAMED).get(pk=registration.pk)


def undo(registration: Registration, source: str, *, by: User | None, now: datetime) -> None:
    """Its money went back: it is to be paid again, where it was to be paid first.

    Of what is over nothing is owed any more. What was given back before is not given
    back again by its receipt.
    """
    registration = locked(registration)
    if balance(registration) >= 0:
        return
    if registration.status not in PAYABLE:
        uncharge(registration, by=by, now=now)
        if balance(registration) < 0:
            raise refuse("given_back", _("Cet argent est déjà rendu."))
        return
    waits_for_money = registration.session.pay_first and now < registration.starts_at
    if registration.status == RegistrationStatus.CONFIRMED and waits_for_money:
        move(
            registration,
            RegistrationStatus.PENDING,
            by=by,
            now=now,
            verb="unpaid",
            pay_until=pay_until(registration, now),
            sequence=registration.sequence + 1,
        )
        told(registration, "registration.pending", now=now)


def is_being_paid(registration: Registration, now: datetime) -> bool:
    """A payment page is open, or was a moment ago."""
    pages = Checkout.objects.filter(
        subject_kind=KIND, subject_id=registration.pk, expires_at__gt=now - AFTER_THE_PAGE
    )
    return pages.exclude(status=CheckoutStatus.PAID).exists()


PLACES = Purchase(
    KIND, Account.EVENT, Registration, label_of, settle, undo, dues, at_once=True
)  # fmt: skip


def register() -> None:
    purchases.register(PLACES)
