"""The yearly fee of a convention: one charge and one receipt a year, reversible, in the books."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from club.access import FRESH_SECONDS
from club.domain.journal import as_fec, lines_of
from club.domain.ledger import balance_of_subject
from club.domain.receipts import cancel_receipt
from club.domain.till import open_till_day
from club.enums import Account, EntryKind, Means, Role
from club.kernel.invariants import all_invariants
from club.kernel.purchases import due_of
from club.kernel.refusal import Refused
from club.models import LedgerEntry, Member, Place, Receipt, User
from marketplace.domain.fees import take_fee
from marketplace.models import Convention, Partner
from marketplace.queries.directory import RULES, directory_of
from marketplace.queries.fees import fees_of, running_year, years_until
from tests.factories.club import LandlordFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import PartnerFactory
from tests.signin import sign_in_staff

FIRST = date(2027, 1, 1)


@pytest.fixture
def partner(place: Place) -> Partner:
    found: Partner = PartnerFactory(landlord=place.landlord, name="Boulangerie Lemaire")
    Convention.objects.update(fee_cents=100_00)
    return found


@pytest.fixture
def convention(partner: Partner) -> Convention:
    return Convention.objects.get(partner=partner)


def take(convention: Convention, place: Place, by: User, now: datetime, **more: Any) -> Receipt:
    asked = {"starts_on": FIRST, "cents": 100_00, "means": Means.CHEQUE} | more
    return take_fee(convention, place=place, by=by, now=now, **asked)


def violations() -> list[str]:
    about = {"receipts", "receipt-sums", "reversals"}
    found = [one for one in all_invariants() if one.name in about]
    assert len(found) == len(about)
    return [line for one in found for line in one.violations()]


# -- Years ----------------------------------------------------------------------------------------


def test_a_year_begins_on_the_conventions_own_day(convention: Convention) -> None:
    convention.starts_on, convention.ends_on = date(2024, 2, 29), date(2026, 8, 31)
    found = [(one.starts_on, one.ends_on) for one in years_until(convention, date(2027, 1, 1))]
    assert found == [
        (date(2026, 2, 28), date(2026, 8, 31)),
        (date(2025, 2, 28), date(2026, 2, 27)),
        (date(2024, 2, 29), date(2025, 2, 27)),
    ]
    assert years_until(convention, date(2024, 2, 28)) == []
    assert len(years_until(convention, date(2025, 2, 27))) == 1
    assert len(years_until(convention, date(2025, 2, 28))) == 2
    assert running_year([convention], date(2026, 9, 1)) is None


# -- The ledger -----------------------------------------------------------------------------------


def test_a_charge_and_a_payment_of_one_receipt(
    convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    receipt = take(convention, place, concierge_user, now)
    assert (str(receipt), receipt.cents, receipt.household, receipt.member) == (
        "2027-000001", 100_00, None, None,
    )  # fmt: skip
    rows = LedgerEntry.objects.order_by("pk")
    assert [(row.kind, row.account, row.cents, row.means, row.receipt) for row in rows] == [
        (EntryKind.PAYMENT, Account.PARTNER, 100_00, Means.CHEQUE, receipt),
        (EntryKind.CHARGE, Account.PARTNER, -100_00, "", receipt),
    ]
    assert {row.label for row in rows} == {
        "Participation de Boulangerie Lemaire,"
        " du 1er\u00a0janvier\u00a02027 au 31\u00a0décembre\u00a02027"
    }
    assert balance_of_subject("convention", convention.pk) == 0
    assert violations() == []


def test_a_year_is_paid_once(
    convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    receipt = take(convention, place, concierge_user, now)
    with pytest.raises(Refused) as refused:
        take(convention, place, concierge_user, now)
    assert refused.value.codes == ["already_paid"]
    assert str(receipt) in str(refused.value)
    assert Receipt.objects.count() == 1


def test_cancelled_by_the_opposite_it_is_to_be_paid_again(
    convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    receipt = take(convention, place, concierge_user, now)
    other = staff(place, Role.CONCIERGE)
    cancel_receipt(receipt, by=other, now=now)
    assert LedgerEntry.objects.count() == 4
    assert balance_of_subject("convention", convention.pk) == 0
    (fee,) = fees_of(convention.partner, now.date())
    assert fee.is_due and not fee.is_paid
    again = take(convention, place, concierge_user, now)
    assert str(again) == "2027-000003"
    (fee,) = fees_of(convention.partner, now.date())
    assert fee.charge is not None and fee.charge.receipt == again
    cancel_receipt(again, by=other, now=now)
    take(convention, place, concierge_user, now)
    assert violations() == []


def test_next_year_is_another_fee(
    convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    Convention.objects.update(ends_on=date(2028, 12, 31))
    convention.refresh_from_db()
    take(convention, place, concierge_user, now)
    second = date(2028, 1, 1)
    with pytest.raises(Refused) as refused:
        take(convention, place, concierge_user, now, starts_on=second)
    assert refused.value.codes == ["no_year"]
    take(convention, place, concierge_user, now.replace(year=2028), starts_on=second)
    found = fees_of(convention.partner, date(2028, 3, 9))
    assert [fee.is_paid for fee in found] == [True, True]
    assert violations() == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"means": "card"}, "means_wrong"),
        ({"means": "cash"}, "till_closed"),
        ({"starts_on": date(2027, 1, 2)}, "no_year"),
    ],
)
def test_what_is_refused_enters_nothing(
    convention: Convention, place: Place, concierge_user: User, now: datetime,
    more: dict[str, Any], code: str,
) -> None:  # fmt: skip
    with pytest.raises(Refused) as refused:
        take(convention, place, concierge_user, now, **more)
    assert refused.value.codes == [code]
    assert not LedgerEntry.objects.exists() and not Receipt.objects.exists()


def test_neither_without_a_fee_nor_at_another_landlords_place(
    convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    with pytest.raises(Refused) as refused:
        take(convention, elsewhere, concierge_user, now)
    assert refused.value.codes == ["place_wrong"]
    Convention.objects.update(fee_cents=0)
    with pytest.raises(Refused) as refused:
        take(convention, place, concierge_user, now)
    assert refused.value.codes == ["no_fee"]


def test_the_accountants_file_has_it(
    convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    receipt = take(convention, place, concierge_user, now)
    rows = [
        line.rstrip("\r\n").split("\t")
        for line in as_fec(lines_of(place, FIRST, date(2027, 12, 31)))
    ][1:]
    assert [(row[0], row[4], row[6], row[8], row[11], row[12]) for row in rows] == [
        ("CH", "5112", "", str(receipt), "100,00", "0,00"),
        ("CH", "411", "", str(receipt), "0,00", "100,00"),
        ("VT", "7562", "", str(receipt), "0,00", "100,00"),
        ("VT", "411", "", str(receipt), "100,00", "0,00"),
    ]


def test_no_household_is_asked_for_it(
    convention: Convention, member: Member, now: datetime
) -> None:
    assert [due for due in due_of(member.household, now) if due.kind == "convention"] == []


def test_who_has_paid_stands_where_it_stood(
    convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    for _one in range(6):
        PartnerFactory(landlord=place.landlord)
    before = list(directory_of(place.landlord, now.date()).partners().order_by("pk"))
    order = [one.pk for one in directory_of(place.landlord, now.date()).partners()]
    take(convention, place, concierge_user, now)
    assert [one.pk for one in directory_of(place.landlord, now.date()).partners()] == order
    assert before and "ne change pas l’ordre" in str(RULES["fee"])


def test_the_sum_that_was_read_is_the_sum_that_is_taken(
    convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    Convention.objects.update(fee_cents=150_00)
    with pytest.raises(Refused) as refused:
        take(convention, place, concierge_user, now)
    assert refused.value.codes == ["changed"]
    assert not Receipt.objects.exists()


# -- The officer's screen -------------------------------------------------------------------------


@pytest.fixture
def officer(client: Client, place: Place, now: datetime) -> Any:
    with time_machine.travel(now, tick=False):
        sign_in_staff(client, staff(place, Role.OFFICER))
        yield client


def test_the_officer_takes_it_and_prints_the_receipt(
    officer: Client, partner: Partner, place: Place, now: datetime
) -> None:
    listed = officer.get(reverse("partner:index")).content.decode()
    assert "à payer" in listed
    address = reverse("partner-fees", args=[partner.pk])
    assert address in officer.get(reverse("partner:edit", args=[partner.pk])).content.decode()
    page = officer.get(address)
    assert "100\u00a0€" in page.content.decode()
    (fee,) = fees_of(partner, now.date())
    Convention.objects.update(fee_cents=150_00)
    paid = {"year": f"{fee.year.source}:10000", "means": "transfer", "place": place.pk}
    assert "son montant a changé entre-temps" in officer.post(address, paid).content.decode()
    Convention.objects.update(fee_cents=100_00)
    wrong = officer.post(address, paid | {"means": ""})
    assert "Choisissez comment le partenaire paie." in wrong.content.decode()
    answer = officer.post(address, paid, follow=True)
    receipt = Receipt.objects.get()
    print_url = reverse("partner-receipt", args=[receipt.pk])
    assert print_url in answer.content.decode()
    sheet = officer.get(print_url).content.decode()
    assert "Reçu 2027-000001" in sheet and "Participation de Boulangerie Lemaire" in sheet
    assert "payée" in officer.get(reverse("partner:index")).content.decode()
    again = officer.post(address, paid)
    assert again.status_code == 200 and Receipt.objects.count() == 1


def test_a_concierge_takes_it_too_and_cancels_it_at_the_desk(
    client: Client, partner: Partner, place: Place, now: datetime
) -> None:
    with time_machine.travel(now, tick=False):
        clerk = staff(place, Role.CONCIERGE)
        sign_in_staff(client, clerk)
        open_till_day(place, 0, by=clerk, now=now)
        address = reverse("partner-fees", args=[partner.pk])
        (fee,) = fees_of(partner, now.date())
        paid = {"year": f"{fee.year.source}:10000", "means": "cash", "place": place.pk}
        client.post(address, paid)
        receipt = Receipt.objects.get()
        assert "partenaire" in client.get(reverse("desk:receipts")).content.decode()
        Place.objects.update(sign_off_cents=500_00)
        client.post(reverse("desk:receipt-cancel", args=[receipt.pk]))
        assert Receipt.objects.filter(cancels=receipt).exists()
        assert "à payer" in client.get(address).content.decode()


def test_money_asks_for_a_fresh_proof(
    officer: Client, partner: Partner, place: Place, now: datetime
) -> None:
    later = now + timedelta(seconds=FRESH_SECONDS + 1)
    address = reverse("partner-fees", args=[partner.pk])
    with time_machine.travel(later, tick=False):
        (fee,) = fees_of(partner, now.date())
        answer = officer.post(
            address, {"year": f"{fee.year.source}:10000", "means": "cheque", "place": place.pk}
        )
    assert answer.status_code == 302 and reverse("mfa_reauthenticate") in answer["Location"]
    assert not Receipt.objects.exists()


def test_who_is_not_of_that_landlord_or_no_clerk_finds_nothing(
    partner: Partner, convention: Convention, place: Place, concierge_user: User, now: datetime
) -> None:
    receipt = take(convention, place, concierge_user, now)
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    addresses = [
        reverse("partner-fees", args=[partner.pk]),
        reverse("partner-receipt", args=[receipt.pk]),
    ]
    for user, status in [
        (staff(elsewhere, Role.OFFICER), 404),
        (staff(elsewhere, Role.CONCIERGE), 404),
        (staff(place, Role.EDITOR), 403),
    ]:
        client = Client()
        sign_in_staff(client, user)
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code == status or answer["Location"] == "/admin/"


def test_a_paid_convention_keeps_its_first_day_and_its_line(
    officer: Client, partner: Partner, convention: Convention, place: Place,
    concierge_user: User, now: datetime,
) -> None:  # fmt: skip
    take(convention, place, concierge_user, now)
    address = reverse("partner:edit", args=[partner.pk])
    form = officer.get(address).context["form"]
    lines = form.formsets["conventions"].forms[0]
    data = {
        **dict.fromkeys(form.fields.keys() - {"languages", "places"}, ""),
        "landlord": place.landlord.pk, "kind": "merchant", "shop": "bakery",
        "name": partner.name, "siret": partner.siret, "phone": partner.phone,
    }  # fmt: skip
    for name in form.formsets:
        initial = 1 if name == "conventions" else 0
        data |= {f"{name}-TOTAL_FORMS": initial, f"{name}-INITIAL_FORMS": initial}
    row = {
        "id": convention.pk, "version": "2027", "signed_on": "2027-01-01",
        "starts_on": "2027-01-01", "ends_on": "2027-12-31", "fee_cents": "20000", "ORDER": 1,
    }  # fmt: skip
    assert lines.instance == convention
    for change, words in [
        ({"DELETE": "on"}, "elle ne s’enlève plus"),
        ({"starts_on": "2026-12-01"}, "Gardez ce jour"),
    ]:
        sent = data | {f"conventions-0-{key}": value for key, value in (row | change).items()}
        assert words in officer.post(address, sent).content.decode()
    convention.refresh_from_db()
    assert convention.starts_on == FIRST
    sent = data | {f"conventions-0-{key}": value for key, value in row.items()}
    answer = officer.post(address, sent)
    assert answer.status_code == 302, answer.context["form"].errors
    convention.refresh_from_db()
    assert convention.fee_cents == 200_00


def test_the_list_costs_as_much_for_three_partners_as_for_one(
    officer: Client, partner: Partner, place: Place, django_assert_max_num_queries: Any
) -> None:
    address = reverse("partner:index")
    officer.get(address)
    with django_assert_max_num_queries(60) as one:
        officer.get(address)
    for _number in range(2):
        PartnerFactory(landlord=place.landlord)
    with django_assert_max_num_queries(len(one)):
        officer.get(address)
