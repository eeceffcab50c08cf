from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from club.enums import Scope
from club.forms import add_refusal, check_near
from club.kernel.refusal import Refused
from club.models import Member
from concierge.forms import SlotForm
from concierge.models import Plan
from concierge.queries.plans import offered_plans
from events.domain.rules import MOST_AT_ONCE


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Nom de l’accès"),
        help_text=_("Pour le reconnaître, par exemple : mon agenda familial."),
        max_length=60,
        error_messages={
            "required": _("Donnez un nom à cet accès."),
            "max_length": _("Écrivez 60 lettres au plus."),
        },
    )
    scope = forms.ChoiceField(
        label=_("Il permet de"),
        choices=Scope.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choisissez ce que l’accès permet."),
            "invalid_choice": _("Choisissez ce que l’accès permet."),
        },
    )


class PlanForm(forms.Form):
    """The press on a formula: one of those that the member may take."""

    formule = forms.CharField(
        max_length=40, error_messages={"required": _("Choisissez une formule.")}
    )

    def __init__(self, member: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean_formule(self) -> Plan:
        for plan in offered_plans(self.member):
            if plan.slug == self.cleaned_data["formule"]:
                return plan
        raise forms.ValidationError(
            _("Cette formule n’est plus proposée. Choisissez-en une autre."), code="gone"
        )


class SponsorshipForm(forms.Form):
    code = forms.CharField(
        label=_("Le code"),
        help_text=_("Il est sur la lettre de votre bailleur, par exemple : TILLEUL24."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
        error_messages={
            "required": _("Écrivez le code de la lettre."),
            "max_length": _("Ce code est trop long. Vérifiez-le sur la lettre."),
        },
    )


class DateForm(SlotForm):
    """The press on another date: a session, by its public number."""

    slot = forms.CharField(
        max_length=12,
        error_messages={
            key: _("Choisissez une date de la liste.") for key in ("required", "max_length")
        },
    )


class QuantityForm(forms.Form):
    """Another number of places."""

    codes: Sequence[str] = ()
    quantity = forms.IntegerField(
        label=_("Combien de places"),
        min_value=1,
        max_value=MOST_AT_ONCE,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": _("Écrivez un nombre."),
            "invalid": _("Écrivez un nombre."),
            **{
                key: _("On prend de 1 à %(most)s places.") % {"most": MOST_AT_ONCE}
                for key in ("min_value", "max_value")
            },
        },
    )

    def refuse(self, refused: Refused) -> None:
        self.codes = refused.codes
        add_refusal(self, refused)


class ProxyForm(forms.Form):
    """Somebody who collects for the member: two names, and a last day if there is one."""

    first_name = forms.CharField(
        label=_("Prénom"),
        max_length=60,
        error_messages={
            "required": _("Écrivez le prénom de la personne."),
            "max_length": _("Écrivez 60 lettres au plus."),
        },
    )
    last_name = forms.CharField(
        label=_("Nom"),
        max_length=80,
        help_text=_("Comme sur sa pièce d’identité."),
        error_messages={
            "required": _("Écrivez le nom de la personne."),
            "max_length": _("Écrivez 80 lettres au plus."),
        },
    )
    until = forms.DateField(
        label=_("Jusqu’au"),
        required=False,
        help_text=_("Jour inclus. Vide : sans fin."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Choisissez un jour.")},
        validators=[check_near],
    )
