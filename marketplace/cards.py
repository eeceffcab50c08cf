"""A member's card in a partner's hands: read, and told good or not, without more.

Whose digits nobody has and whose right has ended get one answer; wrong digits count
under the same shutters as on the public page, and under one of the partner's own.
"""

import re
from datetime import date, datetime

from django.http import HttpRequest

from club.guesses import count_miss, is_shut
from club.kernel import codes
from club.kernel.spans import local_day
from club.models import Member
from club.queries.members import good_card
from marketplace.models import Partner

TOKEN = re.compile(r"[A-Za-z0-9_-]{20,64}\Z", re.ASCII)
MOST_LETTERS = 200
"""A QR is read as a whole address."""


class TooManyGuesses(Exception):
    """Digits are answered no more for a while; a QR is."""


def card_read(text: str) -> dict[str, str] | None:
    """What to look a card up by: its six digits, or the token that its QR holds."""
    scanned = codes.as_scanned(text)
    if scanned is not None:
        return {"number": scanned[1:]} if scanned.startswith("M") else None
    token = text.strip().rstrip("/").rpartition("/")[2]
    return {"token": token} if TOKEN.match(token) else None


def card_shown(
    request: HttpRequest, partner: Partner, read: dict[str, str], now: datetime
) -> tuple[Member, date] | None:
    """Whose card it is and its last day, if it is good today for this partner's landlord."""
    by_digits = "number" in read
    caller = f"partner:{partner.pk}"
    if by_digits and is_shut(request, caller):
        raise TooManyGuesses
    found = good_card(local_day(now), **read)
    if found is not None and found[0].household.landlord_id == partner.landlord_id:
        return found
    if by_digits:
        count_miss(request, now, caller)
    return None
