from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from club.kernel import links


def follow(request: HttpRequest, code: str) -> HttpResponse:
    """From the short link of an SMS to the page of its booking."""
    reference = links.reference_of(code, timezone.localdate())
    if reference is None:
        raise Http404
    response = HttpResponseRedirect(links.booking_path(reference))
    response["Cache-Control"] = "private, no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
