"""The dates of a round, its hours of the wall, and what becomes of each delivery."""

from datetime import date, time, timedelta
from typing import Any

import pytest

from club.enums import Role
from club.kernel import letters, producers
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.kernel.spans import at, local_day
from club.models import Member, Message, Place, Producer, User
from club.queries.calendar import calendar_of
from concierge.domain.deliveries import (
    cancel_delivery,
    fail,
    hits,
    make_deliveries,
    make_of,
    mark_called,
    send_due,
    set_most,
    shift_delivery,
    withdraw,
)
from concierge.domain.order_fees import balance
from concierge.domain.standing import stand
from concierge.enums import CancelledFor, DeliveryStatus, OnClosed, OrderStatus
from concierge.models import (
    Delivery,
    DeliveryRound,
    DeliveryStock,
    Order,
    RoundProduct,
    StandingOrder,
)
from concierge.queries.deliveries import dates_of, day_of
from concierge.queries.pickups import to_call
from marketplace.domain.atonce import close_and_fail
from marketplace.domain.people import add_person
from marketplace.enums import PartnerStatus
from tests.factories.club import AssignmentFactory, ClosureFactory, PlaceFactory
from tests.factories.marketplace import PartnerFactory
from tests.factories.orders import (
    FRIDAY,
    NEXT_FRIDAY,
    NOW,
    TUESDAY,
    WEDNESDAY,
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    ProductFactory,
    after_cutoff,
)

pytestmark = pytest.mark.django_db
AFTER = NEXT_FRIDAY + timedelta(days=7)


def broken() -> list[str]:
    return [line for one in all_invariants() for line in one.violations()]


def events() -> list[str]:
    return sorted(Message.objects.values_list("event", flat=True))


# -- Dates ------------------------------------------------------------------------------------


def test_every_other_week_is_counted_in_calendar_weeks_over_week_53_and_new_year() -> None:
    """2026 has a week 53. Counted by the number of the week, two dates would touch."""
    round = DeliveryRound(weekdays=[TUESDAY, FRIDAY], every_weeks=2, starts_on=date(2026, 12, 11))
    assert dates_of(round, date(2026, 12, 1), date(2027, 1, 31)) == [
        date(2026, 12, 11),
        date(2026, 12, 22), date(2026, 12, 25),
        date(2027, 1, 5), date(2027, 1, 8),
        date(2027, 1, 19), date(2027, 1, 22),
    ]  # fmt: skip
    round.ends_on = date(2027, 1, 8)
    assert dates_of(round, date(2027, 1, 8), date(2027, 6, 30)) == [date(2027, 1, 8)]


def test_a_closed_day_is_skipped_or_moved_to_an_open_one(place: Place) -> None:
    """The place opens from Tuesday to Saturday; Friday 7 May 2027 follows Ascension Day."""
    ascension, friday, saturday = date(2027, 5, 6), date(2027, 5, 7), date(2027, 5, 8)
    calendar = calendar_of(place)
    round = DeliveryRound(weekdays=[3], starts_on=date(2027, 1, 1), collect_from=time(16))
    moved = {}
    for rule in OnClosed.values:
        round.on_closed = rule
        moved[rule] = day_of(round, ascension, calendar)
    assert moved == {"skip": None, "after": friday, "before": date(2027, 5, 5)}
    round.on_closed, round.weekdays = OnClosed.AFTER, [3, FRIDAY]
    assert day_of(round, ascension, calendar) is None  # Friday has its own
    assert day_of(round, saturday, calendar) == date(2027, 5, 11)  # a holiday of its own
    ClosureFactory(place=place, starts_on=date(2027, 5, 1), ends_on=date(2027, 5, 20))
    place.refresh_from_db()
    assert day_of(round, friday, calendar_of(place)) is None  # nothing open within a week


@pytest.mark.parametrize(
    ("begins", "rule", "comes"),
    [
        (time(10), OnClosed.AFTER, date(2027, 3, 13)),
        (time(16), OnClosed.AFTER, date(2027, 3, 16)),  # on Saturday the desk shuts at one
        (time(16), OnClosed.BEFORE, date(2027, 3, 11)),
        (time(13), OnClosed.BEFORE, date(2027, 3, 11)),  # between noon and two on Fridays too
        (time(19), OnClosed.AFTER, date(2027, 3, 13)),  # this one lives outside the hours
    ],
)
def test_a_moved_date_comes_while_the_desk_is_open(
    place: Place, begins: time, rule: str, comes: date
) -> None:
    round = DeliveryRound(
        weekdays=[FRIDAY], starts_on=date(2027, 1, 1), on_closed=rule, collect_from=begins
    )
    assert day_of(round, NEXT_FRIDAY, calendar_of(place)) == NEXT_FRIDAY
    ClosureFactory(place=place, starts_on=NEXT_FRIDAY, ends_on=NEXT_FRIDAY)
    place.refresh_from_db()
    assert day_of(round, NEXT_FRIDAY, calendar_of(place)) == comes


