"""What residents ask an artisan for: new first, then the visits to come; one answer each."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from club.forms import add_refusal
from club.kernel import words
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from marketplace import visit_words as said
from marketplace.access import PartnerRequest, partner_required
from marketplace.domain import asks
from marketplace.enums import AskStatus, PartnerKind, VisitStatus
from marketplace.forms.visits import MomentForm, PressForm
from marketplace.models import VisitAsk
from marketplace.queries.visits import (
    MAY_ANSWER,
    agreed,
    asks_of,
    hours_of,
    is_theirs,
    may_see_photos,
    to_answer,
    windows_of,
)
from marketplace.views.visits import photo_of

FORM = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@partner_required(PartnerKind.ARTISAN)
def visits(request: PartnerRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "waiting": [line_of(ask, now) for ask in to_answer(request.partner)],
        "agreed": [line_of(ask, now) for ask in agreed(request.partner)],
    }
    return render(request, "marketplace/pro/visits.html", context)


def line_of(ask: VisitAsk, now: datetime) -> dict[str, Any]:
    visit = ask.visit
    moment = visit.visit_at or ask.proposes_at
    return {
        "ask": ask,
        "visit": visit,
        "title": capfirst(said.title_of(visit)),
        "wishes": said.wishes(visit, now),
        "when": said.moment_words(moment, now) if moment else "",
        "is_new": ask.status in {AskStatus.ASKED, AskStatus.SILENT},
        **(contact_of(ask) if is_theirs(ask) else {}),
    }


def contact_of(ask: VisitAsk) -> dict[str, str]:
    visit = ask.visit
    return {
        "name": str(visit.member),
        "phone": visit.phone,
        "spoken": spoken_phone(visit.phone),
        "address": f"{visit.address}, {visit.town}",
    }


def own(request: PartnerRequest, public_id: str) -> VisitAsk:
    ask: VisitAsk = get_object_or_404(asks_of(request.partner), visit__public_id=public_id)
    return ask


@FORM
@partner_required(PartnerKind.ARTISAN)
def visit(request: PartnerRequest, public_id: str) -> HttpResponse:
    """The request, and the answers as buttons."""
    ask = own(request, public_id)
    if request.method != "POST":
        return visit_page(request, ask)
    deed = request.POST.get("act", "")
    if deed not in DEEDS:
        return visit_page(request, ask)
    of_moment = deed in {"come", "propose"}
    form: MomentForm | PressForm = (
        MomentForm(request.POST, auto_id=f"{deed}_%s") if of_moment else PressForm(request.POST)
    )
    if form.is_valid():
        try:
            done = DEEDS[deed](ask, form, request)
        except Refused as refused:
            add_refusal(form, refused, fields={"at": "day"} if of_moment else None)
        else:
            messages.success(request, done)
            return redirect("pro:visit", public_id)
    return visit_page(request, own(request, public_id), form, deed)


def accept(ask: VisitAsk, form: Any, request: PartnerRequest) -> str:
    """One of the hours that were wished."""
    moment = form.cleaned_data["at"]
    if moment is None:
        raise Http404
    asks.accept(ask, moment, by=request.user, now=timezone.now())
    return _("C’est convenu. Voici qui vous attend.")


def come(ask: VisitAsk, form: Any, request: PartnerRequest) -> str:
    """As soon as possible: the artisan says when."""
    asks.accept(ask, form.moment(), by=request.user, now=timezone.now())
    return _("C’est convenu. Voici qui vous attend.")


def propose(ask: VisitAsk, form: Any, request: PartnerRequest) -> str:
    asks.propose(ask, form.moment(), by=request.user, now=timezone.now())
    return _("Votre proposition est partie. L’habitant vous répond.")


def decline(ask: VisitAsk, form: Any, request: PartnerRequest) -> str:
    asks.decline(ask, by=request.user, now=timezone.now())
    return _("C’est noté.")


def give_back(ask: VisitAsk, form: Any, request: PartnerRequest) -> str:
    asks.give_back(ask, by=request.user, now=timezone.now())
    return _("C’est noté. L’habitant est prévenu.")


DEEDS: dict[str, Callable[[VisitAsk, Any, PartnerRequest], str]] = {
    "accept": accept,
    "come": come,
    "propose": propose,
    "decline": decline,
    "give_back": give_back,
}


def visit_page(
    request: PartnerRequest, ask: VisitAsk, form: Any = None, deed: str = ""
) -> HttpResponse:
    now, visit = timezone.now(), ask.visit
    may_answer = visit.status == VisitStatus.ASKING and ask.status in MAY_ANSWER
    refused = form if isinstance(form, MomentForm) else None
    context = {
        "ask": ask,
        "visit": visit,
        "form": form,
        "title": capfirst(said.title_of(visit)),
        "wishes": said.wishes(visit, now),
        "may_answer": may_answer,
        "is_theirs": is_theirs(ask),
        "contact": contact_of(ask) if is_theirs(ask) else None,
        "may_give_back": is_theirs(ask) and visit.visit_at is not None and visit.visit_at > now,
        "when": said.moment_words(visit.visit_at, now) if visit.visit_at else "",
        "proposed": said.moment_words(ask.proposes_at, now) if ask.proposes_at else "",
        "hours": hours_offered(ask, now) if may_answer else [],
        "soon": not visit.windows,
        "come_form": refused if refused and deed == "come" else MomentForm(auto_id="come_%s"),
        "propose_form": refused
        if refused and deed == "propose"
        else MomentForm(auto_id="propose_%s"),
        "is_proposing": bool(refused) and deed == "propose",
        "state": state_words(ask),
        "photos": range(1, visit.photos.count() + 1) if may_see_photos(ask) else [],
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "marketplace/pro/visit.html", context, status=status)


def hours_offered(ask: VisitAsk, now: datetime) -> list[dict[str, Any]]:
    """The wished parts of days that are not over, with their full hours."""
    found = []
    for window in windows_of(ask.visit):
        hours = [hour for hour in hours_of(*window) if hour > now]
        if hours:
            buttons = [{"at": hour.isoformat(), "label": words.hour(hour)} for hour in hours]
            found.append({"label": capfirst(said.window_words(window, now)), "hours": buttons})
    return found


def state_words(ask: VisitAsk) -> str:
    """What became of it, for who has nothing to answer any more."""
    if ask.visit.status == VisitStatus.CANCELLED:
        return _("L’habitant a annulé. Vous n’avez rien à faire.")
    if ask.status == AskStatus.CLOSED:
        return _("Un autre artisan a accepté. Vous n’avez rien à faire.")
    if ask.status == AskStatus.DECLINED:
        return _("Cette demande n’attend plus votre réponse.")
    if ask.visit.status == VisitStatus.DONE:
        return _("Cette visite est terminée.")
    return _("Cette demande est close.")


@require_safe
@partner_required(PartnerKind.ARTISAN)
def photo(request: PartnerRequest, public_id: str, number: int) -> Any:
    ask = own(request, public_id)
    if not may_see_photos(ask):
        raise Http404
    return photo_of(ask.visit, number)
