"""Payer en ligne: what is paid and how, the way to the provider's page, the way back.

The page before the provider's says the price and what follows. The page after it proves
nothing: it shows what the provider has confirmed, and until then that one waits.
"""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club import gateway
from club.access import MemberRequest, member_required
from club.domain import checkouts
from club.enums import CheckoutStatus, MandateStatus, Means, RefundReason
from club.kernel.bookings import Booking
from club.kernel.purchases import purchase
from club.kernel.recurring import Price, recurring
from club.kernel.refusal import Reason, Refused
from club.models import Checkout, Customer, Household, LedgerEntry, Mandate, Member, Refund
from club.queries.paying import pays_online


class SeeOther(HttpResponseRedirect):
    """After a POST, another page by GET: no browser sends the form there again."""

    status_code = 303


def own(member: Member, kind: str, pk: int) -> Any:
    """What a member's household can pay for; another's does not exist."""
    try:
        subject = purchase(kind).load(pk)
    except (KeyError, ObjectDoesNotExist):
        raise Http404 from None
    owner = getattr(subject, "member", None)
    household = getattr(subject, "household_id", None) or (owner and owner.household_id)
    if isinstance(subject, Household):
        household = subject.pk
    is_mine = recurring(kind) is None or owner is None or owner.pk == member.pk
    if household != member.household_id or not is_mine:
        raise Http404
    return subject


def home_of(member: Member, subject: Any, renews: bool) -> tuple[str, str]:
    """The page of what is paid for: an address and its words."""
    if renews:
        return reverse("portal:subscription"), _("Mon abonnement")
    if isinstance(subject, Booking) and subject.member_id == member.pk:
        return reverse("portal:booking", args=[subject.reference]), _("Voir ma réservation")
    if isinstance(subject, Household):
        return reverse("portal:orders"), _("Mes commandes")
    return reverse("portal:payments"), _("Voir mes paiements")


def leads_out(response: HttpResponse) -> HttpResponse:
    """Its form ends on the provider's page, and a browser asks the policy there too."""
    response._csp_update = {"form-action": gateway.hosted_origins()}  # type: ignore[attr-defined]
    return response


def origin_of(request: MemberRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def pay(request: MemberRequest, kind: str, pk: int) -> HttpResponse:
    """Say the price (GET), then lead to the payment page (POST)."""
    member, now = request.member, timezone.now()
    subject = own(member, kind, pk)
    reasons: list[Reason] = []
    status = 200
    if request.method == "POST":
        try:
            url = checkouts.begin_checkout(
                member, kind, pk, origin=origin_of(request), by=request.user, now=now
            )
            return leads_out(SeeOther(url))
        except Refused as refused:
            reasons, status = refused.reasons, 422
        except (gateway.Unavailable, gateway.Declined):
            return render(
                request, "portal/pay_unavailable.html", {"retry": request.path}, status=503
            )
    if not reasons:
        reason = checkouts.why_not(member, kind, pk, now)
        reasons = [reason] if reason else []
    due = checkouts.due_of_subject(member.household, kind, pk, now)
    renews = recurring(kind)
    back_url, back_label = home_of(member, subject, renews is not None)
    context = {
        "back": {"url": back_url, "label": back_label},
        "by_debit": not purchase(kind).at_once,
        "due": due,
        "label": str(purchase(kind).label(subject)),
        "reasons": reasons,
        "codes": {reason.code for reason in reasons},
        "price": renews.price(subject) if renews else None,
        "a_month": by_the_month(renews.price(subject)) if renews else 0,
        "kind": kind,
        "pk": pk,
    }
    return leads_out(render(request, "portal/pay.html", context, status=status))


def by_the_month(price: Price) -> int:
    """1 € of 12 € a year; 0 where it is no round sum, or is paid by the month anyway."""
    return price.cents // price.months if price.months > 1 and not price.cents % price.months else 0


@require_safe
@never_cache
@member_required
def paid(request: MemberRequest, reference: str) -> HttpResponse:
    """Paid, under way, not paid, or still being checked: what we know, and not what came."""
    member = request.member
    checkout = get_object_or_404(Checkout, reference=reference, household=member.household_id)
    checkouts.came_back(checkout)
    subject = own(member, checkout.subject_kind, checkout.subject_id)
    renews = recurring(checkout.subject_kind)
    entry = None
    if checkout.status == CheckoutStatus.PAID:
        entry = (
            LedgerEntry.objects.select_related("receipt")
            .filter(
                household=member.household_id,
                subject_kind=checkout.subject_kind,
                kind="payment",
                source__startswith="stripe:",
                at__gte=checkout.created_at,
            )
            .order_by("pk")
            .first()
        )
    home_url, home_label = home_of(member, subject, renews is not None)
    back = Refund.objects.filter(entry=entry, cents=entry.cents).first() if entry else None
    context = {
        "home": {"url": home_url, "label": home_label},
        "checkout": checkout,
        "state": state_of(checkout, renews is not None and renews.linked(subject) is not None),
        "label": str(purchase(checkout.subject_kind).label(subject)),
        "entry": entry,
        "until": renews.paid_until(subject) if renews else None,
        "twice": back is not None and back.reason == RefundReason.TWICE,
        "too_late": back is not None and back.reason == RefundReason.CANCELLED,
        "kind": checkout.subject_kind,
    }
    return render(request, "portal/pay_back.html", context)


def state_of(checkout: Checkout, is_linked: bool) -> str:
    if checkout.status == CheckoutStatus.PAID:
        return "paid"
    if is_linked:
        return "under_way"
    return "expired" if checkout.status == CheckoutStatus.EXPIRED else "waiting"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def means(request: MemberRequest) -> HttpResponse:
    """By what one pays, and the provider's page to change it."""
    customer = Customer.objects.filter(household=request.member.household_id).first()
    if request.method == "POST":
        if customer is None or not pays_online(request.member.place):
            return redirect("portal:means")
        back = f"{origin_of(request)}{request.path}?retour"
        try:
            return leads_out(SeeOther(gateway.means_page(customer.provider_id, back)))
        except (gateway.Unavailable, gateway.Declined):
            return render(
                request, "portal/pay_unavailable.html", {"retry": request.path}, status=503
            )
    came_back = "retour" in request.GET and customer is not None
    if customer is not None and came_back:
        checkouts.means_changed(customer)
    context = {
        "known": known_means(customer) if customer else "",
        "online": customer is not None and pays_online(request.member.place),
        "came_back": came_back,
    }
    return leads_out(render(request, "portal/pay_means.html", context))


def known_means(customer: Customer) -> str:
    """Of the last payment: the provider alone knows the card."""
    last = (
        LedgerEntry.objects.filter(
            household=customer.household_id, source__startswith="stripe:", kind="payment"
        )
        .order_by("-pk")
        .first()
    )
    mandate = Mandate.objects.filter(customer=customer, status=MandateStatus.ACTIVE)
    if last is not None and last.means == Means.CARD:
        return _("carte bancaire")
    found = mandate.order_by("-pk").first()
    if found is None:
        return ""
    return _("prélèvement sur le compte qui finit par %(last4)s") % {"last4": found.last4}
