"""What is handed over of a delivery, on which days, and what becomes of the rest."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import Member, Message, Place, User
from concierge.domain.deliveries import cancel_delivery, make_of, send_due
from concierge.domain.order_fees import balance
from concierge.domain.orders import cancel_order
from concierge.domain.pickups import (
    close,
    hand_over_order,
    mark_missed,
    undo_hand_over_order,
    undo_mark_missed,
    undo_missed,
)
from concierge.domain.standing import stand
from concierge.enums import DeliveryStatus, Leftover, OrderStatus
from concierge.models import Delivery, Order
from concierge.queries.pickups import last_day, of_household
from tests.factories.club import NOW, ClosureFactory, MemberFactory
from tests.factories.orders import (
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    after_cutoff,
)
from tests.factories.parcels import ProxyFactory
from tests.factories.services import on

pytestmark = pytest.mark.django_db

FRIDAY_16 = on(12, 16.5)
CLOSED = on(12, 19)


@pytest.fixture
def delivery(place: Place) -> Delivery:
    return DeliveryFactory(round=DeliveryRoundFactory(place=place))


@pytest.fixture
def order(delivery: Delivery, member: Member) -> Order:
    order: Order = OrderFactory(delivery=delivery, member=member)
    sent(delivery)
    return order


def sent(delivery: Delivery) -> None:
    send_due(after_cutoff(delivery))
    delivery.refresh_from_db()


def broken() -> list[str]:
    return [line for one in all_invariants() for line in one.violations()]


def refused(verb: Any, *args: Any, **kwargs: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as refusal:
        verb(*args, **kwargs)
    reason = refusal.value.reasons[0]
    return reason.code, str(reason.text).replace("\xa0", " ")


def state(order: Order) -> tuple[str, str, bool, bool]:
    order.refresh_from_db()
    return (
        order.status, order.collected_by, order.collected_at is not None,
        order.missed_at is not None,
    )  # fmt: skip


def test_to_the_member_and_taken_back(order: Order, member: Member, concierge_user: User) -> None:
    hand_over_order(order, member, by=concierge_user, now=FRIDAY_16)
    assert state(order) == ("collected", "Samira Benali", True, False)
    again = refused(hand_over_order, order, member, by=concierge_user, now=FRIDAY_16)
    assert again == ("wrong_state", "Ce n’est plus possible : c’est déjà « remis ».")
    undo_hand_over_order(order, by=concierge_user, now=FRIDAY_16)
    assert state(order) == ("ordered", "", False, False)
    nothing = refused(undo_hand_over_order, order, by=concierge_user, now=FRIDAY_16)
    assert nothing == ("wrong_state", "Il n’y a plus rien à défaire.")


def test_to_an_adult_of_the_home_or_a_named_person_and_nobody_else(
    order: Order, member: Member, other_member: Member, concierge_user: User
) -> None:
    at = {"by": concierge_user, "now": FRIDAY_16}
    stranger, theirs = MemberFactory(place=member.place), ProxyFactory(member=other_member)
    for nobody in (stranger, theirs):
        assert refused(hand_over_order, order, nobody, **at)[0] == "not_named"
    partner = MemberFactory(place=member.place, household=member.household, user__first_name="Ali")
    for somebody in (partner, ProxyFactory(member=member)):
        hand_over_order(order, somebody, **at)
        assert state(order)[:2] == ("collected", str(somebody))
        undo_hand_over_order(order, **at)


@pytest.mark.parametrize(
    ("leftover", "at", "code"),
    [
        (Leftover.GIVEN, on(11, 17), "wrong_day"),
        (Leftover.GIVEN, on(12, 7), None),
        (Leftover.GIVEN, on(12, 23), None),
        (Leftover.GIVEN, on(13, 10), "wrong_day"),
        (Leftover.KEPT, on(13, 10), None),
        (Leftover.KEPT, on(16, 10), "wrong_day"),
    ],
)
def test_on_its_day_and_longer_only_where_it_is_kept(
    order: Order, member: Member, concierge_user: User,
    leftover: str, at: datetime, code: str | None,
) -> None:  # fmt: skip
    Delivery.objects.update(leftover=leftover)
    is_shown = [one.pk for one in of_household(member, order.place, at)] == [order.pk]
    assert is_shown
    if code is None:
        hand_over_order(order, member, by=concierge_user, now=at)
        assert state(order)[0] == "collected"
    else:
        assert refused(hand_over_order, order, member, by=concierge_user, now=at)[0] == code


def test_what_is_kept_stays_until_the_next_open_day(order: Order) -> None:
    """Friday's is kept on Saturday; a closed Saturday makes it Tuesday."""
    order.delivery.leftover = Leftover.KEPT
    assert last_day(order.delivery).isoformat() == "2027-03-13"
    ClosureFactory(place=order.place, starts_on=date(2027, 3, 13), ends_on=date(2027, 3, 13))
    fresh = Delivery.objects.select_related("place__landlord").get()
    fresh.leftover = Leftover.KEPT
    assert last_day(fresh).isoformat() == "2027-03-16"


