"""Commandes: what a producer brings on each day, to which place. Numbers, never names."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from club.kernel import words
from club.kernel.spans import local_day
from club.models import Producer
from concierge.queries.pickups import Round, days_of
from marketplace.access import PartnerRequest, partner_required
from portal.producer_lines import ahead, closing_words, day_words


def producer_of(request: PartnerRequest) -> Producer:
    producer: Producer | None = request.partner.producer
    if producer is None:
        raise Http404
    return producer


def shown(one: Round, today: date) -> dict[str, Any]:
    return {
        "round": one,
        "name": day_words(one.day, today),
        "day": words.day(one.day, today),
        "closing": closing_words(one, today),
        "stops": [
            (stop, words.span(stop.delivery.collect_from, stop.delivery.collect_until))
            for stop in one.stops
        ],
    }


@require_safe
@partner_required()
def orders(request: PartnerRequest) -> HttpResponse:
    """The next day large, the following ones below it."""
    now = timezone.now()
    today = local_day(now)
    days = [shown(one, today) for one in ahead(producer_of(request), now)]
    context = {"next": days[0] if days else None, "days": days[1:]}
    return render(request, "portal/orders_pro.html", context)


@require_safe
@partner_required()
def one_day(request: PartnerRequest, day: str) -> HttpResponse:
    """One day on paper, to bake and to load by."""
    producer, today = producer_of(request), local_day(timezone.now())
    try:
        asked = date.fromisoformat(day) if len(day) == 10 else None
    except ValueError:
        asked = None
    found = days_of(producer, asked, asked) if asked else []
    if not found:
        raise Http404
    context = {"one": shown(found[0], today), "producer": producer}
    return render(request, "portal/orders_pro_day.html", context)
