from datetime import date, datetime, time, timedelta

import pytest

from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import LogEntry, Message
from concierge.domain.lending import cancel_loan, hand_over, move_loan, reserve_tool
from concierge.enums import LoanStatus
from concierge.models import Loan
from tests.factories.club import (
    NOW,
    ClosureFactory,
    LandlordFactory,
    MemberFactory,
    PlaceFactory,
    RightFactory,
)
from tests.factories.concierge import CopyFactory, LoanFactory, PolicyFactory, ToolFactory

WEDNESDAY = date(2027, 3, 10)
pytestmark = pytest.mark.django_db


def reserve(member, tool, place, starts_on=WEDNESDAY, ends_on=None, now=NOW, **kwargs):
    return reserve_tool(
        member=member,
        tool=tool,
        place=place,
        starts_on=starts_on,
        ends_on=ends_on,
        by=member.user,
        now=now,
        **kwargs,
    )


def codes_of(refused):
    return refused.value.codes


def test_a_reservation_claims_a_copy_from_the_opening_to_the_close_of_the_due_day(
    member, tool, copy, place
):
    loan = reserve(member, tool, place)

    assert loan.copy == copy
    assert loan.status == LoanStatus.RESERVED
    assert loan.starts_at == at(WEDNESDAY, time(9))
    assert loan.pickup_ends_at == at(WEDNESDAY, time(18))
    assert loan.due_on == date(2027, 3, 17)
    assert loan.ends_at == at(date(2027, 3, 17), time(18))
    assert LogEntry.objects.get(subject_kind="loan", subject_id=loan.pk).verb == "reserve"
    assert Message.objects.get().event == "loan.reserved"


def test_a_window_may_be_chosen_within_the_day(member, tool, copy, place):
    loan = reserve(member, tool, place, starts_at=at(WEDNESDAY, time(14)))
    assert (loan.starts_at, loan.pickup_ends_at) == (
        at(WEDNESDAY, time(14)),
        at(WEDNESDAY, time(18)),
    )


def test_today_begins_now(member, tool, copy, place):
    assert reserve(member, tool, place, local_day(NOW)).starts_at == NOW


def test_the_due_day_is_never_a_closed_day(member, tool, copy, place):
    # Saturday 13 March plus seven days is a Saturday; Sunday and Monday are closed.
    PolicyFactory(place=place, loan_days=8)
    place.refresh_from_db()
    loan = reserve(member, tool, place, date(2027, 3, 13))
    assert loan.due_on == date(2027, 3, 23)


def test_a_closure_moves_the_due_day_on(member, tool, copy, place):
    ClosureFactory(place=place)  # 16 to 20 March
    place.refresh_from_db()
    assert reserve(member, tool, place).due_on == date(2027, 3, 23)


def test_where_no_open_day_is_known_the_raw_date_stands(member, tool, copy, place):
    ClosureFactory(place=place, starts_on=date(2027, 3, 11), ends_on=date(2029, 1, 1))
    place.refresh_from_db()
    loan = reserve(member, tool, place)
    assert loan.due_on == date(2027, 3, 17)
    assert loan.ends_at == at(date(2027, 3, 18), time(0))


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "code"),
    [
        (date(2027, 3, 8), None, "in_the_past"),
        (date(2027, 3, 14), None, "closed_day"),
        (date(2028, 3, 10), None, "too_far_ahead"),
        (WEDNESDAY, date(2027, 3, 9), "dates_in_disorder"),
        (WEDNESDAY, date(2027, 3, 25), "too_long"),
    ],
)
def test_days_that_the_rules_exclude_are_refused(
    member, tool, copy, place, starts_on, ends_on, code
):
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place, starts_on, ends_on)
    assert codes_of(refused) == [code]
    assert Loan.objects.count() == 0


def test_a_closed_day_says_when_the_place_opens_again(member, tool, copy, place):
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place, date(2027, 3, 14))
    assert refused.value.reasons[0].facts == {"next_open_day": "2027-03-16"}


def test_the_lead_time_closes_the_day(member, tool, copy, place):
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place, local_day(NOW), now=NOW.replace(hour=17, minute=45))
    assert codes_of(refused) == ["too_late_today"]


def test_without_a_right_it_is_refused_and_with_one_that_ends_before_too(tool, copy, place):
    member = MemberFactory(place=place)
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place)
    assert codes_of(refused) == ["no_right"]

    RightFactory(household=member.household, ends_on=date(2027, 3, 16))
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place)
    assert codes_of(refused) == ["right_ends"]


