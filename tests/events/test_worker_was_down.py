"""The worker was stopped for a day and is started again: what is over stays untold."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail

from club.domain.outbox import Round, send_due
from club.emails import MailAndSms
from club.kernel.invariants import all_invariants
from club.kernel.spans import at
from club.models import Member, Message, Place
from club.tasks import run_daily_jobs, run_minute_jobs
from events.domain.registrations import cancel, register
from events.models import Registration, Session
from tests.factories.club import NOW, MemberFactory
from tests.factories.events import SessionFactory

pytestmark = pytest.mark.django_db

NBSP = "\u00a0"
TODAY = NOW.date()


def worker(now: datetime) -> Round:
    """One look of the worker at all that it has to do."""
    run_daily_jobs(now)
    run_minute_jobs(now)
    with MailAndSms() as transport:
        return send_due(now, transport)


def take(member: Member, session: Session, quantity: int = 1, **more: Any) -> Registration:
    more.setdefault("now", NOW)
    return register(member=member, session=session, quantity=quantity, by=member.user, **more)


def told(member: Member) -> list[str]:
    """What has left for somebody."""
    sent = Message.objects.filter(member=member, status="sent").order_by("pk")
    return list(sent.values_list("event", flat=True))


def status(registration: Registration) -> str:
    registration.refresh_from_db()
    return str(registration.status)


@pytest.fixture(autouse=True)
def unbroken() -> Any:
    yield
    assert [line for one in all_invariants() for line in one.violations()] == []


@pytest.fixture
def queue(place: Place) -> list[Registration]:
    """Two places that are held, and three families that wait for two each."""
    session = SessionFactory(place=place, capacity=2)
    made = [take(MemberFactory(place=place), session, 2)]
    for minutes in range(3):
        then = NOW + timedelta(minutes=minutes)
        made.append(take(MemberFactory(place=place), session, 2, waits=True, now=then))
    return made


def give_back(held: Registration, now: datetime) -> None:
    cancel(held, by=held.member.user, now=now)


# -- Reminders ---------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [True, False])
def test_no_reminder_of_yesterday(place: Place, written: bool) -> None:
    """It was down before it wrote them, or between writing and sending."""
    starts_at = at(TODAY + timedelta(days=2), time(18))
    session = SessionFactory(place=place, starts_at=starts_at)
    one = take(MemberFactory(place=place), session, now=NOW - timedelta(days=5))
    worker(NOW - timedelta(days=5))
    day_before = at(TODAY + timedelta(days=1), time(7, 1))
    if written:
        run_daily_jobs(day_before)
        assert Message.objects.get(status="pending").event == "registration.tomorrow"
    worker(day_before + timedelta(days=1))
    assert told(one.member) == ["registration.confirmed"]
    assert len(mail.outbox) == 1


def test_the_reminder_of_the_day_on_which_it_is_back_leaves_late(place: Place) -> None:
    starts_at = at(TODAY + timedelta(days=2), time(18))
    session = SessionFactory(place=place, starts_at=starts_at)
    one = take(MemberFactory(place=place), session, now=NOW - timedelta(days=5))
    worker(NOW - timedelta(days=5))
    worker(at(TODAY + timedelta(days=1), time(21)))
    assert told(one.member) == ["registration.confirmed", "registration.tomorrow"]


# -- Offers ----------------------------------------------------------------------------------------


def test_an_offer_that_lapsed_goes_on_to_the_next_with_a_term_of_their_own(
    queue: list[Registration],
) -> None:
    held, first, second, third = queue
    worker(NOW + timedelta(minutes=3))
    give_back(held, NOW + timedelta(hours=1))
    assert status(first) == "offered"
    back = NOW + timedelta(days=2)
    worker(back)
    assert [status(one) for one in queue] == ["cancelled", "lapsed", "offered", "waiting"]
    assert second.offer_ends_at == at(TODAY + timedelta(days=3), time(20))
    assert told(first.member) == ["registration.waiting", "registration.lapsed"]
    assert told(second.member) == ["registration.waiting", "registration.offered"]
    assert told(third.member) == ["registration.waiting"]
    subjects = [one.subject for one in mail.outbox if one.to == [second.member.user.email]]
    assert subjects[-1].startswith(f"2 places pour vous jusqu’à demain 20{NBSP}h{NBSP}: ")


def test_one_offer_after_the_other_lapses_as_long_as_it_is_down_for_days(
    queue: list[Registration],
) -> None:
    """Each has the whole of their turn: the days that it was down are nobody's."""
    held, first, second, third = queue
    give_back(held, NOW)
    worker(NOW + timedelta(days=2))
    worker(NOW + timedelta(days=4))
    assert [status(one) for one in (first, second, third)] == ["lapsed", "lapsed", "offered"]


