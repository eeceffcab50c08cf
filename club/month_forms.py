"""The months that a report is about, as staff choose them."""

from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django import forms
from django.utils.translation import gettext_lazy as _
from wagtail.admin.widgets import AdminDateInput

from club.kernel.inputs import FIRST_YEAR, LAST_YEAR

FURTHEST = timedelta(days=5 * 366)


def usual_period(today: date) -> dict[str, date]:
    """The last twelve months, this one with them."""
    return {"first": today.replace(day=1) - relativedelta(months=11), "last": today}


def whole_months(first: date, last: date) -> tuple[date, date]:
    following = last.replace(day=1) + relativedelta(months=1)
    return first.replace(day=1), following - timedelta(days=1)


def near(day: date) -> bool:
    return FIRST_YEAR <= day.year <= LAST_YEAR


class MonthsForm(forms.Form):
    """The months that a report is about: whole ones, so that old counts fit in."""

    first = forms.DateField(label=_("Du mois de"), widget=AdminDateInput)
    last = forms.DateField(
        label=_("Au mois de"),
        widget=AdminDateInput,
        help_text=_("Le mois entier compte, quel que soit le jour."),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("first"), data.get("last")
        if first and last and last < first:
            self.add_error("last", forms.ValidationError(_("La fin vient après le début.")))
        elif first and last and (last - first > FURTHEST or not near(first) or not near(last)):
            self.add_error("last", forms.ValidationError(_("Choisissez cinq ans au plus.")))
        return data
