"""The landlord's report: euros saved, by residence and month; nobody is singled out."""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import staff_places
from club.domain.journal import plain
from club.enums import Role
from club.forms import typed
from club.models import Landlord
from club.month_forms import asked
from club.views.files import as_csv_file
from marketplace.queries.uses import FEW, Saved, saved_by_residence


@require_safe
@never_cache
def savings(request: HttpRequest) -> HttpResponse:
    """Of one's own landlords; the same lines as a file with `?fichier=csv`."""
    places = staff_places(request.user, Role.OFFICER)  # type: ignore[arg-type]
    landlords = list(Landlord.objects.filter(pk__in=places.values("landlord")).order_by("name"))
    if not landlords:
        raise PermissionDenied
    asked_for = asked(request)
    lines = saved_by_residence(landlords, *asked_for.months) if asked_for.months else []
    if asked_for.months and asked_for.wants_file:
        return as_file(lines)
    context = {
        "form": asked_for.form,
        "lines": lines,
        "uses": sum(line.uses for line in lines),
        "saving_cents": sum(line.saving_cents for line in lines),
        "has_landlords": len(landlords) > 1,
        "few": FEW,
        "file_url": asked_for.file_url,
        "page_title": _("Économies des membres"),
    }
    return render(request, "marketplace/admin/savings.html", context)


def as_file(lines: Iterable[Saved]) -> HttpResponse:
    heads = [
        _("Mois"), _("Bailleur"), _("Résidence"), _("Passages"), _("Économies, en euros")
    ]  # fmt: skip
    return as_csv_file("economies", heads, map(cells_of, lines))


def cells_of(line: Saved) -> list[str]:
    name = plain(line.residence.name) if line.residence else _("Autres résidences")
    landlord, saved = plain(line.landlord.name), typed(line.saving_cents)
    return [f"{line.month:%m/%Y}", landlord, name, str(line.uses), saved]
