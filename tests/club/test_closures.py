"""Closing a place: what is asked, the seal, one message a person, whom to call."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from club.domain.closures import (
    CALLS_KEPT,
    Wanted,
    calls_of,
    close_place,
    forget_old_calls,
    tick_call,
)
from club.domain.erasure import erase_member
from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel.refusal import Refused
from club.kernel.spans import days_between
from club.models import Closure, LogEntry, Member, Message, Place, User
from club.queries.calendar import calendar_of
from concierge.domain import lending
from concierge.models import Loan
from tests.factories.closures import REOPENS, SATURDAY, TUESDAY, days, lines, reopen, shown, shut
from tests.factories.club import NOW, ClosureFactory, MemberFactory, PlaceFactory
from tests.factories.concierge import CopyFactory, LoanFactory
from tests.factories.parcels import ParcelFactory

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def out(member: Member, due_on: date = TUESDAY, **more: object) -> Loan:
    loan = LoanFactory(
        member=member,
        copy=more.pop("copy", None) or CopyFactory(place=member.place),
        ends_at=NOW + (due_on - NOW.date()),
        status="out",
        out_at=NOW,
        **more,
    )
    assert loan.due_on == due_on
    return loan


# -- What is asked ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        (Wanted(), ["days_missing"]),
        (days(SATURDAY, TUESDAY), ["dates_in_disorder"]),
        (days(NOW.date() - timedelta(days=1)), ["in_the_past"]),
        (days(TUESDAY, TUESDAY + timedelta(days=366)), ["too_long"]),
        (days(date(2029, 6, 1), date(2029, 6, 2)), ["too_far_ahead"]),
        (Wanted(TUESDAY, SATURDAY, "tired"), ["reason_missing"]),
    ],
)
def test_days_that_cannot_be(place: Place, wanted: Wanted, codes: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        shown(place, wanted)
    assert refused.value.codes == codes


def test_what_is_closed_already_and_what_is_over(place: Place) -> None:
    closure = ClosureFactory(place=place)
    over = ClosureFactory(place=place, starts_on=date(2027, 2, 1), ends_on=date(2027, 2, 2))
    elsewhere = ClosureFactory(place=PlaceFactory(), starts_on=TUESDAY)
    for wanted, code in [
        (days(TUESDAY, TUESDAY + timedelta(days=1)), "closed_already"),
        (days(TUESDAY, SATURDAY, closure), "wrong_state"),
        (days(closure=over), "over"),
        (days(closure=elsewhere), "closure_gone"),
    ]:
        with pytest.raises(Refused) as refused:
            shown(place, wanted)
        assert refused.value.codes == [code]


def test_the_days_are_closed_at_once_and_only_then(place: Place, concierge_user: User) -> None:
    shown(place)
    assert not Closure.objects.exists()
    shut(place, by=concierge_user)
    place.refresh_from_db()
    assert not any(calendar_of(place).is_open_day(day) for day in days_between(TUESDAY, SATURDAY))
    assert calendar_of(place).next_open_day(TUESDAY) == REOPENS
    entry = LogEntry.objects.get(subject_kind="place", verb="close_place")
    assert entry.actor == concierge_user
    assert entry.facts["days"] == ["2027-03-16", "2027-03-20"]


# -- Moving, shortening, withdrawing, overlapping -----------------------------------------------


def test_longer_shorter_and_withdrawn_are_the_same_act(place: Place, member: Member) -> None:
    loan = out(member)
    shut(place)
    closure = Closure.objects.get()
    longer = shut(place, days(TUESDAY, date(2027, 3, 27), closure), now=LATER)
    assert lines(longer) == [("Gaufrier", "prolonged", "à rendre mardi 30 mars", "email")]
    closure.refresh_from_db()
    shorter = shut(place, days(date(2027, 3, 17), SATURDAY, closure), now=LATER)
    assert lines(shorter) == [("Gaufrier", "stays", "reste à rendre mardi 30 mars", "email")]
    loan.refresh_from_db()
    assert (loan.due_on, loan.sequence) == (date(2027, 3, 30), 2)
    gone = shut(place, Wanted(closure=Closure.objects.get()), now=LATER)
    assert lines(gone) == []
    assert not Closure.objects.exists()


def test_what_was_prolonged_stays_and_is_told(place: Place, member: Member) -> None:
    out(member)
    shut(place)
    assert lines(reopen(place)) == [("Gaufrier", "stays", "reste à rendre mardi 23 mars", "email")]
    assert list(Message.objects.values_list("event", flat=True)) == ["loan.closure_stays"]


def test_an_overlap_touches_only_its_new_days(place: Place, member: Member) -> None:
    ClosureFactory(place=place)
    on_old, on_new = out(member, REOPENS), out(member, date(2027, 3, 24))
    plan = shut(place, days(SATURDAY, date(2027, 3, 23)))
    assert [one.pk for one in plan.effects] == [on_old.pk]
    on_new.refresh_from_db()
    assert on_new.due_on == date(2027, 3, 24)


def test_of_a_closure_that_runs_the_past_days_stay(place: Place) -> None:
    ClosureFactory(place=place, starts_on=date(2027, 3, 5), ends_on=SATURDAY)
    reopen(place)
    left = Closure.objects.get()
    assert (left.starts_on, left.ends_on) == (date(2027, 3, 5), date(2027, 3, 8))


# -- The seal -----------------------------------------------------------------------------------


def test_what_was_reserved_meanwhile_stops_it(
    place: Place, member: Member, concierge_user: User
) -> None:
    """A reservation between the dry run and the confirmation: nothing is done unseen."""
    copy = CopyFactory(place=place)
    seal = shown(place).seal
    lending.reserve_tool(
        member=member, tool=copy.tool, place=place, starts_on=NOW.date(), by=member.user, now=NOW
    )
    with pytest.raises(Refused) as refused:
        close_place(place, days(), seal=seal, by=concierge_user, now=LATER)
    assert refused.value.codes == ["changed_meanwhile"]
    assert not Closure.objects.exists()
    assert Loan.objects.get().due_on == TUESDAY
    shut(place, by=concierge_user)
    assert Loan.objects.get().due_on == REOPENS


# -- Telling ------------------------------------------------------------------------------------


def test_one_message_names_all_that_changes(
    place: Place, member: Member, mailoutbox: list[object]
) -> None:
    out(member)
    out(member)
    ParcelFactory(member=member, keep_until=TUESDAY)
    plan = shut(place)
    assert plan.told == [member]
    send_due(LATER, MailAndSms())
    [mail] = mailoutbox
    assert mail.subject == "L’accueil ferme : 3 changements"
    assert mail.body.count("Rendez l’objet mardi 23\xa0mars.") == 2
    assert "Votre colis est gardé jusqu’au mardi 23\xa0mars." in mail.body
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}


def test_who_has_no_address_stands_on_the_list_until_ticked(
    place: Place, concierge_user: User
) -> None:
    rose = MemberFactory(place=place, user__email="", user__phone="")
    out(rose)
    plan = shut(place, by=concierge_user)
    assert [member for member, _effects in plan.called] == [rose]
    [call] = calls_of(place, LATER)
    assert (call.member, [line[0] for line in call.lines]) == (rose, ["Gaufrier"])
    elsewhere = PlaceFactory()
    tick_call(elsewhere, call.entry, rose.pk, by=concierge_user, now=LATER)
    assert len(calls_of(place, LATER)) == 1
    for _twice in range(2):
        tick_call(place, call.entry, rose.pk, by=concierge_user, now=LATER)
    assert calls_of(place, LATER) == []
    assert LogEntry.objects.filter(verb="closure_called").count() == 1


def test_what_a_closure_changed_for_whom_is_forgotten_with_them_and_in_time(
    place: Place, concierge_user: User
) -> None:
    rose, marc = (MemberFactory(place=place, user__email="", user__phone="") for _ in range(2))
    for member in (rose, marc):
        out(member)
    shut(place, by=concierge_user)
    Loan.objects.filter(member=rose).update(status="returned", returned_at=NOW)
    erase_member(rose, by=concierge_user, now=LATER)
    entry = LogEntry.objects.get(verb="close_place")
    assert [call["member"] for call in entry.facts["calls"]] == [marc.pk]
    forget_old_calls(NOW + CALLS_KEPT)
    assert [call.member for call in calls_of(place, LATER)] == [marc]
    for _twice in range(2):
        forget_old_calls(NOW + CALLS_KEPT + timedelta(seconds=1))
    entry.refresh_from_db()
    assert (entry.facts["calls"], entry.facts["days"]) == ([], ["2027-03-16", "2027-03-20"])


# -- What it costs ------------------------------------------------------------------------------


def test_a_plan_costs_the_same_for_three_and_for_thirty(place: Place) -> None:
    def cost(number: int) -> int:
        for member in MemberFactory.create_batch(number, place=place):
            out(member)
            ParcelFactory(member=member, keep_until=TUESDAY)
        shown(place)
        with CaptureQueriesContext(connection) as few:
            plan = shown(place)
        assert len(plan.effects) == 2 * Loan.objects.count()
        return len(few)

    assert cost(3) == cost(27) == 9
