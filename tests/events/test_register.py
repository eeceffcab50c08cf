"""Taking places: what is refused and why, what is told, what it costs."""

from datetime import timedelta
from typing import Any

import pytest

from club.enums import Activity
from club.kernel.bookings import Channel
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import LedgerEntry, Member, Message
from events.domain.registrations import (
    Company,
    Person,
    accept,
    cancel,
    change_quantity,
    lapse,
    move_to,
    register,
)
from events.domain.waiting import position_of
from events.enums import RegistrationStatus
from events.models import Registration, Session
from tests.factories.club import NOW, MemberFactory, RightFactory
from tests.factories.events import RegistrationFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(place: Any) -> Session:
    return SessionFactory(place=place)


def take(member: Member, session: Session, quantity: int = 1, **more: Any) -> Registration:
    more.setdefault("now", NOW)
    return register(member=member, session=session, quantity=quantity, by=member.user, **more)


def told(member: Member) -> list[str]:
    return list(
        Message.objects.filter(member=member).order_by("pk").values_list("event", flat=True)
    )


def unbroken() -> None:
    assert [line for one in all_invariants() for line in one.violations()] == []


def test_three_places_are_held_counted_and_told(member: Member, session: Session) -> None:
    made = take(member, session, 3)
    session.refresh_from_db()
    assert (made.status, session.booked, made.cents) == (RegistrationStatus.CONFIRMED, 3, 0)
    assert told(member) == ["registration.confirmed"]
    unbroken()


def test_a_full_session_says_how_many_places_are_left(
    member: Member, other_member: Member, session: Session
) -> None:
    take(other_member, session, 10)
    with pytest.raises(Refused) as refused:
        take(member, session, 3)
    [reason] = refused.value.reasons
    assert reason.code == "full"
    assert (reason.facts["places_left"], reason.facts["can_wait"]) == (2, True)
    assert not Registration.objects.filter(member=member).exists()


def test_the_same_person_twice_is_told(member: Member, session: Session) -> None:
    take(member, session)
    with pytest.raises(Refused) as refused:
        take(member, session)
    assert refused.value.codes == ["already_registered"]


@pytest.mark.parametrize(
    ("changes", "minutes_before", "code"),
    [
        ({}, 60, "closed"),
        ({}, 0, "begun"),
        ({"opens_at": NOW + timedelta(days=3)}, 7 * 24 * 60, "not_open"),
        ({"others_at": NOW + timedelta(days=3)}, 7 * 24 * 60, "subscribers_first"),
        ({"members_only": True}, 7 * 24 * 60, "no_right"),
    ],
)
def test_the_hours_and_the_rights_of_a_session(
    place: Any, changes: dict[str, Any], minutes_before: int, code: str
) -> None:
    session = SessionFactory(place=place, **changes)
    at = session.starts_at - timedelta(minutes=minutes_before)
    with pytest.raises(Refused) as refused:
        take(MemberFactory(place=place), session, now=at)
    assert refused.value.codes == [code]


def test_a_second_before_it_closes_it_is_open(member: Member, session: Session) -> None:
    at = session.closes_at - timedelta(seconds=1)
    assert take(member, session, now=at).status == RegistrationStatus.CONFIRMED


def test_the_desk_is_not_bound_by_the_hours(member: Member, session: Session) -> None:
    made = take(member, session, now=session.starts_at, channel=Channel.DESK)
    assert made.status == RegistrationStatus.CONFIRMED


def test_subscribers_come_free_and_others_pay_first(place: Any, member: Member) -> None:
    session = SessionFactory(place=place, price_cents=300)
    RightFactory(household=member.household, activity=Activity.EVENTS)
    assert take(member, session, 2).status == RegistrationStatus.CONFIRMED
    other = MemberFactory(place=place)
    made = take(other, session, 2)
    assert (made.status, made.cents) == (RegistrationStatus.PENDING, 600)
    assert made.pay_until == NOW + timedelta(hours=48)
    assert LedgerEntry.objects.get().cents == -600
    unbroken()


def test_places_nobody_paid_go_back(place: Any) -> None:
    session = SessionFactory(place=place, price_cents=300, capacity=2)
    payer, waiting = MemberFactory(place=place), MemberFactory(place=place)
    made = take(payer, session, 2)
    turn = take(waiting, session, 2, waits=True)
    lapse(made, now=NOW + timedelta(hours=47))
    made.refresh_from_db()
    assert made.status == RegistrationStatus.PENDING
    lapse(made, now=NOW + timedelta(hours=48))
    made.refresh_from_db()
    turn.refresh_from_db()
    assert (made.status, turn.status) == (RegistrationStatus.LAPSED, RegistrationStatus.OFFERED)
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0
    unbroken()


