"""Two schedulers at one second: each person is asked once, and told once."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from club.domain import opinions as verbs
from club.domain.opinion_invariants import one_a_week
from club.kernel import opinions
from club.kernel.opinions import Ended, Source
from club.models import Member, Message, Opinion, Place
from tests.concurrency.conftest import unexpected
from tests.factories.club import NOW, MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 30


@pytest.fixture
def ended(place: Place, monkeypatch: Any) -> list[Ended]:
    """Three things of each person, alone in the register."""
    people = MemberFactory.create_batch(PEOPLE, place=place)
    found = [
        Ended(one.pk, place.pk, "loan", one.pk * 10 + n, "Gaufrier", NOW - timedelta(hours=n + 1))
        for one in people
        for n in range(3)
    ]

    def of(since: datetime, until: datetime) -> list[Ended]:
        return found

    monkeypatch.setattr(
        opinions, "_sources", {"loan": Source("loan", "Prêts", "Prêt", "Votre prêt", of)}
    )
    monkeypatch.setattr(verbs, "AT_ONCE", 7)
    return found


def test_four_schedulers_ask_each_person_once(ended: list[Ended], race: Any) -> None:
    """On consecutive minutes too, so that a lost lock would choose the next thing."""
    answers = race(lambda n: verbs.ask_lately(NOW + n * timedelta(minutes=1)), list(range(4)))
    assert unexpected(answers) == []
    assert sum(answers) == Opinion.objects.count() == Message.objects.count() == PEOPLE
    assert set(Opinion.objects.values_list("member", flat=True)) == set(
        Member.objects.values_list("pk", flat=True)
    )
    assert list(one_a_week()) == []


def test_two_taps_at_once_are_one_answer(member: Member, race: Any) -> None:
    one = Opinion.objects.create(
        member=member, place=member.place, kind="loan", subject_id=1, label="x", asked_at=NOW
    )
    faces = ["happy", "unhappy", "so_so"] * 2
    answers = race(lambda face: verbs.answer(one, face, NOW), faces)
    assert unexpected(answers) == []
    one.refresh_from_db()
    assert one.face in faces
    assert one.answered_at == NOW
