"""Les prix: what a visitor may subscribe to, for how much, and how one pays."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from club.queries.paying import pays_online
from concierge.enums import Audience
from concierge.models import Plan
from concierge.views.catalogue import here
from concierge.views.shown_plans import plan_card


@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    """The landlord's offered formulas; a named list's are nobody else's business."""
    place = here(request)
    plans = (
        Plan.objects.filter(landlord=place.landlord_id, is_offered=True)
        .exclude(audience=Audience.LISTED)
        .select_related("landlord")
    )
    context = {
        "plans": [plan_card(plan) for plan in plans],
        "online": pays_online(place),
    }
    return render(request, "concierge/prices.html", context)
