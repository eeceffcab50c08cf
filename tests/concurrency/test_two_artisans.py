"""Two artisans say yes at one time, and one page is sent twice."""

import threading
from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from django.db import connection, transaction

from club.kernel.spans import at
from club.models import Message
from marketplace.domain import asks, visits
from marketplace.domain.visits import Work
from marketplace.enums import AskStatus, Trade, VisitStatus
from marketplace.models import VisitAsk, VisitRequest
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.marketplace import ArtisanFactory, PersonFactory, insured

pytestmark = pytest.mark.django_db(transaction=True)
Race = Callable[..., list[Any]]
TOMORROW = date(2027, 3, 10)
NINE = at(TOMORROW, time(9))
WORK = Work(
    Trade.PLUMBING, "Une fuite.", "8, rue", "Amiens", "0612345678", ((TOMORROW, "morning"),)
)


@pytest.fixture
def asked() -> Callable[..., VisitRequest]:
    place = PlaceFactory()
    member = MemberFactory(place=place)
    artisans = [ArtisanFactory(landlord=place.landlord) for _ in range(3)]
    for partner in artisans:
        insured(partner, Trade.PLUMBING)
        PersonFactory(partner=partner)

    def made(key: str = "k" * 43) -> VisitRequest:
        return visits.ask_once(
            form_key=key, member=member, work=WORK, artisans=artisans, photos=[],
            by=member.user, now=NOW,
        )  # fmt: skip

    return made


def say_yes(ask: VisitAsk) -> VisitAsk:
    return asks.accept(ask, NINE, by=ask.partner.people.get().user, now=NOW)


def test_without_the_lock_both_think_that_it_is_theirs(
    race: Race, asked: Callable[..., VisitRequest], seed: int
) -> None:
    """The race is real: look, think, write. On SQLite the look stands outside."""
    visit = asked()
    gate = threading.Barrier(3)

    def look_then_write(ask: VisitAsk) -> bool:
        is_free = VisitRequest.objects.get(pk=visit.pk).status == VisitStatus.ASKING
        gate.wait(timeout=10)
        with transaction.atomic():
            VisitRequest.objects.filter(pk=visit.pk).update(visit_at=NINE)
        return is_free

    assert race(look_then_write, list(visit.asks.all())) == [True] * 3


def test_one_of_three_gets_the_visit_and_the_others_are_told(
    race: Race, asked: Callable[..., VisitRequest], seed: int
) -> None:
    visit = asked()
    answers = race(say_yes, list(visit.asks.all()))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 1
    refusals = [answer for answer in answers if isinstance(answer, Exception)]
    assert {tuple(refusal.codes) for refusal in refusals} == {("taken",)}
    states = sorted(visit.asks.values_list("status", flat=True))
    assert states == [AskStatus.ACCEPTED, AskStatus.CLOSED, AskStatus.CLOSED]
    assert Message.objects.filter(event="visit.taken").count() == 1


def test_a_yes_and_a_call_off_at_one_time_agree_on_what_happened(
    race: Race, asked: Callable[..., VisitRequest], seed: int
) -> None:
    visit = asked()
    steps = [
        lambda: say_yes(visit.asks.get(rank=1)),
        lambda: visits.cancel(visit, by=visit.member.user, now=NOW),
        lambda: asks.decline(
            visit.asks.get(rank=2), by=visit.asks.get(rank=2).partner.people.get().user, now=NOW
        ),
    ]
    answers = race(lambda step: step(), steps)
    assert unexpected(answers) == []
    visit.refresh_from_db()
    assert visit.status == VisitStatus.CANCELLED
    live = visit.asks.exclude(status__in=[AskStatus.CLOSED, AskStatus.DECLINED])
    assert not live.exists()


def test_pressed_at_once_is_asked_once(
    race: Race, asked: Callable[..., VisitRequest], seed: int
) -> None:
    answers = race(lambda _: asked().pk, list(range(5)))
    visit = VisitRequest.objects.get()
    assert answers == [visit.pk] * 5
    assert visit.asks.count() == 3


def test_pressed_at_once_on_pages_of_their_own_stays_within_three(
    race: Race, asked: Callable[..., VisitRequest], seed: int
) -> None:
    answers = race(lambda number: asked(str(number) * 43), list(range(6)))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == 3
    if connection.vendor == "postgresql":
        assert VisitRequest.objects.count() == 3
