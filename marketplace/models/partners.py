"""Partners of four kinds: who they are, where, when, for which trades, on which terms."""

from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey, ParentalManyToManyField
from modelcluster.models import ClusterableModel
from stdnum.exceptions import ValidationError as WrongNumber
from stdnum.fr import siret as siret_number

from club.enums import Weekday
from club.kernel import codes
from marketplace.enums import PARTNER_MOVES, PartnerKind, PartnerStatus, Shop, Spoken, Trade


def public_id() -> str:
    return codes.token()[:10]


def clean_siret(value: str) -> str:
    """Fourteen digits whose check digits hold. Raises `ValidationError` with the words."""
    try:
        return str(siret_number.validate(value))
    except WrongNumber:
        raise ValidationError(
            _("Ce numéro SIRET n’est pas valable. Vérifiez ses quatorze chiffres."),
            code="siret_wrong",
        ) from None


class Partner(ClusterableModel):
    """A firm that the landlord has a convention with, or is about to.

    Its status is what staff decided; whether it is shown also asks its papers, each day
    anew (`marketplace.queries.shown`).
    """

    MOVES = PARTNER_MOVES

    landlord = models.ForeignKey(
        "club.Landlord", models.PROTECT, verbose_name=_("bailleur"), related_name="partners"
    )
    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    kind = models.CharField(_("sorte"), max_length=12, choices=PartnerKind.choices)
    name = models.CharField(_("nom"), max_length=120)
    legal_name = models.CharField(_("raison sociale"), max_length=160, blank=True)
    siret = models.CharField(
        _("SIRET"), max_length=14, blank=True, help_text=_("Quatorze chiffres.")
    )
    shop = models.CharField(
        _("commerce"),
        max_length=11,
        choices=Shop.choices,
        blank=True,
        help_text=_("Pour un commerçant ou un producteur."),
    )
    orias = models.CharField(
        _("numéro ORIAS"),
        max_length=8,
        blank=True,
        help_text=_("Pour un intermédiaire en assurance : huit chiffres."),
    )
    orias_checked_on = models.DateField(_("ORIAS vérifié le"), null=True, blank=True)
    description = models.TextField(_("ce qu’il fait"), max_length=600, blank=True)
    address = models.CharField(_("adresse"), max_length=200, blank=True)
    postcode = models.CharField(_("code postal"), max_length=5, blank=True)
    city = models.CharField(_("commune"), max_length=100, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    phone = models.CharField(_("téléphone"), max_length=20, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    website = models.URLField(_("site"), blank=True, max_length=300)
    places = ParentalManyToManyField(
        "club.Place",
        verbose_name=_("points d’accueil servis"),
        related_name="partners",
        blank=True,
        help_text=_("Aucun : tous ceux du bailleur."),
    )
    languages = models.JSONField(_("langues parlées"), default=list, blank=True)
    step_free = models.BooleanField(_("de plain-pied"), default=False)
    hours_note = models.CharField(
        _("horaires, en mots"),
        max_length=160,
        blank=True,
        help_text=_("Vide : dits d’après les heures ci-dessous."),
    )
    picture = models.ForeignKey(
        "content.Picture",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("photo"),
        related_name="+",
    )
    status = models.CharField(
        _("état"), max_length=8, choices=PartnerStatus.choices, default=PartnerStatus.DRAFT
    )
    delivers = models.BooleanField(
        _("livre des commandes"),
        default=False,
        help_text=_("Du pain ou des paniers, que les habitants commandent à l’accueil."),
    )
    producer = models.OneToOneField(
        "club.Producer",
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="partner",
    )
    meetings = models.ForeignKey(
        "wagtailcore.Page",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("page des rendez-vous"),
        related_name="+",
        help_text=_("Pour un intermédiaire : l’événement où on le rencontre."),
    )
    prices_on = models.DateField(
        _("tarifs publiés le"),
        null=True,
        blank=True,
        help_text=_("Le jour que porte le tarif du partenaire."),
    )
    checked_on = models.DateField(_("papiers vérifiés le"), null=True, blank=True, editable=False)
    confirmed_on = models.DateField(_("page confirmée le"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("créé le"))
    live_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    source = models.CharField(max_length=120, blank=True, editable=False)

    class Meta:
        verbose_name = _("partenaire")
        verbose_name_plural = _("partenaires")
        constraints = [
            models.UniqueConstraint(
                fields=["landlord", "siret"],
                condition=~models.Q(siret=""),
                name="marketplace_siret_once",
                violation_error_message=_("Un partenaire a déjà ce numéro SIRET."),
            ),
            models.UniqueConstraint(
                fields=["landlord", "source"],
                condition=~models.Q(source=""),
                name="marketplace_partner_source_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["landlord", "kind", "name"],
                name="marketplace_partner_shown",
                condition=models.Q(status=PartnerStatus.LIVE),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("marketplace:partner", args=[self.public_id])

    def clean(self) -> None:
        faults = {}
        if self.siret:
            try:
                self.siret = clean_siret(self.siret)
            except ValidationError as error:
                faults["siret"] = error
        digits = self.orias.isascii() and self.orias.isdigit() and len(self.orias) == 8
        if self.kind == PartnerKind.INTERMEDIARY and not digits:
            faults["orias"] = ValidationError(_("Écrivez les huit chiffres du numéro ORIAS."))
        unknown = set(self.languages or []) - set(Spoken.values)
        if unknown:
            faults["languages"] = ValidationError(_("Choisissez des langues de la liste."))
        if faults:
            raise ValidationError(faults)


class PartnerTrade(models.Model):
    """A trade that an artisan says they have; shown on the days that their papers cover it."""

    partner = ParentalKey(Partner, on_delete=models.CASCADE, related_name="trades")
    trade = models.CharField(_("métier"), max_length=11, choices=Trade.choices)

    class Meta:
        verbose_name = _("métier")
        verbose_name_plural = _("métiers")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "trade"],
                name="marketplace_trade_once",
                violation_error_message=_("Ce métier est déjà dans la liste."),
            )
        ]
        indexes = [models.Index(fields=["trade", "partner"], name="marketplace_trade_of")]

    def __str__(self) -> str:
        return str(self.get_trade_display())


class PartnerHours(models.Model):
    """From when to when a partner is open on a day of the week."""

    partner = ParentalKey(Partner, on_delete=models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(_("jour"), choices=Weekday.choices)
    opens = models.TimeField(_("ouvre à"))
    closes = models.TimeField(_("ferme à"))

    class Meta:
        verbose_name = _("horaire")
        verbose_name_plural = _("horaires")
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closes__gt=models.F("opens")),
                name="marketplace_hours_in_order",
                violation_error_message=_("L’heure de fermeture doit suivre l’ouverture."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}-{self.closes:%H:%M}"


class Convention(models.Model):
    """What was signed: which version, from when to when, for which yearly fee."""

    partner = ParentalKey(Partner, on_delete=models.CASCADE, related_name="conventions")
    version = models.CharField(_("version"), max_length=20)
    signed_on = models.DateField(_("signée le"))
    starts_on = models.DateField(_("du"))
    ends_on = models.DateField(_("au"), help_text=_("Jour inclus."))
    fee_cents = models.PositiveIntegerField(_("participation par an, en centimes"), default=0)

    class Meta:
        verbose_name = _("convention")
        verbose_name_plural = _("conventions")
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="marketplace_convention_in_order",
                violation_error_message=_("La fin ne peut pas être avant le début."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}, {self.starts_on} – {self.ends_on}"
