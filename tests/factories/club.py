from datetime import date, datetime, time
from typing import Any

import factory
from django.contrib.auth.models import Group
from django.utils import timezone
from factory.django import DjangoModelFactory

from club import models
from club.enums import Activity, RightSource, Role

PARIS = timezone.get_default_timezone()
NOW = datetime(2027, 3, 9, 10, 24, tzinfo=PARIS)
"""Tuesday 9 March 2027, 10:24 at the counter: the moment of the pictures in look/."""


class LandlordFactory(DjangoModelFactory):
    class Meta:
        model = models.Landlord
        django_get_or_create = ("slug",)

    name = "Habitat des Trois Rivières"
    slug = "trois-rivieres"


class PlaceFactory(DjangoModelFactory):
    """Open Tuesday to Friday 9-12 and 14-18, Saturday 9-13."""

    class Meta:
        model = models.Place
        skip_postgeneration_save = True

    landlord = factory.SubFactory(LandlordFactory)
    name = factory.Sequence(lambda n: "Conciergerie des Tilleuls" if n == 0 else f"Accueil {n}")
    slug = factory.Sequence(lambda n: f"accueil-{n}")
    district = "Amiens-Nord"
    address = "7, allée des Tilleuls"
    postcode = "80080"
    city = "Amiens"
    phone = "03 53 01 24 60"
    email = "accueil@example.org"

    @factory.post_generation
    def hours(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        if extracted is False:
            return
        spans = [(d, 9, 12) for d in range(1, 5)] + [(d, 14, 18) for d in range(1, 5)]
        for weekday, opens, closes in [*spans, (5, 9, 13)]:
            models.OpeningHours.objects.create(
                place=self, weekday=weekday, opens=time(opens), closes=time(closes)
            )
        self.refresh_from_db()


class UserFactory(DjangoModelFactory):
    class Meta:
        model = models.User

    first_name = "Samira"
    last_name = "Benali"
    email = factory.Sequence(lambda n: f"personne{n}@example.org")


class HouseholdFactory(DjangoModelFactory):
    class Meta:
        model = models.Household

    landlord = factory.SubFactory(LandlordFactory)
    size = 4


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = models.Member

    user = factory.SubFactory(UserFactory)
    place = factory.SubFactory(PlaceFactory)
    household = factory.SubFactory(
        HouseholdFactory, landlord=factory.SelfAttribute("..place.landlord")
    )
    joined_at = NOW
    search_name = factory.LazyAttribute(lambda m: f"{m.user.first_name} {m.user.last_name}".lower())


class RightFactory(DjangoModelFactory):
    class Meta:
        model = models.Right

    household = factory.SubFactory(HouseholdFactory)
    activity = Activity.LENDING
    starts_on = date(2027, 1, 1)
    ends_on = date(2027, 12, 31)
    source = RightSource.GIFT


class CardFactory(DjangoModelFactory):
    class Meta:
        model = models.Card

    member = factory.SubFactory(MemberFactory)
    issued_at = NOW


class AssignmentFactory(DjangoModelFactory):
    class Meta:
        model = models.Assignment
        skip_postgeneration_save = True

    user = factory.SubFactory(UserFactory, first_name="Nadia", last_name="Roy")
    place = factory.SubFactory(PlaceFactory)
    role = Role.CONCIERGE

    @factory.post_generation
    def group(self: Any, create: bool, extracted: Any, **kwargs: Any) -> None:
        self.user.groups.add(Group.objects.get_or_create(name=self.role)[0])


class ClosureFactory(DjangoModelFactory):
    class Meta:
        model = models.Closure

    place = factory.SubFactory(PlaceFactory)
    starts_on = date(2027, 3, 16)
    ends_on = date(2027, 3, 20)
    reason = "holidays"
