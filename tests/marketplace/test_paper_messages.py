"""A partner is told before a paper lapses, on the day, and what staff made of the next one."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel.spans import at
from club.models import Message, Place, User
from marketplace.domain import partners
from marketplace.domain.papers import warn_of_lapses
from marketplace.enums import (
    DocumentKind,
    DocumentStatus,
    PartnerKind,
    PartnerStatus,
    RefusedFor,
    Trade,
)
from marketplace.models import ComplianceRule, Convention, Partner, PartnerPerson
from tests.factories.marketplace import ArtisanFactory, PartnerFactory, PersonFactory, insured

ENDS = date(2027, 6, 30)
LAPSES = ENDS + timedelta(days=1)


@pytest.fixture
def artisan(place: Place) -> Partner:
    """A plumber and roofer, for two years with us."""
    found = ArtisanFactory(landlord=place.landlord, trades=[Trade.PLUMBING, Trade.ROOFING])
    Convention.objects.update(ends_on=date(2028, 12, 31))
    return found


@pytest.fixture
def plumber(artisan: Partner) -> PartnerPerson:
    return PersonFactory(partner=artisan, user__email="aziz@example.org")


def live_through(days: Iterable[date]) -> dict[date, list[str]]:
    """Run the morning's job and the sender day by day; what left on which day."""
    told: dict[date, list[str]] = {}
    for day in days:
        mail.outbox.clear()
        for hour in (time(7, 1), time(8, 1)):
            now = at(day, hour)
            with time_machine.travel(now, tick=False):
                if hour == time(7, 1):
                    warn_of_lapses(now)
                with MailAndSms() as transport:
                    send_due(now, transport)
        if mail.outbox:
            told[day] = [letter.subject for letter in mail.outbox]
    return told


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def test_a_year_day_by_day_tells_each_term_once(artisan: Partner, plumber: PartnerPerson) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    told = live_through(days(date(2027, 3, 1), date(2028, 3, 1)))
    soon = "Papier à renouveler avant mercredi 30\u00a0juin\u00a0: assurance décennale"
    assert told == {
        LAPSES - timedelta(days=60): [soon],
        LAPSES - timedelta(days=30): [soon],
        LAPSES - timedelta(days=7): [soon],
        LAPSES: ["Papier expiré depuis mercredi 30\u00a0juin\u00a0: assurance décennale"],
    }


def test_the_day_that_it_lapses_says_what_is_hidden(
    artisan: Partner, plumber: PartnerPerson
) -> None:
    insured(artisan, Trade.PLUMBING, ends_on=ENDS)
    insured(artisan, Trade.ROOFING, ends_on=date(2028, 6, 30))
    live_through([LAPSES - timedelta(days=7)])
    assert "vous ne serez plus montré pour\u00a0: plomberie." in mail.outbox[0].body
    live_through([LAPSES])
    assert "Votre page n’est plus montrée pour\u00a0: plomberie." in mail.outbox[0].body
    assert "couverture" not in mail.outbox[0].body
    assert "/espace-partenaire/entrer/" in mail.outbox[0].body


def test_where_nothing_is_left_the_whole_page_is_hidden(
    artisan: Partner, plumber: PartnerPerson
) -> None:
    insured(artisan, Trade.PLUMBING, ends_on=ENDS)
    live_through([LAPSES])
    assert "Votre page n’est plus montrée aux habitants." in mail.outbox[0].body


def test_nothing_after_a_renewal(artisan: Partner, plumber: PartnerPerson) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    assert len(live_through(days(date(2027, 4, 25), date(2027, 5, 10)))) == 1
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, starts_on=LAPSES, ends_on=date(2028, 6, 30))
    assert live_through(days(date(2027, 5, 11), date(2027, 8, 1))) == {}


def test_who_has_sent_the_next_one_is_told_that_it_is_read_and_no_more(
    artisan: Partner, plumber: PartnerPerson
) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    insured(
        artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=date(2028, 6, 30),
        status=DocumentStatus.RECEIVED,
    )  # fmt: skip
    told = live_through(days(date(2027, 4, 1), LAPSES))
    assert list(told) == [LAPSES]
    assert "Votre nouveau papier est arrivé" in mail.outbox[0].body


def test_a_renewal_of_one_trade_leaves_the_other_warned(
    artisan: Partner, plumber: PartnerPerson
) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    insured(artisan, Trade.ROOFING, starts_on=LAPSES, ends_on=date(2028, 6, 30))
    live_through([LAPSES - timedelta(days=30)])
    assert "pour\u00a0: plomberie." in mail.outbox[0].body


def test_a_worker_that_was_down_for_three_weeks_tells_one(
    artisan: Partner, plumber: PartnerPerson
) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    up = [*days(date(2027, 3, 1), date(2027, 4, 30)), *days(date(2027, 6, 10), date(2027, 6, 23))]
    assert list(live_through(up)) == [date(2027, 6, 10)]
    assert list(live_through(days(date(2027, 7, 15), date(2027, 8, 15)))) == [date(2027, 7, 15)]
    assert Message.objects.count() == 2


