"""Closing the place: the days, what that does to whom, one confirmation, whom to call."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest
from club.domain.closures import (
    CLOSED,
    Call,
    Plan,
    Wanted,
    calls_of,
    close_place,
    plan_closures,
    tick_call,
    withdrawn,
)
from club.enums import ClosureReason, MessageChannel
from club.forms import add_refusal
from club.kernel import words
from club.kernel.closures import Effect, Outcome
from club.kernel.people import spoken_phone
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Closure, LogEntry, Member
from concierge.queries.stays import keeps_watch
from desk.access import staff
from desk.views import result_said, said

MOST_KEPT = 500


class ClosureForm(forms.Form):
    """The first and the last day, and why. It is asked twice: with the plan, and for good."""

    starts_on = forms.DateField(
        label=gettext_lazy("Premier jour fermé"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Choisissez le premier jour."),
            "invalid": gettext_lazy("Écrivez un jour comme 24/12/2026."),
        },
    )
    ends_on = forms.DateField(
        label=gettext_lazy("Dernier jour fermé"),
        help_text=gettext_lazy("Jour inclus."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Choisissez le dernier jour."),
            "invalid": gettext_lazy("Écrivez un jour comme 24/12/2026."),
        },
    )
    reason = forms.ChoiceField(
        label=gettext_lazy("Pourquoi"),
        choices=[(one.value, capfirst(one.label)) for one in ClosureReason],
        error_messages={"required": gettext_lazy("Choisissez pourquoi.")},
    )

    def wanted(self, closure: Closure | None) -> Wanted:
        data = self.cleaned_data
        return Wanted(data["starts_on"], data["ends_on"], data["reason"], closure)


def closure_here(request: StaffRequest, pk: int) -> Closure:
    return get_object_or_404(Closure, pk=pk, place=request.place)


# -- The list ------------------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def closures(request: StaffRequest) -> HttpResponse:
    now = timezone.now()
    rows = Closure.objects.filter(place=request.place, ends_on__gte=local_day(now))
    context = {
        "closures": [
            (one, days_said(one.starts_on, one.ends_on, now)) for one in rows.order_by("starts_on")
        ],
        "calls": lines_of(request, calls_of(request.place, now)),
        "result": result_said(request),
    }
    return render(request, "desk/closures.html", context)


def days_said(first: Any, last: Any, now: Any) -> str:
    today = local_day(now)
    if first == last:
        return words.day(first, today)
    return _("du %(first)s au %(last)s") % {
        "first": words.day(first, today),
        "last": words.day(last, today),
    }


# -- The act -------------------------------------------------------------------------------------


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: StaffRequest) -> HttpResponse:
    return ask(request, None)


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: StaffRequest, pk: int) -> HttpResponse:
    return ask(request, closure_here(request, pk))


def ask(request: StaffRequest, closure: Closure | None) -> HttpResponse:
    """The days, then the plan, then the deed: each step carries what was typed."""
    initial = {}
    if closure is not None:
        initial = {name: getattr(closure, name) for name in ("starts_on", "ends_on", "reason")}
    form = ClosureForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and "revoir" not in request.POST:
        try:
            return go(request, form.wanted(closure), form)
        except Refused as refusal:
            add_refusal(form, refusal)
    context = {
        "form": form,
        "closure": closure,
        "days": days_said(closure.starts_on, closure.ends_on, timezone.now()) if closure else "",
    }
    return render(request, "desk/closure.html", context, status=422 if form.errors else 200)


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: StaffRequest, pk: int) -> HttpResponse:
    closure = closure_here(request, pk)
    try:
        return go(request, withdrawn(closure, timezone.now()), None)
    except Refused as refusal:
        text = " ".join(str(reason.text) for reason in refusal.reasons)
        return said(reverse("desk:closures"), "refused", _("Refusé."), text)


def go(request: StaffRequest, wanted: Wanted, form: ClosureForm | None) -> HttpResponse:
    """The plan, or the deed where the plan that was read is still the one."""
    now = timezone.now()
    kept = request.POST.getlist("garde")[:MOST_KEPT]
    seal = request.POST.get("sceau", "")
    fault = ""
    if seal and "faire" in request.POST:
        try:
            done = close_place(
                request.place, wanted, seal=seal, by=request.user, now=now, kept=kept
            )
        except Refused as refusal:
            if refusal.codes != ["changed_meanwhile"]:
                raise
            fault = str(refusal.reasons[0].text)
            if sorted(kept) != sorted(request.POST.get("vu", "").split()):
                fault = _("Vous avez changé les séances. Relisez, puis confirmez.")
        else:
            return said(reverse("desk:closures"), "done", word_of(done), numbers_of(done))
    plan = plan_closures(request.place, wanted, now=now, kept=kept)
    context = {
        "plan": plan,
        "closure": wanted.closure,
        "form": form,
        "fault": fault,
        "days": days_of(plan, now),
        "numbers": numbers_of(plan),
        "groups": groups_of(request, plan),
        "calls": [
            (member, reach(member), known)
            for member, effects in plan.called
            if (known := shown(request, effects))
        ],
        "returns": plan.returns,
        "kept": " ".join(sorted(plan.change.kept)),
        "withdraws": wanted.closure is not None and form is None,
    }
    return render(request, "desk/closure_plan.html", context, status=422 if fault else 200)


def days_of(plan: Plan, now: Any) -> str:
    days = plan.wanted.days
    if days is None:
        assert plan.wanted.closure is not None
        days = (plan.wanted.closure.starts_on, plan.wanted.closure.ends_on)
    return days_said(*days, now)


def word_of(plan: Plan) -> str:
    if plan.wanted.closure is None:
        return _("La fermeture est notée.")
    if plan.wanted.days is None:
        return _("La fermeture est retirée.")
    return _("La fermeture est changée.")


def numbers_of(plan: Plan) -> str:
    """ "3 personnes prévenues par message. 1 personne à appeler."."""
    told, called = len(plan.told), len(plan.called)
    parts = []
    if told:
        text = ngettext(
            "%(n)d personne prévenue par message.", "%(n)d personnes prévenues par message.", told
        )
        parts.append(text % {"n": told})
    if called:
        text = ngettext("%(n)d personne à appeler.", "%(n)d personnes à appeler.", called)
        parts.append(text % {"n": called})
    if plan.cents:
        parts.append(_("%(money)s rendus.") % {"money": words.money(plan.cents)})
    return " ".join(parts) or _("Personne n’est concerné.")


def groups_of(request: StaffRequest, plan: Plan) -> list[dict[str, Any]]:
    """By kind: how many of each outcome, then each line; absences are the concierge's alone."""
    groups = []
    for kind, effects in plan.groups:
        numbers: dict[str, int] = {}
        for effect in effects:
            label = str(Outcome(effect.outcome).label)
            numbers[label] = numbers.get(label, 0) + 1
        groups.append(
            {
                "name": kind.name,
                "label": kind.label,
                "numbers": ", ".join(
                    _("%(label)s : %(n)d") % {"label": label, "n": number}
                    for label, number in numbers.items()
                ),
                "number": len(effects),
                "options": [effect for effect in effects if effect.option],
                "lines": [(one, how_said(one)) for one in shown(request, effects)],
            }
        )
    return groups


