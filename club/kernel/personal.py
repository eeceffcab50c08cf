"""The register of what the house holds of a person: to tell it, and to forget it.

Each app says, room by room, which rows are about a member (for "my data"), what stands
in the way of erasing them, and what to do when they are erased. A model that leads to
a person is in a room, or is left out with a reason: a test holds to it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dateutil.relativedelta import relativedelta
from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from club.kernel import words
from club.kernel.refusal import Reason

if TYPE_CHECKING:
    from club.models import Member


@dataclass(frozen=True)
class Held:
    """The rows of one model that are about a member.

    `without` names the columns that are secrets, or somebody else's. `sheet` is the
    name of the spreadsheet that they also make.
    """

    model: type[models.Model]
    of: Callable[["Member"], models.QuerySet[Any]]
    without: tuple[str, ...] = ()
    sheet: str = ""

    @property
    def name(self) -> str:
        return str(self.model._meta.model_name)

    def fields(self) -> list[models.Field]:
        return [
            field
            for field in self.model._meta.concrete_fields
            if field.name not in self.without and not field.name.endswith("_ptr")
        ]

    def rows(self, member: "Member") -> list[models.Model]:
        related = [
            field.name
            for field in self.fields()
            if field.is_relation and not is_person(field.related_model)
        ]
        return list(self.of(member).select_related(*related).order_by("pk"))


def nothing_in_the_way(member: "Member", now: datetime) -> Iterable[Reason]:
    return ()


def nothing_to_forget(member: "Member", traces: "Traces", *, by: Any, now: datetime) -> None:
    """What hangs on the anonymised member says nothing more."""


def nothing_recent(since: datetime) -> Iterable[models.QuerySet[Any]]:
    return ()


@dataclass(frozen=True)
class Room:
    """One file of "my data".

    `obstacles` are the reasons why somebody cannot be erased yet; `forget` takes out
    what an erased person leaves; `recent` gives the members who did something since.
    """

    name: str
    title: str | Promise
    held: tuple[Held, ...]
    obstacles: Callable[["Member", datetime], Iterable[Reason]] = nothing_in_the_way
    forget: Callable[..., None] = nothing_to_forget
    recent: Callable[[datetime], Iterable[models.QuerySet[Any]]] = nothing_recent


@dataclass(frozen=True)
class Traces:
    """The words by which a person is found in free text, sessions and files."""

    emails: frozenset[str]
    phones: frozenset[str]
    username: str

    @property
    def addresses(self) -> frozenset[str]:
        return self.emails | self.phones | {self.username}

    def are_in(self, text: str) -> bool:
        """Whether an address is: a name alone may be somebody else's."""
        folded = text.casefold()
        return any(address.casefold() in folded for address in self.addresses)


@dataclass(frozen=True)
class Term:
    """How long one kind of row is kept: `rows` gives those whose time is over."""

    name: str
    sentence: str | Promise
    rows: Callable[[datetime], models.QuerySet[Any]]


_rooms: dict[str, Room] = {}
_left_out: dict[str, str] = {}
_terms: dict[str, Term] = {}


def register(*rooms: Room) -> None:
    """Called from the app's `ready()`; a second call for a name replaces the first."""
    for room in rooms:
        _rooms[room.name] = room


def leave_out(reasons: dict[str, str]) -> None:
    """Models that lead to a person and hold nothing about them: why, by their label."""
    _left_out.update(reasons)


def keep_for(*terms: Term) -> None:
    for term in terms:
        _terms[term.name] = term


def rooms() -> list[Room]:
    return list(_rooms.values())


def left_out() -> dict[str, str]:
    return dict(_left_out)


def terms() -> list[Term]:
    return list(_terms.values())


# -- Telling rows --------------------------------------------------------------------------


def is_person(model: Any) -> bool:
    """A person, or a row of theirs: told by its number, since its words may name others."""
    return any(held.model is model for room in rooms() for held in room.held)


def as_data(row: models.Model, held: Held) -> dict[str, Any]:
    """A row as a program reads it: columns by name, people by number, things by name."""
    data: dict[str, Any] = {}
    for field in held.fields():
        if field.is_relation and not is_person(field.related_model):
            target = getattr(row, field.name)
            data[field.name] = None if target is None else str(target)
        else:
            data[field.name] = plain(field.value_from_object(row))
    return data


def plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return str(value)


def as_words(row: models.Model, held: Held) -> list[tuple[str, str]]:
    """A row as a person reads it: the columns that have a label, where they say something."""
    found = []
    for field in held.fields():
        value = field.value_from_object(row)
        if value in (None, "") or field._verbose_name is None or is_bare_key(field):  # type: ignore[attr-defined]
            continue
        found.append((str(field.verbose_name).capitalize(), in_words(row, field, value)))
    return found


def is_bare_key(field: models.Field) -> bool:
    return field.primary_key or bool(field.is_relation and is_person(field.related_model))


def in_words(row: models.Model, field: models.Field, value: Any) -> str:
    if field.is_relation:
        return str(getattr(row, field.name))
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, datetime):
        return words.moment(value)
    if isinstance(value, date):
        return words.day(value)
    if field.name.endswith("cents") and isinstance(value, int):
        return words.money(value)
    return str(value)


def scans_end(now: datetime) -> datetime:
    """What is older than scans and uses are kept: from then on they are counts alone."""
    return now - relativedelta(months=settings.RETENTION_SCANS_MONTHS)
