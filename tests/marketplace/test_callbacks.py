"""A name and a phone pass to one intermediary, on a tick, and are taken back."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from club.domain.erasure import erase_member
from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import LogEntry, Member, Message, Place
from marketplace.domain.callbacks import (
    WORDING,
    WORDINGS,
    ask_callback,
    mark_called,
    sentence_of,
    withdraw,
)
from marketplace.enums import DocumentKind, PartnerKind
from marketplace.models import CallbackRequest, Partner
from tests.costs import session
from tests.factories.club import LandlordFactory, MemberFactory, PlaceFactory
from tests.factories.marketplace import PartnerFactory, PersonFactory, insured

PHONE, SPOKEN = "+33639980001", "06\u00a039\u00a098\u00a000\u00a001"


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


def make_broker(place: Place, **more: Any) -> Partner:
    broker = PartnerFactory(
        landlord=place.landlord, kind=PartnerKind.INTERMEDIARY, shop="", orias="12345678", **more
    )
    insured(broker, kind=DocumentKind.ORIAS)
    PersonFactory(partner=broker)
    return broker


@pytest.fixture
def broker(place: Place) -> Partner:
    return make_broker(place, name="Assur’Nord")


def ask(partner: Partner, member: Member, now: datetime, **more: Any) -> CallbackRequest:
    data = {"phone": "06 39 98 00 01", "agreed": True, "by": member.user}
    return ask_callback(partner, member, **(data | more), now=now)


def address(broker: Partner) -> str:
    return reverse("marketplace:callback", args=[broker.public_id])


def page_of(client: Client, broker: Partner, status: int = 200) -> str:
    answer = client.get(address(broker))
    assert answer.status_code == status
    return answer.text


def partners_page(client: Client, broker: Partner) -> str:
    client.force_login(broker.people.get().user)
    return client.get(reverse("pro:callbacks")).text


# -- The rules ---------------------------------------------------------------------------------


def test_the_proof_is_kept(broker: Partner, member: Member, now: datetime) -> None:
    asked = ask(broker, member, now)
    assert (asked.phone, asked.wording, asked.asked_at) == (PHONE, WORDING, now)
    entry = LogEntry.objects.get(subject_kind="callbackrequest")
    assert (entry.verb, entry.actor, entry.facts) == (
        "ask_callback",
        member.user,
        {"wording": WORDING, "partner": broker.pk},
    )


def test_each_version_that_was_ticked_can_still_be_read(broker: Partner) -> None:
    assert WORDING in WORDINGS
    assert all("%(partner)s" in str(words) for words in WORDINGS.values())
    assert "Assur’Nord" in sentence_of(broker)


@pytest.mark.parametrize(
    ("more", "code"),
    [({"agreed": False}, "not_agreed"), ({"phone": "12"}, "phone_wrong")],
)
def test_without_the_tick_or_a_number_nothing_passes(
    broker: Partner, member: Member, now: datetime, more: Any, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        ask(broker, member, now, **more)
    assert refused.value.codes == [code]
    assert not CallbackRequest.objects.exists()
    assert not Message.objects.exists()


def test_one_open_request_for_each_intermediary(
    broker: Partner, place: Place, member: Member, now: datetime
) -> None:
    first = ask(broker, member, now)
    ask(make_broker(place), member, now)
    with pytest.raises(Refused) as refused:
        ask(broker, member, now)
    assert refused.value.codes == ["asked_already"]
    mark_called(first, by=broker.people.get().user, now=now)
    assert ask(broker, member, now).pk != first.pk


def test_only_one_s_own_landlord_s_shown_intermediary_calls_back(
    broker: Partner, place: Place, now: datetime
) -> None:
    other = LandlordFactory(slug="autre", name="Autre", hostname="autre.example")
    far = MemberFactory(place=PlaceFactory(landlord=other))
    shop = PartnerFactory(landlord=place.landlord)
    PersonFactory(partner=shop)
    near = MemberFactory(place=place)
    for partner, member in ((broker, far), (shop, near)):
        with pytest.raises(Refused) as refused:
            ask(partner, member, now)
        assert refused.value.codes == ["not_possible"]
    broker.documents.all().delete()
    with pytest.raises(Refused):
        ask(broker, near, now)


def test_what_is_over_is_not_taken_back_or_called(
    broker: Partner, member: Member, now: datetime
) -> None:
    asked = ask(broker, member, now)
    withdraw(asked, by=member.user, now=now)
    asked.refresh_from_db()
    assert asked.phone == ""
    for verb in (withdraw, mark_called):
        with pytest.raises(Refused) as refused:
            verb(asked, by=member.user, now=now)
        assert refused.value.codes == ["is_over"]


# -- What each is told -------------------------------------------------------------------------


def test_the_message_names_nobody_and_the_receipt_says_all(
    broker: Partner, member: Member, now: datetime
) -> None:
    ask(broker, member, now)
    with MailAndSms() as transport:
        assert send_due(now, transport).sent == 2
    letters = {letter.to[0]: letter for letter in mail.outbox}
    told = letters[broker.people.get().user.email]
    receipt = letters[member.user.email]
    for form in (told.subject, told.body, told.alternatives[0].content):
        for secret in (member.last_name, "06", PHONE):
            assert secret not in form
    for said in ["Assur’Nord", SPOKEN, f"texte {WORDING}", sentence_of(broker), "libre de choisir"]:
        assert said in receipt.body, said
        assert said in receipt.alternatives[0].content, said


def test_what_is_taken_back_at_once_is_not_told(
    broker: Partner, member: Member, now: datetime
) -> None:
    withdraw(ask(broker, member, now), by=member.user, now=now)
    with MailAndSms() as transport:
        assert send_due(now, transport).dropped == 2
    assert mail.outbox == []


def test_erasing_takes_the_request_out_of_every_list(
    broker: Partner, member: Member, client: Client, now: datetime
) -> None:
    ask(broker, member, now)
    erase_member(member, by=None, now=now)
    assert not CallbackRequest.objects.exists()
    assert SPOKEN not in partners_page(client, broker)
    (subjects,) = [one for one in all_invariants() if one.name == "subjects"]
    assert list(subjects.violations()) == []


# -- The member's page -------------------------------------------------------------------------


def test_asking_and_taking_back(client: Client, broker: Partner, member: Member) -> None:
    member.user.phone = PHONE
    member.user.save()
    client.force_login(member.user)
    page = page_of(client, broker)
    assert f'value="{SPOKEN}"' in page
    assert "checked" not in page
    assert sentence_of(broker).replace("’", "’") in page
    answer = client.post(address(broker), {"phone": "06 39 98 00 01", "agreed": "on"})
    assert answer.status_code == 302
    page = page_of(client, broker)
    assert "C’est demandé" in page
    assert SPOKEN in page
    answer = client.post(address(broker), {"act": "withdraw"}, follow=True)
    assert "Il ne lit plus votre nom ni votre numéro." in answer.text
    assert CallbackRequest.objects.get().withdrawn_at is not None
    assert "C’est demandé" not in page_of(client, broker)


def test_a_form_without_the_tick_keeps_the_number(
    client: Client, broker: Partner, member: Member
) -> None:
    client.force_login(member.user)
    answer = client.post(address(broker), {"phone": "06 39 98 00 02"})
    assert answer.status_code == 422
    assert 'value="06 39 98 00 02"' in answer.text
    assert "Il y a un problème" in answer.text
    assert "<title>\n" not in answer.text
    assert "Erreur" in answer.text.split("</title>")[0]
    assert not CallbackRequest.objects.exists()


def test_so_many_a_day_are_enough_even_when_they_are_taken_back(
    broker: Partner, member: Member, now: datetime
) -> None:
    for number in range(3):
        withdraw(ask(broker, member, now + timedelta(minutes=number)), by=member.user, now=now)
    with pytest.raises(Refused) as refused:
        ask(broker, member, now + timedelta(hours=1))
    assert refused.value.codes == ["too_many"]
    ask(broker, member, now + timedelta(days=1, hours=1))


def test_a_request_is_read_and_taken_back_although_the_papers_have_lapsed(
    client: Client, broker: Partner, member: Member, now: datetime
) -> None:
    ask(broker, member, now)
    broker.documents.all().delete()
    client.force_login(member.user)
    assert "Retirer ma demande" in page_of(client, broker)
    client.post(address(broker), {"act": "withdraw"})
    page_of(client, broker, 404)


def test_a_visitor_signs_in_first_and_a_shop_has_no_such_page(
    client: Client, broker: Partner, place: Place, member: Member
) -> None:
    assert client.get(address(broker)).status_code == 302
    client.force_login(member.user)
    page_of(client, PartnerFactory(landlord=place.landlord), 404)


# -- The intermediary's page -------------------------------------------------------------------


def test_the_intermediary_reads_its_own_and_says_it_has_called(
    client: Client, broker: Partner, place: Place, member: Member, now: datetime
) -> None:
    other = make_broker(place, name="Autre assurance")
    asked = ask(broker, member, now)
    assert str(member) not in partners_page(client, other)
    done = reverse("pro:callback-called", args=[asked.pk])
    assert client.post(done).status_code == 404
    page = partners_page(client, broker)
    assert str(member) in page
    assert f'href="tel:{PHONE}"' in page
    assert client.get(done).status_code == 405
    answer = client.post(done, follow=True)
    assert "C’est noté" in answer.text
    assert "Personne n’attend de rappel" in answer.text
    assert SPOKEN in answer.text
    with time_machine.travel(now + timedelta(days=1, minutes=1), tick=False):
        assert SPOKEN not in partners_page(client, broker)


def test_who_took_it_back_is_not_to_be_read(
    client: Client, broker: Partner, member: Member, now: datetime
) -> None:
    asked = ask(broker, member, now)
    withdraw(asked, by=member.user, now=now)
    page = partners_page(client, broker)
    assert str(member) not in page
    answer = client.post(reverse("pro:callback-called", args=[asked.pk]), follow=True)
    assert "n’attend plus de rappel" in answer.text


def test_only_intermediaries_have_the_page(client: Client, place: Place, member: Member) -> None:
    address = reverse("pro:callbacks")
    assert client.get(address).status_code == 302
    client.force_login(member.user)
    assert client.get(address).status_code == 403
    client.force_login(PersonFactory(partner__landlord=place.landlord).user)
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_costs_the_same(
    client: Client,
    broker: Partner,
    place: Place,
    now: datetime,
    number: int,
    django_assert_num_queries: Any,
) -> None:
    for _time in range(number):
        ask(broker, MemberFactory(place=place), now)
    partners_page(client, broker)
    with django_assert_num_queries(5 + session()):
        client.get(reverse("pro:callbacks"))
