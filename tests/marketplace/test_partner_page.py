"""The page of one partner: facts, the words of the law, and nobody who is not shown."""

import json
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Place
from marketplace.enums import DocumentKind, PartnerKind, PartnerStatus, Trade
from marketplace.models import Convention, Partner, PartnerHours
from marketplace.queries import hours
from tests.factories.club import PARIS, LandlordFactory, PlaceFactory
from tests.factories.marketplace import ArtisanFactory, PartnerFactory, insured

NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def durand(place: Place) -> Partner:
    artisan = ArtisanFactory(
        landlord=place.landlord, name="Durand & fils", trades=[Trade.PLUMBING, Trade.ROOFING],
        description="Fuites et chauffe-eau.\nDevis gratuit.", address="2, rue Basse",
        postcode="80080", city="Amiens", phone="+33322010203", website="https://durand.example/",
        languages=["ar", "fr"], step_free=True, checked_on=date(2027, 2, 1),
    )  # fmt: skip
    insured(artisan, Trade.PLUMBING)
    for weekday in range(1, 6):
        PartnerHours.objects.create(
            partner=artisan, weekday=weekday, opens=time(7), closes=time(19)
        )
    artisan.places.set([place])
    artisan.save()
    return artisan


def page_of(client: Client, partner: Partner) -> str:
    page = client.get(partner.get_absolute_url())
    assert page.status_code == 200
    return page.text


def test_a_page_tells_what_a_resident_needs(client: Client, durand: Partner) -> None:
    page = page_of(client, durand)
    assert "<h1>Durand &amp; fils</h1>" in page
    for said in [
        "Fuites et chauffe-eau.",
        "2, rue Basse",
        "80080 Amiens",
        'href="tel:+33322010203"',
        f"03{NBSP}22{NBSP}01{NBSP}02{NBSP}03",
        f"Du mardi au samedi, de 7{NBSP}h à 19{NBSP}h",
        f"Ouvert, ferme à 19{NBSP}h",
        "Français, arabe",
        "De plain-pied",
        "Conciergerie des Tilleuls</li>",
        f"Vérification documentaire au 1er{NBSP}février{NBSP}2027, ne vaut pas garantie.",
        'rel="noopener nofollow external"',
    ]:
        assert said in page, said


def test_only_the_trades_that_a_paper_covers_are_told(client: Client, durand: Partner) -> None:
    page = page_of(client, durand)
    assert "/avantages/artisans/plomberie/" in page
    assert "Couverture" not in page
    assert "/avantages/artisans/couverture/" not in page


def test_who_is_not_shown_today_is_not_there(client: Client, place: Place, durand: Partner) -> None:
    hidden = [
        ArtisanFactory(landlord=place.landlord),
        PartnerFactory(landlord=place.landlord, status=PartnerStatus.PAUSED),
        PartnerFactory(landlord=place.landlord, status=PartnerStatus.DRAFT),
        PartnerFactory(landlord=place.landlord, convention=False),
        PartnerFactory(landlord=LandlordFactory(slug="autre", name="Autre")),
    ]
    nothing = client.get("/avantages/partenaire/personne/")
    assert nothing.status_code == 404
    for partner in hidden:
        page = client.get(partner.get_absolute_url())
        assert page.status_code == 404
        assert partner.name not in page.text
    assert client.get(durand.get_absolute_url()).status_code == 200
    Convention.objects.filter(partner=durand).update(ends_on=date(2027, 3, 9))
    assert client.get(durand.get_absolute_url()).status_code == 200
    with time_machine.travel(datetime(2027, 3, 10, 0, 1, tzinfo=PARIS), tick=False):
        assert client.get(durand.get_absolute_url()).status_code == 404


def test_insurance_leaves_everybody_free(client: Client, place: Place) -> None:
    broker = PartnerFactory(
        landlord=place.landlord, kind=PartnerKind.INTERMEDIARY, shop="", name="Assur’Nord",
        orias="12345678", orias_checked_on=date(2027, 1, 5),
    )  # fmt: skip
    insured(broker, kind=DocumentKind.ORIAS)
    page = page_of(client, broker)
    assert f"12345678, vérifié le 5{NBSP}janvier{NBSP}2027" in page
    assert "Vous restez libre de choisir votre assureur." in page
    assert "€" not in page
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    listed = client.get("/avantages/assurance/").text
    assert "Vous restez libre de choisir votre assureur." in listed


@pytest.mark.parametrize("website", ["http://durand.example/", "", "https://durand.example/"])
def test_a_site_is_linked_by_https_alone(client: Client, place: Place, website: str) -> None:
    page = page_of(client, PartnerFactory(landlord=place.landlord, website=website))
    assert ("durand.example" in page) == website.startswith("https://")


def test_without_a_phone_one_writes(client: Client, place: Place) -> None:
    shop = PartnerFactory(landlord=place.landlord, phone="", email="pain@example.org")
    assert 'href="mailto:pain@example.org"' in page_of(client, shop)


