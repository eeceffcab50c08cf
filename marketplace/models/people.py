"""Who acts for a partner, how they come in, and what they changed at once."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from marketplace.enums import ChangeKind
from marketplace.models.partners import Partner


class PartnerPerson(models.Model):
    """Somebody who acts for a partner until they leave it; nobody signs in for a firm."""

    partner = models.ForeignKey(
        Partner, models.CASCADE, verbose_name=_("partenaire"), related_name="people"
    )
    user = models.ForeignKey(
        "club.User", models.CASCADE, verbose_name=_("personne"), related_name="acts_for"
    )
    added_at = models.DateTimeField(_("depuis le"))
    left_at = models.DateTimeField(_("partie le"), null=True, blank=True)

    class Meta:
        verbose_name = _("personne d’un partenaire")
        verbose_name_plural = _("personnes des partenaires")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "user"],
                condition=Q(left_at=None),
                name="marketplace_person_once",
                violation_error_message=_("Cette personne est déjà là."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.partner}"


class EntryLink(models.Model):
    """A link that was sent to one person. It opens one phone, once, for a few days.

    The link itself is Django's signature over this row's number, so that nothing
    stored here lets anybody in. `following` is the page that it leads to.
    """

    person = models.ForeignKey(PartnerPerson, models.CASCADE, related_name="links")
    following = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("lien d’entrée")
        verbose_name_plural = _("liens d’entrée")

    def __str__(self) -> str:
        return f"{self.person_id}, {self.created_at:%d/%m/%Y}"


class PartnerChange(models.Model):
    """What went live at once: how it was and how it became, so that it can be undone.

    `before` and `after` are whole states of what `kind` names, not differences.
    """

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="changes")
    offer = models.ForeignKey(
        "marketplace.Offer", models.CASCADE, null=True, related_name="changes"
    )
    kind = models.CharField(_("quoi"), max_length=8, choices=ChangeKind.choices)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    at = models.DateTimeField(_("le"))
    by = models.ForeignKey("club.User", models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("changement")
        verbose_name_plural = _("changements")
        indexes = [models.Index(fields=["partner", "-at"], name="marketplace_change_last")]

    def __str__(self) -> str:
        return f"{self.partner}, {self.get_kind_display()}, {self.at:%d/%m/%Y %H:%M}"


class PartnerClosure(models.Model):
    """Days on which a partner is shut although its hours say otherwise."""

    partner = models.ForeignKey(
        Partner, models.CASCADE, verbose_name=_("partenaire"), related_name="closures"
    )
    starts_on = models.DateField(_("du"))
    ends_on = models.DateField(_("au"), help_text=_("Jour inclus."))

    class Meta:
        verbose_name = _("fermeture d’un partenaire")
        verbose_name_plural = _("fermetures des partenaires")
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=models.F("starts_on")),
                name="marketplace_closure_in_order",
                violation_error_message=_("La fin ne peut pas être avant le début."),
            )
        ]
        indexes = [models.Index(fields=["partner", "ends_on"], name="marketplace_closure_of")]

    def __str__(self) -> str:
        return f"{self.partner}, {self.starts_on} – {self.ends_on}"
