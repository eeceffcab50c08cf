"""The programme by the API: windows, prices for the caller, what is visible."""

from datetime import timedelta
from typing import Any

import pytest

from club.enums import Activity
from config.bench.wire import wire
from events.enums import AnswerKind, SessionStatus
from events.models import Question
from tests.api.test_statements import limit_statements
from tests.factories.club import NOW, PlaceFactory, RightFactory
from tests.factories.events import RegistrationFactory, SessionFactory, make_event

WINDOW = "from=2027-03-09&to=2027-04-30"


def titles(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["title"] for item in answer.json()["items"]]


def test_an_event_with_its_session(api: Any, place: Any) -> None:
    event = make_event(place, title="Atelier pain", lead="On pétrit.", step_free=True)
    session = SessionFactory(place=place, event=event, room="Salle Balzac", price_cents=300)
    RegistrationFactory(session=session, quantity=5)
    (item,) = api.get("/events").json()["items"]
    assert item == {
        "id": event.public_id,
        "title": "Atelier pain",
        "lead": "On pétrit.",
        "theme": "meet",
        "picture": "/static/img/tiles/evenements.svg",
        "audience": "all",
        "age_min": None,
        "age_max": None,
        "step_free": True,
        "for_hearing": False,
        "for_sight": False,
        "for_understanding": False,
        "price_text": "",
        "organiser": "",
        "partner": "",
        "entry": "listed",
        "entry_url": "",
        "sessions": [
            {
                "id": session.public_id,
                "starts_at": "2027-03-16T09:24:00Z",
                "ends_at": "2027-03-16T11:24:00Z",
                "place": "tilleuls",
                "room": "Salle Balzac",
                "address": "",
                "note": "",
                "status": "scheduled",
                "capacity": 12,
                "places_left": 7,
                "full": False,
                "waiting_list": True,
                "opens_at": None,
                "closes_at": "2027-03-16T08:24:00Z",
                "subscribers_only": False,
                "cents": 300,
                "subscriber_cents": 0,
                "other_cents": 300,
            }
        ],
        "sessions_total": 1,
    }


def test_a_window_takes_the_sessions_that_begin_in_it(api: Any, place: Any) -> None:
    event = make_event(place)
    for days in (7, 14, 60):
        SessionFactory(place=place, event=event, in_days=days)
    SessionFactory(place=place, event=make_event(place, title="Bal"), in_days=10)
    assert titles(api.get("/events")) == ["Atelier cuisine", "Bal"]
    assert titles(api.get("/events?from=2027-03-17&to=2027-03-23")) == ["Bal", "Atelier cuisine"]
    assert titles(api.get("/events?from=2027-03-20&to=2027-03-22")) == []
    assert titles(api.get("/events?to=2027-03-16")) == ["Atelier cuisine"]
    whole = api.get("/events?from=2027-03-09&to=2027-05-30").json()["items"]
    assert [item["sessions_total"] for item in whole] == [3, 1]


def test_of_many_sessions_the_first_fifty_are_told(api: Any, place: Any) -> None:
    event = make_event(place)
    for days in range(60):
        SessionFactory(place=place, event=event, in_days=days + 1)
    (item,) = api.get("/events?from=2027-03-09&to=2027-06-30").json()["items"]
    assert (len(item["sessions"]), item["sessions_total"]) == (50, 60)
    starts = [session["starts_at"] for session in item["sessions"]]
    assert starts == sorted(starts)
    told = api.get(f"/events/{event.public_id}").json()
    assert (len(told["sessions"]), told["sessions_total"]) == (60, 60)


def test_prices_and_opening_are_those_of_the_caller(
    api: Any, other_api: Any, place: Any, member: Any
) -> None:
    SessionFactory(
        place=place,
        price_cents=500,
        member_price_cents=100,
        opens_at=NOW,
        others_at=NOW + timedelta(days=2),
    )
    RightFactory(household=member.household, activity=Activity.EVENTS)
    (mine,) = api.get("/events").json()["items"][0]["sessions"]
    (theirs,) = other_api.get("/events").json()["items"][0]["sessions"]
    assert (mine["cents"], theirs["cents"]) == (100, 500)
    assert (mine["opens_at"], theirs["opens_at"]) == (
        "2027-03-09T09:24:00Z",
        "2027-03-11T09:24:00Z",
    )
    assert (mine["waiting_list"], theirs["waiting_list"]) == (True, False)


def test_full_without_limit_cancelled_and_too_late_to_wait(api: Any, place: Any) -> None:
    full = SessionFactory(place=place, capacity=2, in_days=1)
    RegistrationFactory(session=full, quantity=2)
    event = full.event
    SessionFactory(place=place, event=event, in_days=2, capacity=None)
    SessionFactory(place=place, event=event, in_days=3, status=SessionStatus.CANCELLED)
    soon = NOW + timedelta(hours=2)
    SessionFactory(place=place, event=event, starts_at=soon, closes_at=soon)
    (item,) = api.get("/events").json()["items"]
    assert [
        (one["status"], one["full"], one["places_left"], one["waiting_list"])
        for one in item["sessions"]
    ] == [
        ("scheduled", False, 12, False),
        ("scheduled", True, 0, True),
        ("scheduled", False, None, False),
        ("cancelled", False, 0, False),
    ]


