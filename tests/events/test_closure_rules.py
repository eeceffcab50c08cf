"""What becomes of sessions when their place closes: cancelled by their own verb, or kept."""

from datetime import timedelta

import pytest

from club.models import Place
from events.models import Session
from tests.events.test_register import take, told, unbroken
from tests.factories.closures import SATURDAY, TUESDAY, days, lines, reopen, shown, shut
from tests.factories.club import MemberFactory
from tests.factories.events import SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def session(place: Place) -> Session:
    """On Tuesday the sixteenth, the first closed day."""
    return SessionFactory(place=place)


def option(session: Session) -> str:
    return f"session-{session.public_id}"


def test_a_session_is_cancelled_for_its_reason_and_all_are_told_once(
    session: Session, place: Place
) -> None:
    samira, rose = (MemberFactory(place=place) for _ in range(2))
    sure, waits = take(samira, session, 12), take(rose, session, 1, waits=True)
    after = SessionFactory(place=place, event=session.event, in_days=14)
    plan = shut(place)
    assert [(one.pk, one.outcome, one.member) for one in plan.effects] == [
        (session.pk, "cancelled", None),
        (sure.pk, "cancelled", samira),
        (waits.pk, "cancelled", rose),
    ]
    for one in (session, after, sure, waits):
        one.refresh_from_db()
    assert (session.status, session.cancel_reason) == ("cancelled", "closed")
    assert (after.status, sure.status, waits.status) == ("scheduled", "cancelled", "cancelled")
    assert told(samira)[-1] == told(rose)[-1] == "registration.session_cancelled"
    assert lines(reopen(place)) == [("Atelier cuisine", "stays", "reste annulée", "")]
    unbroken()


def test_staff_let_one_take_place_all_the_same(session: Session, place: Place) -> None:
    take(MemberFactory(place=place), session)
    elsewhere = SessionFactory(place=place, event=session.event, in_days=8, address="Au parc")
    both = shown(place)
    kept = [option(session)]
    plan = shown(place, kept=kept)
    assert plan.seal != both.seal
    assert lines(plan) == [
        ("Atelier cuisine", "stays", "a lieu quand même", ""),
        ("Atelier cuisine", "stays", "a lieu ailleurs", ""),
    ]
    shut(place, kept=kept)
    for one in (session, elsewhere):
        one.refresh_from_db()
        assert one.status == "scheduled"
    unbroken()


def test_a_kept_one_is_not_asked_about_again(session: Session, place: Place) -> None:
    shut(place, kept=[option(session)])
    longer = days(TUESDAY, SATURDAY + timedelta(days=7), place.closures.get())
    assert shown(place, longer).effects == []
