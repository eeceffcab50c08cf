"""The forms of being called back and of the yearly certificate."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.forms import EurosField, typed
from club.kernel import codes
from club.kernel.people import spoken_phone
from club.models import Landlord, Member, Residence
from club.permissions import RULES, visible
from club.viewsets import ScopedForm
from marketplace.domain.callbacks import sentence_of
from marketplace.domain.certificates import as_kept
from marketplace.enums import CertificateRefusedFor
from marketplace.models import Certificate, InsurancePrice, Partner
from marketplace.queries.certificates import Standing

ACCEPTED = "image/jpeg,image/png,application/pdf"
DAYS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y"]


class CallbackForm(forms.Form):
    """The tick is never set beforehand, and nothing leaves without it."""

    phone = forms.CharField(
        label=_("Votre numéro de téléphone"),
        max_length=30,
        error_messages={"required": _("Écrivez votre numéro de téléphone.")},
        widget=forms.TextInput(
            attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"},
        ),
    )
    agreed = forms.BooleanField(required=False)

    def __init__(self, *args: Any, partner: Partner, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        phone = member.user.phone
        self.fields["phone"].initial = spoken_phone(phone) if phone else ""
        self.fields["agreed"].label = sentence_of(partner)
        # The box is asked for by the verb, in its own words; it is no optional extra.
        self.fields["agreed"].widget.attrs["aria-required"] = "true"


def day_field(label: Any, missing: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=DAYS,
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={
            "required": missing,
            "invalid": _("Écrivez le jour, le mois et l’année, par exemple 31/12/2027."),
        },
    )


class OneOfTwo(forms.FileField):
    """Neither is optional, since one of the two is needed: the form says which is missing."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        return super().clean(data, initial) if data is not None else None


def upload_field(
    label: Any, help_text: Any, sort: type[forms.FileField] = forms.FileField, **attrs: Any
) -> forms.FileField:
    return sort(
        label=label,
        help_text=help_text,
        required=sort is OneOfTwo,
        max_length=200,
        widget=forms.FileInput(attrs=attrs),
        error_messages={
            "empty": _("Ce fichier est vide. Choisissez-en un autre."),
            "invalid": _("Ajoutez une photo ou un fichier."),
            "max_length": _("Le nom de ce fichier est trop long. Raccourcissez-le."),
        },
    )


class CertificateForm(forms.Form):
    """A photo taken now, or a file that is there already: a phone asks them differently."""

    use_required_attribute = False

    photo = upload_field(
        _("Prendre une photo"),
        _("Posez le papier à plat, en pleine lumière."),
        sort=OneOfTwo,
        accept="image/*",
        capture="environment",
    )
    file = upload_field(
        _("Ou choisir un fichier"),
        _("Photo (JPEG, PNG) ou PDF, 10 Mo au plus."),
        sort=OneOfTwo,
        accept=ACCEPTED,
    )
    insurer = forms.CharField(
        label=_("Nom de l’assureur"),
        max_length=120,
        error_messages={
            "required": _("Écrivez le nom de l’assureur."),
            "max_length": _("Écrivez 120 lettres au plus."),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    starts_on = day_field(_("Valable du"), _("Écrivez le premier jour de l’attestation."))
    ends_on = day_field(_("Jusqu’au"), _("Écrivez le dernier jour de l’attestation."))

    def clean_photo(self) -> Any:
        return self.kept("photo")

    def clean_file(self) -> Any:
        return self.kept("file")

    def kept(self, name: str) -> Any:
        upload = self.cleaned_data[name]
        return as_kept(upload) if upload else None

    def clean(self) -> Any:
        data: dict[str, Any] = super().clean() or {}
        photo, file = data.pop("photo", None), data.pop("file", None)
        if photo and file:
            self.add_error("file", _("Envoyez la photo ou le fichier, pas les deux."))
        elif not {"photo", "file"} & set(self.errors):
            data["file"] = photo or file
            if not data["file"]:
                self.add_error("photo", _("Ajoutez une photo ou un fichier."))
        self.say_lost()
        return data

    def say_lost(self) -> None:
        """A browser sends a file once: with another field wrong, it has to be chosen anew."""
        for name in self.files if self.errors else ():
            if name in self.fields and name not in self.errors:
                self.add_error(name, _("Choisissez-le de nouveau : il est à renvoyer."))


# -- For staff ---------------------------------------------------------------------------------


class CentsField(EurosField):
    """Cents in the row, euros in the field."""

    def prepare_value(self, value: Any) -> Any:
        return typed(value) if isinstance(value, int) else value


class PriceForm(forms.ModelForm):
    yearly_cents = CentsField(label=_("Par an, en euros"))

    class Meta:
        model = InsurancePrice
        fields = ["rooms", "yearly_cents"]


class PaperForm(ScopedForm):
    """A certificate that somebody brings: they are named by the card in the hand."""

    card = forms.CharField(label=_("Numéro de carte"), max_length=20)
    file = upload_field(
        _("Photo ou PDF"),
        _("Sans fichier : vous avez lu le papier, il est accepté tout de suite."),
        accept=ACCEPTED,
    )

    class Meta:
        model = Certificate
        fields = ["insurer", "starts_on", "ends_on"]

    def clean_card(self) -> Member:
        code = codes.as_scanned(self.cleaned_data["card"]) or ""
        members = visible(Member.objects.all(), self.for_user, RULES[Certificate], ["add"])
        member: Member | None = (
            members.select_related("household", "user")
            .filter(cards__number=code[1:], cards__revoked_at=None)
            .first()
        )
        if member is None:
            raise ValidationError(gettext("Aucune carte active ne porte ce numéro ici."))
        return member

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        return as_kept(upload) if upload else None


class RefuseCertificateForm(forms.Form):
    refused_for = forms.ChoiceField(label=_("Pourquoi"), choices=CertificateRefusedFor.choices)


class FollowForm(forms.Form):
    """What the list of households is narrowed to, in its address."""

    etat = forms.ChoiceField(
        label=_("État"), required=False, choices=[("", _("Tous")), *Standing.choices]
    )
    residence = forms.ModelChoiceField(
        Residence.objects.none(), label=_("Résidence"), required=False, empty_label=_("Toutes")
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = visible(Residence.objects.all(), user, RULES[Certificate], ["view"])
        self.fields["residence"].queryset = mine  # type: ignore[attr-defined]


class CallForm(forms.Form):
    landlord = forms.ModelChoiceField(
        Landlord.objects.none(), label=_("Bailleur"), empty_label=None
    )
    purpose = forms.CharField(
        label=_("Pourquoi"),
        max_length=200,
        initial=_("l’attestation annuelle prévue par la loi du 6 juillet 1989, article 7 g"),
        help_text=_("Les locataires lisent cette raison, et elle est conservée."),
        error_messages={"required": _("Écrivez pourquoi vous demandez.")},
        widget=forms.Textarea({"rows": 2}),
    )

    def __init__(self, *args: Any, landlords: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["landlord"].queryset = landlords  # type: ignore[attr-defined]
