"""Departments and lists, for visitors and members."""

from datetime import datetime

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Member, Place
from concierge.enums import CopyStatus
from concierge.models import Copy, Tool
from tests.factories.concierge import CopyFactory, DepartmentFactory, LoanFactory, ToolFactory


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime):
    with time_machine.travel(now, tick=False):
        yield


def test_departments_stand_as_windows(client: Client, place: Place, copy: Copy) -> None:
    DepartmentFactory(landlord=place.landlord, name="Vide", slug="vide")
    page = client.get("/emprunter/")
    assert page.status_code == 200
    assert [shelf.name for shelf in page.context["departments"]] == ["Cuisiner"]
    assert "/emprunter/rayon/cuisiner/" in page.text
    assert 'name="q"' in page.text


def test_a_visitor_s_pages_carry_nothing_of_their_own(
    client: Client, place: Place, copy: Copy
) -> None:
    """So that one copy can be kept for all visitors."""
    for path in ["/emprunter/", "/emprunter/rayon/cuisiner/", copy.tool.get_absolute_url()]:
        page = client.get(path)
        assert "csrfmiddlewaretoken" not in page.text
        assert not page.cookies


def test_a_list_tells_when_each_object_is_there(
    client: Client, place: Place, copy: Copy, now: datetime
) -> None:
    away = CopyFactory(place=place, tool=ToolFactory(landlord=place.landlord, name="Crêpière"))
    LoanFactory(copy=away, status="out", starts_at=now, out_at=now)
    broken = CopyFactory(place=place, tool=ToolFactory(landlord=place.landlord, name="Blender"))
    Copy.objects.filter(pk=broken.pk).update(status=CopyStatus.REPAIR)
    page = client.get("/emprunter/rayon/cuisiner/")
    said = {card["name"]: card["availability"]["text"] for card in page.context["cards"]}
    assert said == {
        "Blender": "En réparation",
        "Crêpière": "De retour mardi 16\u00a0mars",
        "Gaufrier": "Disponible aujourd’hui",
    }


def test_filters_stand_in_the_address(
    client: Client, place: Place, copy: Copy, now: datetime
) -> None:
    away = CopyFactory(place=place, tool=ToolFactory(landlord=place.landlord, name="Gaufrier 2"))
    LoanFactory(copy=away, status="out", starts_at=now, out_at=now)
    garden = DepartmentFactory(landlord=place.landlord, name="Jardiner", slug="jardiner")
    ToolFactory(landlord=place.landlord, department=garden, name="Gaufrier de jardin")

    def found(address: str) -> list[str]:
        return [card["name"] for card in client.get(address).context["cards"]]

    assert found("/emprunter/?q=gaufrier") == ["Gaufrier", "Gaufrier 2", "Gaufrier de jardin"]
    assert found("/emprunter/?q=gaufrier&rayon=jardiner") == ["Gaufrier de jardin"]
    assert found("/emprunter/?q=gaufrier&disponible=aujourdhui") == ["Gaufrier"]
    assert found("/emprunter/rayon/cuisiner/?disponible=aujourd’hui") == ["Gaufrier"]
    assert found("/emprunter/?disponible=aujourdhui") == ["Gaufrier"]


@pytest.mark.parametrize(
    "query", ["q=%00", "rayon=%2F%2F", "page=abc", "page=99999", "q=" + "a" * 300, "disponible=0"]
)
def test_a_filter_that_cannot_be_read_is_left_out(
    client: Client, place: Place, copy: Copy, query: str
) -> None:
    assert client.get(f"/emprunter/?{query}").status_code == 200


def test_nothing_found_says_what_to_do(client: Client, place: Place, copy: Copy) -> None:
    page = client.get("/emprunter/?q=gaufrette")
    assert page.context["cards"] == []
    assert [card["name"] for card in page.context["near"]] == ["Gaufrier"]
    assert "tel:0353012460" in page.text
    assert "/emprunter/rayon/cuisiner/" in page.text


def test_twenty_four_on_a_page(client: Client, place: Place) -> None:
    for number in range(30):
        ToolFactory(landlord=place.landlord, name=f"Objet {number:02d}")
    first = client.get("/emprunter/rayon/cuisiner/")
    second = client.get("/emprunter/rayon/cuisiner/?page=2")
    assert (len(first.context["cards"]), len(second.context["cards"])) == (24, 6)
    assert "Page 1 sur 2" in first.text


def test_an_unknown_department_is_not_found(client: Client, place: Place) -> None:
    assert client.get("/emprunter/rayon/inconnu/").status_code == 404


@pytest.mark.parametrize("path", ["/emprunter/rayon/cuisiner/", "/emprunter/?q=objet"])
def test_a_list_costs_as_much_for_sixty_as_for_three(
    client: Client, member: Member, path: str
) -> None:
    client.force_login(member.user)
    place = member.place

    def add(number: int) -> None:
        for _ in range(number):
            tool = ToolFactory(landlord=place.landlord, name=f"Objet {Tool.objects.count()}")
            LoanFactory(copy=CopyFactory(tool=tool, place=place), member=member)

    add(3)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    add(57)
    with CaptureQueriesContext(connection) as many:
        page = client.get(path)
    assert page.context["count"] == 60
    assert len(many) == len(few)
