import smtplib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from club.domain import outbox
from club.domain.messages import tell, tell_change
from club.domain.outbox import BATCH, LEASE, WAITS, Round, claim, send_due
from club.emails import MailAndSms
from club.enums import MessageStatus
from club.kernel import letters
from club.models import Member, Message
from concierge.domain.lending import cancel_loan, move_loan, reserve_tool
from concierge.enums import LoanStatus
from concierge.models import Copy, Loan, Tool
from tests.factories.club import MemberFactory
from tests.factories.concierge import LoanFactory

MINUTE = timedelta(minutes=1)


@pytest.fixture
def loan(member: Member, copy: Copy, now: datetime) -> Loan:
    return LoanFactory(member=member, copy=copy, starts_at=now + timedelta(days=1))


def send(now: datetime) -> Round:
    with MailAndSms() as transport:
        return send_due(now, transport)


def status_of(key: str) -> str:
    return Message.objects.get(key=key).status


def tell_reserved(loan: Loan, now: datetime, key: str = "a", **more: Any) -> None:
    tell(loan.member, "loan.reserved", loan, key=key, now=now, **more)


def test_what_is_due_leaves_once(loan: Loan, now: datetime) -> None:
    tell_reserved(loan, now)
    assert send(now) == Round(sent=1)
    assert send(now + MINUTE) == Round()
    assert len(mail.outbox) == 1
    row = Message.objects.get()
    assert (row.status, row.sent_at, row.attempts, row.error) == ("sent", now, 1, "")


def test_what_is_not_due_yet_waits(loan: Loan, now: datetime) -> None:
    tell_reserved(loan, now, due_at=now + MINUTE)
    assert send(now) == Round()
    assert send(now + MINUTE) == Round(sent=1)


def test_the_name_comes_from_the_key_alone(loan: Loan, now: datetime, settings: Any) -> None:
    settings.BASE_URL = "https://club.example.org"
    tell_reserved(loan, now)
    send(now)
    first = mail.outbox[0].extra_headers["Message-ID"]
    Message.objects.update(status=MessageStatus.PENDING, sent_at=None)
    send(now + MINUTE)
    assert mail.outbox[1].extra_headers["Message-ID"] == first
    assert first.endswith("@club.example.org>")
    assert loan.reference not in first


def test_a_verb_that_is_rolled_back_tells_nothing(
    member: Member, tool: Tool, copy: Copy, now: datetime
) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        reserve_tool(
            member=member,
            tool=tool,
            place=copy.place,
            starts_on=now.date(),
            by=member.user,
            now=now,
        )
        assert Message.objects.count() == 1
        raise RuntimeError
    assert send(now) == Round()
    assert mail.outbox == []


def test_corrections_within_ten_minutes_are_one_message_of_the_last_state(
    member: Member, tool: Tool, copy: Copy, now: datetime
) -> None:
    loan = reserve_tool(
        member=member, tool=tool, place=copy.place, starts_on=now.date(), by=member.user, now=now
    )
    later = now + MINUTE
    for days in (1, 2):
        loan = move_loan(
            loan, starts_on=now.date() + timedelta(days=days), by=member.user, now=later
        )
    assert send(later) == Round()
    assert send(later + timedelta(minutes=10)) == Round(sent=1)
    assert "jeudi 11\u00a0mars" in mail.outbox[0].subject
    cancel_loan(loan, by=member.user, now=later + timedelta(minutes=11))
    send(later + timedelta(minutes=30))
    assert [message.subject.split("\u00a0:")[0] for message in mail.outbox] == [
        "Nouveau jour",
        "Réservation annulée",
    ]


def test_what_has_no_object_any_more_is_dropped(loan: Loan, now: datetime) -> None:
    tell_reserved(loan, now)
    Loan.objects.update(status=LoanStatus.CANCELLED)
    assert send(now) == Round(dropped=1)
    assert status_of("a") == MessageStatus.DROPPED
    assert mail.outbox == []


def test_a_thing_that_is_not_there_is_dropped(loan: Loan, now: datetime) -> None:
    tell_reserved(loan, now)
    Loan.objects.all().delete()
    assert send(now) == Round(dropped=1)


