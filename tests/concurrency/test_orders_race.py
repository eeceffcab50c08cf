"""The last basket goes once, and the cut-off has every order that was accepted, and no other."""

import random
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import Sum

from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import LogEntry, Member
from concierge.domain.deliveries import cancel_delivery, make_of, send_due, set_most
from concierge.domain.orders import cancel_order, change_order, move_order, place_order
from concierge.domain.standing import stand
from concierge.enums import BAKED_FOR, DeliveryStatus, OrderStatus
from concierge.models import Delivery, DeliveryStock, Order, StandingOrder
from concierge.queries.deliveries import totals
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import MemberFactory
from tests.factories.orders import (
    NEXT_FRIDAY,
    NOW,
    DeliveryFactory,
    DeliveryRoundFactory,
    ProductFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 16


def unbroken() -> None:
    assert [line for one in all_invariants() for line in one.violations()] == []


def crowd(delivery: Delivery, count: int) -> list[Member]:
    return [MemberFactory(place=delivery.place) for _ in range(count)]


def delivery_of(most: int | None, **round: Any) -> Delivery:
    basket = ProductFactory(price_cents=1_00)
    found: Delivery = DeliveryFactory(
        round=DeliveryRoundFactory(producer=basket.producer, goods=[(basket, most)], **round)
    )
    return found


def lines_of(delivery: Delivery, quantity: int = 1) -> dict[str, int]:
    return {delivery.stock.select_related("product").get().product.public_id: quantity}


def codes(answers: list[Any]) -> set[str]:
    return {code for answer in answers if isinstance(answer, Refused) for code in answer.codes}


def test_looking_first_and_counting_after_would_sell_the_last_basket_twice(race: Any) -> None:
    """The fault, without the counters that the database judges: both look, then both write."""
    delivery = delivery_of(most=1)
    stock = delivery.stock.get()
    gate = threading.Barrier(2)

    def look_then_write(number: int) -> bool:
        free = DeliveryStock.objects.get(pk=stock.pk).ordered < 1
        gate.wait(timeout=20)
        if free:
            DeliveryStock.objects.filter(pk=stock.pk).update(ordered=1)
        return free

    assert race(look_then_write, [1, 2]) == [True, True]


def test_the_last_basket_goes_to_one_of_sixteen(race: Any, seed: int) -> None:
    delivery = delivery_of(most=1)
    people, lines = crowd(delivery, PEOPLE), lines_of(delivery)

    def take(member: Member) -> Order:
        return place_order(
            member=member, delivery=delivery.public_id, lines=lines, by=member.user, now=NOW
        )

    answers = race(take, people)
    assert unexpected(answers) == []
    assert (len(accepted(answers)), codes(answers)) == (1, {"sold_out"})
    delivery.refresh_from_db()
    assert delivery.ordered == 1
    unbroken()


def test_whatever_happens_at_once_the_counters_are_the_rows(race: Any, seed: int) -> None:
    """Orders, changes, moves both ways, cancels, cuts and standing orders on two dates."""
    first = delivery_of(most=9, most_pieces=12)
    round = first.round
    second = DeliveryFactory(round=round, day=NEXT_FRIDAY + timedelta(days=7))
    product = next(iter(lines_of(first)))
    people = crowd(first, 8)
    by = people[0].user

    def act(number: int) -> Any:
        member = people[number % len(people)]
        mine = {"by": member.user, "now": NOW}
        delivery, other = (first, second) if number % 2 else (second, first)
        own = Order.objects.filter(member=member, status=OrderStatus.ORDERED).first()
        deed = number % 5
        if own is None and deed < 4:
            return place_order(
                member=member, delivery=delivery, lines={product: 1 + number % 3}, **mine
            )
        if own is None:
            return stand(member=member, round=round, lines={product: 1}, **mine)
        if deed == 0:
            return change_order(own, {product: 1 + number % 4}, **mine)
        if deed == 1:
            return move_order(own, other if own.delivery_id == delivery.pk else delivery, **mine)
        if deed == 2:
            return cancel_order(own, **mine)
        return set_most(delivery, 8 + number % 6, by=by, now=NOW)

    answers: list[Any] = []
    for _lap in range(4):
        numbers = [random.randrange(100) for _ in range(8)]
        answers += race(act, numbers)
    assert unexpected(answers) == []
    unbroken()


def test_two_schedulers_send_once_and_a_failing_producer_credits_once(race: Any) -> None:
    delivery = delivery_of(most=None)
    for member in crowd(delivery, 3):
        place_order(
            member=member, delivery=delivery, lines=lines_of(delivery), by=member.user, now=NOW
        )
    at = delivery.cutoff_at
    assert sorted(race(lambda _n: send_due(at), [1, 2, 3])) == [0, 0, 1]
    assert LogEntry.objects.filter(subject_kind="delivery", verb="send").count() == 1
    answers = race(lambda _n: cancel_delivery(delivery, "producer", by=None, now=at), [1, 2])
    assert unexpected(answers) == []
    assert (len(accepted(answers)), codes(answers)) == (1, {"wrong_state"})
    unbroken()


def test_two_who_would_both_fit_do_not_stand_together(race: Any) -> None:
    basket = ProductFactory()
    round = DeliveryRoundFactory(producer=basket.producer, goods=[(basket, 1)], weeks_ahead=1)
    make_of(round, NOW)
    people = [MemberFactory(place=round.place) for _ in range(4)]

    def begin(member: Member) -> Any:
        lines = {basket.public_id: 1}
        return stand(member=member, round=round, lines=lines, by=member.user, now=NOW)

    answers = race(begin, people)
    assert unexpected(answers) == []
    assert (len(accepted(answers)), codes(answers)) == (1, {"no_room"})
    assert StandingOrder.objects.count() == 1
    unbroken()


# -- The last minute ---------------------------------------------------------------------------


TOO_LONG = 1.25
"""How much longer people go on ordering than they may."""


def last_minute(orders: int, clients: int, seconds: float) -> dict[str, Any]:
    """So many order as the cut-off comes by a clock that runs, the last fifth after it; two
    schedulers look all the time, and send it when it is due. What is sent is what was
    accepted, to the piece."""
    delivery = delivery_of(most=None)
    people, lines = crowd(delivery, orders), lines_of(delivery)
    started = time.monotonic()
    answers: list[Any] = [None] * orders
    waits: list[float] = []
    sent: list[int] = []

    def clock() -> datetime:
        passed = timedelta(seconds=time.monotonic() - started)
        return delivery.cutoff_at - timedelta(seconds=seconds) + passed

    def client(number: int) -> None:
        try:
            for position in range(number, orders, clients):
                pressed = started + TOO_LONG * seconds * position / orders
                time.sleep(max(0.0, pressed - time.monotonic()))
                member, begin = people[position], time.monotonic()
                try:
                    answers[position] = place_order(
                        member=member, delivery=delivery.public_id, lines=lines, by=member.user,
                        now=clock(),
                    )  # fmt: skip
                except Exception as error:
                    answers[position] = error
                waits.append(time.monotonic() - begin)
        finally:
            connections.close_all()

    def scheduler(_number: int) -> None:
        try:
            while clock() < delivery.cutoff_at + timedelta(seconds=60):
                try:
                    sent.append(send_due(clock()))
                except Exception as error:
                    sent.append(-1)
                    answers.append(error)
                if not Delivery.objects.filter(pk=delivery.pk, status="open").exists():
                    return
                time.sleep(0.02)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    threads += [threading.Thread(target=scheduler, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    delivery.refresh_from_db()
    made = accepted(answers)
    step = LogEntry.objects.get(subject_kind="delivery", subject_id=delivery.pk, verb="send")
    (total,) = totals([delivery])
    return {
        "unexpected": unexpected(answers),
        "accepted": len(made),
        "refused": codes(answers),
        "answered": sum(answer is not None for answer in answers),
        "in the rows": Order.objects.filter(delivery=delivery, status__in=BAKED_FOR).aggregate(
            n=Sum("quantity")
        )["n"],
        "in the totals": total.quantity,
        "told to the producer": step.facts["pieces"],
        "sent": sum(sent),
        "status": delivery.status,
        "slowest": round(max(waits), 2),
        "median": round(sorted(waits)[len(waits) // 2], 3),
    }


def check(found: dict[str, Any], orders: int) -> None:
    assert found["unexpected"] == []
    assert found["answered"] == orders
    assert found["accepted"] > 0
    assert found["refused"] == {"cut_off"}
    counted = {found[name] for name in ("accepted", "in the rows", "in the totals")}
    assert counted == {found["told to the producer"]}
    assert (found["sent"], found["status"]) == (1, DeliveryStatus.SENT)
    unbroken()


def test_every_order_of_the_last_second_is_in_the_totals_or_refused(seed: int) -> None:
    check(last_minute(orders=120, clients=8, seconds=1), 120)


@pytest.mark.storm
def test_five_hundred_orders_of_thirty_two_clients(
    seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time: the moderate run says it all")
    found = last_minute(orders=500, clients=32, seconds=5)
    with capsys.disabled():
        print(found)
    check(found, 500)


def test_without_asking_for_an_open_delivery_an_order_would_come_too_late(race: Any) -> None:
    """The fault: the counter alone, moved after the delivery was sent, is in no message."""
    delivery = delivery_of(most=None)
    member, other = crowd(delivery, 2)
    place_order(member=member, delivery=delivery, lines=lines_of(delivery), by=member.user, now=NOW)
    send_due(delivery.cutoff_at)
    with transaction.atomic():
        moved = Delivery.objects.filter(pk=delivery.pk).update(ordered=2)
        assert moved == 1  # nothing in the database forbids it
        transaction.set_rollback(True)
    late = {"member": other, "delivery": delivery, "lines": lines_of(delivery), "by": other.user}
    with pytest.raises(Refused) as found:
        place_order(**late, now=delivery.cutoff_at - timedelta(seconds=1))
    assert found.value.codes == ["cut_off"]
