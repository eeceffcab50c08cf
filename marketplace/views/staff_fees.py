"""The yearly fee of a partner, taken in the admin, and its receipt on paper."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from wagtail.admin import messages

from club.access import fresh_proof, staff_places
from club.enums import EntryKind, Role
from club.forms import add_refusal
from club.kernel import words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Place, Receipt
from marketplace.domain.fees import take_fee
from marketplace.forms.fees import TakeFeeForm
from marketplace.models import Partner
from marketplace.queries.fees import KIND, Fee, fees_of


def places_of(request: HttpRequest) -> list[Place]:
    """Where somebody may take money."""
    found = staff_places(request.user, Role.OFFICER, Role.CONCIERGE)  # type: ignore[arg-type]
    if not found:
        raise PermissionDenied
    return list(found.order_by("pk"))


def line_of(fee: Fee) -> dict[str, Any]:
    year = fee.year
    cents = -fee.charge.cents if fee.charge else year.convention.fee_cents
    return {
        "version": year.convention.version,
        "first": words.date_of(year.starts_on),
        "last": words.date_of(year.ends_on),
        "sum": words.money(cents) if cents else _("aucune"),
        "receipt": fee.charge.receipt if fee.charge else None,
        "is_due": fee.is_due,
    }


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@fresh_proof
def fees(request: HttpRequest, pk: int) -> HttpResponse:
    """Each year of the conventions, paid or not; the one that is due is taken here."""
    mine = places_of(request)
    partner = get_object_or_404(
        Partner.objects.filter(landlord__in={place.landlord_id for place in mine}), pk=pk
    )
    now = timezone.now()
    found = fees_of(partner, local_day(now))
    form = TakeFeeForm(
        request.POST or None,
        fees=[fee for fee in found if fee.is_due],
        places=[place for place in mine if place.landlord_id == partner.landlord_id],
    )
    if request.method == "POST" and form.is_valid():
        try:
            receipt = take_fee(
                form.fee.year.convention,
                starts_on=form.fee.year.starts_on,
                cents=form.fee.year.convention.fee_cents,
                means=form.cleaned_data["means"],
                place=form.cleaned_data["place"],
                by=request.user,  # type: ignore[arg-type]
                now=now,
            )
        except Refused as refused:
            add_refusal(form, refused)
        else:
            url = reverse("partner-receipt", args=[receipt.pk])
            messages.success(
                request,
                _("La participation est encaissée."),
                buttons=[messages.button(url, _("Imprimer le reçu"))],
            )
            return redirect("partner-fees", pk=partner.pk)
    context = {
        "page_title": _("Participation"),
        "partner": partner,
        "lines": [line_of(fee) for fee in found],
        "is_due": bool(form.fees),
        "form": form,
    }
    return render(request, "marketplace/admin/fees.html", context)


@require_safe
@never_cache
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """The counter's own sheet, for a receipt of one of the places where one works."""
    ours = Receipt.objects.filter(place__in=places_of(request), entries__subject_kind=KIND)
    rows = ours.select_related("place", "issued_by", "cancels", "cancelled_by").distinct()
    found = get_object_or_404(rows, pk=pk)
    entries = found.entries.exclude(kind=EntryKind.CHARGE).order_by("pk")
    return render(request, "desk/receipt.html", {"receipt": found, "entries": entries})
