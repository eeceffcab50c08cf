"""The box of one delivery: a card, a reference or three letters, and one basket goes out.

One scan hands one order over: the card holder's own, else one of their home's. What cannot
go out is told in colour, word and sound, and the next scan goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from club.kernel import codes, words
from club.kernel.people import folded
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Card, Member
from concierge.domain.order_fees import owed
from concierge.domain.pickups import (
    hand_over_order,
    is_over,
    mark_missed,
    undo_hand_over_order,
    undo_mark_missed,
    undo_missed,
)
from concierge.enums import BAKED_FOR, OrderStatus
from concierge.models import Delivery, DeliveryStock, Order
from concierge.queries.pickups import WAITING, orders_of, stock_of
from desk.acts import UNDO_SALT, UNDO_SECONDS, Counter, Facts, once, seen_of
from desk.order_acts import goods_words, state_of
from desk.screen import Result, called

CHOICES = 8
ENOUGH = 3
"""Letters that hand over to whom they name alone; fewer only show who it may be."""
GONE = (OrderStatus.CANCELLED, OrderStatus.FAILED)
LATE_KEY = "après coup "
"""What the list's button puts before a reference; no card and no code says it, so that a scan
never notes what was handed over on a day that is past."""


@dataclass(frozen=True)
class Told(Result):
    """An answer of this box, which is taken back at this page."""

    undo_at: str = ""

    @property
    def undo_url(self) -> str | None:
        return self.undo_at or None


@dataclass
class Screen:
    """The delivery's page: its list, its goods, the last answer."""

    delivery: Delivery
    orders: list[Order]
    stock: list[DeliveryStock]
    told: Told | None = None
    choices: list[Order] = field(default_factory=list)
    marked: int | None = None

    @property
    def url(self) -> str:
        return url_of(self.delivery)

    @property
    def tokens(self) -> str:
        return " ".join(order.reference for order in self.choices)

    @property
    def baked(self) -> list[Order]:
        return [order for order in self.orders if order.status in BAKED_FOR]

    @property
    def gone(self) -> list[Order]:
        """Who gave theirs back, and has nothing else of it."""
        there = {order.member_id for order in self.baked}
        return [
            order for order in self.orders if order.status in GONE and order.member_id not in there
        ]

    @property
    def collected(self) -> int:
        return sum(order.status == OrderStatus.COLLECTED for order in self.baked)

    @property
    def missed(self) -> int:
        return sum(order.status == OrderStatus.MISSED for order in self.baked)

    @property
    def waiting(self) -> int:
        return sum(order.status == OrderStatus.ORDERED for order in self.baked)


def url_of(delivery: Delivery) -> str:
    return reverse("desk:delivery", args=[delivery.public_id])


def screen_of(delivery: Delivery, told: Told | None = None, **more: Any) -> Screen:
    return Screen(delivery, list(orders_of(delivery)), stock_of(delivery), told, **more)


def refused(refusal: Refused) -> Told:
    text = " ".join(str(reason.text) for reason in refusal.reasons)
    kind = "wrong" if "wrong_day" in refusal.codes else "refused"
    return Told(kind, _("Pas aujourd’hui.") if kind == "wrong" else _("Refusé."), text)


# -- Scans -------------------------------------------------------------------------------------


def read(delivery: Delivery, text: str, counter: Counter, tokens: list[str]) -> Screen:
    """What was scanned or typed: a code, a key of the list, or a few letters."""
    text = text.replace("\x00", "").strip()[:200]
    if not text:
        return screen_of(delivery)
    if (told := repeated(delivery, counter)) is not None:
        return told
    if text.startswith(LATE_KEY):
        return by_reference(delivery, text.removeprefix(LATE_KEY), counter, is_late=True)
    digit = text.translate(codes.AZERTY_DIGITS)
    if len(digit) == 1 and digit.isascii() and digit.isdigit() and 1 <= int(digit) <= len(tokens):
        return by_reference(delivery, tokens[int(digit) - 1], counter)
    if "://" in text:
        return by_card(delivery, counter, token=text.rstrip("/").rpartition("/")[2])
    code = codes.as_scanned(text)
    if code is not None and code[0] == "M":
        return by_card(delivery, counter, number=code[1:])
    if code is not None and code[0] == "R":
        return by_reference(delivery, code, counter)
    if any(character.isdigit() for character in text):
        return unknown(delivery, _("Ce code n’est pas connu ici."))
    return by_letters(delivery, text, counter)


def unknown(delivery: Delivery, text: str) -> Screen:
    return screen_of(delivery, Told("unknown", _("Introuvable."), text))


