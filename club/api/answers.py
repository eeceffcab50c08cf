"""Answers that are light to make: JSON by hand, a tag of their bytes, a cursor to go on."""

import base64
import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from club.api.problems import ProblemRaised


def plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def as_text(data: Any) -> str:
    return json.dumps(data, default=plain, ensure_ascii=False, separators=(",", ":"))


def tag_of(body: str) -> str:
    return f'"{hashlib.blake2b(body.encode(), digest_size=12).hexdigest()}"'


def names(header: str, tag: str) -> bool:
    """Whether an If-Match or If-None-Match names this tag."""
    wanted = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in wanted or tag in wanted


def written(body: str, status: int = 200, location: str = "") -> HttpResponse:
    response = HttpResponse(body, status=status, content_type="application/json")
    response["ETag"] = tag_of(body)
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization"
    if location:
        response["Location"] = location
    return response


def read(request: HttpRequest, data: Any) -> HttpResponse:
    """The answer to a GET: 304 without a body where the caller holds these very bytes."""
    response = written(as_text(data))
    known = request.META.get("HTTP_IF_NONE_MATCH")
    if known and names(known, response["ETag"]):
        response.status_code = 304
        response.content = b""
        del response["Content-Type"]
    return response


def make_cursor(*position: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def read_cursor(cursor: str, length: int) -> list[str]:
    """The position in a cursor of ours; anything else is refused."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
    except (ValueError, RecursionError):
        position = None
    if (
        not isinstance(position, list)
        or len(position) != length
        or not all(isinstance(part, str) and "\x00" not in part for part in position)
    ):
        raise bad_cursor()
    try:
        json.dumps(position, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise bad_cursor() from None
    return position


def bad_cursor() -> ProblemRaised:
    return ProblemRaised(422, "bad_cursor", _("Ce curseur n’est pas l’un des nôtres."), "cursor")
