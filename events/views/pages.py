"""The pages of the programme: the list by date with its month, and one event."""

from django.http import HttpRequest, HttpResponse
from wagtail.models import Page


def serve(page: Page, request: HttpRequest) -> HttpResponse | None:
    """What Wagtail serves for a page of ours; None for any other."""
    return None
