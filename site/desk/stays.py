"""The pages of stays: today's round, a visit ticked on a phone, one stay, one for a person.

For the concierges of the place alone (`desk.access.concierge`): each page tells which homes
are empty. The address of a home stands here, and nowhere else.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from dateutil.relativedelta import relativedelta
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest
from club.forms import add_refusal
from club.kernel import codes, words
from club.kernel.bookings import Channel
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Household, Member
from club.views.files import as_download
from concierge.domain import stay_visits as verbs
from concierge.domain.stay_fees import price_of
from concierge.domain.stays import (
    book_once,
    book_stay,
    cancel_stay,
    end_stay,
    move_stay,
    reopen_stay,
    soonest,
    start_without_keys,
)
from concierge.enums import ON_HOOK, WATCHED, ServiceKind, StayStatus
from concierge.kinds_stays import days_words
from concierge.models import Service, Stay, StayVisit
from concierge.queries.services import offered_at
from concierge.queries.stays import WITH_DOOR, months_of, open_at, round_of
from concierge.stay_forms import StayDaysForm, StayForm
from concierge.stay_letters import rhythm_words, tasks_words
from concierge.views import shown_stays as shown
from desk.access import concierge
from desk.screen import Result
from desk.stay_forms import IncidentForm, TickForm
from desk.views import result_said, said, served


def stay_here(request: StaffRequest, reference: str) -> Stay:
    return get_object_or_404(
        Stay.objects.select_related(
            "service", "place", "member__user", "member__household__dwelling__residence"
        ),
        reference=reference,
        place=request.place,
    )


def visit_here(request: StaffRequest, pk: int) -> StayVisit:
    return get_object_or_404(
        StayVisit.objects.select_related(*WITH_DOOR, "done_by"), pk=pk, stay__place=request.place
    )


def door_of(household: Household) -> str:
    """Where the visit goes; the desk asks for it when no dwelling is noted."""
    dwelling = household.dwelling
    if dwelling is None:
        return _("Adresse à demander au membre")
    residence = dwelling.residence
    parts = [dwelling.code, residence.name, residence.address]
    return ", ".join(part for part in parts if part)


def reach_of(member: Member) -> str:
    user = member.user
    return spoken_phone(user.phone) if user.phone else user.email


# -- The round ---------------------------------------------------------------------------------


def visit_line(visit: StayVisit, today: Any) -> dict[str, Any]:
    stay = visit.stay
    return {
        "visit": visit,
        "stay": stay,
        "hooks": [keys.hook for keys in getattr(stay, "on_hook", [])],
        "door": door_of(stay.member.household),
        "tasks": tasks_words(stay.tasks),
        "is_late": visit.day < today,
        "day": words.day(visit.day, today),
        "reach": reach_of(stay.member),
    }


def round_shown(request: StaffRequest) -> dict[str, Any]:
    now = timezone.now()
    today = local_day(now)
    found = round_of(request.place, today)
    return {
        "visits": [visit_line(visit, today) for visit in found.visits],
        "done": [visit_line(visit, today) for visit in found.done],
        "calls": [visit_line(visit, today) for visit in found.calls],
        "awaited": found.awaited,
        "ending": found.ending,
        "now": now,
    }


@concierge
@never_cache
@require_GET
def stays(request: StaffRequest) -> HttpResponse:
    """Today's round, what waits for a call or for keys, then every home that is watched."""
    context = round_shown(request)
    today = local_day(context["now"])
    context["others"] = [(stay, days_words(stay, today)) for stay in open_at(request.place)]
    context["result"] = result_said(request)
    return render(request, "desk/stays.html", context)


@concierge
@never_cache
@require_GET
def sheet(request: StaffRequest) -> HttpResponse:
    """The round on paper."""
    return render(request, "desk/stays_sheet.html", round_shown(request))


@concierge
@never_cache
@require_GET
def figures(request: StaffRequest) -> HttpResponse:
    """A year by month: counts of visits, no homes."""
    since = timezone.now() - relativedelta(months=12)
    return render(request, "desk/stays_figures.html", {"months": months_of(request.place, since)})


# -- One visit ---------------------------------------------------------------------------------


