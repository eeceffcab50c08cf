"""Appointments at a place that closes.

The rule, as it is told to people: an appointment on a closed day is cancelled, and whoever
had it goes to the head of the service's waiting list, in the order of their hours, for the
two weeks that follow. The list is walked at once, by its own rule: where a slot is free it
is offered and held. What was offered and not yet accepted is taken back, and its turn stays.
A cancelled appointment does not come back when the closure is withdrawn.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.domain.messages import channel_for, tell_change
from club.kernel import words
from club.kernel.closures import Change, Effect, Kind, Outcome
from club.kernel.spans import local_day, start_of
from club.kernel.transitions import log, move
from club.models import LogEntry, Place, User
from concierge.domain.seats import locked_appointment, locked_service, proposals
from concierge.domain.slot_wishes import LIVE, give_up_offer, offer_free
from concierge.enums import SEATED, AppointmentStatus, WishStatus
from concierge.models import Appointment, Service, SlotWish
from concierge.queries.slots import diary_ahead

NAME = "appointment"
WAITS = timedelta(days=14)
CLOSED = "cancel_for_closure"


def plan(change: Change, now: datetime) -> list[Effect]:
    rows = Appointment.objects.filter(place=change.place).select_related("service", "member__user")
    rows = rows.order_by("starts_at", "pk")
    effects: list[Effect] = []
    if change.shut:
        span = (start_of(min(change.shut)), start_of(max(change.shut) + timedelta(days=1)))
        coming = rows.filter(status__in=SEATED, ends_at__gt=now, starts_at__lt=span[1])
        for one in coming.filter(starts_at__gte=span[0]):
            if local_day(one.starts_at) in change.shut:
                effects.append(effect_of(one, Outcome.CANCELLED))
    return effects + what_stays(change)


def effect_of(one: Appointment, outcome: str) -> Effect:
    is_told = outcome == Outcome.CANCELLED
    becomes = _("annulé, en tête de la liste d’attente") if is_told else _("reste annulé")
    return Effect(
        NAME,
        one.pk,
        outcome,
        one.service.name,
        words.moment(one.starts_at),
        becomes,
        one.member,
        channel_for(one.member) if is_told else "",
        one.reference,
        facts=(one.status, one.starts_at.isoformat()),
    )


def what_stays(change: Change) -> list[Effect]:
    if not change.reopened:
        return []
    given_up = LogEntry.objects.filter(subject_kind=NAME, verb=CLOSED)
    rows = Appointment.objects.filter(
        place=change.place,
        status=AppointmentStatus.CANCELLED,
        starts_at__gte=start_of(min(change.reopened)),
        starts_at__lt=start_of(max(change.reopened) + timedelta(days=1)),
        pk__in=given_up.values("subject_id"),
    ).select_related("service", "member__user")
    return [
        effect_of(one, Outcome.STAYS)
        for one in rows.order_by("starts_at", "pk")
        if local_day(one.starts_at) in change.reopened
    ]


def lock(place: Place) -> None:
    """Whoever takes a seat locks its service: nobody does meanwhile."""
    rows = Service.objects.select_for_update(no_key=True).filter(place=place)
    list(rows.order_by("pk").values_list("pk"))


def apply(change: Change, effects: Sequence[Effect], by: User, now: datetime) -> None:
    """All seats are given up before the lists are walked, each list once."""
    asked: dict[int, list[Appointment]] = {}
    for effect in effects:
        if effect.outcome == Outcome.CANCELLED:
            one = locked_appointment(Appointment(pk=effect.pk))
            asked.setdefault(one.service_id, []).append(one)
    for pk, seated in asked.items():
        service = locked_service(Service(pk=pk))
        first = reopens_on(change)
        head = head_of(service, now)
        for number, one in enumerate(seated):
            turn = head - timedelta(seconds=len(seated) - number)
            give_up(one, first, turn, by=by, now=now)
        slots = proposals(diary_ahead(service, now), now, first)
        for one in seated:
            if one.status == AppointmentStatus.CANCELLED:
                tell_closed(one, slots, now)
        offer_free(service, by=by, now=now)


def reopens_on(change: Change) -> date:
    """The first day after the closed ones on which somebody is there again."""
    last = max(change.shut)
    return change.after.next_open_day(last + timedelta(days=1)) or last


def head_of(service: Service, now: datetime) -> datetime:
    waiting = SlotWish.objects.filter(service=service, status=WishStatus.WAITING)
    first = waiting.order_by("asked_at").values_list("asked_at", flat=True).first()
    return min(first, now) if first is not None else now


def give_up(one: Appointment, first: date, turn: datetime, *, by: User, now: datetime) -> None:
    if one.status == AppointmentStatus.OFFERED:
        give_up_offer(one, by=by, now=now, keeps_turn=True)
        return
    move(
        one,
        AppointmentStatus.CANCELLED,
        by=by,
        now=now,
        verb=CLOSED,
        sequence=one.sequence + 1,
    )
    wished = SlotWish.objects.filter(
        service=one.service_id, member=one.member_id, status__in=LIVE
    ).first()
    if wished is not None:
        return
    wished = SlotWish.objects.create(
        service=one.service,
        member=one.member,
        first_on=first,
        last_on=first + WAITS,
        asked_at=turn,
    )
    facts = {"to": wished.status, "instead_of": one.reference}
    log(wished, "wish", by=by, now=now, facts=facts)


def tell_closed(one: Appointment, slots: list[str], now: datetime) -> None:
    key = f"appointment.closure:{one.reference}:{one.sequence}"
    facts = {"next_slots": slots}
    tell_change(one.member, "appointment.closure", one, key=key, now=now, facts=facts)


APPOINTMENTS = Kind(NAME, gettext_lazy("Rendez-vous"), plan, apply, lock)
