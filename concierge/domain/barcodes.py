"""What a parcel's barcode says: its stored form, and whose parcel it is where that is plain."""

import re

from club.kernel.codes import AZERTY_DIGITS
from concierge.enums import Carrier

LONGEST = 60
SHORTEST = 5
"""What is shorter is a typing error or a shelf."""

# What an AZERTY host makes of the letter keys of a US-layout scanner.
AZERTY_KEYS = str.maketrans("QAWZ,?", "AQZWMM")
PRINTED = re.compile(r"[\x21-\x7E]+")

SHAPES: tuple[tuple[re.Pattern[str], Carrier], ...] = tuple(
    (re.compile(shape), carrier)
    for shape, carrier in (
        (r"1Z[0-9A-Z]{16}", Carrier.UPS),
        (r"(?:JJD|JVGL)[0-9A-Z]{9,30}", Carrier.DHL),
        (r"TBA\d{9,15}", Carrier.AMAZON),
        (r"X[A-Z]\d{9}[A-Z]{2}", Carrier.CHRONOPOST),
        (r"\d[A-Z]\d{11}", Carrier.COLISSIMO),
        (r"[A-Z]{2}\d{9}[A-Z]{2}", Carrier.COLISSIMO),
        (r"%[0-9A-Z]{27}", Carrier.DPD),
        (r"\d{14}", Carrier.DPD),
        (r"9622\d{30}", Carrier.FEDEX),
    )
)


def as_barcode(raw: str) -> str | None:
    """A scanned or typed code as it is stored; None for what no label carries.

    A US-layout scanner on an AZERTY host types a code without one digit, all its letters as
    capitals: its digits come as the signs of that row, and four letters change places.
    """
    typed = "".join(raw.split())
    has_digit = any(character.isdigit() for character in typed)
    is_keyed = not has_digit and not re.search("[a-z]", typed)
    text = typed.translate(AZERTY_DIGITS).translate(AZERTY_KEYS) if is_keyed else typed
    text = text.upper()
    if not SHORTEST <= len(text) <= LONGEST or PRINTED.fullmatch(text) is None:
        return None
    return text


def carrier_of(barcode: str) -> Carrier | None:
    """The carrier whose codes alone have this shape; None: not plain, staff says it."""
    return next((carrier for shape, carrier in SHAPES if shape.fullmatch(barcode)), None)
