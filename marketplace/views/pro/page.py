"""Ma page: what residents read, and each thing that its partner changes without asking."""

import hashlib
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from club.forms import add_refusal
from club.kernel import producers, words
from club.kernel.people import spoken_phone
from club.kernel.producers import Hit
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from marketplace import visit_words
from marketplace.access import PARTNER_KEY, PartnerRequest, partner_required
from marketplace.domain.atonce import (
    Open,
    close_and_fail,
    close_days,
    faults_in,
    open_again,
    set_hours,
    set_phone,
    set_picture,
    undo,
)
from marketplace.domain.confirming import confirm_page
from marketplace.enums import ChangeKind, PartnerKind
from marketplace.forms.page import ClosureForm, PhoneForm, PictureForm, WeekForm
from marketplace.models import PartnerChange, PartnerClosure, PartnerHours, VisitAsk
from marketplace.queries import hours
from marketplace.queries.changes import called_off, leaves_called_off, touches
from marketplace.queries.confirmed import asking, last_said
from marketplace.queries.directory import directory_of
from marketplace.queries.own import own_people
from marketplace.queries.people import acting
from marketplace.queries.visits import agreed_between
from marketplace.views.pro import history
from marketplace.views.pro.visits import contact_of
from marketplace.views.shown import look_of

FORM = require_http_methods(["GET", "HEAD", "POST"])


def tell(request: PartnerRequest, refused: Refused) -> None:
    for reason in refused.reasons:
        messages.info(request, str(reason.text))


def changes_nothing(refused: Refused) -> bool:
    """Then there is no fault to show: the page says that all was so already."""
    return refused.codes == ["no_change"]


# -- The page --------------------------------------------------------------------------------


@require_safe
@partner_required()
def page(request: PartnerRequest) -> HttpResponse:
    now = timezone.now()
    today = local_day(now)
    partner = request.partner
    firms = [one.partner for one in acting(request.user)]
    wall, picture = look_of(partner, [])
    context = {
        "partner": partner,
        "is_shown": directory_of(partner.landlord, today).one(partner.public_id).exists(),
        "hours": hours.said(partner),
        "phone": spoken_phone(partner.phone) if partner.phone else "",
        "wall": wall,
        "picture": picture,
        "closures": hours.closures_said(partner, today),
        "must_confirm": asking(partner, today) is not None,
        "said_on": words.date_of(last_said(partner)),
        "people": own_people(partner),
        "person": request.person,
        "history": history.told(partner, today),
        "firms": firms if len(firms) > 1 else [],
    }
    return render(request, "marketplace/pro/page.html", context)


@require_POST
@partner_required()
def confirm(request: PartnerRequest) -> HttpResponse:
    confirm_page(request.partner, by=request.user, now=timezone.now())
    messages.success(request, _("Merci. Les habitants peuvent s’y fier."))
    return redirect("pro:page")


@require_POST
@partner_required()
def choose(request: PartnerRequest) -> HttpResponse:
    """Somebody with several firms turns to another one."""
    mine = acting(request.user).filter(
        partner__public_id=request.POST.get("partenaire", "").replace("\x00", "")
    )
    request.session[PARTNER_KEY] = get_object_or_404(mine).partner_id
    return redirect("pro:home")


@require_POST
@partner_required()
def take_back(request: PartnerRequest, pk: int) -> HttpResponse:
    """Défaire: the newest change of its sort."""
    row = get_object_or_404(PartnerChange, pk=pk, partner=request.partner)
    try:
        undo(request.partner, row, by=request.user, now=timezone.now())
    except Refused as refused:
        tell(request, refused)
    else:
        messages.success(request, _("C’est défait."))
        if leaves_called_off(row, called_off(request.partner, local_day(timezone.now()))):
            messages.info(request, history.deliveries_stay())
    return redirect("pro:offers" if row.kind == ChangeKind.STOCK else "pro:page")


# -- Hours, phone, photo ---------------------------------------------------------------------


@FORM
@partner_required()
def week(request: PartnerRequest) -> HttpResponse:
    """The second button shows the sentence of the hours as typed, and keeps nothing."""
    rows = PartnerHours.objects.filter(partner=request.partner)
    known = [Open(*row) for row in rows.values_list("weekday", "opens", "closes")]
    form = WeekForm(known, request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"form": form, "note": request.partner.hours_note}
    if form.is_bound and form.is_valid():
        try:
            if "lire" in request.POST:
                if faults := faults_in(form.rows):
                    raise Refused(faults)
                context["said"] = hours.week_said(form.rows) or _("Aucune heure")
            else:
                set_hours(request.partner, form.rows, by=request.user, now=timezone.now())
                return redirect("pro:page")
        except Refused as refused:
            if changes_nothing(refused):
                tell(request, refused)
                return redirect("pro:page")
            add_refusal(form, refused)
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "marketplace/pro/hours.html", context, status=status)


@FORM
@partner_required()
def phone(request: PartnerRequest) -> HttpResponse:
    initial = {"phone": spoken_phone(request.partner.phone) if request.partner.phone else ""}
    form = PhoneForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        number = form.cleaned_data["phone"]
        try:
            set_phone(request.partner, number, by=request.user, now=timezone.now())
            return redirect("pro:page")
        except Refused as refused:
            if changes_nothing(refused):
                tell(request, refused)
                return redirect("pro:page")
            add_refusal(form, refused)
    status = 422 if form.is_bound else 200
    return render(request, "marketplace/pro/phone.html", {"form": form}, status=status)


