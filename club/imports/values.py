"""What stands in a cell, made ready to store."""

import hashlib
import html
import re
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import nh3
from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from club.kernel.people import folded

TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
LINE_ENDS = re.compile(r"<br\s*/?>|</(?:p|div|li|h\d|tr)>", re.IGNORECASE)
LIKE_ENOUGH = 80
"""Likeness, of 100, from which a word of a closed list is still recognised."""


class Unfit(Exception):
    """A cell that cannot be stored; the words say why."""


def clean(text: str, lines: bool = False) -> str:
    """Text without tags, entities or control characters; with `lines`, line ends stay.

    Fractions and inch marks are text like any other: ½ and 25" come out as they went in.
    """
    text = html.unescape(text)
    if TAG.search(text):
        text = nh3.clean(LINE_ENDS.sub("\n", text), tags=set())
        text = html.unescape(text)
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    kept = [re.sub(r"[ \t]+", " ", line).strip() for line in text.split("\n")]
    if lines:
        return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return " ".join(line for line in kept if line)


def short(text: str, limit: int, label: object) -> str:
    """One line of `limit` characters at most."""
    text = clean(text)
    if len(text) > limit:
        raise Unfit(
            _("%(label)s : %(length)d caractères, %(limit)d au plus.")
            % {"label": label, "length": len(text), "limit": limit}
        )
    return text


def whole(text: str, label: object, most: int) -> int | None:
    """A whole number from 0 to `most`: "18", "18,0", "18 logements"."""
    if not text:
        return None
    found = re.fullmatch(r"\s*(\d[\d\s\u00a0\u202f]*)(?:[.,]0+)?\s*[^\W\d]*\s*", text)
    if found is None:
        raise Unfit(
            _("%(label)s : « %(text)s » n’est pas un nombre.") % {"label": label, "text": text}
        )
    number = int(re.sub(r"\D", "", found[1]))
    if number > most:
        raise Unfit(
            _("%(label)s : %(number)d dépasse %(most)d.")
            % {"label": label, "number": number, "most": most}
        )
    return number


def cents(text: str, label: object) -> int | None:
    """An amount in euro cents: "1 234,50 €", "1,234.50", "12"."""
    digits = re.sub(r"[\s\u00a0\u202f€$£]|eur(?:os?)?", "", text, flags=re.IGNORECASE)
    if not digits:
        return None
    if "," in digits and "." in digits:
        thousands = "," if digits.rfind(",") < digits.rfind(".") else "."
        digits = digits.replace(thousands, "")
    try:
        amount = Decimal(digits.replace(",", "."))
    except InvalidOperation as error:
        raise Unfit(
            _("%(label)s : « %(text)s » n’est pas un prix.") % {"label": label, "text": text}
        ) from error
    if not amount.is_finite() or not 0 <= amount <= 100_000:
        raise Unfit(
            _("%(label)s : « %(text)s » est hors limites.") % {"label": label, "text": text}
        )
    return int((amount * 100).to_integral_value())


def day(text: str, label: object) -> date | None:
    """ "12/03/2024", "2024-03-12", with or without an hour after it."""
    if not text:
        return None
    for shape in ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y"):
        try:
            return datetime.strptime(  # noqa: DTZ007 (a day, no instant)
                re.split(r"[ T]", text.strip())[0], shape
            ).date()
        except ValueError:
            continue
    raise Unfit(_("%(label)s : « %(text)s » n’est pas une date.") % {"label": label, "text": text})


def one_of(text: str, choices: Mapping[str, object], label: object) -> tuple[str, str]:
    """The value of a closed list that was meant, and a word where it was not exact."""
    words = {folded(str(word)): value for value, word in choices.items()}
    words |= {folded(value): value for value in choices}
    asked = folded(text)
    if asked in words:
        return words[asked], ""
    best = process.extractOne(asked, list(words), scorer=fuzz.WRatio)
    if best is None or best[1] < LIKE_ENOUGH:
        raise Unfit(
            _("%(label)s : « %(text)s » n’est pas dans la liste (%(list)s).")
            % {"label": label, "text": text, "list": ", ".join(map(str, choices.values()))}
        )
    value = words[best[0]]
    return value, _("« %(text)s » lu comme « %(word)s »") % {"text": text, "word": choices[value]}


def coordinates(text: str) -> tuple[Decimal, Decimal] | None:
    """Latitude and longitude from one cell, with points or commas for decimals."""
    if not text:
        return None
    numbers = re.findall(r"-?\d+[.,]\d+", text)
    if len(numbers) != 2:
        raise Unfit(_("Coordonnées illisibles : « %(text)s ».") % {"text": text})
    latitude, longitude = (
        Decimal(number.replace(",", ".")).quantize(Decimal("0.000001")) for number in numbers
    )
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Unfit(_("Coordonnées hors du globe : « %(text)s ».") % {"text": text})
    return latitude, longitude


def stable_key(*parts: str) -> str:
    """A key for a row that has none of its own: the same words give the same key."""
    joined = "\n".join(folded(part) for part in parts)
    return "~" + hashlib.sha256(joined.encode()).hexdigest()[:20]