def test_a_sender_that_was_down_lets_the_later_term_speak(
    artisan: Partner, plumber: PartnerPerson
) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    for left in (60, 30):
        warn_of_lapses(at(LAPSES - timedelta(days=left), time(7, 1)))
    assert Message.objects.count() == 2
    assert len(live_through([LAPSES - timedelta(days=29)])[LAPSES - timedelta(days=29)]) == 1


def test_twice_on_a_morning_is_once(artisan: Partner, plumber: PartnerPerson) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    for _again in range(3):
        warn_of_lapses(at(LAPSES - timedelta(days=60), time(7, 1)))
    assert Message.objects.count() == 1


@pytest.mark.parametrize("status", [PartnerStatus.PAUSED, PartnerStatus.ENDED, PartnerStatus.DRAFT])
def test_who_is_not_live_is_not_warned(
    artisan: Partner, plumber: PartnerPerson, status: str
) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    Partner.objects.update(status=status)
    assert live_through(days(LAPSES - timedelta(days=60), LAPSES)) == {}


def test_a_paper_that_nobody_asks_for_is_not_warned_of(place: Place) -> None:
    baker = PersonFactory(partner=PartnerFactory(landlord=place.landlord)).partner
    insured(baker, kind=DocumentKind.HYGIENE, ends_on=ENDS)
    term = LAPSES - timedelta(days=30)
    assert live_through([term]) == {}
    ComplianceRule.objects.create(
        landlord=place.landlord, kind=PartnerKind.MERCHANT, document=DocumentKind.HYGIENE
    )
    assert list(live_through([term])) == [term]
    assert "votre page ne sera plus montrée" in mail.outbox[0].body


def test_who_comes_later_to_the_partner_is_told_the_next_term(artisan: Partner) -> None:
    insured(artisan, Trade.PLUMBING, Trade.ROOFING, ends_on=ENDS)
    assert live_through(days(LAPSES - timedelta(days=60), LAPSES - timedelta(days=50))) == {}
    PersonFactory(partner=artisan)
    found = live_through(days(LAPSES - timedelta(days=49), LAPSES - timedelta(days=28)))
    assert list(found) == [LAPSES - timedelta(days=49), LAPSES - timedelta(days=30)]


def test_partners_whose_papers_last_cost_nothing(place: Place) -> None:
    counts = []
    for number in (1, 3):
        for _one in range(number):
            insured(ArtisanFactory(landlord=place.landlord), Trade.PLUMBING)
        with CaptureQueriesContext(connection) as queries:
            warn_of_lapses(at(date(2027, 3, 9), time(7, 1)))
        counts.append(len(queries))
    assert counts == [1, 1]


# -- What staff made of it ---------------------------------------------------------------------


def sent(now: datetime) -> list[str]:
    mail.outbox.clear()
    with time_machine.travel(now, tick=False), MailAndSms() as transport:
        send_due(now, transport)
    return [letter.subject for letter in mail.outbox]


def waiting(artisan: Partner, *trades: str) -> Any:
    return insured(artisan, *trades, status=DocumentStatus.RECEIVED)


def test_an_accepted_paper_brings_the_page_back(
    artisan: Partner, plumber: PartnerPerson, concierge_user: User, now: datetime
) -> None:
    partners.accept(waiting(artisan, Trade.PLUMBING), by=concierge_user, now=now)
    assert sent(now) == []
    assert sent(now + timedelta(minutes=11)) == [
        "Papier accepté jusqu’au vendredi 31\u00a0décembre\u00a0: assurance décennale"
    ]
    assert "montrée aux habitants pour\u00a0: plomberie." in mail.outbox[0].body


def test_a_refused_paper_says_why(
    artisan: Partner, plumber: PartnerPerson, concierge_user: User, now: datetime
) -> None:
    paper = waiting(artisan, Trade.PLUMBING)
    partners.turn_away(paper, refused_for=RefusedFor.UNREADABLE, by=concierge_user, now=now)
    assert sent(now + timedelta(minutes=11)) == [
        "Papier à renvoyer, reçu mardi 9\u00a0mars\u00a0: assurance décennale"
    ]
    assert "La raison\u00a0: illisible." in mail.outbox[0].body
    assert "Votre page n’est pas montrée aux habitants." in mail.outbox[0].body


def test_what_is_put_right_at_once_is_told_as_it_became(
    artisan: Partner, plumber: PartnerPerson, concierge_user: User, now: datetime
) -> None:
    paper = waiting(artisan, Trade.PLUMBING)
    for minute in (0, 2):
        when = now + timedelta(minutes=minute)
        partners.accept(paper, by=concierge_user, now=when)
        if minute == 0:
            partners.turn_away(
                paper, refused_for=RefusedFor.DATES, by=concierge_user,
                now=when + timedelta(minutes=1),
            )  # fmt: skip
    assert len(sent(now + timedelta(minutes=15))) == 1
    assert "accepté" in mail.outbox[0].subject


def test_a_bakers_liability_insurance_names_no_trade(
    place: Place, concierge_user: User, now: datetime
) -> None:
    baker = PartnerFactory(landlord=place.landlord)
    paper = insured(baker, kind=DocumentKind.LIABILITY, status=DocumentStatus.RECEIVED)
    partners.accept(paper, by=concierge_user, now=now)
    assert paper.status == DocumentStatus.ACCEPTED
