"""How it went: one question a week at most, each thing once; one tap; a call; then counts."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from club.domain import opinions as verbs
from club.domain.consents import give_consent, withdraw_consent
from club.domain.erasure import erase_member
from club.domain.opinion_invariants import answers_whole, one_a_week
from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.enums import ConsentKind, Face
from club.kernel import opinions, sms_text
from club.kernel.opinions import Ended, Source
from club.kernel.refusal import Refused
from club.kernel.spans import local_day
from club.models import LogEntry, Member, Message, Opinion, Place, User
from concierge.enums import AppointmentStatus, LoanStatus, OrderStatus, StayStatus
from concierge.models import Order
from events.enums import RegistrationStatus
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.concierge import LoanFactory
from tests.factories.events import RegistrationFactory, SessionFactory
from tests.factories.opinions import OpinionFactory, unhappy
from tests.factories.orders import OrderFactory
from tests.factories.services import AppointmentFactory
from tests.factories.stays import StayFactory

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def things(monkeypatch: Any) -> list[Ended]:
    """A source of its own, alone in the register: what is put here has ended."""
    found: list[Ended] = []

    def ended(since: datetime, until: datetime) -> Iterator[Ended]:
        return (thing for thing in found if since < thing.at <= until)

    monkeypatch.setattr(
        opinions, "_sources", {"loan": Source("loan", "Prêts", "Prêt", "Votre prêt", ended)}
    )
    return found


def ended(member: Member, number: int, at: datetime, label: str = "Gaufrier") -> Ended:
    return Ended(member.pk, member.place_id, "loan", number, label, at)


def asked() -> list[tuple[str, int]]:
    return list(Opinion.objects.order_by("pk").values_list("kind", "subject_id"))


def send(now: datetime) -> list[Any]:
    before = len(mail.outbox)
    with MailAndSms() as transport:
        send_due(now, transport)
    return mail.outbox[before:]


def codes(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.codes


# -- Who is asked about what ---------------------------------------------------------------------


def test_each_kind_of_the_house_is_asked_about_once_it_has_ended(place: Place) -> None:
    at = NOW - HOUR
    session = SessionFactory(place=place, starts_at=at - 2 * HOUR, ends_at=at)
    before = SessionFactory(place=place, starts_at=NOW - HOUR, ends_at=NOW + HOUR)
    made = {
        "loan": LoanFactory(
            copy__place=place, starts_at=at - DAY, ends_at=at, status=LoanStatus.RETURNED,
            returned_at=at,
        ),
        "appointment": AppointmentFactory(
            service__place=place, status=AppointmentStatus.DONE, done_at=at
        ),
        "stay": StayFactory(status=StayStatus.ENDED, ended_at=at),
        "order": OrderFactory(),
        "registration": RegistrationFactory(session=session, status=RegistrationStatus.PRESENT),
    }  # fmt: skip
    LoanFactory(copy__place=place, status=LoanStatus.OUT)
    AppointmentFactory(
        service=made["appointment"].service, status=AppointmentStatus.ABSENT, absent_at=at,
        lane=made["appointment"].lane + 1,
    )  # fmt: skip
    Order.objects.update(status=OrderStatus.COLLECTED, collected_at=at)
    Message.objects.all().delete()
    RegistrationFactory(session=before, status=RegistrationStatus.PRESENT)
    assert set(made) == {source.kind for source in opinions.sources()}
    assert verbs.ask_lately(NOW) == 5
    for kind, thing in made.items():
        one = Opinion.objects.get(kind=kind)
        assert (one.subject_id, one.member, one.place) == (thing.pk, thing.member, thing.place)
        assert one.label
    assert Message.objects.filter(event="opinion.asked").count() == 5


def test_the_newest_of_three_days_and_no_more_for_a_week(
    member: Member, things: list[Ended]
) -> None:
    things += [ended(member, 1, NOW - DAY), ended(member, 2, NOW - HOUR)]
    things += [ended(member, 3, NOW - 3 * DAY)]
    assert verbs.ask_lately(NOW) == 1
    assert asked() == [("loan", 2)]
    things.append(ended(member, 4, NOW + 5 * DAY))
    assert verbs.ask_lately(NOW) == 0
    assert verbs.ask_lately(NOW + 6 * DAY) == 0
    things.append(ended(member, 5, NOW + 7 * DAY - HOUR))
    earlier = NOW + 7 * DAY - HOUR / 2
    assert verbs.ask_lately(earlier) == 1, "the same weekday, some minutes earlier"
    assert asked() == [("loan", 2), ("loan", 5)]


def test_a_thing_is_asked_about_once_even_where_it_ends_twice(
    member: Member, things: list[Ended]
) -> None:
    things += [ended(member, 1, NOW - HOUR)]
    verbs.ask_lately(NOW)
    things += [ended(member, 1, NOW + 8 * DAY - HOUR), ended(member, 2, NOW + 7 * DAY)]
    assert verbs.ask_lately(NOW + 8 * DAY) == 1
    assert asked() == [("loan", 1), ("loan", 2)]


def test_who_is_never_asked(place: Place, things: list[Ended], settings: Any) -> None:
    settings.SMS_SENDER = ""
    silent = MemberFactory(place=place, user__email="", user__phone="+33612345678")
    closed = MemberFactory(place=place, user__is_active=False)
    against, again = MemberFactory(place=place), MemberFactory(place=place)
    for one in (against, again):
        give_consent(one, ConsentKind.NO_QUESTIONS, by=one.user, now=NOW)
    withdraw_consent(again, ConsentKind.NO_QUESTIONS, by=again.user, now=NOW)
    for number, one in enumerate((silent, closed, against, again)):
        things.append(ended(one, number, NOW - HOUR))
    assert verbs.ask_lately(NOW) == 1
    assert Opinion.objects.get().member == again
    settings.SMS_SENDER = "club.sms.ConsoleSender"
    assert verbs.ask_lately(NOW) == 1
    assert Message.objects.get(member=silent).channel == "sms"


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        (NOW.replace(hour=7, minute=59), 0),
        (NOW.replace(hour=8, minute=0), 1),
        (NOW.replace(hour=20, minute=0), 0),
        (NOW.replace(day=14), 0),
    ],
)
def test_neither_at_night_nor_on_a_sunday(
    member: Member, things: list[Ended], moment: datetime, number: int
) -> None:
    things.append(ended(member, 1, moment - HOUR))
    assert verbs.ask_lately(moment) == number


def test_the_question_after_an_artisans_visit_is_the_weeks_question(
    member: Member, things: list[Ended]
) -> None:
    Message.objects.create(
        key="visit.happened:1", event="visit.happened", member=member, channel="email",
        subject_kind="visitrequest", subject_id=1, due_at=NOW - 2 * DAY,
    )  # fmt: skip
    things.append(ended(member, 1, NOW - HOUR))
    assert verbs.ask_lately(NOW) == 0
    Message.objects.update(due_at=NOW - 7 * DAY)
    assert verbs.ask_lately(NOW) == 1


@given(
    endings=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 21 * 24)), max_size=40),
    down=st.sets(st.integers(0, 21), max_size=6),
)
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_ends_when_nobody_is_asked_twice_in_seven_days(
    place: Place, things: list[Ended], endings: list[tuple[int, int]], down: set[int]
) -> None:
    """Against a plain model; the worker is down on some days and runs twice on others."""
    people = [*Member.objects.order_by("pk")]
    while len(people) < 3:
        people.append(MemberFactory(place=place))
    Opinion.objects.all().delete()
    Message.objects.all().delete()
    first = NOW.replace(hour=10, minute=0)
    things[:] = [
        ended(people[who], number, first + hours * HOUR)
        for number, (who, hours) in enumerate(endings)
    ]
    last: dict[int, int] = {}
    told: set[int] = set()
    for day in range(22):
        now = first + day * DAY
        if day in down:
            continue
        verbs.ask_lately(now)
        verbs.ask_lately(now + HOUR / 2)
        for who in people:
            fresh = [
                one
                for one in things
                if one.member_id == who.pk
                and one.subject_id not in told
                and now - 3 * DAY < one.at <= now
            ]
            if fresh and now.isoweekday() != 7 and day - last.get(who.pk, -7) >= 7:
                last[who.pk] = day
                told.add(max(fresh, key=lambda one: (one.at, one.subject_id)).subject_id)
    assert set(Opinion.objects.values_list("subject_id", flat=True)) == told
    assert Opinion.objects.count() == len(told) == Message.objects.count()
    assert list(one_a_week()) == []
    assert {
        one.member_id: (local_day(one.asked_at) - local_day(first)).days
        for one in Opinion.objects.order_by("asked_at")
    } == last


def test_a_thousand_more_people_are_few_statements_more(
    place: Place, things: list[Ended], monkeypatch: Any
) -> None:
    """Five statements a batch, whatever the number in it."""
    monkeypatch.setattr(verbs, "AT_ONCE", 4)

    def statements(number: int, start: int) -> list[str]:
        people = MemberFactory.create_batch(number, place=place)
        things[:] = [ended(one, start + n, NOW - HOUR) for n, one in enumerate(people)]
        with CaptureQueriesContext(connection) as held:
            assert verbs.ask_lately(NOW) == number
        return [row["sql"] for row in held if not row["sql"].startswith(("SAVEPOINT", "RELEASE"))]

    one, four, eight = statements(1, 0), statements(4, 10), statements(8, 20)
    assert (len(one), len(four), len(eight)) == (6, 6, 12), one


# -- How it is told ------------------------------------------------------------------------------


def test_the_letter_has_three_faces_as_words_and_leaves_soon_or_never(
    member: Member, things: list[Ended]
) -> None:
    things.append(ended(member, 1, NOW - DAY, "Perceuse à percussion"))
    verbs.ask_lately(NOW)
    one = Opinion.objects.get()
    [letter] = send(NOW)
    text, html = letter.body.replace("\xa0", " "), letter.alternatives[0][0]
    subject = letter.subject.replace("\xa0", " ")
    assert subject == "Votre avis : Perceuse à percussion, lundi 8 mars"
    assert "Votre prêt : Perceuse à percussion, lundi 8 mars." in text
    for face, word in (("happy", "Content"), ("so_so", "Moyen"), ("unhappy", "Pas content")):
        assert f"{word} : http" in text
        assert f"?visage={face}" in text
        assert f'?visage={face}">{word}</a>' in html
    assert "/arreter/" in text and "/arreter/" in html
    assert "<img" not in html
    assert one.reference not in text, "the link is signed"
    Message.objects.update(status="pending", sent_at=None, due_at=NOW + 3 * DAY)
    assert send(NOW + 3 * DAY) == []
    assert Message.objects.get().status == "dropped"


def test_an_sms_is_one_with_a_short_link(place: Place, things: list[Ended], settings: Any) -> None:
    settings.SMS_SENDER = "tests.club.test_opinions.Kept"
    member = MemberFactory(place=place, user__email="", user__phone="+33612345678")
    things.append(ended(member, 1, NOW - HOUR, "Nettoyeur à haute pression et ses trois buses"))
    verbs.ask_lately(NOW)
    Kept.texts.clear()
    send(NOW)
    [text] = Kept.texts
    assert sms_text.length(text) <= 160
    assert "/a/" in text and "avis" in text


class Kept:
    texts: list[str] = []

    def send(self, phone: str, text: str) -> None:
        self.texts.append(text)


# -- Answers -------------------------------------------------------------------------------------


def test_one_tap_then_a_reason_then_another_mind(member: Member) -> None:
    one = OpinionFactory(member=member)
    one = verbs.answer(one, "unhappy", NOW + DAY)
    assert (one.face, one.answered_at, one.reason) == ("unhappy", NOW + DAY, "")
    one = verbs.give_reason(one, "wait", NOW + DAY)
    again = verbs.answer(one, "unhappy", NOW + 5 * DAY)
    assert (again.reason, again.answered_at) == ("wait", NOW + DAY)
    so_so = verbs.answer(one, "so_so", NOW + 5 * DAY)
    assert (so_so.face, so_so.reason, so_so.answered_at) == ("so_so", "wait", NOW + DAY)
    happy = verbs.answer(one, "happy", NOW + 6 * DAY)
    assert (happy.face, happy.reason) == ("happy", "")
    assert codes(lambda: verbs.answer(one, "unhappy", NOW + 8 * DAY)) == ["said"]
    assert verbs.answer(one, "happy", NOW + 90 * DAY).face == "happy"
    assert not LogEntry.objects.filter(subject_kind="opinion").exists()
    assert list(answers_whole()) == []


def test_what_is_no_answer(member: Member) -> None:
    one = OpinionFactory(member=member)
    assert codes(lambda: verbs.answer(one, "star", NOW)) == ["missing"]
    assert codes(lambda: verbs.give_reason(one, "wait", NOW)) == ["no_face"]
    assert codes(lambda: verbs.answer(one, "happy", NOW + 31 * DAY)) == ["too_late"]
    verbs.answer(one, "so_so", NOW)
    assert codes(lambda: verbs.give_reason(one, "ugly", NOW)) == ["reason_wrong"]
    assert codes(lambda: verbs.give_reason(one, "price", NOW + 7 * DAY)) == ["said"]
    nobodys = OpinionFactory(member=None)
    assert codes(lambda: verbs.answer(nobodys, "happy", NOW)) == ["too_late"]


# -- Calls ---------------------------------------------------------------------------------------


def test_a_call_is_noted_once_and_undone_on_its_day(member: Member, concierge_user: User) -> None:
    one, by = unhappy(member=member), concierge_user
    noted = verbs.note_call(one, "settled", by=by, now=NOW)
    assert (noted.outcome, noted.called_at, noted.called_by) == ("settled", NOW, by)
    assert codes(lambda: verbs.note_call(one, "passed_on", by=by, now=NOW)) == ["called"]
    undone = verbs.undo_call(one, by=by, now=NOW + HOUR)
    assert (undone.outcome, undone.called_at, undone.called_by) == ("", None, None)
    assert codes(lambda: verbs.undo_call(one, by=by, now=NOW + HOUR)) == ["not_noted"]
    verbs.note_call(one, "passed_on", by=by, now=NOW + HOUR)
    assert codes(lambda: verbs.undo_call(one, by=by, now=NOW + DAY)) == ["too_late"]
    assert not Message.objects.exists(), "the person is told nothing more"


def test_who_does_not_pick_up_stays_on_the_list_once(member: Member, concierge_user: User) -> None:
    one, by = unhappy(member=member), concierge_user
    once = verbs.note_call(one, "no_answer", by=by, now=NOW)
    assert (once.outcome, once.called_at) == ("no_answer", None)
    twice = verbs.note_call(one, "no_answer", by=by, now=NOW + DAY)
    assert twice.called_at == NOW + DAY
    back = verbs.undo_call(one, by=by, now=NOW + DAY + HOUR)
    assert (back.outcome, back.called_at) == ("no_answer", None)
    settled = verbs.note_call(one, "settled", by=by, now=NOW + 2 * DAY)
    assert settled.called_at == NOW + 2 * DAY


def test_nobody_is_called_who_is_not_unhappy(member: Member, concierge_user: User) -> None:
    for one in (OpinionFactory(member=member), unhappy(member=None), unhappy(face="so_so")):
        refused = codes(lambda one=one: verbs.note_call(one, "settled", by=concierge_user, now=NOW))
        assert refused == ["no_call"]
    one = unhappy(member=member)
    refused = codes(lambda: verbs.note_call(one, "shouted", by=concierge_user, now=NOW))
    assert refused == ["outcome_wrong"]


# -- What stays ----------------------------------------------------------------------------------


def test_after_thirteen_months_a_face_is_a_count_of_its_month(
    member: Member, concierge_user: User
) -> None:
    old = unhappy(member=member, reason="wait", asked_at=NOW.replace(year=2026, month=1, day=31))
    verbs.note_call(old, "settled", by=concierge_user, now=old.asked_at + DAY)
    fresh = OpinionFactory(member=member)
    silent = OpinionFactory(member=member, asked_at=NOW.replace(year=2026, month=1))
    assert verbs.forget_old_opinions(NOW) == 2
    assert verbs.forget_old_opinions(NOW) == 0
    for one in (old, fresh, silent):
        one.refresh_from_db()
    assert (old.member, old.label, old.subject_id, old.called_by) == (None, "", -old.pk, None)
    assert (old.face, old.reason, old.outcome) == ("unhappy", "wait", "settled")
    assert local_day(old.asked_at).isoformat() == "2026-01-01"
    assert old.asked_at == old.answered_at == old.called_at
    assert (silent.member, silent.answered_at) == (None, None)
    assert (fresh.member, fresh.label) == (member, "Gaufrier")
    assert [*answers_whole(), *one_a_week()] == []


def test_when_a_person_goes_the_face_stays(member: Member) -> None:
    one = unhappy(member=member, reason="manner")
    erase_member(member, by=None, now=NOW)
    one.refresh_from_db()
    assert (one.member, one.label, one.face, one.reason) == (None, "", "unhappy", "manner")


def test_the_invariants_find_their_faults(member: Member) -> None:
    for days in (0, 6, 13):
        OpinionFactory(member=member, asked_at=NOW + days * DAY - days * HOUR / 2)
    OpinionFactory(member__place=PlaceFactory(), asked_at=NOW)
    assert len(list(one_a_week())) == 1
    for fault in (
        {"face": Face.HAPPY, "answered_at": None}, {"face": "", "answered_at": NOW},
        {"face": Face.HAPPY, "reason": "wait"}, {"face": Face.UNHAPPY, "called_at": NOW},
    ):  # fmt: skip
        OpinionFactory(**fault)
    assert len(list(answers_whole())) == 4
