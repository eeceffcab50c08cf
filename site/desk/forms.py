"""The desk's forms of people: a new member, a right, a loan that was forgotten."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from club.enums import RightSource
from club.kernel import codes
from club.kernel.people import e164
from club.models import Household, Member, Place
from club.queries.members import search_members
from concierge.models import Copy
from desk.screen import members_at

RIGHT_DAYS = 365
GIVEN = (RightSource.GIFT, RightSource.SPONSOR)
"""What is given by hand; what is paid comes with its money."""


def one_member(place: Place, text: str) -> Member:
    """The member of this place who has that card or that name; else why not."""
    found = search_members(place, text)
    if not found:
        raise ValidationError(_("Personne ne porte ce nom ou ce numéro ici."))
    if len(found) > 1:
        raise ValidationError(_("Plusieurs personnes portent ce nom. Scannez la carte."))
    return found[0]


class NewMemberForm(forms.Form):
    """Four fields; the fifth appears with the warning of a likely duplicate."""

    first_name = forms.CharField(
        label=_("Prénom"),
        max_length=150,
        error_messages={"required": _("Écrivez le prénom.")},
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    last_name = forms.CharField(
        label=_("Nom"), max_length=150, error_messages={"required": _("Écrivez le nom.")}
    )
    contact = forms.CharField(
        label=_("Téléphone ou e-mail"),
        max_length=254,
        required=False,
        help_text=_("Sans l’un ni l’autre, la lettre imprimée suffit."),
    )
    household = forms.CharField(
        label=_("Même foyer que"),
        max_length=150,
        required=False,
        help_text=_("Scannez la carte ou tapez le nom. Vide : nouveau foyer."),
    )
    is_other = forms.BooleanField(
        label=_("C’est une autre personne"), required=False, widget=forms.HiddenInput
    )

    def __init__(self, *args: Any, place: Place, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

    def clean_contact(self) -> str:
        contact: str = self.cleaned_data["contact"].strip()
        if "@" in contact:
            return str(forms.EmailField().clean(contact))
        if contact and e164(contact) is None:
            raise ValidationError(
                _("Ce n’est ni un téléphone ni un e-mail. Exemple : 06 12 34 56 78.")
            )
        return contact

    def clean_household(self) -> Household | None:
        text = self.cleaned_data["household"].strip()
        return one_member(self.place, text).household if text else None

    @property
    def email(self) -> str:
        contact: str = self.cleaned_data["contact"]
        return contact if "@" in contact else ""

    @property
    def phone(self) -> str:
        contact: str = self.cleaned_data["contact"]
        return "" if "@" in contact else contact


class RightForm(forms.Form):
    """Lending until a day, a year by default, for the whole household."""

    ends_on = forms.DateField(
        label=_("Jusqu’au"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Choisissez le dernier jour.")},
    )
    source = forms.ChoiceField(
        label=_("Origine"),
        choices=[(source.value, capfirst(source.label)) for source in GIVEN],
        initial=RightSource.GIFT,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choisissez l’origine.")},
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["ends_on"].initial = today + timedelta(days=RIGHT_DAYS)

    def clean_ends_on(self) -> date:
        ends_on: date = self.cleaned_data["ends_on"]
        if not self.today <= ends_on <= self.today + timedelta(days=3 * RIGHT_DAYS):
            raise ValidationError(_("Choisissez un jour d’ici à trois ans."))
        return ends_on


class ForgottenLoanForm(forms.Form):
    """A loan of the last days that was not recorded when it left."""

    who = forms.CharField(
        label=_("Qui"),
        max_length=150,
        help_text=_("Scannez la carte ou tapez le nom."),
        error_messages={"required": _("Scannez la carte ou tapez le nom.")},
    )
    what = forms.CharField(
        label=_("Quel objet"),
        max_length=40,
        help_text=_("Le numéro de l’étiquette."),
        error_messages={"required": _("Scannez l’étiquette.")},
    )
    on = forms.DateField(
        label=_("Parti le"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Choisissez le jour.")},
    )

    def __init__(self, *args: Any, place: Place, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place
        self.fields["on"].initial = today - timedelta(days=1)
        first = "what" if self.initial.get("who") else "who"
        self.fields[first].widget.attrs["autofocus"] = True

    def clean_who(self) -> Member:
        found = one_member(self.place, self.cleaned_data["who"])
        return members_at(self.place).get(pk=found.pk)

    def clean_what(self) -> Copy:
        code = codes.as_scanned(self.cleaned_data["what"])
        copy = Copy.objects.filter(label=code, place=self.place).first() if code else None
        if copy is None:
            raise ValidationError(_("Aucun objet d’ici ne porte ce numéro."))
        return copy
