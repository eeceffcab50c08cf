"""Parcels that wait at the desk, and who may collect for somebody else."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from club.kernel import codes
from concierge.enums import PARCEL_MOVES, Carrier, ParcelSize, ParcelStatus


class ParcelPolicy(models.Model):
    """How long a place keeps a parcel, and when it says so again."""

    place = models.OneToOneField(
        "club.Place",
        models.CASCADE,
        verbose_name=_("point d’accueil"),
        related_name="parcel_policy",
    )
    keep_days = models.PositiveSmallIntegerField(
        _("gardé, en jours"),
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
        help_text=_("Jours du calendrier, puis le jour ouvert qui suit."),
    )
    remind_days = models.PositiveSmallIntegerField(
        _("rappel après, en jours"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
    )
    needs_right = models.BooleanField(_("réservé aux abonnés"), default=True)

    class Meta:
        verbose_name = _("règle des colis")
        verbose_name_plural = _("règles des colis")

    def __str__(self) -> str:
        return str(self.place)


class Proxy(models.Model):
    """Somebody whom a member has named to collect for them; they need not be a member."""

    member = models.ForeignKey(
        "club.Member", models.CASCADE, verbose_name=_("membre"), related_name="proxies"
    )
    first_name = models.CharField(_("prénom"), max_length=60)
    last_name = models.CharField(_("nom"), max_length=80)
    until = models.DateField(
        _("jusqu’au"), null=True, blank=True, help_text=_("Jour inclus. Vide : sans fin.")
    )
    named_at = models.DateTimeField(_("nommée le"))
    removed_at = models.DateTimeField(_("retirée le"), null=True, blank=True)

    class Meta:
        verbose_name = _("personne qui retire pour moi")
        verbose_name_plural = _("personnes qui retirent pour moi")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class Parcel(models.Model):
    """One parcel on a shelf. Nothing that is seen from outside says who is away.

    `reference` is what the desk and the message call it. `tracking` is the barcode
    as it was scanned, so that a second scan finds the parcel that is there already.
    Without `member` it is for somebody whom the desk does not know yet.
    """

    MOVES = PARCEL_MOVES

    reference = models.CharField(
        _("référence"), max_length=12, unique=True, default=codes.booking_reference, editable=False
    )
    place = models.ForeignKey(
        "club.Place", models.PROTECT, verbose_name=_("point d’accueil"), related_name="parcels"
    )
    member = models.ForeignKey(
        "club.Member",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("pour"),
        related_name="parcels",
    )
    carrier = models.CharField(_("transporteur"), max_length=10, choices=Carrier.choices)
    tracking = models.CharField(_("code-barres"), max_length=60, blank=True)
    size = models.CharField(
        _("taille"), max_length=6, choices=ParcelSize.choices, default=ParcelSize.SMALL
    )
    shelf = models.CharField(_("étagère"), max_length=12, blank=True)
    status = models.CharField(
        _("état"), max_length=9, choices=ParcelStatus.choices, default=ParcelStatus.WAITING
    )
    received_at = models.DateTimeField(_("reçu le"))
    received_by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    keep_until = models.DateField(_("gardé jusqu’au"))
    collected_at = models.DateTimeField(_("remis le"), null=True, blank=True)
    collected_by = models.CharField(_("remis à"), max_length=140, blank=True)
    returned_at = models.DateTimeField(_("rendu le"), null=True, blank=True)

    class Meta:
        verbose_name = _("colis")
        verbose_name_plural = _("colis")
        constraints = [
            models.UniqueConstraint(
                fields=["place", "tracking"],
                condition=models.Q(status=ParcelStatus.WAITING) & ~models.Q(tracking=""),
                name="concierge_parcel_once",
                violation_error_message=_("Ce colis est déjà là."),
            )
        ]
        indexes = [
            models.Index(
                fields=["place", "received_at"],
                name="concierge_parcel_waiting",
                condition=models.Q(status=ParcelStatus.WAITING),
            ),
            models.Index(fields=["member", "status"], name="concierge_parcel_of_member"),
        ]

    def __str__(self) -> str:
        return self.reference
