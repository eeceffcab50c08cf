"""Text that fits one SMS: the alphabet of GSM 03.38 (3GPP TS 23.038) and 160 places."""

import unicodedata

LENGTH = 160
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€")
"""These take two places each."""
REPLACED = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "«": '"',
        "»": '"',
        "…": "...",
        "–": "-",
        "—": "-",
        "œ": "oe",
        "Œ": "OE",
        "\u00a0": " ",
        "\u202f": " ",
        "\t": " ",
    }
)


def normalised(text: str) -> str:
    """`text` in the alphabet of SMS: ç becomes c, ê becomes e, ’ becomes '."""
    letters = []
    for letter in unicodedata.normalize("NFC", text).translate(REPLACED):
        if letter in BASIC or letter in EXTENDED:
            letters.append(letter)
            continue
        plain = unicodedata.normalize("NFKD", letter)
        kept = "".join(part for part in plain if part in BASIC)
        letters.append(kept or ("" if unicodedata.combining(letter) else "?"))
    return "".join(letters)


def length(text: str) -> int:
    """The places that a normalised text takes."""
    return sum(2 if letter in EXTENDED else 1 for letter in text)


def shortened(text: str, room: int) -> str:
    """`text` in at most `room` places, cut after a whole word."""
    if length(text) <= room:
        return text
    words: list[str] = []
    for word in text.split(" "):
        if length(" ".join([*words, word])) + 3 > room:
            break
        words.append(word)
    return " ".join(words).rstrip(" ,:;.-") + "..."


def one_sms(sender: str, words: str, link: str) -> str:
    """Who writes, what, where to go on: always whole sender and link, the words cut."""
    head = shortened(normalised(sender), 40)
    room = LENGTH - length(head) - len(": ") - len(" ") - length(link)
    return f"{head}: {shortened(normalised(words), room)} {link}"
