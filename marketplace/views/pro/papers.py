"""The partner's papers: which are asked, how each stands, and sending the next one."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from club.forms import add_refusal
from club.kernel import words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.views.files import as_download
from marketplace.access import PartnerRequest, partner_required
from marketplace.domain.papers import send_paper
from marketplace.enums import DocumentStatus, PartnerKind, PartnerStatus
from marketplace.forms.papers import SendPaperForm
from marketplace.models import Partner, PartnerDocument
from marketplace.queries.folder import (
    GOOD,
    LAPSED,
    MISSING,
    SOON,
    TO_CHECK,
    Asked,
    asked_of,
    with_folder,
)

CHIPS = {GOOD: "ok", SOON: "aside", TO_CHECK: "info", LAPSED: "late", MISSING: "late"}
MOST_SHOWN = 20


def line_of(asked: Asked, partner: Partner) -> dict[str, Any]:
    """One paper that is asked, and what its lack hides."""
    hides = asked.state not in {GOOD, SOON} and partner.status == PartnerStatus.LIVE
    return {
        "label": capfirst(asked.label),
        "said": asked.said,
        "chip": CHIPS[asked.state],
        "hides_trade": hides and bool(asked.trade),
        "hides_page": hides and not asked.trade,
    }


def said_of(document: PartnerDocument) -> str:
    if document.status == DocumentStatus.REFUSED:
        return _("à renvoyer : %(reason)s") % {"reason": document.get_refused_for_display()}
    if document.status == DocumentStatus.RECEIVED:
        return _("reçu %(day)s, l’accueil le lit") % {"day": words.day(document.received_at)}
    over = document.ends_on < timezone.localdate()
    return (_("expiré le %(day)s") if over else _("valable jusqu’au %(day)s")) % {
        "day": words.day(document.ends_on)
    }


@require_http_methods(["GET", "HEAD", "POST"])
@partner_required()
def papers(request: PartnerRequest) -> HttpResponse:
    partner, now = with_folder(Partner.objects.all()).get(pk=request.partner.pk), timezone.now()
    asked = asked_of(partner, local_day(now))
    form = SendPaperForm(
        request.POST or None,
        request.FILES or None,
        partner=partner,
        kinds=list(dict.fromkeys(one.need.document for one in asked)),
    )
    if request.method == "POST" and form.is_valid():
        try:
            send_paper(partner, **form.cleaned_data, by=request.user, now=now)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, _("C’est envoyé. L’accueil lit le papier et vous répond."))
            return redirect("pro:papers")
    sent = partner.documents.order_by("-received_at", "-pk")[:MOST_SHOWN]
    context = {
        "form": form,
        "lines": [line_of(one, partner) for one in asked],
        "sent": [(one, capfirst(one.get_kind_display()), said_of(one)) for one in sent],
        "is_artisan": partner.kind == PartnerKind.ARTISAN,
    }
    status = 422 if form.is_bound else 200
    return render(request, "marketplace/pro/papers.html", context, status=status)


@require_safe
@partner_required()
def paper(request: PartnerRequest, pk: int) -> Any:
    """One's own file; another firm's is not there."""
    mine = PartnerDocument.objects.filter(partner=request.partner)
    return as_download(get_object_or_404(mine, pk=pk).file)
