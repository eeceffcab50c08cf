"""Bread and baskets: what a producer brings, when, and who has ordered what.

A round is the rule ("panier, tous les vendredis"); its deliveries are its dates, made some
weeks ahead. What is promised of a delivery is counted on its rows and bounded there by the
database. Money is charged to the household's account for goods when an order is made.
"""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from club.kernel import codes
from club.kernel.bookings import Booking, Channel
from concierge.enums import (
    BAKED_FOR,
    DELIVERY_MOVES,
    ORDER_MOVES,
    CancelledFor,
    DeliveryStatus,
    Leftover,
    OnClosed,
    OrderStatus,
)
from concierge.models.services import public_id
from content.enums import Wall

MOST_PIECES = 20
"""Of one product in one order: more is a slip of the finger."""


class Product(models.Model):
    """One thing that can be ordered, in one size; `allergens` are codes of `Allergen`."""

    producer = models.ForeignKey(
        "club.Producer", models.PROTECT, verbose_name=_("producteur"), related_name="products"
    )
    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    name = models.CharField(_("nom"), max_length=60, help_text=_("« Panier de légumes »."))
    size = models.CharField(
        _("taille"), max_length=30, blank=True, help_text=_("« petit, pour deux ».")
    )
    about = models.CharField(_("ce que c’est"), max_length=160, blank=True)
    price_cents = models.PositiveIntegerField(
        _("prix, en centimes"), validators=[MaxValueValidator(200_00)]
    )
    allergens = models.JSONField(_("allergènes"), default=list, blank=True)
    picture = models.CharField(_("image"), max_length=60, blank=True)
    wall = models.CharField(_("mur"), max_length=8, choices=Wall.choices, default=Wall.WATER)
    position = models.PositiveSmallIntegerField(_("ordre"), default=0)
    is_offered = models.BooleanField(_("proposé aux habitants"), default=True)

    class Meta:
        verbose_name = _("produit")
        verbose_name_plural = _("produits")
        ordering = ["position", "name", "size"]
        constraints = [
            models.UniqueConstraint(
                fields=["producer", "name", "size"],
                name="concierge_product_once",
                violation_error_message=_("Ce produit existe déjà dans cette taille."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.size}" if self.size else self.name


class DeliveryRound(ClusterableModel):
    """When one producer brings goods to one place, and until when they are ordered.

    `weekdays` are days of the week (Monday is 0). With `every_weeks` above one, weeks are
    counted from that of `starts_on`, calendar weeks from Monday to Sunday, so that week 53
    and New Year change nothing. The cut-off is an hour of the wall some days before.
    """

    producer = models.ForeignKey(
        "club.Producer", models.PROTECT, verbose_name=_("producteur"), related_name="rounds"
    )
    place = models.ForeignKey(
        "club.Place", models.CASCADE, verbose_name=_("point d’accueil"), related_name="rounds"
    )
    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    name = models.CharField(_("nom"), max_length=60, help_text=_("« Pain frais »."))
    picture = models.CharField(_("image"), max_length=60, blank=True)
    wall = models.CharField(_("mur"), max_length=8, choices=Wall.choices, default=Wall.WATER)
    weekdays = models.JSONField(_("jours de livraison"), default=list)
    every_weeks = models.PositiveSmallIntegerField(
        _("toutes les … semaines"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(8)],
    )
    starts_on = models.DateField(_("à partir du"))
    ends_on = models.DateField(_("jusqu’au"), null=True, blank=True, help_text=_("Jour inclus."))
    collect_from = models.TimeField(_("retrait de"))
    collect_until = models.TimeField(_("retrait jusqu’à"))
    cutoff_days = models.PositiveSmallIntegerField(
        _("commander jusqu’à … jours avant"), default=1, validators=[MaxValueValidator(14)]
    )
    cutoff_time = models.TimeField(_("commander jusqu’à, heure"))
    most_pieces = models.PositiveSmallIntegerField(
        _("pièces au plus par livraison"),
        null=True,
        blank=True,
        help_text=_("Ce que l’accueil peut garder. Vide : sans limite."),
    )
    weeks_ahead = models.PositiveSmallIntegerField(
        _("commandes ouvertes, en semaines"),
        default=6,
        validators=[MinValueValidator(1), MaxValueValidator(26)],
    )
    most_owed_cents = models.PositiveIntegerField(
        _("dû au plus par foyer, en centimes"),
        default=30_00,
        help_text=_("Au-delà, il faut payer avant de commander. 0 : tout est payé d’avance."),
    )
    on_closed = models.CharField(
        _("si l’accueil est fermé"), max_length=6, choices=OnClosed.choices, default=OnClosed.SKIP
    )
    leftover = models.CharField(
        _("ce qui n’est pas retiré"),
        max_length=6,
        choices=Leftover.choices,
        default=Leftover.GIVEN,
    )
    needs_right = models.BooleanField(_("réservé aux abonnés"), default=True)
    is_offered = models.BooleanField(_("proposé aux habitants"), default=True)
    position = models.PositiveSmallIntegerField(_("ordre"), default=0)

    class Meta:
        verbose_name = _("tournée")
        verbose_name_plural = _("tournées")
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["place", "name"],
                name="concierge_round_once",
                violation_error_message=_("Ce point d’accueil a déjà cette tournée."),
            ),
            models.CheckConstraint(
                condition=Q(collect_until__gt=F("collect_from")),
                name="concierge_round_hours_in_order",
                violation_error_message=_("La fin doit suivre le début."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="concierge_round_in_order",
                violation_error_message=_("La fin ne peut pas être avant le début."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        faults = {}
        days = self.weekdays
        if not days or not all(isinstance(day, int) and 0 <= day <= 6 for day in days):
            faults["weekdays"] = ValidationError(_("Choisissez au moins un jour."))
        if (
            self.cutoff_days == 0
            and self.cutoff_time
            and self.collect_from
            and self.cutoff_time >= self.collect_from
        ):
            faults["cutoff_time"] = ValidationError(
                _("On ne peut plus commander quand le retrait commence.")
            )
        if faults:
            raise ValidationError(faults)


class RoundProduct(models.Model):
    """A product of a round, and how much of it the producer can make each time."""

    round = ParentalKey(DeliveryRound, on_delete=models.CASCADE, related_name="goods")
    product = models.ForeignKey(
        Product, models.PROTECT, verbose_name=_("produit"), related_name="rounds"
    )
    most = models.PositiveSmallIntegerField(
        _("au plus par livraison"), null=True, blank=True, help_text=_("Vide : sans limite.")
    )

    class Meta:
        verbose_name = _("produit de la tournée")
        verbose_name_plural = _("produits de la tournée")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["round", "product"],
                name="concierge_round_product_once",
                violation_error_message=_("Ce produit est déjà dans la tournée."),
            )
        ]

    def __str__(self) -> str:
        return str(self.product)


class Delivery(models.Model):
    """One date of a round. `planned_on` is the date that the rule gave, and stays; `day`
    is when it comes. `ordered` counts the pieces that are promised.

    `cutoff_at`, `collect_from` and `collect_until` are instants, made from hours of the
    wall; at the cut-off the delivery is sent, and no order changes any more.
    """

    MOVES = DELIVERY_MOVES
    wagtail_reference_index_ignore = True

    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    round = models.ForeignKey(
        DeliveryRound, models.PROTECT, verbose_name=_("tournée"), related_name="deliveries"
    )
    producer = models.ForeignKey("club.Producer", models.PROTECT, related_name="deliveries")
    place = models.ForeignKey("club.Place", models.PROTECT, related_name="deliveries")
    planned_on = models.DateField(editable=False)
    day = models.DateField(_("jour"))
    collect_from = models.DateTimeField(_("retrait de"))
    collect_until = models.DateTimeField(_("retrait jusqu’à"))
    cutoff_at = models.DateTimeField(_("commander avant"))
    most_pieces = models.PositiveIntegerField(_("pièces au plus"), null=True, blank=True)
    ordered = models.PositiveIntegerField(_("pièces commandées"), default=0)
    status = models.CharField(
        _("état"), max_length=9, choices=DeliveryStatus.choices, default=DeliveryStatus.OPEN
    )
    cancelled_for = models.CharField(
        _("pourquoi"), max_length=8, choices=CancelledFor.choices, blank=True
    )
    leftover = models.CharField(max_length=6, choices=Leftover.choices, default=Leftover.GIVEN)
    sent_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    shelf: "list[DeliveryStock]"
    """What it has to offer; queries put it there."""

    class Meta:
        verbose_name = _("livraison")
        verbose_name_plural = _("livraisons")
        ordering = ["collect_from"]
        constraints = [
            models.UniqueConstraint(fields=["round", "planned_on"], name="concierge_delivery_once"),
            models.CheckConstraint(
                condition=Q(most_pieces=None) | Q(ordered__lte=F("most_pieces")),
                name="concierge_delivery_within",
            ),
            models.CheckConstraint(
                condition=Q(collect_until__gt=F("collect_from"))
                & Q(cutoff_at__lte=F("collect_from")),
                name="concierge_delivery_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["place", "collect_from"], name="concierge_delivery_of_place"),
            models.Index(fields=["producer", "day"], name="concierge_delivery_of_producer"),
            models.Index(
                fields=["cutoff_at"], name="concierge_delivery_to_send", condition=Q(status="open")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.round}, {self.day:%d/%m/%Y}"


class DeliveryStock(models.Model):
    """One product of one delivery: its price then, how many at most, how many promised."""

    wagtail_reference_index_ignore = True

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="stock")
    product = models.ForeignKey(Product, models.PROTECT, related_name="stock")
    unit_cents = models.PositiveIntegerField(_("prix, en centimes"))
    most = models.PositiveIntegerField(_("au plus"), null=True, blank=True)
    ordered = models.PositiveIntegerField(_("commandés"), default=0)
    is_withdrawn = models.BooleanField(_("plus proposé"), default=False)

    left: int | None
    """Pieces that can still be ordered, None without end; queries put it there."""

    class Meta:
        verbose_name = _("produit d’une livraison")
        verbose_name_plural = _("produits des livraisons")
        constraints = [
            models.UniqueConstraint(fields=["delivery", "product"], name="concierge_stock_once"),
            models.CheckConstraint(
                condition=Q(most=None) | Q(ordered__lte=F("most")), name="concierge_stock_within"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}, {self.product}"


class StandingOrder(models.Model):
    """The same goods every week or every other, between two dates.

    It has no status: it starts, ends, and is paused from one day to another. Each delivery
    makes at most one order of it. Weeks are counted from that of `starts_on`. `weekdays` are
    those of the round's days on which it stands; none named, it stands on each of them.
    """

    wagtail_reference_index_ignore = True

    reference = models.CharField(
        _("référence"), max_length=12, unique=True, default=codes.booking_reference, editable=False
    )
    member = models.ForeignKey(
        "club.Member", models.PROTECT, verbose_name=_("membre"), related_name="standing_orders"
    )
    round = models.ForeignKey(
        DeliveryRound, models.PROTECT, verbose_name=_("tournée"), related_name="standing_orders"
    )
    every_weeks = models.PositiveSmallIntegerField(
        _("toutes les … semaines"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(4)],
    )
    weekdays = models.JSONField(_("jours"), default=list, blank=True)
    starts_on = models.DateField(_("à partir du"))
    ends_on = models.DateField(_("jusqu’au"), null=True, blank=True, help_text=_("Jour inclus."))
    channel = models.CharField(_("par"), max_length=8, choices=Channel.choices, default=Channel.WEB)
    created_at = models.DateTimeField(_("créée le"))
    ended_at = models.DateTimeField(_("arrêtée le"), null=True, blank=True)

    class Meta:
        verbose_name = _("commande régulière")
        verbose_name_plural = _("commandes régulières")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "round"],
                condition=Q(ended_at=None),
                name="concierge_standing_once",
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="concierge_standing_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.round}"


class StandingLine(models.Model):
    wagtail_reference_index_ignore = True

    standing = models.ForeignKey(StandingOrder, models.CASCADE, related_name="lines")
    product = models.ForeignKey(Product, models.PROTECT, related_name="standing_lines")
    quantity = models.PositiveSmallIntegerField(
        _("combien"), default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_PIECES)]
    )

    class Meta:
        verbose_name = _("ligne d’une commande régulière")
        verbose_name_plural = _("lignes des commandes régulières")
        constraints = [
            models.UniqueConstraint(
                fields=["standing", "product"], name="concierge_standing_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.product} × {self.quantity}"


class StandingPause(models.Model):
    """Days on which a standing order makes nothing: an absence."""

    standing = models.ForeignKey(StandingOrder, models.CASCADE, related_name="pauses")
    first_on = models.DateField(_("du"))
    last_on = models.DateField(_("au"), help_text=_("Jour inclus."))

    class Meta:
        verbose_name = _("pause d’une commande régulière")
        verbose_name_plural = _("pauses des commandes régulières")
        ordering = ["first_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_on__gte=F("first_on")), name="concierge_pause_days_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_on:%d/%m/%Y} – {self.last_on:%d/%m/%Y}"


class Order(Booking):
    """What a member has of one delivery: one order, several products.

    `starts_at` and `ends_at` are the hours of its collection, `quantity` its pieces.
    `standing` is the standing order that made it; cancelled, it is not made again.
    """

    MOVES = ORDER_MOVES
    OPEN_STATUSES = (OrderStatus.ORDERED,)
    wagtail_reference_index_ignore = True

    delivery = models.ForeignKey(
        Delivery, models.PROTECT, verbose_name=_("livraison"), related_name="orders"
    )
    standing = models.ForeignKey(
        StandingOrder, models.SET_NULL, null=True, blank=True, related_name="orders"
    )
    status = models.CharField(
        _("état"), max_length=9, choices=OrderStatus.choices, default=OrderStatus.ORDERED
    )
    total_cents = models.PositiveIntegerField(_("total, en centimes"), default=0)
    collected_by = models.CharField(_("remis à"), max_length=140, blank=True)
    form_key = models.CharField(  # noqa: DJ001 - null is what the unique key passes over
        max_length=43, null=True, blank=True, editable=False
    )
    collected_at = models.DateTimeField(null=True, blank=True)
    missed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("commande")
        verbose_name_plural = _("commandes")
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "member"],
                condition=Q(status__in=BAKED_FOR),
                name="concierge_order_once",
            ),
            models.UniqueConstraint(
                fields=["delivery", "standing"],
                condition=Q(standing__isnull=False),
                name="concierge_order_of_standing_once",
            ),
            models.UniqueConstraint(
                fields=["member", "form_key"],
                condition=Q(form_key__isnull=False),
                name="concierge_order_once_a_form",
            ),
        ]
        indexes = [
            models.Index(fields=["place", "starts_at"], name="concierge_order_of_day"),
            models.Index(
                fields=["member", "status", "starts_at"], name="concierge_order_of_member"
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class OrderLine(models.Model):
    wagtail_reference_index_ignore = True

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    stock = models.ForeignKey(DeliveryStock, models.PROTECT, related_name="lines")
    quantity = models.PositiveSmallIntegerField(
        _("combien"), default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_PIECES)]
    )
    unit_cents = models.PositiveIntegerField(_("prix, en centimes"))

    class Meta:
        verbose_name = _("ligne d’une commande")
        verbose_name_plural = _("lignes des commandes")
        constraints = [
            models.UniqueConstraint(fields=["order", "stock"], name="concierge_order_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.stock_id} × {self.quantity}"
