"""The proof of tenancy: keyed digests, one yes or no, and files of every kind."""

from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from club.domain.tenancy import check_tenancy, confirm_on_paper, replace_digests, tenancy_digest
from club.enums import TenancyMethod, TenancyResult
from club.models import Landlord, LogEntry, Member, Place, TenancyCheck, TenancyDigest
from club.queries.members import proof_of_tenancy
from tests.factories.club import LandlordFactory

HEADER = "Référence du bail;Nom;Date de naissance\n"
GOOD = HEADER + "B-2019/0042;N’Diaye-Lœuil;31/12/1980\nB-7;Amrani;1990-02-01\n"
PAGE = "/mon-compte/locataire/"


def load(tmp_path: Path, content: str | bytes, *options: str) -> str:
    file = tmp_path / "baux.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    out = StringIO()
    call_command(
        "load_tenancies",
        str(file),
        "--landlord",
        "trois-rivieres",
        *options,
        stdout=out,
        stderr=out,
    )
    return out.getvalue()


def matches(landlord: Landlord, lease: str, surname: str, born: date) -> bool:
    digest = tenancy_digest(landlord, lease, surname, born)
    return TenancyDigest.objects.filter(landlord=landlord, digest=digest).exists()


def test_a_digest_tells_nothing_and_depends_on_the_key(place: Place, settings: Any) -> None:
    landlord = place.landlord
    digest = tenancy_digest(landlord, "B-7", "Amrani", date(1990, 2, 1))
    assert len(digest) == 64
    assert set(digest) <= set("0123456789abcdef")
    assert digest == tenancy_digest(landlord, "b 7", "ÀMRÂNI", date(1990, 2, 1))
    assert digest != tenancy_digest(landlord, "B-7", "Amrani", date(1990, 2, 2))
    other = LandlordFactory(slug="autre", name="Autre bailleur")
    assert digest != tenancy_digest(other, "B-7", "Amrani", date(1990, 2, 1))
    settings.TENANCY_KEY = "another key"
    assert digest != tenancy_digest(landlord, "B-7", "Amrani", date(1990, 2, 1))


def test_loading_keeps_digests_alone(place: Place, tmp_path: Path) -> None:
    said = load(tmp_path, GOOD)
    assert "Empreintes gardées : 2" in said
    assert "Amrani" not in said
    kept = [*TenancyDigest.objects.values(), *LogEntry.objects.values()]
    for word in ("amrani", "diaye", "1980", "1990", "0042"):
        assert word not in str(kept).lower()
    assert matches(place.landlord, "B-2019/0042", "n diaye loeuil", date(1980, 12, 31))


def test_a_new_file_replaces_the_old_one_of_that_landlord_alone(
    place: Place, tmp_path: Path, now: Any
) -> None:
    other = LandlordFactory(slug="autre", name="Autre bailleur")
    replace_digests(other, ["a" * 64], now=now)
    load(tmp_path, GOOD)
    load(tmp_path, HEADER + "C-1;Petit;01/01/1970\n")
    assert TenancyDigest.objects.filter(landlord=place.landlord).count() == 1
    assert not matches(place.landlord, "B-7", "Amrani", date(1990, 2, 1))
    assert TenancyDigest.objects.filter(landlord=other).count() == 1


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode("utf-8-sig"),
        GOOD.encode("cp1252", errors="replace").replace(b"?", "œ".encode("cp1252")),
        GOOD.encode("utf-16"),
        GOOD.replace(";", ",").encode(),
        GOOD.replace(";", "\t").encode(),
        GOOD.replace("Référence du bail", "  REFERENCE BAIL ").encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("Nom;", "Nom;Étage;")
        .replace("Amrani;", "Amrani;3;")
        .replace("Lœuil;", "Lœuil;;")
        .encode(),
    ],
    ids=["bom", "cp1252", "utf-16", "comma", "tab", "capitals", "crlf", "column in excess"],
)
def test_files_as_offices_write_them(place: Place, tmp_path: Path, content: bytes) -> None:
    load(tmp_path, content)
    assert matches(place.landlord, "B-7", "Amrani", date(1990, 2, 1))
    assert matches(place.landlord, "B-2019/0042", "N’Diaye-Lœuil", date(1980, 12, 31))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Le fichier est vide."),
        (b"  \n\n", "Le fichier est vide."),
        (HEADER.encode(), "Le fichier n’a aucune ligne sous les titres."),
        (
            b"Bail;Nom;Inconnue\nB;A;1\n",
            "Colonne introuvable : date de naissance. Colonnes lues : Bail, Nom, Inconnue.",
        ),
        (HEADER.encode() + b"B-7;\x81mrani;01/02/1990\n", "Les lettres du fichier"),
        (b"PK\x03\x04\x00\x00", "Ce n’est pas un fichier CSV."),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(
    place: Place, tmp_path: Path, content: bytes, why: str
) -> None:
    load(tmp_path, GOOD)
    with pytest.raises(CommandError, match=why):
        load(tmp_path, content)
    assert TenancyDigest.objects.count() == 2