def test_a_household_takes_as_many_as_it_may(place: Any, member: Member) -> None:
    session = SessionFactory(place=place, household_limit=4)
    partner = MemberFactory(place=place, household=member.household)
    take(member, session, 3)
    with pytest.raises(Refused) as refused:
        take(partner, session, 2)
    assert refused.value.codes == ["household_limit"]
    take(partner, session, 1)


def test_three_places_together_are_offered_when_two_families_give_theirs_back(
    place: Any, session: Session
) -> None:
    families = [MemberFactory(place=place) for _ in range(5)]
    held = [take(family, session, 3 if n == 0 else 2) for n, family in enumerate(families[:4])]
    take(families[4], session, 3)
    mother = MemberFactory(place=place)
    turn = take(mother, session, 3, waits=True)
    assert (turn.status, position_of(turn)) == (RegistrationStatus.WAITING, 1)
    cancel(held[1], by=families[1].user, now=NOW)
    turn.refresh_from_db()
    assert turn.status == RegistrationStatus.WAITING
    cancel(held[2], by=families[2].user, now=NOW)
    turn.refresh_from_db()
    session.refresh_from_db()
    assert (turn.status, turn.quantity, session.booked) == (RegistrationStatus.OFFERED, 3, 11)
    assert turn.offer_ends_at.isoformat() == "2027-03-10T19:00:00+00:00"
    assert accept(turn, by=mother.user, now=NOW + timedelta(hours=2)).status == "confirmed"
    unbroken()


def test_who_waits_for_more_keeps_their_turn(place: Any) -> None:
    session = SessionFactory(place=place, capacity=4)
    holder, big, small = (MemberFactory(place=place) for _ in range(3))
    held = take(holder, session, 4)
    first = take(big, session, 3, waits=True)
    second = take(small, session, 1, waits=True, now=NOW + timedelta(minutes=1))
    change_quantity(held, 2, by=holder.user, now=NOW + timedelta(minutes=2))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("waiting", "offered")
    assert position_of(first) == 1


def test_fewer_will_do_takes_what_there_is(place: Any) -> None:
    session = SessionFactory(place=place, capacity=4)
    holder, family = MemberFactory(place=place), MemberFactory(place=place)
    held = take(holder, session, 4)
    turn = take(family, session, 3, waits=True, fewer_ok=True)
    change_quantity(held, 2, by=holder.user, now=NOW)
    turn.refresh_from_db()
    assert (turn.status, turn.quantity, turn.wanted) == ("offered", 2, 3)
    unbroken()


def test_nothing_is_offered_in_the_last_hours(place: Any) -> None:
    session = SessionFactory(place=place, capacity=2)
    holder, waiting = MemberFactory(place=place), MemberFactory(place=place)
    held = take(holder, session, 2)
    turn = take(waiting, session, 2, waits=True)
    late = session.starts_at - timedelta(hours=3)
    cancel(held, by=holder.user, now=late)
    turn.refresh_from_db()
    session.refresh_from_db()
    assert (turn.status, session.booked) == ("waiting", 0)
    lapse(turn, now=session.starts_at)
    turn.refresh_from_db()
    assert turn.status == "lapsed"
    assert told(waiting) == ["registration.waiting"]


def test_cancelled_twice_frees_once(member: Member, session: Session) -> None:
    made = take(member, session, 3)
    cancel(made, by=member.user, now=NOW)
    with pytest.raises(Refused):
        cancel(made, by=member.user, now=NOW)
    session.refresh_from_db()
    assert session.booked == 0


def test_another_date_keeps_the_reference(member: Member, session: Session, place: Any) -> None:
    other = SessionFactory(place=place, event=session.event, in_days=14)
    made = take(member, session, 2)
    moved = move_to(made, other, by=member.user, now=NOW)
    session.refresh_from_db()
    other.refresh_from_db()
    assert (moved.reference, moved.starts_at) == (made.reference, other.starts_at)
    assert (session.booked, other.booked) == (0, 2)
    unbroken()


def test_names_are_asked_where_the_event_asks(member: Member, session: Session) -> None:
    session.event.asks_names = True
    session.event.age_min = 6
    session.event.save()
    with pytest.raises(Refused) as refused:
        take(member, session, 2, company=Company(people=[Person("Samira"), Person("", 4)]))
    assert refused.value.codes == ["names_missing", "too_young"]
    people = [Person("Samira"), Person("Inès", 8)]
    made = take(member, session, 2, company=Company(people=people))
    assert [one.name for one in made.participants.order_by("pk")] == ["Samira", "Inès"]


def test_after_three_no_shows_one_registers_at_the_desk(place: Any, member: Member) -> None:
    for days in (3, 10, 17):
        past = SessionFactory(place=place, in_days=-days)
        RegistrationFactory(session=past, member=member, status=RegistrationStatus.ABSENT)
    session = SessionFactory(place=place)
    with pytest.raises(Refused) as refused:
        take(member, session)
    assert refused.value.codes == ["paused"]
    assert take(member, session, channel=Channel.DESK).status == "confirmed"
