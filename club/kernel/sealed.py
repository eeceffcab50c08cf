"""An act that is shown before it is done: what was shown is what is done.

The deed makes its plan anew under lock and compares the seals; where something has changed
meanwhile it is refused, and the new plan is shown.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from django.utils.functional import Promise

from club.kernel.refusal import refuse


class Shown(Protocol):
    """What an act does to one thing, and whether its owner has to be called."""

    @property
    def is_called(self) -> bool: ...


def seal_of(facts: object) -> str:
    """A short name of these facts, the same for the same facts."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


E = TypeVar("E", bound=Shown)


class Sealed(ABC, Generic[E]):
    """A plan with its effects; `facts` are what a person has agreed to."""

    effects: Sequence[E]

    @property
    @abstractmethod
    def facts(self) -> Any:
        """What is compared: whatever is left out of it may change unseen."""

    @property
    def to_call(self) -> list[E]:
        return [effect for effect in self.effects if effect.is_called]

    @property
    def seal(self) -> str:
        return seal_of(self.facts)

    def refuse_unless(self, seal: str, text: str | Promise) -> None:
        if self.seal != seal:
            raise refuse("changed_meanwhile", text)
