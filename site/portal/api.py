"""`/bookings`: a member's bookings of every kind, through the register of kinds.

A later kind registers its bodies and verbs in `club.kernel.bookings` and is served
here without a change.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Union

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Body, Field, Query, Router, Schema
from ninja.decorators import decorate_view
from ninja.errors import ValidationError as InvalidRequest
from pydantic import SkipValidation, ValidationError

from club.api.answers import as_text, bad_cursor, make_cursor, names, read, read_cursor, tag_of
from club.api.auth import member_of, reads, token_of, writes
from club.api.once import KEY_HEADER, done, once
from club.api.problems import PROBLEMS, declared, not_found
from club.api.texts import gettext_lazy
from club.domain.idempotency import Answer
from club.kernel import bookings, codes
from club.kernel.bookings import Booking, Channel, Kind
from club.kernel.inputs import Cursor
from club.kernel.refusal import refuse

router = Router(tags=["bookings"])


def one_of(shapes: list[Any]) -> Any:
    """The union of the kinds' shapes, told apart by `kind`."""
    if len(shapes) == 1:
        return shapes[0]
    return Annotated[Union[tuple(shapes)], Field(discriminator="kind")]  # noqa: UP007


BookingIn = one_of([kind.request for kind in bookings.kinds()])
BookingOut = one_of([kind.answer for kind in bookings.kinds()])
Changes: Any = Annotated[
    Union[tuple(kind.changes for kind in bookings.kinds())],  # noqa: UP007
    SkipValidation,
]
"""For the document alone: which kind's changes a body is, its booking says (`changes_of`)."""


class BookingsOut(Schema):
    items: list[BookingOut]  # type: ignore[valid-type]
    next: str | None


class Filters(Schema):
    limit: int = Field(20, ge=1, le=100)
    cursor: Cursor | None = None


WRITTEN = {**PROBLEMS, **declared(400, 404, 409, 415)}
KEYED = {"parameters": [KEY_HEADER]}


def path_of(booking: Booking) -> str:
    return f"/api/v1/bookings/{booking.reference}"


def mine(request: HttpRequest, reference: str) -> tuple[Kind, Booking]:
    """The caller's own booking of that reference; 404 for anybody else's."""
    member = member_of(request)
    stored = codes.as_scanned(reference)
    if stored is not None:
        for kind in bookings.kinds():
            booking = kind.visible_to(member.user).filter(reference=stored, member=member).first()
            if booking is not None:
                return kind, booking
    raise not_found()


def refuse_if_changed(request: HttpRequest, kind: Kind, booking: Booking) -> None:
    """If-Match: the row is read again under lock, so that no change slips in between."""
    wanted = request.META.get("HTTP_IF_MATCH")
    if not wanted:
        return
    kind.model._default_manager.select_for_update(no_key=True).get(pk=booking.pk)
    _kind, fresh = mine(request, booking.reference)
    if not names(wanted, tag_of(as_text(kind.as_json(fresh)))):
        raise refuse("changed_meanwhile", _("La réservation a changé entre-temps."))


@router.post(
    "/bookings",
    auth=writes,
    summary=gettext_lazy("Réserver"),
    description=gettext_lazy(
        "202 : en liste d’attente, position dit à quel rang. "
        "409 taken ou full : rien n’est libre, next_free, "
        "next_slots ou places_left en disent plus. "
        "403 : il manque un droit. "
        "422 : une règle s’y oppose, errors dit lesquelles."
    ),
    response={201: BookingOut, 202: BookingOut, **WRITTEN},
    openapi_extra=KEYED,
)
@decorate_view(once)
def make(request: HttpRequest, body: Body[BookingIn]) -> HttpResponse:  # type: ignore[valid-type]
    kind = bookings.kind(body.kind)  # type: ignore[attr-defined]
    booking = kind.create(body, member=member_of(request), now=timezone.now())
    status = 201 if kind.is_sure(booking) else 202
    return done(request, Answer(status, as_text(kind.as_json(booking)), path_of(booking)))


