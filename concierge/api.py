"""`/tools`: the catalogue, what is free, and a calendar for one object."""

import re
from datetime import date, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from club.api.answers import bad_cursor, make_cursor, read, read_cursor
from club.api.asked import period_asked, place_named
from club.api.auth import member_of, reads
from club.api.problems import PROBLEMS, declared, not_found
from club.api.texts import gettext_lazy
from club.kernel.inputs import Cursor, Day, Identifier, Text
from club.kernel.spans import days_between, end_of, local_day, start_of
from club.models import Member
from concierge.models import Tool
from concierge.queries.availability import Shelf, availability, free_by_day, shelves, windows
from concierge.queries.search import search_tools

router = Router(tags=["concierge"], auth=reads)
PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,12}\Z", re.ASCII)


class AvailabilityOut(Schema):
    """`state` is free, back (somebody has it), repair or gone; `text` says it in words."""

    state: str
    text: str
    on: date | None


class ToolOut(Schema):
    id: str
    name: str
    other_names: str
    department: str
    picture: str | None
    value_class: str
    price_class: str
    place: str
    availability: AvailabilityOut


class WindowOut(Schema):
    starts_on: date
    ends_on: date


class PartOut(Schema):
    name: str
    quantity: int


class ToolDetailOut(ToolOut):
    description: str
    advice: str
    safety: str
    brand: str
    deposit: str
    parts: list[PartOut]
    next_free: list[WindowOut]


class ToolsOut(Schema):
    items: list[ToolOut]
    next: str | None


class DayOut(Schema):
    day: date
    free: int


class CalendarOut(Schema):
    tool: str
    place: str
    copies: int
    days: list[DayOut]


class Filters(Schema):
    q: Text = ""
    department: Identifier | None = None
    place: Identifier | None = None
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")
    limit: int = Field(50, ge=1, le=100)
    cursor: Cursor | None = None


class CalendarFilters(Schema):
    place: Identifier | None = None
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")


def tool_named(public_id: str, member: Member) -> Tool:
    tool = (
        catalogue(member).filter(public_id=public_id).first()
        if PUBLIC_ID.match(public_id)
        else None
    )
    if tool is None:
        raise not_found()
    return tool


def catalogue(member: Member) -> QuerySet[Tool]:
    return Tool.objects.filter(landlord_id=member.place.landlord_id, is_listed=True).select_related(
        "department"
    )


def page_by_name(tools: QuerySet[Tool], cursor: str | None, limit: int) -> list[Tool]:
    """The next `limit` tools by name, and one more that says whether more follow."""
    tools = tools.annotate(by_name=Lower("name")).order_by("by_name", "pk")
    if cursor:
        name, key = read_cursor(cursor, 2)
        if not re.fullmatch(r"\d{1,18}", key, re.ASCII):
            raise bad_cursor()
        tools = tools.filter(Q(by_name__gt=name) | Q(by_name=name, pk__gt=int(key)))
    return list(tools[: limit + 1])


def page_by_relevance(found: list[Tool], cursor: str | None, limit: int) -> tuple[list[Tool], int]:
    """A search ranks the whole (small) catalogue: its cursor is a place in that ranking."""
    start = read_cursor(cursor, 1)[0] if cursor else "0"
    if not re.fullmatch(r"\d{1,6}", start, re.ASCII):
        raise bad_cursor()
    return found[int(start) : int(start) + limit + 1], int(start)


def is_free_over(shelf: Shelf, first: date, last: date) -> bool:
    """Whether one copy is free from the first day to the end of the last."""
    return shelf.is_free(start_of(first), end_of(last), timedelta(0))


def tool_json(shelf: Shelf, now: Any) -> dict[str, Any]:
    tool = shelf.tool
    line = availability(shelf, now)
    return {
        "id": tool.public_id,
        "name": tool.name,
        "other_names": tool.other_names,
        "department": tool.department.slug,
        "picture": static(f"img/tools/{tool.picture}.svg") if tool.picture else None,
        "value_class": tool.value_class,
        "price_class": tool.price_class,
        "place": shelf.place.slug,
        "availability": {"state": line.state, "text": line.text, "on": line.on},
    }


@router.get(
    "/tools",
    summary=gettext_lazy("Les objets, avec leur disponibilité"),
    description=gettext_lazy(
        "Avec from ou to : seulement ce qui est libre du premier au dernier jour. "
        "Une page peut alors être plus courte que limit ; next dit s’il y a une suite."
    ),
    response={200: ToolsOut, 304: None, **PROBLEMS},
)
def tools(request: HttpRequest, filters: Query[Filters]) -> HttpResponse:
    now = timezone.now()
    member = member_of(request)
    place = place_named(filters.place, member)
    period = period_asked(filters.first, filters.last)
    if filters.q.strip():
        found = search_tools(member.place.landlord, filters.q)
        if filters.department:
            found = [tool for tool in found if tool.department.slug == filters.department]
        page, start = page_by_relevance(found, filters.cursor, filters.limit)
        following = make_cursor(str(start + filters.limit))
    else:
        rows = catalogue(member)
        if filters.department:
            rows = rows.filter(department__slug=filters.department)
        page = page_by_name(rows, filters.cursor, filters.limit)
        last = page[: filters.limit][-1:]
        following = make_cursor(last[0].by_name, str(last[0].pk)) if last else ""
    has_more = len(page) > filters.limit
    shown = list(shelves(page[: filters.limit], place, now).values())
    if period is not None:
        shown = [shelf for shelf in shown if is_free_over(shelf, *period)]
    return read(
        request,
        {
            "items": [tool_json(shelf, now) for shelf in shown],
            "next": following if has_more else None,
        },
    )


@router.get(
    "/tools/{tool_id}",
    summary=gettext_lazy("Un objet, avec les prochaines dates proposées"),
    response={200: ToolDetailOut, 304: None, **PROBLEMS, **declared(404)},
)
def tool(request: HttpRequest, tool_id: str) -> HttpResponse:
    now = timezone.now()
    member = member_of(request)
    found = tool_named(tool_id, member)
    shelf = shelves([found], member.place, now)[found.pk]
    return read(
        request,
        {
            **tool_json(shelf, now),
            "description": found.description,
            "advice": found.advice,
            "safety": found.safety,
            "brand": found.brand,
            "deposit": found.deposit,
            "parts": [{"name": part.name, "quantity": part.quantity} for part in found.parts.all()],
            "next_free": [
                {"starts_on": window.day, "ends_on": window.due_on}
                for window in windows(shelf, now)
            ],
        },
    )


@router.get(
    "/tools/{tool_id}/availability",
    summary=gettext_lazy("Combien d’exemplaires sont libres, jour par jour"),
    description=gettext_lazy("366 jours au plus ; sans dates, les trente jours à venir."),
    response={200: CalendarOut, 304: None, **PROBLEMS, **declared(404)},
)
def tool_calendar(
    request: HttpRequest, tool_id: str, filters: Query[CalendarFilters]
) -> HttpResponse:
    now = timezone.now()
    member = member_of(request)
    today = local_day(now)
    first = filters.first or min(today, filters.last or today)
    last = filters.last or first + timedelta(days=29)
    period = period_asked(first, last)
    assert period is not None
    place = place_named(filters.place, member)
    found = tool_named(tool_id, member)
    shelf = shelves([found], place, now)[found.pk]
    free = free_by_day(shelf, days_between(*period), now)
    return read(
        request,
        {
            "tool": found.public_id,
            "place": place.slug,
            "copies": len(shelf.active),
            "days": [{"day": day, "free": count} for day, count in free.items()],
        },
    )
