"""The short way of an API call through the house.

A call with a bearer token needs no session, cookie, form check, language choice or
page cache, and each of them costs time. So `/api/` leaves the chain here; whatever
goes wrong on the way is answered by a problem document.
"""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver
from django.utils import translation
from django.utils.translation import gettext as _

from club.api import problems
from club.kernel.limits import Allowance

PREFIX = "/api/"
DOCS = "/api/v1/docs"
MOST_BYTES = 64 * 1024


class ApiPathMiddleware:
    """Stands after the security headers and before everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if not path.startswith(PREFIX) or path.startswith(DOCS):
            return self.get_response(request)
        translation.activate(settings.LANGUAGE_CODE)
        is_head = request.method == "HEAD"
        if is_head:
            request.method = "GET"
        response = answered(request)
        allowance = getattr(request, "allowance", None)
        if allowance is not None:
            tell_allowance(response, allowance)
        response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        response["Content-Length"] = str(len(response.content))
        if is_head:
            response.content = b""
        return response


def answered(request: HttpRequest) -> HttpResponse:
    try:
        if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
            raise RequestDataTooBig
        match = get_resolver().resolve(request.path_info)
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    except Exception as error:
        return problems.of_error(request, error)
    if response.status_code == 405:
        allowed = response["Allow"]
        response = problems.answer(405, "method", _("Cette adresse ne connaît pas cette méthode."))
        response["Allow"] = allowed
    return response


def tell_allowance(response: HttpResponse, allowance: Allowance) -> None:
    """draft-ietf-httpapi-ratelimit-headers: the rule, and what is left of it."""
    response["RateLimit-Policy"] = f'"token";q={allowance.limit};w={allowance.window_seconds}'
    response["RateLimit"] = f'"token";r={allowance.remaining};t={allowance.resets_in}'
