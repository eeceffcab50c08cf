"""What is told of stays and keys: to the member, on its day, visits of a day together."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel import letters
from club.models import Member, Message, Place, User
from concierge.domain.keys import give_back, mark_lost, receive_keys
from concierge.domain.stay_reminders import write_stay_reminders
from concierge.domain.stay_visits import mark_called, note_incident, tick_visit
from concierge.domain.stays import book_stay, cancel_stay, move_stay
from concierge.models import Stay
from concierge.stay_letters import OF_KEYS, OF_VISITS, WANTED
from tests.factories.services import client_of, on
from tests.factories.stays import (
    FIRST,
    LAST,
    TASKS,
    RunningStayFactory,
    StayFactory,
    StayServiceFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def samira(place: Place) -> Member:
    return client_of(place)


def send(now: datetime) -> list[tuple[str, str]]:
    before = len(mail.outbox)
    with MailAndSms() as transport:
        send_due(now, transport)
    return [(plain(one.subject), plain(str(one.body))) for one in mail.outbox[before:]]


def plain(text: str) -> str:
    return text.replace("\xa0", " ")


def events() -> set[str]:
    return set(Message.objects.filter(status="pending").values_list("event", flat=True))


def test_booked_changed_and_called_off(samira, place, now):
    stay = book_stay(
        member=samira, service=StayServiceFactory(place=place), first_on=FIRST, last_on=LAST,
        tasks=TASKS, by=samira.user, now=now,
    )  # fmt: skip
    [(subject, body)] = send(now)
    assert subject == "C’est réservé à l’accueil"
    assert "Apportez vos clés à l’accueil avant mardi 16 mars." in body
    assert "du mardi 16 mars au jeudi 25 mars" in body
    assert "30 €, à payer à la fin" in body
    assert mail.outbox[-1].attachments[0][0] == "garde.ics"
    move_stay(stay, FIRST, FIRST + timedelta(days=1), by=samira.user, now=now)
    cancel_stay(stay, by=samira.user, now=now)
    assert [subject for subject, _body in send(now + timedelta(minutes=11))] == [
        "C’est annulé à l’accueil"
    ]


NEUTRAL = {"stay.in_7": "Un rappel de l’accueil", "stay.tomorrow": "Pensez à l’accueil"}


def test_recalled_a_week_and_a_day_before_and_before_the_end(samira, place):
    stay = StayFactory(service=StayServiceFactory(place=place), member=samira)
    Stay.objects.update(created_at=on(1, 9))
    for day, told in ((9, {"stay.in_7"}), (10, set()), (15, {"stay.tomorrow"})):
        write_stay_reminders(on(day, 7))
        write_stay_reminders(on(day, 7))
        assert events() == told, day
        found = [subject for subject, _body in send(on(day, 9))]
        assert found == [NEUTRAL[event] for event in told], "A locked phone tells of no absence."
    Stay.objects.filter(pk=stay.pk).update(status="running")
    write_stay_reminders(on(24, 7))
    assert events() == {"stay.ends_tomorrow"}
    Stay.objects.filter(pk=stay.pk).update(ends_at=on(28, 0))
    assert send(on(24, 9)) == [], "No longer true."
    Stay.objects.filter(pk=stay.pk).update(status="booked", ends_at=stay.ends_at)


def test_the_visits_of_a_day_are_one_message_in_the_evening(
    samira: Member, place: Place, concierge_user: User, now: datetime
) -> None:
    for name in ("Maison", "Chat"):
        stay = RunningStayFactory(service__place=place, service__name=name, member=samira)
        visit = stay.visits.get(day=date(2027, 3, 9))
        tick_visit(visit, ["look", "post"], by=concierge_user, now=now)
    assert send(on(9, 17.5)) == []
    [(subject, body)] = send(on(9, 18))
    assert subject == "2 nouvelles de l’accueil"
    assert "Fait : vérifier que tout va bien, relever le courrier." in body
    note_incident(visit, "water", by=concierge_user, now=on(9, 19))
    [(subject, body)] = send(on(9, 19))
    assert subject == "Appelez l’accueil : un problème chez vous"
    assert "fuite d’eau" in body
    note_incident(visit, "power", by=concierge_user, now=on(9, 20))
    mark_called(visit, by=concierge_user, now=on(9, 20))
    assert send(on(9, 20)) == [], "Somebody has called meanwhile."


def test_the_receipts_of_keys(samira, place, concierge_user, now):
    asked: dict[str, Any] = {
        "place": place, "member": samira, "reason": "spare", "on_paper": True,
        "by": concierge_user, "now": now,
    }  # fmt: skip
    keys = receive_keys(hook=1, pieces=2, **asked)
    [(subject, body)] = send(now)
    assert subject.startswith("Reçu de vos clés, R ")
    assert "Nous gardons 2 clés depuis mardi 9 mars à 10 h 24." in body
    give_back(keys, samira, on_paper=True, by=concierge_user, now=now)
    [(subject, body)] = send(now)
    assert "2 clés : remis à Samira Benali, mardi 9 mars à 10 h 24." in body
    mark_lost(receive_keys(hook=2, **asked), by=concierge_user, now=now)
    assert [subject for subject, _body in send(now)] == ["Appelez l’accueil au sujet de vos clés"]


def test_each_event_has_its_words():
    for event in (*WANTED, *OF_VISITS, *OF_KEYS):
        assert letters.sort_of(event) is not None
