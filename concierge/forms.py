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
