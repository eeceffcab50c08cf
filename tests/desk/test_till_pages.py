"""The till's day: opened, moved, counted blind, closed with its difference, signed."""

import pytest

from club.enums import Role
from club.models import TillDay, TillMovement
from tests.desk.conftest import words
from tests.desk.test_receipts import paid
from tests.factories.club import AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.money import TillDayFactory
from tests.signin import sign_in_staff


def said(response):
    return words(response).replace("\xa0", " ")


@pytest.fixture
def till(place):
    return TillDayFactory(place=place, float_cents=5000)


def count(desk, till, follow=True, **numbers):
    data = {name.replace("c", "n"): str(number) for name, number in numbers.items()}
    return desk.post(f"/desk/caisse/{till.pk}/compter/", data, follow=follow)


def test_a_till_is_opened_with_its_float(desk, place):
    answer = desk.post("/desk/caisse/", {"float": "48,50"}, follow=True)
    assert "fond de 48,50 €" in said(answer)
    assert TillDay.objects.get().float_cents == 4850


@pytest.mark.parametrize("typed", ["", "-1", "1e20", "1001", "abc"])
def test_an_odd_float_is_refused_and_kept(desk, place, typed):
    answer = desk.post("/desk/caisse/", {"float": typed})
    assert answer.status_code == 422
    assert "float" in answer.context["form"].errors
    assert not TillDay.objects.exists()


def test_cash_goes_to_the_bank(desk, till):
    desk.post("/desk/caisse/", {"kind": "banked", "cents": "20"})
    assert TillMovement.objects.get().cents == -2000
    refused = desk.post("/desk/caisse/", {"kind": "banked", "cents": "31"})
    assert refused.status_code == 422
    for data in ({"kind": "banked", "cents": "-1"}, {"kind": "x", "cents": "1"}, {"cents": "0"}):
        assert desk.post("/desk/caisse/", data).status_code == 422
    assert TillMovement.objects.count() == 1


def test_the_count_is_blind_and_the_difference_is_told_after(
    desk, till, place, concierge_user
):  # fmt: skip
    paid(MemberFactory(place=place), concierge_user, given=2000)
    for path in ("/desk/caisse/", f"/desk/caisse/{till.pk}/compter/"):
        assert "62" not in said(desk.get(path)).replace("2027-", "")
    answer = count(desk, till, c2000=3, c200=1)
    text = said(answer)
    assert "Le compte est juste." in text
    assert "Attendu 62 €" in text and "Compté 62 €" in text
    assert "Espèces 1 reçu 12 €" in text
    assert "3 × 20 € 60 €" in text
    assert "2027-000001" in text


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [({"c2000": 2}, "Il manque 10 €."), ({"c5000": 1, "c5": 1}, "Il y a 0,05 € de trop.")],
)
def test_a_difference_in_words(desk, till, numbers, sentence):
    assert sentence in said(count(desk, till, **numbers))


@pytest.mark.parametrize("number", ["-1", "1e20", "2001", "x", "1,5"])
def test_an_odd_count_closes_nothing(desk, till, number):
    answer = count(desk, till, c2000=number)
    assert answer.status_code == 422
    assert f'value="{number}"' in answer.content.decode()
    till.refresh_from_db()
    assert till.closed_at is None


def test_two_tabs_close_it_once(desk, till, client, place):
    count(desk, till, c5000=1)
    again = count(desk, till, c2000=1)
    till.refresh_from_db()
    assert till.counted_cents == 5000
    assert again.redirect_chain == [(f"/desk/caisse/{till.pk}/", 302)]
    sign_in_staff(client, AssignmentFactory(place=place).user)
    other = count(client, till, c2000=1)
    assert other.status_code == 422
    assert "Cette caisse est déjà fermée." in said(other)


def test_an_old_page_does_not_close_the_next_day(desk, till, place):
    count(desk, till, c5000=1)
    following = TillDayFactory(place=place)
    count(desk, till, c5000=1)
    following.refresh_from_db()
    assert following.closed_at is None


def test_the_next_day_begins_with_what_was_counted(desk, till):
    count(desk, till, c2000=2)
    page = desk.get("/desk/caisse/")
    assert 'value="40"' in page.content.decode()
    assert "Au dernier comptage : 40 €." in said(page)


def test_a_large_difference_waits_for_a_second_person(desk, place, client):
    till = TillDayFactory(place=place, float_cents=20000)
    text = said(count(desk, till))
    assert "Cet écart attend la signature d’une autre personne." in text
    assert "Signer" not in text
    desk.post(f"/desk/caisse/{till.pk}/signer/")
    till.refresh_from_db()
    assert till.signed_at is None
    sign_in_staff(client, AssignmentFactory(place=place, role=Role.OFFICER).user)
    assert "À contresigner" in said(client.get("/desk/caisse/"))
    answer = client.post(f"/desk/caisse/{till.pk}/signer/", follow=True)
    assert "Contresignée mardi 9 mars" in said(answer)


def test_a_signature_asks_for_a_fresh_proof(desk, place, at_the_counter, client):
    till = TillDayFactory(place=place, float_cents=20000)
    count(desk, till)
    sign_in_staff(client, AssignmentFactory(place=place, role=Role.OFFICER).user)
    at_the_counter.shift(31 * 60)
    answer = client.post(f"/desk/caisse/{till.pk}/signer/")
    assert f"%2Fdesk%2Fcaisse%2F{till.pk}%2F" in answer["Location"]
    till.refresh_from_db()
    assert till.signed_at is None


def test_another_places_till_is_not_found(client, till):
    sign_in_staff(client, AssignmentFactory(place=PlaceFactory(slug="ailleurs")).user)
    for path in ("", "compter/"):
        assert client.get(f"/desk/caisse/{till.pk}/{path}").status_code == 404
    for path in ("compter/", "signer/"):
        assert client.post(f"/desk/caisse/{till.pk}/{path}").status_code == 404
