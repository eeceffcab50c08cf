"""An offer's terms: what may be proposed, what is shown on which day, what may be taken away."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from club.enums import Role
from club.kernel.refusal import Refused
from club.models import LogEntry, Place
from marketplace.domain import offers
from marketplace.enums import OfferKind, PartnerKind, PartnerStatus
from marketplace.models import Offer, OfferStock, PartnerPerson
from marketplace.queries.offers import (
    active_state,
    asked_now,
    first_of,
    offers_shown,
    standings,
    terms_of,
    with_stock,
)
from tests.factories.club import LandlordFactory, UserFactory
from tests.factories.cms import staff
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory

pytestmark = pytest.mark.django_db


def terms(**more: Any) -> dict[str, Any]:
    return {
        "title": "Pain de campagne",
        "kind": OfferKind.PERCENT,
        "percent": 10,
        "amount_cents": None,
        "price_cents": None,
        "usual_price_cents": None,
        "gift": "",
        "conditions": "Sauf le dimanche.",
        "starts_on": date(2027, 3, 9),
        "ends_on": None,
        "limit_count": None,
        "limit_per": "",
        "picture_id": None,
    } | more


@pytest.fixture
def baker(place: Place) -> PartnerPerson:
    return PersonFactory(partner__landlord=place.landlord, partner__name="Le Fournil")


def proposed(baker: PartnerPerson, now: datetime, offer: Offer | None = None, **more: Any) -> Offer:
    return offers.propose(offer, baker.partner, terms(**more), by=baker.user, now=now)


# -- Proposing -------------------------------------------------------------------------------


def test_a_new_offer_waits_and_nobody_sees_it(baker: PartnerPerson, now: datetime) -> None:
    offer = proposed(baker, now)
    stored = Offer.objects.get()
    assert (stored.live, stored.first_published_at) == (False, None)
    assert terms_of(stored) == terms()
    assert standings([stored])[offer.pk].waits_since is not None
    assert not offers_shown(baker.partner.landlord, now.date()).exists()
    state = active_state(stored)
    assert state and state.requested_by == baker.user
    assert [row.verb for row in LogEntry.objects.filter(subject_kind="offer")] == ["propose"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"kind": "credit"}, "kind"),
        ({"percent": None}, "percent"),
        ({"percent": 0}, "percent"),
        ({"percent": 91}, "percent"),
        ({"kind": OfferKind.AMOUNT}, "amount_cents"),
        ({"kind": OfferKind.GIFT, "gift": ""}, "gift"),
        ({"kind": OfferKind.PRICE, "price_cents": 90}, "usual_price_cents"),
        ({"kind": OfferKind.PRICE, "price_cents": 110, "usual_price_cents": 110}, "price_cents"),
        ({"ends_on": date(2027, 3, 8)}, "ends_on"),
        ({"starts_on": date(2027, 1, 1), "ends_on": date(2027, 3, 8)}, "ends_on"),
        ({"starts_on": None}, "starts_on"),
        ({"limit_count": 1}, "limit_per"),
        ({"limit_per": "week"}, "limit_count"),
        ({"limit_count": 0, "limit_per": "week"}, "limit_count"),
        ({"conditions": "x" * 201}, "conditions"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    baker: PartnerPerson, now: datetime, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as caught:
        proposed(baker, now, **wrong)
    assert field in {reason.field for reason in caught.value.reasons}
    assert not Offer.objects.exists()


def test_what_another_kind_would_give_is_left_out(baker: PartnerPerson, now: datetime) -> None:
    offer = proposed(baker, now, kind=OfferKind.GIFT, gift="Un croissant", amount_cents=100)
    stored = Offer.objects.get(pk=offer.pk)
    assert (stored.gift, stored.percent, stored.amount_cents) == ("Un croissant", None, None)


def test_an_insurer_s_man_gives_nothing_away(place: Place, now: datetime) -> None:
    broker = PersonFactory(
        partner__landlord=place.landlord, partner__kind=PartnerKind.INTERMEDIARY, partner__shop=""
    )
    with pytest.raises(Refused) as caught:
        proposed(broker, now)
    assert caught.value.codes == ["not_for_insurance"]


def test_pressed_twice_it_is_asked_once(baker: PartnerPerson, now: datetime) -> None:
    first, second = proposed(baker, now), proposed(baker, now)
    assert first.pk == second.pk
    proposed(baker, now, first)
    assert Offer.objects.get().revisions.count() == 1


def test_the_live_terms_are_no_proposal(baker: PartnerPerson, now: datetime) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    with pytest.raises(Refused) as caught:
        proposed(baker, now, offer)
    assert caught.value.codes == ["no_change"]
    assert not offer.revisions.exists()


def test_a_change_waits_while_the_older_terms_are_shown(
    baker: PartnerPerson, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms())
    proposed(baker, now, offer, percent=15)
    assert offers_shown(baker.partner.landlord, now.date()).get().percent == 10
    found = standings([Offer.objects.get()])[offer.pk]
    assert (found.is_shown, found.newest["percent"]) == (True, 15)


def test_the_newest_words_take_the_place_of_those_that_wait(
    baker: PartnerPerson, now: datetime
) -> None:
    offer = proposed(baker, now)
    proposed(baker, now, offer, percent=15)
    proposed(baker, now, offer, percent=20)
    stored = Offer.objects.get()
    waiting = asked_now(stored)
    assert waiting and waiting.content["percent"] == 20
    assert stored.percent == 20
    states = stored.workflow_states.order_by("pk")
    assert [state.status for state in states] == ["cancelled", "cancelled", "in_progress"]


def test_taken_back_nothing_waits_and_it_can_be_sent_again(
    baker: PartnerPerson, now: datetime
) -> None:
    offer = proposed(baker, now)
    offers.take_back(offer, by=baker.user, now=now)
    stored = Offer.objects.get()
    assert standings([stored])[offer.pk].is_draft
    with pytest.raises(Refused) as caught:
        offers.take_back(offer, by=baker.user, now=now)
    assert caught.value.codes == ["not_waiting"]
    proposed(baker, now, stored)
    assert asked_now(stored) is not None


# -- Shown -----------------------------------------------------------------------------------


def test_the_last_day_counts_to_its_end(place: Place) -> None:
    offer = OfferFactory(
        partner__landlord=place.landlord, starts_on=date(2027, 3, 9), ends_on=date(2027, 3, 22)
    )
    shown = {
        day: offers_shown(place.landlord, date(2027, 3, day)).filter(pk=offer.pk).exists()
        for day in (8, 9, 22, 23)
    }
    assert shown == {8: False, 9: True, 22: True, 23: False}


def test_what_is_not_agreed_withdrawn_or_of_a_hidden_shop_is_not_shown(
    place: Place, now: datetime
) -> None:
    today = now.date()
    seen = OfferFactory(partner__landlord=place.landlord)
    OfferFactory(partner=seen.partner, live=False)
    OfferFactory(partner=seen.partner, withdrawn_on=today)
    OfferFactory(partner__landlord=place.landlord, partner__status=PartnerStatus.PAUSED)
    OfferFactory(partner__landlord=place.landlord, partner__convention=False)
    OfferFactory(partner__landlord=LandlordFactory(slug="autre", name="Autre"))
    assert list(offers_shown(place.landlord, today)) == [seen]
    assert first_of([seen.partner], today) == {seen.partner_id: seen}
    assert first_of([], today) == {}


def test_the_stock_is_that_of_the_day(place: Place, now: datetime) -> None:
    today = now.date()
    offer = OfferFactory(partner__landlord=place.landlord)
    OfferStock.objects.create(offer=offer, day=today - timedelta(days=1), sold_out=True, left=0)
    one = with_stock(offers_shown(place.landlord, today), today).get()
    assert (one.is_sold_out, one.left) == (False, None)
    OfferStock.objects.create(offer=offer, day=today, sold_out=True, left=3)
    one = with_stock(offers_shown(place.landlord, today), today).get()
    assert (one.is_sold_out, one.left) == (True, 3)
    OfferStock.objects.filter(day=today).update(sold_out=False, left=0)
    one = with_stock(offers_shown(place.landlord, today), today).get()
    assert (one.is_sold_out, one.is_marked, one.left) == (True, False, 0)


# -- Taking away -----------------------------------------------------------------------------


def test_withdrawn_it_is_gone_at_once_and_its_partner_brings_it_back(
    baker: PartnerPerson, now: datetime
) -> None:
    offer = OfferFactory(partner=baker.partner)
    proposed(baker, now, offer, percent=20)
    offers.withdraw(offer, by=baker.user, now=now)
    assert not offers_shown(baker.partner.landlord, now.date()).exists()
    assert active_state(offer) is None
    with pytest.raises(Refused):
        offers.withdraw(offer, by=baker.user, now=now)
    offers.bring_back(offer, by=baker.user, now=now)
    assert offers_shown(baker.partner.landlord, now.date()).get().percent == 10
    with pytest.raises(Refused):
        offers.bring_back(offer, by=baker.user, now=now)


def test_what_the_landlord_took_away_the_landlord_returns(
    place: Place, baker: PartnerPerson, now: datetime
) -> None:
    officer = staff(place, Role.OFFICER)
    offer = OfferFactory(partner=baker.partner)
    offers.withdraw(offer, by=officer, now=now)
    assert standings([offer])[offer.pk].by_team
    with pytest.raises(Refused) as caught:
        offers.bring_back(offer, by=baker.user, now=now)
    assert caught.value.codes == ["withdrawn_by_team"]
    offers.bring_back(offer, by=officer, now=now)
    offers.withdraw(offer, by=baker.user, now=now)
    assert not standings([offer])[offer.pk].by_team
    offers.bring_back(offer, by=baker.user, now=now)


def test_what_was_never_agreed_is_not_withdrawn(baker: PartnerPerson, now: datetime) -> None:
    offer = proposed(baker, now)
    with pytest.raises(Refused) as caught:
        offers.withdraw(offer, by=baker.user, now=now)
    assert caught.value.codes == ["not_shown"]


def test_many_offers_stand_in_as_few_statements_as_one(
    baker: PartnerPerson, now: datetime, django_assert_num_queries: Any
) -> None:
    made = [proposed(baker, now, title=f"Pain {n}") for n in range(3)]
    gone = [OfferFactory(partner=baker.partner) for _n in range(2)]
    for offer in gone:
        offers.withdraw(offer, by=UserFactory(), now=now)
    for rows in ([made[0], gone[0]], [*made, *gone]):
        with django_assert_num_queries(2):
            assert len(standings(rows)) == len(rows)


def test_a_partner_s_own_offers_alone(place: Place, now: datetime) -> None:
    one, other = (PersonFactory(partner=PartnerFactory(landlord=place.landlord)) for _n in "ab")
    first, second = proposed(one, now), proposed(other, now)
    assert first.pk != second.pk


def test_a_partner_proposes_so_many_times_a_day(baker: PartnerPerson, now: datetime) -> None:
    offer = proposed(baker, now)
    for number in range(2, 21):
        proposed(baker, now, offer, conditions=f"Sauf le {number}.")
    with pytest.raises(Refused) as refused:
        proposed(baker, now, offer, conditions="Sauf le 21.")
    assert refused.value.codes == ["too_many"]
    proposed(baker, now + timedelta(days=1), offer, conditions="Sauf le 21.")


# -- How far ahead ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"ends_on": date(9999, 12, 31)}, ["ends_on"]),
        ({"ends_on": date(2032, 3, 10)}, ["ends_on"]),
        ({"ends_on": date(2032, 3, 9)}, []),
        ({"starts_on": date(2032, 3, 10)}, ["starts_on"]),
    ],
)
def test_no_day_lies_more_than_five_years_ahead(
    baker: PartnerPerson, now: datetime, changes: dict[str, Any], fields: list[str]
) -> None:
    if not fields:
        assert proposed(baker, now, **changes).ends_on == changes["ends_on"]
        return
    with pytest.raises(Refused) as refused:
        proposed(baker, now, **changes)
    assert [(one.code, one.field) for one in refused.value.reasons] == [("too_far", fields[0])]
    assert not Offer.objects.exists()
