"""Standing orders: what they make, what they leave out, and what they may begin with."""

from datetime import date, time, timedelta
from typing import Any

import holidays
import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.kernel.spans import at
from club.models import Member, Message, Place
from concierge.domain.deliveries import cancel_delivery, make_deliveries, make_of, send_due
from concierge.domain.orders import cancel_order, move_order
from concierge.domain.rounds import round_written
from concierge.domain.standing import (
    change_standing,
    end_pause,
    end_standing,
    moved_away,
    pause_standing,
    stand,
    weekdays_of,
)
from concierge.enums import BAKED_FOR, CancelledFor, OnClosed, OrderStatus
from concierge.models import Delivery, Order, RoundProduct
from concierge.order_letters import rhythm
from tests.factories.club import ClosureFactory, MemberFactory, PlaceFactory
from tests.factories.orders import (
    FRIDAY,
    NEXT_FRIDAY,
    NOW,
    WEDNESDAY,
    DeliveryRoundFactory,
    OrderFactory,
    ProductFactory,
)

pytestmark = pytest.mark.django_db
FRIDAYS = [NEXT_FRIDAY + timedelta(weeks=week) for week in range(6)]


def broken() -> list[str]:
    return [line for one in all_invariants() for line in one.violations()]


def events() -> list[str]:
    return sorted(Message.objects.values_list("event", flat=True))


@pytest.fixture
def round(place: Place) -> Any:
    """Six Fridays are open; two baskets each time."""
    basket = ProductFactory(name="Panier de légumes")
    found = DeliveryRoundFactory(
        place=place, producer=basket.producer, goods=[(basket, 2)], weeks_ahead=6
    )
    make_of(found, NOW)
    return found


def basket_of(round: Any) -> str:
    return str(round.goods.get().product.public_id)


def begin(member: Member, round: Any, quantity: int = 1, **more: Any) -> Any:
    lines = {basket_of(round): quantity}
    return stand(member=member, round=round, lines=lines, by=member.user, now=NOW, **more)


def days_of(member: Member, *statuses: str) -> list[date]:
    rows = Order.objects.filter(member=member, status__in=statuses or [OrderStatus.ORDERED])
    return list(rows.order_by("starts_at").values_list("delivery__day", flat=True))


def test_every_week_and_every_other(round: Any, member: Member, other_member: Member) -> None:
    assert begin(member, round).skipped == []
    begin(other_member, round, every_weeks=2, starts_on=FRIDAYS[1], ends_on=FRIDAYS[4])
    assert days_of(member) == FRIDAYS
    assert days_of(other_member) == [FRIDAYS[1], FRIDAYS[3]]
    assert events() == ["standing.begun"] * 2
    with pytest.raises(Refused) as found:
        begin(member, round)
    assert found.value.codes == ["standing_already"]
    # A week later the next date is made, and filled once.
    assert make_deliveries(NOW + timedelta(days=7)) == 1
    assert days_of(member) == [*FRIDAYS, FRIDAYS[5] + timedelta(weeks=1)]
    assert broken() == []


def bread(place: Place) -> Any:
    """From Tuesday to Friday, two weeks of it open: eight dates, and today's is closed."""
    found = DeliveryRoundFactory(place=place, weekdays=[1, 2, 3, 4], weeks_ahead=2)
    make_of(found, NOW)
    return found


def weekdays_made(member: Member) -> set[int]:
    return {day.weekday() for day in days_of(member)}


def test_it_stands_on_the_days_that_were_chosen_and_on_each_where_none_was(
    place: Place, member: Member, other_member: Member
) -> None:
    found = bread(place)
    standing = begin(member, found, weekdays=[4, 2]).standing
    assert (standing.weekdays, weekdays_made(member)) == ([2, 4], {2, 4})
    assert weekdays_of(standing) == [2, 4]
    every = begin(other_member, found).standing
    assert (every.weekdays, weekdays_made(other_member)) == ([], {1, 2, 3, 4})
    assert weekdays_of(every) == [1, 2, 3, 4]
    assert (rhythm(standing), rhythm(every)) == (
        "chaque mercredi et vendredi", "chaque mardi, mercredi, jeudi et vendredi",
    )  # fmt: skip
    standing.every_weeks = 3
    assert rhythm(standing) == "mercredi et vendredi, toutes les 3 semaines"
    with pytest.raises(Refused) as refused:
        begin(MemberFactory(place=place), found, weekdays=[0])
    assert refused.value.codes == ["weekdays_wrong"]
    make_deliveries(NOW + timedelta(days=7))
    assert weekdays_made(member) == {2, 4}
    assert broken() == []


