"""What is paid once and does not renew: a loan's fee, a deposit."""

import pytest

from club.domain import checkouts
from club.domain.ledger import balance_of_subject, enter
from club.domain.refunds import ask_refund, left_to_refund
from club.enums import RefundReason
from club.kernel.refusal import Refused
from club.models import Checkout, LedgerEntry, Member, Refund, User
from concierge.models import Copy, Loan
from tests.club.payments.house import ORIGIN, House, entries, money_here
from tests.factories.concierge import LoanFactory, PolicyFactory


@pytest.fixture
def loan(house: House, samira: Member, copy: Copy) -> Loan:
    loan = LoanFactory(copy=copy, member=samira)
    charge(house, loan, 300)
    return loan


def charge(house: House, loan: Loan, cents: int) -> None:
    number = LedgerEntry.objects.count()
    enter(
        kind="charge", account="fee", cents=-cents, place=loan.place,
        household=loan.member.household, member=loan.member, subject_kind="fee",
        subject_id=loan.pk, label="Participation", source=f"fee:{loan.pk}:{number}",
        at=house.now, by=None,
    )  # fmt: skip


def begin(house: House, loan: Loan, kind: str = "fee") -> Checkout:
    checkouts.begin_checkout(
        loan.member, kind, loan.pk, origin=ORIGIN, by=loan.member.user, now=house.now
    )
    return Checkout.objects.latest("pk")


@pytest.mark.parametrize("method", ["card", "sepa_debit"])
def test_a_fee_is_paid_on_line(house: House, loan: Loan, samira: Member, method: str) -> None:
    house.pay(begin(house, loan), method)
    house.hear()
    if method == "sepa_debit":
        assert entries(samira.household) == [("charge", -300)]
        intent = house.objects("payment_intents")[0].id
        house.sim.control("sepa", payment_intent=intent, outcome="settle")
        house.hear()
    assert entries(samira.household) == [("charge", -300), ("payment", 300)]
    assert balance_of_subject("fee", loan.pk) == 0
    assert money_here() == house.money_there() == 300
    with pytest.raises(Refused) as refused:
        begin(house, loan)
    assert refused.value.codes == ["nothing_due"]


def test_a_fee_paid_on_two_pages_goes_back_once(house: House, loan: Loan) -> None:
    first = begin(house, loan)
    Checkout.objects.filter(pk=first.pk).update(expires_at=house.now)
    second = begin(house, loan)
    house.forget()
    house.pay(first)
    house.pay(second)
    house.hear()
    assert balance_of_subject("fee", loan.pk) == 0
    assert Refund.objects.get().reason == RefundReason.TWICE
    assert money_here() == house.money_there() == 300


def test_another_purchase_closes_the_first_page(house: House, loan: Loan, copy: Copy) -> None:
    other = LoanFactory(copy=copy, member=loan.member, starts_at=loan.starts_at.replace(year=2028))
    charge(house, other, 100)
    first = begin(house, loan)
    second = begin(house, other)
    house.work()
    first.refresh_from_db()
    assert (first.status, second.status) == ("expired", "open")
    assert {x.status for x in house.objects("checkout.sessions")} == {"expired", "open"}


def test_a_deposit_that_the_desk_gave_back_is_not_refunded_too(
    house: House, loan: Loan, samira: Member, concierge_user: User
) -> None:
    entry = enter(
        kind="payment", account="deposit", cents=5000, place=loan.place,
        household=samira.household, member=samira, subject_kind="deposit", subject_id=loan.pk,
        label="Caution", source="stripe:pi_deposit", means="card", at=house.now, by=None,
    )  # fmt: skip
    assert left_to_refund(entry) == 5000
    enter(
        kind="payment", account="deposit", cents=-4000, place=loan.place,
        household=samira.household, member=samira, subject_kind="deposit", subject_id=loan.pk,
        label="Caution rendue", source="receipt:1:1", means="cash", at=house.now, by=None,
    )  # fmt: skip
    assert left_to_refund(entry) == 1000
    with pytest.raises(Refused):
        ask_refund(entry, 1001, RefundReason.MISTAKE, by=concierge_user, now=house.now)
    ask_refund(entry, 600, RefundReason.MISTAKE, by=concierge_user, now=house.now)
    assert left_to_refund(entry) == 400


def test_a_deposit_disputed_after_the_desk_gave_it_back_is_written_all_the_same(
    house: House, loan: Loan, samira: Member
) -> None:
    PolicyFactory(place=loan.place, value_class=loan.tool.value_class, deposit_cents=5000)
    Loan.objects.filter(pk=loan.pk).update(status="ready")
    house.pay(begin(house, loan, "deposit"))
    house.hear()
    assert balance_of_subject("deposit", loan.pk) == 5000
    enter(
        kind="payment", account="deposit", cents=-5000, place=loan.place,
        household=samira.household, member=samira, subject_kind="deposit", subject_id=loan.pk,
        label="Caution rendue", source="receipt:1:1", means="cash", at=house.now, by=None,
    )  # fmt: skip
    intent = house.objects("payment_intents")[0].id
    house.sim.control("dispute", payment_intent=intent)
    house.hear()
    assert balance_of_subject("deposit", loan.pk) == -5000
    assert money_here() == house.money_there() == 0
