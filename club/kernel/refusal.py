"""How a verb says no: reasons that a person can read and a program can tell apart."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise


@dataclass(frozen=True)
class Reason:
    """One reason.

    `code` is stable and part of the API's contract; `text` is a sentence for the
    person; `field` names the form field at fault, if one is; `facts` carries what
    helps to go on (next free days, for example), JSON-serialisable.
    """

    code: str
    text: str | Promise
    field: str | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


class Refused(Exception):
    """Raised by a verb that changed nothing, with every reason that it found."""

    def __init__(self, reasons: Reason | Iterable[Reason]) -> None:
        self.reasons = [reasons] if isinstance(reasons, Reason) else list(reasons)
        super().__init__("; ".join(str(reason.text) for reason in self.reasons))

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.reasons]


def refuse(code: str, text: str | Promise, field: str | None = None, **facts: Any) -> Refused:
    """The common case of one reason: `raise refuse("taken", _("…"))`."""
    return Refused(Reason(code, text, field, facts))
