"""A stay on the phone: days and tasks, a page to check, each visit, other days, giving it up."""

import html
import re
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Member, Message, Place
from concierge.domain.stay_visits import note_incident, tick_visit
from concierge.models import Service, Stay
from content.pictures import reencoded
from tests.factories.club import NOW, MemberFactory
from tests.factories.services import client_of
from tests.factories.stays import (
    KeySetFactory,
    RunningStayFactory,
    StayFactory,
    StayServiceFactory,
    photo,
)

KEY = "k" * 40
ASKED: dict[str, Any] = {
    "first_on": "2027-03-16", "last_on": "25/03/2027", "tasks": ["plants", "look"],
    "visit_every": "2", "key": KEY,
}  # fmt: skip


@pytest.fixture
def service(place: Place) -> Service:
    return StayServiceFactory(place=place)


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


@pytest.fixture
def phone(client: Client, samira: Member) -> Client:
    client.force_login(samira.user)
    return client


def words(response: Any) -> str:
    bare = re.sub(r"<(head|template).*?</\1>|<[^>]*>", " ", response.content.decode(), flags=re.S)
    return re.sub(r" (?=[.,])", "", " ".join(html.unescape(bare).split()))


def press(phone: Client, service: Service, **more: Any) -> Any:
    posted = ASKED | more
    return phone.post(f"/services/{service.public_id}/reserver/", posted, follow=True)


def test_days_and_tasks_are_checked_then_booked(phone, service, samira):
    assert "Garde de la maison" in words(phone.get("/services/"))
    page = phone.get(f"/services/{service.public_id}/")
    assert "Vous seul et l’accueil savez quand vous êtes absent." in words(page)
    assert "3 € par jour, à payer à la fin." in words(page)
    check = press(phone, service)
    said = words(check)
    assert "Du mardi 16 mars au jeudi 25 mars" in said
    assert "5 visites : une tous les 2 jours" in said
    assert "10 jours à 3 €, soit 30 €" in said
    assert not Stay.objects.exists()
    again = press(phone, service, modifier="1")
    assert again.context["form"]["tasks"].value() == ["plants", "look"]
    assert again.context["form"]["first_on"].value() == date(2027, 3, 16)
    done = press(phone, service, sure="1")
    assert "C’est réservé" in words(done)
    press(phone, service, sure="1")
    stay = Stay.objects.get()
    assert (stay.member, stay.tasks, stay.channel) == (samira, ["look", "plants"], "web")
    assert done.redirect_chain[-1][0] == f"/services/reserve/{stay.reference}/"
    assert "2027" not in "".join(url for url, _status in done.redirect_chain), "No dates there."


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"first_on": ""}, "Choisissez le premier jour."),
        ({"first_on": "9999-01-01"}, "Choisissez le premier jour."),
        ({"last_on": "bientôt"}, "Choisissez le dernier jour."),
        ({"tasks": []}, "Cochez ce que nous faisons chez vous."),
        ({"tasks": ["cat"]}, "Cochez ce que nous faisons chez vous."),
        ({"visit_every": "9"}, "Choisissez un rythme de la liste."),
        ({"first_on": "2027-03-09"}, "La garde commence au plus tôt mercredi 10 mars."),
        ({"key": "x"}, "Cette page a vieilli. Réservez à nouveau."),
    ],
)
def test_nothing_that_was_typed_is_lost(phone, service, typed, said):
    page = press(phone, service, sure="1", **typed)
    assert (page.status_code, said in words(page)) == (422, True)
    assert page.context["form"]["visit_every"].value() == typed.get("visit_every", "2")
    assert not Stay.objects.exists()


def test_who_may_not_reads_why_first(client, service, place, samira):
    page = client.get(f"/services/{service.public_id}/")
    assert "Me connecter pour réserver" in words(page)
    assert client.post(f"/services/{service.public_id}/reserver/", ASKED).url == (
        f"/compte/connexion/?next=%2Fservices%2F{service.public_id}%2F"
    )
    client.force_login(MemberFactory(place=place).user)
    assert "Il faut un abonnement actif." in words(client.get(f"/services/{service.public_id}/"))
    StayFactory(service=service, member=samira)
    service.most_open = 1
    service.save()
    client.force_login(samira.user)
    page = client.get(f"/services/{service.public_id}/")
    assert "Vous avez déjà une garde réservée." in words(page)


