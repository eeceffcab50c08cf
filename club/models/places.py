"""Landlords, their places with hours and closures, residences and dwellings."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from club.enums import ClosureReason, Collector, Operator, Period, SchoolZone, Weekday
from club.kernel import codes
from club.kernel.theme import faults_of

colour = RegexValidator(r"^#[0-9A-Fa-f]{6}$", _("Écrivez une couleur comme #1F5641."))


class Landlord(models.Model):
    """Who owns the dwellings, with the six colours of the theme."""

    name = models.CharField(_("nom"), max_length=120, unique=True)
    slug = models.SlugField(_("nom court"), unique=True)
    hostname = models.CharField(
        _("nom d’hôte"),
        max_length=200,
        blank=True,
        help_text=_("Celui de son site, s’il a le sien. Vide : le site par défaut."),
    )
    school_zone = models.CharField(
        _("zone scolaire"), max_length=1, choices=SchoolZone.choices, default=SchoolZone.B
    )
    action = models.CharField(_("action"), max_length=7, default="#1F5641", validators=[colour])
    on_action = models.CharField(
        _("texte sur l’action"), max_length=7, default="#FFF9EC", validators=[colour]
    )
    sign = models.CharField(_("enseigne"), max_length=7, default="#1F5641", validators=[colour])
    light = models.CharField(_("lumière"), max_length=7, default="#F2C761", validators=[colour])
    house = models.CharField(_("maison"), max_length=7, default="#B9573A", validators=[colour])
    paper = models.CharField(_("papier"), max_length=7, default="#FBF5E9", validators=[colour])

    class Meta:
        verbose_name = _("bailleur")
        verbose_name_plural = _("bailleurs")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        faults = faults_of(self)
        if faults:
            raise ValidationError(faults)


class Place(ClusterableModel):
    """A concierge point or a club: its own address, hours, closures and settings."""

    landlord = models.ForeignKey(
        Landlord, models.PROTECT, verbose_name=_("bailleur"), related_name="places"
    )
    name = models.CharField(_("nom"), max_length=120)
    slug = models.SlugField(_("nom court"), unique=True)
    district = models.CharField(_("quartier"), max_length=120, blank=True)
    address = models.CharField(_("adresse"), max_length=200)
    address_hint = models.CharField(
        _("où exactement"),
        max_length=120,
        blank=True,
        help_text=_("Par exemple : rez-de-chaussée."),
    )
    postcode = models.CharField(_("code postal"), max_length=5)
    city = models.CharField(_("commune"), max_length=100)
    phone = models.CharField(_("téléphone"), max_length=20)
    email = models.EmailField(_("e-mail"))
    operator = models.CharField(
        _("tenu par"), max_length=12, choices=Operator.choices, default=Operator.LANDLORD
    )
    collector = models.CharField(
        _("qui encaisse"),
        max_length=12,
        choices=Collector.choices,
        default=Collector.ASSOCIATION,
    )
    payee = models.CharField(
        _("nom sur les reçus"),
        max_length=160,
        blank=True,
        help_text=_("Vide : le nom du point d’accueil."),
    )
    sign_off_cents = models.PositiveIntegerField(
        _("seuil de la double signature, en centimes"),
        default=5000,
        help_text=_("Remboursements et écarts de caisse au-dessus : une autre personne signe."),
    )
    closed_on_public_holidays = models.BooleanField(_("fermé les jours fériés"), default=True)
    is_public = models.BooleanField(_("visible sur le site"), default=True)
    rules_stamp = models.CharField(max_length=64, default=codes.token, editable=False)

    class Meta:
        verbose_name = _("point d’accueil")
        verbose_name_plural = _("points d’accueil")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Season(models.Model):
    """A stretch of the year with hours of its own, the same each year: 1/7 to 31/8."""

    place = ParentalKey(Place, on_delete=models.CASCADE, related_name="seasons")
    name = models.CharField(_("nom"), max_length=60)
    first_day = models.CharField(
        _("du"),
        max_length=5,
        help_text=_("Jour/mois, par exemple 01/07."),
        validators=[RegexValidator(r"^(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])$")],
    )
    last_day = models.CharField(
        _("au"),
        max_length=5,
        validators=[RegexValidator(r"^(0[1-9]|[12]\d|3[01])/(0[1-9]|1[0-2])$")],
    )

    class Meta:
        verbose_name = _("saison")
        verbose_name_plural = _("saisons")

    def __str__(self) -> str:
        return self.name


class OpeningHours(models.Model):
    """One line of hours: a weekday may have several. A season's lines replace the others."""

    place = ParentalKey(Place, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(_("jour"), choices=Weekday.choices)
    opens = models.TimeField(_("ouvre à"))
    closes = models.TimeField(_("ferme à"))
    period = models.CharField(
        _("quand"), max_length=10, choices=Period.choices, default=Period.ALWAYS
    )
    season = models.ForeignKey(
        Season,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("saison"),
        related_name="opening_hours",
    )

    class Meta:
        verbose_name = _("horaire")
        verbose_name_plural = _("horaires")
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closes__gt=models.F("opens")),
                name="club_hours_in_order",
                violation_error_message=_("L’heure de fermeture doit suivre l’ouverture."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}-{self.closes:%H:%M}"

    def clean(self) -> None:
        if self.season and self.place_id and self.season.place_id != self.place_id:
            raise ValidationError({"season": _("Cette saison est d’un autre point d’accueil.")})


