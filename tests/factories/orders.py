"""Bread and baskets for tests. NOW is a Tuesday morning, 10:24; deliveries are on Fridays.

The cut-off is on the day before at noon, the collection from 16 to 19.
"""

from datetime import date, time, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from club.enums import Activity
from club.kernel.spans import local_day
from club.kernel.transitions import log
from club.models import Member, Producer
from concierge import models
from concierge.domain import deliveries
from concierge.domain.orders import place_order
from tests.factories.club import NOW, LandlordFactory, MemberFactory, PlaceFactory, RightFactory

TUESDAY, WEDNESDAY, FRIDAY = 1, 2, 4
TODAY = local_day(NOW)
NEXT_FRIDAY = date(2027, 3, 12)


class ProducerFactory(DjangoModelFactory):
    class Meta:
        model = Producer

    landlord = factory.SubFactory(LandlordFactory)
    name = "Ferme des Marais"
    phone = "+33322450000"


class ProductFactory(DjangoModelFactory):
    class Meta:
        model = models.Product

    producer = factory.SubFactory(ProducerFactory)
    name = factory.Sequence(lambda n: "Panier de légumes" if n == 0 else f"Panier {n}")
    price_cents = 12_00


class DeliveryRoundFactory(DjangoModelFactory):
    """Each Friday, for everybody; `goods=[(product, most)]`, else one product without end."""

    class Meta:
        model = models.DeliveryRound
        skip_postgeneration_save = True

    place = factory.SubFactory(PlaceFactory)
    producer = factory.SubFactory(
        ProducerFactory, landlord=factory.SelfAttribute("..place.landlord")
    )
    name = factory.Sequence(lambda n: "Paniers" if n == 0 else f"Paniers {n}")
    weekdays = factory.LazyFunction(lambda: [FRIDAY])
    starts_on = date(2027, 1, 1)
    collect_from = time(16)
    collect_until = time(19)
    cutoff_days = 1
    cutoff_time = time(12)
    most_owed_cents = 200_00
    needs_right = False

    @factory.post_generation
    def goods(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if extracted is None:
            extracted = [(ProductFactory(producer=self.producer, **kwargs), None)]
        for product, most in extracted:
            models.RoundProduct.objects.create(round=self, product=product, most=most)


class DeliveryFactory(DjangoModelFactory):
    """Of next Friday, with the stock of its round, made without the nightly job."""

    class Meta:
        model = models.Delivery
        skip_postgeneration_save = True

    round = factory.SubFactory(DeliveryRoundFactory)
    producer = factory.SelfAttribute("round.producer")
    place = factory.SelfAttribute("round.place")
    day = NEXT_FRIDAY
    planned_on = factory.SelfAttribute("day")
    most_pieces = factory.SelfAttribute("round.most_pieces")
    leftover = factory.SelfAttribute("round.leftover")
    collect_from = factory.LazyAttribute(lambda one: hours_of(one)["collect_from"])
    collect_until = factory.LazyAttribute(lambda one: hours_of(one)["collect_until"])
    cutoff_at = factory.LazyAttribute(lambda one: hours_of(one)["cutoff_at"])

    @factory.post_generation
    def stock_up(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        deliveries.stock_up(self)
        log(self, "make", by=None, now=NOW, facts={"to": self.status})


def hours_of(one: Any) -> Any:
    return deliveries.hours_of(one.round, one.day)


class OrderFactory(DjangoModelFactory):
    """Made by the verb at `NOW`: one piece of each product, or `lines`."""

    class Meta:
        model = models.Order

    delivery = factory.SubFactory(DeliveryFactory)
    member = factory.LazyAttribute(lambda order: MemberFactory(place=order.delivery.place))

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> Any:
        delivery, member = kwargs["delivery"], kwargs["member"]
        now = kwargs.get("now", NOW)
        made = place_order(
            member=member,
            delivery=delivery,
            lines=kwargs.get("lines") or one_of_each(delivery),
            by=member.user,
            now=now,
            **{name: kwargs[name] for name in ("channel", "standing") if name in kwargs},
        )
        delivery.refresh_from_db()
        return made


def one_of_each(delivery: models.Delivery) -> dict[str, int]:
    return {one.product.public_id: 1 for one in delivery.stock.select_related("product")}


def product_of(delivery: models.Delivery) -> models.Product:
    """The only product, or the first."""
    stock = delivery.stock.select_related("product").order_by("pk").first()
    assert stock is not None
    return stock.product


def with_services(member: Member) -> Member:
    RightFactory(household=member.household, activity=Activity.SERVICES)
    return member


def after_cutoff(delivery: models.Delivery) -> Any:
    return delivery.cutoff_at + timedelta(seconds=30)
