"""The waiting list against a plain model: its rule in lists and numbers, without a database.

Each step runs through the verbs; the model says what must come of it, registration by
registration: who holds, who is offered what until when, who waits and in which order.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import LedgerEntry
from events.domain import invariants
from events.domain.changes import set_capacity
from events.domain.registrations import (
    accept,
    cancel,
    change_quantity,
    lapse,
    register,
    to_lapse,
    withdraw_offer,
)
from events.domain.waiting import look_again, position_of
from events.models import Registration
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.events import SessionFactory

MEMBERS = 7
CAPACITY = 5
PRICE = 300
HOLDING = ("offered", "pending", "confirmed")
CHECKED = (
    invariants.counter_is_rows,
    invariants.never_too_many,
    invariants.queue_in_order,
    invariants.charges_are_places,
)


@dataclass
class Turn:
    """What the model knows of a registration."""

    member: int
    status: str
    quantity: int
    wanted: int
    fewer_ok: bool
    queued: tuple[datetime, int]
    until: datetime | None = None

    @property
    def holds(self) -> int:
        return self.quantity if self.status in HOLDING else 0


class Model:
    """One session, its places, and whoever has something to do with it, by their keys."""

    def __init__(self, starts_at: datetime, price: int) -> None:
        self.starts_at, self.price = starts_at, price
        self.capacity: int | None = CAPACITY
        self.wanted_capacity: int | None = CAPACITY
        self.turns: dict[int, Turn] = {}

    @property
    def held(self) -> int:
        return sum(turn.holds for turn in self.turns.values())

    @property
    def free(self) -> int | None:
        return None if self.capacity is None else self.capacity - self.held

    @property
    def offers_stop(self) -> datetime:
        return self.starts_at - timedelta(hours=3)

    def offer_until(self, now: datetime) -> datetime | None:
        evening = at(local_day(now) + timedelta(days=1), time(20))
        until = min(evening, self.offers_stop)
        return until if until - now >= timedelta(minutes=30) else None

    def in_line(self) -> list[int]:
        waiting = [pk for pk, turn in self.turns.items() if turn.status == "waiting"]
        return sorted(waiting, key=lambda pk: self.turns[pk].queued)

    def walk(self, now: datetime) -> None:
        """From the head: all that one waits for, or what is left where fewer will do."""
        until = self.offer_until(now)
        if until is None:
            return
        for pk in self.in_line():
            turn, free = self.turns[pk], self.free
            if free is None or turn.quantity <= free:
                self.offer(turn, turn.quantity, until)
            elif turn.fewer_ok and free > 0:
                self.offer(turn, free, until)

    def offer(self, turn: Turn, quantity: int, until: datetime) -> None:
        turn.status, turn.quantity, turn.until = "offered", quantity, until

    def sure(self, turn: Turn, now: datetime) -> None:
        turn.until = None
        turn.status = "confirmed"
        if self.price:
            turn.status = "pending"
            turn.until = max(
                min(now + timedelta(hours=48), self.starts_at), now + timedelta(minutes=30)
            )

    def came_free(self, now: datetime) -> None:
        """A room that is to be smaller shrinks with what is given back."""
        if self.capacity != self.wanted_capacity and self.wanted_capacity is not None:
            self.capacity = max(self.wanted_capacity, self.held)
        self.walk(now)

    def gone(self, pk: int, now: datetime) -> None:
        turn = self.turns.pop(pk)
        if turn.holds:
            self.came_free(now)


class WaitingMachine(RuleBasedStateMachine):
    @initialize(price=st.sampled_from([0, PRICE]))
    def begin(self, price: int) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = NOW
        place = PlaceFactory()
        self.session = SessionFactory(place=place, capacity=CAPACITY, price_cents=price, in_days=5)
        self.members = [MemberFactory(place=place) for _ in range(MEMBERS)]
        self.staff = AssignmentFactory(place=place).user
        self.model = Model(self.session.starts_at, price)

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            assert [line for one in all_invariants() for line in one.violations()] == []
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def one(self, data: st.DataObject, *statuses: str) -> int:
        keys = [pk for pk, turn in self.model.turns.items() if turn.status in statuses]
        return data.draw(st.sampled_from(sorted(keys)))

    def has(self, *statuses: str) -> bool:
        return any(turn.status in statuses for turn in self.model.turns.values())

    @property
    def has_begun(self) -> bool:
        return self.now >= self.model.starts_at

    @rule(
        member=st.integers(0, MEMBERS - 1),
        quantity=st.integers(1, 5),
        waits=st.sampled_from([True, True, False]),
        fewer_ok=st.booleans(),
    )
    def ask(self, member: int, quantity: int, waits: bool, fewer_ok: bool) -> None:
        model = self.model
        known = any(turn.member == member for turn in model.turns.values())
        is_open = self.now < model.starts_at - timedelta(hours=1) and not known
        fits = model.free is None or quantity <= model.free
        may_wait = (
            waits
            and (model.wanted_capacity is None or quantity <= model.wanted_capacity)
            and self.now < model.offers_stop
        )
        try:
            made = register(
                member=self.members[member],
                session=self.session,
                quantity=quantity,
                by=self.members[member].user,
                now=self.now,
                waits=waits,
                fewer_ok=fewer_ok,
            )
        except Refused as refused:
            assert not (is_open and (fits or may_wait)), refused.codes
            return
        assert is_open and (fits or may_wait)
        turn = Turn(member, "waiting", quantity, quantity, fewer_ok, (self.now, made.pk))
        if fits:
            model.sure(turn, self.now)
        model.turns[made.pk] = turn
        if not fits:
            model.walk(self.now)
        assert made.status == turn.status

    @precondition(lambda self: self.has("waiting", *HOLDING))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        pk = self.one(data, "waiting", *HOLDING)
        registration = Registration.objects.get(pk=pk)
        try:
            cancel(registration, by=self.staff, now=self.now)
        except Refused:
            assert self.has_begun
        else:
            assert not self.has_begun
            self.model.gone(pk, self.now)

    @precondition(lambda self: self.has("waiting", *HOLDING))
    @rule(data=st.data(), quantity=st.integers(1, 6))
    def change(self, data: st.DataObject, quantity: int) -> None:
        model = self.model
        pk = self.one(data, "waiting", *HOLDING)
        turn = model.turns[pk]
        more = quantity - turn.quantity
        limit = model.wanted_capacity
        allowed = (
            not self.has_begun
            and (turn.status != "offered" or more <= 0)
            and (limit is None or quantity <= max(limit, turn.quantity))
            and (turn.status == "waiting" or model.free is None or more <= model.free)
        )
        try:
            change_quantity(Registration.objects.get(pk=pk), quantity, by=self.staff, now=self.now)
        except Refused as refused:
            assert not allowed, refused.codes
            return
        assert allowed or (more == 0 and not self.has_begun)
        if more == 0:
            return
        turn.quantity = quantity
        if turn.status in {"waiting", "offered"}:
            turn.wanted = quantity
        if turn.status == "waiting" and more > 0:
            turn.queued = (self.now, pk)
        if more < 0:
            model.came_free(self.now)

    @precondition(lambda self: self.has("offered"))
    @rule(data=st.data(), fewer=st.integers(0, 2))
    def say_yes(self, data: st.DataObject, fewer: int) -> None:
        model = self.model
        pk = self.one(data, "offered")
        turn = model.turns[pk]
        assert turn.until is not None
        taken = max(1, turn.quantity - fewer)
        try:
            accept(Registration.objects.get(pk=pk), quantity=taken, by=self.staff, now=self.now)
        except Refused:
            assert self.now >= turn.until
            return
        assert self.now < turn.until
        left, turn.quantity = turn.quantity - taken, taken
        if left:
            turn.wanted = taken
        model.sure(turn, self.now)
        if left:
            model.came_free(self.now)

    @precondition(lambda self: self.has("offered"))
    @rule(data=st.data())
    def take_offer_back(self, data: st.DataObject) -> None:
        pk = self.one(data, "offered")
        withdraw_offer(Registration.objects.get(pk=pk), by=self.staff, now=self.now)
        turn = self.model.turns[pk]
        turn.status, turn.quantity, turn.until = "waiting", turn.wanted, None
        self.model.came_free(self.now)

    @rule(capacity=st.sampled_from([1, 2, 4, 5, 7, 9, None]))
    def other_room(self, capacity: int | None) -> None:
        model = self.model
        set_capacity(self.session, capacity, keep_registered=True, by=self.staff, now=self.now)
        model.wanted_capacity = capacity
        model.capacity = None if capacity is None else max(capacity, model.held)
        model.walk(self.now)

    @rule()
    def nobody_is_offered_what_is_not_free(self) -> None:
        """The nightly walk finds nothing: each place went on when it came free."""
        assert look_again(self.session, by=None, now=self.now) == []

    @rule(hours=st.sampled_from([0.5, 3, 10, 24, 47]))
    def time_passes(self, hours: float) -> None:
        """The clock moves on, and the worker does what it does each minute."""
        self.now += timedelta(hours=hours)
        model = self.model
        due = sorted(pk for pk in model.turns if self.is_over(pk))
        assert [one.pk for one in to_lapse(self.now)] == due
        for pk in due:
            lapse(Registration.objects.get(pk=pk), now=self.now)
            if self.is_over(pk):
                model.gone(pk, self.now)

    def is_over(self, pk: int) -> bool:
        turn = self.model.turns[pk]
        if turn.status == "waiting":
            return self.has_begun
        return turn.until is not None and self.now >= turn.until

    @invariant()
    def what_is_kept_is_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        rows = Registration.objects.filter(status__in=("waiting", *HOLDING))
        kept = {
            one.pk: (one.status, one.quantity, one.wanted, one.offer_ends_at or one.pay_until)
            for one in rows
        }
        assert kept == {
            pk: (turn.status, turn.quantity, turn.wanted, turn.until)
            for pk, turn in self.model.turns.items()
        }
        for position, pk in enumerate(self.model.in_line(), 1):
            assert position_of(Registration.objects.get(pk=pk)) == position

    @invariant()
    def the_counter_and_the_room_are_those_of_the_model(self) -> None:
        if not hasattr(self, "model"):
            return
        self.session.refresh_from_db()
        assert (self.session.booked, self.session.capacity) == (
            self.model.held,
            self.model.capacity,
        )
        assert self.session.wanted_capacity == self.model.wanted_capacity
        assert [line for check in CHECKED for line in check()] == []

    @invariant()
    def nobody_is_passed_over_who_could_have_been_satisfied(self) -> None:
        if not hasattr(self, "model") or self.model.offer_until(self.now) is None:
            return
        free = self.model.free
        for pk in self.model.in_line():
            turn = self.model.turns[pk]
            assert free is not None
            assert turn.quantity > free
            assert not (turn.fewer_ok and free)

    @invariant()
    def no_offer_holds_into_the_last_hours(self) -> None:
        if not hasattr(self, "model"):
            return
        for one in Registration.objects.filter(status="offered"):
            assert one.offer_ends_at is not None
            assert one.offer_ends_at <= self.model.offers_stop

    @invariant()
    def what_is_owed_is_what_the_places_cost(self) -> None:
        if not hasattr(self, "model"):
            return
        sure = [turn for turn in self.model.turns.values() if turn.status == "pending"]
        owed = LedgerEntry.objects.aggregate(sum=Sum("cents"))["sum"] or 0
        assert owed == -sum(turn.quantity * PRICE for turn in sure)


TestWaiting = WaitingMachine.TestCase
TestWaiting.settings = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    # Shrinking a failure of some twenty database steps takes minutes; the run that
    # failed is printed whole, with its seed.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestWaiting = pytest.mark.django_db(TestWaiting)
