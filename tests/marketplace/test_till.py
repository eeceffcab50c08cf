"""At a shop's till: a card is good or not and nothing else, then a use is counted."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from club.domain import cards
from club.guesses import MISSES
from club.kernel import codes
from club.models import Card, LogEntry, Member
from marketplace.domain.people import leave
from marketplace.domain.use_counts import fold_old_uses
from marketplace.enums import LimitPer, OfferKind
from marketplace.models import Offer, OfferUse, PartnerPerson
from marketplace.views.pro.till import signed
from tests.costs import session
from tests.factories.club import (
    NOW,
    PARIS,
    CardFactory,
    LandlordFactory,
    MemberFactory,
    PlaceFactory,
    RightFactory,
)
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory, UseFactory

TILL = "/espace-partenaire/caisse/"
COUNT = TILL + "compter/"
UNDO = TILL + "annuler/"
FIGURES = "/espace-partenaire/chiffres/"
NOT_VALID = "Pas valable"


@pytest.fixture(autouse=True)
def clock(now: datetime, time_machine: Any) -> None:
    time_machine.move_to(now, tick=False)


@pytest.fixture
def card(member: Member) -> Card:
    return CardFactory(member=member)


@pytest.fixture
def baker(place: Any) -> PartnerPerson:
    return PersonFactory(partner=PartnerFactory(landlord=place.landlord, name="Fournil"))


@pytest.fixture
def offer(baker: PartnerPerson) -> Offer:
    return OfferFactory(partner=baker.partner, limit_count=1, limit_per=LimitPer.MONTH)


@pytest.fixture
def shop(client: Client, baker: PartnerPerson) -> Client:
    client.force_login(baker.user)
    return client


def words(answer: Any) -> str:
    """The page's own words, without what differs each time."""
    main = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return "".join(part for part in main.splitlines() if "csrfmiddlewaretoken" not in part)


def unused_number() -> str:
    taken = set(Card.objects.values_list("number", flat=True))
    return codes.unused(codes.card_number, taken.__contains__)


def use_form(card: Card, offer: Offer, **more: Any) -> dict[str, Any]:
    form = {"carte": card.number, "key": "k" * 43, "offre": offer.public_id, "montant": ""}
    return form | more


# -- Good or not -------------------------------------------------------------------------------


def test_it_says_good_first_name_and_last_day_and_nothing_else(
    shop: Client, member: Member, card: Card, offer: Offer
) -> None:
    address = f"https://club.example/c/{card.token}"
    for answer in (
        shop.post(TILL, {"carte": card.number}),
        shop.post(TILL, {"carte": f"M {card.number[:3]} {card.number[3:]}"}),
        shop.post(TILL, {"carte": address}),
        shop.get(TILL, {"carte": card.token}),
    ):
        text = words(answer)
        assert answer.status_code == 200
        assert "Valable" in text and NOT_VALID not in text
        assert "Samira" in text and "jusqu’au vendredi 31\u00a0décembre" in text
        assert "Tout le magasin" in text and "10\u00a0% de remise" in text
        for secret in ("Benali", member.user.email, str(card)):
            assert secret not in text
        assert "no-store" in answer["Cache-Control"]
    assert not OfferUse.objects.exists()


def test_what_is_not_good_looks_always_the_same(
    shop: Client, place: Any, card: Card, offer: Offer, now: datetime
) -> None:
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    theirs = CardFactory(member=MemberFactory(place=elsewhere))
    RightFactory(household=theirs.member.household)
    never = CardFactory(member=MemberFactory(place=place))
    closed = CardFactory(member=MemberFactory(place=place, user__is_active=False))
    RightFactory(household=closed.member.household)
    cards.revoke_card(card, by=None, now=now)
    unknown = unused_number()
    for read in ("number", "token"):
        given = [getattr(one, read) for one in (theirs, never, closed, card)]
        given.append(unknown if read == "number" else codes.token())
        answers = [shop.post(TILL, {"carte": one}) for one in given]
        assert {(a.status_code, words(a)) for a in answers} == {(200, words(answers[0]))}
        assert NOT_VALID in words(answers[0]) and "Samira" not in words(answers[0])
        used = shop.post(COUNT, use_form(theirs, offer, carte=given[0]))
        assert (used.status_code, words(used)) == (200, words(answers[0]))
        cache.clear()
    assert not OfferUse.objects.exists()


