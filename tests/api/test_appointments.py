"""Services by the API: what there is, which slots are free, booking and changing one."""

from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection

from club.enums import Activity
from concierge.domain.appointments import book_slot, cancel_appointment
from concierge.domain.slot_wishes import wish
from concierge.enums import ServiceKind, ServiceUnit
from concierge.models import Appointment, Service, ServiceQuestion
from config.bench.wire import wire
from tests.api.test_statements import limit_statements, verbs
from tests.factories.club import NOW, PlaceFactory, RightFactory
from tests.factories.services import AppointmentFactory, ServiceFactory, client_of, on


@pytest.fixture
def service(place: Any) -> Service:
    return ServiceFactory(place=place)


@pytest.fixture(autouse=True)
def right(member: Any) -> None:
    RightFactory(household=member.household, activity=Activity.SERVICES)


def body(service: Service, slot: str = "2027-03-10T10:00:00+01:00", **more: Any) -> dict[str, Any]:
    return {"kind": "appointment", "service": service.public_id, "slot": slot, **more}


def moments(slots: list[dict[str, Any]]) -> list[datetime]:
    return [datetime.fromisoformat(slot["id"]) for slot in slots]


def problem(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, [error["code"] for error in answer.json()["errors"]]


def test_services_tell_their_rules_and_their_next_slot(api, place, service):
    asked = ServiceQuestion.objects.create(service=service, text="Quoi ?", choices="CAF\nEDF")
    ServiceFactory(
        place=place, name="Photocopies", kind=ServiceKind.COUNTER, unit_cents=20,
        unit=ServiceUnit.PAGE,
    )  # fmt: skip
    ServiceFactory(place=place, name="Caché", is_offered=False)
    first, second = api.get("/services").json()["items"]
    assert datetime.fromisoformat(first.pop("next_free")) == on(9, 11.5)
    assert first == {
        "id": service.public_id, "name": "Aide aux papiers", "about": service.about,
        "kind": "slot", "place": "tilleuls", "cents": 0, "unit": "once",
        "subscribers_only": True, "minutes": 30, "seats": 1, "stay": None,
        "questions": [
            {"id": asked.pk, "text": "Quoi ?", "choices": ["CAF", "EDF"], "required": True}
        ],
    }  # fmt: skip
    assert (second["kind"], second["cents"], second["next_free"]) == ("counter", 20, None)


def test_slots_of_some_days_with_their_free_seats(api, service):
    AppointmentFactory(service=service)
    found = api.get(f"/services/{service.public_id}/slots?from=2027-03-10&to=2027-03-10").json()
    assert len(found["slots"]) == 14
    assert {slot["id"]: slot["free"] for slot in found["slots"]}[found["slots"][2]["id"]] == 0
    assert moments(found["slots"])[:3] == [on(10, 9), on(10, 9.5), on(10, 10)]
    assert moments(api.get(f"/services/{service.public_id}/slots").json()["slots"])[0] == on(
        9, 11.5
    )
    wrong = api.get(f"/services/{service.public_id}/slots?from=2027-03-10&to=2027-03-09")
    assert problem(wrong) == (422, ["dates_in_disorder"])
    assert api.get("/services/inconnu/slots").status_code == 404


def test_another_landlords_service_does_not_exist(api):
    place = PlaceFactory(landlord__slug="autre", landlord__name="Autre Habitat")
    service = ServiceFactory(place=place)
    assert api.get(f"/services/{service.public_id}/slots").status_code == 404
    assert problem(api.post("/bookings", body(service)))[0] in {404, 422}


def test_a_slot_is_booked_once_for_one_key_and_read_again(api, service):
    answer = api.post("/bookings", body(service), Idempotency_Key="une-fois")
    assert answer.status_code == 201
    again = api.post("/bookings", body(service), Idempotency_Key="une-fois")
    assert again.json() == answer.json()
    made = Appointment.objects.get()
    said = answer.json()
    assert (said["kind"], said["status"], said["service"], said["series"], said["skipped"]) == (
        "appointment", "booked", service.public_id, None, [],
    )  # fmt: skip
    assert datetime.fromisoformat(said["starts_at"]) == on(10, 10)
    assert api.get(f"/bookings/{made.reference}").json() == said
    assert [one["reference"] for one in api.get("/bookings").json()["items"]] == [made.reference]


def test_a_taken_slot_is_a_conflict_that_names_the_next(api, service):
    AppointmentFactory(service=service)
    answer = api.post("/bookings", body(service))
    assert problem(answer) == (409, ["taken"])
    assert datetime.fromisoformat(answer.json()["next_slots"][0]) == on(10, 9)


@pytest.mark.parametrize(
    ("slot", "status"),
    [
        ("2027-03-10T10:10:00+01:00", 422),
        ("2027-03-10T10:00:00", 422),
        ("2027-03-10", 422),
        ("0001-01-01T00:00:00Z", 422),
        ("9999-12-31T23:59:59Z", 422),
        ("2099-12-31T23:59:59-12:00", 422),
        (12, 422),
    ],
)
def test_what_is_no_slot_is_refused(api, service, slot, status):
    assert api.post("/bookings", body(service, slot)).status_code == status


def test_without_a_right_it_is_forbidden(other_api, service):
    assert problem(other_api.post("/bookings", body(service))) == (403, ["no_right"])


def test_answers_go_along(api, service):
    asked = ServiceQuestion.objects.create(service=service, text="Quoi ?", choices="CAF\nEDF")
    assert problem(api.post("/bookings", body(service))) == (422, ["answer_missing"])
    answers = [{"question": asked.pk, "value": "CAF"}]
    assert api.post("/bookings", body(service, answers=answers)).status_code == 201
    assert Appointment.objects.get().answers.get().value == "CAF"


def test_a_series_skips_what_is_taken_and_says_which(api, service):
    AppointmentFactory(service=service, starts_at=on(17, 10))
    refused = api.post("/bookings", body(service, weeks=3, skip_taken=False))
    assert problem(refused) == (409, ["taken"])
    answer = api.post("/bookings", body(service, weeks=3))
    assert answer.status_code == 201
    said = answer.json()
    assert [datetime.fromisoformat(one) for one in said["skipped"]] == [on(17, 10)]
    assert Appointment.objects.filter(series=said["series"]).count() == 2


def test_it_is_moved_and_cancelled(api, service):
    url = f"/bookings/{api.post('/bookings', body(service)).json()['reference']}"
    moved = api.patch(url, {"slot": "2027-03-11T09:00:00Z"})
    assert datetime.fromisoformat(moved.json()["starts_at"]) == on(11, 10)
    assert problem(api.patch(url, {})) == (422, ["one_change"])
    assert problem(api.patch(url, {"accept": True})) == (409, ["wrong_state"])
    assert api.post(f"{url}/cancel").json()["status"] == "cancelled"
    assert problem(api.post(f"{url}/cancel")) == (409, ["wrong_state"])
    assert api.post(f"{url}/renew").status_code == 404


def test_an_offer_is_accepted(api, member, place):
    service = ServiceFactory(place=place, lines=[(2, 10, 10.5)])
    holder = client_of(place)
    held = book_slot(member=holder, service=service, starts_at=on(10, 10), by=holder.user, now=NOW)
    day = date(2027, 3, 10)
    wish(member, service, day, day, by=member.user, now=NOW)
    cancel_appointment(held, by=holder.user, now=NOW)
    offered = Appointment.objects.get(member=member)
    url = f"/bookings/{offered.reference}"
    assert api.get(url).json()["status"] == "offered"
    assert api.patch(url, {"accept": True}).json()["status"] == "booked"


# -- Statements ------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_booking_is_so_many_statements(api, place, service):
    """Service, right, own and free seats; the row, whether a turn ends by it, log, message."""
    api.post("/bookings", body(service))
    with wire() as statements:
        answer = api.post("/bookings", body(service, "2027-03-11T10:00:00+01:00"))
    assert answer.status_code == 201
    work = ["SELECT", "SELECT", "SELECT", "SELECT", "INSERT", "SELECT", "INSERT", "INSERT"]
    if connection.vendor == "postgresql" and limit_statements():
        work.insert(1, "SELECT")  # Under one transaction the token's reading locks the member.
    sign_in, limit = ["SELECT"], ["INSERT"] * limit_statements()
    seen = [verb for verb in verbs(statements) if verb != "BEGIN"]
    assert seen[: seen.index("COMMIT")] == [*sign_in, *limit, *work]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_however_long(api, place, rows):
    for number in range(rows):
        AppointmentFactory(service=ServiceFactory(place=place, name=f"S{number}"))
    api.get("/services")
    with wire() as statements:
        assert len(api.get("/services").json()["items"]) == rows
    assert len(statements) == 1 + 2 + limit_statements()
    service = Service.objects.first()
    with wire() as statements:
        api.get(f"/services/{service.public_id}/slots")
    assert len(statements) == 1 + 2 + limit_statements()
