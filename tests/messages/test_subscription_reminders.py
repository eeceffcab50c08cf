"""Which subscriptions are recalled on which day, to whom, and never twice."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from club.domain.outbox import Round, send_due
from club.emails import MailAndSms
from club.kernel.spans import at
from club.models import Customer, LedgerEntry, Mandate, Member, Message, Place
from concierge.domain.reminders import write_reminders
from concierge.domain.renewal_reminders import write_renewal_reminders
from concierge.models import Copy, Loan, Plan, Subscription
from tests.factories.club import MemberFactory
from tests.factories.concierge import LoanFactory
from tests.factories.money import PlanFactory, SubscriptionFactory

TODAY = date(2027, 3, 9)


@pytest.fixture
def newcomer(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def plan(place: Place) -> Plan:
    return PlanFactory(landlord=place.landlord)


def running(member: Member, plan: Plan, ends_in: int, **more: Any) -> Subscription:
    """One that is paid until so many days from today."""
    one = SubscriptionFactory(of=member, plan=plan)
    until = TODAY + timedelta(days=ends_in)
    Subscription.objects.filter(pk=one.pk).update(
        **{"status": "active", "paid_until": until} | more
    )
    one.refresh_from_db()
    return one


def morning(days: int = 0) -> datetime:
    return at(TODAY + timedelta(days=days), time(7, 5))


def events() -> list[str]:
    return sorted(Message.objects.values_list("event", flat=True))


def recalled(days: int = 0) -> list[str]:
    write_renewal_reminders(morning(days))
    return events()


@pytest.mark.parametrize(
    ("ends_in", "expected"),
    [
        (31, []),
        (30, ["subscription.ends_in_30"]),
        (29, []),
        (8, []),
        (7, ["subscription.ends_in_7"]),
        (6, []),
        (1, []),
        (0, ["subscription.ends_today"]),
        (-1, []),
    ],
)
def test_by_hand_it_is_recalled_thirty_and_seven_days_before_and_on_the_day(
    ends_in: int, expected: list[str], newcomer: Member, plan: Plan
) -> None:
    running(newcomer, plan, ends_in)
    assert recalled() == expected


@pytest.mark.parametrize("ends_in", [30, 7, 0, 6])
@pytest.mark.parametrize(
    "change",
    [
        {"stops_at_end": True},
        {"status": "paused"},
        {"status": "ended"},
        {"status": "cancelled"},
    ],
)
def test_what_does_not_go_on_or_costs_nothing_is_not_recalled(
    ends_in: int, change: dict[str, Any], newcomer: Member, plan: Plan
) -> None:
    running(newcomer, plan, ends_in, **change)
    assert recalled() == []


def test_who_goes_on_with_a_free_plan_has_nothing_to_pay(newcomer: Member, plan: Plan) -> None:
    free = PlanFactory(landlord=plan.landlord, price_cents=0)
    running(newcomer, plan, 7, next_plan=free)
    assert recalled() == []


def test_who_goes_on_from_a_free_plan_to_one_that_costs_is_recalled(
    newcomer: Member, plan: Plan
) -> None:
    free = PlanFactory(landlord=plan.landlord, price_cents=0)
    one = running(newcomer, free, 7, renewal="free")
    assert recalled() == []
    Subscription.objects.filter(pk=one.pk).update(next_plan=plan)
    assert recalled() == ["subscription.ends_in_7"]


def test_a_plan_by_the_month_is_not_recalled_on_its_first_day(newcomer: Member, plan: Plan) -> None:
    Plan.objects.update(months=1)
    one = running(newcomer, plan, 30)
    assert recalled() == []
    assert one.paid_until is not None
    assert recalled(23) == ["subscription.ends_in_7"]


@pytest.mark.parametrize(
    ("late_for", "expected"),
    [
        (1, []),
        (2, []),
        (3, ["subscription.late_3"]),
        (4, []),
        (7, ["subscription.late_7"]),
        (8, []),
    ],
)
def test_what_is_late_is_recalled_after_three_and_seven_days(
    late_for: int, expected: list[str], newcomer: Member, plan: Plan
) -> None:
    running(newcomer, plan, -late_for, status="late")
    assert recalled() == expected


@pytest.mark.parametrize("status", ["pending", "active", "late"])
def test_a_refused_debit_is_recalled_after_three_and_seven_days(
    status: str, newcomer: Member, plan: Plan, now: datetime
) -> None:
    until = None if status == "pending" else TODAY - timedelta(days=1)
    running(
        newcomer, plan, 0, status=status, renewal="online", paid_until=until,
        payment_failed_at=now,
    )  # fmt: skip
    assert recalled() == []
    assert recalled(3) == ["subscription.late_3"]
    assert recalled(7) == ["subscription.late_3", "subscription.late_7"]


def test_one_that_is_paid_meanwhile_is_not_told(newcomer: Member, plan: Plan) -> None:
    one = running(newcomer, plan, -3, status="late")
    assert recalled() == ["subscription.late_3"]
    Subscription.objects.filter(pk=one.pk).update(
        status="active", paid_until=TODAY + timedelta(days=362)
    )
    with MailAndSms() as transport:
        assert send_due(morning() + timedelta(hours=1), transport) == Round(dropped=1)


# -- Before a debit --------------------------------------------------------------------------


@pytest.fixture
def customer(newcomer: Member, now: datetime) -> Customer:
    return Customer.objects.create(
        household=newcomer.household, provider_id="cus_1", payer=newcomer, created_at=now
    )


def mandate(customer: Customer, **more: Any) -> Mandate:
    return Mandate.objects.create(
        **{
            "customer": customer, "provider_id": "mandate_1", "reference": "RUM-77",
            "last4": "3000", "status": "active", "accepted_on": date(2026, 3, 16),
        } | more
    )  # fmt: skip


def paid_by_card(one: Subscription, on: datetime) -> None:
    LedgerEntry.objects.create(
        place=one.place, household=one.household, kind="payment", account="subscription",
        means="card", cents=1200, subject_kind="subscription", subject_id=one.pk,
        label="Abonnement", source=f"stripe:{on}", at=on,
    )  # fmt: skip


@pytest.mark.parametrize(("ends_in", "number"), [(7, 0), (6, 1), (5, 1), (1, 1), (0, 0)])
def test_a_debit_is_told_seven_days_before_or_later_where_nobody_could(
    ends_in: int, number: int, newcomer: Member, plan: Plan, customer: Customer
) -> None:
    mandate(customer)
    running(newcomer, plan, ends_in, renewal="online")
    assert recalled() == ["subscription.sepa_notice"] * number
    if number:
        assert Message.objects.get().facts == {
            "day": "2027-03-09", "cents": 1200, "on": f"2027-03-{10 + ends_in:02d}",
            "mandate": "RUM-77", "last4": "3000",
        }  # fmt: skip


def test_a_debit_is_told_once(newcomer: Member, plan: Plan, customer: Customer) -> None:
    mandate(customer)
    running(newcomer, plan, 6, renewal="online")
    for days in range(6):
        write_renewal_reminders(morning(days))
    assert events() == ["subscription.sepa_notice"]


def test_a_card_s_debit_names_no_mandate(newcomer: Member, plan: Plan) -> None:
    running(newcomer, plan, 6, renewal="online")
    assert recalled() == ["subscription.card_notice"]
    assert Message.objects.get().facts == {"day": "2027-03-09", "cents": 1200, "on": "2027-03-16"}


@pytest.mark.parametrize(
    ("used", "status", "expected"),
    [
        (None, "active", "subscription.card_notice"),
        (date(2027, 2, 1), "active", "subscription.sepa_notice"),
        (date(2027, 2, 1), "void", "subscription.card_notice"),
    ],
)
def test_what_was_used_last_is_what_is_debited(
    used: date | None, status: str, expected: str,
    newcomer: Member, plan: Plan, customer: Customer, now: datetime,
) -> None:  # fmt: skip
    mandate(customer, last_used_on=used, status=status)
    one = running(newcomer, plan, 6, renewal="online")
    paid_by_card(one, now - timedelta(days=90))
    assert recalled() == [expected]


def test_the_price_of_the_next_plan_is_told(newcomer: Member, plan: Plan) -> None:
    dearer = PlanFactory(landlord=plan.landlord, price_cents=6000)
    running(newcomer, plan, 6, renewal="online", next_plan=dearer)
    recalled()
    assert Message.objects.get().facts["cents"] == 6000


def test_who_pays_is_told_of_the_debit(newcomer: Member, plan: Plan, customer: Customer) -> None:
    partner = MemberFactory(place=newcomer.place, household=newcomer.household)
    customer.payer = partner
    customer.save()
    running(newcomer, plan, 6, renewal="online")
    recalled()
    assert Message.objects.get().member == partner


def test_a_payer_who_has_left_the_household_is_told_nothing(
    newcomer: Member, plan: Plan, customer: Customer
) -> None:
    customer.payer = MemberFactory(place=newcomer.place)
    customer.save()
    running(newcomer, plan, 6, renewal="online")
    recalled()
    assert Message.objects.get().member == newcomer


# -- To whom, and once -----------------------------------------------------------------------


def test_the_household_s_first_member_is_told_and_a_person_of_their_own(
    newcomer: Member, plan: Plan
) -> None:
    partner = MemberFactory(place=newcomer.place, household=newcomer.household)
    one = running(newcomer, plan, 7)
    recalled()
    assert Message.objects.get().member == newcomer
    Message.objects.all().delete()
    Subscription.objects.filter(pk=one.pk).update(member=partner)
    recalled()
    assert Message.objects.get().member == partner


def test_who_has_neither_e_mail_nor_phone_is_called(newcomer: Member, plan: Plan) -> None:
    newcomer.user.email = ""
    newcomer.user.save()
    running(newcomer, plan, 7)
    assert recalled() == []


def test_the_job_run_twice_tells_once_and_it_leaves_at_eight(newcomer: Member, plan: Plan) -> None:
    running(newcomer, plan, 7)
    for minutes in (0, 10, 20):
        write_renewal_reminders(morning() + timedelta(minutes=minutes))
    assert Message.objects.get().due_at == at(TODAY, time(8))


def test_a_reminder_that_could_not_leave_on_its_day_is_dropped(
    newcomer: Member, plan: Plan
) -> None:
    running(newcomer, plan, 7)
    recalled()
    with MailAndSms() as transport:
        assert send_due(morning(1), transport) == Round(dropped=1)
    assert mail.outbox == []


def test_the_reminders_of_a_day_are_one_message(
    member: Member, copy: Copy, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    loan = LoanFactory(member=member, copy=copy, starts_at=now - timedelta(days=8))
    Loan.objects.filter(pk=loan.pk).update(status="out", due_on=TODAY + timedelta(days=1))
    running(member, PlanFactory(landlord=member.place.landlord), 7)
    write_reminders(morning())
    write_renewal_reminders(morning())
    with MailAndSms() as transport:
        assert send_due(now, transport) == Round(sent=2)
    (message,) = mail.outbox
    assert message.subject == "2 rappels, mardi 9\u00a0mars"
    assert "Ouvrir mon espace : https://club.example.org/mon-espace/\n" in message.body.replace(
        "\u00a0", " "
    )


def test_statements_do_not_grow_with_the_number_of_reminders(place: Place, plan: Plan) -> None:
    def add(many: int) -> None:
        for _ in range(many):
            running(MemberFactory(place=place), plan, 6, renewal="online")
            running(MemberFactory(place=place), plan, 7)

    counts = []
    for many in (1, 12):
        add(many)
        with CaptureQueriesContext(connection) as queries:
            write_renewal_reminders(morning())
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert Message.objects.count() == 26
