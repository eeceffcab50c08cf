from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control

from club.kernel.theme import VARIABLES
from club.models import Landlord


@cache_control(public=True, max_age=31_536_000, immutable=True)
def stylesheet(request: HttpRequest, landlord_id: int, stamp: str) -> HttpResponse:
    """The landlord's six colours. The stamp in the address changes with them."""
    landlord = get_object_or_404(Landlord, pk=landlord_id)
    rules = "".join(f"--{name.replace('_', '-')}:{getattr(landlord, name)};" for name in VARIABLES)
    return HttpResponse(f":root{{{rules}}}", content_type="text/css")
