"""Mes reçus et mes paiements: what the household has paid, and what is left to pay."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import MemberRequest, member_required
from club.domain.checkouts import why_not
from club.domain.ledger import balance_of, deposits_of
from club.enums import EntryKind
from club.kernel import words
from club.kernel.purchases import Due, due_of
from club.models import LedgerEntry, Member, Receipt
from club.receipt_letters import title_of
from concierge.domain.subscriptions import KIND

PER_PAGE = 30


@require_safe
@never_cache
@member_required
def receipts(request: MemberRequest) -> HttpResponse:
    """All of the household's, the newest first, each with what it paid."""
    found = (
        Receipt.objects.filter(household=request.member.household)
        .select_related("place", "cancels", "cancelled_by")
        .order_by("-issued_at", "-pk")
    )
    page: Page[Any] = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    labels = defaultdict(list)
    for receipt_id, label in (
        LedgerEntry.objects.filter(receipt__in=[one.pk for one in page])
        .order_by("pk")
        .values_list("receipt_id", "label")
    ):
        labels[receipt_id].append(label)
    lines = [{"receipt": one, "title": title_of(one), "labels": labels[one.pk]} for one in page]
    return render(request, "portal/receipts.html", {"lines": lines, "page_obj": page})


@require_safe
@never_cache
@member_required
def receipt(request: MemberRequest, pk: int) -> HttpResponse:
    """One receipt, made to be printed or shown."""
    found = get_object_or_404(
        Receipt.objects.select_related("place", "member__user", "cancels", "cancelled_by"),
        pk=pk,
        household=request.member.household,
    )
    context = {
        "receipt": found,
        "title": title_of(found),
        "lines": found.entries.order_by("pk"),
        "payee": found.place.payee or found.place.name,
        "cents": abs(found.cents),
    }
    return render(request, "portal/receipt.html", context)


def balance_words(cents: int) -> str:
    if cents < 0:
        return _("Il reste %(money)s à payer.") % {"money": words.money(-cents)}
    if cents > 0:
        return _("Vous avez %(money)s d’avance.") % {"money": words.money(cents)}
    return _("Tout est payé. Vous ne devez rien.")


def payable(member: Member, now: datetime) -> list[tuple[Due, str]]:
    """What can be paid on line at once: loans' fees and deposits, not a next subscription."""
    return [
        (due, words.money(due.cents))
        for due in due_of(member.household, now)
        if due.kind != KIND and why_not(member, due.kind, due.subject_id, now) is None
    ]


def said(entry: LedgerEntry) -> dict[str, Any]:
    """An entry as a line: what was to pay in one column, what was paid in the other."""
    is_charge = entry.kind == EntryKind.CHARGE
    return {
        "entry": entry,
        "owed": words.money(-entry.cents) if is_charge else "",
        "paid": "" if is_charge else words.money(entry.cents),
        "how": entry.get_means_display() if entry.means else "",
        "kind": entry.get_kind_display(),
    }


@require_safe
@never_cache
@member_required
def payments(request: MemberRequest) -> HttpResponse:
    household = request.member.household
    found = (
        LedgerEntry.objects.filter(household=household)
        .select_related("receipt")
        .order_by("-at", "-pk")
    )
    page: Page[Any] = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    balance, held = balance_of(household), deposits_of(household)
    context = {
        "lines": [said(entry) for entry in page],
        "page_obj": page,
        "balance": balance_words(balance),
        "owes": balance < 0,
        "deposits": words.money(held) if held > 0 else "",
        "payable": payable(request.member, timezone.now()),
    }
    return render(request, "portal/payments.html", context)
