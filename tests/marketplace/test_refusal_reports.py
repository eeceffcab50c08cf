"""“On m’a refusé cet avantage”: told to the officer, looked into, answered; nobody is named."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from club.domain.erasure import erase_member
from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.enums import Role
from club.kernel.refusal import Refused
from club.models import Member, Message, Place, User
from marketplace.domain import reports as verbs
from marketplace.enums import HappenedAtTill, ReportStatus
from marketplace.models import Offer, PartnerPerson, RefusalReport
from tests.factories.club import LandlordFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import OfferFactory, PersonFactory
from tests.signin import sign_in_staff

TODAY = date(2027, 3, 9)


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def officer(place: Place) -> User:
    return staff(place, Role.OFFICER)


@pytest.fixture
def offer(place: Place) -> Offer:
    return OfferFactory(
        partner__landlord=place.landlord,
        partner__name="Boulangerie Lemaire",
        conditions="Dès 5 € d’achat.",
    )


@pytest.fixture
def baker(offer: Offer) -> PartnerPerson:
    return PersonFactory(partner=offer.partner, user__email="odile@example.org")


def report(
    member: Member, offer: Offer, now: datetime, on: date = TODAY, happened: str = "refused"
) -> RefusalReport:
    return verbs.report_refusal(member, offer, happened=happened, on=on, by=member.user, now=now)


def send(now: datetime) -> dict[str, str]:
    """What leaves now: its words by whom they are for."""
    mail.outbox.clear()
    with MailAndSms() as transport:
        send_due(now, transport)
    assert len({letter.to[0] for letter in mail.outbox}) == len(mail.outbox)
    return {one.to[0]: f"{one.subject}\n{one.body}" for one in mail.outbox}


@pytest.fixture
def monday(now: datetime) -> datetime:
    return now.replace(day=15, hour=8, minute=0)


# -- Reporting -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "code"),
    [
        (TODAY + timedelta(days=1), "in_future"),
        (TODAY, None),
        (TODAY - timedelta(days=60), None),
        (TODAY - timedelta(days=61), "too_old"),
        (date(1, 1, 1), "too_old"),
        (date(9999, 12, 31), "in_future"),
    ],
)
def test_the_day_lies_in_the_last_sixty(
    member: Member, offer: Offer, now: datetime, on: date, code: str | None
) -> None:
    if code is None:
        assert report(member, offer, now, on).happened_on == on
        return
    with pytest.raises(Refused) as refused:
        report(member, offer, now, on)
    assert refused.value.codes == [code]


def test_once_a_day_for_each_offer_and_member(
    member: Member, other_member: Member, offer: Offer, now: datetime
) -> None:
    report(member, offer, now)
    with pytest.raises(Refused) as refused:
        report(member, offer, now, happened=HappenedAtTill.SHUT)
    assert refused.value.codes == ["already_reported"]
    report(member, offer, now, TODAY - timedelta(days=1))
    report(other_member, offer, now)
    assert RefusalReport.objects.count() == 3


def test_from_the_page_to_the_officer(client: Client, member: Member, offer: Offer) -> None:
    client.force_login(member.user)
    address = reverse("marketplace:refused", args=[offer.public_id])
    page = client.get(address).content.decode()
    assert "Dès 5 € d’achat." in page and 'value="09/03/2027"' in page
    wrong = client.post(address, {"happened": "refused", "on": "31/02/2027"})
    assert wrong.status_code == 422
    assert 'value="31/02/2027"' in wrong.content.decode()
    told = client.post(address, {"happened": "refused", "on": "8 3 2027"})
    assert "C’est noté" in told.content.decode()
    found = RefusalReport.objects.get()
    assert (found.member, found.happened_on) == (member, date(2027, 3, 8))
    again = client.post(address, {"happened": "refused", "on": "08/03/2027"})
    assert "déjà signalé" in again.content.decode()


def test_an_offer_that_is_not_ones_own_or_not_agreed_is_not_there(
    client: Client, member: Member, place: Place
) -> None:
    other = LandlordFactory(slug="autre", name="Autre")
    client.force_login(member.user)
    for offer in (
        OfferFactory(partner__landlord=other),
        OfferFactory(partner__landlord=place.landlord, live=False),
    ):
        address = reverse("marketplace:refused", args=[offer.public_id])
        assert client.get(address).status_code == client.post(address).status_code == 404
    client.logout()
    offer = OfferFactory(partner__landlord=place.landlord)
    answer = client.get(reverse("marketplace:refused", args=[offer.public_id]))
    assert answer["Location"].startswith(reverse("account_login"))


# -- The partner ---------------------------------------------------------------------------------


def test_the_partner_reads_the_week_and_the_terms_and_nobodys_name(
    member: Member, offer: Offer, baker: PartnerPerson, now: datetime, monday: datetime
) -> None:
    report(member, offer, now)
    assert send(now) == {}
    assert send(monday - timedelta(minutes=1)) == {}
    found = send(monday)
    assert list(found) == ["odile@example.org"]
    text = found["odile@example.org"]
    assert "semaine du lundi 8\u00a0mars" in text
    assert "10\u00a0% de remise" in text and "Dès 5 € d’achat." in text
    assert member.user.last_name not in text and "mardi" not in text
    assert "/espace-partenaire/entrer/" in text


def test_several_in_one_week_are_told_as_one(
    member: Member, other_member: Member, offer: Offer, baker: PartnerPerson, now: datetime,
    monday: datetime,
) -> None:  # fmt: skip
    report(member, offer, now)
    report(other_member, offer, now, TODAY - timedelta(days=1))
    assert Message.objects.filter(event="report.terms").count() == 1
    assert len(send(monday)) == 1
    report(member, offer, monday, TODAY - timedelta(days=1))
    assert send(monday + timedelta(days=7)) == {}


def test_what_was_found_untrue_is_not_told_to_the_partner(
    member: Member, offer: Offer, baker: PartnerPerson, officer: User, now: datetime,
    monday: datetime,
) -> None:  # fmt: skip
    found = report(member, offer, now)
    verbs.find_untrue(found, by=officer, now=now)
    told = send(monday)
    assert list(told) == [member.user.email]


def test_nor_what_an_erased_member_said(
    member: Member, offer: Offer, baker: PartnerPerson, now: datetime, monday: datetime
) -> None:
    report(member, offer, now)
    erase_member(member, by=member.user, now=now)
    assert not RefusalReport.objects.exists()
    assert send(monday) == {}


# -- What came of it -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "status", "words"),
    [
        (verbs.settle, ReportStatus.SETTLED, "en a parlé avec ce partenaire"),
        (verbs.find_untrue, ReportStatus.UNFOUNDED, "n’étaient pas remplies"),
        (verbs.withdraw_offer, ReportStatus.WITHDRAWN, "n’est plus proposé"),
    ],
)
def test_the_member_is_told_what_came_of_it(
    member: Member, offer: Offer, officer: User, now: datetime, verb: object, status: str,
    words: str,
) -> None:  # fmt: skip
    found = report(member, offer, now)
    verb(found, by=officer, now=now)  # type: ignore[operator]
    found.refresh_from_db()
    assert found.status == status
    (text,) = send(now + timedelta(minutes=11)).values()
    assert words in text and "mardi 9\u00a0mars" in text and "Boulangerie Lemaire" in text
    with pytest.raises(Refused):
        verbs.settle(found, by=officer, now=now)


def test_withdrawing_takes_the_offer_away_for_all(
    member: Member, other_member: Member, offer: Offer, officer: User, now: datetime
) -> None:
    first, second = report(member, offer, now), report(other_member, offer, now)
    verbs.withdraw_offer(first, by=officer, now=now)
    offer.refresh_from_db()
    assert offer.withdrawn_on == TODAY
    verbs.withdraw_offer(RefusalReport.objects.get(pk=second.pk), by=officer, now=now)
    assert set(RefusalReport.objects.values_list("status", flat=True)) == {"withdrawn"}


@pytest.mark.parametrize("landlord", ["autre", "trois-rivieres"])
def test_the_officer_of_another_place_finds_none(
    offer: Offer, member: Member, now: datetime, landlord: str
) -> None:
    """It names a member, whom only the officer of their own place knows."""
    found = report(member, offer, now)
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug=landlord, name=landlord))
    client = Client()
    sign_in_staff(client, staff(elsewhere, Role.OFFICER))
    address = reverse("refusalreport:step", args=[found.pk, "regler"])
    assert client.post(address).status_code == 404


def test_the_officers_list_counts_those_of_a_partner(
    offer: Offer, member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    first = report(member, offer, now)
    report(other_member, offer, now)
    report(member, OfferFactory(partner=offer.partner), now)
    report(member, OfferFactory(partner__landlord=offer.partner.landlord), now)
    verbs.find_untrue(first, by=officer, now=now)
    client = Client()
    sign_in_staff(client, officer)
    rows = client.get(reverse("refusalreport:index")).context["object_list"]
    assert [row.number for row in rows] == [1, 2, 2, 2]
    step = reverse("refusalreport:step", args=[rows[0].pk, "regler"])
    assert client.post(step).status_code == 302
