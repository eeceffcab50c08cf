"""What the provider knows, written down here. It converges; it never replays.

A reading takes a number, committed before the provider is asked. The answer is written
in one transaction under the household's lock. Money is added whatever the order of the
readings, since each payment, refund and dispute names its own row of the ledger. States
(what renews, whether a debit is under way, mandates) are set by the newest reading alone.

So a message of the provider may come twice, late, in any order or never: each only says
that a customer is worth reading again.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from club import gateway
from club.domain.ledger import enter, reverse
from club.domain.messages import tell
from club.domain.receipts import issue_receipt
from club.domain.refunds import ask_refund
from club.enums import CheckoutStatus, EntryKind, MandateStatus, RefundReason, RefundStatus
from club.gateway import Contest, Found, MoneyBack, Payment, Renewing
from club.kernel.purchases import Paid, Purchase, purchase
from club.kernel.recurring import Recurring, changed, kinds, recurring
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Checkout, Customer, LedgerEntry, Mandate, Member, ProviderEvent, Refund

logger = logging.getLogger(__name__)

TRYING = timedelta(hours=1)
"""As long as a payment page lives."""


def sync(customer_id: int, *, now: datetime) -> None:
    """Read a customer and write down what is new. The provider is asked in between."""
    number, provider_id = begin_reading(customer_id)
    found = gateway.read(provider_id)
    write_down(customer_id, number, found, now=now)


def begin_reading(customer_id: int) -> tuple[int, str]:
    with transaction.atomic():
        Customer.objects.filter(pk=customer_id).update(asked=F("asked") + 1)
        return Customer.objects.values_list("asked", "provider_id").get(pk=customer_id)


@in_one_transaction
def write_down(customer_id: int, number: int, found: Found, *, now: datetime) -> None:
    customer = Customer.objects.select_related("household").get(pk=customer_id)
    hold(customer.household)
    customer = Customer.objects.select_related("household", "payer__place").get(pk=customer_id)
    reading = Reading(customer, found, now)
    for payment in found.payments:
        if payment.succeeded:
            reading.enter_payment(payment)
    if number > customer.applied:
        reading.set_states()
        Customer.objects.filter(pk=customer_id).update(applied=number, synced_at=now)


@dataclass
class Reading:
    """One reading of one customer, while it is written down."""

    customer: Customer
    found: Found
    now: datetime

    def __post_init__(self) -> None:
        self.renewing = {one.id: one for one in self.found.subscriptions}
        self.first_of: dict[str, str] = {}
        for payment in self.found.payments:
            if payment.succeeded and payment.subscription:
                self.first_of.setdefault(payment.subscription, payment.id)

    # -- Whose it is

    def facts(self, payment: Payment) -> dict[str, str]:
        known = self.renewing.get(payment.subscription)
        return known.facts if known else payment.facts

    def subject(self, facts: dict[str, str]) -> tuple[Purchase, Any] | None:
        """What was paid for, or None for what we know nothing of: the report tells it."""
        if facts.get("household") != str(self.customer.household_id):
            return None
        try:
            sold = purchase(facts["kind"])
            subject = sold.load(int(facts["subject"]))
        except (KeyError, ValueError, ObjectDoesNotExist):
            return None
        renews = recurring(sold.kind)
        return sold, renews.receiver(subject) if renews else subject

    # -- Money: once, in any order

    def enter_payment(self, payment: Payment) -> None:
        entry = LedgerEntry.objects.filter(source=f"stripe:{payment.id}").first()
        if entry is None:
            entry = self.new_payment(payment)
        if entry is not None:
            self.enter_refunds(entry, payment)
            self.enter_contests(entry, payment)

    def new_payment(self, payment: Payment) -> LedgerEntry | None:
        facts = self.facts(payment)
        whose = self.subject(facts)
        if whose is None:
            logger.error("The payment %s is for nothing that is known here.", payment.id)
            return None
        sold, subject = whose
        checkout = Checkout.objects.filter(reference=facts.get("checkout", "")).first()
        is_first = checkout is not None and checkout.status != CheckoutStatus.PAID
        member = checkout.member if checkout and is_first else self.customer.payer
        place = getattr(subject, "place", None) or member.place
        # Whoever moved took their subscription along: its money goes where it is.
        household = getattr(subject, "household", None) or self.customer.household
        twice = self.is_twice(payment, sold, subject)
        receipt = issue_receipt(
            place=place, household=household, member=member,
            means=payment.means, cents=payment.cents, by=None, now=self.now,
        )  # fmt: skip
        entry = enter(
            kind=EntryKind.PAYMENT, account=sold.account, cents=payment.cents, place=place,
            household=household, member=member, subject_kind=sold.kind,
            subject_id=subject.pk, label=str(sold.label(subject)),
            source=f"stripe:{payment.id}", means=payment.means, receipt=receipt,
            at=self.now, by=None,
        )  # fmt: skip
        tell(member, "receipt.issued", receipt, key=f"receipt.issued:{receipt.pk}", now=self.now)
        log(receipt, "paid_online", by=None, now=self.now, facts={"payment": payment.id})
        if checkout is not None and is_first:
            move(checkout, CheckoutStatus.PAID, by=None, now=self.now)
        if twice:
            ask_refund(entry, entry.cents, self.why_back(entry), by=None, now=self.now)
        else:
            paid = Paid(payment.cents, payment.means, entry.source, payment.at)
            self.settle(sold, subject, paid)
        return entry

    def settle(self, sold: Purchase, subject: Any, paid: Paid) -> None:
        """What is paid is given; what had been given up runs once more, and no longer."""
        renews = recurring(sold.kind)
        was_over = renews is not None and renews.is_over(subject)
        sold.settle(subject, paid, by=None, now=self.now)
        if renews is not None and was_over:
            renews.set_stops(sold.load(subject.pk), True, by=None, now=self.now)

    def is_twice(self, payment: Payment, sold: Purchase, subject: Any) -> bool:
        """Whether it pays again what is paid: a renewal never does, a first payment may."""
        renews = recurring(sold.kind)
        if renews is None:
            due = sold.due(self.customer.household, self.now)
            return all(one.subject_id != subject.pk for one in due)
        is_first = self.first_of.get(payment.subscription) == payment.id
        return is_first and renews.is_needless(subject, local_day(payment.at))

    def why_back(self, entry: LedgerEntry) -> str:
        """Paid twice, or for what was given up before its money came."""
        moved = LedgerEntry.objects.filter(
            subject_kind=entry.subject_kind, subject_id=entry.subject_id
        ).exclude(kind=EntryKind.CHARGE)
        others = sum(moved.exclude(pk=entry.pk).values_list("cents", flat=True))
        is_given_up = recurring(entry.subject_kind) is None and others <= 0
        return RefundReason.CANCELLED if is_given_up else RefundReason.TWICE

    def enter_refunds(self, entry: LedgerEntry, payment: Payment) -> None:
        before = given_back(entry)
        for back in payment.refunds:
            self.enter_refund(entry, back)
        after = given_back(entry)
        sold = purchase(entry.subject_kind)
        if after >= entry.cents > before:
            self.take_back(entry)
        elif before >= entry.cents > after and not was_twice(entry):
            again = Paid(entry.cents, entry.means, f"{entry.source}:kept", self.now)
            sold.settle(sold.load(entry.subject_id), again, by=None, now=self.now)

    def take_back(self, entry: LedgerEntry) -> None:
        """What was bought ends; where that is past, the money's own rows stand all the same."""
        sold = purchase(entry.subject_kind)
        try:
            sold.undo(sold.load(entry.subject_id), entry.source, by=None, now=self.now)
        except Refused as refused:
            logger.error("The money of %s went back: %s", entry.source, refused)

    def enter_refund(self, entry: LedgerEntry, back: MoneyBack) -> None:
        refund = self.refund_row(entry, back)
        written = LedgerEntry.objects.filter(source=f"stripe:{back.id}").first()
        if written is None and not back.failed:
            whole = back.cents == entry.cents
            receipt = issue_receipt(
                place=entry.place, household=entry.household, member=entry.member,
                means=entry.means, cents=-back.cents, by=refund.asked_by, now=self.now,
                cancels=entry.receipt if whole and not is_cancelled(entry) else None,
            )  # fmt: skip
            enter(
                kind=EntryKind.REFUND, account=entry.account, cents=-back.cents,
                place=entry.place, household=entry.household, member=entry.member,
                subject_kind=entry.subject_kind, subject_id=entry.subject_id,
                label=_("Remboursé : %(label)s") % {"label": entry.label},
                source=f"stripe:{back.id}", means=entry.means, receipt=receipt,
                at=self.now, by=refund.asked_by,
            )  # fmt: skip
            if entry.member is not None:
                event = "receipt.cancelled" if receipt.cancels_id else "receipt.issued"
                tell(entry.member, event, receipt, key=f"{event}:{receipt.pk}", now=self.now)
        elif written is not None and back.failed and not is_reversed(written):
            reverse(written, by=None, now=self.now)
            logger.error("The refund %s failed after it was made.", back.id)
        self.settle_refund(refund, back)

    def refund_row(self, entry: LedgerEntry, back: MoneyBack) -> Refund:
        """Ours, or one that stands for what was given back on the provider's own pages."""
        ours = Refund.objects.filter(provider_id=back.id).first()
        if ours is None and back.ours.isdecimal():
            ours = Refund.objects.filter(pk=int(back.ours), entry=entry).first()
        if ours is None:
            ours = Refund.objects.create(
                entry=entry, cents=back.cents, reason=RefundReason.GESTURE,
                provider_id=back.id, asked_at=self.now,
            )  # fmt: skip
            facts = {"from": None, "to": RefundStatus.ASKED, "made": "elsewhere"}
            log(ours, "ask_refund", by=None, now=self.now, facts=facts)
            move(ours, RefundStatus.SENDING, by=None, now=self.now)
        elif ours.provider_id is None:
            ours.provider_id = back.id
            ours.save(update_fields=["provider_id"])
        return ours

    def settle_refund(self, refund: Refund, back: MoneyBack) -> None:
        to = {"succeeded": RefundStatus.DONE}.get(back.status)
        if back.failed:
            to = RefundStatus.FAILED
        if to is None or to == refund.status:
            return
        if to == RefundStatus.DONE and refund.status == RefundStatus.FAILED and refund.done_at:
            return  # An older reading: what failed after it was done stays failed.
        more = {"done_at": self.now} if to == RefundStatus.DONE else {"error": back.status}
        if refund.status == RefundStatus.REFUSED:
            return
        move(refund, to, by=None, now=self.now, **more)

    def enter_contests(self, entry: LedgerEntry, payment: Payment) -> None:
        for contest in payment.contests:
            if contest.takes_money:
                self.enter_contest(entry, contest)

    def enter_contest(self, entry: LedgerEntry, contest: Contest) -> None:
        """The bank took the money back: a row against it, the period ends, somebody looks."""
        sold = purchase(entry.subject_kind)
        written = LedgerEntry.objects.filter(source=f"stripe:{contest.id}").first()
        if written is None:
            written = enter(
                kind=EntryKind.DISPUTE, account=entry.account, cents=-contest.cents,
                place=entry.place, household=entry.household, member=entry.member,
                subject_kind=entry.subject_kind, subject_id=entry.subject_id,
                label=_("Contesté : %(label)s") % {"label": entry.label},
                source=f"stripe:{contest.id}", means=entry.means, at=self.now, by=None,
            )  # fmt: skip
            self.take_back(entry)
            log(written, "disputed", by=None, now=self.now, facts={"payment": entry.pk})
            logger.error("The payment %s is disputed.", entry.source)
        if contest.won and not is_reversed(written):
            reverse(written, by=None, now=self.now)
            again = Paid(entry.cents, entry.means, f"stripe:{contest.id}:won", self.now)
            sold.settle(sold.load(entry.subject_id), again, by=None, now=self.now)

    # -- States: the newest reading alone

    def set_states(self) -> None:
        self.set_mandates()
        subjects: dict[tuple[str, int], list[Renewing]] = {}
        known: dict[tuple[str, int], Any] = {}
        for one in self.found.subscriptions:
            whose = self.subject(one.facts)
            if whose is not None:
                key = whose[0].kind, whose[1].pk
                known[key] = whose[1]
                subjects.setdefault(key, []).append(one)
        for key, mine in subjects.items():
            renews = recurring(key[0])
            if renews is not None:
                self.set_renewal(renews, known[key], mine)

    def set_renewal(self, renews: Recurring, subject: Any, mine: list[Renewing]) -> None:
        """One subscription of the provider's renews the thing; any other there is ended."""
        kept = self.chosen(renews, subject, mine)
        for one in mine:
            if one.lives and one is not kept and not self.is_being_paid(one):
                async_task("club.tasks.end_renewal", one.id, group="provider")
        renews.link(subject, kept.id if kept else None, by=None, now=self.now)
        if kept is not None:
            if kept.stops != kept.told:
                renews.set_stops(subject, kept.stops, by=None, now=self.now)
            if steps(renews, subject, kept):
                changed(renews.kind, subject.pk)
        last = max(
            (x for x in self.found.payments if x.subscription in {one.id for one in mine}),
            key=lambda payment: payment.at,
            default=None,
        )
        if last is not None and last.status == "pending":
            renews.pays(subject, at=last.at, by=None, now=self.now)
        elif last is not None and last.status == "failed":
            renews.fails(subject, at=last.at, by=None, now=self.now)

    def chosen(self, renews: Recurring, subject: Any, mine: list[Renewing]) -> Renewing | None:
        """The one that was paid last, else the one known already, else the oldest."""
        linked = renews.linked(subject)
        wanted = [one for one in mine if one.lives and not self.is_unwanted(one)]
        return min(
            wanted,
            key=lambda one: (-self.last_paid(one), one.id != linked, one.created, one.id),
            default=None,
        )

    def payments_of(self, one: Renewing) -> list[Payment]:
        return [x for x in self.found.payments if x.subscription == one.id]

    def last_paid(self, one: Renewing) -> float:
        paid = [x.at.timestamp() for x in self.payments_of(one) if x.succeeded]
        return max(paid, default=0)

    def is_unwanted(self, one: Renewing) -> bool:
        """Paid twice, given back, disputed, or never paid: it must not debit any more."""
        paid = [payment for payment in self.payments_of(one) if payment.succeeded]
        if not paid:
            tries = self.payments_of(one)
            return bool(tries) and tries[-1].status == "failed"
        if any(x.takes_money and not x.won for payment in paid for x in payment.contests):
            return True
        entry = LedgerEntry.objects.filter(source=f"stripe:{paid[-1].id}").first()
        return entry is not None and (was_twice(entry) or given_back(entry) >= entry.cents)

    def is_being_paid(self, one: Renewing) -> bool:
        """Refused a moment ago on the payment page, where another try may follow."""
        return one.status == "incomplete" and self.now - one.created < TRYING

    def set_mandates(self) -> None:
        for seen in self.found.mandates:
            used = [payment for payment in self.found.payments if payment.mandate == seen.id]
            status = seen.status
            if status == MandateStatus.RESCINDED and used and used[-1].status == "failed":
                status = MandateStatus.BOUNCED
            mandate = Mandate.objects.filter(provider_id=seen.id).first()
            if mandate is None:
                mandate = Mandate.objects.create(
                    provider_id=seen.id,
                    customer=self.customer,
                    accepted_on=local_day(seen.accepted_on),
                    status=status,
                )
                facts = {"from": None, "to": status}
                log(mandate, "accept_mandate", by=None, now=self.now, facts=facts)
            mandate.reference = seen.reference
            mandate.last4 = used[-1].last4 if used else mandate.last4
            mandate.last_used_on = local_day(used[-1].at) if used else mandate.last_used_on
            mandate.save(update_fields=["reference", "last4", "last_used_on"])
            if status in Mandate.MOVES[mandate.status]:
                move(mandate, status, by=None, now=self.now)


