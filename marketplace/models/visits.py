"""A request to artisans: what, where, when, and what each of those asked answers."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from club.kernel import codes
from club.kernel.private import private_storage
from marketplace.enums import (
    ASK_MOVES,
    VISIT_MOVES,
    AskStatus,
    Satisfaction,
    Trade,
    UnhappyFor,
    VisitStatus,
)
from marketplace.models.partners import Partner

MOST_ASKED = 3
"""Artisans asked at one time."""


def public_id() -> str:
    return codes.token()[:10]


class VisitRequest(models.Model):
    """Work that a resident asks for. Who they are passes to the artisan that accepts.

    `windows` are times at which somebody is at home: [["2027-03-09", "morning"], …];
    none means "as soon as possible". `town` alone is told before an artisan accepts.
    """

    MOVES = VISIT_MOVES

    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    member = models.ForeignKey(
        "club.Member", models.PROTECT, verbose_name=_("membre"), related_name="visits"
    )
    landlord = models.ForeignKey("club.Landlord", models.PROTECT, related_name="visits")
    trade = models.CharField(_("métier"), max_length=11, choices=Trade.choices)
    what = models.CharField(_("le problème"), max_length=400)
    address = models.CharField(_("adresse"), max_length=200)
    town = models.CharField(_("commune"), max_length=100)
    phone = models.CharField(_("téléphone"), max_length=20)
    windows = models.JSONField(default=list)
    widen = models.BooleanField(_("demander à un autre si personne ne répond"), default=True)
    status = models.CharField(
        _("état"), max_length=10, choices=VisitStatus.choices, default=VisitStatus.ASKING
    )
    visit_at = models.DateTimeField(_("visite le"), null=True)
    asked_at = models.DateTimeField(_("demandé le"))
    agreed_at = models.DateTimeField(null=True, editable=False)
    done_at = models.DateTimeField(null=True, editable=False)
    unanswered_at = models.DateTimeField(null=True, editable=False)
    cancelled_at = models.DateTimeField(null=True, editable=False)
    satisfaction = models.CharField(
        _("avis"), max_length=7, choices=Satisfaction.choices, blank=True
    )
    unhappy_for = models.CharField(
        _("pourquoi"), max_length=6, choices=UnhappyFor.choices, blank=True
    )

    class Meta:
        verbose_name = _("demande à un artisan")
        verbose_name_plural = _("demandes à des artisans")
        indexes = [
            models.Index(fields=["member", "-asked_at"], name="marketplace_visit_of_member"),
            models.Index(fields=["landlord", "-asked_at"], name="marketplace_visit_of_landlord"),
        ]

    def __str__(self) -> str:
        return f"{self.get_trade_display()}, {self.asked_at:%d/%m/%Y}"


class VisitPhoto(models.Model):
    """A photo of the leak, drawn anew (no EXIF), for those who were asked alone."""

    visit = models.ForeignKey(VisitRequest, models.CASCADE, related_name="photos")
    file = models.FileField(storage=private_storage, upload_to="visits/%Y/", max_length=200)

    class Meta:
        verbose_name = _("photo d’une demande")
        verbose_name_plural = _("photos des demandes")

    def __str__(self) -> str:
        return f"{self.visit_id}"


class VisitAsk(models.Model):
    """One artisan who was asked. `rank` is the order in which they were."""

    MOVES = ASK_MOVES

    visit = models.ForeignKey(VisitRequest, models.CASCADE, related_name="asks")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="asks")
    rank = models.PositiveSmallIntegerField()
    status = models.CharField(
        _("état"), max_length=8, choices=AskStatus.choices, default=AskStatus.ASKED
    )
    asked_at = models.DateTimeField()
    chased_at = models.DateTimeField(null=True)
    proposes_at = models.DateTimeField(_("propose"), null=True)
    proposed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    declined_at = models.DateTimeField(null=True)
    silent_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("artisan demandé")
        verbose_name_plural = _("artisans demandés")
        constraints = [
            models.UniqueConstraint(fields=["visit", "partner"], name="marketplace_ask_once"),
            models.UniqueConstraint(
                fields=["visit"],
                condition=Q(status=AskStatus.ACCEPTED),
                name="marketplace_ask_one_accepted",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=Q(status=AskStatus.ASKED),
                name="marketplace_ask_waiting",
            ),
            models.Index(fields=["partner", "-asked_at"], name="marketplace_ask_of_partner"),
        ]

    def __str__(self) -> str:
        return f"{self.partner}, {self.get_status_display()}"
