"""An appointment: booked, one or every week, moved, cancelled, marked when somebody came."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell, tell_change
from club.kernel import codes
from club.kernel.bookings import Channel
from club.kernel.form_keys import once_a_form
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import at, local_day, start_of
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, User
from concierge.domain import appointment_fees as fees
from concierge.domain.seats import (
    Answers,
    answer_reasons,
    keep,
    keep_answers,
    limit_reason,
    locked_appointment,
    locked_service,
    overlapping,
    own_seats,
    right_reason,
    same_time,
    service_reasons,
    take_slot,
    taken,
    when_reason,
)
from concierge.domain.slot_wishes import fulfil, give_up_offer, offer_free, wish_of
from concierge.enums import SEATED, AppointmentStatus, WishStatus
from concierge.models import Appointment, Service
from concierge.queries.slots import Diary, Slot, diary_ahead, diary_of

MOST_WEEKS = 12
MOST_SERVED = 500
"""More pages or kilos than this at once is a slip of the finger."""
MARKED = (AppointmentStatus.DONE, AppointmentStatus.ABSENT)


# -- Booking --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """What a member asks of a locked service."""

    service: Service
    member: Member
    diary: Diary
    answers: Answers
    by: User
    now: datetime
    channel: str
    series: str = ""


@dataclass(frozen=True)
class Series:
    """What was booked of some weeks, and the dates that could not be."""

    made: list[Appointment] = field(default_factory=list)
    skipped: list[datetime] = field(default_factory=list)


@in_one_transaction
def book_slot(
    *,
    member: Member,
    service: Service | str,
    starts_at: datetime,
    by: User,
    now: datetime,
    answers: Answers | None = None,
    channel: str = Channel.WEB,
) -> Appointment:
    """Take a seat at the slot that begins then. Raises `Refused`, code `taken` with
    `next_slots` where no seat is left.

    The API gives the public identifier, so that no statement only looks the service up.
    """
    wanted = asked_for(member, service, answers, by=by, now=now, channel=channel)
    made = book(wanted, allowed(wanted, starts_at))
    key = f"appointment.booked:{made.reference}"
    tell(member, "appointment.booked", made, key=key, now=now)
    return made


@in_one_transaction
def book_series(
    *,
    member: Member,
    service: Service | str,
    starts_at: datetime,
    weeks: int,
    by: User,
    now: datetime,
    skip_taken: bool = True,
    answers: Answers | None = None,
    channel: str = Channel.WEB,
) -> Series:
    """The same hour of the wall for some weeks. Dates that cannot be booked are skipped and
    told; without `skip_taken` one of them refuses all."""
    if not 2 <= weeks <= MOST_WEEKS:
        text = _("Choisissez de 2 à %(most)s semaines.") % {"most": MOST_WEEKS}
        raise refuse("weeks_wrong", text, "weeks")
    name = codes.token()[:12]
    wanted = asked_for(member, service, answers, by=by, now=now, channel=channel, series=name)
    slots, booked = [], Series()
    first = timezone.localtime(starts_at, timezone.get_default_timezone())
    refusals = []
    for week in range(weeks):
        date = at(first.date() + timedelta(weeks=week), first.time())
        try:
            slots.append(allowed(wanted, date))
        except Refused as refused:
            booked.skipped.append(date)
            refusals.append(refused)
    if refusals and not (slots and skip_taken):
        raise refusals[0]
    booked.made.extend(book(wanted, slot) for slot in slots)
    head = booked.made[0]
    facts = {"skipped": [date.isoformat() for date in booked.skipped]}
    log(head, "book_series", by=by, now=now, channel=channel, facts=facts)
    tell(member, "appointment.series", head, key=f"appointment.series:{name}", now=now)
    return booked


def asked_for(
    member: Member,
    service: Service | str,
    answers: Answers | None,
    *,
    by: User,
    now: datetime,
    channel: str,
    series: str = "",
) -> Wanted:
    """The service under lock, what is free ahead, and what stands against any of its dates."""
    service = locked_service(service)
    reasons = service_reasons(service, member, channel)
    if reasons:
        raise Refused(reasons)
    hold(member)
    diary = diary_ahead(service, now)
    reasons = answer_reasons(diary.rules, answers or {}, channel)
    if reasons:
        raise Refused(reasons)
    return Wanted(service, member, diary, answers or {}, by, now, channel, series)


def book(wanted: Wanted, slot: Slot) -> Appointment:
    """One date, to which all rules have agreed."""
    service, now = wanted.service, wanted.now
    made = Appointment(
        service=service,
        member=wanted.member,
        place=service.place,
        unit_cents=service.unit_cents,
        series=wanted.series,
        channel=wanted.channel,
        created_at=now,
    )
    take_slot(made, slot)
    keep(made, wanted.diary)
    keep_answers(made, wanted.diary.rules, wanted.answers)
    log(made, "book", by=wanted.by, now=now, channel=wanted.channel, facts={"to": made.status})
    fulfil(made, by=wanted.by, now=now)
    return made


def allowed(wanted: Wanted, starts_at: datetime, *, moved: Appointment | None = None) -> Slot:
    """The slot, with a free seat for this member; else every reason against it."""
    diary, now = wanted.diary, wanted.now
    when = when_reason(diary, starts_at, now, wanted.channel)
    if when is not None:
        raise Refused(when)
    slot = diary.slot_at(starts_at)
    assert slot is not None
    own = own_seats(wanted.member, now)
    reasons = [right_reason(wanted.member, wanted.service, slot.day)]
    if moved is None:
        reasons.append(limit_reason(wanted.service, own, wanted.channel, series=wanted.series))
    if overlapping(own, slot, without=moved.pk if moved else None) is not None:
        reasons.append(same_time())
    found: list[Reason] = [reason for reason in reasons if reason is not None]
    if found:
        raise Refused(found)
    if not slot.free:
        raise taken(diary, now, slot.day)
    return slot


def book_once(*, form_key: str, member: Member, make: Callable[[], Appointment]) -> Appointment:
    """For the page that carries `form_key`: pressed twice, made once."""
    return once_a_form(Appointment, form_key=form_key, member=member, make=make)


# -- Changing -------------------------------------------------------------------------------


def is_own(appointment: Appointment, by: User | None) -> bool:
    return by is not None and appointment.member.user_id == by.pk


def changes_until(appointment: Appointment) -> datetime:
    """Until then members change and cancel by themselves; later they call the desk."""
    return appointment.starts_at - timedelta(minutes=appointment.service.cutoff_minutes)


def refuse_closed(appointment: Appointment, *, by: User, now: datetime) -> None:
    """What is over stays; members respect the cut-off, the desk acts until the end."""
    if appointment.status not in SEATED:
        raise refuse(
            "wrong_state",
            _("Ce rendez-vous ne peut plus changer : %(state)s.")
            % {"state": appointment.get_status_display()},
        )
    if now >= appointment.ends_at:
        raise refuse("over", _("Ce rendez-vous est passé."))
    is_sure = appointment.status == AppointmentStatus.BOOKED
    if is_sure and is_own(appointment, by) and now >= changes_until(appointment):
        raise refuse("too_late", _("C’est trop tard pour changer en ligne. Appelez l’accueil."))


@in_one_transaction
def move_slot(
    appointment: Appointment,
    starts_at: datetime,
    *,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Appointment:
    """Another slot of the same service; the reference and the price that was told stay."""
    appointment = locked_appointment(appointment)
    refuse_closed(appointment, by=by, now=now)
    if appointment.status != AppointmentStatus.BOOKED:
        raise refuse("wrong_state", _("Répondez d’abord à la proposition."))
    if starts_at == appointment.starts_at:
        raise refuse("wrong_state", _("Il n’y a rien à changer."))
    service, member = appointment.service, appointment.member
    hold(member)
    diary = diary_ahead(service, now, without=appointment.pk)
    wanted = Wanted(service, member, diary, {}, by, now, channel)
    slot = allowed(wanted, starts_at, moved=appointment)
    before = appointment.starts_at.isoformat()
    take_slot(appointment, slot)
    appointment.sequence += 1
    keep(appointment, diary, ["starts_at", "ends_at", "held_until", "lane", "sequence"])
    log(appointment, "move", by=by, now=now, channel=channel, facts={"before": before})
    tell_appointment(appointment, "appointment.moved", now=now)
    offer_free(service, by=by, now=now)
    return appointment


@in_one_transaction
def cancel_appointment(
    appointment: Appointment, *, by: User, now: datetime, channel: str = Channel.WEB
) -> Appointment:
    """Give the seat back, once; it goes on to those who wait."""
    appointment = locked_appointment(appointment)
    refuse_closed(appointment, by=by, now=now)
    return end(appointment, by=by, now=now, channel=channel)


def end(
    appointment: Appointment, *, by: User | None, now: datetime, channel: str = ""
) -> Appointment:
    """Whatever the cut-off says: of a locked appointment that is to come."""
    passing = None
    if appointment.status == AppointmentStatus.OFFERED:
        keeps_turn = not is_own(appointment, by)
        passing = appointment.member_id if keeps_turn else None
        give_up_offer(appointment, by=by, now=now, channel=channel, keeps_turn=keeps_turn)
    else:
        move(
            appointment,
            AppointmentStatus.CANCELLED,
            by=by,
            now=now,
            verb="cancel",
            channel=channel,
            sequence=appointment.sequence + 1,
        )
        tell_appointment(appointment, "appointment.cancelled", now=now)
    offer_free(appointment.service, by=by, now=now, passing=passing)
    return appointment


@in_one_transaction
def release(appointment: Appointment, *, by: User | None, now: datetime) -> None:
    """Of somebody who is erased: no cut-off, and no turn that goes on."""
    appointment = locked_appointment(appointment)
    if appointment.status not in SEATED:
        return
    wished = wish_of(appointment)
    if wished is not None:
        move(wished, WishStatus.CANCELLED, by=by, now=now, verb="holder_erased")
    end(appointment, by=by, now=now)


def tell_appointment(appointment: Appointment, event: str, *, now: datetime) -> None:
    """Once things have settled; `sequence` grows with each change."""
    key = f"{event}:{appointment.reference}:{appointment.sequence}"
    tell_change(appointment.member, event, appointment, key=key, now=now)


# -- Coming ---------------------------------------------------------------------------------


@in_one_transaction
def mark_done(
    appointment: Appointment, quantity: int = 1, *, by: User, now: datetime
) -> Appointment:
    """Somebody was served, from the day of the appointment on: its price is due."""
    appointment = locked_appointment(appointment)
    if now < start_of(local_day(appointment.starts_at)):
        raise refuse("not_yet", _("Ce rendez-vous est un autre jour."))
    if not 1 <= quantity <= MOST_SERVED:
        text = _("Écrivez un nombre de 1 à %(most)s.") % {"most": MOST_SERVED}
        raise refuse("quantity_wrong", text, "quantity")
    mark(appointment, AppointmentStatus.DONE, by=by, now=now, quantity=quantity)
    hold(appointment.member.household)
    cents, label = fees.price_of(appointment), fees.label_of(appointment)
    fees.charge(fees.KIND, appointment, appointment.member, cents, label, by=by, now=now)
    return appointment


@in_one_transaction
def mark_absent(appointment: Appointment, *, by: User, now: datetime) -> Appointment:
    """Nobody came: nothing is due, and the rest of the slot is free."""
    appointment = locked_appointment(appointment)
    if now < appointment.starts_at:
        raise refuse("not_yet", _("L’heure du rendez-vous n’est pas encore venue."))
    mark(appointment, AppointmentStatus.ABSENT, by=by, now=now)
    return appointment


def mark(appointment: Appointment, to: str, *, by: User, now: datetime, **changes: Any) -> None:
    move(appointment, to, by=by, now=now, channel=Channel.DESK, **changes)


@in_one_transaction
def unmark(appointment: Appointment, *, by: User, now: datetime) -> Appointment:
    """It was a mistake. The seat may have been given away meanwhile: then another, if one is."""
    appointment = locked_appointment(appointment)
    if appointment.status not in MARKED:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    hold(appointment.member.household)
    fees.uncharge(fees.KIND, appointment.pk, by=by, now=now)
    day = local_day(appointment.starts_at)
    lane = free_lane(diary_of(appointment.service, day), appointment)
    mark(
        appointment,
        AppointmentStatus.BOOKED,
        by=by,
        now=now,
        verb="unmark",
        lane=lane,
        quantity=1,
        done_at=None,
        absent_at=None,
    )
    return appointment


def free_lane(diary: Diary, appointment: Appointment) -> int:
    own = Slot(
        appointment.starts_at, appointment.ends_at, appointment.held_until, diary.service.seats
    )
    if appointment.lane not in diary.held_lanes(own):
        return appointment.lane
    lanes = diary.free_lanes(own)
    if not lanes:
        raise refuse("taken", _("Quelqu’un d’autre a pris cette place."))
    return lanes[0]
