"""What cards give by the API; a partner's own programs: its offers, its till."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import call_command

from club.guesses import MISSES
from club.kernel import codes
from club.models import Card, Member
from config.bench.wire import wire
from marketplace.domain.offers import propose
from marketplace.domain.people import leave
from marketplace.enums import LimitPer, OfferKind, PartnerStatus
from marketplace.models import Offer, OfferStock, OfferUse, PartnerChange, PartnerPerson
from marketplace.queries.offers import asked_now, terms_of
from tests.api.conftest import Caller
from tests.api.test_statements import limit_statements
from tests.factories.club import NOW, CardFactory, LandlordFactory, MemberFactory, PlaceFactory
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory


@pytest.fixture
def baker(place: Any) -> PartnerPerson:
    partner = PartnerFactory(landlord=place.landlord, name="Fournil", city="Amiens")
    return PersonFactory(partner=partner, user__email="paul@example.org")


@pytest.fixture
def offer(baker: PartnerPerson) -> Offer:
    return OfferFactory(partner=baker.partner, limit_count=1, limit_per=LimitPer.MONTH)


@pytest.fixture
def shop(baker: PartnerPerson, caller_for: Callable[..., Caller]) -> Caller:
    return caller_for(baker.user)


@pytest.fixture
def card(member: Member) -> Card:
    return CardFactory(member=member)


def titles(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["title"] for item in answer.json()["items"]]


# -- For members -------------------------------------------------------------------------------


def test_an_offer_as_a_member_reads_it(api: Any, offer: Offer) -> None:
    OfferStock.objects.create(offer=offer, day=NOW.date(), left=14)
    (item,) = api.get("/offers").json()["items"]
    assert item == {
        "id": offer.public_id,
        "partner": offer.partner.public_id,
        "partner_name": "Fournil",
        "gives": "10\u00a0% de remise",
        "sold_out": False,
        "left": 14,
        "title": "Tout le magasin",
        "kind": "percent",
        "percent": 10,
        "amount_cents": None,
        "price_cents": None,
        "usual_price_cents": None,
        "gift": "",
        "conditions": "",
        "starts_on": "2027-01-01",
        "ends_on": None,
        "limit_count": 1,
        "limit_per": "month",
    }


def test_only_what_holds_today_at_partners_that_are_shown(api: Any, baker: Any) -> None:
    shown = {"title": "Jusqu’à ce soir", "ends_on": NOW.date()}
    for terms in (
        shown,
        {"title": "Hier", "ends_on": NOW.date() - timedelta(days=1)},
        {"title": "Demain", "starts_on": NOW.date() + timedelta(days=1)},
        {"title": "En attente", "live": False},
        {"title": "Retiré", "withdrawn_on": NOW.date()},
    ):
        OfferFactory(partner=baker.partner, **terms)
    landlord = baker.partner.landlord
    OfferFactory(partner=PartnerFactory(landlord=landlord, status=PartnerStatus.PAUSED))
    OfferFactory(partner__landlord=LandlordFactory(slug="autre", name="Autre"))
    assert titles(api.get("/offers")) == ["Jusqu’à ce soir"]
    with time_machine.travel(NOW.replace(hour=0, minute=1) + timedelta(days=1), tick=False):
        assert titles(api.get("/offers")) == ["Demain"]


def test_filters_take_away(api: Any, place: Any, baker: Any) -> None:
    PlaceFactory(landlord=place.landlord, slug="pigeonnier")
    OfferFactory(partner=baker.partner, title="Pain")
    books = PartnerFactory(landlord=place.landlord, name="Lire", shop="books")
    books.places.set([place])
    books.save()
    OfferFactory(
        partner=books, title="Marque-page", kind=OfferKind.GIFT, percent=None, gift="Un crayon"
    )
    for query, found in [
        ("", {"Pain", "Marque-page"}),
        ("?kind=gift", {"Marque-page"}),
        ("?place=pigeonnier", {"Pain"}),
        ("?place=tilleuls", {"Pain", "Marque-page"}),
        ("?q=crayon", {"Marque-page"}),
        ("?q=Papeterie", {"Marque-page"}),
        ("?q=fournil%20pain", {"Pain"}),
        ("?q=vélo", set()),
    ]:
        assert set(titles(api.get(f"/offers{query}"))) == found, query


@pytest.mark.parametrize(
    "query",
    [
        "kind=magic", "place=../x", "place=nulle-part", "limit=0", "limit=101", "q=%00",
        "cursor=abc", "cursor=WyIyMDI3LTAzLTA5IiwgIjEiXQ",
        "cursor=WyJ4IiwgIjEiLCAiMSJd", "cursor=WyIyMDI3LTAzLTA5IiwgIngiLCAiMSJd",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(api: Any, query: str) -> None:
    answer = api.get(f"/offers?{query}")
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"


def test_the_list_goes_on_by_cursor_over_midnight_and_misses_nothing(api: Any, place: Any) -> None:
    for number in range(7):
        OfferFactory(partner__landlord=place.landlord, title=f"Offre {number}")
    expected = titles(api.get("/offers"))
    seen: list[str] = []
    cursor = ""
    for hours in (0, 0, 24, 24):
        with time_machine.travel(NOW + timedelta(hours=hours), tick=False):
            page = api.get(f"/offers?limit=2{cursor}")
            seen += titles(page)
            cursor = f"&cursor={page.json()['next']}"
    assert (page.json()["next"], seen, len(set(seen))) == (None, expected, 7)
    stale = api.get("/offers?limit=2").json()["next"]
    with time_machine.travel(NOW + timedelta(days=8), tick=False):
        assert api.get(f"/offers?cursor={stale}").json()["code"] == "bad_cursor"


@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_costs_the_same_however_long(api: Any, place: Any, rows: int) -> None:
    for _number in range(rows):
        OfferFactory(partner__landlord=place.landlord)
    for query, statements in [("", 2), ("?q=magasin", 3), ("?place=tilleuls", 2)]:
        with wire() as sent:
            assert len(api.get(f"/offers{query}").json()["items"]) == rows
        assert len(sent) == 1 + statements + limit_statements()


# -- A partner's own offers --------------------------------------------------------------------


def test_a_partner_reads_its_own_and_how_they_stand(
    shop: Any, offer: Offer, baker: PartnerPerson
) -> None:
    theirs = OfferFactory(partner=PartnerFactory(landlord=baker.partner.landlord))
    (item,) = shop.get("/my/offers").json()["items"]
    assert (item["id"], item["state"], item["proposed"]) == (offer.public_id, "live", None)
    assert shop.get(f"/my/offers/{offer.public_id}").json() == item
    for public_id in (theirs.public_id, "nobody", "x" * 13, "%00", "%C3%A9"):
        assert shop.get(f"/my/offers/{public_id}").status_code == 404
        answer = shop.patch(f"/my/offers/{public_id}", {"sold_out": True})
        assert answer.status_code == 404
    new = propose(None, baker.partner, terms_of(offer) | {"title": "Pain"}, baker.user, NOW)
    told = shop.get(f"/my/offers/{new.public_id}").json()
    assert (told["state"], told["proposed"]["title"]) == ("pending", "Pain")
    assert not OfferUse.objects.exists()


def test_stock_counts_at_once(shop: Any, offer: Offer) -> None:
    path = f"/my/offers/{offer.public_id}"
    answer = shop.patch(path, {"left": 14}, Idempotency_Key="un")
    assert (answer.status_code, answer.json()["left"], answer.json()["sold_out"]) == (
        200,
        14,
        False,
    )
    again = shop.patch(path, {"left": 14}, Idempotency_Key="un")
    assert (again.content, again["Idempotent-Replayed"]) == (answer.content, "true")
    gone = shop.patch(path, {"sold_out": True}).json()
    assert (gone["left"], gone["sold_out"]) == (14, True)
    shop.patch(path, {"left": 0})
    none = shop.patch(path, {"sold_out": False}).json()
    assert (none["left"], none["sold_out"]) == (0, True)
    endless = shop.patch(path, {"ends_on": "2099-12-31"})
    assert (endless.status_code, endless.json()["code"]) == (422, "too_far")
    assert PartnerChange.objects.filter(offer=offer).count() == 4


def test_terms_wait_for_an_agreement(shop: Any, offer: Offer) -> None:
    path = f"/my/offers/{offer.public_id}"
    answer = shop.patch(path, {"percent": 15, "sold_out": True})
    told = answer.json()
    assert (answer.status_code, told["state"], told["percent"]) == (202, "pending", 10)
    assert (told["proposed"]["percent"], told["sold_out"]) == (15, True)
    assert asked_now(offer) is not None
    more = shop.patch(path, {"conditions": "Sauf le dimanche."}).json()["proposed"]
    assert (more["percent"], more["conditions"]) == (15, "Sauf le dimanche.")
    lifted = shop.patch(path, {"limit_count": None, "limit_per": None})
    assert (lifted.status_code, lifted.json()["proposed"]["limit_per"]) == (202, None)
    offer.refresh_from_db()
    assert (offer.percent, offer.limit_per) == (10, "month")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, None),
        ({"left": -1}, 422, "left"),
        ({"left": 10**20}, 422, "left"),
        ({"percent": 91}, 422, "percent"),
        ({"title": ""}, 422, "title"),
        ({"title": "x" * 61}, 422, "title"),
        ({"title": "\x00"}, 422, "title"),
        ({"kind": "gift"}, 422, "gift"),
        ({"starts_on": None}, 422, "starts_on"),
        ({"ends_on": "2026-01-01"}, 422, "ends_on"),
        ({"partner": "x"}, 422, "partner"),
        ({"live": True}, 422, "live"),
    ],
)
def test_a_change_that_cannot_be(
    shop: Any, offer: Offer, body: dict[str, Any], status: int, field: str | None
) -> None:
    answer = shop.patch(f"/my/offers/{offer.public_id}", body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert asked_now(offer) is None
    assert not OfferStock.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_refused_proposal_leaves_the_stock_alone(shop: Any, offer: Offer) -> None:
    answer = shop.patch(f"/my/offers/{offer.public_id}", {"left": 3, "percent": 10})
    assert answer.json()["code"] == "no_change"
    assert not OfferStock.objects.exists()


# -- Cards -------------------------------------------------------------------------------------


NOT_VALID = {"valid": False, "first_name": None, "valid_until": None, "use": None}


def test_a_card_is_good_or_not(shop: Any, place: Any, card: Card, offer: Offer) -> None:
    for read in (card.number, f"M {card.number}", card.token, f"https://x.example/c/{card.token}"):
        assert shop.post("/cards/check", {"card": read}).json() == {
            "valid": True, "first_name": "Samira", "valid_until": "2027-12-31", "use": None,
        }  # fmt: skip
    never = CardFactory(member=MemberFactory(place=place))
    taken = {card.number, never.number}
    unknown = codes.unused(codes.card_number, taken.__contains__)
    for read in (never.number, never.token, unknown, codes.token()):
        for body in ({"card": read}, {"card": read, "offer": offer.public_id}):
            answer = shop.post("/cards/check", body)
            assert (answer.status_code, answer.json()) == (200, NOT_VALID)
    assert not OfferUse.objects.exists()


def test_a_use_is_counted_once_a_key(shop: Any, member: Any, card: Card, offer: Offer) -> None:
    body = {"card": card.number, "offer": offer.public_id, "amount_cents": 20_00}
    answer = shop.post("/cards/check", body, Idempotency_Key="ticket-1")
    assert answer.json()["use"] == {
        "offer": offer.public_id,
        "used_at": "2027-03-09T09:24:00Z",
        "amount_cents": 20_00,
        "saving_cents": 2_00,
    }
    again = shop.post("/cards/check", body, Idempotency_Key="ticket-1")
    assert (again.content, again["Idempotent-Replayed"]) == (answer.content, "true")
    over = shop.post("/cards/check", body, Idempotency_Key="ticket-2")
    assert (over.status_code, over.json()["code"]) == (409, "limit_reached")
    assert OfferUse.objects.get().member == member


def test_sold_out_and_over_are_told(shop: Any, card: Card, baker: PartnerPerson) -> None:
    gone = OfferFactory(partner=baker.partner)
    OfferStock.objects.create(offer=gone, day=NOW.date(), sold_out=True)
    over = OfferFactory(partner=baker.partner, ends_on=date(2027, 3, 8))
    theirs = OfferFactory(partner=PartnerFactory(landlord=baker.partner.landlord))
    for offer, status, code in [
        (gone, 409, "sold_out"), (over, 422, "offer_not_today"), (theirs, 422, "unknown_offer"),
    ]:  # fmt: skip
        answer = shop.post("/cards/check", {"card": card.number, "offer": offer.public_id})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not OfferUse.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "card"),
        ({"card": "12"}, "card"),
        ({"card": "\x00"}, "card"),
        ({"card": "1" * 300}, "card"),
        ({"card": "123456", "offer": "../x"}, "offer"),
        ({"card": "123456", "amount_cents": 0}, "amount_cents"),
        ({"card": "123456", "amount_cents": 10**20}, "amount_cents"),
        ({"card": "123456", "member": 1}, "member"),
    ],
)
def test_a_body_that_cannot_be(shop: Any, body: dict[str, Any], field: str) -> None:
    answer = shop.post("/cards/check", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_wrong_digits_shut_the_digits_and_not_the_qr(shop: Any, card: Card) -> None:
    for _ in range(MISSES):
        wrong = codes.unused(codes.card_number, {card.number}.__contains__)
        assert shop.post("/cards/check", {"card": wrong}).json() == NOT_VALID
    shut = shop.post("/cards/check", {"card": card.number})
    assert (shut.status_code, shut.json()["code"]) == (429, "too_many_guesses")
    assert int(shut["Retry-After"]) > 0
    assert shop.post("/cards/check", {"card": card.token}).json()["valid"] is True
    cache.clear()
    assert shop.post("/cards/check", {"card": card.number}).json()["valid"] is True


# -- Who ---------------------------------------------------------------------------------------


def test_who_has_left_the_shop_is_told_so_at_once(
    shop: Any, offer: Offer, card: Card, baker: PartnerPerson, now: datetime
) -> None:
    assert shop.get("/my/offers").status_code == 200
    leave(baker, by=None, now=now)
    body = {"card": card.number, "offer": offer.public_id}
    for answer in (shop.get("/my/offers"), shop.post("/cards/check", body)):
        assert (answer.status_code, answer.json()["code"]) == (403, "no_partner")
    assert not OfferUse.objects.exists()


def test_a_token_that_reads_counts_nothing(
    baker: PartnerPerson, offer: Offer, card: Card, caller_for: Callable[..., Caller]
) -> None:
    reader = caller_for(baker.user, "read")
    assert reader.get("/my/offers").status_code == 200
    for answer in (
        reader.post("/cards/check", {"card": card.number, "offer": offer.public_id}),
        reader.patch(f"/my/offers/{offer.public_id}", {"sold_out": True}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert not OfferUse.objects.exists()


def test_somebody_of_two_shops_calls_for_both(
    shop: Any, offer: Offer, card: Card, baker: PartnerPerson
) -> None:
    second = PersonFactory(partner=PartnerFactory(landlord=baker.partner.landlord), user=baker.user)
    other = OfferFactory(partner=second.partner)
    found = {item["id"] for item in shop.get("/my/offers").json()["items"]}
    assert found == {offer.public_id, other.public_id}
    answer = shop.post("/cards/check", {"card": card.number, "offer": other.public_id})
    assert answer.json()["use"]["offer"] == other.public_id


def test_the_command_makes_a_token_for_a_partners_person(offer: Offer, baker: Any) -> None:
    out = StringIO()
    call_command("api_token", "paul@example.org", stdout=out)
    caller = Caller(out.getvalue().splitlines()[-1])
    assert titles(caller.get("/my/offers")) == ["Tout le magasin"]
    assert caller.get("/offers").json()["code"] == "no_member"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rows", [1, 30])
def test_own_offers_cost_the_same_however_many(shop: Any, baker: Any, rows: int) -> None:
    for _number in range(rows):
        OfferFactory(partner=baker.partner)
    shop.get("/my/offers")
    with wire() as sent:
        assert len(shop.get("/my/offers").json()["items"]) == rows
    assert len(sent) == 1 + 3 + limit_statements()
