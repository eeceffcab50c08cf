"""The catalogue: departments, tools, their copies, what is wrong with them."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.search import index

from club.kernel import codes
from concierge.enums import (
    COPY_MOVES,
    REPAIR_MOVES,
    Condition,
    CopyStatus,
    Fault,
    PriceClass,
    RepairStatus,
    RetiredReason,
    ValueClass,
)
from content.enums import Wall


def tool_identifier() -> str:
    return codes.token()[:10]


class Department(models.Model):
    """A shelf named by a verb: Bricoler, Cuisiner…"""

    landlord = models.ForeignKey(
        "club.Landlord", models.PROTECT, verbose_name=_("bailleur"), related_name="departments"
    )
    name = models.CharField(_("verbe"), max_length=40)
    slug = models.SlugField(_("nom court"))
    wall = models.CharField(_("couleur du mur"), max_length=8, choices=Wall.choices)
    pictures = models.CharField(
        _("dessins de la tuile"), max_length=80, blank=True, help_text=_("Un ou deux noms.")
    )
    position = models.PositiveSmallIntegerField(_("ordre"), default=0)

    class Meta:
        verbose_name = _("rayon")
        verbose_name_plural = _("rayons")
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["landlord", "slug"], name="concierge_department_once")
        ]

    def __str__(self) -> str:
        return self.name


class Tool(index.Indexed, ClusterableModel):
    """A catalogue entry: what a resident looks for and reserves."""

    landlord = models.ForeignKey(
        "club.Landlord", models.PROTECT, verbose_name=_("bailleur"), related_name="tools"
    )
    department = models.ForeignKey(
        Department, models.PROTECT, verbose_name=_("rayon"), related_name="tools"
    )
    public_id = models.CharField(
        max_length=12, unique=True, default=tool_identifier, editable=False
    )
    source_id = models.CharField(_("identifiant d’origine"), max_length=80, blank=True)
    name = models.CharField(_("nom"), max_length=120)
    other_names = models.CharField(
        _("autres noms"),
        max_length=300,
        blank=True,
        help_text=_("Marques, mots courants, séparés par des virgules."),
    )
    picture = models.CharField(_("dessin"), max_length=40, blank=True)
    photo = models.ForeignKey(
        "content.Picture",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("photo"),
        related_name="+",
        help_text=_("Remplace le dessin."),
    )
    description = models.TextField(_("description"), blank=True)
    advice = models.TextField(_("conseils"), blank=True)
    safety = models.TextField(_("sécurité"), blank=True)
    brand = models.CharField(_("marque"), max_length=80, blank=True)
    value_class = models.CharField(
        _("classe de valeur"), max_length=8, choices=ValueClass.choices, default=ValueClass.MIDDLE
    )
    price_class = models.CharField(
        _("classe de prix"), max_length=8, choices=PriceClass.choices, default=PriceClass.FREE
    )
    deposit = models.CharField(
        _("caution, en mots"),
        max_length=120,
        blank=True,
        help_text=_("Par exemple : chèque de 50 €, rendu au retour."),
    )
    is_listed = models.BooleanField(_("au catalogue"), default=True)

    search_fields = [
        index.SearchField("name", boost=4),
        index.SearchField("other_names", boost=3),
        index.SearchField("description"),
        index.AutocompleteField("name"),
        index.AutocompleteField("other_names"),
        index.FilterField("landlord"),
        index.FilterField("department"),
        index.FilterField("is_listed"),
    ]

    class Meta:
        verbose_name = _("objet")
        verbose_name_plural = _("objets")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["landlord", "source_id"],
                condition=~models.Q(source_id=""),
                name="concierge_tool_source_once",
            )
        ]
        indexes = [models.Index("landlord", Lower("name"), name="concierge_tool_by_name")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        from django.urls import reverse

        return reverse("concierge:tool", args=[self.public_id])


class Part(models.Model):
    """An accessory or part that must come back with the object."""

    tool = ParentalKey(Tool, on_delete=models.CASCADE, related_name="parts")
    name = models.CharField(_("accessoire"), max_length=80)
    quantity = models.PositiveSmallIntegerField(_("nombre"), default=1)

    class Meta:
        verbose_name = _("accessoire")
        verbose_name_plural = _("accessoires")

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}" if self.quantity > 1 else self.name


class Copy(models.Model):
    """One physical thing with a label, standing at one place."""

    MOVES = COPY_MOVES

    tool = models.ForeignKey(Tool, models.PROTECT, verbose_name=_("objet"), related_name="copies")
    place = models.ForeignKey(
        "club.Place", models.PROTECT, verbose_name=_("point d’accueil"), related_name="copies"
    )
    label = models.CharField(
        _("étiquette"),
        max_length=12,
        unique=True,
        editable=False,
        help_text=_("O, des chiffres, une clé de contrôle."),
    )
    status = models.CharField(
        _("état"),
        max_length=8,
        choices=CopyStatus.choices,
        default=CopyStatus.PENDING,
        editable=False,
    )
    retired_reason = models.CharField(
        _("raison du retrait"),
        max_length=12,
        choices=RetiredReason.choices,
        blank=True,
        editable=False,
    )
    condition = models.CharField(
        _("condition"), max_length=4, choices=Condition.choices, default=Condition.GOOD
    )
    shelf = models.CharField(_("étagère"), max_length=20, blank=True)
    serial = models.CharField(_("numéro de série"), max_length=80, blank=True)
    bought_on = models.DateField(_("acheté le"), null=True, blank=True)
    price_cents = models.PositiveIntegerField(
        _("prix d’achat, en centimes"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(10_000_000)],
    )

    class Meta:
        verbose_name = _("exemplaire")
        verbose_name_plural = _("exemplaires")
        ordering = ["label"]
        indexes = [models.Index(fields=["tool", "place", "status"], name="concierge_copy_reading")]

    def __str__(self) -> str:
        return f"{self.tool} {codes.spoken(self.label)}"


class Repair(models.Model):
    """What is wrong with a copy, from the counter to the shelf or the bin."""

    MOVES = REPAIR_MOVES

    copy = models.ForeignKey(Copy, models.CASCADE, related_name="repairs")
    fault = models.CharField(_("défaut"), max_length=10, choices=Fault.choices)
    status = models.CharField(
        _("état"), max_length=9, choices=RepairStatus.choices, default=RepairStatus.ASSESS
    )
    opened_at = models.DateTimeField(_("signalé le"))
    closed_at = models.DateTimeField(_("réglé le"), null=True, blank=True)

    class Meta:
        verbose_name = _("réparation")
        verbose_name_plural = _("réparations")
        constraints = [
            models.UniqueConstraint(
                fields=["copy"],
                condition=models.Q(closed_at=None),
                name="concierge_repair_one_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.copy}, {self.get_fault_display()}"
