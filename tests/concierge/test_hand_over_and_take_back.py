from datetime import date, time, timedelta

import pytest

from club.kernel.refusal import Refused
from club.kernel.spans import at
from club.models import LogEntry
from concierge.domain.lending import (
    declare_lost,
    enter_forgotten_loan,
    hand_over,
    lapse_loan,
    put_back,
    renew_loan,
    report_fault,
    reserve_tool,
    set_aside,
    step_repair,
    take_back,
    undo_hand_over,
    undo_take_back,
)
from concierge.enums import CopyStatus, LoanStatus
from concierge.models import Loan, Repair
from tests.factories.club import NOW, ClosureFactory, MemberFactory, RightFactory
from tests.factories.concierge import CopyFactory, PolicyFactory

pytestmark = pytest.mark.django_db
TODAY = date(2027, 3, 9)


@pytest.fixture
def lend(concierge_user):
    def call(copy, member, now=NOW):
        return hand_over(copy=copy, member=member, by=concierge_user, now=now)

    return call


@pytest.fixture
def back(concierge_user):
    def call(copy, now=NOW):
        return take_back(copy=copy, by=concierge_user, now=now)

    return call


def reserve(member, tool, starts_on=TODAY, ends_on=None, now=NOW):
    return reserve_tool(
        member=member,
        tool=tool,
        place=member.place,
        starts_on=starts_on,
        ends_on=ends_on,
        by=member.user,
        now=now,
    )


def test_without_a_reservation_the_usual_length_begins_now(lend, member, copy):
    loan = lend(copy, member)
    assert loan.status == LoanStatus.OUT
    assert loan.due_on == date(2027, 3, 16)
    assert loan.out_at == NOW


def test_the_reservation_that_has_begun_is_handed_over(lend, member, tool, copy):
    reserved = reserve(member, tool)
    loan = lend(copy, member)
    assert loan.pk == reserved.pk
    assert [e.verb for e in LogEntry.objects.filter(subject_kind="loan").order_by("pk")] == [
        "reserve",
        "hand_over",
    ]


def test_any_copy_of_the_tool_serves_the_reservation(lend, member, other_member, tool, copy, place):
    other_copy = CopyFactory(tool=tool, place=place)
    mine = reserve(member, tool)
    theirs = reserve(other_member, tool)
    assert {mine.copy, theirs.copy} == {copy, other_copy}
    lend(theirs.copy, member)
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert mine.copy_id != theirs.copy_id
    assert mine.status == LoanStatus.OUT


def test_what_is_set_aside_for_another_is_said_before_anything_happens(
    lend, member, other_member, tool, copy, concierge_user
):
    theirs = reserve(other_member, tool)
    set_aside(theirs, by=concierge_user, now=NOW)
    with pytest.raises(Refused) as refused:
        lend(copy, member)
    assert refused.value.codes == ["set_aside"]
    assert "A. Roussel" in str(refused.value.reasons[0].text)
    assert Loan.objects.filter(status=LoanStatus.OUT).count() == 0


def test_what_is_out_is_not_lent_again(lend, member, other_member, copy):
    lend(copy, other_member)
    with pytest.raises(Refused) as refused:
        lend(copy, member)
    assert refused.value.codes == ["already_out"]


def test_a_promised_copy_is_not_lent_to_a_passer_by(lend, member, other_member, tool, copy):
    reserve(other_member, tool, date(2027, 3, 12))
    with pytest.raises(Refused) as refused:
        lend(copy, member)
    assert refused.value.codes == ["taken"]


def test_a_return_needs_no_borrower_and_frees_the_calendar_early(
    lend, back, member, other_member, tool, copy
):
    lend(copy, member)
    result = back(copy, NOW + timedelta(days=1))
    assert result.loan.member == member
    assert result.days_late == 0
    assert result.loan.ends_at == NOW + timedelta(days=1)
    assert reserve(other_member, tool, date(2027, 3, 11), now=NOW + timedelta(days=1))


def test_lateness_counts_calendar_days(lend, back, member, copy):
    lend(copy, member)
    result = back(copy, at(date(2027, 3, 19), time(9)))
    assert result.days_late == 3


def test_back_on_the_due_day_even_at_night_is_not_late(lend, back, member, copy):
    lend(copy, member)
    assert back(copy, at(date(2027, 3, 16), time(23, 30))).days_late == 0


def test_a_second_return_is_refused(lend, back, member, copy):
    lend(copy, member)
    back(copy)
    with pytest.raises(Refused) as refused:
        back(copy)
    assert refused.value.codes == ["not_out"]


def test_a_returned_copy_is_set_aside_for_who_fetches_it_tomorrow(
    lend, back, member, other_member, tool, copy
):
    lend(copy, member)
    theirs = reserve(other_member, tool, date(2027, 3, 17))
    result = back(copy, at(date(2027, 3, 16), time(10)))
    assert result.aside_for == theirs
    theirs.refresh_from_db()
    assert theirs.status == LoanStatus.READY


