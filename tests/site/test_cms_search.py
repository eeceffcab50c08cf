from typing import Any

import pytest
from django.test import Client

from club.models import Place
from cms.models import ServicePage
from cms.setup import build_site
from tests.factories.concierge import CopyFactory, ToolFactory


@pytest.fixture(autouse=True)
def built(place: Place) -> None:
    build_site(place)


@pytest.mark.parametrize("asked", ["paniers", "PANIERS", "panier", "pannier"])
def test_a_page_is_found_by_its_words_also_mistyped(client: Client, asked: str) -> None:
    answer = client.get("/recherche/", {"q": asked})
    assert "Pain et paniers" in [page.title for page, _url in answer.context["pages"]]


def test_a_page_is_found_by_what_it_says(client: Client) -> None:
    answer = client.get("/recherche/", {"q": "maraîcher"})
    assert "Pain et paniers" in [page.title for page, _url in answer.context["pages"]]


def test_an_object_is_found_beside_the_pages(client: Client, place: Place) -> None:
    tool = ToolFactory(landlord=place.landlord, name="Gaufrier", other_names="moule à gaufres")
    CopyFactory(tool=tool, place=place)
    answer = client.get("/recherche/", {"q": "gauffrier"})
    assert [card["name"] for card in answer.context["cards"]] == ["Gaufrier"]
    assert tool.get_absolute_url() in answer.content.decode()


def test_an_unpublished_page_is_not_found(client: Client) -> None:
    ServicePage.objects.get(slug="entraide").unpublish()
    answer = client.get("/recherche/", {"q": "voisins"})
    assert "Aide entre voisins" not in [page.title for page, _url in answer.context["pages"]]


def test_nothing_found_says_what_to_do(client: Client) -> None:
    answer = client.get("/recherche/", {"q": "xylophone"}).content.decode()
    assert "Rien ne répond" in answer
    assert "03 53 01 24 60" in answer
    assert 'value="xylophone"' in answer


@pytest.mark.parametrize("asked", ["", " ", "\x00", '"', "a" * 5000, "AND OR *", "<script>"])
def test_odd_words_are_no_fault(client: Client, asked: str) -> None:
    answer: Any = client.get("/recherche/", {"q": asked})
    assert answer.status_code == 200
    assert b"<script>" not in answer.content.replace(b"<script src", b"")
