"""Shops from a file: drafts, with what is wrong told and the repeated ones proposed."""

from datetime import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from club.imports.report import Report
from club.models import Landlord
from marketplace.enums import PartnerKind, PartnerStatus, Shop
from marketplace.imports.partners import import_partners
from marketplace.models import Partner
from tests.factories.club import NOW, LandlordFactory
from tests.factories.marketplace import siret_of

pytestmark = pytest.mark.django_db

HEADERS = "id;nom_du_commerce;type_de_commerce;adresse;code_postal;telephone;mail;site_internet"


@pytest.fixture
def landlord() -> Landlord:
    return LandlordFactory()


def load(landlord: Landlord, tmp_path: Path, *rows: str, **more: Any) -> Report:
    path = tmp_path / "commerces.csv"
    headers = more.pop("headers", HEADERS)
    path.write_text("\n".join([headers, *rows]), encoding=more.pop("encoding", "utf-8-sig"))
    return import_partners(path, landlord=landlord, now=NOW, **more)


def words_of(report: Report) -> list[str]:
    return [line.words for line in report.lines]


def test_a_bakery_comes_in_as_a_draft(landlord: Landlord, tmp_path: Path) -> None:
    row = "7;AU BON PAIN;Boulangerie - pâtisserie;12 RUE DES ANNELETS;80000;322000000;;aubonpain.fr"
    report = load(landlord, tmp_path, row)
    partner = Partner.objects.get()
    assert (partner.name, partner.shop, partner.status, partner.kind) == (
        "Au Bon Pain", Shop.BAKERY, PartnerStatus.DRAFT, PartnerKind.MERCHANT,
    )  # fmt: skip
    assert (partner.phone, partner.website) == ("+33322000000", "https://aubonpain.fr")
    assert words_of(report) == [""]


def test_the_same_file_again_changes_nothing(landlord: Landlord, tmp_path: Path) -> None:
    row = "7;Au bon pain;Boulangerie;12 rue des Annelets;80000;0322000000;;"
    load(landlord, tmp_path, row)
    Partner.objects.update(description="Écrit par le bailleur")
    report = load(landlord, tmp_path, row)
    assert report.counts["unchanged"] == 1
    assert Partner.objects.get().description == "Écrit par le bailleur"


def test_a_repeated_shop_is_proposed_and_not_made(landlord: Landlord, tmp_path: Path) -> None:
    report = load(
        landlord,
        tmp_path,
        "1;Le Verger de Picpus;Primeur;60 boulevard de Picpus;75012;0199000001;;",
        "2;LE VERGER DE PICPUS;Primeur;60, Boulevard de Picpus;75012;;;",
        "3;Le Verger de Picpus;Primeur;2 rue Haute;80000;0199000002;;",
    )
    assert report.counts["skipped"] == 1
    assert "doublon probable de « Le Verger de Picpus »" in words_of(report)[1]
    assert Partner.objects.count() == 2


@pytest.mark.parametrize(
    ("cells", "words", "kept"),
    [
        (";pas-un-mail;", "e-mail « pas-un-mail » illisible", ("", "")),
        (";;https://contact@exemple.fr", "e-mail trouvé", ("contact@exemple.fr", "")),
        (";a@exemple.fr,b@exemple.fr;", "le premier est gardé", ("a@exemple.fr", "")),
        ("0199000001;;https://Http://ex.fr/a", "", ("", "https://ex.fr/a")),
        (";;", "ni téléphone ni e-mail", ("", "")),
        ("12;;", "téléphone « 12 » illisible", ("", "")),
    ],
)
def test_bad_contacts_are_told(
    landlord: Landlord, tmp_path: Path, cells: str, words: str, kept: tuple[str, str]
) -> None:
    report = load(landlord, tmp_path, f"1;Chez Ali;Épicerie fine;1 rue Basse;80000;{cells}")
    partner = Partner.objects.get()
    assert words in words_of(report)[0]
    assert (partner.email, partner.website) == kept


def test_hours_and_siret_as_directories_write_them(landlord: Landlord, tmp_path: Path) -> None:
    number = siret_of(10_000_005)
    load(
        landlord,
        tmp_path,
        f'Pain,boulangerie,"00000000000001|{number}","Tu-We 07:00-13:00,15:00-19:30; Su off"',
        'Sel,épicerie,,"Apr-Oct: Mo 09:00-12:00"',
        headers="nom,commerce,siret,opening_hours",
    )
    bread, salt = Partner.objects.order_by("name")
    assert bread.siret == number
    assert list(bread.hours.values_list("weekday", "opens", "closes"))[:2] == [
        (1, time(7), time(13)),
        (1, time(15), time(19, 30)),
    ]
    assert (salt.hours.count(), salt.hours_note) == (0, "Apr-Oct: Mo 09:00-12:00")


def test_accents_broken_by_a_spreadsheet_are_read(landlord: Landlord, tmp_path: Path) -> None:
    row = "1;Crèmerie Élodie;Fromagerie;3 allée Pâquerette;80000;0322000000;;"
    load(landlord, tmp_path, row, encoding="cp1252")
    assert Partner.objects.get().name == "Crèmerie Élodie"


def test_a_dry_run_writes_nothing(landlord: Landlord, tmp_path: Path) -> None:
    row = "1;Chez Ali;Épicerie;1 rue Basse;80000;0322000000;;"
    report = load(landlord, tmp_path, row, dry_run=True)
    assert (report.counts["created"], Partner.objects.count()) == (1, 0)


def test_the_command(landlord: Landlord, tmp_path: Path, settings: Any, capsys: Any) -> None:
    settings.VAR_DIR = tmp_path
    path = tmp_path / "c.csv"
    path.write_text(f"{HEADERS}\n1;Chez Ali;Épicerie;1 rue Basse;80000;0322000000;;\n")
    call_command("import_partners", str(path), "--landlord", landlord.slug)
    assert Partner.objects.count() == 1
    assert "1 lignes" in capsys.readouterr().out
