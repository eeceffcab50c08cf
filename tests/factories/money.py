from datetime import date, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from club import models as club
from club.enums import Activity, TenancyMethod, TenancyResult
from concierge import models
from concierge.enums import Audience, PlanKind, SubscriptionStatus
from tests.factories.club import NOW, LandlordFactory, MemberFactory, PlaceFactory, UserFactory

ALL_SERVICES = [Activity.LENDING, Activity.SERVICES, Activity.EVENTS]


class PlanFactory(DjangoModelFactory):
    """12 € a year for anybody, told as 1 € a month."""

    class Meta:
        model = models.Plan

    landlord = factory.SubFactory(LandlordFactory)
    kind = PlanKind.SUBSCRIPTION
    name = "Habitants"
    slug = factory.Sequence(lambda n: f"habitants-{n}")
    audience = Audience.ANYBODY
    price_cents = 1200
    months = 12
    activities = ALL_SERVICES


class TenantPlanFactory(PlanFactory):
    name = "Locataires"
    slug = factory.Sequence(lambda n: f"locataires-{n}")
    audience = Audience.TENANT


class ClubPlanFactory(PlanFactory):
    """Free, for the household."""

    kind = PlanKind.MEMBERSHIP
    name = "Club"
    slug = factory.Sequence(lambda n: f"club-{n}")
    price_cents = 0
    told_by_month = False
    activities = [Activity.CLUB]


class SubscriptionFactory(DjangoModelFactory):
    """Asked for and not paid yet; make it active by paying, as people do."""

    class Meta:
        model = models.Subscription

    class Params:
        of = factory.SubFactory(MemberFactory)

    household = factory.SelfAttribute("of.household")
    place = factory.SelfAttribute("of.place")
    plan = factory.SubFactory(
        PlanFactory, landlord=factory.SelfAttribute("..household.landlord")
    )  # fmt: skip
    kind = factory.SelfAttribute("plan.kind")
    status = SubscriptionStatus.PENDING
    created_at = NOW


class SponsorshipFactory(DjangoModelFactory):
    class Meta:
        model = models.Sponsorship

    plan = factory.SubFactory(PlanFactory)
    code = factory.Sequence(lambda n: f"ETE{n:03d}")
    quota = 2
    ends_on = date(2027, 12, 31)


class TillDayFactory(DjangoModelFactory):
    class Meta:
        model = club.TillDay

    place = factory.SubFactory(PlaceFactory)
    opened_at = NOW
    opened_by = factory.SubFactory(UserFactory)
    float_cents = 5000


class TenancyCheckFactory(DjangoModelFactory):
    class Meta:
        model = club.TenancyCheck

    member: Any = factory.SubFactory(MemberFactory)
    result = TenancyResult.YES
    method = TenancyMethod.PAPER
    checked_on = date(2027, 3, 1)


class CheckoutFactory(DjangoModelFactory):
    """A payment page that is open."""

    class Meta:
        model = club.Checkout

    member = factory.SubFactory(MemberFactory)
    household = factory.SelfAttribute("member.household")
    place = factory.SelfAttribute("member.place")
    subject_kind = "subscription"
    subject_id = 1
    cents = 1200
    reference = factory.Sequence(lambda n: f"reference-{n:033d}")
    created_at = NOW
    expires_at = NOW + timedelta(hours=1)
