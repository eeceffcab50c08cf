"""The one reminder of "Mon espace" may be the subscription, after what is more urgent."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from club.models import Member, Place, Right
from concierge.models import Copy, Plan, Subscription
from tests.factories.club import MemberFactory
from tests.factories.concierge import CopyFactory, LoanFactory
from tests.factories.money import PlanFactory, SubscriptionFactory

NBSP = "\u00a0"
TODAY = date(2027, 3, 9)


@pytest.fixture
def newcomer(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def browser(client: Client, newcomer: Member) -> Client:
    client.force_login(newcomer.user)
    return client


@pytest.fixture
def plan(place: Place) -> Plan:
    return PlanFactory(landlord=place.landlord)


def held(member: Member, plan: Plan, ends_in: int, **more: Any) -> Subscription:
    one = SubscriptionFactory(of=member, plan=plan)
    until = TODAY + timedelta(days=ends_in)
    Subscription.objects.filter(pk=one.pk).update(
        **{"status": "active", "paid_until": until} | more
    )
    return one


def reminder(client: Client) -> tuple[str, str, str] | None:
    line = client.get("/mon-espace/").context["reminder"]
    return (line["title"], line["label"], line["day"]) if line else None


@pytest.mark.parametrize(
    ("ends_in", "more", "expected"),
    [
        (31, {}, None),
        (30, {}, ("Abonnement", "à renouveler avant", f"jeudi 8{NBSP}avril")),
        (0, {}, ("Abonnement", "à renouveler avant", f"mardi 9{NBSP}mars")),
        (30, {"stops_at_end": True}, None),
        (30, {"renewal": "online"}, None),
        (30, {"status": "paused"}, None),
        (
            -3,
            {"status": "late"},
            ("Abonnement", "en retard, à payer avant", f"dimanche 21{NBSP}mars"),
        ),
        (-3, {}, ("Abonnement", "en retard, à payer avant", f"dimanche 21{NBSP}mars")),
        (-3, {"status": "ended"}, None),
        (-3, {"status": "cancelled"}, None),
    ],
)
def test_it_is_recalled_in_its_last_thirty_days_and_while_it_is_late(
    browser: Client, newcomer: Member, plan: Plan, ends_in: int, more: dict[str, Any],
    expected: tuple[str, str, str] | None,
) -> None:  # fmt: skip
    held(newcomer, plan, ends_in, **more)
    assert reminder(browser) == expected


def test_what_is_free_is_not_recalled(browser: Client, newcomer: Member, plan: Plan) -> None:
    held(newcomer, PlanFactory(landlord=plan.landlord, price_cents=0), 30, renewal="free")
    assert reminder(browser) is None


def test_a_refused_payment_is_recalled_and_leads_to_the_page(
    browser: Client, newcomer: Member, plan: Plan, now: datetime
) -> None:
    held(newcomer, plan, 2, renewal="online", payment_failed_at=now)
    page = browser.get("/mon-espace/")
    assert "Abonnement, paiement refusé, à régler avant" in page.text
    assert f"vendredi 26{NBSP}mars" in page.text
    assert 'class="reminder reminder--late" href="/mon-espace/abonnement/"' in page.text


def test_a_late_loan_comes_first_then_a_late_subscription_then_the_day(
    browser: Client, newcomer: Member, plan: Plan, copy: Copy, now: datetime
) -> None:
    def lend(name: str, **more: Any) -> None:
        other = CopyFactory(place=copy.place, tool__name=name)
        LoanFactory(copy=other, member=newcomer, **more)

    one = held(newcomer, plan, 20)
    lend("Scie", starts_at=now + timedelta(days=9))
    assert reminder(browser)[0] == "Abonnement"
    lend("Barnum", status="ready", starts_at=now + timedelta(days=6))
    assert reminder(browser)[0] == "Barnum"
    lend("Gril", status="out", starts_at=now - timedelta(days=7))
    assert reminder(browser)[0] == "Gril"
    Subscription.objects.filter(pk=one.pk).update(paid_until=TODAY - timedelta(days=1))
    assert reminder(browser)[0] == "Abonnement"
    lend("Sono", status="out", starts_at=now - timedelta(days=10))
    assert reminder(browser)[0] == "Sono"
    page = browser.get("/mon-espace/")
    assert page.text.count('class="reminder') == 1 + page.text.count("reminder__words")


def test_the_line_of_the_subscription_leads_to_its_page(signed_in: Client) -> None:
    page = signed_in.get("/mon-espace/")
    assert (
        f'<a href="/mon-espace/abonnement/">Abonnement actif jusqu’au vendredi 31{NBSP}décembre.'
    ) in page.text
    Right.objects.update(ends_on=date(2027, 3, 1))
    assert (
        '<a href="/mon-espace/abonnement/">Renouveler mon abonnement</a>'
        in signed_in.get("/mon-espace/").text
    )
    Right.objects.all().delete()
    assert '<a href="/mon-espace/abonnement/">M’abonner</a>' in signed_in.get("/mon-espace/").text