def test_each_visit_is_read_on_the_page_and_its_photo_by_its_member_alone(
    phone, service, samira, concierge_user, client
):
    stay = RunningStayFactory(service=service, member=samira)
    visit = stay.visits.first()
    tick_visit(visit, ["look"], photo=reencoded(photo()), by=concierge_user, now=NOW)
    page = phone.get(f"/mon-espace/reservations/{stay.reference}/")
    assert "Mardi 9 mars, faite à 10 h 24 Vérifier que tout va bien" in words(page)
    assert "Jeudi 11 mars, prévue" in words(page)
    url = f"/mon-espace/gardes/visite/{visit.pk}/photo/"
    assert url in page.text
    answer = phone.get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer["Cache-Control"].startswith("max-age=0")
    assert b"".join(answer.streaming_content).startswith(b"\xff\xd8\xff")
    note_incident(visit, "water", by=concierge_user, now=NOW)
    said = words(phone.get(f"/mon-espace/reservations/{stay.reference}/"))
    assert "Fuite d’eau. Appelez-nous au" in said
    client.force_login(client_of(service.place).user)
    assert client.get(url).status_code == 404


def test_other_days_by_two_fields_and_given_up(phone, service, samira):
    stay = StayFactory(service=service, member=samira)
    page = phone.get("/mon-espace/reservations/")
    assert "Garde de la maison" in words(page)
    url = f"/mon-espace/reservations/{stay.reference}/"
    page = phone.get(f"{url}changer/")
    assert page.context["form"]["last_on"].value() == date(2027, 3, 25)
    wrong = phone.post(f"{url}changer/", {"first_on": "2027-03-20", "last_on": "2027-03-18"})
    assert (wrong.status_code, "Le dernier jour vient après le premier." in words(wrong)) == (
        422, True,
    )  # fmt: skip
    done = phone.post(
        f"{url}changer/", {"first_on": "2027-03-17", "last_on": "2027-03-20"}, follow=True
    )
    assert "C’est changé : du mercredi 17 mars au samedi 20 mars." in words(done)
    assert "Il n’y a rien à payer." in words(phone.get(f"{url}annuler/"))
    done = phone.post(f"{url}annuler/", follow=True)
    assert "C’est annulé." in words(done)
    assert Message.objects.get().event == "stay.cancelled"


def test_a_limit_at_midnight_is_the_evening_before(phone, service, samira):
    stay = StayFactory(service=service, member=samira)
    address = f"/mon-espace/reservations/{stay.reference}/"
    service.cutoff_minutes = 24 * 60
    service.save()
    said = words(phone.get(address))
    assert "Vous pouvez changer ou annuler jusqu’au dimanche 14 mars à minuit." in said
    assert "à 0 h" not in said


def test_cancelled_it_shows_neither_a_price_nor_where_keys_go(phone, service, samira):
    stay = StayFactory(service=service, member=samira)
    address = f"/mon-espace/reservations/{stay.reference}/"
    before = words(phone.get(address))
    assert "À payer à la fin" in before
    assert "Clés" in before
    phone.post(f"{address}annuler/")
    page = phone.get(address)
    assert [row["label"] for row in page.context["ticket"]["rows"]] == ["Quand", "À faire"]
    assert "À payer à la fin" not in words(page)


def test_an_animal_to_feed_is_advised_a_visit_a_day(phone, service):
    service.tasks = ["look", "cat"]
    service.save()
    advice = "Un animal à nourrir : nous conseillons une visite chaque jour d’ouverture."
    assert advice not in words(press(phone, service, tasks=["look"]))
    assert advice in words(press(phone, service, tasks=["cat"]))
    again = press(phone, service, tasks=["cat"], modifier="chaque-jour")
    assert again.context["form"]["visit_every"].value() == 1
    assert again.context["form"]["tasks"].value() == ["cat"]
    assert advice not in words(press(phone, service, tasks=["cat"], visit_every="1"))


def test_the_list_and_the_keys_cost_the_same_for_one_and_for_three(phone, service, samira):
    counts = []
    for number in range(3):
        kind = StayServiceFactory(place=service.place, name=f"Garde {number}")
        StayFactory(service=kind, member=samira)
        KeySetFactory(member=samira, hook=number + 1)
        for url in ("/mon-espace/reservations/", "/mon-espace/cles/"):
            phone.get(url)
            with CaptureQueriesContext(connection) as held:
                phone.get(url)
            counts.append((url, len(held)))
    assert len(set(counts)) == 2