def by_card(delivery: Delivery, counter: Counter, **card: str) -> Screen:
    found = Card.objects.filter(**card).select_related("member__user", "member__place").first()
    if found is None or found.member.place.landlord_id != delivery.place.landlord_id:
        return unknown(delivery, _("Cette carte n’est pas connue ici."))
    if found.revoked_at is not None:
        text = _("Cette carte a été remplacée. Demandez la nouvelle.")
        return screen_of(delivery, Told("refused", _("Refusé."), text))
    return for_member(delivery, found.member, counter)


def for_member(delivery: Delivery, member: Member, counter: Counter) -> Screen:
    """Their own order, else one of their home's; else what there is to say."""
    rows = Order.objects.filter(
        delivery=delivery, member__household=member.household_id
    ).select_related("member__user", "delivery")
    home = sorted(rows, key=lambda order: (order.member_id != member.pk, order.pk))
    for status in WAITING:
        for order in home:
            if order.status == status:
                return give(delivery, order, member, counter)
    if home:
        done = [order for order in home if order.status == OrderStatus.COLLECTED]
        return screen_of(delivery, tell_state((done or home)[0]))
    text = _("%(name)s n’a rien commandé pour cette livraison.") % {"name": called(member)}
    other = Order.objects.filter(
        member__household=member.household_id,
        place=delivery.place,
        status=OrderStatus.ORDERED,
        starts_at__gt=counter.now,
    )
    following = other.select_related("delivery__round").order_by("starts_at").first()
    if following is not None:
        facts = {
            "round": following.delivery.round.name,
            "day": words.day(following.delivery.day),
        }
        text += " " + _("On l’attend pour : %(round)s, %(day)s.") % facts
        return screen_of(delivery, Told("wrong", _("Pas aujourd’hui."), text))
    return unknown(delivery, text)


def by_reference(
    delivery: Delivery, code: str, counter: Counter, *, is_late: bool = False
) -> Screen:
    order = (
        Order.objects.filter(reference=code, place=delivery.place)
        .select_related("member__user", "delivery__round")
        .first()
    )
    if order is None:
        return unknown(delivery, _("Ce code n’est pas connu ici."))
    if order.delivery_id != delivery.pk:
        facts = {
            "name": called(order.member),
            "round": order.delivery.round.name,
            "day": words.day(order.delivery.day),
        }
        text = _("%(name)s : %(round)s, %(day)s.") % facts
        return screen_of(delivery, Told("wrong", _("Autre livraison."), text))
    if order.status not in WAITING:
        return screen_of(delivery, tell_state(order))
    return give(delivery, order, order.member, counter, is_late=is_late)


def by_letters(delivery: Delivery, text: str, counter: Counter) -> Screen:
    """Those on the list of that name; one has theirs at once, several are numbered."""
    screen = screen_of(delivery)
    wanted = folded(text).split()
    named = [order for order in screen.baked if bears(order.member, wanted)]
    found = [order for order in named if order.status in WAITING][:CHOICES]
    if len(found) == 1 and len(folded(text)) >= ENOUGH:
        return give(delivery, found[0], found[0].member, counter)
    if found:
        screen.told, screen.choices = Told("returned", _("À qui ?")), found
    elif named:
        screen.told = tell_state(named[0])
    else:
        said = _("Personne sur la liste ne s’appelle « %(text)s ».") % {"text": text[:60]}
        screen.told = Told("unknown", _("Introuvable."), said)
    return screen


def bears(member: Member, wanted: list[str]) -> bool:
    parts = member.search_name.split()
    return all(any(part.startswith(word) for part in parts) for word in wanted)


def tell_state(order: Order) -> Told:
    kind, text = state_of(order)
    word = {"already": _("Déjà remis."), "cancelled": _("Annulé.")}.get(kind, _("Attention."))
    return Told(kind, word, ended(f"{called(order.member)}. {text}"))


def ended(text: str) -> str:
    """One full stop, where a name ends with its own."""
    return text.replace("..", ".")


# -- Handed over, and taken back ---------------------------------------------------------------


def perform(
    delivery: Delivery, order: Order, counter: Counter, work: Callable[[], Facts]
) -> Screen:
    try:
        facts = once(counter, order, work)
    except Refused as refusal:
        return screen_of(delivery, refused(refusal))
    return TELLERS[facts["did"]](delivery, facts)


def repeated(delivery: Delivery, counter: Counter) -> Screen | None:
    """A scan that has handed over already, whose answer was lost: told the same again."""
    if counter.scan is None:
        return None
    seen = seen_of(counter.by, counter.scan).filter(verb="delivery_order").first()
    return None if seen is None else tell_given(delivery, seen.facts)