@pytest.mark.parametrize("typed", ["", "12", "123456", "R1234567897", "\x00", "9" * 300, "http://"])
def test_digits_that_cannot_be_are_told_at_the_field(shop: Client, card: Card, typed: str) -> None:
    answer = shop.post(TILL, {"carte": typed})
    assert answer.status_code == 422
    assert "Il y a un problème" in words(answer)
    assert shop.get(TILL, {"carte": typed}).status_code == 422
    assert shop.post(COUNT, {"carte": typed}).status_code == 302


def test_wrong_digits_shut_the_till_and_the_qr_goes_on(
    shop: Client, card: Card, offer: Offer
) -> None:
    for number in range(MISSES):
        path, form = [(TILL, {}), (COUNT, use_form(card, offer))][number % 2]
        assert shop.post(path, form | {"carte": unused_number()}).status_code == 200
    assert shop.post(TILL, {"carte": card.number}).status_code == 429
    assert shop.post(COUNT, use_form(card, offer)).status_code == 429
    assert shop.post("/c/", {"number": card.number}).status_code == 429
    assert shop.get(TILL, {"carte": card.token}).status_code == 200
    assert shop.post(COUNT, use_form(card, offer, carte=card.token)).status_code == 302


def test_one_partner_with_many_addresses_is_one_partner(shop: Client, card: Card) -> None:
    for n in range(MISSES):
        shop.post(TILL, {"carte": unused_number()}, REMOTE_ADDR=f"192.0.2.{n + 1}")
    answer = shop.post(TILL, {"carte": card.number}, REMOTE_ADDR="198.51.100.7")
    assert answer.status_code == 429
    other = Client()
    other.force_login(PersonFactory(partner__landlord=card.member.place.landlord).user)
    again = other.post(TILL, {"carte": card.number}, REMOTE_ADDR="198.51.100.7")
    assert (again.status_code, "Samira" in words(again)) == (200, True)


# -- Counted -----------------------------------------------------------------------------------


def test_a_use_is_counted_told_and_undone(
    shop: Client, member: Member, card: Card, offer: Offer, baker: PartnerPerson, time_machine: Any
) -> None:
    done = shop.post(COUNT, use_form(card, offer, montant="20"))
    assert (done.status_code, done["Location"].partition("=")[0]) == (302, TILL + "?compte")
    use = OfferUse.objects.get()
    assert (use.offer, use.member, use.by) == (offer, member, baker.user)
    assert (use.amount_cents, use.saving_cents, use.period) == (20_00, 2_00, "2027-03")
    text = words(shop.get(done["Location"]))
    assert "C’est compté\u00a0: 2\u00a0€ d’économie." in text
    assert "Samira" not in text
    time_machine.move_to(NOW + timedelta(minutes=11), tick=False)
    assert "C’est compté" not in words(shop.get(done["Location"]))
    time_machine.move_to(NOW + timedelta(minutes=9), tick=False)
    signed = done["Location"].partition("=")[2].replace("%3A", ":")
    undone = shop.post(UNDO, {"compte": signed}, follow=True)
    assert "C’est annulé. Rien n’est compté." in words(undone)
    again = shop.post(UNDO, {"compte": signed}, follow=True)
    assert "C’est déjà annulé." in words(again)
    assert not OfferUse.objects.exists()


