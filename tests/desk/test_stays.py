"""Stays and keys at the counter; and who learns that a home is empty: nobody else."""

from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.domain.tokens import create_token
from club.enums import Role
from club.kernel import codes
from club.kernel.bookings import find
from club.models import Dwelling, Member, Place, Residence, User
from concierge.models import KeySet, Service, Stay, StayVisit
from concierge.queries.stays import visible_to
from desk.views import SAID_SALT
from tests.desk.conftest import result, scan, words
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import PersonFactory
from tests.factories.parcels import ProxyFactory
from tests.factories.services import client_of
from tests.factories.stays import (
    KeySetFactory,
    RunningStayFactory,
    StayFactory,
    StayServiceFactory,
    drawn,
    photo,
)
from tests.signin import sign_in_staff

KEY = "k" * 40


def said_in(page: Any) -> str:
    """What the address bar, a history and a log of the proxy keep of an answer."""
    query = parse_qs(urlsplit(page.redirect_chain[-1][0]).query)
    return str(signing.loads(query["dit"][0], salt=SAID_SALT)) if "dit" in query else ""


@pytest.fixture
def service(place: Place) -> Service:
    return StayServiceFactory(place=place)


@pytest.fixture
def samira(place: Place) -> Member:
    """At Les Aulnes, dwelling B12."""
    member = client_of(place, last_name="Vandenbroeck")
    residence = Residence.objects.create(
        landlord=place.landlord, code="R1", name="Les Aulnes", address="3, rue des Saules"
    )
    member.household.dwelling = Dwelling.objects.create(residence=residence, code="B12")
    member.household.save()
    return member


@pytest.fixture
def running(service: Service, samira: Member) -> Stay:
    stay = RunningStayFactory(service=service, member=samira)
    KeySetFactory(member=samira, stay=stay, reason="stay", hook=7)
    return stay


@pytest.fixture
def visit(running: Stay) -> StayVisit:
    return running.visits.get(day=NOW.date())


# -- The round ---------------------------------------------------------------------------------


def test_the_round_tells_the_hook_the_door_and_what_to_do(desk, running, visit):
    page = words(desk.get("/desk/gardes/"))
    assert "Visites à faire (1) Crochet 7 B12, Les Aulnes, 3, rue des Saules" in page
    sheet = words(desk.get("/desk/gardes/tournee/"))
    assert "B12, Les Aulnes" in sheet
    assert "Vandenbroeck" not in sheet, "The sheet that leaves the house bears no name."
    [part] = [one for one in desk.get("/desk/").context["parts"] if one.key == "visits"]
    assert [(entry.text, entry.number) for entry in part.entries] == [("Visites à faire", 1)]


def test_a_visit_is_ticked_with_a_photo_and_undone(desk, visit, running):
    url = f"/desk/gardes/visite/{visit.pk}/"
    upload = SimpleUploadedFile("IMG.jpg", photo().read(), "image/jpeg")
    page = desk.post(url, {"tasks": ["look", "post"], "photo": upload}, follow=True)
    assert "Visite faite. vérifier que tout va bien, relever le courrier" in words(page)
    answer = desk.get(f"{url}photo/")
    assert answer["Content-Type"] == "image/jpeg"
    assert b"".join(answer.streaming_content).startswith(b"\xff\xd8\xff")
    assert "déjà notée" in words(desk.post(url, {"tasks": ["look"]}))
    assert "Défait." in words(desk.post(f"{url}defaire/", follow=True))
    wrong = desk.post(url, {"photo": SimpleUploadedFile("a.jpg", b"no picture", "image/jpeg")})
    assert wrong.status_code == 422
    assert "Cochez ce que vous avez fait." in words(wrong)
    assert "n’est pas une photo lisible" in words(wrong)
    assert desk.post(f"{url}mordre/").status_code == 404


