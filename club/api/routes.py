"""`/me` and `/places`: who the token stands for, and the places of their landlord."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema

from club.api.answers import read
from club.api.auth import member_of, reads, token_of
from club.api.problems import PROBLEMS
from club.api.texts import gettext_lazy
from club.kernel.spans import local_day
from club.models import Place
from club.queries.calendar import calendar_of
from club.queries.entitlement import live_rights

router = Router(tags=["club"], auth=reads)
DAYS_SHOWN = 7


class RightOut(Schema):
    activity: str
    starts_on: date
    ends_on: date


class MeOut(Schema):
    first_name: str
    last_name: str
    email: str
    phone: str
    place: str
    card: str | None
    scope: str
    rights: list[RightOut]


Hour = Annotated[str, Field(pattern=r"^\d{2}:\d{2}$")]


class HoursOut(Schema):
    day: date
    opens: Hour
    closes: Hour


class PlaceOut(Schema):
    id: str
    name: str
    district: str
    address: str
    address_hint: str
    postcode: str
    city: str
    phone: str
    email: str
    is_open: bool
    open_line: str
    hours: list[HoursOut]


class PlacesOut(Schema):
    items: list[PlaceOut]


@router.get(
    "/me",
    summary=gettext_lazy("La personne à qui est le jeton, avec ses droits"),
    response={200: MeOut, 304: None, **PROBLEMS},
)
def me(request: HttpRequest) -> HttpResponse:
    token, member = token_of(request), member_of(request)
    card = member.cards.filter(revoked_at=None).first()
    return read(
        request,
        {
            "first_name": member.first_name,
            "last_name": member.last_name,
            "email": token.user.email,
            "phone": token.user.phone,
            "place": member.place.slug,
            "card": card.number if card else None,
            "scope": token.scope,
            "rights": [
                {
                    "activity": right.activity,
                    "starts_on": right.starts_on,
                    "ends_on": right.ends_on,
                }
                for right in live_rights(member, local_day(timezone.now()))
            ],
        },
    )


def place_json(place: Place, now: datetime) -> dict[str, Any]:
    calendar = calendar_of(place)
    line = calendar.open_line(now)
    today = local_day(now)
    return {
        "id": place.slug,
        "name": place.name,
        "district": place.district,
        "address": place.address,
        "address_hint": place.address_hint,
        "postcode": place.postcode,
        "city": place.city,
        "phone": place.phone,
        "email": place.email,
        "is_open": line.is_open,
        "open_line": line.text,
        "hours": [
            {"day": day, "opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"}
            for day in (today + timedelta(days=n) for n in range(DAYS_SHOWN))
            for opens, closes in calendar.hours(day)
        ],
    }


@router.get(
    "/places",
    summary=gettext_lazy("Les points d’accueil du bailleur, et leurs horaires de la semaine"),
    response={200: PlacesOut, 304: None, **PROBLEMS},
)
def places(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    landlord = member_of(request).place.landlord_id
    found = Place.objects.select_related("landlord").filter(landlord=landlord, is_public=True)
    return read(request, {"items": [place_json(place, now) for place in found]})
