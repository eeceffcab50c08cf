"""How bread and baskets look: cut-offs, prices, what is left and tickets, in words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.domain.household import adults_of
from club.kernel import codes, words
from club.kernel.spans import local_day
from club.models import Member
from concierge.domain import order_fees as fees
from concierge.domain.standing import weekdays_of
from concierge.enums import Allergen, DeliveryStatus
from concierge.models import (
    Delivery,
    DeliveryRound,
    DeliveryStock,
    Order,
    Product,
    StandingLine,
    StandingOrder,
)
from concierge.models.orders import MOST_PIECES
from concierge.order_forms import BasketForm, price_name, quantity_name
from concierge.order_letters import with_weekdays
from concierge.queries.parcels import live_proxies
from concierge.views.shown import SlotButton, row
from concierge.views.shown_services import day_words

PICTURE = "tiles/pain-paniers"
FEW = 10
"""From how many pieces on nobody needs to hurry."""


def address_of(delivery: Delivery, wanted: Mapping[str, int] | None = None) -> str:
    url = reverse("orders:delivery", args=[delivery.public_id])
    return with_quantities(url, wanted or {})


def checked_at(delivery: Delivery, wanted: Mapping[str, int]) -> str:
    """The page that says the total of these quantities."""
    return with_quantities(reverse("orders:check", args=[delivery.public_id]), wanted)


def with_quantities(url: str, wanted: Mapping[str, int]) -> str:
    query = urlencode({f"line_{public_id}": number for public_id, number in wanted.items()})
    return f"{url}?{query}" if query else url


def cutoff_words(delivery: Delivery) -> str:
    """ "Commandez avant mercredi 25 novembre à 12 h"."""
    until = {"moment": words.moment(delivery.cutoff_at)}
    return _("Commandez avant %(moment)s") % until


def hours_words(delivery: Delivery) -> str:
    return words.span(delivery.collect_from, delivery.collect_until)


def allergens_words(product: Product) -> str:
    """ "Contient : gluten, lait.", or that there are none: silence would leave a doubt."""
    known = dict(Allergen.choices)
    said = [str(known[code]) for code in product.allergens if code in known]
    if not product.allergens:
        return _("Aucun allergène à déclarer.")
    return _("Contient : %(allergens)s.") % {"allergens": ", ".join(said)} if said else ""


def left_of(stock: DeliveryStock, own: int = 0) -> int | None:
    """How many this member can have: those left, and their own."""
    return None if stock.left is None else stock.left + own


def left_words(stock: DeliveryStock) -> str:
    left = left_of(stock)
    if left is None or left > FEW:
        return ""
    if left == 0:
        return _("Épuisé")
    return ngettext("Plus qu’un", "Plus que %(left)d", left) % {"left": left}


def too_few_words(left: int) -> str:
    if not left:
        return _("Ce produit est épuisé.")
    return ngettext("Il n’en reste qu’un.", "Il n’en reste que %(left)d.", left) % {"left": left}


def is_sold_out(delivery: Delivery) -> bool:
    return all(left_of(stock) == 0 for stock in delivery.shelf)


def delivery_button(delivery: Delivery, today: date) -> tuple[str, SlotButton]:
    """One date of a round: when it comes, until when it is ordered, and what is scarce."""
    said = f"{hours_words(delivery)}. {cutoff_words(delivery)}."
    lefts = [left_of(stock) for stock in delivery.shelf]
    if lefts and None not in lefts:
        left = max(left for left in lefts if left is not None)
        if 0 < left <= FEW:
            text = ngettext("Plus qu’un produit.", "Plus que %(left)d.", left)
            said = f"{said} {text % {'left': left}}"
    taken = is_sold_out(delivery)
    return address_of(delivery), SlotButton(
        delivery.public_id, day_words(delivery.day, today), capfirst(said), taken
    )


def round_section(
    round: DeliveryRound,
    ahead: Sequence[Delivery],
    ordered: Mapping[int, str],
    now: datetime,
    most: int | None,
) -> dict[str, Any]:
    """One round of the list: who brings what, for how much, and its next dates."""
    today = local_day(now)
    offered = {stock.product_id: stock for one in reversed(ahead) for stock in one.shelf}
    return {
        "round": round,
        "picture": round.picture or PICTURE,
        "goods": [
            {
                "product": stock.product,
                "price": words.money(stock.unit_cents),
                "allergens": allergens_words(stock.product),
            }
            for stock in sorted(offered.values(), key=in_order)
            if not stock.is_withdrawn
        ],
        "dates": [
            (*delivery_button(delivery, today), ordered.get(delivery.pk, ""))
            for delivery in ahead[:most]
        ],
    }


def in_order(stock: DeliveryStock) -> tuple[int, str, int]:
    return stock.product.position, str(stock.product), stock.pk


def line_words(number: int, product: Product) -> str:
    """ "2 × Pain de campagne, 1 kg"."""
    return f"{number}{words.NBSP}× {product}"


def wanted_words(wanted: Mapping[str, int], goods: Iterable[tuple[Product, int]]) -> str:
    return ", ".join(
        line_words(wanted[product.public_id], product)
        for product, _cents in goods
        if product.public_id in wanted
    )


def lines_words(lines: Iterable[Any]) -> str:
    """What an order or a standing order has, in one line."""
    return ", ".join(line_words(line.quantity, product_of(line)) for line in lines)


def product_of(line: Any) -> Product:
    product: Product = line.stock.product if hasattr(line, "stock_id") else line.product
    return product


def often_words(standing: StandingOrder) -> str:
    """ "Chaque mardi et vendredi"; "Chaque semaine" where its round has one day."""
    return capfirst(with_weekdays(standing, weeks_words(standing)))


def weeks_words(standing: StandingOrder) -> str:
    if standing.every_weeks == 1:
        return _("chaque semaine")
    if standing.every_weeks == 2:
        return _("toutes les deux semaines")
    return _("toutes les %(number)d semaines") % {"number": standing.every_weeks}


def cost_words(standing: StandingOrder, lines: Iterable[StandingLine]) -> str:
    """ "10 € par semaine" at today's prices: what all its days come to together."""
    cents = sum(line.quantity * line.product.price_cents for line in lines)
    if standing.round.every_weeks > 1:
        return _("%(money)s par livraison") % {"money": words.money(cents)}
    names = {
        "money": words.money(cents * len(weekdays_of(standing))),
        "weeks": standing.every_weeks,
    }
    if standing.every_weeks == 1:
        return _("%(money)s par semaine") % names
    return _("%(money)s toutes les %(weeks)d semaines") % names


