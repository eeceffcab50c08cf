from decimal import Decimal

import pytest
from django.core.management.base import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from club.models import Dwelling, Residence

pytestmark = pytest.mark.django_db

FILE = """\ufeffid_livraison;adresse_programme;code_postal;ville;nb_logmt_total;geo_point_2d
1;25 RUE DES LILAS;80080;AMIENS;10;49.91, 2.31
2;LOT B - 39 RUE HAUTE 2 RUE BASSE;code_80080;Amiens;7;49,91, 2,31
3;4 PLACE DU MARCHE;1000;Bourg;;
"""


@pytest.fixture
def load(file, run, place):
    def call(content, **options):
        return run("import_residences", file(content), landlord=place.landlord.slug, **options)

    return call


def stored():
    fields = ("code", "name", "address", "postcode", "city", "dwelling_count")
    return list(Residence.objects.order_by("code").values_list(*fields))


def test_residences_are_loaded_clean(load):
    load(FILE)
    assert stored() == [
        ("1", "25 rue des Lilas", "25 rue des Lilas", "80080", "Amiens", 10),
        ("2", "Lot B", "39 rue Haute / 2 rue Basse", "80080", "Amiens", 7),
        ("3", "4 place du Marche", "4 place du Marche", "01000", "Bourg", None),
    ]
    point = Residence.objects.get(code="2")
    assert (point.latitude, point.longitude) == (Decimal("49.910000"), Decimal("2.310000"))


def test_a_second_import_adds_nothing_and_a_change_is_told(load):
    load(FILE)
    before = stored()
    assert "inchangé : 3" in load(FILE).replace("\u00a0", " ")
    assert stored() == before
    assert "modifié : 1" in load(FILE.replace(";10;", ";12;")).replace("\u00a0", " ")
    assert Residence.objects.get(code="1").dwelling_count == 12


def test_the_same_identifier_again_is_joined_or_refused(load):
    again = FILE + "1;25, RUE DES LILAS;80080;Amiens;10;\n"
    assert "regroupé : 1" in load(again).replace("\u00a0", " ")
    assert Residence.objects.count() == 3
    with pytest.raises(CommandError):
        load(FILE + "1;9 RUE AUTRE;80080;Amiens;10;\n")
    said = load(FILE + "1;9 RUE AUTRE;80080;Amiens;10;\n", skip_bad=True)
    assert "Ligne 5 : l’identifiant 1 est déjà celui de la ligne 2" in said


def test_a_broken_line_keeps_everything_out(load):
    with pytest.raises(CommandError):
        load(FILE.replace(";7;", ";sept;"))
    assert Residence.objects.count() == 0


def test_dry_run_writes_nothing(load):
    assert "à créer" in load(FILE, dry_run=True)
    assert Residence.objects.count() == 0


def test_an_unknown_landlord_or_a_file_without_address_is_refused(file, run, load, place):
    with pytest.raises(CommandError, match=place.landlord.slug):
        run("import_residences", file(FILE), landlord="nobody")
    with pytest.raises(CommandError, match="adresse"):
        load("a;b\n1;2\n")


def test_rows_without_identifier_keep_their_key(load):
    text = "nom;adresse\nLes Lilas;1 rue Haute\nLes Roses;2 rue Haute\n"
    load(text)
    load(text.replace("Les Lilas", "LES  LILAS"))
    assert Residence.objects.count() == 2


RPLS = """identifiant_logement_SI_proprietaire;code_postal;nom_commune;numero_voie;type_voie;\
nom_voie;nom_programme;etage;nb_pieces_principales
L1;80080;AMIENS;1;RUE;HAUTE;Les Lilas;2;T3
L2;80080;AMIENS;3;RUE;HAUTE;Les Lilas;0;4
L3;80080;AMIENS;5;RUE;BASSE;;1;2
"""


def test_dwellings_come_with_their_residences(load):
    for _time in range(2):
        load(RPLS)
        assert list(
            Dwelling.objects.order_by("code").values_list("code", "residence__name", "rooms")
        ) == [("L1", "Les Lilas", 3), ("L2", "Les Lilas", 4), ("L3", "5 rue Basse", 2)]


def test_many_rows_take_few_statements(load):
    lines = "".join(f"{n};{n} RUE HAUTE;80080;Amiens;4;\n" for n in range(400))
    with CaptureQueriesContext(connection) as caught:
        load(FILE.split("\n")[0] + "\n" + lines)
    assert Residence.objects.count() == 400
    assert len(caught) <= 15
