"""How orders are told: to those who ordered, and to the producer at the cut-off.

The words are made when a message leaves, from the thing as it is then. What has been
changed or is over is told of no more, save that it was cancelled.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from club.emails import letter_of
from club.enums import Weekday
from club.kernel import bookings, codes, letters, links, producers, words
from club.kernel.calendars import ics_of
from club.kernel.letters import Attachment, Letter, Sort
from club.kernel.spans import local_day
from club.models import Message
from concierge.domain.order_fees import balance
from concierge.domain.order_reminders import TODAY, is_of_today
from concierge.domain.standing import GROUP, weekdays_of
from concierge.enums import DeliveryStatus, Leftover, OrderStatus
from concierge.models import Delivery, Order, OrderLine, StandingOrder
from concierge.queries.deliveries import baskets_of, totals
from concierge.queries.pickups import to_call

TEMPLATE = "concierge/email/order"
IN_AGENDA = {"order.made", "order.moved", "order.cancelled", "order.failed"}


@dataclass
class Words:
    """A subject, some sentences, and facts in two columns."""

    subject: str
    sentences: list[str] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)

    def context(self) -> dict[str, object]:
        return {"subject": self.subject, "sentences": self.sentences, "facts": self.facts}


# -- Orders ------------------------------------------------------------------------------------


def load(ids: Iterable[int]) -> dict[int, Order]:
    lines = OrderLine.objects.select_related("stock__product").order_by("pk")
    rows = Order.objects.select_related(
        "delivery__round", "delivery__producer", "place__landlord", "member__household"
    )
    return rows.prefetch_related(Prefetch("lines", lines)).in_bulk(list(ids))


def when_of(order: Order, now: datetime) -> str:
    day = words.day(order.delivery.day, local_day(now))
    return f"{day}, {words.span(order.starts_at, order.ends_at)}"


def goods_of(order: Order) -> str:
    return ", ".join(f"{line.quantity} × {line.stock.product}" for line in order.lines.all())


def facts_of(order: Order, now: datetime) -> list[tuple[str, str]]:
    facts = [
        (_("Référence"), codes.spoken(order.reference)),
        (_("Commande"), goods_of(order)),
        (_("Prix"), words.money(order.total_cents)),
    ]
    if order.status == OrderStatus.ORDERED:
        facts.append((_("Retrait"), when_of(order, now)))
        facts.append((_("Où"), f"{order.place.name}, {order.place.address}"))
        if now < order.delivery.cutoff_at and order.delivery.status == DeliveryStatus.OPEN:
            facts.append((_("À changer avant"), words.moment(order.delivery.cutoff_at)))
    return facts


def to_pay(order: Order) -> str:
    owing = -balance(order.member.household)
    if owing <= 0:
        return ""
    return _("Il reste %(money)s à payer, en ligne ou à l’accueil.") % {"money": words.money(owing)}


def credited(message: Message, order: Order) -> str:
    cents = message.facts.get("credited", 0)
    if not cents:
        return _("Vous ne devez rien pour cette commande.")
    return _("%(money)s reviennent sur votre compte pain et paniers.") % {
        "money": words.money(cents)
    }


LEFT = {
    Leftover.KEPT: gettext_lazy("Nous la gardons jusqu’au prochain jour d’ouverture."),
    Leftover.GIVEN: gettext_lazy("Elle est donnée à une association du quartier."),
    Leftover.SHARED: gettext_lazy("Elle est partagée entre ceux qui passent."),
}


def said_of(message: Message, order: Order, now: datetime) -> Words:
    names: dict[str, Any] = {
        "name": order.delivery.round.name,
        "day": words.day(order.delivery.day, local_day(now)),
        "span": words.span(order.starts_at, order.ends_at),
    }
    bring = _("Venez avec votre carte. Une personne que vous avez nommée peut venir.")
    if message.event == "order.made":
        return Words(_("C’est commandé : %(name)s, %(day)s") % names, [bring, to_pay(order)])
    if message.event == "order.changed":
        subject = _("Commande changée : %(name)s, %(day)s") % names
        return Words(subject, [_("Voici votre commande comme elle est maintenant."), to_pay(order)])
    if message.event == "order.moved":
        subject = _("Nouvelle date : %(name)s, %(day)s") % names
        return Words(subject, [_("Votre commande vous attend à cette date."), bring])
    if message.event == "order.cancelled":
        subject = _("C’est annulé : %(name)s, %(day)s") % names
        return Words(subject, [_("Cette commande est annulée. Vous ne devez rien pour elle.")])
    if message.event == "order.failed":
        subject = _("Pas de livraison : %(name)s, %(day)s") % names
        names["why"] = order.delivery.get_cancelled_for_display()
        why = _("Cette livraison n’a pas lieu : %(why)s.") % names
        return Words(subject, [why, credited(message, order)])
    if message.event == "order.unpaid":
        subject = _("Pas de commande : %(name)s, %(day)s") % names
        missing = words.money(message.facts.get("missing", 0))
        why = _("Il vous restait trop à payer : %(money)s.") % {"money": missing}
        return Words(subject, [why, _("Payez, et la prochaine livraison est pour vous.")])
    if message.event == "order.missed":
        subject = _("Commande non retirée : %(name)s, %(day)s") % names
        kept = str(LEFT[Leftover(order.delivery.leftover)])
        return Words(subject, [_("Personne n’est venu la chercher."), kept])
    subject = _("Aujourd’hui, %(span)s : %(name)s") % names
    return Words(subject, [bring])


def agenda_of(order: Order) -> Attachment:
    at = bookings.kind("order").entry(order)
    found = {at.uid: links.booking_link(order.reference)}
    return Attachment("commande.ics", ics_of([at], links=found), "text/calendar")


def write(message: Message, order: Order, now: datetime) -> Letter:
    said = said_of(message, order, now)
    said.sentences = [sentence for sentence in said.sentences if sentence]
    said.facts = facts_of(order, now)
    return letter_of(
        TEMPLATE,
        said.context(),
        button=_("Voir ma commande"),
        link=links.booking_link(order.reference),
        short_link=links.short_booking_link(order.reference, local_day(now)),
        attachments=(agenda_of(order),) if message.event in IN_AGENDA else (),
        together=together(message),
    )


def together(message: Message) -> str:
    return _("%(number)d commandes changent") if message.group == GROUP else ""


def before_it_is_over(*statuses: str) -> Callable[[Message, Order, datetime], bool]:
    return lambda message, order, now: order.status in statuses and now < order.ends_at


def in_status(status: str) -> Callable[[Message, Order, datetime], bool]:
    return lambda message, order, now: order.status == status


ORDERS: dict[str, Any] = {
    "order.made": before_it_is_over(OrderStatus.ORDERED),
    "order.changed": before_it_is_over(OrderStatus.ORDERED),
    "order.moved": before_it_is_over(OrderStatus.ORDERED),
    "order.cancelled": in_status(OrderStatus.CANCELLED),
    "order.unpaid": in_status(OrderStatus.CANCELLED),
    "order.failed": in_status(OrderStatus.FAILED),
    "order.missed": in_status(OrderStatus.MISSED),
    TODAY: is_of_today,
}


# -- Standing orders ---------------------------------------------------------------------------


def load_standing(ids: Iterable[int]) -> dict[int, StandingOrder]:
    rows = StandingOrder.objects.select_related("round__place__landlord", "member")
    return rows.prefetch_related("lines__product").in_bulk(list(ids))


def rhythm(standing: StandingOrder) -> str:
    return with_weekdays(standing, often_words(standing))


def with_weekdays(standing: StandingOrder, often: str) -> str:
    """ "chaque mardi et vendredi"; the day goes without saying where a round has but one."""
    days = weekdays_words(standing)
    if days and standing.every_weeks == 1:
        return _("chaque %(days)s") % {"days": days}
    return f"{days}, {often}" if days else often


def weekdays_words(standing: StandingOrder) -> str:
    found = weekdays_of(standing)
    if len(standing.round.weekdays) < 2 or not found:
        return ""
    *others, last = [str(Weekday(day).label) for day in found]
    if not others:
        return last
    return _("%(days)s et %(last)s") % {"days": ", ".join(others), "last": last}


def often_words(standing: StandingOrder) -> str:
    if standing.every_weeks == 1:
        return _("chaque semaine")
    return ngettext("chaque semaine", "toutes les %(number)d semaines", standing.every_weeks) % {
        "number": standing.every_weeks
    }


def days_in_words(message: Message, now: datetime) -> str:
    """The dates that were left out, each with its reason."""
    found = []
    for day, code in message.facts.get("skipped", ()):
        said = words.day(date.fromisoformat(day), local_day(now))
        found.append(f"{said} ({WHY.get(code, WHY[''])})")
    return ", ".join(found)


WHY: dict[str, Any] = {
    "sold_out": gettext_lazy("plus rien à commander"),
    "no_room": gettext_lazy("plus de place à l’accueil"),
    "ordered_already": gettext_lazy("vous avez déjà une commande"),
    "no_right": gettext_lazy("sans abonnement actif"),
    "right_ends": gettext_lazy("après la fin de votre abonnement"),
    "right_not_begun": gettext_lazy("avant le début de votre abonnement"),
    "closed": gettext_lazy("pas de livraison"),
    "no_delivery": gettext_lazy("l’accueil ou le producteur est fermé"),
    "unknown_product": gettext_lazy("produit qui n’est plus proposé"),
    "": gettext_lazy("pas possible ce jour-là"),
}


def said_of_standing(message: Message, standing: StandingOrder, now: datetime) -> Words:
    names: dict[str, Any] = {"name": standing.round.name}
    left_out = days_in_words(message, now)
    skipped = [_("Sans commande : %(days)s.") % {"days": left_out}] if left_out else []
    if message.event == "standing.begun":
        every = _("Vous n’avez plus rien à faire. Chaque livraison est payée à sa clôture.")
        return Words(_("Commande régulière : %(name)s") % names, [every, *skipped])
    if message.event == "standing.changed":
        subject = _("Commande régulière changée : %(name)s") % names
        return Words(subject, [_("La voici comme elle est maintenant."), *skipped])
    if message.event == "standing.paused":
        first, last = (date.fromisoformat(message.facts[name]) for name in ("first", "last"))
        days = {"first": words.day(first, local_day(now)), "last": words.day(last, local_day(now))}
        text = _("Du %(first)s au %(last)s, rien n’est commandé pour vous.") % days
        return Words(_("Commande régulière en pause : %(name)s") % names, [text])
    if message.event == "standing.ended":
        subject = _("Commande régulière arrêtée : %(name)s") % names
        return Words(subject, [*withdrawn(message), _("Plus rien n’est commandé pour vous.")])
    if message.event == "standing.withdrawn":
        subject = _("Un produit s’arrête : %(name)s") % names
        return Words(subject, [*withdrawn(message), _("Le reste de votre commande continue.")])
    day = words.day(date.fromisoformat(message.facts["day"]), local_day(now))
    subject = _("Pas de commande %(day)s : %(name)s") % {**names, "day": day}
    why = WHY.get(message.facts.get("why", ""), WHY[""])
    return Words(subject, [_("La raison : %(why)s.") % {"why": why}])


def withdrawn(message: Message) -> list[str]:
    product = message.facts.get("product")
    return [_("Le producteur ne propose plus « %(name)s ».") % {"name": product}] if product else []


def standing_facts(standing: StandingOrder) -> list[tuple[str, str]]:
    lines = ", ".join(f"{one.quantity} × {one.product}" for one in standing.lines.all())
    facts = [(_("Référence"), codes.spoken(standing.reference))]
    if lines and standing.ended_at is None:
        facts += [(_("Commande"), lines), (_("Quand"), rhythm(standing))]
    facts.append((_("Où"), standing.round.place.name))
    return facts


def write_standing(message: Message, standing: StandingOrder, now: datetime) -> Letter:
    said = said_of_standing(message, standing, now)
    said.facts = standing_facts(standing)
    return letter_of(
        TEMPLATE,
        said.context(),
        button=_("Voir mes commandes"),
        link=settings.BASE_URL + reverse("portal:orders"),
        together=together(message),
    )


STANDING = (
    "standing.begun",
    "standing.changed",
    "standing.paused",
    "standing.ended",
    "standing.withdrawn",
    "standing.skipped",
)


def is_standing_told(message: Message, standing: StandingOrder, now: datetime) -> bool:
    """What goes on is told while it stands."""
    return message.event == "standing.ended" or standing.ended_at is None


# -- The producer, and the counter ---------------------------------------------------------------


def load_deliveries(ids: Iterable[int]) -> dict[int, Delivery]:
    return Delivery.objects.select_related("round", "place", "producer").in_bulk(list(ids))


def together_of(message: Message, head: Delivery) -> list[Delivery]:
    """All that one message is about, by day and place."""
    found = load_deliveries(message.facts.get("deliveries") or [head.pk])
    return sorted(found.values(), key=lambda one: (one.collect_from, one.place.name, one.pk))


def made_for(delivery: Delivery) -> str:
    lines = [f"{total.quantity} × {total.product}" for total in totals([delivery])]
    if delivery.status == DeliveryStatus.CANCELLED or not lines:
        return _("rien à livrer")
    return ", ".join(lines)


def said_to_producer(message: Message, head: Delivery, now: datetime) -> Words:
    found = together_of(message, head)
    today = local_day(now)
    facts = []
    for one in found:
        label = f"{words.day(one.day, today)}, {one.place.name}"
        facts.append((label, made_for(one)))
        if one.status != DeliveryStatus.CANCELLED:
            where = f"{one.place.address}, {one.place.postcode} {one.place.city}"
            facts.append((_("Où"), where))
    names = {"day": words.day(head.day, today), "name": head.round.name}
    if message.event == "delivery.moved":
        return Words(
            _("Nouveau jour : %(name)s, %(day)s") % names,
            [_("Cette livraison change de jour. Voici ce qui est commandé.")],
            facts,
        )
    if message.event == "delivery.cancelled":
        return Words(
            _("Livraison annulée : %(name)s, %(day)s") % names,
            [_("N’apportez rien ce jour-là."), _("Appelez l’accueil si c’est déjà fait.")],
            facts,
        )
    to_make = sum(one.ordered for one in found if one.status != DeliveryStatus.CANCELLED)
    if not to_make:
        return Words(
            _("Aucune commande : %(name)s, %(day)s") % names,
            [_("Les commandes sont closes. Il n’y a rien à livrer.")],
            facts,
        )
    if len(found) > 1:
        facts += [(_("En tout"), f"{one.quantity} × {one.product}") for one in totals(found)]
    subject = ngettext(
        "Commande du %(day)s : une pièce", "Commande du %(day)s : %(number)d pièces", to_make
    ) % {**names, "number": to_make}
    return Words(
        subject, [_("Les commandes sont closes. Voici ce que vous livrez à chaque lieu.")], facts
    )


def write_to_producer(message: Message, head: Delivery, now: datetime) -> Letter:
    said = said_to_producer(message, head, now)
    return letter_of(
        TEMPLATE,
        said.context(),
        button=_("Voir les commandes"),
        link=producers.address_of(message),
    )


EXPECTED = "delivery.expected"


def is_expected(message: Message, head: Delivery, now: datetime) -> bool:
    return any(one.status == DeliveryStatus.SENT for one in together_of(message, head))


def said_to_counter(message: Message, head: Delivery, now: datetime) -> Words:
    """What comes, how many people come for it, and whom to call: numbers, no names."""
    found = [one for one in together_of(message, head) if one.status == DeliveryStatus.SENT]
    today = local_day(now)
    orders = baskets_of(found)
    facts = []
    for one in found:
        span = words.span(one.collect_from, one.collect_until)
        facts.append((f"{one.round.name}, {words.day(one.day, today)}, {span}", made_for(one)))
        facts.append((_("À remettre"), people_said(orders[one.pk])))
    pieces = sum(one.ordered for one in found)
    subject = ngettext(
        "À recevoir %(day)s : une pièce", "À recevoir %(day)s : %(number)d pièces", pieces
    ) % {"day": words.day(found[0].day, today), "number": pieces}
    said = Words(subject, [_("Les commandes sont closes. Voici ce qui arrive à l’accueil.")], facts)
    if to_call(head.place, now).filter(pk__in=[one.pk for one in found]).exists():
        text = _("Appelez %(producer)s : aucun message ne lui parvient.")
        said.sentences.append(text % {"producer": head.producer})
    return said


def people_said(number: int) -> str:
    return ngettext("une commande", "%(number)d commandes", number) % {"number": number}


def write_to_counter(message: Message, head: Delivery, now: datetime) -> Letter:
    return letter_of(
        TEMPLATE,
        said_to_counter(message, head, now).context(),
        button=_("Ouvrir la livraison"),
        link=settings.BASE_URL + reverse("desk:delivery", args=[head.public_id]),
    )


DELIVERIES = ("delivery.sent", "delivery.moved", "delivery.cancelled")


def register() -> None:
    for event, is_wanted in ORDERS.items():
        letters.register(Sort(event, Order, load, is_wanted, write))
    for event in STANDING:
        letters.register(
            Sort(event, StandingOrder, load_standing, is_standing_told, write_standing)
        )
    letters.register(Sort(EXPECTED, Delivery, load_deliveries, is_expected, write_to_counter))
    for event in DELIVERIES:
        letters.register(
            Sort(event, Delivery, load_deliveries, lambda *_said: True, write_to_producer)
        )