def given_back(entry: LedgerEntry) -> int:
    """What the ledger says was refunded of a payment."""
    names = Refund.objects.filter(entry=entry).exclude(provider_id=None)
    sources = [f"stripe:{name}" for name in names.values_list("provider_id", flat=True)]
    rows = LedgerEntry.objects.filter(source__in=sources, reversed_by=None)
    return -sum(rows.values_list("cents", flat=True))


def was_twice(entry: LedgerEntry) -> bool:
    return Refund.objects.filter(entry=entry, reason=RefundReason.TWICE).exists()


def is_cancelled(entry: LedgerEntry) -> bool:
    return entry.receipt is None or hasattr(entry.receipt, "cancelled_by")


def is_reversed(entry: LedgerEntry) -> bool:
    return LedgerEntry.objects.filter(reverses=entry).exists()


# -- Telling the provider -------------------------------------------------------------------


def push(kind: str, subject_id: int) -> None:
    """Bring the provider to what was decided here: read, compare, write. Again at will."""
    renews = recurring(kind)
    assert renews is not None
    subject = purchase(kind).load(subject_id)
    key = renews.linked(subject)
    if key is None:
        return
    try:
        for step in steps(renews, subject, gateway.subscription(key)):
            step()
    except gateway.NotThere:
        logger.warning("The subscription %s is not at the provider any more.", key)


