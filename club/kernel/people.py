"""Names and phone numbers in the one form in which they are stored and compared."""

import unicodedata

import phonenumbers

FRENCH_DIGITS = 9
"""Of a French number, the leading 0 left out."""

LETTERS = str.maketrans(
    {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ẞ": "ss", "þ": "th", "Þ": "th"}
    | dict(zip("øØłŁđĐðÐıİ", "oollddddii", strict=True))
)
"""What no decomposition takes apart."""


def folded(text: str) -> str:
    """Lower case, no accents, single spaces: "N’Diaye-Lœuil" becomes "n diaye loeuil"."""
    plain = unicodedata.normalize("NFKD", text.translate(LETTERS))
    kept = (c if c.isalnum() else " " for c in plain.casefold() if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def e164(text: str) -> str | None:
    """A phone number however it is typed, French unless it says otherwise; None: not one.

    Its length is judged, not the range that an operator holds today: those change. The
    library also takes French numbers that are one digit short, which nobody can call.
    """
    try:
        number = phonenumbers.parse(text, "FR")
    except phonenumbers.NumberParseException:
        return None
    is_short = number.country_code == 33 and len(str(number.national_number)) != FRENCH_DIGITS
    if is_short or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def takes_sms(phone: str) -> bool:
    """A landline takes none: a code sent there would never arrive."""
    number = phonenumbers.parse(phone, "FR")
    if number.country_code == 33:
        return str(number.national_number)[0] in "67"
    return phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.FIXED_LINE


def spoken_phone(phone: str) -> str:
    """As French people write it: "06 12 34 56 78"; others with their country code."""
    try:
        number = phonenumbers.parse(phone, "FR")
    except phonenumbers.NumberParseException:
        return phone
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if number.country_code == 33
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(number, style).replace(" ", "\u00a0")
