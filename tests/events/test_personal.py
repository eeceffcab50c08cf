"""What the events hold of a person: told, taken along, forgotten at its term."""

import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta

from club.domain.erasure import erase_member, obstacles
from club.domain.household import leave_household
from club.domain.housekeeping import tidy
from club.domain.ledger import balance_of
from club.domain.receipts import take_payment
from club.enums import Means
from club.kernel.bookings import of_member
from club.kernel.purchases import due_of
from club.models import Member
from events.domain.personal import forget_first_names
from events.domain.registrations import Company, Person, cancel, register
from events.enums import RegistrationStatus, ScanOutcome
from events.models import CheckIn, Participant, Registration, WalkIn
from portal.archive import archive_of
from tests.factories.club import NOW, MemberFactory
from tests.factories.events import RegistrationFactory, SessionFactory

pytestmark = pytest.mark.django_db


def family(member: Member, **session: Any) -> Registration:
    return register(
        member=member,
        session=SessionFactory(place=member.place, **session),
        quantity=2,
        by=member.user,
        now=NOW,
        company=Company(people=[Person("Samira"), Person("Inès", 8)]),
    )


def test_my_data_tells_the_registrations(member: Member) -> None:
    made = family(member)
    with zipfile.ZipFile(io.BytesIO(archive_of(member, NOW))) as archive:
        told = "".join(archive.read(name).decode() for name in archive.namelist())
    assert made.reference in told
    assert "Inès" in told


def test_erasing_gives_the_places_back_and_forgets_the_names(member: Member) -> None:
    made = family(member)
    erase_member(member, by=None, now=NOW)
    made.refresh_from_db()
    made.session.refresh_from_db()
    assert (made.status, made.session.booked) == (RegistrationStatus.CANCELLED, 0)
    assert not Participant.objects.exists()


def test_money_to_give_back_stands_in_the_way(member: Member) -> None:
    made = family(member, price_cents=300)
    take_payment(
        member=member,
        place=member.place,
        lines=due_of(member.household, NOW),
        means=Means.CHEQUE,
        by=member.user,
        now=NOW,
    )
    made.refresh_from_db()
    assert made.status == RegistrationStatus.CONFIRMED
    cancel(made, by=member.user, now=NOW)
    assert "money_waits" in [reason.code for reason in obstacles(member, NOW)]


def test_what_is_to_pay_goes_along_to_the_new_household(member: Member) -> None:
    MemberFactory(place=member.place, household=member.household)
    before = member.household
    made = family(member, price_cents=300)
    leave_household(member, by=member.user, now=NOW)
    member.refresh_from_db()
    assert (balance_of(before), balance_of(member.household)) == (0, -600)
    [due] = due_of(member.household, NOW)
    assert (due.subject_id, due.cents) == (made.pk, 600)


def test_scans_names_and_answers_have_their_term(member: Member) -> None:
    made = family(member)
    walk_in = WalkIn.objects.create(session=made.session, first_name="Léo", came_at=NOW)
    CheckIn.objects.create(
        session=made.session, registration=made, scan="1", outcome=ScanOutcome.IN, at=NOW,
        recorded_at=NOW,
    )  # fmt: skip
    term = made.ends_at + relativedelta(months=13)
    for now, left in ((term - timedelta(days=10), 2), (term + timedelta(days=1), 0)):
        tidy(now)
        forget_first_names(now)
        assert Participant.objects.count() == left
    walk_in.refresh_from_db()
    assert (CheckIn.objects.count(), walk_in.first_name) == (0, "")
    assert Registration.objects.filter(pk=made.pk).exists()


def test_a_registration_that_is_over_is_no_booking_to_come(member: Member) -> None:
    yesterday = SessionFactory(place=member.place, in_days=-1)
    past = RegistrationFactory(session=yesterday, member=member)
    [(_kind, over)] = of_member(member, upcoming=False, now=NOW)
    assert over == past
    assert of_member(member, upcoming=True, now=NOW) == []
