"""Mon offre: how many are left today, sold out or not, in two taps and with a way back."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from club.forms import add_refusal
from club.kernel import producers
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from marketplace.access import PartnerRequest, partner_required
from marketplace.domain.atonce import sell_again, set_stock, step_stock
from marketplace.enums import OfferKind, PartnerKind
from marketplace.forms.page import LeftForm
from marketplace.models import Offer
from marketplace.queries.changes import last_stocks
from marketplace.queries.offers import as_offer, with_standings, with_stock
from marketplace.queries.own import own_offers
from marketplace.views.pro.history import saved_words
from marketplace.views.shown import look_of

SELLERS = (PartnerKind.MERCHANT, PartnerKind.PRODUCER, PartnerKind.ARTISAN)
"""An intermediary in insurance gives no advantage on a contract."""


@require_safe
@partner_required(*SELLERS)
def offers(request: PartnerRequest) -> HttpResponse:
    return offers_page(request, timezone.now())


@require_POST
@partner_required(*SELLERS)
def stock(request: PartnerRequest, public_id: str) -> HttpResponse:
    """One tap: one more, one less, a number, sold out or there again."""
    now = timezone.now()
    shown = Offer.objects.filter(partner=request.partner, live=True, withdrawn_on=None)
    offer = get_object_or_404(shown, public_id=public_id)
    act = request.POST.get("faire", "")
    form = LeftForm(request.POST if act == "nombre" else None, auto_id=f"id_%s_{public_id}")
    if form.is_bound and not form.is_valid():
        return offers_page(request, now, offer, form, 422)
    try:
        match act:
            case "plus" | "moins":
                step_stock(offer, 1 if act == "plus" else -1, by=request.user, now=now)
            case "nombre":
                set_stock(offer, left=form.cleaned_data["left"], by=request.user, now=now)
            case "epuise":
                set_stock(offer, sold_out=True, by=request.user, now=now)
            case "disponible":
                sell_again(offer, by=request.user, now=now)
    except Refused as refused:
        if form.is_bound and "no_change" not in refused.codes:
            add_refusal(form, refused)
            return offers_page(request, now, offer, form, 422)
        for reason in refused.reasons:
            messages.info(request, str(reason.text))
    return redirect(f"{reverse('pro:offers')}#o-{public_id}")


def asked_of(offer: Any) -> str:
    """What the card would give once the change that waits is agreed to; beside what it gives."""
    if not (offer.standing.is_shown and offer.standing.waits_since):
        return ""
    wanted = as_offer(offer, offer.standing.newest).gives
    return wanted if wanted != offer.gives else ""


def offers_page(
    request: PartnerRequest,
    now: datetime,
    typed_for: Offer | None = None,
    form: LeftForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """`form` is what was typed for one of the offers, with its fault."""
    today = local_day(now)
    found: list[Any] = with_standings(with_stock(own_offers(request.partner, today), today))
    photos: list[Any] = [offer.picture for offer in found if offer.picture is not None]
    if photos:
        prefetch_related_objects(photos, "renditions")
    saved = last_stocks(request.partner, today)
    wall, picture = look_of(request.partner, [])
    lines = []
    for offer in found:
        row = saved.get(offer.pk)
        own = form if offer == typed_for else None
        initial = {"left": offer.left}
        lines.append(
            {
                "offer": offer,
                "counts": offer.standing.is_shown and offer.starts_on <= today,
                "has_pieces": offer.kind != OfferKind.PERCENT or offer.left is not None,
                "asked": asked_of(offer),
                "saved": saved_words(row) if row else "",
                "undo": row.pk if row else None,
                "form": own or LeftForm(initial=initial, auto_id=f"id_%s_{offer.public_id}"),
                "is_typed": own is not None,
            }
        )
    context = {
        "lines": lines,
        "wall": wall,
        "picture": picture,
        "form": form,
        "orders": producers.lines(request.partner.producer, now)
        if request.partner.delivers
        else [],
    }
    return render(request, "marketplace/pro/offers.html", context, status=status)
