"""The directory by the API: the same partners as on the pages, in the same order."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine

from config.bench.wire import wire
from marketplace.enums import PartnerKind, PartnerStatus, Shop, Trade
from marketplace.models import Convention, Partner, PartnerHours
from marketplace.queries.directory import Wanted, directory_of
from tests.api.test_statements import limit_statements
from tests.factories.club import NOW, PARIS, LandlordFactory, PlaceFactory
from tests.factories.marketplace import ArtisanFactory, PartnerFactory, insured


def plumber(place: Any, **more: Any) -> Partner:
    artisan = ArtisanFactory(landlord=place.landlord, **more)
    insured(artisan, *[row.trade for row in artisan.trades.all()])
    return artisan


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["name"] for item in answer.json()["items"]]


def test_a_partner_with_its_hours_and_trades(api: Any, place: Any) -> None:
    one = plumber(
        place, name="Durand", city="Amiens", postcode="80080", step_free=True,
        languages=["fr", "ar"], checked_on=date(2027, 2, 1), website="https://durand.example",
        address="2, rue Basse", description="Fuites.",
    )  # fmt: skip
    PartnerHours.objects.create(partner=one, weekday=1, opens=time(8), closes=time(18))
    one.places.set([place])
    one.save()
    (item,) = api.get("/partners").json()["items"]
    assert item == {
        "id": one.public_id,
        "kind": "artisan",
        "name": "Durand",
        "trades": ["plumbing"],
        "shop": None,
        "postcode": "80080",
        "city": "Amiens",
        "phone": "+33322000000",
        "step_free": True,
        "languages": ["fr", "ar"],
        "picture": "/static/img/tools/deboucheur.svg",
        "open": True,
        "checked_on": "2027-02-01",
    }
    told = api.get(f"/partners/{one.public_id}").json()
    assert told == item | {
        "description": "Fuites.",
        "address": "2, rue Basse",
        "website": "https://durand.example",
        "hours_text": "Le mardi, de 8\u00a0h à 18\u00a0h",
        "hours": [{"weekday": 1, "opens": "08:00:00", "closes": "18:00:00"}],
        "places": ["tilleuls"],
        "orias": "",
        "orias_checked_on": None,
    }


def test_only_who_is_shown_today(api: Any, place: Any) -> None:
    uncovered = ArtisanFactory(landlord=place.landlord)
    paused = PartnerFactory(landlord=place.landlord, status=PartnerStatus.PAUSED)
    ended = PartnerFactory(landlord=place.landlord)
    Convention.objects.filter(partner=ended).update(ends_on=NOW.date() - timedelta(days=1))
    strange = PartnerFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    assert names(api.get("/partners")) == []
    for partner in (uncovered, paused, ended, strange):
        assert api.get(f"/partners/{partner.public_id}").status_code == 404


@pytest.mark.parametrize("name", ["nobody", "x" * 13, "%00", "%C3%A9"])
def test_a_partner_that_is_none(api: Any, name: str) -> None:
    assert api.get(f"/partners/{name}").status_code == 404


def test_filters_take_away(api: Any, place: Any) -> None:
    other = PlaceFactory(landlord=place.landlord, slug="pigeonnier")
    plumber(place, name="Durand")
    plumber(place, name="Toit", trades=[Trade.ROOFING])
    baker = PartnerFactory(landlord=place.landlord, name="Fournil", city="Amiens")
    PartnerHours.objects.create(partner=baker, weekday=2, opens=time(7), closes=time(13))
    books = PartnerFactory(landlord=place.landlord, name="Lire", shop=Shop.BOOKS)
    books.places.set([other])
    books.save()
    assert set(names(api.get("/partners"))) == {"Durand", "Toit", "Fournil", "Lire"}
    for query, found in [
        ("trade=plumbing", {"Durand"}),
        ("kind=artisan", {"Durand", "Toit"}),
        ("kind=merchant&trade=plumbing", set()),
        ("shop=books", {"Lire"}),
        ("place=tilleuls", {"Durand", "Toit", "Fournil"}),
        ("place=pigeonnier&shop=books", {"Lire"}),
        ("q=fuite", {"Durand"}),
        ("q=amiens", {"Fournil"}),
        ("open_at=2027-03-10T12:59:00%2B01:00", {"Fournil"}),
        ("open_at=2027-03-10T12:59:00+01:00", {"Fournil"}),
        ("open_at=2027-03-10T12:00:00Z", set()),
        ("open_at=2027-07-07T10:59:00Z", {"Fournil"}),
    ]:
        assert set(names(api.get(f"/partners?{query}"))) == found, query
    (item,) = api.get("/partners?open_at=2027-03-10T09:00:00Z").json()["items"]
    assert item["open"] is True


@pytest.mark.parametrize(
    "query",
    [
        "trade=magic", "shop=magic", "kind=magic", "place=../x", "place=nulle-part", "limit=0",
        "limit=100000000000000000000", "cursor=abc", "cursor=WyIyMDI3LTAzLTA5IiwgIjEiXQ",
        "open_at=demain", "open_at=2027-03-10", "open_at=2027-03-10T10:00:00",
        "open_at=9999-01-01T00:00:00Z", "open_at=2027-13-10T10:00:00Z", "q=" + "a" * 101, "q=%00",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(api: Any, query: str) -> None:
    answer = api.get(f"/partners?{query}")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"


def test_the_list_goes_on_by_cursor_and_misses_nothing(api: Any, place: Any) -> None:
    for number in range(7):
        partner = PartnerFactory(landlord=place.landlord, name=f"Boutique {number}")
        if number % 2:
            partner.places.set([place])
            partner.save()
    expected = [
        partner.name
        for partner in directory_of(place.landlord, NOW.date()).listed(Wanted(place=place))
    ]
    seen: list[str] = []
    cursor = ""
    # The last page is asked for after midnight: it goes on in the order that it began.
    for hours in (0, 0, 24, 24):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            page = api.get(f"/partners?place=tilleuls&limit=2{cursor}")
            seen += names(page)
            cursor = f"&cursor={page.json()['next']}"
    assert page.json()["next"] is None
    assert seen == expected
    assert len(seen) == 7
    with time_machine.travel(datetime(2027, 3, 20, tzinfo=PARIS), tick=False):
        stale = api.get("/partners?limit=2").json()["next"]
    assert api.get(f"/partners?cursor={stale}").json()["code"] == "bad_cursor"


def test_a_broker_is_told_with_its_number(api: Any, place: Any) -> None:
    broker = PartnerFactory(
        landlord=place.landlord, kind=PartnerKind.INTERMEDIARY, shop="", orias="12345678",
        orias_checked_on=date(2027, 1, 5),
    )  # fmt: skip
    assert names(api.get("/partners")) == []
    insured(broker, kind="orias")
    told = api.get(f"/partners/{broker.public_id}").json()
    assert (told["orias"], told["orias_checked_on"]) == ("12345678", "2027-01-05")


def test_what_the_caller_holds_is_not_sent_again(api: Any, place: Any) -> None:
    one = PartnerFactory(landlord=place.landlord)
    for path in ("/partners", f"/partners/{one.public_id}"):
        first = api.get(path)
        again = api.get(path, If_None_Match=first["ETag"])
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("rows", [1, 30, 100])
def test_the_list_costs_the_same_however_long(api: Any, place: Any, rows: int) -> None:
    for _number in range(rows):
        PartnerHours.objects.create(
            partner=plumber(place), weekday=1, opens=time(8), closes=time(18)
        )
    for query, statements in [("", 5), ("&q=artisan", 7), ("&place=tilleuls", 5)]:
        with wire() as sent:
            assert len(api.get(f"/partners?limit=100{query}").json()["items"]) == rows
        assert len(sent) == 1 + statements + limit_statements()


def test_a_partner_costs_the_same_whatever_it_has(api: Any, place: Any) -> None:
    one = plumber(place, trades=[Trade.PLUMBING, Trade.HEATING])
    with wire() as sent:
        assert api.get(f"/partners/{one.public_id}").status_code == 200
    assert len(sent) == 1 + 6 + limit_statements()
