"""What is pulled from the shelf and waits for its borrower."""

from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from club.kernel.bookings import Channel
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import move
from club.models import User
from club.queries.calendar import calendar_of
from concierge.domain.lending.rules import locked
from concierge.enums import LoanStatus
from concierge.models import Copy, Loan
from concierge.queries.loans import next_claim


@in_one_transaction
def set_aside(loan: Loan, *, by: User, now: datetime) -> Loan:
    """The copy is pulled from the shelf and waits for its borrower."""
    loan = locked(loan)
    if Loan.objects.filter(copy=loan.copy, status=LoanStatus.OUT).exists():
        raise refuse("already_out", _("Cet exemplaire n’est pas encore revenu."))
    move(loan, LoanStatus.READY, by=by, now=now, verb="set_aside", channel=Channel.DESK)
    return loan


@in_one_transaction
def put_back(loan: Loan, *, by: User, now: datetime) -> Loan:
    """Back on the shelf: the claim stays, but may be given another copy again."""
    loan = locked(loan)
    move(
        loan,
        LoanStatus.RESERVED,
        by=by,
        now=now,
        verb="put_back",
        channel=Channel.DESK,
        ready_at=None,
    )
    return loan


def set_aside_next(copy: Copy, *, by: User, now: datetime) -> Loan | None:
    """Put the copy aside for whoever fetches it today or on the next open day."""
    claim = next_claim(copy.pk)
    if claim is None:
        return None
    today = local_day(now)
    following = calendar_of(copy.place).next_open_day(today + timedelta(days=1)) or today
    if claim.pickup_on > following:
        return None
    if claim.status == LoanStatus.RESERVED:
        set_aside(claim, by=by, now=now)
    return claim
