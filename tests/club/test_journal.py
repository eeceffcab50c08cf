"""The accountant's journal: two lines that balance, whatever was entered."""

import csv
import io
import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from club.domain.journal import FEC_COLUMNS, as_csv, as_fec, lines_of, totals_of
from club.domain.ledger import enter
from club.domain.ledger import reverse as reverse_entry
from club.domain.receipts import cancel_receipt, take_payment
from club.domain.till import close_till_day, expected_cash, move_cash, open_till_day
from club.enums import Account, EntryKind, Means, MovementKind
from club.kernel.purchases import due_of
from club.models import AccountNumber
from concierge.domain.subscriptions import subscribe
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.money import PlanFactory
from tests.signin import sign_in_staff

FIRST, LAST = date(2027, 1, 1), date(2027, 12, 31)
numbers = itertools.count(1)


@pytest.fixture
def payer(place):
    return MemberFactory(place=place, user__last_name="Vandenbroeck")


def pay(member, by, means=Means.CASH, cents=1200, now=NOW):
    plan = PlanFactory(landlord=member.place.landlord, price_cents=cents)
    subscribe(member, plan, place=member.place, by=by, now=now)
    lines = due_of(member.household, now)
    return take_payment(member=member, place=member.place, lines=lines, means=means, by=by, now=now)


def lines(place, first=FIRST, last=LAST):
    return list(lines_of(place, first, last))


def sides(found):
    return [(line.account[0], line.debit, line.credit) for line in found]


def test_a_payment_and_its_charge_are_four_lines(place, payer, concierge_user):
    open_till_day(place, 0, by=concierge_user, now=NOW)
    receipt = pay(payer, concierge_user)
    found = lines(place)
    assert sides(found) == [
        ("530", 1200, 0), ("411", 0, 1200),
        ("756", 0, 1200), ("411", 1200, 0),
    ]  # fmt: skip
    assert {line.piece for line in found[:2]} == {str(receipt)}
    assert [line.household for line in found] == [None, payer.household_id] * 2


def test_a_cancelled_receipt_leaves_nothing(place, payer, concierge_user):
    open_till_day(place, 0, by=concierge_user, now=NOW)
    cancel_receipt(pay(payer, concierge_user), by=concierge_user, now=NOW)
    assert all(debit == credit for debit, credit in totals_of(lines(place)).values())


def test_cash_of_the_journal_is_what_the_till_holds(place, payer, concierge_user):
    till = open_till_day(place, 5000, by=concierge_user, now=NOW)
    pay(payer, concierge_user)
    pay(MemberFactory(place=place), concierge_user, means=Means.CHEQUE)
    move_cash(till, MovementKind.BANKED, 1000, by=concierge_user, now=NOW)
    assert expected_cash(till) == 5200
    closed = close_till_day(till, {5000: 1, 100: 1}, by=concierge_user, now=NOW)
    totals = {number: sums for (number, _), sums in totals_of(lines(place)).items()}
    debit, credit = totals["530"]
    assert till.float_cents + debit - credit == closed.counted_cents == 5100
    assert totals["5112"] == (1200, 0)
    assert totals["580"] == (1000, 0)
    assert totals["658"] == (100, 0)


@pytest.mark.parametrize(
    ("kind", "account", "means", "cents", "wanted"),
    [
        ("payment", "deposit", "cheque", 5000, [("5112", 5000, 0), ("165", 0, 5000)]),
        ("payment", "deposit", "cash", -5000, [("530", 0, 5000), ("165", 5000, 0)]),
        ("refund", "subscription", "card", -1200, [("5115", 0, 1200), ("411", 1200, 0)]),
        ("dispute", "subscription", "sepa", -1200, [("5116", 0, 1200), ("411", 1200, 0)]),
        ("charge", "fee", "", -300, [("706", 0, 300), ("411", 300, 0)]),
        ("charge", "fee", "", 300, [("706", 300, 0), ("411", 0, 300)]),
        ("gap", "gap", "cash", 50, [("530", 50, 0), ("758", 0, 50)]),
        ("gap", "gap", "cash", -50, [("530", 0, 50), ("658", 50, 0)]),
        ("payment", "partner", "transfer", 100, [("512", 100, 0), ("411", 0, 100)]),
    ],
)
def test_each_kind_has_its_accounts(place, payer, kind, account, means, cents, wanted):
    entry(place, payer, kind, account, means, cents, NOW)
    assert sides(lines(place)) == wanted


def test_a_place_writes_its_own_numbers(place, payer):
    AccountNumber.objects.create(place=place, use="cash", number="53001", name="Caisse Tilleuls")
    entry(place, payer, "payment", "fee", "cash", 100, NOW)
    assert lines(place)[0].account == ("53001", "Caisse Tilleuls")


def entry(place, member, kind, account, means, cents, at, label="Abonnement"):
    return enter(
        kind=kind, account=account, cents=cents, place=place, household=member.household,
        subject_kind="test", subject_id=1, label=label, source=f"test:{next(numbers)}", at=at,
        by=None, means=means,
    )  # fmt: skip


