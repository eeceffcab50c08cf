"""Who acts for a partner, as officers see to it: added with a link, sent another, retired."""

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from club.enums import Role
from club.models import LogEntry, Message, Place, User
from marketplace.models import EntryLink, Partner, PartnerPerson
from tests.factories.club import LandlordFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import PartnerFactory, PersonFactory
from tests.signin import sign_in_staff


@pytest.fixture
def partner(place: Place) -> Partner:
    return PartnerFactory(landlord=place.landlord)


@pytest.fixture
def officer(client: Client, place: Place, now: datetime) -> Iterator[Client]:
    with time_machine.travel(now, tick=False):
        sign_in_staff(client, staff(place, Role.OFFICER))
        yield client


def typed(partner: Partner, **more: str) -> dict[str, str]:
    return {
        "partner": str(partner.pk),
        "first_name": "Odile",
        "last_name": "Carpentier",
        "email": "odile@example.org",
        "phone": "",
        **more,
    }


def test_somebody_is_added_and_gets_a_link(officer: Client, partner: Partner) -> None:
    answer = officer.post(reverse("partnerperson:add"), typed(partner))
    assert answer.status_code == 302
    person = PartnerPerson.objects.get()
    assert (person.partner, person.user.email) == (partner, "odile@example.org")
    assert Message.objects.get().event == "partner.entry"
    listed = officer.get(reverse("partnerperson:index")).content.decode()
    assert "odile@example.org" in listed


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"email": ""}, "Écrivez un e-mail ou un téléphone"),
        ({"phone": "12"}, "Ce numéro n’existe pas"),
    ],
)
def test_a_refusal_stands_at_its_field_and_nothing_typed_is_lost(
    officer: Client, partner: Partner, fault: dict[str, str], words: str
) -> None:
    answer = officer.post(reverse("partnerperson:add"), typed(partner, **fault))
    page = answer.content.decode()
    assert words in page and 'value="Carpentier"' in page
    assert not PartnerPerson.objects.exists()


def test_the_team_is_never_let_in_by_a_link(
    officer: Client, partner: Partner, concierge_user: User
) -> None:
    answer = officer.post(reverse("partnerperson:add"), typed(partner, email=concierge_user.email))
    assert "quelqu’un de l’équipe" in answer.content.decode()


def test_another_link_leaves_while_the_person_is_there(officer: Client, partner: Partner) -> None:
    person = PersonFactory(partner=partner)
    step = reverse("partnerperson:step", args=[person.pk, "lien"])
    assert officer.post(step).status_code == 302
    assert EntryLink.objects.filter(person=person).count() == 1
    assert LogEntry.objects.filter(verb="send_link", subject_id=person.pk).exists()
    assert officer.post(
        reverse("partnerperson:step", args=[person.pk, "retirer"])
    ).status_code == 302  # fmt: skip
    person.refresh_from_db()
    assert person.left_at is not None
    refused = officer.post(step)
    assert "déjà partie" in refused.content.decode()
    assert EntryLink.objects.count() == 1


def test_the_edit_page_rewrites_nothing(officer: Client, partner: Partner) -> None:
    person = PersonFactory(partner=partner)
    address = reverse("partnerperson:edit", args=[person.pk])
    assert officer.get(address).status_code == 200
    other = PartnerFactory(landlord=partner.landlord)
    officer.post(address, typed(other, last_name="Autre"))
    person.refresh_from_db()
    assert person.partner == partner and person.user.last_name != "Autre"


def test_neither_a_concierge_nor_another_landlords_officer(partner: Partner, place: Place) -> None:
    person = PersonFactory(partner=partner)
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    for user, found in [(staff(place, Role.CONCIERGE), 403), (staff(elsewhere, Role.OFFICER), 404)]:
        client = Client()
        sign_in_staff(client, user)
        answer = client.post(reverse("partnerperson:step", args=[person.pk, "lien"]))
        assert answer.status_code in {found, 302}
        form = client.get(reverse("partnerperson:add"))
        if form.status_code == 200:
            assert list(form.context["form"].fields["partner"].queryset) == []
    assert not EntryLink.objects.exists()
