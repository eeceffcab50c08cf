"""Loans, from the reservation to the return, and the policies that rule them."""

from datetime import date, datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from club.kernel.bookings import Booking
from club.kernel.spans import local_day
from concierge.enums import HOLDING, LOAN_MOVES, LoanStatus, ValueClass


class LendingPolicy(models.Model):
    """How a place lends. The line without a value class is the rule for all others."""

    place = models.ForeignKey(
        "club.Place", models.CASCADE, verbose_name=_("point d’accueil"), related_name="policies"
    )
    value_class = models.CharField(
        _("classe de valeur"),
        max_length=8,
        choices=ValueClass.choices,
        blank=True,
        help_text=_("Vide : toutes les autres."),
    )
    loan_days = models.PositiveSmallIntegerField(
        _("durée du prêt, en jours"),
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
    )
    max_days = models.PositiveSmallIntegerField(
        _("durée la plus longue, en jours"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(180)],
        help_text=_("Les jours fermés comptent."),
    )
    renewals = models.PositiveSmallIntegerField(_("prolongations possibles"), default=1)
    limit = models.PositiveSmallIntegerField(
        _("objets à la fois, par membre"),
        default=6,
        help_text=_("Réservés et prêtés, de cette classe. La ligne générale compte tout."),
    )
    lead_minutes = models.PositiveIntegerField(_("délai avant retrait, en minutes"), default=30)
    horizon_days = models.PositiveSmallIntegerField(
        _("réservable jusqu’à, en jours"), default=90, validators=[MaxValueValidator(366)]
    )
    buffer_minutes = models.PositiveIntegerField(
        _("battement entre deux prêts, en minutes"),
        default=0,
        validators=[MaxValueValidator(7 * 24 * 60)],
    )
    block_while_late = models.BooleanField(_("pas de nouveau prêt en cas de retard"), default=True)
    renew_while_late = models.BooleanField(_("prolonger même en retard"), default=True)
    late_margin_days = models.PositiveSmallIntegerField(
        _("marge pour un objet en retard, en jours"),
        default=2,
        help_text=_("Un objet en retard n’est pas proposé avant ce délai."),
        validators=[MaxValueValidator(60)],
    )
    deposit_cents = models.PositiveIntegerField(
        _("caution, en centimes"), default=0, validators=[MaxValueValidator(1_000_00)]
    )
    deposit_first = models.BooleanField(
        _("caution avant la remise"),
        default=True,
        help_text=_("Sinon, elle est demandée sans bloquer le prêt."),
    )

    class Meta:
        verbose_name = _("règle de prêt")
        verbose_name_plural = _("règles de prêt")
        constraints = [
            models.UniqueConstraint(
                fields=["place", "value_class"],
                name="concierge_policy_once",
                violation_error_message=_("Cette classe a déjà une règle ici."),
            ),
            models.CheckConstraint(
                condition=models.Q(max_days__gte=models.F("loan_days")),
                name="concierge_policy_lengths",
                violation_error_message=_("La durée la plus longue doit couvrir la durée du prêt."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_value_class_display() or _("règle générale"))


class Loan(Booking):
    """A member's claim on one copy, from reservation to return.

    [starts_at, held_until) is what the database guards per copy: the loan and the
    buffer after it. `ends_at` is the close of the due day; once returned, both are
    the instant of the return, so that the calendar is freed early. `form_key` is the
    one-time key of the page that made it: a second press finds the same loan.
    """

    MOVES = LOAN_MOVES
    OPEN_STATUSES = HOLDING

    tool = models.ForeignKey(
        "concierge.Tool",
        models.PROTECT,
        verbose_name=_("objet"),
        related_name="loans",
        db_index=False,
    )
    copy = models.ForeignKey(
        "concierge.Copy",
        models.PROTECT,
        verbose_name=_("exemplaire"),
        related_name="loans",
        db_index=False,
    )
    status = models.CharField(
        _("état"), max_length=9, choices=LoanStatus.choices, default=LoanStatus.RESERVED
    )
    pickup_ends_at = models.DateTimeField(_("à retirer avant"))
    held_until = models.DateTimeField(_("bloqué jusqu’à"))
    due_on = models.DateField(_("à rendre le"))
    renewals = models.PositiveSmallIntegerField(_("prolongations"), default=0)
    form_key = models.CharField(  # noqa: DJ001 - null is what the unique key passes over
        max_length=43, null=True, blank=True, editable=False
    )
    ready_at = models.DateTimeField(null=True, blank=True)
    out_at = models.DateTimeField(_("remis le"), null=True, blank=True)
    returned_at = models.DateTimeField(_("rendu le"), null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)
    lost_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("prêt")
        verbose_name_plural = _("prêts")
        constraints = [
            models.UniqueConstraint(
                fields=["copy"],
                condition=models.Q(status=LoanStatus.OUT),
                name="concierge_loan_one_out",
            ),
            models.UniqueConstraint(
                fields=["member", "form_key"],
                condition=models.Q(form_key__isnull=False),
                name="concierge_loan_once_a_form",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gte=models.F("starts_at"))
                & models.Q(held_until__gte=models.F("ends_at")),
                name="concierge_loan_in_order",
            ),
        ]
        indexes = [
            models.Index(
                fields=["copy", "held_until"],
                include=["starts_at"],
                name="concierge_loan_calendar",
                condition=models.Q(status__in=HOLDING),
            ),
            models.Index(
                fields=["place", "due_on"],
                name="concierge_loan_out",
                condition=models.Q(status=LoanStatus.OUT),
            ),
            models.Index(
                fields=["place", "starts_at"],
                name="concierge_loan_to_hand_over",
                condition=models.Q(status__in=["reserved", "ready"]),
            ),
            models.Index(fields=["member", "status", "starts_at"], name="concierge_loan_of_member"),
            models.Index(fields=["tool", "status"], name="concierge_loan_of_tool"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.tool}"

    def days_late(self, today: date) -> int:
        """Calendar days past the due day; 0 when not late or not out."""
        if self.status != LoanStatus.OUT:
            return 0
        return max(0, (today - self.due_on).days)

    @property
    def pickup_on(self) -> date:
        return local_day(self.starts_at)

    def occupied_until(self, now: datetime, margin_days: int) -> datetime:
        """Until when its copy is not to be counted on: later than booked when late."""
        if self.status == LoanStatus.OUT and self.held_until <= now:
            return now + timedelta(days=margin_days)
        return self.held_until
