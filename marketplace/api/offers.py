"""`/offers`: what a member's card gives today."""

import re
from datetime import date
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Router, Schema

from club.api.answers import bad_cursor, make_cursor, read, read_cursor
from club.api.asked import place_named
from club.api.auth import member_of, reads
from club.api.problems import PROBLEMS
from club.api.texts import gettext_lazy
from club.kernel.inputs import Cursor, Identifier, Text
from club.kernel.spans import local_day
from marketplace.api.partners import LASTS
from marketplace.enums import LimitPer, OfferKind
from marketplace.queries.offer_list import offers_listed

router = Router(tags=["marketplace"], auth=reads)
NUMBER = re.compile(r"\d{1,18}\Z", re.ASCII)


class TermsOut(Schema):
    """Of the four sums and the gift, those that the kind has."""

    title: str
    kind: OfferKind
    percent: int | None
    amount_cents: int | None
    price_cents: int | None
    usual_price_cents: int | None
    gift: str
    conditions: str
    starts_on: date
    ends_on: date | None
    limit_count: int | None
    limit_per: LimitPer | None


class OfferOut(TermsOut):
    """`gives` says it in French; `left` is null where the partner tells no number."""

    id: str
    partner: str
    partner_name: str
    gives: str
    sold_out: bool
    left: int | None


class OffersOut(Schema):
    items: list[OfferOut]
    next: str | None


class Filters(Schema):
    kind: OfferKind | None = None
    place: Identifier | None = None
    q: Text = ""
    limit: int = Field(50, ge=1, le=100)
    cursor: Cursor | None = None


def terms_json(terms: Any) -> dict[str, Any]:
    told = {name: getattr(terms, name) for name in TermsOut.model_fields}
    return told | {"limit_per": terms.limit_per or None}


def offer_json(offer: Any) -> dict[str, Any]:
    return terms_json(offer) | {
        "id": offer.public_id,
        "partner": offer.partner.public_id,
        "partner_name": offer.partner.name,
        "gives": offer.gives,
        "sold_out": offer.is_sold_out,
        "left": offer.left,
    }


def position_in(cursor: str, today: date) -> tuple[date, Q]:
    """The day of the order, and what comes after the place that the list has come to."""
    day, turn, number = read_cursor(cursor, 3)
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise bad_cursor() from None
    if abs(on - today) > LASTS or not (NUMBER.match(turn) and NUMBER.match(number)):
        raise bad_cursor()
    return on, Q(turn__gt=int(turn)) | Q(turn=int(turn), pk__gt=int(number))


def cursor_after(offer: Any, on: date) -> str:
    return make_cursor(on.isoformat(), str(offer.turn), str(offer.pk))


@router.get(
    "/offers",
    summary=gettext_lazy("Ce que la carte donne aujourd’hui"),
    description=gettext_lazy(
        "Les avantages des partenaires que l’on voit aujourd’hui, dans l’ordre du jour. "
        "Un curseur suit l’ordre du jour de sa première page."
    ),
    response={200: OffersOut, 304: None, **PROBLEMS},
)
def offers(request: HttpRequest, filters: Query[Filters]) -> HttpResponse:
    today = local_day(timezone.now())
    member = member_of(request)
    place = place_named(filters.place, member) if filters.place else None
    on, after = position_in(filters.cursor, today) if filters.cursor else (today, Q())
    rows = offers_listed(
        member.place.landlord, today, kind=filters.kind or "", place=place, text=filters.q,
        ordered_on=on,
    )  # fmt: skip
    page = list(rows.filter(after)[: filters.limit + 1])
    kept = page[: filters.limit]
    return read(
        request,
        {
            "items": [offer_json(offer) for offer in kept],
            "next": cursor_after(kept[-1], on) if len(page) > filters.limit else None,
        },
    )
