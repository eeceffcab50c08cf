"""Insurance told without a trap: what the intermediary publishes, and nothing to sign."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from club.enums import Role
from club.models import Place
from cms.models import ServicePage
from cms.setup import build_site
from marketplace.enums import DocumentKind, PartnerKind
from marketplace.models import InsurancePrice, Partner
from tests.factories.cms import staff
from tests.factories.marketplace import PartnerFactory, PersonFactory, insured, siret_of
from tests.marketplace.test_admin import lines
from tests.signin import sign_in_staff

NBSP = "\u00a0"
NEVER = ("devis", "souscri", "commission", "prime ", "cotisation", "simul", "comparer", "adhér")
"""A quote, a contract to sign, money for the club: no page of the insurance speaks of them."""


@pytest.fixture
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def broker(place: Place) -> Partner:
    made = PartnerFactory(
        landlord=place.landlord, kind=PartnerKind.INTERMEDIARY, shop="", name="Assur’Nord",
        orias="12345678", orias_checked_on=date(2027, 1, 5), prices_on=date(2027, 1, 4),
        website="https://assurnord.example/",
    )  # fmt: skip
    insured(made, kind=DocumentKind.ORIAS)
    for rooms, cents in ((1, 9_600), (3, 15_050)):
        InsurancePrice.objects.create(partner=made, rooms=rooms, yearly_cents=cents)
    return made


def main_of(client: Client, address: str) -> str:
    page = client.get(address)
    assert page.status_code == 200
    return page.text.split("<main")[1].split("</main>")[0]


@pytest.mark.usefixtures("at_the_counter")
def test_the_page_tells_what_the_intermediary_publishes(client: Client, broker: Partner) -> None:
    page = main_of(client, broker.get_absolute_url())
    for said in [
        f"12345678, vérifié le 5{NBSP}janvier{NBSP}2027",
        f"Tarif indicatif publié par Assur’Nord le 4{NBSP}janvier{NBSP}2027.",
        f'1 pièce</th><td class="number">96{NBSP}€',
        f'3 pièces</th><td class="number">150,50{NBSP}€',
        "Assur’Nord vous dira votre prix.",
        "Vous restez libre de choisir votre assureur.",
        'href="https://assurnord.example/"',
    ]:
        assert said in page, said


@pytest.mark.usefixtures("at_the_counter")
def test_nothing_is_quoted_sold_or_earned(
    client: Client, broker: Partner, member: Any, place: Place
) -> None:
    PersonFactory(partner=broker)
    client.force_login(member.user)
    addresses = [
        broker.get_absolute_url(),
        reverse("marketplace:callback", args=[broker.public_id]),
        reverse("marketplace:list", args=["assurance"]),
        reverse("own-certificate:home"),
    ]
    for address in addresses:
        page = main_of(client, address).lower()
        assert [word for word in NEVER if word in page] == [], address
    page = main_of(client, broker.get_absolute_url())
    assert "<form" not in page
    assert "<input" not in page


@pytest.mark.usefixtures("at_the_counter")
def test_a_table_without_its_day_is_not_shown(client: Client, broker: Partner) -> None:
    Partner.objects.update(prices_on=None)
    page = main_of(client, broker.get_absolute_url())
    assert "€" not in page
    assert "Tarif" not in page


@pytest.mark.usefixtures("at_the_counter")
def test_a_call_is_offered_where_somebody_reads_it(client: Client, broker: Partner) -> None:
    address = reverse("marketplace:callback", args=[broker.public_id])
    assert address not in main_of(client, broker.get_absolute_url())
    PersonFactory(partner=broker)
    assert address in main_of(client, broker.get_absolute_url())


@pytest.mark.usefixtures("at_the_counter")
def test_its_meetings_are_linked_while_the_page_is_on_line(
    client: Client, broker: Partner, place: Place
) -> None:
    build_site(place)
    page = ServicePage.objects.get(slug="services")
    broker.meetings = page
    broker.save()
    assert f'href="{page.url}"' in main_of(client, broker.get_absolute_url())
    page.unpublish()
    assert "Le rencontrer" not in main_of(client, broker.get_absolute_url())


@pytest.mark.usefixtures("at_the_counter")
def test_whose_registration_has_lapsed_has_no_page(client: Client, broker: Partner) -> None:
    broker.documents.all().delete()
    assert client.get(broker.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.usefixtures("at_the_counter")
def test_the_page_costs_the_same(
    client: Client, broker: Partner, number: int, django_assert_num_queries: Any
) -> None:
    for rooms in range(4, 4 + number):
        InsurancePrice.objects.create(partner=broker, rooms=rooms, yearly_cents=20_000)
    client.get(broker.get_absolute_url())
    with django_assert_num_queries(10):
        client.get(broker.get_absolute_url())


def test_the_officer_types_the_table_in_euros(client: Client, place: Place) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    today = timezone.localdate()
    data = {
        "landlord": place.landlord.pk,
        "kind": PartnerKind.INTERMEDIARY,
        "name": "Assur’Nord",
        "siret": siret_of(12_345_678),
        "orias": "12345678",
        "phone": "03 22 00 00 00",
        "languages": ["fr"],
        "prices_on": today.isoformat(),
        **{
            key: value
            for name in ("trades", "hours", "conventions")
            for key, value in lines(name, []).items()
        },
        **lines("prices", [{"rooms": 1, "yearly_cents": "96"}, {"rooms": 3, "yearly_cents": "x"}]),
    }
    refused = client.post(reverse("partner:add"), data)
    assert "Écrivez un montant en euros, par exemple 12,50." in refused.content.decode()
    typed = [{"rooms": 1, "yearly_cents": "96 €"}, {"rooms": 3, "yearly_cents": "150,50"}]
    data |= lines("prices", typed)
    assert client.post(reverse("partner:add"), data).status_code == 302
    partner = Partner.objects.get()
    assert list(partner.prices.values_list("rooms", "yearly_cents")) == [(1, 9_600), (3, 15_050)]
    form = client.get(reverse("partner:edit", args=[partner.pk])).content.decode()
    assert 'value="150,50"' in form
