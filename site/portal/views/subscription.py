"""Mon abonnement: what I have, the formulas for me, paying, stopping, a landlord's code.

A formula is chosen on one screen and confirmed on the next, where its price stands;
a free one is active with that press, the others are paid on line or at the desk.
"""

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from club.access import MemberRequest, member_required
from club.domain.checkouts import why_not
from club.enums import Activity
from club.forms import add_refusal
from club.kernel import codes, limits, words
from club.kernel.refusal import Refused
from club.models import Member
from club.queries.entitlement import coverage
from concierge.domain.subscriptions import KIND, due, keep, stop, subscribe, use_sponsorship
from concierge.enums import OPEN_SUBSCRIPTIONS, PlanKind, SubscriptionStatus
from concierge.models import Plan, Subscription
from concierge.queries.plans import offered_plans, open_subscription, subscriptions_of
from concierge.views.shown_plans import (
    PlanCard,
    Standing,
    hours_of,
    if_tenant,
    plan_card,
    standing_of,
    worth_showing,
)
from portal.forms import PlanForm, SponsorshipForm

CODES_A_DAY = 10
"""Nobody finds a landlord's code by trying."""
UNPAID = (SubscriptionStatus.PENDING, SubscriptionStatus.LATE)
KINDS = (PlanKind.SUBSCRIPTION, PlanKind.MEMBERSHIP)


def own(member: Member, pk: int) -> Subscription:
    """A member's own subscription or their household's; another's does not exist."""
    found: Subscription = get_object_or_404(
        subscriptions_of(member).select_related("plan__landlord", "next_plan", "place"), pk=pk
    )
    return found


def held_by(member: Member) -> list[Subscription]:
    """The open one of each sort, or the last one that was paid and has ended."""
    found = []
    for kind in KINDS:
        one = open_subscription(member, kind)
        if one is None:
            one = subscriptions_of(member).filter(kind=kind, paid_until__isnull=False).first()
        if one is not None:
            found.append(one)
    return found


def plans_for(member: Member) -> list[Plan]:
    """The formulas worth choosing, without the one that goes on anyway."""
    going_on = set()
    for kind in KINDS:
        one = open_subscription(member, kind)
        if one is not None:
            going_on.add((one.next_plan or one.plan).pk)
    return [plan for plan in worth_showing(offered_plans(member)) if plan.pk not in going_on]


def cards_of(plans: list[Plan], kind: str, open_kinds: set[str]) -> list[PlanCard]:
    """The formulas of a sort that the member has none of yet."""
    return [plan_card(plan) for plan in plans if plan.kind == kind and kind not in open_kinds]


def given_until(member: Member, today: date) -> date | None:
    """Until when somebody may borrow by what the desk gave, without a subscription."""
    right = coverage(member, Activity.LENDING, today)
    return right.ends_on if right.covers(today, today) else None


def can_pay(subscription: Subscription) -> int:
    """What a next period costs now, in cents; 0 where nothing is to be paid."""
    now = timezone.now()
    for line in due(subscription.household, now):
        if line.subject_id == subscription.pk:
            return line.cents
    return 0


def payable(state: Standing) -> int:
    """What the page asks for: nothing while a debit is under way, or when it is to stop."""
    found = state.subscription
    if state.is_awaited or not state.is_open or found.stops_at_end:
        return 0
    return can_pay(found)


@require_safe
@never_cache
@member_required
def subscription(request: MemberRequest) -> HttpResponse:
    member, now = request.member, timezone.now()
    today = timezone.localdate(now)
    held = [standing_of(one, member, now) for one in held_by(member)]
    plans = plans_for(member)
    open_kinds = {state.subscription.kind for state in held if state.is_open}
    is_subscriber = PlanKind.SUBSCRIPTION in open_kinds
    context = {
        "held": [(state, state.subscription, payable(state)) for state in held],
        "new_plans": cards_of(plans, PlanKind.SUBSCRIPTION, open_kinds),
        "club_plans": cards_of(plans, PlanKind.MEMBERSHIP, open_kinds),
        "can_change": any(plan.kind in open_kinds for plan in plans),
        "tenant_plans": [
            plan_card(plan)
            for plan in if_tenant(member, offered_plans(member))
            if plan.kind not in open_kinds
        ],
        "given_until": None if is_subscriber else given_until(member, today),
    }
    return render(request, "portal/subscription.html", context)


@require_safe
@never_cache
@member_required
def plans(request: MemberRequest) -> HttpResponse:
    """The other formulas, for somebody who has one."""
    member = request.member
    kinds = {kind for kind in KINDS if open_subscription(member, kind) is not None}
    context = {
        "plans": [plan_card(plan) for plan in plans_for(member) if plan.kind in kinds],
        "tenant_plans": [plan_card(plan) for plan in if_tenant(member, offered_plans(member))],
    }
    return render(request, "portal/subscription_plans.html", context)


