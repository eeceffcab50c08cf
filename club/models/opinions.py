"""How it went: one question now and then, one tap, and a call to who was not happy."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from club.enums import CallOutcome, Face, OpinionReason
from club.kernel import codes


class Opinion(models.Model):
    """A question that was asked about one thing, and the face that was tapped.

    `kind` and `subject_id` name the thing (a loan, an order, …), once. `label` is what the
    question called it. When the person goes, `member` goes and the face stays as a count.
    """

    reference = models.CharField(
        max_length=12, unique=True, default=codes.booking_reference, editable=False
    )
    member = models.ForeignKey(
        "club.Member",
        models.SET_NULL,
        null=True,
        verbose_name=_("membre"),
        related_name="opinions",
    )
    place = models.ForeignKey("club.Place", models.PROTECT, related_name="opinions")
    kind = models.CharField(_("à propos de"), max_length=20)
    subject_id = models.BigIntegerField()
    label = models.CharField(max_length=120)
    asked_at = models.DateTimeField(_("demandé le"))
    face = models.CharField(_("avis"), max_length=7, choices=Face.choices, blank=True)
    reason = models.CharField(
        _("pourquoi"), max_length=8, choices=OpinionReason.choices, blank=True
    )
    answered_at = models.DateTimeField(_("répondu le"), null=True, blank=True)
    called_at = models.DateTimeField(_("appelé le"), null=True, blank=True)
    called_by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(_("suite"), max_length=9, choices=CallOutcome.choices, blank=True)

    class Meta:
        verbose_name = _("avis")
        verbose_name_plural = _("avis")
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject_id"], name="club_opinion_once")
        ]
        indexes = [
            models.Index(fields=["member", "-asked_at"], name="club_opinion_of_member"),
            models.Index(fields=["place", "-answered_at"], name="club_opinion_of_place"),
            models.Index(
                fields=["place", "answered_at"],
                name="club_opinion_to_call",
                condition=Q(face="unhappy", called_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}, {self.asked_at:%d/%m/%Y}"
