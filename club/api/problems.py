"""Problem documents (RFC 9457): one shape for each refusal, with a code that stays."""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Schema
from ninja.errors import HttpError, ValidationError

from club.kernel import bookings
from club.kernel.refusal import Refused
from club.kernel.transactions import Contended

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
CONFLICTS = {
    "already_registered", "full", "limit_reached", "next_loan_begun", "no_room", "offer_over",
    "ordered_already", "sold_out", "taken", "wrong_state",
}  # fmt: skip
TOLD_ON_TOP = ("next_free", "next_slots", "places_left")
"""What a caller needs to go on, where the first reason tells it."""
RIGHTS = {"no_right", "right_not_begun", "right_ends"}


class FieldProblem(Schema):
    """One reason; `field` names the part of the request at fault, `facts` help to go on."""

    code: str
    detail: str
    field: str | None = None
    facts: dict[str, Any] = {}


class FreeWindow(Schema):
    starts_on: str
    ends_on: str


class Problem(Schema):
    """RFC 9457. `code` is stable; `detail` is a sentence for the person, in French."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] = []
    next_free: list[FreeWindow] | None = None
    next_slots: list[datetime] | None = None
    places_left: int | None = None


def declared(*statuses: int) -> dict[int, type[Schema]]:
    """For a route's list of answers: each with a problem document."""
    return dict.fromkeys(statuses, Problem)


PROBLEMS = declared(401, 403, 405, 413, 422, 429, 500, 503)
"""What any route may answer."""


def title_of(status: int) -> str:
    return {
        400: _("Demande illisible"),
        401: _("Jeton absent ou inconnu"),
        403: _("Pas permis"),
        404: _("Introuvable"),
        405: _("Méthode non permise"),
        409: _("En conflit avec ce qui existe"),
        412: _("Changé entre-temps"),
        413: _("Demande trop longue"),
        415: _("Format non pris en charge"),
        422: _("Demande refusée"),
        429: _("Trop de demandes"),
        500: _("Erreur du service"),
        503: _("Service occupé"),
    }[status]


class ProblemRaised(Exception):
    """Raised where a request ends with a problem that no verb found."""

    def __init__(
        self, status: int, code: str, detail: str, field: str | None = None, **headers: str
    ) -> None:
        self.status, self.code, self.detail, self.field = status, code, detail, field
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        super().__init__(code)


def not_found() -> ProblemRaised:
    return ProblemRaised(404, "not_found", _("Rien à cette adresse."))


def document(
    status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None, **more: Any
) -> str:
    return json.dumps(
        {
            "type": f"urn:conciergerie:problem:{code}",
            "title": title_of(status),
            "status": status,
            "detail": detail,
            "code": code,
            "errors": errors or [],
            **more,
        },
        ensure_ascii=False,
    )


def answer(
    status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None, **more: Any
) -> HttpResponse:
    body = document(status, code, detail, errors, **more)
    response = HttpResponse(body, status=status, content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store"
    return response


def status_of(refusal: Refused) -> int:
    """409 where it meets something that exists, 403 where a right is missing, else 422."""
    codes = set(refusal.codes)
    if "changed_meanwhile" in codes:
        return 412
    if codes & CONFLICTS:
        return 409
    return 403 if codes & RIGHTS else 422


def of_refusal(refusal: Refused) -> tuple[int, str]:
    """The status and the document of a verb's refusal: every reason, the first in front."""
    status = status_of(refusal)
    errors = [
        {
            "code": reason.code,
            "detail": str(reason.text),
            "field": reason.field,
            "facts": reason.facts,
        }
        for reason in refusal.reasons
    ]
    first = refusal.reasons[0]
    more = {name: first.facts[name] for name in TOLD_ON_TOP if name in first.facts}
    return status, document(status, first.code, str(first.text), errors, **more)


def refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    status, body = of_refusal(refusal)
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def raised(request: HttpRequest, problem: ProblemRaised) -> HttpResponse:
    errors = (
        [{"code": problem.code, "detail": problem.detail, "field": problem.field, "facts": {}}]
        if problem.field
        else []
    )
    response = answer(problem.status, problem.code, problem.detail, errors)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def sentence_for(error: dict[str, Any]) -> str:
    """What to write instead, from pydantic's own kind of error."""
    context = error.get("ctx", {})
    if "sentence" in context:
        return str(context["sentence"])
    kind = error["type"]
    if kind == "missing":
        return _("Il manque cette valeur.")
    if kind == "extra_forbidden":
        return _("Ce nom est inconnu.")
    if kind == "string_too_long":
        return _("Ce texte est trop long.")
    if kind in {"greater_than_equal", "less_than_equal"}:
        limit = context.get("ge", context.get("le"))
        return (
            _("Il faut au moins %(limit)s.") if "ge" in context else _("Il faut au plus %(limit)s.")
        ) % {"limit": limit}
    return _("Cette valeur ne convient pas.")


def field_of(fault: dict[str, Any]) -> str | None:
    """The name that the caller used: the kind that tells shapes apart is none of it."""
    path = [str(part) for part in fault["loc"][1:] if part != "body"]
    if fault["type"].startswith("union_tag"):
        path.append(str(fault["ctx"]["discriminator"]).strip("'"))
    elif path and path[0] in {kind.name for kind in bookings.kinds()}:
        path = path[1:]
    return ".".join(path) or None


def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """422 with each field at fault, by the name that the caller used."""
    errors = []
    for fault in error.errors:
        errors.append(
            {
                "code": fault["type"],
                "detail": sentence_for(fault),
                "field": field_of(fault),
                "facts": {},
            }
        )
    return answer(422, "invalid", _("Une valeur ne convient pas."), errors)


def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Ninja's own: a body that cannot be read (its parser may have said why)."""
    if isinstance(error.__cause__, ProblemRaised):
        return raised(request, error.__cause__)
    return answer(400, "unreadable", _("Le contenu n’est pas du JSON."))


def missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return raised(request, not_found())


def busy(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.warning("The API gave way: %s", type(error).__name__, exc_info=error)
    response = answer(503, "busy", _("Trop de monde à la fois. Réessayez."))
    response["Retry-After"] = "1"
    return response


def too_long(request: HttpRequest, error: Exception) -> HttpResponse:
    return answer(413, "too_long", _("Envoyez moins de 64 Ko."))


def broken(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("The API failed: %s", request.path, exc_info=error)
    return answer(500, "internal", _("Le service a échoué. Réessayez plus tard."))


HANDLERS: list[tuple[type[Exception], Callable[..., HttpResponse]]] = [
    (Refused, refused),
    (ProblemRaised, raised),
    (ValidationError, invalid),
    (HttpError, unreadable),
    (Http404, missing),
    (RequestDataTooBig, too_long),
    (Contended, busy),
    (OperationalError, busy),
    (Exception, broken),
]


def of_error(request: HttpRequest, error: Exception) -> HttpResponse:
    """The problem document of whatever went wrong."""
    return next(handle for kind, handle in HANDLERS if isinstance(error, kind))(request, error)
