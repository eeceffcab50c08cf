"""Photos of a request: drawn anew, for those who were asked, and a sentence for the rest."""

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from club.models import Member, Place
from marketplace.domain import asks, visits
from marketplace.enums import Trade
from marketplace.models import Partner, VisitPhoto, VisitRequest
from marketplace.queries.visits import artisans_for
from tests.factories.club import MemberFactory
from tests.factories.marketplace import ArtisanFactory, PersonFactory, insured
from tests.marketplace.test_visit_pages import NEW, SAID, as_artisan, page_of, their_page


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime, settings: Any, tmp_path: Path) -> Iterator[None]:
    private = settings.STORAGES["private"] | {"OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = settings.STORAGES | {"private": private}
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def artisans(place: Place, now: datetime) -> list[Partner]:
    for _ in range(2):
        partner = ArtisanFactory(landlord=place.landlord)
        insured(partner, Trade.PLUMBING)
        PersonFactory(partner=partner)
    return list(artisans_for(place.landlord, place, Trade.PLUMBING, now.date()))


def taken(name: str = "fuite.jpg", form: str = "JPEG") -> SimpleUploadedFile:
    """As a phone takes it, with where it was taken."""
    out = BytesIO()
    image = Image.new("RGB", (60, 40), "navy")
    exif = image.getexif()
    exif[0x010E] = "3 allee des Tilleuls"
    image.save(out, form, exif=exif)
    return SimpleUploadedFile(name, out.getvalue())


@pytest.fixture
def send(client: Client, member: Member, artisans: list[Partner]) -> Any:
    client.force_login(member.user)

    def sent(*files: Any, **more: Any) -> Any:
        said = SAID | {"artisans": [artisans[0].public_id]} | more
        return client.post(NEW, said | {"photos": list(files)})

    return sent


def test_photos_are_drawn_anew_and_kept_apart(send: Any) -> None:
    assert send(taken(), taken("b.png", "PNG"), taken("c.webp", "WEBP")).status_code == 302
    photos = list(VisitPhoto.objects.order_by("pk"))
    assert len(photos) == 3
    for photo in photos:
        content = Path(photo.file.path).read_bytes()
        assert content.startswith(b"\xff\xd8\xff")
        assert b"Tilleuls" not in content
        assert "media" not in Path(photo.file.path).parts


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([SimpleUploadedFile("notes.jpg", b"du texte")], "n’est pas une photo lisible"),
        (
            [SimpleUploadedFile("IMG_1.HEIC", b"\x00\x00\x00\x18ftypheic" + b"\x00" * 64)],
            "n’est pas une photo lisible",
        ),
        ([SimpleUploadedFile("vide.jpg", b"")], "Un de ces fichiers est vide."),
        ([SimpleUploadedFile("longue.jpg", b"\xff" * (40 << 20))], "Choisissez-en une de 10,0"),
        ([taken() for _ in range(4)], "Envoyez trois photos au plus."),
    ],
    ids=["text", "heic", "empty", "forty", "four"],
)
def test_what_is_no_photo_is_said_beside_the_field(
    send: Any, files: list[Any], sentence: str
) -> None:
    page = send(*files)
    assert page.status_code == 422
    assert any(sentence in str(error) for error in page.context["form"].errors["photos"])
    assert SAID["what"] in page.text
    assert 'value="2027-03-10.morning" checked' in page.text
    assert not VisitRequest.objects.exists()


def test_a_photo_of_nine_megabytes_is_taken(send: Any) -> None:
    photo = taken().read() + b"\x00" * (9 << 20)
    assert send(SimpleUploadedFile("fuite.jpg", photo)).status_code == 302


def test_photos_are_to_be_sent_again_when_another_field_is_wrong(send: Any) -> None:
    page = send(taken(), phone="12")
    assert page.status_code == 422
    page = send(taken(), what="")
    assert "Choisissez de nouveau vos photos" in page.text


def test_only_the_member_and_those_asked_see_them(
    send: Any, client: Client, member: Member, place: Place, artisans: list[Partner], now: datetime
) -> None:
    send(taken())
    visit = VisitRequest.objects.get()
    own, theirs = f"{page_of(visit)}photo/1/", f"{their_page(visit)}photo/1/"
    assert own in client.get(page_of(visit)).text
    for found in (client.get(own), as_artisan(artisans[0]).get(theirs)):
        assert found.status_code == 200
        assert found["Content-Type"] == "image/jpeg"
        assert found["X-Content-Type-Options"] == "nosniff"
        assert b"".join(found.streaming_content).startswith(b"\xff\xd8\xff")  # type: ignore[attr-defined]
    assert client.get(f"{page_of(visit)}photo/2/").status_code == 404
    assert as_artisan(artisans[1]).get(theirs).status_code == 404
    client.force_login(MemberFactory(place=place).user)
    assert client.get(own).status_code == 404
    ask = visit.asks.get(rank=1)
    asks.decline(ask, by=ask.partner.people.get().user, now=now)
    assert as_artisan(artisans[0]).get(theirs).status_code == 404


def test_who_was_too_late_sees_them_no_more(
    send: Any, member: Member, artisans: list[Partner], now: datetime
) -> None:
    send(taken(), artisans=[one.public_id for one in artisans])
    visit = VisitRequest.objects.get()
    theirs = f"{their_page(visit)}photo/1/"
    visits.cancel(visit, by=member.user, now=now)
    for partner in artisans:
        assert as_artisan(partner).get(theirs).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_photo_goes_with_its_request(send: Any) -> None:
    send(taken())
    path = Path(VisitPhoto.objects.get().file.path)
    assert path.exists()
    VisitRequest.objects.get().delete()
    assert not path.exists()
