"""A tenant's own certificate. These pages name no insurer and lead to no partner."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club.access import MemberRequest, member_required
from club.forms import add_refusal
from club.kernel import words
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.views.files import as_download
from marketplace.domain.certificates import send_certificate
from marketplace.forms.insurance import CertificateForm
from marketplace.models import Certificate
from marketplace.queries.certificates import ASKED, Standing, is_tenant, line_of


@require_safe
@never_cache
@member_required
def home(request: MemberRequest) -> HttpResponse:
    household = request.member.household
    line = line_of(household, local_day(timezone.now()))
    sent = Certificate.objects.filter(household=household).order_by("-received_at", "-pk")
    context = {
        "line": line,
        "is_asked": line.standing in ASKED,
        "is_valid": line.standing == Standing.VALID,
        "is_refused": line.standing == Standing.REFUSED,
        "sent": sent,
        "is_tenant": is_tenant(household),
    }
    return render(request, "marketplace/certificate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def send(request: MemberRequest) -> HttpResponse:
    if not is_tenant(request.member.household):
        return redirect("own-certificate:home")
    is_sent = request.method == "POST"
    form = CertificateForm(request.POST, request.FILES) if is_sent else CertificateForm()
    if is_sent and form.is_valid():
        try:
            certificate = send_certificate(
                request.member, **form.cleaned_data, by=request.user, now=timezone.now()
            )
        except Refused as refused:
            add_refusal(form, refused)
            form.say_lost()
        else:
            return redirect("own-certificate:sent", certificate.pk)
    return render(
        request, "marketplace/certificate_send.html", {"form": form}, status=422 if is_sent else 200
    )


def own_certificate(request: MemberRequest, pk: int) -> Certificate:
    """Of one's own household; any other is not there."""
    mine = Certificate.objects.filter(household=request.member.household_id)
    certificate: Certificate = get_object_or_404(mine, pk=pk)
    return certificate


@require_safe
@never_cache
@member_required
def sent(request: MemberRequest, pk: int) -> HttpResponse:
    certificate = own_certificate(request, pk)
    ticket = {
        "title": _("Attestation d’assurance"),
        "label": _("Votre attestation"),
        "noun": _("Reçue"),
        "reference": words.day(certificate.received_at),
        "picture": "tiles/service",
        "wall": "water",
        "rows": [
            {"icon": "home", "label": _("Assureur"), "strong": certificate.insurer},
            {
                "icon": "calendar",
                "label": _("Valable"),
                "strong": _("jusqu’au %(day)s") % {"day": words.day(certificate.ends_on)},
                "text": _("depuis le %(day)s") % {"day": words.day(certificate.starts_on)},
            },
        ],
    }
    context = {"certificate": certificate, "ticket": ticket, "title": _("C’est envoyé")}
    return render(request, "marketplace/certificate_sent.html", context)


@require_safe
@never_cache
@member_required
def file(request: MemberRequest, pk: int) -> Any:
    return as_download(own_certificate(request, pk).file)
