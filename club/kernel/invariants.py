"""The register of what must always hold, whatever happened; each app adds its own."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Invariant:
    """`violations` yields one line for each place where `sentence` is not true."""

    name: str
    sentence: str
    violations: Callable[[], Iterable[str]]


_invariants: dict[str, Invariant] = {}


def register(*invariants: Invariant) -> None:
    """Called from the app's `ready()`; a second call for a name replaces the first."""
    for invariant in invariants:
        _invariants[invariant.name] = invariant


def all_invariants() -> Iterable[Invariant]:
    return list(_invariants.values())
