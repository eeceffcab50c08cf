"""The counter's pages: load, check, call one act, answer."""

from dataclasses import replace
from datetime import datetime
from secrets import randbelow
from typing import Any

from django.core import signing
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest
from club.domain.members import give_right, likely_same, register_member
from club.enums import Activity, Role
from club.forms import add_refusal
from club.kernel import words
from club.kernel.people import folded
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Member
from club.permissions import roles_of
from concierge.domain.lending import enter_forgotten_loan
from concierge.enums import Fault, RepairStatus
from concierge.models import Copy, Loan, Repair
from concierge.queries import loans, subscriptions
from concierge.queries.parcels import takes_parcels
from concierge.queries.services import offered_at
from concierge.queries.stays import keeps_watch
from desk import acts, scans
from desk.access import officer, staff
from desk.acts import LOAN_ACTS, Counter
from desk.board import board
from desk.forms import ForgottenLoanForm, NewMemberForm, RightForm
from desk.screen import Line, Result, Screen, UnpaidLine, members_at, thing_of

SAID_SALT = "desk.said"
SAID_SECONDS = 60
BIGGEST_SCAN = 2**53


def counter_of(request: StaffRequest, member: str = "", now: datetime | None = None) -> Counter:
    """Who stands at the counter, from the form or the address."""
    counter = Counter(
        place=request.place,
        by=request.user,
        now=now or timezone.now(),
        scan=scan_number(request.POST.get("scan", "")),
    )
    wanted = member or request.POST.get("membre", "")
    if not wanted:
        return counter
    return replace(counter, member=served(request, wanted))


def scan_number(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= 16 and int(text) < BIGGEST_SCAN:
        return int(text)
    return None


def served(request: StaffRequest, wanted: str) -> Member:
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= 12):
        raise Http404
    return get_object_or_404(members_at(request.place), pk=int(wanted))


def answer(request: StaffRequest, screen: Screen, **more: Any) -> HttpResponse:
    """The counter alone for the page's own requests, else the whole page with its board."""
    context: dict[str, Any] = {"screen": screen, "faults": Fault.choices, **more}
    if screen.person is not None or not request.headers.get("X-Desk"):
        context["has_deliveries"] = request.place.rounds.exists()
    context["is_officer"] = (Role.OFFICER, request.place.pk) in roles_of(request.user)
    context["watches"] = keeps_watch(request.user, request.place)
    if request.headers.get("X-Desk"):
        response = render(request, "desk/counter.html", context)
        response["X-Desk"] = "1"
        return response
    context["parts"] = board(request.place, timezone.now(), request.user)
    context["takes_parcels"] = takes_parcels(request.place)
    context["has_services"] = offered_at(request.place).exists()
    context["scan"] = randbelow(BIGGEST_SCAN)
    return render(request, "desk/home.html", context)


def said(
    url: str, kind: str, word: str, text: str = "", receipt: int | None = None
) -> HttpResponse:
    """Back to the counter with a result, which a later reload does not repeat."""
    signed = signing.dumps([kind, word, text, "", receipt], salt=SAID_SALT)
    return redirect(f"{url}{'&' if '?' in url else '?'}{urlencode({'dit': signed})}")


def result_said(request: StaffRequest) -> Result | None:
    try:
        return Result(
            *signing.loads(request.GET.get("dit", ""), salt=SAID_SALT, max_age=SAID_SECONDS)
        )
    except signing.BadSignature:
        return None


# -- The counter -----------------------------------------------------------------------


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: StaffRequest) -> HttpResponse:
    if request.method == "POST":
        counter = counter_of(request)
        if request.POST.get("touche") == "prolonger":
            return answer(request, scans.renewals_of(counter))
        screen = scans.read(
            counter,
            request.POST.get("texte", ""),
            request.POST.get("choix", ""),
            request.POST.get("rendu", ""),
        )
        return answer(request, screen)
    counter = counter_of(request, request.GET.get("membre", ""))
    if token := request.GET.get("choix"):
        if not token.startswith(("m", "t", "o")):
            raise Http404
        return answer(request, scans.choose(counter, token))
    screen = counter.screen(result=result_said(request))
    if label := request.GET.get("objet", "").replace("\x00", ""):
        copy = get_object_or_404(
            Copy.objects.select_related("tool__department", "tool__photo", "place"),
            label=label[:12],
            place=counter.place,
        )
        screen.thing = thing_of(copy, counter.now)
    return answer(request, screen)


@staff
@never_cache
@require_POST
def undo(request: StaffRequest) -> HttpResponse:
    return answer(request, acts.undo(counter_of(request), request.GET.get("acte", "")))


@staff
@never_cache
@require_POST
def loan_act(request: StaffRequest, reference: str, act: str) -> HttpResponse:
    counter = counter_of(request)
    if act not in LOAN_ACTS:
        raise Http404
    loan = get_object_or_404(
        Loan.objects.select_related(*loans.WITH_NAMES), reference=reference, place=counter.place
    )
    return answer(request, acts.act_on_loan(counter, loan, act))


@staff
@never_cache
@require_POST
def copy_act(request: StaffRequest, label: str) -> HttpResponse:
    """Lend this very copy to the person on the screen, or take it back."""
    counter = counter_of(request)
    return answer(request, acts.scan_copy(counter, copy_here(request, label)))


@staff
@never_cache
@require_POST
def fault(request: StaffRequest, label: str) -> HttpResponse:
    counter = counter_of(request)
    copy = copy_here(request, label)
    return answer(request, acts.report_fault(counter, copy, request.POST.get("defaut", "")))


