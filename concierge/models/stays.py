"""What is looked after while somebody is away, and the keys that the desk keeps.

Nobody but staff on duty sees an absence: no page, file or route of another member shows
a row of these, and a key's tag bears a hook's number, never a name or an address.
"""

from datetime import date, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from club.kernel import codes
from club.kernel.bookings import Booking
from club.kernel.private import private_storage
from club.kernel.spans import local_day
from concierge.enums import (
    KEY_MOVES,
    ON_HOOK,
    STAY_MOVES,
    WATCHED,
    Incident,
    KeyReason,
    KeyStatus,
    StayStatus,
)
from concierge.models.services import Service


class Stay(Booking):
    """Days on which the concierge looks after a home, first and last included.

    `starts_at` is the start of the first day and `ends_at` the end of the last, both of
    the wall. `lane` names the seat of the service, as an appointment's does: the database
    refuses two stays of one lane on the same day. `tasks` are codes of `StayTask`.
    `quantity` is what is paid for: the days where the price is by the day, else one.
    """

    MOVES = STAY_MOVES
    OPEN_STATUSES = WATCHED
    wagtail_reference_index_ignore = True

    service = models.ForeignKey(
        Service, models.PROTECT, verbose_name=_("service"), related_name="stays"
    )
    lane = models.BigIntegerField(editable=False)
    status = models.CharField(
        _("état"), max_length=9, choices=StayStatus.choices, default=StayStatus.BOOKED
    )
    tasks = models.JSONField(_("à faire"), default=list)
    visit_every = models.PositiveSmallIntegerField(
        _("une visite tous les … jours"), default=2, validators=[MinValueValidator(1)]
    )
    unit_cents = models.PositiveIntegerField(_("prix par jour, en centimes"), default=0)
    form_key = models.CharField(  # noqa: DJ001 - null is what the unique key passes over
        max_length=43, null=True, blank=True, editable=False
    )
    running_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("garde")
        verbose_name_plural = _("gardes")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "form_key"],
                condition=Q(form_key__isnull=False),
                name="concierge_stay_once_a_form",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="concierge_stay_in_order"
            ),
        ]
        indexes = [
            models.Index(fields=["place", "starts_at"], name="concierge_stay_of_place"),
            models.Index(fields=["member", "status", "starts_at"], name="concierge_stay_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.service}"

    @property
    def first_on(self) -> date:
        return local_day(self.starts_at)

    @property
    def last_on(self) -> date:
        return local_day(self.ends_at) - timedelta(days=1)


class StayVisit(models.Model):
    """One visit of the plan. To do until `done_at`; `photo` has been drawn anew, no EXIF.

    An `incident` waits for a call until `called_at`.
    """

    stay = models.ForeignKey(Stay, models.CASCADE, related_name="visits")
    day = models.DateField(_("jour"))
    done_at = models.DateTimeField(_("faite le"), null=True, blank=True)
    done_by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    ticked = models.JSONField(_("fait"), default=list)
    photo = models.FileField(
        storage=private_storage, upload_to="stays/%Y/", max_length=200, blank=True
    )
    incident = models.CharField(_("problème"), max_length=8, choices=Incident.choices, blank=True)
    called_at = models.DateTimeField(_("appelé le"), null=True, blank=True)
    called_by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("visite")
        verbose_name_plural = _("visites")
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["stay", "day"], name="concierge_visit_once_a_day")
        ]
        indexes = [
            models.Index(
                fields=["day"], name="concierge_visit_to_do", condition=Q(done_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.stay_id}, {self.day:%d/%m/%Y}"


class KeySet(models.Model):
    """One bunch of keys on one hook: who gave it, against which signature, who has it.

    A signature is drawn on the screen (kept privately) or given on paper; without either
    nothing is received or given back.
    """

    MOVES = KEY_MOVES
    wagtail_reference_index_ignore = True

    reference = models.CharField(
        _("référence"), max_length=12, unique=True, default=codes.booking_reference, editable=False
    )
    place = models.ForeignKey(
        "club.Place", models.PROTECT, verbose_name=_("point d’accueil"), related_name="key_sets"
    )
    member = models.ForeignKey(
        "club.Member", models.PROTECT, verbose_name=_("membre"), related_name="key_sets"
    )
    stay = models.ForeignKey(Stay, models.SET_NULL, null=True, blank=True, related_name="key_sets")
    reason = models.CharField(
        _("pourquoi"), max_length=5, choices=KeyReason.choices, default=KeyReason.STAY
    )
    hook = models.PositiveSmallIntegerField(
        _("crochet"), validators=[MinValueValidator(1), MaxValueValidator(999)]
    )
    pieces = models.PositiveSmallIntegerField(
        _("nombre de clés"), default=1, validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    status = models.CharField(
        _("état"), max_length=8, choices=KeyStatus.choices, default=KeyStatus.HELD
    )
    received_at = models.DateTimeField(_("reçues le"))
    received_by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    received_on_paper = models.BooleanField(_("reçu signé sur papier"), default=False)
    received_signature = models.FileField(
        storage=private_storage, upload_to="keys/%Y/", max_length=200, blank=True
    )
    out_at = models.DateTimeField(_("sorties le"), null=True, blank=True)
    out_by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    returned_at = models.DateTimeField(_("rendues le"), null=True, blank=True)
    returned_by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    returned_to = models.CharField(_("rendues à"), max_length=140, blank=True)
    returned_on_paper = models.BooleanField(_("rendu signé sur papier"), default=False)
    returned_signature = models.FileField(
        storage=private_storage, upload_to="keys/%Y/", max_length=200, blank=True
    )
    lost_at = models.DateTimeField(_("perdues le"), null=True, blank=True)

    class Meta:
        verbose_name = _("jeu de clés")
        verbose_name_plural = _("jeux de clés")
        constraints = [
            models.UniqueConstraint(
                fields=["place", "hook"],
                condition=Q(status__in=ON_HOOK),
                name="concierge_hook_once",
                violation_error_message=_("Ce crochet est déjà pris."),
            )
        ]
        indexes = [models.Index(fields=["member", "status"], name="concierge_keys_of_member")]

    def __str__(self) -> str:
        return f"{self.reference}, {self.hook}"