def test_a_problem_stands_on_the_list_until_somebody_has_called(desk, visit):
    url = f"/desk/gardes/visite/{visit.pk}/"
    assert desk.post(f"{url}probleme/", {"incident": "ghost"}).status_code == 422
    page = desk.post(f"{url}probleme/", {"incident": "water"}, follow=True)
    assert "Problème noté. Fuite d’eau. Appelez la personne." in words(page)
    assert "Vandenbroeck" not in said_in(page)
    assert "À appeler (1)" in words(desk.get("/desk/gardes/"))
    assert "Appel noté." in words(desk.post(f"{url}appele/", follow=True))
    assert "À appeler" not in words(desk.get("/desk/gardes/"))


def test_a_stay_is_booked_for_a_person_and_its_keys_follow(desk, service, samira):
    url = f"/desk/membre/{samira.pk}/garde/"
    posted = {
        "service": service.public_id, "first_on": "2027-03-09", "last_on": "2027-03-13",
        "tasks": ["look"], "visit_every": "2", "key": KEY,
    }  # fmt: skip
    assert desk.post(url, posted | {"tasks": []}).status_code == 422
    page = desk.post(url, posted, follow=True)
    stay = Stay.objects.get()
    assert (stay.channel, stay.first_on) == ("desk", date(2027, 3, 9))
    assert page.context["form"]["reason"].initial == f"stay:{stay.pk}"
    asked = {
        "membre": samira.pk, "reason": f"stay:{stay.pk}", "pieces": "2", "hook": "1",
        "signature": drawn(),
    }  # fmt: skip
    page = desk.post("/desk/cles/recevoir/", asked, follow=True)
    assert "Reçu. 2 clés, crochet 1." in words(page)
    assert "Samira" not in said_in(page)
    keys = KeySet.objects.get()
    stay.refresh_from_db()
    assert (keys.stay, stay.status) == (stay, "running")
    answer = desk.get(f"/desk/cles/{keys.reference}/signature/recues/")
    assert b"".join(answer.streaming_content)
    assert desk.get(f"/desk/cles/{keys.reference}/signature/rendues/").status_code == 404
    page = desk.post(f"/desk/gardes/{stay.reference}/dates/", {
        "first_on": "2027-03-09", "last_on": "2027-03-16",
    }, follow=True)  # fmt: skip
    assert "Changée." in words(page)
    assert "Du mardi 9 mars au mardi 16 mars" in words(page)
    assert "mars" not in said_in(page)
    refused = desk.post(f"/desk/gardes/{stay.reference}/terminer/", follow=True)
    assert (refused.status_code, refused.redirect_chain) == (422, [])
    assert "Les clés sont encore ici." in words(refused)
    given = desk.post(
        f"/desk/cles/{keys.reference}/rendre/", {"to": f"m{samira.pk}", "on_paper": "on"},
        follow=True,
    )  # fmt: skip
    assert "Rendues. La garde est terminée. 3 € à encaisser." in words(given)
    assert "Rendues à Samira Vandenbroeck, mardi 9 mars" in words(given)
    assert "Samira" not in said_in(given)
    again = desk.get(f"/desk/cles/{keys.reference}/rendre/", follow=True)
    assert "Rendues à Samira Vandenbroeck, mardi 9 mars" in words(again)
    assert said_in(again) == ""
    late = desk.post(f"/desk/cles/{keys.reference}/sortir/", follow=True)
    assert (late.status_code, late.redirect_chain) == (422, [])
    assert "Ces clés sont déjà rendues : à Samira Vandenbroeck, mardi 9 mars" in words(late)


# -- Keys ------------------------------------------------------------------------------------


