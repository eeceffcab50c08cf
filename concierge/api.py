"""`/tools`: the catalogue, what is free, a calendar for one object; `/services`: slots;
`/deliveries`: bread and baskets."""

import re
from datetime import date, datetime, timedelta
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
from concierge.domain.stays import soonest
from concierge.enums import Allergen, DeliveryStatus, ServiceKind, ServiceUnit, StayTask
from concierge.models import Delivery, Service, Tool
from concierge.queries.availability import Shelf, availability, free_by_day, shelves, windows
from concierge.queries.deliveries import on_shelves
from concierge.queries.search import search_tools
from concierge.queries.services import offered_at, rules_of, services_for
from concierge.queries.slots import Diary, diaries, diary_of

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


# -- Services and their slots ------------------------------------------------------------------


class ServiceQuestionOut(Schema):
    id: int
    text: str
    choices: list[str]
    required: bool


class StayRulesOut(Schema):
    """What a stay may ask for: tasks to choose from, a visit every n days at least."""

    tasks: list[StayTask]
    visit_every: int
    most_days: int
    soonest: date


class ServiceOut(Schema):
    """`next_free` is the next slot that can be booked; null where none is, or none is needed.
    `stay` has the rules of a service of kind stay; null for the others."""

    id: str
    name: str
    about: str
    kind: ServiceKind
    place: str
    cents: int
    unit: ServiceUnit
    subscribers_only: bool
    minutes: int
    seats: int
    next_free: datetime | None
    stay: StayRulesOut | None
    questions: list[ServiceQuestionOut]


class ServicesOut(Schema):
    items: list[ServiceOut]


class SlotOut(Schema):
    """`id` is what `POST /bookings` asks for."""

    id: datetime
    starts_at: datetime
    ends_at: datetime
    seats: int
    free: int


class SlotsOut(Schema):
    service: str
    place: str
    slots: list[SlotOut]


class ServiceFilters(Schema):
    place: Identifier | None = None


class SlotFilters(Schema):
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")


def service_json(service: Service, diary: Diary | None, now: datetime) -> dict[str, Any]:
    slot = next(iter(diary.bookable(now)), None) if diary else None
    return {
        "id": service.public_id,
        "name": service.name,
        "about": service.about,
        "kind": service.kind,
        "place": service.place.slug,
        "cents": service.unit_cents,
        "unit": service.unit,
        "subscribers_only": service.needs_right,
        "minutes": service.minutes,
        "seats": service.seats,
        "next_free": slot.starts_at if slot else None,
        "stay": stay_rules(service, now) if service.kind == ServiceKind.STAY else None,
        "questions": [
            {
                "id": question.pk,
                "text": question.text,
                "choices": question.options,
                "required": question.required,
            }
            for question in rules_of(service).questions
        ],
    }


def stay_rules(service: Service, now: datetime) -> dict[str, Any]:
    return {
        "tasks": service.tasks,
        "visit_every": service.visit_every,
        "most_days": service.most_days,
        "soonest": soonest(service, now),
    }


@router.get(
    "/services",
    summary=gettext_lazy("Les services, avec leur prochain créneau libre"),
    response={200: ServicesOut, 304: None, **PROBLEMS},
)
def services(request: HttpRequest, filters: Query[ServiceFilters]) -> HttpResponse:
    now = timezone.now()
    place = place_named(filters.place, member_of(request))
    found = list(offered_at(place))
    for service in found:
        service.place = place
    by_slot = [service for service in found if service.kind == ServiceKind.SLOT]
    last = local_day(now) + timedelta(days=max((one.horizon_days for one in by_slot), default=0))
    ahead = diaries(by_slot, local_day(now), last) if by_slot else {}
    items = [service_json(service, ahead.get(service.pk), now) for service in found]
    return read(request, {"items": items})


