"""The waiting list of a service: any slot between two days will do.

The rule, as it is told to people:

- Those who wait stand in the order in which they asked.
- When a seat is free, the list is walked from its head. Each is offered the first free
  slot of their days that they can come to: not while they have another appointment, nor
  beyond their subscription, nor above the number of appointments that a member may have.
- Whoever has no fitting slot is passed over and keeps their turn.
- An offer holds its seat until the next evening, 20 h, and never into the time in which
  one can no longer book: then it lapses, the turn is over, and the seat goes on.
- Saying no to an offer ends the turn. An offer that staff take back keeps its turn, and the
  others are asked first.
- Who books by themselves on one of the days that they wait for has what they wanted: the
  turn ends. A turn whose last day is over ends too, and that is told.
- In the last hours nothing is offered any more: what is free goes to whoever comes.

Whatever frees a seat comes here, by this one walk: a cancelled or moved appointment, an
offer that lapsed, a pause taken out, more seats, and each night the days that come into
reach.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell
from club.kernel.bookings import Channel
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import at, local_day
from club.kernel.transactions import Contended, hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, User
from concierge.domain.seats import (
    keep,
    limit_reason,
    locked_appointment,
    locked_service,
    overlapping,
    own_seats,
    right_reason,
    service_reasons,
    take_slot,
)
from concierge.enums import AppointmentStatus, WishStatus
from concierge.models import Appointment, Service, SlotWish
from concierge.queries.slots import Diary, Slot, diary_ahead

OFFER_UNTIL = time(20)
LAST_WORD = timedelta(minutes=30)
"""An offer that would end sooner than this is not made."""
LIVE = (WishStatus.WAITING, WishStatus.OFFERED)


# -- Asking, and giving up -------------------------------------------------------------------


@in_one_transaction
def wish(
    member: Member,
    service: Service | str,
    first_on: date,
    last_on: date,
    *,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> SlotWish:
    """A turn at the end of the list. Where a slot of these days is free, there is no waiting."""
    service = locked_service(service)
    hold(member)
    diary = diary_ahead(service, now)
    reasons = service_reasons(service, member, channel) or days_reasons(
        diary, first_on, last_on, now
    )
    if not reasons:
        own = own_seats(member, now)
        found = (
            limit_reason(service, own, channel),
            right_reason(member, service, max(first_on, local_day(now))),
        )
        reasons = [reason for reason in found if reason is not None]
    if SlotWish.objects.filter(service=service, member=member, status__in=LIVE).exists():
        reasons.append(Reason("already_waiting", _("Vous attendez déjà un créneau de ce service.")))
    if reasons:
        raise Refused(reasons)
    made = SlotWish(
        service=service, member=member, first_on=first_on, last_on=last_on, asked_at=now
    )
    fitting = first_fitting(made, diary, now)
    if fitting is not None:
        raise refuse(
            "slot_is_free",
            _("Un créneau est libre ces jours-là. Réservez-le."),
            next_slots=[fitting.starts_at.isoformat()],
        )
    try:
        made.save(force_insert=True)
    except IntegrityError as error:
        raise Contended from error
    facts = {"to": made.status, "first_on": first_on.isoformat(), "last_on": last_on.isoformat()}
    log(made, "wish", by=by, now=now, channel=channel, facts=facts)
    return made


def days_reasons(diary: Diary, first_on: date, last_on: date, now: datetime) -> list[Reason]:
    """Days to come, in order, and near enough for a slot to be offered on them."""
    if last_on < first_on:
        return [
            Reason("dates_in_disorder", _("Le dernier jour vient après le premier."), "last_on")
        ]
    if last_on < local_day(now):
        return [Reason("in_the_past", _("Ces jours sont passés."), "last_on")]
    if last_on > diary.last_day(now) + timedelta(days=366):
        return [Reason("too_far_ahead", _("Choisissez un jour d’ici à un an."), "last_on")]
    return []


@in_one_transaction
def take_wish_back(
    wished: SlotWish, *, by: User | None, now: datetime, channel: str = ""
) -> SlotWish:
    """Leave the list; what is offered meanwhile goes to the next."""
    service = locked_service(Service(pk=wished.service_id))
    wished = locked_wish(wished.pk)
    if wished.status == WishStatus.OFFERED and wished.appointment is not None:
        give_up_offer(wished.appointment, by=by, now=now, channel=channel)
        offer_free(service, by=by, now=now)
        return locked_wish(wished.pk)
    move(wished, WishStatus.CANCELLED, by=by, now=now, verb="take_wish_back", channel=channel)
    return wished


def locked_wish(pk: int) -> SlotWish:
    rows = SlotWish.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("appointment", "member__user").get(pk=pk)


def wish_of(appointment: Appointment) -> SlotWish | None:
    """The turn that an offered appointment answers."""
    rows = SlotWish.objects.select_for_update(no_key=True, of=("self",))
    return rows.filter(appointment=appointment, status=WishStatus.OFFERED).first()


def fulfil(appointment: Appointment, *, by: User, now: datetime) -> None:
    """Who has booked on one of the days that they waited for waits no more."""
    day = local_day(appointment.starts_at)
    waiting = SlotWish.objects.filter(
        service=appointment.service_id,
        member=appointment.member_id,
        status=WishStatus.WAITING,
        first_on__lte=day,
        last_on__gte=day,
    )
    for wished in waiting:
        move(wished, WishStatus.CANCELLED, by=by, now=now, verb="booked_instead")


# -- The walk --------------------------------------------------------------------------------


def offer_end(service: Service, slot: Slot, now: datetime) -> datetime | None:
    """Until when an offer made now holds; None where it is too late for one."""
    evening = at(local_day(now) + timedelta(days=1), OFFER_UNTIL)
    ends_at = min(evening, slot.starts_at - timedelta(minutes=service.lead_minutes))
    return ends_at if ends_at >= now + LAST_WORD else None


def offer_free(
    service: Service, *, by: User | None, now: datetime, passing: int | None = None
) -> list[Appointment]:
    """Walk the list of a locked service and offer what is free.

    `passing` is the member from whom staff have just taken an offer back: this once the
    others are asked, and their turn stays.
    """
    if not service.is_offered:
        return []
    queue = waiting_for(service)
    diary = diary_ahead(service, now) if queue else None
    offered = []
    for waiting in queue:
        assert diary is not None
        if waiting.member_id == passing:
            continue
        hold(waiting.member)
        slot = first_fitting(waiting, diary, now)
        if slot is not None:
            offered.append(offer(waiting, slot, diary, by=by, now=now))
    return offered


def waiting_for(service: Service) -> list[SlotWish]:
    """Those who wait, in their order, locked."""
    return list(
        SlotWish.objects.select_for_update(no_key=True, of=("self",))
        .filter(service=service, status=WishStatus.WAITING)
        .select_related("member__user", "member__household", "member__place")
        .order_by("asked_at", "pk")
    )


def first_fitting(waiting: SlotWish, diary: Diary, now: datetime) -> Slot | None:
    """The first free slot of their days that they can come to, in time to say so."""
    service, member = diary.service, waiting.member
    free = [
        slot
        for slot in diary.bookable(now, waiting.first_on, waiting.last_on)
        if offer_end(service, slot, now) is not None
    ]
    if not free:
        return None
    own = own_seats(member, now)
    if limit_reason(service, own, Channel.WEB) is not None:
        return None
    asked: dict[date, bool] = {}
    for slot in free:
        if overlapping(own, slot) is not None:
            continue
        if slot.day not in asked:
            asked[slot.day] = right_reason(member, service, slot.day) is None
        if asked[slot.day]:
            return slot
    return None


def offer(
    waiting: SlotWish, slot: Slot, diary: Diary, *, by: User | None, now: datetime
) -> Appointment:
    service = diary.service
    until = offer_end(service, slot, now)
    assert until is not None
    offered = Appointment(
        service=service,
        member=waiting.member,
        place=service.place,
        status=AppointmentStatus.OFFERED,
        unit_cents=service.unit_cents,
        offered_until=until,
        created_at=now,
    )
    take_slot(offered, slot)
    keep(offered, diary)
    facts = {"to": offered.status, "wish": waiting.pk, "until": until.isoformat()}
    log(offered, "offer", by=by, now=now, facts=facts)
    move(
        waiting,
        WishStatus.OFFERED,
        by=by,
        now=now,
        verb="offer",
        facts={"appointment": offered.pk},
        appointment=offered,
    )
    key = f"appointment.offered:{offered.reference}"
    tell(waiting.member, "appointment.offered", offered, key=key, now=now)
    return offered


@in_one_transaction
def look_again(service: Service, *, by: User | None, now: datetime) -> list[Appointment]:
    """Walk the list once more: the rules changed, a pause was taken out, a night has passed."""
    return offer_free(locked_service(service), by=by, now=now)


# -- Yes, no, nothing ------------------------------------------------------------------------


@in_one_transaction
def accept_offer(
    appointment: Appointment, *, by: User, now: datetime, channel: str = Channel.WEB
) -> Appointment:
    """Say yes before the offer lapses. A second yes changes nothing."""
    appointment = locked_appointment(appointment)
    if appointment.status == AppointmentStatus.BOOKED:
        return appointment
    if not offer_holds(appointment, now):
        raise refuse("offer_over", _("Cette proposition n’est plus valable."))
    wished = wish_of(appointment)
    move(
        appointment,
        AppointmentStatus.BOOKED,
        by=by,
        now=now,
        verb="accept",
        channel=channel,
        offered_until=None,
        sequence=appointment.sequence + 1,
    )
    if wished is not None:
        move(wished, WishStatus.TAKEN, by=by, now=now, verb="accept", channel=channel)
    key = f"appointment.booked:{appointment.reference}"
    tell(appointment.member, "appointment.booked", appointment, key=key, now=now)
    return appointment


def offer_holds(appointment: Appointment, now: datetime) -> bool:
    until = appointment.offered_until
    return appointment.status == AppointmentStatus.OFFERED and until is not None and now < until


def give_up_offer(
    appointment: Appointment,
    *,
    by: User | None,
    now: datetime,
    channel: str = "",
    keeps_turn: bool = False,
) -> None:
    """Its seat is free; its turn is over, or begins again where staff took the offer back."""
    wished = wish_of(appointment)
    move(
        appointment,
        AppointmentStatus.CANCELLED,
        by=by,
        now=now,
        verb="withdraw_offer" if keeps_turn else "decline",
        channel=channel,
        offered_until=None,
        sequence=appointment.sequence + 1,
    )
    if wished is not None:
        move(
            wished,
            WishStatus.WAITING if keeps_turn else WishStatus.CANCELLED,
            by=by,
            now=now,
            verb="withdraw_offer" if keeps_turn else "decline",
            channel=channel,
        )


@in_one_transaction
def lapse_offer(appointment: Appointment, *, now: datetime) -> Appointment:
    """Nobody answered: the seat goes on to the next."""
    appointment = locked_appointment(appointment)
    if appointment.status != AppointmentStatus.OFFERED or offer_holds(appointment, now):
        return appointment
    wished = wish_of(appointment)
    sequence = appointment.sequence + 1
    move(appointment, AppointmentStatus.LAPSED, by=None, now=now, verb="lapse",
         offered_until=None, sequence=sequence)  # fmt: skip
    if wished is not None:
        move(wished, WishStatus.LAPSED, by=None, now=now, verb="lapse")
    key = f"appointment.lapsed:{appointment.reference}"
    tell(appointment.member, "appointment.lapsed", appointment, key=key, now=now)
    offer_free(appointment.service, by=None, now=now)
    return appointment


@in_one_transaction
def lapse_wish(wished: SlotWish, *, now: datetime) -> SlotWish:
    """Its last day is over and no slot came free: that is told."""
    wished = locked_wish(wished.pk)
    if wished.status != WishStatus.WAITING or wished.last_on >= local_day(now):
        return wished
    move(wished, WishStatus.LAPSED, by=None, now=now, verb="lapse")
    tell(wished.member, "slot_wish.lapsed", wished, key=f"slot_wish.lapsed:{wished.pk}", now=now)
    return wished


def offers_to_lapse(now: datetime) -> QuerySet[Appointment]:
    return Appointment.objects.filter(
        status=AppointmentStatus.OFFERED, offered_until__lte=now
    ).order_by("pk")


def wishes_to_lapse(now: datetime) -> QuerySet[SlotWish]:
    return SlotWish.objects.filter(status=WishStatus.WAITING, last_on__lt=local_day(now)).order_by(
        "pk"
    )


def services_waited_for() -> Iterator[Service]:
    """Those whose list has somebody on it."""
    waiting = SlotWish.objects.filter(status=WishStatus.WAITING).values("service")
    yield from Service.objects.filter(pk__in=waiting).order_by("pk")