def test_a_cancelled_order_or_delivery_hands_nothing_over(
    delivery: Delivery, member: Member, other_member: Member, concierge_user: User
) -> None:
    gone = OrderFactory(delivery=delivery, member=member)
    cancel_order(gone, by=member.user, now=NOW)
    failed = OrderFactory(delivery=delivery, member=other_member)
    sent(delivery)
    cancel_delivery(delivery, "producer", by=concierge_user, now=FRIDAY_16)
    for order in (gone, failed):
        code = refused(hand_over_order, order, order.member, by=concierge_user, now=FRIDAY_16)[0]
        assert code == "wrong_state"


def test_before_its_cut_off_nothing_is_handed_over_and_what_stands_is_charged_at_it(
    place: Place, member: Member, concierge_user: User
) -> None:
    """The worker may be late: what went over the counter meanwhile is owed all the same."""
    round = DeliveryRoundFactory(place=place, weeks_ahead=1)
    make_of(round, NOW)
    product = round.goods.get().product
    lines = {product.public_id: 1}
    (order,) = stand(member=member, round=round, lines=lines, by=member.user, now=NOW).made
    closes = on(12, 15.5)
    Delivery.objects.update(cutoff_at=closes)
    early = closes - timedelta(minutes=1)
    assert refused(hand_over_order, order, member, by=concierge_user, now=early)[0] == "not_yet"
    hand_over_order(order, member, by=concierge_user, now=FRIDAY_16)
    assert balance(member.household) == 0
    send_due(FRIDAY_16)
    assert balance(member.household) == -order.total_cents
    assert broken() == []


def test_taken_back_after_its_delivery_was_called_off_it_is_credited(
    order: Order, member: Member, concierge_user: User
) -> None:
    hand_over_order(order, member, by=concierge_user, now=FRIDAY_16)
    Delivery.objects.filter(status=DeliveryStatus.DONE).update(status=DeliveryStatus.SENT)
    cancel_delivery(order.delivery, "producer", by=concierge_user, now=FRIDAY_16)
    undo_hand_over_order(order, by=concierge_user, now=FRIDAY_16)
    assert (state(order)[0], balance(member.household)) == ("failed", 0)
    assert Message.objects.filter(event="order.failed", subject_id=order.pk).count() == 1
    assert broken() == []


def test_once_its_last_day_is_past_nothing_is_taken_back(
    delivery: Delivery, member: Member, concierge_user: User
) -> None:
    by = {"by": concierge_user}
    fetched, left = OrderFactory(delivery=delivery, member=member), OrderFactory(delivery=delivery)
    sent(delivery)
    hand_over_order(fetched, member, **by, now=FRIDAY_16)
    mark_missed(delivery, **by, now=CLOSED)
    saturday = on(13, 10)
    said = ("over", "Cette livraison est passée : on n’y défait plus rien.")
    assert refused(undo_hand_over_order, fetched, **by, now=saturday) == said
    assert refused(undo_missed, left, **by, now=saturday) == said
    assert refused(undo_mark_missed, delivery, CLOSED, **by, now=saturday) == said
    assert [state(one)[0] for one in (fetched, left)] == ["collected", "missed"]
    Delivery.objects.update(leftover=Leftover.KEPT)
    undo_hand_over_order(fetched, **by, now=saturday)
    undo_missed(left, **by, now=saturday)
    assert [state(one)[0] for one in (fetched, left)] == ["ordered", "ordered"]
    assert broken() == []