def test_a_day_that_is_no_longer_wanted_is_cancelled_and_taken_back_it_is_made_again(
    place: Place, member: Member
) -> None:
    found = bread(place)
    standing = begin(member, found, weekdays=[2, 4]).standing
    before = days_of(member)
    lines = {basket_of(found): 1}
    change_standing(standing, lines, weekdays=[3, 4], by=member.user, now=NOW)
    assert weekdays_made(member) == {3, 4}
    assert {day.weekday() for day in days_of(member, OrderStatus.CANCELLED)} == {2}
    change_standing(standing, {basket_of(found): 2}, by=member.user, now=NOW)
    assert weekdays_made(member) == {3, 4}, "Who says nothing of the days keeps them."
    change_standing(standing, lines, weekdays=[2, 4], by=member.user, now=NOW)
    assert days_of(member) == before
    assert broken() == []


def test_what_was_moved_away_is_known_and_its_day_is_not_taken_up_again(
    round: Any, member: Member
) -> None:
    standing = begin(member, round, every_weeks=2).standing
    by = {"by": member.user, "now": NOW}
    pause_standing(standing, FRIDAYS[4], FRIDAYS[4], **by)
    first = Order.objects.order_by("starts_at").first()
    assert first is not None
    move_order(first, Delivery.objects.get(day=FRIDAYS[1]), **by)
    assert moved_away(standing, NOW) == {FRIDAYS[0]: first}
    with pytest.raises(Refused) as refused:
        end_pause(standing.pauses.get(first_on=FRIDAYS[0]), **by)
    assert refused.value.codes == ["moved"]
    cancel_order(first, **by)
    assert moved_away(standing, NOW) == {}
    assert len(end_pause(standing.pauses.get(first_on=FRIDAYS[0]), **by).made) == 1
    assert broken() == []


def test_full_dates_are_left_out_and_told(round: Any, member: Member) -> None:
    full, own = Delivery.objects.order_by("day")[:2]
    OrderFactory(delivery=full, lines={basket_of(round): 2})
    OrderFactory(delivery=own, member=member)
    stood = begin(member, round)
    assert [(day, reason.code) for day, reason in stood.skipped] == [
        (FRIDAYS[0], "sold_out"), (FRIDAYS[1], "ordered_already"),
    ]  # fmt: skip
    assert [one.delivery.day for one in stood.made] == FRIDAYS[2:]
    message = Message.objects.get(event="standing.begun")
    assert message.facts["skipped"][0] == [FRIDAYS[0].isoformat(), "sold_out"]
    assert broken() == []


def test_beyond_the_open_dates_the_fullest_one_must_fit_all_that_stands(
    round: Any, place: Place
) -> None:
    """Two of every other week, in turns, fit beside one of each week; a third does not."""
    people = [MemberFactory(place=place) for _ in range(5)]
    begin(people[0], round)
    begin(people[1], round, every_weeks=2, starts_on=FRIDAYS[0])
    begin(people[2], round, every_weeks=2, starts_on=FRIDAYS[1])
    with pytest.raises(Refused) as found:
        begin(people[3], round, every_weeks=4)
    assert found.value.codes == ["no_room"]
    # Only the dates that are open count where it ends before the others.
    begin(people[3], round, ends_on=FRIDAYS[5])
    round.most_pieces = 2
    round.save()
    round.goods.update(most=None)
    with pytest.raises(Refused) as found:
        begin(people[4], round)
    assert found.value.reasons[0].facts == {"left": 0}
    assert broken() == []


def test_a_pause_cancels_what_it_can_and_its_end_makes_it_again(round: Any, member: Member) -> None:
    standing = begin(member, round).standing
    by = {"by": member.user, "now": at(FRIDAYS[0] - timedelta(days=1), time(12))}
    send_due(by["now"])
    Message.objects.all().delete()
    pause = pause_standing(standing, FRIDAYS[0], FRIDAYS[2], **by)
    # The first is sent already, and comes.
    assert days_of(member) == [FRIDAYS[0], *FRIDAYS[3:]]
    assert events() == ["standing.paused"]
    stood = end_pause(pause, **by)
    assert [one.delivery.day for one in stood.made] == FRIDAYS[1:3]
    with pytest.raises(Refused) as found:
        pause_standing(standing, FRIDAYS[2], FRIDAYS[1], **by)
    assert found.value.codes == ["dates_wrong"]
    assert broken() == []


