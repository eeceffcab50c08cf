"""What appointments tell the screens that mix kinds of bookings."""

from datetime import datetime
from typing import Any, Literal

from django.utils.translation import gettext as _
from pydantic import AwareDatetime, BaseModel, Field

from club.kernel import codes, words
from club.kernel.bookings import CalendarEntry, Channel, Kind
from club.kernel.inputs import Identifier, Request, Text
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.models import Member, User
from concierge.domain.appointments import (
    MOST_WEEKS,
    book_series,
    book_slot,
    cancel_appointment,
    move_slot,
)
from concierge.domain.slot_wishes import accept_offer
from concierge.enums import AppointmentStatus
from concierge.models import Appointment
from concierge.queries.services import visible_to

CHIPS = {
    AppointmentStatus.OFFERED: "aside",
    AppointmentStatus.BOOKED: "ok",
    AppointmentStatus.DONE: "ok",
}
GONE = (AppointmentStatus.CANCELLED, AppointmentStatus.LAPSED)


def card(appointment: Appointment, now: datetime) -> dict[str, Any]:
    """One line of "Mes réservations". What waits for the member's answer says until when."""
    service = appointment.service
    is_offered = appointment.status == AppointmentStatus.OFFERED
    until = appointment.offered_until if is_offered else None
    return {
        "title": service.name,
        "picture": service.picture,
        "photo": None,
        "wall": service.wall,
        "reference": codes.spoken(appointment.reference),
        "label": _("Créneau proposé, à prendre avant") if until else _("Rendez-vous"),
        "day": words.moment(until or appointment.starts_at),
        "when": words.moment(appointment.starts_at),
        "date": max(local_day(until or appointment.starts_at), local_day(now)),
        "asks": is_offered,
        "chip": {
            "kind": CHIPS.get(AppointmentStatus(appointment.status), "info"),
            "text": str(appointment.get_status_display()).capitalize(),
        },
    }


def where_of(appointment: Appointment) -> str:
    place = appointment.place
    return f"{place.name}, {place.address}, {place.postcode} {place.city}"


def entry(appointment: Appointment) -> CalendarEntry:
    is_offered = appointment.status == AppointmentStatus.OFFERED
    title = appointment.service.name
    return CalendarEntry(
        uid=f"{appointment.reference}@conciergerie",
        sequence=appointment.sequence,
        title=_("Proposé : %(title)s") % {"title": title} if is_offered else title,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        where=where_of(appointment),
        description=_("Rendez-vous %(reference)s.")
        % {"reference": codes.spoken(appointment.reference)},
        cancelled=appointment.status in GONE,
        changed_at=appointment.cancelled_at or appointment.lapsed_at or appointment.created_at,
    )


def as_json(appointment: Appointment) -> dict[str, Any]:
    return {
        "kind": "appointment",
        "reference": appointment.reference,
        "status": appointment.status,
        "place": appointment.place.slug,
        "service": appointment.service.public_id,
        "title": appointment.service.name,
        "starts_at": appointment.starts_at,
        "ends_at": appointment.ends_at,
        "quantity": appointment.quantity,
        "unit_cents": appointment.unit_cents,
        "offered_until": appointment.offered_until,
        "series": appointment.series or None,
        "skipped": getattr(appointment, "skipped", []),
        "created_at": appointment.created_at,
    }


class AppointmentAnswerIn(Request):
    question: int = Field(ge=1, le=2**31 - 1)
    value: Text


class AppointmentRequest(Request):
    """`slot` is the instant at which a slot of the service begins. With `weeks` the same hour
    for as many weeks: the dates that are taken are skipped, unless `skip_taken` is false."""

    kind: Literal["appointment"]
    service: Identifier
    slot: AwareDatetime
    weeks: int = Field(1, ge=1, le=MOST_WEEKS)
    skip_taken: bool = True
    answers: list[AppointmentAnswerIn] = Field(default_factory=list, max_length=50)


class AppointmentChanges(Request):
    """Another slot, or yes to the one that is offered."""

    slot: AwareDatetime | None = None
    accept: bool = False


class AppointmentOut(BaseModel):
    """`skipped` tells the dates of a series that could not be booked, once: when it is made."""

    kind: Literal["appointment"]
    reference: str
    status: AppointmentStatus
    place: str
    service: str
    title: str
    starts_at: datetime
    ends_at: datetime
    quantity: int
    unit_cents: int
    offered_until: datetime | None
    series: str | None
    skipped: list[datetime]
    created_at: datetime


def within_reach(moment: datetime) -> datetime:
    """A bounded instant: calendars end before their last year does."""
    if not 2000 <= moment.year <= 2100:
        raise refuse("no_such_slot", _("Ce créneau n’existe pas. Choisissez-en un autre."), "slot")
    return moment


def create(body: AppointmentRequest, *, member: Member, now: datetime) -> Appointment:
    asked: dict[str, Any] = {
        "member": member,
        "service": body.service,
        "starts_at": within_reach(body.slot),
        "by": member.user,
        "now": now,
        "answers": {answer.question: answer.value for answer in body.answers},
        "channel": Channel.API,
    }
    if body.weeks == 1:
        return book_slot(**asked)
    series = book_series(**asked, weeks=body.weeks, skip_taken=body.skip_taken)
    head = series.made[0]
    head.skipped = series.skipped  # type: ignore[attr-defined]
    return head


def change(
    appointment: Appointment, body: AppointmentChanges, *, by: User, now: datetime
) -> Appointment:
    if (body.slot is None) != body.accept:
        raise refuse("one_change", _("Demandez un seul changement : créneau ou accord."))
    if body.slot is not None:
        slot = within_reach(body.slot)
        return move_slot(appointment, slot, by=by, now=now, channel=Channel.API)
    # What a first call did refuses the second, which is then answered as the first was.
    if appointment.status != AppointmentStatus.OFFERED:
        raise refuse("wrong_state", _("Il n’y a rien à changer."))
    return accept_offer(appointment, by=by, now=now, channel=Channel.API)


APPOINTMENT = Kind(
    name="appointment",
    model=Appointment,
    visible_to=visible_to,
    card=card,
    entry=entry,
    cancel=cancel_appointment,
    as_json=as_json,
    request=AppointmentRequest,
    changes=AppointmentChanges,
    answer=AppointmentOut,
    create=create,
    move=change,
    ends_by_itself=True,
)
