"""Taking money at the counter, its receipts on paper, and giving it back."""

from datetime import time
from secrets import randbelow
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest, fresh_proof
from club.domain.receipts import cancel_receipt, open_till
from club.enums import DESK_MEANS, EntryKind
from club.forms import add_refusal
from club.kernel import words
from club.kernel.people import folded
from club.kernel.refusal import Reason, Refused
from club.kernel.spans import at, end_of, local_day
from club.models import Member, Receipt
from concierge.domain.fees import DEPOSIT, deposit_held, give_back_deposit
from concierge.models import Loan, Subscription
from desk import taking
from desk.access import staff
from desk.money_forms import GiveBackForm, PayBackForm, PayForm
from desk.screen import member_url, to_give_back
from desk.views import BIGGEST_SCAN, said, scan_number, served
from events.domain import fees as places
from events.models import Registration

ON_THE_FIELDS = {"plan": "plan_subscription"}


@staff
@never_cache
@require_GET
def find(request: StaffRequest) -> HttpResponse:
    """The key of the counter: for the person on the screen, else asks for one."""
    if wanted := request.GET.get("membre"):
        return redirect("desk:pay", served(request, wanted).pk)
    text = _("Scannez d’abord la carte de la personne.")
    return said(reverse("desk:home"), "attention", _("Encaisser."), text)


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: StaffRequest, pk: int) -> HttpResponse:
    member = served(request, str(pk))
    now = timezone.now()
    number = scan_number(request.POST.get("scan", ""))
    refusal = None
    try:
        done = taking.taken_by(request.user, number, member)
        if done is not None:
            return told(member, done)
    except Refused as refused:
        refusal = refused
    owed = taking.owed_by(member, now)
    form = PayForm(
        request.POST or None, owed=owed, till_is_open=open_till(request.place) is not None
    )
    if refusal is not None:
        form.is_valid()
        add_refusal(form, refusal)
    elif request.method == "POST" and form.is_valid():
        try:
            done = taking.take(
                member, form.wanted(), place=request.place, number=number, by=request.user, now=now
            )
            return told(member, done)
        except Refused as refused:
            add_refusal(form, refused, fields=ON_THE_FIELDS)
    context = {
        "form": form,
        "person": member,
        "owed": owed,
        "to_give_back": to_give_back(member),
        "total": form.chosen_cents(),
        "scan": number if number is not None and refusal is None else randbelow(BIGGEST_SCAN),
    }
    status = 422 if form.errors else 200
    return render(request, "desk/pay.html", context, status=status)


def told(member: Member, done: dict[str, Any]) -> HttpResponse:
    """Back at the counter: what was taken and the change, or what was given."""
    if done["receipt"] is None:
        given = Subscription.objects.filter(pk__in=done["given"]).select_related("plan")
        names = ", ".join(str(one.plan) for one in given)
        ends = [one.paid_until for one in given if one.paid_until]
        text = f"{names}."
        if ends:
            until = {"plan": names, "day": words.day(max(ends))}
            text = _("%(plan)s, jusqu’au %(day)s.") % until
        return said(member_url(member.pk), "done", _("Abonnement ouvert."), text)
    receipt = Receipt.objects.get(pk=done["receipt"])
    word = _("Encaissé %(cents)s.") % {"cents": words.money(receipt.cents)}
    text = ""
    if receipt.change_cents:
        text = _("Rendez %(cents)s.") % {"cents": words.money(receipt.change_cents)}
    return said(member_url(member.pk), "done", word, text, receipt=receipt.pk)


# -- Receipts ---------------------------------------------------------------------------


def receipts_here(request: StaffRequest) -> Any:
    return Receipt.objects.filter(place=request.place).select_related(
        "member__user", "place", "issued_by", "cancels", "cancelled_by", "till"
    )


@staff
@never_cache
@require_GET
def receipt(request: StaffRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(receipts_here(request), pk=pk)
    entries = found.entries.exclude(kind=EntryKind.CHARGE).order_by("pk")
    context = {
        "receipt": found,
        "entries": entries,
        "person": found.member if found.member and is_served(request, found.member) else None,
        "can_cancel": can_cancel(found),
    }
    return render(request, "desk/receipt.html", context)


@staff
@never_cache
@require_GET
def receipts(request: StaffRequest) -> HttpResponse:
    """The receipts of a day; a number or a name is looked for on every day."""
    rows = receipts_here(request).order_by("-year", "-number")
    text = request.GET.get("q", "").replace("\x00", "").strip()[:80]
    day = local_day(timezone.now())
    try:
        day = parse_date(request.GET.get("jour", "")) or day
        begins, ends = at(day, time.min), end_of(day)
    except (ValueError, OverflowError):
        raise Http404 from None
    if text:
        for word in folded(text).split():
            rows = rows.filter(member__search_name__contains=word)
        year, dash, number = text.replace(" ", "").partition("-")
        if not dash:
            year, number = "", year
        if number.isascii() and number.isdigit() and len(number) <= 9:
            rows = receipts_here(request).filter(number=int(number)).order_by("-year")
            if year.isascii() and year.isdigit() and len(year) == 4:
                rows = rows.filter(year=int(year))
    else:
        rows = rows.filter(issued_at__gte=begins, issued_at__lt=ends)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {"page_obj": page, "text": text, "day": day, "found": page.paginator.count}
    return render(request, "desk/receipts.html", context)


@staff
@never_cache
@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: StaffRequest, pk: int) -> HttpResponse:
    """The opposite entry of a receipt, after a page that says what goes back."""
    found = get_object_or_404(receipts_here(request), pk=pk)
    reasons: list[Reason] = []
    if request.method == "POST":
        try:
            opposite = cancel_receipt(found, by=request.user, now=timezone.now())
        except Refused as refused:
            reasons = refused.reasons
        else:
            word = _("Reçu annulé.")
            hand = _("Rendez %(cents)s.") if found.cents >= 0 else _("Reprenez %(cents)s.")
            text = hand % {"cents": words.money(abs(found.cents))}
            url = member_url(found.member.pk) if found.member else reverse("desk:home")
            if found.member and not is_served(request, found.member):
                url = reverse("desk:home")
            return said(url, "returned", word, text, receipt=opposite.pk)
    context = {
        "receipt": found,
        "entries": found.entries.exclude(kind=EntryKind.CHARGE).order_by("pk"),
        "reasons": reasons,
        "opposite": -found.cents,
        "can_cancel": can_cancel(found),
    }
    status = 422 if reasons else 200
    return render(request, "desk/receipt_cancel.html", context, status=status)


