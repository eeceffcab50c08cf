"""The forms of people: signing in, claiming a letter, proving a tenancy."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from allauth.account.adapter import get_adapter
from allauth.account.forms import ConfirmLoginCodeForm
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from club import sms
from club.kernel import codes
from club.kernel.inputs import near
from club.kernel.people import e164, takes_sms
from club.kernel.refusal import Refused
from club.models import User
from club.queries.team import is_team

AMOUNT = re.compile(r"(\d{1,7})(?:[.,](\d{1,2}))?\Z", re.ASCII)
SPACES = str.maketrans("", "", " \u00a0\u202f€")


def add_refusal(
    form: forms.BaseForm,
    refusal: Refused,
    default: str | None = None,
    fields: dict[str, str] | None = None,
) -> None:
    """Put each reason beside the field that it names, if the form has it.

    `fields` tells what the form calls a field that the verb names otherwise.
    """
    for reason in refusal.reasons:
        name = (fields or {}).get(reason.field or "", reason.field)
        form.add_error(name if name in form.fields else default, str(reason.text))


def cents_of(text: str) -> int | None:
    """ "12,50", "12.5" or " 12 €" as whole cents; None for what is no amount."""
    found = AMOUNT.match(text.translate(SPACES))
    if found is None:
        return None
    euros, rest = found.groups()
    return int(euros) * 100 + int((rest or "").ljust(2, "0"))


def typed(cents: int) -> str:
    """An amount as the field shows it: "12,50"."""
    euros, rest = divmod(cents, 100)
    return f"{euros},{rest:02d}" if rest else str(euros)


class EurosField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal"}))
        kwargs["widget"].attrs.setdefault("autocomplete", "off")
        super().__init__(max_length=20, **kwargs)

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if text in self.empty_values:
            return None
        cents = cents_of(text)
        if cents is None:
            raise ValidationError(_("Écrivez un montant en euros, par exemple 12,50."))
        return cents


@dataclass(frozen=True)
class Address:
    """An e-mail or a phone; the other is empty."""

    email: str = ""
    phone: str = ""

    def as_words(self) -> dict[str, str]:
        return {"email": self.email, "phone": self.phone}


class AddressField(forms.CharField):
    """One field for an e-mail or a phone, typed in any way."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("E-mail ou téléphone"))
        kwargs.setdefault("help_text", _("Par exemple : 06 12 34 56 78"))
        kwargs.setdefault("error_messages", {"required": _("Écrivez un e-mail ou un téléphone.")})
        widget = forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        )
        super().__init__(max_length=254, widget=widget, **kwargs)

    def clean(self, value: Any) -> Address:
        text = super().clean(value).strip()
        if "@" in text:
            try:
                validate_email(text)
            except ValidationError:
                raise ValidationError(
                    _("Cet e-mail n’est pas complet. Exemple : nom@exemple.fr.")
                ) from None
            return Address(email=text.lower())
        phone = e164(text)
        if phone is None:
            raise ValidationError(_("Écrivez un e-mail, ou un téléphone à dix chiffres."))
        if not takes_sms(phone):
            raise ValidationError(
                _("Un téléphone fixe ne reçoit pas de code. Donnez un portable ou un e-mail.")
            )
        if not sms.is_available():
            raise ValidationError(_("Ce site n’envoie pas de SMS. Donnez un e-mail."))
        return Address(phone=phone)


class LoginForm(forms.Form):
    contact = AddressField()


class ContactForm(forms.Form):
    contact = AddressField(label=_("Nouvel e-mail ou téléphone"))