def test_spare_keys_are_received_by_a_name_and_found_by_their_hook(desk, samira, place):
    page = desk.get("/desk/cles/recevoir/")
    assert page.context["form"]["hook"].value() == 1
    asked = {"who": "vanden", "reason": "spare", "pieces": "1", "hook": "1"}
    page = desk.post("/desk/cles/recevoir/", asked)
    assert (page.status_code, "Faites signer à l’écran" in words(page)) == (422, True)
    assert "Signature" in words(desk.post("/desk/cles/recevoir/", asked | {"signature": "x"}))
    desk.post("/desk/cles/recevoir/", asked | {"on_paper": "on"})
    keys = KeySet.objects.get()
    page = desk.post("/desk/cles/recevoir/", asked | {"on_paper": "on"})
    assert "Le crochet 1 est pris. Le 2 est libre." in words(page)
    KeySetFactory(member=client_of(place), hook=2)
    for text in ("1", "vanden", keys.reference):
        found = desk.get("/desk/cles/", {"q": text}).context["held"]
        assert found == [keys], text
    assert "Aucune clé de ce crochet" in words(desk.get("/desk/cles/", {"q": "zzz"}))
    acts = {
        "sortir": "Sorties.", "raccrocher": "De nouveau au crochet.",
        "perdues": "Notées perdues.", "retrouvees": "De nouveau au crochet.",
    }  # fmt: skip
    for act, said in acts.items():
        page = desk.post(f"/desk/cles/{keys.reference}/{act}/", follow=True)
        assert said in words(page)
    page = desk.post(f"/desk/cles/{keys.reference}/crochet/", {"hook": "2"})
    assert "Le crochet 2 est pris." in words(page)
    assert "Crochet 9." in words(
        desk.post(f"/desk/cles/{keys.reference}/crochet/", {"hook": "9"}, follow=True)
    )


def test_the_tag_bears_the_hook_and_the_code_and_nothing_else(desk, running):
    keys = KeySet.objects.get()
    tag = words(desk.get(f"/desk/cles/{keys.reference}/etiquette/"))
    assert "7" in tag
    for secret in ("Samira", "Vandenbroeck", "Aulnes", "B12", "Saules", "Garde"):
        assert secret not in tag
    receipt = words(desk.get(f"/desk/cles/{keys.reference}/recu/"))
    assert "1 clé, apportées par Samira Vandenbroeck" in receipt
    assert "signature du membre" in receipt
    assert "Aulnes" not in receipt


def test_a_named_person_takes_the_keys_back_with_a_signature(desk, running, samira):
    aunt = ProxyFactory(member=samira)
    keys = KeySet.objects.get()
    page = desk.get(f"/desk/cles/{keys.reference}/rendre/")
    assert f"{aunt}, pièce d’identité à demander" in words(page)
    posted = {"to": f"p{aunt.pk}"}
    url = f"/desk/cles/{keys.reference}/rendre/"
    assert desk.post(url, posted | {"signature": drawn(blank=True)}).status_code == 422
    assert desk.post(url, {"to": "m999999", "on_paper": "on"}).status_code == 422
    assert f"Rendues à {aunt}," in words(
        desk.post(url, posted | {"signature": drawn()}, follow=True)
    )
    keys.refresh_from_db()
    assert (keys.returned_to, bool(keys.returned_signature)) == (str(aunt), True)


def test_one_scan_opens_the_person_with_keys_and_stays(desk, running, samira):
    keys = KeySet.objects.get()
    page = scan(desk, keys.reference)
    assert result(page) == (
        "done",
        f"Clés {codes.spoken(keys.reference)}.".replace("\xa0", " "),
        "Crochet 7, au crochet.",
    )
    person = page.context["screen"].person
    assert (person.member, person.stays, person.keys) == (samira, [running], [keys])
    assert "Garde lue." in words(scan(desk, running.reference))


def test_lists_cost_the_same_for_one_and_for_three(desk, place):
    costs = []
    for number in range(3):
        kind = StayServiceFactory(place=place, name=f"Garde {number}")
        member = client_of(place)
        stay = RunningStayFactory(service=kind, member=member)
        KeySetFactory(member=member, stay=stay, reason="stay", hook=number + 1)
        StayFactory(service=kind, member=client_of(place), first=date(2027, 4, 6),
                    last=date(2027, 4, 8))  # fmt: skip
        for url in ("/desk/gardes/", "/desk/gardes/tournee/", "/desk/cles/", "/desk/tableau/"):
            desk.get(url)
            with CaptureQueriesContext(connection) as held:
                desk.get(url)
            costs.append((url, sum("shared_cache" not in one["sql"] for one in held)))
    assert len(set(costs)) == 4, sorted(set(costs))