@router.get(
    "/bookings",
    auth=reads,
    summary=gettext_lazy("Mes réservations, la plus récente d’abord"),
    response={200: BookingsOut, 304: None, **PROBLEMS},
)
def listing(request: HttpRequest, filters: Query[Filters]) -> HttpResponse:
    member = member_of(request)
    older = Q()
    if filters.cursor:
        made, reference = read_cursor(filters.cursor, 2)
        try:
            made_at = datetime.fromisoformat(made)
        except ValueError:
            raise bad_cursor() from None
        if made_at.tzinfo is None or not 2000 <= made_at.year <= 2100:
            raise bad_cursor()
        older = Q(created_at__lt=made_at) | Q(created_at=made_at, reference__lt=reference)
    found: list[tuple[Kind, Booking]] = []
    for kind in bookings.kinds():
        rows = kind.visible_to(member.user).filter(older, member=member)
        rows = rows.order_by("-created_at", "-reference")[: filters.limit + 1]
        found.extend((kind, row) for row in rows)
    found.sort(key=lambda pair: (pair[1].created_at, pair[1].reference), reverse=True)
    shown = found[: filters.limit]
    following = None
    if len(found) > filters.limit:
        last = shown[-1][1]
        following = make_cursor(last.created_at.isoformat(), last.reference)
    return read(
        request,
        {"items": [kind.as_json(booking) for kind, booking in shown], "next": following},
    )


@router.get(
    "/bookings/{reference}",
    auth=reads,
    summary=gettext_lazy("Une réservation"),
    response={200: BookingOut, 304: None, **PROBLEMS, **declared(404)},
)
def one(request: HttpRequest, reference: str) -> HttpResponse:
    kind, booking = mine(request, reference)
    return read(request, kind.as_json(booking))


@router.patch(
    "/bookings/{reference}",
    auth=writes,
    summary=gettext_lazy("Changer de dates ou de places"),
    description=gettext_lazy(
        "La référence reste. Avec If-Match : seulement si la réservation n’a pas changé. "
        "Pour un événement : quantity, session, ou accept pour dire oui aux places proposées. "
        "Pour un rendez-vous : slot, ou accept pour dire oui au créneau proposé."
    ),
    response={200: BookingOut, **WRITTEN, **declared(412)},
    openapi_extra=KEYED,
)
@decorate_view(once)
def move(request: HttpRequest, reference: str, body: Body[Changes]) -> HttpResponse:
    kind, booking = mine(request, reference)
    changes = changes_of(kind, request)
    refuse_if_changed(request, kind, booking)
    moved = kind.move(booking, changes, by=token_of(request).user, now=timezone.now())
    return done(request, Answer(200, as_text(kind.as_json(moved))))


def changes_of(kind: Kind, request: HttpRequest) -> Any:
    """The body as this booking's own kind reads it."""
    try:
        return kind.changes.model_validate(request.parsed_body)  # type: ignore[attr-defined]
    except ValidationError as error:
        raise InvalidRequest(
            [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        ) from error


@router.post(
    "/bookings/{reference}/cancel",
    auth=writes,
    summary=gettext_lazy("Annuler"),
    response={200: BookingOut, **WRITTEN},
    openapi_extra=KEYED,
)
@decorate_view(once)
def cancel(request: HttpRequest, reference: str) -> HttpResponse:
    kind, booking = mine(request, reference)
    return act(request, kind, booking, kind.cancel)


@router.post(
    "/bookings/{reference}/renew",
    auth=writes,
    summary=gettext_lazy("Prolonger un prêt en cours"),
    response={200: BookingOut, **WRITTEN},
    openapi_extra=KEYED,
)
@decorate_view(once)
def renew(request: HttpRequest, reference: str) -> HttpResponse:
    kind, booking = mine(request, reference)
    if kind.renew is None:
        raise not_found()
    return act(request, kind, booking, kind.renew)


def act(
    request: HttpRequest, kind: Kind, booking: Booking, verb: Callable[..., Booking]
) -> HttpResponse:
    by, now = token_of(request).user, timezone.now()
    changed = verb(booking, by=by, now=now, channel=Channel.API)
    return done(request, Answer(200, as_text(kind.as_json(changed))))