BROKEN = GOOD + "B-8;;01/01/1990\nB-9;Roy;31/02/1990\nB-10;Roy\nB-11;Bon;01/01/1991\n"


def test_one_broken_line_loads_nothing(place: Place, tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(CommandError, match="Rien n’est chargé : 3 mauvaise"):
        load(tmp_path, BROKEN)
    assert not TenancyDigest.objects.exists()


def test_good_lines_load_when_asked_to(place: Place, tmp_path: Path) -> None:
    said = load(tmp_path, BROKEN, "--skip-bad")
    assert "Ligne 4 : nom vide." in said
    assert "Ligne 5 : date de naissance illisible." in said
    assert "Ligne 6 : 2 cases au lieu de 3." in said
    assert "Lignes écartées : 3" in said
    assert TenancyDigest.objects.count() == 3
    assert "Roy" not in said


def test_an_unknown_landlord_or_file_is_said(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Bailleur inconnu"):
        load(tmp_path, GOOD)
    LandlordFactory()
    with pytest.raises(CommandError, match="ne s’ouvre pas"):
        call_command("load_tenancies", str(tmp_path / "absent.csv"), landlord="trois-rivieres")


def test_only_the_answer_its_day_and_its_method_are_kept(
    member: Member, tmp_path: Path, now: Any
) -> None:
    load(tmp_path, GOOD)
    no = check_tenancy(member, "B-7", "Amrani", date(1990, 2, 2), now)
    assert (no.result, proof_of_tenancy(member)) == (TenancyResult.NO, None)
    yes = check_tenancy(member, " b7 ", "AMRANI", date(1990, 2, 1), now)
    assert yes.result == TenancyResult.YES
    assert proof_of_tenancy(member) == yes
    assert {f.name for f in TenancyCheck._meta.fields} == {
        "id",
        "member",
        "result",
        "method",
        "checked_on",
    }
    assert "amrani" not in str([*LogEntry.objects.values()]).lower()


def test_the_desk_may_see_a_paper(member: Member, concierge_user: Any, now: Any) -> None:
    check = confirm_on_paper(member, by=concierge_user, now=now)
    assert (check.result, check.method) == (TenancyResult.YES, TenancyMethod.PAPER)


def test_the_page_answers_yes(client: Client, member: Member, tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    client.force_login(member.user)
    page = client.post(PAGE, {"lease": "B-7", "surname": "Amrani", "birth_date": "01/02/1990"})
    assert "C’est vérifié." in page.content.decode()
    assert "Vérifier</button>" not in client.get(PAGE).content.decode()


def test_the_page_keeps_what_was_typed(client: Client, member: Member, tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    client.force_login(member.user)
    page = client.post(PAGE, {"lease": "B-99", "surname": "Amrani", "birth_date": "hier"})
    text = page.content.decode()
    assert 'value="B-99"' in text
    assert 'value="hier"' in text
    assert "Écrivez le jour, le mois et l’année" in text
    assert not TenancyCheck.objects.exists()


def test_five_tries_a_day(client: Client, member: Member, tmp_path: Path) -> None:
    load(tmp_path, GOOD)
    client.force_login(member.user)
    wrong = {"lease": "B-99", "surname": "Amrani", "birth_date": "01/02/1990"}
    for _ in range(5):
        assert "ne trouve pas ce bail" in client.post(PAGE, wrong).content.decode()
    page = client.post(PAGE, wrong | {"lease": "B-7"})
    assert "Cinq essais par jour" in page.content.decode()
    assert TenancyCheck.objects.count() == 5


def test_without_a_file_the_page_sends_to_the_desk(client: Client, member: Member) -> None:
    client.force_login(member.user)
    assert "avec une quittance de loyer" in client.get(PAGE).content.decode()


def test_the_page_is_for_members(client: Client, concierge_user: Any) -> None:
    assert client.get(PAGE).url.startswith("/compte/connexion/")
    client.force_login(concierge_user)
    answer = client.get(PAGE)
    assert answer.status_code == 403
    assert "lié à aucun foyer" in answer.content.decode()