def steps(renews: Recurring, subject: Any, there: Renewing) -> list[Callable[[], None]]:
    """The calls that bring the provider to what is wanted here; none where it is there."""
    if not there.lives:
        return []
    if renews.is_over(subject):
        return [partial(gateway.end_now, there.id)]
    if there.status == "incomplete":
        return []  # It takes no change yet; the reading that sees it paid comes back here.
    price = renews.price(subject)
    # Another length would be billed at once: it ends instead, and is paid anew.
    stops = renews.stops(subject) or price.cents == 0 or price.months != there.months
    found: list[Callable[[], None]] = []
    if there.stops != stops or there.told != stops:
        found.append(partial(gateway.stop_renewing, there.id, stops=stops))
    if not stops and price.key != there.lookup_key:
        found.append(partial(gateway.change_price, there, price))
    until = renews.paid_until(subject)
    is_paid = until is not None and until > local_day(there.period_start)
    if there.status in ("past_due", "unpaid") and is_paid:
        found.append(partial(gateway.drop_open_invoices, there.id))
    return found


def push_coming(now: datetime) -> None:
    """Each night what comes is brought in line, whatever became of the task of the day."""
    for renews in kinds():
        for subject_id in renews.coming(now):
            changed(renews.kind, subject_id)


def try_again(customer_id: int, *, now: datetime) -> None:
    """Debit what is open by the means that was just given, and read how it went."""
    customer = Customer.objects.get(pk=customer_id)
    gateway.try_again(customer.provider_id)
    sync(customer.pk, now=now)