def period_words(first: date, last: date | None, today: date) -> str:
    if last is None:
        return _("à partir du %(first)s") % {"first": words.day(first, today)}
    days = {"first": words.day(first, today), "last": words.day(last, today)}
    if first == last:
        return words.day(first, today)
    return _("du %(first)s au %(last)s") % days


def balance_words(cents: int) -> str:
    """What the household has ahead, or owes, for bread and baskets."""
    if cents > 0:
        return _("Votre solde pain et paniers : %(money)s.") % {"money": words.money(cents)}
    if cents < 0:
        return _("À payer pour le pain et les paniers : %(money)s.") % {
            "money": words.money(-cents)
        }
    return _("Vous n’avez rien à payer pour le pain et les paniers.")


def paid_words(order: Order, held: int) -> str:
    """How an order is paid where nothing is owed now."""
    if held < 0:
        return ""
    if not fees.is_charged_now(order):
        return _("Chaque commande est payée quand elle part chez le producteur.")
    if not order.total_cents:
        return ""
    return _("C’est payé. Il vous reste %(money)s de solde.") % {"money": words.money(held)}


def closed_words(delivery: Delivery) -> str:
    if delivery.status == DeliveryStatus.CANCELLED:
        return _("Cette livraison n’a pas lieu")
    until = {"moment": words.moment(delivery.cutoff_at)}
    return _("Les commandes sont closes depuis %(moment)s") % until


def collectors(member: Member, today: date) -> list[str]:
    """Who may take it along: the adults of the home, and whom the member has named."""
    adults = [adult.first_name for adult in adults_of(member.household) if adult.pk != member.pk]
    return [*adults, *(str(proxy) for proxy in live_proxies([member], today))]


def ticket(order: Order, now: datetime) -> dict[str, Any]:
    """The cloakroom ticket: what, reference, when, where, for how much."""
    delivery, place = order.delivery, order.place
    rows = [
        row("calendar", _("À retirer"), delivery.day, hours_words(delivery), local_day(now)),
        {"icon": "pin", "label": _("Où"), "strong": place.name, "text": place.address},
        *(
            {
                "icon": "bread",
                "label": str(line.stock.product),
                "strong": f"{line.quantity}{words.NBSP}× {words.money(line.unit_cents)}",
                "text": "",
            }
            for line in order.lines.all()
        ),
        {
            "icon": "tag",
            "label": _("Total"),
            "strong": words.money(order.total_cents),
            "text": "",
        },
    ]
    return {
        "title": delivery.round.name,
        "noun": _("Commande"),
        "label": _("Votre commande"),
        "reference": codes.spoken(order.reference),
        "picture": delivery.round.picture or PICTURE,
        "photo": None,
        "wall": delivery.round.wall,
        "rows": rows,
    }


def may_change(delivery: Delivery, now: datetime) -> bool:
    return delivery.status == DeliveryStatus.OPEN and now < delivery.cutoff_at


def quantity_fields(
    form: BasketForm, shelf: Iterable[DeliveryStock], own: Mapping[str, int], picture: str
) -> list[dict[str, Any]]:
    """Each product as its page draws it: what it is, its price, its field."""
    fields = []
    for stock in shelf:
        product = stock.product
        left = left_of(stock, own.get(product.public_id, 0))
        fields.append(
            {
                "product": product,
                "picture": product.picture or picture or PICTURE,
                "cents": stock.unit_cents,
                "allergens": allergens_words(product),
                "left": left_words(stock),
                "is_out": left == 0,
                "most": MOST_PIECES if left is None else min(left, MOST_PIECES),
                "field": form[quantity_name(product)],
                "price_name": price_name(product),
            }
        )
    return fields
