"""The register of what renews by itself at the payment provider.

The reading of the provider (`club.domain.sync`) knows payments and what renews there;
what such a thing is here — a subscription — only its app knows, and tells it here.
Nothing here speaks with the provider: a change is put on the queue, with the change
itself, in one transaction.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django_q.tasks import async_task

from club.kernel.refusal import Reason

if TYPE_CHECKING:
    from club.models import Household, User


@dataclass(frozen=True)
class Price:
    """What is debited each time: found again by `key`, made where it is not there yet."""

    key: str
    name: str
    cents: int
    months: int


@dataclass(frozen=True)
class Recurring:
    """How one kind of purchase renews.

    `receiver` is the thing on which money counts that was paid for another, closed one.
    `link` says which subscription of the provider's renews it (None: no one any more).
    `stops` is what the provider should do at the end of the period, `set_stops` what it
    was told by somebody else. `pays` tells that a debit is under way, `fails` that one
    was refused. `leave` ends the renewals of a household whose payer has left. `coming`
    lists what is debited next and what was decided lately, so that the provider has it.
    """

    kind: str
    price: Callable[[Any], Price]
    refusal: Callable[[Any, datetime], Reason | None]
    receiver: Callable[[Any], Any]
    is_needless: Callable[[Any, date], bool]
    is_over: Callable[[Any], bool]
    paid_until: Callable[[Any], date | None]
    linked: Callable[[Any], str | None]
    link: Callable[..., None]
    stops: Callable[[Any], bool]
    set_stops: Callable[..., None]
    pays: Callable[..., None]
    fails: Callable[..., None]
    leave: Callable[["Household", "User | None", datetime], None]
    coming: Callable[[datetime], Iterable[int]]


_kinds: dict[str, Recurring] = {}


def register(kind: Recurring) -> None:
    """Called from the app's `ready()`; a second call for a kind replaces the first."""
    _kinds[kind.kind] = kind


def recurring(kind: str) -> Recurring | None:
    """How a kind renews; None for what is paid once."""
    return _kinds.get(kind)


def kinds() -> list[Recurring]:
    return list(_kinds.values())


def changed(kind: str, subject_id: int) -> None:
    """In the transaction of the change: the worker tells the provider after it."""
    async_task("club.tasks.push_to_provider", kind, subject_id, group="provider")
