"""What a producer reads of its orders: numbers by day and place; and closing lets nobody down
before it is seen."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from club.models import Member, Message, Place
from concierge.domain.deliveries import send_due
from concierge.domain.order_fees import balance
from concierge.models import Delivery, DeliveryRound, Order
from marketplace.models import Partner, PartnerChange, PartnerClosure, PartnerPerson
from tests.costs import session
from tests.factories.club import NOW, MemberFactory, PlaceFactory
from tests.factories.marketplace import PartnerFactory, PersonFactory
from tests.factories.orders import (
    TUESDAY,
    WEDNESDAY,
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    ProductFactory,
    after_cutoff,
)

PAGE = "/espace-partenaire/commandes/"
CLOSE = "/espace-partenaire/ma-page/fermer/"
TOMORROW = date(2027, 3, 10)


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def person(place: Place) -> PartnerPerson:
    partner = PartnerFactory(landlord=place.landlord, name="Boulangerie Delattre", delivers=True)
    return PersonFactory(partner=partner, user__first_name="Paul", user__last_name="Delattre")


@pytest.fixture
def partner(person: PartnerPerson) -> Partner:
    return Partner.objects.get(pk=person.partner_id)


@pytest.fixture
def baker(client: Client, person: PartnerPerson) -> Client:
    client.force_login(person.user)
    return client


@pytest.fixture
def round(partner: Partner, place: Place) -> DeliveryRound:
    made: DeliveryRound = DeliveryRoundFactory(
        place=place,
        producer=partner.producer,
        name="Pain frais",
        weekdays=[TUESDAY, WEDNESDAY],
        cutoff_time=time(16),
        goods=[
            (ProductFactory(producer=partner.producer, name=name, price_cents=240), None)
            for name in ("Pain de campagne", "Baguette")
        ],
    )
    return made


def ordered(round: DeliveryRound, member: Member, day: date = TOMORROW, **numbers: int) -> Order:
    delivery = Delivery.objects.filter(round=round, day=day).first() or DeliveryFactory(
        round=round, day=day
    )
    goods = {one.product.name: one.product.public_id for one in delivery.stock.all()}
    lines = {goods["Pain de campagne"]: numbers.get("bread", 1)}
    order: Order = OrderFactory(delivery=delivery, member=member, lines=lines)
    return order


def text_of(page: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", page.text.split("<main")[1].split("</main>")[0])
    return re.sub(r"\s+", " ", plain)


def test_tomorrow_by_product_and_place_and_no_name(
    baker: Client, partner: Partner, round: DeliveryRound, place: Place, member: Member
) -> None:
    elsewhere = DeliveryRoundFactory(
        place=PlaceFactory(landlord=place.landlord, name="Accueil du Parc"),
        producer=partner.producer,
        weekdays=[WEDNESDAY],
        cutoff_time=time(16),
        goods=[(one.product, None) for one in round.goods.all()],
    )
    ordered(round, member, bread=20)
    ordered(elsewhere, MemberFactory(place=elsewhere.place), bread=3)
    home = text_of(baker.get("/espace-partenaire/mon-offre/"))
    assert "Demain : 23 × Pain de campagne à livrer Jusqu’ici, liste close à 16 h" in home
    page = baker.get(PAGE)
    told = text_of(page)
    assert "23 produits à livrer" in told and "Jusqu’ici, liste close à 16 h" in told
    assert "Accueil du Parc" in told and "Conciergerie des Tilleuls" in told
    assert 'aria-current="page"' in page.text.split("partner-bar")[1]
    send_due(after_cutoff(Delivery.objects.first()))
    with time_machine.travel(NOW.replace(hour=17), tick=False):
        assert "Liste close depuis 16 h" in text_of(baker.get(PAGE))
        paper = baker.get(f"{PAGE}{TOMORROW}/")
        assert "En tout" in text_of(paper) and "20" in text_of(paper)
    for shown in (page, paper):
        assert member.last_name not in shown.text and member.user.email not in shown.text


def test_nothing_to_bring_and_no_such_day(
    baker: Client, round: DeliveryRound, member: Member
) -> None:
    assert "Rien à livrer pour l’instant" in text_of(baker.get(PAGE))
    assert "Rien à livrer pour l’instant" in text_of(baker.get("/espace-partenaire/mon-offre/"))
    for day in ("2027-03-10", "demain", "2027-13-40", "20270310"):
        assert baker.get(f"{PAGE}{day}/").status_code == 404


def test_only_who_delivers_has_the_page_and_sees_their_own(
    client: Client, round: DeliveryRound, member: Member, place: Place
) -> None:
    ordered(round, member, bread=7)
    other = PersonFactory(partner=PartnerFactory(landlord=place.landlord, delivers=True))
    client.force_login(other.user)
    assert "Rien à livrer" in text_of(client.get(PAGE))
    assert client.get(f"{PAGE}{TOMORROW}/").status_code == 404
    seller = PersonFactory(partner__landlord=place.landlord)
    client.force_login(seller.user)
    assert client.get(PAGE).status_code == 404
    assert "Commandes" not in client.get("/espace-partenaire/mon-offre/").text
    client.force_login(member.user)
    assert client.get(PAGE).status_code == 403
    client.logout()
    assert client.get(PAGE).status_code == 302


def test_closing_shows_first_whom_it_lets_down_then_credits_them(
    baker: Client, round: DeliveryRound, member: Member, partner: Partner
) -> None:
    order = ordered(round, member, bread=2)
    days = {"starts_on": "2027-03-10", "ends_on": "2027-03-11"}
    asked = baker.post(CLOSE, days)
    assert "1 personne attend 2 produits." in text_of(asked)
    assert not PartnerClosure.objects.exists()
    sealed = asked.context["sealed"]
    ordered(round, MemberFactory(place=member.place))
    again = baker.post(CLOSE, {**days, "annuler": sealed})
    assert "Les commandes ont changé entre-temps." in text_of(again)
    assert not PartnerClosure.objects.exists()
    done = baker.post(CLOSE, {**days, "annuler": again.context["sealed"]})
    assert done.status_code == 302
    assert PartnerClosure.objects.count() == 1
    order.refresh_from_db()
    assert (order.status, balance(member.household)) == ("failed", 0)
    assert Message.objects.filter(event="order.failed", member=member).count() == 1
    assert "prévenus" in baker.get(CLOSE).text


@pytest.mark.parametrize("undo", [True, False])
def test_taking_days_off_back_says_that_no_delivery_comes_back(
    baker: Client, round: DeliveryRound, member: Member, undo: bool
) -> None:
    ordered(round, member)
    gone = "Les livraisons annulées ne reviennent pas. Appelez l’accueil."
    days = {"starts_on": "2027-03-10", "ends_on": "2027-03-11"}
    sealed = baker.post(CLOSE, days).context["sealed"]
    page = baker.post(CLOSE, {**days, "annuler": sealed}, follow=True)
    assert page.text.count(gone) == 2
    assert gone in baker.get("/espace-partenaire/ma-page/").text
    way = (
        reverse("pro:undo", args=[PartnerChange.objects.get().pk])
        if undo
        else reverse("pro:reopen", args=[PartnerClosure.objects.get().pk])
    )
    page = baker.post(way, follow=True)
    assert gone in page.text and not PartnerClosure.objects.exists()
    baker.post(CLOSE, {"starts_on": "2027-03-20"})
    page = baker.post(reverse("pro:reopen", args=[PartnerClosure.objects.get().pk]), follow=True)
    assert gone not in page.text


def test_the_next_days_read_as_numbers_of_goods(
    baker: Client, round: DeliveryRound, member: Member
) -> None:
    ordered(round, member)
    goods = {one.product.name: one.product.public_id for one in round.goods.all()}
    later = DeliveryFactory(round=round, day=date(2027, 3, 16))
    lines = {goods["Pain de campagne"]: 2, goods["Baguette"]: 4}
    OrderFactory(delivery=later, member=member, lines=lines)
    told = text_of(baker.get(PAGE))
    assert "4 × Baguette" in told and "2 × Pain de campagne" in told
    assert "Pain de campagne · 4 × " in told or "Baguette · 2 × " in told


def test_days_without_a_delivery_close_at_once(
    baker: Client, round: DeliveryRound, member: Member
) -> None:
    ordered(round, member)
    assert baker.post(CLOSE, {"starts_on": "2027-03-11"}).status_code == 302
    assert PartnerClosure.objects.count() == 1
    assert Order.objects.get().status == "ordered"
    assert baker.post(CLOSE, {"starts_on": "2027-03-01"}).status_code == 422


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_takes_as_many_statements_however_many_days(
    baker: Client, round: DeliveryRound, member: Member, number: int
) -> None:
    for week in range(number):
        ordered(round, member, date(2027, 3, 10 + 7 * week))
    baker.get(PAGE)
    with CaptureQueriesContext(connection) as held:
        assert baker.get(PAGE).status_code == 200
    assert len(held) == 7 + session()
