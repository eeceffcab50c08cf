"""Where orders of bread and vegetables meet the partners who bring them.

`club.Producer` is the fact that both rooms share. The room of the partners registers how
a producer is told something; the room of the orders registers what a producer's days off
hit, and what becomes of it. Neither knows the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from club.models import Message, Producer, User


@dataclass(frozen=True)
class Hit:
    """One delivery that days off would cancel: `orders` are the people who wait for it."""

    day: date
    place: str
    name: str
    orders: int
    pieces: int


@dataclass(frozen=True)
class Line:
    """What the producer's first page says of its orders, and where it leads."""

    strong: str
    text: str
    url: str


Tell = Callable[..., int]
Hits = Callable[["Producer", date, date, datetime], Sequence[Hit]]
Fail = Callable[..., int]

Address = Callable[["Message"], str]

DaysOff = Callable[["Producer", date, date], set[date]]

_tell: list[Tell] = []
_address: list[Address] = []
_days_off: list[DaysOff] = []
_hits: list[Hits] = []
_fail: list[Fail] = []
Lines = Callable[["Producer", datetime], Sequence[Line]]
_lines: list[Lines] = []


def register_people(tell: Tell, address: Address, days_off: DaysOff) -> None:
    """`tell(producer, event, subject, key=, now=, due_at=, following=, facts=)` leaves one
    message for each person who acts for the producer, and says how many were told;
    `address(message)` is where the button of such a message leads; `days_off(producer,
    first, last)` are the days on which the producer is shut."""
    _tell[:] = [tell]
    _address[:] = [address]
    _days_off[:] = [days_off]


def register_deliveries(hits: Hits, fail: Fail) -> None:
    """`hits` lists what days off would cancel; `fail(producer, first, last, by=, now=)`
    cancels it, credits and tells everybody, and says how many deliveries it was."""
    _hits[:] = [hits]
    _fail[:] = [fail]


def register_lines(lines: Lines) -> None:
    """`lines(producer, now)` is what a producer's own pages say of what it is to bring;
    nothing where it has no rounds. The first line leads to the page of its orders."""
    _lines[:] = [lines]


def lines(producer: "Producer | None", now: datetime) -> list[Line]:
    if producer is None:
        return []
    return [line for one in _lines for line in one(producer, now)]


def tell(producer: "Producer", event: str, subject: Any, **said: Any) -> int:
    """How many people were told; none where nobody acts for the producer (staff call)."""
    return sum(one(producer, event, subject, **said) for one in _tell)


def address_of(message: "Message") -> str:
    """Where the button of a message that `tell` left leads."""
    return next((one(message) for one in _address), "")


def days_off(producer: "Producer", first: date, last: date) -> set[date]:
    """Days on which nothing is brought, as the producer said."""
    return {day for one in _days_off for day in one(producer, first, last)}


def hits(producer: "Producer", first: date, last: date, now: datetime) -> list[Hit]:
    return [hit for one in _hits for hit in one(producer, first, last, now)]


def fail(producer: "Producer", first: date, last: date, *, by: "User | None", now: datetime) -> int:
    """The producer does not come on these days."""
    return sum(one(producer, first, last, by=by, now=now) for one in _fail)
