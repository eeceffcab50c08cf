"""A partner that is shut for some days: told with the day it opens again, everywhere."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.kernel.refusal import Refused
from club.models import Member, Place, User
from marketplace.domain.atonce import close_days, open_again
from marketplace.models import Partner, PartnerClosure, PartnerHours
from marketplace.queries import hours
from tests.factories.club import PARIS, UserFactory
from tests.factories.marketplace import PartnerFactory

NBSP = "\u00a0"
LISTED = "/avantages/commercants/"


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    """Tuesday 9 March 2027, 10:24."""
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def bakery(place: Place) -> Partner:
    """Open Tuesday to Saturday, 7 to 19."""
    partner = PartnerFactory(landlord=place.landlord, name="Fournil")
    for weekday in range(1, 6):
        PartnerHours.objects.create(
            partner=partner, weekday=weekday, opens=time(7), closes=time(19)
        )
    return partner


@pytest.fixture
def baker(db: None) -> User:
    return UserFactory()


def march(day: int) -> date:
    return date(2027, 3, day)


def closures(partner: Partner) -> list[tuple[int, int]]:
    rows = PartnerClosure.objects.filter(partner=partner)
    return [(row.starts_on.day, row.ends_on.day) for row in rows]


def said(partner: Partner, now: datetime) -> str:
    line = hours.open_line(Partner.objects.get(pk=partner.pk), now)
    return line.text.replace(NBSP, " ") if line else ""


# -- What residents see ----------------------------------------------------------------------


def test_shut_today_it_tells_when_it_opens_again(
    client: Client, bakery: Partner, baker: User, now: datetime
) -> None:
    assert f"Ouvert, ferme à 19{NBSP}h" in client.get(LISTED).text
    close_days(bakery, march(9), march(13), by=baker, now=now)
    again = f"Fermé, rouvre mardi 16{NBSP}mars"
    for address in (LISTED, bakery.get_absolute_url()):
        assert again in client.get(address).text
    page = client.get(bakery.get_absolute_url()).text
    assert f"Fermé du mardi 9{NBSP}mars au samedi 13{NBSP}mars" in page


def test_it_opens_by_itself_when_the_days_are_over(bakery: Partner, baker: User) -> None:
    now = datetime(2027, 3, 9, 10, 24, tzinfo=PARIS)
    close_days(bakery, march(10), march(11), by=baker, now=now)
    assert said(bakery, now) == "Ouvert, ferme à 19 h"
    assert said(bakery, now.replace(hour=20)) == "Fermé, ouvre vendredi à 7 h"
    assert said(bakery, now.replace(day=10)) == "Fermé, rouvre vendredi 12 mars"
    assert said(bakery, now.replace(day=11, hour=23, minute=59)) == "Fermé, rouvre vendredi 12 mars"
    assert said(bakery, now.replace(day=12, hour=0, minute=1)) == "Fermé, ouvre à 7 h"
    assert said(bakery, now.replace(day=12)) == "Ouvert, ferme à 19 h"


def test_closures_that_follow_each_other_are_told_as_one(bakery: Partner, now: datetime) -> None:
    for first, last in [(12, 13), (9, 11), (20, 20)]:
        PartnerClosure.objects.create(partner=bakery, starts_on=march(first), ends_on=march(last))
    assert said(bakery, now) == "Fermé, rouvre mardi 16 mars"


def test_without_hours_a_closure_is_told_all_the_same(
    client: Client, place: Place, baker: User, now: datetime
) -> None:
    shop = PartnerFactory(landlord=place.landlord)
    assert said(shop, now) == ""
    close_days(shop, march(9), march(9), by=baker, now=now)
    assert said(shop, now) == "Fermé, rouvre mercredi 10 mars"
    assert f"Fermé le mardi 9{NBSP}mars" in client.get(shop.get_absolute_url()).text


def test_a_closure_that_is_far_is_not_told_yet(
    client: Client, bakery: Partner, baker: User, now: datetime
) -> None:
    close_days(bakery, date(2027, 8, 2), date(2027, 8, 22), by=baker, now=now)
    assert "août" not in client.get(bakery.get_absolute_url()).text
    with time_machine.travel(datetime(2027, 7, 20, 9, tzinfo=PARIS), tick=False):
        page = client.get(bakery.get_absolute_url()).text
        assert f"Fermé du lundi 2{NBSP}août au dimanche 22{NBSP}août" in page


def test_who_looks_for_an_open_shop_does_not_find_it(
    client: Client, bakery: Partner, baker: User, now: datetime
) -> None:
    address = f"{LISTED}?ouvert=on"
    assert "Fournil" in client.get(address).text
    close_days(bakery, march(9), march(9), by=baker, now=now)
    assert "Fournil" not in client.get(address).text
    with time_machine.travel(now + timedelta(days=1), tick=False):
        assert "Fournil" in client.get(address).text


def test_programs_are_told_the_same(
    client: Client, member: Member, baker: User, now: datetime
) -> None:
    from club.domain.tokens import create_token

    partner = PartnerFactory(landlord=member.place.landlord)
    PartnerHours.objects.create(partner=partner, weekday=1, opens=time(7), closes=time(19))
    _token, plain = create_token(member.user, "essai", "read", now)
    headers = {"Authorization": f"Bearer {plain}"}

    def is_open(**asked: str) -> Any:
        answer = client.get("/api/v1/partners", asked, headers=headers)
        return [item["open"] for item in answer.json()["items"]]

    assert is_open() == [True]
    close_days(partner, march(9), march(9), by=baker, now=now)
    assert is_open() == [False]
    assert is_open(open_at="2027-03-09T10:00:00Z") == []
    assert is_open(open_at="2027-03-16T10:00:00Z") == [True]


@pytest.mark.django_db(transaction=True)
def test_a_kept_page_knows_a_closure(client: Client, place: Place, settings: Any) -> None:
    settings.PAGE_CACHE_SECONDS = 36_000
    now = datetime(2027, 3, 9, 10, 24, tzinfo=PARIS)
    shop = PartnerFactory(landlord=place.landlord)
    client.get(LISTED)
    with CaptureQueriesContext(connection) as seen:
        client.get(LISTED)
    assert not [one for one in seen.captured_queries if "marketplace_" in one["sql"]]
    close_days(shop, march(9), march(9), by=UserFactory(), now=now)
    assert f"Fermé, rouvre mercredi 10{NBSP}mars" in client.get(LISTED).text


# -- What a partner may say ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "codes"),
    [
        (march(8), march(10), ["in_the_past"]),
        (march(12), march(11), ["dates_in_disorder"]),
        (march(8), march(7), ["in_the_past", "dates_in_disorder"]),
        (march(9), date(2028, 3, 10), ["too_far"]),
        (march(9), date(2028, 3, 9), []),
        (march(9), march(9), []),
    ],
)
def test_days_that_make_no_closure_are_refused(
    bakery: Partner, baker: User, now: datetime, first: date, last: date, codes: list[str]
) -> None:
    if not codes:
        close_days(bakery, first, last, by=baker, now=now)
        assert PartnerClosure.objects.filter(starts_on=first, ends_on=last).exists()
        return
    with pytest.raises(Refused) as refused:
        close_days(bakery, first, last, by=baker, now=now)
    assert refused.value.codes == codes
    assert not PartnerClosure.objects.exists()


@pytest.mark.parametrize(
    ("first", "last", "after"),
    [
        (16, 18, [(12, 14), (16, 20)]),
        (15, 15, [(12, 20)]),
        (11, 21, [(11, 21)]),
        (10, 11, [(10, 14), (16, 20)]),
        (22, 23, [(12, 14), (16, 20), (22, 23)]),
    ],
)
def test_what_touches_becomes_one(
    bakery: Partner, baker: User, now: datetime, first: int, last: int, after: Any
) -> None:
    close_days(bakery, march(12), march(14), by=baker, now=now)
    close_days(bakery, march(16), march(20), by=baker, now=now)
    if (first, last) == (16, 18):
        with pytest.raises(Refused) as refused:
            close_days(bakery, march(first), march(last), by=baker, now=now)
        assert refused.value.codes == ["no_change"]
    else:
        close_days(bakery, march(first), march(last), by=baker, now=now)
    assert closures(bakery) == after


def test_opening_again_calls_it_off(bakery: Partner, baker: User, now: datetime) -> None:
    close_days(bakery, march(12), march(14), by=baker, now=now)
    close_days(bakery, march(20), march(21), by=baker, now=now)
    first = PartnerClosure.objects.get(starts_on=march(12))
    open_again(bakery, first, by=baker, now=now)
    assert closures(bakery) == [(20, 21)]
    with pytest.raises(Refused) as refused:
        open_again(bakery, first, by=baker, now=now)
    assert refused.value.codes == ["closure_over"]


def test_opening_again_in_the_middle_keeps_the_days_that_are_past(
    bakery: Partner, baker: User, now: datetime
) -> None:
    close_days(bakery, march(9), march(20), by=baker, now=now)
    later = now + timedelta(days=2)
    open_again(bakery, PartnerClosure.objects.get(), by=baker, now=later)
    assert closures(bakery) == [(9, 10)]
    assert said(bakery, later) == "Ouvert, ferme à 19 h"
    with pytest.raises(Refused):
        open_again(bakery, PartnerClosure.objects.get(), by=baker, now=later)
