"""Plans and subscriptions: what gives access, over which dates, paid or not."""

from datetime import date, timedelta

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from club.enums import Activity
from concierge.enums import (
    OPEN_SUBSCRIPTIONS,
    SUBSCRIPTION_MOVES,
    Audience,
    PlanKind,
    Renewal,
    SubscriptionStatus,
)


class ActivitiesField(models.JSONField):
    """A list of activities, ticked in forms."""

    def formfield(self, **kwargs: object) -> forms.Field:
        return forms.MultipleChoiceField(
            choices=Activity.choices,
            widget=forms.CheckboxSelectMultiple,
            label=self.verbose_name,
            help_text=self.help_text,
            required=not self.blank,
        )


class Plan(models.Model):
    """One tariff: for whom, how much, for how long, what it opens.

    A price of 0 is a free plan. With sponsored places (`Sponsorship`, `PlanListing`)
    the landlord pays for some. The price is charged once a period; `told_by_month`
    shows it by the month, because 12 € a year is told as 1 € a month.
    """

    landlord = models.ForeignKey(
        "club.Landlord", models.PROTECT, verbose_name=_("bailleur"), related_name="plans"
    )
    kind = models.CharField(
        _("sorte"), max_length=12, choices=PlanKind.choices, default=PlanKind.SUBSCRIPTION
    )
    name = models.CharField(_("nom"), max_length=80)
    slug = models.SlugField(_("nom court"), max_length=40)
    audience = models.CharField(_("pour qui"), max_length=8, choices=Audience.choices)
    price_cents = models.PositiveIntegerField(
        _("prix d’une période, en centimes"), validators=[MaxValueValidator(1_000_00)]
    )
    months = models.PositiveSmallIntegerField(
        _("durée d’une période, en mois"),
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(36)],
    )
    told_by_month = models.BooleanField(_("prix dit par mois"), default=True)
    activities = ActivitiesField(_("ouvre"), default=list)
    for_household = models.BooleanField(
        _("pour tout le foyer"), default=True, help_text=_("Sinon : pour une seule personne.")
    )
    grace_days = models.PositiveSmallIntegerField(
        _("délai de paiement, en jours"),
        default=15,
        validators=[MaxValueValidator(90)],
        help_text=_("Après la fin, le droit dure encore ce temps."),
    )
    is_offered = models.BooleanField(_("proposée"), default=True)
    position = models.PositiveSmallIntegerField(_("ordre"), default=0)

    class Meta:
        verbose_name = _("formule")
        verbose_name_plural = _("formules")
        ordering = ["position", "price_cents", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["landlord", "slug"],
                name="concierge_plan_once",
                violation_error_message=_("Ce nom court est déjà pris."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class PlanListing(models.Model):
    """A member of the named list for whom a plan is meant."""

    plan = models.ForeignKey(Plan, models.CASCADE, related_name="listings")
    member = models.ForeignKey("club.Member", models.CASCADE, related_name="plan_listings")
    listed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("personne de la liste")
        verbose_name_plural = _("personnes de la liste")
        constraints = [
            models.UniqueConstraint(fields=["plan", "member"], name="concierge_listing_once")
        ]

    def __str__(self) -> str:
        return f"{self.plan}: {self.member}"


class Sponsorship(models.Model):
    """Periods that the landlord pays for: a code to hand out, and how many times it works."""

    plan = models.ForeignKey(
        Plan, models.PROTECT, verbose_name=_("formule"), related_name="sponsorships"
    )
    code = models.CharField(_("code"), max_length=20, unique=True)
    quota = models.PositiveIntegerField(_("nombre de foyers"), default=50)
    used = models.PositiveIntegerField(_("déjà utilisé"), default=0, editable=False)
    ends_on = models.DateField(_("valable jusqu’au"))

    class Meta:
        verbose_name = _("prise en charge")
        verbose_name_plural = _("prises en charge")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(used__lte=models.F("quota")),
                name="concierge_sponsorship_quota",
                violation_error_message=_("Le nombre ne peut pas être sous ce qui est utilisé."),
            )
        ]

    def __str__(self) -> str:
        return self.code


class Subscription(models.Model):
    """A household (or one person of it) on a plan; one open at a time of each sort.

    `paid_until` is the last day of the last period that counts; null before the
    first. `next_plan` takes the plan's place at the next period. `provider_id` is
    the subscription at the payment provider, where it renews by itself.
    """

    MOVES = SUBSCRIPTION_MOVES

    household = models.ForeignKey(
        "club.Household", models.PROTECT, verbose_name=_("foyer"), related_name="subscriptions"
    )
    member = models.ForeignKey(
        "club.Member",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("personne"),
        related_name="subscriptions",
        help_text=_("Vide : tout le foyer."),
    )
    place = models.ForeignKey("club.Place", models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(
        Plan, models.PROTECT, verbose_name=_("formule"), related_name="subscriptions"
    )
    next_plan = models.ForeignKey(
        Plan, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("ensuite")
    )
    kind = models.CharField(max_length=12, choices=PlanKind.choices)
    status = models.CharField(
        _("état"),
        max_length=9,
        choices=SubscriptionStatus.choices,
        default=SubscriptionStatus.PENDING,
    )
    renewal = models.CharField(
        _("renouvellement"), max_length=8, choices=Renewal.choices, default=Renewal.BY_HAND
    )
    anchor_on = models.DateField(_("depuis"), null=True)
    paid_until = models.DateField(_("payé jusqu’au"), null=True)
    stops_at_end = models.BooleanField(_("s’arrête à la fin de la période"), default=False)
    provider_id = models.CharField(  # noqa: DJ001 - null until the provider has named it
        max_length=80, null=True, unique=True, editable=False
    )
    payment_failed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    active_at = models.DateTimeField(null=True)
    late_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("abonnement")
        verbose_name_plural = _("abonnements")
        constraints = [
            models.UniqueConstraint(
                fields=["household", "kind"],
                condition=models.Q(status__in=OPEN_SUBSCRIPTIONS, member=None),
                name="concierge_subscription_one_open",
            ),
            models.UniqueConstraint(
                fields=["member", "kind"],
                condition=models.Q(status__in=OPEN_SUBSCRIPTIONS, member__isnull=False),
                name="concierge_subscription_one_open_each",
            ),
        ]
        indexes = [
            models.Index(
                fields=["paid_until"],
                condition=models.Q(status__in=["active", "late"]),
                name="concierge_subscription_ending",
            ),
            models.Index(fields=["place", "status"], name="concierge_subscription_here"),
        ]

    def __str__(self) -> str:
        return f"{self.plan}, {self.household}"

    @property
    def grace_ends_on(self) -> date | None:
        if self.paid_until is None:
            return None
        return self.paid_until + timedelta(days=self.plan.grace_days)


class SubscriptionPeriod(models.Model):
    """A stretch of days that was paid, given or sponsored; its rights carry its name.

    `source` is what gave it, once: "receipt:12", "stripe:in_…", "sponsorship:3:7".
    """

    subscription = models.ForeignKey(Subscription, models.PROTECT, related_name="periods")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+")
    starts_on = models.DateField(_("du"))
    ends_on = models.DateField(_("au"))
    cents = models.PositiveIntegerField(_("prix"))
    source = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(_("annulée le"), null=True)

    class Meta:
        verbose_name = _("période")
        verbose_name_plural = _("périodes")
        ordering = ["starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="concierge_period_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.starts_on} – {self.ends_on}"

    @property
    def origin(self) -> str:
        """The name that its rights carry."""
        return f"period:{self.pk}"