def test_no_offer_for_what_is_over(queue: list[Registration]) -> None:
    held, *waiting = queue
    worker(NOW + timedelta(minutes=3))
    give_back(held, held.starts_at - timedelta(days=1, hours=2))
    assert status(waiting[0]) == "offered"
    worker(held.starts_at + timedelta(hours=22))
    assert [status(one) for one in waiting] == ["lapsed", "lapsed", "lapsed"]
    assert [told(one.member) for one in waiting] == [["registration.waiting"]] * 3
    assert Message.objects.filter(status="pending").count() == 0


def test_in_the_last_hours_what_lapsed_stays_free_for_whoever_comes(
    queue: list[Registration],
) -> None:
    held, first, second, third = queue
    worker(NOW + timedelta(minutes=3))
    give_back(held, held.starts_at - timedelta(days=2))
    worker(held.starts_at - timedelta(hours=1))
    session = Session.objects.get()
    assert [status(one) for one in (first, second, third)] == ["lapsed", "waiting", "waiting"]
    assert session.booked == 0
    assert told(second.member) == ["registration.waiting"]


def test_what_was_not_paid_meanwhile_goes_on_to_the_next(place: Place) -> None:
    session = SessionFactory(place=place, capacity=2, price_cents=300)
    payer, waiting = MemberFactory(place=place), MemberFactory(place=place)
    unpaid = take(payer, session, 2)
    turn = take(waiting, session, 2, waits=True)
    worker(NOW + timedelta(days=3))
    assert (status(unpaid), status(turn)) == ("lapsed", "offered")
    assert told(payer) == ["registration.lapsed"]
    assert told(waiting) == ["registration.offered"]


def test_it_was_down_when_the_places_came_free_by_hand(place: Place) -> None:
    """Nobody walked the list: the night does, or the morning after."""
    session = SessionFactory(place=place, capacity=1)
    holder, waiting = MemberFactory(place=place), MemberFactory(place=place)
    take(holder, session)
    turn = take(waiting, session, waits=True)
    Session.objects.update(capacity=2)
    worker(NOW + timedelta(days=1))
    assert status(turn) == "offered"
    assert told(waiting) == ["registration.offered"]


# -- What is owed however late ---------------------------------------------------------------------


def test_that_it_was_cancelled_is_told_after_the_session_too(member: Member, place: Place) -> None:
    session = SessionFactory(place=place)
    one = take(member, session)
    worker(NOW)
    cancel(one, by=member.user, now=session.starts_at - timedelta(hours=1))
    worker(session.starts_at + timedelta(days=1))
    assert told(member) == ["registration.confirmed", "registration.cancelled"]


def test_twice_started_tells_nobody_twice(queue: list[Registration]) -> None:
    held, first, second, _third = queue
    give_back(held, NOW)
    for minutes in range(3):
        worker(NOW + timedelta(days=2, minutes=minutes))
    assert told(first.member).count("registration.lapsed") == 1
    assert told(second.member).count("registration.offered") == 1
