"""The till's day at the counter, and the accountant's journal."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Sum
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from club.access import StaffRequest, is_fresh, prove
from club.domain import journal
from club.domain.receipts import open_till
from club.domain.till import (
    close_till_day,
    move_cash,
    needs_second_person,
    open_till_day,
    sign_till_day,
)
from club.enums import EntryKind, Means
from club.forms import add_refusal, typed
from club.kernel import words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import TillDay
from desk.access import staff
from desk.money_forms import CountForm, DatesForm, FloatForm, MovementForm
from desk.views import said

PAST = 20


def tills_here(request: StaffRequest) -> QuerySet[TillDay]:
    return TillDay.objects.filter(place=request.place).select_related(
        "place", "opened_by", "closed_by", "signed_by"
    )


def difference_words(till: TillDay) -> str:
    """The count against what was expected, in a sentence."""
    cents = till.difference_cents
    if cents == 0:
        return _("Le compte est juste.")
    missing = _("Il manque %(cents)s.") if cents < 0 else _("Il y a %(cents)s de trop.")
    return missing % {"cents": words.money(abs(cents))}


def last_count(request: StaffRequest) -> int | None:
    """What the drawer held at the last closing: what should be in it now."""
    last = tills_here(request).exclude(closed_at=None).order_by("-closed_at").first()
    return last.counted_cents if last else None


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def till(request: StaffRequest) -> HttpResponse:
    """The open till with its movements, or the form that opens one; the days gone by."""
    now = timezone.now()
    found = open_till(request.place)
    last = None if found else last_count(request)
    initial = {} if last is None else {"float": typed(last)}
    form: FloatForm | MovementForm
    if found is None:
        form = FloatForm(request.POST or None, initial=initial)
        form.fields["float"].widget.attrs["autofocus"] = True
    else:
        form = MovementForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            if found is None:
                open_till_day(request.place, data["float"], by=request.user, now=now)
            else:
                move_cash(found, data["kind"], data["cents"], by=request.user, now=now)
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            return redirect("desk:till")
    past = tills_here(request).exclude(closed_at=None).order_by("-closed_at")
    page = Paginator(past, PAST).get_page(request.GET.get("page"))
    context = {
        "till": found,
        "form": form,
        "last": last,
        "page_obj": page,
        "days": [(day, difference_words(day), needs_second_person(day)) for day in page],
        "movements": found.movements.select_related("by").order_by("pk") if found else [],
    }
    return render(request, "desk/till.html", context, status=422 if form.errors else 200)


@staff
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def count(request: StaffRequest, pk: int) -> HttpResponse:
    """The blind count: what is expected is told after it, never before."""
    found = get_object_or_404(tills_here(request), pk=pk)
    if found.closed_at is not None and request.method != "POST":
        return redirect("desk:till-day", found.pk)
    form = CountForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            close_till_day(found, form.counted(), by=request.user, now=timezone.now())
        except Refused as refusal:
            found.refresh_from_db()
            if found.closed_by_id == request.user.pk:
                return redirect("desk:till-day", found.pk)
            add_refusal(form, refusal)
        else:
            return redirect("desk:till-day", found.pk)
    context = {"till": found, "form": form}
    return render(request, "desk/till_count.html", context, status=422 if form.errors else 200)


@staff
@never_cache
@require_GET
def till_day(request: StaffRequest, pk: int) -> HttpResponse:
    """A closed day: the count, the difference, the totals by means, the receipts."""
    found = get_object_or_404(tills_here(request), pk=pk)
    if found.closed_at is None:
        return redirect("desk:till")
    receipts = found.receipts.select_related("member__user", "cancels").order_by("pk")
    totals = (
        found.entries.exclude(kind=EntryKind.CHARGE)
        .values("means")
        .annotate(sum=Sum("cents"), number=Count("receipt", distinct=True))
        .order_by("means")
    )
    counted = {int(value): number for value, number in found.counted.items()}
    context = {
        "till": found,
        "difference": difference_words(found),
        "needs_signature": needs_second_person(found),
        "may_sign": found.closed_by_id != request.user.pk,
        "totals": [(Means(row["means"]).label, row["number"], row["sum"]) for row in totals],
        "receipts": receipts,
        "movements": found.movements.select_related("by").order_by("pk"),
        "counted": [
            (words.money(value), counted[value], words.money(value * counted[value]))
            for value in sorted(counted, reverse=True)
        ],
    }
    return render(request, "desk/till_day.html", context)


@staff
@never_cache
@require_POST
def sign(request: StaffRequest, pk: int) -> HttpResponse:
    """A second person has seen the difference."""
    found = get_object_or_404(tills_here(request), pk=pk)
    if not is_fresh(request):
        return prove(reverse("desk:till-day", args=[found.pk]))
    try:
        sign_till_day(found, by=request.user, now=timezone.now())
    except Refused as refusal:
        text = " ".join(str(reason.text) for reason in refusal.reasons)
        return said(reverse("desk:home"), "refused", _("Refusé."), text)
    return redirect("desk:till-day", found.pk)


# -- The journal ---------------------------------------------------------------------------


@staff
@never_cache
@require_GET
def book(request: StaffRequest) -> HttpResponse:
    """The accountant's journal of some days: on the page its sums, as a file its lines."""
    today = local_day(timezone.now())
    initial = {"du": today.replace(day=1), "au": today}
    form = DatesForm(request.GET if "du" in request.GET else None, initial=initial)
    if form.is_bound and not form.is_valid():
        return render(request, "desk/journal.html", {"form": form}, status=422)
    data = form.cleaned_data if form.is_bound else initial
    first, last = data["du"], data["au"]
    lines = journal.lines_of(request.place, first, last)
    wanted = request.GET.get("format")
    name = f"{request.place.slug}-{first:%Y%m%d}-{last:%Y%m%d}"
    if wanted == "csv":
        return as_file(journal.as_csv(lines), f"journal-{name}.csv", "text/csv")
    if wanted == "fec":
        return as_file(journal.as_fec(lines), f"FEC-{name}.txt", "text/plain")
    totals = journal.totals_of(lines)
    context = {
        "form": form,
        "totals": [(account, debit, credit) for account, (debit, credit) in totals.items()],
        "sum": sum(debit for debit, credit in totals.values()),
        "query": f"du={first:%Y-%m-%d}&au={last:%Y-%m-%d}",
    }
    return render(request, "desk/journal.html", context)


def as_file(rows: Iterable[str], name: str, kind: str) -> Any:
    response = StreamingHttpResponse(encoded(rows), content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def encoded(rows: Iterable[str]) -> Iterator[bytes]:
    for row in rows:
        yield row.encode()
