"""What a loan costs at the counter: charged when it leaves, given back when it returns."""

from datetime import timedelta

import pytest
from django.db import transaction

from club.domain.ledger import balance_of, deposits_of
from club.domain.receipts import cancel_receipt, take_payment
from club.enums import Account, EntryKind, Means
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.models import LedgerEntry, Receipt
from concierge.domain.fees import give_back_deposit
from concierge.domain.lending import hand_over, keep_for, take_back, undo_hand_over
from concierge.enums import LoanStatus, PriceClass
from concierge.models import Loan
from tests.desk.conftest import result, scan
from tests.factories.club import NOW
from tests.factories.concierge import PolicyFactory
from tests.factories.money import TillDayFactory


@pytest.fixture
def by(concierge_user):
    return concierge_user


@pytest.fixture
def priced(tool):
    tool.price_class = PriceClass.MEDIUM
    tool.save()
    return tool


@pytest.fixture
def deposit(place):
    PolicyFactory(place=place, deposit_cents=5000)
    place.refresh_from_db()
    return TillDayFactory(place=place)


def due(member):
    return [(line.kind, line.cents) for line in due_of(member.household, NOW)]


def pay(member, place, by, means=Means.CASH):
    lines = due_of(member.household, NOW)
    return take_payment(member=member, place=place, lines=lines, means=means, by=by, now=NOW)


def sums():
    return [
        (entry.kind, entry.account, entry.cents) for entry in LedgerEntry.objects.order_by("pk")
    ]


def test_a_free_object_charges_nothing(member, copy, by):
    hand_over(copy=copy, member=member, by=by, now=NOW)
    assert sums() == []


def test_a_hand_over_charges_and_its_undoing_takes_the_charge_back(member, priced, copy, by):
    loan = hand_over(copy=copy, member=member, by=by, now=NOW)
    assert due(member) == [("fee", 300)]
    undo_hand_over(loan, by=by, now=NOW)
    assert due(member) == []
    assert sums() == [
        (EntryKind.CHARGE, Account.FEE, -300),
        (EntryKind.CHARGE, Account.FEE, 300),
    ]
    again = hand_over(copy=copy, member=member, by=by, now=NOW)
    assert due(member) == [("fee", 300)]
    assert again.pk != loan.pk


def test_a_fee_is_charged_again_after_an_undone_hand_over_of_the_same_loan(
    member, priced, copy, by
):
    loan = keep_for(copy=copy, member=member, by=by, now=NOW)
    for _ in range(2):
        hand_over(copy=copy, member=member, by=by, now=NOW)
        undo_hand_over(loan, by=by, now=NOW)
    hand_over(copy=copy, member=member, by=by, now=NOW)
    sources = LedgerEntry.objects.filter(reverses=None).values_list("source", flat=True)
    assert sorted(sources) == [f"fee:{loan.pk}:{n}" for n in (1, 2, 3)]
    assert balance_of(member.household) == -300


def test_a_paid_fee_is_owed_no_more(member, priced, copy, place, by):
    TillDayFactory(place=place)
    hand_over(copy=copy, member=member, by=by, now=NOW)
    receipt = pay(member, place, by)
    assert (receipt.cents, due(member), balance_of(member.household)) == (300, [], 0)
    cancel_receipt(receipt, by=by, now=NOW)
    assert due(member) == [("fee", 300)]


def test_without_its_deposit_nothing_leaves_and_nothing_is_written(deposit, member, copy, by):
    with pytest.raises(Refused) as refused:
        hand_over(copy=copy, member=member, by=by, now=NOW)
    assert refused.value.codes == ["deposit_due"]
    assert not Loan.objects.exists()


