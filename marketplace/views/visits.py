"""A member's requests to artisans: asking, what each says, yes or no, how it went."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club.access import MemberRequest, member_required
from club.forms import add_refusal
from club.kernel import codes, words
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Member
from club.views.files import as_download
from marketplace import visit_words as said
from marketplace.domain import asks, visits
from marketplace.enums import TRADE_LOOK, AskStatus, Trade, VisitStatus
from marketplace.forms.visits import PressForm, SayForm, VisitForm
from marketplace.models import Partner, VisitAsk, VisitRequest
from marketplace.models.visits import MOST_ASKED
from marketplace.queries.trades import KINDS, TRADE_OF, TRADES
from marketplace.queries.visits import artisans_for, requests_of, windows_offered

MOST_LISTED = 12
"""Artisans among whom one chooses: the first of the day's order."""
FORM = require_http_methods(["GET", "HEAD", "POST"])


def all_artisans() -> str:
    return reverse("marketplace:list", args=[KINDS["artisan"]])


# -- Asking ----------------------------------------------------------------------------------


@FORM
@never_cache
@member_required
def new(request: MemberRequest) -> HttpResponse:
    trade = TRADE_OF.get((request.POST or request.GET).get("metier", ""))
    if trade is None:
        return redirect(all_artisans())
    member, now = request.member, timezone.now()
    wanted = request.GET.get("artisan", "")
    found = artisans_among(member, trade, [wanted, *request.POST.getlist("artisans")], now)
    more: dict[str, Any] = {"trade": trade, "found": found, "offered": windows_offered(now)}
    if request.method != "POST":
        known = [one.public_id for one in found]
        is_there = wanted in known
        ticked = [wanted] if is_there else known[:MOST_ASKED]
        form = VisitForm(initial=initial_of(member) | {"artisans": ticked}, **more)
        return new_page(request, trade, form, is_missing=bool(wanted) and not is_there)
    form = VisitForm(request.POST, request.FILES, **more)
    if form.is_valid():
        try:
            visit = visits.ask_once(
                form_key=form.cleaned_data["key"],
                member=member,
                work=form.work(),
                artisans=form.chosen(),
                photos=form.cleaned_data["photos"],
                by=request.user,
                now=now,
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return redirect("marketplace:visit-sent", visit.public_id)
    return new_page(request, trade, form)


def artisans_among(member: Member, trade: str, named: list[str], now: datetime) -> list[Partner]:
    """The first of the day's order, and those that the page or its address names."""
    landlord = member.household.landlord
    shown = artisans_for(landlord, member.place, trade, local_day(now))
    found = list(shown[:MOST_LISTED])
    others = {name for name in named if name and "\x00" not in name} - {
        one.public_id for one in found
    }
    return [*found, *shown.filter(public_id__in=others)] if others else found


def initial_of(member: Member) -> dict[str, Any]:
    """What the house knows already; the key makes a second press harmless."""
    phone = member.user.phone
    return {
        "address": address_of(member),
        "town": town_of(member),
        "phone": spoken_phone(phone) if phone else "",
        "widen": True,
        "key": codes.token(),
    }


def address_of(member: Member) -> str:
    dwelling = member.household.dwelling
    if dwelling is None:
        return ""
    parts = [
        dwelling.residence.address or dwelling.residence.name,
        _("étage %(floor)s") % {"floor": dwelling.floor} if dwelling.floor else "",
        _("porte %(door)s") % {"door": dwelling.door} if dwelling.door else "",
    ]
    return ", ".join(part for part in parts if part)


def town_of(member: Member) -> str:
    dwelling = member.household.dwelling
    return (dwelling.residence.city if dwelling else "") or member.place.city


def new_page(
    request: MemberRequest, trade: str, form: VisitForm, *, is_missing: bool = False
) -> HttpResponse:
    context = {
        "form": form,
        "metier": TRADES[trade].slug,
        "trade": capfirst(str(Trade(trade).label)),
        "about": TRADES[trade].about,
        "is_missing": is_missing,
        "days": [row | {"label": day_words(row["day"])} for row in form.days()],
        "limits": [] if form.is_bound else visits.limits_reached(request.member, timezone.now()),
        "list_url": reverse("marketplace:sort", args=[KINDS["artisan"], TRADES[trade].slug]),
    }
    status = 422 if form.errors else 200
    return render(request, "marketplace/visits/new.html", context, status=status)


def day_words(day: Any) -> str:
    return capfirst(words.day(day))


@require_safe
@never_cache
@member_required
def sent(request: MemberRequest, public_id: str) -> HttpResponse:
    """What was just asked; once something came of it, its own page tells."""
    visit = own(request.member, public_id)
    if visit.status != VisitStatus.ASKING:
        return redirect("marketplace:visit", visit.public_id)
    context = {"title": _("C’est envoyé"), "visit": visit, "ticket": ticket_of(visit)}
    return render(request, "marketplace/visits/sent.html", context)


def ticket_of(visit: VisitRequest) -> dict[str, Any]:
    now = timezone.now()
    wall, picture = TRADE_LOOK[visit.trade]
    names = [one.partner.name for one in visit.asks.select_related("partner").order_by("rank")]
    rows = [
        {"icon": "users", "label": _("Demandé à"), "strong": ", ".join(names), "text": ""},
        {
            "icon": "calendar",
            "label": _("Moments souhaités"),
            "strong": " ; ".join(said.wishes(visit, now)),
            "text": "",
        },
        {"icon": "pin", "label": _("Où"), "strong": visit.address, "text": visit.town},
    ]
    return {
        "label": _("Votre demande"),
        "title": capfirst(str(visit.get_trade_display())),
        "noun": _("Demande du"),
        "reference": words.day(local_day(visit.asked_at)),
        "picture": picture,
        "photo": None,
        "wall": wall,
        "rows": rows,
    }


# -- One's own -------------------------------------------------------------------------------


def own(member: Member, public_id: str) -> VisitRequest:
    visit: VisitRequest = get_object_or_404(
        requests_of(member).select_related("member__place", "landlord"), public_id=public_id
    )
    return visit


@require_safe
@never_cache
@member_required
def mine(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    rows = [row_of(visit, now) for visit in requests_of(request.member)[:50]]
    context = {"rows": rows, "list_url": all_artisans()}
    return render(request, "marketplace/visits/list.html", context)


def row_of(visit: VisitRequest, now: datetime) -> dict[str, Any]:
    wall, picture = TRADE_LOOK[visit.trade]
    is_agreed = visit.status == VisitStatus.AGREED and visit.visit_at is not None
    return {
        "visit": visit,
        "title": capfirst(str(visit.get_trade_display())),
        "wall": wall,
        "picture": picture,
        "when": said.moment_words(visit.visit_at, now) if is_agreed and visit.visit_at else "",
        "chip": chip_of(visit),
    }


CHIPS: dict[str, str] = {
    VisitStatus.ASKING: "aside",
    VisitStatus.AGREED: "ok",
    VisitStatus.DONE: "ok",
    VisitStatus.UNANSWERED: "late",
    VisitStatus.CANCELLED: "info",
}


def chip_of(visit: VisitRequest) -> dict[str, str]:
    return {"kind": CHIPS[visit.status], "text": capfirst(str(visit.get_status_display()))}


@FORM
@never_cache
@member_required
def visit(request: MemberRequest, public_id: str) -> HttpResponse:
    """Where the request stands; each button is one step."""
    found = own(request.member, public_id)
    if request.method != "POST":
        return visit_page(request, found)
    deed = request.POST.get("act", "")
    form: PressForm | SayForm = SayForm(request.POST) if deed == "say" else PressForm(request.POST)
    if deed not in DEEDS:
        return visit_page(request, found)
    if form.is_valid():
        try:
            done = DEEDS[deed](found, form.cleaned_data, request)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, done)
            return redirect("marketplace:visit", found.public_id)
    return visit_page(request, own(request.member, public_id), form)


def ask_named(found: VisitRequest, data: dict[str, Any]) -> VisitAsk:
    ask: VisitAsk = get_object_or_404(found.asks, rank=data["rank"])
    return ask


def proposal_read(found: VisitRequest, data: dict[str, Any]) -> tuple[VisitAsk, datetime]:
    """Whose, and the hour that stood beside the button."""
    if data["at"] is None:
        raise Http404
    return ask_named(found, data), data["at"]


def say_yes(found: VisitRequest, data: dict[str, Any], request: MemberRequest) -> str:
    asks.agree(*proposal_read(found, data), by=request.user, now=timezone.now())
    return _("C’est convenu. L’artisan a maintenant vos coordonnées.")


def say_no(found: VisitRequest, data: dict[str, Any], request: MemberRequest) -> str:
    asks.turn_down(*proposal_read(found, data), by=request.user, now=timezone.now())
    return _("C’est dit. L’artisan est prévenu.")


def ask_others(found: VisitRequest, data: dict[str, Any], request: MemberRequest) -> str:
    visits.ask_others(found, by=request.user, now=timezone.now())
    return _("Votre demande est partie à d’autres artisans.")


def say_it_took_place(found: VisitRequest, data: dict[str, Any], request: MemberRequest) -> str:
    visits.take_place(found, by=request.user, now=timezone.now())
    return _("C’est noté.")


def say_it_did_not(found: VisitRequest, data: dict[str, Any], request: MemberRequest) -> str:
    visits.cancel(found, by=request.user, now=timezone.now())
    return _("C’est noté. La demande est close.")


def say_how(found: VisitRequest, data: dict[str, Any], request: MemberRequest) -> str:
    visits.say_how_it_went(
        found, data["satisfaction"], data["unhappy_for"], by=request.user, now=timezone.now()
    )
    return _("Merci de votre réponse. Elle reste privée.")


DEEDS: dict[str, Callable[[VisitRequest, dict[str, Any], MemberRequest], str]] = {
    "yes": say_yes,
    "no": say_no,
    "others": ask_others,
    "came": say_it_took_place,
    "missed": say_it_did_not,
    "say": say_how,
}


def visit_page(request: MemberRequest, found: VisitRequest, form: Any = None) -> HttpResponse:
    now = timezone.now()
    rows = [ask_row(ask, now) for ask in found.asks.select_related("partner").order_by("rank")]
    accepted = next((row for row in rows if row["ask"].status == AskStatus.ACCEPTED), None)
    is_over = found.visit_at is not None and found.visit_at <= now
    waits = found.status in {VisitStatus.ASKING, VisitStatus.UNANSWERED}
    context = {
        "visit": found,
        "form": form,
        "title": capfirst(said.title_of(found)),
        "chip": chip_of(found),
        "wishes": said.wishes(found, now),
        "when": said.moment_words(found.visit_at, now) if found.visit_at else "",
        "rows": rows,
        "accepted": accepted,
        "proposals": [row for row in rows if row["moment"] and found.status == VisitStatus.ASKING],
        "asks_whether": found.status == VisitStatus.AGREED and is_over,
        "is_to_come": found.status == VisitStatus.AGREED and not is_over,
        "may_ask_others": waits and bool(asks.next_artisans(found, now)),
        "say_form": say_form(found, form),
        "photos": range(1, found.photos.count() + 1),
        "phone": spoken_phone(found.phone) if found.phone else "",
        "again_url": new_url(found.trade),
        "list_url": reverse("marketplace:sort", args=[KINDS["artisan"], TRADES[found.trade].slug]),
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "marketplace/visits/visit.html", context, status=status)


def say_form(found: VisitRequest, form: Any) -> SayForm | None:
    if found.status != VisitStatus.DONE or found.satisfaction:
        return None
    return form if isinstance(form, SayForm) else SayForm()


def ways_to_ask(partner: Partner, trades: list[str]) -> list[dict[str, str]]:
    """One for each trade that an artisan is shown for today."""
    return [
        {"url": f"{new_url(trade)}&artisan={partner.public_id}", "name": str(Trade(trade).label)}
        for trade in trades
    ]


def new_url(trade: str) -> str:
    return f"{reverse('marketplace:visit-new')}?metier={TRADES[trade].slug}"


def ask_row(ask: VisitAsk, now: datetime) -> dict[str, Any]:
    """One artisan of the request: what they said, in words."""
    is_proposed = ask.status == AskStatus.PROPOSED and ask.proposes_at is not None
    moment = said.moment_words(ask.proposes_at, now) if is_proposed and ask.proposes_at else ""
    text = {
        AskStatus.ASKED: _("n’a pas encore répondu"),
        AskStatus.PROPOSED: _("propose %(moment)s") % {"moment": moment},
        AskStatus.ACCEPTED: _("a accepté"),
        AskStatus.DECLINED: _("n’est pas disponible"),
        AskStatus.SILENT: _("ne répond pas"),
        AskStatus.CLOSED: _("n’est plus attendu"),
    }[AskStatus(ask.status)]
    return {
        "ask": ask,
        "text": text,
        "moment": moment,
        "at": ask.proposes_at.isoformat() if moment and ask.proposes_at else "",
        "phone": said.phone_of(ask),
    }


@FORM
@never_cache
@member_required
def cancel(request: MemberRequest, public_id: str) -> HttpResponse:
    """Asked once more, since artisans who wait are told at once."""
    found = own(request.member, public_id)
    if request.method == "POST":
        try:
            visits.cancel(found, by=request.user, now=timezone.now())
        except Refused as refused:
            for reason in refused.reasons:
                messages.info(request, str(reason.text))
        else:
            messages.success(request, _("La demande est annulée. Les artisans sont prévenus."))
        return redirect("marketplace:visit", found.public_id)
    if found.status in {VisitStatus.DONE, VisitStatus.CANCELLED}:
        return redirect("marketplace:visit", found.public_id)
    context = {"visit": found, "title": capfirst(said.title_of(found))}
    return render(request, "marketplace/visits/cancel.html", context)


@require_safe
@never_cache
@member_required
def photo(request: MemberRequest, public_id: str, number: int) -> Any:
    return photo_of(own(request.member, public_id), number)


def photo_of(found: VisitRequest, number: int) -> HttpResponseBase:
    """Shown and not kept: the page that draws it has asked who may see it."""
    photos = list(found.photos.order_by("pk"))
    if not 1 <= number <= len(photos):
        raise Http404
    response = as_download(photos[number - 1].file)
    response["Content-Disposition"] = "inline"
    return response
