"""What residents read: all offers of the day, those of a shop, and the first in its line."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Place
from marketplace.domain import offers
from marketplace.enums import LimitPer, OfferKind, PartnerStatus, Shop
from marketplace.models import Offer, OfferStock
from marketplace.queries.directory import turn_of
from tests.factories.club import NOW, PARIS, LandlordFactory, PlaceFactory, UserFactory
from tests.factories.marketplace import OfferFactory, PartnerFactory

NBSP = "\u00a0"
TODAY = NOW.date()
ALL = "/avantages/offres/"


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def offer(place: Place, **more: Any) -> Offer:
    return OfferFactory(partner__landlord=place.landlord, **more)


def sold_out(one: Offer, **more: Any) -> None:
    OfferStock.objects.create(offer=one, day=TODAY, **({"sold_out": True} | more))


def cards(client: Client, address: str = ALL) -> list[Any]:
    page = client.get(address)
    assert page.status_code == 200
    return page.context["cards"]


def test_an_offer_says_what_it_gives_where_and_when(client: Client, place: Place) -> None:
    one = offer(
        place, partner__name="Le Fournil", partner__city="Amiens", title="Pain de campagne",
        kind=OfferKind.PRICE, percent=None, price_cents=110, usual_price_cents=130,
        conditions="sauf le dimanche", limit_count=1, limit_per=LimitPer.DAY,
        ends_on=date(2027, 3, 22),
    )  # fmt: skip
    sold_out(one, sold_out=False, left=6)
    page = client.get(ALL).text
    for said in [
        f"1,10{NBSP}€ au lieu de 1,30{NBSP}€",
        "Pain de campagne",
        "Sauf le dimanche.",
        "1 fois par jour.",
        f"Jusqu’au lundi 22{NBSP}mars.",
        "Il en reste 6 aujourd’hui.",
        "Le Fournil</a>, Amiens",
        "Montrez votre carte avant de payer.",
        "/avantages/classement/",
    ]:
        assert said in page, said


def test_the_last_minute_of_the_last_day(client: Client, place: Place) -> None:
    offer(place, starts_on=date(2027, 3, 1), ends_on=date(2027, 3, 22))
    for moment, number in [
        (datetime(2027, 3, 22, 23, 59, tzinfo=PARIS), 1),
        (datetime(2027, 3, 23, 0, 1, tzinfo=PARIS), 0),
    ]:
        with time_machine.travel(moment, tick=False):
            assert len(cards(client)) == number


def test_only_what_counts_here_today_is_listed(client: Client, place: Place) -> None:
    seen = offer(place)
    offer(place, live=False)
    offer(place, withdrawn_on=TODAY)
    offer(place, starts_on=TODAY + timedelta(days=1))
    offer(place, partner__status=PartnerStatus.PAUSED)
    OfferFactory(partner__landlord=LandlordFactory(slug="autre", name="Autre"))
    assert [card.offer for card in cards(client)] == [seen]


def test_the_order_is_that_of_the_partners_and_sold_out_comes_last(
    client: Client, place: Place
) -> None:
    made = [offer(place) for _n in range(5)]
    turned = sorted(made, key=lambda one: turn_of(one.partner_id, TODAY))
    assert [card.offer for card in cards(client)] == turned
    sold_out(turned[0])
    found = cards(client)
    assert [card.offer for card in found] == [*turned[1:], turned[0]]
    assert [card.is_sold_out for card in found] == [False] * 4 + [True]
    assert "Épuisé aujourd’hui" in client.get(ALL).text
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert not any(card.is_sold_out for card in cards(client))


def test_the_filters_stand_in_the_address(client: Client, place: Place) -> None:
    bread = offer(place)
    fish = offer(place, partner__shop=Shop.FISH)
    other = PlaceFactory(landlord=place.landlord, slug="bords", name="Accueil des Bords")
    fish.partner.places.set([other])
    fish.partner.save()
    assert [card.offer for card in cards(client, f"{ALL}?commerce=poissonnerie")] == [fish]
    assert [card.offer for card in cards(client, f"{ALL}?lieu={place.slug}")] == [bread]
    assert {card.offer for card in cards(client, f"{ALL}?lieu=bords")} == {bread, fish}
    assert len(cards(client, f"{ALL}?commerce=nimporte&lieu=nulle-part&page=99")) == 2
    empty = client.get(f"{ALL}?commerce=ferme").text
    assert "Aucun avantage aujourd’hui" in empty
    assert "Enlevez un choix" in empty


def test_with_no_offer_the_way_on_is_told(client: Client, place: Place) -> None:
    page = client.get(ALL).text
    assert "Les partenaires en proposent bientôt." in page
    assert 'href="tel:0353012460"' in page


def test_a_long_list_has_pages(client: Client, place: Place) -> None:
    shop = PartnerFactory(landlord=place.landlord)
    OfferFactory.create_batch(31, partner=shop)
    assert len(cards(client)) == 30
    assert len(cards(client, f"{ALL}?page=2")) == 1
    assert 'rel="next"' in client.get(ALL).text


def test_a_shop_s_page_and_its_line_show_what_the_card_gives(client: Client, place: Place) -> None:
    first = offer(place, partner__name="Le Fournil")
    second = OfferFactory(
        partner=first.partner, kind=OfferKind.GIFT, percent=None, gift="Un croissant"
    )
    sold_out(second)
    page = client.get(first.partner.get_absolute_url()).text
    assert f"10{NBSP}% de remise" in page
    assert "Un croissant offert" in page
    assert "Épuisé aujourd’hui" in page
    listed = client.get("/avantages/commercants/").text
    assert f"10{NBSP}% de remise" in listed
    assert "Un croissant" not in listed
    assert ALL in client.get("/avantages/").text


@pytest.mark.parametrize("rows", [1, 3, 30])
@pytest.mark.parametrize(("query", "statements"), [("", 7), ("?commerce=boulangerie", 7)])
def test_the_list_costs_the_same_however_long(
    client: Client, place: Place, rows: int, query: str, statements: int
) -> None:
    for _number in range(rows):
        offer(place)
    client.get("/avantages/")
    with CaptureQueriesContext(connection) as seen:
        assert len(cards(client, ALL + query)) == rows
    assert len(seen) == statements, "\n".join(one["sql"][:160] for one in seen.captured_queries)


def test_a_visitor_s_list_can_be_kept_for_all(client: Client, place: Place) -> None:
    offer(place)
    page = client.get(ALL)
    assert "csrfmiddlewaretoken" not in page.text
    assert not page.cookies


@pytest.mark.django_db(transaction=True)
def test_a_kept_list_knows_a_withdrawal(client: Client, place: Place, settings: Any) -> None:
    settings.PAGE_CACHE_SECONDS = 36_000
    one = offer(place, title="Pain de campagne")
    assert "Pain de campagne" in client.get(ALL).text
    offers.withdraw(one, by=UserFactory(), now=NOW)
    assert "Pain de campagne" not in client.get(ALL).text
