from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from django.test import Client

from club.models import Member
from concierge.domain.lending import hand_over, reserve_tool
from concierge.models import Copy, Loan


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def signed_in(client: Client, member: Member) -> Client:
    client.force_login(member.user)
    return client


@pytest.fixture
def loan(member: Member, copy: Copy, now: datetime) -> Loan:
    """Samira's waffle iron, to fetch today."""
    return reserve_tool(
        member=member,
        tool=copy.tool,
        place=copy.place,
        starts_on=now.date(),
        by=member.user,
        now=now,
    )


@pytest.fixture
def loan_out(loan: Loan, member: Member, copy: Copy, now: datetime) -> Loan:
    return hand_over(copy=copy, member=member, by=member.user, now=now)
