"""Stays by the API: their rules, booking, other days, giving one up; one's own alone."""

from typing import Any

import pytest

from club.enums import Activity
from concierge.models import Service, Stay
from tests.factories.club import RightFactory
from tests.factories.stays import TASKS, RunningStayFactory, StayFactory, StayServiceFactory


@pytest.fixture
def service(place: Any) -> Service:
    return StayServiceFactory(place=place)


@pytest.fixture(autouse=True)
def right(member: Any) -> None:
    RightFactory(household=member.household, activity=Activity.SERVICES)


def body(service: Service, **more: Any) -> dict[str, Any]:
    return {
        "kind": "stay", "service": service.public_id, "starts_on": "2027-03-16",
        "ends_on": "2027-03-25", "tasks": ["post", "look"],
    } | more  # fmt: skip


def problem(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [error["code"] for error in answer.json()["errors"]]


def test_a_service_tells_the_rules_of_its_stays(api, service):
    [found] = api.get("/services").json()["items"]
    assert found["stay"] == {
        "tasks": TASKS, "visit_every": 2, "most_days": 35, "soonest": "2027-03-10",
    }  # fmt: skip
    assert (found["kind"], found["cents"], found["unit"]) == ("stay", 300, "day")


def test_booked_read_moved_and_given_up(api, service):
    answer = api.post("/bookings", body(service))
    assert answer.status_code == 201
    made = answer.json()
    stay = Stay.objects.get()
    assert {name: made[name] for name in ("kind", "starts_on", "ends_on", "tasks", "cents")} == {
        "kind": "stay", "starts_on": "2027-03-16", "ends_on": "2027-03-25",
        "tasks": ["look", "post"], "cents": 3000,
    }  # fmt: skip
    assert (stay.channel, stay.visits.count()) == ("api", 5)
    one = f"/bookings/{stay.reference}"
    assert api.get(one).json() == made
    moved = api("PATCH", one, {"starts_on": "2027-03-16", "ends_on": "2027-03-17"})
    assert (moved.status_code, moved.json()["cents"]) == (200, 600)
    assert problem(api("PATCH", one, {"starts_on": "2027-03-16", "ends_on": "2027-03-17"})) == (
        409, ["wrong_state"],
    )  # fmt: skip
    assert api.post(f"{one}/cancel", {}).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"ends_on": "2027-03-15"}, "dates_in_disorder"),
        ({"starts_on": "2027-03-09"}, "too_soon"),
        ({"tasks": ["cat"]}, "tasks_wrong"),
        ({"visit_every": 7}, "rhythm_wrong"),
    ],
)
def test_what_cannot_be_asked_says_why(api, service, asked, code):
    status, codes = problem(api.post("/bookings", body(service, **asked)))
    assert (status in {409, 422}, codes) == (True, [code])


def test_what_is_no_stay_at_all(api, service):
    for wrong in ({"tasks": ["ghost"]}, {"tasks": []}, {"starts_on": "demain"}, {"who": 1}):
        assert api.post("/bookings", body(service, **wrong)).status_code == 422


def test_a_full_service_tells_the_next_free_day(api, service):
    StayFactory(service=service)
    answer = api.post("/bookings", body(service))
    assert problem(answer)[1] == ["taken"]
    assert answer.json()["next_free"] == [{"starts_on": "2027-03-26", "ends_on": "2027-04-04"}]


def test_somebody_elses_stay_does_not_exist(api, service):
    stay = RunningStayFactory(service=service)
    assert api.get(f"/bookings/{stay.reference}").status_code == 404
    assert api.get("/bookings").json()["items"] == []
