"""The register of what money can be taken for, at the desk and on line alike.

A subscription, a loan's fee, a deposit, a place at a workshop: the till and the
provider's gateway know only what is here. Money comes first into the ledger, tied to
its subject; then `settle` gives what was bought, in the same transaction.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from club.models import Household, User


@dataclass(frozen=True)
class Paid:
    """Money that came: `source` names it, once ("receipt:12", "stripe:in_1")."""

    cents: int
    means: str
    source: str
    on: datetime


@dataclass(frozen=True)
class Due:
    """One thing that a household can pay now: `cents` is its price, or what is left of it."""

    kind: str
    subject_id: int
    label: str
    cents: int


@dataclass(frozen=True)
class Purchase:
    """How one sort of thing is sold.

    `settle` gives what was paid for (and enters its charge); `undo` takes back what
    `source` gave, when its money goes back; `due` lists what a household can pay. What
    must be paid `at_once` is not paid by a debit, whose money comes days later. What is
    only sold `on_request` (money paid in beforehand) is owed by nobody: `due_of` leaves it.
    """

    kind: str
    account: str
    model: type[models.Model]
    label: Callable[[Any], str]
    settle: Callable[..., None]
    undo: Callable[..., None]
    due: Callable[["Household", datetime], Iterable[Due]]
    at_once: bool = False
    on_request: bool = False

    def load(self, subject_id: int) -> Any:
        return self.model._default_manager.get(pk=subject_id)


_purchases: dict[str, Purchase] = {}


def register(purchase: Purchase) -> None:
    """Called from the app's `ready()`; a second call for a kind replaces the first."""
    _purchases[purchase.kind] = purchase


def purchase(kind: str) -> Purchase:
    return _purchases[kind]


def purchases() -> Iterable[Purchase]:
    return _purchases.values()


def due_of(household: "Household", now: datetime) -> list[Due]:
    """All that a household has to pay now, of every kind."""
    sold = [one for one in _purchases.values() if not one.on_request]
    return [due for one in sold for due in one.due(household, now)]


def on_request_of(household: "Household", now: datetime) -> list[Due]:
    """What a household may pay in without owing it."""
    sold = [one for one in _purchases.values() if one.on_request]
    return [due for one in sold for due in one.due(household, now)]


def nothing_to_settle(subject: Any, paid: Paid, *, by: "User | None", now: datetime) -> None:
    """For what was charged and given before: the money alone settles it."""


def nothing_to_undo(subject: Any, source: str, *, by: "User | None", now: datetime) -> None:
    """For what was given before the money came."""
