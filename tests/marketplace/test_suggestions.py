"""A shop that a member would like: proposed, read by staff, joined or not, and told of."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.urls import reverse

from club.domain.outbox import send_due
from club.emails import MailAndSms
from club.enums import Role
from club.kernel.refusal import Refused
from club.models import LogEntry, Member, Place, User
from marketplace.domain import suggestions as verbs
from marketplace.enums import DeclinedFor, PartnerStatus, SuggestionStatus
from marketplace.models import Suggestion, SuggestionVote
from tests.costs import session
from tests.factories.club import LandlordFactory, MemberFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import PartnerFactory
from tests.signin import sign_in_staff

WISHES, FORM = "/avantages/souhaits/", "/avantages/proposer/"


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def officer(place: Place) -> User:
    return staff(place, Role.OFFICER)


@pytest.fixture
def signed_in(client: Client, member: Member) -> Client:
    client.force_login(member.user)
    return client


def wish(member: Member, now: datetime, name: str = "Boulangerie du Marché") -> Suggestion:
    return verbs.suggest(member, name=name, shop="bakery", by=member.user, now=now)


def sent(now: datetime) -> list[tuple[str, str]]:
    """To whom, and the subject, of what leaves now."""
    mail.outbox.clear()
    with MailAndSms() as transport:
        send_due(now, transport)
    return sorted((letter.to[0], letter.subject) for letter in mail.outbox)


# -- Proposing -------------------------------------------------------------------------------


def test_a_name_and_what_it_does_are_needed(member: Member, now: datetime) -> None:
    with pytest.raises(Refused) as refused:
        verbs.suggest(member, name=" - ", by=member.user, now=now)
    assert refused.value.codes == ["name_missing", "sort_missing"]
    with pytest.raises(Refused) as refused:
        verbs.suggest(member, name="Aziz", shop="bakery", trade="plumbing", by=member.user, now=now)
    assert refused.value.codes == ["sort_missing"]


def test_nobody_proposes_more_than_five_a_month(member: Member, now: datetime) -> None:
    for number in range(5):
        wish(member, now, f"Commerce {number}")
    with pytest.raises(Refused) as refused:
        wish(member, now, "Un de plus")
    assert refused.value.codes == ["too_many"]
    april = now.replace(month=4, day=1, hour=0, minute=0)
    with pytest.raises(Refused):
        wish(member, april - timedelta(minutes=1), "Un de plus")
    wish(member, april, "Un de plus")
    assert Suggestion.objects.count() == 6


def test_the_same_twice_is_one(member: Member, now: datetime) -> None:
    wish(member, now)
    with pytest.raises(Refused) as refused:
        wish(member, now, "boulangerie du marche")
    assert refused.value.codes == ["is_there"]


def test_from_the_form_to_the_list(
    signed_in: Client, client: Client, member: Member, officer: User, now: datetime
) -> None:
    answer = signed_in.post(
        FORM, {"name": "Boulangerie du Marché", "sort": "shop:bakery", "street": "rue Voltaire"}
    )
    assert (answer.status_code, answer["Location"]) == (302, WISHES)
    suggestion = Suggestion.objects.get()
    assert (suggestion.shop, suggestion.trade, suggestion.street) == (
        "bakery", "", "rue Voltaire",
    )  # fmt: skip
    assert "l’accueil va la lire" in signed_in.get(WISHES).content.decode()
    assert "Marché" not in Client().get(WISHES).content.decode()
    verbs.open_vote(suggestion, by=officer, now=now)
    assert "Boulangerie, rue Voltaire" in Client().get(WISHES).content.decode()


def test_what_was_typed_stays_beside_the_fault(signed_in: Client) -> None:
    answer = signed_in.post(FORM, {"name": "Chez Aline", "sort": "", "street": "rue Basse"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "<title>Erreur" in page
    assert 'value="Chez Aline"' in page and 'value="rue Basse"' in page
    assert "Choisissez ce qu’il fait." in page


def test_a_visitor_signs_in_first(client: Client, place: Place) -> None:
    answer = client.get(FORM)
    assert answer["Location"].startswith(reverse("account_login"))


# -- One of that name is there already ---------------------------------------------------------


def test_one_of_nearly_that_name_is_shown_and_voted_for(
    signed_in: Client, member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    there = wish(other_member, now)
    verbs.open_vote(there, by=officer, now=now)
    typed = {"name": "La boulangerie du marche", "sort": "shop:bakery"}
    answer = signed_in.post(FORM, typed)
    page = answer.content.decode()
    assert "Est-ce celui-ci" in page and "1 voix" in page
    assert Suggestion.objects.count() == 1
    signed_in.post(reverse("marketplace:vote", args=[there.pk]), {"voix": "1"})
    assert there.votes.count() == 2
    signed_in.post(FORM, typed | {"other": "1"})
    assert Suggestion.objects.count() == 2


def test_one_that_staff_have_not_read_is_not_shown(
    signed_in: Client, other_member: Member, now: datetime
) -> None:
    wish(other_member, now)
    answer = signed_in.post(FORM, {"name": "Boulangerie du Marché", "sort": "shop:bakery"})
    assert answer.status_code == 302


def test_a_partner_of_that_name_is_shown(signed_in: Client, place: Place) -> None:
    partner = PartnerFactory(landlord=place.landlord, name="Boulangerie Lemaire")
    PartnerFactory(landlord=place.landlord, name="Boulangerie Lemaire", status=PartnerStatus.PAUSED)
    answer = signed_in.post(FORM, {"name": "boulangerie lemaire", "sort": "shop:bakery"})
    page = answer.content.decode()
    assert page.count("Il est déjà partenaire du club.") == 1
    assert partner.get_absolute_url() in page


# -- What becomes of it ------------------------------------------------------------------------


def test_who_proposed_is_told_each_step_and_who_voted_the_last(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    suggestion = wish(member, now)
    verbs.open_vote(suggestion, by=officer, now=now)
    verbs.vote(suggestion, other_member, by=other_member.user, now=now)
    author, voter = member.user.email, other_member.user.email
    later = now + timedelta(minutes=11)
    assert sent(later) == [
        (author, "Votre idée est au vote depuis mardi 9\u00a0mars\u00a0: Boulangerie du Marché")
    ]
    verbs.talk(suggestion, by=officer, now=later)
    partner = PartnerFactory(landlord=suggestion.landlord)
    verbs.join(suggestion, partner=partner, by=officer, now=later)
    subject = "Boulangerie du Marché est partenaire du club depuis mardi 9\u00a0mars"
    assert sent(later + timedelta(minutes=11)) == sorted([(author, subject), (voter, subject)])
    assert "Vous l’aviez proposé" in next(one.body for one in mail.outbox if one.to == [author])
    assert "Vous aviez voté pour lui" in next(one.body for one in mail.outbox if one.to == [voter])
    assert partner.get_absolute_url() in mail.outbox[0].body


def test_what_was_declined_is_told_with_its_reason_to_its_author_alone(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    suggestion = wish(member, now)
    verbs.open_vote(suggestion, by=officer, now=now)
    verbs.vote(suggestion, other_member, by=other_member.user, now=now)
    with pytest.raises(Refused):
        verbs.decline(suggestion, declined_for="", by=officer, now=now)
    verbs.decline(suggestion, declined_for=DeclinedFor.TOO_FAR, by=officer, now=now)
    found = sent(now + timedelta(minutes=11))
    assert [to for to, _subject in found] == [member.user.email]
    assert "trop loin du quartier" in mail.outbox[0].body


def test_a_step_that_is_put_right_at_once_is_told_as_it_became(
    member: Member, officer: User, now: datetime
) -> None:
    suggestion = wish(member, now)
    verbs.decline(suggestion, declined_for=DeclinedFor.TWICE, by=officer, now=now)
    verbs.open_vote(suggestion, by=officer, now=now + timedelta(minutes=2))
    assert [subject[:15] for _to, subject in sent(now + timedelta(minutes=13))] == [
        "Votre idée est "
    ]
    suggestion.refresh_from_db()
    assert suggestion.declined_for == ""


def test_it_joins_as_a_live_partner_of_the_same_landlord_alone(
    member: Member, officer: User, now: datetime
) -> None:
    suggestion = wish(member, now)
    verbs.open_vote(suggestion, by=officer, now=now)
    elsewhere = PartnerFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    paused = PartnerFactory(landlord=suggestion.landlord, status=PartnerStatus.PAUSED)
    for partner, code in [
        (None, "partner_missing"), (elsewhere, "partner_missing"), (paused, "partner_not_live"),
    ]:  # fmt: skip
        with pytest.raises(Refused) as refused:
            verbs.join(suggestion, partner=partner, by=officer, now=now)
        assert refused.value.codes == [code]
    suggestion.refresh_from_db()
    assert suggestion.status == SuggestionStatus.OPEN


def test_each_step_has_its_line_in_the_log(member: Member, officer: User, now: datetime) -> None:
    suggestion = wish(member, now)
    verbs.open_vote(suggestion, by=officer, now=now)
    verbs.talk(suggestion, by=officer, now=now)
    found = LogEntry.objects.filter(subject_kind="suggestion", subject_id=suggestion.pk)
    assert list(found.order_by("pk").values_list("verb", flat=True)) == [
        "suggest", "open_vote", "talk",
    ]  # fmt: skip


# -- The list -----------------------------------------------------------------------------------


def test_what_it_became_is_told_for_six_months(
    member: Member, officer: User, now: datetime, client: Client
) -> None:
    joined, declined, unread = (
        wish(member, now, name) for name in ("Fromager", "Loin", "Grossier")
    )
    for one in (joined, declined):
        verbs.open_vote(one, by=officer, now=now)
    verbs.join(
        joined, partner=PartnerFactory(landlord=joined.landlord), by=officer, now=now
    )  # fmt: skip
    for one in (declined, unread):
        verbs.decline(one, declined_for=DeclinedFor.TOO_FAR, by=officer, now=now)
    page = client.get(WISHES).content.decode()
    assert "partenaire du club depuis mardi 9\u00a0mars" in page
    assert "sans suite depuis mardi 9\u00a0mars, car trop loin du quartier" in page
    assert "Grossier" not in page
    client.force_login(member.user)
    assert "Grossier" in client.get(WISHES).content.decode()
    for day, is_told in ((datetime(2027, 9, 9, 10, tzinfo=now.tzinfo), True),
                         (datetime(2027, 9, 10, 10, tzinfo=now.tzinfo), False)):  # fmt: skip
        with time_machine.travel(day, tick=False):
            assert ("Fromager" in client.get(WISHES).content.decode()) is is_told


def test_the_list_costs_as_much_for_three_as_for_one(
    member: Member, officer: User, now: datetime, client: Client, django_assert_num_queries: Any
) -> None:
    client.force_login(member.user)
    for number in range(3):
        suggestion = wish(member, now, f"Commerce {number}")
        verbs.open_vote(suggestion, by=officer, now=now)
        ended = wish(MemberFactory(place=member.place), now, f"Fini {number}")
        verbs.open_vote(ended, by=officer, now=now)
        partner = PartnerFactory(landlord=ended.landlord)
        verbs.join(ended, partner=partner, by=officer, now=now)
        if number != 1:
            client.get(WISHES)
            with django_assert_num_queries(8 + session()):
                client.get(WISHES)


def test_another_landlords_wishes_are_not_there(
    member: Member, officer: User, now: datetime, client: Client
) -> None:
    elsewhere = PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    suggestion = wish(MemberFactory(place=elsewhere), now, "Chez les autres")
    verbs.open_vote(suggestion, by=officer, now=now)
    client.force_login(member.user)
    assert "Chez les autres" not in client.get(WISHES).content.decode()
    answer = client.post(reverse("marketplace:vote", args=[suggestion.pk]), {"voix": "1"})
    assert answer.status_code == 404
    assert not SuggestionVote.objects.filter(member=member).exists()


# -- The officer's screen -------------------------------------------------------------------------


def test_the_officer_reads_opens_and_joins(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    suggestion = wish(member, now)
    client = Client()
    sign_in_staff(client, officer)

    def step(name: str, **data: Any) -> str:
        address = reverse("suggestion:step", args=[suggestion.pk, name])
        return client.post(address, data, follow=True).content.decode()

    assert "Les membres peuvent voter." in step("voter")
    verbs.vote(suggestion, other_member, by=other_member.user, now=now)
    (row,) = client.get(reverse("suggestion:index")).context["object_list"]
    assert row.number == 2
    assert "Choisissez d’abord le partenaire" in step("partenaire")
    partner = PartnerFactory(landlord=suggestion.landlord)
    edited = {"name": "Boulangerie du Marché", "shop": "bakery", "partner": partner.pk}
    client.post(reverse("suggestion:edit", args=[suggestion.pk]), edited)
    assert "en sont prévenus" in step("partenaire")
    suggestion.refresh_from_db()
    assert (suggestion.status, suggestion.partner) == (SuggestionStatus.JOINED, partner)
    assert "Ce n’est plus possible" in step("decliner", declined_for="too_far")


def test_the_officers_list_costs_as_much_for_three_as_for_one(
    member: Member, officer: User, now: datetime, django_assert_max_num_queries: Any
) -> None:
    client = Client()
    sign_in_staff(client, officer)
    address = reverse("suggestion:index")
    wish(member, now, "Un")
    client.get(address)
    with django_assert_max_num_queries(60) as one:
        client.get(address)
    for name in ("Deux", "Trois"):
        verbs.open_vote(wish(member, now, name), by=officer, now=now)
    with django_assert_max_num_queries(len(one)):
        client.get(address)
