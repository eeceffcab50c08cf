"""What a partner types about its own page: the week's hours, a phone, days off, a colleague."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from club.enums import Weekday
from marketplace.domain.atonce import MOST_LEFT, Open, day_field

SPANS = 2
TIME_FORMATS = ["%H:%M", "%H:%M:%S", "%Hh%M", "%Hh", "%H"]
"""What a phone sends, and what somebody types where there is no clock to turn."""


class LeftForm(forms.Form):
    left = forms.IntegerField(
        label=_("Il en reste"),
        min_value=0,
        max_value=MOST_LEFT,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={
            "required": _("Écrivez un nombre."),
            "invalid": _("Écrivez un nombre."),
            **{
                key: _("Écrivez un nombre de 0 à %(most)s.") % {"most": MOST_LEFT}
                for key in ("min_value", "max_value")
            },
        },
    )


# -- The week --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """What was said of one day; "as the day before" goes before hours that were typed."""

    spans: tuple[tuple[time, time], ...]
    as_before: bool


class DayWidget(forms.MultiWidget):
    """From and to, twice, and a tick that copies the day before."""

    template_name = "marketplace/pro/day.html"

    def __init__(self, has_before: bool) -> None:
        said = [_("Ouvre à"), _("Ferme à"), _("Ouvre de nouveau à"), _("Ferme de nouveau à")]
        times: list[forms.Widget] = [
            forms.TimeInput({"type": "time", "aria-label": label}, format="%H:%M") for label in said
        ]
        super().__init__([*times, forms.CheckboxInput()] if has_before else times)

    def decompress(self, value: Day | None) -> list[Any]:
        typed: list[Any] = [moment for span in value.spans for moment in span] if value else []
        typed += [None] * (2 * SPANS - len(typed))
        return [*typed, value.as_before if value else False]


class DayField(forms.Field):
    def __init__(self, label: str, has_before: bool) -> None:
        super().__init__(label=label, widget=DayWidget(has_before))

    def clean(self, value: Any) -> Day:
        """Each span has both its ends, or none. A ticked day's hours are hidden: not read."""
        if value[2 * SPANS :] == [True]:
            return Day((), as_before=True)
        read = forms.TimeField(
            required=False,
            input_formats=TIME_FORMATS,
            error_messages={"invalid": _("Écrivez l’heure ainsi : 07:30.")},
        )
        times = [read.clean(str(text or "").replace(" ", "")) for text in value[: 2 * SPANS]]
        spans = []
        for opens, closes in zip(times[::2], times[1::2], strict=True):
            if (opens is None) != (closes is None):
                raise ValidationError(_("Écrivez l’heure d’ouverture et celle de fermeture."))
            if opens is not None and closes is not None:
                spans.append((opens, closes))
        return Day(tuple(spans), as_before=False)


class WeekForm(forms.Form):
    """Seven days; one that is left empty is closed."""

    use_required_attribute = False

    def __init__(self, rows: Iterable[Open], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        week: dict[int, list[tuple[time, time]]] = {weekday: [] for weekday in Weekday.values}
        for row in sorted(rows):
            week[row.weekday].append((row.opens, row.closes))
        before: Sequence[Any] = ()
        for weekday, name in Weekday.choices:
            spans = week[weekday]
            same = bool(spans) and spans == before
            field = DayField(capfirst(str(name)), has_before=weekday > 0)
            field.initial = Day(() if same else tuple(spans[:SPANS]), same)
            self.fields[day_field(weekday)] = field
            before = spans

    @property
    def rows(self) -> list[Open]:
        """The valid form's week, with the days that are as the one before."""
        found: list[Open] = []
        before: tuple[tuple[time, time], ...] = ()
        for weekday in Weekday.values:
            day: Day = self.cleaned_data[day_field(weekday)]
            spans = before if day.as_before else day.spans
            found += [Open(weekday, opens, closes) for opens, closes in spans]
            before = spans
        return found


# -- The rest --------------------------------------------------------------------------------


class PhoneForm(forms.Form):
    phone = forms.CharField(
        label=_("Le téléphone que lisent les habitants"),
        help_text=_("Par exemple : 03 22 12 34 56"),
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        error_messages={"required": _("Écrivez un téléphone.")},
    )


class PictureForm(forms.Form):
    picture = forms.FileField(
        label=_("Une photo de votre vitrine"),
        help_text=_("Une photo JPEG, PNG ou WebP, 8 Mo au plus. Sans visage reconnaissable."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        error_messages={
            "required": _("Choisissez une photo."),
            "empty": _("Ce fichier est vide. Choisissez une autre photo."),
        },
    )


class ClosureForm(forms.Form):
    starts_on = forms.DateField(
        label=_("Premier jour fermé"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            key: _("Choisissez le premier jour fermé.") for key in ("required", "invalid")
        },
    )
    ends_on = forms.DateField(
        label=_("Dernier jour fermé"),
        help_text=_("Vide : un seul jour."),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Choisissez le dernier jour fermé.")},
    )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if "ends_on" in cleaned and cleaned["ends_on"] is None:
            cleaned["ends_on"] = cleaned.get("starts_on")
        return cleaned


class ColleagueForm(forms.Form):
    first_name = forms.CharField(
        label=_("Prénom"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Écrivez le prénom.")},
    )
    last_name = forms.CharField(
        label=_("Nom"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Écrivez le nom.")},
    )
    phone = forms.CharField(
        label=_("Téléphone portable"),
        help_text=_("Le lien y arrive par SMS."),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("Ou son e-mail"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        error_messages={"invalid": _("Cet e-mail n’est pas complet. Exemple : nom@exemple.fr.")},
    )
