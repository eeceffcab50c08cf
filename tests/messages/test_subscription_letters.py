"""What each event of a subscription says, in both forms and by SMS."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from club.domain.messages import tell
from club.domain.outbox import Round, send_due
from club.emails import MailAndSms
from club.kernel import letters
from club.models import Member, Message, Place
from concierge.domain.renewal_reminders import CARD, SEPA
from concierge.models import Plan, Subscription
from concierge.subscription_letters import WANTED
from tests.factories.club import MemberFactory
from tests.factories.money import PlanFactory, SubscriptionFactory

NBSP = "\u00a0"
TODAY = date(2027, 3, 9)


@pytest.fixture
def newcomer(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def plan(place: Place) -> Plan:
    return PlanFactory(landlord=place.landlord, name="Habitants")


@pytest.fixture
def subscription(newcomer: Member, plan: Plan) -> Subscription:
    return SubscriptionFactory(of=newcomer, plan=plan)


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "subscription.started": (
        {"status": "active", "paid_until": date(2028, 3, 8)},
        f"Abonnement actif jusqu’au mercredi 8{NBSP}mars{NBSP}2028",
    ),
    "subscription.payment_failed": (
        {"status": "active", "paid_until": date(2027, 3, 8), "payment_failed_at": "now"},
        f"Paiement refusé, mardi 9{NBSP}mars{NBSP}: abonnement Habitants",
    ),
    "subscription.stopping": (
        {"status": "active", "paid_until": date(2027, 4, 1), "stops_at_end": True},
        f"Abonnement arrêté après le jeudi 1er{NBSP}avril",
    ),
    "subscription.ended": (
        {"status": "ended", "paid_until": date(2027, 2, 20)},
        f"Abonnement terminé le samedi 20{NBSP}février",
    ),
    "subscription.next_plan": (
        {"status": "active", "paid_until": date(2027, 3, 31), "next_plan": "other"},
        f"Nouvelle formule à partir du jeudi 1er{NBSP}avril",
    ),
    SEPA: (
        {"status": "active", "renewal": "online", "paid_until": date(2027, 3, 15)},
        f"Prélèvement de 12{NBSP}€, mardi 16{NBSP}mars",
    ),
    CARD: (
        {"status": "active", "renewal": "online", "paid_until": date(2027, 3, 15)},
        f"Paiement par carte de 12{NBSP}€, mardi 16{NBSP}mars",
    ),
    "subscription.ends_in_30": (
        {"status": "active", "paid_until": TODAY + timedelta(days=30)},
        f"Abonnement à renouveler avant le jeudi 8{NBSP}avril",
    ),
    "subscription.ends_in_7": (
        {"status": "active", "paid_until": TODAY + timedelta(days=7)},
        f"Abonnement à renouveler avant le mardi 16{NBSP}mars",
    ),
    "subscription.ends_today": (
        {"status": "active", "paid_until": TODAY},
        f"Abonnement{NBSP}: dernier jour, mardi 9{NBSP}mars",
    ),
    "subscription.late_3": (
        {"status": "late", "paid_until": TODAY - timedelta(days=3)},
        f"Abonnement à payer avant le dimanche 21{NBSP}mars",
    ),
    "subscription.late_7": (
        {"status": "late", "paid_until": TODAY - timedelta(days=7)},
        f"Abonnement à payer avant le mercredi 17{NBSP}mars",
    ),
}


def stand(subscription: Subscription, changes: dict[str, Any], now: datetime) -> None:
    changes = dict(changes)
    if changes.get("payment_failed_at") == "now":
        changes["payment_failed_at"] = now
    if changes.get("next_plan") == "other":
        changes["next_plan"] = PlanFactory(landlord=subscription.plan.landlord, price_cents=6000)
    Subscription.objects.filter(pk=subscription.pk).update(**changes)


def send(now: datetime) -> Round:
    with MailAndSms() as transport:
        return send_due(now, transport)


def told(event: str, subscription: Subscription, now: datetime, **facts: Any) -> Any:
    member = subscription.household.members.get()
    facts = {"day": now.date().isoformat()} | facts
    tell(member, event, subscription, key=f"{event}:{subscription.pk}", now=now, facts=facts)
    assert send(now) == Round(sent=1)
    return mail.outbox[0]


def test_each_event_has_a_case() -> None:
    assert set(CASES) == set(WANTED)
    assert all(letters.sort_of(event) for event in CASES)


@pytest.mark.parametrize("event", CASES)
def test_the_subject_is_fact_and_date_and_the_two_forms_say_the_same(
    event: str, subscription: Subscription, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    changes, subject = CASES[event]
    stand(subscription, changes, now)
    message = told(event, subscription, now)
    assert message.subject == subject
    html = message.alternatives[0].content
    for form in (message.body, html):
        assert "Bonjour Samira," in form
        assert "https://club.example.org/mon-espace/abonnement/" in form
        assert "mon abonnement" in form
        assert "Habitants" in form
        assert "{" not in form.split("</style>")[-1]
    assert html.count('class="button"') == 1
    assert "<img" not in html


@pytest.mark.parametrize("event", CASES)
def test_what_is_not_true_any_more_does_not_leave(
    event: str, subscription: Subscription, newcomer: Member, now: datetime
) -> None:
    changes, _subject = CASES[event]
    stand(subscription, changes, now)
    facts = {"day": now.date().isoformat()}
    tell(newcomer, event, subscription, key="k", now=now, facts=facts)
    status = "pending" if event == "subscription.ended" else "cancelled"
    Subscription.objects.filter(pk=subscription.pk).update(status=status)
    assert send(now) == Round(dropped=1)
    assert mail.outbox == []


@pytest.mark.parametrize("event", CASES)
def test_an_sms_holds_the_fact_and_the_link(
    event: str, subscription: Subscription, newcomer: Member, now: datetime, tmp_path: Any
) -> None:
    newcomer.user.email, newcomer.user.phone = "", "+33612345678"
    newcomer.user.save()
    changes, _subject = CASES[event]
    stand(subscription, changes, now)
    facts = {"day": now.date().isoformat()}
    tell(newcomer, event, subscription, key="k", now=now, facts=facts)
    assert send(now) == Round(sent=1)
    (file,) = (tmp_path / "sms").iterdir()
    text = file.read_text().splitlines()[1]
    assert len(text) <= 160
    assert text.startswith("Conciergerie des Tilleuls: ")
    assert text.endswith("/mon-espace/abonnement/")
    assert "..." not in text


def test_the_notice_tells_amount_day_and_mandate(subscription: Subscription, now: datetime) -> None:
    stand(subscription, CASES[SEPA][0], now)
    facts = {"cents": 600, "on": "2027-03-16", "mandate": "RUM-77", "last4": "3000"}
    message = told(SEPA, subscription, now, **facts)
    assert message.subject == f"Prélèvement de 6{NBSP}€, mardi 16{NBSP}mars"
    for form in (message.body, message.alternatives[0].content):
        assert "RUM-77" in form
        assert "finit par 3000" in form


def test_a_notice_that_names_its_date_holds_until_then(
    subscription: Subscription, newcomer: Member, now: datetime
) -> None:
    """The provider's gateway may tell a debit too, on a day of its own."""
    stand(subscription, CASES[SEPA][0], now)
    for on in ("2027-03-08", "2027-03-20"):
        tell(newcomer, SEPA, subscription, key=on, now=now, facts={"on": on, "cents": 1200})
    assert send(now) == Round(sent=1, dropped=1)
    assert mail.outbox[0].subject == f"Prélèvement de 12{NBSP}€, samedi 20{NBSP}mars"


