"""Mon espace: one reminder at most, the windows, the ways on."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from club.access import MemberRequest, member_required
from club.enums import Activity
from club.kernel import words
from club.kernel.bookings import of_member
from club.kernel.people import spoken_phone
from club.models import Member
from club.queries.entitlement import coverage
from concierge.domain.parcel_reminders import LAST
from concierge.domain.subscriptions import is_needless
from concierge.enums import OPEN_SUBSCRIPTIONS, Renewal, SubscriptionStatus
from concierge.queries.deliveries import rounds_at
from concierge.queries.parcels import takes_parcels, waiting_for
from concierge.queries.plans import subscriptions_of
from concierge.views.shown_plans import is_late
from portal.lines import lines_of, urgency
from portal.tiles import tiles_for

SOON = timedelta(days=30)
Rank = tuple[float, date]


def line_of(label: str, day: date, late: bool, today: date) -> dict[str, Any]:
    """A subscription drawn as the lines of bookings are."""
    return {
        "kind": "subscription",
        "url": reverse("portal:subscription"),
        "picture": "tiles/carte",
        "photo": None,
        "wall": "linden",
        "title": _("Abonnement"),
        "label": label,
        "day": words.day(day, today),
        "date": day,
        "chip": {"kind": "late" if late else "aside"},
    }


def subscription_reminders(member: Member, now: datetime) -> list[tuple[Rank, dict[str, Any]]]:
    """What the member's subscriptions ask for: late or refused, or over within a month.

    A late loan comes first, then this; an end that is only near leaves first place to
    what is to be done today or waits at the desk.
    """
    today = timezone.localdate(now)
    found = []
    running = subscriptions_of(member).filter(
        status__in=OPEN_SUBSCRIPTIONS, paid_until__isnull=False, stops_at_end=False
    )
    for one in running:
        assert one.paid_until is not None
        if is_late(one, today) or one.payment_failed_at:
            day = max(one.grace_ends_on or today, today)
            label = _("paiement refusé, à régler avant") if one.payment_failed_at else ""
            line = line_of(label or _("en retard, à payer avant"), day, True, today)
            found.append(((0.5, day), line))
        elif (
            one.status == SubscriptionStatus.ACTIVE
            and one.renewal != Renewal.ONLINE
            and (one.next_plan or one.plan).price_cents
            and one.paid_until <= today + SOON
            and not is_needless(one, today)
        ):
            line = line_of(_("à renouveler avant"), one.paid_until, False, today)
            found.append(((2.5, one.paid_until), line))
    return found


def parcel_reminders(member: Member, now: datetime) -> list[tuple[Rank, dict[str, Any]]]:
    """One line for all that waits: as what is set aside, then as what is due today."""
    today = timezone.localdate(now)
    waiting = list(waiting_for(member))
    if not waiting:
        return []
    day, number = waiting[0].keep_until, len(waiting)
    line = {
        "kind": "parcel",
        "url": reverse("portal:parcels"),
        "picture": "tiles/colis",
        "photo": None,
        "wall": "clay",
        "title": ngettext("Un colis", "%(number)d colis", number) % {"number": number},
        "label": _("à retirer jusqu’au"),
        "day": words.day(day, today),
        "date": day,
        "chip": {"kind": "aside"},
    }
    return [((1 if day <= today + LAST else 2, day), line)]


def reminder_of(
    lines: list[dict[str, Any]], member: Member, now: datetime
) -> dict[str, Any] | None:
    """One at most: the most urgent of the bookings and the subscriptions."""
    today = timezone.localdate(now)
    ranked: list[tuple[Rank, dict[str, Any]]] = [(urgency(line, today), line) for line in lines]
    ranked += subscription_reminders(member, now)
    ranked += parcel_reminders(member, now)
    first = min(ranked, key=lambda pair: pair[0], default=None)
    return first[1] if first else None


@require_safe
@never_cache
@member_required
def home(request: MemberRequest) -> HttpResponse:
    member = request.member
    now = timezone.now()
    today = timezone.localdate(now)
    lines = lines_of(of_member(member, upcoming=True, now=now), now)
    held = coverage(member, Activity.LENDING, today)
    context = {
        "reminder": reminder_of(lines, member, now),
        "open_count": len(lines),
        "takes_parcels": takes_parcels(member.place),
        "takes_orders": rounds_at(member.place).exists(),
        "own_tiles": lambda: tiles_for(member.place),
        "right_until": held.ends_on if held.covers(today, today) else None,
        "right_ended": held.ends_on if held.ends_on and held.ends_on < today else None,
    }
    return render(request, "portal/home.html", context)


@require_safe
@never_cache
@member_required
def data(request: MemberRequest) -> HttpResponse:
    """What is written about the member, to check and have corrected."""
    member = request.member
    context = {
        "checks": member.tenancy_checks.order_by("-checked_on", "-pk")[:1],
        "phone": spoken_phone(member.user.phone) if member.user.phone else "",
    }
    return render(request, "portal/data.html", context)