def test_what_was_cancelled_or_moved_by_hand_is_not_made_again(round: Any, member: Member) -> None:
    standing = begin(member, round, every_weeks=2).standing
    by = {"by": member.user, "now": NOW}
    first, third, fifth = Order.objects.order_by("starts_at")
    cancel_order(first, **by)
    moved = move_order(third, Delivery.objects.get(day=FRIDAYS[3]), **by)
    assert moved.standing is None and moved.total_cents
    change_standing(standing, {basket_of(round): 2}, **by)
    assert days_of(member) == [FRIDAYS[3], FRIDAYS[4]]
    fifth.refresh_from_db()
    assert fifth.quantity == 2
    assert end_standing(standing, **by) == 1
    assert days_of(member) == [FRIDAYS[3]]
    make_deliveries(NOW + timedelta(days=30))
    assert days_of(member) == [FRIDAYS[3]]
    assert broken() == []


def test_a_rhythm_that_changes_back_makes_its_dates_again(round: Any, member: Member) -> None:
    standing = begin(member, round).standing
    lines = {basket_of(round): 1}
    change_standing(standing, lines, every_weeks=2, by=member.user, now=NOW)
    assert days_of(member) == FRIDAYS[::2]
    change_standing(standing, lines, every_weeks=1, by=member.user, now=NOW)
    assert days_of(member) == FRIDAYS
    assert broken() == []


def test_an_end_far_away_is_nobody_elses_trouble(
    round: Any, member: Member, other_member: Member
) -> None:
    begin(member, round, ends_on=date.max)
    assert len(begin(other_member, round).made) == 6
    with pytest.raises(Refused) as found:
        begin(MemberFactory(place=round.place), round, starts_on=date(9000, 1, 1))
    assert found.value.codes == ["dates_wrong"]


def test_a_date_that_is_made_anew_tells_its_skip_once(round: Any, member: Member) -> None:
    begin(member, round)
    round.needs_right = True
    round.save()
    later = NOW + timedelta(days=7)
    assert make_deliveries(later) == 1
    assert round_written(round, by=None, now=later).remade == 1
    assert events().count("standing.skipped") == 1
    assert broken() == []


def test_a_product_that_leaves_the_round_leaves_what_stands(
    round: Any, member: Member, other_member: Member
) -> None:
    eggs = ProductFactory(producer=round.producer, name="Œufs")
    lines = {basket_of(round): 1, eggs.public_id: 1}
    RoundProduct.objects.create(round=round, product=eggs)
    make_deliveries(NOW)
    both, alone = (
        stand(member=one, round=round, lines=asked, by=one.user, now=NOW).standing
        for one, asked in ((member, lines), (other_member, {eggs.public_id: 1}))
    )
    round.goods.filter(product=eggs).delete()
    round_written(round, by=None, now=NOW)
    alone.refresh_from_db()
    assert [line.product.name for line in both.lines.all()] == ["Panier de légumes"]
    assert alone.ended_at == NOW
    assert {"standing.withdrawn", "standing.ended"} <= set(events())
    assert broken() == []


def test_a_closure_is_said_in_one_message_for_all_its_dates(round: Any, member: Member) -> None:
    begin(member, round)
    Message.objects.all().delete()
    for delivery in Delivery.objects.order_by("day")[1:3]:
        cancel_delivery(delivery, CancelledFor.CLOSED, by=None, now=NOW)
    told = Message.objects.all()
    assert {(one.event, one.group, one.due_at) for one in told} == {
        ("order.failed", "orders", told[0].due_at)
    }
    assert days_of(member) == [FRIDAYS[0], *FRIDAYS[3:]]
    # A date that is not made yet and falls into a closure is told once, two weeks ahead.
    Message.objects.all().delete()
    seventh = FRIDAYS[5] + timedelta(weeks=1)
    ClosureFactory(place=round.place, starts_on=seventh, ends_on=seventh)
    for night in range(3):
        make_deliveries(at(seventh - timedelta(days=10 - night), time(3)))
    assert events() == ["standing.skipped"]
    assert not Delivery.objects.filter(day=seventh).exists()
    assert broken() == []


# -- Three years beside a plain model ----------------------------------------------------------


pauses = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 40)), max_size=3)
closures = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 20)), max_size=4)


@given(
    every=st.integers(1, 4), of_round=st.integers(1, 3), first=st.integers(0, 30),
    days=st.integers(30, 1100), pauses=pauses, closures=closures, rule=st.sampled_from(OnClosed),
    chosen=st.sets(st.sampled_from([WEDNESDAY, FRIDAY])),
)  # fmt: skip
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_three_years_come_to_the_dates_of_a_plain_calendar(
    db: None, every: int, of_round: int, first: int, days: int,
    pauses: list[tuple[int, int]], closures: list[tuple[int, int]], rule: OnClosed,
    chosen: set[int],
) -> None:  # fmt: skip
    with transaction.atomic():
        three_years(every, of_round, first, days, pauses, closures, rule, chosen)
        transaction.set_rollback(True)


