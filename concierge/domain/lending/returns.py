"""Back at the counter, back by mistake, or never back."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from club.kernel.bookings import Channel
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import move
from club.models import User
from club.queries.calendar import calendar_of
from concierge.domain.assignment import free_the_copy, make_room
from concierge.domain.lending.aside import put_back, set_aside_next
from concierge.domain.lending.rules import as_if, locked, locked_loans, period_until
from concierge.enums import CopyStatus, LoanStatus
from concierge.models import Copy, Loan
from concierge.queries.loans import next_claim
from concierge.queries.policies import policy_for


@dataclass(frozen=True)
class TakenBack:
    """What the desk says after a return: who had it, how late, where it goes now."""

    loan: Loan
    days_late: int
    aside_for: Loan | None


@in_one_transaction
def take_back(*, copy: Copy, by: User, now: datetime, channel: str = Channel.DESK) -> TakenBack:
    """The copy is back; no borrower needed. A return before the due day frees the rest.

    Where somebody comes for it on the next open day, it is set aside for them.
    """
    loan = locked_loans().filter(copy=copy, status=LoanStatus.OUT).first()
    if loan is None:
        raise refuse("not_out", _("Cet objet n’est pas noté comme prêté."))
    days_late = loan.days_late(local_day(now))
    planned = {"ends_at": loan.ends_at.isoformat(), "held_until": loan.held_until.isoformat()}
    back = max(now, loan.starts_at)
    move(
        loan,
        LoanStatus.RETURNED,
        by=by,
        now=now,
        verb="take_back",
        channel=channel,
        facts={"planned": planned, "days_late": days_late},
        ends_at=min(loan.ends_at, back),
        held_until=min(loan.held_until, back),
    )
    if loan.copy.status == CopyStatus.MISSING:
        move(loan.copy, CopyStatus.ACTIVE, by=by, now=now, verb="found", channel=channel)
    return TakenBack(loan, days_late, set_aside_next(loan.copy, by=by, now=now))


@in_one_transaction
def undo_take_back(loan: Loan, *, by: User, now: datetime) -> Loan:
    """The return was a mistake. Refused once the next loan of the copy has begun."""
    loan = locked(loan)
    if loan.status != LoanStatus.RETURNED:
        raise refuse("wrong_state", _("Ce prêt n’est pas noté comme rendu."))
    if Loan.objects.filter(copy=loan.copy, status=LoanStatus.OUT).exists():
        raise refuse("next_loan_begun", _("Cet objet est déjà reparti chez quelqu’un."))
    calendar = calendar_of(loan.place)
    policy = policy_for(loan.place, loan.tool.value_class)
    period = period_until(loan.due_on, calendar, policy, loan.starts_at, loan.pickup_ends_at)
    aside = next_claim(loan.copy_id)
    if aside is not None and aside.status == LoanStatus.READY:
        put_back(aside, by=by, now=now)
    if make_room(as_if(loan, period), policy, now, on_copy=loan.copy_id) is None:
        raise refuse("next_loan_begun", _("Cet objet est déjà promis à quelqu’un."))
    move(
        loan,
        LoanStatus.OUT,
        by=by,
        now=now,
        verb="undo_take_back",
        channel=Channel.DESK,
        out_at=loan.out_at,
        returned_at=None,
        ends_at=period.ends_at,
        held_until=period.held_until,
    )
    return loan


@in_one_transaction
def declare_lost(loan: Loan, *, by: User, now: datetime) -> Loan:
    """The borrower will not bring it back: the loan ends, the copy is missing."""
    loan = locked(loan)
    move(loan, LoanStatus.LOST, by=by, now=now, verb="declare_lost", channel=Channel.DESK)
    if loan.copy.status == CopyStatus.ACTIVE:
        move(loan.copy, CopyStatus.MISSING, by=by, now=now, verb="declare_lost")
    free_the_copy(loan.copy, policy_for(loan.place, loan.tool.value_class), now)
    return loan
