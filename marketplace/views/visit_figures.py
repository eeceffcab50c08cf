"""The officers' report: requests to artisans by month; opinions as counts alone."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import staff_places
from club.domain.journal import csv_row, plain
from club.enums import Role
from club.kernel.spans import local_day
from club.models import Landlord
from club.month_forms import MonthsForm, usual_period, whole_months
from marketplace.enums import Satisfaction, UnhappyFor
from marketplace.queries.uses import FEW
from marketplace.queries.visit_figures import Month, by_month


@require_safe
@never_cache
def figures(request: HttpRequest) -> HttpResponse:
    """Of one's own landlords; the same lines as a file with `?fichier=csv`."""
    places = staff_places(request.user, Role.OFFICER)  # type: ignore[arg-type]
    landlords = list(Landlord.objects.filter(pk__in=places.values("landlord")).order_by("name"))
    if not landlords:
        raise PermissionDenied
    usual = usual_period(local_day(timezone.now()))
    form = MonthsForm(request.GET if "first" in request.GET else usual)
    months: list[Month] = []
    if form.is_valid():
        first, last = whole_months(form.cleaned_data["first"], form.cleaned_data["last"])
        months = by_month(landlords, first, last)
        if request.GET.get("fichier") == "csv":
            return as_file(months)
    query = request.GET.copy()
    query["fichier"] = "csv"
    if "first" not in query:
        query.update({name: value.isoformat() for name, value in usual.items()})
    context: dict[str, Any] = {
        "form": form,
        "months": months,
        "has_landlords": len(landlords) > 1,
        "few": FEW,
        "file_url": f"?{query.urlencode()}",
        "page_title": _("Visites d’artisans"),
    }
    return render(request, "marketplace/admin/visit_figures.html", context)


def as_file(months: Iterable[Month]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="visites.csv"'
    response.write("\ufeff")
    said = [str(one.label) for one in (*Satisfaction, *UnhappyFor)]
    response.write(
        csv_row(
            _("Mois"), _("Bailleur"), _("Demandes"), _("Réponse en 48 h"), _("Convenues"),
            _("Terminées"), *said,
        )
    )  # fmt: skip
    for month in months:
        numbers = [month.asked, month.answered, month.agreed, month.done]
        told = [""] * len(said)
        if not month.has_few:
            told = [str(month.opinions.get(one, 0)) for one in Satisfaction]
            told += [str(month.reasons.get(one, 0)) for one in UnhappyFor]
        name = plain(month.landlord.name)
        response.write(csv_row(f"{month.month:%m/%Y}", name, *map(str, numbers), *told))
    return response
