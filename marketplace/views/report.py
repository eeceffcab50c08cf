"""The landlord's report: euros saved, by residence and month; nobody is singled out."""

from collections.abc import Iterable

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
from club.forms import typed
from club.kernel.spans import local_day
from club.models import Landlord
from club.month_forms import MonthsForm, usual_period, whole_months
from marketplace.queries.uses import FEW, Saved, saved_by_residence


@require_safe
@never_cache
def savings(request: HttpRequest) -> HttpResponse:
    """Of one's own landlords; the same lines as a file with `?fichier=csv`."""
    places = staff_places(request.user, Role.OFFICER)  # type: ignore[arg-type]
    landlords = list(Landlord.objects.filter(pk__in=places.values("landlord")).order_by("name"))
    if not landlords:
        raise PermissionDenied
    usual = usual_period(local_day(timezone.now()))
    form = MonthsForm(request.GET if "first" in request.GET else usual)
    lines: list[Saved] = []
    if form.is_valid():
        first, last = whole_months(form.cleaned_data["first"], form.cleaned_data["last"])
        lines = saved_by_residence(landlords, first, last)
        if request.GET.get("fichier") == "csv":
            return as_file(lines)
    query = request.GET.copy()
    query["fichier"] = "csv"
    if "first" not in query:
        query.update({name: value.isoformat() for name, value in usual.items()})
    context = {
        "form": form,
        "lines": lines,
        "uses": sum(line.uses for line in lines),
        "saving_cents": sum(line.saving_cents for line in lines),
        "has_landlords": len(landlords) > 1,
        "few": FEW,
        "file_url": f"?{query.urlencode()}",
        "page_title": _("Économies des membres"),
    }
    return render(request, "marketplace/admin/savings.html", context)


def as_file(lines: Iterable[Saved]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="economies.csv"'
    response.write("\ufeff")
    response.write(
        csv_row(_("Mois"), _("Bailleur"), _("Résidence"), _("Passages"), _("Économies, en euros"))
    )
    for line in lines:
        name = plain(line.residence.name) if line.residence else _("Autres résidences")
        landlord, saved = plain(line.landlord.name), typed(line.saving_cents)
        response.write(csv_row(f"{line.month:%m/%Y}", landlord, name, str(line.uses), saved))
    return response
