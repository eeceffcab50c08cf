"""The officers' figures: what people said of it, by month, place and kind. Never a name."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import staff_places
from club.domain.journal import csv_row, plain
from club.enums import Face, OpinionReason, Role
from club.kernel.spans import local_day
from club.month_forms import MonthsForm, usual_period, whole_months
from club.queries.opinion_figures import FEW, Line, by_month


@require_safe
@never_cache
def figures(request: HttpRequest) -> HttpResponse:
    """Of one's own places; the same lines as a file with `?fichier=csv`."""
    places = list(staff_places(request.user, Role.OFFICER))  # type: ignore[arg-type]
    if not places:
        raise PermissionDenied
    usual = usual_period(local_day(timezone.now()))
    form = MonthsForm(request.GET if "first" in request.GET else usual)
    lines: list[Line] = []
    if form.is_valid():
        first, last = whole_months(form.cleaned_data["first"], form.cleaned_data["last"])
        lines = by_month(places, first, last)
        if request.GET.get("fichier") == "csv":
            return as_file(lines)
    query = request.GET.copy()
    query["fichier"] = "csv"
    if "first" not in query:
        query.update({name: value.isoformat() for name, value in usual.items()})
    context: dict[str, Any] = {
        "form": form,
        "lines": lines,
        "has_places": len(places) > 1,
        "few": FEW,
        "file_url": f"?{query.urlencode()}",
        "page_title": _("Avis des membres"),
    }
    return render(request, "club/admin/opinion_figures.html", context)


def as_file(lines: Iterable[Line]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="avis.csv"'
    response.write("\ufeff")
    said = [str(capfirst(one.label)) for one in (*Face, *OpinionReason)]
    response.write(
        csv_row(
            _("Mois"), _("Point d’accueil"), _("À propos de"), _("Demandés"), _("Répondus"), *said
        )
    )
    for line in lines:
        told = [""] * len(said)
        if not line.has_few:
            told = [str(line.faces.get(one, 0)) for one in Face]
            told += [str(line.reasons.get(one, 0)) for one in OpinionReason]
        place, asked, answered = plain(line.place.name), str(line.asked), str(line.answered)
        row = (f"{line.month:%m/%Y}", place, line.title, asked, answered, *told)
        response.write(csv_row(*row))
    return response
