import pytest
from hypothesis import given
from hypothesis import strategies as st

from club.kernel import sms_text


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("C’est réservé", "C'est réservé"),
        ("ça, château, île, hôtel", "ca, chateau, ile, hotel"),
        ("où, dû, Noël, naïf", "où, du, Noel, naif"),
        ("cœur, ŒUVRE", "coeur, OEUVRE"),
        ("mardi\u00a016\u202fmars\u00a0: à 18\u00a0h", "mardi 16 mars : à 18 h"),
        ("« deux » – trois…", '" deux " - trois...'),
        ("e\u0301te\u0301", "été"),
        ("日本", "??"),
        ("5 €", "5 €"),
    ],
)
def test_letters_outside_the_alphabet_are_replaced(written: str, sent: str) -> None:
    assert sms_text.normalised(written) == sent


def test_euro_and_brackets_take_two_places() -> None:
    assert sms_text.length("5 €") == 4
    assert sms_text.length("[a]") == 5


def test_sender_and_link_stay_whole_and_the_words_are_cut_after_a_word() -> None:
    link = "https://club.example.org/r/0abcdef1230123456789/"
    words = "À rendre demain " + "très long " * 30
    text = sms_text.one_sms("Conciergerie des Tilleuls", words, link)
    assert text.startswith("Conciergerie des Tilleuls: A rendre demain très long")
    assert text.endswith("... " + link)
    assert sms_text.length(text) <= 160


@given(st.text(max_size=300), st.text(max_size=300))
def test_one_sms_has_160_places_of_the_alphabet(sender: str, words: str) -> None:
    text = sms_text.one_sms(sender, words, "https://club.example.org/r/0abcdef1230123456789/")
    assert sms_text.length(text) <= sms_text.LENGTH
    assert set(text) <= sms_text.BASIC | sms_text.EXTENDED