def test_two_rights_that_follow_each_other_cover_a_loan(tool, copy, place):
    member = MemberFactory(place=place)
    RightFactory(household=member.household, ends_on=date(2027, 3, 12))
    RightFactory(household=member.household, starts_on=date(2027, 3, 13))
    assert reserve(member, tool, place).due_on == date(2027, 3, 17)


def test_a_right_of_one_person_serves_nobody_else_of_the_household(tool, copy, place):
    mine = MemberFactory(place=place)
    other = MemberFactory(place=place, household=mine.household)
    RightFactory(household=mine.household, member=mine)
    with pytest.raises(Refused):
        reserve(other, tool, place)
    assert reserve(mine, tool, place)


def test_limits_count_what_is_reserved_and_what_is_out(member, place):
    PolicyFactory(place=place, limit=2)
    PolicyFactory(place=place, value_class="valuable", limit=1)
    place.refresh_from_db()
    drill, saw, valuable, other_valuable = (
        ToolFactory(landlord=place.landlord, name=name, value_class=value_class)
        for name, value_class in [
            ("Perceuse", "middle"),
            ("Scie", "middle"),
            ("Sono", "valuable"),
            ("Ciné", "valuable"),
        ]
    )
    for each in (drill, saw, valuable, other_valuable):
        CopyFactory(tool=each, place=place)
    reserve(member, valuable, place)
    with pytest.raises(Refused) as refused:
        reserve(member, other_valuable, place)
    assert codes_of(refused) == ["class_limit_reached"]
    reserve(member, drill, place)
    with pytest.raises(Refused) as refused:
        reserve(member, saw, place)
    assert codes_of(refused) == ["limit_reached"]


def late_loan(member, place):
    return LoanFactory(
        member=member,
        copy=CopyFactory(place=place, tool__landlord=place.landlord),
        status=LoanStatus.OUT,
        starts_at=NOW - timedelta(days=9),
        ends_at=NOW - timedelta(days=1),
    )


def test_whoever_is_late_borrows_nothing_where_staff_chose_so(member, tool, copy, place):
    late_loan(member, place)
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place)
    assert codes_of(refused) == ["late_loan"]

    PolicyFactory(place=place, block_while_late=False)
    place.refresh_from_db()
    assert reserve(member, tool, place)


def test_every_reason_is_told_at_once(tool, copy, place):
    member = MemberFactory(place=place)
    late_loan(member, place)
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place)
    assert codes_of(refused) == ["no_right", "late_loan"]


def test_the_second_on_the_last_copy_is_told_the_next_free_days(
    member, other_member, tool, copy, place
):
    reserve(member, tool, place)
    with pytest.raises(Refused) as refused:
        reserve(other_member, tool, place, date(2027, 3, 12))
    assert codes_of(refused) == ["taken"]
    assert refused.value.reasons[0].facts["next_free"][0] == {
        "starts_on": "2027-03-18",
        "ends_on": "2027-03-25",
    }


def test_back_at_noon_and_out_in_the_afternoon_needs_a_return_first(
    member, other_member, tool, copy, place
):
    reserve(member, tool, place)
    with pytest.raises(Refused):
        reserve(other_member, tool, place, date(2027, 3, 17))


def test_claims_change_copy_so_that_none_is_refused_that_would_fit(place):
    PolicyFactory(place=place, limit=20)
    place.refresh_from_db()
    tool = ToolFactory(landlord=place.landlord)
    CopyFactory(tool=tool, place=place)
    CopyFactory(tool=tool, place=place)

    def someone(starts, ends):
        member = MemberFactory(place=place)
        RightFactory(household=member.household)
        return reserve(member, tool, place, starts, ends)

    someone(date(2027, 3, 10), date(2027, 3, 11))  # first copy
    someone(date(2027, 3, 10), date(2027, 3, 13))  # second copy
    someone(date(2027, 3, 12), date(2027, 3, 17))  # first copy
    someone(date(2027, 3, 16), date(2027, 3, 19))  # second copy
    # Free on no single copy from 18 to 23: first is free from the 18th on.
    late = someone(date(2027, 3, 18), date(2027, 3, 23))
    # 24 to 27: both free; 20 to 27 only on the second, once the others stay put.
    assert late.status == LoanStatus.RESERVED
    assert someone(date(2027, 3, 20), date(2027, 3, 27)).status == LoanStatus.RESERVED


