"""A booking by the API: made, read, moved, cancelled."""

import json
from typing import Any

from club.models import LogEntry, Message
from concierge.models import Loan
from tests.api.conftest import loan_body
from tests.factories.club import PlaceFactory
from tests.factories.concierge import CopyFactory, ToolFactory


def test_a_booking_is_made_with_its_log_and_its_message(api: Any, tool: Any, copy: Any) -> None:
    answer = api.post("/bookings", loan_body(tool, ends_on="2027-03-17"))
    assert answer.status_code == 201
    loan = Loan.objects.get()
    assert answer["Location"] == f"/api/v1/bookings/{loan.reference}"
    assert answer.json() == {
        "kind": "loan",
        "reference": loan.reference,
        "status": "reserved",
        "place": "tilleuls",
        "tool": tool.public_id,
        "title": "Gaufrier",
        "starts_on": "2027-03-10",
        "ends_on": "2027-03-17",
        "starts_at": "2027-03-10T08:00:00Z",
        "ends_at": "2027-03-17T17:00:00Z",
        "quantity": 1,
        "renewals": 0,
        "created_at": "2027-03-09T09:24:00Z",
    }
    assert loan.channel == "api"
    assert LogEntry.objects.filter(verb="reserve", channel="api").count() == 1
    assert Message.objects.get().event == "loan.reserved"


def test_the_location_answers_with_the_same_bytes_and_tag(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool))
    read = api.get(made["Location"].removeprefix("/api/v1"))
    assert read.status_code == 200
    assert read.content == made.content
    assert read["ETag"] == made["ETag"]


def test_a_taken_object_says_when_it_is_free(
    api: Any, other_api: Any, tool: Any, copy: Any
) -> None:
    assert other_api.post("/bookings", loan_body(tool)).status_code == 201
    answer = api.post("/bookings", loan_body(tool))
    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "taken"
    assert problem["type"] == "urn:conciergerie:problem:taken"
    assert problem["detail"] == "Cet objet est déjà réservé à ces dates."
    assert problem["errors"][0]["field"] == "starts_on"
    assert problem["next_free"][0] == {"starts_on": "2027-03-18", "ends_on": "2027-03-25"}


def test_another_place_of_the_landlord_is_named_by_its_short_name(
    api: Any, tool: Any, place: Any
) -> None:
    other = PlaceFactory(slug="pigeonnier", landlord=place.landlord)
    CopyFactory(tool=tool, place=other)
    assert api.post("/bookings", loan_body(tool)).json()["code"] == "no_copy"
    answer = api.post("/bookings", loan_body(tool, place="pigeonnier"))
    assert answer.status_code == 201
    assert answer.json()["place"] == "pigeonnier"


def test_another_landlords_object_and_place_are_unknown(api: Any, tool: Any, copy: Any) -> None:
    strange = PlaceFactory(slug="loin", landlord__slug="autre", landlord__name="Autre bailleur")
    theirs = ToolFactory(landlord=strange.landlord)
    CopyFactory(tool=theirs, place=strange)
    assert api.post("/bookings", loan_body(theirs)).json()["code"] == "no_copy"
    answer = api.post("/bookings", loan_body(tool, place="loin"))
    assert answer.status_code == 422
    assert answer.json()["code"] == "unknown_place"


def test_moving_keeps_the_reference(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool)).json()
    path = f"/bookings/{made['reference']}"
    answer = api.patch(path, {"starts_on": "2027-03-16"})
    assert answer.status_code == 200
    assert answer.json()["reference"] == made["reference"]
    assert answer.json()["starts_on"] == "2027-03-16"
    assert api.get(path).content == answer.content


def test_a_move_onto_taken_days_is_refused_and_changes_nothing(
    api: Any, other_api: Any, tool: Any, copy: Any
) -> None:
    made = api.post("/bookings", loan_body(tool))
    assert other_api.post("/bookings", loan_body(tool, "2027-03-23")).status_code == 201
    path = f"/bookings/{made.json()['reference']}"
    answer = api.patch(path, {"starts_on": "2027-03-24"})
    assert answer.status_code == 409
    assert answer.json()["code"] == "taken"
    assert api.get(path).content == made.content


def test_a_move_with_if_match_needs_the_present_state(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool))
    path = f"/bookings/{made.json()['reference']}"
    moved = api.patch(path, {"starts_on": "2027-03-16"}, If_Match=made["ETag"])
    assert moved.status_code == 200
    late = api.patch(path, {"starts_on": "2027-03-18"}, If_Match=made["ETag"])
    assert late.status_code == 412
    assert late.json()["code"] == "changed_meanwhile"
    assert api.get(path).content == moved.content


def test_cancelling_twice_is_a_conflict(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool)).json()
    path = f"/bookings/{made['reference']}/cancel"
    first = api.post(path)
    assert first.status_code == 200
    assert first.json()["status"] == "cancelled"
    second = api.post(path)
    assert second.status_code == 409
    assert second.json()["code"] == "wrong_state"


def test_only_a_loan_under_way_is_renewed(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool)).json()
    path = f"/bookings/{made['reference']}/renew"
    assert api.post(path).json()["code"] == "wrong_state"
    Loan.objects.update(status="out")
    answer = api.post(path)
    assert answer.status_code == 200
    assert answer.json()["renewals"] == 1


def test_a_missing_right_is_forbidden_and_a_rule_is_unprocessable(
    api: Any, member: Any, tool: Any, copy: Any
) -> None:
    closed = api.post("/bookings", loan_body(tool, "2027-03-14"))
    assert closed.status_code == 422
    assert closed.json()["code"] == "closed_day"
    assert closed.json()["errors"][0]["facts"]["next_open_day"] == "2027-03-16"
    member.household.rights.update(revoked_at=member.joined_at)
    refused = api.post("/bookings", loan_body(tool))
    assert refused.status_code == 403
    assert refused.json()["code"] == "no_right"


def test_a_reference_is_read_as_people_write_it(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool)).json()
    spaced = made["reference"][0].lower() + "%20" + made["reference"][1:]
    assert api.get(f"/bookings/{spaced}").json() == made


def test_the_list_goes_on_by_cursor_and_misses_nothing(
    api: Any, member: Any, place: Any, other_api: Any
) -> None:
    references = []
    for _ in range(5):
        copy = CopyFactory(tool=ToolFactory(landlord=place.landlord), place=place)
        references.append(api.post("/bookings", loan_body(copy.tool)).json()["reference"])
    seen, cursor = [], ""
    while True:
        page = api.get(f"/bookings?limit=2{cursor}").json()
        seen += [item["reference"] for item in page["items"]]
        if page["next"] is None:
            break
        assert len(page["items"]) == 2
        cursor = f"&cursor={page['next']}"
    assert sorted(seen) == sorted(references)
    assert len(set(seen)) == 5
    assert other_api.get("/bookings").json() == {"items": [], "next": None}


def test_the_body_is_json_text_of_the_declared_names(api: Any, tool: Any, copy: Any) -> None:
    answer = api.post("/bookings", loan_body(tool, end_on="2027-03-17"))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "code": "extra_forbidden",
            "detail": "Ce nom est inconnu.",
            "field": "end_on",
            "facts": {},
        }
    ]
    assert json.loads(answer.content)["code"] == "invalid"
