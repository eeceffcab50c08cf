"""What the card gives at a partner's: its terms (moderated), today's stock, each use."""

from typing import Any

from django.contrib.contenttypes.fields import GenericRelation
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from wagtail.models import DraftStateMixin, LockableMixin, RevisionMixin, WorkflowMixin

from club.kernel import codes, words
from marketplace.enums import (
    REPORT_MOVES,
    HappenedAtTill,
    LimitPer,
    OfferKind,
    ReportStatus,
)
from marketplace.models.partners import Partner

NEEDED: dict[str, tuple[str, ...]] = {
    OfferKind.PERCENT: ("percent",),
    OfferKind.AMOUNT: ("amount_cents",),
    OfferKind.PRICE: ("price_cents", "usual_price_cents"),
    OfferKind.GIFT: ("gift",),
}
"""The fields that say what each kind gives; those of other kinds are empty."""


def public_id() -> str:
    return codes.token()[:10]


class Offer(WorkflowMixin, DraftStateMixin, LockableMixin, RevisionMixin, models.Model):
    """The terms of an offer, as they were last approved; a draft is in its revisions.

    What changes from day to day is `OfferStock`'s: a revision that is approved later
    must not bring an older stock back. Whether it is shown is asked each day
    (`queries.offers.offers_shown`), so nothing is published by a clock.
    """

    partner = models.ForeignKey(
        Partner, models.CASCADE, verbose_name=_("partenaire"), related_name="offers"
    )
    public_id = models.CharField(max_length=12, unique=True, default=public_id, editable=False)
    title = models.CharField(
        _("sur quoi"), max_length=60, help_text=_("« Pain de campagne », « Tout le magasin ».")
    )
    kind = models.CharField(_("avantage"), max_length=8, choices=OfferKind.choices)
    percent = models.PositiveSmallIntegerField(
        _("remise, en %"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(90)],
    )
    amount_cents = models.PositiveIntegerField(_("remise, en centimes"), null=True, blank=True)
    price_cents = models.PositiveIntegerField(_("prix membre, en centimes"), null=True, blank=True)
    usual_price_cents = models.PositiveIntegerField(
        _("prix habituel, en centimes"), null=True, blank=True
    )
    gift = models.CharField(_("cadeau"), max_length=80, blank=True)
    conditions = models.CharField(
        _("conditions"), max_length=200, blank=True, help_text=_("En une phrase courte.")
    )
    starts_on = models.DateField(_("à partir du"))
    ends_on = models.DateField(
        _("jusqu’au"), null=True, blank=True, help_text=_("Jour inclus. Vide : sans fin.")
    )
    limit_count = models.PositiveSmallIntegerField(
        _("fois par personne"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text=_("Vide : sans limite."),
    )
    limit_per = models.CharField(
        _("sur quel temps"), max_length=5, choices=LimitPer.choices, blank=True
    )
    picture = models.ForeignKey(
        "content.Picture",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("photo"),
        related_name="+",
    )
    withdrawn_on = models.DateField(_("retirée le"), null=True, blank=True, editable=False)

    workflow_states = GenericRelation(
        "wagtailcore.WorkflowState",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="offer",
        for_concrete_model=False,
    )
    _revisions = GenericRelation(
        "wagtailcore.Revision",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="offer",
        for_concrete_model=False,
    )

    class Meta:
        verbose_name = _("avantage")
        verbose_name_plural = _("avantages")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")),
                name="marketplace_offer_in_order",
                violation_error_message=_("La fin ne peut pas être avant le début."),
            ),
            models.CheckConstraint(
                condition=Q(percent=None) | Q(percent__gte=1, percent__lte=90),
                name="marketplace_offer_percent",
                violation_error_message=_("La remise va de 1 à 90 %."),
            ),
        ]
        indexes = [
            models.Index(
                fields=["partner", "starts_on"],
                name="marketplace_offer_live",
                condition=Q(live=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.partner.name} : {self.title}"

    @property
    def revisions(self) -> Any:
        return self._revisions

    def with_content_json(self, content: Any) -> Any:
        """The firm and the day of withdrawal are no part of the terms."""
        found = super().with_content_json(content)
        found.partner = self.partner
        found.withdrawn_on = self.withdrawn_on
        return found

    def clean(self) -> None:
        faults: dict[str, ValidationError] = {}
        if self.kind in NEEDED:
            for name in NEEDED[self.kind]:
                if not getattr(self, name):
                    faults[name] = ValidationError(_("Remplissez ce champ."))
            for name in {one for names in NEEDED.values() for one in names}:
                if name not in NEEDED[self.kind]:
                    setattr(self, name, "" if name == "gift" else None)
        if self.price_cents and self.price_cents >= (self.usual_price_cents or 0):
            faults.setdefault(
                "price_cents",
                ValidationError(_("Le prix membre doit être plus bas que le prix habituel.")),
            )
        if self.ends_on and self.starts_on and self.ends_on < self.starts_on:
            faults["ends_on"] = ValidationError(_("La fin ne peut pas être avant le début."))
        if bool(self.limit_count) != bool(self.limit_per):
            name = "limit_per" if self.limit_count else "limit_count"
            faults[name] = ValidationError(_("Dites combien de fois, et sur quel temps."))
        if faults:
            raise ValidationError(faults)

    @property
    def gives(self) -> str:
        """What the card gives, in a few words: "10 % de remise"."""
        match self.kind:
            case OfferKind.PERCENT:
                return _("%(number)d %% de remise") % {"number": self.percent or 0}
            case OfferKind.AMOUNT:
                return _("%(sum)s de remise") % {"sum": words.money(self.amount_cents or 0)}
            case OfferKind.PRICE:
                return _("%(price)s au lieu de %(usual)s") % {
                    "price": words.money(self.price_cents or 0),
                    "usual": words.money(self.usual_price_cents or 0),
                }
        return _("%(gift)s offert") % {"gift": self.gift}


class OfferStock(models.Model):
    """What is left of an offer on one day; without a row of that day nothing is said."""

    offer = models.ForeignKey(Offer, models.CASCADE, related_name="stocks")
    day = models.DateField(_("jour"))
    left = models.PositiveSmallIntegerField(_("il en reste"), null=True)
    sold_out = models.BooleanField(_("épuisé"), default=False)

    class Meta:
        verbose_name = _("quantité du jour")
        verbose_name_plural = _("quantités du jour")
        constraints = [
            models.UniqueConstraint(fields=["offer", "day"], name="marketplace_stock_once")
        ]

    def __str__(self) -> str:
        return f"{self.offer_id}, {self.day}"


class OfferUse(models.Model):
    """A member's card at a till, once. `rank` is the how-manieth use in `period`.

    Two tills at the same second take the same rank, and the database refuses one.
    `period` is "2026-11-22", "2026-W47", "2026-11", "2026" or "ever", as the offer's
    limit counts; amounts are cents of euro.
    """

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="uses")
    member = models.ForeignKey("club.Member", models.CASCADE, related_name="offer_uses")
    residence = models.ForeignKey("club.Residence", models.SET_NULL, null=True, related_name="+")
    period = models.CharField(max_length=10)
    rank = models.PositiveSmallIntegerField()
    used_at = models.DateTimeField(_("le"))
    amount_cents = models.PositiveIntegerField(_("achat"), null=True)
    saving_cents = models.PositiveIntegerField(_("économie"), default=0)
    by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("avantage utilisé")
        verbose_name_plural = _("avantages utilisés")
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "member", "period", "rank"], name="marketplace_use_once"
            ),
            models.CheckConstraint(condition=Q(rank__gte=1), name="marketplace_use_rank"),
        ]
        indexes = [
            models.Index(fields=["offer", "used_at"], name="marketplace_use_of_offer"),
            models.Index(fields=["member", "used_at"], name="marketplace_use_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.offer_id}, {self.used_at:%d/%m/%Y}"


class OfferUseCount(models.Model):
    """Uses of a month that are too old to keep one by one: numbers, and nobody."""

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="counts")
    residence = models.ForeignKey("club.Residence", models.SET_NULL, null=True, related_name="+")
    month = models.DateField(help_text=_("Le premier du mois."))
    uses = models.PositiveIntegerField()
    saving_cents = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("avantages d’un mois")
        verbose_name_plural = _("avantages par mois")
        indexes = [models.Index(fields=["offer", "month"], name="marketplace_count_of_offer")]

    def __str__(self) -> str:
        return f"{self.offer_id}, {self.month:%m/%Y}: {self.uses}"


class RefusalReport(models.Model):
    """A member did not get what the card gives: for the officer, never in public."""

    MOVES = REPORT_MOVES

    offer = models.ForeignKey(
        Offer, models.CASCADE, verbose_name=_("avantage"), related_name="reports"
    )
    member = models.ForeignKey(
        "club.Member", models.CASCADE, verbose_name=_("membre"), related_name="refusal_reports"
    )
    happened = models.CharField(
        _("ce qui s’est passé"), max_length=11, choices=HappenedAtTill.choices
    )
    happened_on = models.DateField(_("le"))
    status = models.CharField(
        _("état"), max_length=9, choices=ReportStatus.choices, default=ReportStatus.OPEN
    )
    reported_at = models.DateTimeField(_("signalé le"))
    settled_at = models.DateTimeField(null=True, editable=False)
    unfounded_at = models.DateTimeField(null=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("avantage refusé")
        verbose_name_plural = _("avantages refusés")
        constraints = [
            models.UniqueConstraint(
                fields=["offer", "member", "happened_on"], name="marketplace_report_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.offer}, {self.happened_on}"
