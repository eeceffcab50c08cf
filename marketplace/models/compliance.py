"""The compliance folder: which papers a partner must have, and those that it has."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from club.kernel.private import private_storage
from marketplace.enums import (
    DOCUMENT_MOVES,
    DocumentKind,
    DocumentStatus,
    PartnerKind,
    RefusedFor,
    Trade,
)


class ComplianceRule(models.Model):
    """A paper that a landlord asks for beyond the law (`domain.compliance.LAW`)."""

    landlord = models.ForeignKey(
        "club.Landlord",
        models.CASCADE,
        verbose_name=_("bailleur"),
        related_name="compliance_rules",
    )
    kind = models.CharField(_("partenaires"), max_length=12, choices=PartnerKind.choices)
    trade = models.CharField(
        _("métier"),
        max_length=11,
        choices=Trade.choices,
        blank=True,
        help_text=_("Vide : tous les partenaires de cette sorte."),
    )
    document = models.CharField(_("papier demandé"), max_length=12, choices=DocumentKind.choices)

    class Meta:
        verbose_name = _("papier demandé")
        verbose_name_plural = _("papiers demandés")
        constraints = [
            models.UniqueConstraint(
                fields=["landlord", "kind", "trade", "document"],
                name="marketplace_rule_once",
                violation_error_message=_("Ce papier est déjà demandé."),
            )
        ]

    def __str__(self) -> str:
        who = self.get_trade_display() if self.trade else self.get_kind_display()
        return f"{self.get_document_display()}, {who}"


class PartnerDocument(ClusterableModel):
    """One paper with its validity. It counts from the day that staff accepted it."""

    MOVES = DOCUMENT_MOVES

    partner = models.ForeignKey(
        "marketplace.Partner",
        models.CASCADE,
        verbose_name=_("partenaire"),
        related_name="documents",
    )
    kind = models.CharField(_("papier"), max_length=12, choices=DocumentKind.choices)
    issuer = models.CharField(_("assureur ou organisme"), max_length=120)
    number = models.CharField(_("numéro de contrat"), max_length=60, blank=True)
    starts_on = models.DateField(_("valable du"))
    ends_on = models.DateField(_("au"), help_text=_("Jour inclus."))
    area = models.CharField(_("zone couverte"), max_length=120, blank=True)
    file = models.FileField(
        _("fichier"), storage=private_storage, upload_to="partners/%Y/", blank=True, max_length=200
    )
    status = models.CharField(
        _("état"),
        max_length=8,
        choices=DocumentStatus.choices,
        default=DocumentStatus.RECEIVED,
    )
    refused_for = models.CharField(
        _("motif du refus"), max_length=10, choices=RefusedFor.choices, blank=True, editable=False
    )
    received_at = models.DateTimeField(_("reçu le"))
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    refused_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("papier")
        verbose_name_plural = _("papiers")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="marketplace_document_in_order",
                violation_error_message=_("La fin ne peut pas être avant le début."),
            )
        ]
        indexes = [
            models.Index(
                fields=["partner", "kind", "ends_on"],
                name="marketplace_document_valid",
                condition=models.Q(status=DocumentStatus.ACCEPTED),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.partner}"


class DocumentTrade(models.Model):
    """An activity that an insurance names."""

    document = ParentalKey(PartnerDocument, on_delete=models.CASCADE, related_name="trades")
    trade = models.CharField(_("métier couvert"), max_length=11, choices=Trade.choices)

    class Meta:
        verbose_name = _("métier couvert")
        verbose_name_plural = _("métiers couverts")
        constraints = [
            models.UniqueConstraint(
                fields=["document", "trade"],
                name="marketplace_covered_once",
                violation_error_message=_("Ce métier est déjà dans la liste."),
            )
        ]

    def __str__(self) -> str:
        return str(self.get_trade_display())


WARN_DAYS = 60
"""Days before a paper lapses from which on it is amber."""
