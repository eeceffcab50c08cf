"""What a resident chooses: in the address for a list, in a form for a loan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import Refused
from concierge.models import ServiceQuestion
from concierge.queries.services import Rules

YEARS = range(2000, 2200)


@dataclass(frozen=True)
class Slot:
    """A pick-up day, and the hour that one of its spans begins, if only that one is free."""

    starts_on: date
    starts_at: datetime | None = None

    def __str__(self) -> str:
        if self.starts_at is None:
            return self.starts_on.isoformat()
        return timezone.localtime(self.starts_at).strftime("%Y-%m-%dT%H:%M")


def read_slot(text: str) -> Slot | None:
    """`2027-03-10` or `2027-03-10T14:00`, in the wall time of the place; else None."""
    try:
        moment = datetime.fromisoformat(text) if len(text) in {10, 16} else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is not None or moment.year not in YEARS:
        return None
    if len(text) == 10:
        return Slot(moment.date())
    return Slot(moment.date(), timezone.make_aware(moment))


class SlotField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        slot = read_slot(text or "")
        if slot is None:
            raise ValidationError(self.error_messages["required"], code="invalid")
        return slot


class SlotForm(forms.Form):
    """The press of a slot button. `length` is the loan's days where another was chosen."""

    codes: Sequence[str] = ()
    slot: forms.CharField = SlotField(error_messages={"required": _("Choisissez un jour.")})
    length = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=180,
        error_messages={
            key: _("Choisissez une durée de la liste.")
            for key in ("invalid", "min_value", "max_value")
        },
    )

    def refuse(self, refused: Refused) -> None:
        """Say a verb's reasons where the form says its own."""
        self.codes = refused.codes
        for reason in refused.reasons:
            self.add_error(None, str(reason.text))


class ReserveForm(SlotForm):
    """`key` is the page's own: two presses of one page are one reservation."""

    key = forms.CharField(
        min_length=20,
        max_length=43,
        error_messages={
            code: _("Cette page a vieilli. Choisissez le jour à nouveau.")
            for code in ("required", "min_length", "max_length")
        },
    )


class ListForm(forms.Form):
    """The filters of a list, as they stand in its address."""

    q = forms.CharField(required=False, max_length=200)
    rayon = forms.SlugField(required=False)
    disponible = forms.BooleanField(required=False)

    def chosen(self) -> dict[str, Any]:
        """What can be read; a filter that cannot is left out."""
        self.is_valid()
        return {"q": "", "rayon": "", "disponible": False} | self.cleaned_data


WEEKS = (2, 3, 4, 6, 8, 10, 12)
RADIOS = 6


class AppointmentForm(forms.Form):
    """The press of an hour, with what the service asks. `key` is the page's own."""

    codes: Sequence[str] = ()
    slot: forms.CharField = SlotField(error_messages={"required": _("Choisissez une heure.")})
    semaines = forms.TypedChoiceField(
        label=_("Revenir chaque semaine à la même heure"),
        required=False,
        coerce=int,
        empty_value=None,
        error_messages={"invalid_choice": _("Choisissez un nombre de la liste.")},
    )
    key = forms.CharField(
        min_length=20,
        max_length=43,
        widget=forms.HiddenInput,
        error_messages={
            code: _("Cette page a vieilli. Choisissez l’heure à nouveau.")
            for code in ("required", "min_length", "max_length")
        },
    )

    def __init__(
        self, data: Any = None, *, rules: Rules, weeks: int, is_staff: bool = False, **more: Any
    ) -> None:
        super().__init__(data, **more)
        self.questions = rules.questions
        self.fields["semaines"].choices = [  # type: ignore[attr-defined]
            ("", _("Une seule fois")),
            *((n, _("%(number)d semaines de suite") % {"number": n}) for n in WEEKS if n <= weeks),
        ]
        for question in self.questions:
            required = question.required and not is_staff
            self.fields[f"question_{question.pk}"] = question_field(question, required)

    @property
    def has_weeks(self) -> bool:
        return len(self.fields["semaines"].choices) > 1  # type: ignore[attr-defined]

    @property
    def asked(self) -> list[Any]:
        return [self[f"question_{question.pk}"] for question in self.questions]

    def answers(self) -> dict[int, str]:
        said = {question.pk: f"question_{question.pk}" for question in self.questions}
        return {pk: self.cleaned_data[name] for pk, name in said.items() if self.cleaned_data[name]}

    def clean_slot(self) -> Slot:
        slot: Slot = self.cleaned_data["slot"]
        if slot.starts_at is None:
            raise ValidationError(_("Choisissez une heure."), code="invalid")
        return slot

    def refuse(self, refused: Refused) -> None:
        """Say a verb's reasons where the form says its own."""
        self.codes = refused.codes
        for reason in refused.reasons:
            name = reason.field if reason.field != "slot" else None
            self.add_error(name if name in self.fields else None, str(reason.text))


def question_field(question: ServiceQuestion, required: bool) -> forms.Field:
    choices = [(option, option) for option in question.options]
    few = len(choices) <= RADIOS
    return forms.ChoiceField(
        label=question.text,
        required=required,
        choices=choices if few else [("", _("Choisissez")), *choices],
        error_messages={
            "required": _("Répondez à cette question."),
            "invalid_choice": _("Choisissez une des réponses."),
        },
        widget=forms.RadioSelect if few else forms.Select,
    )


class WishForm(forms.Form):
    """The days on which any slot will do."""

    codes: Sequence[str] = ()
    first_on = forms.DateField(
        label=_("À partir du"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Choisissez le premier jour.")),
    )
    last_on = forms.DateField(
        label=_("Jusqu’au"),
        help_text=_("Ce jour compte aussi."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages=dict.fromkeys(("required", "invalid"), _("Choisissez le dernier jour.")),
    )

    def refuse(self, refused: Refused) -> None:
        self.codes = refused.codes
        for reason in refused.reasons:
            name = reason.field if reason.field in self.fields else None
            self.add_error(name, str(reason.text))