@router.get(
    "/services/{service_id}/slots",
    summary=gettext_lazy("Les créneaux d’un service, avec leurs places libres"),
    description=gettext_lazy(
        "366 jours au plus ; sans dates, les trente jours à venir. "
        "Ceux qui ne peuvent plus être réservés n’y sont pas ; ceux qui sont pris, si."
    ),
    response={200: SlotsOut, 304: None, **PROBLEMS, **declared(404)},
)
def slots(request: HttpRequest, service_id: str, filters: Query[SlotFilters]) -> HttpResponse:
    now = timezone.now()
    member = member_of(request)
    today = local_day(now)
    first = filters.first or min(today, filters.last or today)
    period = period_asked(first, filters.last or first + timedelta(days=29))
    assert period is not None
    service = (
        services_for(member).filter(public_id=service_id).first()
        if PUBLIC_ID.match(service_id)
        else None
    )
    if service is None:
        raise not_found()
    diary = diary_of(service, *period)
    return read(
        request,
        {
            "service": service.public_id,
            "place": service.place.slug,
            "slots": [
                {
                    "id": slot.starts_at,
                    "starts_at": slot.starts_at,
                    "ends_at": slot.ends_at,
                    "seats": slot.seats,
                    "free": slot.free,
                }
                for slot in diary.bookable(now, *period, with_taken=True)
            ],
        },
    )


# -- Bread and baskets -------------------------------------------------------------------------


class GoodOut(Schema):
    """`left` is how many can still be ordered; null where there is no end of it."""

    id: str
    name: str
    size: str
    about: str
    cents: int
    allergens: list[Allergen]
    left: int | None


class DeliveryOut(Schema):
    """`id` is what `POST /bookings` asks for, while `can_order` is true."""

    id: str
    name: str
    producer: str
    place: str
    day: date
    collect_from: datetime
    collect_until: datetime
    cutoff_at: datetime
    status: DeliveryStatus
    can_order: bool
    subscribers_only: bool
    products: list[GoodOut]


class DeliveriesOut(Schema):
    items: list[DeliveryOut]
    next: str | None


class DeliveryFilters(Schema):
    place: Identifier | None = None
    first: Day | None = Field(None, alias="from")
    last: Day | None = Field(None, alias="to")
    limit: int = Field(50, ge=1, le=100)
    cursor: Cursor | None = None


def delivery_json(delivery: Delivery, now: datetime) -> dict[str, Any]:
    return {
        "id": delivery.public_id,
        "name": delivery.round.name,
        "producer": delivery.producer.name,
        "place": delivery.place.slug,
        "day": delivery.day,
        "collect_from": delivery.collect_from,
        "collect_until": delivery.collect_until,
        "cutoff_at": delivery.cutoff_at,
        "status": delivery.status,
        "can_order": delivery.status == DeliveryStatus.OPEN and now < delivery.cutoff_at,
        "subscribers_only": delivery.round.needs_right,
        "products": [
            {
                "id": stock.product.public_id,
                "name": stock.product.name,
                "size": stock.product.size,
                "about": stock.product.about,
                "cents": stock.unit_cents,
                "allergens": stock.product.allergens,
                "left": stock.left,
            }
            for stock in delivery.shelf
        ],
    }


def after(rows: QuerySet[Delivery], cursor: str) -> QuerySet[Delivery]:
    moment, key = read_cursor(cursor, 2)
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise bad_cursor() from None
    is_ours = at.tzinfo is not None and 2000 <= at.year <= 2101
    if not (is_ours and re.fullmatch(r"\d{1,18}", key, re.ASCII)):
        raise bad_cursor()
    return rows.filter(Q(collect_from__gt=at) | Q(collect_from=at, pk__gt=int(key)))


@router.get(
    "/deliveries",
    summary=gettext_lazy("Le pain et les paniers qui arrivent, avec ce qu’il en reste"),
    description=gettext_lazy(
        "De from à to, 366 jours au plus ; sans dates, les trente jours à venir. "
        "place : un autre point d’accueil du bailleur ; sans lui, le vôtre."
    ),
    response={200: DeliveriesOut, 304: None, **PROBLEMS},
)
def deliveries(request: HttpRequest, filters: Query[DeliveryFilters]) -> HttpResponse:
    now = timezone.now()
    place = place_named(filters.place, member_of(request))
    first = filters.first or min(local_day(now), filters.last or local_day(now))
    period = period_asked(first, filters.last or first + timedelta(days=29))
    assert period is not None
    rows = Delivery.objects.filter(
        place=place, round__is_offered=True, day__gte=period[0], day__lte=period[1]
    ).order_by("collect_from", "pk")
    if filters.cursor:
        rows = after(rows, filters.cursor)
    keys = list(rows.values_list("pk", flat=True)[: filters.limit + 1])
    found = on_shelves(Delivery.objects.filter(pk__in=keys[: filters.limit]))
    following = None
    if len(keys) > filters.limit:
        following = make_cursor(found[-1].collect_from.isoformat(), str(found[-1].pk))
    return read(request, {"items": [delivery_json(one, now) for one in found], "next": following})
