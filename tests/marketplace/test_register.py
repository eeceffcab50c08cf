"""A firm is looked up in the State's register, whose faults cost a sentence and no work."""

import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from club.enums import Role
from club.models import Landlord, Place
from marketplace import register
from marketplace.register import RegisterDown, look_up
from tests.factories.club import LandlordFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import PartnerFactory, siret_of
from tests.signin import sign_in_staff

SIRET = siret_of(12_345_678)
BUTTON = "Chercher dans le registre"
BY_HAND = "Remplissez les champs à la main."


def site(siret: str = SIRET, **more: Any) -> dict[str, Any]:
    return {
        "siret": siret,
        "adresse": "8 RUE DES LILAS 80000 AMIENS",
        "code_postal": "80000",
        "libelle_commune": "AMIENS",
        "etat_administratif": "A",
        "latitude": "49.8941708899",
        "longitude": "2.2956951",
        "liste_enseignes": None,
        **more,
    }


def firm(*sites: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "siren": SIRET[:9],
        "nom_complet": "AZIZ PLOMBERIE (LE BON TUYAU)",
        "nom_raison_sociale": "AZIZ PLOMBERIE",
        "etat_administratif": "A",
        "matching_etablissements": list(sites),
        "siege": site(siret_of(1)),
        **more,
    }


