"""The pages of the programme: the list by date with its month, and one event."""

import calendar
from datetime import date, timedelta
from typing import Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from wagtail.models import Page

from club.context import member_of, place_of
from club.kernel import words
from club.models import Place
from content.models import Picture
from events.enums import Theme
from events.forms import MONTHS_AHEAD, ListForm, months_from
from events.models import EventIndex, EventPage, Session
from events.queries.programme import (
    MOST_LINES,
    Wanted,
    days_of_month,
    filtered,
    listed,
    mine,
    next_month,
    sessions_of,
)
from events.views import shown, structured

DATES_FIRST, DATES_ALL = 5, 200
ON_PAPER = 500
DAY_NAMES = [date(2024, 1, day) for day in range(1, 8)]
"""A week that began on a Monday."""


def serve(page: Page, request: HttpRequest) -> HttpResponse | None:
    """What Wagtail serves for a page of ours; None for any other."""
    if isinstance(page, EventIndex):
        return programme(request, page)
    if isinstance(page, EventPage):
        return event(request, page)
    return None


def places_around(request: HttpRequest, index: EventIndex) -> list[Place]:
    """The landlord's public places; the programme's own one stands above a visitor's page,
    a member keeps theirs."""
    places = Place.objects.select_related("landlord").filter(is_public=True).order_by("pk")
    member = member_of(request)
    if member is not None:
        return list(places.filter(landlord=member.place.landlord_id))
    own = Place.objects.filter(pk=index.place_id)
    found = list(places.filter(landlord__in=own.values("landlord")))
    for place in found:
        if place.pk == index.place_id:
            request._place = place  # type: ignore[attr-defined]
    return found


def with_photos(events: list[EventPage]) -> None:
    """The sizes of all photos in one statement, and none where there is no photo."""
    photos: list[Picture] = [event.picture for event in events if event.picture is not None]
    if photos:
        prefetch_related_objects(photos, "renditions")


def address(request: HttpRequest, **changes: str) -> str:
    """This list with other filters; what is empty goes out of the address."""
    query = request.GET.copy()
    for name in ("page", "papier", *changes):
        query.pop(name, None)
    for name, value in changes.items():
        if value:
            query[name] = value
    return f"?{query.urlencode()}" if query else request.path


# -- The programme -------------------------------------------------------------------------


def lines_of(
    request: HttpRequest, sessions: list[Session], wanted: Wanted, here: Place
) -> list[shown.Line]:
    now = timezone.now()
    own = mine(member_of(request), sessions)
    lines = [
        shown.line_of(session, session.event.get_url(request) or "", here, own.get(session.pk), now)
        for session in sessions
    ]
    of_event: dict[int, list[shown.Line]] = {}
    for line in lines:
        of_event.setdefault(line.event.pk, []).append(line)
    for its_lines in of_event.values():
        its_lines[-1].has_more = len(its_lines) == wanted.most_of_one
    return lines


def month_of(request: HttpRequest, month: date, days: set[date], today: date) -> dict[str, Any]:
    """The month as a table: seven days a week, those with an event are links."""
    weeks = [
        [
            {
                "day": day,
                "is_today": day == today,
                "url": address(request, jour=day.isoformat(), mois="")
                if day in days and day >= today
                else "",
            }
            if day.month == month.month
            else None
            for day in week
        ]
        for week in calendar.Calendar().monthdatescalendar(month.year, month.month)
    ]
    before, after = (month - timedelta(days=1)).replace(day=1), next_month(month)
    ahead = months_from(today, month)
    return {
        "month": month,
        "weeks": weeks,
        "names": DAY_NAMES,
        "before": link_to(request, before) if ahead > 0 else None,
        "after": link_to(request, after) if ahead < MONTHS_AHEAD else None,
        "paper_url": f"?mois={month:%Y-%m}&papier=1",
        "url": address(request, mois=f"{month:%Y-%m}", jour=""),
    }


def link_to(request: HttpRequest, month: date) -> dict[str, str]:
    url = address(request, mois=f"{month:%Y-%m}", jour="")
    return {"url": url, "name": capfirst(shown.month_words(month))}


def title_of(index: EventIndex, wanted: Wanted, today: date) -> str:
    if wanted.day is not None:
        return capfirst(words.day(wanted.day, today))
    if wanted.month is None:
        return index.title
    month = shown.month_words(wanted.month)
    said = _("%(title)s d’%(month)s") if month[0] in "ao" else _("%(title)s de %(month)s")
    return said % {"title": index.title, "month": month}