def give(
    delivery: Delivery, order: Order, to: Member, counter: Counter, *, is_late: bool = False
) -> Screen:
    def work() -> Facts:
        hand_over_order(order, to, by=counter.by, now=counter.now, is_late=is_late)
        late = {"is_late": True} if is_late and is_over(delivery, local_day(counter.now)) else {}
        return {"did": "delivery_order", "order": order.pk, **late}

    return perform(delivery, order, counter, work)


def undo_address(delivery: Delivery, facts: Facts) -> str:
    signed = signing.dumps({"delivery": delivery.pk, **facts}, salt=UNDO_SALT)
    query = urlencode({"acte": signed})
    return f"{reverse('desk:delivery-undo', args=[delivery.public_id])}?{query}"


def tell_given(delivery: Delivery, facts: Facts) -> Screen:
    screen = screen_of(delivery, marked=facts["order"])
    order = next(one for one in screen.orders if one.pk == facts["order"])
    said = [f"{called(order.member)}, {goods_words(order)}."]
    if order.collected_by and order.collected_by != str(order.member):
        said.append(_("À %(name)s.") % {"name": order.collected_by})
    home = order.member.household_id
    left = [one for one in screen.baked if one.member.household_id == home]
    for other in left:
        if other.pk != order.pk and other.status in WAITING:
            said.append(ended(_("Encore : %(name)s.") % {"name": called(other.member)}))
    if cents := owed(order.member.household):
        said.append(_("À payer : %(cents)s.") % {"cents": words.money(cents)})
    if facts.get("is_late"):
        screen.told = Told("done", _("Remis, noté après coup."), " ".join(said))
        return screen
    undo = undo_address(delivery, facts)
    screen.told = Told("done", _("Remis."), " ".join(said), undo_at=undo)
    return screen


def tell_undone(delivery: Delivery, facts: Facts) -> Screen:
    screen = screen_of(delivery, marked=facts["order"])
    order = next(one for one in screen.orders if one.pk == facts["order"])
    text = ended(_("On attend de nouveau %(name)s.") % {"name": called(order.member)})
    screen.told = Told("returned", _("Défait."), text)
    return screen


TELLERS: dict[str, Callable[[Delivery, Facts], Screen]] = {
    "delivery_order": tell_given,
    "delivery_undone": tell_undone,
}


def undo(delivery: Delivery, signed: str, counter: Counter) -> Screen:
    """Take the last act back, as it is signed in the page."""
    nothing = Told("refused", _("Refusé."), _("Il n’y a plus rien à défaire."))
    try:
        facts = signing.loads(signed, salt=UNDO_SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        return screen_of(delivery, nothing)
    if facts.get("delivery") != delivery.pk or facts.get("did") != "delivery_order":
        return screen_of(delivery, nothing)
    return expect(delivery, Order.objects.get(pk=facts["order"], delivery=delivery), counter)


def expect(delivery: Delivery, order: Order, counter: Counter) -> Screen:
    """Whoever had it, or was noted as not come, is expected again."""

    def work() -> Facts:
        verb = undo_missed if order.status == OrderStatus.MISSED else undo_hand_over_order
        verb(order, by=counter.by, now=counter.now)
        return {"did": "delivery_undone", "order": order.pk}

    screen = perform(delivery, order, replace(counter, scan=None), work)
    delivery.refresh_from_db(fields=["status"])  # the verb read and opened a row of its own
    return screen


# -- What is left ------------------------------------------------------------------------------


def miss(delivery: Delivery, counter: Counter) -> Screen:
    try:
        number = mark_missed(delivery, by=counter.by, now=counter.now)
    except Refused as refusal:
        return screen_of(delivery, refused(refusal))
    text = ngettext(
        "Une commande non retirée, la personne est prévenue.",
        "%(number)d commandes non retirées, les personnes sont prévenues.",
        number,
    )
    address = ""
    if number and not is_over(delivery, local_day(counter.now)):
        query = urlencode({"quand": counter.now.isoformat()})
        address = f"{reverse('desk:delivery-present', args=[delivery.public_id])}?{query}"
    said = text % {"number": number} if number else _("Tout a été remis.")
    return screen_of(delivery, Told("done", _("Livraison terminée."), said, undo_at=address))


def unmiss(delivery: Delivery, marked_at: Any, counter: Counter) -> Screen:
    try:
        number = undo_mark_missed(delivery, marked_at, by=counter.by, now=counter.now)
    except Refused as refusal:
        return screen_of(delivery, refused(refusal))
    text = ngettext(
        "On attend de nouveau une personne.",
        "On attend de nouveau %(number)d personnes.",
        number,
    )
    return screen_of(delivery, Told("returned", _("Défait."), text % {"number": number}))
