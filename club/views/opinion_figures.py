"""The officers' figures: what people said of it, by month, place and kind. Never a name."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import staff_places
from club.domain.journal import plain
from club.enums import Face, OpinionReason, Role
from club.month_forms import asked
from club.queries.opinion_figures import FEW, Line, by_month
from club.views.files import as_csv_file


@require_safe
@never_cache
def figures(request: HttpRequest) -> HttpResponse:
    """Of one's own places; the same lines as a file with `?fichier=csv`."""
    places = list(staff_places(request.user, Role.OFFICER))  # type: ignore[arg-type]
    if not places:
        raise PermissionDenied
    asked_for = asked(request)
    lines = by_month(places, *asked_for.months) if asked_for.months else []
    if asked_for.months and asked_for.wants_file:
        return as_file(lines)
    context: dict[str, Any] = {
        "form": asked_for.form,
        "lines": lines,
        "has_places": len(places) > 1,
        "few": FEW,
        "file_url": asked_for.file_url,
        "page_title": _("Avis des membres"),
    }
    return render(request, "club/admin/opinion_figures.html", context)


def as_file(lines: Iterable[Line]) -> HttpResponse:
    said = [str(capfirst(one.label)) for one in (*Face, *OpinionReason)]
    heads = [_("Mois"), _("Point d’accueil"), _("À propos de"), _("Demandés"), _("Répondus")]
    return as_csv_file("avis", [*heads, *said], map(cells_of, lines))


def cells_of(line: Line) -> list[str]:
    told = [""] * (len(Face) + len(OpinionReason))
    if not line.has_few:
        told = [str(line.faces.get(one, 0)) for one in Face]
        told += [str(line.reasons.get(one, 0)) for one in OpinionReason]
    place, asked, answered = plain(line.place.name), str(line.asked), str(line.answered)
    return [f"{line.month:%m/%Y}", place, line.title, asked, answered, *told]
