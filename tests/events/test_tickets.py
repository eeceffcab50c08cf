"""Signed tickets: what is written is read, and nothing that was touched."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from events.tickets import Ticket, public_keys, read_ticket, ticket_code, web_keys
from tests.factories.events import RegistrationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def registration(place: Any) -> Any:
    return RegistrationFactory(session__place=place, quantity=3)


def test_a_ticket_says_which_places_at_which_session(registration: Any) -> None:
    code = ticket_code(registration)
    assert read_ticket(code) == Ticket(registration.session.public_id, registration.reference, 3)
    assert read_ticket(f"  {code}\n") is not None


@pytest.mark.parametrize("part", [1, 2, 3, 4])
def test_a_ticket_that_was_touched_is_none(registration: Any, part: int) -> None:
    parts = ticket_code(registration).split(".")
    last = parts[part][-1]
    parts[part] = parts[part][:-1] + ("4" if last != "4" else "5")
    if part == 4:
        parts[part] = ("A" if parts[part][0] != "A" else "B") + parts[part][1:]
    assert read_ticket(".".join(parts)) is None


@pytest.mark.parametrize(
    "text",
    ["", "T1", "T1.a.b.c.d", "R1234567890", "é" * 200, "T1.abcdefghij.R1234567890.3." + "A" * 86],
)
def test_what_is_no_ticket_is_none(text: str) -> None:
    assert read_ticket(text) is None


def test_another_house_signs_otherwise(registration: Any, settings: Any) -> None:
    code = ticket_code(registration)
    settings.SECRET_KEY = "another-secret-of-another-house"
    assert read_ticket(code) is None


def test_tickets_outlive_a_change_of_the_secret(registration: Any, settings: Any) -> None:
    code = ticket_code(registration)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the-new-secret-of-the-same-house"
    assert read_ticket(code) is not None
    assert len(web_keys()) == 2


def test_a_scanner_on_an_azerty_host_is_understood(registration: Any) -> None:
    """A US-layout scanner presses keys; the host reads its own letters under them."""
    letters = str.maketrans("1234567890aAqQzZwWmM.-_", "&é\"'(-è_çàqQaAwWzZ,?:)°")
    code = ticket_code(registration)
    assert read_ticket(code.translate(letters)) == read_ticket(code)


def test_browsers_verify_with_the_public_key(registration: Any) -> None:
    """The key as WebCrypto imports it is the key that signed."""
    [key] = web_keys()
    x, y = (int.from_bytes(base64.urlsafe_b64decode(key[name] + "=")) for name in "xy")
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    assert public == public_keys()[0]
    body, _, signature = ticket_code(registration).rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    signed = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public.verify(signed, body.encode(), ec.ECDSA(hashes.SHA256()))