@FORM
@partner_required()
def photo(request: PartnerRequest) -> HttpResponse:
    takes_away = "enlever" in request.POST
    is_sent = request.method == "POST" and not takes_away
    form = PictureForm(*((request.POST, request.FILES) if is_sent else ()))
    if takes_away or (form.is_bound and form.is_valid()):
        upload = None if takes_away else form.cleaned_data["picture"]
        try:
            set_picture(request.partner, upload, by=request.user, now=timezone.now())
            return redirect("pro:page")
        except Refused as refused:
            if takes_away:
                tell(request, refused)
                return redirect("pro:page")
            add_refusal(form, refused)
    wall, picture = look_of(request.partner, [])
    context = {"form": form, "partner": request.partner, "wall": wall, "picture": picture}
    status = 422 if form.is_bound else 200
    return render(request, "marketplace/pro/photo.html", context, status=status)


# -- Closures --------------------------------------------------------------------------------


@FORM
@partner_required()
def closure(request: PartnerRequest) -> HttpResponse:
    """Fermer quelques jours: the form, and below it the days that are told already."""
    now = timezone.now()
    form = ClosureForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        hits = hits_of(request, now, **form.cleaned_data)
        visits = visits_of(request, now, **form.cleaned_data)
        if (hits or visits) and request.POST.get("annuler") != sealed(hits, visits):
            return asked_first(request, form, hits, visits, now)
        try:
            if request.partner.producer is None:
                close_days(request.partner, **form.cleaned_data, by=request.user, now=now)
            elif close_and_fail(request.partner, **form.cleaned_data, by=request.user, now=now):
                messages.success(
                    request, _("Les livraisons sont annulées, les habitants prévenus.")
                )
            if visits:
                messages.info(request, _("Appelez ces personnes : elles vous attendent."))
            return redirect("pro:closure")
        except Refused as refused:
            if changes_nothing(refused):
                messages.info(request, _("Vous avez déjà dit que ces jours sont fermés."))
                return redirect("pro:closure")
            add_refusal(form, refused)
    context = {
        "form": form,
        "closures": coming(request, now),
        "last": history.last_of(request.partner, ChangeKind.CLOSURE, local_day(now)),
    }
    status = 422 if form.is_bound else 200
    return render(request, "marketplace/pro/closure.html", context, status=status)


def hits_of(request: PartnerRequest, now: datetime, starts_on: date, ends_on: date) -> list[Hit]:
    """What these days would call off; nothing where the days themselves will be refused."""
    producer = request.partner.producer
    if producer is None or starts_on < local_day(now) or ends_on < starts_on:
        return []
    return producers.hits(producer, starts_on, ends_on, now)


def visits_of(
    request: PartnerRequest, now: datetime, starts_on: date, ends_on: date
) -> list[VisitAsk]:
    """Who waits at home on these days; they stay agreed until the artisan has called them."""
    is_artisan = request.partner.kind == PartnerKind.ARTISAN
    if not is_artisan or starts_on < local_day(now) or ends_on < starts_on:
        return []
    return list(agreed_between(request.partner, starts_on, ends_on, now))


def as_called(visits: list[VisitAsk], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "visit": ask.visit,
            "when": visit_words.moment_words(ask.visit.visit_at, now) if ask.visit.visit_at else "",
            **contact_of(ask),
        }
        for ask in visits
    ]


def sealed(hits: list[Hit], visits: list[VisitAsk]) -> str:
    """What was shown: somebody who orders meanwhile is shown too before they are let down."""
    said = [f"{hit.day}/{hit.place}/{hit.name}/{hit.orders}" for hit in hits]
    said += [f"{ask.pk}/{ask.visit.visit_at}" for ask in visits]
    return hashlib.sha256(";".join(said).encode()).hexdigest()[:16]


def asked_first(
    request: PartnerRequest,
    form: ClosureForm,
    hits: list[Hit],
    visits: list[VisitAsk],
    now: datetime,
) -> HttpResponse:
    context = {
        "form": form,
        "hits": hits,
        "orders": sum(hit.orders for hit in hits),
        "visits": as_called(visits, now),
        "sealed": sealed(hits, visits),
        "changed": "annuler" in request.POST,
    }
    return render(request, "marketplace/pro/closure_hits.html", context)


def coming(request: PartnerRequest, now: datetime) -> list[dict[str, Any]]:
    """What is told already, with whoever still waits on one of these days."""
    today = local_day(now)
    rows = PartnerClosure.objects.filter(partner=request.partner, ends_on__gte=today)
    gone = called_off(request.partner, today)
    return [
        {
            "pk": row.pk,
            "days": hours.days_of(row.starts_on, row.ends_on, today),
            "visits": as_called(
                visits_of(request, now, max(row.starts_on, today), row.ends_on), now
            ),
            "warning": history.deliveries_stay()
            if touches((row.starts_on, row.ends_on), gone)
            else "",
        }
        for row in rows
    ]


@require_POST
@partner_required()
def reopen(request: PartnerRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(PartnerClosure, pk=pk, partner=request.partner)
    days, now = (row.starts_on, row.ends_on), timezone.now()
    try:
        open_again(request.partner, row, by=request.user, now=now)
    except Refused as refused:
        tell(request, refused)
    else:
        if touches(days, called_off(request.partner, local_day(now))):
            messages.info(request, history.deliveries_stay())
    return redirect("pro:closure")
