"""The ledger and the counter's money: entries, receipts, the till and its days.

All amounts are integer cents of euro. An entry never changes and never goes (the
database refuses it, `club.guards`); a mistake is put right by the opposite entry.
"""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey

from club.enums import Account, BookAccount, EntryKind, Means, MovementKind
from club.models.people import Household, Member, User


class ReceiptSeries(models.Model):
    """The last number given at a place in a year: taken under lock, so none is missing."""

    place = models.ForeignKey("club.Place", models.PROTECT, related_name="+")
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["place", "year"], name="club_receipt_series_once")
        ]

    def __str__(self) -> str:
        return f"{self.place_id} {self.year}: {self.last}"


class TillDay(models.Model):
    """A till from its opening to its count: `expected` is what the cash entries say.

    `counted` tells how many of each coin and note: {"200": 3} is three coins of 2 €.
    """

    place = models.ForeignKey(
        "club.Place", models.PROTECT, verbose_name=_("point d’accueil"), related_name="till_days"
    )
    opened_at = models.DateTimeField(_("ouverte le"))
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    float_cents = models.PositiveIntegerField(_("fond de caisse"))
    closed_at = models.DateTimeField(_("fermée le"), null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    counted = models.JSONField(default=dict)
    counted_cents = models.PositiveIntegerField(_("compté"), null=True)
    expected_cents = models.IntegerField(_("attendu"), null=True)
    signed_at = models.DateTimeField(_("contresignée le"), null=True)
    signed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("journée de caisse")
        verbose_name_plural = _("journées de caisse")
        constraints = [
            models.UniqueConstraint(
                fields=["place"], condition=models.Q(closed_at=None), name="club_till_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.place}, {self.opened_at:%d/%m/%Y}"

    @property
    def difference_cents(self) -> int:
        return (self.counted_cents or 0) - (self.expected_cents or 0)


class TillMovement(models.Model):
    """Cash that goes to the bank or comes from it: it is nobody's payment."""

    till = models.ForeignKey(TillDay, models.PROTECT, related_name="movements")
    kind = models.CharField(_("mouvement"), max_length=8, choices=MovementKind.choices)
    cents = models.IntegerField(_("montant"), help_text=_("Négatif quand l’argent sort."))
    at = models.DateTimeField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("mouvement de caisse")
        verbose_name_plural = _("mouvements de caisse")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.cents}"


class Receipt(models.Model):
    """Money that changed hands, once, under a number without a gap at its place and year.

    `cents` is negative when money is given back; `cancels` is the receipt whose
    opposite this one is.
    """

    place = models.ForeignKey("club.Place", models.PROTECT, related_name="receipts")
    year = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField(_("numéro"))
    household = models.ForeignKey(Household, models.PROTECT, null=True, related_name="receipts")
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="receipts")
    means = models.CharField(_("moyen"), max_length=8, choices=Means.choices)
    cents = models.IntegerField(_("montant"))
    given_cents = models.PositiveIntegerField(_("reçu"), null=True, help_text=_("En espèces."))
    till = models.ForeignKey(TillDay, models.PROTECT, null=True, related_name="receipts")
    cancels = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="cancelled_by", verbose_name=_("annule")
    )
    issued_at = models.DateTimeField(_("le"))
    issued_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    form_key = models.CharField(  # noqa: DJ001 - null is what the unique key passes over
        max_length=64, null=True, unique=True, editable=False
    )

    class Meta:
        verbose_name = _("reçu")
        verbose_name_plural = _("reçus")
        constraints = [
            models.UniqueConstraint(
                fields=["place", "year", "number"], name="club_receipt_number_once"
            )
        ]
        indexes = [
            models.Index(fields=["place", "issued_at"], name="club_receipt_of_place"),
        ]

    def __str__(self) -> str:
        return f"{self.year}-{self.number:06d}"

    @property
    def change_cents(self) -> int:
        return (self.given_cents or self.cents) - self.cents


class LedgerEntry(models.Model):
    """One amount, tied to what it pays and to what caused it; never changed.

    `cents` is seen from the household: what it owes is negative (a charge), what it
    has paid is positive; its balance is the sum. `subject` is what the amount is for
    (a period, a loan …); `source` names its one cause ("receipt:12", "stripe:in_…"),
    so that no cause is entered twice.
    """

    # Editors look for nothing here; Wagtail's index would cost four statements an entry.
    wagtail_reference_index_ignore = True

    place = models.ForeignKey("club.Place", models.PROTECT, related_name="entries")
    household = models.ForeignKey(Household, models.PROTECT, null=True, related_name="entries")
    member = models.ForeignKey(Member, models.PROTECT, null=True, related_name="entries")
    kind = models.CharField(_("écriture"), max_length=8, choices=EntryKind.choices)
    account = models.CharField(_("compte"), max_length=12, choices=Account.choices)
    means = models.CharField(_("moyen"), max_length=8, choices=Means.choices, blank=True)
    cents = models.IntegerField(_("montant"))
    subject_kind = models.CharField(max_length=40)
    subject_id = models.BigIntegerField()
    label = models.CharField(_("libellé"), max_length=200)
    source = models.CharField(max_length=120, unique=True)
    receipt = models.ForeignKey(Receipt, models.PROTECT, null=True, related_name="entries")
    till = models.ForeignKey(TillDay, models.PROTECT, null=True, related_name="entries")
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="reversed_by", verbose_name=_("contrepasse")
    )
    at = models.DateTimeField(_("le"))
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("écriture")
        verbose_name_plural = _("écritures")
        indexes = [
            models.Index(fields=["household", "at"], name="club_entry_of_household"),
            models.Index(fields=["place", "at"], name="club_entry_of_place"),
            models.Index(fields=["subject_kind", "subject_id"], name="club_entry_of_subject"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(
                    models.Q(kind=EntryKind.CHARGE, means="") | ~models.Q(kind=EntryKind.CHARGE)
                ),
                name="club_entry_charge_has_no_means",
            ),
            models.CheckConstraint(condition=~models.Q(cents=0), name="club_entry_not_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.label}: {self.cents}"


class AccountNumber(models.Model):
    """The accountant's number of one account at a place, where it is not the usual one."""

    place = ParentalKey("club.Place", on_delete=models.CASCADE, related_name="account_numbers")
    use = models.CharField(_("pour"), max_length=12, choices=BookAccount.choices)
    number = models.CharField(
        _("numéro"),
        max_length=12,
        validators=[RegexValidator(r"^[0-9A-Z]{2,12}$", _("Des chiffres et des capitales."))],
    )
    name = models.CharField(_("intitulé"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("compte comptable")
        verbose_name_plural = _("comptes comptables")
        constraints = [
            models.UniqueConstraint(
                fields=["place", "use"],
                name="club_account_number_once",
                violation_error_message=_("Ce compte a déjà son numéro."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name or self.get_use_display()}"
