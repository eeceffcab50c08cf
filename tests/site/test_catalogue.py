"""The English catalogue: each sentence has its English, and the compiled file is in step."""

import re
from pathlib import Path

import polib
import pytest
from django.utils import translation

FOLDER = Path(__file__).resolve().parent.parent.parent / "locale" / "en" / "LC_MESSAGES"
PLACEHOLDER = re.compile(r"%\([a-z_]+\)[.\d]*[sdf]|\{[a-z_]*\}|%[sd]")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(FOLDER / "django.po"))


def test_nothing_is_left_in_french_or_unsure(catalogue: polib.POFile) -> None:
    assert [entry.msgid for entry in catalogue if not entry.translated() or entry.fuzzy] == []


def test_each_translation_keeps_its_placeholders(catalogue: polib.POFile) -> None:
    def slots(text: str) -> set[str]:
        return set(PLACEHOLDER.findall(text))

    wrong = [
        entry.msgid
        for entry in catalogue
        for text in ([entry.msgstr] if not entry.msgid_plural else entry.msgstr_plural.values())
        if slots(text) - slots(entry.msgid) - slots(entry.msgid_plural)
        or (not entry.msgid_plural and slots(entry.msgid) - slots(text))
    ]
    assert wrong == []


def test_the_compiled_catalogue_is_in_step(catalogue: polib.POFile) -> None:
    compiled = {e.msgid: e.msgstr or e.msgstr_plural for e in polib.mofile(FOLDER / "django.mo")}
    assert compiled == {e.msgid: e.msgstr or e.msgstr_plural for e in catalogue}


def test_english_is_spoken_where_it_is_asked_for() -> None:
    with translation.override("en"):
        assert translation.gettext("Mes réservations") == "My reservations"
    with translation.override("fr"):
        assert translation.gettext("Mes réservations") == "Mes réservations"
