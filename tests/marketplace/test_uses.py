"""A card at a till: when it counts, how often, what it saves, and how it is taken back."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from club.kernel.refusal import Refused
from club.models import Dwelling, LogEntry, Member, Residence, User
from marketplace.domain.people import leave
from marketplace.domain.uses import TIME_TO_UNDO, period_of, take_back_use, use_offer
from marketplace.enums import LimitPer, OfferKind, PartnerStatus
from marketplace.models import Convention, Offer, OfferStock, OfferUse, PartnerPerson
from tests.factories.club import NOW, PARIS, LandlordFactory, MemberFactory, RightFactory
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def baker(place: Any) -> PartnerPerson:
    return PersonFactory(partner=PartnerFactory(landlord=place.landlord))


@pytest.fixture
def offer(baker: PartnerPerson) -> Offer:
    return OfferFactory(partner=baker.partner)


@pytest.fixture
def till(baker: PartnerPerson, member: Member) -> User:
    return baker.user


def limited(baker: PartnerPerson, per: str, most: int = 1) -> Offer:
    return OfferFactory(partner=baker.partner, limit_count=most, limit_per=per)


def codes_of(refused: Any) -> list[str]:
    return refused.value.codes


# -- What it saves -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "amount", "saving"),
    [
        ({"percent": 10}, 20_00, 2_00),
        ({"percent": 10}, 5, 1),
        ({"percent": 10}, 4, 0),
        ({"percent": 15}, 1_10, 17),
        ({"percent": 90}, 10_000_00, 9_000_00),
        ({"percent": 10}, None, 0),
        ({"kind": OfferKind.AMOUNT, "amount_cents": 3_00}, 20_00, 3_00),
        ({"kind": OfferKind.AMOUNT, "amount_cents": 3_00}, 2_50, 2_50),
        ({"kind": OfferKind.AMOUNT, "amount_cents": 3_00}, None, 3_00),
        (
            {"kind": OfferKind.PRICE, "price_cents": 1_10, "usual_price_cents": 1_80},
            20_00, 70,
        ),
        ({"kind": OfferKind.PRICE, "price_cents": 1_10, "usual_price_cents": 1_80}, None, 70),
        ({"kind": OfferKind.GIFT, "gift": "Un café"}, 20_00, 0),
    ],
)  # fmt: skip
def test_what_one_use_saves(
    baker: PartnerPerson, member: Member, terms: dict[str, Any], amount: int | None, saving: int
) -> None:
    offer = OfferFactory(partner=baker.partner, **({"percent": None} | terms))
    use = use_offer(offer, member=member, amount_cents=amount, by=baker.user, now=NOW)
    assert (use.amount_cents, use.saving_cents, use.rank) == (amount, saving, 1)
    assert OfferUse.objects.get() == use


@pytest.mark.parametrize("amount", [0, -1, 10_000_01, 2**40])
def test_an_amount_that_cannot_be(offer: Offer, member: Member, till: User, amount: int) -> None:
    with pytest.raises(Refused) as refused:
        use_offer(offer, member=member, amount_cents=amount, by=till, now=NOW)
    assert codes_of(refused) == ["amount_wrong"]


def test_it_keeps_where_the_member_lives_and_is_logged(
    offer: Offer, member: Member, till: User
) -> None:
    residence = Residence.objects.create(landlord=offer.partner.landlord, code="A", name="Aulnes")
    member.household.dwelling = Dwelling.objects.create(residence=residence, code="1")
    member.household.save()
    use = use_offer(offer, member=member, by=till, now=NOW)
    assert (use.residence, use.by, use.used_at) == (residence, till, NOW)
    line = LogEntry.objects.get(subject_kind="offeruse", subject_id=use.pk)
    assert (line.verb, line.actor, line.facts) == ("use_offer", till, {})


# -- Who and when ------------------------------------------------------------------------------


def test_a_card_without_a_right_gives_nothing(offer: Offer, place: Any, till: User) -> None:
    bare = MemberFactory(place=place)
    strange = LandlordFactory(slug="autre", name="Autre")
    other = MemberFactory(place__landlord=strange)
    RightFactory(household=other.household)
    for member in (bare, other):
        with pytest.raises(Refused) as refused:
            use_offer(offer, member=member, by=till, now=NOW)
        assert codes_of(refused) == ["card_not_good"]
    assert not OfferUse.objects.exists()


def test_a_closed_account_gives_nothing(offer: Offer, member: Member, till: User) -> None:
    member.user.is_active = False
    with pytest.raises(Refused) as refused:
        use_offer(offer, member=member, by=till, now=NOW)
    assert codes_of(refused) == ["card_not_good"]


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"live": False}, "offer_not_today"),
        ({"starts_on": date(2027, 3, 10)}, "offer_not_today"),
        ({"ends_on": date(2027, 3, 8)}, "offer_not_today"),
        ({"withdrawn_on": date(2027, 3, 9)}, "offer_not_today"),
        ({"ends_on": date(2027, 3, 9)}, ""),
        ({"starts_on": date(2027, 3, 9)}, ""),
    ],
)
def test_an_offer_counts_on_its_days(
    baker: PartnerPerson, member: Member, terms: dict[str, Any], code: str
) -> None:
    offer = OfferFactory(partner=baker.partner, **terms)
    if not code:
        assert use_offer(offer, member=member, by=baker.user, now=NOW).pk
        return
    with pytest.raises(Refused) as refused:
        use_offer(offer, member=member, by=baker.user, now=NOW)
    assert codes_of(refused) == [code]


def test_until_midnight_and_not_a_minute_after(baker: PartnerPerson, member: Member) -> None:
    """A scan at 00:01 in France, when it is still the day before in Greenwich."""
    offer = OfferFactory(partner=baker.partner, ends_on=date(2027, 3, 9))
    late = datetime(2027, 3, 9, 23, 59, tzinfo=PARIS)
    use_offer(offer, member=member, by=baker.user, now=late)
    with pytest.raises(Refused) as refused:
        use_offer(offer, member=member, by=baker.user, now=late + timedelta(minutes=2))
    assert codes_of(refused) == ["offer_not_today"]


def test_sold_out_is_of_one_day(offer: Offer, member: Member, till: User) -> None:
    OfferStock.objects.create(offer=offer, day=NOW.date(), sold_out=True)
    with pytest.raises(Refused) as refused:
        use_offer(offer, member=member, by=till, now=NOW)
    assert codes_of(refused) == ["sold_out"]
    OfferStock.objects.update(sold_out=False, left=0)
    with pytest.raises(Refused) as refused:
        use_offer(offer, member=member, by=till, now=NOW)
    assert codes_of(refused) == ["sold_out"]
    assert use_offer(offer, member=member, by=till, now=NOW + timedelta(days=1)).rank == 1


def test_a_partner_that_is_not_shown_counts_nothing(
    offer: Offer, member: Member, till: User
) -> None:
    offer.partner.status = PartnerStatus.PAUSED
    offer.partner.save()
    with pytest.raises(Refused):
        use_offer(offer, member=member, by=till, now=NOW)
    offer.partner.status = PartnerStatus.LIVE
    offer.partner.save()
    Convention.objects.update(ends_on=date(2027, 3, 8))
    with pytest.raises(Refused):
        use_offer(offer, member=member, by=till, now=NOW)


# -- How often ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("per", "on", "period"),
    [
        (LimitPer.DAY, date(2026, 11, 22), "2026-11-22"),
        (LimitPer.WEEK, date(2026, 11, 22), "2026-W47"),
        (LimitPer.WEEK, date(2027, 1, 3), "2026-W53"),
        (LimitPer.WEEK, date(2024, 12, 30), "2025-W01"),
        (LimitPer.MONTH, date(2026, 11, 22), "2026-11"),
        (LimitPer.YEAR, date(2026, 11, 22), "2026"),
        (LimitPer.EVER, date(2026, 11, 22), "ever"),
        ("", date(2026, 11, 22), "2026-11-22"),
    ],
)
def test_the_name_of_a_period(per: str, on: date, period: str) -> None:
    assert period_of(per, on) == period


@pytest.mark.parametrize(
    ("per", "again", "says"),
    [
        (LimitPer.DAY, datetime(2027, 3, 10, 0, 1, tzinfo=PARIS), "Déjà utilisé aujourd’hui."),
        (LimitPer.WEEK, datetime(2027, 3, 15, 0, 1, tzinfo=PARIS), "Déjà utilisé cette semaine."),
        (LimitPer.MONTH, datetime(2027, 4, 1, 0, 1, tzinfo=PARIS), "Déjà utilisé ce mois-ci."),
        (LimitPer.YEAR, None, "Déjà utilisé cette année."),
        (LimitPer.EVER, None, "Cet avantage a déjà servi pour cette carte."),
    ],
)
def test_no_more_than_the_limit_until_the_period_is_over(
    baker: PartnerPerson, member: Member, per: str, again: datetime | None, says: str
) -> None:
    offer = limited(baker, per, most=2)
    for rank in (1, 2):
        assert use_offer(offer, member=member, by=baker.user, now=NOW).rank == rank
    with pytest.raises(Refused) as refused:
        use_offer(offer, member=member, by=baker.user, now=NOW)
    assert codes_of(refused) == ["limit_reached"]
    assert str(refused.value) == says
    if again is not None:
        with pytest.raises(Refused):
            use_offer(offer, member=member, by=baker.user, now=again - timedelta(minutes=2))
        assert use_offer(offer, member=member, by=baker.user, now=again).rank == 1


def test_each_member_has_a_count_of_their_own(
    baker: PartnerPerson, member: Member, other_member: Member
) -> None:
    offer = limited(baker, LimitPer.EVER)
    for one in (member, other_member):
        assert use_offer(offer, member=one, by=baker.user, now=NOW).rank == 1


def test_without_a_limit_it_is_counted_each_time(offer: Offer, member: Member, till: User) -> None:
    ranks = [use_offer(offer, member=member, by=till, now=NOW).rank for _ in range(3)]
    assert ranks == [1, 2, 3]


def test_pressed_twice_is_counted_once(offer: Offer, member: Member, till: User) -> None:
    def press(key: str) -> OfferUse:
        return use_offer(offer, member=member, by=till, now=NOW, form_key=key)

    first = press("a" * 43)
    assert press("a" * 43) == first
    assert press("b" * 43) != first
    assert OfferUse.objects.count() == 2
    take_back_use(first, by=till, now=NOW)
    assert press("a" * 43).rank == 1


def test_the_second_press_at_the_limit_is_answered_with_the_first(
    baker: PartnerPerson, member: Member
) -> None:
    offer = limited(baker, LimitPer.MONTH)
    made = [
        use_offer(offer, member=member, by=baker.user, now=NOW, form_key="k" * 43) for _ in (1, 2)
    ]
    assert made[0] == made[1]


# -- Taken back --------------------------------------------------------------------------------


def test_taken_back_it_leaves_its_rank_free(baker: PartnerPerson, member: Member) -> None:
    offer = limited(baker, LimitPer.MONTH, most=2)
    first, second = (use_offer(offer, member=member, by=baker.user, now=NOW) for _ in range(2))
    take_back_use(first, by=baker.user, now=NOW + TIME_TO_UNDO)
    assert list(OfferUse.objects.all()) == [second]
    assert use_offer(offer, member=member, by=baker.user, now=NOW).rank == 1
    with pytest.raises(Refused):
        use_offer(offer, member=member, by=baker.user, now=NOW)
    assert LogEntry.objects.filter(verb="take_back_use", actor=baker.user).count() == 1


def test_taken_back_in_time_once_and_by_the_firm_alone(
    offer: Offer, member: Member, baker: PartnerPerson
) -> None:
    use = use_offer(offer, member=member, by=baker.user, now=NOW)
    stranger = PersonFactory(partner=PartnerFactory(landlord=offer.partner.landlord))
    late = NOW + TIME_TO_UNDO + timedelta(seconds=1)
    for who, when, code in [
        (stranger.user, NOW, "other_firm"),
        (member.user, NOW, "other_firm"),
        (baker.user, late, "too_late"),
    ]:
        with pytest.raises(Refused) as refused:
            take_back_use(use, by=who, now=when)
        assert codes_of(refused) == [code]
    again = OfferUse.objects.get()
    take_back_use(use, by=baker.user, now=NOW)
    with pytest.raises(Refused) as refused:
        take_back_use(again, by=baker.user, now=NOW)
    assert codes_of(refused) == ["taken_back"]


def test_who_has_left_the_shop_takes_nothing_back(
    offer: Offer, member: Member, baker: PartnerPerson
) -> None:
    use = use_offer(offer, member=member, by=baker.user, now=NOW)
    leave(baker, by=None, now=NOW)
    with pytest.raises(Refused) as refused:
        take_back_use(use, by=baker.user, now=NOW)
    assert codes_of(refused) == ["other_firm"]