kinds = st.sampled_from(
    [
        (kind, account)
        for kind in EntryKind
        for account in Account
        if (kind == EntryKind.GAP) == (account == Account.GAP)
        and (kind, account) != (EntryKind.CHARGE, Account.DEPOSIT)
    ]
)
amounts = st.integers(-100_000, 100_000).filter(bool)
entries = st.lists(
    st.tuples(kinds, st.sampled_from(list(Means)), amounts, st.integers(0, 364), st.booleans()),
    max_size=12,
)


@given(rows=entries, first=st.integers(0, 364), days=st.integers(0, 364))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_debit_is_credit_for_any_ledger_and_any_days(place, payer, rows, first, days):
    here = PlaceFactory(landlord=place.landlord, slug=f"accueil-{next(numbers)}")
    begins = date(2027, 1, 1) + timedelta(days=first)
    for (kind, account), means, cents, day, is_reversed in rows:
        at = NOW.replace(month=1, day=1) + timedelta(days=day)
        means = "" if kind == EntryKind.CHARGE else means
        made = entry(here, payer, kind, account, means, cents, at)
        if is_reversed:
            reverse_entry(made, by=None, now=at)
    ends = begins + timedelta(days=days)
    found = lines(here, begins, ends)
    for _, both in itertools.groupby(found, key=lambda line: line.number):
        pair = list(both)
        assert len(pair) == 2
        assert pair[0].debit + pair[1].debit == pair[0].credit + pair[1].credit
    assert all((line.debit > 0) != (line.credit > 0) for line in found)
    assert parsed(found) == [
        (line.account[0], line.number, line.debit, line.credit) for line in found
    ]
    whole = {line.piece: line.number for line in lines(here)}
    for line in found:
        if begins.year == ends.year:
            assert whole[line.piece] == line.number


def parsed(found):
    """The tax file, read back as its reader does."""
    rows = list(csv.DictReader(io.StringIO("".join(as_fec(found))), delimiter="\t"))
    for row in rows:
        assert tuple(row) == FEC_COLUMNS
        assert len(row["EcritureDate"]) == len(row["PieceDate"]) == 8

    def cents(text):
        return int(text.replace(",", ""))

    return [
        (row["CompteNum"], int(row["EcritureNum"]), cents(row["Debit"]), cents(row["Credit"]))
        for row in rows
    ]


def test_the_numbers_go_on_from_the_days_before(place, payer):
    for day in range(4):
        entry(place, payer, "payment", "fee", "cash", 100, NOW + timedelta(days=day))
    assert {line.number for line in lines(place)} == {1, 2, 3, 4}
    later = lines(place, date(2027, 3, 11), date(2027, 3, 12))
    assert {line.number for line in later} == {3, 4}
    assert lines(place, date(2028, 1, 1), date(2028, 2, 1)) == []


def test_days_are_those_of_paris(place, payer):
    entry(place, payer, "payment", "fee", "cash", 100, datetime(2027, 7, 9, 22, 30, tzinfo=UTC))
    found = lines(place)
    assert found[0].day == date(2027, 7, 10)


def test_nobodys_name_and_no_formula_is_in_a_file(place, payer):
    entry(place, payer, "payment", "fee", "cash", 100, NOW, label='=HYPERLINK("x")\t|a\nb')
    sheet = "".join(as_csv(lines(place)))
    assert sheet.startswith("\ufeffJournal;")
    cells = [cell for row in csv.reader(io.StringIO(sheet), delimiter=";") for cell in row]
    assert '\'=HYPERLINK("x") |a b' in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    fec = "".join(as_fec(lines(place)))
    assert len(fec.splitlines()) == 3
    assert all(len(row.split("\t")) == 18 for row in fec.splitlines())
    assert "Vandenbroeck" not in sheet + fec
    assert f"F{payer.household_id:06d}" in fec


def test_another_places_lines_are_not_there(place, payer):
    elsewhere = PlaceFactory(landlord=place.landlord, slug="ailleurs")
    entry(elsewhere, payer, "payment", "fee", "cash", 100, NOW)
    assert lines(place) == []


@pytest.fixture
def desk(client, place):
    sign_in_staff(client, AssignmentFactory(place=place).user)
    return client


def test_the_page_gives_sums_and_both_files(desk, place, payer):
    entry(place, payer, "payment", "fee", "cash", 1234, NOW)
    days = {"du": "2027-01-01", "au": "2027-12-31"}
    page = desk.get(reverse("desk:journal"), days)
    assert page.context["sum"] == 1234
    sheet = desk.get(reverse("desk:journal"), days | {"format": "csv"})
    assert "12,34" in b"".join(sheet.streaming_content).decode()
    assert "journal-tilleuls-20270101-20271231.csv" in sheet["Content-Disposition"]
    fec = desk.get(reverse("desk:journal"), days | {"format": "fec"})
    body = b"".join(fec.streaming_content).decode()
    assert body.splitlines()[0] == "\t".join(FEC_COLUMNS)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2027-02-01", "2027-01-01"), ("2027-01-01", "2029-01-01"), ("x", "2027-01-01"),
        ("1900-01-01", "1900-01-02"), ("9999-12-31", "9999-12-31"), ("", ""),
    ],
)  # fmt: skip
def test_odd_days_are_refused(desk, place, first, last):
    answer = desk.get(reverse("desk:journal"), {"du": first, "au": last, "format": "csv"})
    assert answer.status_code == 422
