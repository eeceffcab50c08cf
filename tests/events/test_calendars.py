"""The programme in an agenda: of an event, of a place, of all."""

from datetime import timedelta
from typing import Any

import icalendar
import pytest
import time_machine
from django.test import Client

from club.models import Place
from events.domain.changes import Shift, move_sessions, plan_move
from events.models import Session
from tests.factories.club import NOW, AssignmentFactory, PlaceFactory
from tests.factories.events import SessionFactory, make_event


@pytest.fixture(autouse=True)
def at_the_counter() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def entries(client: Client, path: str) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar"
    calendar = icalendar.Calendar.from_ical(answer.content)
    return {str(event["UID"]): event for event in calendar.walk("VEVENT")}


def uid(session: Session) -> str:
    return f"{session.public_id}@conciergerie"


def test_all_that_is_on_or_what_is_on_at_one_place(client: Client, place: Place) -> None:
    other = PlaceFactory(slug="gare", landlord=place.landlord)
    here, there = SessionFactory(place=place), SessionFactory(place=other)
    SessionFactory(place=PlaceFactory(is_public=False))
    old = SessionFactory(place=place, in_days=-60)
    recent = SessionFactory(place=place, in_days=-5, status="cancelled")
    every = entries(client, "/seances/agenda.ics")
    assert set(every) == {uid(here), uid(there), uid(recent)}
    assert set(entries(client, "/seances/agenda.ics?lieu=gare")) == {uid(there)}
    assert uid(old) not in every
    for wrong in ("rien", "%00", "é"):
        answer = client.get(f"/seances/agenda.ics?lieu={wrong}")
        assert answer.status_code in {200, 404}


def test_an_entry_says_when_where_and_whether_it_takes_place(client: Client, place: Place) -> None:
    event = make_event(place, title="Gym douce", lead="Sur chaise.", bring="Un coussin.")
    session = SessionFactory(place=place, event=event, room="salle Balzac")
    gone = SessionFactory(place=place, event=event, in_days=14, status="cancelled", sequence=1)
    found = entries(client, f"/seances/evenement/{event.public_id}.ics")
    entry = found[uid(session)]
    assert str(entry["SUMMARY"]) == "Gym douce"
    assert str(entry["LOCATION"]) == (
        f"salle Balzac, {place.name}, 7, allée des Tilleuls, 80080 Amiens"
    )
    assert str(entry["DESCRIPTION"]) == "Sur chaise. Un coussin."
    assert entry["DTSTART"].params["TZID"] == "Europe/Paris"
    assert entry.start.isoformat() == "2027-03-16T10:24:00+01:00"
    assert (str(entry["STATUS"]), entry["SEQUENCE"]) == ("CONFIRMED", 0)
    assert (str(found[uid(gone)]["STATUS"]), found[uid(gone)]["SEQUENCE"]) == ("CANCELLED", 1)


def test_a_moved_session_keeps_its_name_and_grows_in_sequence(client: Client, place: Place) -> None:
    session = SessionFactory(place=place)
    path = f"/seances/evenement/{session.event.public_id}.ics"
    assert entries(client, path)[uid(session)]["SEQUENCE"] == 0
    shift = Shift(session.starts_at + timedelta(days=1), session.ends_at + timedelta(days=1), place)
    move_sessions(
        [session],
        shift,
        seal=plan_move([session], now=NOW).seal,
        by=AssignmentFactory(place=place).user,
        now=NOW,
    )
    entry = entries(client, path)[uid(session)]
    assert (entry["SEQUENCE"], entry.start.day) == (1, 17)


def test_a_draft_and_an_event_of_another_house_give_nothing(client: Client, place: Place) -> None:
    session = SessionFactory(place=place)
    session.event.live = False
    session.event.save()
    assert client.get(f"/seances/evenement/{session.event.public_id}.ics").status_code == 404
    assert entries(client, "/seances/agenda.ics") == {}


def test_a_thousand_dates_cost_two_statements(
    client: Client, place: Place, django_assert_num_queries: Any
) -> None:
    event = make_event(place)
    for days in range(1, 12):
        SessionFactory(place=place, event=event, in_days=days)
    client.get("/seances/agenda.ics")
    with django_assert_num_queries(2):
        client.get("/seances/agenda.ics")
    with django_assert_num_queries(3):
        client.get(f"/seances/evenement/{event.public_id}.ics")
