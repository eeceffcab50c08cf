"""The partner's own papers: how each stands, sending the next, reading one's own."""

from collections.abc import Iterator
from datetime import date, datetime
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from club.enums import Role
from club.models import Place, User
from marketplace.domain import partners
from marketplace.domain.papers import MOST_WAITING
from marketplace.enums import DocumentKind, DocumentStatus, PartnerKind, Trade
from marketplace.models import ComplianceRule, Partner, PartnerDocument
from marketplace.queries.shown import trades_shown
from tests.costs import session
from tests.factories.club import LandlordFactory
from tests.factories.cms import staff
from tests.factories.marketplace import ArtisanFactory, PartnerFactory, PersonFactory, insured
from tests.signin import sign_in_staff

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\n%%EOF"
PAPERS = "/espace-partenaire/papiers/"


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture(autouse=True)
def private_files(settings: Any, tmp_path: Any) -> None:
    private = settings.STORAGES["private"] | {"OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"private": private}


@pytest.fixture
def artisan(place: Place) -> Partner:
    return ArtisanFactory(landlord=place.landlord, trades=[Trade.PLUMBING, Trade.ROOFING])


def client_of(partner: Partner) -> Client:
    client = Client()
    client.force_login(PersonFactory(partner=partner).user)
    return client


def paper(**more: Any) -> dict[str, Any]:
    return {
        "kind": "decennial",
        "issuer": "Assurances du Nord",
        "number": "AN-12",
        "starts_on": "01/01/2027",
        "ends_on": "31/12/2027",
        "trades": ["roofing"],
        "file": SimpleUploadedFile("attestation.pdf", PDF),
        **more,
    }


def test_from_the_phone_to_the_officer_and_back_to_the_directory(
    artisan: Partner, place: Place, now: datetime
) -> None:
    client = client_of(artisan)
    assert client.get(PAPERS).content.decode().count("manque") == 2
    answer = client.post(PAPERS, paper())
    assert (answer.status_code, answer["Location"]) == (302, PAPERS)
    document = PartnerDocument.objects.get()
    assert (document.status, document.received_at) == (DocumentStatus.RECEIVED, now)
    assert [row.trade for row in document.trades.all()] == [Trade.ROOFING]
    assert "attestation" not in document.file.name
    officer = Client()
    sign_in_staff(officer, user := staff(place, Role.OFFICER))
    follow = officer.get(reverse("partner-papers")).content.decode()
    assert reverse("partnerdocument:edit", args=[document.pk]) in follow
    partners.accept(document, by=user, now=now)
    shown = trades_shown(place.landlord, now.date()).values_list("trade", flat=True)
    assert list(shown) == [Trade.ROOFING]


def test_roofing_alone_does_not_show_plumbing(artisan: Partner) -> None:
    insured(artisan, Trade.ROOFING)
    page = client_of(artisan).get(PAPERS).content.decode()
    assert "Assurance décennale, plomberie" in page and "Assurance décennale, couverture" in page
    assert page.count("Vous n’êtes pas montré pour ce métier.") == 1
    assert "valable jusqu’au vendredi 31\u00a0décembre" in page


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": ""}, "Choisissez le papier."),
        ({"trades": []}, "Cochez les métiers que cette assurance nomme."),
        ({"trades": ["painting"]}, "painting"),
        ({"number": ""}, "Écrivez le numéro du contrat."),
        ({"ends_on": "08/03/2027"}, "déjà expiré"),
        ({"ends_on": "31/12/2072"}, "Relisez l’année de la fin."),
        ({"starts_on": "01/01/2028"}, "avant le début"),
        ({"ends_on": "31/02/2027"}, "Écrivez le jour, le mois et l’année"),
        ({"file": ""}, "Ajoutez une photo ou un PDF"),
        ({"file": SimpleUploadedFile("a.pdf", b"MZ\x90")}, "Envoyez un PDF ou une photo"),
        (
            {"file": SimpleUploadedFile("a.pdf", b"%PDF-1.4 /OpenAction /JavaScript")},
            "contient un programme",
        ),
    ],
)
def test_a_fault_is_told_and_nothing_typed_is_lost(
    artisan: Partner, fault: dict[str, Any], words: str
) -> None:
    answer = client_of(artisan).post(PAPERS, paper(**fault))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page and "<title>Erreur" in page
    assert 'value="Assurances du Nord"' in page
    assert not PartnerDocument.objects.exists()


def test_a_photo_is_drawn_anew(artisan: Partner) -> None:
    image, out = Image.new("RGB", (40, 30), "white"), BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "3 allée des Tilleuls"
    image.save(out, "JPEG", exif=exif)
    photo = SimpleUploadedFile("photo.jpg", out.getvalue())
    assert client_of(artisan).post(PAPERS, paper(file=photo)).status_code == 302
    with PartnerDocument.objects.get().file.open("rb") as stored:
        assert not Image.open(stored).getexif()


def test_no_more_than_ten_wait(artisan: Partner) -> None:
    for _number in range(MOST_WAITING):
        insured(artisan, Trade.PLUMBING, status=DocumentStatus.RECEIVED)
    answer = client_of(artisan).post(PAPERS, paper())
    assert "Dix papiers attendent déjà" in answer.content.decode()


def test_a_baker_is_asked_what_the_landlord_asks(place: Place) -> None:
    baker = PartnerFactory(landlord=place.landlord)
    client = client_of(baker)
    assert "Aucun papier ne vous est demandé." in client.get(PAPERS).content.decode()
    ComplianceRule.objects.create(
        landlord=place.landlord, kind=PartnerKind.MERCHANT, document=DocumentKind.HYGIENE
    )
    page = client.get(PAPERS).content.decode()
    assert "Votre page n’est pas montrée." in page and "Métiers écrits" not in page
    sent = paper(kind="hygiene", number="", trades=[])
    assert client.post(PAPERS, sent).status_code == 302
    assert "reçu, à vérifier" in client.get(PAPERS).content.decode()


def test_a_file_is_read_by_its_own_partners_people_alone(
    artisan: Partner, place: Place, member: Any, concierge_user: User
) -> None:
    own = client_of(artisan)
    own.post(PAPERS, paper())
    address = reverse("pro:paper", args=[PartnerDocument.objects.get().pk])
    assert address in own.get(PAPERS).content.decode()
    answer = own.get(address)
    assert b"".join(answer.streaming_content) == PDF  # type: ignore[attr-defined]
    assert answer["Content-Disposition"].startswith("attachment")
    neighbour = client_of(ArtisanFactory(landlord=place.landlord))
    stranger = client_of(ArtisanFactory(landlord=LandlordFactory(slug="autre", name="Autre")))
    assert neighbour.get(address).status_code == stranger.get(address).status_code == 404
    assert Client().get(address).status_code == 302
    for user in (member.user, concierge_user):
        client = Client()
        client.force_login(user)
        assert client.get(address).status_code == 403


def test_a_paper_without_a_file_has_none_to_read(artisan: Partner) -> None:
    document = insured(artisan, Trade.PLUMBING)
    client = client_of(artisan)
    address = reverse("pro:paper", args=[document.pk])
    assert address not in client.get(PAPERS).content.decode()
    assert client.get(address).status_code == 404


def test_the_page_costs_as_much_for_three_papers_as_for_one(
    artisan: Partner, django_assert_num_queries: Any
) -> None:
    client = client_of(artisan)
    for number in range(3):
        insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=date(2027, 6, 1 + number))
        if number != 1:
            with django_assert_num_queries(10 + session()):
                client.get(PAPERS)
