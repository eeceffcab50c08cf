"""The months that a report is about, as staff choose them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.widgets import AdminDateInput

from club.kernel.inputs import near
from club.kernel.spans import local_day

FURTHEST = timedelta(days=5 * 366)


def usual_period(today: date) -> dict[str, date]:
    """The last twelve months, this one with them."""
    return {"first": today.replace(day=1) - relativedelta(months=11), "last": today}


def whole_months(first: date, last: date) -> tuple[date, date]:
    following = last.replace(day=1) + relativedelta(months=1)
    return first.replace(day=1), following - timedelta(days=1)


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


@dataclass(frozen=True)
class Asked:
    """What a report's address asks for: the months, where they can be read, and how."""

    form: MonthsForm
    months: tuple[date, date] | None
    wants_file: bool
    file_url: str


def asked(request: HttpRequest) -> Asked:
    usual = usual_period(local_day(timezone.now()))
    form = MonthsForm(request.GET if "first" in request.GET else usual)
    months = None
    if form.is_valid():
        months = whole_months(form.cleaned_data["first"], form.cleaned_data["last"])
    return Asked(form, months, wants_file(request), file_url(request, usual))


def wants_file(request: HttpRequest) -> bool:
    return request.GET.get("fichier") == "csv"


def file_url(request: HttpRequest, usual: Mapping[str, date]) -> str:
    """Where the same lines are a file; the usual days are named, so that it stays the same."""
    query = request.GET.copy()
    query["fichier"] = "csv"
    if "first" not in query:
        query.update({name: day.isoformat() for name, day in usual.items()})
    return f"?{query.urlencode()}"
