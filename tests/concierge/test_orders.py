"""Ordering, changing, moving and cancelling, up to the second of the cut-off."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from club.kernel import words
from club.kernel.bookings import Channel
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import Member, Message, Place
from concierge.domain.deliveries import send_due, set_most
from concierge.domain.orders import (
    cancel_order,
    change_order,
    move_order,
    order_once,
    place_order,
)
from concierge.domain.standing import pause_standing, stand
from concierge.enums import BAKED_FOR, DeliveryStatus, OrderStatus
from concierge.models import Delivery, Order
from concierge.queries.deliveries import coming, last_lines, of_household, sheet, totals, visible_to
from tests.factories.club import LandlordFactory, MemberFactory, PlaceFactory
from tests.factories.orders import (
    NEXT_FRIDAY,
    NOW,
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    ProducerFactory,
    ProductFactory,
    product_of,
    with_services,
)

pytestmark = pytest.mark.django_db
AFTER = NEXT_FRIDAY + timedelta(days=7)


def broken() -> list[str]:
    return [line for one in all_invariants() for line in one.violations()]


def order(member: Member, delivery: Delivery, quantity: int = 1, **more: Any) -> Order:
    lines = {product_of(delivery).public_id: quantity}
    more.setdefault("now", NOW)
    return place_order(member=member, delivery=delivery, lines=lines, by=member.user, **more)


def refused(call: Any, *args: Any, **more: Any) -> Refused:
    with pytest.raises(Refused) as found:
        call(*args, **more)
    return found.value


@pytest.fixture
def round(place: Place) -> Any:
    producer = ProducerFactory(landlord=place.landlord)
    basket = ProductFactory(producer=producer, name="Panier", price_cents=12_00)
    eggs = ProductFactory(producer=producer, name="Œufs", size="six", price_cents=2_50)
    return DeliveryRoundFactory(
        place=place, producer=producer, goods=[(basket, 3), (eggs, None)], most_pieces=8
    )


@pytest.fixture
def delivery(round: Any) -> Delivery:
    return DeliveryFactory(round=round)


def eggs_of(delivery: Delivery) -> str:
    return delivery.stock.get(product__name="Œufs").product.public_id


def test_an_order_is_counted_charged_told_and_shown(delivery: Delivery, member: Member) -> None:
    basket = product_of(delivery).public_id
    made = place_order(
        member=member,
        delivery=delivery.public_id,
        lines={basket: 2, eggs_of(delivery): 1},
        by=member.user,
        now=NOW,
        channel=Channel.API,
    )
    delivery.refresh_from_db()
    assert (made.quantity, made.total_cents, delivery.ordered) == (3, 26_50, 3)
    assert (made.starts_at, made.ends_at) == (delivery.collect_from, delivery.collect_until)
    assert list(Message.objects.values_list("event", "member")) == [("order.made", member.pk)]
    (one,) = coming(delivery.place, NOW)
    assert [(row.product.name, row.left) for row in one.shelf] == [("Panier", 1), ("Œufs", 5)]
    assert [row.order for row in sheet(delivery)] == [made]
    assert [(one.product.name, one.quantity, one.cents) for one in totals([delivery])] == [
        ("Panier", 2, 24_00),
        ("Œufs", 1, 2_50),
    ]
    assert list(of_household(member)) == list(visible_to(member.user)) == [made]
    after = last_lines(member, delivery.round, AFTER)
    assert after == {basket: 2, eggs_of(delivery): 1}
    assert last_lines(member, delivery.round, NEXT_FRIDAY) == {}
    assert broken() == []


def test_what_cannot_be_ordered_says_why_and_what_is_left(
    delivery: Delivery, member: Member
) -> None:
    basket, eggs = product_of(delivery).public_id, eggs_of(delivery)

    def codes(lines: dict[str, int]) -> list[tuple[str, str | None, dict[str, Any]]]:
        answer = refused(
            place_order, member=member, delivery=delivery, lines=lines, by=member.user, now=NOW
        )
        return [(reason.code, reason.field, reason.facts) for reason in answer.reasons]

    assert codes({basket: 0}) == [("nothing_ordered", "lines", {})]
    assert codes({basket: 21}) == [("quantity_wrong", f"line_{basket}", {})]
    assert codes({"x": 1}) == [("unknown_product", "line_x", {})]
    assert codes({basket: 4}) == [("sold_out", f"line_{basket}", {"left": {basket: 3}})]
    assert codes({eggs: 9}) == [("no_room", "lines", {"left": 8})]
    assert not Order.objects.exists()
    assert broken() == []


def test_the_second_of_the_cut_off_is_too_late_for_everything(
    delivery: Delivery, member: Member
) -> None:
    """Ordered one microsecond before, nothing changes any more at the second itself."""
    last = delivery.cutoff_at - timedelta(microseconds=1)
    made = order(member, delivery, now=last)
    late = {"by": member.user, "now": delivery.cutoff_at}
    other = MemberFactory(place=delivery.place)
    later = DeliveryFactory(round=delivery.round, day=AFTER)
    for answer in (
        refused(order, other, delivery, now=delivery.cutoff_at),
        refused(change_order, made, {product_of(delivery).public_id: 2}, **late),
        refused(move_order, made, later, **late),
        refused(cancel_order, made, **late),
    ):
        assert answer.codes == ["cut_off"]
        moment = words.moment(delivery.cutoff_at)
        said = str(answer.reasons[0].text)
        assert said == f"Les commandes sont closes depuis le {moment}."
    assert broken() == []


def test_who_may_order_of_which_delivery(round: Any, place: Place, member: Member) -> None:
    round.needs_right = True
    round.save()
    delivery = DeliveryFactory(round=round)
    assert refused(order, member, delivery).codes == ["no_right"]
    made = order(with_services(member), delivery)
    assert refused(order, member, delivery).codes == ["ordered_already"]
    cancel_order(made, by=member.user, now=NOW)
    assert order(member, delivery).status == OrderStatus.ORDERED
    stranger = MemberFactory(
        place=PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    )
    assert refused(order, stranger, delivery).codes == ["unknown_delivery"]
    gone = DeliveryFactory(round=round, day=AFTER, status=DeliveryStatus.CANCELLED)
    assert refused(order, member, gone).codes == ["closed"]
    round.producer.is_active = False
    round.producer.save()
    last = DeliveryFactory(round=round, day=AFTER + timedelta(days=7))
    assert refused(order, member, last).codes == ["closed"]
    assert coming(place, NOW) == []


def test_a_change_keeps_the_counters_and_may_use_what_one_has(
    delivery: Delivery, member: Member
) -> None:
    basket, eggs = product_of(delivery).public_id, eggs_of(delivery)
    made = order(member, delivery, 3)
    by = {"by": member.user, "now": NOW}
    assert refused(change_order, made, {basket: 4}, **by).codes == ["sold_out"]
    assert refused(change_order, made, {basket: 3, eggs: 6}, **by).codes == ["no_room"]
    changed = change_order(made, {basket: 2, eggs: 6}, **by)
    delivery.refresh_from_db()
    assert (changed.quantity, changed.total_cents, delivery.ordered) == (8, 39_00, 8)
    assert change_order(changed, {basket: 2, eggs: 6}, **by).sequence == changed.sequence == 1
    delivery.stock.filter(product__name="Panier").update(is_withdrawn=True)
    assert change_order(changed, {basket: 1}, **by).quantity == 1
    assert refused(change_order, changed, {basket: 2}, **by).codes == ["sold_out"]
    assert Message.objects.filter(event="order.changed").count() == 1
    assert broken() == []


def test_an_order_moves_to_another_date_and_keeps_its_reference(
    delivery: Delivery, member: Member
) -> None:
    made = order(member, delivery, 2)
    later = DeliveryFactory(round=delivery.round, day=AFTER)
    moved = move_order(made, later, by=member.user, now=NOW)
    delivery.refresh_from_db()
    later.refresh_from_db()
    assert (moved.reference, moved.delivery, moved.sequence) == (made.reference, later, 1)
    assert (delivery.ordered, later.ordered) == (0, 2)
    elsewhere = DeliveryFactory(round=DeliveryRoundFactory(producer=delivery.producer))
    assert refused(move_order, moved, elsewhere, by=member.user, now=NOW).codes == [
        "unknown_product"
    ]
    order(member, delivery)
    assert refused(move_order, moved, delivery, by=member.user, now=NOW).codes == [
        "ordered_already"
    ]
    assert broken() == []


def test_a_page_pressed_twice_orders_once(delivery: Delivery, member: Member) -> None:
    made = [
        order_once(form_key="k", member=member, make=lambda: order(member, delivery))
        for _press in range(2)
    ]
    assert made[0] == made[1]
    assert Order.objects.count() == 1


def test_an_order_costs_few_statements(delivery: Delivery, member: Member) -> None:
    """BEGIN and COMMIT apart. With the API's own this stays under fourteen."""
    lines = {product_of(delivery).public_id: 1, eggs_of(delivery): 2}
    asked = {"member": member, "lines": lines, "by": member.user, "now": NOW}
    with CaptureQueriesContext(connection) as queries:
        place_order(delivery=delivery.public_id, **asked)
    # Read, order, lines, charge, two counters, log, message. Where a row's lock is one, the
    # last two leave together.
    assert len(queries) == 8, [query["sql"] for query in queries]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_cost_the_same_however_long(round: Any, rows: int) -> None:
    days = [NEXT_FRIDAY + timedelta(weeks=week) for week in range(rows)]
    deliveries = [DeliveryFactory(round=round, day=day) for day in days]
    for _number in range(rows):
        OrderFactory(delivery=deliveries[0])
    with CaptureQueriesContext(connection) as queries:
        assert len(coming(round.place, NOW)) == rows
    assert len(queries) == 2
    with CaptureQueriesContext(connection) as queries:
        assert len(sheet(deliveries[0])) == rows
    assert len(queries) == 4
    with CaptureQueriesContext(connection) as queries:
        totals(deliveries)
    assert len(queries) == 2


