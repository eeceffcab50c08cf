"""Uploads are served by the program itself in the demonstration, which runs without DEBUG."""

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client

pytestmark = pytest.mark.django_db


def test_an_upload_is_served_without_debug(client: Client) -> None:
    name = default_storage.save("images/tiny.txt", ContentFile(b"a picture"))
    assert not settings.DEBUG
    answer = client.get(default_storage.url(name))
    assert answer.status_code == 200
    assert b"".join(answer) == b"a picture"
    default_storage.delete(name)


def test_nothing_outside_the_uploads_is_served(client: Client) -> None:
    assert client.get("/media/../secret-key").status_code == 400
    assert client.get("/media/").status_code == 404
