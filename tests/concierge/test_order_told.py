"""What orders tell, recall each morning, and forget."""

from datetime import time, timedelta
from typing import Any

import pytest

from club.kernel import letters, personal
from club.kernel.invariants import all_invariants
from club.kernel.personal import Traces
from club.kernel.spans import at
from club.models import Member, Message
from concierge.domain.deliveries import cancel_delivery, make_of
from concierge.domain.order_personal import (
    forget,
    forget_old_collectors,
    old_pauses,
    still_coming,
)
from concierge.domain.order_reminders import write_order_reminders
from concierge.domain.standing import pause_standing, stand
from concierge.enums import OrderStatus
from concierge.models import Order, StandingOrder, StandingPause
from concierge.order_letters import ORDERS, STANDING
from tests.factories.orders import (
    NEXT_FRIDAY,
    NOW,
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    product_of,
)

pytestmark = pytest.mark.django_db
NOBODY = Traces(frozenset(), frozenset(), "")


def letter_of(event: str, subject: Any, now: Any = NOW, **facts: Any) -> Any:
    message = Message(event=event, facts=facts, member=subject.member, subject_id=subject.pk)
    sort = letters.sort_of(event)
    assert sort is not None
    return sort.write(message, sort.load([subject.pk])[subject.pk], now)


def is_wanted(event: str, subject: Any, now: Any, **facts: Any) -> bool:
    message = Message(event=event, facts=facts, member=subject.member, subject_id=subject.pk)
    sort = letters.sort_of(event)
    assert sort is not None
    return sort.is_wanted(message, sort.load([subject.pk])[subject.pk], now)


@pytest.fixture
def order(member: Member) -> Order:
    round = DeliveryRoundFactory(place=member.place, name="Paniers")
    found: Order = OrderFactory(delivery=DeliveryFactory(round=round), member=member)
    return found


def test_each_thing_told_of_an_order_has_its_day_its_words_and_its_goods(order: Order) -> None:
    subjects = {event: letter_of(event, order, credited=1200).subject for event in ORDERS}
    assert subjects == {
        "order.made": "C’est commandé : Paniers, vendredi 12 mars",
        "order.changed": "Commande changée : Paniers, vendredi 12 mars",
        "order.moved": "Nouvelle date : Paniers, vendredi 12 mars",
        "order.cancelled": "C’est annulé : Paniers, vendredi 12 mars",
        "order.failed": "Pas de livraison : Paniers, vendredi 12 mars",
        "order.unpaid": "Pas de commande : Paniers, vendredi 12 mars",
        "order.missed": "Commande non retirée : Paniers, vendredi 12 mars",
        "order.today": "Aujourd’hui, de 16 h à 19 h : Paniers",
    }
    made = letter_of("order.made", order)
    assert f"1 × {product_of(order.delivery)}" in made.text
    assert "Il reste 12 € à payer" in made.text
    assert [one.name for one in made.attachments] == ["commande.ics"]
    failed = letter_of("order.failed", order, credited=1200).text
    assert "12 € reviennent sur votre compte pain et paniers." in failed
    late = order.ends_at
    assert [event for event in ORDERS if is_wanted(event, order, NOW)] == [
        "order.made", "order.changed", "order.moved",
    ]  # fmt: skip
    assert not any(is_wanted(event, order, late) for event in ORDERS)