@pytest.mark.parametrize(
    ("at", "code"),
    [(on(11, 17), "wrong_day"), (on(13, 10), None), (on(26, 23), None), (on(27, 1), "wrong_day")],
)
def test_a_hand_over_that_nobody_noted_is_noted_for_two_weeks(
    order: Order, member: Member, concierge_user: User, at: datetime, code: str | None
) -> None:
    by = {"by": concierge_user, "now": at}
    assert refused(hand_over_order, order, member, **by)[0] == "wrong_day"
    if code is None:
        hand_over_order(order, member, **by, is_late=True)
        assert state(order)[:3] == ("collected", "Samira Benali", True)
    else:
        assert refused(hand_over_order, order, member, **by, is_late=True)[0] == code


def test_what_was_noted_as_not_fetched_is_not_noted_as_handed_over_later(
    order: Order, member: Member, concierge_user: User
) -> None:
    mark_missed(order.delivery, by=concierge_user, now=CLOSED)
    late = {"by": concierge_user, "now": on(13, 10), "is_late": True}
    assert refused(hand_over_order, order, member, **late)[0] == "wrong_day"
    assert state(order)[0] == "missed"


# -- What is left --------------------------------------------------------------------------------


def test_what_nobody_fetched_is_noted_in_one_go_and_taken_back(
    delivery: Delivery, member: Member, concierge_user: User
) -> None:
    fetched = OrderFactory(delivery=delivery, member=member)
    left = [OrderFactory(delivery=delivery) for _each in range(2)]
    sent(delivery)
    by = {"by": concierge_user}
    hand_over_order(fetched, member, **by, now=FRIDAY_16)
    early = refused(mark_missed, delivery, **by, now=CLOSED - timedelta(seconds=1))
    assert early == ("too_early", "Le retrait dure jusqu’à 19 h. Notez les absents ensuite.")
    assert refused(close, delivery, **by, now=CLOSED)[0] == "still_waiting"
    assert mark_missed(delivery, **by, now=CLOSED) == 2
    assert [state(one)[0] for one in (fetched, *left)] == ["collected", "missed", "missed"]
    assert told() == {one.member.pk for one in left}
    delivery.refresh_from_db()
    assert (delivery.status, delivery.done_at) == (DeliveryStatus.DONE, CLOSED)
    assert refused(mark_missed, delivery, **by, now=CLOSED)[0] == "wrong_state"
    assert undo_mark_missed(delivery, CLOSED, **by, now=CLOSED) == 2
    assert refused(undo_mark_missed, delivery, CLOSED, **by, now=CLOSED)[0] == "wrong_state"
    delivery.refresh_from_db()
    assert (delivery.status, delivery.done_at) == (DeliveryStatus.SENT, None)
    assert told() == set()


def told() -> set[int | None]:
    return set(Message.objects.filter(event="order.missed").values_list("member", flat=True))


def test_who_comes_late_gets_theirs_and_is_told_nothing(
    order: Order, member: Member, concierge_user: User
) -> None:
    by = {"by": concierge_user}
    mark_missed(order.delivery, **by, now=CLOSED)
    hand_over_order(order, member, **by, now=CLOSED + timedelta(minutes=5))
    assert state(order) == ("collected", "Samira Benali", True, False)
    assert told() == set()
    undo_hand_over_order(order, **by, now=CLOSED + timedelta(minutes=6))
    assert Delivery.objects.get().status == DeliveryStatus.SENT
    assert refused(undo_missed, order, **by, now=CLOSED)[0] == "wrong_state"


def test_nothing_left_closes_it(order: Order, member: Member, concierge_user: User) -> None:
    by = {"by": concierge_user}
    assert refused(close, order.delivery, **by, now=on(12, 9))[0] == "too_early"
    hand_over_order(order, member, **by, now=FRIDAY_16)
    close(order.delivery, **by, now=FRIDAY_16)
    assert Delivery.objects.get().status == DeliveryStatus.DONE


def test_missed_stays_paid(order: Order, member: Member, concierge_user: User) -> None:
    from concierge.domain.order_fees import balance

    before = balance(member.household)
    mark_missed(order.delivery, by=concierge_user, now=CLOSED)
    assert balance(member.household) == before == -order.total_cents
    assert order.status == OrderStatus.ORDERED
