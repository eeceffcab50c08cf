"""`/my/offers` and `/cards/check`: the calls of a partner's own programs, a till for one."""

from datetime import date, datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Body, Router, Schema
from ninja.decorators import decorate_view
from pydantic import AfterValidator, Field, StringConstraints

from club.api.answers import as_text, read
from club.api.auth import Bearer, token_of
from club.api.once import KEY_HEADER, done, once
from club.api.problems import PROBLEMS, ProblemRaised, declared, not_found
from club.api.texts import gettext_lazy
from club.domain.idempotency import Answer
from club.enums import Scope
from club.guesses import MISSES_SECONDS
from club.kernel.inputs import Day, Identifier, Request, without_nul
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.models import ApiToken
from marketplace.api.offers import OfferOut, TermsOut, offer_json, terms_json
from marketplace.api.partners import PUBLIC_ID
from marketplace.cards import MOST_LETTERS, TooManyGuesses, card_read, card_shown
from marketplace.domain.atonce import MOST_LEFT, set_stock
from marketplace.domain.offers import propose
from marketplace.domain.uses import MOST_CENTS, use_offer
from marketplace.enums import LimitPer, OfferKind
from marketplace.models import Offer, Partner
from marketplace.queries.offers import as_offer, with_standings, with_stock
from marketplace.queries.people import acting

STOCK = {"left", "sold_out"}


def admit_partner(request: HttpRequest, token: ApiToken) -> None:
    """Who acts for a partner today, as the pages ask: not who has left, nor who is staff."""
    people = list(acting(token.user))
    if not people:
        raise ProblemRaised(403, "no_partner", _("Ce compte n’est celui d’aucun partenaire."))
    request.partners = [person.partner for person in people]  # type: ignore[attr-defined]


def partners_of(request: HttpRequest) -> list[Partner]:
    return request.partners  # type: ignore[attr-defined]


reads = Bearer(Scope.READ, admit_partner)
writes = Bearer(Scope.WRITE, admit_partner)
router = Router(tags=["partner"])
WRITTEN = {**PROBLEMS, **declared(400, 404, 409, 415)}
KEYED = {"parameters": [KEY_HEADER]}


def words(most: int) -> Any:
    return Annotated[str, StringConstraints(max_length=most), AfterValidator(without_nul)]


Cents = Annotated[int, Field(ge=1, le=MOST_CENTS)]


class MyOfferOut(OfferOut):
    """`state` is how it stands; `proposed` are the terms that wait or were refused."""

    state: str
    refused_for: str
    proposed: TermsOut | None


class MyOffersOut(Schema):
    items: list[MyOfferOut]


class OfferChanges(Request):
    """What is not given stays. Stock counts at once; the terms wait for an agreement."""

    left: Annotated[int, Field(ge=0, le=MOST_LEFT)] | None = None
    sold_out: bool | None = None
    title: words(60) = ""  # type: ignore[valid-type]
    kind: OfferKind = OfferKind.PERCENT
    percent: Annotated[int, Field(ge=1, le=90)] | None = None
    amount_cents: Cents | None = None
    price_cents: Cents | None = None
    usual_price_cents: Cents | None = None
    gift: words(80) = ""  # type: ignore[valid-type]
    conditions: words(200) = ""  # type: ignore[valid-type]
    starts_on: Day | None = None
    ends_on: Day | None = None
    limit_count: Annotated[int, Field(ge=1, le=99)] | None = None
    limit_per: LimitPer | None = None


class CardRequest(Request):
    """`card` is its six digits, or the token or address that its QR holds."""

    card: words(MOST_LETTERS)  # type: ignore[valid-type]
    offer: Identifier | None = None
    amount_cents: Cents | None = None


class UseOut(Schema):
    offer: str
    used_at: datetime
    amount_cents: int | None
    saving_cents: int


class CardOut(Schema):
    """Not valid looks always the same; `use` is what was counted."""

    valid: bool
    first_name: str | None
    valid_until: date | None
    use: UseOut | None


NOT_VALID = {"valid": False, "first_name": None, "valid_until": None, "use": None}


# -- Offers ----------------------------------------------------------------------------------


def my_offers(request: HttpRequest, now: datetime) -> QuerySet[Any]:
    mine = Offer.objects.filter(partner__in=[partner.pk for partner in partners_of(request)])
    return with_stock(mine, local_day(now)).select_related("partner__landlord").order_by("pk")


def my_offer(request: HttpRequest, public_id: str, now: datetime) -> Any:
    known = PUBLIC_ID.match(public_id) is not None
    offer = my_offers(request, now).filter(public_id=public_id).first() if known else None
    if offer is None:
        raise not_found()
    return with_standings([offer])[0]


