"""The lists of partners: windows, filters in the address, an order that nobody buys."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Member, Place
from marketplace.enums import PartnerKind, PartnerStatus, Shop, Trade
from marketplace.models import Convention, Partner, PartnerHours
from marketplace.queries.directory import (
    DAY_STEP,
    PARTNER_STEP,
    PER_PAGE,
    PRIME,
    RULES,
    Wanted,
    directory_of,
    turn_of,
)
from marketplace.queries.trades import KINDS, SHOPS, TRADES
from tests.factories.club import NOW, PARIS, LandlordFactory, PlaceFactory
from tests.factories.marketplace import ArtisanFactory, PartnerFactory, insured

TODAY = NOW.date()


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def plumber(place: Place, **more: Any) -> Partner:
    artisan = ArtisanFactory(landlord=place.landlord, **more)
    insured(artisan, *[row.trade for row in artisan.trades.all()])
    return artisan


def shop(place: Place, **more: Any) -> Partner:
    return PartnerFactory(landlord=place.landlord, **more)


def serves(partner: Partner, *places: Place) -> None:
    partner.places.set(places)
    partner.save()


def names(client: Client, address: str) -> set[str]:
    return {line.partner.name for line in lines(client, address)}


def lines(client: Client, address: str) -> list[Any]:
    page = client.get(address)
    assert page.status_code == 200, address
    return page.context["lines"]


# -- Windows and lists -----------------------------------------------------------------------


def test_the_windows_are_of_the_kinds_and_trades_that_somebody_has_today(
    client: Client, place: Place
) -> None:
    plumber(place, trades=[Trade.PLUMBING])
    ArtisanFactory(landlord=place.landlord, trades=[Trade.ROOFING])
    shop(place)
    page = client.get("/avantages/")
    assert [kind["url"] for kind in page.context["kinds"]] == [
        "/avantages/artisans/",
        "/avantages/commercants/",
    ]
    assert [sort.url for sort in page.context["trades"]] == ["/avantages/artisans/plomberie/"]
    assert "Fuite, évier bouché, chasse d’eau." in page.text
    assert "/avantages/classement/" in page.text


def test_an_artisan_is_listed_for_the_trades_of_valid_papers_alone(
    client: Client, place: Place
) -> None:
    both = ArtisanFactory(
        landlord=place.landlord, name="Duo", trades=[Trade.PLUMBING, Trade.ROOFING], city="Amiens"
    )
    insured(both, Trade.ROOFING)
    assert names(client, "/avantages/artisans/couverture/") == {"Duo"}
    assert names(client, "/avantages/artisans/plomberie/") == set()
    (line,) = lines(client, "/avantages/artisans/")
    assert line.what == "Couverture"
    with time_machine.travel(datetime(2028, 1, 1, 9, tzinfo=PARIS), tick=False):
        assert names(client, "/avantages/artisans/couverture/") == set()


def test_only_live_partners_of_this_landlord_are_listed(client: Client, place: Place) -> None:
    shop(place, name="Ici")
    shop(place, name="Retiré", status=PartnerStatus.PAUSED)
    PartnerFactory(landlord=LandlordFactory(slug="autre", name="Autre"), name="Ailleurs")
    ended = shop(place, name="Fini")
    Convention.objects.filter(partner=ended).update(ends_on=TODAY - timedelta(days=1))
    assert names(client, "/avantages/commercants/") == {"Ici"}


def test_a_member_reads_the_directory_of_their_own_landlord(client: Client, member: Member) -> None:
    shop(member.place, name="Le nôtre")
    client.force_login(member.user)
    assert names(client, "/avantages/commercants/boulangerie/") == {"Le nôtre"}


def test_each_kind_each_trade_and_each_sort_of_shop_has_its_list(
    client: Client, place: Place
) -> None:
    assert set(TRADES) == set(Trade)
    assert set(SHOPS) == set(Shop)
    assert set(KINDS) == set(PartnerKind)
    paths = [f"{slug}/" for slug in KINDS.values()]
    paths += [f"artisans/{words.slug}/" for words in TRADES.values()]
    paths += [f"commercants/{slug}/" for slug in SHOPS.values()]
    paths += [f"producteurs/{slug}/" for slug in SHOPS.values()]
    for path in paths:
        page = client.get(f"/avantages/{path}")
        assert page.status_code == 200, path
        assert "03 53 01 24 60" in page.text


@pytest.mark.parametrize(
    "path",
    ["rien/", "artisans/boulangerie/", "commercants/plomberie/", "assurance/ferme/", "x/y/"],
)
def test_a_list_that_is_none_is_not_found(client: Client, place: Place, path: str) -> None:
    assert client.get(f"/avantages/{path}").status_code == 404


def test_an_empty_list_says_whom_to_call(client: Client, place: Place) -> None:
    page = client.get("/avantages/artisans/plomberie/")
    assert "Aucun plombier vérifié aujourd’hui" in page.text
    assert "Appelez l’accueil." in page.text
    assert 'href="tel:0353012460"' in page.text


def test_without_a_place_there_is_no_directory(client: Client, db: None) -> None:
    for path in ["", "artisans/", "classement/", "partenaire/abc/"]:
        assert client.get(f"/avantages/{path}").status_code == 404


def test_a_line_tells_what_a_resident_needs(client: Client, place: Place) -> None:
    one = plumber(
        place, name="Durand", city="Amiens", phone="+33322010203", step_free=True,
        checked_on=date(2027, 2, 1),
    )  # fmt: skip
    PartnerHours.objects.create(partner=one, weekday=1, opens=time(8), closes=time(18))
    (line,) = lines(client, "/avantages/artisans/plomberie/")
    assert (line.what, line.wall, line.picture) == ("Plomberie", "water", "tools/deboucheur")
    assert (line.open.is_open, line.open.text) == (True, "Ouvert, ferme à 18\u00a0h")
    page = client.get("/avantages/artisans/plomberie/").text
    assert 'href="tel:+33322010203"' in page
    assert "03\u00a022\u00a001\u00a002\u00a003" in page
    assert "De plain-pied</p>" in page
    checked = "Vérification documentaire au 1er\u00a0février\u00a02027, ne vaut pas garantie."
    assert checked in page


def test_a_shop_has_no_words_of_a_check(client: Client, place: Place) -> None:
    shop(place, checked_on=TODAY)
    assert "garantie" not in client.get("/avantages/commercants/").text


# -- Filters ---------------------------------------------------------------------------------


def test_filters_stand_in_the_address(client: Client, place: Place) -> None:
    other = PlaceFactory(landlord=place.landlord, slug="pigeonnier")
    flat = shop(place, name="Plain", step_free=True)
    near = shop(place, name="Près")
    serves(near, place)
    far = shop(place, name="Loin", shop=Shop.BOOKS)
    serves(far, other)
    speaks = shop(place, name="Parle", languages=["fr", "ar"], city="Longueau")
    assert flat != speaks

    def found(query: str) -> set[str]:
        return names(client, f"/avantages/commercants/?{query}")

    assert found("") == {"Plain", "Près", "Loin", "Parle"}
    assert found("plain_pied=on") == {"Plain"}
    assert found("lieu=tilleuls") == {"Plain", "Près", "Parle"}
    assert found("lieu=pigeonnier") == {"Plain", "Loin", "Parle"}
    assert found("langue=ar") == {"Parle"}
    assert found("commerce=livres-et-papeterie") == {"Loin"}
    assert found("q=longueau") == {"Parle"}
    assert found("q=longueau&plain_pied=on") == set()


def test_open_now_is_by_the_hours_on_the_wall(client: Client, place: Place) -> None:
    baker = shop(place, name="Fournil")
    PartnerHours.objects.create(partner=baker, weekday=1, opens=time(7), closes=time(13))
    PartnerHours.objects.create(partner=baker, weekday=1, opens=time(15), closes=time(19))
    shop(place, name="Sans horaires")
    seen = {}
    for hour, minute in [(6, 59), (7, 0), (12, 59), (13, 0), (15, 0), (19, 0)]:
        with time_machine.travel(datetime(2027, 3, 9, hour, minute, tzinfo=PARIS), tick=False):
            seen[(hour, minute)] = names(client, "/avantages/commercants/?ouvert=on")
    assert [hour for hour, found in seen.items() if found] == [(7, 0), (12, 59), (15, 0)]
    # Summer time has begun: the same hour on the wall is another instant.
    with time_machine.travel(datetime(2027, 3, 30, 7, 0, tzinfo=PARIS), tick=False):
        assert names(client, "/avantages/commercants/?ouvert=on") == {"Fournil"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fuite", {"Durand"}),
        ("une fuite d’eau", {"Durand"}),
        ("plombier", {"Durand"}),
        ("PLOMBRIE", {"Durand"}),
        ("durand", {"Durand"}),
        ("durant", {"Durand"}),
        ("epicerie", {"Chez Ali"}),
        ("Épicerie amiens", {"Chez Ali"}),
        ("couscous", {"Chez Ali"}),
        ("toit", set()),
        ("perlimpinpin", set()),
    ],
)
def test_words_are_found_as_people_write_them(
    client: Client, place: Place, text: str, found: set[str]
) -> None:
    plumber(place, name="Durand", trades=[Trade.PLUMBING])
    uncovered = ArtisanFactory(landlord=place.landlord, name="Tuile", trades=[Trade.ROOFING])
    insured(uncovered, Trade.PLUMBING)
    shop(place, name="Chez Ali", shop=Shop.GROCER, city="Amiens", description="Semoule à couscous.")
    page = client.get("/avantages/", {"q": text})
    assert {line.partner.name for line in page.context["lines"]} == found


def test_a_search_that_nobody_answers_leads_to_the_trade(client: Client, place: Place) -> None:
    page = client.get("/avantages/?q=fuite")
    assert [sort.url for sort in page.context["near_sorts"]] == ["/avantages/artisans/plomberie/"]
    assert page.text.index("Cherchiez-vous ceci") < page.text.index("Essayez un autre mot")
    assert "Enlevez un choix" not in page.text and 'no-print" open' not in page.text
    filtered = client.get("/avantages/?q=fuite&plain_pied=on").text
    assert "Enlevez un choix" in filtered and 'no-print" open' in filtered


@pytest.mark.parametrize(
    "query",
    [
        "metier=%00", "metier=boulangerie", "commerce=plomberie", "lieu=nulle-part", "lieu=%2F",
        "langue=klingon", "page=abc", "page=0", "page=-1", "page=99999999999999999999", "page=7",
        "q=%00", "q=" + "a" * 500, "q=!!!", "ouvert=", "inconnu=1", "langue=fr",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["artisans/", "commercants/boulangerie/"])
def test_a_filter_that_cannot_be_read_is_left_out(
    client: Client, place: Place, path: str, query: str
) -> None:
    wanted = plumber(place) if path == "artisans/" else shop(place)
    assert names(client, f"/avantages/{path}?{query}") == {wanted.name}


def test_a_list_goes_on_after_thirty(client: Client, place: Place) -> None:
    for _number in range(PER_PAGE + 3):
        shop(place)
    first = client.get("/avantages/commercants/")
    assert (first.context["previous_url"], first.context["next_url"]) == ("", "?page=2")
    second = client.get("/avantages/commercants/?page=2")
    assert (second.context["previous_url"], second.context["next_url"]) == ("?page=1", "")
    pages = [{line.partner.pk for line in page.context["lines"]} for page in (first, second)]
    assert [len(page) for page in pages] == [PER_PAGE, 3]
    assert not pages[0] & pages[1]
    assert "noindex" in second.text
    assert "noindex" not in first.text


# -- The order -------------------------------------------------------------------------------


def order(at: Place, on: date = TODAY, **wanted: Any) -> list[int]:
    found = directory_of(at.landlord, on).listed(Wanted(**wanted))
    return [partner.pk for partner in found]


def covers_the_trade(place: Place) -> None:
    both = ArtisanFactory(landlord=place.landlord, trades=[Trade.PLUMBING, Trade.ROOFING])
    insured(both, Trade.ROOFING)
    assert order(place, trade=Trade.ROOFING) == [both.pk]
    assert order(place, trade=Trade.PLUMBING) == []


def the_place_by_name_first(place: Place) -> None:
    by_name = [shop(place) for _number in range(4)]
    to_all = [shop(place) for _number in range(4)]
    for partner in by_name:
        serves(partner, place)
    for days in range(20):
        seen = order(place, TODAY + timedelta(days=days), place=place)
        assert set(seen[:4]) == {partner.pk for partner in by_name}
        assert set(seen[4:]) == {partner.pk for partner in to_all}


def all_places_next(place: Place) -> None:
    elsewhere = shop(place)
    serves(elsewhere, PlaceFactory(landlord=place.landlord))
    to_all = shop(place)
    assert order(place, place=place) == [to_all.pk]
    assert set(order(place)) == {elsewhere.pk, to_all.pk}


def by_the_turn_of_the_day(place: Place) -> None:
    partners = [shop(place).pk for _number in range(5)]
    Convention.objects.update(ends_on=TODAY + timedelta(days=365))
    firsts: Counter[int] = Counter()
    for days in range(365):
        on = TODAY + timedelta(days=days)
        seen = order(place, on)
        assert seen == sorted(partners, key=lambda number: turn_of(number, on))
        firsts[seen[0]] += 1
    # A fair fifth of 365 days is 73.
    assert all(45 < firsts[number] < 105 for number in partners), firsts


def the_same_for_everybody(place: Place) -> None:
    for _number in range(6):
        shop(place)
    seen = []
    for hour in (1, 9, 23):
        with time_machine.travel(datetime(2027, 3, 9, hour, tzinfo=PARIS), tick=False):
            seen.append([line.partner.pk for line in lines(Client(), "/avantages/commercants/")])
    assert seen[0] == seen[1] == seen[2] == order(place)


def by_name_where_equal(place: Place) -> None:
    number = shop(place, name="Zoé").pk
    shop(place, name="Anna", pk=number + PRIME)
    assert turn_of(number, TODAY) == turn_of(number + PRIME, TODAY)
    assert order(place) == [number + PRIME, number]


def whatever_the_fee(place: Place) -> None:
    partners = [shop(place) for _number in range(6)]
    before = order(place)
    for cents, partner in enumerate(partners):
        Convention.objects.filter(partner=partner).update(fee_cents=cents * 10_000)
    assert order(place) == before


def a_search_takes_away_alone(place: Place) -> None:
    partners = [shop(place, description="du pain" if n % 2 else "") for n in range(8)]
    kept = {partner.pk for n, partner in enumerate(partners) if n % 2}
    assert order(place, text="pain") == [number for number in order(place) if number in kept]


PROOFS = {
    "trade": covers_the_trade,
    "place": the_place_by_name_first,
    "all_places": all_places_next,
    "turn": by_the_turn_of_the_day,
    "everybody": the_same_for_everybody,
    "name": by_name_where_equal,
    "fee": whatever_the_fee,
    "search": a_search_takes_away_alone,
}


@pytest.mark.parametrize("rule", RULES)
def test_each_printed_rule_of_the_order_is_followed(place: Place, rule: str) -> None:
    PROOFS[rule](place)


def test_the_page_prints_each_rule_and_the_numbers_of_the_code(
    client: Client, place: Place
) -> None:
    page = client.get("/avantages/classement/").text
    assert list(PROOFS) == list(RULES)
    for sentence in RULES.values():
        assert str(sentence) in page
        assert len(str(sentence).split()) <= 15 or str(sentence).count(".") > 1
    assert "Aucun partenaire ne paie pour sa place dans la liste." in page
    said = f"((numéro × {PARTNER_STEP} + jour × {DAY_STEP}) modulo {PRIME})³ modulo {PRIME}"
    assert said in page
    assert f"{PER_PAGE} partenaires au plus" in page
    number, on = 4321, date(2027, 3, 9)
    by_hand = ((number * PARTNER_STEP + on.toordinal() * DAY_STEP) % PRIME) ** 3 % PRIME
    assert turn_of(number, on) == by_hand


def test_a_turn_fits_whole_numbers_of_the_database(place: Place) -> None:
    """Of a partner with the greatest number, on the last day of all."""
    last = shop(place, pk=2**62)
    Convention.objects.filter(partner=last).update(ends_on=date.max)
    (found,) = directory_of(place.landlord, date.max).listed(Wanted())
    assert found.turn == turn_of(last.pk, date.max)


# -- What it costs ---------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 3, 30])
@pytest.mark.parametrize(
    ("path", "statements"),
    [
        ("", 5),
        ("artisans/", 10),
        ("artisans/plomberie/", 9),
        ("commercants/boulangerie/", 8),
        ("artisans/plomberie/?q=artisan&ouvert=on&plain_pied=on", 11),
        ("?q=artisan", 11),
    ],
)
def test_a_list_costs_the_same_however_long(
    client: Client, place: Place, rows: int, path: str, statements: int
) -> None:
    for _number in range(rows):
        one = plumber(place, step_free=True)
        other = shop(place)
        for partner in (one, other):
            PartnerHours.objects.create(partner=partner, weekday=1, opens=time(8), closes=time(18))
    client.get("/avantages/")
    with CaptureQueriesContext(connection) as seen:
        page = client.get(f"/avantages/{path}")
    assert page.status_code == 200
    if path:
        assert len(page.context["lines"]) == rows
    assert len(page.content) < 60 * 1024
    assert len(seen) == statements, "\n".join(one["sql"][:160] for one in seen.captured_queries)


def test_a_visitor_s_list_carries_nothing_of_its_own(client: Client, place: Place) -> None:
    """So that one copy can be kept for all visitors."""
    one = plumber(place)
    for path in ["", "artisans/", "artisans/plomberie/", "classement/"]:
        page = client.get(f"/avantages/{path}")
        assert "csrfmiddlewaretoken" not in page.text
        assert not page.cookies
    assert not client.get(one.get_absolute_url()).cookies
