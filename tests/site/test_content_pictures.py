"""A photo is limited in bytes and pixels, drawn anew, and loses what came along with it."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from club.enums import Role
from club.models import Place
from cms.permissions import collection_of
from cms.setup import build_site
from content.models import Picture
from content.pictures import reencoded
from tests.factories.cms import staff
from tests.signin import sign_in_staff

GPS = 0x8825
ORIENTATION = 0x0112


def photo(size: tuple[int, int] = (80, 40), kind: str = "JPEG", mode: str = "RGB") -> bytes:
    image = Image.new(mode, size, "red")
    exif = image.getexif()
    exif[ORIENTATION] = 6
    exif[0x010F] = "Appareil de Samira"
    exif.get_ifd(GPS)[1] = "N"
    out = BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


def test_metadata_goes_and_the_photo_stands_upright(db: None) -> None:
    picture = Picture.objects.create(title="Gaufrier", file=ContentFile(photo(), name="a.jpg"))
    with Image.open(picture.file.path) as stored:
        assert stored.size == (picture.width, picture.height) == (40, 80)
        assert not stored.getexif()
    assert b"Samira" not in Path(picture.file.path).read_bytes()
    assert picture.file_size == Path(picture.file.path).stat().st_size


def test_what_follows_the_pixels_is_not_kept(db: None) -> None:
    data = photo() + b"<script>alert(1)</script>"
    picture = Picture.objects.create(title="Suite", file=ContentFile(data, name="a.jpg"))
    assert b"<script>" not in Path(picture.file.path).read_bytes()


def test_a_large_photo_is_made_smaller_and_a_see_through_one_stays_so(db: None) -> None:
    large = Picture.objects.create(
        title="Grande", file=ContentFile(photo((4000, 3000)), name="g.jpg")
    )
    assert max(large.width, large.height) == 2560
    clear = Picture.objects.create(
        title="Logo", file=ContentFile(photo(kind="PNG", mode="RGBA"), name="l.png")
    )
    assert clear.file.name.endswith(".png")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xd8" + b"\0" * 40 * 1024 * 1024, "too_heavy"),
        (b"not a picture", "unreadable"),
        (photo()[:300], "unreadable"),
        (b"", "unreadable"),
        (photo(kind="GIF", mode="P"), "unreadable"),
    ],
    ids=["forty-megabytes", "text", "cut", "empty", "gif"],
)
def test_what_is_no_fit_photo_is_refused_with_a_sentence(data: bytes, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        reencoded(ContentFile(data, name="n.jpg"))
    assert refused.value.code == code
    assert refused.value.messages[0].endswith(".")


def test_a_small_file_of_many_pixels_is_refused_before_it_is_unfolded(
    db: None, settings: Any
) -> None:
    settings.WAGTAILIMAGES_MAX_IMAGE_PIXELS = 1000
    with pytest.raises(ValidationError) as refused:
        Picture.objects.create(title="Non", file=ContentFile(photo(), name="n.jpg"))
    assert refused.value.code == "too_many_pixels"


def test_the_admin_refuses_with_the_form_open(client: Client, place: Place) -> None:
    build_site(place)
    sign_in_staff(client, staff(place, Role.EDITOR))
    heavy = SimpleUploadedFile("lourde.jpg", photo() + b"\0" * 9 * 1024 * 1024, "image/jpeg")
    cut = SimpleUploadedFile("coupee.jpg", photo()[:400], "image/jpeg")
    for upload in (heavy, cut):
        answer = client.post(
            reverse("wagtailimages:add"),
            {"title": "Non", "file": upload, "collection": collection_of(place).pk},
        )
        assert answer.status_code == 200
        assert answer.context["form"].errors["file"]
    assert not Picture.objects.exists()
    good = SimpleUploadedFile("bonne.jpg", photo(), "image/jpeg")
    answer = client.post(
        reverse("wagtailimages:add"),
        {"title": "Oui", "file": good, "collection": collection_of(place).pk},
    )
    assert answer.status_code == 302
    with Image.open(Picture.objects.get().file.path) as stored:
        assert not stored.getexif()
