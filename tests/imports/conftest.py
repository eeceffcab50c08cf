from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command


@pytest.fixture(autouse=True)
def reports_of_its_own(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path / "var"
    return tmp_path / "var" / "imports"


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def make(content: str | bytes, name: str = "file.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


@pytest.fixture
def run() -> Callable[..., str]:
    """Run a command and return all that it said."""

    def call(name: str, *args: Any, **options: Any) -> str:
        heard = StringIO()
        call_command(name, *map(str, args), stdout=heard, stderr=heard, **options)
        return heard.getvalue()

    return call
