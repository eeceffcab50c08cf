"""A copy leaves the shelf for good, or is looked for: what it was promised to goes on."""

from datetime import date

import pytest

from club.kernel.refusal import Refused
from concierge.domain.copies import move_copy
from concierge.domain.lending import hand_over, reserve_tool, set_aside
from concierge.enums import CopyStatus, LoanStatus
from tests.factories.club import NOW
from tests.factories.concierge import CopyFactory

pytestmark = pytest.mark.django_db


def test_what_is_out_is_not_retired(copy, member, concierge_user):
    hand_over(copy=copy, member=member, by=concierge_user, now=NOW)
    with pytest.raises(Refused) as refused:
        move_copy(copy, CopyStatus.RETIRED, by=concierge_user, now=NOW, reason="broken")
    assert refused.value.codes == ["already_out"]
    copy.refresh_from_db()
    assert copy.status == CopyStatus.ACTIVE


def test_what_was_promised_moves_to_another_copy(copy, tool, place, member, concierge_user):
    loan = reserve_tool(
        member=member, tool=tool, place=place, starts_on=date(2027, 3, 9), by=member.user, now=NOW
    )
    set_aside(loan, by=concierge_user, now=NOW)
    other = CopyFactory(tool=tool, place=place)
    move_copy(copy, CopyStatus.MISSING, by=concierge_user, now=NOW)
    loan.refresh_from_db()
    assert (loan.copy, loan.status) == (other, LoanStatus.RESERVED)
