"""Who reads and sends which certificate, and what is no certificate at all."""

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
from club.models import LogEntry, Member, Place
from marketplace.enums import CertificateStatus, PartnerKind
from marketplace.models import Certificate
from marketplace.queries.certificates import Standing, line_of
from tests.factories.club import (
    CardFactory,
    LandlordFactory,
    MemberFactory,
    PlaceFactory,
    UserFactory,
)
from tests.factories.cms import staff
from tests.factories.marketplace import CertificateFactory, PartnerFactory, PersonFactory
from tests.marketplace.test_certificates import PDF, checked, sent
from tests.signin import sign_in_staff

SEND = "/attestation-assurance/envoyer/"
HOME = "/attestation-assurance/"


@pytest.fixture(autouse=True)
def private_files(settings: Any, tmp_path: Any) -> None:
    private = settings.STORAGES["private"] | {"OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"private": private}


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def tenant(member: Member) -> Member:
    return checked(member)


@pytest.fixture
def signed_in(client: Client, tenant: Member) -> Client:
    client.force_login(tenant.user)
    return client


def photo(exif: bool = False) -> bytes:
    out = BytesIO()
    image = Image.new("RGB", (40, 30), "#1f5641")
    tags = Image.Exif()
    tags[0x010E] = "chez Samira"
    image.save(out, "JPEG", **({"exif": tags} if exif else {}))
    return out.getvalue()


def filled(**more: Any) -> dict[str, Any]:
    return {
        "insurer": "Assurances du Nord",
        "starts_on": "2027-03-01",
        "ends_on": "2028-02-29",
        **more,
    }


def content_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


# -- The tenant --------------------------------------------------------------------------------


def test_from_not_received_to_sent(signed_in: Client, tenant: Member) -> None:
    assert "Nous n’avons pas reçu votre attestation." in signed_in.get(HOME).text
    form = signed_in.get(SEND).text
    assert 'capture="environment"' in form
    upload = SimpleUploadedFile("IMG_1234.jpg", photo(exif=True))
    answer = signed_in.post(SEND, filled(photo=upload), follow=True)
    assert "C’est envoyé" in answer.text
    assert "Assurances du Nord" in answer.text
    one = Certificate.objects.get()
    assert (one.household, one.status) == (tenant.household, CertificateStatus.RECEIVED)
    assert "à vérifier" in signed_in.get(HOME).text
    answer = signed_in.get(f"{HOME}{one.pk}/fichier/")
    kept = content_of(answer)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"chez Samira" not in kept
    assert dict(Image.open(BytesIO(kept)).getexif()) == {}


def test_no_page_of_it_leads_to_the_insurance_partner(
    signed_in: Client, tenant: Member, now: datetime
) -> None:
    broker = PartnerFactory(
        landlord=tenant.household.landlord, kind=PartnerKind.INTERMEDIARY, name="Assur’Nord"
    )
    one = sent(tenant, now)
    for address in (HOME, SEND, f"{HOME}{one.pk}/envoyee/"):
        main = signed_in.get(address).text.split("<main")[1].split("</main>")[0]
        assert "/avantages/" not in main
        assert broker.name not in main


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"%PDF-1.4 " + b"0" * (60 * 1024 * 1024), "a.pdf", "60,0\u00a0Mio"),
        (b"%PDF-1.4 << /S /JavaScript /JS (app.alert(1)) >>", "a.pdf", "contient un programme"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "IMG.HEIC", "au format HEIC"),
        (b"bonjour", "attestation.jpg", "Envoyez un PDF ou une photo"),
        (b"\xff\xd8\xff\xe0 not a picture", "a.jpg", "pas une photo lisible"),
        (b"", "a.pdf", "Ce fichier est vide."),
    ],
    ids=["60 MB", "script", "HEIC", "text", "broken photo", "empty"],
)
def test_what_is_no_certificate_is_refused_beside_its_field(
    signed_in: Client, content: bytes, name: str, said: str
) -> None:
    answer = signed_in.post(SEND, filled(file=SimpleUploadedFile(name, content)))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["file"]
    assert said in answer.text
    assert 'value="Assurances du Nord"' in answer.text
    assert 'value="2028-02-29"' in answer.text
    assert answer.text.split("<title>")[1].startswith("Erreur")
    assert not Certificate.objects.exists()


def test_a_file_is_needed_and_one_is_enough(signed_in: Client) -> None:
    assert "facultatif" not in signed_in.get(SEND).text
    answer = signed_in.post(SEND, filled(insurer=""))
    assert list(answer.context["form"].errors) == ["insurer", "photo"]
    assert "Ajoutez une photo ou un fichier." in answer.text
    both = filled(photo=SimpleUploadedFile("a.jpg", photo()), file=SimpleUploadedFile("b.pdf", PDF))
    assert "pas les deux" in signed_in.post(SEND, both).text
    assert not Certificate.objects.exists()


