"""The forms of a stay: its days, what is done there, how often. The same for the resident,
the desk and a change of days."""

from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from club.forms import RefusableForm
from club.kernel.inputs import FIRST_YEAR, LAST_YEAR
from concierge.enums import StayTask
from concierge.models import Service

DAYS = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %m %Y"]


class DayField(forms.DateField):
    """A day as a picker gives it or as it is typed; none that a calendar cannot hold."""

    def __init__(self, *, wrong: Any, **kwargs: Any) -> None:
        super().__init__(
            input_formats=DAYS,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            error_messages=dict.fromkeys(("required", "invalid"), wrong),
            **kwargs,
        )

    def to_python(self, value: Any) -> Any:
        day = super().to_python(value)
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class StayDaysForm(RefusableForm):
    """Other days for a stay. `slot` is what the pages of a booking hand on."""

    first_on = DayField(label=_("Premier jour"), wrong=_("Choisissez le premier jour."))
    last_on = DayField(
        label=_("Dernier jour"),
        wrong=_("Choisissez le dernier jour."),
        help_text=_("Ce jour compte aussi."),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if {"first_on", "last_on"} <= data.keys():
            data["slot"] = (data["first_on"], data["last_on"])
        return data


class StayForm(StayDaysForm):
    """Days, what is to be done, how often. `key` is the page's own: pressed twice, made once."""

    tasks = forms.MultipleChoiceField(
        label=_("Que faisons-nous chez vous ?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice", "invalid_list"),
            _("Cochez ce que nous faisons chez vous."),
        ),
    )
    visit_every = forms.TypedChoiceField(
        label=_("Combien de fois passons-nous ?"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), _("Choisissez un rythme de la liste.")
        ),
    )
    key = forms.CharField(
        min_length=20,
        max_length=43,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ("required", "min_length", "max_length"),
            _("Cette page a vieilli. Réservez à nouveau."),
        ),
    )

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(StayTask.choices)
        self.fields["tasks"].choices = [  # type: ignore[attr-defined]
            (task, capfirst(str(labels[task]))) for task in service.tasks if task in labels
        ]
        rhythms = [(days, rhythm_label(days)) for days in range(service.visit_every, 0, -1)]
        self.fields["visit_every"].choices = rhythms  # type: ignore[attr-defined]
        self.fields["visit_every"].initial = service.visit_every
        if service.visit_every == 1:
            self.fields["visit_every"].widget = forms.HiddenInput()

    @property
    def shown(self) -> list[Any]:
        return [field for field in self.visible_fields() if field.name != "key"]


def rhythm_label(days: int) -> str:
    if days == 1:
        return gettext("Tous les jours où l’accueil est ouvert")
    if days == 7:
        return gettext("Une fois par semaine")
    return gettext("Tous les %(days)d jours") % {"days": days}
