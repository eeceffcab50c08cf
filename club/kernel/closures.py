"""What closing a place does to what is booked there, and the register of what it touches.

Declaring days, moving or shortening them, withdrawing them and overlapping others are one
act: a `Change` from the calendar as it is to the calendar as it will be. Each app says for
its kinds what becomes of what the change touches (`plan`, which writes nothing) and does it
(`apply`, once the calendar is the new one). The act itself is `club.domain.closures`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from club.models import Member, Place, User


class Outcome(models.TextChoices):
    """What becomes of one thing."""

    MOVED = "moved", _("déplacé")
    PROLONGED = "prolonged", _("prolongé")
    CANCELLED = "cancelled", _("annulé")
    SKIPPED = "skipped", _("sauté")
    MADE = "made", _("repris")
    STAYS = "stays", _("inchangé")
    CALL = "call", _("à régler au téléphone")


class Hours(Protocol):
    """What is asked of a calendar."""

    def is_open_day(self, day: date) -> bool: ...
    def closed_by_closure(self, day: date) -> bool: ...
    def open_days(self, first: date) -> Iterable[date]: ...
    def next_open_day(self, first: date) -> date | None: ...


@dataclass(frozen=True)
class Change:
    """A place's calendar before and after, on the days from `first` to `last`.

    `kept` names what staff let take place all the same, by `Effect.option`.
    """

    place: "Place"
    before: Any
    after: Any
    first: date
    last: date
    today: date
    kept: frozenset[str] = frozenset()

    @property
    def days(self) -> list[date]:
        """Those to come of the days that are spoken of: what is past has been."""
        first = max(self.first, self.today)
        return [first + timedelta(days=n) for n in range((self.last - first).days + 1)]

    @cached_property
    def closed(self) -> frozenset[date]:
        """The days that are closed anew."""
        return frozenset(
            day
            for day in self.days
            if self.after.closed_by_closure(day) and not self.before.closed_by_closure(day)
        )

    @cached_property
    def reopened(self) -> frozenset[date]:
        """The days that are open again."""
        return frozenset(
            day
            for day in self.days
            if self.before.closed_by_closure(day) and self.after.is_open_day(day)
        )

    @cached_property
    def shut(self) -> frozenset[date]:
        """The days on which nobody is there afterwards, for whatever reason."""
        return frozenset(day for day in self.days if not self.after.is_open_day(day))

    def open_day_before(self, day: date) -> date | None:
        """The last open day before `day` that is not today: there must be time to say so."""
        while (day := day - timedelta(days=1)) > self.today:
            if self.after.is_open_day(day):
                return day
        return None


@dataclass(frozen=True)
class Effect:
    """What the act does to one thing of one person.

    `was` and `becomes` are words for the person who reads the plan. `how` is the channel by
    which they are told; None: the desk calls; "": there is nothing to tell. `day` is the new
    day of a return. `is_private` tells of an absence. `option` makes a tick "a lieu quand
    même". `facts` are sealed; `carries` is for `apply`.
    """

    kind: str
    pk: int
    outcome: str
    title: str
    was: str
    becomes: str
    member: "Member | None" = None
    how: str | None = ""
    reference: str = ""
    day: date | None = None
    cents: int = 0
    option: str = ""
    is_private: bool = False
    facts: tuple[Any, ...] = ()
    carries: Any = field(default=None, compare=False)

    @property
    def is_called(self) -> bool:
        return self.member is not None and (self.how is None or self.outcome == Outcome.CALL)

    @property
    def is_told(self) -> bool:
        return bool(self.how) and self.member is not None


@dataclass(frozen=True)
class Kind:
    """What one kind of booking makes of a change.

    `plan` reads in a constant number of statements. `lock` holds what it reads until the
    transaction ends. `returns` counts what comes back per day anyway, for the table.
    """

    name: str
    label: str | Promise
    plan: Callable[[Change, datetime], Sequence[Effect]]
    apply: Callable[[Change, Sequence[Effect], "User", datetime], None]
    lock: Callable[["Place"], None] | None = None
    returns: Callable[[Change], Mapping[date, int]] | None = None


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Called from the app's `ready()`; a second call for a name replaces the first."""
    for kind in kinds:
        _kinds[kind.name] = kind


def kinds() -> list[Kind]:
    """In the order of their names: rows of several kinds are locked in one order."""
    return [_kinds[name] for name in sorted(_kinds)]
