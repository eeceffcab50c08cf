"""Telling somebody who is no member, as a partner is: in the name of one place."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from club.domain.erasure import erase_member
from club.domain.messages import tell, tell_user
from club.domain.outbox import LEASE, Round, claim, send_due
from club.domain.personal import messages_to
from club.emails import MailAndSms
from club.enums import MessageStatus
from club.kernel import links
from club.kernel.invariants import all_invariants
from club.models import Member, Message, Place, User
from concierge.models import Loan
from tests.factories.club import PlaceFactory, UserFactory
from tests.factories.concierge import LoanFactory


@pytest.fixture
def baker(db: None) -> User:
    return UserFactory(first_name="Odile", last_name="Carpentier", email="odile@example.org")


@pytest.fixture
def loan(member: Member, now: datetime) -> Loan:
    return LoanFactory(member=member, starts_at=now + timedelta(days=1))


@pytest.fixture(autouse=True)
def address(settings: Any) -> None:
    settings.BASE_URL = "https://club.example.org"


def send(now: datetime) -> Round:
    with MailAndSms() as transport:
        return send_due(now, transport)


def tell_of(loan: Loan, user: User, now: datetime, key: str = "a", **more: Any) -> None:
    place = more.pop("place", loan.member.place)
    tell_user(user, place, "loan.reserved", loan, key=key, now=now, **more)


def row_of(loan: Loan, now: datetime, **whom: Any) -> Message:
    return Message(
        key="a", event="loan.reserved", subject_kind="loan", subject_id=loan.pk,
        channel="email", due_at=now, **whom,
    )  # fmt: skip


def test_the_e_mail_bears_the_places_name_and_presumes_no_member(
    loan: Loan, baker: User, now: datetime
) -> None:
    tell_of(loan, baker, now)
    assert send(now) == Round(sent=1)
    (message,) = mail.outbox
    assert message.to == ["odile@example.org"]
    assert message.from_email.startswith("Conciergerie des Tilleuls <")
    assert message.reply_to == [loan.member.place.email]
    for form in (message.body, message.alternatives[0].content):
        assert "Bonjour Odile," in form
        assert "car vous avez un compte à la conciergerie" in form
        assert "comme membre" not in form
        assert "03 53 01 24 60" in form


def test_a_member_is_still_written_to_as_one(loan: Loan, now: datetime) -> None:
    tell(loan.member, "loan.reserved", loan, key="a", now=now)
    send(now)
    for form in (mail.outbox[0].body, mail.outbox[0].alternatives[0].content):
        assert "comme membre de la conciergerie" in form
        assert "vous avez un compte" not in form


def test_an_account_without_a_first_name_is_greeted(loan: Loan, baker: User, now: datetime) -> None:
    User.objects.update(first_name="")
    tell_of(loan, baker, now)
    send(now)
    assert mail.outbox[0].body.startswith("Bonjour,\n")
    assert "<p>Bonjour,</p>" in mail.outbox[0].alternatives[0].content


def test_without_an_e_mail_an_sms_leaves(
    loan: Loan, baker: User, now: datetime, tmp_path: Path
) -> None:
    baker.email, baker.phone = "", "+33612345678"
    baker.save()
    tell_of(loan, baker, now)
    assert send(now) == Round(sent=1)
    assert mail.outbox == []
    (file,) = (tmp_path / "sms").iterdir()
    to, text = file.read_text().splitlines()
    assert to == "+33612345678"
    assert text.startswith("Conciergerie des Tilleuls: C'est réservé : ")
    assert " https://club.example.org/r/" in text


def test_without_an_address_nothing_is_left(loan: Loan, baker: User, now: datetime) -> None:
    baker.email = ""
    tell_of(loan, baker, now)
    assert not Message.objects.exists()


def test_telling_is_one_statement(loan: Loan, baker: User, now: datetime) -> None:
    with CaptureQueriesContext(connection) as queries:
        tell_of(loan, baker, now)
    assert len(queries) == 1


def test_a_batch_reads_as_much_for_three_people_as_for_one(
    loan: Loan, place: Place, now: datetime
) -> None:
    counts = []
    for number in (1, 3):
        for one in range(number):
            tell_of(loan, UserFactory(), now, f"{number}:{one}", group="offer")
        with CaptureQueriesContext(connection) as queries:
            assert send(now) == Round(sent=number)
        counts.append(len([q for q in queries if q["sql"].startswith("SELECT")]))
    assert counts[0] == counts[1]


# -- Parcels ----------------------------------------------------------------------------------


def test_two_people_of_one_group_stay_apart(loan: Loan, baker: User, now: datetime) -> None:
    florist = UserFactory(email="fleurs@example.org")
    second = LoanFactory(member=loan.member, copy__tool__name="Perceuse", starts_at=loan.starts_at)
    tell_of(loan, baker, now, "a", group="offer")
    tell_of(second, baker, now, "b", group="offer", due_at=now + timedelta(hours=5))
    tell_of(loan, florist, now, "c", group="offer")
    tell(loan.member, "loan.reserved", loan, key="d", now=now, group="offer")
    assert send(now) == Round(sent=4)
    written = {message.to[0]: message for message in mail.outbox}
    assert len(mail.outbox) == len(written) == 3
    assert "Perceuse" in written["odile@example.org"].body
    assert "Perceuse" not in written["fleurs@example.org"].body
    assert "Perceuse" not in written[loan.member.user.email].body


def test_several_letters_go_on_where_the_first_does(loan: Loan, baker: User, now: datetime) -> None:
    second = LoanFactory(member=loan.member, copy__tool__name="Perceuse", starts_at=loan.starts_at)
    tell_of(loan, baker, now, "a", group="offer")
    tell_of(second, baker, now, "b", group="offer")
    send(now)
    (message,) = mail.outbox
    assert links.booking_link(loan.reference) in message.body
    assert links.booking_link(second.reference) not in message.body
    assert "/mon-espace/reservations/" not in message.body
    assert message.alternatives[0].content.count('class="button"') == 1


def test_two_places_write_each_in_its_own_name(loan: Loan, baker: User, now: datetime) -> None:
    other = PlaceFactory(name="Conciergerie du Port", landlord=loan.member.place.landlord)
    tell_of(loan, baker, now, "a", group="offer")
    tell_of(loan, baker, now, "b", group="offer", place=other)
    assert send(now) == Round(sent=2)
    assert sorted(message.from_email.split(" <")[0] for message in mail.outbox) == [
        "Conciergerie des Tilleuls",
        "Conciergerie du Port",
    ]


def test_a_member_who_also_acts_for_a_partner_gets_two(loan: Loan, now: datetime) -> None:
    tell_of(loan, loan.member.user, now, "a", group="offer")
    tell(loan.member, "loan.reserved", loan, key="b", now=now, group="offer")
    assert send(now) == Round(sent=2)
    assert [message.to for message in mail.outbox] == [[loan.member.user.email]] * 2


# -- A sender that is killed --------------------------------------------------------------------


def test_a_killed_sender_doubles_nothing(
    loan: Loan, baker: User, now: datetime, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "club.mail.FileBackend"
    tell_of(loan, baker, now)
    send(now)
    # The sender was killed between the handing over and the note of it.
    Message.objects.update(status=MessageStatus.SENDING, claimed_at=now, sent_at=None)
    assert send(now + LEASE) == Round(sent=1)
    written = b"".join(file.read_bytes() for file in Path(settings.EMAIL_FILE_PATH).iterdir())
    assert written.count(b"Subject: ") == 1


def test_a_killed_sender_loses_nothing(loan: Loan, baker: User, now: datetime) -> None:
    tell_of(loan, baker, now)
    assert len(claim(now).rows) == 1
    assert send(now + LEASE) == Round(sent=1)
    assert len(mail.outbox) == 1


# -- What the database holds ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "whom", ["", "user", "place", "member user", "member place", "member user place"]
)
def test_the_database_refuses_a_message_to_nobody_or_to_two(
    whom: str, loan: Loan, baker: User, now: datetime
) -> None:
    possible = {"member": loan.member, "user": baker, "place": loan.member.place}
    row = row_of(loan, now, **{name: possible[name] for name in whom.split()})
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_what_always_holds_holds(loan: Loan, baker: User, now: datetime) -> None:
    tell_of(loan, baker, now)
    send(now)
    about_messages = {"messages", "subjects", "sending"}
    found = [one for one in all_invariants() if one.name in about_messages]
    assert len(found) == 3
    assert [line for one in found for line in one.violations()] == []


def test_messages_go_with_the_account(loan: Loan, baker: User, now: datetime) -> None:
    tell_of(loan, baker, now, "a")
    tell_of(loan, loan.member.user, now, "b")
    baker.delete()
    assert list(Message.objects.values_list("key", flat=True)) == ["b"]


def test_messages_go_with_the_place(loan: Loan, baker: User, now: datetime) -> None:
    other = PlaceFactory(name="Conciergerie du Port", landlord=loan.member.place.landlord)
    tell_of(loan, baker, now, "a", place=other)
    other.delete()
    assert not Message.objects.exists()


def test_a_members_data_holds_what_they_were_told_for_a_partner(
    member: Member, loan: Loan, baker: User, now: datetime
) -> None:
    tell(member, "loan.reserved", loan, key="a", now=now)
    tell_of(loan, member.user, now, "b")
    tell_of(loan, baker, now, "c")
    assert set(messages_to(member).values_list("key", flat=True)) == {"a", "b"}


def test_an_erasure_takes_them_too(member: Member, baker: User, loan: Loan, now: datetime) -> None:
    tell_of(loan, member.user, now, "a", facts={"name": "Samira"})
    tell_of(loan, baker, now, "b")
    erase_member(member, by=member.user, now=now)
    assert set(Message.objects.values_list("key", flat=True)) == {"b"}