def test_dates_that_cannot_be_are_told_at_their_field(signed_in: Client) -> None:
    upload = SimpleUploadedFile("a.pdf", PDF)
    answer = signed_in.post(SEND, filled(file=upload, ends_on="2027-03-08"))
    assert list(answer.context["form"].errors) == ["ends_on", "file"]
    assert "Choisissez-le de nouveau" in answer.text
    upload = SimpleUploadedFile("a.pdf", PDF)
    answer = signed_in.post(SEND, filled(file=upload, ends_on="31 février"))
    assert "Écrivez le jour, le mois et l’année" in answer.text
    assert list(answer.context["form"].errors) == ["ends_on", "file"]
    answer = signed_in.post(SEND, filled(ends_on="31 février"))
    assert "Choisissez-le de nouveau" not in answer.text


def test_who_is_no_tenant_is_told_where_to_say_so(client: Client, member: Member) -> None:
    client.force_login(member.user)
    page = client.get(HOME).text
    assert "Votre location n’est pas encore vérifiée." in page
    assert SEND not in page
    assert client.post(SEND, filled()).status_code == 302
    assert not Certificate.objects.exists()


# -- Everybody else ----------------------------------------------------------------------------


@pytest.fixture
def one(tenant: Member, now: datetime) -> Certificate:
    return sent(tenant, now)


def test_the_household_reads_it_and_no_other(
    client: Client, tenant: Member, place: Place, one: Certificate
) -> None:
    adult = MemberFactory(place=place, household=tenant.household)
    stranger = checked(MemberFactory(place=place))
    for member, status in ((tenant, 200), (adult, 200), (stranger, 404)):
        client.force_login(member.user)
        assert client.get(f"{HOME}{one.pk}/envoyee/").status_code == status
        file = client.get(f"{HOME}{one.pk}/fichier/")
        assert file.status_code == status
        if file.streaming:
            assert content_of(file) == PDF
        assert ("Assurances du Nord" in client.get(HOME).text) == (status == 200)


def test_visitors_and_partners_read_nothing(client: Client, place: Place, one: Certificate) -> None:
    addresses = [HOME, SEND, f"{HOME}{one.pk}/envoyee/", f"{HOME}{one.pk}/fichier/"]
    admin = [
        reverse("certificate-file", args=[one.pk]),
        reverse("certificates"),
        reverse("certificates-ask"),
        reverse("certificate:inspect", args=[one.pk]),
    ]
    for address in addresses + admin:
        assert client.get(address).status_code == 302
    for kind in PartnerKind.values:
        client.force_login(PersonFactory(partner__landlord=place.landlord, partner__kind=kind).user)
        for address in addresses:
            assert client.get(address).status_code == 403
        for address in admin:
            assert client.get(address).status_code == 403


@pytest.fixture
def elsewhere(place: Place) -> dict[str, Place]:
    other = LandlordFactory(slug="autre", name="Autre", hostname="autre.example")
    return {
        "place": PlaceFactory(landlord=place.landlord),
        "landlord": PlaceFactory(landlord=other),
    }


@pytest.mark.parametrize(
    ("role", "where", "reads_list", "reads_file"),
    [
        (Role.OFFICER, "here", True, True),
        (Role.CONCIERGE, "here", True, False),
        (Role.CONCIERGE, "place", False, False),
        (Role.OFFICER, "landlord", False, False),
    ],
)
def test_the_team_reads_what_is_of_its_places(
    client: Client,
    place: Place,
    elsewhere: dict[str, Place],
    one: Certificate,
    role: str,
    where: str,
    reads_list: bool,
    reads_file: bool,
) -> None:
    sign_in_staff(client, staff({"here": place, **elsewhere}[where], role))
    listed = client.get(reverse("certificates"))
    assert ("foyer Benali" in listed.text) == reads_list
    spread = client.get(reverse("certificates"), {"fichier": "csv"})
    assert ("foyer Benali" in spread.content.decode()) == reads_list
    file = client.get(reverse("certificate-file", args=[one.pk]))
    assert file.status_code == (200 if reads_file else 404)
    if reads_file:
        assert content_of(file) == PDF
    inspected = client.get(reverse("certificate:inspect", args=[one.pk]))
    assert inspected.status_code == (200 if reads_list else 404)
    step = client.post(reverse("certificate:step", args=[one.pk, "accepter"]))
    one.refresh_from_db()
    accepted = one.status == CertificateStatus.ACCEPTED
    assert accepted == reads_file
    assert step.status_code == (302 if reads_file or role == Role.CONCIERGE else 404)


def test_an_editor_reads_none(client: Client, place: Place, one: Certificate) -> None:
    sign_in_staff(client, staff(place, Role.EDITOR))
    for name in ("certificates", "certificates-ask"):
        assert client.get(reverse(name)).status_code in {302, 403}
    assert client.get(reverse("certificate-file", args=[one.pk])).status_code == 404


# -- At the desk -------------------------------------------------------------------------------


