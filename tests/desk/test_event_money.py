"""Money for places at events at the counter: taken with the rest, given back once."""

from datetime import timedelta

import pytest

from club.domain.ledger import balance_of
from club.domain.till import expected_cash
from club.enums import Means
from club.kernel.invariants import all_invariants
from club.models import Receipt
from events.domain.registrations import cancel, register
from events.enums import RegistrationStatus
from events.models import Registration
from tests.desk.conftest import scan, words
from tests.factories.club import NOW, PlaceFactory
from tests.factories.events import SessionFactory
from tests.factories.money import TillDayFactory


@pytest.fixture
def till(place):
    return TillDayFactory(place=place)


@pytest.fixture
def session(place):
    return SessionFactory(place=place, price_cents=300, member_price_cents=300)


@pytest.fixture
def places(member, session):
    return register(member=member, session=session, quantity=2, by=member.user, now=NOW)


def pay(desk, registration, scan="7", **data):
    """All that the page of F4 ticks by itself."""
    path = f"/desk/membre/{registration.member.pk}/encaisser/"
    form = desk.get(path).context["form"]
    lines = form["lines"].value() if "lines" in form.fields else []
    answer = desk.post(
        path, {"means": "cash", "scan": scan, "lines": lines, **data}, follow=True
    )  # fmt: skip
    registration.refresh_from_db()
    return answer


def back_path(registration):
    return f"/desk/places/{registration.reference}/rendre/"


def read(answer):
    return words(answer).replace("\xa0", " ")


@pytest.fixture
def given_up(desk, places, till, member):
    pay(desk, places)
    cancel(places, by=member.user, now=NOW)
    return places


def unbroken():
    assert [line for one in all_invariants() for line in one.violations()] == []


def test_places_to_pay_are_on_the_counter_s_page_and_are_taken(desk, card, places, till):
    assert "À payer : 6 €" in read(scan(desk, card.number))
    page = desk.get(f"/desk/membre/{places.member.pk}/encaisser/")
    assert "Atelier cuisine, mardi 16 mars : 6 €" in read(page)
    answer = pay(desk, places)
    assert "Encaissé 6 €." in read(answer)
    assert places.status == RegistrationStatus.CONFIRMED
    assert expected_cash(till) == till.float_cents + 600
    unbroken()


def test_the_price_at_the_door_is_taken_at_the_counter_too(desk, session, member, till):
    session.pay_first = False
    session.save()
    made = register(member=member, session=session, quantity=1, by=member.user, now=NOW)
    assert made.status == RegistrationStatus.CONFIRMED
    pay(desk, made)
    assert Receipt.objects.get().cents == 300
    unbroken()


def test_a_second_press_takes_once(desk, places, till):
    pay(desk, places)
    pay(desk, places)
    assert Receipt.objects.count() == 1


def test_what_was_cancelled_meanwhile_is_not_taken(desk, places, till, member):
    path = f"/desk/membre/{member.pk}/encaisser/"
    lines = desk.get(path).context["form"]["lines"].value()
    cancel(places, by=member.user, now=NOW)
    answer = desk.post(path, {"means": "cash", "scan": "7", "lines": lines})
    assert answer.status_code == 422
    assert not Receipt.objects.exists()


def test_what_is_owed_is_shown_and_given_back_once(desk, card, given_up, till):
    shown = scan(desk, card.number)
    assert "À rendre : 6 €" in read(shown)
    assert back_path(given_up) in shown.content.decode()
    pay_page = desk.get(f"/desk/membre/{given_up.member.pk}/encaisser/")
    assert "À rendre : 6 €" in read(pay_page)
    page = desk.get(back_path(given_up))
    assert "Rendre 6 €" in read(page)
    assert page.context["form"]["means"].value() == Means.CASH
    first = desk.post(back_path(given_up), {"means": "cash", "scan": "9"}, follow=True)
    again = desk.post(back_path(given_up), {"means": "cash", "scan": "9"}, follow=True)
    for answer in (first, again):
        assert "Argent rendu. Rendez 6 €." in read(answer)
    assert list(Receipt.objects.order_by("pk").values_list("cents", flat=True)) == [600, -600]
    assert expected_cash(till) == till.float_cents
    assert balance_of(given_up.member.household) == 0
    assert "À rendre" not in read(scan(desk, card.number))
    unbroken()


def test_a_second_tab_is_told_that_it_is_done(desk, given_up):
    desk.post(back_path(given_up), {"means": "cash", "scan": "9"})
    answer = desk.post(back_path(given_up), {"means": "cash", "scan": "10"})
    assert answer.status_code == 422
    assert "Il n’y a rien à rendre pour cette inscription." in read(answer)
    assert "Il n’y a rien à rendre." in read(desk.get(back_path(given_up)))
    assert Receipt.objects.count() == 2


@pytest.mark.parametrize("means", ["", "card", "bitcoin", "\x00"])
def test_an_odd_means_gives_nothing_back(desk, given_up, means):
    answer = desk.post(back_path(given_up), {"means": means, "scan": "9"})
    assert answer.status_code == 422
    assert "Il y a un problème" in read(answer)
    assert Receipt.objects.count() == 1


def test_with_a_closed_till_no_coins_are_given(desk, given_up, till):
    till.closed_at = NOW
    till.save()
    answer = desk.post(back_path(given_up), {"means": "cash", "scan": "9"})
    assert answer.status_code == 422
    assert "La caisse est fermée. Ouvrez-la d’abord." in read(answer)
    assert desk.post(back_path(given_up), {"means": "cheque", "scan": "10"}).status_code == 302


def test_a_page_given_back_by_its_receipt_is_owed_again(desk, given_up, card):
    desk.post(back_path(given_up), {"means": "cash", "scan": "9"})
    back = Receipt.objects.get(cents=-600)
    answer = desk.post(f"/desk/recu/{back.pk}/annuler/", follow=True)
    assert "Reprenez 6 €." in read(answer)
    assert "À rendre : 6 €" in read(scan(desk, card.number))
    unbroken()


def test_too_late_nothing_is_owed(desk, places, till, member, card):
    pay(desk, places)
    cancel(places, by=member.user, now=places.starts_at - timedelta(hours=1))
    assert "À rendre" not in read(scan(desk, card.number))


def test_another_place_s_registration_does_not_exist_here(desk, given_up, place):
    elsewhere = PlaceFactory(landlord=place.landlord, slug="ailleurs")
    Registration.objects.filter(pk=given_up.pk).update(place=elsewhere)
    assert desk.get(back_path(given_up)).status_code == 404
    assert desk.post(back_path(given_up), {"means": "cash"}).status_code == 404
    page = desk.get(f"/desk/membre/{given_up.member.pk}/encaisser/")
    assert back_path(given_up) not in page.content.decode()


def test_a_member_does_not_come_behind_the_counter(client, member, given_up):
    client.force_login(member.user)
    assert client.get(back_path(given_up)).status_code == 403