def test_nothing_is_set_aside_for_somebody_who_comes_later(
    lend, back, member, other_member, tool, copy
):
    lend(copy, member)
    reserve(other_member, tool, date(2027, 3, 19))
    assert back(copy, at(date(2027, 3, 16), time(10))).aside_for is None


def test_undoing_a_walk_in_cancels_it_and_undoing_a_reservation_keeps_it(
    lend, member, tool, copy, place, concierge_user
):
    loan = undo_hand_over(lend(copy, member), by=concierge_user, now=NOW)
    assert loan.status == LoanStatus.CANCELLED

    reserve(member, tool)  # at the very instant of the hand-over
    loan = undo_hand_over(lend(copy, member), by=concierge_user, now=NOW)
    assert loan.status == LoanStatus.RESERVED
    assert loan.out_at is None


def test_whoever_comes_early_takes_what_is_set_aside_for_them(
    lend, back, member, other_member, tool, copy, concierge_user
):
    lend(copy, member)
    theirs = reserve(other_member, tool, date(2027, 3, 17))
    now = at(date(2027, 3, 16), time(10))
    back(copy, now)
    loan = lend(copy, other_member, now)
    assert (loan.pk, loan.starts_at, loan.due_on) == (theirs.pk, now, theirs.due_on)
    undone = undo_hand_over(loan, by=concierge_user, now=now)
    assert (undone.status, undone.starts_at) == (LoanStatus.RESERVED, theirs.starts_at)


def test_undoing_a_hand_over_after_an_undone_return_still_knows_a_walk_in(
    lend, back, member, copy, concierge_user
):
    loan = lend(copy, member)
    back(copy)
    undo_take_back(loan, by=concierge_user, now=NOW)
    assert undo_hand_over(loan, by=concierge_user, now=NOW).status == LoanStatus.CANCELLED


def test_undoing_a_return_gives_the_whole_period_back(lend, back, member, copy, concierge_user):
    loan = lend(copy, member)
    back(copy, NOW + timedelta(hours=1))
    loan = undo_take_back(loan, by=concierge_user, now=NOW + timedelta(hours=1))
    assert loan.status == LoanStatus.OUT
    assert loan.ends_at == at(date(2027, 3, 16), time(18))
    assert loan.out_at == NOW
    assert loan.returned_at is None


def test_undoing_a_return_after_the_next_loan_has_begun_is_refused(
    lend, back, member, other_member, copy, concierge_user
):
    loan = lend(copy, member)
    back(copy)
    lend(copy, other_member)
    with pytest.raises(Refused) as refused:
        undo_take_back(loan, by=concierge_user, now=NOW)
    assert refused.value.codes == ["next_loan_begun"]


def test_undoing_a_return_puts_back_what_it_had_set_aside(
    lend, back, member, other_member, tool, copy, concierge_user
):
    loan = lend(copy, member)
    theirs = reserve(other_member, tool, date(2027, 3, 17))
    now = at(date(2027, 3, 16), time(10))
    back(copy, now)
    undo_take_back(loan, by=concierge_user, now=now)
    theirs.refresh_from_db()
    assert theirs.status == LoanStatus.RESERVED


def test_a_renewal_begins_at_the_later_of_due_day_and_today(lend, member, copy):
    loan = lend(copy, member)
    renewed = renew_loan(loan, by=member.user, now=NOW + timedelta(days=1))
    assert (renewed.due_on, renewed.renewals) == (date(2027, 3, 23), 1)
    with pytest.raises(Refused) as refused:
        renew_loan(loan, by=member.user, now=NOW + timedelta(days=1))
    assert refused.value.codes == ["no_renewal_left"]


def test_a_late_loan_renews_from_today_where_staff_allow_it(lend, member, copy, place):
    loan = lend(copy, member)
    late = at(date(2027, 3, 19), time(10))
    assert renew_loan(loan, by=member.user, now=late).due_on == date(2027, 3, 26)

    PolicyFactory(place=place, renew_while_late=False, renewals=9)
    place.refresh_from_db()
    with pytest.raises(Refused) as refused:
        renew_loan(loan, by=member.user, now=at(date(2027, 3, 27), time(10)))
    assert refused.value.codes == ["late_loan"]


def test_a_renewal_gives_way_to_the_next_reservation(lend, member, other_member, tool, copy):
    loan = lend(copy, member)
    reserve(other_member, tool, date(2027, 3, 18))
    with pytest.raises(Refused) as refused:
        renew_loan(loan, by=member.user, now=NOW)
    assert refused.value.codes == ["taken"]
    loan.refresh_from_db()
    assert loan.due_on == date(2027, 3, 16)


