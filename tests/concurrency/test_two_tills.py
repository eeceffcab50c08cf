"""One card at several tills in the same second is counted as often as it may be, and no more."""

import threading
from itertools import count

import pytest
from django.db import OperationalError, connection, transaction

from club.kernel.refusal import Refused
from marketplace.domain import uses
from marketplace.domain.uses import period_of, take_back_use, use_offer
from marketplace.enums import LimitPer
from marketplace.models import OfferUse
from tests.concurrency.conftest import accepted, unexpected
from tests.factories.club import NOW
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory

pytestmark = pytest.mark.django_db(transaction=True)
TILLS = 16
LIMIT = 3


@pytest.fixture
def baker(place):
    return PersonFactory(partner=PartnerFactory(landlord=place.landlord)).user


def offer_of(place, baker, **terms):
    return OfferFactory(partner=baker.acts_for.get().partner, **terms)


@pytest.fixture
def limited(place, baker):
    return offer_of(place, baker, limit_count=LIMIT, limit_per=LimitPer.MONTH)


def counting(offer, member, by, form_key=""):
    def call(till):
        try:
            return use_offer(offer, member=member, by=by, now=NOW, form_key=form_key)
        except OperationalError:
            # SQLite let others go first for twenty seconds: told so, one scans again.
            if connection.vendor == "postgresql":
                raise
            return call(till)

    return call


def ranks(offer):
    return sorted(OfferUse.objects.filter(offer=offer).values_list("rank", flat=True))


def count_then_insert(offer, member, gate, *, in_transaction):
    """What counting looks like without rank and lock: look, think, write. Ranks of which
    no two are alike keep the unique constraint out of it."""
    numbers = count(1)

    def look():
        used = OfferUse.objects.filter(offer=offer, member=member).count()
        gate.wait(timeout=10)
        return used

    def call(till):
        used = None if in_transaction else look()
        with transaction.atomic():
            if (look() if used is None else used) < LIMIT:
                OfferUse.objects.create(
                    offer=offer,
                    member=member,
                    period=period_of(offer.limit_per, NOW.date()),
                    rank=next(numbers),
                    used_at=NOW,
                )

    return call


def test_counting_first_and_writing_then_gives_too_many(limited, member, race, seed):
    """The race is real. On SQLite a write transaction excludes the others from its
    first read on, so there the count stands outside it."""
    inside = connection.vendor == "postgresql"
    call = count_then_insert(limited, member, threading.Barrier(8), in_transaction=inside)
    race(call, list(range(8)))
    assert OfferUse.objects.count() > LIMIT


def test_sixteen_tills_count_exactly_what_the_limit_says(limited, member, baker, race, seed):
    answers = race(counting(limited, member, baker), list(range(TILLS)))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == LIMIT
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert {tuple(one.codes) for one in refused} == {("limit_reached",)}
    assert ranks(limited) == [1, 2, 3]


def test_the_unique_rank_alone_decides_too(limited, member, baker, race, seed, monkeypatch):
    """With the lock off the database still refuses each rank but one, and the loser counts anew."""
    monkeypatch.setattr(uses, "hold", lambda member: None)
    answers = race(counting(limited, member, baker), list(range(TILLS)))
    assert unexpected(answers) == []
    assert len(accepted(answers)) == LIMIT
    assert ranks(limited) == [1, 2, 3]


def test_without_a_limit_each_till_counts(place, member, baker, race, seed):
    offer = offer_of(place, baker)
    answers = race(counting(offer, member, baker), list(range(TILLS)))
    assert unexpected(answers) == []
    assert ranks(offer) == list(range(1, TILLS + 1))


def test_one_page_pressed_sixteen_times_counts_once(place, member, baker, race, seed):
    offer = offer_of(place, baker)
    answers = race(counting(offer, member, baker, form_key="k" * 43), list(range(TILLS)))
    use = OfferUse.objects.get()
    assert answers == [use] * TILLS


def test_a_use_is_taken_back_once(place, member, baker, race, seed):
    offer = offer_of(place, baker)
    use = use_offer(offer, member=member, by=baker, now=NOW)

    def call(_till):
        take_back_use(OfferUse.objects.get(pk=use.pk), by=baker, now=NOW)

    answers = race(call, list(range(6)))
    faults = [a for a in answers if isinstance(a, Exception) and not isinstance(a, Refused)]
    assert all(isinstance(fault, OfferUse.DoesNotExist) for fault in faults)
    assert answers.count(None) == 1
    assert not OfferUse.objects.exists()
