"""Whom members would like as a partner next, and how many of them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.enums import SUGGESTION_MOVES, DeclinedFor, Shop, SuggestionStatus, Trade
from marketplace.models.partners import Partner


class Suggestion(models.Model):
    """A shop or artisan that a member proposes. Staff read it before others vote on it."""

    MOVES = SUGGESTION_MOVES

    landlord = models.ForeignKey(
        "club.Landlord",
        models.CASCADE,
        verbose_name=_("bailleur"),
        related_name="partner_suggestions",
    )
    member = models.ForeignKey(
        "club.Member",
        models.SET_NULL,
        null=True,
        verbose_name=_("proposé par"),
        related_name="partner_suggestions",
    )
    name = models.CharField(_("nom du commerce ou de l’artisan"), max_length=80)
    street = models.CharField(_("rue ou quartier"), max_length=120, blank=True)
    shop = models.CharField(_("commerce"), max_length=11, choices=Shop.choices, blank=True)
    trade = models.CharField(_("métier"), max_length=11, choices=Trade.choices, blank=True)
    status = models.CharField(
        _("état"),
        max_length=8,
        choices=SuggestionStatus.choices,
        default=SuggestionStatus.RECEIVED,
    )
    declined_for = models.CharField(
        _("motif"), max_length=14, choices=DeclinedFor.choices, blank=True, editable=False
    )
    partner = models.ForeignKey(
        Partner, models.SET_NULL, null=True, blank=True, verbose_name=_("partenaire"),
        related_name="suggestions",
    )  # fmt: skip
    received_at = models.DateTimeField(_("reçue le"))
    open_at = models.DateTimeField(null=True, editable=False)
    talking_at = models.DateTimeField(null=True, editable=False)
    joined_at = models.DateTimeField(null=True, editable=False)
    declined_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("partenaire proposé")
        verbose_name_plural = _("partenaires proposés")
        indexes = [models.Index(fields=["landlord", "status"], name="marketplace_suggestion_open")]

    def __str__(self) -> str:
        return self.name


class SuggestionVote(models.Model):
    suggestion = models.ForeignKey(Suggestion, models.CASCADE, related_name="votes")
    member = models.ForeignKey("club.Member", models.CASCADE, related_name="partner_votes")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("voix pour un partenaire")
        verbose_name_plural = _("voix pour des partenaires")
        constraints = [
            models.UniqueConstraint(fields=["suggestion", "member"], name="marketplace_vote_once")
        ]

    def __str__(self) -> str:
        return f"{self.suggestion_id}, {self.member_id}"
