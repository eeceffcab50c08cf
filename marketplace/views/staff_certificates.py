"""Who has sent a certificate and who has not, asking for it, and its file: for the team."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from wagtail.permissions import policy_registry

from club.domain.journal import plain
from club.forms import add_refusal
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Household, Landlord
from club.permissions import RULES, places_for, visible
from club.views.files import as_csv_file, as_download
from marketplace.domain.certificates import call, to_ask
from marketplace.forms.insurance import CallForm, FollowForm
from marketplace.models import Certificate, CertificateCall
from marketplace.queries.certificates import (
    Line,
    Standing,
    cards_of,
    lines_of,
    tenants,
    with_standing,
)

PER_PAGE, AT_ONCE = 50, 1000


def allowed(request: HttpRequest, action: str) -> None:
    policy = policy_registry.get_by_type(Certificate)
    if not policy.user_has_any_permission(request.user, [action]):
        raise PermissionDenied


def own_places(request: HttpRequest, action: str) -> list[int] | None:
    """None where nothing narrows them: for the operator's own account."""
    if request.user.is_superuser:
        return None
    return places_for(request.user, Certificate, [action])


@require_safe
@never_cache
def file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """For who judges it; whoever took the paper in at the desk need not read it again."""
    policy = policy_registry.get_by_type(Certificate)
    mine = policy.instances_user_has_any_permission_for(request.user, ["change"])
    return as_download(get_object_or_404(mine, pk=pk).file)


# -- Who has sent one --------------------------------------------------------------------------


@require_safe
@never_cache
def follow(request: HttpRequest) -> HttpResponse:
    """Tenants at one's places, where each stands today; as a file with `?fichier=csv`."""
    allowed(request, "view")
    form = FollowForm(request.GET, user=request.user)
    found = followed(request, form)
    if request.GET.get("fichier") == "csv":
        return as_file(found)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    lines = lines_of(page.object_list, local_day(timezone.now()))
    policy = policy_registry.get_by_type(Certificate)
    cards = cards_of(line.household for line in lines)
    context = {
        "page_title": _("Attestations des locataires"),
        "form": form,
        "lines": [(line, note_url(line, cards)) for line in lines],
        "page": page,
        "before_url": address(request, page=page.number - 1) if page.has_previous() else "",
        "after_url": address(request, page=page.number + 1) if page.has_next() else "",
        "file_url": address(request, fichier="csv"),
        "may_change": policy.user_has_any_permission(request.user, ["change"]),
    }
    return render(request, "marketplace/admin/certificates.html", context)


def followed(request: HttpRequest, form: FollowForm) -> QuerySet[Any]:
    mine = visible(Household.objects.all(), request.user, RULES[Certificate], ["view"])
    households = tenants().filter(pk__in=mine.values("pk"))
    found = with_standing(households, local_day(timezone.now()))
    asked = form.cleaned_data if form.is_valid() else {}
    if asked.get("etat"):
        found = found.filter(standing=asked["etat"])
    if asked.get("residence"):
        found = found.filter(dwelling__residence=asked["residence"])
    return (
        found.select_related("dwelling__residence")
        .prefetch_related("members__user")
        .order_by("dwelling__residence__name", "dwelling__code", "pk")
    )


def note_url(line: Line, cards: dict[int, str]) -> str:
    """Where a paper brought to the desk is noted, the card filled in if there is one."""
    card = cards.get(line.household.pk)
    return reverse("certificate:add") + (f"?{urlencode({'card': card})}" if card else "")


def address(request: HttpRequest, **more: Any) -> str:
    query = request.GET.copy()
    for name, value in more.items():
        query[name] = str(value)
    return f"?{query.urlencode()}"


def as_file(found: QuerySet[Any]) -> HttpResponse:
    heads = [
        _("Résidence"), _("Logement"), _("Foyer"), _("État"), _("Valable du"), _("Jusqu’au"),
        _("Reçue le"),
    ]  # fmt: skip
    rows, today = list(found), local_day(timezone.now())
    lines = (
        line
        for start in range(0, len(rows), AT_ONCE)
        for line in lines_of(rows[start : start + AT_ONCE], today)
    )
    return as_csv_file("attestations", heads, map(cells_of, lines))


def cells_of(line: Line) -> list[str]:
    dwelling, one = line.household.dwelling, line.certificate
    days = (
        [f"{day:%d/%m/%Y}" for day in (one.starts_on, one.ends_on, local_day(one.received_at))]
        if one
        else ["", "", ""]
    )
    return [
        plain(dwelling.residence.name) if dwelling else "",
        plain(dwelling.code) if dwelling else "",
        plain(str(line.household)),
        str(Standing(line.standing).label),
        *days,
    ]


# -- Asking for it -----------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    """How many would be asked is read before the press, with the reason that they read."""
    allowed(request, "change")
    places, now = own_places(request, "change"), timezone.now()
    landlords = Landlord.objects.order_by("name", "pk")
    if places is not None:
        landlords = landlords.filter(places__in=places).distinct()
    form = CallForm(request.POST if request.method == "POST" else None, landlords=landlords)
    if form.is_bound and form.is_valid():
        try:
            made = call(**form.cleaned_data, by=request.user, now=now, places=places)  # type: ignore[arg-type]
        except Refused as refused:
            add_refusal(form, refused)
        else:
            messages.success(request, asked_words(made))
            return redirect("certificates")
    context = {
        "page_title": _("Demander les attestations"),
        "form": form,
        "numbers": [(one, to_ask(one, local_day(now), places)) for one in landlords],
        "calls": CertificateCall.objects.filter(landlord__in=landlords)
        .select_related("landlord", "by")
        .order_by("-asked_at", "-pk")[:10],
    }
    return render(request, "marketplace/admin/ask_certificates.html", context)


def asked_words(made: CertificateCall) -> str:
    return ngettext(
        "L’attestation est demandée à %(n)s foyer.",
        "L’attestation est demandée à %(n)s foyers.",
        made.households,
    ) % {"n": made.households}