def test_each_thing_told_of_a_standing_order(order: Order) -> None:
    lines = {product_of(order.delivery).public_id: 1}
    member = order.member
    standing = stand(
        member=member, round=order.delivery.round, lines=lines, every_weeks=2,
        by=member.user, now=NOW,
    ).standing  # fmt: skip
    facts = {
        "first": "2027-03-12", "last": "2027-03-19", "day": "2027-03-12", "why": "sold_out",
        "product": "Panier", "skipped": [["2027-03-12", "ordered_already"]],
    }  # fmt: skip
    found = {event: letter_of(event, standing, **facts) for event in STANDING}
    assert {event: letter.subject for event, letter in found.items()} == {
        "standing.begun": "Commande régulière : Paniers",
        "standing.changed": "Commande régulière changée : Paniers",
        "standing.paused": "Commande régulière en pause : Paniers",
        "standing.ended": "Commande régulière arrêtée : Paniers",
        "standing.withdrawn": "Un produit s’arrête : Paniers",
        "standing.skipped": "Pas de commande vendredi 12 mars : Paniers",
    }
    begun = found["standing.begun"].text
    assert "vendredi 12 mars (vous avez déjà une commande)" in begun
    assert "toutes les 2 semaines" in begun


def test_the_morning_of_the_collection_recalls_once_with_the_days_other_reminders(
    order: Order,
) -> None:
    morning = at(NEXT_FRIDAY, time(7))
    for moment in (morning - timedelta(days=1), morning, morning):
        write_order_reminders(moment)
    (message,) = Message.objects.filter(event="order.today")
    assert (message.group, message.due_at) == ("reminder", at(NEXT_FRIDAY, time(8)))
    assert is_wanted("order.today", order, message.due_at, **message.facts)
    assert not is_wanted("order.today", order, morning + timedelta(days=1), **message.facts)


def test_who_is_erased_leaves_what_was_paid_and_no_absence(order: Order) -> None:
    member, round = order.member, order.delivery.round
    make_of(round, NOW)
    lines = {product_of(order.delivery).public_id: 1}
    standing = stand(member=member, round=round, lines=lines, by=member.user, now=NOW).standing
    pause_standing(standing, NEXT_FRIDAY, NEXT_FRIDAY, by=member.user, now=NOW)
    assert list(still_coming(member, NOW)) == []
    sent_at = order.delivery.cutoff_at
    assert [reason.code for reason in still_coming(member, sent_at)] == ["order_waits"]
    Order.objects.filter(pk=order.pk).update(collected_by="Samira Benali", collected_at=NOW)
    forget(member, NOBODY, by=member.user, now=NOW)
    standing.refresh_from_db()
    assert standing.ended_at == NOW
    live = Order.objects.filter(member=member, status=OrderStatus.ORDERED)
    assert not live.exists() and not StandingPause.objects.exists()
    assert set(Order.objects.values_list("collected_by", flat=True)) == {""}
    assert "commandes" in {room.name for room in personal.rooms()}
    assert [line for one in all_invariants() for line in one.violations()] == []


def test_after_its_term_nobody_knows_who_was_away_or_collected(order: Order) -> None:
    long_after = NOW + timedelta(days=2000)
    standing = StandingOrder.objects.create(
        member=order.member, round=order.delivery.round, starts_on=NEXT_FRIDAY, created_at=NOW
    )
    pause = StandingPause.objects.create(
        standing=standing, first_on=NEXT_FRIDAY, last_on=NEXT_FRIDAY
    )
    Order.objects.update(collected_by="Marc Diallo", collected_at=NOW)
    assert list(old_pauses(long_after)) == [pause]
    assert list(old_pauses(NOW)) == []
    forget_old_collectors(NOW)
    assert Order.objects.get().collected_by == "Marc Diallo"
    forget_old_collectors(long_after)
    assert Order.objects.get().collected_by == ""


def test_what_a_closure_cancels_is_credited_in_one_letter(order: Order) -> None:
    later = DeliveryFactory(round=order.delivery.round, day=NEXT_FRIDAY + timedelta(days=7))
    OrderFactory(delivery=later, member=order.member)
    Message.objects.all().delete()
    for delivery in (order.delivery, later):
        cancel_delivery(delivery, "closed", by=None, now=NOW)
    found = Message.objects.order_by("pk")
    assert {(one.member_id, one.group, one.due_at) for one in found} == {
        (order.member_id, "orders", found[0].due_at)
    }
    letter = letter_of("order.failed", order, credited=1200)
    assert "l’accueil est fermé" in letter.text
