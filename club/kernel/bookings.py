"""The shape that every booking shares, and the register of its kinds.

A loan, a slot, a place at an event and a basket are each a member's claim on
something scarce over a time. Each has its own table; the screens that mix them
("mes réservations", the day board, calendars, the API) know only what is here.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from club.kernel import codes
from club.kernel.inputs import Request

if TYPE_CHECKING:
    from club.models import Member, User


class Channel(models.TextChoices):
    WEB = "web", _("site")
    DESK = "desk", _("comptoir")
    API = "api", _("API")
    IMPORT = "import", _("import")


class Booking(models.Model):
    """A member's claim on something scarce over [starts_at, ends_at)."""

    MOVES: ClassVar[dict[str, set[str]]] = {}
    OPEN_STATUSES: ClassVar[tuple[str, ...]] = ()

    reference = models.CharField(
        _("référence"), max_length=12, unique=True, default=codes.booking_reference, editable=False
    )
    member = models.ForeignKey(
        "club.Member", models.PROTECT, verbose_name=_("membre"), related_name="%(class)ss"
    )
    place = models.ForeignKey(
        "club.Place", models.PROTECT, verbose_name=_("point d’accueil"), related_name="%(class)ss"
    )
    starts_at = models.DateTimeField(_("début"))
    ends_at = models.DateTimeField(_("fin"))
    quantity = models.PositiveSmallIntegerField(_("quantité"), default=1)
    status: Any
    channel = models.CharField(_("par"), max_length=8, choices=Channel.choices, default=Channel.WEB)
    sequence = models.PositiveIntegerField(
        _("version du calendrier"),
        default=0,
        editable=False,
        help_text=_("Augmente à chaque changement de date."),
    )
    created_at = models.DateTimeField(_("créée le"))

    class Meta:
        abstract = True


@dataclass(frozen=True)
class CalendarEntry:
    """What an agenda shows; `uid` never changes, `sequence` grows with each change."""

    uid: str
    sequence: int
    title: str
    starts_at: datetime
    ends_at: datetime
    where: str
    description: str
    cancelled: bool
    changed_at: datetime


@dataclass(frozen=True)
class Kind:
    """What an app tells the screens that mix kinds. Each callable is a verb or a query.

    For the API: `request` and `changes` are the bodies that make and move a booking
    (`request` has a literal `kind`), `answer` the shape of `as_json`; `create(body,
    member, now)` and `move(booking, body, by, now)` hand them to the verbs. What is made
    and not `is_sure` (a turn on a waiting list) is answered with 202. What
    `ends_by_itself` is over with its hours, whatever its status; a loan is not.
    """

    name: str
    model: type[Booking]
    visible_to: Callable[["User"], models.QuerySet[Any]]
    card: Callable[[Any, datetime], dict[str, Any]]
    entry: Callable[[Any], CalendarEntry]
    cancel: Callable[..., Any]
    as_json: Callable[[Any], Any]
    request: type[Request]
    changes: type[Request]
    answer: type[BaseModel]
    create: Callable[..., Any]
    move: Callable[..., Any]
    renew: Callable[..., Any] | None = None
    is_sure: Callable[[Any], bool] = lambda booking: True
    ends_by_itself: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Called from the app's `ready()`; a second call for a name replaces the first."""
    _kinds[kind.name] = kind


def kinds() -> Iterable[Kind]:
    return _kinds.values()


def kind(name: str) -> Kind:
    return _kinds[name]


def find(reference: str, user: "User") -> tuple[Kind, Booking] | None:
    """The booking of that reference if `user` may see it, with its kind."""
    for candidate in kinds():
        booking = candidate.visible_to(user).filter(reference=reference).first()
        if booking is not None:
            return candidate, booking
    return None


def of_member(member: "Member", *, upcoming: bool, now: datetime) -> list[tuple[Kind, Booking]]:
    """A member's bookings of every kind in time order: what is open, or what is over.

    What is over is cut at fifty, newest first.
    """
    found: list[tuple[Kind, Booking]] = []
    for candidate in kinds():
        rows = candidate.visible_to(member.user).filter(member=member)
        is_open = models.Q(status__in=candidate.model.OPEN_STATUSES)
        if candidate.ends_by_itself:
            is_open &= models.Q(ends_at__gt=now)
        rows = (
            rows.filter(is_open).order_by("starts_at")
            if upcoming
            else rows.exclude(is_open).order_by("-starts_at")[:50]
        )
        found.extend((candidate, row) for row in rows)
    return sorted(found, key=lambda pair: pair[1].starts_at, reverse=not upcoming)
