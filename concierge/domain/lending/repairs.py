"""A copy that does not work, from the counter to the shelf or the bin."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from club.kernel.refusal import refuse
from club.kernel.transactions import in_one_transaction
from club.kernel.transitions import log, move
from club.models import User
from concierge.domain.assignment import free_the_copy
from concierge.domain.lending.aside import put_back, set_aside_next
from concierge.domain.lending.rules import locked_copy
from concierge.enums import CopyStatus, Fault, LoanStatus, RepairStatus, RetiredReason
from concierge.models import Copy, Loan, Repair
from concierge.queries.loans import next_claim
from concierge.queries.policies import policy_for


@in_one_transaction
def report_fault(*, copy: Copy, fault: str, by: User, now: datetime) -> list[Loan]:
    """Send a copy to repair and move its coming claims; return those left without one."""
    copy = locked_copy(copy)
    if fault not in Fault.values:
        raise refuse("unknown_fault", _("Choisissez ce qui ne va pas."), "fault")
    aside = next_claim(copy.pk)
    if aside is not None and aside.status == LoanStatus.READY:
        put_back(aside, by=by, now=now)
    move(copy, CopyStatus.REPAIR, by=by, now=now, verb="report_fault", facts={"fault": fault})
    repair = Repair.objects.create(copy=copy, fault=fault, opened_at=now)
    log(repair, "open", by=by, now=now, facts={"to": repair.status})
    return free_the_copy(copy, policy_for(copy.place, copy.tool.value_class), now)


@in_one_transaction
def step_repair(repair: Repair, to: str, *, by: User, now: datetime) -> Repair:
    """The next step of a repair; resolved brings the copy back, retired ends it."""
    copy = Copy.objects.get(pk=repair.copy_id)
    ended = to in {RepairStatus.RESOLVED, RepairStatus.RETIRED}
    move(repair, to, by=by, now=now, closed_at=now if ended else None)
    if to == RepairStatus.RESOLVED:
        move(copy, CopyStatus.ACTIVE, by=by, now=now, verb="repaired")
        set_aside_next(copy, by=by, now=now)
    elif to == RepairStatus.RETIRED:
        move(
            copy,
            CopyStatus.RETIRED,
            by=by,
            now=now,
            verb="retire",
            retired_reason=RetiredReason.BROKEN,
        )
    return repair
