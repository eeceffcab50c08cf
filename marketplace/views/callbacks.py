"""A member asks one intermediary for a call, and takes it back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from club.access import MemberRequest, member_required
from club.forms import add_refusal
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from marketplace.domain import callbacks
from marketplace.enums import PartnerKind
from marketplace.forms.insurance import CallbackForm
from marketplace.models import CallbackRequest, Partner
from marketplace.queries.callbacks import open_of, takes_callbacks


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def callback(request: MemberRequest, public_id: str) -> HttpResponse:
    """What was asked stays readable, and can be taken back, whoever is shown today."""
    intermediaries = Partner.objects.filter(kind=PartnerKind.INTERMEDIARY)
    partner: Partner = get_object_or_404(
        intermediaries, public_id=public_id, landlord=request.member.household.landlord_id
    )
    asked = open_of(request.member, partner)
    if request.method == "POST" and request.POST.get("act") == "withdraw":
        return take_back(request, partner, asked)
    if asked is not None:
        return told(request, partner, asked)
    today = local_day(timezone.now())
    if not takes_callbacks(partner, request.member.household.landlord, today):
        return render(request, "404.html", status=404)
    return form_page(request, partner)


def form_page(request: MemberRequest, partner: Partner) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    form = CallbackForm(data, partner=partner, member=request.member)
    if form.is_bound and form.is_valid():
        try:
            callbacks.ask_callback(
                partner, request.member, **form.cleaned_data, by=request.user, now=timezone.now()
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return redirect("marketplace:callback", partner.public_id)
    context = {"form": form, "partner": partner}
    status = 422 if form.is_bound else 200
    return render(request, "marketplace/callback.html", context, status=status)


def told(request: MemberRequest, partner: Partner, asked: CallbackRequest) -> HttpResponse:
    context = {
        "partner": partner,
        "asked": asked,
        "phone": spoken_phone(asked.phone),
        "sentence": callbacks.sentence_of(partner, asked.wording),
    }
    return render(request, "marketplace/callback_asked.html", context)


def take_back(
    request: MemberRequest, partner: Partner, asked: CallbackRequest | None
) -> HttpResponse:
    if asked is not None:
        try:
            callbacks.withdraw(asked, by=request.user, now=timezone.now())
        except Refused as refused:
            messages.info(request, str(refused.reasons[0].text))
            return redirect(partner)
    messages.success(request, _("C’est retiré. Il ne lit plus votre nom ni votre numéro."))
    return redirect("marketplace:directory")
