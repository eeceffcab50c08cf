"""What each event says, in both forms."""

from datetime import date, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.core import mail

from club.domain.messages import tell
from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel import letters
from club.models import Member, Message
from concierge.emails import WANTED
from concierge.enums import LoanStatus
from concierge.models import Copy, Loan
from tests.factories.concierge import LoanFactory

NBSP = "\u00a0"


@pytest.fixture
def loan(member: Member, copy: Copy, now: datetime) -> Loan:
    begins = now + timedelta(days=1)
    return LoanFactory(
        member=member, copy=copy, starts_at=begins, ends_at=begins + timedelta(days=7)
    )


def told(event: str, loan: Loan, now: datetime, **facts: Any) -> Any:
    tell(loan.member, event, loan, key=f"{event}:{loan.pk}", now=now, facts=facts)
    with MailAndSms() as transport:
        send_due(now, transport)
    assert len(mail.outbox) == 1, Message.objects.values_list("status", "error")
    return mail.outbox[0]


def set_status(loan: Loan, status: str, **changes: Any) -> None:
    Loan.objects.filter(pk=loan.pk).update(status=status, **changes)


CASES = {
    "loan.reserved": (
        "reserved",
        1,
        f"C’est réservé{NBSP}: Gaufrier, mercredi 10{NBSP}mars à 10{NBSP}h{NBSP}24",
    ),
    "loan.moved": (
        "reserved",
        1,
        f"Nouveau jour{NBSP}: Gaufrier, mercredi 10{NBSP}mars à 10{NBSP}h{NBSP}24",
    ),
    "loan.cancelled": (
        "cancelled",
        1,
        f"Réservation annulée{NBSP}: Gaufrier, mercredi 10{NBSP}mars",
    ),
    "loan.lapsed": (
        "lapsed",
        1,
        f"Réservation terminée{NBSP}: Gaufrier, mercredi 10{NBSP}mars",
    ),
    "loan.renewed": (
        "out",
        7,
        f"Prêt prolongé{NBSP}: Gaufrier, retour mardi 16{NBSP}mars",
    ),
    "loan.due_tomorrow": (
        "out",
        1,
        f"À rendre demain, mercredi 10{NBSP}mars{NBSP}: Gaufrier",
    ),
    "loan.late_1": (
        "out",
        -1,
        f"À rendre{NBSP}: Gaufrier, attendu lundi 8{NBSP}mars",
    ),
    "loan.late_3": (
        "out",
        -3,
        f"Toujours attendu{NBSP}: Gaufrier, depuis samedi 6{NBSP}mars",
    ),
    "loan.pickup_tomorrow": (
        "ready",
        1,
        f"À retirer demain, mercredi 10{NBSP}mars à 10{NBSP}h{NBSP}24{NBSP}: Gaufrier",
    ),
    "loan.pickup_in_7": (
        "reserved",
        7,
        f"À retirer mardi 16{NBSP}mars à 10{NBSP}h{NBSP}24{NBSP}: Gaufrier",
    ),
}


def test_each_event_that_a_verb_tells_has_a_case() -> None:
    assert set(CASES) == set(WANTED)
    assert all(letters.sort_of(event) for event in CASES)


@pytest.mark.parametrize("event", CASES)
def test_the_subject_is_fact_and_date_and_the_two_forms_say_the_same(
    event: str, loan: Loan, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    status, days, subject = CASES[event]
    day = date(2027, 3, 9) + timedelta(days=days)
    if status == "out":
        set_status(loan, status, due_on=day, starts_at=now - timedelta(days=10))
    else:
        set_status(
            loan,
            status,
            starts_at=now + timedelta(days=days),
            pickup_ends_at=now + timedelta(days=days, hours=1),
        )
    message = told(event, loan, now, day="2027-03-09")
    assert message.subject == subject
    assert "\n" not in message.subject
    html = message.alternatives[0].content
    for form in (message.body, html):
        assert "Bonjour Samira," in form
        assert "https://club.example.org/mon-espace/r/" in form
        assert "Voir ma réservation" in form
        assert "Gaufrier" in form
        assert "03 53 01 24 60" in form
        assert "{" not in form.split("</style>")[-1]
    assert html.count('class="button"') == 1
    assert "<img" not in html
    assert message.to == [loan.member.user.email]
    assert message.from_email.startswith("Conciergerie des Tilleuls <")


def test_a_name_with_signs_is_escaped_in_html_alone(loan: Loan, now: datetime) -> None:
    loan.tool.name = "L'appareil <à> raclette & co"
    loan.tool.save()
    message = told("loan.reserved", loan, now)
    assert "L'appareil <à> raclette & co" in message.subject
    assert "L'appareil <à> raclette & co" in message.body
    html = message.alternatives[0].content
    assert "L&#x27;appareil &lt;à&gt; raclette &amp; co" in html
    assert "<à>" not in html


@pytest.mark.parametrize("event", ["loan.reserved", "loan.moved", "loan.cancelled"])
def test_the_agenda_entry_keeps_its_uid_and_follows_the_loan(
    event: str, loan: Loan, now: datetime, settings: Any
) -> None:
    settings.BASE_URL = "https://club.example.org"
    status = LoanStatus.CANCELLED if event == "loan.cancelled" else LoanStatus.RESERVED
    set_status(loan, status, sequence=3, cancelled_at=now)
    message = told(event, loan, now)
    (name, content, mimetype) = message.attachments[0]
    assert (name, mimetype) == ("reservation.ics", "text/calendar")
    text = content if isinstance(content, bytes) else content.encode()
    (found,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert str(found["UID"]) == f"{loan.reference}@conciergerie"
    assert int(found["SEQUENCE"]) == 3
    assert str(found["STATUS"]) == ("CANCELLED" if event == "loan.cancelled" else "CONFIRMED")