def test_a_concierge_notes_the_paper_of_somebody_without_a_phone(
    client: Client, place: Place, tenant: Member
) -> None:
    tenant.user.email = ""
    tenant.user.save()
    card = CardFactory(member=tenant).number
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    page = client.get(reverse("certificates")).text
    assert "attestation non reçue" in page
    assert "non assuré" not in page
    add = f"{reverse('certificate:add')}?card={card}"
    assert add in page
    assert f'value="{card}"' in client.get(add).text
    answer = client.post(reverse("certificate:add"), filled(card=card))
    assert answer.status_code == 302
    one = Certificate.objects.get()
    assert (one.household, one.status) == (tenant.household, CertificateStatus.ACCEPTED)
    assert LogEntry.objects.filter(subject_kind="certificate", channel="desk").count() == 2


def test_a_copy_that_staff_take_waits_to_be_read(
    client: Client, place: Place, tenant: Member
) -> None:
    card = CardFactory(member=tenant).number
    sign_in_staff(client, staff(place, Role.OFFICER))
    data = filled(card=card, file=SimpleUploadedFile("a.pdf", PDF))
    assert client.post(reverse("certificate:add"), data).status_code == 302
    assert Certificate.objects.get().status == CertificateStatus.RECEIVED
    assert line_of(tenant.household, date(2027, 3, 9)).standing == Standing.TO_CHECK


def test_a_card_of_another_place_is_not_known_here(
    client: Client, elsewhere: dict[str, Place], tenant: Member
) -> None:
    card = CardFactory(member=tenant).number
    sign_in_staff(client, staff(elsewhere["landlord"], Role.OFFICER))
    answer = client.post(reverse("certificate:add"), filled(card=card))
    assert "Aucune carte active ne porte ce numéro ici." in answer.text
    assert not Certificate.objects.exists()


def test_a_refusal_of_the_verb_is_told_in_the_admin(
    client: Client, place: Place, member: Member
) -> None:
    card = CardFactory(member=member).number
    sign_in_staff(client, staff(place, Role.OFFICER))
    answer = client.post(reverse("certificate:add"), filled(card=card))
    assert "La location de ce foyer n’est pas vérifiée." in answer.text


def test_what_came_in_is_not_rewritten(client: Client, place: Place, one: Certificate) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    edit = reverse("certificate:edit", args=[one.pk])
    page = client.get(edit).text
    assert reverse("certificate-file", args=[one.pk]) in page
    client.post(edit, filled(ends_on="2028-03-31"))
    one.refresh_from_db()
    assert one.ends_on == date(2028, 2, 29)
    step = reverse("certificate:step", args=[one.pk, "refuser"])
    client.post(step, {"refused_for": "unreadable"})
    one.refresh_from_db()
    assert (one.status, one.refused_for) == (CertificateStatus.REFUSED, "unreadable")


# -- The list ----------------------------------------------------------------------------------


def test_the_list_is_narrowed_and_taken_along(client: Client, place: Place, now: datetime) -> None:
    from club.models import Dwelling, Residence

    residence = Residence.objects.create(landlord=place.landlord, code="R1", name="=Les Aulnes")
    for name, status in (("Vert", CertificateStatus.ACCEPTED), ("Roux", None)):
        member = checked(MemberFactory(place=place, user__last_name=name))
        if status:
            CertificateFactory(member=member, status=status)
        else:
            home = Dwelling.objects.create(residence=residence, code="L1")
            member.household.dwelling = home
            member.household.save()
    MemberFactory(place=place, user__last_name="Passant")
    sign_in_staff(client, staff(place, Role.OFFICER))

    def shown(**asked: Any) -> set[str]:
        page = client.get(reverse("certificates"), asked).content.decode()
        return {name for name in ("Vert", "Roux", "Passant") if f"foyer {name}" in page}

    assert shown() == {"Vert", "Roux"}
    assert shown(etat="missing") == {"Roux"}
    assert shown(etat="valid") == {"Vert"}
    assert shown(etat="expired") == set()
    assert shown(residence=residence.pk) == {"Roux"}
    assert shown(etat="missing", fichier="csv") == {"Roux"}
    rows = client.get(reverse("certificates"), {"fichier": "csv"}).content.decode().splitlines()
    assert rows[0].endswith("Résidence;Logement;Foyer;État;Valable du;Jusqu’au;Reçue le")
    assert "'=Les Aulnes;L1;foyer Roux;attestation non reçue;;;" in rows
    assert ";;foyer Vert;reçue et valable;01/01/2027;31/12/2027;09/03/2027" in rows


def test_the_list_costs_the_same(
    client: Client, place: Place, django_assert_max_num_queries: Any
) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    address = reverse("certificates")
    CertificateFactory(member=checked(MemberFactory(place=place)))
    client.get(address)
    with django_assert_max_num_queries(100) as one:
        client.get(address)
    for _time in range(3):
        CertificateFactory(member=checked(MemberFactory(place=place, user=UserFactory())))
    with django_assert_max_num_queries(len(one)):
        assert client.get(address).status_code == 200