def check_page(request: MemberRequest, plan: Plan, form: PlanForm | None = None) -> HttpResponse:
    found = open_subscription(request.member, plan.kind)
    if found is not None and found.status in UNPAID:
        found = None
    context = {
        "form": form,
        "formula": plan_card(plan),
        "plan": plan,
        "present": found,
        "same": found is not None and found.plan_id == plan.pk and found.next_plan_id is None,
    }
    return render(request, "portal/subscription_choose.html", context, status=422 if form else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def choose(request: MemberRequest) -> HttpResponse:
    """The check page of one formula, and the press that takes it."""
    member = request.member
    form = PlanForm(member, request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        if request.method != "POST":
            return redirect("portal:subscription")
        context = {"form": form, "plans": [plan_card(plan) for plan in plans_for(member)]}
        return render(request, "portal/subscription_plans.html", context, status=422)
    plan = form.cleaned_data["formule"]
    if request.method != "POST":
        return check_page(request, plan)
    try:
        taken = subscribe(member, plan, place=member.place, by=request.user, now=timezone.now())
    except Refused as refused:
        add_refusal(form, refused)
        return check_page(request, plan, form)
    return after_choice(request, taken, plan)


def after_choice(request: HttpRequest, taken: Subscription, plan: Plan) -> HttpResponse:
    """On to paying, or to "C’est actif" where there is nothing to pay."""
    is_free = taken.plan.price_cents == 0 and taken.next_plan_id is None
    if is_free and taken.status == SubscriptionStatus.ACTIVE:
        return redirect("portal:subscription-active", taken.pk)
    if taken.status in UNPAID and can_pay(taken):
        return redirect("portal:subscription-pay", taken.pk)
    if taken.next_plan_id is not None and taken.paid_until is not None:
        said = _("C’est noté. « %(plan)s » commence après le %(day)s.") % {
            "plan": plan.name, "day": words.day(taken.paid_until),
        }  # fmt: skip
        messages.success(request, said)
        return redirect("portal:subscription")
    messages.success(request, _("Vous gardez votre formule « %(plan)s ».") % {"plan": plan.name})
    return redirect("portal:subscription")


@require_safe
@never_cache
@member_required
def pay(request: MemberRequest, pk: int) -> HttpResponse:
    """On line where the place takes it, else at the desk: hours, and the number to say."""
    member, now = request.member, timezone.now()
    found = own(member, pk)
    cents = payable(standing_of(found, member, now))
    if not cents:
        messages.info(request, _("Il n’y a rien à payer pour le moment."))
        return redirect("portal:subscription")
    card = member.cards.filter(revoked_at=None).first()
    no = why_not(member, KIND, found.pk, now)
    context = {
        "subscription": found,
        "cents": cents,
        "formula": plan_card(found.next_plan or found.plan),
        "online": no is None,
        "other_means": no is not None and no.code == "change_means",
        "at": found.place,
        "hours": hours_of(found.place, now),
        "number": codes.spoken(f"M{card.number}") if card else "",
    }
    return render(request, "portal/subscription_pay.html", context)


@require_safe
@never_cache
@member_required
def active(request: MemberRequest, pk: int) -> HttpResponse:
    """ "C’est actif", as long as it is true."""
    found = own(request.member, pk)
    if found.status != SubscriptionStatus.ACTIVE or found.paid_until is None:
        return redirect("portal:subscription")
    standing = standing_of(found, request.member, timezone.now())
    lends = Activity.LENDING in found.plan.activities
    context = {"subscription": found, "standing": standing, "lends": lends}
    return render(request, "portal/subscription_active.html", context)


def no_more(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Another press, or another person, was there first: the page as it is now."""
    for reason in refused.reasons:
        messages.info(request, str(reason.text))
    return redirect("portal:subscription")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def end(request: MemberRequest, pk: int) -> HttpResponse:
    """Stop at the end of what is paid, asked once more."""
    found = own(request.member, pk)
    if request.method != "POST":
        if found.status not in OPEN_SUBSCRIPTIONS or found.stops_at_end:
            return redirect("portal:subscription")
        return render(request, "portal/subscription_stop.html", {"subscription": found})
    try:
        stopped = stop(found, by=request.user, now=timezone.now())
    except Refused as refused:
        return no_more(request, refused)
    if stopped.status == SubscriptionStatus.CANCELLED or stopped.paid_until is None:
        messages.success(request, _("C’est arrêté. Rien ne sera payé."))
    elif stopped.status != SubscriptionStatus.ACTIVE:
        messages.success(request, _("C’est noté. Il ne sera pas renouvelé."))
    else:
        day = words.day(stopped.paid_until)
        messages.success(request, _("C’est noté. Il dure jusqu’au %(day)s.") % {"day": day})
    return redirect("portal:subscription")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def go_on(request: MemberRequest, pk: int) -> HttpResponse:
    """Not to stop after all; a second press finds it done."""
    found = own(request.member, pk)
    if found.status not in OPEN_SUBSCRIPTIONS or not found.stops_at_end:
        return redirect("portal:subscription")
    if request.method != "POST":
        context = {"subscription": found, "formula": plan_card(found.next_plan or found.plan)}
        return render(request, "portal/subscription_keep.html", context)
    try:
        keep(found, by=request.user, now=timezone.now())
    except Refused as refused:
        return no_more(request, refused)
    messages.success(request, _("C’est noté. Votre abonnement continue."))
    return redirect("portal:subscription")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@member_required
def sponsorship(request: MemberRequest) -> HttpResponse:
    """A code of the landlord's, which pays one period."""
    member, now = request.member, timezone.now()
    form = SponsorshipForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if limits.hit(f"sponsorship:{member.pk}", CODES_A_DAY, 24 * 3600, now).is_spent:
            form.add_error("code", _("Dix essais par jour. Revenez demain, ou passez à l’accueil."))
        else:
            try:
                found = use_sponsorship(member, form.cleaned_data["code"], by=request.user, now=now)
                return redirect("portal:subscription-active", found.pk)
            except Refused as refused:
                add_refusal(form, refused, default="code")
    status = 422 if form.is_bound else 200
    return render(request, "portal/subscription_code.html", {"form": form}, status=status)