def test_the_counter_keeps_the_object_until_the_deposit_is_paid(
    desk, deposit, member, copy, place, by
):
    answer = scan(desk, copy.label, membre=member.pk, scan="5")
    assert result(answer) == (
        "attention",
        "Caution : 50 €.",
        "Gaufrier est mis de côté. Encaissez, puis scannez-le encore.",
    )
    loan = Loan.objects.get()
    assert (loan.status, due(member)) == (LoanStatus.READY, [("deposit", 5000)])
    refused = scan(desk, copy.label, membre=member.pk, scan="6")
    assert result(refused)[0] == "refused"
    pay(member, place, by)
    assert deposits_of(member.household) == 5000
    assert result(scan(desk, copy.label, membre=member.pk, scan="7"))[0] == "done"
    assert due(member) == []


def test_the_same_scan_sent_again_keeps_one_claim(desk, deposit, member, copy):
    for _ in range(2):
        answer = scan(desk, copy.label, membre=member.pk, scan="5")
        assert result(answer)[1] == "Caution : 50 €."
    assert Loan.objects.count() == 1


def test_a_deposit_that_does_not_block_is_still_to_pay(place, member, copy, by):
    PolicyFactory(place=place, deposit_cents=5000, deposit_first=False)
    place.refresh_from_db()
    copy.refresh_from_db()
    hand_over(copy=copy, member=member, by=by, now=NOW)
    assert due(member) == [("deposit", 5000)]


@pytest.fixture
def lent(deposit, member, copy, place, by):
    loan = keep_for(copy=copy, member=member, by=by, now=NOW)
    pay(member, place, by)
    hand_over(copy=copy, member=member, by=by, now=NOW)
    return loan


def test_a_deposit_goes_back_when_the_object_is_back(lent, member, copy, by):
    with pytest.raises(Refused) as refused:
        give_back_deposit(lent, means=Means.CASH, by=by, now=NOW)
    assert refused.value.codes == ["still_out"]
    take_back(copy=copy, by=by, now=NOW + timedelta(days=1))
    receipt = give_back_deposit(lent, means=Means.CASH, by=by, now=NOW)
    assert (receipt.cents, receipt.number) == (-5000, 2)
    assert deposits_of(member.household) == 0
    with pytest.raises(Refused) as twice:
        give_back_deposit(lent, means=Means.CASH, by=by, now=NOW)
    assert twice.value.codes == ["not_held"]


def test_the_same_page_gives_back_once(lent, copy, by):
    take_back(copy=copy, by=by, now=NOW)
    first = give_back_deposit(lent, means=Means.CASH, by=by, now=NOW, form_key="k")
    assert give_back_deposit(lent, means=Means.CASH, by=by, now=NOW, form_key="k") == first


def test_part_is_kept_with_its_reason(lent, member, copy, by):
    take_back(copy=copy, by=by, now=NOW)
    odd = [(5001, "broken", "kept_wrong"), (-1, "broken", "kept_wrong")]
    odd += [(100, "", "reason_missing"), (100, "x", "reason_missing")]
    for kept, reason, code in odd:
        with pytest.raises(Refused) as refused:
            give_back_deposit(
                lent, means=Means.CASH, kept_cents=kept, reason=reason, by=by, now=NOW
            )
        assert refused.value.codes == [code]
    receipt = give_back_deposit(
        lent, means=Means.CASH, kept_cents=2000, reason="broken", by=by, now=NOW
    )
    assert receipt.cents == -3000
    assert (deposits_of(member.household), balance_of(member.household)) == (0, 0)
    assert due(member) == []
    assert [entry.cents for entry in receipt.entries.order_by("pk")] == [-5000, 2000]
    cancel_receipt(receipt, by=by, now=NOW)
    assert (deposits_of(member.household), balance_of(member.household)) == (5000, 0)
    assert due(member) == []


def test_a_deposit_given_back_is_not_given_back_again_by_its_receipt(lent, copy, by):
    taken = Receipt.objects.get()
    take_back(copy=copy, by=by, now=NOW)
    back = give_back_deposit(lent, means=Means.CASH, by=by, now=NOW)
    with pytest.raises(Refused) as refused, transaction.atomic():
        cancel_receipt(taken, by=by, now=NOW)
    assert refused.value.codes == ["given_back"]
    cancel_receipt(back, by=by, now=NOW)
    assert deposits_of(lent.member.household) == 5000
