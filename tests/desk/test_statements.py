"""How many statements a scan takes: the same however much the person has at home."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from concierge.domain.lending import hand_over
from concierge.enums import LoanStatus
from tests.costs import session
from tests.desk.conftest import scan
from tests.factories.concierge import CopyFactory, LoanFactory


def statements(desk, text, **state):
    with CaptureQueriesContext(connection) as held:
        assert scan(desk, text, **state).status_code == 200
    return len(held)


@pytest.mark.parametrize("at_home", [1, 5])
def test_a_card(desk, card, copies, member, now, at_home):
    for copy in copies[:at_home]:
        hand_over(copy=copy, member=member, by=member.user, now=now)
    scan(desk, card.number)
    assert statements(desk, card.number) == 26 + session()


@pytest.mark.parametrize("at_home", [1, 3])
def test_a_hand_over(desk, card, copies, member, now, at_home):
    for copy in copies[:at_home]:
        hand_over(copy=copy, member=member, by=member.user, now=now)
    scan(desk, card.number)
    assert statements(desk, copies[4].label, membre=member.pk, scan="11") == 43 + session()


@pytest.mark.parametrize("at_home", [1, 3])
def test_a_return(desk, copies, member, now, at_home):
    for copy in copies[:at_home]:
        hand_over(copy=copy, member=member, by=member.user, now=now)
    scan(desk, "M123455")
    assert statements(desk, copies[0].label, membre=member.pk, scan="12") == 37 + session()


@pytest.mark.parametrize("lines", [1, 3])
def test_the_board(desk, place, member, tool, lines):
    for copy in CopyFactory.create_batch(lines, tool=tool, place=place):
        LoanFactory(copy=copy, member=member, status=LoanStatus.READY)
    desk.get("/desk/tableau/")
    with CaptureQueriesContext(connection) as held:
        desk.get("/desk/tableau/")
    assert len(held) == 18 + session()
