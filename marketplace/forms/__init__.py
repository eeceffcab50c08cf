"""What a resident asks of the directory, in its address."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from club.forms import EurosField
from club.models import Place
from marketplace.cards import MOST_LETTERS, card_read
from marketplace.enums import HappenedAtTill, PartnerKind, Shop, Spoken, Trade
from marketplace.queries.directory import Wanted
from marketplace.queries.trades import SHOP_OF, TRADE_OF

SHOPPING = frozenset({PartnerKind.MERCHANT, PartnerKind.PRODUCER})
LANGUAGES = [(code, name) for code, name in Spoken.choices if code != Spoken.FRENCH]
"""French goes without saying."""
DAYS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y"]
"""How people write a day."""


class ListForm(forms.Form):
    """The filters of a list. What cannot be read is left out."""

    metier = forms.SlugField(required=False)
    commerce = forms.SlugField(required=False)
    lieu = forms.SlugField(required=False)
    ouvert = forms.BooleanField(required=False)
    plain_pied = forms.BooleanField(required=False)
    langue = forms.ChoiceField(required=False, choices=LANGUAGES)
    q = forms.CharField(required=False, max_length=80)
    page = forms.IntegerField(required=False, min_value=1, max_value=500)

    def wanted(self, kind: str, places: list[Place], now: datetime) -> Wanted:
        """A trade asks for artisans and a sort of shop for shops, whatever else is said."""
        self.is_valid()
        said = self.cleaned_data
        slug = said.get("lieu", "")
        return Wanted(
            kind=kind,
            trade=TRADE_OF.get(said.get("metier", ""), "") if kind == PartnerKind.ARTISAN else "",
            shop=SHOP_OF.get(said.get("commerce", ""), "") if kind in SHOPPING else "",
            place=next((place for place in places if place.slug == slug), None),
            open_at=now if said.get("ouvert") else None,
            step_free=said.get("plain_pied", False),
            language=said.get("langue", ""),
            text=said.get("q", ""),
        )

    def number(self) -> int:
        return self.cleaned_data.get("page") or 1


# -- Wishes and refusals ---------------------------------------------------------------------


def sorts() -> list[Any]:
    """What somebody sells or does: one list of two groups."""
    return [
        ("", _("Choisissez")),
        (_("Un commerce"), [(f"shop:{value}", capfirst(label)) for value, label in Shop.choices]),
        (_("Un artisan"), [(f"trade:{value}", capfirst(label)) for value, label in Trade.choices]),
    ]


class SuggestForm(forms.Form):
    name = forms.CharField(
        label=_("Son nom"),
        max_length=80,
        help_text=_("Celui de l’enseigne, par exemple : Boulangerie du Marché"),
        error_messages={"required": _("Écrivez le nom du commerce ou de l’artisan.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    sort = forms.ChoiceField(
        label=_("Ce qu’il fait"),
        choices=sorts,
        error_messages={
            "required": _("Choisissez ce qu’il fait."),
            "invalid_choice": _("Choisissez ce qu’il fait."),
        },
    )
    street = forms.CharField(
        label=_("Sa rue ou son quartier"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    other = forms.BooleanField(required=False, widget=forms.HiddenInput)

    @property
    def said(self) -> dict[str, str]:
        """What the verb is told."""
        what, _colon, value = self.cleaned_data["sort"].partition(":")
        return {
            "name": self.cleaned_data["name"],
            "street": self.cleaned_data["street"],
            "shop": value if what == "shop" else "",
            "trade": value if what == "trade" else "",
        }


# -- The till --------------------------------------------------------------------------------


class ShownCardForm(forms.Form):
    """The digits, or what a QR holds; `read` is what to look the card up by."""

    carte = forms.CharField(
        label=_("Les six chiffres de la carte"),
        max_length=MOST_LETTERS,
        error_messages={"required": _("Écrivez les six chiffres de la carte.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "inputmode": "numeric", "data-camera-into": True}
        ),
    )
    read: dict[str, str]

    def clean_carte(self) -> str:
        typed = str(self.cleaned_data["carte"])
        read = card_read(typed)
        if read is None:
            raise ValidationError(_("Ces chiffres ne vont pas ensemble. Relisez la carte."))
        self.read = read
        return typed


class UseForm(ShownCardForm):
    """Which offer a card is used for; `key` is the page's own, so that it counts once."""

    montant = EurosField(
        label=_("Montant de l’achat"),
        help_text=_("En euros. La personne voit ainsi ce que sa carte lui fait gagner."),
        required=False,
    )
    key = forms.CharField(max_length=43, widget=forms.HiddenInput)
    offre = forms.SlugField(
        max_length=12,
        error_messages={"required": _("Choisissez l’avantage.")},
        widget=forms.HiddenInput,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["auto_id"] = "compter_%s"
        super().__init__(*args, **kwargs)
        self.fields["carte"].widget = forms.HiddenInput()


class RefusalForm(forms.Form):
    happened = forms.ChoiceField(
        label=_("Ce qui s’est passé"),
        choices=[(value, capfirst(label)) for value, label in HappenedAtTill.choices],
        widget=forms.RadioSelect,
        error_messages={"required": _("Dites ce qui s’est passé.")},
    )
    on = forms.DateField(
        label=_("Quel jour"),
        help_text=_("Par exemple 31/12/2026"),
        input_formats=DAYS,
        error_messages={
            "required": _("Écrivez le jour."),
            "invalid": _("Écrivez le jour, le mois et l’année, par exemple 31/12/2026."),
        },
        widget=forms.DateInput(format="%d/%m/%Y", attrs={"autocomplete": "off"}),
    )
