import pytest
from hypothesis import given
from hypothesis import strategies as st

from club.kernel import codes

digits = st.text("0123456789", min_size=1, max_size=12)


@given(digits, st.data())
def test_each_single_wrong_digit_is_caught(body: str, data: st.DataObject) -> None:
    number = body + codes.luhn_digit(body)
    position = data.draw(st.integers(0, len(number) - 1))
    wrong = data.draw(st.sampled_from([d for d in "0123456789" if d != number[position]]))
    assert codes.has_valid_check_digit(number)
    assert not codes.has_valid_check_digit(number[:position] + wrong + number[position + 1 :])


@given(st.sampled_from([codes.card_number, codes.booking_reference]))
def test_what_is_made_scans(make) -> None:
    made = make()
    stored = made if made[0] == "R" else "M" + made
    assert codes.as_scanned(made) == stored
    assert codes.as_scanned(codes.spoken(made).lower()) == stored


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("O010017", "O010017"),
        ("o 010 017", "O010017"),
        ("Oà&àà&è", "O010017"),  # a US-layout scanner on an AZERTY host
        (",&é\"'('", None),
        ("O010018", None),  # the check digit is wrong
        ("perceuse", None),
        ("", None),
        ("O²", None),
        ("M", None),
    ],
)
def test_codes_as_scanners_and_people_type_them(typed: str, stored: str | None) -> None:
    assert codes.as_scanned(typed) == stored


def test_a_card_typed_on_azerty_is_understood() -> None:
    number = codes.card_number()
    keys = dict(zip("1234567890", "&é\"'(-è_çà", strict=True))
    assert codes.as_scanned("," + "".join(keys[d] for d in number)) == "M" + number
    assert codes.as_scanned("".join(keys[d] for d in number)) == "M" + number


def test_labels_are_read_as_they_are_printed() -> None:
    assert codes.label_code(1035) == "O01035" + codes.luhn_digit("01035")
    assert codes.spoken("M204517") == "M\u00a0204\u00a0517"
