"""A paper that a partner sends from its phone."""

from typing import Any

from django import forms
from django.core.files import File
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from marketplace.domain.certificates import as_kept
from marketplace.enums import DocumentKind, PartnerKind, Trade
from marketplace.models import Partner
from marketplace.queries.shown import NAMES_TRADES

ACCEPTED = "image/jpeg,image/png,application/pdf"
DAYS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y"]


class DayField(forms.DateField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            input_formats=DAYS,
            widget=forms.DateInput(format="%d/%m/%Y", attrs={"autocomplete": "off"}),
            error_messages={
                "required": _("Écrivez la date qui est sur le papier."),
                "invalid": _("Écrivez le jour, le mois et l’année, par exemple 31/12/2027."),
            },
            **kwargs,
        )


class SendPaperForm(forms.Form):
    """Asks for the papers that are asked of this partner; of any sort where none is."""

    kind = forms.ChoiceField(
        label=_("Quel papier"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choisissez le papier.")},
    )
    issuer = forms.CharField(
        label=_("Assureur ou organisme"),
        max_length=120,
        error_messages={"required": _("Écrivez qui a fait ce papier.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    number = forms.CharField(
        label=_("Numéro de contrat"),
        max_length=60,
        required=False,
        error_messages={"required": _("Écrivez le numéro du contrat.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    starts_on = DayField(label=_("Valable du"))
    ends_on = DayField(label=_("Jusqu’au"), help_text=_("Par exemple 31/12/2027"))
    trades = forms.MultipleChoiceField(
        label=_("Métiers écrits sur l’assurance"),
        required=False,
        error_messages={"required": _("Cochez les métiers que cette assurance nomme.")},
        widget=forms.CheckboxSelectMultiple,
    )
    file = forms.FileField(
        label=_("Photo ou PDF du papier"),
        help_text=_("10 Mo au plus. Une photo bien droite suffit."),
        max_length=200,
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        error_messages={
            "required": _("Ajoutez une photo ou un PDF du papier."),
            "empty": _("Ce fichier est vide. Choisissez-en un autre."),
            "invalid": _("Ajoutez une photo ou un PDF du papier."),
            "max_length": _("Le nom de ce fichier est trop long. Raccourcissez-le."),
        },
    )

    def __init__(self, *args: Any, partner: Partner, kinds: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wanted = kinds or list(DocumentKind.values)
        choices = [(kind, capfirst(DocumentKind(kind).label)) for kind in wanted]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.initial["kind"] = choices[0][0]
        trades = [row.trade for row in partner.trades.all()]
        if partner.kind != PartnerKind.ARTISAN or not trades:
            del self.fields["trades"]
        else:
            named = [(trade, capfirst(Trade(trade).label)) for trade in trades]
            self.fields["trades"].choices = named  # type: ignore[attr-defined]
            self.fields["trades"].required = set(wanted) <= NAMES_TRADES
        self.fields["number"].required = wanted == [DocumentKind.DECENNIAL]

    def clean_file(self) -> File:
        return as_kept(self.cleaned_data["file"])
