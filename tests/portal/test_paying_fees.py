"""A loan's fee is paid on line from "Mes paiements", where the place takes money on line."""

from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from club.models import Member, User
from concierge.domain.fees import charge_fee
from concierge.models import Copy, Loan
from tests.factories.concierge import LoanFactory


@pytest.fixture
def loan(member: Member, copy: Copy, concierge_user: User, now: datetime) -> Loan:
    copy.tool.price_class = "medium"
    copy.tool.save()
    found: Loan = LoanFactory(
        member=member, copy=copy, tool=copy.tool, place=copy.place, status="out", out_at=now
    )
    charge_fee(found, by=concierge_user, now=now)
    return found


@pytest.mark.parametrize("keys", [False, True])
def test_what_a_loan_costs_can_be_paid_there(
    client: Client, member: Member, loan: Loan, now: datetime, settings: Any, keys: bool
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_1" if keys else ""
    with time_machine.travel(now, tick=False):
        client.force_login(member.user)
        shown = client.get("/mon-espace/paiements/").text
        assert "Il reste 3\xa0€ à payer." in shown
        link = f"/mon-espace/payer/fee/{loan.pk}/"
        assert (link in shown) is keys
        if keys:
            assert client.get(link).status_code == 200
