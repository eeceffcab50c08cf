"""One key, one effect, one answer, without a look-up before the deed.

The answer is written in the transaction of the deed, as its last row, and the unique
key is the judge: a second request with the same key undoes itself there, or is
refused earlier by what the first one did, and is then answered with the row.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import refuse
from club.kernel.rows import insert
from club.kernel.transactions import in_one_transaction
from club.models import ApiToken, IdempotentAnswer


@dataclass(frozen=True)
class Answer:
    """What the caller is told: `body` is the exact text."""

    status: int
    body: str
    location: str = ""


@dataclass(frozen=True)
class KeyedRequest:
    """Whose key it is, and what it was used for."""

    token: ApiToken
    key: str
    digest: str


def digest_of(method: str, path: str, body: str) -> str:
    return hashlib.sha256(f"{method} {path}\n{body}".encode()).hexdigest()


@in_one_transaction
def keep(request: KeyedRequest, answer: Answer, now: datetime) -> None:
    """Write the answer; an `IntegrityError` says that the key has one already."""
    insert(
        IdempotentAnswer(
            token=request.token,
            key=request.key,
            request_digest=request.digest,
            status=answer.status,
            body=answer.body,
            location=answer.location,
            answered_at=now,
        )
    )


def stored(request: KeyedRequest) -> Answer | None:
    """The answer that this key was given; refused where it was for another request."""
    row = IdempotentAnswer.objects.filter(token=request.token, key=request.key).first()
    if row is None:
        return None
    if row.request_digest != request.digest:
        raise refuse("key_reused", _("Cette clé a servi à une autre demande."), "Idempotency-Key")
    return Answer(row.status, row.body, row.location)


def settle(request: KeyedRequest, answer: Answer, now: datetime) -> Answer:
    """The key's answer after a refusal: the one it had, else this one from now on.

    A refusal is an answer too: the same request is not refused once and granted later.
    """
    held = stored(request)
    if held is not None:
        return held
    try:
        keep(request, answer, now)
    except IntegrityError:
        return stored(request) or answer
    return answer