def test_a_renewal_moves_the_next_reservation_to_another_copy(
    lend, member, other_member, tool, copy, place
):
    loan = lend(copy, member)
    theirs = reserve(other_member, tool, date(2027, 3, 18))
    assert theirs.copy == copy
    spare = CopyFactory(tool=tool, place=place)
    renew_loan(loan, by=member.user, now=NOW)
    theirs.refresh_from_db()
    assert theirs.copy == spare


def test_a_fault_sends_the_copy_to_repair_and_its_claims_elsewhere(
    lend, back, member, other_member, tool, copy, place, concierge_user
):
    spare = CopyFactory(tool=tool, place=place)
    theirs = reserve(other_member, tool, date(2027, 3, 12))
    assert theirs.copy == copy
    stranded = report_fault(copy=copy, fault="broken", by=concierge_user, now=NOW)
    theirs.refresh_from_db()
    copy.refresh_from_db()
    assert (theirs.copy, stranded, copy.status) == (spare, [], CopyStatus.REPAIR)


def test_a_fault_with_no_other_copy_tells_who_is_left_without_one(
    other_member, tool, copy, concierge_user
):
    theirs = reserve(other_member, tool, date(2027, 3, 12))
    assert report_fault(copy=copy, fault="dirty", by=concierge_user, now=NOW) == [theirs]
    theirs.refresh_from_db()
    assert theirs.status == LoanStatus.RESERVED


def test_nobodys_turn_starts_while_the_copy_is_in_repair_it_starts_after(
    lend, back, member, other_member, tool, copy, concierge_user
):
    lend(copy, member)
    theirs = reserve(other_member, tool, date(2027, 3, 17))
    now = at(date(2027, 3, 16), time(10))
    back(copy, now)
    report_fault(copy=copy, fault="broken", by=concierge_user, now=now)
    theirs.refresh_from_db()
    assert theirs.status == LoanStatus.RESERVED
    step_repair(Repair.objects.get(), "resolved", by=concierge_user, now=now)
    theirs.refresh_from_db()
    copy.refresh_from_db()
    assert (theirs.status, copy.status) == (LoanStatus.READY, CopyStatus.ACTIVE)


def test_an_irreparable_copy_is_retired_with_its_reason(copy, concierge_user):
    report_fault(copy=copy, fault="broken", by=concierge_user, now=NOW)
    step_repair(Repair.objects.get(), "retired", by=concierge_user, now=NOW)
    copy.refresh_from_db()
    assert (copy.status, copy.retired_reason) == (CopyStatus.RETIRED, "broken")


def test_lost_ends_the_loan_and_the_copy_is_missing(lend, member, copy, concierge_user):
    loan = declare_lost(lend(copy, member), by=concierge_user, now=NOW)
    copy.refresh_from_db()
    assert (loan.status, copy.status) == (LoanStatus.LOST, CopyStatus.MISSING)


def test_a_claim_lapses_at_the_end_of_its_day_and_not_before(member, tool, copy):
    loan = reserve(member, tool)
    assert lapse_loan(loan, now=at(TODAY, time(23))).status == LoanStatus.RESERVED
    assert lapse_loan(loan, now=at(date(2027, 3, 10), time(0))).status == LoanStatus.LAPSED


def test_a_day_that_turned_out_closed_does_not_count_against_a_claim(member, tool, copy, place):
    loan = reserve(member, tool, date(2027, 3, 16))
    ClosureFactory(place=place)
    assert lapse_loan(loan, now=at(date(2027, 3, 23), time(12))).status == LoanStatus.RESERVED
    assert lapse_loan(loan, now=at(date(2027, 3, 24), time(0))).status == LoanStatus.LAPSED


def test_yesterdays_forgotten_loan_is_entered_with_its_own_dates(member, copy, concierge_user):
    loan = enter_forgotten_loan(
        copy=copy, member=member, on=date(2027, 3, 6), by=concierge_user, now=NOW
    )
    assert (loan.status, loan.due_on) == (LoanStatus.OUT, date(2027, 3, 13))
    assert undo_hand_over(loan, by=concierge_user, now=NOW).status == LoanStatus.CANCELLED
    with pytest.raises(Refused):
        enter_forgotten_loan(
            copy=copy, member=member, on=date(2027, 2, 1), by=concierge_user, now=NOW
        )


def test_set_aside_and_put_back_again(member, tool, copy, concierge_user):
    loan = set_aside(reserve(member, tool), by=concierge_user, now=NOW)
    assert loan.status == LoanStatus.READY
    assert put_back(loan, by=concierge_user, now=NOW).status == LoanStatus.RESERVED


def test_limits_and_rights_hold_at_the_desk_too(lend, copy, place):
    member = MemberFactory(place=place)
    with pytest.raises(Refused) as refused:
        lend(copy, member)
    assert refused.value.codes == ["no_right"]
    RightFactory(household=member.household)
    assert lend(copy, member)
