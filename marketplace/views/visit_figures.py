"""The officers' report: requests to artisans by month; opinions as counts alone."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import staff_places
from club.domain.journal import plain
from club.enums import Role
from club.models import Landlord
from club.month_forms import asked
from club.views.files import as_csv_file
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
    asked_for = asked(request)
    months = by_month(landlords, *asked_for.months) if asked_for.months else []
    if asked_for.months and asked_for.wants_file:
        return as_file(months)
    context: dict[str, Any] = {
        "form": asked_for.form,
        "months": months,
        "has_landlords": len(landlords) > 1,
        "few": FEW,
        "file_url": asked_for.file_url,
        "page_title": _("Visites d’artisans"),
    }
    return render(request, "marketplace/admin/visit_figures.html", context)


def as_file(months: Iterable[Month]) -> HttpResponse:
    said = [str(one.label) for one in (*Satisfaction, *UnhappyFor)]
    heads = [
        _("Mois"), _("Bailleur"), _("Demandes"), _("Réponse en 48 h"), _("Convenues"),
        _("Terminées"),
    ]  # fmt: skip
    return as_csv_file("visites", [*heads, *said], map(cells_of, months))


def cells_of(month: Month) -> list[str]:
    numbers = [month.asked, month.answered, month.agreed, month.done]
    told = [""] * (len(Satisfaction) + len(UnhappyFor))
    if not month.has_few:
        told = [str(month.opinions.get(one, 0)) for one in Satisfaction]
        told += [str(month.reasons.get(one, 0)) for one in UnhappyFor]
    return [f"{month.month:%m/%Y}", plain(month.landlord.name), *map(str, numbers), *told]