def test_a_copy_in_repair_or_of_another_place_is_not_claimed(member, tool, place):
    CopyFactory(tool=tool, place=place, status="repair")
    CopyFactory(tool=tool, place=PlaceFactory(landlord=place.landlord))
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place)
    assert codes_of(refused) == ["no_copy"]


def test_another_landlords_tool_is_not_there(member, place):
    tool = ToolFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    CopyFactory(tool=tool, place=place)
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place)
    assert codes_of(refused) == ["no_copy"]


def test_a_late_copy_is_not_promised_within_the_margin(member, tool, copy, place):
    LoanFactory(
        copy=copy,
        status=LoanStatus.OUT,
        starts_at=NOW - timedelta(days=9),
        ends_at=NOW - timedelta(days=1),
    )
    with pytest.raises(Refused) as refused:
        reserve(member, tool, place)
    assert codes_of(refused) == ["taken"]
    assert reserve(member, tool, place, date(2027, 3, 12)).copy == copy


def test_the_buffer_holds_in_both_directions(member, other_member, tool, copy, place):
    PolicyFactory(place=place, buffer_minutes=24 * 60)
    place.refresh_from_db()
    reserve(member, tool, place, date(2027, 3, 17), date(2027, 3, 19))
    with pytest.raises(Refused):
        reserve(other_member, tool, place, date(2027, 3, 20), date(2027, 3, 23))
    with pytest.raises(Refused):
        reserve(other_member, tool, place, date(2027, 3, 12), date(2027, 3, 16))
    assert reserve(other_member, tool, place, date(2027, 3, 11), date(2027, 3, 13))


def test_moving_keeps_the_reference_and_raises_the_calendar_version(member, tool, copy, place):
    loan = reserve(member, tool, place)
    moved = move_loan(loan, starts_on=date(2027, 3, 12), by=member.user, now=NOW)
    assert moved.reference == loan.reference
    assert moved.due_on == date(2027, 3, 19)
    assert moved.sequence == 1
    assert [m.event for m in Message.objects.all()] == ["loan.moved"]


def test_moving_onto_somebody_else_changes_nothing(member, other_member, tool, copy, place):
    loan = reserve(member, tool, place)
    reserve(other_member, tool, place, date(2027, 3, 18))
    with pytest.raises(Refused) as refused:
        move_loan(loan, starts_on=date(2027, 3, 13), by=member.user, now=NOW)
    assert codes_of(refused) == ["taken"]
    loan.refresh_from_db()
    assert loan.due_on == date(2027, 3, 17)


def test_cancelling_frees_once(member, other_member, tool, copy, place):
    loan = reserve(member, tool, place)
    cancel_loan(loan, by=member.user, now=NOW)
    with pytest.raises(Refused) as refused:
        cancel_loan(loan, by=member.user, now=NOW)
    assert codes_of(refused) == ["wrong_state"]
    assert reserve(other_member, tool, place)


def test_what_is_out_is_neither_moved_nor_cancelled(member, tool, copy, place, concierge_user):
    loan = hand_over(copy=copy, member=member, by=concierge_user, now=NOW)
    for verb in (
        lambda: cancel_loan(loan, by=member.user, now=NOW),
        lambda: move_loan(loan, starts_on=date(2027, 3, 12), by=member.user, now=NOW),
    ):
        with pytest.raises(Refused):
            verb()


def test_a_loan_over_the_night_of_the_clock_change_counts_calendar_days(member, tool, copy, place):
    # Clocks go forward in the night to Sunday 28 March 2027.
    loan = reserve(member, tool, place, date(2027, 3, 24))
    assert loan.due_on == date(2027, 3, 31)
    assert loan.ends_at == at(date(2027, 3, 31), time(18))
    loan.status = LoanStatus.OUT
    assert loan.days_late(date(2027, 4, 1)) == 1


def test_a_member_without_email_or_phone_is_told_nothing_and_may_still_reserve(tool, copy, place):
    member = MemberFactory(place=place, user__email="")
    RightFactory(household=member.household)
    assert reserve(member, tool, place)
    assert Message.objects.count() == 0


def test_the_clock_reading_of_today_does_not_matter_only_now(member, tool, copy, place):
    later = datetime(2027, 5, 4, 15, tzinfo=NOW.tzinfo)
    assert reserve(member, tool, place, date(2027, 5, 5), now=later).due_on == date(2027, 5, 12)
