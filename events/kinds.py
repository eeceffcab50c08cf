"""What registrations tell the screens that mix kinds of bookings."""

from datetime import datetime
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import BaseModel, Field

from club.kernel import codes, words
from club.kernel.bookings import CalendarEntry, Channel, Kind
from club.kernel.inputs import Identifier, Request, Text
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.models import Member, User
from events.domain.registrations import (
    Company,
    Person,
    accept,
    cancel,
    change_quantity,
    move_to,
    register,
)
from events.domain.waiting import position_of
from events.enums import RegistrationStatus
from events.models import Registration
from events.queries.registrations import visible_to

CHIPS = {
    RegistrationStatus.OFFERED: "aside",
    RegistrationStatus.PENDING: "aside",
    RegistrationStatus.CONFIRMED: "ok",
    RegistrationStatus.PRESENT: "ok",
}
GONE = (RegistrationStatus.CANCELLED, RegistrationStatus.LAPSED, RegistrationStatus.REFUSED)


def places_words(quantity: int) -> str:
    """ "3 places"."""
    return ngettext("%(number)d place", "%(number)d places", quantity) % {"number": quantity}


def card(registration: Registration, now: datetime) -> dict[str, Any]:
    """One line of "Mes réservations". What waits for the member's answer says until when."""
    event = registration.session.event
    status = RegistrationStatus(registration.status)
    ends_at = {
        RegistrationStatus.OFFERED: registration.offer_ends_at,
        RegistrationStatus.PENDING: registration.pay_until,
    }.get(status)
    return {
        "title": event.title,
        "picture": event.drawn,
        "photo": event.picture,
        "wall": event.wall,
        "reference": codes.spoken(registration.reference),
        "label": until_words(registration) if ends_at else places_words(registration.quantity),
        "day": words.moment(ends_at or registration.starts_at),
        "when": words.moment(registration.starts_at),
        "date": max(local_day(ends_at or registration.starts_at), local_day(now)),
        "asks": status == RegistrationStatus.OFFERED,
        "chip": {
            "kind": CHIPS.get(status, "info"),
            "text": str(registration.get_status_display()).capitalize(),
        },
    }


def until_words(registration: Registration) -> str:
    """ "3 places proposées, à prendre avant": its moment follows."""
    number = registration.quantity
    text = (
        ngettext(
            "%(number)d place proposée, à prendre avant",
            "%(number)d places proposées, à prendre avant",
            number,
        )
        if registration.status == RegistrationStatus.OFFERED
        else ngettext("%(number)d place, à payer avant", "%(number)d places, à payer avant", number)
    )
    return text % {"number": number}


def where_of(registration: Registration) -> str:
    session, place = registration.session, registration.place
    at = session.address or f"{place.name}, {place.address}, {place.postcode} {place.city}"
    return f"{session.room}, {at}" if session.room else at


def entry(registration: Registration) -> CalendarEntry:
    session = registration.session
    waits = registration.status in {RegistrationStatus.WAITING, RegistrationStatus.OFFERED}
    title = session.event.title
    return CalendarEntry(
        uid=f"{registration.reference}@conciergerie",
        sequence=registration.sequence,
        title=_("En attente : %(title)s") % {"title": title} if waits else title,
        starts_at=registration.starts_at,
        ends_at=registration.ends_at,
        where=where_of(registration),
        description=_("Inscription %(reference)s, %(places)s. %(bring)s")
        % {
            "reference": codes.spoken(registration.reference),
            "places": places_words(registration.quantity),
            "bring": session.event.bring,
        },
        cancelled=registration.status in GONE,
        changed_at=registration.cancelled_at
        or registration.lapsed_at
        or registration.refused_at
        or max(registration.created_at, session.changed_at),
    )


def as_json(registration: Registration) -> dict[str, Any]:
    waits = registration.status == RegistrationStatus.WAITING
    return {
        "kind": "registration",
        "reference": registration.reference,
        "status": registration.status,
        "place": registration.place.slug,
        "session": registration.session.public_id,
        "event": registration.session.event.public_id,
        "title": registration.session.event.title,
        "starts_at": registration.starts_at,
        "ends_at": registration.ends_at,
        "quantity": registration.quantity,
        "cents": registration.cents,
        "position": position_of(registration) if waits else None,
        "offer_ends_at": registration.offer_ends_at,
        "pay_until": registration.pay_until,
        "created_at": registration.created_at,
    }


class PersonIn(Request):
    """Without an age, an adult."""

    name: Text = ""
    age: int | None = Field(None, ge=0, le=120)


class AnswerIn(Request):
    question: int = Field(ge=1, le=2**31 - 1)
    value: Text


class RegistrationRequest(Request):
    """With `waiting_list`, a turn for all the places together where they are not free:
    `fewer_will_do` takes what there is."""

    kind: Literal["registration"]
    session: Identifier
    quantity: int = Field(1, ge=1, le=100)
    waiting_list: bool = False
    fewer_will_do: bool = False
    people: list[PersonIn] = Field(default_factory=list, max_length=100)
    answers: list[AnswerIn] = Field(default_factory=list, max_length=50)


class RegistrationChanges(Request):
    """One thing at a time: another number of places, another date, or yes to an offer."""

    quantity: int | None = Field(None, ge=1, le=100)
    session: Identifier | None = None
    accept: bool = False


class RegistrationAnswer(BaseModel):
    kind: Literal["registration"]
    reference: str
    status: RegistrationStatus
    place: str
    session: str
    event: str
    title: str
    starts_at: datetime
    ends_at: datetime
    quantity: int
    cents: int
    position: int | None
    offer_ends_at: datetime | None
    pay_until: datetime | None
    created_at: datetime


def create(body: RegistrationRequest, *, member: Member, now: datetime) -> Registration:
    return register(
        member=member,
        session=body.session,
        quantity=body.quantity,
        by=member.user,
        now=now,
        channel=Channel.API,
        waits=body.waiting_list,
        fewer_ok=body.fewer_will_do,
        company=Company(
            people=[Person(person.name, person.age) for person in body.people],
            answers={answer.question: answer.value for answer in body.answers},
        ),
    )


def change(
    registration: Registration, body: RegistrationChanges, *, by: User, now: datetime
) -> Registration:
    asked = [body.quantity is not None, body.session is not None, body.accept]
    if sum(asked) != 1:
        raise refuse("one_change", _("Demandez un seul changement : places, date ou accord."))
    # What a first call did refuses the second, which is then answered as the first was.
    is_done = registration.status != RegistrationStatus.OFFERED
    if (body.accept and is_done) or body.quantity == registration.quantity:
        raise refuse("wrong_state", _("Il n’y a rien à changer."))
    if body.accept:
        return accept(registration, by=by, now=now, channel=Channel.API)
    if body.session is not None:
        return move_to(registration, body.session, by=by, now=now, channel=Channel.API)
    assert body.quantity is not None
    return change_quantity(registration, body.quantity, by=by, now=now, channel=Channel.API)


REGISTRATION = Kind(
    name="registration",
    model=Registration,
    visible_to=visible_to,
    card=card,
    entry=entry,
    cancel=cancel,
    as_json=as_json,
    request=RegistrationRequest,
    changes=RegistrationChanges,
    answer=RegistrationAnswer,
    create=create,
    move=change,
    ends_by_itself=True,
    is_sure=lambda registration: registration.status != RegistrationStatus.WAITING,
)
