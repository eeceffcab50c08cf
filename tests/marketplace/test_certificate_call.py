"""The landlord asks its tenants for the certificate: whom, why, how many, once a day."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.enums import Role, TenancyResult
from club.kernel.refusal import Refused
from club.models import LogEntry, Member, Message, Place, User
from marketplace.domain.certificates import call, to_ask
from marketplace.enums import CertificateStatus
from marketplace.models import CertificateCall
from tests.costs import row_lock
from tests.factories.club import LandlordFactory, MemberFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import CertificateFactory
from tests.marketplace.test_certificates import checked
from tests.signin import sign_in_staff

TODAY = date(2027, 3, 9)
PURPOSE = "l’attestation annuelle de la loi du 6 juillet 1989"


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def officer(place: Place) -> User:
    return staff(place, Role.OFFICER)


@pytest.fixture
def without(place: Place) -> Member:
    return checked(MemberFactory(place=place, user__last_name="Roux"))


def ask(place: Place, by: User, now: datetime, **more: Any) -> CertificateCall:
    return call(place.landlord, **({"purpose": PURPOSE} | more), by=by, now=now)


def asked_members() -> set[int]:
    rows = Message.objects.filter(event="certificate.call")
    return set(rows.values_list("member", flat=True))


def test_tenants_without_one_that_runs_are_asked_and_nobody_else(
    place: Place, officer: User, without: Member, now: datetime
) -> None:
    def household(**certificate: Any) -> Member:
        member = checked(MemberFactory(place=place))
        CertificateFactory(member=member, **certificate)
        return member

    household(status=CertificateStatus.ACCEPTED)
    household(status=CertificateStatus.RECEIVED)
    over = household(status=CertificateStatus.ACCEPTED, ends_on=date(2027, 3, 8))
    back = household(status=CertificateStatus.REFUSED, refused_for="dates")
    MemberFactory(place=place)
    checked(MemberFactory(place=place), TenancyResult.NO)
    other = LandlordFactory(slug="autre", name="Autre", hostname="autre.example")
    checked(MemberFactory(place=PlaceFactory(landlord=other)))
    made = ask(place, officer, now)
    assert asked_members() == {without.pk, over.pk, back.pk}
    assert (made.households, made.purpose, made.by) == (3, PURPOSE, officer)
    entry = LogEntry.objects.get(subject_kind="certificatecall")
    assert entry.facts == {"households": 3, "purpose": PURPOSE}


def test_one_adult_of_a_household_is_asked(
    place: Place, officer: User, without: Member, now: datetime
) -> None:
    partner = MemberFactory(place=place, household=without.household)
    CertificateFactory(member=partner, status=CertificateStatus.ACCEPTED, ends_on=date(2027, 2, 28))
    assert ask(place, officer, now).households == 1
    assert asked_members() == {partner.pk}


def test_it_asks_nobody_twice_on_a_day_and_again_on_another(
    place: Place, officer: User, without: Member, now: datetime
) -> None:
    first = ask(place, officer, now)
    assert ask(place, officer, now + timedelta(minutes=1)) == first
    late = checked(MemberFactory(place=place))
    second = ask(place, officer, now + timedelta(hours=1))
    assert (second.households, asked_members()) == (1, {without.pk, late.pk})
    assert ask(place, officer, now + timedelta(days=1)).households == 2
    assert CertificateCall.objects.count() == 3


def test_it_says_why_and_to_somebody(place: Place, officer: User, now: datetime) -> None:
    for purpose, code in (("  ", "purpose_missing"), (PURPOSE, "nobody")):
        with pytest.raises(Refused) as refused:
            ask(place, officer, now, purpose=purpose)
        assert refused.value.codes == [code]


def test_whom_nothing_reaches_is_counted_to_be_called(
    place: Place, without: Member, officer: User, now: datetime
) -> None:
    checked(MemberFactory(place=place, user__email=""))
    asking = to_ask(place.landlord, TODAY)
    assert (len(asking.readers), asking.to_call) == (1, 1)
    assert ask(place, officer, now).households == 1


def test_the_words(place: Place, officer: User, without: Member, now: datetime) -> None:
    ask(place, officer, now)
    with MailAndSms() as transport:
        assert send_due(now, transport).sent == 1
    (letter,) = mail.outbox
    for form in (letter.body, letter.alternatives[0].content):
        for said in ["Nous n’avons pas reçu", PURPOSE, "Habitat des Trois Rivières", "convient"]:
            assert said in form, said
        assert "non assuré" not in form
        assert "/avantages/" not in form


def test_one_that_comes_in_meanwhile_stops_the_message(
    place: Place, officer: User, without: Member, now: datetime
) -> None:
    ask(place, officer, now)
    CertificateFactory(member=without)
    with MailAndSms() as transport:
        assert send_due(now, transport).dropped == 1


# -- The officer's page ------------------------------------------------------------------------


def test_the_number_is_read_before_the_press(
    client: Client, place: Place, officer: User, without: Member
) -> None:
    checked(MemberFactory(place=place, user__email=""))
    sign_in_staff(client, officer)
    page = client.get(reverse("certificates-ask")).text
    assert "1 foyer reçoit un message" in page
    assert "1 foyer est à appeler" in page
    assert "loi du 6 juillet 1989" in page
    data = {"landlord": place.landlord.pk, "purpose": PURPOSE}
    answer = client.post(reverse("certificates-ask"), data, follow=True)
    assert "L’attestation est demandée à 1 foyer." in answer.text
    assert PURPOSE in client.get(reverse("certificates-ask")).text


def test_an_officer_asks_at_their_own_places(
    client: Client, place: Place, officer: User, without: Member
) -> None:
    checked(MemberFactory(place=PlaceFactory(landlord=place.landlord)))
    other = LandlordFactory(slug="autre", name="Autre", hostname="autre.example")
    sign_in_staff(client, officer)
    data = {"landlord": other.pk, "purpose": PURPOSE}
    assert client.post(reverse("certificates-ask"), data).status_code == 200
    assert not Message.objects.exists()
    client.post(reverse("certificates-ask"), data | {"landlord": place.landlord.pk})
    assert asked_members() == {without.pk}


def test_a_concierge_does_not_ask(client: Client, place: Place, without: Member) -> None:
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    data = {"landlord": place.landlord.pk, "purpose": PURPOSE}
    for answer in (
        client.get(reverse("certificates-ask")),
        client.post(reverse("certificates-ask"), data),
    ):
        assert answer.status_code in {302, 403}
    assert not CertificateCall.objects.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_asking_costs_the_same(
    place: Place, officer: User, now: datetime, number: int, django_assert_num_queries: Any
) -> None:
    for _time in range(number):
        checked(MemberFactory(place=place))
    landlord = place.landlord
    with django_assert_num_queries(6 + row_lock()):
        call(landlord, purpose=PURPOSE, by=officer, now=now)
