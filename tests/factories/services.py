"""Services for tests. NOW is a Tuesday morning, 10:24; slots are of half an hour."""

from datetime import datetime, time, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from club.enums import Activity
from club.kernel.transitions import log
from club.models import Member, Place
from concierge import models
from concierge.queries.slots import LANES
from tests.factories.club import NOW, MemberFactory, PlaceFactory, RightFactory


class ServiceFactory(DjangoModelFactory):
    """One seat, whenever the place is open, from an hour ahead to thirty days."""

    class Meta:
        model = models.Service
        skip_postgeneration_save = True

    place = factory.SubFactory(PlaceFactory)
    name = "Aide aux papiers"
    about = "Nous remplissons vos papiers avec vous."
    picture = "tiles/rendez-vous"

    @factory.post_generation
    def lines(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        """`lines=[(weekday, opens, closes)]`, hours as numbers."""
        for weekday, opens, closes, *seats in extracted or ():
            models.ServiceHours.objects.create(
                service=self, weekday=weekday, opens=hour(opens), closes=hour(closes),
                seats=seats[0] if seats else None,
            )  # fmt: skip
        self.place.refresh_from_db()


def hour(number: float) -> time:
    return time(int(number), round(number % 1 * 60))


class AppointmentFactory(DjangoModelFactory):
    """Tomorrow at ten, made without the verb: for reading tests."""

    class Meta:
        model = models.Appointment
        skip_postgeneration_save = True

    service = factory.SubFactory(ServiceFactory)
    member = factory.SubFactory(MemberFactory, place=factory.SelfAttribute("..service.place"))
    place = factory.SelfAttribute("service.place")
    starts_at = NOW.replace(hour=10, minute=0) + timedelta(days=1)
    ends_at = factory.LazyAttribute(
        lambda one: one.starts_at + timedelta(minutes=one.service.minutes)
    )
    held_until = factory.LazyAttribute(
        lambda one: one.ends_at + timedelta(minutes=one.service.buffer_minutes)
    )
    lane = factory.LazyAttribute(lambda one: one.service.pk * LANES)
    unit_cents = factory.SelfAttribute("service.unit_cents")
    created_at = NOW

    @factory.post_generation
    def told(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        log(self, "book", by=None, now=NOW, facts={"to": self.status})


def client_of(place: Place, **user: Any) -> Member:
    """A member with a right to services for the whole year."""
    member = MemberFactory(place=place, **{f"user__{name}": value for name, value in user.items()})
    RightFactory(household=member.household, activity=Activity.SERVICES)
    return member


def on(day: int, hour: float, month: int = 3) -> datetime:
    """A moment of wall time in 2027."""
    return NOW.replace(month=month, day=day, hour=int(hour), minute=round(hour % 1 * 60))
