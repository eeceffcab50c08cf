"""Insurance told without a trap, and apart from it the yearly certificate of any insurer."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey

from club.kernel.private import private_storage
from marketplace.enums import (
    CERTIFICATE_MOVES,
    CertificateRefusedFor,
    CertificateStatus,
)
from marketplace.models.partners import Partner


class InsurancePrice(models.Model):
    """A line of the price table that an intermediary publishes; nobody is priced here."""

    partner = ParentalKey(Partner, on_delete=models.CASCADE, related_name="prices")
    rooms = models.PositiveSmallIntegerField(
        _("pièces"), choices=[(number, str(number)) for number in range(1, 8)]
    )
    yearly_cents = models.PositiveIntegerField(_("par an, en centimes"))

    class Meta:
        verbose_name = _("tarif indicatif")
        verbose_name_plural = _("tarifs indicatifs")
        ordering = ["rooms"]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "rooms"],
                name="marketplace_price_once",
                violation_error_message=_("Ce nombre de pièces a déjà un tarif."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner_id}, {self.rooms}: {self.yearly_cents}"


class CallbackRequest(models.Model):
    """Somebody asks one intermediary to call them: name and phone pass, on their own tick.

    `wording` is the version of the sentence that was ticked (`domain.callbacks.WORDINGS`).
    """

    partner = models.ForeignKey(
        Partner, models.CASCADE, verbose_name=_("intermédiaire"), related_name="callbacks"
    )
    member = models.ForeignKey(
        "club.Member", models.CASCADE, verbose_name=_("membre"), related_name="callbacks"
    )
    phone = models.CharField(_("téléphone"), max_length=20)
    wording = models.CharField(max_length=10)
    asked_at = models.DateTimeField(_("demandé le"))
    called_at = models.DateTimeField(_("rappelé le"), null=True)
    withdrawn_at = models.DateTimeField(_("retiré le"), null=True)

    class Meta:
        verbose_name = _("demande de rappel")
        verbose_name_plural = _("demandes de rappel")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "member"],
                condition=Q(called_at=None, withdrawn_at=None),
                name="marketplace_callback_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner}, {self.asked_at:%d/%m/%Y}"


class CertificateCall(models.Model):
    """The landlord asks its tenants for the yearly certificate: an act with its purpose."""

    landlord = models.ForeignKey(
        "club.Landlord",
        models.CASCADE,
        verbose_name=_("bailleur"),
        related_name="certificate_calls",
    )
    asked_at = models.DateTimeField(_("demandé le"))
    by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    purpose = models.CharField(_("finalité"), max_length=200)
    households = models.PositiveIntegerField(_("foyers"), default=0)

    class Meta:
        verbose_name = _("demande d’attestations")
        verbose_name_plural = _("demandes d’attestations")

    def __str__(self) -> str:
        return f"{self.landlord}, {self.asked_at:%d/%m/%Y}"


class Certificate(models.Model):
    """A household's home-insurance certificate, of any insurer, with its dates."""

    MOVES = CERTIFICATE_MOVES

    household = models.ForeignKey(
        "club.Household", models.CASCADE, verbose_name=_("foyer"), related_name="certificates"
    )
    member = models.ForeignKey(
        "club.Member",
        models.SET_NULL,
        null=True,
        verbose_name=_("envoyée par"),
        related_name="certificates",
    )
    insurer = models.CharField(_("assureur"), max_length=120)
    starts_on = models.DateField(_("valable du"))
    ends_on = models.DateField(_("au"), help_text=_("Jour inclus."))
    file = models.FileField(
        _("photo ou PDF"), storage=private_storage, upload_to="certificates/%Y/", max_length=200
    )
    status = models.CharField(
        _("état"),
        max_length=8,
        choices=CertificateStatus.choices,
        default=CertificateStatus.RECEIVED,
    )
    refused_for = models.CharField(
        _("motif"), max_length=10, choices=CertificateRefusedFor.choices, blank=True, editable=False
    )
    received_at = models.DateTimeField(_("reçue le"))
    accepted_at = models.DateTimeField(null=True, editable=False)
    refused_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("attestation d’assurance")
        verbose_name_plural = _("attestations d’assurance")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=models.F("starts_on")),
                name="marketplace_certificate_in_order",
                violation_error_message=_("La fin ne peut pas être avant le début."),
            )
        ]
        indexes = [models.Index(fields=["household", "ends_on"], name="marketplace_certificate_of")]

    def __str__(self) -> str:
        return f"{self.household}, {self.ends_on}"
