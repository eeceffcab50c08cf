"""What cards saved: a member reads their own, the landlord's officer sums by residence."""

import csv
import io
from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client

from club.enums import Role
from club.models import Member, Residence
from marketplace.domain.use_counts import fold_old_uses
from marketplace.enums import OfferKind
from marketplace.models import OfferUseCount
from marketplace.queries.uses import saved_by_residence
from tests.costs import session
from tests.factories.club import NOW, PARIS, CardFactory, LandlordFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import OfferFactory, PartnerFactory, UseFactory
from tests.signin import sign_in_staff

MINE = "/avantages/mes-economies/"
REPORT = "/admin/partenaires/economies/"


@pytest.fixture(autouse=True)
def clock(now: datetime, time_machine: Any) -> None:
    time_machine.move_to(now, tick=False)


@pytest.fixture
def offer(place: Any) -> Any:
    return OfferFactory(partner=PartnerFactory(landlord=place.landlord, name="Fournil"))


def words(answer: Any) -> str:
    return answer.content.decode().partition("<main")[2].partition("</main>")[0]


def at(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 9, tzinfo=PARIS)


# -- A member's own ----------------------------------------------------------------------------


def test_a_member_reads_their_own_use_by_use(
    client: Client, member: Member, other_member: Member, offer: Any
) -> None:
    gift = OfferFactory(partner=offer.partner, kind=OfferKind.GIFT, percent=None, gift="Un café")
    UseFactory(offer=offer, member=member, saving_cents=2_00)
    UseFactory(offer=offer, member=member, saving_cents=1_50, used_at=at(2027, 1, 5))
    UseFactory(offer=offer, member=member, saving_cents=9_00, used_at=at(2026, 12, 31))
    UseFactory(offer=gift, member=member, saving_cents=0)
    UseFactory(offer=offer, member=other_member, saving_cents=70_00)
    client.force_login(member.user)
    text = words(client.get(MINE))
    assert "3,50\u00a0€ en 2027" in text and "Dont 2\u00a0€ ce mois-ci." in text
    assert text.count("Fournil") == 4 and "Un café offert" in text
    assert "9\u00a0€" in text and "31\u00a0décembre\u00a02026" in text
    assert "70" not in text


def test_before_the_first_use_and_where_to_find_it(client: Client, member: Member) -> None:
    CardFactory(member=member)
    client.force_login(member.user)
    assert "Rien n’est encore compté" in words(client.get(MINE))
    assert MINE in client.get("/mon-espace/carte/").content.decode()


def test_only_for_members(client: Client, concierge_user: Any) -> None:
    assert client.get(MINE).status_code == 302
    client.force_login(concierge_user)
    assert client.get(MINE).status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_however_long(
    client: Client, member: Member, offer: Any, rows: int, django_assert_num_queries: Any
) -> None:
    for _number in range(rows):
        UseFactory(offer=OfferFactory(partner__landlord=offer.partner.landlord), member=member)
    client.force_login(member.user)
    client.get(MINE)
    with django_assert_num_queries(7 + session()):
        assert client.get(MINE).status_code == 200


# -- The landlord's report ---------------------------------------------------------------------


@pytest.fixture
def aulnes(place: Any) -> Residence:
    return Residence.objects.create(landlord=place.landlord, code="A", name="=Les Aulnes")


@pytest.fixture
def bouleaux(place: Any) -> Residence:
    return Residence.objects.create(landlord=place.landlord, code="B", name="Les Bouleaux")


@pytest.fixture
def used(member: Member, offer: Any, aulnes: Residence, bouleaux: Residence) -> None:
    """In March six at Les Aulnes, four at Les Bouleaux and one somewhere; old ones too."""
    for residence, number in [(aulnes, 6), (bouleaux, 4), (None, 1)]:
        for _one in range(number):
            UseFactory(offer=offer, member=member, residence=residence, saving_cents=1_25)
    for _one in range(5):
        UseFactory(
            offer=offer, member=member, residence=bouleaux, saving_cents=10,
            used_at=at(2025, 6, 3),
        )  # fmt: skip


def lines(landlord: Any, first: date, last: date) -> list[tuple[Any, ...]]:
    found = saved_by_residence([landlord], first, last)
    return [(one.month, one.residence, one.uses, one.saving_cents) for one in found]


def test_a_residence_with_few_uses_is_told_with_the_others(
    used: None, place: Any, aulnes: Residence, bouleaux: Residence
) -> None:
    march = date(2027, 3, 1)
    expected = [(march, aulnes, 6, 7_50), (march, None, 5, 6_25)]
    assert lines(place.landlord, march, date(2027, 3, 31)) == expected
    june = (date(2025, 6, 1), bouleaux, 5, 50)
    assert lines(place.landlord, date(2025, 1, 1), date(2027, 3, 31)) == [june, *expected]
    fold_old_uses(NOW)
    assert OfferUseCount.objects.count() == 1
    assert lines(place.landlord, date(2025, 1, 1), date(2027, 3, 31)) == [june, *expected]


def test_the_officer_reads_and_takes_the_file(client: Client, used: None, place: Any) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    text = client.get(REPORT).content.decode()
    assert "=Les Aulnes" in text and "Autres résidences" in text
    assert "Les Bouleaux" not in text and "Samira" not in text
    assert "13,75\u00a0€" in text
    assert "Les Bouleaux" in client.get(REPORT, {"first": "2025-06-30", "last": "2027-03-09"}).text
    answer = client.get(REPORT, {"fichier": "csv"})
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert answer["Content-Type"].startswith("text/csv")
    assert rows == [
        ["Mois", "Bailleur", "Résidence", "Passages", "Économies, en euros"],
        ["03/2027", "Habitat des Trois Rivières", "'=Les Aulnes", "6", "7,50"],
        ["03/2027", "Habitat des Trois Rivières", "Autres résidences", "5", "6,25"],
    ]


@pytest.mark.parametrize(
    "asked",
    [
        {"first": "2027-03-09", "last": "2027-03-01"},
        {"first": "0001-01-01", "last": "0001-02-01"},
        {"first": "9998-01-01", "last": "9999-12-31"},
        {"first": "2001-01-01", "last": "2027-03-01"},
        {"first": "hier", "last": ""},
    ],
)
def test_months_that_cannot_be_are_told(
    client: Client, used: None, place: Any, asked: dict[str, str]
) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    for query in (asked, asked | {"fichier": "csv"}):
        answer = client.get(REPORT, query)
        assert answer.status_code == 200
        assert "Les Aulnes" not in answer.content.decode()


def test_another_landlords_officer_reads_none_of_it(client: Client, used: None) -> None:
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    sign_in_staff(client, staff(elsewhere, Role.OFFICER))
    answer = client.get(REPORT)
    assert answer.status_code == 200
    assert "Aulnes" not in answer.content.decode()
    assert len(client.get(REPORT, {"fichier": "csv"}).content.splitlines()) == 1


@pytest.mark.parametrize("role", [Role.CONCIERGE, Role.EDITOR])
def test_only_for_officers(client: Client, used: None, place: Any, role: str) -> None:
    sign_in_staff(client, staff(place, role))
    answer = client.get(REPORT)
    assert answer.status_code in {302, 403}
    assert REPORT not in client.get("/admin/").content.decode()
