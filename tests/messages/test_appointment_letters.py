"""What each event of an appointment says, in both forms, by SMS and in the agenda."""

from datetime import date, timedelta
from typing import Any

import icalendar
import pytest
from django.core import mail

from club.domain.consents import give_consent
from club.domain.messages import tell
from club.domain.outbox import Round, send_due
from club.emails import MailAndSms
from club.enums import ConsentKind
from club.kernel.spans import at
from club.models import Member, Message, Place
from concierge.appointment_letters import IN_AGENDA, WANTED, WISH_LAPSED
from concierge.domain.appointment_reminders import write_appointment_reminders
from concierge.domain.appointments import book_series, book_slot, cancel_appointment
from concierge.domain.slot_wishes import lapse_wish, wish
from concierge.enums import ServiceUnit
from concierge.models import Appointment, Service
from tests.factories.services import AppointmentFactory, ServiceFactory, client_of, on

NBSP = "\u00a0"
MOMENT = f"mercredi 10{NBSP}mars à 10{NBSP}h"


@pytest.fixture
def service(place: Place) -> Service:
    return ServiceFactory(place=place)


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


def send(now: Any) -> Round:
    with MailAndSms() as transport:
        return send_due(now, transport)


def told(event: str, one: Appointment, now: Any) -> Any:
    tell(one.member, event, one, key=f"{event}:{one.pk}", now=now)
    assert send(now) == Round(sent=1), Message.objects.values_list("status", "error")
    return mail.outbox[-1]


CASES: dict[str, tuple[str, str, str]] = {
    "appointment.booked": (
        "booked", f"C’est réservé{NBSP}: Aide aux papiers, {MOMENT}",
        "Nous vous attendons à l’accueil.",
    ),
    "appointment.moved": (
        "booked", f"C’est changé{NBSP}: Aide aux papiers, {MOMENT}",
        "Votre rendez-vous a une nouvelle heure.",
    ),
    "appointment.cancelled": (
        "cancelled", f"C’est annulé{NBSP}: Aide aux papiers, {MOMENT}",
        "Ce rendez-vous est annulé.",
    ),
    "appointment.offered": (
        "offered", f"Un créneau pour vous{NBSP}: Aide aux papiers, {MOMENT}",
        f"jusqu’au mercredi 10{NBSP}mars à 9{NBSP}h.",
    ),
    "appointment.lapsed": (
        "lapsed", f"Le créneau est parti{NBSP}: Aide aux papiers, {MOMENT}",
        "Le délai pour répondre est passé.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("event", CASES)
def test_what_each_event_says(event, service, samira, now):
    status, subject, sentence = CASES[event]
    until = on(10, 9) if status == "offered" else None
    one = AppointmentFactory(service=service, member=samira, status=status, offered_until=until)
    letter = told(event, one, now)
    assert letter.subject == subject
    html = letter.alternatives[0].content
    for text in (letter.body, html):
        assert sentence in text.replace("\n", " ")
        assert f"de 10{NBSP}h à 10{NBSP}h{NBSP}30" in text
    names = [part.filename for part in letter.attachments]
    assert names == (["rendez-vous.ics"] if event in IN_AGENDA else [])


def test_all_events_are_looked_at():
    said_elsewhere = {"appointment.series", "appointment.tomorrow", "appointment.in_7"}
    assert set(WANTED) == {*CASES, *said_elsewhere}


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("appointment.booked", "cancelled"),
        ("appointment.offered", "booked"),
        ("appointment.cancelled", "booked"),
        ("appointment.lapsed", "offered"),
    ],
)
def test_what_is_no_longer_true_is_not_told(event, status, service, samira, now):
    one = AppointmentFactory(service=service, member=samira, status=status)
    tell(samira, event, one, key="x", now=now)
    assert send(now) == Round(dropped=1)


def test_the_price_is_told_where_there_is_one(place, samira, now):
    service = ServiceFactory(
        place=place, name="Couture", unit_cents=100, unit=ServiceUnit.HOUR, minutes=90
    )
    one = AppointmentFactory(service=service, member=samira)
    assert f"1,50{NBSP}€, à payer à l’accueil" in told("appointment.booked", one, now).body


def test_a_series_is_one_letter_with_all_its_dates(service, samira, now):
    book_series(
        member=samira, service=service, starts_at=on(10, 10), weeks=3, by=samira.user, now=now
    )
    assert send(now) == Round(sent=1)
    [letter] = mail.outbox
    assert letter.subject == f"C’est réservé{NBSP}: Aide aux papiers, 3 rendez-vous"
    for day in ("mercredi 10", "mercredi 17", "mercredi 24"):
        assert f"{day}{NBSP}mars" in letter.body
    agenda = icalendar.Calendar.from_ical(letter.attachments[0].content)
    assert len(agenda.walk("VEVENT")) == 3


def test_the_agenda_strikes_what_is_cancelled(service, samira, now):
    one = book_slot(member=samira, service=service, starts_at=on(10, 10), by=samira.user, now=now)
    cancel_appointment(one, by=samira.user, now=now)
    send(now + timedelta(minutes=10))
    [letter] = mail.outbox
    [event] = icalendar.Calendar.from_ical(letter.attachments[0].content).walk("VEVENT")
    assert (event["STATUS"], int(event["SEQUENCE"])) == ("CANCELLED", 1)


def test_the_day_before_and_the_week_before_are_recalled(service, samira, settings, now):
    settings.SMS_SENDER = "Conciergerie"
    samira.user.phone = "+33612345678"
    samira.user.save()
    give_consent(samira, ConsentKind.SMS, by=samira.user, now=now)
    before = now - timedelta(days=10)
    for starts_at in (on(10, 10), on(16, 10), on(17, 10)):
        AppointmentFactory(service=service, member=samira, starts_at=starts_at, created_at=before)
    AppointmentFactory(
        service=ServiceFactory(place=service.place, name="Vélo"), member=samira,
        starts_at=on(10, 15),
    )  # fmt: skip
    for _ in range(2):
        write_appointment_reminders(now)
    told_of = sorted(Message.objects.values_list("event", "channel"))
    assert told_of == [
        ("appointment.in_7", "email"),
        ("appointment.tomorrow", "email"), ("appointment.tomorrow", "sms"),
    ]  # fmt: skip
    round_ = send(at(date(2027, 3, 9), on(9, 11).time()))
    assert round_.sent >= 1
    assert "2 rappels" in mail.outbox[0].subject


def test_a_turn_that_ended_is_told(place, samira, now):
    service = ServiceFactory(place=place, lines=[(2, 10, 10.5)])
    AppointmentFactory(service=service)
    day = date(2027, 3, 10)
    turn = wish(samira, service, day, day, by=samira.user, now=now)
    lapse_wish(turn, now=on(11, 6))
    assert Message.objects.get().event == WISH_LAPSED
    send(on(11, 9))
    [letter] = mail.outbox
    assert letter.subject == (
        f"Pas de créneau libre avant mercredi 10{NBSP}mars{NBSP}: Aide aux papiers"
    )
    assert f"/services/{service.public_id}/" in letter.body
