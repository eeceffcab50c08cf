"""Tickets: signed codes that a phone at the door verifies without the network.

`T1.<session>.<reference>.<places>.<signature>`: ECDSA over P-256 with SHA-256, as
browsers verify it (WebCrypto). The private key is made from the house's secret and never
leaves the server; the door's page carries the public ones.
"""

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from club.kernel.codes import AZERTY_DIGITS

if TYPE_CHECKING:
    from events.models import Registration

PREFIX = "T1"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256: its private keys are the whole numbers below."""
SHAPE = re.compile(
    r"(T1\.(?P<session>[\w-]{8,12})\.(?P<reference>R\d{10})\.(?P<quantity>\d{1,2}))"
    r"\.(?P<signature>[\w-]{86})",
    re.ASCII,
)
AZERTY_LETTERS = str.maketrans("qQwWaAzZ,?:)°", "aAzZqQwWmM.-_")
"""What an AZERTY host makes of the letters and signs of a US-layout scanner, back."""
MANGLED = re.compile(r"[Tt]&:")


@dataclass(frozen=True)
class Ticket:
    """What a code says: which places at which session, when it was drawn."""

    session: str
    reference: str
    quantity: int


@lru_cache(maxsize=8)
def private_key(secret: str) -> ec.EllipticCurvePrivateKey:
    # 48 bytes for a curve of 32: the remainder's bias is nothing (RFC 9380, section 5).
    derived = HKDF(hashes.SHA256(), 48, salt=None, info=b"events.tickets.1").derive(secret.encode())
    return ec.derive_private_key(int.from_bytes(derived) % (ORDER - 1) + 1, ec.SECP256R1())


def public_keys() -> list[ec.EllipticCurvePublicKey]:
    """Of the secret, and of those before it, so that tickets outlive a change."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [private_key(secret).public_key() for secret in secrets]


def web_keys() -> list[dict[str, str]]:
    """The public keys as WebCrypto imports them."""
    found = []
    for key in public_keys():
        point = key.public_numbers()
        x, y = (encoded(number.to_bytes(32)) for number in (point.x, point.y))
        found.append({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    return found


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def ticket_code(registration: "Registration") -> str:
    """The code on the ticket of a registration, drawn as a QR."""
    body = (
        f"{PREFIX}.{registration.session.public_id}.{registration.reference}"
        f".{registration.quantity}"
    )
    signed = private_key(settings.SECRET_KEY).sign(body.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(signed)
    return f"{body}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"


def as_sent(code: str) -> str:
    """The code as the ticket has it, whatever the host's keyboard made of it."""
    code = code.strip()
    if MANGLED.match(code):
        code = code.translate(AZERTY_DIGITS).translate(AZERTY_LETTERS)
    return code


def read_ticket(code: str) -> Ticket | None:
    """What a code says, if this house signed it."""
    found = SHAPE.fullmatch(as_sent(code))
    if found is None:
        return None
    raw = base64.urlsafe_b64decode(found["signature"] + "==")
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    signature = utils.encode_dss_signature(r, s)
    for key in public_keys():
        try:
            key.verify(signature, found[1].encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            continue
        return Ticket(found["session"], found["reference"], int(found["quantity"]))
    return None