def test_pressed_twice_is_counted_once(shop: Client, card: Card, offer: Offer) -> None:
    first, second = (shop.post(COUNT, use_form(card, offer)) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert OfferUse.objects.count() == 1


def test_over_the_limit_says_so_and_keeps_what_was_typed(
    shop: Client, card: Card, offer: Offer
) -> None:
    shop.post(COUNT, use_form(card, offer, key="a" * 43))
    answer = shop.post(COUNT, use_form(card, offer, montant="12,50"))
    assert answer.status_code == 422
    assert "Déjà utilisé ce mois-ci." in words(answer)
    assert 'value="12,50"' in words(answer) and "Samira" in words(answer)


@pytest.mark.parametrize("montant", ["beaucoup", "0", "20000", "-3"])
def test_an_amount_that_cannot_be(shop: Client, card: Card, offer: Offer, montant: str) -> None:
    answer = shop.post(COUNT, use_form(card, offer, montant=montant))
    assert (answer.status_code, f'value="{montant}"' in words(answer)) == (422, True)
    assert not OfferUse.objects.exists()


def test_without_an_offer_nothing_is_counted(shop: Client, card: Card, offer: Offer) -> None:
    answer = shop.post(COUNT, use_form(card, offer, offre=""))
    assert answer.status_code == 422
    assert "Choisissez l’avantage." in words(answer)


def test_another_firms_offer_is_not_there(shop: Client, card: Card, baker: PartnerPerson) -> None:
    theirs = OfferFactory(partner=PartnerFactory(landlord=baker.partner.landlord))
    assert shop.post(COUNT, use_form(card, theirs)).status_code == 404
    use = UseFactory(offer=theirs, member=card.member)
    assert "C’est compté" not in words(shop.get(TILL, {"compte": signed(use)}))
    shop.post(UNDO, {"compte": signed(use)})
    shop.post(UNDO, {"compte": str(use.pk)})
    assert OfferUse.objects.get() == use


def test_a_gift_and_a_use_without_an_amount(shop: Client, card: Card, baker: PartnerPerson) -> None:
    gift = OfferFactory(partner=baker.partner, kind=OfferKind.GIFT, percent=None, gift="Un café")
    done = shop.post(COUNT, use_form(card, gift), follow=True)
    assert "C’est compté." in words(done)


# -- Who ---------------------------------------------------------------------------------------


def test_only_for_who_acts_for_a_partner_today(
    client: Client, member: Member, card: Card, offer: Offer, baker: PartnerPerson
) -> None:
    paths = [("get", TILL), ("post", COUNT), ("post", UNDO), ("get", FIGURES)]
    form = use_form(card, offer)
    for method, path in paths:
        assert getattr(client, method)(path, form)["Location"].startswith("/compte/")
    client.force_login(member.user)
    for method, path in paths:
        assert getattr(client, method)(path, form).status_code == 403
    leave(baker, by=None, now=NOW)
    client.force_login(baker.user)
    for method, path in paths:
        assert getattr(client, method)(path, form).status_code == 403
    assert not OfferUse.objects.exists()
    assert LogEntry.objects.filter(subject_kind="offeruse").count() == 0


def test_the_public_page_of_a_card_leads_here(shop: Client, card: Card, offer: Offer) -> None:
    page = shop.get(f"/c/{card.token}")
    assert f"{TILL}?carte={card.token}" in page.content.decode()


# -- Figures -----------------------------------------------------------------------------------


def test_figures_are_numbers_and_a_few_people_are_no_number(
    shop: Client, place: Any, baker: PartnerPerson
) -> None:
    bread = OfferFactory(partner=baker.partner, title="Pain")
    cake = OfferFactory(partner=baker.partner, title="Gâteau")
    people = [MemberFactory(place=place, user__last_name="Nomdefamille") for _ in range(6)]
    for number in range(12):
        UseFactory(offer=bread, member=people[number % 6])
    UseFactory(offer=cake, member=people[0])
    february = datetime(2027, 2, 3, 9, tzinfo=PARIS)
    UseFactory(offer=bread, member=people[0], used_at=february)
    UseFactory(offer=bread, member=people[1], used_at=datetime(2025, 6, 3, 9, tzinfo=PARIS))
    UseFactory(member=people[2])
    fold_old_uses(NOW)
    text = words(shop.get(FIGURES))
    assert "13 passages" in text and "personnes différentes\u00a0: 6" in text
    assert "Pain\u00a0: 12" in text and "Gâteau\u00a0: 1" in text
    assert "Février 2027" in text and "moins de 5" in text
    assert "Juin 2025" in text and "plus compté" in text
    assert "Samira" not in text and "Nomdefamille" not in text


def test_figures_before_anybody_came(shop: Client) -> None:
    assert "Personne n’est encore passé ce mois-ci" in words(shop.get(FIGURES))


@pytest.mark.parametrize("rows", [1, 30])
def test_statements_are_the_same_for_one_and_many(
    shop: Client, place: Any, baker: PartnerPerson, card: Card, rows: int,
    django_assert_num_queries: Any,
) -> None:  # fmt: skip
    for number in range(rows):
        offer = OfferFactory(partner=baker.partner, title=f"Offre {number}")
        month = date(2026, 3, 1) + timedelta(days=29 * (number % 12))
        UseFactory(
            offer=offer,
            member=card.member,
            used_at=datetime(month.year, month.month, 9, tzinfo=PARIS),
        )
    shop.get(reverse("pro:figures"))
    with django_assert_num_queries(7 + session()):
        assert shop.get(reverse("pro:figures")).status_code == 200
    with django_assert_num_queries(11 + session()):
        assert shop.get(TILL, {"carte": card.token}).status_code == 200
