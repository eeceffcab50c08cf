"""A partner's offer: written on one screen, seen as residents will, sent for agreement."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from club.forms import add_refusal
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from content.models import Picture
from marketplace.access import PartnerRequest, partner_required
from marketplace.domain import offers
from marketplace.domain.pictures import keep_picture
from marketplace.enums import PartnerKind
from marketplace.forms import offers as offer_forms
from marketplace.forms.offers import OfferForm
from marketplace.models import Offer
from marketplace.queries.offers import Terms, as_offer, terms_of, with_standings
from marketplace.views.shown_offers import card_of

SELLING = (PartnerKind.MERCHANT, PartnerKind.PRODUCER, PartnerKind.ARTISAN)
"""Whoever mediates insurance gives nothing away with it."""

DEEDS: dict[str, Any] = {
    "reprendre": (offers.take_back, _("Votre demande est reprise.")),
    "retirer": (offers.withdraw, _("Les habitants ne voient plus cet avantage.")),
    "remettre": (offers.bring_back, _("Les habitants voient de nouveau cet avantage.")),
}


def mine(request: PartnerRequest, public_id: str) -> Offer:
    own = Offer.objects.filter(partner=request.partner)
    found: Offer = get_object_or_404(
        own.select_related("partner__picture", "partner__landlord", "picture"), public_id=public_id
    )
    return found


@partner_required(*SELLING)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: PartnerRequest) -> HttpResponse:
    return screen(request, None)


@partner_required(*SELLING)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: PartnerRequest, public_id: str) -> HttpResponse:
    return screen(request, mine(request, public_id))


def screen(request: PartnerRequest, offer: Offer | None) -> HttpResponse:
    now = timezone.now()
    if offer is not None:
        with_standings([offer])
    context: dict[str, Any] = {"offer": offer, "was_sent": "envoye" in request.GET}
    if request.method == "POST":
        form = OfferForm(request.POST, request.FILES, partner=request.partner)
        context |= {"form": form, "was_sent": False}
        is_sound = form.is_valid()
        try:
            picture = photo_of(request, form)
            terms = form.terms(picture.pk if picture else None)
            if is_sound:
                return answer(request, offer, terms, context, now)
            offers.drafted(copy_of(offer), request.partner, terms, now=now)
        except Refused as refused:
            add_refusal(form, untold(refused, form))
        return render(request, "marketplace/pro/offer.html", context, status=422)
    if offer is None:
        context["form"] = offer_forms.empty(request.partner, local_day(now))
    else:
        context["form"] = offer_forms.filled(offer.standing.newest, request.partner)
        if offer.live:
            context["on_line"] = card_of(offer, local_day(now))
    return render(request, "marketplace/pro/offer.html", context)


def answer(
    request: PartnerRequest,
    offer: Offer | None,
    terms: Terms,
    context: dict[str, Any],
    now: datetime,
) -> HttpResponse:
    """The page again with what residents will read, or the offer on its way."""
    if "apercu" in request.POST:
        draft = offers.drafted(copy_of(offer), request.partner, terms, now=now)
        context["preview"] = card_of(draft, local_day(now))
        return render(request, "marketplace/pro/offer.html", context)
    sent = offers.propose(offer, request.partner, terms, by=request.user, now=now)
    return redirect(f"{reverse('pro:offer-edit', args=[sent.public_id])}?envoye=1")


def untold(refused: Refused, form: OfferForm) -> Refused:
    """What the rules say of the fields that could be read: all faults are told at once."""
    return Refused([one for one in refused.reasons if one.field not in form.errors])


def copy_of(offer: Offer | None) -> Offer | None:
    """A preview changes nothing of what the page says is on line."""
    return as_offer(offer, terms_of(offer)) if offer is not None else None


def photo_of(request: PartnerRequest, form: OfferForm) -> Picture | None:
    """The photo that was sent, now or before; the page carries its number on."""
    upload = form.cleaned_data.get("photo")
    if upload:
        title = form.cleaned_data.get("title") or request.partner.name
        picture: Picture | None = keep_picture(
            upload, request.partner, title=title, by=request.user, field="photo"
        )
    else:
        picture = Picture.objects.filter(pk=form.kept_photo()).first()
    form.keep(picture.pk if picture else None)
    return picture


@partner_required(*SELLING)
@require_POST
def act(request: PartnerRequest, public_id: str, deed: str) -> HttpResponse:
    if deed not in DEEDS:
        raise Http404
    offer = mine(request, public_id)
    verb, done = DEEDS[deed]
    try:
        verb(offer, by=request.user, now=timezone.now())
    except Refused as refused:
        for reason in refused.reasons:
            messages.info(request, str(reason.text))
    else:
        messages.success(request, str(done))
    return redirect("pro:offer-edit", offer.public_id)
