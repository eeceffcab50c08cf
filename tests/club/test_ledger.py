"""Money is entered once, never changed, corrected by its opposite, receipted without a gap."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from club.domain.ledger import balance_of, balance_of_place, deposits_of, enter, reverse
from club.domain.receipts import cancel_receipt, take_payment
from club.enums import Account, EntryKind, Means
from club.guards import ENTRIES_STAY, RECEIPTS_STAY
from club.kernel import guards
from club.kernel.purchases import Due, due_of
from club.kernel.refusal import Refused
from club.models import LedgerEntry, Member, Message, Place, Receipt, TillDay, User
from concierge.domain.subscriptions import subscribe
from concierge.models import Subscription
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.money import PlanFactory, TillDayFactory


@pytest.fixture
def newcomer(place: Place) -> Member:
    member: Member = MemberFactory(place=place)
    plan = PlanFactory(landlord=place.landlord)
    subscribe(member, plan, place=place, by=member.user, now=NOW)
    return member


@pytest.fixture
def till(place: Place, concierge_user: User) -> TillDay:
    return TillDayFactory(place=place, opened_by=concierge_user)


def pay(member: Member, by: User, **more: object) -> Receipt:
    wanted: dict[str, object] = {
        "member": member,
        "place": member.place,
        "lines": due_of(member.household, NOW),
        "means": Means.CASH,
        "by": by,
        "now": NOW,
    }
    return take_payment(**(wanted | more))


def an_entry(member: Member, **more: object) -> LedgerEntry:
    wanted: dict[str, object] = {
        "kind": EntryKind.CHARGE,
        "account": Account.FEE,
        "cents": -300,
        "place": member.place,
        "household": member.household,
        "subject_kind": "loan",
        "subject_id": 1,
        "label": "Participation",
        "source": "fee:1",
        "at": NOW,
        "by": None,
    }
    return enter(**(wanted | more))


@pytest.mark.parametrize("guarded", [False, True])
def test_an_entry_stays_as_it_was_written(newcomer: Member, guarded: bool) -> None:
    """The fault first, with the guard off; then the database refuses it."""
    entry = an_entry(newcomer)
    rows = LedgerEntry.objects.filter(pk=entry.pk)
    if not guarded:
        guards.remove(ENTRIES_STAY)
        rows.update(cents=5)
        assert rows.get().cents == 5
        rows.delete()
        assert not rows.exists()
        guards.install(only=ENTRIES_STAY)
        return
    for change in (lambda: rows.update(cents=5), lambda: rows._raw_delete(rows.db)):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert rows.get().cents == -300


def test_a_receipt_stays_too(newcomer: Member, concierge_user: User, till: TillDay) -> None:
    receipt = pay(newcomer, concierge_user)
    with pytest.raises(DatabaseError, match=RECEIPTS_STAY.name), transaction.atomic():
        Receipt.objects.filter(pk=receipt.pk).update(cents=1)


def test_one_cause_is_entered_once(newcomer: Member) -> None:
    an_entry(newcomer)
    with pytest.raises(DatabaseError), transaction.atomic():
        an_entry(newcomer)


def test_the_opposite_is_entered_once(newcomer: Member) -> None:
    entry = an_entry(newcomer)
    opposite = reverse(entry, by=None, now=NOW)
    assert (opposite.cents, opposite.reverses) == (300, entry)
    assert balance_of(newcomer.household) == 0
    with pytest.raises(Refused):
        reverse(entry, by=None, now=NOW)


def test_a_deposit_is_no_credit(newcomer: Member) -> None:
    an_entry(
        newcomer, kind=EntryKind.PAYMENT, account=Account.DEPOSIT, cents=2000, means=Means.CHEQUE
    )
    assert balance_of(newcomer.household) == 0
    assert deposits_of(newcomer.household) == 2000


def test_a_second_press_finds_the_first_receipt(
    newcomer: Member, concierge_user: User, till: TillDay
) -> None:
    lines = due_of(newcomer.household, NOW)
    first = pay(newcomer, concierge_user, lines=lines, form_key="k" * 20)
    again = pay(newcomer, concierge_user, lines=lines, form_key="k" * 20)
    assert first == again
    assert Receipt.objects.count() == 1
    assert balance_of_place(newcomer.place) == {Means.CASH: 1200}


def test_cash_and_change(newcomer: Member, concierge_user: User, till: TillDay) -> None:
    receipt = pay(newcomer, concierge_user, given_cents=2000)
    assert (receipt.given_cents, receipt.change_cents) == (2000, 800)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"given_cents": 1100}, "given_too_little"),
        ({"means": "gold"}, "means_wrong"),
        ({"means": Means.CARD}, "means_wrong"),
        ({"lines": []}, "nothing_to_pay"),
        ({"lines": [Due("subscription", 1, "x", -5)]}, "amount_wrong"),
        ({"lines": [Due("subscription", 1, "x", 10**9)]}, "amount_wrong"),
    ],
)
def test_what_is_wrong_enters_nothing(
    newcomer: Member, concierge_user: User, till: TillDay, more: dict[str, object], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        pay(newcomer, concierge_user, **more)
    assert refused.value.codes == [code]
    assert not LedgerEntry.objects.exists()
    assert not Receipt.objects.exists()


def test_cash_needs_an_open_till(newcomer: Member, concierge_user: User) -> None:
    with pytest.raises(Refused) as refused:
        pay(newcomer, concierge_user)
    assert refused.value.codes == ["till_closed"]
    assert not Receipt.objects.exists()


def test_a_cheque_does_not(newcomer: Member, concierge_user: User) -> None:
    assert pay(newcomer, concierge_user, means=Means.CHEQUE).till is None


def test_a_number_is_taken_by_what_holds_only(
    newcomer: Member, concierge_user: User, till: TillDay
) -> None:
    lines = due_of(newcomer.household, NOW)
    broken = [*lines, Due("subscription", 10**6, "x", 5)]
    with pytest.raises(Subscription.DoesNotExist), transaction.atomic():
        pay(newcomer, concierge_user, lines=broken)
    assert str(pay(newcomer, concierge_user, lines=lines)) == "2027-000001"


def test_each_place_and_year_has_its_own_numbers(
    newcomer: Member, concierge_user: User, till: TillDay
) -> None:
    other = MemberFactory(place=PlaceFactory(landlord=newcomer.place.landlord))
    plan = PlanFactory(landlord=other.place.landlord)
    subscribe(other, plan, place=other.place, by=other.user, now=NOW)
    pay(newcomer, concierge_user)
    assert str(pay(other, concierge_user, means=Means.TRANSFER)) == "2027-000001"
    later = NOW + timedelta(days=330)
    renewed = pay(
        newcomer,
        concierge_user,
        lines=due_of(newcomer.household, later),
        now=later,
    )
    assert str(renewed) == "2028-000001"


def test_a_receipt_is_told_once(newcomer: Member, concierge_user: User, till: TillDay) -> None:
    pay(newcomer, concierge_user)
    assert Message.objects.filter(event="receipt.issued").count() == 1


def test_above_the_limit_somebody_else_cancels(
    newcomer: Member, concierge_user: User, till: TillDay
) -> None:
    newcomer.place.sign_off_cents = 1000
    newcomer.place.save()
    receipt = pay(newcomer, concierge_user)
    with pytest.raises(Refused) as refused:
        cancel_receipt(receipt, by=concierge_user, now=NOW)
    assert refused.value.codes == ["second_person"]
    other = AssignmentFactory(place=newcomer.place).user
    opposite = cancel_receipt(receipt, by=other, now=NOW)
    assert sum(LedgerEntry.objects.values_list("cents", flat=True)) == 0
    for again, code in ((receipt, "already_cancelled"), (opposite, "is_opposite")):
        with pytest.raises(Refused) as refused:
            cancel_receipt(again, by=other, now=NOW)
        assert refused.value.codes == [code]


@pytest.mark.django_db
def test_the_guards_are_there_after_each_migrate() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        names = {row[0] for row in cursor.fetchall()}
    wanted = {
        name
        for guard in (ENTRIES_STAY, RECEIPTS_STAY)
        for name in ([guard.name] if connection.vendor == "postgresql" else guard.triggers)
    }
    assert wanted <= names
