"""A seat at a slot: who may take one, and the claim of it, which the database judges.

Each verb that takes or frees seats first locks the service; seats are then read and given
one after the other. What slips past that meets the guard on the lane, and is read again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from club.enums import Activity
from club.kernel import words
from club.kernel.bookings import Channel
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import Contended, is_held
from club.models import Member
from club.queries.entitlement import may
from concierge.enums import SEATED, ServiceKind
from concierge.guards import ONE_SEAT
from concierge.models import Appointment, AppointmentAnswer, Service
from concierge.queries.services import Rules
from concierge.queries.slots import Diary, Seated, Slot

PROPOSED = 3
"""How many free slots a refusal names."""

Answers = dict[int, str]
"""What was answered, by the number of the question."""


# -- Locks ---------------------------------------------------------------------------------


def locked_service(service: Service | str) -> Service:
    """The service as it is now, with its place, until the transaction ends."""
    rows = Service.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.select_related("place__landlord")
    asked: dict[str, Any] = {"public_id": service} if isinstance(service, str) else {
        "pk": service.pk
    }  # fmt: skip
    found = rows.filter(**asked).first()
    if found is None:
        raise unknown_service()
    is_held(found)
    return found


def unknown_service() -> Refused:
    return refuse("unknown_service", _("Ce service est inconnu."), "service")


def locked_appointment(appointment: Appointment) -> Appointment:
    """Under the lock of its service, which is taken first everywhere."""
    service = locked_service(
        Service(pk=Appointment.objects.values_list("service_id", flat=True).get(pk=appointment.pk))
    )
    held = (
        Appointment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member__user", "member__household", "member__place", "place")
        .get(pk=appointment.pk)
    )
    held.service = service
    return held


# -- Rules ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Own:
    """A seat that the member has to come."""

    pk: int
    service_id: int
    name: str
    starts_at: datetime
    ends_at: datetime


def own_seats(member: Member, now: datetime) -> list[Own]:
    """The dates of one series bear one name."""
    rows = own_rows(member, now).values_list(
        "pk", "service_id", "series", "reference", "starts_at", "ends_at"
    )
    return [
        Own(pk, service_id, series or reference, starts_at, ends_at)
        for pk, service_id, series, reference, starts_at, ends_at in rows
    ]


def own_rows(member: Member, now: datetime) -> QuerySet[Appointment]:
    return Appointment.objects.filter(member=member, status__in=SEATED, ends_at__gt=now)


def overlapping(own: Iterable[Own], slot: Slot, *, without: int | None = None) -> Own | None:
    for seat in own:
        is_at_once = seat.starts_at < slot.ends_at and slot.starts_at < seat.ends_at
        if is_at_once and seat.pk != without:
            return seat
    return None


def same_time() -> Reason:
    return Reason("same_time", _("Vous avez déjà un rendez-vous à cette heure."), "slot")


def right_reason(member: Member, service: Service, day: date) -> Reason | None:
    return may(member, Activity.SERVICES, day, day) if service.needs_right else None


def service_reasons(service: Service, member: Member, channel: str) -> list[Reason]:
    if service.place.landlord_id != member.place.landlord_id:
        return unknown_service().reasons
    is_seen = service.place.is_public or service.place_id == member.place_id
    if channel != Channel.DESK and not is_seen:
        return unknown_service().reasons
    if service.kind != ServiceKind.SLOT:
        return [Reason("no_appointment", _("Ce service se fait sans rendez-vous : passez."))]
    if not service.is_offered and channel != Channel.DESK:
        return [Reason("not_offered", _("Ce service n’est plus proposé. Appelez l’accueil."))]
    return []


def limit_reason(
    service: Service, own: Iterable[Own], channel: str, *, series: str = ""
) -> Reason | None:
    """So many at a time by member; the dates of a series count once. The desk may add one."""
    names = {seat.name for seat in own if seat.service_id == service.pk} - {series}
    if channel == Channel.DESK or len(names) < service.most_open:
        return None
    text = ngettext_lazy(
        "Vous avez déjà un rendez-vous pour ce service.",
        "Vous avez déjà %(number)d rendez-vous pour ce service.",
        service.most_open,
    ) % {"number": service.most_open}
    return Reason("too_many_open", text, "slot", {"limit": service.most_open})


def when_reason(diary: Diary, starts_at: datetime, now: datetime, channel: str) -> Reason | None:
    """A slot that is there, not too soon and not too far ahead."""
    last = diary.last_day(now)
    text: str | Promise
    if local_day(starts_at) > last:
        text = _("On réserve jusqu’au %(day)s.") % {"day": words.day(last)}
        return Reason("too_far_ahead", text, "slot", {"last": last.isoformat()})
    slot = diary.slot_at(starts_at)
    if slot is None:
        facts = {"next_slots": proposals(diary, now, local_day(starts_at))}
        text = _("Ce créneau n’existe pas. Choisissez-en un autre.")
        return Reason("no_such_slot", text, "slot", facts)
    if diary.is_too_late(slot, now, at_desk=channel == Channel.DESK):
        facts = {"next_slots": proposals(diary, now)}
        return Reason(
            "too_late", _("C’est trop tard pour ce créneau. Appelez-nous."), "slot", facts
        )
    return None


def proposals(diary: Diary, now: datetime, first: date | None = None) -> list[str]:
    """The next free slots from that day on, else from today."""
    found: list[str] = []
    for begin in (first, None):
        for slot in diary.bookable(now, begin):
            found.append(slot.starts_at.isoformat())
            if len(found) == PROPOSED:
                break
        if found:
            break
    return found


def taken(diary: Diary, now: datetime, first: date) -> Refused:
    """Nobody can sit there any more: say so, with the next free slots."""
    return refuse(
        "taken",
        _("Ce créneau vient d’être pris. Choisissez-en un autre."),
        "slot",
        next_slots=proposals(diary, now, first),
    )


def answer_reasons(rules: Rules, answers: Answers, channel: str) -> list[Reason]:
    """Answers to choose from; at the desk they may be left out."""
    reasons = []
    for question in rules.questions:
        value, name = answers.get(question.pk, ""), f"question_{question.pk}"
        if value and value not in question.options:
            reasons.append(Reason("answer_wrong", _("Choisissez une des réponses."), name))
        elif not value and question.required and channel != Channel.DESK:
            reasons.append(Reason("answer_missing", _("Répondez à cette question."), name))
    return reasons


def keep_answers(appointment: Appointment, rules: Rules, answers: Answers) -> None:
    AppointmentAnswer.objects.bulk_create(
        AppointmentAnswer(appointment=appointment, asked=question.text, value=value)
        for question in rules.questions
        if (value := answers.get(question.pk, ""))
    )


# -- The claim -----------------------------------------------------------------------------


def take_slot(appointment: Appointment, slot: Slot) -> None:
    """The slot's hours and its first free seat; kept by `keep`."""
    appointment.starts_at, appointment.ends_at = slot.starts_at, slot.ends_at
    appointment.held_until = slot.held_until
    appointment.lane = slot.lanes[0]


def keep(appointment: Appointment, diary: Diary, fields: list[str] | None = None) -> None:
    """Write it; a lane that somebody took meanwhile is read again from the start."""
    try:
        if fields is None:
            appointment.save(force_insert=True)
        else:
            appointment.save(update_fields=fields)
    except IntegrityError as error:
        if is_taken(error):
            raise Contended from error
        raise
    diary.seat(
        Seated(appointment.pk, appointment.lane, appointment.starts_at, appointment.held_until)
    )


def is_taken(error: IntegrityError) -> bool:
    return ONE_SEAT.name in str(error)