def test_hidden_places_are_not_told(client: Client, place: Place) -> None:
    hidden = PlaceFactory(landlord=place.landlord, name="Accueil secret", is_public=False)
    shop = PartnerFactory(landlord=place.landlord)
    shop.places.set([place, hidden])
    shop.save()
    assert "Accueil secret" not in page_of(client, shop)


def test_search_engines_read_the_same_facts(client: Client, durand: Partner) -> None:
    Partner.objects.filter(pk=durand.pk).update(name="Durand </script><b>")
    page = page_of(client, durand)
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    told = json.loads(block)
    assert told["@type"] == "LocalBusiness"
    assert told["name"] == "Durand </script><b>"
    assert told["telephone"] == "+33322010203"
    assert told["address"]["addressLocality"] == "Amiens"
    assert len(told["openingHoursSpecification"]) == 5
    assert told["openingHoursSpecification"][0] == {
        "@type": "OpeningHoursSpecification",
        "dayOfWeek": "https://schema.org/Tuesday",
        "opens": "07:00",
        "closes": "19:00",
    }


@pytest.mark.parametrize("shown", ["none", "all"])
def test_a_page_costs_the_same_however_full(client: Client, place: Place, shown: str) -> None:
    one = ArtisanFactory(landlord=place.landlord, trades=[Trade.PLUMBING, Trade.LOCKS])
    insured(one, Trade.PLUMBING, Trade.LOCKS)
    if shown == "all":
        for weekday in range(7):
            PartnerHours.objects.create(
                partner=one, weekday=weekday, opens=time(7), closes=time(19)
            )
        one.places.set([place, PlaceFactory(landlord=place.landlord)])
        one.save()
    client.get(one.get_absolute_url())
    with CaptureQueriesContext(connection) as seen:
        page_of(client, one)
    assert len(seen) == 9


# -- Hours in one sentence -------------------------------------------------------------------

MORNING, LATE, DAY = ((9, 12),), ((14, 18),), ((9, 12), (14, 18))


@pytest.mark.parametrize(
    ("week", "said"),
    [
        ({}, ""),
        ({0: MORNING}, "Le lundi, de 9 h à 12 h"),
        ({0: MORNING, 1: MORNING}, "Le lundi et le mardi, de 9 h à 12 h"),
        (dict.fromkeys(range(1, 6), ((7, 19),)), "Du mardi au samedi, de 7 h à 19 h"),
        (dict.fromkeys(range(7), DAY), "Tous les jours, de 9 h à 12 h et de 14 h à 18 h"),
        ({0: DAY, 3: LATE}, "Le lundi, de 9 h à 12 h et de 14 h à 18 h ; le jeudi, de 14 h à 18 h"),
        (
            {0: MORNING, 2: MORNING, 3: MORNING, 4: MORNING, 6: LATE},
            "Le lundi et du mercredi au vendredi, de 9 h à 12 h ; le dimanche, de 14 h à 18 h",
        ),
        ({0: ((9, 12), (12, 15))}, "Le lundi, de 9 h à 15 h"),
    ],
)  # fmt: skip
def test_hours_are_said_in_one_sentence(place: Place, week: Any, said: str) -> None:
    shop = PartnerFactory(landlord=place.landlord)
    for weekday, spans in week.items():
        for opens, closes in spans:
            PartnerHours.objects.create(
                partner=shop, weekday=weekday, opens=time(opens), closes=time(closes)
            )
    shop = Partner.objects.get(pk=shop.pk)
    assert hours.said(shop).replace(NBSP, " ") == said


def test_the_partner_s_own_sentence_goes_first(place: Place) -> None:
    shop = PartnerFactory(landlord=place.landlord, hours_note="Sur rendez-vous")
    PartnerHours.objects.create(partner=shop, weekday=0, opens=time(9), closes=time(12))
    assert hours.said(shop) == "Sur rendez-vous"


# -- Kept pages ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_kept_page_knows_a_change_and_the_next_closing(
    client: Client, place: Place, settings: Any, now: datetime
) -> None:
    settings.PAGE_CACHE_SECONDS = 36_000
    shop = PartnerFactory(landlord=place.landlord, name="Fournil")
    PartnerHours.objects.create(partner=shop, weekday=1, opens=time(7), closes=time(11))
    address = "/avantages/commercants/"
    assert f"Ouvert, ferme à 11{NBSP}h" in client.get(address).text
    with CaptureQueriesContext(connection) as seen:
        assert "Fournil" in client.get(address).text
    assert not [one for one in seen.captured_queries if "marketplace_" in one["sql"]]
    shop.name = "Le Fournil"
    shop.save()
    assert "Le Fournil" in client.get(address).text
    Convention.objects.get().delete()
    assert "Fournil" not in client.get(address).text
    Convention.objects.create(
        partner=shop, version="2", signed_on=now.date(), starts_on=now.date(),
        ends_on=now.date() + timedelta(days=9),
    )  # fmt: skip
    assert "Fournil" in client.get(address).text
    with time_machine.travel(datetime(2027, 3, 9, 11, 0, 1, tzinfo=PARIS), tick=False):
        assert f"Fermé, ouvre mardi 16{NBSP}mars à 7{NBSP}h" in client.get(address).text