def test_messages_of_one_group_for_one_person_leave_as_one(
    loan: Loan, other_member: Member, tool: Tool, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    second = LoanFactory(member=loan.member, copy__tool__name="Perceuse", starts_at=loan.starts_at)
    others = LoanFactory(member=other_member, starts_at=loan.starts_at)
    tomorrow = now + timedelta(days=1)
    tell_reserved(loan, now, "a", group="reminder")
    tell_reserved(second, now, "b", group="reminder", due_at=now + timedelta(hours=5))
    tell_reserved(others, now, "c", group="reminder")
    tell_reserved(loan, now, "d")
    tell_reserved(loan, now, "e", group="reminder", due_at=tomorrow)
    assert send(now) == Round(sent=4)
    assert [sorted(message.to) for message in mail.outbox].count([loan.member.user.email]) == 2
    (joint,) = [message for message in mail.outbox if "2 rappels" in message.subject]
    assert joint.subject == "2 rappels, mardi 9\u00a0mars"
    assert "Gaufrier" in joint.body
    assert "Perceuse" in joint.body
    assert joint.alternatives[0].content.count('class="button"') == 1
    assert "https://club.example.org/mon-espace/reservations/" in joint.body
    assert status_of("e") == MessageStatus.PENDING


class Refusing(EmailBackend):
    """A server that refuses the addresses of one list."""

    refused: set[str] = set()

    def send_messages(self, messages: Any) -> int:
        for message in messages:
            if set(message.to) & self.refused:
                raise smtplib.SMTPRecipientsRefused({message.to[0]: (550, b"unknown")})
        return super().send_messages(messages)


class Down(EmailBackend):
    def open(self) -> bool:
        raise ConnectionRefusedError("no server")


class Cut(EmailBackend):
    """A server that hangs up at the first message."""

    def send_messages(self, messages: Any) -> int:
        raise smtplib.SMTPServerDisconnected("gone")


def backend(settings: Any, backend_class: type) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.{backend_class.__name__}"


def test_a_refused_message_waits_longer_each_time_then_has_failed(
    loan: Loan, other_member: Member, now: datetime, settings: Any
) -> None:
    other = LoanFactory(member=other_member, starts_at=loan.starts_at)
    Refusing.refused = {loan.member.user.email}
    backend(settings, Refusing)
    tell_reserved(loan, now, "a")
    tell_reserved(other, now, "b")
    assert send(now) == Round(sent=1, put_off=1)
    moment = now
    for wait in WAITS:
        assert send(moment + wait - timedelta(seconds=1)) == Round()
        moment += wait
        if wait == WAITS[-1]:
            assert send(moment) == Round(failed=1)
        else:
            assert send(moment) == Round(put_off=1)
    row = Message.objects.get(key="a")
    assert row.status == MessageStatus.FAILED
    assert "SMTPRecipientsRefused" in row.error
    assert [message.to for message in mail.outbox] == [[other.member.user.email]]


def test_a_server_that_is_down_uses_up_no_attempt(loan: Loan, now: datetime, settings: Any) -> None:
    tell_reserved(loan, now)
    with_server = settings.EMAIL_BACKEND
    backend(settings, Down)
    for minutes in range(20):
        assert send(now + minutes * MINUTE) == Round()
    row = Message.objects.get()
    assert (row.status, row.attempts, row.claimed_at) == ("pending", 0, None)
    settings.EMAIL_BACKEND = with_server
    assert send(now + 30 * MINUTE) == Round(sent=1)


def test_a_server_that_hangs_up_puts_one_off_and_the_rest_wait(
    loan: Loan, now: datetime, settings: Any
) -> None:
    backend(settings, Cut)
    for key in "abc":
        tell_reserved(loan, now, key)
    assert send(now) == Round(put_off=1)
    assert sorted(Message.objects.values_list("key", "status", "attempts")) == [
        ("a", "pending", 1),
        ("b", "pending", 0),
        ("c", "pending", 0),
    ]


def test_a_letter_that_cannot_be_written_leaves_the_others_alone(loan: Loan, now: datetime) -> None:
    tell(loan.member, "loan.unheard_of", loan, key="a", now=now)
    tell_reserved(loan, now, "b")
    assert send(now) == Round(sent=1, put_off=1)


def test_rows_of_a_sender_that_vanished_are_claimed_after_the_lease(
    loan: Loan, now: datetime
) -> None:
    tell_reserved(loan, now)
    assert len(claim(now).rows) == 1
    assert claim(now + LEASE - timedelta(seconds=1)).rows == []
    assert send(now + LEASE) == Round(sent=1)


def test_a_transport_that_holds_the_name_gets_it_once(
    loan: Loan, now: datetime, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "club.mail.FileBackend"
    tell_reserved(loan, now)
    send(now)
    # The sender was killed between the handing over and the note of it.
    Message.objects.update(status=MessageStatus.SENDING, claimed_at=now, sent_at=None)
    assert send(now + LEASE) == Round(sent=1)
    assert status_of("a") == MessageStatus.SENT
    assert written(settings).count(b"Subject: ") == 1


def test_a_truncated_file_holds_nothing(loan: Loan, now: datetime, settings: Any) -> None:
    settings.EMAIL_BACKEND = "club.mail.FileBackend"
    tell_reserved(loan, now)
    send(now)
    (file,) = Path(settings.EMAIL_FILE_PATH).iterdir()
    file.write_bytes(file.read_bytes()[:700])
    Message.objects.update(status=MessageStatus.SENDING, claimed_at=now, sent_at=None)
    send(now + LEASE)
    assert written(settings).count(b"Subject: ") == 2


def written(settings: Any) -> bytes:
    return b"".join(file.read_bytes() for file in Path(settings.EMAIL_FILE_PATH).iterdir())


def test_a_group_that_grew_after_the_kill_loses_nobody(
    loan: Loan, now: datetime, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "club.mail.FileBackend"
    tell_reserved(loan, now, "a", group="reminder")
    send(now)
    Message.objects.update(status=MessageStatus.SENDING, claimed_at=now, sent_at=None)
    tell_reserved(loan, now, "b", group="reminder")
    assert send(now + LEASE) == Round(sent=2)
    assert written(settings).count(b"Subject: ") == 2


def test_a_message_that_kills_each_sender_fails_and_the_others_go_on(
    loan: Loan, now: datetime
) -> None:
    tell_reserved(loan, now, "a")
    tell_reserved(loan, now, "b")
    moment = now
    for _ in range(len(WAITS) + 1):
        claim(moment)
        moment += LEASE
    assert send(moment) == Round(sent=1, failed=1)
    assert status_of("a") == MessageStatus.FAILED
    assert status_of("b") == MessageStatus.SENT


def test_somebody_without_an_address_is_told_nothing(loan: Loan, now: datetime) -> None:
    loan.member.user.email = ""
    loan.member.user.save()
    tell_reserved(loan, now)
    assert not Message.objects.exists()


def test_a_phone_alone_gets_one_sms_with_a_short_link(
    loan: Loan, now: datetime, settings: Any, tmp_path: Path
) -> None:
    settings.BASE_URL = "https://club.example.org"
    loan.member.user.email = ""
    loan.member.user.phone = "+33612345678"
    loan.member.user.save()
    tell_reserved(loan, now)
    assert send(now) == Round(sent=1)
    assert mail.outbox == []
    (file,) = (tmp_path / "sms").iterdir()
    to, text = file.read_text().splitlines()
    assert to == "+33612345678"
    assert text.startswith(
        "Conciergerie des Tilleuls: C'est réservé : Gaufrier, mercredi 10 mars à 10 h 24"
        " https://club.example.org/r/"
    )
    assert len(text) <= 160


def test_a_landline_gets_no_sms(loan: Loan, now: datetime) -> None:
    loan.member.user.email = ""
    loan.member.user.phone = "+33322000000"
    loan.member.user.save()
    tell_reserved(loan, now)
    assert not Message.objects.exists()


def test_a_batch_reads_as_much_for_forty_as_for_four(loan: Loan, now: datetime, place: Any) -> None:
    counts = []
    for many in (4, 40):
        for number in range(many):
            tell_reserved(loan, now, f"{many}:{number}")
        with CaptureQueriesContext(connection) as queries:
            assert send(now).sent == many
        counts.append(len([q for q in queries if q["sql"].startswith("SELECT")]))
    assert counts[0] == counts[1]


def test_more_than_a_batch_leaves_in_one_round(loan: Loan, now: datetime) -> None:
    for number in range(BATCH + 5):
        tell_reserved(loan, now, f"{number}")
    assert send(now) == Round(sent=BATCH + 5)


def test_a_round_whose_time_is_over_gives_the_rest_back(
    loan: Loan, now: datetime, monkeypatch: Any
) -> None:
    for number in range(10):
        tell_reserved(loan, now, f"{number}")
    ticks = iter([0, 0, 0, 0, 100, 100, 100])
    monkeypatch.setattr(outbox, "monotonic", lambda: next(ticks))
    with MailAndSms() as transport:
        done = send_due(now, transport, seconds=40)
    assert done == Round(sent=2)
    assert Message.objects.filter(status="pending", attempts=0).count() == 8


def test_tell_is_one_statement(loan: Loan, now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        tell_reserved(loan, now)
    assert len(queries) == 1


def test_each_told_event_has_its_words() -> None:
    """Every event that a verb names is registered, or it would wait for ever."""
    import re

    named = set()
    for file in Path("concierge").rglob("*.py"):
        named |= set(re.findall(r'"(loan\.\w+)"', file.read_text()))
    assert named
    assert {event for event in named if letters.sort_of(event) is None} == set()


def test_tell_change_replaces_what_waits_and_no_more(
    loan: Loan, other_member: Member, now: datetime
) -> None:
    other = LoanFactory(member=other_member, starts_at=loan.starts_at)
    tell_reserved(loan, now, "a")
    tell_reserved(other, now, "b")
    tell_change(loan.member, "loan.moved", loan, key="c", now=now)
    assert set(Message.objects.values_list("key", flat=True)) == {"b", "c"}


def test_an_erased_member_is_in_no_queue(loan: Loan, now: datetime) -> None:
    somebody = MemberFactory(place=loan.place)
    tell(somebody, "loan.reserved", loan, key="z", now=now)
    somebody.delete()
    assert not Message.objects.filter(key="z").exists()
