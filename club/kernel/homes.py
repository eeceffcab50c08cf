"""Where somebody who is no member has their own pages: the other rooms say so.

`club` knows members and staff; a shopkeeper is neither. Whoever registers here answers,
for a signed-in user, with the address of their first page and, where they stand at a
till, with the page that takes a card's token.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from club.models import User


@dataclass(frozen=True)
class Home:
    """`till` makes the address that takes the token of a scanned card."""

    url: str
    label: str | Promise
    till: Callable[[str], str]


_finders: dict[str, Callable[["User"], Home | None]] = {}


def register(name: str, find: Callable[["User"], Home | None]) -> None:
    """Called from the app's `ready()`; a second call for a name replaces the first."""
    _finders[name] = find


def home_of(user: "User") -> Home | None:
    """The first that knows the user; None for who has no other pages."""
    for find in _finders.values():
        home = find(user)
        if home is not None:
            return home
    return None
