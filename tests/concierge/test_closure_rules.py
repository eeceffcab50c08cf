"""What becomes of the concierge's bookings when a place closes: each rule, and any history."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, time, timedelta
from time import process_time
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from club.domain.closures import Wanted, calls_of, withdrawn
from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel import closures
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.kernel.spans import at, end_of, local_day
from club.kernel.transitions import log
from club.models import Closure, Member, Message, Place
from club.queries.calendar import calendar_of
from concierge.domain import lending
from concierge.domain.closures.loans import HANDY
from concierge.domain.orders import place_order
from concierge.domain.standing import stand
from concierge.domain.stay_visits import plan_visits
from concierge.enums import HOLDING, OnClosed
from concierge.models import Appointment, Copy, Delivery, Loan, Order, SlotWish, Tool
from tests.factories.closures import REOPENS, SATURDAY, TUESDAY, days, lines, reopen, shown, shut
from tests.factories.club import NOW, MemberFactory, PlaceFactory, RightFactory
from tests.factories.concierge import CopyFactory, LoanFactory, ToolFactory
from tests.factories.orders import DeliveryFactory, DeliveryRoundFactory
from tests.factories.parcels import ParcelFactory
from tests.factories.services import AppointmentFactory, ServiceFactory, client_of, on
from tests.factories.stays import StayFactory

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)


def violations() -> list[str]:
    """What is broken; of rows that no verb made, the log says nothing."""
    found = (line for one in all_invariants() for line in one.violations())
    return [line for line in found if not line.endswith("its log says None")]


@pytest.fixture(autouse=True)
def unbroken(db: None) -> Iterator[None]:
    """Nothing is broken, and each message that was left has its words."""
    yield
    assert violations() == []
    sent = send_due(NOW + timedelta(hours=2), MailAndSms())
    assert (sent.put_off, sent.failed) == (0, 0)


def loan_of(copy: Copy, first: date, last: date, status: str = "reserved", **more: Any) -> Loan:
    """From nine of the first day to the close of the last."""
    calendar = calendar_of(copy.place)
    loan = LoanFactory(
        copy=copy,
        member=more.pop("member", None) or MemberFactory(place=copy.place),
        starts_at=at(first, calendar.hours(first)[0][0]),
        pickup_ends_at=calendar.closes_at(first),
        ends_at=calendar.closes_at(last) or end_of(last),
        due_on=last,
        status=status,
        out_at=NOW if status == "out" else None,
        **more,
    )
    log(loan, "reserve", by=None, now=NOW, facts={"to": status})
    return loan


def again(*rows: Any) -> None:
    for row in rows:
        row.refresh_from_db()


def told() -> Counter[str]:
    return Counter(Message.objects.values_list("event", flat=True))


# -- Loans --------------------------------------------------------------------------------------


def test_few_returns_come_on_the_first_morning_and_many_are_spread(place: Place) -> None:
    tool = ToolFactory(landlord=place.landlord)
    copies = CopyFactory.create_batch(3 * HANDY, tool=tool, place=place)
    for copy in copies[:HANDY]:
        loan_of(copy, NOW.date(), TUESDAY, "out")
    assert {one.day for one in shown(place).effects} == {REOPENS}
    for copy in copies[HANDY:]:
        loan_of(copy, NOW.date(), TUESDAY, "out")
    loan_of(CopyFactory(tool=tool, place=place), NOW.date(), REOPENS, "out")
    plan = shut(place)
    per_day = [anew + anyway for _day, anew, anyway in plan.returns]
    assert per_day == [7, 6, 6, 6]
    assert Counter(Loan.objects.values_list("due_on", flat=True)) == Counter(
        {day: anew + anyway for day, anew, anyway in plan.returns}
    )


def test_what_one_person_has_comes_back_in_one_go(place: Place, member: Member) -> None:
    for index in range(2 * HANDY):
        who = member if index in (0, 9, 15) else None
        loan_of(CopyFactory(place=place), NOW.date(), TUESDAY, "out", member=who)
    shut(place)
    assert len(set(Loan.objects.filter(member=member).values_list("due_on", flat=True))) == 1


def test_a_prolonged_loan_never_meets_the_next_claim(place: Place, copy: Copy) -> None:
    loan = loan_of(copy, NOW.date(), TUESDAY, "out")
    after = loan_of(copy, REOPENS, date(2027, 3, 30))
    plan = shut(place)
    assert lines(plan) == [("Gaufrier", "moved", "à rendre samedi 13 mars", "email")]
    again(loan, after)
    assert (loan.due_on, after.pickup_on) == (date(2027, 3, 13), REOPENS)


def test_where_no_day_is_left_before_the_desk_calls(place: Place, copy: Copy) -> None:
    loan = loan_of(copy, NOW.date(), TUESDAY, "out")
    loan_of(copy, REOPENS, date(2027, 3, 30))
    wanted = days(NOW.date() + timedelta(days=1), SATURDAY)
    plan = shut(place, wanted)
    assert [(one.pk, one.outcome, one.is_called) for one in plan.effects] == [
        (loan.pk, "call", True)
    ]
    again(loan)
    assert loan.due_on == TUESDAY
    assert [call.member for call in calls_of(place, LATER)] == [loan.member]


def test_what_is_fetched_on_a_closed_day_waits_for_the_first_free_one(
    place: Place, copy: Copy
) -> None:
    holder = loan_of(copy, NOW.date(), date(2027, 3, 17), "out")
    waits = loan_of(copy, date(2027, 3, 18), date(2027, 3, 25))
    plan = shut(place)
    assert lines(plan) == [
        ("Gaufrier", "prolonged", "à rendre mardi 23 mars", "email"),
        (
            "Gaufrier",
            "moved",
            "à retirer mercredi 24 mars, à rendre mercredi 31 mars",
            "email",
        ),
    ]
    again(holder, waits)
    assert (holder.due_on, waits.pickup_on, waits.due_on) == (
        REOPENS,
        date(2027, 3, 24),
        date(2027, 3, 31),
    )
    assert waits.pickup_ends_at == at(date(2027, 3, 24), NOW.time().replace(hour=18, minute=0))
    assert told() == {"loan.closure_due": 1, "loan.closure_pickup": 1}


def test_another_copy_will_do_and_what_is_set_aside_stays(place: Place, copy: Copy) -> None:
    ready = loan_of(copy, TUESDAY, REOPENS, "ready")
    other = CopyFactory(tool=copy.tool, place=place)
    moved = loan_of(other, TUESDAY, REOPENS)
    loan_of(other, date(2027, 3, 24), date(2027, 4, 20))
    third = CopyFactory(tool=copy.tool, place=place)
    shut(place)
    again(ready, moved)
    assert (ready.status, ready.copy, ready.pickup_on) == ("ready", copy, REOPENS)
    assert (moved.status, moved.copy, moved.pickup_on) == ("reserved", third, REOPENS)


def test_without_a_free_day_a_reservation_is_given_up_and_stays_so(
    place: Place, copy: Copy
) -> None:
    lost = loan_of(copy, TUESDAY, REOPENS)
    loan_of(copy, date(2027, 3, 24), date(2027, 6, 1))
    assert [one.outcome for one in shut(place).effects] == ["cancelled"]
    again(lost)
    assert lost.status == "cancelled"
    assert lines(reopen(place)) == [("Gaufrier", "stays", "reste annulé", "")]


def test_no_open_day_known_after_means_a_call(place: Place, copy: Copy) -> None:
    """Declared from tomorrow for a year: nothing is invented."""
    loan = loan_of(copy, NOW.date(), TUESDAY, "out")
    place.opening_hours.all().delete()
    place.opening_hours.create(weekday=1, opens=time(9), closes=time(12))
    tomorrow = NOW.date() + timedelta(days=1)
    with_after = shown(place, days(tomorrow, tomorrow + timedelta(days=364)))
    assert [one.outcome for one in with_after.effects] == ["prolonged"]
    assert with_after.effects[0].day > loan.due_on + timedelta(days=350)


def test_without_its_kind_a_loan_would_stay_due_on_a_closed_day(
    place: Place, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    loan = loan_of(copy, NOW.date(), TUESDAY, "out")
    with monkeypatch.context() as patched:
        patched.delitem(closures._kinds, "loan")
        shut(place)
    again(loan, place)
    assert not calendar_of(place).is_open_day(loan.due_on)
    reopen(place)
    shut(place)
    again(loan)
    assert loan.due_on == REOPENS


def test_five_hundred_loans_are_planned_in_a_second(place: Place, tool: Tool) -> None:
    people = MemberFactory.create_batch(50, place=place)
    copies = CopyFactory.create_batch(500, tool=tool, place=place)
    example = loan_of(copies[0], NOW.date(), TUESDAY, "out", member=people[0])
    rows = []
    for number, copy in enumerate(copies[1:]):
        row = Loan.objects.get(pk=example.pk)
        row.pk, row.reference = None, f"R{number:09d}"
        row.copy, row.member = copy, people[number % 50]
        rows.append(row)
    Loan.objects.bulk_create(rows)
    began = process_time()
    plan = shown(place)
    assert process_time() - began < 1
    assert [anew for _day, anew, _anyway in plan.returns] == [50] * 10


# -- Parcels, appointments, stays ---------------------------------------------------------------


def test_parcels_are_kept_until_the_first_open_day(place: Place, member: Member) -> None:
    kept = ParcelFactory(member=member, keep_until=SATURDAY)
    free = ParcelFactory(member=member, keep_until=REOPENS)
    nobodys = ParcelFactory(member=None, place=place, keep_until=TUESDAY)
    plan = shut(place)
    assert len(plan.effects) == 2
    again(kept, free, nobodys)
    assert [kept.keep_until, free.keep_until, nobodys.keep_until] == [REOPENS] * 3
    assert told() == {"parcel.closure": 1}
    assert [one.outcome for one in reopen(place).effects] == ["stays", "stays"]


def test_an_appointment_goes_to_the_head_of_the_list_and_is_offered(place: Place) -> None:
    service = ServiceFactory(place=place, lines=[(1, 10, 11)])
    first, second, patient = (client_of(place, first_name=name) for name in ("A", "B", "C"))
    late = AppointmentFactory(service=service, member=second, starts_at=on(16, 10.5))
    early = AppointmentFactory(service=service, member=first, starts_at=on(16, 10))
    SlotWish.objects.create(
        service=service, member=patient, asked_at=NOW,
        first_on=date(2027, 3, 17), last_on=date(2027, 3, 24),
    )  # fmt: skip
    plan = shut(place)
    assert [one.pk for one in plan.effects] == [early.pk, late.pk]
    again(early, late)
    assert (early.status, late.status) == ("cancelled", "cancelled")
    offers = Appointment.objects.filter(status="offered").order_by("starts_at")
    assert [(one.member, one.starts_at) for one in offers] == [
        (first, on(23, 10)),
        (second, on(23, 10.5)),
    ]
    assert told() == {"appointment.closure": 2, "appointment.offered": 2}
    assert [(one.outcome, one.how) for one in reopen(place).effects] == [("stays", "")] * 2


def test_a_stay_goes_on_its_visits_move_and_its_keys_are_a_call(place: Place) -> None:
    watched = StayFactory(first=date(2027, 3, 12), last=date(2027, 3, 26), service__place=place)
    begins = StayFactory(
        first=TUESDAY, last=date(2027, 3, 30), service__place=place, service__name="Plantes"
    )
    for stay in (watched, begins):
        plan_visits(stay, NOW)
    plan = shut(place)
    assert [(one.pk, one.outcome, one.is_private) for one in plan.effects] == [
        (watched.pk, "moved", True),
        (begins.pk, "call", True),
    ]
    visits = [visit.day for visit in watched.visits.order_by("day")]
    assert not any(TUESDAY <= day <= SATURDAY for day in visits)
    assert visits
    assert told() == {"stay.closure": 1}
    reopen(place)
    assert any(TUESDAY <= one.day <= SATURDAY for one in watched.visits.all())


def test_keys_are_a_call_for_a_day_that_was_open_and_only_while_they_are_to_come(
    place: Place,
) -> None:
    sunday = date(2027, 3, 21)
    runs = StayFactory(first=TUESDAY, last=REOPENS, service__place=place, status="running")
    leaves = StayFactory(
        first=date(2027, 3, 12), last=sunday, service__place=place, service__name="Plantes"
    )
    for stay in (runs, leaves):
        plan_visits(stay, NOW)
    plan = shown(place, days(TUESDAY, sunday))
    assert {one.pk: one.outcome for one in plan.effects} == {
        runs.pk: "moved", leaves.pk: "moved",
    }  # fmt: skip


# -- Bread and baskets --------------------------------------------------------------------------


FRIDAY = date(2027, 3, 19)


def ordered(place: Place, **rule: Any) -> tuple[Delivery, Order, Order]:
    """A delivery of the closed Friday: one order, and one of a standing order."""
    round = DeliveryRoundFactory(place=place, **rule)
    delivery = DeliveryFactory(round=round, day=FRIDAY)
    product = round.goods.get().product
    one, regular = (MemberFactory(place=place) for _ in range(2))
    order = place_order(
        member=one, delivery=delivery, lines={product.public_id: 2}, by=one.user, now=NOW
    )
    stood = stand(
        member=regular, round=round, lines={product.public_id: 1}, every_weeks=1,
        starts_on=FRIDAY, ends_on=None, by=regular.user, now=NOW, channel="web",
    )  # fmt: skip
    Message.objects.all().delete()
    return delivery, order, next(o for o in stood.made if o.delivery_id == delivery.pk)


def test_a_delivery_is_skipped_credited_and_comes_back(place: Place) -> None:
    delivery, order, standing = ordered(place)
    plan = shut(place)
    assert [(one.outcome, one.cents) for one in plan.effects] == [
        ("skipped", 0),
        ("skipped", 24_00),
        ("skipped", 0),
    ]
    again(delivery, order, standing)
    assert (delivery.status, delivery.cancelled_for) == ("cancelled", "closed")
    assert (order.status, standing.status) == ("failed", "failed")
    assert told() == {"order.failed": 2}
    back = reopen(place)
    assert [(one.outcome, one.how) for one in back.effects] == [
        ("made", ""),
        ("stays", ""),
        ("made", "email"),
    ]
    again(delivery)
    assert (delivery.status, delivery.day, delivery.ordered) == ("open", FRIDAY, 1)
    made = Order.objects.get(delivery=delivery, status="ordered")
    assert made.member == standing.member


def test_a_delivery_goes_where_its_round_says(place: Place) -> None:
    delivery, order, _standing = ordered(place, on_closed=OnClosed.AFTER)
    plan = shut(place)
    assert {one.outcome for one in plan.effects} == {"moved"}
    again(delivery, order)
    assert (delivery.day, delivery.planned_on) == (REOPENS, FRIDAY)
    assert local_day(order.starts_at) == REOPENS
    assert told() == {"order.moved": 2}


def test_a_closure_sends_nothing_to_hours_when_the_desk_is_shut(place: Place) -> None:
    """Saturday is open till one; what is fetched at four comes on the Tuesday after."""
    delivery, order, _standing = ordered(place, on_closed=OnClosed.AFTER)
    plan = shut(place, days(FRIDAY, FRIDAY))
    assert {one.becomes.replace("\xa0", " ") for one in plan.effects} == {"livré mardi 23 mars"}
    again(delivery, order)
    assert (delivery.day, local_day(order.starts_at)) == (REOPENS, REOPENS)
    Message.objects.all().delete()
    assert [one[1:] for one in lines(reopen(place))] == [("stays", "reste au mardi 23 mars", "")]
    again(delivery)
    assert (delivery.day, told()) == (REOPENS, {})
    assert Delivery.objects.filter(planned_on=FRIDAY).count() == 1


def test_a_closure_that_also_shuts_the_new_day_says_nothing_of_staying(place: Place) -> None:
    delivery, _order, _standing = ordered(place, on_closed=OnClosed.AFTER)
    shut(place, days(FRIDAY, FRIDAY))
    closure = Closure.objects.get(place=place)
    plan = shut(place, days(REOPENS, REOPENS, closure))
    assert {one.outcome for one in plan.effects} == {"moved"}
    again(delivery)
    assert delivery.day == FRIDAY


# -- Whom to call --------------------------------------------------------------------------------


def to_say(place: Place) -> list[str]:
    return [line[2].replace("\xa0", " ") for call in calls_of(place, LATER) for line in call.lines]


def silent(place: Place) -> Member:
    """Whom no message reaches."""
    member: Member = MemberFactory(place=place, user__email="", user__phone="")
    return member


def test_keys_are_no_call_any_more_once_their_day_is_open_again(place: Place) -> None:
    stay = StayFactory(
        first=TUESDAY, last=date(2027, 3, 30), service__place=place, member=silent(place)
    )
    plan_visits(stay, NOW)
    elsewhere = PlaceFactory()
    other = StayFactory(first=TUESDAY, last=date(2027, 3, 30), service__place=elsewhere)
    plan_visits(other, NOW)
    for one in (place, elsewhere):
        shut(one)
    keys = "clés à voir : fermé mardi 16 mars"
    assert [keys in said for said in to_say(place)] == [True]
    closure = Closure.objects.get(place=place)
    shut(place, days(TUESDAY, SATURDAY + timedelta(days=3), closure))
    assert any(keys in said for said in to_say(place))  # its day is as closed as before
    reopen(place)
    assert not any("clés" in said for said in to_say(place))
    assert any(keys in said for said in to_say(elsewhere))


def test_what_is_said_anew_is_said_once_and_what_is_lost_is_still_said(place: Place) -> None:
    who = silent(place)
    loan_of(CopyFactory(place=place), NOW.date(), TUESDAY, "out", member=who)
    lost = AppointmentFactory(
        service=ServiceFactory(place=place), member=who, starts_at=at(TUESDAY, time(10))
    )
    shut(place)
    given_up = "annulé, en tête de la liste d’attente"
    assert sorted(to_say(place)) == [given_up, "à rendre mardi 23 mars"]
    reopen(place)
    again(lost)
    assert lost.status == "cancelled"
    assert sorted(to_say(place)) == [given_up, "reste à rendre mardi 23 mars"]


def test_what_another_closure_left_to_be_settled_stays(place: Place, copy: Copy) -> None:
    held_up = loan_of(copy, NOW.date(), TUESDAY, "out", member=silent(place))
    loan_of(copy, REOPENS, date(2027, 4, 3))
    shut(place, days(NOW.date() + timedelta(days=1), SATURDAY))
    said = to_say(place)
    assert said == ["à voir avec la personne : l’exemplaire est promis ensuite"]
    late = date(2027, 5, 12)
    shut(place, days(late, late))
    shut(place, withdrawn(Closure.objects.get(place=place, starts_on=late), NOW))
    assert to_say(place) == said
    reopen(place)
    again(held_up)
    assert (held_up.due_on, to_say(place)) == (TUESDAY, [])


# -- Any history --------------------------------------------------------------------------------


class ClosingMachine(RuleBasedStateMachine):
    """Closures come, move and go while people borrow. Nothing is due on a closed day unless
    somebody is to be called, and nobody is told of one thing twice by one act."""

    @initialize()
    def begin(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = NOW
        self.place = PlaceFactory()
        tool = ToolFactory(landlord=self.place.landlord)
        self.tool = tool
        CopyFactory.create_batch(2, tool=tool, place=self.place)
        self.people = MemberFactory.create_batch(3, place=self.place)
        for one in self.people:
            RightFactory(household=one.household)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @rule(who=st.integers(0, 2), ahead=st.integers(0, 20), length=st.integers(1, 10))
    def reserve(self, who: int, ahead: int, length: int) -> None:
        first = local_day(self.now) + timedelta(days=ahead)
        self.place.refresh_from_db()
        with_days = {"starts_on": first, "ends_on": first + timedelta(days=length)}
        try:
            loan = lending.reserve_tool(
                member=self.people[who], tool=self.tool, place=self.place,
                by=self.people[who].user, now=self.now, **with_days,
            )  # fmt: skip
            if ahead == 0:
                lending.hand_over(
                    copy=loan.copy, member=loan.member, by=loan.member.user, now=self.now
                )
        except Refused:
            return

    @rule(ahead=st.integers(0, 25), length=st.integers(0, 9))
    def declare(self, ahead: int, length: int) -> None:
        first = local_day(self.now) + timedelta(days=ahead)
        self.act(days(first, first + timedelta(days=length)))

    @rule(which=st.integers(0, 3), by=st.integers(-4, 6), longer=st.integers(-3, 4))
    def alter(self, which: int, by: int, longer: int) -> None:
        rows = list(Closure.objects.filter(place=self.place).order_by("pk"))
        if which >= len(rows):
            return
        one = rows[which]
        first = one.starts_on + timedelta(days=by)
        self.act(days(first, one.ends_on + timedelta(days=by + longer), one))

    @rule(which=st.integers(0, 3))
    def withdraw(self, which: int) -> None:
        rows = list(Closure.objects.filter(place=self.place).order_by("pk"))
        if which < len(rows):
            self.act(withdrawn(rows[which], self.now))

    @rule(days=st.integers(1, 3))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)

    def act(self, wanted: Wanted) -> None:
        last = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        try:
            plan = shut(self.place, wanted, by=self.people[0].user, now=self.now)
        except Refused:
            return
        found = Message.objects.filter(pk__gt=last)
        rows = found.values_list("member", "subject_kind", "subject_id")
        assert len(set(rows)) == len(rows) == sum(one.is_told for one in plan.effects)
        assert set(found.values_list("group", flat=True)) <= {"closure"}

    @invariant()
    def nothing_is_due_on_a_closed_day(self) -> None:
        if not hasattr(self, "place"):
            return
        self.place.refresh_from_db()
        calendar = calendar_of(self.place)
        called = {call.member.pk for call in calls_of(self.place, self.now)}
        for loan in Loan.objects.filter(place=self.place, status__in=HOLDING):
            is_due = loan.due_on >= local_day(self.now) and not calendar.is_open_day(loan.due_on)
            assert not is_due or loan.member_id in called
        for loan in Loan.objects.filter(place=self.place, status="reserved"):
            ahead = loan.pickup_on >= local_day(self.now)
            assert not ahead or calendar.is_open_day(loan.pickup_on)

    @invariant()
    def no_copy_has_two_claims(self) -> None:
        if hasattr(self, "place"):
            assert violations() == []


@pytest.mark.django_db
def test_any_history_of_closures() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        ClosingMachine,
        settings=hypothesis_settings(
            max_examples=12,
            stateful_step_count=10,
            deadline=None,
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
