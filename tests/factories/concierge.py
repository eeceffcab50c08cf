from datetime import datetime, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from club.kernel.spans import local_day
from concierge import models
from concierge.domain.copies import next_label
from concierge.enums import CopyStatus
from content.enums import Wall
from tests.factories.club import NOW, LandlordFactory, MemberFactory, PlaceFactory


class DepartmentFactory(DjangoModelFactory):
    class Meta:
        model = models.Department
        django_get_or_create = ("landlord", "slug")

    landlord = factory.SubFactory(LandlordFactory)
    name = "Cuisiner"
    slug = "cuisiner"
    wall = Wall.CLAY


class ToolFactory(DjangoModelFactory):
    class Meta:
        model = models.Tool

    landlord = factory.SubFactory(LandlordFactory)
    department = factory.SubFactory(DepartmentFactory, landlord=factory.SelfAttribute("..landlord"))
    name = "Gaufrier"
    picture = "gaufrier"


class CopyFactory(DjangoModelFactory):
    class Meta:
        model = models.Copy

    tool = factory.SubFactory(ToolFactory)
    place = factory.SubFactory(PlaceFactory)
    label = factory.LazyFunction(next_label)
    status = CopyStatus.ACTIVE
    shelf = "B"


class PolicyFactory(DjangoModelFactory):
    class Meta:
        model = models.LendingPolicy

    place = factory.SubFactory(PlaceFactory)


class LoanFactory(DjangoModelFactory):
    """A reservation from `NOW` for a week, made without the verb: for reading tests.

    Pass `starts_at` and `ends_at`; the rest follows.
    """

    class Meta:
        model = models.Loan

    member = factory.SubFactory(MemberFactory)
    copy = factory.SubFactory(CopyFactory)
    tool = factory.SelfAttribute("copy.tool")
    place = factory.SelfAttribute("copy.place")
    starts_at = NOW
    ends_at = factory.LazyAttribute(lambda loan: loan.starts_at + timedelta(days=7))
    pickup_ends_at = factory.LazyAttribute(lambda loan: loan.starts_at + timedelta(hours=1))
    held_until = factory.SelfAttribute("ends_at")
    due_on = factory.LazyAttribute(lambda loan: local_day(loan.ends_at))
    created_at = NOW


def days_later(days: int, from_: datetime = NOW) -> datetime:
    """The same wall-clock time some calendar days later."""
    return from_ + timedelta(days=days)


__all__: list[Any] = [
    "CopyFactory",
    "DepartmentFactory",
    "LoanFactory",
    "PolicyFactory",
    "ToolFactory",
    "days_later",
]