@concierge
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def visit(request: StaffRequest, pk: int) -> HttpResponse:
    """What was done, on a phone at the door."""
    one = visit_here(request, pk)
    form = TickForm(request.POST or None, request.FILES or None, visit=one)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            verbs.tick_visit(
                one, data["tasks"], photo=data["photo"], by=request.user, now=timezone.now()
            )
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return said(visit_url(one), "done", _("Visite faite."), tasks_words(data["tasks"]))
    return visit_page(request, one, form)


def visit_url(one: StayVisit) -> str:
    return reverse("desk:visit", args=[one.pk])


def visit_page(
    request: StaffRequest,
    one: StayVisit,
    form: TickForm | None = None,
    incident: IncidentForm | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    today = local_day(timezone.now())
    stay = one.stay
    stay.on_hook = list(stay.key_sets.filter(status__in=ON_HOOK).order_by("hook"))  # type: ignore[attr-defined]
    is_running = stay.status == StayStatus.RUNNING
    context = {
        **visit_line(one, today),
        "may_tick": is_running and one.done_at is None and one.day <= today,
        "may_note": is_running and one.day <= today,
        "is_awaited": stay.status == StayStatus.BOOKED,
        "done_tasks": tasks_words(one.ticked),
        "form": form or TickForm(visit=one),
        "incident_form": incident or IncidentForm(),
        "result": refused_here(refusal) if refusal else result_said(request),
    }
    is_wrong = bool(refusal or (form and form.errors) or (incident and incident.errors))
    return render(request, "desk/visit.html", context, status=422 if is_wrong else 200)


@concierge
@never_cache
@require_POST
def incident(request: StaffRequest, pk: int) -> HttpResponse:
    one = visit_here(request, pk)
    form = IncidentForm(request.POST)
    if not form.is_valid():
        return visit_page(request, one, incident=form)
    try:
        noted = verbs.note_incident(
            one, form.cleaned_data["incident"], by=request.user, now=timezone.now()
        )
    except Refused as refusal:
        return visit_page(request, one, refusal=refusal)
    text = _("%(what)s. Appelez la personne.")
    what = {"what": noted.get_incident_display().capitalize()}
    return said(visit_url(one), "attention", _("Problème noté."), text % what)


VISIT_ACTS: dict[str, tuple[Callable[..., Any], Any]] = {
    "defaire": (verbs.undo_tick, gettext_lazy("Défait.")),
    "pas-de-probleme": (verbs.drop_incident, gettext_lazy("Défait.")),
    "appele": (verbs.mark_called, gettext_lazy("Appel noté.")),
}
"""What one press does with a visit, by the word in the address."""


@concierge
@never_cache
@require_POST
def visit_act(request: StaffRequest, pk: int, name: str) -> HttpResponse:
    one = visit_here(request, pk)
    if name not in VISIT_ACTS:
        raise Http404
    verb, word = VISIT_ACTS[name]
    try:
        verb(one, by=request.user, now=timezone.now())
    except Refused as refusal:
        return visit_page(request, one, refusal=refusal)
    return said(visit_url(one), "returned", str(word))


def refused_here(refusal: Refused) -> Result:
    """On the page itself: it names days and people, which no address bar and no log may keep."""
    text = " ".join(str(reason.text) for reason in refusal.reasons)
    return Result("refused", _("Refusé."), text)


@concierge
@never_cache
@require_GET
def photo(request: StaffRequest, pk: int) -> Any:
    return as_download(visit_here(request, pk).photo)


# -- One stay ----------------------------------------------------------------------------------


@concierge
@never_cache
@require_GET
def stay(request: StaffRequest, reference: str) -> HttpResponse:
    return stay_page(request, stay_here(request, reference))


def stay_page(
    request: StaffRequest,
    one: Stay,
    form: StayDaysForm | None = None,
    refusal: Refused | None = None,
) -> HttpResponse:
    now = timezone.now()
    keys = list(one.key_sets.order_by("received_at"))
    on_hook = [one_set for one_set in keys if one_set.status in ON_HOOK]
    has_begun = one.starts_at <= now
    context = {
        "stay": one,
        "days": days_words(one, local_day(now)),
        "door": door_of(one.member.household),
        "reach": reach_of(one.member),
        "tasks": tasks_words(one.tasks),
        "rhythm": rhythm_words(one.visit_every),
        "price": words.money(price_of(one)) if one.unit_cents else "",
        "visits": shown.visits_of(one, now),
        "keys": keys,
        "is_open": one.status in WATCHED,
        "may_start": one.status == StayStatus.BOOKED and has_begun,
        "may_end": one.status == StayStatus.RUNNING and has_begun and not on_hook,
        "may_cancel": one.status in WATCHED
        and not (one.status == StayStatus.RUNNING and has_begun),
        "may_reopen": one.status == StayStatus.ENDED and now < one.ends_at,
        "form": form or StayDaysForm(initial={"first_on": one.first_on, "last_on": one.last_on}),
        "result": refused_here(refusal) if refusal else result_said(request),
    }
    status = 422 if refusal or (form is not None and form.errors) else 200
    return render(request, "desk/stay.html", context, status=status)


def cancelled(one: Stay, *, by: Any, now: datetime) -> Stay:
    return cancel_stay(one, by=by, now=now, channel=Channel.DESK)


STAY_ACTS: dict[str, tuple[Callable[..., Stay], Any]] = {
    "commencer": (start_without_keys, gettext_lazy("Commencée.")),
    "terminer": (end_stay, gettext_lazy("Terminée.")),
    "reprendre": (reopen_stay, gettext_lazy("De nouveau en cours.")),
    "annuler": (cancelled, gettext_lazy("Annulée.")),
}
"""What one press does with a stay, by the word in the address."""


def stay_url(one: Stay) -> str:
    return reverse("desk:stay", args=[one.reference])


@concierge
@never_cache
@require_POST
def stay_act(request: StaffRequest, reference: str, name: str) -> HttpResponse:
    one = stay_here(request, reference)
    if name not in STAY_ACTS:
        raise Http404
    verb, word = STAY_ACTS[name]
    try:
        changed = verb(one, by=request.user, now=timezone.now())
    except Refused as refusal:
        return stay_page(request, stay_here(request, reference), refusal=refusal)
    return said(stay_url(one), "done", str(word), due_words(changed))


def due_words(one: Stay) -> str:
    if one.status != StayStatus.ENDED or not one.unit_cents:
        return ""
    return _("%(price)s à encaisser.") % {"price": words.money(price_of(one))}


@concierge
@never_cache
@require_POST
def move(request: StaffRequest, reference: str) -> HttpResponse:
    one = stay_here(request, reference)
    form = StayDaysForm(request.POST)
    if form.is_valid():
        try:
            move_stay(
                one, *form.cleaned_data["slot"], by=request.user, now=timezone.now(),
                channel=Channel.DESK,
            )  # fmt: skip
        except Refused as refusal:
            form.refuse(refusal)
        else:
            return said(stay_url(one), "done", _("Changée."))
    return stay_page(request, one, form)


# -- A stay for a person -----------------------------------------------------------------------


@concierge
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: StaffRequest, pk: int) -> HttpResponse:
    """The service, then its days: two pages."""
    member, now = served(request, str(pk)), timezone.now()
    found = list(offered_at(request.place).filter(kind=ServiceKind.STAY))
    chosen = (request.POST or request.GET).get("service", "")
    service = next((one for one in found if one.public_id == chosen), None)
    if chosen and service is None:
        raise Http404
    if service is None and len(found) == 1:
        service = found[0]
    if service is None:
        context = {"person": member, "services": found}
        return render(request, "desk/stay_service.html", context)
    service.place = request.place
    return book_service(request, member, service, now)


def book_service(
    request: StaffRequest, member: Member, service: Service, now: datetime
) -> HttpResponse:
    form = StayForm(request.POST or None, service=service, initial={"key": codes.token()})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = book_once(
                form_key=data["key"],
                member=member,
                make=lambda: book_stay(
                    member=member,
                    service=service,
                    first_on=data["first_on"],
                    last_on=data["last_on"],
                    tasks=data["tasks"],
                    visit_every=data["visit_every"],
                    by=request.user,
                    now=now,
                    channel=Channel.DESK,
                ),
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            url = reverse("desk:key-receive") + f"?membre={member.pk}&garde={made.reference}"
            return redirect(url)
    for name in ("first_on", "last_on"):
        form.fields[name].widget.attrs["min"] = soonest(service, now, at_desk=True).isoformat()
    context = {
        "person": member,
        "service": service,
        "price": shown.price_words(service),
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "desk/stay_book.html", context, status=status)
