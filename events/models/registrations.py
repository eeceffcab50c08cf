"""Registrations: a member's places at a session, who comes with them, what the door saw."""

from datetime import datetime

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from club.kernel.bookings import Booking
from events.enums import (
    HOLDING,
    LIVE,
    OPEN,
    REGISTRATION_MOVES,
    AnswerKind,
    RegistrationStatus,
    ScanOutcome,
)


class Registration(Booking):
    """`quantity` places of a member at a session: asked for, waited for, held or used.

    While it waits, `quantity` is what is waited for, and `queued_at` its turn. An offer
    holds its places until `offer_ends_at`; with `fewer_ok` it may hold fewer than were
    `wanted`. `came` is how many went in. `form_key` is the one-time key of the page that
    made it: a second press finds the same registration.
    """

    MOVES = REGISTRATION_MOVES
    OPEN_STATUSES = OPEN
    # Editors look for nothing here; keeping Wagtail's index costs four statements a place.
    wagtail_reference_index_ignore = True

    session = models.ForeignKey(
        "events.Session",
        models.PROTECT,
        verbose_name=_("séance"),
        related_name="registrations",
        db_index=False,
    )
    status = models.CharField(
        _("état"),
        max_length=9,
        choices=RegistrationStatus.choices,
        default=RegistrationStatus.CONFIRMED,
    )
    unit_cents = models.PositiveIntegerField(_("prix d’une place, en centimes"), default=0)
    wanted = models.PositiveSmallIntegerField(_("places demandées"), default=1)
    fewer_ok = models.BooleanField(_("moins de places conviendrait"), default=False)
    queued_at = models.DateTimeField(_("en attente depuis"), null=True, blank=True)
    offer_ends_at = models.DateTimeField(_("à confirmer avant"), null=True, blank=True)
    pay_until = models.DateTimeField(_("à payer avant"), null=True, blank=True)
    came = models.PositiveSmallIntegerField(_("personnes venues"), default=0)
    form_key = models.CharField(  # noqa: DJ001 - null is what the unique key passes over
        max_length=43, null=True, blank=True, editable=False
    )
    waiting_at = models.DateTimeField(null=True, blank=True)
    offered_at = models.DateTimeField(null=True, blank=True)
    pending_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    present_at = models.DateTimeField(_("venu à"), null=True, blank=True)
    absent_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    refused_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("inscription")
        verbose_name_plural = _("inscriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["session", "member"],
                condition=models.Q(status__in=LIVE),
                name="events_registration_once",
            ),
            models.UniqueConstraint(
                fields=["member", "form_key"],
                condition=models.Q(form_key__isnull=False),
                name="events_registration_once_a_form",
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gte=1) & models.Q(came__lte=models.F("quantity")),
                name="events_registration_quantity",
            ),
        ]
        indexes = [
            models.Index(fields=["session", "status"], name="events_registration_of_session"),
            models.Index(
                fields=["session", "queued_at"],
                name="events_registration_queue",
                condition=models.Q(status=RegistrationStatus.WAITING),
            ),
            models.Index(
                fields=["offer_ends_at"],
                name="events_registration_offers",
                condition=models.Q(status=RegistrationStatus.OFFERED),
            ),
            models.Index(
                fields=["pay_until"],
                name="events_registration_unpaid",
                condition=models.Q(status=RegistrationStatus.PENDING),
            ),
            models.Index(
                fields=["member", "status", "starts_at"], name="events_registration_of_member"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.session}"

    @property
    def cents(self) -> int:
        return self.unit_cents * self.quantity

    @property
    def holds(self) -> bool:
        return self.status in HOLDING

    def offer_holds(self, now: datetime) -> bool:
        return (
            self.status == RegistrationStatus.OFFERED
            and self.offer_ends_at is not None
            and now < self.offer_ends_at
        )


class Participant(models.Model):
    """Somebody who comes, where the event asks for names or ages."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="participants")
    name = models.CharField(_("prénom et nom"), max_length=80, blank=True)
    age = models.PositiveSmallIntegerField(
        _("âge"), null=True, blank=True, validators=[MaxValueValidator(120)]
    )

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")

    def __str__(self) -> str:
        return self.name or str(self.age or "")


class Answer(models.Model):
    """What was chosen for a question of the event."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="answers")
    question = models.ForeignKey(
        "events.Question", models.SET_NULL, null=True, verbose_name=_("question"), related_name="+"
    )
    asked = models.CharField(_("question"), max_length=120)
    kind = models.CharField(max_length=8, choices=AnswerKind.choices, editable=False)
    value = models.CharField(_("réponse"), max_length=80)

    class Meta:
        verbose_name = _("réponse")
        verbose_name_plural = _("réponses")

    def __str__(self) -> str:
        return f"{self.asked} {self.value}"


class WalkIn(models.Model):
    """Somebody who came without being registered nor known: a first name and how many."""

    session = models.ForeignKey("events.Session", models.PROTECT, related_name="walk_ins")
    first_name = models.CharField(_("prénom"), max_length=40)
    quantity = models.PositiveSmallIntegerField(_("personnes"), default=1)
    came_at = models.DateTimeField(_("venu à"))
    undone_at = models.DateTimeField(_("annulé à"), null=True, blank=True)

    class Meta:
        verbose_name = _("entrée sans inscription")
        verbose_name_plural = _("entrées sans inscription")

    def __str__(self) -> str:
        return f"{self.first_name}, {self.quantity}"


class CheckIn(models.Model):
    """One scan at the door, as it was told: two phones off line lose nothing.

    `scan` is the number that the page made up: replayed, it is stored once. `at` is the
    door's own clock; `recorded_at` is when it reached us.
    """

    session = models.ForeignKey("events.Session", models.PROTECT, related_name="check_ins")
    registration = models.ForeignKey(
        Registration, models.CASCADE, null=True, blank=True, related_name="check_ins"
    )
    walk_in = models.ForeignKey(
        WalkIn, models.CASCADE, null=True, blank=True, related_name="check_ins"
    )
    scan = models.CharField(max_length=40, unique=True)
    outcome = models.CharField(_("résultat"), max_length=9, choices=ScanOutcome.choices)
    quantity = models.PositiveSmallIntegerField(_("personnes"), default=0)
    offline = models.BooleanField(_("hors ligne"), default=False)
    at = models.DateTimeField(_("à"))
    recorded_at = models.DateTimeField()
    by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("passage à l’entrée")
        verbose_name_plural = _("passages à l’entrée")
        indexes = [models.Index(fields=["session", "recorded_at"], name="events_checkin_of")]

    def __str__(self) -> str:
        return f"{self.session} {self.outcome}"