def groups(lines: list[shown.Line], wanted: Wanted, today: date) -> list[Any]:
    if wanted.day is not None:
        return [("", lines)] if lines else []
    return list(shown.groups_of(lines, today))


def programme(request: HttpRequest, index: EventIndex) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    places = places_around(request, index)
    here = place_of(request)
    if here is None:
        return render(request, "events/event_index.html", {"page": index, "title": index.title})
    filters = ListForm(request.GET)
    wanted = filters.wanted(today)
    if wanted.paper:
        return on_paper(request, index, here, wanted)
    sessions = filtered(here.landlord_id, wanted, now)
    number = filters.number()
    found = listed(sessions, wanted, page=number)
    kept = found[:MOST_LINES]
    with_photos([session.event for session in kept])
    shown.until(request, [moment for one in kept for moment in shown.moments_of(one)])
    month = wanted.month or (wanted.day or today).replace(day=1)
    context = {
        "page": index,
        "title": title_of(index, wanted, today),
        "wanted": wanted,
        "is_narrowed": wanted != Wanted(month=wanted.month, day=wanted.day),
        "is_near": wanted.month is None and wanted.day is None,
        "places": places if len(places) > 1 else [],
        "themes": Theme.choices,
        "groups": groups(lines_of(request, kept, wanted, here), wanted, today),
        "previous_url": page_url(request, number - 1) if number > 1 else "",
        "next_url": page_url(request, number + 1) if len(found) > MOST_LINES else "",
        "month": month_of(request, month, days_of_month(sessions, month), today),
        "all_url": request.path,
        "agenda_url": agenda_url(wanted),
    }
    return render(request, "events/event_index.html", context)


def page_url(request: HttpRequest, number: int) -> str:
    query = request.GET.copy()
    query["page"] = str(number)
    return f"?{query.urlencode()}"


def agenda_url(wanted: Wanted) -> str:
    url = reverse("events:agenda")
    return f"{url}?lieu={wanted.place}" if wanted.place else url


def on_paper(request: HttpRequest, index: EventIndex, here: Place, wanted: Wanted) -> HttpResponse:
    """The month to hang up at the door: each session, by day."""
    now = timezone.now()
    today = timezone.localdate(now)
    month = wanted.month or today.replace(day=1)
    whole = Wanted(**{**wanted.__dict__, "month": month, "day": None})
    sessions = listed(filtered(here.landlord_id, whole, now), whole, most=ON_PAPER)
    lines = lines_of(request, sessions[:ON_PAPER], whole, here)
    days: dict[date, list[shown.Line]] = {}
    for line in lines:
        days.setdefault(line.day, []).append(line)
    context = {
        "page": index,
        "title": title_of(index, whole, today),
        "days": [(capfirst(words.day(day, today)), held) for day, held in days.items()],
        "back_url": address(request),
    }
    return render(request, "events/month_sheet.html", context)


# -- One event -----------------------------------------------------------------------------


def event(request: HttpRequest, page: EventPage) -> HttpResponse:
    now = timezone.now()
    today = timezone.localdate(now)
    here = place_of(request)
    shows_all = request.GET.get("dates") == "toutes"
    most = DATES_ALL if shows_all else DATES_FIRST
    found = sessions_of(page, now, most)
    for session in found:
        session.event = page
    kept = found[:most]
    own = mine(member_of(request), kept)
    url = page.get_url(request) or request.path
    lines = [shown.line_of(one, url, here, own.get(one.pk), now) for one in kept]
    shown.until(request, [moment for one in kept for moment in shown.moments_of(one)])
    coming = next((line.session for line in lines if line.state.code != "cancelled"), None)
    with_photos([page])
    image = image_of(page, request)
    context = {
        "page": page,
        "lines": lines,
        "groups": list(shown.groups_of(lines, today)) if shows_all else [],
        "has_more": len(found) > most and not shows_all,
        "first": next((line.session.pk for line in lines if line.is_primary), None),
        "public": shown.public_words(page),
        "access": shown.access_of(page),
        "price": shown.event_price(page, coming),
        "asks_places": any(line.state.is_open for line in lines),
        "address": request.build_absolute_uri(url),
        "image": image,
        "structured": structured.as_script(structured.of_event(page, kept, request, image)),
    }
    return render(request, "events/event_page.html", context)


def image_of(page: EventPage, request: HttpRequest) -> str:
    """The photo that a shared link shows."""
    if page.picture is None:
        return ""
    rendition = page.picture.get_rendition("fill-640x344|format-webp")
    return request.build_absolute_uri(rendition.url)
