"""What stays tell the screens that mix kinds of bookings."""

from datetime import date, datetime
from typing import Any, Literal

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from pydantic import BaseModel, Field

from club.kernel import codes, words
from club.kernel.bookings import CalendarEntry, Channel, Kind
from club.kernel.inputs import Day, Identifier, Request
from club.kernel.spans import local_day
from club.models import Member, User
from concierge.domain.stay_fees import price_of
from concierge.domain.stays import book_stay, cancel_stay, move_stay
from concierge.enums import StayStatus, StayTask
from concierge.models import Stay
from concierge.queries.stays import visible_to

CHIPS = {
    StayStatus.BOOKED: "ok",
    StayStatus.RUNNING: "aside",
    StayStatus.ENDED: "ok",
}


def days_words(stay: Stay, today: date | None = None) -> str:
    """ "du lundi 15 mars au samedi 27 mars"."""
    first, last = words.day(stay.first_on, today), words.day(stay.last_on, today)
    if stay.first_on == stay.last_on:
        return first
    return _("du %(first)s au %(last)s") % {"first": first, "last": last}


def card(stay: Stay, now: datetime) -> dict[str, Any]:
    """One line of "Mes réservations". While it runs, the day that counts is the last."""
    service, today = stay.service, local_day(now)
    runs = stay.status == StayStatus.RUNNING and stay.first_on <= today
    return {
        "title": service.name,
        "picture": service.picture,
        "photo": None,
        "wall": service.wall,
        "reference": codes.spoken(stay.reference),
        "label": _("Garde, jusqu’au") if runs else _("Garde"),
        "day": words.day(stay.last_on, today) if runs else days_words(stay, today),
        "when": days_words(stay, today),
        "date": max(stay.last_on if runs else stay.first_on, today),
        "chip": {
            "kind": CHIPS.get(StayStatus(stay.status), "info"),
            "text": capfirst(str(stay.get_status_display())),
        },
    }


def where_of(stay: Stay) -> str:
    place = stay.place
    return f"{place.name}, {place.address}, {place.postcode} {place.city}"


def entry(stay: Stay) -> CalendarEntry:
    """Of the member's own agenda; the place is where keys are brought, never the home."""
    return CalendarEntry(
        uid=f"{stay.reference}@conciergerie",
        sequence=stay.sequence,
        title=stay.service.name,
        starts_at=stay.starts_at,
        ends_at=stay.ends_at,
        where=where_of(stay),
        description=_("Garde %(reference)s.") % {"reference": codes.spoken(stay.reference)},
        cancelled=stay.status == StayStatus.CANCELLED,
        changed_at=stay.cancelled_at or stay.created_at,
    )


def as_json(stay: Stay) -> dict[str, Any]:
    return {
        "kind": "stay",
        "reference": stay.reference,
        "status": stay.status,
        "place": stay.place.slug,
        "service": stay.service.public_id,
        "title": stay.service.name,
        "starts_on": stay.first_on,
        "ends_on": stay.last_on,
        "starts_at": stay.starts_at,
        "ends_at": stay.ends_at,
        "tasks": stay.tasks,
        "visit_every": stay.visit_every,
        "quantity": stay.quantity,
        "unit_cents": stay.unit_cents,
        "cents": price_of(stay),
        "created_at": stay.created_at,
    }


class StayRequest(Request):
    """First and last day included. `tasks` are some of those that the service offers; without
    `visit_every` its own rhythm."""

    kind: Literal["stay"]
    service: Identifier
    starts_on: Day
    ends_on: Day
    tasks: list[StayTask] = Field(min_length=1, max_length=20)
    visit_every: int | None = Field(None, ge=1, le=14)


class StayChanges(Request):
    """Other days; both are asked for."""

    starts_on: Day
    ends_on: Day


class StayOut(BaseModel):
    """`cents` is what it comes to when it ends; sooner back, fewer days are paid."""

    kind: Literal["stay"]
    reference: str
    status: StayStatus
    place: str
    service: str
    title: str
    starts_on: date
    ends_on: date
    starts_at: datetime
    ends_at: datetime
    tasks: list[str]
    visit_every: int
    quantity: int
    unit_cents: int
    cents: int
    created_at: datetime


def create(body: StayRequest, *, member: Member, now: datetime) -> Stay:
    return book_stay(
        member=member,
        service=body.service,
        first_on=body.starts_on,
        last_on=body.ends_on,
        tasks=[task.value for task in body.tasks],
        visit_every=body.visit_every,
        by=member.user,
        now=now,
        channel=Channel.API,
    )


def change(stay: Stay, body: StayChanges, *, by: User, now: datetime) -> Stay:
    return move_stay(stay, body.starts_on, body.ends_on, by=by, now=now, channel=Channel.API)


STAY = Kind(
    name="stay",
    model=Stay,
    visible_to=visible_to,
    card=card,
    entry=entry,
    cancel=cancel_stay,
    as_json=as_json,
    request=StayRequest,
    changes=StayChanges,
    answer=StayOut,
    create=create,
    move=change,
)
