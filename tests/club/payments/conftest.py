"""The house with keys, a provider beside it, and a worker that works when it is told."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.utils import translation

from club.models import Household, Member, Place
from concierge.models import Plan
from tests.club.payments.house import House
from tests.factories.club import NOW, MemberFactory
from tests.factories.money import PlanFactory
from tests.stripesim.fixtures import stripesim, stripesim_process
from tests.stripesim.process import StripeSim

__all__ = ["stripesim", "stripesim_process"]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller, translation.override("fr"):
        yield traveller


@pytest.fixture
def house(stripesim: StripeSim, settings: Any, clock: time_machine.Traveller, db: None) -> House:
    settings.STRIPE_SECRET_KEY = "sk_test_house"
    settings.STRIPE_WEBHOOK_SECRET = stripesim.secret
    settings.STRIPE_API_BASE = stripesim.base
    stripesim.control("clock", set=NOW.timestamp(), freeze=True)
    stripesim.control("mode", signature_clock="sim", sepa_settle_seconds=None)
    return House(stripesim, clock)


@pytest.fixture
def plan(place: Place) -> Plan:
    """12 € a year for anybody."""
    return PlanFactory(landlord=place.landlord)


@pytest.fixture
def samira(place: Place) -> Member:
    """A member with no right at all."""
    return MemberFactory(place=place)


@pytest.fixture
def household(samira: Member) -> Household:
    return samira.household


@pytest.fixture
def now() -> datetime:
    return NOW
