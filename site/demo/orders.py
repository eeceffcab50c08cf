"""Bread and baskets of the town: what comes, who orders it, three weeks of the past."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from club.domain.receipts import take_payment
from club.enums import Activity, Means
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import Member, Place, Producer, User
from concierge.domain.deliveries import make_deliveries, send_due
from concierge.domain.order_fees import GOODS
from concierge.domain.orders import place_order
from concierge.domain.pickups import hand_over_order, mark_missed
from concierge.domain.standing import stand
from concierge.enums import Allergen, DeliveryStatus, Leftover, OnClosed, OrderStatus
from concierge.models import Delivery, DeliveryRound, Order, Product, RoundProduct
from demo.accounts import DOMAIN
from marketplace.models import Partner

BAKER, FARM = "Le Fournil de Denis", "Ferme des Hortillons"
TUESDAY_TO_SATURDAY = [1, 2, 3, 4, 5]
FRIDAY = [4]
WEEKS_TOLD = 3
BREAD_A_DAY, BASKETS_A_WEEK = 5, 14


@dataclass(frozen=True)
class Good:
    """A product of the town; `most` is what can be made of it each time."""

    name: str
    size: str
    cents: int
    about: str
    wall: str = "butter"
    allergens: tuple[str, ...] = ()
    most: int | None = None


BREAD = (
    Good("Baguette", "", 1_10, "Cuite le matin même.", allergens=(Allergen.GLUTEN,), most=60),
    Good(
        "Pain de campagne", "500 g", 2_80, "Au levain, se garde trois jours.",
        allergens=(Allergen.GLUTEN,), most=20,
    ),
    Good(
        "Pain complet", "500 g", 3_00, "Farine bise de la Somme.",
        allergens=(Allergen.GLUTEN, Allergen.SESAME), most=12,
    ),
    Good(
        "Brioche", "pour quatre", 4_20, "Le samedi, elle part vite.",
        allergens=(Allergen.GLUTEN, Allergen.EGGS, Allergen.MILK), most=8,
    ),
)  # fmt: skip
BASKETS = (
    Good("Panier de légumes", "pour deux", 9_00, "Cinq légumes de saison, 3 kg.", "linden",
         most=24),
    Good("Panier de légumes", "pour quatre", 15_00, "Sept légumes de saison, 5 kg.", "linden",
         most=16),
    Good("Œufs", "par six", 2_40, "Poules en plein air.", "linden", (Allergen.EGGS,), most=30),
)  # fmt: skip


def producer_named(name: str) -> Producer:
    partner = Partner.objects.get(name=name)
    partner.delivers = True
    partner.save()
    partner.refresh_from_db()
    assert partner.producer is not None
    return partner.producer


def make_products(producer: Producer, goods: tuple[Good, ...]) -> list[tuple[Product, int | None]]:
    return [
        (
            Product.objects.create(
                producer=producer, name=good.name, size=good.size, about=good.about,
                price_cents=good.cents, allergens=list(good.allergens), wall=good.wall,
                picture="tiles/pain-paniers", position=number,
            ),
            good.most,
        )
        for number, good in enumerate(goods)
    ]  # fmt: skip


def make_round(
    place: Place, producer: Producer, goods: list[tuple[Product, int | None]], **rule: object
) -> DeliveryRound:
    round = DeliveryRound.objects.create(
        place=place, producer=producer, picture="tiles/pain-paniers", **rule
    )
    RoundProduct.objects.bulk_create(
        RoundProduct(round=round, product=product, most=most) for product, most in goods
    )
    return round


def make_orders(tilleuls: Place, pigeonnier: Place, desk: User, now: datetime, rng: Random) -> None:
    today = local_day(now)
    began = now - timedelta(weeks=WEEKS_TOLD)
    baker, farm = producer_named(BAKER), producer_named(FARM)
    bread, baskets = make_products(baker, BREAD), make_products(farm, BASKETS)
    bread_rule: dict[str, object] = {
        "name": "Pain frais", "wall": "butter", "starts_on": local_day(began),
        "cutoff_days": 1, "cutoff_time": time(18), "weeks_ahead": 3, "leftover": Leftover.SHARED,
    }  # fmt: skip
    daily = make_round(
        tilleuls, baker, bread, weekdays=TUESDAY_TO_SATURDAY,
        collect_from=time(9), collect_until=time(12), **bread_rule,
    )  # fmt: skip
    make_round(
        pigeonnier, baker, bread[:2], weekdays=FRIDAY,
        collect_from=time(14), collect_until=time(18), **bread_rule,
    )  # fmt: skip
    weekly = make_round(
        tilleuls, farm, baskets, name="Panier de légumes", wall="linden", weekdays=FRIDAY,
        starts_on=local_day(began), collect_from=time(16), collect_until=time(18), cutoff_days=2,
        cutoff_time=time(12), most_pieces=60, on_closed=OnClosed.BEFORE, leftover=Leftover.GIVEN,
        position=1,
    )  # fmt: skip
    make_deliveries(began)
    make_deliveries(now)
    people = {place.pk: residents(place, today) for place in (tilleuls, pigeonnier)}
    for delivery in told_deliveries(now):
        there = people[delivery.place_id]
        wanted = BASKETS_A_WEEK if delivery.round_id == weekly.pk else BREAD_A_DAY
        tell_one(delivery, rng.sample(there, min(wanted, len(there))), desk, now, rng)
        if delivery.round_id == weekly.pk and delivery.collect_until < now:
            settle_some(there, desk, delivery.collect_until)
    named_people(daily, weekly, desk, now)


def residents(place: Place, today: date) -> list[Member]:
    """Neighbours with a subscription that began before the story does."""
    covered = Member.objects.filter(
        place=place,
        household__rights__activity=Activity.SERVICES,
        household__rights__revoked_at=None,
        household__rights__starts_on__lte=today - timedelta(weeks=WEEKS_TOLD + 1),
        household__rights__ends_on__gte=today + timedelta(days=14),
    )
    named = [f"{name}@{DOMAIN}" for name in ("leila", "rose")]
    return list(
        covered.exclude(user__email__in=named)
        .select_related("user", "household", "place__landlord")
        .distinct()
        .order_by("pk")
    )


def told_deliveries(now: datetime) -> Iterator[Delivery]:
    """Those of the past and of the next week, in the order in which they closed."""
    soon = Delivery.objects.filter(
        status=DeliveryStatus.OPEN, collect_from__lt=now + timedelta(days=8)
    )
    yield from soon.select_related("round", "place").order_by("cutoff_at", "pk")


def tell_one(
    delivery: Delivery, people: list[Member], desk: User, now: datetime, rng: Random
) -> None:
    """Ordered in the days before; sent; fetched by nearly everybody."""
    for member in people:
        some_order(delivery, member, now, rng)
    if delivery.cutoff_at > now:
        return
    send_due(delivery.cutoff_at)
    waiting = Order.objects.filter(delivery=delivery, status=OrderStatus.ORDERED)
    for number, order in enumerate(waiting.select_related("member__user").order_by("pk")):
        came = delivery.collect_from + timedelta(minutes=7 + 4 * number)
        if came < min(now, delivery.collect_until) and rng.random() < 0.93:
            hand_over_order(order, order.member, by=desk, now=came)
    closed = delivery.collect_until + timedelta(minutes=5)
    if closed < now:
        delivery.refresh_from_db()
        if delivery.status == DeliveryStatus.SENT:
            mark_missed(delivery, by=desk, now=closed)


def some_order(delivery: Delivery, member: Member, now: datetime, rng: Random) -> None:
    asked_at = min(
        delivery.cutoff_at - timedelta(minutes=rng.randrange(30, 2000)), now - timedelta(minutes=5)
    )
    shelf = [stock.product for stock in delivery.stock.select_related("product").order_by("pk")]
    first = rng.choices(shelf, weights=[6, 4, 3, 1][: len(shelf)])[0]
    lines = {first.public_id: rng.choice([1, 1, 1, 2])}
    if rng.random() < 0.3:
        lines.setdefault(rng.choice(shelf).public_id, 1)
    try:
        place_order(member=member, delivery=delivery, lines=lines, by=member.user, now=asked_at)
    except Refused:
        return  # nothing is left of it, or too much is owed


def named_people(daily: DeliveryRound, weekly: DeliveryRound, desk: User, now: datetime) -> None:
    """Leïla has a basket every week, and Rose her bread, ordered at the desk."""
    leila, rose = (
        Member.objects.select_related("user", "household", "place__landlord").get(
            user__email=f"{name}@{DOMAIN}"
        )
        for name in ("leila", "rose")
    )
    basket = weekly.goods.select_related("product").order_by("pk")[0].product
    stand(
        member=leila, round=weekly, lines={basket.public_id: 1}, every_weeks=1,
        starts_on=local_day(now), ends_on=None, by=leila.user, now=now - timedelta(minutes=40),
    )  # fmt: skip
    loaf = daily.goods.select_related("product").order_by("pk")[1].product
    ahead = Delivery.objects.filter(round=daily, status=DeliveryStatus.OPEN, cutoff_at__gt=now)
    for delivery in ahead.select_related("round", "place").order_by("cutoff_at")[:2]:
        place_order(
            member=rose, delivery=delivery, lines={loaf.public_id: 1}, by=desk,
            now=now - timedelta(minutes=30), channel="desk",
        )  # fmt: skip


def settle_some(people: list[Member], desk: User, now: datetime) -> None:
    """Most pay at the desk when they fetch their basket; some have it still to pay."""
    for member in people[: len(people) * 2 // 3]:
        dues = [due for due in due_of(member.household, now) if due.kind == GOODS]
        if dues:
            take_payment(
                member=member, place=member.place, lines=dues, means=Means.CHEQUE, by=desk, now=now
            )
