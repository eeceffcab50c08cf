"""The public page of prices: honest words, no list of names, and the way to subscribe."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Member, Place
from cms.setup import build_site
from concierge.models import Plan
from tests.factories.club import LandlordFactory
from tests.factories.money import ClubPlanFactory, PlanFactory, TenantPlanFactory

NBSP = "\u00a0"


@pytest.fixture
def plans(place: Place) -> list[Plan]:
    landlord = place.landlord
    return [
        ClubPlanFactory(landlord=landlord, position=1),
        TenantPlanFactory(landlord=landlord, position=2),
        PlanFactory(landlord=landlord, price_cents=6000, position=3),
    ]


def test_each_offered_formula_is_told_with_its_whole_price(
    client: Client, place: Place, plans: list[Plan]
) -> None:
    PlanFactory(landlord=place.landlord, is_offered=False)
    PlanFactory(landlord=place.landlord, audience="listed")
    PlanFactory(landlord=LandlordFactory(slug="autre", name="Un autre bailleur"))
    page = client.get("/abonnement/")
    assert [(formula.plan, formula.price) for formula in page.context["plans"]] == [
        (plans[0], "gratuit"),
        (plans[1], f"1{NBSP}€ par mois, payé 12{NBSP}€ par an"),
        (plans[2], f"5{NBSP}€ par mois, payé 60{NBSP}€ par an"),
    ]
    assert "Pour les locataires de Habitat des Trois Rivières" in page.text
    assert page.text.count("des paiements chaque mois coûteraient trop de frais") == 2


def test_a_visitor_signs_up_and_comes_back_to_choose(client: Client, plans: list[Plan]) -> None:
    page = client.get("/abonnement/")
    assert 'href="/compte/inscription/?next=/mon-espace/abonnement/"' in page.text


def test_a_member_goes_straight_to_their_own_page(
    client: Client, member: Member, plans: list[Plan]
) -> None:
    client.force_login(member.user)
    page = client.get("/abonnement/")
    assert '<a class="button" href="/mon-espace/abonnement/">Choisir ma formule</a>' in page.text
    assert "Créer mon compte" not in page.text


@pytest.mark.parametrize(
    ("key", "collector", "online"),
    [("sk_test_1", "association", True), ("sk_test_1", "public", False), ("", "commercial", False)],
)
def test_how_to_pay_follows_the_place(
    client: Client, place: Place, plans: list[Plan], settings: Any,
    key: str, collector: str, online: bool,
) -> None:  # fmt: skip
    settings.STRIPE_SECRET_KEY = key
    place.collector = collector
    place.save()
    page = client.get("/abonnement/")
    assert ("En ligne, par carte bancaire" in page.text) is online
    assert "À l’accueil, en espèces ou par chèque" in page.text


def test_a_place_without_formulas_says_whom_to_call(client: Client, place: Place) -> None:
    page = client.get("/abonnement/")
    assert "Aucune formule n’est proposée ici" in page.text
    assert "tel:0353012460" in page.text


def test_a_kept_page_follows_a_new_price(
    client: Client, place: Place, plans: list[Plan], settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    settings.PAGE_CACHE_SECONDS = 600
    client.get("/abonnement/")
    with CaptureQueriesContext(connection) as queries:
        assert f"payé 60{NBSP}€" in client.get("/abonnement/").text
    assert not any("concierge_plan" in query["sql"] for query in queries)
    connection.run_on_commit.clear()
    with django_capture_on_commit_callbacks(execute=True):
        plans[2].price_cents = 7200
        plans[2].save()
    assert f"payé 72{NBSP}€" in client.get("/abonnement/").text


def test_the_home_page_leads_there(client: Client, place: Place) -> None:
    build_site(place)
    assert 'href="/abonnement/"' in client.get("/").text
