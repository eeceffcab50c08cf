"""`/partners`: the directory as residents see it today, in the order of the day."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from club.api.answers import bad_cursor, make_cursor, read, read_cursor
from club.api.asked import place_named
from club.api.auth import member_of, reads
from club.api.problems import PROBLEMS, declared, not_found
from club.api.texts import gettext_lazy
from club.kernel.inputs import FIRST_YEAR, LAST_YEAR, Cursor, Identifier, Text
from club.kernel.spans import local_day
from marketplace.enums import PartnerKind, Shop, Spoken, Trade
from marketplace.models import Partner
from marketplace.queries import hours
from marketplace.queries.directory import Directory, Wanted, after, directory_of
from marketplace.views.shown import look_of

router = Router(tags=["marketplace"], auth=reads)
PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,12}\Z", re.ASCII)
NUMBER = re.compile(r"\d{1,18}\Z", re.ASCII)
LASTS = timedelta(days=7)
"""How long a cursor goes on in the order of the day on which its list began."""


def instant(value: Any) -> datetime:
    """Only `2027-03-09T10:00:00Z` or with an offset, of a near century."""
    if isinstance(value, str) and 16 < len(value) < 36:
        try:
            # A plus that was not escaped arrives as a space.
            moment = datetime.fromisoformat(value.replace(" ", "+"))
        except ValueError:
            pass
        else:
            if moment.tzinfo is not None and FIRST_YEAR <= moment.year <= LAST_YEAR:
                return moment
    sentence = _("Écrivez un moment comme 2027-03-09T10:00:00Z.")
    raise PydanticCustomError("instant", "{sentence}", {"sentence": sentence})


Instant = Annotated[
    datetime,
    BeforeValidator(instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class PartnerOut(Schema):
    """`open` is by the hours and closures at `open_at`, else now; null where none are known."""

    id: str
    kind: PartnerKind
    name: str
    trades: list[Trade]
    shop: Shop | None
    postcode: str
    city: str
    phone: str
    step_free: bool
    languages: list[Spoken]
    picture: str
    open: bool | None
    checked_on: date | None


class PartnerHoursOut(Schema):
    """Monday is 0; hours are those on the wall in France."""

    weekday: int
    opens: time
    closes: time


class PartnerDetailOut(PartnerOut):
    description: str
    address: str
    website: str
    hours_text: str
    hours: list[PartnerHoursOut]
    places: list[str]
    orias: str
    orias_checked_on: date | None


class PartnersOut(Schema):
    items: list[PartnerOut]
    next: str | None


class Filters(Schema):
    kind: PartnerKind | None = None
    trade: Trade | None = None
    shop: Shop | None = None
    place: Identifier | None = None
    open_at: Instant | None = None
    q: Text = ""
    limit: int = Field(50, ge=1, le=100)
    cursor: Cursor | None = None


def position_in(cursor: str, today: date) -> tuple[date, list[Any]]:
    """The day of the order, and the place in it that the list has come to."""
    day, far, turn, name, number = read_cursor(cursor, 5)
    try:
        on = date.fromisoformat(day)
    except ValueError:
        raise bad_cursor() from None
    if abs(on - today) > LASTS or not all(NUMBER.match(part) for part in (far, turn, number)):
        raise bad_cursor()
    return on, [int(far), int(turn), name, int(number)]


def cursor_after(partner: Any, on: date) -> str:
    position = (partner.far, partner.turn, partner.name, partner.pk)
    return make_cursor(on.isoformat(), *(str(part) for part in position))


def partner_json(partner: Partner, trades: list[str], moment: datetime) -> dict[str, Any]:
    line = hours.open_line(partner, moment)
    return {
        "id": partner.public_id,
        "kind": partner.kind,
        "name": partner.name,
        "trades": trades,
        "shop": partner.shop or None,
        "postcode": partner.postcode,
        "city": partner.city,
        "phone": partner.phone,
        "step_free": partner.step_free,
        "languages": [code for code in partner.languages if code in Spoken.values],
        "picture": static(f"img/{look_of(partner, trades)[1]}.svg"),
        "open": line.is_open if line else None,
        "checked_on": partner.checked_on,
    }


def as_items(found: Directory, partners: Iterable[Partner], moment: datetime) -> list[Any]:
    rows = list(partners)
    trades = found.trades_of(rows)
    return [partner_json(partner, trades[partner.pk], moment) for partner in rows]


@router.get(
    "/partners",
    summary=gettext_lazy("Les partenaires que l’on voit aujourd’hui"),
    description=gettext_lazy(
        "Un artisan est listé pour les métiers que son assurance couvre aujourd’hui. "
        "L’ordre change chaque jour ; un curseur suit l’ordre du jour de sa première page."
    ),
    response={200: PartnersOut, 304: None, **PROBLEMS},
)
def partners(request: HttpRequest, filters: Query[Filters]) -> HttpResponse:
    now = timezone.now()
    today = local_day(now)
    member = member_of(request)
    place = place_named(filters.place, member) if filters.place else None
    on, position = position_in(filters.cursor, today) if filters.cursor else (today, None)
    found = directory_of(member.place.landlord, today)
    wanted = Wanted(
        kind=filters.kind or "",
        trade=filters.trade or "",
        shop=filters.shop or "",
        place=place,
        open_at=filters.open_at,
        text=filters.q,
    )
    rows = found.listed(wanted, ordered_on=on).prefetch_related("hours", "closures")
    if position is not None:
        rows = after(rows, position)
    page = list(rows[: filters.limit + 1])
    kept = page[: filters.limit]
    return read(
        request,
        {
            "items": as_items(found, kept, filters.open_at or now),
            "next": cursor_after(kept[-1], on) if len(page) > filters.limit else None,
        },
    )


@router.get(
    "/partners/{partner_id}",
    summary=gettext_lazy("Un partenaire, s’il est montré aujourd’hui"),
    response={200: PartnerDetailOut, 304: None, **PROBLEMS, **declared(404)},
)
def partner(request: HttpRequest, partner_id: str) -> HttpResponse:
    now = timezone.now()
    member = member_of(request)
    found = directory_of(member.place.landlord, local_day(now))
    rows = found.one(partner_id).prefetch_related("hours", "closures", "places")
    one = rows.first() if PUBLIC_ID.match(partner_id) else None
    if one is None:
        raise not_found()
    (item,) = as_items(found, [one], now)
    return read(
        request,
        {
            **item,
            "description": one.description,
            "address": one.address,
            "website": one.website if one.website.startswith("https://") else "",
            "hours_text": hours.said(one),
            "hours": [
                {
                    "weekday": row.weekday,
                    "opens": row.opens.isoformat(),
                    "closes": row.closes.isoformat(),
                }
                for row in one.hours.all()
            ],
            "places": [where.slug for where in one.places.all() if where.is_public],
            "orias": one.orias,
            "orias_checked_on": one.orias_checked_on,
        },
    )
