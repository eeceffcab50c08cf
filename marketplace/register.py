"""Looks a firm up in the State's company register; no other module speaks to it.

It is a stranger's server: what it says is read with care, and whoever asks waits three
seconds at most. Call it outside any transaction.
"""

import json
import logging
import re
import time
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from threading import Thread
from typing import Any, TypeVar

import requests
from django.conf import settings

SECONDS = 3
MOST_BYTES = 256 * 1024
HIDDEN = "[NON-DIFFUSIBLE]"
"""Stands for what a sole trader asked the register to keep to itself."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


class RegisterDown(Exception):
    """No answer in time, or none that can be read."""


@dataclass(frozen=True)
class Found:
    """What the register says; a text that it does not know or does not show is empty."""

    siret: str
    legal_name: str
    name: str
    address: str
    postcode: str
    city: str
    latitude: Decimal | None
    longitude: Decimal | None
    is_closed: bool


def is_on() -> bool:
    return bool(settings.COMPANY_REGISTER_URL)


def look_up(siret: str) -> Found | None:
    """The establishment with this number, or None where the register knows none."""
    try:
        return read(json.loads(answer_in_time(siret)), siret)
    except (OSError, ValueError, RecursionError) as error:
        logger.warning("The company register gave no answer: %r", error)
        raise RegisterDown from error


def answer_in_time(siret: str) -> bytes:
    """The time-out of `requests` counts each read anew and no name look-up: a thread is
    left behind where all of it together takes too long."""
    answer: Future[bytes] = Future()

    def run() -> None:
        try:
            answer.set_result(fetch(siret))
        except Exception as error:
            answer.set_exception(error)

    Thread(target=run, name="company-register", daemon=True).start()
    return answer.result(timeout=SECONDS)


def fetch(siret: str) -> bytes:
    ends = time.monotonic() + SECONDS
    body = bytearray()
    with requests.get(
        f"{settings.COMPANY_REGISTER_URL}/search",
        params={"q": siret, "per_page": "1"},
        headers={"Accept": "application/json"},
        timeout=SECONDS,
        stream=True,
        allow_redirects=False,
    ) as answer:
        if answer.status_code != 200:
            raise ValueError(f"status {answer.status_code}")
        for part in answer.iter_content(1024):
            body += part
            if len(body) > MOST_BYTES or time.monotonic() > ends:
                raise ValueError("an answer without end")
    return bytes(body)


def read(answer: Any, siret: str) -> Found | None:
    for each in a(list, a(dict, answer).get("results")):
        firm = a(dict, each)
        for one in establishments(firm):
            if one.get("siret") == siret:
                return found(firm, one)
    return None


def establishments(firm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in a(list, firm.get("matching_etablissements") or []):
        yield a(dict, one)
    yield a(dict, firm.get("siege") or {})


def found(firm: dict[str, Any], one: dict[str, Any]) -> Found:
    legal_name = text(firm, "nom_raison_sociale") or text(firm, "nom_complet")
    signs = [shown(sign) for sign in a(list, one.get("liste_enseignes") or [])]
    postcode, city = text(one, "code_postal"), text(one, "libelle_commune")
    return Found(
        siret=text(one, "siret"),
        legal_name=legal_name,
        name=next(filter(None, signs), legal_name),
        address=without_end(text(one, "adresse"), f"{postcode} {city}".strip()),
        postcode=postcode,
        city=city,
        latitude=degrees(one.get("latitude"), 90),
        longitude=degrees(one.get("longitude"), 180),
        is_closed=is_closed(firm) or is_closed(one),
    )


def is_closed(row: dict[str, Any]) -> bool:
    """A firm that ended is C, an establishment F; A is one at work."""
    return text(row, "etat_administratif") not in {"", "A"}


def a(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise ValueError(f"{type(value).__name__} instead of {kind.__name__}")
    return value


def text(row: dict[str, Any], key: str) -> str:
    return shown(row.get(key))


def shown(value: object) -> str:
    if value is None:
        return ""
    words = " ".join(a(str, value).split())
    return "" if HIDDEN in words else words


def without_end(address: str, end: str) -> str:
    """The street alone: postcode and commune have fields of their own."""
    return re.sub(rf"[\s,]*{re.escape(end)}$", "", address) if end else address


def degrees(value: object, most: int) -> Decimal | None:
    try:
        number = round(Decimal(str(value)), 6)
        return number if abs(number) <= most else None
    except InvalidOperation:
        return None
