from datetime import date
from decimal import Decimal

import pytest

from club.imports import values
from club.imports.addresses import parted
from club.imports.columns import Column, match
from club.imports.values import Unfit
from club.kernel.refusal import Refused


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ('Snowshoes 25" &amp; 3½', 'Snowshoes 25" & 3½'),
        ("<p>Un</p><script>alert(1)</script><b>deux</b>", "Un deux"),
        ("&lt;script&gt;x&lt;/script&gt;y", "y"),
        ("Planche < 2 m et > 1 m", "Planche < 2 m et > 1 m"),
        ("a\x07b\tc", "ab c"),
    ],
)
def test_text_is_cleaned_and_keeps_fractions_and_inches(raw, stored):
    assert values.clean(raw) == stored


@pytest.mark.parametrize(
    ("raw", "cents"),
    [
        ("12", 1200), ("1 234,50 €", 123450), ("1,234.50", 123450), ("1.234,50", 123450),
        ("$9.99", 999), ("", None), ("30 euros", 3000),
    ],
)  # fmt: skip
def test_prices(raw, cents):
    assert values.cents(raw, "prix") == cents


@pytest.mark.parametrize("raw", ["cher", "-3", "1e999", "NaN", "9999999999"])
def test_what_is_no_price_is_refused(raw):
    with pytest.raises(Unfit):
        values.cents(raw, "prix")


def test_whole_numbers_and_dates():
    for raw, number in (("18", 18), ("18,0", 18), ("18 logements", 18), ("1 200", 1200)):
        assert values.whole(raw, "n", 9999) == number
    assert values.whole("", "n", 9999) is None
    assert values.day("03/04/2025", "d") == values.day("2025-04-03 10:00", "d") == date(2025, 4, 3)
    for wrong in (lambda: values.whole("dix", "n", 9), lambda: values.day("31/02/2025", "d")):
        with pytest.raises(Unfit):
            wrong()


@pytest.mark.parametrize(
    "raw", ["49.918402, 2.312915", "49,918402, 2,312915", "49,918402 ; 2,312915"]
)
def test_coordinates_in_one_cell(raw):
    assert values.coordinates(raw) == (Decimal("49.918402"), Decimal("2.312915"))


@pytest.mark.parametrize("raw", ["quelque part", "49.9", "149.91, 2.31"])
def test_coordinates_that_are_none_are_refused(raw):
    with pytest.raises(Unfit):
        values.coordinates(raw)


def test_a_closed_list_forgives_an_accent_and_says_so():
    choices = {"new": "neuf", "good": "bon état"}
    assert values.one_of("Bon Etat", choices, "c") == ("good", "")
    assert values.one_of("bonn état", choices, "c")[0] == "good"
    assert "lu comme" in values.one_of("bonn état", choices, "c")[1]
    with pytest.raises(Unfit):
        values.one_of("cassé", choices, "c")


@pytest.mark.parametrize(
    ("cell", "name", "addresses"),
    [
        ("LOT D1B - 86 RUE DES HAIES", "Lot D1B", ["86 rue des Haies"]),
        ("39 RUE DE L'EUROPE 2 RUE WATTEAU", "", ["39 rue de l’Europe", "2 rue Watteau"]),
        ("12-14-16, RUE DELAITRE", "", ["12-14-16, rue Delaitre"]),
        ("3 RUE A ET 4 BD B", "", ["3 rue A", "4 boulevard B"]),
        ("7, allée des Tilleuls", "", ["7, allée des Tilleuls"]),
        ("ZAC DU MARCHE LOT 9", "ZAC du Marche Lot 9", []),
    ],
)
def test_addresses(cell, name, addresses):
    assert parted(cell) == (name, addresses)


COLUMNS = (
    Column("name", "nom", ("nom", "name"), required=True),
    Column("text", "description", ("description",)),
)


def test_columns_by_name_by_likeness_and_as_told():
    found = match(["NOM", "Descripton", "autre"], COLUMNS, {})
    assert found.header_of == {"name": "NOM", "text": "Descripton"}
    assert len(found.notes) == 1
    assert found.unread == ["autre"]
    assert match(["x", "y"], COLUMNS, {"name": "Y"}).header_of == {"name": "y"}


@pytest.mark.parametrize(
    ("headers", "given", "code"),
    [
        (["x"], {}, "missing_column"),
        (["nom"], {"name": "titre"}, "unknown_column"),
        (["nom"], {"colour": "nom"}, "unknown_field"),
    ],
)
def test_columns_that_cannot_be_matched_are_refused(headers, given, code):
    with pytest.raises(Refused) as refused:
        match(headers, COLUMNS, given)
    assert refused.value.codes == [code]
