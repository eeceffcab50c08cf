"""The intermediary reads who asked for a call, and says when it was made."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from marketplace.access import PartnerRequest, partner_required
from marketplace.domain.callbacks import mark_called
from marketplace.enums import PartnerKind
from marketplace.queries.callbacks import asked_of


@require_safe
@partner_required(PartnerKind.INTERMEDIARY)
def callbacks(request: PartnerRequest) -> HttpResponse:
    lines = [(one, spoken_phone(one.phone)) for one in asked_of(request.partner, timezone.now())]
    context = {
        "waiting": [line for line in lines if line[0].called_at is None],
        "called": [line for line in lines if line[0].called_at is not None],
    }
    return render(request, "marketplace/pro/callbacks.html", context)


@require_POST
@partner_required(PartnerKind.INTERMEDIARY)
def called(request: PartnerRequest, pk: int) -> HttpResponse:
    asked = get_object_or_404(request.partner.callbacks, pk=pk)
    try:
        mark_called(asked, by=request.user, now=timezone.now())
    except Refused as refused:
        messages.info(request, str(refused.reasons[0].text))
    else:
        messages.success(request, _("C’est noté : vous avez rappelé."))
    return redirect("pro:callbacks")
