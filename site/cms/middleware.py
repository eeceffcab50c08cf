"""Visitors' pages from the shared cache: no session, no template, no statement."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, has_vary_header, patch_vary_headers
from django.utils.translation import get_language_from_request

from club.kernel.codes import digest
from cms import pagecache

logger = logging.getLogger(__name__)

PRIVATE_PATHS = (
    "/admin/", "/api/", "/c/", "/compte/", "/desk/", "/documents/", "/healthz/", "/langue/",
    "/media/", "/mon-espace/", "/static/",
)  # fmt: skip


def is_visitor(request: HttpRequest) -> bool:
    """A plain reading request of somebody who carries nothing of their own.

    An address with a query is left out: anybody could fill the cache with them.
    """
    return (
        request.method in {"GET", "HEAD"}
        and not request.META.get("QUERY_STRING")
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
        and "messages" not in request.COOKIES
        and "HTTP_AUTHORIZATION" not in request.META
        and "HTTP_HX_REQUEST" not in request.META
        and not request.path_info.startswith(PRIVATE_PATHS)
    )


def is_for_all(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a page says the same to every visitor: no cookie, no token, no nonce."""
    control = response.get("Cache-Control", "")
    return (
        request.method == "GET"
        and response.status_code == 200
        and not response.streaming
        and response.get("Content-Type", "").startswith("text/html")
        and not response.cookies
        and not request.META.get("CSRF_COOKIE_NEEDS_UPDATE")
        and not hasattr(request, "_csp_nonce")
        and "private" not in control
        and "no-store" not in control
        and not has_vary_header(response, "*")
    )


class PageCacheMiddleware:
    """Stands before sessions: a kept page is answered before anything is loaded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not settings.PAGE_CACHE_SECONDS or not is_visitor(request):
            return self.private(self.get_response(request))
        try:
            key = pagecache.page_key(request, get_language_from_request(request))
            generation, entry = pagecache.look_up(request, key)
        except DisallowedHost:
            return self.get_response(request)
        except pagecache.CACHE_FAULTS:
            logger.warning("The page cache does not answer.")
            return self.private(self.get_response(request))
        if entry is not None:
            return pagecache.answer(entry, request)
        response = self.get_response(request)
        if not is_for_all(request, response):
            return self.private(response)
        # A browser asks again each time: what it holds may be older than a sign-in.
        response["Cache-Control"] = "no-cache"
        response["ETag"] = f'"{digest(response.content.decode())[:32]}"'
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        try:
            seconds = pagecache.seconds_to_keep(request, timezone.now())
            if seconds > 0:
                pagecache.store(key, generation, response, seconds)
        except pagecache.CACHE_FAULTS:
            logger.warning("The page could not be kept.")
        return get_conditional_response(  # type: ignore[return-value]
            request, etag=response["ETag"], response=response
        )

    def private(self, response: HttpResponse) -> HttpResponse:
        """What is made for one person is kept by no cache in between."""
        if "Cache-Control" not in response and response.get("Content-Type", "").startswith(
            "text/html"
        ):
            response["Cache-Control"] = "private, no-cache"
        return response
