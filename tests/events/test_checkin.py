"""The door: who comes in and who does not, told once, undone, and never lost off line."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from club.enums import Activity
from club.kernel.bookings import Channel
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import LedgerEntry, Member, User
from events.domain.checkin import (
    check_in,
    mark_absent,
    note_turned_away,
    set_came,
    to_close,
    undo_absent,
    undo_check_in,
    walk_in,
)
from events.domain.registrations import cancel, register
from events.enums import RegistrationStatus, ScanOutcome
from events.models import CheckIn, Registration, Session, WalkIn
from events.tasks import mark_absents
from events.tickets import ticket_code
from tests.factories.club import NOW, CardFactory, MemberFactory, PlaceFactory, RightFactory
from tests.factories.events import SessionFactory

pytestmark = pytest.mark.django_db

DOOR = NOW + timedelta(days=7) - timedelta(minutes=10)
"""Ten minutes before the session."""


@pytest.fixture
def session(place: Any) -> Session:
    return SessionFactory(place=place)


def take(member: Member, session: Session, quantity: int = 1, **more: Any) -> Registration:
    more.setdefault("now", NOW)
    return register(member=member, session=session, quantity=quantity, by=member.user, **more)


def scan(session: Session, what: Any, **more: Any) -> CheckIn:
    more.setdefault("scan", f"n{CheckIn.objects.count()}-{session.pk}")
    more.setdefault("at", DOOR)
    more.setdefault("now", DOOR)
    more.setdefault("by", None)
    return check_in(session, what, **more)


def came_alone(session: Session, name: str = "Inès", quantity: int = 1, **more: Any) -> CheckIn:
    more.setdefault("scan", f"w{CheckIn.objects.count()}-{session.pk}")
    more.setdefault("at", DOOR)
    more.setdefault("now", DOOR)
    return walk_in(session, name, quantity, by=None, **more)


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def unbroken() -> None:
    assert [line for one in all_invariants() for line in one.violations()] == []


# -- Coming in ---------------------------------------------------------------------------


@pytest.mark.parametrize("by_what", ["card", "address", "reference", "ticket", "registration"])
def test_a_family_of_three_goes_in(member: Member, session: Session, by_what: str) -> None:
    card = CardFactory(member=member)
    made = take(member, session, 3)
    code = {
        "card": f"M{card.number}",
        "address": f"https://example.org/c/{card.token}",
        "reference": made.reference,
        "ticket": ticket_code(made),
        "registration": made,
    }[by_what]
    told = scan(session, code)
    made = fresh(made)
    assert (told.outcome, told.quantity, told.registration) == (ScanOutcome.IN, 3, made)
    assert (made.status, made.came, made.present_at) == (RegistrationStatus.PRESENT, 3, DOOR)
    assert fresh(session).booked == 3
    unbroken()


def test_two_of_three_came_and_then_the_third(member: Member, session: Session) -> None:
    made = take(member, session, 3)
    scan(session, made, quantity=2)
    assert fresh(made).came == 2
    assert scan(session, made).quantity == 1
    assert fresh(made).came == 3
    assert scan(session, made).outcome == ScanOutcome.ALREADY
    unbroken()


def test_more_than_there_are_places_is_refused(member: Member, session: Session) -> None:
    made = take(member, session, 2)
    for quantity in (0, -1, 3):
        with pytest.raises(Refused) as refused:
            scan(session, made, quantity=quantity)
        assert refused.value.codes == ["quantity_wrong"]
    assert not CheckIn.objects.exists()


def test_how_many_there_really_are_is_said_afterwards(
    member: Member, session: Session, concierge_user: User
) -> None:
    made = take(member, session, 3)
    with pytest.raises(Refused):
        set_came(made, 2, by=concierge_user, now=DOOR)
    scan(session, made)
    set_came(made, 2, by=concierge_user, now=DOOR)
    assert fresh(made).came == 2
    for came in (0, 4):
        with pytest.raises(Refused):
            set_came(made, came, by=concierge_user, now=DOOR)


def test_the_same_code_twice_is_already_in(member: Member, session: Session) -> None:
    made = take(member, session, 2)
    scan(session, made.reference)
    again = scan(session, made.reference)
    assert (again.outcome, again.quantity) == (ScanOutcome.ALREADY, 0)
    assert fresh(made).came == 2


def test_a_scan_sent_again_is_answered_and_not_done_again(member: Member, session: Session) -> None:
    made = take(member, session, 3)
    first = scan(session, made.reference, scan="7.1", quantity=1)
    again = scan(session, made.reference, scan="7.1", quantity=1)
    assert first.pk == again.pk
    assert fresh(made).came == 1
    other = SessionFactory(place=session.place, event=session.event)
    with pytest.raises(Refused):
        scan(other, made.reference, scan="7.1")


def test_a_partner_of_the_household_opens_the_familys_places(
    member: Member, session: Session
) -> None:
    partner = MemberFactory(place=member.place, household=member.household)
    card = CardFactory(member=partner)
    made = take(member, session, 2)
    assert scan(session, f"M{card.number}").registration == made


# -- What the door says instead --------------------------------------------------------------


def test_another_session_of_the_day_is_told(member: Member, session: Session) -> None:
    other = SessionFactory(
        place=session.place,
        starts_at=session.starts_at + timedelta(hours=3),
        ends_at=session.ends_at + timedelta(hours=3),
    )
    card = CardFactory(member=member)
    made = take(member, other)
    for code in (f"M{card.number}", made.reference, ticket_code(made)):
        told = scan(session, code)
        assert (told.outcome, told.registration) == (ScanOutcome.WRONG, made)
    assert fresh(made).status == RegistrationStatus.CONFIRMED
    scan(session, made.reference, despite=ScanOutcome.FULL)
    assert fresh(made).status == RegistrationStatus.CONFIRMED


def test_a_card_without_a_place_and_an_unknown_code(member: Member, session: Session) -> None:
    card = CardFactory(member=member)
    take(member, SessionFactory(place=session.place, in_days=14))
    for code in (f"M{card.number}", "R0000000000", "T1.x.y", "Samira", "", "é" * 300):
        assert scan(session, code).outcome == ScanOutcome.UNKNOWN


def test_another_landlords_people_are_unknown(session: Session) -> None:
    stranger = MemberFactory(
        place=PlaceFactory(landlord__slug="autre", landlord__name="Autre bailleur")
    )
    card = CardFactory(member=stranger)
    theirs = take(stranger, SessionFactory(place=stranger.place))
    for code in (f"M{card.number}", theirs.reference, ticket_code(theirs)):
        told = scan(session, code)
        assert (told.outcome, told.registration) == (ScanOutcome.UNKNOWN, None)


def test_a_cancelled_one_is_told_and_never_let_in(member: Member, session: Session) -> None:
    made = take(member, session, 2)
    cancel(made, by=member.user, now=NOW)
    for despite in ("", ScanOutcome.CANCELLED, ScanOutcome.FULL):
        assert scan(session, made.reference, despite=despite).outcome == ScanOutcome.CANCELLED
    assert fresh(session).booked == 0
    unbroken()


def test_who_still_has_to_pay_goes_in_by_a_second_act(place: Any) -> None:
    session = SessionFactory(place=place, price_cents=300)
    made = take(MemberFactory(place=place), session, 2)
    told = scan(session, made.reference)
    assert (told.outcome, fresh(made).status) == (ScanOutcome.UNPAID, RegistrationStatus.PENDING)
    told = scan(session, made.reference, despite=ScanOutcome.UNPAID)
    made = fresh(made)
    assert (told.outcome, made.status, made.pay_until) == ("in", "present", None)
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == -600
    unbroken()


def test_what_is_paid_at_the_door_is_asked_at_the_door(place: Any) -> None:
    session = SessionFactory(place=place, price_cents=300, pay_first=False)
    made = take(MemberFactory(place=place), session)
    assert made.status == RegistrationStatus.CONFIRMED
    assert scan(session, made.reference).outcome == ScanOutcome.UNPAID
    assert scan(session, made.reference, despite=ScanOutcome.UNPAID).outcome == ScanOutcome.IN
    unbroken()


def test_who_waits_goes_in_once_nothing_is_offered_any_more(place: Any) -> None:
    session = SessionFactory(place=place, capacity=2)
    holder, waiting = MemberFactory(place=place), MemberFactory(place=place)
    held = take(holder, session, 2)
    turn = take(waiting, session, waits=True)
    early = session.starts_at - timedelta(hours=5)
    assert scan(session, turn.reference, at=early, now=early).outcome == ScanOutcome.WAITING
    with pytest.raises(Refused) as refused:
        scan(session, turn.reference, at=early, now=early, despite=ScanOutcome.WAITING)
    assert refused.value.codes == ["queue_runs"]
    assert scan(session, turn.reference, despite=ScanOutcome.WAITING).outcome == ScanOutcome.FULL
    cancel(held, by=holder.user, now=DOOR, channel=Channel.DESK)
    assert scan(session, turn.reference, despite=ScanOutcome.WAITING).outcome == ScanOutcome.IN
    assert (fresh(turn).status, fresh(session).booked) == (RegistrationStatus.PRESENT, 1)
    unbroken()


def test_the_room_grows_where_staff_say_so(place: Any) -> None:
    session = SessionFactory(place=place, capacity=2)
    take(MemberFactory(place=place), session, 2)
    turn = take(MemberFactory(place=place), session, waits=True)
    assert scan(session, turn.reference, despite=ScanOutcome.FULL).outcome == ScanOutcome.IN
    session = fresh(session)
    assert (session.booked, session.capacity, session.target_capacity) == (3, 3, 2)
    unbroken()


def test_who_was_only_asking_goes_in_by_a_second_act(member: Member, place: Any) -> None:
    session = SessionFactory(place=place, needs_approval=True, price_cents=200)
    made = take(MemberFactory(place=place), session, 2)
    assert made.status == RegistrationStatus.ASKED
    assert scan(session, made.reference).outcome == ScanOutcome.WAITING
    assert scan(session, made.reference, despite=ScanOutcome.WAITING).outcome == ScanOutcome.IN
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == -400
    unbroken()


# -- When ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "code"), [(-24, "not_begun"), (32 * 24, "over"), (-5, None), (30 * 24, None)]
)
def test_the_door_is_open_from_the_morning_for_a_month(
    member: Member, session: Session, hours: int, code: str | None
) -> None:
    made = take(member, session)
    at = session.starts_at + timedelta(hours=hours)
    if code is None:
        assert scan(session, made, at=at, now=at).outcome == ScanOutcome.IN
        return
    with pytest.raises(Refused) as refused:
        scan(session, made, at=at, now=at)
    assert refused.value.codes == [code]


def test_a_clock_that_runs_ahead_is_set_back(member: Member, session: Session) -> None:
    made = take(member, session)
    assert scan(session, made, at=DOOR + timedelta(days=1)).at == DOOR


# -- Off line ----------------------------------------------------------------------------------


def test_two_phones_off_line_lose_nothing(member: Member, session: Session) -> None:
    """Each let the same family in; both told so later, the second is marked."""
    made = take(member, session, 3)
    later = DOOR + timedelta(hours=1)
    first = scan(session, made.reference, offline=True, now=later)
    second = scan(session, made.reference, offline=True, at=DOOR + timedelta(minutes=1), now=later)
    assert [first.outcome, second.outcome] == [ScanOutcome.IN, ScanOutcome.FORCED]
    assert (first.at, second.at) == (DOOR, DOOR + timedelta(minutes=1))
    made = fresh(made)
    assert (made.came, made.present_at) == (3, DOOR)
    assert fresh(session).booked == 3
    unbroken()


def test_a_phone_off_line_that_says_three_where_one_is_left(
    member: Member, session: Session
) -> None:
    made = take(member, session, 3)
    scan(session, made, quantity=2)
    told = scan(session, made.reference, quantity=3, offline=True)
    assert (told.outcome, told.quantity, fresh(made).came) == (ScanOutcome.IN, 1, 3)


def test_whoever_was_let_in_off_line_is_in(place: Any) -> None:
    """Unpaid, waiting in a full room, or marked absent meanwhile."""
    session = SessionFactory(place=place, capacity=2, price_cents=100)
    unpaid = take(MemberFactory(place=place), session)
    subscriber = MemberFactory(place=place)
    RightFactory(household=subscriber.household, activity=Activity.EVENTS)
    absent = take(subscriber, session)
    later = session.starts_at + timedelta(minutes=5)
    turn = take(MemberFactory(place=place), session, waits=True)
    mark_absent(session, by=None, now=later)
    for made in (unpaid, absent, turn):
        told = scan(session, made.reference, offline=True, now=later)
        assert told.outcome == ScanOutcome.IN
    assert fresh(session).booked == 3
    unbroken()


def test_what_was_cancelled_meanwhile_is_kept_to_look_at(member: Member, session: Session) -> None:
    made = take(member, session)
    cancel(made, by=member.user, now=DOOR - timedelta(minutes=30), channel=Channel.DESK)
    told = scan(session, made.reference, offline=True)
    assert (told.outcome, told.offline, told.registration) == ("cancelled", True, made)
    unbroken()


def test_whom_a_phone_off_line_turned_away_is_not_in(member: Member, session: Session) -> None:
    made = take(member, session)
    for _ in range(2):
        told = note_turned_away(
            session, made.reference, ScanOutcome.UNKNOWN, scan="9.1", at=DOOR, by=None, now=DOOR
        )
    assert (told.outcome, told.registration, told.offline) == ("unknown", made, True)
    assert fresh(made).status == RegistrationStatus.CONFIRMED
    assert CheckIn.objects.count() == 1


# -- Walking in --------------------------------------------------------------------------------


def test_somebody_walks_in_with_a_first_name(session: Session) -> None:
    told = came_alone(session, " Inès ", 2)
    assert (told.outcome, told.quantity) == (ScanOutcome.WALK_IN, 2)
    made = WalkIn.objects.get()
    assert (made.first_name, made.quantity, fresh(session).booked) == ("Inès", 2, 2)
    unbroken()


def test_a_full_room_asks_before_one_more(place: Any) -> None:
    session = SessionFactory(place=place, capacity=1)
    take(MemberFactory(place=place), session)
    assert came_alone(session).outcome == ScanOutcome.FULL
    assert not WalkIn.objects.exists()
    assert came_alone(session, despite=ScanOutcome.FULL).outcome == ScanOutcome.WALK_IN
    assert (fresh(session).booked, fresh(session).capacity) == (2, 2)
    unbroken()


@pytest.mark.parametrize(
    ("changes", "name", "quantity", "codes"),
    [
        ({"price_cents": 300}, "Inès", 1, ["not_free"]),
        ({"members_only": True}, "Inès", 1, ["members_only"]),
        ({}, "  ", 1, ["name_missing"]),
        ({}, "Inès", 0, ["quantity_wrong"]),
        ({}, "", 21, ["name_missing", "quantity_wrong"]),
        ({"status": "cancelled"}, "Inès", 1, ["session_cancelled"]),
    ],
)
def test_who_does_not_walk_in(
    place: Any, changes: dict[str, Any], name: str, quantity: int, codes: list[str]
) -> None:
    session = SessionFactory(place=place, **changes)
    with pytest.raises(Refused) as refused:
        came_alone(session, name, quantity)
    assert refused.value.codes == codes
    assert not CheckIn.objects.exists()


def test_a_walk_in_off_line_is_in_and_once(place: Any) -> None:
    session = SessionFactory(place=place, capacity=1)
    take(MemberFactory(place=place), session)
    for _ in range(2):
        told = came_alone(session, scan="3.3", offline=True)
    assert told.outcome == ScanOutcome.WALK_IN
    assert WalkIn.objects.count() == 1
    unbroken()


# -- Undone ----------------------------------------------------------------------------------


def test_going_in_is_undone_once(member: Member, session: Session, concierge_user: User) -> None:
    made = take(member, session, 3)
    told = scan(session, made)
    out = undo_check_in(told, by=concierge_user, now=DOOR)
    again = undo_check_in(told, by=concierge_user, now=DOOR)
    assert (out.outcome, out.pk) == (ScanOutcome.OUT, again.pk)
    made = fresh(made)
    assert (made.status, made.came, made.present_at) == ("confirmed", 0, None)
    assert fresh(session).booked == 3
    assert scan(session, made).outcome == ScanOutcome.IN
    unbroken()


def test_the_third_is_undone_and_two_stay(
    member: Member, session: Session, concierge_user: User
) -> None:
    made = take(member, session, 3)
    scan(session, made, quantity=2)
    undo_check_in(scan(session, made), by=concierge_user, now=DOOR)
    assert (fresh(made).status, fresh(made).came) == (RegistrationStatus.PRESENT, 2)


def test_who_went_in_unpaid_is_to_pay_again(place: Any, concierge_user: User) -> None:
    session = SessionFactory(place=place, price_cents=300)
    made = take(MemberFactory(place=place), session)
    told = scan(session, made, despite=ScanOutcome.UNPAID)
    undo_check_in(told, by=concierge_user, now=DOOR)
    assert fresh(made).status == RegistrationStatus.PENDING
    assert fresh(made).pay_until is not None
    unbroken()


def test_a_walk_in_is_undone_and_its_place_is_free(place: Any, concierge_user: User) -> None:
    session = SessionFactory(place=place, capacity=1)
    take(MemberFactory(place=place), session)
    told = came_alone(session, despite=ScanOutcome.FULL)
    for _ in range(2):
        undo_check_in(told, by=concierge_user, now=DOOR)
    session = fresh(session)
    assert (session.booked, session.capacity, session.target_capacity) == (1, 1, None)
    assert WalkIn.objects.get().undone_at == DOOR
    unbroken()


def test_what_let_nobody_in_is_not_undone(
    member: Member, session: Session, concierge_user: User
) -> None:
    told = scan(session, "R0000000000")
    with pytest.raises(Refused):
        undo_check_in(told, by=concierge_user, now=DOOR)


# -- Absent ----------------------------------------------------------------------------------


def test_those_who_did_not_come_free_their_places(place: Any, concierge_user: User) -> None:
    session = SessionFactory(place=place, capacity=3)
    there, missing = (take(MemberFactory(place=place), session, n) for n in (1, 2))
    scan(session, there)
    with pytest.raises(Refused) as refused:
        mark_absent(session, by=concierge_user, now=DOOR)
    assert refused.value.codes == ["not_begun"]
    begun = session.starts_at + timedelta(minutes=15)
    assert mark_absent(session, by=concierge_user, now=begun) == [missing]
    assert mark_absent(session, by=concierge_user, now=begun) == []
    assert (fresh(missing).status, fresh(session).booked) == (RegistrationStatus.ABSENT, 1)
    assert came_alone(session, quantity=2, now=begun).outcome == ScanOutcome.WALK_IN
    unbroken()


def test_absent_by_mistake(place: Any, concierge_user: User) -> None:
    session = SessionFactory(place=place, capacity=2)
    missing = take(MemberFactory(place=place), session, 2)
    begun = session.starts_at + timedelta(minutes=15)
    mark_absent(session, by=concierge_user, now=begun)
    came_alone(session, now=begun)
    undone = [undo_absent(session, marked_at=begun, by=concierge_user, now=begun) for _ in range(2)]
    assert undone == [1, 0]
    session = fresh(session)
    assert (fresh(missing).status, session.booked, session.capacity) == ("confirmed", 3, 3)
    unbroken()


def test_an_absent_one_who_comes_after_all(place: Any, concierge_user: User) -> None:
    session = SessionFactory(place=place, capacity=1)
    late = take(MemberFactory(place=place), session)
    begun = session.starts_at + timedelta(minutes=15)
    mark_absent(session, by=concierge_user, now=begun)
    came_alone(session, now=begun)
    assert scan(session, late, now=begun).outcome == ScanOutcome.FULL
    assert scan(session, late, now=begun, despite=ScanOutcome.FULL).outcome == ScanOutcome.IN
    assert fresh(session).booked == 2
    unbroken()


def test_an_absent_one_owes_nothing_that_is_paid_at_the_door(
    place: Any, concierge_user: User
) -> None:
    session = SessionFactory(place=place, price_cents=300, pay_first=False)
    missing = take(MemberFactory(place=place), session, 2)
    begun = session.starts_at + timedelta(minutes=15)
    mark_absent(session, by=concierge_user, now=begun)
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0
    unbroken()
    assert scan(session, missing, now=begun).outcome == ScanOutcome.UNPAID
    scan(session, missing, now=begun, despite=ScanOutcome.UNPAID)
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == -600
    unbroken()


def test_a_free_subscriber_is_settled(place: Any, member: Member) -> None:
    RightFactory(household=member.household, activity=Activity.EVENTS)
    session = SessionFactory(place=place, price_cents=300)
    assert scan(session, take(member, session, 2)).outcome == ScanOutcome.IN


@pytest.mark.parametrize("held_by", ["scan", "walk_in", "nobody"])
def test_at_night_nobody_is_absent_where_the_door_was_not_held(place: Any, held_by: str) -> None:
    session = SessionFactory(place=place)
    missing, there = (take(MemberFactory(place=place), session) for _ in range(2))
    if held_by == "scan":
        scan(session, there)
    elif held_by == "walk_in":
        came_alone(session)
    night: datetime = session.ends_at + timedelta(hours=8)
    assert list(to_close(session.ends_at)) == []
    mark_absents(night)
    mark_absents(night)
    wanted = "confirmed" if held_by == "nobody" else "absent"
    assert fresh(missing).status == wanted
    unbroken()


def test_the_night_forgets_sessions_of_long_ago(place: Any) -> None:
    session = SessionFactory(place=place)
    take(MemberFactory(place=place), session)
    came_alone(session)
    assert list(to_close(session.ends_at + timedelta(days=32))) == []
