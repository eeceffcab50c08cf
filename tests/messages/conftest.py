from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation


@pytest.fixture(autouse=True)
def in_french() -> Iterator[None]:
    with translation.override("fr"):
        yield


@pytest.fixture(autouse=True)
def sms_in_files(settings: Any, tmp_path: Any) -> None:
    settings.VAR_DIR = tmp_path
    settings.SMS_SENDER = "club.sms.ConsoleSender"
