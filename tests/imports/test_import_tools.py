import csv
from datetime import date

import pytest
from django.core.management.base import CommandError

from club.models import LogEntry
from concierge.enums import CopyStatus
from concierge.models import Copy, Department, Part, Tool

pytestmark = pytest.mark.django_db

FILE = """identifiant;rayon;nom;accessoires;valeur;tarif;exemplaires
T1;Bricoler;Perceuse;8 × foret | coffret;89,90;1;2
T2;cuisine;Gaufrier 25" ½;;30;2;1
T3;Zoologie;Objet rare;;200;5;0
"""


def report_of(folder):
    (path,) = folder.glob("objets-*.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def counts():
    return Tool.objects.count(), Copy.objects.count(), Part.objects.count()


def test_a_catalogue_is_loaded_with_parts_copies_and_classes(file, run, place):
    said = run("import_tools", file(FILE))
    assert "3 lignes. créé" in said
    drill = Tool.objects.get(source_id="T1")
    assert (drill.department.slug, drill.value_class, drill.price_class) == (
        "bricoler", "middle", "small",
    )  # fmt: skip
    assert [str(part) for part in drill.parts.all()] == ["8 × foret", "coffret"]
    assert [copy.status for copy in drill.copies.all()] == [CopyStatus.ACTIVE] * 2
    assert {copy.price_cents for copy in drill.copies.all()} == {8990}
    waffles = Tool.objects.get(source_id="T2")
    assert (waffles.name, waffles.department.slug) == ('Gaufrier 25" ½', "cuisiner")
    rare = Tool.objects.get(source_id="T3")
    assert (rare.department.slug, rare.value_class, rare.copies.count()) == (
        "s-equiper", "valuable", 0,
    )  # fmt: skip
    assert Department.objects.count() == 6


def test_the_report_has_every_row_and_each_guess(file, run, place, reports_of_its_own):
    run("import_tools", file(FILE))
    rows = report_of(reports_of_its_own)
    assert [row[:4] for row in rows[1:]] == [
        ["2", "T1", "Perceuse", "créé"],
        ["3", "T2", 'Gaufrier 25" ½', "créé"],
        ["4", "T3", "Objet rare", "créé"],
    ]
    assert "lu" in rows[2][4]
    assert "inconnu" in rows[3][4]
    assert "prix ramené" in rows[2][4]


def test_a_second_import_adds_nothing(file, run, place):
    path = file(FILE)
    run("import_tools", path)
    before = counts()
    logged = LogEntry.objects.count()
    assert "inchangé : 3" in run("import_tools", path).replace("\u00a0", " ")
    assert counts() == before
    assert LogEntry.objects.count() == logged + 1


def test_a_retired_copy_is_not_bought_again_by_a_second_import(file, run, place, now):
    from concierge.domain.copies import move_copy

    path = file(FILE)
    run("import_tools", path)
    copy = Copy.objects.first()
    move_copy(copy, CopyStatus.RETIRED, by=None, now=now, reason="broken")
    before = counts()
    run("import_tools", path)
    assert counts() == before


def test_what_changed_in_the_file_changes_and_what_it_leaves_out_stays(file, run, place):
    run("import_tools", file(FILE))
    said = run("import_tools", file("id;nom;exemplaires\nT1;Perceuse neuve;3\n"))
    assert "modifié" in said
    drill = Tool.objects.get(source_id="T1")
    assert (drill.name, drill.department.slug, drill.copies.count()) == (
        "Perceuse neuve", "bricoler", 3,
    )  # fmt: skip
    assert drill.parts.count() == 2


def test_a_broken_line_in_the_middle_keeps_everything_out(file, run, place, capsys):
    broken = FILE.replace("T2;cuisine", "T2;cuisine;de trop")
    with pytest.raises(CommandError, match="Rien n’est chargé"):
        run("import_tools", file(broken))
    assert counts() == (0, 0, 0)
    assert Department.objects.count() == 0


def test_faults_are_said_with_their_line(file, place):
    from io import StringIO

    from django.core.management import call_command

    heard = StringIO()
    with pytest.raises(CommandError):
        call_command(
            "import_tools", str(file(FILE.replace("89,90", "cher"))), stdout=heard, stderr=heard
        )
    assert "Ligne 2 : valeur" in heard.getvalue()
    assert "à créer" in heard.getvalue()


def test_skip_bad_loads_the_good_lines(file, run, place):
    run("import_tools", file(FILE.replace(";2;1\n", ";2;beaucoup\n")), skip_bad=True)
    assert set(Tool.objects.values_list("source_id", flat=True)) == {"T1", "T3"}


def test_dry_run_writes_nothing(file, run, place):
    said = run("import_tools", file(FILE), dry_run=True)
    assert "à créer" in said
    assert "rien n’est chargé" in said
    assert counts() == (0, 0, 0)
    assert Department.objects.count() == 0
    assert LogEntry.objects.count() == 0


def test_the_same_identifier_twice_is_a_fault(file, run, place):
    with pytest.raises(CommandError):
        run("import_tools", file("id;nom\nA;Bêche\nA;Râteau\n"))
    assert counts() == (0, 0, 0)


def test_without_identifiers_the_same_name_again_is_one_more_copy(file, run, place):
    path = file("nom;marque\nBêche;X\nRâteau;\nbeche;X\n")
    for _time in range(2):
        run("import_tools", path)
        assert counts()[:2] == (2, 3)


def test_formula_cells_are_harmless_in_the_report(file, run, place, reports_of_its_own):
    run("import_tools", file('id;nom\n=1+1;"@cmd"\n+33;-2\n'))
    rows = report_of(reports_of_its_own)
    assert [row[1:3] for row in rows[1:]] == [["'=1+1", "'@cmd"], ["'+33", "'-2"]]
    assert Tool.objects.filter(source_id="=1+1", name="@cmd").exists()


@pytest.mark.parametrize(
    ("headers", "values", "expected"),
    [
        (
            "Id\tCode\tName\tShort description\tComponents\tCondition\tBrand\tValue\tLoan fee",
            "7\tD1\tDrill\tGood\tcase, 3 x bit\tAs new\tBosch\t60.00\t3.00",
            ("7", "Drill", "Good", "Bosch", "middle", "medium", 2),
        ),
        (
            "id,complete_number,name,description_markdown,brand,quantity,purchase_price",
            "7,D-1,Drill,**Good**,Bosch,2,49.99",
            ("7", "Drill", "**Good**", "Bosch", "light", "free", 0),
        ),
        (
            "Company,Name,Asset Tag,Category,Manufacturer,Model,Purchase Date,Purchase Cost",
            'X,,A-9,Tools,Bosch,Drill,2024-05-06,"1,200.00"',
            ("A-9", "Drill", "", "Bosch", "valuable", "free", 0),
        ),
    ],
)
def test_exports_of_other_systems(file, run, place, headers, values, expected):
    run("import_tools", file(f"{headers}\n{values}\n"))
    tool = Tool.objects.get()
    assert (
        tool.source_id, tool.name, tool.description, tool.brand, tool.value_class,
        tool.price_class, tool.parts.count(),
    ) == expected  # fmt: skip


def test_a_purchase_date_goes_to_the_copy(file, run, place):
    run("import_tools", file("nom;date d'achat\nBêche;06/05/2024\n"))
    assert Copy.objects.get().bought_on == date(2024, 5, 6)


def test_json_and_a_column_given_by_hand(file, run, place):
    path = file('{"items": [{"designation interne": "Bêche", "id": 4}]}', "f.json")
    with pytest.raises(CommandError, match="designation interne"):
        run("import_tools", path)
    run("import_tools", path, column=["name=designation interne"])
    assert Tool.objects.get().name == "Bêche"


def test_an_empty_file_is_refused(file, run, place):
    with pytest.raises(CommandError, match="vide"):
        run("import_tools", file(""))


def test_the_place_is_asked_for_where_there_are_several(file, run, place):
    from tests.factories.club import PlaceFactory

    PlaceFactory(slug="autre")
    with pytest.raises(CommandError, match="autre"):
        run("import_tools", file(FILE))
    run("import_tools", file(FILE), place="autre")
    assert set(Copy.objects.values_list("place__slug", flat=True)) == {"autre"}