def test_only_live_events_of_the_landlords_public_places(api: Any, place: Any) -> None:
    near = PlaceFactory(slug="pigeonnier", landlord=place.landlord)
    hidden = PlaceFactory(slug="cache", landlord=place.landlord, is_public=False)
    strange = PlaceFactory(slug="loin", landlord__slug="autre", landlord__name="Autre bailleur")
    SessionFactory(place=near, event=make_event(near, title="Près"))
    secret = SessionFactory(place=hidden, event=make_event(hidden, title="Caché"))
    theirs = SessionFactory(place=strange, event=make_event(strange, title="Loin"))
    draft = SessionFactory(place=place, event=make_event(place, title="Brouillon"))
    draft.event.unpublish()
    assert titles(api.get("/events")) == ["Près"]
    assert titles(api.get("/events?place=pigeonnier")) == ["Près"]
    assert titles(api.get("/events?place=tilleuls")) == []
    for slug in ("loin", "cache"):
        assert api.get(f"/events?place={slug}").json()["code"] == "unknown_place"
    for session in (secret, theirs, draft):
        assert api.get(f"/events/{session.event.public_id}").status_code == 404


def test_one_event_tells_what_is_asked_and_what_comes(api: Any, place: Any) -> None:
    event = make_event(place, asks_names=True, bring="Apportez un tablier.")
    SessionFactory(place=place, event=event, in_days=-7)
    coming = SessionFactory(place=place, event=event, in_days=400)
    asked = Question.objects.create(
        event=event, text="Un goûter ?", kind=AnswerKind.CHOICE, choices="oui\nsans gluten"
    )
    told = api.get(f"/events/{event.public_id}").json()
    assert [one["id"] for one in told["sessions"]] == [coming.public_id]
    assert told["sessions_total"] == 1
    assert (told["asks_names"], told["bring"]) == (True, "Apportez un tablier.")
    assert told["questions"] == [
        {
            "id": asked.pk,
            "text": "Un goûter ?",
            "kind": "choice",
            "choices": ["oui", "sans gluten"],
            "required": True,
        }
    ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=2027-13-01", "invalid"),
        ("from=9999-01-01", "invalid"),
        ("limit=0", "invalid"),
        ("limit=100000000000000000000", "invalid"),
        ("place=../x", "invalid"),
        ("from=2027-03-10&to=2027-03-09", "dates_in_disorder"),
        ("from=2027-03-09&to=2028-03-09", "too_many_days"),
        ("cursor=abc", "bad_cursor"),
        ("cursor=WyIyMDI3LTAzLTA5IiwgIjEiXQ", "bad_cursor"),
        ("place=nulle-part", "unknown_place"),
    ],
)
def test_what_cannot_be_read_is_refused(api: Any, query: str, code: str) -> None:
    answer = api.get(f"/events?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("name", ["nobody", "x" * 13, "%00", "%C3%A9"])
def test_an_event_that_is_none(api: Any, name: str) -> None:
    assert api.get(f"/events/{name}").status_code == 404


def test_the_last_year_of_all_is_no_fault(api: Any) -> None:
    assert api.get("/events?from=2100-12-31").status_code == 200
    assert api.get("/events?to=2000-01-01").status_code == 200


def test_the_list_goes_on_by_cursor_and_misses_nothing(api: Any, place: Any) -> None:
    for number in range(7):
        event = make_event(place, title=f"Atelier {number}")
        SessionFactory(place=place, event=event, in_days=1 + number // 3)
        SessionFactory(place=place, event=event, in_days=9)
    seen, cursor = [], ""
    while True:
        page = api.get(f"/events?limit=2{cursor}")
        seen += titles(page)
        if page.json()["next"] is None:
            break
        cursor = f"&cursor={page.json()['next']}"
    assert seen == [f"Atelier {number}" for number in range(7)]


def test_what_the_caller_holds_is_not_sent_again(api: Any, place: Any) -> None:
    session = SessionFactory(place=place)
    for path in ("/events", f"/events/{session.event.public_id}"):
        first = api.get(path)
        again = api.get(path, If_None_Match=first["ETag"])
        assert (again.status_code, again.content) == (304, b"")
        RegistrationFactory(session=session)
        assert api.get(path, If_None_Match=first["ETag"]).status_code == 200


@pytest.mark.parametrize("events", [1, 10, 100])
def test_the_list_costs_the_same_however_long(api: Any, place: Any, events: int) -> None:
    for number in range(events):
        event = make_event(place, title=f"Atelier {number}")
        for days in (1, 2):
            SessionFactory(place=place, event=event, in_days=days, price_cents=100)
    with wire() as statements:
        assert len(api.get("/events?limit=100").json()["items"]) == events
    assert len(statements) == 1 + 4 + limit_statements()


@pytest.mark.parametrize("sessions", [1, 30])
def test_an_event_costs_the_same_however_often_it_is_on(
    api: Any, place: Any, sessions: int
) -> None:
    event = make_event(place)
    for days in range(sessions):
        SessionFactory(place=place, event=event, in_days=days + 1, price_cents=100)
    with wire() as statements:
        told = api.get(f"/events/{event.public_id}").json()
    assert len(told["sessions"]) == sessions
    assert len(statements) == 1 + 4 + limit_statements()