def test_who_has_a_standing_order_and_nothing_today_is_greyed_on_the_sheet(
    delivery: Delivery, member: Member
) -> None:
    lines = {product_of(delivery).public_id: 1}
    stood = stand(member=member, round=delivery.round, lines=lines, by=member.user, now=NOW)
    assert [row.absent for row in sheet(delivery)] == [False]
    pause_standing(stood.standing, NEXT_FRIDAY, NEXT_FRIDAY, by=member.user, now=NOW)
    (row,) = sheet(delivery)
    assert (row.absent, row.name, row.lines) == (True, "Benali Samira", [])


# -- Random acts -----------------------------------------------------------------------------


acts = st.lists(
    st.tuples(
        st.sampled_from(("order", "change", "move", "cancel", "send", "cut", "wait")),
        st.integers(0, 5),
        st.integers(0, 2),
        st.integers(0, 4),
    ),
    min_size=5,
    max_size=25,
)


@given(acts=acts, most=st.integers(1, 6), pieces=st.integers(2, 8))
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_whatever_people_do_no_delivery_promises_more_than_it_has(
    db: None, acts: list[tuple[str, int, int, int]], most: int, pieces: int
) -> None:
    """A plain count beside the product: by delivery and person, how many they have."""
    with transaction.atomic():
        run(acts, most, pieces)
        transaction.set_rollback(True)