def forget_mandate(mandate_id: int) -> None:
    mandate = Mandate.objects.get(pk=mandate_id)
    with suppress(gateway.NotThere):
        gateway.forget_mandate(mandate.provider_id)


# -- Who pays -------------------------------------------------------------------------------


def payers_who_left(now: datetime) -> None:
    """A payer who is of the household no more: nothing further is debited from them."""
    gone = Customer.objects.exclude(payer__household=F("household")).select_related("household")
    for customer in gone.order_by("pk"):
        payer_left(customer, now=now)


@in_one_transaction
def payer_left(customer: Customer, *, now: datetime) -> None:
    hold(customer.household)
    for renews in kinds():
        renews.leave(customer.household, None, now)
    stays = Member.objects.filter(household=customer.household).order_by("pk").first()
    if stays is not None:
        log(customer, "payer_left", by=None, now=now, facts={"payer": customer.payer_id})
        customer.payer = stays
        customer.save(update_fields=["payer"])


def active_since(start: datetime) -> list[int]:
    """Customers about whom something happened since then."""
    told = ProviderEvent.objects.filter(received_at__gte=start).values("customer")
    opened = Checkout.objects.filter(created_at__gte=start).values("household")
    active = Customer.objects.filter(Q(provider_id__in=told) | Q(household__in=opened))
    return list(active.order_by("pk").values_list("pk", flat=True))
