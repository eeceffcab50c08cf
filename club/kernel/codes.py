"""Numbers that people read aloud, type and scan.

Printed numbers are a prefix letter and digits, the last of which is a Luhn check
digit (ISO/IEC 7812-1, annex B): it catches each single wrong digit and almost each
swap of neighbours. Letters that differ between QWERTY and AZERTY (A Q W Z M) stand
only in front, never inside.
"""

import hashlib
import secrets
from collections.abc import Callable

# What an AZERTY host makes of the digit keys of a US-layout scanner.
AZERTY_DIGITS = str.maketrans("&é\"'(-è_çà", "1234567890")
# On that host the scanner's M key gives a comma, and its O and R keys are in place.
AZERTY_LETTERS = {",": "M", "?": "M"}


def luhn_digit(digits: str) -> str:
    total = 0
    for position, character in enumerate(reversed(digits)):
        value = int(character)
        if position % 2 == 0:
            value *= 2
            if value > 9:
                value -= 9
        total += value
    return str(-total % 10)


def has_valid_check_digit(digits: str) -> bool:
    are_digits = digits.isascii() and digits.isdigit()
    return len(digits) > 1 and are_digits and luhn_digit(digits[:-1]) == digits[-1]


def random_number(length: int) -> str:
    """`length` random digits, the last one a check digit; never a leading zero."""
    body = str(secrets.randbelow(9) + 1) + "".join(
        str(secrets.randbelow(10)) for _ in range(length - 2)
    )
    return body + luhn_digit(body)


def card_number() -> str:
    return random_number(6)


def booking_reference() -> str:
    """Ten digits: 900 million of them, so that a guess finds nothing."""
    return "R" + random_number(10)


def label_code(sequence: int) -> str:
    """The label of copy number `sequence`: `O`, five digits or more, a check digit."""
    body = f"{sequence:05d}"
    return "O" + body + luhn_digit(body)


def spoken(code: str) -> str:
    """A code as it is printed and read aloud: `R48217`… becomes `R 482 17…`."""
    prefix = code[:1] if code[:1].isalpha() else ""
    digits = code[len(prefix) :]
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    return "\u00a0".join([prefix, *groups] if prefix else groups)


def as_scanned(raw: str) -> str | None:
    """A typed or scanned code in its stored form, or None where it is none.

    Accepts spaces, lower case, a bare card number, the address of a card's QR
    (its last part) and a US-layout scanner on an AZERTY host.
    """
    text = raw.strip().replace("\u00a0", "").replace(" ", "")
    if not text:
        return None
    if not any(character.isdigit() for character in text):
        text = text.translate(AZERTY_DIGITS)
        if text[0] in AZERTY_LETTERS:
            text = AZERTY_LETTERS[text[0]] + text[1:]
    text = text.upper()
    prefix, digits = (text[0], text[1:]) if text[0] in "MOR" else ("", text)
    if not has_valid_check_digit(digits):
        return None
    if prefix:
        return prefix + digits
    return "M" + digits if len(digits) == 6 else None


def token() -> str:
    """A secret for an address or an API, 256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret of full entropy: SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def unused(make: Callable[[], str], is_taken: Callable[[str], bool]) -> str:
    """A code that no row holds yet; the unique constraint remains the judge."""
    for _ in range(50):
        code = make()
        if not is_taken(code):
            return code
    raise RuntimeError("The space of these codes is nearly full: give them one more digit.")