def shown(request: StaffRequest, effects: Sequence[Effect]) -> list[Effect]:
    may_know = keeps_watch(request.user, request.place)
    return [effect for effect in effects if may_know or not effect.is_private]


def how_said(effect: Effect) -> str:
    if effect.is_called:
        return _("à appeler")
    if not effect.is_told or not effect.how:
        return ""
    return str(MessageChannel(effect.how).label)


def reach(member: Member) -> str:
    return spoken_phone(member.user.phone) if member.user.phone else member.user.email


# -- Calling -------------------------------------------------------------------------------------


def lines_of(request: StaffRequest, calls: Sequence[Call]) -> list[dict[str, Any]]:
    may_know = keeps_watch(request.user, request.place)
    found = []
    for call in calls:
        lines = [line[:3] for line in call.lines if may_know or not line[3]]
        if lines:
            found.append(
                {
                    "call": call,
                    "reach": reach(call.member),
                    "lines": lines,
                    "may_tick": len(lines) == len(call.lines),
                }
            )
    return found


@staff
@never_cache
@require_GET
def calls(request: StaffRequest) -> HttpResponse:
    """On paper: who is to be called, at which number, with what."""
    now = timezone.now()
    context = {"calls": lines_of(request, calls_of(request.place, now)), "now": now}
    return render(request, "desk/closure_calls.html", context)


@staff
@never_cache
@require_POST
def called(request: StaffRequest, entry: int, member: int) -> HttpResponse:
    get_object_or_404(
        LogEntry, pk=entry, subject_kind="place", subject_id=request.place.pk, verb=CLOSED
    )
    now = timezone.now()
    calls = [one for one in calls_of(request.place, now) if one.entry == entry]
    for line in lines_of(request, [one for one in calls if one.member.pk == member]):
        if not line["may_tick"]:
            raise Http404
    tick_call(request.place, entry, member, by=request.user, now=now)
    return redirect("desk:closures")
