"""Verbs run in one transaction, and once more when another one got there first."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, models, transaction

from club.kernel import rows

P = ParamSpec("P")
T = TypeVar("T")

ATTEMPTS = 5
# PostgreSQL: serialization_failure, deadlock_detected, lock_not_available.
PASSING = {"40001", "40P01", "55P03"}


class Contended(Exception):
    """Somebody else's commit changed what this transaction had read: read again."""


_held: ContextVar[set[tuple[str, int]] | None] = ContextVar("held", default=None)


def hold(instance: models.Model) -> None:
    """Lock a row until the transaction ends, so that what is counted for it stays true.

    Counting a member's loans and adding one are two statements: two tabs at once
    would both count the same. Done once a transaction; on SQLite a write transaction
    is alone from its start, and nothing is asked.
    """
    if not connection.features.has_select_for_update:
        return
    held = _held.get()
    key = (instance._meta.label, instance.pk)
    if held is not None and key in held:
        return
    rows = type(instance)._default_manager.select_for_update(no_key=True)
    rows.filter(pk=instance.pk).order_by().values_list("pk").get()
    is_held(instance)


def is_held(instance: models.Model) -> None:
    """Say that another statement of this transaction has locked the row already."""
    held = _held.get()
    if held is not None:
        held.add((instance._meta.label, instance.pk))


def is_passing(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", None) in PASSING


def in_one_transaction(work: Callable[P, T]) -> Callable[P, T]:
    """Make a function atomic; run it again from the start when it was `Contended`.

    Inside a transaction that is already open the function simply joins it: the
    opener rolls back and tries again. No savepoint is taken, because a verb checks
    before it writes and an opener never swallows its refusal.
    """

    @wraps(work)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.in_atomic_block:
            with rows.together():
                return work(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            token = _held.set(set())
            try:
                with transaction.atomic(), rows.together():
                    return work(*args, **kwargs)
            except Contended:
                if attempt == ATTEMPTS:
                    raise
            except OperationalError as error:
                if attempt == ATTEMPTS or not is_passing(error):
                    raise
            finally:
                _held.reset(token)
        raise AssertionError("unreachable")

    return wrapped
