"""The shape of the pages of one booking: its ticket, what can be done, in which words.

A kind whose bookings can be opened has one `Screen`. The pages know no kind: each act
has one page or one button, and an act that a kind does not know is refused in words.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from club.kernel.refusal import Refused, refuse
from club.models import User
from concierge.forms import SlotForm
from concierge.order_forms import DeliveryChoiceForm
from concierge.views.shown import SlotButton


@dataclass(frozen=True)
class Says:
    """What one kind's pages are called, and what stands on their buttons."""

    title: str
    noun: str
    move: str
    when: str
    no_other: str
    cancel: str
    sure: str
    keep: str
    quantity: str = ""
    quantity_go: str = ""
    accept: str = ""
    lines: str = ""


@dataclass(frozen=True)
class ToPay:
    """What is still to pay for it, until when, and whether that can be done on line."""

    kind: str
    subject_id: int
    cents: int
    online: bool
    until: datetime | None = None
    title: str = ""


class Screen(ABC):
    """One kind's answers to the pages of a booking."""

    slot_form: ClassVar[type[SlotForm] | type[DeliveryChoiceForm]] = SlotForm
    move_template: ClassVar[str] = "portal/move.html"

    @abstractmethod
    def ticket(self, booking: Any, now: datetime) -> dict[str, Any]:
        """The lines of its ticket."""

    @abstractmethod
    def acts(self, booking: Any, now: datetime) -> set[str]:
        """Which of `move`, `lines`, `quantity`, `cancel`, `renew` and `accept` the page offers.

        Asked for each line of a list: it needs no statement.
        """

    @abstractmethod
    def says(self, booking: Any) -> Says:
        """What its pages are called."""

    @abstractmethod
    def next_steps(self, booking: Any, now: datetime) -> list[str]:
        """What is to know and to do now, a sentence or two each."""

    @abstractmethod
    def onward(self, booking: Any) -> tuple[str, str]:
        """Where to go from what is over: an address and its words."""

    @abstractmethod
    def cancelling(self, booking: Any, now: datetime) -> list[str]:
        """What follows from giving it up, told before."""

    def code(self, booking: Any) -> str:
        """What the desk or the door scans; empty where nothing is."""
        return ""

    def to_pay(self, booking: Any, now: datetime) -> ToPay | None:
        return None

    def blank(self, booking: Any) -> Any:
        """The form of other days before anything is typed, where it is more than buttons."""
        return None

    def below(self, booking: Any, now: datetime) -> tuple[str, dict[str, Any]] | None:
        """What stands under the ticket: a template and what it shows."""
        return None

    def quantity_words(self, booking: Any) -> list[str]:
        """What follows from another number."""
        return []

    # -- The acts: each tells in a sentence what it did

    def buttons(self, booking: Any, now: datetime, more: bool) -> Sequence[SlotButton]:
        """Other days that can be taken instead."""
        return []

    def move(self, booking: Any, slot: Any, by: User, now: datetime) -> str:
        raise not_of_this_kind()

    def cancel(self, booking: Any, by: User, now: datetime) -> str:
        raise not_of_this_kind()

    def renew(self, booking: Any, by: User, now: datetime) -> str:
        raise not_of_this_kind()

    def accept(self, booking: Any, by: User, now: datetime) -> str:
        raise not_of_this_kind()

    def change_quantity(self, booking: Any, quantity: int, by: User, now: datetime) -> str:
        raise not_of_this_kind()


def not_of_this_kind() -> Refused:
    return refuse("wrong_state", _("Ce n’est pas possible pour cette réservation."))