def test_a_holiday_does_not_make_a_round_one_of_no_hours(place: Place) -> None:
    """Christmas 2026 is a Friday: what is fetched at four then is not so on the Saturday."""
    christmas = date(2026, 12, 25)
    round = DeliveryRound(
        weekdays=[FRIDAY], starts_on=date(2026, 1, 2), on_closed="after", collect_from=time(16)
    )
    assert day_of(round, christmas, calendar_of(place)) == date(2026, 12, 29)


def test_hours_are_of_the_wall_on_both_sides_of_the_change_of_the_clock(place: Place) -> None:
    """The clock goes forward on Sunday 28 March 2027: the cut-off is before, noon by the wall."""
    round = DeliveryRoundFactory(
        place=place, weekdays=[TUESDAY], cutoff_days=3, cutoff_time=time(12), weeks_ahead=4
    )
    make_of(round, NOW)
    found = [
        (one.day, f"{one.cutoff_at:%d %H:%M}", f"{one.collect_from:%d %H:%M}")
        for one in Delivery.objects.filter(day__gte=date(2027, 3, 23)).order_by("day")
    ]
    assert found == [
        (date(2027, 3, 23), "20 11:00", "23 15:00"),
        (date(2027, 3, 30), "27 11:00", "30 14:00"),
        (date(2027, 4, 6), "03 10:00", "06 14:00"),
    ]


def test_the_nightly_job_makes_each_date_once_with_what_is_offered(place: Place) -> None:
    kept = ProductFactory(name="Pain", price_cents=3_20)
    gone = ProductFactory(producer=kept.producer, name="Brioche", is_offered=False)
    round = DeliveryRoundFactory(
        place=place, producer=kept.producer, goods=[(kept, 10), (gone, 4)],
        weekdays=[TUESDAY, WEDNESDAY], weeks_ahead=1, cutoff_days=1, most_pieces=30,
    )  # fmt: skip
    DeliveryRoundFactory(place=place, is_offered=False)
    # Today's and tomorrow's cut-offs: the first is over, at 10:24 the second is not.
    assert (make_deliveries(NOW), make_deliveries(NOW)) == (2, 0)
    made = Delivery.objects.order_by("day")
    assert [one.day for one in made] == [date(2027, 3, 10), date(2027, 3, 16)]
    stock = made[0].stock.get()
    assert (stock.product, stock.unit_cents, stock.most, made[0].most_pieces) == (kept, 320, 10, 30)
    shift_delivery(made[1], date(2027, 3, 17), by=None, now=NOW)
    assert make_deliveries(NOW) == 0  # the date that the rule gave stays
    cake = ProductFactory(producer=kept.producer, name="Gâteau")
    RoundProduct.objects.create(round=round, product=cake, most=2)
    make_deliveries(NOW)
    added = DeliveryStock.objects.filter(product=cake).values_list("delivery__day", "most")
    assert sorted(added) == [(date(2027, 3, 10), 2), (date(2027, 3, 17), 2)]
    round.producer.is_active = False
    round.producer.save()
    assert make_deliveries(NOW + timedelta(days=7)) == 0


# -- The cut-off ------------------------------------------------------------------------------


@pytest.fixture
def baker(concierge_user: User) -> tuple[Any, User]:
    """A partner that is live and delivers, with somebody who acts for it."""
    partner = PartnerFactory(
        landlord=concierge_user.assignments.get().place.landlord, name="Fournil", delivers=True
    )
    add_person(
        partner, first_name="Paul", last_name="Petit", email="paul@example.org", by=None, now=NOW
    )
    partner.refresh_from_db()
    return partner, concierge_user


