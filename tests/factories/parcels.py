from datetime import timedelta

import factory
from factory.django import DjangoModelFactory

from club.kernel.spans import local_day
from concierge import models
from concierge.enums import Carrier
from tests.factories.club import NOW, MemberFactory, PlaceFactory


class ParcelPolicyFactory(DjangoModelFactory):
    """Parcels for everybody: a test that is about the right says so."""

    class Meta:
        model = models.ParcelPolicy

    place = factory.SubFactory(PlaceFactory)
    needs_right = False


class ParcelFactory(DjangoModelFactory):
    """On the shelf since `NOW`, made without the verb: for reading tests."""

    class Meta:
        model = models.Parcel

    member = factory.SubFactory(MemberFactory)
    place = factory.SelfAttribute("member.place")
    carrier = Carrier.COLISSIMO
    tracking = factory.Sequence(lambda n: f"6A{n:011d}")
    shelf = "C2"
    received_at = NOW
    keep_until = factory.LazyAttribute(
        lambda parcel: local_day(parcel.received_at) + timedelta(days=14)
    )


class ProxyFactory(DjangoModelFactory):
    class Meta:
        model = models.Proxy

    member = factory.SubFactory(MemberFactory)
    first_name = "Marc"
    last_name = "Diallo"
    named_at = NOW