@staff
@never_cache
@require_POST
def repair(request: StaffRequest, pk: int) -> HttpResponse:
    counter = counter_of(request)
    ticket = get_object_or_404(
        Repair.objects.select_related("copy"), pk=pk, copy__place=counter.place
    )
    to = request.POST.get("etape", "")
    if to not in RepairStatus.values:
        raise BadRequest
    return answer(request, acts.step_repair(counter, ticket, to))


def copy_here(request: StaffRequest, label: str) -> Copy:
    return get_object_or_404(
        Copy.objects.select_related("tool", "place"),
        label=label,
        place=request.place,
    )


@staff
@never_cache
@require_GET
def day_board(request: StaffRequest) -> HttpResponse:
    """The board alone, for the page that reads it again between two scans."""
    parts = board(request.place, timezone.now(), request.user)
    return render(request, "desk/board.html", {"parts": parts})


# -- Lists ----------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def return_list(request: StaffRequest) -> HttpResponse:
    """What is out, to take one back without scanning it."""
    counter = counter_of(request, request.GET.get("membre", ""))
    today = local_day(counter.now)
    rows = loans.named(loans.out(counter.place))
    if counter.member is not None:
        rows = rows.filter(member=counter.member)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:80]
    for word in folded(text).split():
        rows = rows.filter(
            Q(member__search_name__contains=word)
            | Q(tool__name__icontains=word)
            | Q(copy__label__icontains=word)
        )
    lines = [Line(loan, loan.days_late(today)) for loan in rows[:50]]
    return render(
        request,
        "desk/return_list.html",
        {"lines": lines, "text": text, "person": counter.member},
    )


@staff
@never_cache
@require_GET
def day(request: StaffRequest) -> HttpResponse:
    """The day on paper: what the counter falls back on when the screen is dark."""
    now = timezone.now()
    parts = board(request.place, now, request.user)
    return render(request, "desk/day.html", {"parts": parts, "now": now})


@staff
@never_cache
@require_GET
def calls(request: StaffRequest) -> HttpResponse:
    """Whom the desk calls: messages are no use any more, or never were."""
    now = timezone.now()
    today = local_day(now)
    lines = [Line(loan, loan.days_late(today)) for loan in loans.to_call(request.place, today)]
    unpaid = [UnpaidLine(one) for one in subscriptions.to_call(request.place, today)]
    return render(request, "desk/calls.html", {"lines": lines, "unpaid": unpaid, "now": now})


# -- People ----------------------------------------------------------------------------


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_member(request: StaffRequest) -> HttpResponse:
    place = request.place
    initial = {}
    if neighbour := request.GET.get("foyer"):
        cards = served(request, neighbour).live_cards  # type: ignore[attr-defined]
        initial["household"] = str(cards[0]) if cards else ""
    form = NewMemberForm(request.POST or None, place=place, initial=initial)
    likely: list[Member] = []
    if request.method == "POST" and form.is_valid():
        names = {key: form.cleaned_data[key] for key in ("first_name", "last_name")}
        if not form.cleaned_data["is_other"]:
            likely = likely_same(**names, email=form.email, phone=form.phone, place=place)
        if not likely:
            try:
                member = register_member(
                    **names,
                    place=place,
                    email=form.email,
                    phone=form.phone,
                    household=form.cleaned_data["household"],
                    by=request.user,
                    now=timezone.now(),
                )
            except Refused as refusal:
                add_refusal(form, refusal, fields={"email": "contact", "phone": "contact"})
            else:
                card = member.cards.get(revoked_at=None)
                word = _("Membre créé.")
                text = _("%(name)s, carte %(card)s.") % {"name": member, "card": card}
                return said(f"{reverse('desk:home')}?membre={member.pk}", "done", word, text)
    status = 422 if form.errors else 200
    context = {"form": form, "likely": likely}
    return render(request, "desk/new_member.html", context, status=status)


@officer
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def right(request: StaffRequest, pk: int) -> HttpResponse:
    """Give the household the right to borrow, without money: an officer's gift."""
    member = served(request, str(pk))
    now = timezone.now()
    today = local_day(now)
    form = RightForm(request.POST or None, today=today)
    if request.method == "POST" and form.is_valid():
        ends_on = form.cleaned_data["ends_on"]
        try:
            give_right(
                member.household,
                [Activity.LENDING],
                today,
                ends_on,
                form.cleaned_data["source"],
                by=request.user,
                now=now,
            )
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            text = _("%(name)s peut emprunter jusqu’au %(day)s.") % {
                "name": member,
                "day": words.day(ends_on, today),
            }
            url = f"{reverse('desk:home')}?membre={member.pk}"
            return said(url, "done", _("Droit donné."), text)
    status = 422 if form.errors else 200
    return render(request, "desk/right.html", {"form": form, "person": member}, status=status)


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten_loan(request: StaffRequest) -> HttpResponse:
    """Enter a loan that left without being recorded."""
    place = request.place
    now = timezone.now()
    initial = {}
    if wanted := request.GET.get("membre"):
        cards = served(request, wanted).live_cards  # type: ignore[attr-defined]
        initial["who"] = str(cards[0]) if cards else ""
    form = ForgottenLoanForm(
        request.POST or None, place=place, today=local_day(now), initial=initial
    )
    if request.method == "POST" and form.is_valid():
        member = form.cleaned_data["who"]
        try:
            loan = enter_forgotten_loan(
                copy=form.cleaned_data["what"],
                member=member,
                on=form.cleaned_data["on"],
                by=request.user,
                now=now,
            )
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            word = _("Prêt saisi : %(tool)s.") % {"tool": loan.tool.name}
            text = _("À rendre %(day)s.") % {"day": words.day(loan.due_on)}
            return said(f"{reverse('desk:home')}?membre={member.pk}", "done", word, text)
    status = 422 if form.errors else 200
    return render(request, "desk/forgotten_loan.html", {"form": form}, status=status)
