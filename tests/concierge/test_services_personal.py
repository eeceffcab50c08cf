"""Services and a person: told whole, forgotten on erasure; old answers go at their term."""

import io
import zipfile
from datetime import date, timedelta

import pytest

from club.domain.erasure import erase_member
from club.domain.housekeeping import tidy
from club.kernel.bookings import of_member
from club.models import Member, Place
from concierge.domain.appointments import book_slot, cancel_appointment
from concierge.domain.counter import count_use
from concierge.domain.slot_wishes import wish
from concierge.enums import ServiceKind
from concierge.models import (
    Appointment,
    AppointmentAnswer,
    Service,
    ServiceQuestion,
    SlotWish,
)
from portal.archive import archive_of
from tests.factories.club import NOW
from tests.factories.services import AppointmentFactory, ServiceFactory, client_of, on

pytestmark = pytest.mark.django_db
DAY = date(2027, 3, 10)


@pytest.fixture
def service(place: Place) -> Service:
    service = ServiceFactory(place=place, lines=[(2, 10, 10.5)])
    ServiceQuestion.objects.create(service=service, text="Quel papier ?", choices="CAF\nEDF")
    return service


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


def booked(service: Service, member: Member) -> Appointment:
    question = service.questions.get()
    return book_slot(
        member=member, service=service, starts_at=on(10, 10), by=member.user, now=NOW,
        answers={question.pk: "CAF"},
    )  # fmt: skip


def test_my_data_tells_appointments_answers_turns_and_uses(service, samira, place):
    made = booked(service, samira)
    other = ServiceFactory(place=place, name="Vélo", lines=[(2, 10, 10.5)])
    AppointmentFactory(service=other)
    wish(samira, other, DAY, DAY, by=samira.user, now=NOW)
    counter = ServiceFactory(place=place, name="Photocopies", kind=ServiceKind.COUNTER)
    count_use(counter, 3, member=samira, by=None, now=NOW)
    with zipfile.ZipFile(io.BytesIO(archive_of(samira, NOW))) as archive:
        told = "".join(archive.read(name).decode() for name in archive.namelist())
    for words in (made.reference, "CAF", "Vélo", "Photocopies"):
        assert words in told


@pytest.mark.parametrize("by_retention", [True, False])
def test_erasing_gives_the_seat_to_who_waits_and_forgets_the_answers(
    service, samira, place, by_retention
):
    """Whatever the cut-off says."""
    made = booked(service, samira)
    jeanne = client_of(place, first_name="Jeanne")
    turn = wish(jeanne, service, DAY, DAY, by=jeanne.user, now=NOW)
    late = made.starts_at - timedelta(minutes=100)
    erase_member(samira, by=None if by_retention else samira.user, now=late)
    made.refresh_from_db()
    turn.refresh_from_db()
    assert (made.status, turn.status) == ("cancelled", "offered")
    assert not AppointmentAnswer.objects.exists()


def test_erasing_ends_turns_and_what_was_offered_goes_on(service, samira, place):
    holder = client_of(place)
    held = booked(service, holder)
    jeanne = client_of(place, first_name="Jeanne")
    turns = [wish(one, service, DAY, DAY, by=one.user, now=NOW) for one in (samira, jeanne)]
    cancel_appointment(held, by=holder.user, now=NOW)
    erase_member(samira, by=samira.user, now=NOW)
    for turn in turns:
        turn.refresh_from_db()
    assert [turn.status for turn in turns] == ["cancelled", "offered"]


def test_what_is_over_is_no_booking_to_come(service, samira):
    booked(service, samira)
    after = on(10, 11)
    assert of_member(samira, upcoming=True, now=after) == []
    assert len(of_member(samira, upcoming=False, now=after)) == 1


def test_answers_and_turns_have_their_term(service, samira):
    booked(service, samira)
    SlotWish.objects.create(
        service=service, member=samira, first_on=DAY, last_on=DAY, status="lapsed", asked_at=NOW
    )
    for months, left in ((12, 1), (14, 0)):
        tidy(NOW + timedelta(days=31 * months))
        assert AppointmentAnswer.objects.count() == left
        assert SlotWish.objects.count() == left
    assert Appointment.objects.count() == 1