def test_two_places_are_one_message_with_totals_for_each(place: Place) -> None:
    bread = ProductFactory(name="Pain")
    rounds = [
        DeliveryRoundFactory(place=one, producer=bread.producer, goods=[(bread, None)])
        for one in (place, PlaceFactory(name="Accueil du parc"))
    ]
    deliveries = [DeliveryFactory(round=round) for round in rounds]
    for delivery, quantity in zip(deliveries, (2, 3), strict=True):
        OrderFactory(delivery=delivery, lines={bread.public_id: quantity})
    empty = DeliveryFactory(round=DeliveryRoundFactory(place=place, producer=bread.producer))
    last = deliveries[0].cutoff_at
    assert send_due(last - timedelta(seconds=1)) == 0
    assert (send_due(last), send_due(last)) == (3, 0)
    states = dict(Delivery.objects.values_list("pk", "status"))
    assert states == {
        deliveries[0].pk: DeliveryStatus.SENT,
        deliveries[1].pk: DeliveryStatus.SENT,
        empty.pk: DeliveryStatus.CANCELLED,
    }
    # Nobody acts for this producer: the desks call, until somebody has.
    assert [one.pk for one in to_call(place, last)] == [deliveries[0].pk]
    mark_called(deliveries[0], by=Order.objects.all()[0].member.user, now=last)
    assert not to_call(place, last)
    assert broken() == []


def test_the_producers_letter_tells_what_to_make_for_each_place(baker: Any, place: Place) -> None:
    partner, _desk = baker
    assert (partner.producer.name, partner.producer.is_active) == ("Fournil", True)
    bread = ProductFactory(producer=partner.producer, name="Pain")
    for one in (place, PlaceFactory(name="Accueil du parc")):
        round = DeliveryRoundFactory(place=one, producer=partner.producer, goods=[(bread, None)])
        delivery = DeliveryFactory(round=round)
        OrderFactory(delivery=delivery, lines={bread.public_id: 2})
    send_due(delivery.cutoff_at)
    (message,) = Message.objects.filter(event="delivery.sent")
    assert message.user is not None and message.user.email == "paul@example.org"
    sort = letters.sort_of("delivery.sent")
    assert sort is not None
    head = sort.load([message.subject_id])[message.subject_id]
    letter = sort.write(message, head, delivery.cutoff_at)
    assert letter.subject.startswith("Commande du vendredi 12") and "4 pièces" in letter.subject
    assert letter.text.count("2 × Pain") == 2 and "4 × Pain" in letter.text
    assert "Accueil du parc" in letter.text and "/espace-partenaire/" in letter.link
    assert not to_call(place, delivery.cutoff_at)


def test_the_counter_reads_at_the_cut_off_what_comes_and_for_how_many(place: Place) -> None:
    bread = ProductFactory(name="Pain")
    nadia, _same = AssignmentFactory.create_batch(2, place=place)
    AssignmentFactory(place=place, role=Role.EDITOR)
    AssignmentFactory(place=place, user__is_active=False)
    there = AssignmentFactory(place=PlaceFactory(name="Accueil du parc"))
    for here in (place, there.place):
        round = DeliveryRoundFactory(place=here, producer=bread.producer, goods=[(bread, None)])
        delivery = DeliveryFactory(round=round)
        for quantity in (1, 2):
            OrderFactory(delivery=delivery, lines={bread.public_id: quantity})
    empty = DeliveryFactory(round=DeliveryRoundFactory(place=place))
    for now in (delivery.cutoff_at, delivery.cutoff_at + timedelta(minutes=1)):
        send_due(now)
    assert empty.cutoff_at == delivery.cutoff_at
    messages = Message.objects.filter(event="delivery.expected")
    assert messages.count() == 3
    message = messages.get(user=nadia.user)
    theirs = messages.get(user=there.user)
    assert (message.sender, theirs.sender) == (place, there.place)
    sort = letters.sort_of("delivery.expected")
    assert sort is not None
    head = sort.load([message.subject_id])[message.subject_id]
    assert sort.is_wanted(message, head, delivery.cutoff_at)
    letter = sort.write(message, head, delivery.cutoff_at)
    assert letter.subject == "À recevoir vendredi 12\xa0mars\xa0: 3 pièces"
    assert "3 × Pain" in letter.text and "2 commandes" in letter.text
    assert "Appelez" in letter.text and "Accueil du parc" not in letter.text
    assert letter.link.endswith(f"/desk/livraisons/{head.public_id}/")
    cancel_delivery(head, CancelledFor.CLOSED, by=None, now=delivery.cutoff_at)
    head.refresh_from_db()
    assert not sort.is_wanted(message, head, delivery.cutoff_at)