def state_of(offer: Any) -> str:
    standing = offer.standing
    if standing.waits_since:
        return "pending"
    if standing.refused_for:
        return "refused"
    if standing.withdrawn_on:
        return "withdrawn"
    return "live" if standing.is_agreed else "draft"


def my_offer_json(offer: Any) -> dict[str, Any]:
    state = state_of(offer)
    asked = as_offer(offer, offer.standing.newest) if state in {"pending", "refused"} else None
    return offer_json(offer) | {
        "state": state,
        "refused_for": offer.standing.refused_for,
        "proposed": terms_json(asked) if asked else None,
    }


@router.get(
    "/my/offers",
    auth=reads,
    summary=gettext_lazy("Les avantages de mon commerce, et où ils en sont"),
    response={200: MyOffersOut, 304: None, **PROBLEMS},
)
def listing(request: HttpRequest) -> HttpResponse:
    offers = with_standings(my_offers(request, timezone.now()))
    return read(request, {"items": [my_offer_json(offer) for offer in offers]})


@router.get(
    "/my/offers/{offer_id}",
    auth=reads,
    summary=gettext_lazy("Un avantage de mon commerce"),
    response={200: MyOfferOut, 304: None, **PROBLEMS, **declared(404)},
)
def one(request: HttpRequest, offer_id: str) -> HttpResponse:
    return read(request, my_offer_json(my_offer(request, offer_id, timezone.now())))


@router.patch(
    "/my/offers/{offer_id}",
    auth=writes,
    summary=gettext_lazy("Changer le stock du jour, ou proposer d’autres conditions"),
    description=gettext_lazy(
        "left et sold_out comptent aussitôt. "
        "202 : les conditions attendent l’accord du bailleur, state est pending."
    ),
    response={200: MyOfferOut, 202: MyOfferOut, **WRITTEN},
    openapi_extra=KEYED,
)
@decorate_view(once)
def change(request: HttpRequest, offer_id: str, body: Body[OfferChanges]) -> HttpResponse:
    by, now = token_of(request).user, timezone.now()
    offer = my_offer(request, offer_id, now)
    said = body.model_dump(exclude_unset=True)
    if not said:
        raise refuse("nothing_asked", _("Dites ce qui change."))
    stock = {name: value for name, value in said.items() if name in STOCK}
    terms = {name: value for name, value in said.items() if name not in STOCK}
    if stock:
        set_stock(offer, **stock, by=by, now=now)
    if terms:
        if "limit_per" in terms:
            terms["limit_per"] = terms["limit_per"] or ""
        propose(offer, offer.partner, offer.standing.newest | terms, by=by, now=now)
    told = my_offer_json(my_offer(request, offer_id, now))
    return done(request, Answer(202 if terms else 200, as_text(told)))


# -- Cards -----------------------------------------------------------------------------------


@router.post(
    "/cards/check",
    auth=writes,
    summary=gettext_lazy("Vérifier une carte, et compter un avantage"),
    description=gettext_lazy(
        "Sans offer : valable ou non. Avec offer : l’avantage est compté. "
        "409 limit_reached ou sold_out : il ne l’est pas. "
        "429 : trop de chiffres faux, seul le QR répond encore."
    ),
    response={200: CardOut, **WRITTEN},
    openapi_extra=KEYED,
)
@decorate_view(once)
def check(request: HttpRequest, body: Body[CardRequest]) -> HttpResponse:
    by, now = token_of(request).user, timezone.now()
    known = card_read(body.card)
    if known is None:
        raise refuse(
            "card_unreadable", _("Ces chiffres ne vont pas ensemble. Relisez la carte."), "card"
        )
    offer = asked_offer(request, body.offer, now)
    try:
        found = card_shown(request, offer.partner if offer else partners_of(request)[0], known, now)
    except TooManyGuesses:
        raise ProblemRaised(
            429, "too_many_guesses", _("Trop de chiffres faux. Scannez le carré de la carte."),
            Retry_After=str(MISSES_SECONDS),
        ) from None  # fmt: skip
    told: dict[str, Any] = dict(NOT_VALID)
    if found is not None:
        member, until = found
        told |= {"valid": True, "first_name": member.first_name, "valid_until": until}
        if offer is not None:
            use = use_offer(offer, member=member, amount_cents=body.amount_cents, by=by, now=now)
            told["use"] = {
                "offer": offer.public_id,
                "used_at": use.used_at,
                "amount_cents": use.amount_cents,
                "saving_cents": use.saving_cents,
            }
    return done(request, Answer(200, as_text(told)))


def asked_offer(request: HttpRequest, public_id: str | None, now: datetime) -> Offer | None:
    if public_id is None:
        return None
    offer: Offer | None = my_offers(request, now).filter(public_id=public_id).first()
    if offer is None:
        raise refuse("unknown_offer", _("Cet avantage n’est pas l’un des vôtres."), "offer")
    return offer
