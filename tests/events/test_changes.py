"""Cancelling, moving and shrinking a session: shown first, then done as it was shown."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from club.domain.receipts import take_payment
from club.kernel.refusal import Refused
from club.kernel.spans import at
from club.models import LedgerEntry, LogEntry, Member, Message, Place, User
from events.domain import fees
from events.domain.changes import (
    Plan,
    Shift,
    cancel_sessions,
    later_of_series,
    move_sessions,
    plan_cancellation,
    plan_move,
    set_capacity,
)
from events.domain.registrations import accept, cancel, register
from events.enums import RegistrationStatus, SessionStatus
from events.models import EventPage, Registration, Session, WalkIn
from tests.events.test_register import take, told, unbroken
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.events import SessionFactory, make_event

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def by(place: Place) -> User:
    return AssignmentFactory(place=place).user


@pytest.fixture
def session(place: Place) -> Session:
    return SessionFactory(place=place)


@pytest.fixture
def other(session: Session) -> Session:
    return SessionFactory(place=session.place, event=session.event, in_days=14)


def call_off(
    *sessions: Session,
    by: User,
    instead: Session | None = None,
    now: datetime = LATER,
    seal: str = "",
    reason: str = "illness",
) -> Plan:
    again(*sessions, *filter(None, [instead]))
    seal = seal or plan_cancellation(sessions, instead=instead, now=now).seal
    return cancel_sessions(sessions, reason=reason, instead=instead, seal=seal, by=by, now=now)


def shift_to(session: Session, starts_at: datetime, hours: int = 2, **more: Any) -> Shift:
    more.setdefault("place", session.place)
    return Shift(starts_at, starts_at + timedelta(hours=hours), **more)


def go_to(*sessions: Session, shift: Shift, by: User, now: datetime = LATER) -> Plan:
    seal = plan_move(sessions, now=now).seal
    return move_sessions(sessions, shift, seal=seal, by=by, now=now)


def pay_at_desk(registration: Registration, by: User) -> None:
    [due] = fees.dues(registration.member.household, NOW)
    take_payment(
        member=registration.member,
        place=registration.place,
        lines=[due],
        means="cheque",
        by=by,
        now=NOW,
    )
    registration.refresh_from_db()


def again(*rows: Any) -> None:
    for row in rows:
        row.refresh_from_db()


# -- Cancelling ---------------------------------------------------------------------------------


def test_everybody_is_told_once_and_nobody_is_left_inside(
    session: Session, by: User, place: Place
) -> None:
    held = take(MemberFactory(place=place), session, 12)
    waits = take(MemberFactory(place=place), session, 2, waits=True)
    gone = SessionFactory(place=place, event=session.event, in_days=8)
    plan = call_off(session, by=by)
    again(session, held, waits, gone)
    assert [effect.registration for effect in plan.effects] == [held, waits]
    assert (session.status, session.booked, session.sequence) == ("cancelled", 0, 1)
    assert (session.cancel_reason, session.cancelled_at) == ("illness", LATER)
    assert (held.status, waits.status) == ("cancelled", "cancelled")
    for one in (held, waits):
        assert told(one.member)[-1] == "registration.session_cancelled"
        assert told(one.member).count("registration.session_cancelled") == 1
    assert gone.status == SessionStatus.SCHEDULED
    unbroken()


def test_twice_is_refused_and_changes_nothing(session: Session, by: User, member: Member) -> None:
    take(member, session)
    call_off(session, by=by)
    before = Message.objects.count()
    with pytest.raises(Refused) as refused:
        call_off(session, by=by)
    assert refused.value.codes == ["wrong_state"]
    assert Message.objects.count() == before


def test_who_has_neither_e_mail_nor_mobile_is_called(session: Session, by: User) -> None:
    rose = MemberFactory(place=session.place, user__email="", user__phone="")
    take(rose, session, 2)
    plan = plan_cancellation([session], instead=None, now=LATER)
    assert [effect.registration.member for effect in plan.to_call] == [rose]
    assert plan.people == 2
    call_off(session, by=by)
    assert not Message.objects.filter(member=rose).exists()


def test_money_comes_back_through_the_ledger(place: Place, by: User) -> None:
    session = SessionFactory(place=place, price_cents=300, pay_first=False)
    payer, owing = MemberFactory(place=place), MemberFactory(place=place)
    paid, unpaid = take(payer, session, 2), take(owing, session, 1)
    pay_at_desk(paid, by)
    plan = plan_cancellation([session], instead=None, now=LATER)
    assert {one.registration: one.refund_cents for one in plan.effects} == {paid: 600, unpaid: 0}
    assert plan.refund_cents == 600
    call_off(session, by=by)
    again(paid, unpaid)
    assert (fees.balance(paid), fees.balance(unpaid)) == (600, 0)
    assert fees.to_give_back(payer.household) == [(paid, 600)]
    assert list(fees.dues(owing.household, LATER)) == []
    assert not LedgerEntry.objects.filter(cents=0).exists()
    unbroken()


def test_too_late_for_a_refund_by_oneself_is_refunded_when_staff_cancel(
    place: Place, by: User
) -> None:
    session = SessionFactory(place=place, price_cents=300, cancel_hours=24)
    made = take(MemberFactory(place=place), session)
    pay_at_desk(made, by)
    call_off(session, by=by, now=session.starts_at - timedelta(hours=1))
    assert fees.balance(made) == 300


def test_a_whole_series(session: Session, other: Session, by: User, place: Place) -> None:
    before = SessionFactory(place=place, event=session.event, in_days=2)
    foreign = SessionFactory(place=place, in_days=9)
    family = MemberFactory(place=place)
    for one in (before, session, other):
        take(family, one)
    series = later_of_series(session, LATER)
    assert series == [session, other]
    call_off(*series, by=by)
    again(before, session, other, foreign)
    assert [one.status for one in (before, session, other, foreign)] == [
        "scheduled", "cancelled", "cancelled", "scheduled",
    ]  # fmt: skip
    assert told(family).count("registration.session_cancelled") == 2
    unbroken()


def test_the_other_date_is_offered_with_places_that_are_held(
    session: Session, other: Session, by: User, place: Place
) -> None:
    family, big = MemberFactory(place=place), MemberFactory(place=place)
    take(MemberFactory(place=place), other, 6)
    first, second = take(family, session, 4), take(big, session, 5)
    waits = MemberFactory(place=place)
    take(MemberFactory(place=place), session, 3)
    take(waits, session, 2, waits=True)
    plan = call_off(session, by=by, instead=other)
    assert {one.registration for one in plan.effects if one.gets_offer} == {first}
    again(session, other, first, second)
    assert (session.replaced_by, other.booked) == (other, 10)
    offered = Registration.objects.get(session=other, member=family)
    assert (offered.status, offered.quantity) == (RegistrationStatus.OFFERED, 4)
    message = Message.objects.get(member=family, event="registration.session_cancelled")
    assert message.facts["offered"] == offered.reference
    assert told(family) == ["registration.confirmed", "registration.session_cancelled"]
    with pytest.raises(Refused) as refused:
        take(MemberFactory(place=place), other, 3, now=LATER)
    assert refused.value.reasons[0].facts["places_left"] == 2
    accept(offered, by=family.user, now=LATER)
    unbroken()


def test_nobody_is_offered_the_date_that_they_have_already(
    session: Session, other: Session, by: User, member: Member
) -> None:
    take(member, session)
    take(member, other)
    plan = plan_cancellation([session], instead=other, now=LATER)
    assert [effect.gets_offer for effect in plan.effects] == [False]


def test_an_offer_costs_what_that_date_costs(place: Place, by: User) -> None:
    """Free for subscribers there, dearer for others: each by what they are."""
    session = SessionFactory(place=place, price_cents=0)
    other = SessionFactory(place=place, event=session.event, in_days=14, price_cents=300)
    guest = MemberFactory(place=place)
    take(guest, session)
    call_off(session, by=by, instead=other)
    assert Registration.objects.get(session=other).unit_cents == 300


@pytest.mark.parametrize("in_days", [-1, 0])
def test_the_other_date_has_to_come(session: Session, by: User, place: Place, in_days: int) -> None:
    past = SessionFactory(place=place, event=session.event, in_days=in_days)
    with pytest.raises(Refused) as refused:
        call_off(session, by=by, instead=past)
    assert refused.value.codes == ["instead_wrong"]


def test_what_was_shown_is_what_is_done(session: Session, by: User, place: Place) -> None:
    take(MemberFactory(place=place), session)
    seal = plan_cancellation([session], instead=None, now=LATER).seal
    take(MemberFactory(place=place), session)
    with pytest.raises(Refused) as refused:
        call_off(session, by=by, seal=seal)
    assert refused.value.codes == ["changed_meanwhile"]
    session.refresh_from_db()
    assert session.status == SessionStatus.SCHEDULED


@pytest.mark.parametrize("reason", ["", "fatigue"])
def test_a_reason_is_chosen(session: Session, by: User, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        call_off(session, by=by, reason=reason)
    assert refused.value.reasons[0].field == "reason"


def test_what_is_over_is_not_cancelled(session: Session, by: User) -> None:
    with pytest.raises(Refused) as refused:
        call_off(session, by=by, now=session.ends_at)
    assert refused.value.codes == ["over"]


def test_called_off_in_the_middle_with_people_inside(
    session: Session, by: User, member: Member
) -> None:
    made = take(member, session, 2)
    WalkIn.objects.create(session=session, first_name="Ali", quantity=1, came_at=NOW)
    Session.objects.filter(pk=session.pk).update(booked=3)
    call_off(session, by=by, now=session.starts_at + timedelta(minutes=5))
    again(made, session)
    assert (made.status, session.status, session.booked) == ("cancelled", "cancelled", 1)
    unbroken()


def test_nobody_registers_for_what_is_cancelled(session: Session, by: User, member: Member) -> None:
    call_off(session, by=by)
    with pytest.raises(Refused) as refused:
        take(member, session, now=LATER)
    assert refused.value.codes == ["session_cancelled"]


# -- Moving -------------------------------------------------------------------------------------


def test_registrations_go_along_and_are_told_once_things_settled(
    session: Session, by: User, member: Member, place: Place
) -> None:
    elsewhere = PlaceFactory(landlord=place.landlord, slug="ailleurs")
    made = take(member, session, 2)
    to = session.starts_at + timedelta(days=1, hours=1)
    go_to(session, shift=shift_to(session, to, place=elsewhere, room="Balzac"), by=by)
    again(session, made)
    assert (session.starts_at, session.place, session.room) == (to, elsewhere, "Balzac")
    assert (made.starts_at, made.ends_at, made.place) == (to, session.ends_at, elsewhere)
    assert (session.sequence, made.sequence, made.status) == (1, 1, "confirmed")
    assert session.closes_at == to - timedelta(hours=1)
    assert told(member) == ["registration.session_moved"]
    # Moved again within ten minutes: one message, with the last word.
    go_to(session, shift=shift_to(session, to + timedelta(hours=1)), by=by)
    assert told(member) == ["registration.session_moved"]
    assert LogEntry.objects.filter(subject_kind="session", verb="move_session").count() == 2
    unbroken()


def test_a_series_keeps_its_hours_over_the_clock_change(place: Place, by: User) -> None:
    event = make_event(place)
    thursdays = [date(2027, 3, 18), date(2027, 3, 25), date(2027, 4, 1)]
    series = [
        SessionFactory(
            place=place,
            event=event,
            starts_at=at(day, time(18)),
            ends_at=at(day, time(20)),
            opens_at=at(day - timedelta(days=7), time(0)),
        )
        for day in thursdays
    ]
    wanted = Shift(at(date(2027, 3, 20), time(10)), at(date(2027, 3, 20), time(12)), place)
    go_to(*series, shift=wanted, by=by)
    rows = [timezone.localtime(one.starts_at) for one in Session.objects.order_by("starts_at")]
    assert [f"{one:%d/%m %H:%M}" for one in rows] == [
        "20/03 10:00", "27/03 10:00", "03/04 10:00",
    ]  # fmt: skip
    opens = [timezone.localtime(one.opens_at) for one in Session.objects.order_by("starts_at")]
    assert [f"{one:%d/%m %H:%M}" for one in opens] == [
        "13/03 00:00", "20/03 00:00", "27/03 00:00",
    ]  # fmt: skip
    unbroken()


def test_one_session_into_the_night_of_the_change(session: Session, by: User) -> None:
    """To 28 March at 1:30 for two hours on the clock: one real hour, and still one session."""
    night = date(2027, 3, 28)
    wanted = Shift(at(night, time(1, 30)), at(night, time(3, 30)), session.place)
    go_to(session, shift=wanted, by=by)
    session.refresh_from_db()
    assert session.ends_at - session.starts_at == timedelta(hours=1)
    ends = timezone.localtime(session.ends_at)
    assert (ends.date(), ends.time()) == (night, time(3, 30))
    unbroken()


def test_offers_and_payments_end_before_the_new_start(place: Place, by: User) -> None:
    session = SessionFactory(place=place, price_cents=300, capacity=1)
    payer, waiting = MemberFactory(place=place), MemberFactory(place=place)
    made = take(payer, session)
    turn = take(waiting, session, waits=True)
    set_capacity(session, 2, by=by, now=LATER)
    again(session, turn)
    assert turn.status == RegistrationStatus.OFFERED
    to = LATER + timedelta(hours=5)
    go_to(session, shift=shift_to(session, to), by=by)
    again(made, turn)
    assert (made.pay_until, turn.offer_ends_at) == (to, to)
    unbroken()


@pytest.mark.parametrize(
    ("hours", "length", "field"), [(-30, 2, "starts_at"), (30, 0, "ends_at"), (30, -1, "ends_at")]
)
def test_a_move_that_cannot_be(
    session: Session, by: User, hours: int, length: int, field: str
) -> None:
    wanted = shift_to(session, LATER + timedelta(hours=hours), length)
    with pytest.raises(Refused) as refused:
        go_to(session, shift=wanted, by=by)
    assert [reason.field for reason in refused.value.reasons] == [field]


def test_what_has_begun_or_is_cancelled_stays(session: Session, by: User) -> None:
    wanted = shift_to(session, session.starts_at + timedelta(days=3))
    with pytest.raises(Refused) as refused:
        go_to(session, shift=wanted, by=by, now=session.starts_at)
    assert refused.value.codes == ["begun"]
    call_off(session, by=by)
    with pytest.raises(Refused) as refused:
        go_to(session, shift=wanted, by=by)
    assert refused.value.codes == ["wrong_state"]


def test_a_move_is_what_was_shown(session: Session, by: User, member: Member) -> None:
    seal = plan_move([session], now=LATER).seal
    take(member, session)
    wanted = shift_to(session, session.starts_at + timedelta(days=1))
    with pytest.raises(Refused) as refused:
        move_sessions([session], wanted, seal=seal, by=by, now=LATER)
    assert refused.value.codes == ["changed_meanwhile"]


# -- Capacity -----------------------------------------------------------------------------------


def test_fewer_places_than_are_held_is_asked_about(session: Session, by: User) -> None:
    take(MemberFactory(place=session.place), session, 9)
    with pytest.raises(Refused) as refused:
        set_capacity(session, 6, by=by, now=LATER)
    [reason] = refused.value.reasons
    assert (reason.code, reason.field) == ("too_many_registered", "capacity")
    assert reason.facts == {"extra": 3}
    session.refresh_from_db()
    assert (session.capacity, session.target_capacity) == (12, None)


def test_nobody_is_put_out_and_the_room_shrinks(session: Session, by: User) -> None:
    families = [MemberFactory(place=session.place) for _ in range(4)]
    held = [take(family, session, 3) for family in families]
    waiting = take(MemberFactory(place=session.place), session, 1, waits=True)
    set_capacity(session, 5, keep_registered=True, by=by, now=LATER)
    session.refresh_from_db()
    assert (session.booked, session.capacity, session.wanted_capacity) == (12, 12, 5)
    cancel(held[0], by=families[0].user, now=LATER)
    cancel(held[1], by=families[1].user, now=LATER)
    again(session, waiting)
    assert (session.booked, session.capacity, waiting.status) == (6, 6, "waiting")
    cancel(held[2], by=families[2].user, now=LATER)
    again(session, waiting)
    # Five places, three held: now the one who waits is offered theirs.
    assert (session.capacity, session.target_capacity) == (5, None)
    assert (session.booked, waiting.status) == (4, "offered")
    unbroken()


def test_more_places_are_offered_at_once(session: Session, by: User) -> None:
    take(MemberFactory(place=session.place), session, 12)
    family = MemberFactory(place=session.place)
    turn = take(family, session, 3, waits=True)
    set_capacity(session, 14, by=by, now=LATER)
    turn.refresh_from_db()
    assert turn.status == RegistrationStatus.WAITING
    set_capacity(session, 15, by=by, now=LATER)
    again(turn, session)
    assert (turn.status, session.booked) == (RegistrationStatus.OFFERED, 15)
    unbroken()


@pytest.mark.parametrize("capacity", [0, -1, 5001, 10**20])
def test_a_capacity_that_no_room_has(session: Session, by: User, capacity: int) -> None:
    with pytest.raises(Refused) as refused:
        set_capacity(session, capacity, by=by, now=LATER)
    assert refused.value.codes == ["capacity_wrong"]


def test_no_limit_at_all(session: Session, by: User) -> None:
    take(MemberFactory(place=session.place), session, 12)
    set_capacity(session, None, by=by, now=LATER)
    made = register(
        member=MemberFactory(place=session.place), session=session, quantity=20, by=by, now=LATER
    )
    assert made.status == RegistrationStatus.CONFIRMED
    unbroken()


def test_an_unpublished_event_takes_nobody(session: Session, member: Member) -> None:
    EventPage.objects.update(live=False)
    with pytest.raises(Refused) as refused:
        take(member, session)
    assert refused.value.codes == ["unknown_session"]
