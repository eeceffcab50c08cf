"""Changing and cancelling sessions: first told what it does to whom, then done.

The dry run and the deed are one plan: the deed makes the plan anew under lock and
refuses where it is no longer the one that was shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from club.domain.messages import channel_for
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.sealed import Sealed
from club.kernel.spans import at
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log, move
from club.models import Place, User
from events.domain import fees
from events.domain.places import locked_session
from events.domain.registrations import is_subscriber
from events.domain.schedules import put
from events.domain.told import told
from events.domain.waiting import offer_end, offer_places
from events.enums import (
    LIVE,
    OPEN,
    CancelReason,
    RegistrationStatus,
    SessionStatus,
)
from events.models import Registration, Session, WalkIn

TOLD = (*OPEN, RegistrationStatus.PRESENT)


@dataclass(frozen=True)
class Effect:
    """What an act does to one registration."""

    registration: Registration
    how: str | None
    """By which channel they are told; None: the desk calls."""
    refund_cents: int = 0
    gets_offer: bool = False

    @property
    def is_called(self) -> bool:
        return self.how is None


@dataclass
class Plan(Sealed[Effect]):
    """What was shown is what is done: see `club.kernel.sealed`."""

    sessions: list[Session]
    effects: list[Effect] = field(default_factory=list)

    @property
    def refund_cents(self) -> int:
        return sum(effect.refund_cents for effect in self.effects)

    @property
    def people(self) -> int:
        return sum(effect.registration.quantity for effect in self.effects)

    @property
    def facts(self) -> object:
        return (
            [(session.pk, session.sequence) for session in self.sessions],
            [
                (e.registration.pk, e.registration.status, e.registration.quantity,
                 e.refund_cents, e.gets_offer)
                for e in self.effects
            ],
        )  # fmt: skip


def registrations_of(sessions: Sequence[Session]) -> list[Registration]:
    """Those who are to be told, in the order in which they came."""
    rows = Registration.objects.filter(session__in=sessions, status__in=TOLD)
    return list(
        rows.select_related("member__user", "member__household", "session__event", "place")
        .order_by("session__starts_at", "created_at", "pk")
    )  # fmt: skip


def later_of_series(session: Session, now: datetime) -> list[Session]:
    """This session and those of its event that follow it."""
    return list(
        Session.objects.filter(
            event=session.event_id,
            status=SessionStatus.SCHEDULED,
            starts_at__gte=max(session.starts_at, now),
        )
        .select_related("event", "place")
        .order_by("starts_at", "pk")
    )


# -- Cancelling ---------------------------------------------------------------------------------


def plan_cancellation(
    sessions: Sequence[Session], *, instead: Session | None, now: datetime
) -> Plan:
    """Who is told and how, what is given back, who is offered a place at the other date."""
    plan = Plan(sorted(sessions, key=lambda one: (one.starts_at, one.pk)))
    free = None
    if instead is not None and offer_end(instead, now) is not None:
        free = instead.free if instead.capacity is not None else 1_000_000
    there = set()
    if instead is not None:
        live = Registration.objects.filter(session=instead, status__in=LIVE)
        there = set(live.values_list("member_id", flat=True))
    found = registrations_of(plan.sessions)
    paid = fees.paid_for(one.pk for one in found if one.unit_cents)
    for registration in found:
        had_place = registration.status != RegistrationStatus.WAITING
        offered = (
            free is not None
            and had_place
            and registration.member_id not in there
            and registration.quantity <= free
        )
        if offered and free is not None:
            free -= registration.quantity
            there.add(registration.member_id)
        cents = max(0, paid.get(registration.pk, 0))
        plan.effects.append(Effect(registration, channel_for(registration.member), cents, offered))
    return plan


@in_one_transaction
def cancel_sessions(
    sessions: Sequence[Session],
    *,
    reason: str,
    instead: Session | None = None,
    seal: str,
    by: User,
    now: datetime,
) -> Plan:
    """One act: the sessions are cancelled, everybody told, the money given back, and the
    other date offered with places that are held until the next evening."""
    if reason not in CancelReason.values:
        raise refuse("reason_missing", _("Choisissez pourquoi."), "reason")
    locked = lock_all(sessions, instead)
    mine = [locked[session.pk] for session in sessions]
    other = locked[instead.pk] if instead is not None else None
    refuse_impossible(mine, other, now)
    plan = plan_cancellation(mine, instead=other, now=now)
    plan.refuse_unless(seal, _("Des inscriptions ont changé. Relisez la liste."))
    for session in mine:
        move(
            session,
            SessionStatus.CANCELLED,
            by=by,
            now=now,
            verb="cancel_session",
            cancel_reason=reason,
            replaced_by=other,
            sequence=session.sequence + 1,
            changed_at=now,
            booked=walked_in(session),
        )
    for effect in plan.effects:
        call_off(effect, other, by=by, now=now)
    if other is not None:
        other.save(update_fields=["booked"])
    return plan


def walked_in(session: Session) -> int:
    """Who came without being registered, before it was called off."""
    came = WalkIn.objects.filter(session=session, undone_at=None)
    return came.aggregate(sum=Sum("quantity"))["sum"] or 0


def lock_all(sessions: Sequence[Session], instead: Session | None) -> dict[int, Session]:
    wanted = {session.pk for session in sessions} | ({instead.pk} if instead else set())
    return {pk: locked_session(pk) for pk in sorted(wanted)}


def refuse_impossible(sessions: Sequence[Session], instead: Session | None, now: datetime) -> None:
    reasons: list[Reason] = []
    if not sessions:
        reasons.append(Reason("nothing_chosen", _("Choisissez au moins une séance.")))
    if any(session.status == SessionStatus.CANCELLED for session in sessions):
        reasons.append(Reason("wrong_state", _("Cette séance est déjà annulée.")))
    if any(session.ends_at <= now for session in sessions):
        reasons.append(Reason("over", _("Cette séance est finie.")))
    if instead is not None and (
        instead.status == SessionStatus.CANCELLED
        or instead.starts_at <= now
        or instead.pk in {session.pk for session in sessions}
    ):
        text = _("Choisissez une autre date, à venir.")
        reasons.append(Reason("instead_wrong", text, "instead"))
    if reasons:
        raise Refused(reasons)


def call_off(effect: Effect, other: Session | None, *, by: User, now: datetime) -> None:
    """One registration of a session that does not take place."""
    registration = effect.registration
    to = RegistrationStatus.CANCELLED
    if registration.status == RegistrationStatus.PRESENT:
        move(
            registration, RegistrationStatus.CONFIRMED, by=by, now=now, verb="undo_present", came=0
        )
    move(
        registration,
        to,
        by=by,
        now=now,
        verb="session_cancelled",
        sequence=registration.sequence + 1,
        offer_ends_at=None,
        pay_until=None,
    )
    if registration.cents:
        fees.uncharge(registration, by=by, now=now)
        fees.give_money_back(registration, now=now)
    offered = offer_instead(registration, other, by=by, now=now) if effect.gets_offer else None
    facts = {"offered": offered.reference if offered else None}
    told(registration, "registration.session_cancelled", now=now, facts=facts)


def offer_instead(
    registration: Registration, other: Session | None, *, by: User, now: datetime
) -> Registration | None:
    """As many places at the other date, held as the waiting list holds them."""
    ends_at = offer_end(other, now) if other is not None else None
    if other is None or ends_at is None:
        return None
    other.booked += registration.quantity
    costs_the_same = other.price_cents == other.member_price_cents
    subscribes = costs_the_same or is_subscriber(registration.member, other)
    made = Registration.objects.create(
        session=other,
        member=registration.member,
        place=other.place,
        starts_at=other.starts_at,
        ends_at=other.ends_at,
        quantity=registration.quantity,
        wanted=registration.quantity,
        unit_cents=other.price_for(subscribes),
        status=RegistrationStatus.OFFERED,
        offered_at=now,
        offer_ends_at=ends_at,
        channel=registration.channel,
        created_at=now,
    )
    facts = {"to": made.status, "instead_of": registration.reference}
    log(made, "offer", by=by, now=now, facts=facts)
    return made


# -- Moving ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shift:
    """A new start and end of the first session, and where.

    The following sessions of a series move as many calendar days, to the same hours.
    """

    starts_at: datetime
    ends_at: datetime
    place: Place
    room: str = ""
    address: str = ""


def shifted(session: Session, first: Session, shift: Shift) -> tuple[datetime, datetime]:
    """By calendar days and wall-clock hours, so that a clock change adds no hour."""
    days = timezone.localdate(shift.starts_at) - timezone.localdate(first.starts_at)
    starts_on = timezone.localdate(session.starts_at) + days
    nights = timezone.localdate(shift.ends_at) - timezone.localdate(shift.starts_at)
    starts_at = at(starts_on, timezone.localtime(shift.starts_at).time())
    ends_at = at(starts_on + nights, timezone.localtime(shift.ends_at).time())
    if ends_at <= starts_at:
        ends_at = starts_at + (shift.ends_at - shift.starts_at)
    return starts_at, ends_at


def plan_move(sessions: Sequence[Session], *, now: datetime) -> Plan:
    plan = Plan(sorted(sessions, key=lambda one: (one.starts_at, one.pk)))
    plan.effects = [
        Effect(registration, channel_for(registration.member))
        for registration in registrations_of(plan.sessions)
    ]
    return plan


@in_one_transaction
def move_sessions(
    sessions: Sequence[Session], shift: Shift, *, seal: str, by: User, now: datetime
) -> Plan:
    """Other hours, another day or another room; registrations go along and are told."""
    locked = lock_all(sessions, None)
    mine = sorted((locked[one.pk] for one in sessions), key=lambda one: (one.starts_at, one.pk))
    refuse_impossible(mine, None, now)
    if any(session.starts_at <= now for session in mine):
        raise refuse("begun", _("La séance a commencé. Elle ne se déplace plus."))
    if shift.ends_at <= shift.starts_at:
        raise refuse("dates_in_disorder", _("La fin vient après le début."), "ends_at")
    if shift.starts_at <= now:
        raise refuse("past", _("Choisissez une date à venir."), "starts_at")
    plan = plan_move(mine, now=now)
    plan.refuse_unless(seal, _("Des inscriptions ont changé. Relisez la liste."))
    first = mine[0]
    wanted = {session.pk: shifted(session, first, shift) for session in mine}
    for session in mine:
        before = {"starts_at": session.starts_at.isoformat(), "room": session.room}
        starts_at, ends_at = wanted[session.pk]
        room, address = shift.room, shift.address
        put(session, starts_at, ends_at, shift.place, room=room, address=address, now=now)
        log(session, "move_session", by=by, now=now, facts={"before": before})
    for effect in plan.effects:
        registration = effect.registration
        registration.starts_at, registration.ends_at = wanted[registration.session_id]
        registration.place = shift.place
        registration.sequence += 1
        for name in ("offer_ends_at", "pay_until"):
            term = getattr(registration, name)
            if term is not None:
                setattr(registration, name, min(term, registration.starts_at))
        registration.save(
            update_fields=[
                "starts_at",
                "ends_at",
                "place",
                "sequence",
                "offer_ends_at",
                "pay_until",
            ]
        )
        told(registration, "registration.session_moved", now=now, settles=True)
    return plan


# -- Capacity ----------------------------------------------------------------------------------


def too_many(session: Session, capacity: int | None) -> int:
    """How many places are held beyond a wanted capacity."""
    return 0 if capacity is None else max(0, session.booked - capacity)


@in_one_transaction
def set_capacity(
    session: Session,
    capacity: int | None,
    *,
    keep_registered: bool = False,
    by: User,
    now: datetime,
) -> Session:
    """More places are offered at once to those who wait. Fewer than are held is asked
    about first, and then reached as places are given back: nobody is put out."""
    session = locked_session(session.pk)
    if capacity is not None and not 1 <= capacity <= 5000:
        raise refuse("capacity_wrong", _("Écrivez un nombre de 1 à 5000."), "capacity")
    extra = too_many(session, capacity)
    if extra and not keep_registered:
        text = ngettext_lazy(
            "Une place de trop est déjà prise. Personne n’est retiré : la salle garde ses"
            " inscrits, et une place rendue n’est plus donnée.",
            "%(extra)s places de trop sont déjà prises. Personne n’est retiré : la salle garde"
            " ses inscrits, et les places rendues ne sont plus données.",
            extra,
        ) % {"extra": extra}
        raise refuse("too_many_registered", text, "capacity", extra=extra)
    before = session.capacity
    session.capacity = None if capacity is None else max(capacity, session.booked)
    session.target_capacity = capacity if extra else None
    session.save(update_fields=["capacity", "target_capacity"])
    facts = {"before": before, "capacity": capacity}
    log(session, "set_capacity", by=by, now=now, facts=facts)
    offer_places(session, by=by, now=now)
    return session
