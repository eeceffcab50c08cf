"""A request to artisans against a plain model: its rules in lists, without a database.

Each step runs through the verbs and the worker's rounds; the model says what must come of
it: who is asked, who proposes what, who was passed over, and what the member may do.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from marketplace.domain import asks, visits
from marketplace.domain.visits import Work
from marketplace.enums import Trade
from marketplace.models import Partner, PartnerDocument, VisitAsk
from marketplace.queries.visits import artisans_for
from marketplace.tasks import follow_visits, look_after_asks
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.marketplace import ArtisanFactory, PersonFactory, insured

ARTISANS = 5
CHECKED = {"visitrequest-log", "visitask-log", "messages", "subjects"}
LIVE, MAY_ANSWER = ("asked", "proposed"), ("asked", "proposed", "silent")


@dataclass
class Part:
    """What the model knows of one artisan who was asked."""

    status: str
    asked: datetime
    chased: datetime | None = None
    hour: datetime | None = None
    was_silent: bool = False


@dataclass
class Model:
    widen: bool
    status: str = "asking"
    visit_at: datetime | None = None
    parts: dict[int, Part] = field(default_factory=dict)
    covered: set[int] = field(default_factory=set)

    def count(self, *statuses: str) -> int:
        return sum(part.status in statuses for part in self.parts.values())

    def lost(self, order: list[int], now: datetime) -> None:
        """The next in the order of the day, or the end where nobody is left."""
        free = [one for one in order if one not in self.parts]
        if self.widen and self.count(*LIVE) < 3 and free:
            self.parts[free[0]] = Part("asked", now)
        elif not self.count(*LIVE):
            self.status = "unanswered"

    def settle(self, artisan: int, hour: datetime) -> None:
        self.status, self.visit_at = "agreed", hour
        for other in self.parts.values():
            if other.status in MAY_ANSWER:
                other.status = "closed"
        self.parts[artisan].status = "accepted"


class VisitMachine(RuleBasedStateMachine):
    @initialize(chosen=st.integers(1, 3), widen=st.booleans(), soon=st.booleans())
    def begin(self, chosen: int, widen: bool, soon: bool) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = NOW
        self.place = PlaceFactory()
        self.member = MemberFactory(place=self.place)
        for _ in range(ARTISANS):
            partner = ArtisanFactory(landlord=self.place.landlord)
            insured(partner, Trade.PLUMBING)
            PersonFactory(partner=partner)
        self.tomorrow = local_day(NOW) + timedelta(days=1)
        self.windows = () if soon else ((self.tomorrow, "morning"),)
        order = self.order()
        self.visit = visits.ask_for_visit(
            member=self.member,
            work=Work(Trade.PLUMBING, "Fuite", "8, rue", "Amiens", "0612345678",
                      self.windows, widen),
            artisans=list(Partner.objects.filter(pk__in=order[:chosen]).order_by("pk")),
            by=self.member.user,
            now=NOW,
        )  # fmt: skip
        self.model = Model(widen)
        self.model.covered = set(order)
        self.model.parts = {one: Part("asked", NOW) for one in order[:chosen]}

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            asked = [one for one in all_invariants() if one.name in CHECKED]
            assert [line for one in asked for line in one.violations()] == []
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def order(self) -> list[int]:
        shown = artisans_for(self.place.landlord, self.place, Trade.PLUMBING, local_day(self.now))
        return [one.pk for one in shown]

    def ask(self, artisan: int) -> VisitAsk:
        return self.visit.asks.get(partner=artisan)

    def user(self, artisan: int) -> object:
        return self.ask(artisan).partner.people.get().user

    def one(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(sorted(self.model.parts)))

    def tried(self, is_allowed: bool, call: object) -> bool:
        try:
            call()  # type: ignore[operator]
        except Refused as refused:
            assert not is_allowed, refused.codes
            return False
        assert is_allowed
        return True

    def is_wished(self, hour: datetime) -> bool:
        if self.windows:
            local = timezone.localtime(hour)
            return local.date() == self.tomorrow and 8 <= local.hour < 12
        return (local_day(hour) - local_day(self.now)).days <= 3

    @rule(data=st.data(), days=st.integers(0, 5), hour=st.sampled_from([7, 8, 11, 12, 18]))
    def accept(self, data: st.DataObject, days: int, hour: int) -> None:
        artisan, model = self.one(data), self.model
        wanted = at(self.tomorrow + timedelta(days=days), time(hour))
        is_allowed = (
            model.status == "asking"
            and model.parts[artisan].status in MAY_ANSWER
            and artisan in model.covered
            and wanted > self.now
            and self.is_wished(wanted)
        )
        if self.tried(
            is_allowed,
            lambda: asks.accept(self.ask(artisan), wanted, by=self.user(artisan), now=self.now),
        ):
            model.settle(artisan, wanted)

    @rule(data=st.data(), days=st.integers(0, 6))
    def propose(self, data: st.DataObject, days: int) -> None:
        artisan, model = self.one(data), self.model
        part = model.parts[artisan]
        wanted = at(self.tomorrow + timedelta(days=days), time(15))
        is_allowed = (
            model.status == "asking"
            and part.status in MAY_ANSWER
            and artisan in model.covered
            and wanted > self.now
            and not (part.status == "proposed" and part.hour == wanted)
        )
        if self.tried(
            is_allowed,
            lambda: asks.propose(self.ask(artisan), wanted, by=self.user(artisan), now=self.now),
        ):
            part.status, part.hour = "proposed", wanted

    @rule(data=st.data())
    def decline(self, data: st.DataObject) -> None:
        artisan, model = self.one(data), self.model
        part = model.parts[artisan]
        is_allowed = model.status == "asking" and part.status in MAY_ANSWER
        order = self.order()
        if self.tried(
            is_allowed,
            lambda: asks.decline(self.ask(artisan), by=self.user(artisan), now=self.now),
        ):
            part.status = "declined"
            model.lost(order, self.now)

    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        artisan, model = self.one(data), self.model
        part = model.parts[artisan]
        is_allowed = (
            part.status == "accepted"
            and model.status == "agreed"
            and model.visit_at is not None
            and self.now < model.visit_at
        )
        order = self.order()
        if not self.tried(
            is_allowed,
            lambda: asks.give_back(self.ask(artisan), by=self.user(artisan), now=self.now),
        ):
            return
        part.status = "declined"
        model.status, model.visit_at = "asking", None
        for number, other in model.parts.items():
            if other.status == "closed" and not other.was_silent and number in order:
                other.status, other.asked, other.chased = "asked", self.now, None
        model.lost(order, self.now)

    @rule(data=st.data(), says_yes=st.booleans())
    def word_of_the_member(self, data: st.DataObject, says_yes: bool) -> None:
        artisan, model = self.one(data), self.model
        part, by = model.parts[artisan], self.member.user
        waits = model.status == "asking" and part.status == "proposed"
        if says_yes:
            hour = part.hour or self.now
            is_allowed = waits and hour > self.now and artisan in model.covered
            if self.tried(
                is_allowed, lambda: asks.agree(self.ask(artisan), hour, by=by, now=self.now)
            ):
                model.settle(artisan, hour)
            return
        order, hour = self.order(), part.hour or self.now
        if self.tried(waits, lambda: asks.turn_down(self.ask(artisan), hour, by=by, now=self.now)):
            part.status = "declined"
            model.lost(order, self.now)

    @rule()
    def ask_others(self) -> None:
        model, order = self.model, self.order()
        free = [one for one in order if one not in model.parts][: 3 - model.count(*LIVE)]
        room = model.count(*LIVE) < 3 and free
        is_allowed = model.status in {"asking", "unanswered"} and bool(room)
        by = self.member.user
        if self.tried(is_allowed, lambda: visits.ask_others(self.visit, by=by, now=self.now)):
            model.status = "asking"
            model.parts |= {one: Part("asked", self.now) for one in free}

    @precondition(lambda self: self.model.count("declined") > 1)
    @rule()
    def cancel(self) -> None:
        model, by = self.model, self.member.user
        is_allowed = model.status in {"asking", "agreed", "unanswered"}
        is_past = model.status == "agreed" and model.visit_at <= self.now
        if not self.tried(is_allowed, lambda: visits.cancel(self.visit, by=by, now=self.now)):
            return
        model.status = "cancelled"
        for part in model.parts.values():
            if not is_past and part.status in (*MAY_ANSWER, "accepted"):
                part.status = "closed"

    @precondition(lambda self: len(self.model.covered) > ARTISANS - 2)
    @rule(data=st.data())
    def papers_lapse(self, data: st.DataObject) -> None:
        artisan = data.draw(st.sampled_from(sorted(self.model.covered)))
        PartnerDocument.objects.filter(partner=artisan).delete()
        self.model.covered.discard(artisan)

    @rule(hours=st.sampled_from([1, 9, 24, 25, 48]))
    def time_passes(self, hours: int) -> None:
        """The worker looks once, when the time has passed."""
        self.now += timedelta(hours=hours)
        look_after_asks(self.now)
        self.round()

    def round(self) -> None:
        local = timezone.localtime(self.now)
        if local.weekday() == 6 or not 8 <= local.hour < 20:
            return
        by_number = sorted(self.model.parts.items(), key=lambda pair: self.ask(pair[0]).pk)
        for _, part in by_number:
            if part.status == "proposed" and part.hour is not None and part.hour <= self.now:
                part.status = "declined"
                self.model.lost(self.order(), self.now)
        given_up = [
            part
            for _, part in sorted(by_number, key=lambda pair: pair[1].chased or NOW)
            if part.status == "asked"
            and part.chased is not None
            and part.chased <= self.now - timedelta(hours=24)
        ]
        for part in given_up:
            part.status, part.was_silent = "silent", True
            self.model.lost(self.order(), self.now)
        to_chase = [
            (artisan, part)
            for artisan, part in sorted(by_number, key=lambda pair: pair[1].asked)
            if part.status == "asked"
            and part.chased is None
            and part.asked <= self.now - timedelta(hours=48)
        ]
        for artisan, part in to_chase:
            if artisan in self.model.covered:
                part.chased = self.now
            else:
                part.status, part.was_silent = "silent", True
                self.model.lost(self.order(), self.now)

    @rule()
    def morning(self) -> None:
        follow_visits(self.now)
        model = self.model
        if model.status == "agreed" and model.visit_at <= self.now - timedelta(days=14):
            model.status = "done"

    @rule()
    def took_place(self) -> None:
        model, by = self.model, self.member.user
        is_allowed = model.status == "agreed" and model.visit_at <= self.now
        if self.tried(is_allowed, lambda: visits.take_place(self.visit, by=by, now=self.now)):
            model.status = "done"

    @invariant()
    def the_rows_are_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        self.visit.refresh_from_db()
        model = self.model
        assert self.visit.status == model.status
        if model.status != "cancelled":
            assert self.visit.visit_at == model.visit_at
        found = dict(self.visit.asks.values_list("partner", "status"))
        assert found == {one: part.status for one, part in model.parts.items()}
        assert model.count("asked") <= 3
        if model.status in {"agreed", "done"}:
            assert model.count("accepted") == 1


TestVisits = VisitMachine.TestCase
TestVisits.settings = settings(
    max_examples=6,
    stateful_step_count=25,
    deadline=None,
    # As in the waiting list's model: shrinking takes minutes, the run itself is printed.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
TestVisits = pytest.mark.django_db(TestVisits)
