"""Once a month a partner reads how many came: once, in numbers, and only if somebody did."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel import jobs
from club.models import Message
from marketplace.domain.monthly import tell_last_month
from marketplace.domain.people import leave
from marketplace.models import OfferUse
from tests.factories.club import PARIS, MemberFactory
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory, UseFactory

FIRST = datetime(2027, 4, 1, 8, tzinfo=PARIS)


@pytest.fixture
def baker(place: Any) -> Any:
    return PersonFactory(partner=PartnerFactory(landlord=place.landlord))


@pytest.fixture
def march(place: Any, baker: Any) -> None:
    """Seven times in March: six members, one of them twice; once more on the first of April."""
    offer = OfferFactory(partner=baker.partner, title="Pain")
    members = [MemberFactory(place=place, user__last_name="Nomdefamille") for _ in range(6)]
    for number in range(7):
        UseFactory(offer=offer, member=members[number % 6])
    UseFactory(offer=offer, used_at=datetime(2027, 4, 1, 0, 5, tzinfo=PARIS))


def letters() -> list[str]:
    with MailAndSms() as transport:
        send_due(FIRST, transport)
    return [f"{one.subject}\n{one.body}" for one in mail.outbox]


def test_the_month_in_numbers_with_a_link_that_lets_in(march: None, baker: Any) -> None:
    tell_last_month(FIRST)
    (text,) = letters()
    assert text.startswith("7 passages de cartes chez vous en mars 2027")
    assert "Personnes différentes\u00a0: 6." in text and "Pain\u00a0: 7" in text
    assert "Les membres ont gagné 14\u00a0€ grâce à vous." in text
    assert "/espace-partenaire/entrer/" in text
    assert "Nomdefamille" not in text and "Samira" not in text.replace("Bonjour Samira", "")
    message = Message.objects.get()
    assert (message.user, message.member) == (baker.user, None)


def test_once_a_month_also_where_the_worker_was_down(march: None, baker: Any) -> None:
    tell_last_month(FIRST + timedelta(days=6))
    for days in range(40):
        tell_last_month(FIRST + timedelta(days=days))
    keys = Message.objects.order_by("key").values_list("key", flat=True)
    pk, person = baker.partner_id, baker.pk
    assert list(keys) == [
        f"partner.month:{pk}:2027-03:{person}", f"partner.month:{pk}:2027-04:{person}",
    ]  # fmt: skip


def test_a_few_people_are_no_number(place: Any, baker: Any, member: Any) -> None:
    UseFactory(offer=OfferFactory(partner=baker.partner), member=member, saving_cents=0)
    tell_last_month(FIRST)
    (text,) = letters()
    assert text.startswith("1 passage de carte chez vous")
    assert "Personnes différentes\u00a0: moins de 5." in text


def test_nothing_is_told_where_nobody_came_or_later_in_the_month(march: None, place: Any) -> None:
    OfferFactory(partner=PersonFactory(partner__landlord=place.landlord).partner)
    tell_last_month(FIRST + timedelta(days=7))
    assert not Message.objects.exists()
    tell_last_month(FIRST)
    assert Message.objects.count() == 1


def test_who_has_left_or_what_was_taken_back_is_not_told(march: None, baker: Any) -> None:
    tell_last_month(FIRST)
    leave(baker, by=None, now=FIRST)
    assert letters() == []


def test_taken_back_before_it_left(march: None, baker: Any) -> None:
    tell_last_month(FIRST)
    OfferUse.objects.all().delete()
    assert letters() == []


def test_it_runs_each_morning() -> None:
    (job,) = [job for job in jobs.daily() if job.name == "partner-month"]
    assert (job.hour, job.work) == (8, tell_last_month)
