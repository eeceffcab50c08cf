"""Finding an object by the word that people have for it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from club.models import Place
from concierge.models import Tool
from concierge.queries.search import near_tools, search_tools
from tests.factories.club import LandlordFactory
from tests.factories.concierge import ToolFactory


@pytest.fixture
def shelf(place: Place) -> Place:
    for name, other_names, description in [
        ("Gaufrier", "machine à gaufres", ""),
        ("Nettoyeur haute pression", "Kärcher", "Lave la terrasse et le vélo."),
        ("Perceuse", "visseuse, Bosch", "Fait des trous dans le bois."),
        ("Ponceuse", "", "Rend le bois lisse."),
        ("Raclette pour huit", "appareil à raclette", ""),
        ("Taille-haie", "", "Coupe les haies et les arbustes."),
        ("Machine à coudre", "Singer", ""),
        ("Shampouineuse", "injecteur extracteur", ""),
    ]:
        ToolFactory(
            landlord=place.landlord, name=name, other_names=other_names, description=description
        )
    return place


def names(tools: list[Tool]) -> list[str]:
    return [tool.name for tool in tools]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gaufrier", ["Gaufrier"]),
        ("GAUFRIER", ["Gaufrier"]),
        ("gofrier", ["Gaufrier"]),
        ("gaufres", ["Gaufrier"]),
        ("un gaufrier", ["Gaufrier"]),
        ("karcher", ["Nettoyeur haute pression"]),
        ("Kärcher", ["Nettoyeur haute pression"]),
        ("carcher", ["Nettoyeur haute pression"]),
        ("visseuse", ["Perceuse"]),
        ("perceuse", ["Perceuse"]),
        ("appareil à raclette", ["Raclette pour huit"]),
        ("l’appareil à raclettes", ["Raclette pour huit"]),
        ("taillehaie", ["Taille-haie"]),
        ("machine a coudre", ["Machine à coudre"]),
        ("champouineuse", ["Shampouineuse"]),
        ("shampouin", ["Shampouineuse"]),
        ("terrasse", ["Nettoyeur haute pression"]),
        ("arbustes", ["Taille-haie"]),
        ("zzzz", []),
        ("", []),
        ("de la", []),
        ("  ", []),
    ],
)
def test_a_word_finds_its_object(shelf: Place, text: str, expected: list[str]) -> None:
    assert names(search_tools(shelf.landlord, text)) == expected


def test_a_word_of_two_descriptions_finds_both(shelf: Place) -> None:
    assert names(search_tools(shelf.landlord, "bois")) == ["Perceuse", "Ponceuse"]


@pytest.mark.parametrize(
    "text", ['"', "*", "AND", "gaufrier OR", "(", "a" * 5000, "%_", "' --", "é" * 300, "\\", "🧇"]
)
def test_odd_input_is_only_text(shelf: Place, text: str) -> None:
    assert isinstance(search_tools(shelf.landlord, text), list)


def test_what_is_not_listed_or_another_landlords_is_not_found(shelf: Place) -> None:
    Tool.objects.filter(name="Gaufrier").update(is_listed=False)
    other = LandlordFactory(name="Autre bailleur", slug="autre")
    ToolFactory(landlord=other, department__slug="ailleurs", name="Gaufrier double")
    assert names(search_tools(shelf.landlord, "gaufrier")) == []
    assert names(search_tools(other, "gaufrier")) == ["Gaufrier double"]


def test_something_near_is_proposed(shelf: Place) -> None:
    assert names(search_tools(shelf.landlord, "ponsage")) == []
    assert names(near_tools(shelf.landlord, "ponsage")) == ["Ponceuse"]


def test_statements_do_not_grow_with_the_catalogue(shelf: Place) -> None:
    with CaptureQueriesContext(connection) as few:
        search_tools(shelf.landlord, "gaufrier")
    for number in range(60):
        ToolFactory(landlord=shelf.landlord, name=f"Gaufrier {number}")
    with CaptureQueriesContext(connection) as many:
        assert len(search_tools(shelf.landlord, "gaufrier")) == 61
    assert len(many) == len(few)
