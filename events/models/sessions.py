"""Sessions: when and where an event takes place, how many may come and on which terms."""

from datetime import date, datetime, time, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from club.kernel import codes
from club.kernel.spans import local_day
from events.enums import SESSION_MOVES, CancelReason, SessionStatus

MOST_PLACES = 5000


def public_id() -> str:
    return codes.token()[:10]


class Terms(models.Model):
    """Who may come and for how much. The event has them, and gives them to each session."""

    capacity = models.PositiveIntegerField(
        _("places"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PLACES)],
        help_text=_("Vide : pas de limite."),
    )
    price_cents = models.PositiveIntegerField(
        _("prix d’une place, en centimes"), default=0, validators=[MaxValueValidator(1_000_00)]
    )
    member_price_cents = models.PositiveIntegerField(
        _("prix d’une place pour les abonnés, en centimes"),
        default=0,
        validators=[MaxValueValidator(1_000_00)],
    )
    pay_first = models.BooleanField(
        _("payer avant de venir"),
        default=True,
        help_text=_("Sinon la place est sûre et l’on paie à l’entrée."),
    )
    members_only = models.BooleanField(_("pour les abonnés seulement"), default=False)
    needs_approval = models.BooleanField(_("l’accueil confirme chaque inscription"), default=False)
    household_limit = models.PositiveSmallIntegerField(
        _("places par foyer, au plus"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Vide : pas de limite."),
    )
    cancel_hours = models.PositiveSmallIntegerField(
        _("remboursé jusqu’à, en heures avant le début"),
        default=24,
        validators=[MaxValueValidator(30 * 24)],
        help_text=_("Après, on peut encore laisser sa place, sans remboursement."),
    )

    class Meta:
        abstract = True


class EventPolicy(models.Model):
    """How a place holds its sessions: the waiting list's hours, payment, no-shows."""

    place = models.OneToOneField(
        "club.Place",
        models.CASCADE,
        verbose_name=_("point d’accueil"),
        related_name="event_policy",
    )
    offer_until = models.TimeField(
        _("une place proposée attend jusqu’au lendemain, à"), default=time(20)
    )
    last_offer_minutes = models.PositiveIntegerField(
        _("plus aucune proposition, en minutes avant le début"),
        default=180,
        validators=[MinValueValidator(30), MaxValueValidator(7 * 24 * 60)],
        help_text=_("Après, les places libres vont à qui vient."),
    )
    pay_hours = models.PositiveSmallIntegerField(
        _("délai pour payer, en heures"),
        default=48,
        validators=[MinValueValidator(2), MaxValueValidator(30 * 24)],
    )
    no_show_limit = models.PositiveSmallIntegerField(
        _("absences sans prévenir, avant une pause"),
        default=3,
        help_text=_("0 : jamais de pause."),
    )
    no_show_days = models.PositiveSmallIntegerField(
        _("absences comptées sur, en jours"), default=180, validators=[MaxValueValidator(730)]
    )
    pause_days = models.PositiveSmallIntegerField(
        _("durée de la pause, en jours"),
        default=30,
        validators=[MaxValueValidator(366)],
        help_text=_("Pendant la pause, on s’inscrit seulement à l’accueil."),
    )

    class Meta:
        verbose_name = _("règle des événements")
        verbose_name_plural = _("règles des événements")

    def __str__(self) -> str:
        return str(self.place)


class Session(Terms):
    """One date of an event.

    `booked` counts the places that are held; the database keeps it within the capacity.
    Where staff want fewer places than are held, `target_capacity` is what the capacity
    goes down to as places are given back: nobody is put out. `planned_on` is the day of
    the schedule that made it, which stays when the session is moved.
    """

    MOVES = SESSION_MOVES
    # Saved each time places change hands: its place and event are known by its own rows.
    wagtail_reference_index_ignore = True

    event = models.ForeignKey(
        "events.EventPage",
        models.CASCADE,
        verbose_name=_("événement"),
        related_name="sessions",
        db_index=False,
    )
    schedule = models.ForeignKey(
        "events.Schedule", models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    planned_on = models.DateField(null=True, blank=True, editable=False)
    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    place = models.ForeignKey(
        "club.Place",
        models.PROTECT,
        verbose_name=_("point d’accueil"),
        related_name="event_sessions",
        db_index=False,
    )
    room = models.CharField(
        _("salle"),
        max_length=120,
        blank=True,
        help_text=_("Vide : à l’accueil. Par exemple : salle Balzac, dans la cour."),
    )
    address = models.CharField(
        _("adresse"), max_length=250, blank=True, help_text=_("Si c’est ailleurs qu’à l’accueil.")
    )
    note = models.CharField(
        _("ce jour-là"),
        max_length=120,
        blank=True,
        help_text=_("Par exemple : spécial crêpes."),
    )
    starts_at = models.DateTimeField(_("début"))
    ends_at = models.DateTimeField(_("fin"))
    opens_at = models.DateTimeField(
        _("inscription dès"), null=True, blank=True, help_text=_("Vide : tout de suite.")
    )
    others_at = models.DateTimeField(
        _("inscription des non-abonnés dès"),
        null=True,
        blank=True,
        help_text=_("Vide : en même temps que les abonnés."),
    )
    closes_at = models.DateTimeField(_("inscription jusqu’à"))
    booked = models.PositiveIntegerField(_("places prises"), default=0, editable=False)
    target_capacity = models.PositiveIntegerField(null=True, blank=True, editable=False)
    status = models.CharField(
        _("état"), max_length=9, choices=SessionStatus.choices, default=SessionStatus.SCHEDULED
    )
    cancel_reason = models.CharField(
        _("motif"), max_length=8, choices=CancelReason.choices, blank=True
    )
    replaced_by = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("date proposée à la place"),
        related_name="replaces",
    )
    sequence = models.PositiveIntegerField(default=0, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    cancelled_at = models.DateTimeField(null=True, blank=True, editable=False)
    source = models.CharField(
        max_length=80,
        blank=True,
        editable=False,
        help_text="What it is called in the file that it came from.",
    )

    class Meta:
        verbose_name = _("séance")
        verbose_name_plural = _("séances")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(capacity=None) | models.Q(booked__lte=models.F("capacity")),
                name="events_session_never_too_many",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")),
                name="events_session_in_order",
                violation_error_message=_("La fin vient après le début."),
            ),
            models.UniqueConstraint(
                fields=["schedule", "planned_on"],
                condition=models.Q(schedule__isnull=False),
                name="events_session_planned_once",
            ),
            models.UniqueConstraint(
                fields=["event", "source"],
                condition=~models.Q(source=""),
                name="events_session_source_once",
            ),
        ]
        indexes = [
            models.Index(fields=["place", "starts_at"], name="events_session_of_place"),
            models.Index(fields=["event", "starts_at"], name="events_session_of_event"),
        ]

    def __str__(self) -> str:
        starts = timezone.localtime(self.starts_at)
        return f"{self.event.title}, {starts:%d/%m/%Y %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("events:session", args=[self.public_id])

    @property
    def day(self) -> date:
        return local_day(self.starts_at)

    @property
    def free(self) -> int | None:
        """Places left; None where there is no limit."""
        return None if self.capacity is None else self.capacity - self.booked

    @property
    def is_full(self) -> bool:
        return self.free == 0

    @property
    def wanted_capacity(self) -> int | None:
        """What staff asked for, which a smaller capacity may still be on its way to."""
        return self.capacity if self.target_capacity is None else self.target_capacity

    def price_for(self, is_subscriber: bool) -> int:
        """Cents for one place."""
        return self.member_price_cents if is_subscriber else self.price_cents

    def refunds_until(self) -> datetime:
        return self.starts_at - timedelta(hours=self.cancel_hours)
