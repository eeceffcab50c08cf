"""What the GETs tell: people, places, objects, calendars; tags of their bytes."""

from datetime import date
from typing import Any

import pytest

from concierge.models import Part
from tests.api.conftest import loan_body
from tests.factories.club import CardFactory, ClosureFactory, PlaceFactory, RightFactory
from tests.factories.concierge import CopyFactory, DepartmentFactory, ToolFactory


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["name"] for item in answer.json()["items"]]


def test_me(api: Any, member: Any) -> None:
    card = CardFactory(member=member)
    RightFactory(household=member.household, activity="events", ends_on=date(2027, 3, 8))
    answer = api.get("/me").json()
    assert answer == {
        "first_name": "Samira",
        "last_name": "Benali",
        "email": member.user.email,
        "phone": "",
        "place": "tilleuls",
        "card": card.number,
        "scope": "write",
        "rights": [{"activity": "lending", "starts_on": "2027-01-01", "ends_on": "2027-12-31"}],
    }


def test_places_say_whether_they_are_open_and_when(api: Any, place: Any) -> None:
    PlaceFactory(slug="cache", landlord=place.landlord, is_public=False)
    ClosureFactory(place=place, starts_on=date(2027, 3, 11), ends_on=date(2027, 3, 12))
    (told,) = api.get("/places").json()["items"]
    assert told["id"] == "tilleuls"
    assert told["is_open"] is True
    assert told["open_line"] == "Ouvert, ferme à 12\u00a0h"
    assert told["hours"] == [
        {"day": "2027-03-09", "opens": "09:00", "closes": "12:00"},
        {"day": "2027-03-09", "opens": "14:00", "closes": "18:00"},
        {"day": "2027-03-10", "opens": "09:00", "closes": "12:00"},
        {"day": "2027-03-10", "opens": "14:00", "closes": "18:00"},
        {"day": "2027-03-13", "opens": "09:00", "closes": "13:00"},
    ]


def test_tools_with_their_availability(api: Any, tool: Any, copy: Any) -> None:
    (item,) = api.get("/tools").json()["items"]
    assert item["id"] == tool.public_id
    assert item["department"] == "cuisiner"
    assert item["picture"] == "/static/img/tools/gaufrier.svg"
    assert item["availability"] == {
        "state": "free", "text": "Disponible aujourd’hui", "on": "2027-03-09",
    }  # fmt: skip


def test_tools_of_a_department(api: Any, tool: Any, place: Any) -> None:
    garden = DepartmentFactory(landlord=place.landlord, slug="jardiner", name="Jardiner")
    ToolFactory(landlord=place.landlord, department=garden, name="Bêche")
    assert names(api.get("/tools?department=jardiner")) == ["Bêche"]
    assert names(api.get("/tools?department=aucun")) == []


def test_tools_by_a_word_with_a_typing_error(api: Any, tool: Any, place: Any) -> None:
    ToolFactory(landlord=place.landlord, name="Perceuse", other_names="Bosch, visseuse")
    assert names(api.get("/tools?q=gaufirer")) == ["Gaufrier"]
    assert names(api.get("/tools?q=visseuse")) == ["Perceuse"]
    assert names(api.get("/tools?q=visseuse&department=jardiner")) == []


def test_tools_free_over_a_period_at_a_place(
    api: Any, other_api: Any, tool: Any, copy: Any, place: Any
) -> None:
    other_api.post("/bookings", loan_body(tool, "2027-03-16"))
    assert names(api.get("/tools?from=2027-03-10&to=2027-03-15")) == ["Gaufrier"]
    assert names(api.get("/tools?from=2027-03-10&to=2027-03-16")) == []
    assert names(api.get("/tools?from=2027-03-20")) == []
    PlaceFactory(slug="pigeonnier", landlord=place.landlord)
    (item,) = api.get("/tools?place=pigeonnier").json()["items"]
    assert item["availability"]["state"] == "gone"
    assert names(api.get("/tools?place=pigeonnier&from=2027-03-10")) == []


