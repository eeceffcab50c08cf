"""A link lets one phone in, once; who has left is out at their next page."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client
from django.urls import reverse

from club.kernel.refusal import Refused
from club.models import Message, Place, User
from club.tasks import send_messages
from marketplace.domain import people
from marketplace.domain.partners import end
from marketplace.models import EntryLink, PartnerPerson
from tests.factories.club import AssignmentFactory, MemberFactory, UserFactory
from tests.factories.marketplace import PartnerFactory, PersonFactory
from tests.signin import sign_in_staff


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def person(place: Place) -> PartnerPerson:
    return PersonFactory(
        partner=PartnerFactory(landlord=place.landlord, name="Boulangerie Delattre"),
        user__first_name="Paul",
        user__last_name="Delattre",
        user__email="paul@example.org",
    )


def link_for(person: PartnerPerson, now: datetime, following: str = "") -> str:
    return address(people.make_link(person, now=now, following=following))


def address(link: EntryLink) -> str:
    return reverse("pro:entry", args=[people.signed(link)])


def is_in(client: Client) -> bool:
    return client.get(reverse("pro:phone")).status_code == 200


def test_a_link_shows_a_page_and_its_button_lets_in(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    link = link_for(person, now)
    for _again in range(2):
        page = client.get(link)
        assert page.status_code == 200
        assert "Boulangerie Delattre" in page.text
        assert not is_in(client)
    answer = client.post(link)
    assert (answer.status_code, answer["Location"]) == (302, reverse("pro:home"))
    assert is_in(client)
    assert EntryLink.objects.get().used_at == now


def test_forwarded_after_use_it_opens_nothing_and_names_no_person(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    link = link_for(person, now)
    client.post(link)
    stranger = Client()
    for page in (stranger.get(link), stranger.post(link)):
        assert page.status_code == 410
        assert "Delattre</" not in page.text.split("<main")[1].replace("Boulangerie Delattre", "")
        assert "paul@example.org" not in page.text
    assert not is_in(stranger)


def test_two_phones_at_once_and_one_is_let_in(person: PartnerPerson, now: datetime) -> None:
    link = people.make_link(person, now=now)
    seen_twice = [EntryLink.objects.select_related("person").get(pk=link.pk) for _ in range(2)]
    people.enter(seen_twice[0], now=now)
    with pytest.raises(Refused) as refused:
        people.enter(seen_twice[1], now=now)
    assert refused.value.codes == ["link_used"]


def test_a_link_is_too_old_after_two_weeks(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    link = link_for(person, now)
    with time_machine.travel(now + timedelta(days=14) - timedelta(seconds=1), tick=False):
        assert client.get(link).status_code == 200
    with time_machine.travel(now + timedelta(days=14), tick=False):
        assert client.get(link).status_code == 410
        assert client.post(link).status_code == 410
    assert not is_in(client)


def test_a_link_that_was_tampered_with_opens_nothing(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    link = people.make_link(person, now=now)
    other = PersonFactory(partner=person.partner)
    theirs = people.make_link(other, now=now)
    signature = people.signed(link).partition(":")[2]
    forged = [
        f"{theirs.pk}:{signature}",
        str(link.pk),
        people.signed(link)[:-1],
        signing.Signer(salt="another").sign(str(link.pk)),
        signing.Signer(salt=people.SALT).sign("999999"),
        signing.Signer(salt=people.SALT).sign("x"),
    ]
    for text in forged:
        for method in (client.get, client.post):
            assert method(reverse("pro:entry", args=[text])).status_code == 404
    assert not is_in(client)


def test_who_has_left_is_out_at_their_next_page_and_their_links_are_dead(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    client.post(link_for(person, now))
    waiting = link_for(person, now)
    assert is_in(client)
    people.leave(person, by=None, now=now)
    page = client.get(reverse("pro:phone"))
    assert page.status_code == 403
    assert "Votre compte n’est lié à aucun partenaire" in page.text
    assert client.post(reverse("pro:confirm")).status_code == 403
    stranger = Client()
    assert stranger.get(waiting).status_code == 410
    assert stranger.post(waiting).status_code == 410
    later = link_for(person, now)
    assert stranger.post(later).status_code == 410
    assert not is_in(stranger)


def test_a_convention_that_ended_closes_the_door(
    client: Client, person: PartnerPerson, concierge_user: User, now: datetime
) -> None:
    client.post(link_for(person, now))
    end(person.partner, by=concierge_user, now=now)
    assert client.get(reverse("pro:phone")).status_code == 403
    assert Client().post(link_for(person, now)).status_code == 410


def test_staff_never_come_in_by_a_link(
    client: Client, person: PartnerPerson, place: Place, now: datetime
) -> None:
    link = link_for(person, now)
    AssignmentFactory(user=person.user, place=place)
    page = client.post(link)
    assert page.status_code == 200
    assert "Entrez avec votre mot de passe d’équipe." in page.text
    assert "_auth_user_id" not in client.session
    assert EntryLink.objects.get().used_at is None
    sign_in_staff(client, person.user)
    assert client.get(reverse("pro:phone")).status_code == 403


def test_staff_are_not_added_to_a_partner(
    person: PartnerPerson, concierge_user: User, now: datetime
) -> None:
    with pytest.raises(Refused) as refused:
        people.add_person(
            person.partner, first_name="N", last_name="R", email=concierge_user.email.upper(),
            by=None, now=now,
        )  # fmt: skip
    assert refused.value.codes == ["is_team"]


# -- Where it leads --------------------------------------------------------------------------


def test_who_is_in_already_is_led_on_and_the_link_stays_whole(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    client.post(link_for(person, now))
    link = people.make_link(person, now=now, following=reverse("pro:closure"))
    answer = client.get(address(link))
    assert (answer.status_code, answer["Location"]) == (302, reverse("pro:closure"))
    link.refresh_from_db()
    assert link.used_at is None


def test_a_link_leads_to_its_page_once_the_phone_is_in(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    answer = client.post(link_for(person, now, reverse("pro:closure")))
    assert answer["Location"] == reverse("pro:closure")


@pytest.mark.parametrize("following", ["//evil.example/", "https://evil.example/", "javascript:1"])
def test_a_link_leads_to_no_other_site(
    client: Client, person: PartnerPerson, now: datetime, following: str
) -> None:
    assert client.post(link_for(person, now, following))["Location"] == reverse("pro:home")


def test_a_phone_of_somebody_else_changes_hands(
    client: Client, person: PartnerPerson, place: Place, now: datetime
) -> None:
    resident = MemberFactory(place=place)
    client.force_login(resident.user)
    link = link_for(person, now)
    assert client.get(link).status_code == 200
    client.post(link)
    assert client.session["_auth_user_id"] == str(person.user.pk)


# -- Another link ----------------------------------------------------------------------------


def again(signed: str) -> str:
    return reverse("pro:entry-again", args=[signed])


def test_a_new_link_goes_to_the_person_s_own_address(
    client: Client, person: PartnerPerson, now: datetime, mailoutbox: Any, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    old = people.make_link(person, now=now, following=reverse("pro:closure"))
    client.post(address(old))
    page = Client().post(again(people.signed(old)))
    assert page.status_code == 200
    assert "paul@example.org" not in page.text
    send_messages()
    (mail,) = mailoutbox
    assert mail.to == ["paul@example.org"]
    new = EntryLink.objects.latest("pk")
    assert (new.person, new.following) == (person, reverse("pro:closure"))
    assert address(new) in mail.body
    assert Client().post(address(new)).status_code == 302


def test_the_answer_is_the_same_for_all(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    gone = PersonFactory(partner=person.partner, left_at=now)
    closed = PersonFactory(partner=person.partner, user__is_active=False)
    asked = [people.signed(people.make_link(one, now=now)) for one in (person, gone, closed)]
    answers = [client.post(again(text)) for text in [*asked, "x", "1:forged"]]
    assert len({page.text.split("<main")[1].split("</main>")[0] for page in answers}) == 1
    assert {page.status_code for page in answers} == {200}
    assert list(Message.objects.values_list("user", flat=True)) == [person.user.pk]


def test_who_presses_again_and_again_floods_nobody(
    client: Client, person: PartnerPerson, now: datetime
) -> None:
    text = people.signed(people.make_link(person, now=now))
    pages = {client.post(again(text)).text for _ in range(6)}
    assert len(pages) == 1
    assert Message.objects.count() == 3
    with time_machine.travel(now + timedelta(hours=1), tick=False):
        client.post(again(text))
    assert Message.objects.count() == 4


# -- Several firms ---------------------------------------------------------------------------


def test_somebody_with_two_firms_turns_from_one_to_the_other(
    client: Client, person: PartnerPerson, place: Place, now: datetime
) -> None:
    farm = PersonFactory(
        partner=PartnerFactory(landlord=place.landlord, name="Ferme du Pré", phone="+33322111111"),
        user=person.user,
    )
    strange = PartnerFactory(landlord=place.landlord)
    client.post(link_for(person, now))
    shown = reverse("pro:phone")
    assert "Boulangerie Delattre" in client.get(shown).text
    choose = reverse("pro:choose")
    assert client.post(choose, {"partenaire": strange.public_id}).status_code == 404
    assert client.post(choose, {}).status_code == 404
    answer = client.post(choose, {"partenaire": farm.partner.public_id})
    assert answer["Location"] == reverse("pro:home")
    page = client.get(shown).text
    assert "Ferme du Pré" in page
    assert "Boulangerie Delattre" not in page
    people.leave(farm, by=None, now=now)
    assert "Boulangerie Delattre" in client.get(shown).text


def test_a_link_of_another_firm_opens_that_one(
    client: Client, person: PartnerPerson, place: Place, now: datetime
) -> None:
    farm = PersonFactory(
        partner=PartnerFactory(landlord=place.landlord, name="Ferme du Pré"), user=person.user
    )
    client.post(link_for(person, now))
    client.get(link_for(farm, now))
    assert "Ferme du Pré" in client.get(reverse("pro:phone")).text


def test_a_visitor_is_asked_to_sign_in_and_a_resident_is_told(client: Client, place: Place) -> None:
    answer = client.get(reverse("pro:phone"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    client.force_login(MemberFactory(place=place, user=UserFactory()).user)
    assert client.get(reverse("pro:phone")).status_code == 403
