"""Reservations and loans against a plain model: lists of days, counted by hand."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import LogEntry
from concierge.domain import lending
from concierge.enums import HOLDING, LoanStatus
from concierge.models import Copy, Loan
from concierge.queries.availability import shelves
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory, RightFactory
from tests.factories.concierge import CopyFactory, PolicyFactory, ToolFactory

COPIES = 2
MEMBERS = 3
LIMIT = 4


class Claim:
    """What the model knows of a loan: days, and whether it is out."""

    def __init__(self, member: int, first: date, last: date, out: bool = False) -> None:
        self.member, self.first, self.last, self.out = member, first, last, out

    def takes(self, day: date, now: datetime) -> bool:
        """A late one takes what opens within the margin of two days from now."""
        if self.out and self.last < local_day(now):
            return self.first <= day and at(day, time(9)) < now + timedelta(days=2)
        return self.first <= day <= self.last


class LendingMachine(RuleBasedStateMachine):
    """Every step runs through the verbs; the model says which must be accepted.

    The place is open each day from 9 to 18, so that a claim takes whole days and
    the model can count by day. Rules that the model does not judge (a copy that is
    fixed because it is out) are judged by the invariants.
    """

    @initialize()
    def begin(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = NOW
        self.place = PlaceFactory(hours=False)
        for weekday in range(7):
            self.place.opening_hours.create(weekday=weekday, opens=time(9), closes=time(18))
        PolicyFactory(
            place=self.place, limit=LIMIT, block_while_late=False, renewals=1, lead_minutes=0
        )
        self.place.closed_on_public_holidays = False
        self.place.save()
        self.place.refresh_from_db()
        self.tool = ToolFactory(landlord=self.place.landlord)
        for _ in range(COPIES):
            CopyFactory(tool=self.tool, place=self.place)
        self.members = []
        for _ in range(MEMBERS):
            member = MemberFactory(place=self.place)
            RightFactory(household=member.household, ends_on=date(2029, 1, 1))
            self.members.append(member)
        self.staff = AssignmentFactory(place=self.place).user
        self.model: dict[int, Claim] = {}

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    @property
    def today(self) -> date:
        return local_day(self.now)

    def fits(self, first: date, last: date, without: int | None = None) -> bool:
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return all(
            sum(claim.takes(day, self.now) for pk, claim in self.model.items() if pk != without)
            < COPIES
            for day in days
        )

    @rule(member=st.integers(0, MEMBERS - 1), ahead=st.integers(0, 12), length=st.integers(0, 9))
    def reserve(self, member: int, ahead: int, length: int) -> None:
        first = self.today + timedelta(days=ahead)
        last = first + timedelta(days=length)
        held = sum(claim.member == member for claim in self.model.values())
        expected = held < LIMIT and self.fits(first, last)
        try:
            loan = lending.reserve_tool(
                member=self.members[member],
                tool=self.tool,
                place=self.place,
                starts_on=first,
                ends_on=last,
                by=self.staff,
                now=self.now,
            )
        except Refused as refused:
            assert not expected, refused.codes
        else:
            assert expected
            self.model[loan.pk] = Claim(member, first, last)

    def waiting(self) -> list[int]:
        return [pk for pk, claim in self.model.items() if not claim.out]

    def running(self) -> list[int]:
        return [pk for pk, claim in self.model.items() if claim.out]

    @precondition(lambda self: self.waiting())
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        pk = data.draw(st.sampled_from(self.waiting()))
        lending.cancel_loan(Loan.objects.get(pk=pk), by=self.staff, now=self.now)
        del self.model[pk]

    @precondition(lambda self: self.waiting())
    @rule(data=st.data(), ahead=st.integers(0, 12), length=st.integers(0, 9))
    def move(self, data: st.DataObject, ahead: int, length: int) -> None:
        pk = data.draw(st.sampled_from(self.waiting()))
        first = self.today + timedelta(days=ahead)
        last = first + timedelta(days=length)
        expected = self.fits(first, last, without=pk)
        try:
            lending.move_loan(
                Loan.objects.get(pk=pk), starts_on=first, ends_on=last, by=self.staff, now=self.now
            )
        except Refused:
            assert not expected
        else:
            assert expected
            self.model[pk].first, self.model[pk].last = first, last

    @rule(member=st.integers(0, MEMBERS - 1), copy=st.integers(0, COPIES - 1))
    def hand_over(self, member: int, copy: int) -> None:
        copy_row = Copy.objects.order_by("pk")[copy]
        begun = [
            pk
            for pk, claim in self.model.items()
            if claim.member == member and not claim.out and claim.first <= self.today
        ]
        try:
            loan = lending.hand_over(
                copy=copy_row, member=self.members[member], by=self.staff, now=self.now
            )
        except Refused:
            return
        if begun:
            assert loan.pk in begun
        self.model[loan.pk] = Claim(
            member, min(local_day(loan.starts_at), self.today), loan.due_on, out=True
        )

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        pk = data.draw(st.sampled_from(self.running()))
        loan = Loan.objects.get(pk=pk)
        late = lending.take_back(copy=loan.copy, by=self.staff, now=self.now).days_late
        assert late == max(0, (self.today - self.model[pk].last).days)
        del self.model[pk]

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        pk = data.draw(st.sampled_from(self.running()))
        claim = self.model[pk]
        try:
            loan = lending.renew_loan(Loan.objects.get(pk=pk), by=self.staff, now=self.now)
        except Refused:
            return
        assert loan.due_on == max(claim.last, self.today) + timedelta(days=7)
        claim.last = loan.due_on

    @rule(days=st.integers(1, 6))
    def time_passes(self, days: int) -> None:
        self.now = at(self.today + timedelta(days=days), time(8))
        for loan in Loan.objects.filter(status__in=["reserved", "ready"]):
            if lending.lapse_loan(loan, now=self.now).status == LoanStatus.LAPSED:
                del self.model[loan.pk]

    @invariant()
    def the_open_loans_are_those_of_the_model(self) -> None:
        if hasattr(self, "model"):
            assert set(Loan.objects.filter(status__in=HOLDING).values_list("pk", flat=True)) == set(
                self.model
            )

    @invariant()
    def no_copy_has_two_claims_at_once(self) -> None:
        if not hasattr(self, "model"):
            return
        by_copy: dict[int, list[tuple[datetime, datetime]]] = {}
        for loan in Loan.objects.filter(status__in=HOLDING):
            by_copy.setdefault(loan.copy_id, []).append((loan.starts_at, loan.held_until))
        for spans in by_copy.values():
            spans.sort()
            assert all(a[1] <= b[0] for a, b in pairwise(spans))

    @invariant()
    def the_shelf_says_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        shelf = shelves([self.tool], self.place, self.now)[self.tool.pk]
        assert len(shelf.claims) == len(self.model)

    @invariant()
    def each_move_of_a_status_has_its_log_row(self) -> None:
        if not hasattr(self, "model"):
            return
        for loan in Loan.objects.all():
            steps = [
                entry.facts["to"]
                for entry in LogEntry.objects.filter(
                    subject_kind="loan", subject_id=loan.pk
                ).order_by("pk")
                if "to" in entry.facts
            ]
            assert steps[-1] == loan.status


TestLending = LendingMachine.TestCase
TestLending.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    # Shrinking a failure of some twenty database steps takes minutes; the run that
    # failed is printed whole, with its seed.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestLending = pytest.mark.django_db(TestLending)
