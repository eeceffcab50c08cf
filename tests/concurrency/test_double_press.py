"""One page sent several times at once: an impatient thumb on a slow network."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from club.models import Member, Message
from concierge.domain.lending import reserve_tool
from concierge.domain.reserving import reserve_once
from concierge.models import Copy, Loan
from tests.factories.concierge import CopyFactory

Race = Callable[..., list[Any]]
PRESSES = 6


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("copies", [1, PRESSES])
def test_pressed_at_once_is_reserved_once(
    race: Race, member: Member, copy: Copy, now: datetime, copies: int
) -> None:
    for _ in range(copies - 1):
        CopyFactory(tool=copy.tool, place=copy.place)

    def press(_: int) -> str:
        return reserve_once(
            form_key="k" * 40,
            member=member,
            tool=copy.tool,
            place=copy.place,
            starts_on=now.date(),
            by=member.user,
            now=now,
        ).reference

    answers = race(press, list(range(PRESSES)))
    loan = Loan.objects.get()
    assert answers == [loan.reference] * PRESSES
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_key_each_press_takes_a_copy(
    race: Race, member: Member, copy: Copy, now: datetime
) -> None:
    for _ in range(PRESSES - 1):
        CopyFactory(tool=copy.tool, place=copy.place)

    def press(_: int) -> None:
        reserve_tool(
            member=member,
            tool=copy.tool,
            place=copy.place,
            starts_on=now.date(),
            by=member.user,
            now=now,
        )

    race(press, list(range(PRESSES)))
    assert Loan.objects.count() > 1
