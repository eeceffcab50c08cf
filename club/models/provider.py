"""What is kept of the payment provider: who pays there, what was asked, what it told."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from club.enums import (
    CHECKOUT_MOVES,
    MANDATE_MOVES,
    REFUND_MOVES,
    CheckoutStatus,
    DifferenceKind,
    MandateStatus,
    RefundReason,
    RefundStatus,
)
from club.models.money import LedgerEntry
from club.models.people import Household, Member, User


class Customer(models.Model):
    """A household at the provider.

    `asked` numbers the readings of the provider as they begin, `applied` is the
    newest that was written down: an older reading that ends later sets no state.
    """

    household = models.OneToOneField(Household, models.PROTECT, related_name="customer")
    provider_id = models.CharField(max_length=80, unique=True)
    payer = models.ForeignKey(Member, models.PROTECT, related_name="+")
    asked = models.PositiveBigIntegerField(default=0)
    applied = models.PositiveBigIntegerField(default=0)
    synced_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("client du prestataire")
        verbose_name_plural = _("clients du prestataire")

    def __str__(self) -> str:
        return self.provider_id


class Checkout(models.Model):
    """One payment page asked for: at most one is open for a household.

    `subject` is what is bought, by the name under which its app registered it.
    """

    MOVES = CHECKOUT_MOVES

    household = models.ForeignKey(Household, models.PROTECT, related_name="checkouts")
    member = models.ForeignKey(Member, models.PROTECT, related_name="checkouts")
    place = models.ForeignKey("club.Place", models.PROTECT, related_name="+")
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    cents = models.PositiveIntegerField()
    reference = models.CharField(max_length=43, unique=True)
    status = models.CharField(
        max_length=8, choices=CheckoutStatus.choices, default=CheckoutStatus.OPEN
    )
    session_id = models.CharField(  # noqa: DJ001 - null until the provider has named it
        max_length=120, null=True, unique=True
    )
    url = models.TextField(blank=True)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("paiement en ligne")
        verbose_name_plural = _("paiements en ligne")
        constraints = [
            models.UniqueConstraint(
                fields=["household"],
                condition=models.Q(status=CheckoutStatus.OPEN),
                name="club_checkout_one_open",
            )
        ]
        indexes = [
            models.Index(fields=["subject_kind", "subject_id"], name="club_checkout_subject")
        ]

    def __str__(self) -> str:
        return self.reference


class ProviderEvent(models.Model):
    """A message of the provider, kept once by its id; the worker reads the customer again.

    Nothing of the message is believed but whom it is about.
    """

    event_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=80)
    customer = models.CharField(max_length=80, blank=True)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("message du prestataire")
        verbose_name_plural = _("messages du prestataire")
        indexes = [
            models.Index(
                fields=["received_at"],
                condition=models.Q(done_at=None),
                name="club_event_to_do",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class Mandate(models.Model):
    """A SEPA mandate: void after 36 months without a debit."""

    MOVES = MANDATE_MOVES

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="mandates")
    provider_id = models.CharField(max_length=80, unique=True)
    reference = models.CharField(_("référence unique"), max_length=80, blank=True)
    last4 = models.CharField(_("fin du compte"), max_length=4, blank=True)
    status = models.CharField(
        max_length=9, choices=MandateStatus.choices, default=MandateStatus.PENDING
    )
    accepted_on = models.DateField()
    last_used_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("mandat SEPA")
        verbose_name_plural = _("mandats SEPA")

    def __str__(self) -> str:
        return self.reference or self.provider_id


class Refund(models.Model):
    """Money to give back on line: our row first, then the call that is keyed by it."""

    MOVES = REFUND_MOVES

    entry = models.ForeignKey(LedgerEntry, models.PROTECT, related_name="refunds")
    cents = models.PositiveIntegerField(_("montant"))
    reason = models.CharField(_("motif"), max_length=10, choices=RefundReason.choices)
    status = models.CharField(
        max_length=8, choices=RefundStatus.choices, default=RefundStatus.ASKED
    )
    provider_id = models.CharField(  # noqa: DJ001 - null until the provider has named it
        max_length=80, null=True, unique=True
    )
    asked_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    approved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = _("remboursement")
        verbose_name_plural = _("remboursements")
        constraints = [
            models.CheckConstraint(condition=models.Q(cents__gt=0), name="club_refund_of_something")
        ]

    def __str__(self) -> str:
        return f"{self.entry_id}: {self.cents}"


class ProviderDifference(models.Model):
    """One thing on which the provider and the ledger do not agree, found at night."""

    kind = models.CharField(_("différence"), max_length=12, choices=DifferenceKind.choices)
    provider_id = models.CharField(_("chez le prestataire"), max_length=120)
    provider_cents = models.IntegerField(_("montant chez lui"))
    ledger_cents = models.IntegerField(_("montant chez nous"))
    found_at = models.DateTimeField(_("trouvée le"))
    settled_at = models.DateTimeField(_("réglée le"), null=True)

    class Meta:
        verbose_name = _("différence avec le prestataire")
        verbose_name_plural = _("différences avec le prestataire")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "provider_id"],
                condition=models.Q(settled_at=None),
                name="club_difference_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.provider_id}"
