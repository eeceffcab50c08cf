"""The page of one question: the link is the key, a GET keeps nothing, one tap is enough."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from club.enums import ConsentKind, OpinionReason
from club.kernel import links
from club.kernel.spans import local_day
from club.models import Consent, Member, Opinion
from tests.desk.conftest import words
from tests.factories.club import NOW
from tests.factories.opinions import OpinionFactory

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def one(member: Member) -> Opinion:
    return OpinionFactory(member=member)


@pytest.fixture
def page(one: Opinion) -> str:
    return links.opinion_path(one.reference)


@pytest.fixture
def strict() -> Client:
    """A stranger's browser, without cookies and tokens."""
    return Client(enforce_csrf_checks=True)


def test_the_link_of_a_face_keeps_nothing_until_it_is_sent(
    strict: Client, one: Opinion, page: str
) -> None:
    for face in ("happy", "unhappy"):
        answer = strict.get(page, {"visage": face})
        assert answer.status_code == 200
        assert f'name="face" value="{face}"' in answer.content.decode()
        assert "data-send" in answer.content.decode()
    strict.head(page, {"visage": "happy"})
    one.refresh_from_db()
    assert (one.face, one.answered_at) == ("", None)
    assert "js/opinion" in strict.get(page, {"visage": "happy"}).content.decode()
    assert "js/opinion" not in strict.get(page).content.decode()
    assert strict.get(page, {"visage": "star"}).status_code == 200


def test_a_tap_then_thanks_then_a_reason(strict: Client, one: Opinion, page: str) -> None:
    text = words(strict.get(page)).replace("\xa0", " ")
    assert "Comment ça s’est passé ? Votre prêt : Gaufrier Content Moyen Pas content" in text
    answer = strict.post(page, {"face": "unhappy"}, follow=True)
    text = words(answer).replace("\xa0", " ")
    assert "Merci, c’est noté" in text
    assert "Vous avez répondu : Pas content." in text
    assert "Passez à l’accueil pour en parler" in text
    assert answer.content.decode().count('name="reason"') == len(OpinionReason)
    text = words(strict.post(page, {"reason": "wait"}, follow=True)).replace("\xa0", " ")
    assert "Votre raison : trop d’attente." in text
    one.refresh_from_db()
    assert (one.face, one.reason, one.answered_at) == ("unhappy", "wait", NOW)
    assert "Merci" in words(strict.get(page, {"visage": "unhappy"}))


def test_another_mind_within_a_week(strict: Client, one: Opinion, page: str, clock: Any) -> None:
    strict.post(page, {"face": "unhappy"})
    text = words(strict.get(page, {"changer": "1"})).replace("\xa0", " ")
    assert "Vous aviez répondu : Pas content." in text
    strict.post(page, {"face": "happy"})
    one.refresh_from_db()
    assert one.face == "happy"
    clock.move_to(NOW + 7 * DAY)
    answer = strict.post(page, {"face": "unhappy"})
    assert answer.status_code == 422
    assert "Vous avez déjà répondu. Merci." in words(answer)
    text = words(strict.get(page, {"visage": "unhappy"})).replace("\xa0", " ")
    assert "Vous avez répondu : Content." in text
    assert "Changer ma réponse" not in text


def test_after_a_month_the_question_is_closed(
    strict: Client, one: Opinion, page: str, clock: Any
) -> None:
    clock.move_to(NOW + 31 * DAY)
    answer = strict.get(page)
    assert answer.status_code == 410
    assert "Cette question est close" in words(answer)
    assert strict.post(page, {"face": "happy"}).status_code == 422


def test_what_is_sent_wrong(strict: Client, one: Opinion, page: str) -> None:
    for sent, text in (
        ({"face": "star"}, "Choisissez un des trois visages."),
        ({}, "Choisissez un des trois visages."),
        ({"reason": "wait"}, "Choisissez d’abord un visage."),
        ({"reason": "ugly"}, "Choisissez une raison de la liste."),
    ):
        answer = strict.post(page, sent)
        assert answer.status_code == 422
        assert text in words(answer)


def test_no_other_link_opens_it(strict: Client, one: Opinion, page: str) -> None:
    booking = links.booking_path(one.reference).rstrip("/").rpartition("/")[2]
    for signed in (booking, page.split("/")[2][:-2] + "xx", one.reference):
        for method in (strict.get, strict.post):
            assert method(f"/avis/{signed}/").status_code == 404
            assert method(f"/avis/{signed}/arreter/").status_code == 404
    nobodys = OpinionFactory(member=None)
    assert strict.get(links.opinion_path(nobodys.reference)).status_code == 404


def test_the_short_link_leads_there_and_a_bookings_does_not(
    strict: Client, one: Opinion, page: str
) -> None:
    code = links.short_opinion_link(one.reference, local_day(NOW)).rstrip("/").rpartition("/")[2]
    assert strict.get(f"/a/{code}/")["Location"] == page
    booking = links.short_code(one.reference, local_day(NOW))
    assert strict.get(f"/a/{booking}/").status_code == 404
    assert strict.get(f"/r/{code}/").status_code == 404


def test_no_more_questions_is_asked_first(strict: Client, member: Member, page: str) -> None:
    stop = f"{page}arreter/"
    answer = strict.get(stop)
    assert (answer["Referrer-Policy"], answer.status_code) == ("no-referrer", 200)
    assert not Consent.objects.exists()
    assert "C’est arrêté" in words(strict.post(stop))
    strict.post(stop)
    assert Consent.objects.get(withdrawn_at=None).kind == ConsentKind.NO_QUESTIONS