def test_whom_no_message_reaches_is_called(baker: Any, place: Place) -> None:
    partner, _desk = baker
    person = partner.people.get().user
    person.email, person.phone = "", "+33322010021"
    person.save()
    delivery = DeliveryFactory(round=DeliveryRoundFactory(place=place, producer=partner.producer))
    OrderFactory(delivery=delivery)
    send_due(delivery.cutoff_at)
    assert [one.pk for one in to_call(place, delivery.cutoff_at)] == [delivery.pk]


def test_a_partner_and_its_producer_keep_in_step(baker: Any) -> None:
    partner, _desk = baker
    producer = partner.producer
    for change, expected in (
        ({"name": "Fournil neuf", "phone": "+33322450001"}, ("Fournil neuf", True)),
        ({"status": PartnerStatus.PAUSED}, ("Fournil neuf", False)),
        ({"status": PartnerStatus.LIVE, "delivers": False}, ("Fournil neuf", False)),
        ({"delivers": True}, ("Fournil neuf", True)),
    ):
        for name, value in change.items():
            setattr(partner, name, value)
        partner.save()
        producer.refresh_from_db()
        assert (producer.name, producer.is_active) == expected
    assert Producer.objects.count() == 1


def test_on_its_days_off_a_producer_brings_nothing(baker: Any, place: Place) -> None:
    partner, desk = baker
    round = DeliveryRoundFactory(place=place, producer=partner.producer, weeks_ahead=3)
    close_and_fail(partner, NEXT_FRIDAY, NEXT_FRIDAY + timedelta(days=3), by=desk, now=NOW)
    make_of(round, NOW)
    days = Delivery.objects.order_by("day").values_list("day", flat=True)
    assert list(days) == [AFTER, AFTER + timedelta(days=7)]
    assert close_and_fail(partner, AFTER, AFTER, by=desk, now=NOW) == 1
    gone = Delivery.objects.get(day=AFTER)
    assert (gone.status, gone.cancelled_for) == (DeliveryStatus.CANCELLED, "producer")


# -- Cancelled, failed, moved -----------------------------------------------------------------


def test_a_producer_who_fails_credits_everybody_also_after_the_cut_off(member: Member) -> None:
    order = OrderFactory(
        delivery=DeliveryFactory(round=DeliveryRoundFactory(place=member.place)), member=member
    )
    later = DeliveryFactory(round=order.delivery.round, day=AFTER)
    other = OrderFactory(delivery=later, member=member)
    producer = order.delivery.producer
    sent_at = after_cutoff(order.delivery)
    send_due(sent_at)
    Message.objects.all().delete()
    found = hits(producer, NEXT_FRIDAY, AFTER, sent_at)
    assert [(hit.day, hit.orders, hit.pieces) for hit in found] == [
        (NEXT_FRIDAY, 1, 1), (AFTER, 1, 1),
    ]  # fmt: skip
    assert producers.hits(producer, NEXT_FRIDAY, AFTER, sent_at) == found
    assert producers.fail(producer, NEXT_FRIDAY, AFTER, by=None, now=sent_at) == 2
    assert fail(producer, NEXT_FRIDAY, AFTER, by=None, now=sent_at) == 0
    for one in (order, other):
        one.refresh_from_db()
        assert one.status == OrderStatus.FAILED
    assert balance(member.household) == 0
    told = Message.objects.filter(event="order.failed")
    assert [(one.group, one.facts["credited"]) for one in told] == [("orders", 12_00)] * 2
    later.refresh_from_db()
    assert (later.status, later.cancelled_for, later.ordered) == ("cancelled", "producer", 0)
    assert broken() == []


def test_a_delivery_that_comes_another_day_takes_its_orders_along(member: Member) -> None:
    round = DeliveryRoundFactory(place=member.place, collect_from=time(10), collect_until=time(12))
    order = OrderFactory(delivery=DeliveryFactory(round=round))
    delivery = order.delivery
    saturday = NEXT_FRIDAY + timedelta(days=1)
    with pytest.raises(Refused) as sunday:
        shift_delivery(delivery, NEXT_FRIDAY + timedelta(days=2), by=None, now=NOW)
    assert sunday.value.codes == ["closed"]
    shift_delivery(delivery, saturday, by=None, now=NOW)
    order.refresh_from_db()
    delivery.refresh_from_db()
    assert (delivery.planned_on, delivery.day) == (NEXT_FRIDAY, saturday)
    assert delivery.cutoff_at == at(NEXT_FRIDAY, time(12))
    assert (local_day(order.starts_at), order.sequence) == (saturday, 1)
    assert events() == ["order.moved"]
    assert broken() == []


