"""What a scan or a key does with bread and baskets at the counter, and the words for it.

The first scan of a card opens its person. The same card again, or Enter, hands over what
they have ordered: theirs first, then what another adult of the home has. A reference opens
in the same way, and scanned again it hands over.
"""

from collections.abc import Iterable
from dataclasses import replace

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import words
from club.kernel.refusal import refuse
from club.kernel.spans import local_day
from club.models import Member
from concierge.domain.pickups import hand_over_order, undo_hand_over_order
from concierge.enums import OrderStatus
from concierge.models import Order, Proxy
from concierge.queries.pickups import is_here, with_lines
from desk.acts import TELLERS, UNDOERS, Counter, Facts, perform, seen_of, undo_of, with_owner
from desk.screen import Result, Screen, members_at, person_of

NAMED = ("member__user", "member__household", "delivery__round", "delivery__place", "place")


def goods_words(order: Order) -> str:
    """ "2 Pain de campagne + 1 Panier de légumes, petit", as it is called over the counter."""
    lines = [f"{line.quantity}{words.NBSP}{line.stock.product}" for line in order.lines.all()]
    return " + ".join(lines)


def number_words(number: int) -> str:
    return ngettext("une commande", "%(number)d commandes", number) % {"number": number}


def state_of(order: Order) -> tuple[str, str]:
    """How a screen says what has become of an order: its colour and sound, and the words."""
    facts = {"day": words.day(order.delivery.day)}
    if order.status == OrderStatus.COLLECTED:
        facts["name"] = order.collected_by or _("une personne oubliée depuis")
        facts["moment"] = words.moment(order.collected_at) if order.collected_at else ""
        return "already", _("Remis à %(name)s, %(moment)s.") % facts
    if order.status == OrderStatus.FAILED:
        return "cancelled", _("La livraison de %(day)s est annulée. C’est recrédité.") % facts
    if order.status == OrderStatus.CANCELLED:
        return "cancelled", _("Commande annulée, elle était pour %(day)s.") % facts
    return "wrong", _("Cette commande est pour %(day)s.") % facts


# -- Scanned ---------------------------------------------------------------------------


def by_reference(counter: Counter, code: str) -> Screen | None:
    """Opens its person; with one of that home on the screen it is handed over."""
    found = Order.objects.filter(reference=code, place=counter.place)
    order = with_lines(found.select_related(*NAMED)).first()
    if order is None:
        return None
    stands_here = (
        counter.member is not None and counter.member.household_id == order.member.household_id
    )
    if stands_here:
        if (told := repeated(counter)) is not None:
            return told
        if is_here(order, local_day(counter.now)):
            assert counter.member is not None
            return hand_over(counter, [order], counter.member)
    return opened(counter, order)


def opened(counter: Counter, order: Order) -> Screen:
    if counter.member is None or counter.member.household_id != order.member.household_id:
        member = members_at(counter.place).filter(pk=order.member_id).first()
        counter = replace(counter, member=member)
    way = reverse("desk:delivery", args=[order.delivery.public_id])
    label = _("Voir la livraison")
    if is_here(order, local_day(counter.now)):
        result = Result(
            "done", _("Commande lue."), f"{goods_words(order)}.", way=way, way_label=label
        )
    else:
        kind, text = state_of(order)
        result = Result(kind, _("Attention."), text, way=way, way_label=label)
    return counter.screen(marked=order.reference, result=result)


def by_card_again(counter: Counter) -> Screen | None:
    """The card of who stands here, once more: what they have ordered goes over the counter."""
    assert counter.member is not None
    if (told := repeated(counter)) is not None:
        return told
    person = person_of(counter.member, counter.place, counter.now)
    if not person.baskets:
        return None
    return hand_over(counter, person.baskets[0].orders, counter.member)


def repeated(counter: Counter) -> Screen | None:
    """The answer to a scan that has handed over already, whose answer was lost on the way."""
    if counter.scan is None:
        return None
    seen = seen_of(counter.by, counter.scan).filter(verb="orders").first()
    return None if seen is None else tell_handed_over(counter, seen.facts)


# -- Handed over, and taken back -----------------------------------------------------------


def hand_over(counter: Counter, orders: list[Order], to: Member | Proxy) -> Screen:
    """All of them at once, or none."""

    def work() -> Facts:
        for order in orders:
            hand_over_order(order, to, by=counter.by, now=counter.now)
        return {
            "did": "orders",
            "orders": [order.pk for order in orders],
            "owner": orders[0].member_id,
        }

    return perform(counter, orders[0], work)


def orders_of(counter: Counter, pks: Iterable[int]) -> list[Order]:
    here = Order.objects.filter(place=counter.place, pk__in=list(pks)).select_related(*NAMED)
    return list(with_lines(here).order_by("pk"))


def tell_handed_over(counter: Counter, facts: Facts) -> Screen:
    screen = with_owner(counter, facts).screen()
    orders = orders_of(counter, facts["orders"])
    goods = " + ".join(goods_words(order) for order in orders)
    said = [f"{goods}.", _("À %(name)s.") % {"name": orders[0].collected_by}]
    if screen.person is not None:
        said.append(screen.person.waiting)
    word = _("Remis : %(orders)s.") % {"orders": number_words(len(orders))}
    screen.result = Result("done", word, " ".join(said).rstrip(), undo_of(counter, facts))
    return screen


def undo_orders(counter: Counter, facts: Facts) -> Screen:
    orders = orders_of(counter, facts["orders"])

    def work() -> Facts:
        for order in orders:
            undo_hand_over_order(order, by=counter.by, now=counter.now)
        return {"did": "orders_undone", "orders": facts["orders"], "owner": facts["owner"]}

    if not orders:
        said = _("Il n’y a plus rien à défaire.")
        return counter.screen(result=Result("refused", _("Refusé."), said))
    return perform(counter, orders[0], work)


def tell_undone(counter: Counter, facts: Facts) -> Screen:
    screen = with_owner(counter, facts).screen()
    word = _("Défait : %(orders)s.") % {"orders": number_words(len(facts["orders"]))}
    screen.result = Result("returned", word, _("C’est de nouveau à remettre."))
    return screen


def chosen(counter: Counter, references: Iterable[str]) -> list[Order]:
    """The orders that are ticked, all of one person."""
    here = Order.objects.filter(place=counter.place, reference__in=list(references))
    orders = list(with_lines(here.select_related(*NAMED)).order_by("pk"))
    if not orders or len({order.member_id for order in orders}) > 1:
        raise refuse("none", _("Cochez au moins une commande."))
    return orders


TELLERS["orders"] = tell_handed_over
TELLERS["orders_undone"] = tell_undone
UNDOERS["orders"] = undo_orders