def can_cancel(receipt: Receipt) -> bool:
    is_whole = receipt.cancels_id is None and not hasattr(receipt, "cancelled_by")
    return receipt.means in DESK_MEANS and is_whole


def is_served(request: StaffRequest, member: Member) -> bool:
    try:
        served(request, str(member.pk))
    except Http404:
        return False
    return True


# -- Deposits ---------------------------------------------------------------------------


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def deposit(request: StaffRequest, reference: str) -> HttpResponse:
    """Give a deposit back, whole or in part with the reason."""
    loan = get_object_or_404(
        Loan.objects.select_related("tool", "place", "member__user", "member__household"),
        reference=reference,
        place=request.place,
    )
    number = scan_number(request.POST.get("scan", ""))
    form = GiveBackForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            back = give_back_deposit(
                loan,
                means=data["means"],
                kept_cents=data["kept"] or 0,
                reason=data["reason"],
                by=request.user,
                now=timezone.now(),
                form_key=None if number is None else f"desk:{request.user.pk}:{number}",
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            word = _("Caution rendue.")
            text = _("Rendez %(cents)s.") % {"cents": words.money(-back.cents)}
            member = loan.member
            url = member_url(member.pk) if is_served(request, member) else reverse("desk:home")
            return said(url, "returned", word, text, receipt=back.pk)
    taken_in = (
        loan.member.household.entries.filter(subject_kind=DEPOSIT, subject_id=loan.pk)
        .order_by("-pk")
        .values_list("means", flat=True)
        .first()
    )
    if not form.is_bound and taken_in in DESK_MEANS:
        form.initial["means"] = taken_in
    context = {
        "form": form,
        "loan": loan,
        "held": deposit_held(loan),
        "person": loan.member,
        "scan": number if number is not None else randbelow(BIGGEST_SCAN),
    }
    return render(request, "desk/deposit.html", context, status=422 if form.errors else 200)


# -- Places at events ---------------------------------------------------------------------


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def places_back(request: StaffRequest, reference: str) -> HttpResponse:
    """Give back what was paid for places that were cancelled, or are fewer now."""
    registration = get_object_or_404(
        Registration.objects.select_related("session__event", "place", "member__user"),
        reference=reference,
        place=request.place,
    )
    member = registration.member
    back_url = member_url(member.pk) if is_served(request, member) else reverse("desk:home")
    number = scan_number(request.POST.get("scan", ""))
    form = PayBackForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            back = places.pay_back(
                registration,
                means=form.cleaned_data["means"],
                by=request.user,
                now=timezone.now(),
                form_key=None if number is None else f"desk:{request.user.pk}:{number}",
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            word = _("Argent rendu.")
            text = _("Rendez %(cents)s.") % {"cents": words.money(-back.cents)}
            return said(back_url, "returned", word, text, receipt=back.pk)
    taken_in = places.payments_of(registration).order_by("-pk").values_list("means", flat=True)
    if not form.is_bound and (means := taken_in.first()) in DESK_MEANS:
        form.initial["means"] = means
    context = {
        "form": form,
        "label": places.label_of(registration),
        "owed": places.owed(registration),
        "person": member,
        "back_url": back_url,
        "scan": number if number is not None else randbelow(BIGGEST_SCAN),
    }
    return render(request, "desk/places_back.html", context, status=422 if form.errors else 200)


# -- Tenancy ----------------------------------------------------------------------------


@staff
@never_cache
@require_POST
def left_dwelling(request: StaffRequest, pk: int) -> HttpResponse:
    """No tenant any more: what is paid stays, the next period has another plan."""
    member = served(request, str(pk))
    taking.no_tenant_any_more(member, by=request.user, now=timezone.now())
    text = _("Ce qui est payé reste. La suite est au tarif de tout le monde.")
    return said(member_url(member.pk), "returned", _("N’est plus locataire."), text)
