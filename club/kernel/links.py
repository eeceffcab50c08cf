"""Links of messages that open one thing without signing in: a booking, a question, "no more".

A booking's long one carries Django's signature and its date. An SMS has no room for it:
the short one holds reference, day and 50 bits of a keyed digest in twenty
characters, and leads to a long one.
"""

from datetime import date, timedelta

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import urlencode

SALT = "booking"
SHORT_SALT = "short-booking"
UNSUBSCRIBE_SALT = "unsubscribe"
OPINION_SALT = "opinion"
SHORT_OPINION_SALT = "short-opinion"
LIFE = timedelta(days=120)
FIRST_DAY = date(2024, 1, 1)
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def booking_path(reference: str) -> str:
    return reverse("portal:booking-link", args=[signing.dumps(reference, salt=SALT)])


def booking_link(reference: str) -> str:
    return settings.BASE_URL + booking_path(reference)


def unsubscribe_path(member_id: int, kind: str) -> str:
    signed = signing.dumps([member_id, kind], salt=UNSUBSCRIBE_SALT, compress=True)
    return reverse("portal:unsubscribe", args=[signed])


def unsubscribe_link(member_id: int, kind: str) -> str:
    """For each letter of that kind: it takes the consent back without signing in, for ever."""
    return settings.BASE_URL + unsubscribe_path(member_id, kind)


def unsubscribed(signed: str) -> tuple[int, str]:
    """Whose consent of which kind; raises `signing.BadSignature`."""
    member_id, kind = signing.loads(signed, salt=UNSUBSCRIBE_SALT)
    return member_id, kind


def opinion_path(reference: str) -> str:
    return reverse("opinion", args=[signing.dumps(reference, salt=OPINION_SALT)])


def opinion_link(reference: str, face: str = "") -> str:
    """Of one question, for whom it was asked; with a face, one that is chosen already."""
    chosen = f"?{urlencode({'visage': face})}" if face else ""
    return settings.BASE_URL + opinion_path(reference) + chosen


def no_more_opinions_link(reference: str) -> str:
    signed = signing.dumps(reference, salt=OPINION_SALT)
    return settings.BASE_URL + reverse("opinion-stop", args=[signed])


def opinion_of(signed: str) -> str:
    """The reference of the question; raises `signing.BadSignature`."""
    reference: str = signing.loads(signed, salt=OPINION_SALT)
    return reference


def short_opinion_link(reference: str, today: date) -> str:
    code = short_code(reference, today, SHORT_OPINION_SALT)
    return settings.BASE_URL + reverse("short-opinion", args=[code])


def short_booking_link(reference: str, today: date) -> str:
    return settings.BASE_URL + reverse("short-link", args=[short_code(reference, today)])


def short_code(reference: str, today: date, salt: str = SHORT_SALT) -> str:
    body = in_base_36(int(reference[1:]), 7) + in_base_36((today - FIRST_DAY).days, 3)
    return body + seal(body, salt)


def reference_of(code: str, today: date, salt: str = SHORT_SALT) -> str | None:
    """The reference in a short code; None where it was tampered with or is too old."""
    body, given = code[:10], code[10:]
    if len(code) != 20 or not constant_time_compare(seal(body, salt), given):
        return None
    made_on = FIRST_DAY + timedelta(days=int(body[7:], 36))
    if not timedelta(days=-1) <= today - made_on <= LIFE:
        return None
    return f"R{int(body[:7], 36):010d}"


def seal(body: str, salt: str = SHORT_SALT) -> str:
    mac = salted_hmac(salt, body, algorithm="sha256").digest()
    return in_base_36(int.from_bytes(mac[:8], "big") % 36**10, 10)


def in_base_36(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))
