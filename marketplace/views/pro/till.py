"""The till: a card is good or not, then what it is used for; counted, and undone in a tap."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from club.forms import add_refusal
from club.kernel import codes, words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from marketplace.access import PartnerRequest, partner_required
from marketplace.cards import TooManyGuesses, card_shown
from marketplace.domain.uses import TIME_TO_UNDO, take_back_use, use_offer
from marketplace.forms import ShownCardForm, UseForm
from marketplace.models import OfferUse, Partner
from marketplace.queries.uses import FEW, PartnerMonth, months_of, usable_at

SALT = "offer-use"
MONTHS_TOLD = 24
FIELDS = {"amount_cents": "montant", "card": "carte"}


@require_http_methods(["GET", "HEAD", "POST"])
@partner_required()
def till(request: PartnerRequest) -> HttpResponse:
    """With a card, by the form or by `?carte=` of its QR: good or not."""
    now = timezone.now()
    shown = request.POST if request.method == "POST" else request.GET
    form = ShownCardForm(shown if "carte" in shown or request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return answered(request, form, now)
    context: dict[str, Any] = {"form": form, "card_form": form}
    if not form.is_bound:
        context |= counted(request.partner, request.GET.get("compte", ""), now)
    return page(request, context, status=422 if form.is_bound else 200)


def answered(request: PartnerRequest, form: ShownCardForm, now: datetime) -> HttpResponse:
    """The card, and the form of what it is used for where it is good."""
    try:
        found = card_shown(request, request.partner, form.read, now)
    except TooManyGuesses:
        return render(request, "429.html", status=429)
    context: dict[str, Any] = {"is_answered": True, "card_form": ShownCardForm()}
    if found is not None:
        initial = {"carte": form.cleaned_data["carte"], "key": codes.token()}
        context |= good(request.partner, found, UseForm(initial=initial), now)
    return page(request, context)


def good(partner: Partner, found: Any, form: UseForm, now: datetime) -> dict[str, Any]:
    member, until = found
    return {
        "is_answered": True,
        "card_form": ShownCardForm(),
        "form": form,
        "first_name": member.first_name,
        "until": until,
        "offers": list(usable_at(partner, local_day(now))),
    }


def page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, "marketplace/pro/till.html", context, status=status)


@require_POST
@partner_required()
def count(request: PartnerRequest) -> HttpResponse:
    """One use. The card is read again: the page may lie open since another day."""
    now = timezone.now()
    form = UseForm(request.POST)
    is_whole = form.is_valid()
    if not hasattr(form, "read"):
        return redirect("pro:till")
    try:
        found = card_shown(request, request.partner, form.read, now)
    except TooManyGuesses:
        return render(request, "429.html", status=429)
    if found is None:
        return page(request, {"is_answered": True, "card_form": ShownCardForm()})
    if is_whole:
        said = form.cleaned_data
        offer = get_object_or_404(request.partner.offers, public_id=said["offre"])
        try:
            use = use_offer(
                offer,
                member=found[0],
                amount_cents=said["montant"],
                by=request.user,
                now=now,
                form_key=said["key"],
            )
        except Refused as refused:
            add_refusal(form, refused, fields=FIELDS)
        else:
            return redirect(f"{reverse('pro:till')}?{urlencode({'compte': signed(use)})}")
    return page(request, good(request.partner, found, form, now), status=422)


@require_POST
@partner_required()
def undo(request: PartnerRequest) -> HttpResponse:
    use = use_signed(request.partner, request.POST.get("compte", ""))
    if use is None:
        messages.info(request, _("C’est déjà annulé."))
        return redirect("pro:till")
    try:
        take_back_use(use, by=request.user, now=timezone.now())
    except Refused as refused:
        messages.info(request, str(refused.reasons[0].text))
    else:
        messages.success(request, _("C’est annulé. Rien n’est compté."))
    return redirect("pro:till")


# -- What was just counted ---------------------------------------------------------------------


def signed(use: OfferUse) -> str:
    return signing.Signer(salt=SALT).sign(str(use.pk))


def use_signed(partner: Partner, text: str) -> OfferUse | None:
    try:
        number = int(signing.Signer(salt=SALT).unsign(text))
    except (signing.BadSignature, ValueError):
        return None
    uses = OfferUse.objects.filter(pk=number, offer__partner=partner)
    return uses.select_related("offer").first()


def counted(partner: Partner, text: str, now: datetime) -> dict[str, Any]:
    """What the line on top says after a use, as long as it can be undone."""
    use = use_signed(partner, text) if text else None
    if use is None or now - use.used_at > TIME_TO_UNDO:
        return {}
    if not use.saving_cents:
        return {"counted": _("C’est compté."), "signed": text}
    saving = words.money(use.saving_cents)
    return {
        "counted": _("C’est compté : %(saving)s d’économie.") % {"saving": saving},
        "signed": text,
    }


# -- Figures -----------------------------------------------------------------------------------


def people_words(month: PartnerMonth) -> str:
    """How many different people came; a few are never told as a number."""
    if month.people is None:
        return ""
    return _("moins de %(few)d") % {"few": FEW} if month.has_few else str(month.people)


@require_safe
@partner_required()
def figures(request: PartnerRequest) -> HttpResponse:
    """How many came, month by month: numbers alone."""
    today = local_day(timezone.now())
    first = today.replace(year=today.year - MONTHS_TOLD // 12, day=1)
    months = [(month, people_words(month)) for month in months_of(request.partner, first)]
    this = months.pop(0) if months and months[0][0].month == today.replace(day=1) else None
    context = {"this": this, "months": months, "today": today}
    return render(request, "marketplace/pro/figures.html", context)
