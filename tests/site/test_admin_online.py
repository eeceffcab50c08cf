"""The admin of paying on line: a refund asked and signed, what waits, and no keys."""

from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client
from django.urls import reverse

from club.enums import RefundStatus, Role
from club.models import LedgerEntry, Member, Place, ProviderDifference, Refund
from tests.club.payments.conftest import clock, house, stripesim, stripesim_process
from tests.club.payments.house import House
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.money import PlanFactory
from tests.signin import sign_in_staff

__all__ = ["clock", "house", "stripesim", "stripesim_process"]


@pytest.fixture
def entry(house: House, member: Member) -> LedgerEntry:
    house.subscribed(member, PlanFactory(landlord=member.household.landlord, price_cents=9000))
    return LedgerEntry.objects.get(kind="payment")


def ask(client: Client, receipt: str, euros: str) -> Any:
    data = {"receipt": receipt, "euros": euros, "reason": "mistake"}
    return client.post(reverse("refund:add"), data)


def step(client: Client, name: str) -> Any:
    return client.post(reverse("refund:step", args=[Refund.objects.get().pk, name]))


def test_one_asks_and_another_signs(
    house: House, place: Place, entry: LedgerEntry, client: Client
) -> None:
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    assert ask(client, str(entry.receipt), "90,00").status_code == 302
    assert "seconde" not in step(client, "signer").text
    assert Refund.objects.get().status == RefundStatus.ASKED
    other = Client()
    sign_in_staff(other, staff(place, Role.OFFICER))
    assert other.get(reverse("refund:index")).status_code == 200
    assert (
        "Signer ce remboursement"
        in other.get(reverse("refund:edit", args=[Refund.objects.get().pk])).text
    )
    assert step(other, "signer").status_code == 302
    house.work()
    assert Refund.objects.get().status == RefundStatus.DONE
    assert house.money_there() == 0


def test_an_old_proof_is_asked_again_before_money_goes_back(
    place: Place, entry: LedgerEntry, client: Client
) -> None:
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    assert ask(client, str(entry.receipt), "90,00").status_code == 302
    assert Refund.objects.count() == 1
    officer = Client()
    sign_in_staff(officer, staff(place, Role.OFFICER))
    session = officer.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= 31 * 60
    session.save()
    for answer in (step(officer, "signer"), ask(officer, str(entry.receipt), "1,00")):
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    assert Refund.objects.get().status == RefundStatus.ASKED


def test_more_than_was_paid_is_told_at_the_form(
    house: House, place: Place, entry: LedgerEntry, client: Client
) -> None:
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    answer = ask(client, str(entry.receipt), "90,01")
    assert answer.status_code == 200
    assert "On peut rendre de 1 centime à 90\xa0€." in answer.text
    assert Refund.objects.count() == 0


@pytest.mark.parametrize("receipt", ["2027-000099", "abc", "", "9999999-1"])
def test_a_receipt_that_is_none_is_told(
    house: House, place: Place, entry: LedgerEntry, client: Client, receipt: str
) -> None:
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    assert "receipt" in ask(client, receipt, "1").context["form"].errors


def test_another_places_payment_is_not_there(
    house: House, place: Place, entry: LedgerEntry, client: Client
) -> None:
    elsewhere = PlaceFactory(landlord=place.landlord)
    sign_in_staff(client, staff(elsewhere, Role.CONCIERGE))
    assert "receipt" in ask(client, str(entry.receipt), "1").context["form"].errors


def test_the_first_page_tells_what_waits(
    house: House, place: Place, entry: LedgerEntry, client: Client
) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    assert "sont d’accord" in client.get("/admin/").text
    ask(client, str(entry.receipt), "90")
    ProviderDifference.objects.create(
        kind="missing", provider_id="pi_1", provider_cents=1, ledger_cents=0, found_at=NOW
    )
    text = client.get("/admin/").text
    assert "Remboursements à signer\xa0: <strong>1</strong>" in text
    assert "Différences avec le prestataire\xa0: <strong>1</strong>" in text


def test_without_keys_the_first_page_says_so(place: Place, client: Client, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = ""
    sign_in_staff(client, staff(place, Role.OFFICER))
    words = "Paiement en ligne\xa0: pas de clés, encaissement à l’accueil seulement."
    assert words in client.get("/admin/").text
    editor = Client()
    sign_in_staff(editor, staff(place, Role.EDITOR))
    assert words not in editor.get("/admin/").text


@pytest.mark.parametrize("name", ["providerdifference", "providerevent"])
def test_lists_of_the_provider_are_read_by_officers(
    house: House, place: Place, entry: LedgerEntry, client: Client, name: str
) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    assert client.get(reverse(f"{name}:index")).status_code == 200
    concierge = Client()
    sign_in_staff(concierge, staff(place, Role.CONCIERGE))
    assert concierge.get(reverse(f"{name}:index")).status_code in (302, 403)
    assert MemberFactory(place=place).pk
