"""“On m’a refusé cet avantage”: what a member tells the officer, and nobody reads in public."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from club.access import MemberRequest, member_required
from club.forms import add_refusal
from club.kernel import words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from marketplace.domain.reports import report_refusal
from marketplace.forms import RefusalForm
from marketplace.models import Offer


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def refused(request: MemberRequest, public_id: str) -> HttpResponse:
    """Also for an offer that is over: it may have been refused on its last day."""
    agreed = Offer.objects.filter(live=True, partner__landlord=request.member.household.landlord_id)
    offer = get_object_or_404(agreed.select_related("partner"), public_id=public_id)
    now = timezone.now()
    form = RefusalForm(request.POST or None, initial={"on": local_day(now)})
    context = {"offer": offer, "partner": offer.partner, "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            report = report_refusal(
                request.member, offer, **form.cleaned_data, by=request.user, now=now
            )
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            context["day"] = words.day(report.happened_on)
            return render(request, "marketplace/refused_told.html", context)
    status = 422 if form.is_bound else 200
    return render(request, "marketplace/refused.html", context, status=status)
