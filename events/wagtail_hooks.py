"""The admin's screens of events, and what serves their pages."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from wagtail import hooks
from wagtail.models import Page

from events.views import pages


@hooks.register("before_serve_page")
def serve_event_pages(
    page: Page, request: HttpRequest, args: Any, kwargs: Any
) -> HttpResponse | None:
    """A page type lies below the views, so it is served from here."""
    return pages.serve(page, request)