# -- Nobody else learns that a home is empty ---------------------------------------------------
#
# Decided: a stay, its visits and the keys at a hook are seen by the member and by those who
# hold the role of concierge at that place. The landlord's officer does not, though they may
# serve at the same counter: what is booked, loaned and paid they see, an absence they do not.
# Nor do editors, partners, neighbours, the other adults of the home or another place's staff.
# The member's own private feed shows their stay, since they asked for it; nobody else's does.

ADDRESSES = (
    "/desk/gardes/", "/desk/gardes/tournee/", "/desk/gardes/chiffres/", "/desk/cles/",
    "/desk/cles/recevoir/", "/desk/gardes/{stay}/", "/desk/gardes/visite/{visit}/",
    "/desk/gardes/visite/{visit}/photo/", "/desk/cles/{keys}/", "/desk/cles/{keys}/recu/",
    "/desk/cles/{keys}/etiquette/", "/desk/membre/{member}/garde/",
    "/mon-espace/reservations/{stay}/", "/mon-espace/reservations/{stay}/agenda.ics",
    "/services/reserve/{stay}/", "/mon-espace/gardes/visite/{visit}/photo/",
)  # fmt: skip
LISTS = ("/desk/", "/desk/jour/", "/desk/tableau/", "/desk/appels/", "/mon-espace/",
         "/mon-espace/reservations/", "/mon-espace/cles/", "/services/", "/admin/")  # fmt: skip


@pytest.fixture
def others(place: Place, samira: Member) -> dict[str, User]:
    elsewhere = PlaceFactory(landlord=place.landlord)
    return {
        "neighbour": client_of(place, last_name="Roussel").user,
        "adult of the home": MemberFactory(place=place, household=samira.household).user,
        "partner": PersonFactory(partner__landlord=place.landlord).user,
        "officer": staff(place, Role.OFFICER),
        "editor": staff(place, Role.EDITOR),
        "concierge elsewhere": staff(elsewhere, Role.CONCIERGE),
    }


def test_nobody_but_the_concierges_there_sees_an_absence(running, visit, samira, others):
    keys = KeySet.objects.get()
    names = {
        "stay": running.reference, "visit": visit.pk, "keys": keys.reference, "member": samira.pk,
    }  # fmt: skip
    words_of = ("Garde de la maison,", "Visites à faire (1)", "Clés au crochet", "Aulnes")
    traces = (running.reference, keys.reference, "Visites à faire", *words_of)
    for who, user in others.items():
        client = Client(raise_request_exception=False)
        if who in {"officer", "editor", "concierge elsewhere"}:
            sign_in_staff(client, user)
        else:
            client.force_login(user)
        for address in ADDRESSES:
            page = client.get(address.format(**names))
            is_own_empty = who == "concierge elsewhere" and "{" not in address
            assert page.status_code in ({200} if is_own_empty else {302, 403, 404}), (who, address)
            assert not any(word in page.text for word in words_of), (who, address)
        for address in LISTS:
            page = client.get(address, follow=True)
            found = [trace for trace in traces if trace in page.text]
            assert found == [], (who, address)
        if who == "officer":
            for code in (running.reference, keys.reference):
                assert result(scan(client, code))[2] == "Cette réservation n’est pas connue ici."
            page = client.get("/desk/", {"membre": samira.pk})
            assert not any(trace in page.text for trace in traces), "The person, without it."
        assert list(visible_to(user)) == []
        assert find(running.reference, user) is None
        _token, plain = create_token(user, "essai", "write", NOW)
        head = {"Authorization": f"Bearer {plain}"}
        one = client.get(f"/api/v1/bookings/{running.reference}", headers=head)
        assert one.status_code in {403, 404}, who
        assert running.reference not in client.get("/api/v1/bookings", headers=head).text, who
        if hasattr(user, "member"):
            assert (
                running.reference
                not in client.get(f"/mon-espace/agenda/{user.member.feed_token}.ics").text
            )
    own = Client()
    assert running.reference in own.get(f"/mon-espace/agenda/{samira.feed_token}.ics").text