def test_after_leaving_without_another_plan_the_end_is_told(
    subscription: Subscription, now: datetime
) -> None:
    stand(
        subscription,
        {"status": "active", "paid_until": date(2027, 3, 31), "stops_at_end": True},
        now,
    )
    message = told("subscription.next_plan", subscription, now)
    assert message.subject == f"Votre formule s’arrête le mercredi 31{NBSP}mars"
    assert "Ensuite" not in message.body


def test_a_plan_s_name_is_escaped_in_html_alone(
    subscription: Subscription, plan: Plan, now: datetime
) -> None:
    plan.name = "L'<b>été</b>"
    plan.save()
    stand(subscription, CASES["subscription.next_plan"][0], now)
    message = told("subscription.next_plan", subscription, now)
    assert "L'<b>été</b>" in message.body
    assert "<b>été" not in message.alternatives[0].content


def test_where_to_pay_follows_the_place(
    subscription: Subscription, now: datetime, settings: Any
) -> None:
    stand(subscription, CASES["subscription.ends_in_7"][0], now)
    settings.STRIPE_SECRET_KEY = ""
    message = told("subscription.ends_in_7", subscription, now)
    assert "Conciergerie des Tilleuls, 7, allée des Tilleuls" in message.body
    assert "en ligne" not in message.body
    mail.outbox.clear()
    Message.objects.all().delete()
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    assert "en ligne" in told("subscription.ends_in_7", subscription, now).body
