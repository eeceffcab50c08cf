"""The screen of an order of bread or baskets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from club.kernel import words
from club.kernel.spans import local_day
from club.models import User
from club.queries.paying import pays_online
from concierge.domain import order_fees as fees
from concierge.domain.orders import cancel_order, move_order
from concierge.enums import DeliveryStatus, Leftover, OrderStatus
from concierge.models import Delivery, Order
from concierge.order_forms import DeliveryChoiceForm
from concierge.queries.deliveries import on_shelves
from concierge.views import shown_orders as shown
from concierge.views.shown import SlotButton
from concierge.views.shown_services import day_words
from portal.screen import Says, Screen, ToPay

FEW, MORE = 4, 60
PAID = (OrderStatus.ORDERED, OrderStatus.COLLECTED, OrderStatus.MISSED)


def leftover_words(booking: Order) -> str:
    return {
        Leftover.KEPT: _("Nous la gardons jusqu’au jour ouvert suivant."),
        Leftover.GIVEN: _("Elle est donnée à une association."),
        Leftover.SHARED: _("Elle est partagée entre ceux qui passent."),
    }[Leftover(booking.delivery.leftover)]


class OrderScreen(Screen):
    slot_form = DeliveryChoiceForm

    def ticket(self, booking: Order, now: datetime) -> dict[str, Any]:
        return shown.ticket(booking, now)

    def acts(self, booking: Order, now: datetime) -> set[str]:
        if booking.status == OrderStatus.ORDERED and shown.may_change(booking.delivery, now):
            return {"lines", "move", "cancel"}
        return set()

    def says(self, booking: Order) -> Says:
        return Says(
            title=_("Ma commande : %(title)s") % {"title": booking.delivery.round.name},
            noun=_("Commande"),
            move=_("Changer le jour ou le lieu"),
            when=_("Quand et où la retirez-vous ?"),
            no_other=_("Aucune autre livraison n’est ouverte. Votre commande reste."),
            cancel=_("Annuler ma commande"),
            sure=_("Annuler cette commande ?"),
            keep=_("Garder ma commande"),
            lines=_("Changer les quantités"),
        )

    def onward(self, booking: Order) -> tuple[str, str]:
        return reverse("orders:rounds"), _("Commander à nouveau")

    def code(self, booking: Order) -> str:
        """What the desk scans, and what somebody who collects for the member may show."""
        return booking.reference if booking.status == OrderStatus.ORDERED else ""

    def to_pay(self, booking: Order, now: datetime) -> ToPay | None:
        household = booking.member.household
        cents = fees.owed(household) if booking.status in PAID else 0
        if not cents:
            return None
        title = _("À payer en tout, pour votre foyer")
        return ToPay(fees.GOODS, household.pk, cents, pays_online(booking.place), title=title)

    # -- In words

    def next_steps(self, booking: Order, now: datetime) -> list[str]:
        status = OrderStatus(booking.status)
        if status == OrderStatus.ORDERED:
            return ordered_words(booking, now)
        if status == OrderStatus.MISSED:
            missed = _("Vous n’êtes pas venu la retirer. Elle reste payée.")
            return [missed, leftover_words(booking)]
        if status == OrderStatus.COLLECTED:
            return [_("Remise à %(name)s. Merci.") % {"name": booking.collected_by}]
        if status == OrderStatus.FAILED:
            return [_("Cette livraison n’a pas lieu. Son prix est rendu à votre solde.")]
        return [_("Cette commande est annulée. Son prix est rendu à votre solde.")]

    def cancelling(self, booking: Order, now: datetime) -> list[str]:
        said = [_("Le producteur ne la prépare pas. Son prix est rendu à votre solde.")]
        if booking.standing_id is not None:
            said.append(_("Les autres dates de votre commande régulière restent."))
        return said

    # -- The acts

    def buttons(self, booking: Order, now: datetime, more: bool) -> Sequence[SlotButton]:
        """Other dates of the round, and of the same producer at the landlord's other places;
        those near the date that is moved come first."""
        place, delivery = booking.place, booking.delivery
        rows = Delivery.objects.filter(
            Q(place__is_public=True) | Q(place=booking.member.place_id),
            place__landlord=place.landlord_id,
            producer=delivery.producer_id,
            producer__is_active=True,
            round__is_offered=True,
            status=DeliveryStatus.OPEN,
            cutoff_at__gt=now,
        ).exclude(Q(pk=delivery.pk) | Q(orders__in=own_orders(booking)))
        wanted = {line.stock.product_id: line for line in booking.lines.all()}
        found = [one for one in on_shelves(rows) if has_all(one, wanted)]
        found.sort(key=lambda one: abs(one.day - delivery.day))
        return [button(one, booking, wanted, now) for one in found[: MORE if more else FEW]]

    def move(self, booking: Order, slot: str, by: User, now: datetime) -> str:
        moved = move_order(booking, slot, by=by, now=now)
        facts = {"day": words.day(moved.delivery.day), "place": moved.place.name}
        if moved.place_id != booking.place_id:
            return _("C’est changé. Venez %(day)s, à : %(place)s.") % facts
        return _("C’est changé. Venez %(day)s.") % facts

    def cancel(self, booking: Order, by: User, now: datetime) -> str:
        cancel_order(booking, by=by, now=now)
        return _("C’est annulé. Le producteur ne la prépare pas.")


def own_orders(booking: Order) -> Any:
    """The member's orders of other dates: one moves to none of those."""
    return Order.objects.filter(member=booking.member_id, status__in=PAID).exclude(pk=booking.pk)


def has_all(delivery: Delivery, wanted: dict[int, Any]) -> bool:
    left = {stock.product_id: stock.left for stock in delivery.shelf}
    free = [left.get(product, 0) for product in wanted]
    return all(
        free_ is None or free_ >= line.quantity
        for free_, line in zip(free, wanted.values(), strict=True)
    )


def button(delivery: Delivery, booking: Order, wanted: dict[int, Any], now: datetime) -> SlotButton:
    prices = {stock.product_id: stock.unit_cents for stock in delivery.shelf}
    total = sum(prices[product] * line.quantity for product, line in wanted.items())
    said = [capfirst(shown.hours_words(delivery))]
    if delivery.place_id != booking.place_id:
        said.append(_("À : %(place)s") % {"place": delivery.place.name})
    if total != booking.total_cents:
        said.append(_("Total : %(money)s") % {"money": words.money(total)})
    label = day_words(delivery.day, local_day(now))
    return SlotButton(delivery.public_id, label, ". ".join(said) + ".")


def ordered_words(booking: Order, now: datetime) -> list[str]:
    if now >= booking.ends_at:
        return [_("L’heure du retrait est passée. Appelez l’accueil.")]
    said = [_("Venez avec votre carte, ou montrez ce code.")]
    if shown.may_change(booking.delivery, now):
        until = {"moment": words.until(booking.delivery.cutoff_at)}
        said.append(_("Vous pouvez changer ou annuler jusqu’au %(moment)s.") % until)
    else:
        said.append(_("Le producteur la prépare : elle ne peut plus changer."))
        said.append(_("Un empêchement ? Quelqu’un peut la retirer pour vous."))
    return said