@pytest.mark.parametrize("query", ["", "q=perceuse&"])
def test_the_list_goes_on_by_cursor_and_misses_nothing(api: Any, place: Any, query: str) -> None:
    made = {f"Perceuse {'ÉAéaz'[n % 5]}{n // 3}" for n in range(11)}
    for name in made:
        ToolFactory(landlord=place.landlord, name=name)
    ToolFactory(landlord=place.landlord, name=min(made))
    seen, cursor = [], ""
    while True:
        page = api.get(f"/tools?{query}limit=4{cursor}")
        seen += names(page)
        if page.json()["next"] is None:
            break
        cursor = f"&cursor={page.json()['next']}"
    assert sorted(seen) == sorted([*made, min(made)])


def test_one_tool_with_proposals(api: Any, other_api: Any, tool: Any, copy: Any) -> None:
    Part.objects.create(tool=tool, name="Plaque", quantity=2)
    other_api.post("/bookings", loan_body(tool, "2027-03-11"))
    told = api.get(f"/tools/{tool.public_id}").json()
    assert told["parts"] == [{"name": "Plaque", "quantity": 2}]
    assert told["next_free"][0]["starts_on"] == "2027-03-19"


def test_a_calendar_counts_free_copies_day_by_day(
    api: Any, other_api: Any, tool: Any, copy: Any, place: Any
) -> None:
    CopyFactory(tool=tool, place=place)
    other_api.post("/bookings", loan_body(tool, "2027-03-10", ends_on="2027-03-11"))
    path = f"/tools/{tool.public_id}/availability"
    told = api.get(f"{path}?from=2027-03-08&to=2027-03-12").json()
    assert told == {
        "tool": tool.public_id,
        "place": "tilleuls",
        "copies": 2,
        "days": [
            {"day": "2027-03-08", "free": 0},
            {"day": "2027-03-09", "free": 2},
            {"day": "2027-03-10", "free": 1},
            {"day": "2027-03-11", "free": 1},
            {"day": "2027-03-12", "free": 2},
        ],
    }
    assert len(api.get(path).json()["days"]) == 30
    assert len(api.get(f"{path}?from=2027-03-09&to=2028-03-08").json()["days"]) == 366
    too_many = api.get(f"{path}?from=2027-03-09&to=2028-03-09")
    assert (too_many.status_code, too_many.json()["code"]) == (422, "too_many_days")


def test_the_last_year_of_all_is_no_fault(api: Any, tool: Any, copy: Any) -> None:
    path = f"/tools/{tool.public_id}/availability"
    assert api.get(f"{path}?from=2100-12-31").status_code == 200
    assert api.get(f"{path}?to=2000-01-01").status_code == 200
    assert api.get("/tools?from=2100-12-31").status_code == 200


@pytest.mark.parametrize(
    "path", ["/me", "/places", "/tools", "/tools/{id}", "/tools/{id}/availability", "/bookings"]
)
def test_what_the_caller_holds_is_not_sent_again(api: Any, tool: Any, copy: Any, path: str) -> None:
    path = path.format(id=tool.public_id)
    first = api.get(path)
    assert first["Cache-Control"] == "private, no-cache"
    for held in (first["ETag"], f'W/{first["ETag"]}, "x"', "*"):
        again = api.get(path, If_None_Match=held)
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
    assert api.get(path, If_None_Match='"x"').status_code == 200


def test_after_a_booking_the_next_reader_sees_it(api: Any, tool: Any, copy: Any) -> None:
    held = api.get("/tools")["ETag"]
    api.post("/bookings", loan_body(tool))
    answer = api.get("/tools", If_None_Match=held)
    assert answer.status_code == 200
    assert answer.json()["items"][0]["availability"]["state"] != "gone"
    assert answer["ETag"] != held