def test_no_hand_moves_a_delivery_to_where_nobody_could_fetch_it(member: Member) -> None:
    delivery = DeliveryFactory(round=DeliveryRoundFactory(place=member.place))
    saturday = NEXT_FRIDAY + timedelta(days=1)
    with pytest.raises(Refused) as refusal:
        shift_delivery(delivery, saturday, by=None, now=NOW)
    [reason] = refusal.value.reasons
    assert (reason.code, reason.field) == ("outside_hours", "day")
    assert str(reason.text).replace("\xa0", " ").replace(" 2027", "") == (
        "Le samedi 13 mars, l’accueil ouvre de 9 h à 13 h : personne ne pourrait retirer à 16 h."
    )
    delivery.refresh_from_db()
    assert delivery.day == NEXT_FRIDAY
    shift_delivery(delivery, NEXT_FRIDAY + timedelta(days=4), by=None, now=NOW)
    shift_delivery(delivery, NEXT_FRIDAY, by=None, now=NOW)
    late = DeliveryRoundFactory(place=member.place, collect_from=time(19), collect_until=time(20))
    shift_delivery(DeliveryFactory(round=late), saturday, by=None, now=NOW)
    assert Delivery.objects.get(round=late).day == saturday


def test_capacity_is_never_cut_under_what_is_promised(member: Member) -> None:
    basket = ProductFactory(price_cents=1_00)
    round = DeliveryRoundFactory(
        place=member.place, producer=basket.producer, goods=[(basket, 5)], most_pieces=9
    )
    delivery = DeliveryFactory(round=round)
    OrderFactory(delivery=delivery, lines={basket.public_id: 3})
    by = {"by": member.user, "now": NOW}
    stock = delivery.stock.get()
    for of in (stock, delivery):
        with pytest.raises(Refused) as found:
            set_most(of, 2, **by)
        assert (found.value.codes, found.value.reasons[0].facts) == (["promised"], {"ordered": 3})
        set_most(of, 3, **by)
    with pytest.raises(Refused):
        OrderFactory(delivery=delivery)
    set_most(stock, None, **by)
    set_most(delivery, None, **by)
    OrderFactory(delivery=delivery, lines={basket.public_id: 20})
    assert broken() == []


def test_a_withdrawn_product_stays_where_it_is_ordered_and_leaves_what_stands(
    member: Member, other_member: Member
) -> None:
    bread, cake = ProductFactory(), ProductFactory()
    round = DeliveryRoundFactory(
        place=member.place, producer=bread.producer, goods=[(bread, None), (cake, None)]
    )
    delivery = DeliveryFactory(round=round)
    both = {bread.public_id: 1, cake.public_id: 1}
    for one, lines in ((member, both), (other_member, {cake.public_id: 2})):
        stand(member=one, round=round, lines=lines, by=one.user, now=NOW)
    Message.objects.all().delete()
    assert withdraw(cake, by=None, now=NOW) == 2
    assert events() == ["standing.ended", "standing.withdrawn"]
    delivery.refresh_from_db()
    assert delivery.ordered == 4  # what is ordered comes
    ended = StandingOrder.objects.exclude(ended_at=None).values_list("member", flat=True)
    assert list(ended) == [other_member.pk]
    with pytest.raises(Refused) as found:
        OrderFactory(delivery=delivery, lines={cake.public_id: 1})
    assert found.value.codes == ["sold_out"]
    DeliveryFactory(round=round, day=AFTER)
    assert broken() == []


def test_each_counter_that_is_wrong_is_found(member: Member) -> None:
    order = OrderFactory(delivery=DeliveryFactory(round=DeliveryRoundFactory(place=member.place)))
    assert broken() == []
    names = {one.name: one for one in all_invariants()}

    def found(name: str) -> int:
        return len(list(names[name].violations()))

    delivery = order.delivery
    Delivery.objects.filter(pk=delivery.pk).update(ordered=2)
    delivery.stock.update(ordered=0)
    assert found("baskets") == 2
    order.lines.update(quantity=3)
    assert found("order-lines") == 1
    Order.objects.filter(pk=order.pk).update(total_cents=1, ends_at=order.starts_at)
    assert (found("order-money"), found("order-hours")) == (1, 1)
    Order.objects.filter(pk=order.pk).update(status=OrderStatus.CANCELLED)
    assert (found("order-money"), found("order-log")) == (1, 1)