class Register(ThreadingHTTPServer):
    """A register that answers as it is told, and keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.body = b""
        self.before: Callable[[], Any] = lambda: None
        self.drips = False
        self.asked: list[dict[str, list[str]]] = []
        self.over = Event()

    def says(self, *firms: Any) -> None:
        self.body = json.dumps({"results": firms, "total_results": len(firms)}).encode()


class Handler(BaseHTTPRequestHandler):
    server: Register

    def do_GET(self) -> None:
        self.server.asked.append(parse_qs(urlsplit(self.path).query))
        self.server.before()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        if self.server.drips:
            self.drip()
        else:
            self.wfile.write(self.server.body)

    def drip(self) -> None:
        """One byte at a time: no single read is ever late."""
        for byte in self.server.body:
            self.wfile.write(bytes([byte]))
            if self.server.over.wait(0.1):
                return

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def state(settings: Any) -> Iterator[Register]:
    with Register() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        settings.COMPANY_REGISTER_URL = f"http://127.0.0.1:{server.server_port}"
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def officer(client: Client, place: Place) -> Client:
    sign_in_staff(client, staff(place, Role.OFFICER))
    return client


def ask(client: Client, siret: str = SIRET) -> HttpResponse:
    return client.get(reverse("partner:add"), {"siret": siret})


def filled(answer: Any) -> dict[str, str]:
    form = answer.context["form"]
    names = ("siret", "name", "legal_name", "address", "postcode", "city")
    return {name: form[name].value() or "" for name in names}


def test_the_establishment_of_the_number_is_found(state: Register) -> None:
    state.says(firm(site(siret_of(2)), site(liste_enseignes=[" ", "LE BON TUYAU"])))
    assert look_up(SIRET) == register.Found(
        siret=SIRET,
        legal_name="AZIZ PLOMBERIE",
        name="LE BON TUYAU",
        address="8 RUE DES LILAS",
        postcode="80000",
        city="AMIENS",
        latitude=Decimal("49.894171"),
        longitude=Decimal("2.295695"),
        is_closed=False,
    )
    assert state.asked == [{"q": [SIRET], "per_page": ["1"]}]


def test_the_head_office_is_found_and_a_person_has_no_firm_name(state: Register) -> None:
    state.says(firm(siege=site(), nom_raison_sociale=None, nom_complet="LEILA AZIZ"))
    found = look_up(SIRET)
    assert found is not None
    assert (found.legal_name, found.name, found.city) == ("LEILA AZIZ", "LEILA AZIZ", "AMIENS")


def test_what_the_register_hides_is_left_empty(state: Register) -> None:
    hidden = dict.fromkeys(("adresse", "code_postal", "latitude", "longitude"), register.HIDDEN)
    state.says(firm(site(**hidden), nom_raison_sociale=None, nom_complet=register.HIDDEN))
    found = look_up(SIRET)
    assert found is not None
    assert (found.name, found.address, found.postcode) == ("", "", "")
    assert (found.latitude, found.longitude, found.city) == (None, None, "AMIENS")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "91", "1e999999", "nord", "", None, 10**40])
def test_a_place_off_the_map_is_none(state: Register, value: Any) -> None:
    state.says(firm(site(latitude=value)))
    found = look_up(SIRET)
    assert found is not None
    assert found.latitude is None


@pytest.mark.parametrize(
    "row",
    [
        firm(site(etat_administratif="F")),
        firm(site(etat_administratif="C")),
        firm(site(), etat_administratif="C"),
    ],
)
def test_a_closed_firm_or_establishment_is_closed(state: Register, row: dict[str, Any]) -> None:
    state.says(row)
    found = look_up(SIRET)
    assert found is not None
    assert found.is_closed


def test_another_establishment_than_the_one_asked_for_is_none(state: Register) -> None:
    state.says(firm(site(siret_of(2))))
    assert look_up(SIRET) is None
    state.says()
    assert look_up(SIRET) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"results": {}}',
        b'{"results": ["x"]}',
        b'{"results": [{"matching_etablissements": "x"}]}',
        b'{"results": [{"matching_etablissements": ["x"]}]}',
        json.dumps({"results": [firm(site(adresse=["x"]))]}).encode(),
        json.dumps({"results": [firm(site(liste_enseignes=[3]))]}).encode(),
        b"[" * 100_000,
        b" " * (register.MOST_BYTES + 1),
    ],
    ids=range(13),
)
def test_an_answer_that_cannot_be_read_is_none_at_all(state: Register, body: bytes) -> None:
    state.body = body
    with pytest.raises(RegisterDown):
        look_up(SIRET)


@pytest.mark.parametrize("status", [204, 302, 404, 429, 500, 503])
def test_another_status_is_a_register_that_is_down(state: Register, status: int) -> None:
    state.says(firm(site()))
    state.status = status
    with pytest.raises(RegisterDown):
        look_up(SIRET)


def test_nobody_at_the_address_is_a_register_that_is_down(state: Register, settings: Any) -> None:
    state.server_close()
    with pytest.raises(RegisterDown):
        look_up(SIRET)


@pytest.mark.parametrize("fault", ["silent", "drips"])
def test_a_slow_register_is_left_in_time(
    state: Register, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register, "SECONDS", 0.5)
    state.says(firm(site()))
    state.drips = fault == "drips"
    if fault == "silent":
        state.before = state.over.wait
    began = time.monotonic()
    with pytest.raises(RegisterDown):
        look_up(SIRET)
    assert time.monotonic() - began < 2


@pytest.mark.django_db
def test_without_an_address_there_is_no_step(officer: Client) -> None:
    answer = ask(officer)
    assert BUTTON not in answer.content.decode()
    assert filled(answer)["siret"] == ""


@pytest.mark.django_db
def test_the_form_is_filled_in_from_the_register(officer: Client, state: Register) -> None:
    first = officer.get(reverse("partner:add")).content.decode()
    assert BUTTON in first
    assert state.asked == []
    state.says(firm(site()))
    answer = ask(officer, f" {SIRET[:9]} {SIRET[9:]}")
    assert filled(answer) == {
        "siret": SIRET,
        "name": "AZIZ PLOMBERIE",
        "legal_name": "AZIZ PLOMBERIE",
        "address": "8 RUE DES LILAS",
        "postcode": "80000",
        "city": "AMIENS",
    }
    assert "Trouvé dans le registre des entreprises." in answer.content.decode()


@pytest.mark.django_db
def test_a_closed_firm_is_told(officer: Client, state: Register) -> None:
    state.says(firm(site(etat_administratif="F")))
    answer = ask(officer)
    assert "Le registre dit cette entreprise fermée." in answer.content.decode()
    assert filled(answer)["city"] == "AMIENS"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "sentence"),
    [(200, "Le registre ne connaît pas ce numéro."), (500, "Le registre ne répond pas.")],
)
def test_with_nothing_found_the_number_stays_and_the_rest_is_by_hand(
    officer: Client, state: Register, status: int, sentence: str
) -> None:
    state.says()
    state.status = status
    answer = ask(officer)
    assert f"{sentence} {BY_HAND}" in answer.content.decode()
    assert filled(answer) == {
        "siret": SIRET, "name": "", "legal_name": "", "address": "", "postcode": "", "city": "",
    }  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["12345678900011", "123", "abc", ""])
def test_a_wrong_number_is_told_at_its_field_and_not_asked_for(
    officer: Client, state: Register, typed: str
) -> None:
    answer = ask(officer, typed)
    lookup = answer.context["lookup"]
    assert list(lookup.errors) == ["siret"]
    assert lookup["siret"].value() == typed
    assert str(lookup.errors["siret"][0]).replace("'", "&#x27;") in answer.content.decode()
    assert state.asked == []


@pytest.mark.django_db
def test_a_partner_of_the_same_landlord_is_shown_and_not_asked_for(
    officer: Client, place: Place, state: Register
) -> None:
    partner = PartnerFactory(landlord=place.landlord, siret=SIRET, name="Chez <b>Aziz</b>")
    page = ask(officer).content.decode()
    assert "Chez &lt;b&gt;Aziz&lt;/b&gt; a déjà ce numéro SIRET." in page
    assert reverse("partner:edit", args=[partner.pk]) in page
    assert state.asked == []


def other_landlord() -> Landlord:
    return LandlordFactory(slug="autre", name="Autre Habitat", hostname="autre.example")


@pytest.mark.django_db
def test_a_partner_of_another_landlord_is_nobodys_business(
    officer: Client, state: Register
) -> None:
    PartnerFactory(landlord=other_landlord(), siret=SIRET, name="Chez Aziz")
    state.says(firm(site()))
    answer = ask(officer)
    assert "Chez Aziz" not in answer.content.decode()
    assert filled(answer)["city"] == "AMIENS"


@pytest.mark.django_db
def test_an_officer_of_two_landlords_may_still_add_it_to_the_second(
    client: Client, place: Place, state: Register
) -> None:
    user = staff(place, Role.OFFICER)
    elsewhere = PlaceFactory(slug="ailleurs", landlord=other_landlord())
    user.assignments.create(place=elsewhere, role=Role.OFFICER)
    sign_in_staff(client, user)
    PartnerFactory(landlord=elsewhere.landlord, siret=SIRET, name="Chez Aziz")
    state.says(firm(site()))
    answer = ask(client)
    assert "Chez Aziz a déjà ce numéro SIRET." in answer.content.decode()
    assert filled(answer)["city"] == "AMIENS"


@pytest.mark.django_db
def test_who_may_not_add_a_partner_asks_for_nothing(
    client: Client, place: Place, state: Register
) -> None:
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    assert ask(client).status_code == 302
    assert state.asked == []


@pytest.mark.django_db
def test_a_form_sent_with_a_fault_keeps_what_was_typed_and_asks_for_nothing(
    officer: Client, state: Register
) -> None:
    answer = officer.post(f"{reverse('partner:add')}?siret={SIRET}", {"name": "Plomberie Aziz"})
    assert filled(answer)["name"] == "Plomberie Aziz"
    assert BUTTON not in answer.content.decode()
    assert state.asked == []


@pytest.mark.django_db(transaction=True)
def test_no_transaction_waits_for_the_register(officer: Client, state: Register) -> None:
    """The test's client answers in this thread, so its connection is the page's own."""
    seen, page = [], connections["default"]
    state.before = lambda: seen.append(page.in_atomic_block)
    state.says(firm(site()))
    ask(officer)
    assert seen == [False]
