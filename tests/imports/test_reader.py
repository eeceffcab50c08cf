import pytest

from club.imports.reader import read
from club.kernel.refusal import Refused


def cells(table, header):
    return [row.cells[header] for row in table.rows]


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_the_separator_is_found(file, separator):
    lines = [["nom", "note"], ["Bêche", "bon état"], ["Râteau", "neuf"]]
    table = read(file("\n".join(separator.join(line) for line in lines)))
    assert table.headers == ["nom", "note"]
    assert cells(table, "nom") == ["Bêche", "Râteau"]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_found(file, encoding, found):
    text = "nom;prix\nScie à métaux – « fine »;12 €\nÉchelle;à préciser\nRâteau;9 €\n"
    table = read(file(text.encode(encoding)))
    assert (table.encoding, cells(table, "nom")) == (
        found, ["Scie à métaux – « fine »", "Échelle", "Râteau"],
    )  # fmt: skip


def test_letters_of_an_old_dos_or_mac_export_are_read(file):
    text = "nom;note\nÉchelle télescopique;très bon état à vérifier\nRâteau;prêté à l'école\n"
    for encoding in ("cp850", "mac_roman"):
        assert cells(read(file(text.encode(encoding))), "nom") == [
            "Échelle télescopique", "Râteau",
        ]  # fmt: skip


def test_a_file_of_no_known_letters_is_refused(file):
    with pytest.raises(Refused) as refused:
        read(file(b"nom\n" + bytes(range(0x80, 0xFF)) * 20))
    assert refused.value.codes == ["file_encoding"]


def test_damaged_lines_are_named_and_the_others_stand(file):
    good = "nom;note\nBêche;é\nRâteau;à\nÉchelle;ç\n".encode()
    table = read(file(good + b"Pelle;cass\xe9e\n" + "Mètre;Ã©talon\nPioche;ok\n".encode()))
    assert cells(table, "nom") == ["Bêche", "Râteau", "Échelle", "Pioche"]
    assert [fault.number for fault in table.faults] == [5, 6]
    assert "lettres abîmées" in table.faults[0].text


def test_a_line_with_too_few_or_too_many_cells_is_named(file):
    table = read(file("a;b;c\n1;2;3\n1;2\n1;2;3;4\n1;2;3;\n"))
    assert len(table.rows) == 2
    assert [(f.number, f.text) for f in table.faults] == [
        (3, "2 cellules, il en faut 3."), (4, "4 cellules, il en faut 3."),
    ]  # fmt: skip


def test_lines_are_counted_as_an_editor_counts_them(file):
    table = read(file('nom;note\nA;"deux\nlignes"\n\nB;une\n'))
    assert [row.number for row in table.rows] == [2, 5]
    assert table.rows[0].cells["note"] == "deux\nlignes"


def test_tsv_with_quotes_and_literal_null(file):
    table = read(file('"id"\t"name"\t"note"\n1\t"Say ""hi"" 25"""\tNULL\n2\tB\t""\n'))
    assert table.rows[0].cells == {"id": "1", "name": 'Say "hi" 25"', "note": ""}
    assert table.rows[1].cells["note"] == ""


def test_a_quote_left_open_refuses_the_file_and_names_the_line(file):
    with pytest.raises(Refused) as refused:
        read(file('nom;note\nA;b\nB;"ouvert\nC;d\n'))
    assert refused.value.codes == ["quote_left_open"]
    assert str(refused.value).startswith("Ligne 3 : ")


def test_a_misplaced_quote_costs_its_own_line_alone(file):
    table = read(file('nom;note\nA;"x"y\nB;ok\n'))
    assert [fault.number for fault in table.faults] == [2]
    assert cells(table, "nom") == ["B"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf  \n\n", "file_empty"),
        (b"nom;note\n", "file_empty"),
        (b"[]", "file_empty"),
        (b"PK\x03\x04rest", "file_is_workbook"),
        (b"nom\x00;note\n", "file_not_text"),
        (b"nom;nom\n1;2\n", "header_twice"),
        (b"[{]", "json_broken"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(file, content, code):
    with pytest.raises(Refused) as refused:
        read(file(content))
    assert refused.value.codes == [code]


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused) as refused:
        read(tmp_path / "none.csv")
    assert refused.value.codes == ["file_missing"]


def test_json_in_each_of_its_shapes(file):
    rows = '[{"name": "A", "tags": ["x", "y"], "ok": true, "none": null}, 3]'
    for text in (rows, f'{{"items": {rows}, "metadata": {{}}}}'):
        table = read(file(text, "f.json"))
        assert table.rows[0].cells == {"name": "A", "tags": "x | y", "ok": "oui", "none": ""}
        assert [fault.number for fault in table.faults] == [2]
    table = read(file('{"records": [{"id": 1, "fields": {"name": "B"}}]}', "f.json"))
    assert table.rows[0].cells == {"name": "B"}
