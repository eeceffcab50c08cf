"""Departments and lists of objects. A visitor's page carries no form key: it may be cached."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, QuerySet, prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from club.context import place_of
from club.models import Landlord, Place
from club.queries.calendar import calendar_of
from concierge.forms import ListForm
from concierge.models import Department, Tool
from concierge.queries.availability import lines
from concierge.queries.search import listed_tools, near_tools, search_tools
from concierge.views.shown import object_card

PER_PAGE = 24


def here(request: HttpRequest) -> Place:
    place = place_of(request)
    if place is None:
        raise Http404
    return place


def departments_of(landlord: Landlord) -> QuerySet[Department]:
    """The departments that have something on their shelves."""
    listed = Tool.objects.filter(department=OuterRef("pk"), is_listed=True)
    return Department.objects.filter(Exists(listed), landlord=landlord)


def cards(tools: list[Tool], place: Place) -> list[dict[str, Any]]:
    """The cards of a list: as many statements for sixty objects as for three."""
    prefetch_related_objects(tools, "photo__renditions")
    said = lines(tools, place, timezone.now())
    return [object_card(tool, said[tool.pk]) for tool in tools]


def free_today(tools: list[Tool], place: Place) -> list[Tool]:
    now = timezone.now()
    said = lines(tools, place, now)
    today = timezone.localdate(now)
    return [tool for tool in tools if said[tool.pk].on == today]


def opens_today(place: Place) -> bool:
    """On a closed day nothing can be fetched: no list offers what is free today."""
    return calendar_of(place).is_open_day(timezone.localdate())


def toggled(request: HttpRequest, is_on: bool) -> str:
    """The address of this list with the filter on free objects turned."""
    query = request.GET.copy()
    query.pop("page", None)
    query.pop("disponible", None)
    if not is_on:
        query["disponible"] = "aujourdhui"
    return f"?{query.urlencode()}" if query else request.path


def listing(tools: list[Tool], request: HttpRequest, place: Place) -> dict[str, Any]:
    page: Page[Any] = Paginator(tools, PER_PAGE).get_page(request.GET.get("page"))
    return {"page_obj": page, "cards": cards(list(page.object_list), place), "count": len(tools)}


def by_department(tools: list[Tool], request: HttpRequest, chosen: str) -> list[dict[str, Any]]:
    """The departments that a search met, with the address that keeps only one of them."""
    counts: dict[str, tuple[str, int]] = {}
    for tool in tools:
        name, number = counts.get(tool.department.slug, (tool.department.name, 0))
        counts[tool.department.slug] = (name, number + 1)
    if len(counts) < 2:
        return []
    entries = [("", _("Tout"), len(tools))]
    entries += [(slug, name, number) for slug, (name, number) in counts.items()]
    links = []
    for slug, name, number in entries:
        query = request.GET.copy()
        query.pop("page", None)
        query["rayon"] = slug
        links.append(
            {
                "url": f"?{query.urlencode()}",
                "name": name,
                "number": number,
                "is_current": slug == chosen,
            }
        )
    return links


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """The departments; with a filter in the address, the list that it keeps."""
    place = here(request)
    form = ListForm(request.GET)
    chosen = form.chosen()
    context: dict[str, Any] = {
        "chosen": chosen,
        "departments": departments_of(place.landlord),
        "opens_today": opens_today(place),
    }
    if not any(chosen.values()):
        return render(request, "concierge/catalogue.html", context)
    if chosen["q"]:
        found = search_tools(place.landlord, chosen["q"])
    else:
        found = list(listed_tools(place.landlord))
    if chosen["disponible"]:
        found = free_today(found, place)
    tools = found
    if chosen["rayon"]:
        tools = [tool for tool in found if tool.department.slug == chosen["rayon"]]
    context |= listing(tools, request, place)
    context["toggle_url"] = toggled(request, chosen["disponible"])
    context["met_departments"] = by_department(found, request, chosen["rayon"])
    if not tools and chosen["q"]:
        context["near"] = cards(near_tools(place.landlord, chosen["q"]), place)
    return render(request, "concierge/results.html", context)


@require_safe
def department(request: HttpRequest, slug: str) -> HttpResponse:
    place = here(request)
    shelf = get_object_or_404(Department, landlord=place.landlord, slug=slug)
    chosen = ListForm(request.GET).chosen()
    tools = list(listed_tools(place.landlord).filter(department=shelf))
    if chosen["disponible"]:
        tools = free_today(tools, place)
    context = {
        "department": shelf,
        "chosen": chosen,
        "opens_today": opens_today(place),
        "toggle_url": toggled(request, chosen["disponible"]),
        "departments": departments_of(place.landlord),
        **listing(tools, request, place),
    }
    return render(request, "concierge/department.html", context)
