"""Bookings in an agenda: the file of one, the private feed of all."""

from datetime import date, datetime, time, timedelta
from typing import Any

import icalendar
import pytest
import time_machine
from django.test import Client

from club.kernel.bookings import CalendarEntry
from club.kernel.calendars import ics_of
from club.models import Member, User
from concierge.domain.lending import cancel_loan, move_loan
from concierge.models import Copy, Loan
from tests.factories.club import PARIS
from tests.factories.concierge import LoanFactory


def events(body: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(body).walk("VEVENT"))


def feed_of(client: Client, member: Member) -> list[Any]:
    answer = client.get(f"/mon-espace/agenda/{member.feed_token}.ics")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar"
    return events(answer.content)


def entry(starts_at: datetime, ends_at: datetime, **more: Any) -> CalendarEntry:
    values: dict[str, Any] = {
        "uid": "R1@conciergerie",
        "sequence": 0,
        "title": "Retirer : Gaufrier",
        "starts_at": starts_at,
        "ends_at": ends_at,
        "where": "7, allée des Tilleuls, Amiens",
        "description": "Réservation R 1.",
        "cancelled": False,
        "changed_at": starts_at,
    }
    return CalendarEntry(**values | more)


@pytest.mark.parametrize(
    ("day", "offset"),
    [
        (date(2027, 3, 27), 1),
        (date(2027, 3, 30), 2),
        (date(2027, 10, 30), 2),
        (date(2027, 11, 2), 1),
    ],
)
def test_hours_hold_on_both_sides_of_a_clock_change(day: date, offset: int) -> None:
    nine = datetime.combine(day, time(9), PARIS)
    body = ics_of([entry(nine, nine + timedelta(hours=3))])
    text = body.decode()
    assert f"DTSTART;TZID=Europe/Paris:{day:%Y%m%d}T090000" in text
    assert f"DTEND;TZID=Europe/Paris:{day:%Y%m%d}T120000" in text
    assert "BEGIN:VTIMEZONE" in text
    (event,) = events(body)
    assert event.start.utcoffset() == timedelta(hours=offset)
    assert event.start == nine


def test_the_zone_names_both_clock_changes() -> None:
    nine = datetime(2027, 3, 30, 9, tzinfo=PARIS)
    (zone,) = icalendar.Calendar.from_ical(ics_of([entry(nine, nine)])).walk("VTIMEZONE")
    assert zone["TZID"] == "Europe/Paris"
    assert {part.name for part in zone.subcomponents} == {"STANDARD", "DAYLIGHT"}


def test_commas_accents_and_long_lines_survive() -> None:
    nine = datetime(2027, 3, 30, 9, tzinfo=PARIS)
    body = ics_of([entry(nine, nine, description="à, ; \\ é" * 40)])
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    (event,) = events(body)
    assert event["DESCRIPTION"] == "à, ; \\ é" * 40
    assert event["LOCATION"] == "7, allée des Tilleuls, Amiens"


@pytest.mark.parametrize(
    ("link", "written"),
    [
        ("https://club.example/r/1", True),
        ("http://club.example/r/1", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_https_links_are_written(link: str, written: bool) -> None:
    nine = datetime(2027, 3, 30, 9, tzinfo=PARIS)
    body = ics_of([entry(nine, nine)], links={"R1@conciergerie": link})
    (event,) = events(body)
    assert ("URL" in event) is written


def test_the_file_of_one_booking(signed_in: Client, loan: Loan) -> None:
    answer = signed_in.get(f"/mon-espace/reservations/{loan.reference}/agenda.ics")
    assert answer["Content-Disposition"] == (
        f'attachment; filename="reservation-{loan.reference}.ics"'
    )
    (event,) = events(answer.content)
    assert event["UID"] == f"{loan.reference}@conciergerie"
    assert event["SUMMARY"] == "Retirer : Gaufrier"
    assert event["STATUS"] == "CONFIRMED"
    assert event["SEQUENCE"] == 0


def test_a_move_and_a_cancel_raise_the_sequence_of_the_same_entry(
    client: Client, member: Member, loan: Loan, now: datetime
) -> None:
    (first,) = feed_of(client, member)
    move_loan(loan, starts_on=now.date() + timedelta(days=2), by=member.user, now=now)
    (moved,) = feed_of(client, member)
    cancel_loan(loan, by=member.user, now=now)
    (cancelled,) = feed_of(client, member)
    assert first["UID"] == moved["UID"] == cancelled["UID"]
    assert [event["SEQUENCE"] for event in (first, moved, cancelled)] == [0, 1, 2]
    assert [event["STATUS"] for event in (first, moved, cancelled)] == [
        "CONFIRMED",
        "CONFIRMED",
        "CANCELLED",
    ]
    assert moved.start.date() == now.date() + timedelta(days=2)


def test_a_cancelled_one_leaves_the_feed_after_a_month(
    client: Client, member: Member, loan: Loan, now: datetime, clock: time_machine.Traveller
) -> None:
    cancel_loan(loan, by=member.user, now=now)
    clock.move_to(now + timedelta(days=29))
    assert len(feed_of(client, member)) == 1
    clock.move_to(now + timedelta(days=31))
    assert feed_of(client, member) == []


def test_what_is_returned_is_not_in_the_feed(
    client: Client, member: Member, copy: Copy, now: datetime
) -> None:
    LoanFactory(copy=copy, member=member, status="returned", returned_at=now)
    assert feed_of(client, member) == []


def test_the_feed_holds_the_member_s_own_alone(
    client: Client, member: Member, other_member: Member, loan: Loan
) -> None:
    assert len(feed_of(client, member)) == 1
    assert feed_of(client, other_member) == []


def test_a_wrong_address_or_a_closed_account_has_no_feed(
    client: Client, member: Member, loan: Loan
) -> None:
    assert client.get("/mon-espace/agenda/inconnu.ics").status_code == 404
    User.objects.filter(pk=member.user_id).update(is_active=False)
    assert client.get(f"/mon-espace/agenda/{member.feed_token}.ics").status_code == 404


def test_a_new_address_closes_the_old_one(signed_in: Client, member: Member, loan: Loan) -> None:
    old = member.feed_token
    assert old in signed_in.get("/mon-espace/agenda/").text
    assert signed_in.post("/mon-espace/agenda/")["Location"] == "/mon-espace/agenda/"
    member.refresh_from_db()
    assert member.feed_token != old
    assert signed_in.get(f"/mon-espace/agenda/{old}.ics").status_code == 404
    assert len(feed_of(signed_in, member)) == 1