def three_years(
    every: int, of_round: int, first: int, days: int,
    pauses: list[tuple[int, int]], closures: list[tuple[int, int]], rule: OnClosed,
    chosen: set[int],
) -> None:  # fmt: skip
    """The worker looks every sixteen days, as one that was down often would."""
    begins = date(2026, 11, 2)
    now = at(begins, time(9))
    place = PlaceFactory()
    basket = ProductFactory()
    round = DeliveryRoundFactory(
        place=place, producer=basket.producer, goods=[(basket, None)], starts_on=begins,
        weekdays=[WEDNESDAY, FRIDAY], collect_from=time(10), collect_until=time(12),
        every_weeks=of_round, on_closed=rule, weeks_ahead=4, most_owed_cents=10**7,
    )  # fmt: skip
    away = []
    for offset, length in closures:
        span = (begins + timedelta(days=offset), begins + timedelta(days=offset + length))
        ClosureFactory(place=place, starts_on=span[0], ends_on=span[1])
    place.refresh_from_db()
    member = MemberFactory(place=place)
    starts_on, ends_on = begins + timedelta(days=first), begins + timedelta(days=first + days)
    try:
        standing = stand(
            member=member, round=round, lines={basket.public_id: 1}, every_weeks=every,
            weekdays=chosen, starts_on=starts_on, ends_on=ends_on, by=member.user, now=now,
        ).standing  # fmt: skip
    except Refused as refused:
        assert refused.codes == ["no_date"]
        assert not plain(every, of_round, begins, starts_on, ends_on, chosen)
        return
    for offset, length in pauses:
        span = (begins + timedelta(days=offset), begins + timedelta(days=offset + length))
        away.append(span)
        pause_standing(standing, *span, by=member.user, now=now)
    end = begins + timedelta(days=3 * 365)
    day = begins
    while day < end:
        make_deliveries(at(day, time(9)))
        send_due(at(day, time(9)))
        day += timedelta(days=16)
    expected = [
        comes
        for named in plain(every, of_round, begins, starts_on, min(ends_on, end), chosen)
        if (comes := landing(place, round, named)) is not None
        and not any(a <= comes <= b for a, b in away)
    ]
    rows = Order.objects.filter(member=member, status__in=BAKED_FOR, delivery__day__lt=end)
    made = list(rows.order_by("starts_at").values_list("delivery__day", flat=True))
    assert made == [one for one in expected if one < end]
    assert broken() == []


def plain(
    every: int, of_round: int, begins: date, starts_on: date, ends_on: date, chosen: set[int]
) -> list[date]:
    """By walking week after week from Monday to Monday, with two counters."""
    found = []
    monday = begins - timedelta(days=begins.isoweekday() - 1)
    of_standing = starts_on - timedelta(days=starts_on.isoweekday() - 1)
    week = 0
    while monday <= ends_on:
        named = [monday + timedelta(days=day) for day in (WEDNESDAY, FRIDAY)]
        since = (monday - of_standing).days
        is_week = week % of_round == 0 and since >= 0 and (since // 7) % every == 0
        if is_week:
            found += [
                day
                for day in named
                if starts_on <= day <= ends_on and (not chosen or day.isoweekday() - 1 in chosen)
            ]
        monday += timedelta(days=7)
        week += 1
    return found


def landing(place: Place, round: Any, named: date) -> date | None:
    """Open from Tuesday to Saturday but for holidays and closures; a week away at most."""
    off = holidays.country_holidays("FR", years=range(2026, 2031))
    shut = list(place.closures.values_list("starts_on", "ends_on"))

    def is_open(day: date) -> bool:
        return (
            day.isoweekday() in range(2, 7)
            and day not in off
            and not any(a <= day <= b for a, b in shut)
        )

    if is_open(named) or round.on_closed == OnClosed.SKIP:
        return named if is_open(named) else None
    step = 1 if round.on_closed == OnClosed.AFTER else -1
    tries = [named + timedelta(days=step * n) for n in range(1, 7)]
    landed = next((day for day in tries if is_open(day)), None)
    if landed is None or landed.isoweekday() - 1 not in (WEDNESDAY, FRIDAY):
        return landed
    weeks = (landed - round.starts_on).days // 7  # it starts on a Monday
    return landed if weeks % round.every_weeks else None
