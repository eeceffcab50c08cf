"""An offer on one screen: each kind's own fields, and those of all kinds."""

from datetime import date
from typing import Any

from django import forms
from django.core import signing
from django.core.validators import EMPTY_VALUES
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from club.forms import EurosField, typed
from club.viewsets import ScopedForm
from marketplace.enums import LimitPer, OfferKind
from marketplace.models import Partner
from marketplace.models.offers import NEEDED
from marketplace.queries.offers import TERMS, Terms
from marketplace.queries.trades import SHOP_OF

MONEY = ("amount_cents", "price_cents", "usual_price_cents")
OF_KIND = tuple(name for names in NEEDED.values() for name in names)
LEGENDS: dict[str, Promise | str] = {
    OfferKind.PERCENT: _("Pour une remise en pourcentage"),
    OfferKind.AMOUNT: _("Pour une remise en euros"),
    OfferKind.PRICE: _("Pour un prix réservé aux membres"),
    OfferKind.GIFT: _("Pour un cadeau"),
}


class OfOneKind:
    """Needed for one kind alone: the verb asks for it, so it is not "facultatif" either."""

    def validate(self, value: Any) -> None:
        if value not in EMPTY_VALUES:
            super().validate(value)  # type: ignore[misc]


class KindEuros(OfOneKind, EurosField):
    pass


class KindNumber(OfOneKind, forms.IntegerField):
    pass


class KindText(OfOneKind, forms.CharField):
    pass


def day_field(**kwargs: Any) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    errors = {
        "invalid": _("Écrivez le jour, le mois et l’année, par exemple 31/12/2027."),
        "required": _("Choisissez le premier jour."),
    }
    return forms.DateField(
        widget=widget, error_messages=errors, input_formats=["%Y-%m-%d", "%d/%m/%Y"], **kwargs
    )


class OfferForm(forms.Form):
    """A photo that was sent stays while the rest is corrected: `kept` is its signed number."""

    use_required_attribute = False

    title = forms.CharField(
        label=_("Sur quoi"),
        max_length=60,
        help_text=_("Par exemple : pain de campagne, tout le magasin."),
        error_messages={"required": _("Écrivez sur quoi porte l’avantage.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label=_("Avantage"),
        choices=[(value, capfirst(label)) for value, label in OfferKind.choices],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choisissez ce que donne la carte.")},
    )
    percent = KindNumber(
        label=_("Remise, en %"),
        help_text=_("De 1 à 90."),
        error_messages={"invalid": _("Écrivez un nombre de 1 à 90.")},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    amount_cents = KindEuros(label=_("Remise, en euros"), help_text=_("Par exemple 2 ou 1,50."))
    price_cents = KindEuros(label=_("Prix membre, en euros"), help_text=_("Par exemple 1,10."))
    usual_price_cents = KindEuros(label=_("Prix habituel, en euros"))
    gift = KindText(label=_("Cadeau"), max_length=80, help_text=_("Par exemple : un croissant."))
    conditions = forms.CharField(
        label=_("Conditions"),
        max_length=200,
        required=False,
        help_text=_("Une phrase courte, par exemple : sauf le dimanche."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    starts_on = day_field(label=_("À partir du"))
    ends_on = day_field(
        label=_("Jusqu’au"), required=False, help_text=_("Jour inclus. Vide : sans fin.")
    )
    limit_count = forms.IntegerField(
        label=_("Fois par personne"),
        required=False,
        min_value=1,
        max_value=99,
        help_text=_("Vide : sans limite."),
        error_messages={
            key: _("Écrivez un nombre de 1 à 99.") for key in ("invalid", "min_value", "max_value")
        },
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    limit_per = forms.ChoiceField(
        label=_("Sur quel temps"),
        required=False,
        choices=[
            ("", _("Sans limite")),
            *((value, capfirst(label)) for value, label in LimitPer.choices),
        ],
    )
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("JPEG, PNG ou WebP. Sans photo, un dessin la remplace."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    no_photo = forms.BooleanField(label=_("Enlever la photo"), required=False)
    kept = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.partner = partner

    def clean(self) -> dict[str, Any]:
        """What other kinds would give is left out, faults and all."""
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("kind")
        for name in OF_KIND:
            if kind and name not in NEEDED[kind]:
                self.errors.pop(name, None)
                data[name] = "" if name == "gift" else None
        return data

    def kinds(self) -> list[tuple[str, Promise | str, list[forms.BoundField]]]:
        return [(kind, LEGENDS[kind], [self[name] for name in NEEDED[kind]]) for kind in NEEDED]

    def terms(self, picture_id: int | None) -> Terms:
        return {name: self.cleaned_data.get(name) for name in TERMS} | {"picture_id": picture_id}

    # -- The photo ---------------------------------------------------------------------------

    def signer(self) -> signing.Signer:
        return signing.Signer(salt=f"offer-photo:{self.partner.pk}")

    def kept_photo(self) -> int | None:
        """The photo that the offer has, or that was sent before; none where it goes."""
        if self.cleaned_data["no_photo"]:
            return None
        try:
            return int(self.signer().unsign(self.cleaned_data.get("kept", "")))
        except (signing.BadSignature, ValueError):
            return None

    def keep(self, picture_id: int | None) -> None:
        """What the page carries on, when it is shown again."""
        data: Any = self.data
        data = data.copy()
        data["kept"] = self.signer().sign(str(picture_id)) if picture_id else ""
        data.pop("no_photo", None)
        self.data = data


def filled(terms: Terms, partner: Partner) -> OfferForm:
    """The form with what the offer says; amounts as people write them."""
    form = OfferForm(partner=partner)
    initial = dict(terms)
    for name in MONEY:
        initial[name] = "" if terms.get(name) is None else typed(terms[name])
    picture_id = initial.pop("picture_id", None)
    if picture_id:
        initial["kept"] = form.signer().sign(str(picture_id))
    form.initial = initial
    return form


def empty(partner: Partner, today: date) -> OfferForm:
    return filled({"starts_on": today}, partner)


class WantedForm(forms.Form):
    """The filters of the offers' list. What cannot be read is left out."""

    commerce = forms.SlugField(required=False)
    lieu = forms.SlugField(required=False)
    page = forms.IntegerField(required=False, min_value=1, max_value=500)

    def shop(self) -> str:
        return SHOP_OF.get(self.said("commerce"), "")

    def said(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)


class AnswerForm(forms.Form):
    """An officer's answer to the very words that they read."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    why = forms.CharField(
        label=_("Pourquoi"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Le partenaire lit cette phrase."),
    )


class OfferAdminForm(ScopedForm):
    """Amounts in euros; an offer stays with its partner."""

    amount_cents = EurosField(label=_("Remise, en euros"), required=False)
    price_cents = EurosField(label=_("Prix membre, en euros"), required=False)
    usual_price_cents = EurosField(label=_("Prix habituel, en euros"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in MONEY:
            if self.initial.get(name) is not None:
                self.initial[name] = typed(self.initial[name])
        if self.instance.pk:
            self.fields["partner"].disabled = True
