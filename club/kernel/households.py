"""The register of what follows a person who changes household.

`club` moves the person, their rights and their money; each app adds what else of its
own goes along or stays. It runs in the same transaction, after the person has moved.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from club.models import Household, Member


@dataclass(frozen=True)
class Move:
    """`leaves_nobody`: the household that is left has no other adult."""

    member: "Member"
    before: "Household"
    after: "Household"
    leaves_nobody: bool


Follower = Callable[..., None]
_followers: dict[str, Follower] = {}


def register(name: str, follow: Follower) -> None:
    """Called from the app's `ready()` as `follow(move, by=, now=)`; a name is held once."""
    _followers[name] = follow


def followers() -> Iterable[Follower]:
    return list(_followers.values())
