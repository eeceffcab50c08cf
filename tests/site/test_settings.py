"""A start with a wrong setting ends at once, with a sentence that names the setting."""

import os
import subprocess
import sys
from datetime import date, time
from pathlib import Path

import pytest
from django import forms
from django.utils import translation
from wagtail.admin.checks import datetime_format_check
from wagtail.admin.widgets import AdminDateInput, AdminDateTimeInput, AdminTimeInput

from club.kernel.spans import at

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "MODE": "production",
    "SECRET_KEY": "k3-Rt_x9" * 10,
    "TENANCY_KEY": "t" * 50,
    "BASE_URL": "https://club.example.org",
    "ALLOWED_HOSTS": "club.example.org",
    "EMAIL_URL": "smtp+tls://user:password@smtp.example.org:587",
    "DATABASE_URL": "postgres://user:password@db.example.org:5432/name",
    "REDIS_URL": "redis://cache.example.org:6379/0",
    "SMS_SENDER": "",
}


def run(tmp_path: Path, *command: str, **settings: str | None) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    given = {name: value for name, value in settings.items() if value is not None}
    return subprocess.run(
        [sys.executable, *command],
        env={**kept, "VAR_DIR": str(tmp_path), **given},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def started(tmp_path: Path, **settings: str | None) -> subprocess.CompletedProcess[str]:
    return run(tmp_path, "-c", "import config.settings", **settings)


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("django.core.exceptions.ImproperlyConfigured: ")
    return last.partition(": ")[2]


def test_development_needs_no_setting(tmp_path: Path) -> None:
    assert started(tmp_path).returncode == 0


def test_production_starts_with_its_settings(tmp_path: Path) -> None:
    done = started(tmp_path, **PRODUCTION)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "TENANCY_KEY", "BASE_URL", "ALLOWED_HOSTS", "EMAIL_URL"]
)
def test_production_names_what_is_missing(tmp_path: Path, name: str) -> None:
    for value in (None, ""):
        found = sentence(started(tmp_path, **{**PRODUCTION, name: value}))
        assert found.startswith(f"{name} is missing: ")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MODE", "live", "MODE must be development, demo or production, not 'live'."),
        ("SECRET_KEY", "short", "SECRET_KEY must have at least 50 characters."),
        ("BASE_URL", "club.example.org", "BASE_URL must start with http:// or https://."),
        (
            "DATABASE_URL",
            "nonsense",
            "DATABASE_URL must look like sqlite:///path or"
            " postgres://user:password@host:5432/name.",
        ),
        (
            "DATABASE_URL",
            "postgres://user:password@host:port/name",
            "DATABASE_URL must look like"
            " sqlite:///path or postgres://user:password@host:5432/name.",
        ),
        (
            "DATABASE_URL",
            "mysql://user:password@host/name",
            "DATABASE_URL must name an SQLite or a PostgreSQL database.",
        ),
        ("REDIS_URL", "cache:6379", "REDIS_URL must start with redis://, rediss:// or unix://."),
        ("WORKERS", "two", "WORKERS must be a whole number, not 'two'."),
        ("WORKERS", "0", "WORKERS must be at least 1, not 0."),
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES must be at least 0, not -1."),
        *(
            (
                "COMPANY_REGISTER_URL",
                value,
                "COMPANY_REGISTER_URL must look like https://register.example.org.",
            )
            for value in ("register.example.org", "ftp://register.example.org", "https://")
        ),
        (
            "EMAIL_URL",
            "carrier-pigeon://roof",
            "EMAIL_URL must look like smtp+tls://user:password@smtp.example.org:587.",
        ),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, name: str, value: str, expected: str) -> None:
    assert sentence(started(tmp_path, **{**PRODUCTION, name: value})) == expected


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = sentence(started(tmp_path / "file" / "var"))
    assert found.startswith("VAR_DIR cannot be written: ")


def test_no_secret_is_in_a_sentence(tmp_path: Path) -> None:
    done = started(tmp_path, **{**PRODUCTION, "DATABASE_URL": "postgres://u:hush@host:port/name"})
    assert "hush" not in done.stderr.strip().splitlines()[-1]


def test_check_deploy_finds_nothing_in_production(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        "manage.py",
        "check",
        "--deploy",
        "--fail-level",
        "INFO",
        **{**PRODUCTION, "DATABASE_URL": f"sqlite:///{tmp_path / 'check.sqlite3'}"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("System check identified no issues")


def test_the_key_of_a_machine_is_made_once_and_is_private(tmp_path: Path) -> None:
    show = ("-c", "from config.settings import SECRET_KEY; print(SECRET_KEY)")
    first, second = run(tmp_path, *show), run(tmp_path, *show)
    assert first.stdout == second.stdout
    assert len(first.stdout.strip()) > 50
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


def test_site_is_no_package() -> None:
    """`site` is a module of the standard library: a package of that name breaks Python."""
    assert not (ROOT / "site" / "__init__.py").exists()


# -- Days and hours as staff type them -----------------------------------------------------------


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_day_is_read_as_it_is_shown_in_each_language(language: str) -> None:
    day, hour, moment = forms.DateField(), forms.TimeField(), forms.DateTimeField()
    at_ten = at(date(2027, 4, 3), time(10))
    with translation.override(language):
        for typed in ("03/04/2027", "3/4/2027", "03/04/27", "2027-04-03"):
            assert day.clean(typed) == date(2027, 4, 3), typed
        for typed in ("03/04/2027 10:00", "2027-04-03 10:00"):
            assert moment.clean(typed) == at_ten, typed
        for typed in ("10:00", "10h", "10 h", "10h00", "10\u00a0h\u00a000"):
            assert hour.clean(typed) == time(10), typed
        for field in (day, hour, moment):
            with pytest.raises(forms.ValidationError):
                field.clean("n’importe quoi")
        assert AdminDateInput().format_value(date(2027, 4, 3)) == "03/04/2027"
        shown = AdminDateTimeInput().format_value(moment.prepare_value(at_ten))
        assert shown == "03/04/2027 10:00"
        assert AdminTimeInput().format_value(time(10)) == "10:00"


def test_wagtail_finds_its_formats_among_those_that_are_read() -> None:
    assert AdminDateInput().js_format == "d/m/Y"
    assert datetime_format_check(None) == []
