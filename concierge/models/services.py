"""What the concierge does at fixed hours or over the counter, and who comes when."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from club.enums import Weekday
from club.kernel import codes
from club.kernel.bookings import Booking
from concierge.enums import (
    APPOINTMENT_MOVES,
    SEATED,
    WISH_MOVES,
    AppointmentStatus,
    ServiceKind,
    ServiceUnit,
    WishStatus,
)
from content.enums import Wall

MOST_SEATS = 99


def public_id() -> str:
    return codes.token()[:10]


class Service(ClusterableModel):
    """One thing that the concierge does at one place, with the rules of its appointments.

    Slots are never stored: they are cut anew from hours of the wall (`queries.slots`), so
    that a change of rules leaves no old slot behind and a clock change moves none.
    """

    place = models.ForeignKey(
        "club.Place", models.CASCADE, verbose_name=_("point d’accueil"), related_name="services"
    )
    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    name = models.CharField(_("nom"), max_length=60, help_text=_("« Aide aux papiers »."))
    about = models.CharField(
        _("ce que c’est"), max_length=200, help_text=_("Une ou deux phrases courtes.")
    )
    kind = models.CharField(
        _("comment"), max_length=7, choices=ServiceKind.choices, default=ServiceKind.SLOT
    )
    picture = models.CharField(_("image"), max_length=60, blank=True)
    wall = models.CharField(_("mur"), max_length=8, choices=Wall.choices, default=Wall.WATER)
    unit_cents = models.PositiveIntegerField(
        _("prix, en centimes"), default=0, validators=[MaxValueValidator(200_00)]
    )
    unit = models.CharField(
        _("pour"), max_length=4, choices=ServiceUnit.choices, default=ServiceUnit.ONCE
    )
    needs_right = models.BooleanField(_("réservé aux abonnés"), default=True)
    is_offered = models.BooleanField(_("proposé aux habitants"), default=True)
    position = models.PositiveSmallIntegerField(_("ordre"), default=0)
    minutes = models.PositiveSmallIntegerField(
        _("durée d’un créneau, en minutes"),
        default=30,
        validators=[MinValueValidator(5), MaxValueValidator(480)],
    )
    seats = models.PositiveSmallIntegerField(
        _("personnes par créneau"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_SEATS)],
    )
    buffer_minutes = models.PositiveSmallIntegerField(
        _("battement après, en minutes"), default=0, validators=[MaxValueValidator(240)]
    )
    lead_minutes = models.PositiveIntegerField(
        _("délai pour réserver, en minutes"), default=60, validators=[MaxValueValidator(20160)]
    )
    horizon_days = models.PositiveSmallIntegerField(
        _("réservable jusqu’à, en jours"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
    )
    cutoff_minutes = models.PositiveIntegerField(
        _("changer ou annuler jusqu’à, en minutes avant"),
        default=120,
        validators=[MaxValueValidator(20160)],
    )
    most_open = models.PositiveSmallIntegerField(
        _("rendez-vous à la fois, par membre"), default=2, validators=[MinValueValidator(1)]
    )
    visit_every = models.PositiveSmallIntegerField(
        _("une visite tous les … jours"),
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(14)],
        help_text=_("Pour une garde : au moins ce rythme."),
    )
    most_days = models.PositiveSmallIntegerField(
        _("jours au plus"),
        default=35,
        validators=[MinValueValidator(1), MaxValueValidator(180)],
        help_text=_("Pour une garde."),
    )
    tasks = models.JSONField(
        _("ce que l’on fait"), default=list, blank=True, help_text=_("Pour une garde.")
    )

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        constraints = [
            models.UniqueConstraint(
                fields=["place", "name"],
                name="concierge_service_once",
                violation_error_message=_("Ce point d’accueil a déjà ce service."),
            )
        ]
        indexes = [
            models.Index(
                fields=["place", "position", "name"],
                name="concierge_service_shown",
                condition=models.Q(is_offered=True),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ServiceHours(models.Model):
    """When somebody is there for this service. Without a line: whenever the place is open."""

    service = ParentalKey(Service, on_delete=models.CASCADE, related_name="hours")
    weekday = models.PositiveSmallIntegerField(_("jour"), choices=Weekday.choices)
    opens = models.TimeField(_("de"))
    closes = models.TimeField(_("à"))
    seats = models.PositiveSmallIntegerField(
        _("personnes par créneau"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_SEATS)],
        help_text=_("Vide : comme le service."),
    )

    class Meta:
        verbose_name = _("heures du service")
        verbose_name_plural = _("heures du service")
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(closes__gt=models.F("opens")),
                name="concierge_service_hours_in_order",
                violation_error_message=_("La fin doit suivre le début."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}-{self.closes:%H:%M}"


class ServicePause(models.Model):
    """Nobody is there for this service meanwhile, although the place is open."""

    service = ParentalKey(Service, on_delete=models.CASCADE, related_name="pauses")
    starts_at = models.DateTimeField(_("du"))
    ends_at = models.DateTimeField(_("au"))

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="concierge_pause_in_order",
                violation_error_message=_("La fin doit suivre le début."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%d/%m/%Y %H:%M} – {self.ends_at:%d/%m/%Y %H:%M}"


class ServiceQuestion(models.Model):
    """What is asked when somebody books: answers to choose from, no free text."""

    service = ParentalKey(Service, on_delete=models.CASCADE, related_name="questions")
    text = models.CharField(_("question"), max_length=120)
    choices = models.TextField(_("choix"), help_text=_("Un par ligne."))
    required = models.BooleanField(_("réponse obligatoire"), default=True)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        if len(self.options) < 2:
            raise ValidationError({"choices": _("Écrivez au moins deux choix, un par ligne.")})

    @property
    def options(self) -> list[str]:
        lines = [line.strip() for line in self.choices.splitlines()]
        return [line[:80] for line in dict.fromkeys(lines) if line]


class Appointment(Booking):
    """A member's seat at a slot: [starts_at, held_until) is theirs, the buffer included.

    `lane` names the seat of the service (service × 1000 + seat); the database refuses
    two appointments of one lane at the same time, even when the slots were cut anew
    between them.
    """

    MOVES = APPOINTMENT_MOVES
    OPEN_STATUSES = SEATED
    # Editors look for nothing here; keeping Wagtail's index costs four statements a row.
    wagtail_reference_index_ignore = True

    service = models.ForeignKey(
        Service, models.PROTECT, verbose_name=_("service"), related_name="appointments"
    )
    lane = models.BigIntegerField(editable=False)
    held_until = models.DateTimeField(_("bloqué jusqu’à"))
    status = models.CharField(
        _("état"),
        max_length=9,
        choices=AppointmentStatus.choices,
        default=AppointmentStatus.BOOKED,
    )
    unit_cents = models.PositiveIntegerField(_("prix, en centimes"), default=0)
    series = models.CharField(
        max_length=12, blank=True, editable=False, help_text="Public name of a series of dates."
    )
    offered_until = models.DateTimeField(_("proposé jusqu’à"), null=True, blank=True)
    form_key = models.CharField(  # noqa: DJ001 - null is what the unique key passes over
        max_length=43, null=True, blank=True, editable=False
    )
    done_at = models.DateTimeField(null=True, blank=True)
    absent_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("rendez-vous")
        verbose_name_plural = _("rendez-vous")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "form_key"],
                condition=models.Q(form_key__isnull=False),
                name="concierge_appointment_once_a_form",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at"))
                & models.Q(held_until__gte=models.F("ends_at")),
                name="concierge_appointment_in_order",
            ),
        ]
        indexes = [
            models.Index(
                fields=["service", "starts_at"],
                name="concierge_seat_of_slot",
                condition=models.Q(status__in=SEATED),
            ),
            models.Index(fields=["place", "starts_at"], name="concierge_seat_of_day"),
            models.Index(fields=["member", "status", "starts_at"], name="concierge_seat_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.service}"


class AppointmentAnswer(models.Model):
    wagtail_reference_index_ignore = True

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="answers")
    asked = models.CharField(_("question"), max_length=120)
    value = models.CharField(_("réponse"), max_length=80)

    class Meta:
        verbose_name = _("réponse")
        verbose_name_plural = _("réponses")

    def __str__(self) -> str:
        return f"{self.asked} {self.value}"


class SlotWish(models.Model):
    """A turn on a service's waiting list: any slot between two days will do."""

    MOVES = WISH_MOVES
    wagtail_reference_index_ignore = True

    service = models.ForeignKey(Service, models.CASCADE, related_name="wishes")
    member = models.ForeignKey("club.Member", models.CASCADE, related_name="slot_wishes")
    first_on = models.DateField(_("du"))
    last_on = models.DateField(_("au"), help_text=_("Jour inclus."))
    status = models.CharField(
        _("état"), max_length=9, choices=WishStatus.choices, default=WishStatus.WAITING
    )
    appointment = models.ForeignKey(
        Appointment, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("depuis le"))
    offered_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("attente d’un créneau")
        verbose_name_plural = _("attentes de créneaux")
        constraints = [
            models.UniqueConstraint(
                fields=["service", "member"],
                condition=models.Q(status__in=["waiting", "offered"]),
                name="concierge_wish_once",
            ),
            models.CheckConstraint(
                condition=models.Q(last_on__gte=models.F("first_on")),
                name="concierge_wish_in_order",
            ),
        ]
        indexes = [
            models.Index(
                fields=["service", "asked_at"],
                name="concierge_wish_turn",
                condition=models.Q(status="waiting"),
            )
        ]

    def __str__(self) -> str:
        return f"{self.service}, {self.asked_at:%d/%m/%Y}"


class CounterUse(models.Model):
    """What was done over the counter: counted for the figures, and paid where it costs."""

    wagtail_reference_index_ignore = True

    service = models.ForeignKey(Service, models.PROTECT, related_name="uses")
    place = models.ForeignKey("club.Place", models.PROTECT, related_name="counter_uses")
    member = models.ForeignKey(
        "club.Member", models.SET_NULL, null=True, blank=True, related_name="counter_uses"
    )
    quantity = models.PositiveSmallIntegerField(_("combien"), default=1)
    unit_cents = models.PositiveIntegerField(_("prix, en centimes"), default=0)
    at = models.DateTimeField(_("le"))
    by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    form_key = models.CharField(max_length=43, null=True, blank=True, unique=True, editable=False)

    class Meta:
        verbose_name = _("service au comptoir")
        verbose_name_plural = _("services au comptoir")
        indexes = [models.Index(fields=["place", "at"], name="concierge_counter_of_day")]

    def __str__(self) -> str:
        return f"{self.service} × {self.quantity}"