def run(acts: list[tuple[str, int, int, int]], most: int, pieces: int) -> None:
    basket = ProductFactory()
    round = DeliveryRoundFactory(
        producer=basket.producer, goods=[(basket, most)], most_pieces=pieces
    )
    days = [NEXT_FRIDAY + timedelta(weeks=week) for week in range(3)]
    deliveries = [DeliveryFactory(round=round, day=day) for day in days]
    people = [MemberFactory(place=round.place) for _ in range(6)]
    has: dict[tuple[int, int], int] = {}
    now, ends = NOW, dict.fromkeys(range(3), min(most, pieces))

    for act, who, which, number in acts:
        member, delivery = people[who], Delivery.objects.get(pk=deliveries[which].pk)
        own = Order.objects.filter(
            member=member, delivery=delivery, status=OrderStatus.ORDERED
        ).first()
        is_open = now < delivery.cutoff_at
        taken = sum(n for (d, _p), n in has.items() if d == which)
        fits = taken - has.get((which, who), 0) + number <= ends[which]
        lines = {basket.public_id: number}
        try:
            if act == "order":
                order(member, delivery, number, now=now)
                assert is_open and number and fits and (which, who) not in has
                has[which, who] = number
            elif act == "change" and own:
                change_order(own, lines, by=member.user, now=now)
                less = number <= has[which, who]
                assert is_open and number and (fits or less)
                has[which, who] = number
            elif act == "cancel" and own:
                cancel_order(own, by=member.user, now=now)
                assert is_open
                del has[which, who]
            elif act == "move" and own:
                other = number % 3
                after = Delivery.objects.get(pk=deliveries[other].pk)
                move_order(own, after, by=member.user, now=now)
                mine = has.pop((which, who))
                assert is_open and now < after.cutoff_at and other != which
                assert sum(n for (d, _p), n in has.items() if d == other) + mine <= ends[other]
                has[other, who] = mine
            elif act == "cut":
                stock = delivery.stock.get()
                set_most(stock, number, by=member.user, now=now)
                ends[which] = min(number, pieces)
                assert taken <= ends[which]
            elif act == "wait":
                now += timedelta(days=number)
            elif act == "send":
                send_due(now)
        except Refused:
            pass
        for number_, one in enumerate(deliveries):
            one.refresh_from_db()
            mine = sum(n for (d, _p), n in has.items() if d == number_)
            if one.status != DeliveryStatus.CANCELLED:
                assert one.ordered == mine <= ends[number_]
    live = Order.objects.filter(status__in=BAKED_FOR, delivery__round=round)
    assert sum(live.values_list("quantity", flat=True)) == sum(has.values())
    assert broken() == []
