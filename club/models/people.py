"""People: who signs in, who lives together, who is a member, what proves it."""

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.enums import (
    Activity,
    ConsentKind,
    NoteCode,
    RightSource,
    Role,
    TenancyMethod,
    TenancyResult,
)
from club.kernel import codes


def random_username() -> str:
    return "u" + codes.token()[:20]


class User(AbstractUser):
    """Whoever signs in. The username is random: e-mail or phone are what people know.

    Both may be empty (a member without either signs in with the printed letter).
    """

    username = models.CharField(
        _("identifiant"), max_length=150, unique=True, default=random_username
    )
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("téléphone"), max_length=20, blank=True, help_text="E.164")
    phone_verified = models.BooleanField(_("téléphone vérifié"), default=False)

    REQUIRED_FIELDS = ["email"]

    class Meta:
        verbose_name = _("compte")
        verbose_name_plural = _("comptes")
        constraints = [
            models.UniqueConstraint(
                models.functions.Lower("email"),
                condition=~models.Q(email=""),
                name="club_user_email_once",
                violation_error_message=_("Un compte existe déjà avec cet e-mail."),
            ),
            models.UniqueConstraint(
                fields=["phone"],
                condition=~models.Q(phone=""),
                name="club_user_phone_once",
                violation_error_message=_("Un compte existe déjà avec ce téléphone."),
            ),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email or self.username


class Assignment(models.Model):
    """A member of staff's role at one place: permissions hold for that place alone."""

    user = models.ForeignKey(User, models.CASCADE, related_name="assignments")
    place = models.ForeignKey(
        "club.Place", models.CASCADE, verbose_name=_("point d’accueil"), related_name="assignments"
    )
    role = models.CharField(_("rôle"), max_length=12, choices=Role.choices)

    class Meta:
        verbose_name = _("affectation")
        verbose_name_plural = _("affectations")
        constraints = [
            models.UniqueConstraint(fields=["user", "place", "role"], name="club_assignment_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}, {self.place}"


class Household(models.Model):
    """The unit of membership: the people of one home."""

    landlord = models.ForeignKey(
        "club.Landlord", models.PROTECT, verbose_name=_("bailleur"), related_name="households"
    )
    dwelling = models.ForeignKey(
        "club.Dwelling",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name=_("logement"),
        related_name="households",
    )
    size = models.PositiveSmallIntegerField(_("personnes au foyer"), default=1)
    created_at = models.DateTimeField(_("créé le"), auto_now_add=True)

    class Meta:
        verbose_name = _("foyer")
        verbose_name_plural = _("foyers")

    def __str__(self) -> str:
        names = [member.last_name for member in self.members.all()]
        return _("foyer %(names)s") % {"names": ", ".join(dict.fromkeys(names))}


class Member(models.Model):
    """An adult of a household, with the account that is theirs."""

    user = models.OneToOneField(User, models.PROTECT, related_name="member")
    household = models.ForeignKey(
        Household, models.PROTECT, verbose_name=_("foyer"), related_name="members"
    )
    place = models.ForeignKey(
        "club.Place",
        models.PROTECT,
        verbose_name=_("point d’accueil habituel"),
        related_name="members",
    )
    search_name = models.CharField(max_length=200, editable=False, default="")
    feed_token = models.CharField(max_length=64, unique=True, default=codes.token, editable=False)
    claim_digest = models.CharField(max_length=64, blank=True, editable=False, db_index=True)
    claim_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    claimed_at = models.DateTimeField(_("compte repris le"), null=True, blank=True, editable=False)
    joined_at = models.DateTimeField(_("membre depuis"))

    class Meta:
        verbose_name = _("membre")
        verbose_name_plural = _("membres")
        indexes = [models.Index(fields=["place", "search_name"], name="club_member_search")]

    def __str__(self) -> str:
        return self.user.get_full_name()

    @property
    def first_name(self) -> str:
        return self.user.first_name

    @property
    def last_name(self) -> str:
        return self.user.last_name

    @property
    def short_name(self) -> str:
        """ "J. Diallo", as lists at the desk write it."""
        initial = f"{self.first_name[:1]}. " if self.first_name else ""
        return f"{initial}{self.last_name}"


class CodedNote(models.Model):
    """A coded note about how to serve a member; free text is not possible."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="notes")
    code = models.CharField(_("note"), max_length=16, choices=NoteCode.choices)

    class Meta:
        verbose_name = _("note codée")
        verbose_name_plural = _("notes codées")
        constraints = [models.UniqueConstraint(fields=["member", "code"], name="club_note_once")]

    def __str__(self) -> str:
        return str(self.get_code_display())


class Card(models.Model):
    """Proof of membership: six digits with a check digit, and a QR of a secret address."""

    member = models.ForeignKey(
        Member, models.CASCADE, verbose_name=_("membre"), related_name="cards"
    )
    number = models.CharField(_("numéro"), max_length=6, unique=True, default=codes.card_number)
    token = models.CharField(max_length=64, unique=True, default=codes.token, editable=False)
    issued_at = models.DateTimeField(_("remise le"))
    revoked_at = models.DateTimeField(_("annulée le"), null=True, blank=True)

    class Meta:
        verbose_name = _("carte de membre")
        verbose_name_plural = _("cartes de membre")
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=models.Q(revoked_at=None), name="club_card_one_live"
            )
        ]

    def __str__(self) -> str:
        return codes.spoken("M" + self.number)


class Right(models.Model):
    """A dated right of a household or of one of its members: what gates each activity."""

    household = models.ForeignKey(
        Household, models.CASCADE, verbose_name=_("foyer"), related_name="rights"
    )
    member = models.ForeignKey(
        Member,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("membre"),
        related_name="rights",
        help_text=_("Vide : tout le foyer."),
    )
    activity = models.CharField(_("ouvre"), max_length=12, choices=Activity.choices)
    starts_on = models.DateField(_("du"))
    ends_on = models.DateField(_("au"), help_text=_("Jour inclus."))
    source = models.CharField(_("origine"), max_length=8, choices=RightSource.choices)
    origin = models.CharField(
        max_length=60,
        blank=True,
        editable=False,
        help_text="What gives it, where a program does: a paid period, for example.",
    )
    given_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("retiré le"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("droit")
        verbose_name_plural = _("droits")
        indexes = [
            models.Index(fields=["household", "activity", "ends_on"], name="club_right_reading")
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")),
                name="club_right_dates_in_order",
                violation_error_message=_("La fin ne peut pas être avant le début."),
            ),
            models.UniqueConstraint(
                fields=["origin", "activity"],
                condition=~models.Q(origin=""),
                name="club_right_once_an_origin",
            ),
        ]

    def __str__(self) -> str:
        return gettext("%(right)s jusqu’au %(day)s") % {
            "right": self.get_activity_display(),
            "day": date_format(self.ends_on),
        }

    def clean(self) -> None:
        if self.member_id and self.member and self.member.household_id != self.household_id:
            raise ValidationError({"member": _("Cette personne n’est pas de ce foyer.")})


class Consent(models.Model):
    """A tick given or taken back, with the wording that was shown: kept as proof."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="consents")
    kind = models.CharField(_("sujet"), max_length=16, choices=ConsentKind.choices)
    wording = models.CharField(_("version du texte"), max_length=20)
    given_at = models.DateTimeField(_("donné le"))
    withdrawn_at = models.DateTimeField(_("retiré le"), null=True, blank=True)

    class Meta:
        verbose_name = _("consentement")
        verbose_name_plural = _("consentements")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "kind"],
                condition=models.Q(withdrawn_at=None),
                name="club_consent_one_live",
            )
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class TenancyDigest(models.Model):
    """A keyed digest of (lease reference, surname, birth date), as the landlord loads it.

    Nothing about the person can be read from it; a new load replaces the old one.
    """

    landlord = models.ForeignKey("club.Landlord", models.CASCADE, related_name="tenancy_digests")
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("empreinte de bail")
        verbose_name_plural = _("empreintes de bail")
        constraints = [
            models.UniqueConstraint(fields=["landlord", "digest"], name="club_tenancy_digest_once")
        ]

    def __str__(self) -> str:
        return self.digest[:8]


class TenancyCheck(models.Model):
    """What is kept of a proof of tenancy: the answer, its day and its method."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="tenancy_checks")
    result = models.CharField(_("réponse"), max_length=4, choices=TenancyResult.choices)
    method = models.CharField(_("moyen"), max_length=8, choices=TenancyMethod.choices)
    checked_on = models.DateField(_("le"))

    class Meta:
        verbose_name = _("vérification de location")
        verbose_name_plural = _("vérifications de location")

    def __str__(self) -> str:
        return f"{self.get_result_display()}, {self.checked_on}"