class NameForm(forms.Form):
    first_name = forms.CharField(
        label=_("Votre prénom"),
        max_length=150,
        error_messages={"required": _("Écrivez votre prénom.")},
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    last_name = forms.CharField(
        label=_("Votre nom"),
        max_length=150,
        error_messages={"required": _("Écrivez votre nom.")},
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )


class SignupForm(NameForm):
    contact = AddressField()


class CodeForm(ConfirmLoginCodeForm):
    code = forms.CharField(
        label=_("Votre code"),
        max_length=20,
        help_text=_("Six chiffres"),
        error_messages={"required": _("Écrivez le code reçu.")},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class StaffLoginForm(forms.Form):
    """E-mail and password; the second factor follows on its own page."""

    email = forms.EmailField(
        label=_("E-mail"),
        error_messages={"required": _("Écrivez votre e-mail.")},
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Mot de passe"),
        strip=False,
        max_length=200,
        error_messages={"required": _("Écrivez votre mot de passe.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    user: User

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        self.request = request
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if self.errors:
            return data
        adapter = get_adapter(self.request)
        user = adapter.authenticate(
            self.request, email=data["email"].lower(), password=data["password"]
        )
        if user is None or not user.is_active or not is_team(user):
            raise adapter.validation_error("email_password_mismatch")
        self.user = user
        return data


class AppCode(forms.CharField):
    """The code of the app, or one of the emergency codes."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Code de l’application"),
            max_length=20,
            error_messages={"required": _("Écrivez le code de l’application.")},
            widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        )


class AppCodeForm(AuthenticateForm):
    code = AppCode()


class AppCodeAgainForm(ReauthenticateForm):
    code = AppCode()


class SetUpAppForm(ActivateTOTPForm):
    code = AppCode()


class SetUpKeyForm(AddWebAuthnForm):
    name = forms.CharField(
        label=_("Nom de cette clé"),
        max_length=60,
        required=False,
        help_text=_("Pour la reconnaître, par exemple : clé bleue"),
    )


class ClaimForm(forms.Form):
    code = forms.CharField(
        label=_("Code de la lettre"),
        max_length=20,
        help_text=_("Huit lettres et chiffres, par exemple BCDF‑2345"),
        error_messages={"required": _("Écrivez le code de la lettre.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    last_name = forms.CharField(
        label=_("Votre nom de famille"),
        max_length=150,
        error_messages={"required": _("Écrivez votre nom de famille.")},
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )


class TenancyForm(forms.Form):
    lease = forms.CharField(
        label=_("Référence du bail"),
        max_length=60,
        help_text=_("Elle est en haut de votre avis d’échéance."),
        error_messages={"required": _("Écrivez la référence du bail.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    surname = forms.CharField(
        label=_("Nom sur le bail"),
        max_length=150,
        error_messages={"required": _("Écrivez le nom qui est sur le bail.")},
        widget=forms.TextInput(attrs={"autocomplete": "family-name"}),
    )
    birth_date = forms.DateField(
        label=_("Date de naissance"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y", "%d%m%Y"],
        error_messages={
            "required": _("Écrivez la date de naissance."),
            "invalid": _("Écrivez le jour, le mois et l’année, par exemple 31/12/1980."),
        },
        help_text=_("Celle de la personne qui a signé le bail, par exemple 31/12/1980."),
        widget=forms.DateInput(format="%d/%m/%Y", attrs={"autocomplete": "bday"}),
    )


class CardNumberForm(forms.Form):
    number = forms.CharField(
        label=_("Les six chiffres de la carte"),
        max_length=20,
        error_messages={"required": _("Écrivez les six chiffres de la carte.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def clean_number(self) -> str:
        """A slip of the finger is told here: the check digit gives it away."""
        scanned = codes.as_scanned(self.cleaned_data["number"])
        if scanned is None or not scanned.startswith("M"):
            raise ValidationError(_("Ces chiffres ne vont pas ensemble. Relisez la carte."))
        return scanned[1:]


class InvitationForm(forms.Form):
    code = forms.CharField(
        label=_("Code d’invitation"),
        max_length=300,
        help_text=_("Six chiffres et huit lettres, par exemple 482174-BCDF-2345"),
        error_messages={"required": _("Écrivez le code d’invitation.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def clean_code(self) -> str:
        """Typed, or the address that a QR holds: its last part."""
        return str(self.cleaned_data["code"]).strip().rstrip("/").rpartition("/")[2][:40]


class ErasureForm(forms.Form):
    """A word to type, so that no slip of the finger erases anybody."""

    word = forms.CharField(
        label=_("Pour confirmer, écrivez le mot EFFACER"),
        max_length=20,
        error_messages={"required": _("Écrivez le mot EFFACER.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )

    def clean_word(self) -> str:
        word: str = self.cleaned_data["word"].strip().upper()
        if word not in {"EFFACER", _("EFFACER")}:
            raise ValidationError(_("Écrivez le mot EFFACER, en entier."))
        return word


def check_near(day: date) -> None:
    """Of a last day that may be left out: a far-off one is a slip, and reads like one."""
    if not near(day):
        raise ValidationError(_("Choisissez un jour plus proche, ou aucun."))


class RefusableForm(forms.Form):
    """A form that also says what a verb refused; `FIELDS` names fields that it calls otherwise."""

    codes: Sequence[str] = ()
    FIELDS: ClassVar[dict[str, str]] = {}

    def refuse(self, refused: Refused) -> None:
        """Say a verb's reasons where the form says its own."""
        self.codes = refused.codes
        add_refusal(self, refused, fields=self.FIELDS)