class ExceptionalHours(models.Model):
    """Hours of one date that replace the usual ones; a day without a line keeps its own."""

    place = ParentalKey(Place, on_delete=models.CASCADE, related_name="exceptional_hours")
    day = models.DateField(_("jour"))
    opens = models.TimeField(_("ouvre à"))
    closes = models.TimeField(_("ferme à"))

    class Meta:
        verbose_name = _("horaire exceptionnel")
        verbose_name_plural = _("horaires exceptionnels")
        ordering = ["day", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closes__gt=models.F("opens")),
                name="club_exceptional_hours_in_order",
                violation_error_message=_("L’heure de fermeture doit suivre l’ouverture."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.opens:%H:%M}-{self.closes:%H:%M}"


class Closure(models.Model):
    """Days on which a place is closed, both included; wins over any hours."""

    place = models.ForeignKey(
        Place, models.CASCADE, verbose_name=_("point d’accueil"), related_name="closures"
    )
    starts_on = models.DateField(_("du"))
    ends_on = models.DateField(_("au"), help_text=_("Jour inclus."))
    reason = models.CharField(_("motif"), max_length=10, choices=ClosureReason.choices)

    class Meta:
        verbose_name = _("fermeture")
        verbose_name_plural = _("fermetures")
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="club_closure_dates_in_order",
                violation_error_message=_("La fin ne peut pas être avant le début."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.place}, {self.starts_on} – {self.ends_on}"


class SchoolHolidays(models.Model):
    """One holiday of one zone, as the ministry publishes it."""

    zone = models.CharField(_("zone"), max_length=1, choices=SchoolZone.choices)
    name = models.CharField(_("nom"), max_length=80)
    starts_on = models.DateField(_("du"), help_text=_("Premier jour sans école."))
    ends_on = models.DateField(_("au"), help_text=_("Dernier jour sans école."))

    class Meta:
        verbose_name = _("vacances scolaires")
        verbose_name_plural = _("vacances scolaires")
        ordering = ["starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["zone", "starts_on"], name="club_school_holidays_once")
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.get_zone_display()}"


class Residence(models.Model):
    """A block or estate. A place, not people: it may be imported."""

    landlord = models.ForeignKey(
        Landlord, models.PROTECT, verbose_name=_("bailleur"), related_name="residences"
    )
    place = models.ForeignKey(
        Place,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("point d’accueil"),
        related_name="residences",
    )
    code = models.CharField(_("identifiant"), max_length=60)
    name = models.CharField(_("nom"), max_length=200)
    address = models.CharField(_("adresse"), max_length=300, blank=True)
    postcode = models.CharField(_("code postal"), max_length=5, blank=True)
    city = models.CharField(_("commune"), max_length=100, blank=True)
    dwelling_count = models.PositiveIntegerField(_("logements"), null=True, blank=True)
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)

    class Meta:
        verbose_name = _("résidence")
        verbose_name_plural = _("résidences")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["landlord", "code"], name="club_residence_code_once")
        ]

    def __str__(self) -> str:
        return self.name


class Dwelling(models.Model):
    """One dwelling, under the landlord's own identifier."""

    residence = models.ForeignKey(
        Residence, models.PROTECT, verbose_name=_("résidence"), related_name="dwellings"
    )
    code = models.CharField(_("identifiant"), max_length=40)
    floor = models.CharField(_("étage"), max_length=10, blank=True)
    door = models.CharField(_("porte"), max_length=10, blank=True)
    rooms = models.PositiveSmallIntegerField(_("pièces"), null=True, blank=True)

    class Meta:
        verbose_name = _("logement")
        verbose_name_plural = _("logements")
        constraints = [
            models.UniqueConstraint(fields=["residence", "code"], name="club_dwelling_code_once")
        ]

    def __str__(self) -> str:
        return f"{self.residence}, {self.code}"
