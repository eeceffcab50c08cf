"""A call that changes something: one transaction, and one answer for each key."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.db import IntegrityError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from club.api.answers import written
from club.api.auth import sign_in, token_of
from club.api.problems import MEDIA_TYPE, ProblemRaised, of_refusal
from club.domain.idempotency import Answer, KeyedRequest, digest_of, keep, settle, stored
from club.kernel.refusal import Refused
from club.kernel.transactions import in_one_transaction

Run = Callable[..., HttpResponse]

KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[!-~]+$"},
}


def once(run: Run) -> Run:
    """For ninja's `decorate_view`: the whole call in one transaction, sign-in included.

    So the statement that reads the token also locks its member, whose calls then wait
    for each other; a rule that counts what the member has needs no lock of its own.
    Where the database has no such lock, or where uses are counted in it (a refused
    call must count too), the token is read before the transaction begins.
    """
    attempt = in_one_transaction(run)

    @wraps(run)
    def wrapped(request: HttpRequest, **parameters: Any) -> HttpResponse:
        refuse_bad_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        if not (
            connection.features.has_select_for_update and isinstance(caches["default"], RedisCache)
        ):
            sign_in(request)
        try:
            return attempt(request, **parameters)
        except Refused as refusal:
            keyed = keyed_request(request)
            if keyed is None:
                raise
            return told(settle(keyed, Answer(*of_refusal(refusal)), timezone.now()), replayed=True)
        except IntegrityError:
            keyed = keyed_request(request)
            held = stored(keyed) if keyed else None
            if held is None:
                raise
            return told(held, replayed=True)

    return wrapped


def refuse_bad_key(key: str | None) -> None:
    if key is None or (1 <= len(key) <= 80 and all("!" <= sign <= "~" for sign in key)):
        return
    raise ProblemRaised(
        422, "bad_key", _("La clé fait 80 signes au plus, sans espace."), "Idempotency-Key"
    )


def keyed_request(request: HttpRequest) -> KeyedRequest | None:
    """The request's Idempotency-Key with what it is asked for; the order of names is nothing."""
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    body = json.dumps(getattr(request, "parsed_body", None), sort_keys=True)
    return KeyedRequest(
        token_of(request), key, digest_of(str(request.method), request.path_info, body)
    )


def done(request: HttpRequest, answer: Answer) -> HttpResponse:
    """Answer a call that did its work: the last row of its transaction keeps the answer."""
    keyed = keyed_request(request)
    if keyed is not None:
        keep(keyed, answer, timezone.now())
    return told(answer)


def told(answer: Answer, replayed: bool = False) -> HttpResponse:
    if answer.status >= 400:
        return HttpResponse(answer.body, status=answer.status, content_type=MEDIA_TYPE)
    response = written(answer.body, answer.status, answer.location)
    if replayed:
        response["Idempotent-Replayed"] = "true"
    return response
