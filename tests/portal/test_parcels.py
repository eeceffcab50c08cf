"""Mes colis: what waits with its code, who collects for me, and nobody else's."""

from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from club.models import Member, Place
from concierge.models import Proxy
from tests.costs import session
from tests.factories.club import MemberFactory, PlaceFactory, UserFactory
from tests.factories.parcels import ParcelFactory, ParcelPolicyFactory, ProxyFactory

PAGE = "/mon-espace/colis/"


def name(client: Client, **typed: str) -> Any:
    return client.post(PAGE, {"first_name": "Marc", "last_name": "Diallo", **typed})


def test_the_code_stands_in_large_digits_and_as_a_drawing(
    signed_in: Client, member: Member
) -> None:
    parcel = ParcelFactory(member=member, reference="R4821703319")
    text = signed_in.get(PAGE).text
    assert "R\u00a0482\u00a0170\u00a0331\u00a09" in text
    assert '<div class="parcel__code"><svg' in text and "style=" not in text
    assert "Gardé jusqu’au mardi 23\u00a0mars" in text
    assert parcel.tracking not in text
    assert 'data-cache="parcels-1"' in text


def test_without_any_it_says_what_to_do(signed_in: Client) -> None:
    page = signed_in.get(PAGE)
    assert "Aucun colis ne vous attend" in page.text
    assert "no-store" in page["Cache-Control"]


def test_what_was_collected_or_went_back_is_listed(
    signed_in: Client, member: Member, now: datetime
) -> None:
    ParcelFactory(member=member, status="collected", collected_at=now, collected_by="Ali Benali")
    ParcelFactory(member=member, status="returned", returned_at=now)
    text = signed_in.get(PAGE).text
    assert "Remis à Ali Benali, mardi 9\u00a0mars" in text
    assert "Rendu au transporteur, mardi 9\u00a0mars" in text


def test_the_script_that_keeps_the_codes_says_nothing(client: Client, db: None) -> None:
    answer = client.get(f"{PAGE}hors-ligne.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert 'KEPT = "parcels-1"' in answer.text


# -- Who sees what -------------------------------------------------------------------------------


def test_nobody_sees_anothers_not_even_the_home_or_a_namesake(
    client: Client, member: Member, other_member: Member, now: datetime
) -> None:
    parcel = ParcelFactory(member=member)
    partner = MemberFactory(place=member.place, household=member.household)
    named = MemberFactory(place=member.place, user__first_name="Marc", user__last_name="Diallo")
    ProxyFactory(member=member, first_name="Marc", last_name="Diallo")
    for somebody in (partner, named, other_member):
        client.force_login(somebody.user)
        page = client.get(PAGE)
        assert list(page.context["waiting"]) == []
        assert parcel.reference[1:4] + "\u00a0" not in page.text
        assert client.get("/mon-espace/").context["reminder"] is None


def test_a_visitor_signs_in_and_staff_have_no_such_page(client: Client, member: Member) -> None:
    assert client.get(PAGE)["Location"].startswith(reverse("account_login"))
    client.force_login(UserFactory())
    assert client.get(PAGE).status_code == 403


# -- Who collects for me -------------------------------------------------------------------------


def test_a_person_is_named_and_removed(signed_in: Client, member: Member) -> None:
    assert name(signed_in, until="2027-04-01")["Location"] == PAGE
    proxy = Proxy.objects.get()
    assert (str(proxy), proxy.until, proxy.member) == ("Marc Diallo", date(2027, 4, 1), member)
    page = signed_in.get(PAGE)
    assert "Marc Diallo peut retirer vos colis." in page.text
    assert "jusqu’au jeudi 1er\u00a0avril" in page.text
    removed = signed_in.post(f"{PAGE}personne/{proxy.pk}/retirer/", follow=True)
    assert "Marc Diallo ne retire plus vos colis." in removed.text
    proxy.refresh_from_db()
    assert proxy.removed_at is not None


@pytest.mark.parametrize(
    "typed",
    [
        {"first_name": ""},
        {"last_name": " "},
        {"first_name": "x" * 61},
        {"first_name": "\x00"},
        {"until": "demain"},
        {"until": "2027-03-08"},
        {"until": "9999-12-31"},
    ],
)
def test_a_refused_name_keeps_what_was_typed(signed_in: Client, typed: dict[str, str]) -> None:
    page = name(signed_in, **{"last_name": "Diallo-Ferret", **typed})
    assert page.status_code == 422
    assert "Il y a un problème" in page.text
    if "last_name" not in typed:
        assert 'value="Diallo-Ferret"' in page.text
    assert not Proxy.objects.exists()


def test_five_and_no_more_and_each_once(signed_in: Client, member: Member) -> None:
    for number in range(5):
        ProxyFactory(member=member, first_name=f"P{number}")
    assert "Retirez-en une pour en nommer une autre." in signed_in.get(PAGE).text
    assert name(signed_in).status_code == 422
    assert Proxy.objects.count() == 5


def test_anothers_list_is_not_there(signed_in: Client, other_member: Member) -> None:
    theirs = ProxyFactory(member=other_member)
    assert signed_in.post(f"{PAGE}personne/{theirs.pk}/retirer/").status_code == 404
    assert signed_in.get(f"{PAGE}personne/{theirs.pk}/retirer/").status_code == 405
    theirs.refresh_from_db()
    assert theirs.removed_at is None


# -- The home ------------------------------------------------------------------------------------


def test_one_line_above_the_windows_for_all_that_waits(signed_in: Client, member: Member) -> None:
    ParcelFactory(member=member)
    assert signed_in.get("/mon-espace/").context["reminder"]["title"] == "Un colis"
    ParcelFactory(member=member, keep_until=date(2027, 3, 11))
    page = signed_in.get("/mon-espace/")
    assert page.context["reminder"]["title"] == "2 colis"
    assert "2 colis, à retirer jusqu’au<strong>jeudi 11\u00a0mars</strong>" in page.text


def test_a_window_where_the_place_takes_parcels(signed_in: Client, place: Place) -> None:
    assert PAGE not in signed_in.get("/mon-espace/").text
    ParcelPolicyFactory(place=PlaceFactory(landlord=place.landlord))
    assert PAGE not in signed_in.get("/mon-espace/").text
    ParcelPolicyFactory(place=place)
    page = signed_in.get("/mon-espace/")
    assert "Retirer un colis" in page.text and "Mes colis" in page.text


@pytest.mark.parametrize("number", [1, 3])
def test_as_many_statements_however_many_wait(
    signed_in: Client, member: Member, number: int, now: datetime, django_assert_num_queries: Any
) -> None:
    for each in range(number):
        ParcelFactory(member=member)
        ParcelFactory(member=member, status="collected", collected_at=now)
        ProxyFactory(member=member, first_name=f"P{each}")
    signed_in.get(PAGE)
    with django_assert_num_queries(7 + session()):
        signed_in.get(PAGE)
