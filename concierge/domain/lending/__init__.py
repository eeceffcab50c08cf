"""The verbs of lending. Every screen, the API, tasks and imports call these."""

from concierge.domain.lending.aside import put_back, set_aside
from concierge.domain.lending.handover import (
    enter_forgotten_loan,
    hand_over,
    keep_for,
    undo_hand_over,
)
from concierge.domain.lending.repairs import report_fault, step_repair
from concierge.domain.lending.reservations import (
    cancel_loan,
    lapse_loan,
    move_loan,
    not_renewable,
    renew_loan,
    reserve_tool,
)
from concierge.domain.lending.returns import TakenBack, declare_lost, take_back, undo_take_back

__all__ = [
    "TakenBack",
    "cancel_loan",
    "declare_lost",
    "enter_forgotten_loan",
    "hand_over",
    "keep_for",
    "lapse_loan",
    "move_loan",
    "not_renewable",
    "put_back",
    "renew_loan",
    "report_fault",
    "reserve_tool",
    "set_aside",
    "step_repair",
    "take_back",
    "undo_hand_over",
    "undo_take_back",
]
