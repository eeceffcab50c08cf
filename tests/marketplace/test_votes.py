"""One voice a member and suggestion, while it is up for a vote, at one's own landlord."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from club.domain.erasure import erase_member
from club.enums import Role
from club.kernel.invariants import all_invariants
from club.kernel.refusal import Refused
from club.models import LogEntry, Member, Place, User
from marketplace.domain import suggestions as verbs
from marketplace.enums import DeclinedFor
from marketplace.models import Suggestion, SuggestionVote
from marketplace.queries.suggestions import voted_on
from tests.factories.club import LandlordFactory, MemberFactory, PlaceFactory
from tests.factories.cms import staff
from tests.factories.marketplace import PartnerFactory

WISHES = "/avantages/souhaits/"


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def officer(place: Place) -> User:
    return staff(place, Role.OFFICER)


def opened(member: Member, officer: User, now: datetime, name: str = "Crémerie") -> Suggestion:
    """Up for a vote, with the voice of who proposed it."""
    suggestion = verbs.suggest(member, name=name, shop="cheese", by=member.user, now=now)
    return verbs.open_vote(suggestion, by=officer, now=now)


def press(member: Member, suggestion: Suggestion, voice: str = "1") -> Client:
    client = Client()
    client.force_login(member.user)
    address = reverse("marketplace:vote", args=[suggestion.pk])
    answer = client.post(address, {"voix": voice}, follow=True)
    client.text = answer.content.decode()  # type: ignore[attr-defined]
    return client


def test_one_tap_votes_and_one_takes_it_back(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    suggestion = opened(member, officer, now)
    page = press(other_member, suggestion).text  # type: ignore[attr-defined]
    assert "Votre voix est comptée." in page and "2 voix" in page
    assert "Reprendre ma voix" in page
    page = press(other_member, suggestion, "0").text  # type: ignore[attr-defined]
    assert "Votre voix est reprise." in page and "1 voix" in page
    verbs_of = LogEntry.objects.filter(subject_kind="suggestion", actor=other_member.user)
    assert list(verbs_of.order_by("pk").values_list("verb", flat=True)) == [
        "vote", "take_vote_back",
    ]  # fmt: skip


def test_pressed_twice_or_in_two_tabs_it_is_one(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    suggestion = opened(member, officer, now)
    for _tab in range(3):
        press(other_member, suggestion)
    assert suggestion.votes.count() == 2
    for _tab in range(2):
        press(other_member, suggestion, "0")
    assert suggestion.votes.count() == 1
    assert LogEntry.objects.filter(verb="vote").count() == 1


def test_the_database_holds_to_one_voice(member: Member, officer: User, now: datetime) -> None:
    suggestion = opened(member, officer, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        SuggestionVote.objects.create(suggestion=suggestion, member=member, at=now)


def test_a_stale_page_votes_no_more(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    suggestion = opened(member, officer, now)
    stale = Suggestion.objects.get(pk=suggestion.pk)
    verbs.decline(suggestion, declined_for=DeclinedFor.CLOSED, by=officer, now=now)
    for verb in (verbs.vote, verbs.take_vote_back):
        with pytest.raises(Refused) as refused:
            verb(stale, other_member, by=other_member.user, now=now)
        assert refused.value.codes == ["vote_closed"]
    page = press(other_member, suggestion).text  # type: ignore[attr-defined]
    assert "On ne vote plus pour ce commerce." in page
    assert suggestion.votes.count() == 1


def test_while_the_desk_talks_with_it_members_still_vote(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    suggestion = verbs.talk(opened(member, officer, now), by=officer, now=now)
    verbs.vote(suggestion, other_member, by=other_member.user, now=now)
    assert suggestion.votes.count() == 2


def test_what_nobody_has_read_takes_no_voice(
    member: Member, other_member: Member, now: datetime
) -> None:
    suggestion = verbs.suggest(member, name="Crémerie", shop="cheese", by=member.user, now=now)
    with pytest.raises(Refused):
        verbs.vote(suggestion, other_member, by=other_member.user, now=now)
    client = Client()
    client.force_login(other_member.user)
    address = reverse("marketplace:vote", args=[suggestion.pk])
    assert client.post(address, {"voix": "1"}).status_code == 404


def test_another_landlords_members_have_no_voice(
    member: Member, officer: User, now: datetime
) -> None:
    suggestion = opened(member, officer, now)
    stranger = MemberFactory(
        place=PlaceFactory(landlord=LandlordFactory(slug="autre", name="Autre"))
    )
    with pytest.raises(Refused):
        verbs.vote(suggestion, stranger, by=stranger.user, now=now)
    client = Client()
    client.force_login(stranger.user)
    address = reverse("marketplace:vote", args=[suggestion.pk])
    assert client.post(address, {"voix": "1"}).status_code == 404
    assert suggestion.votes.count() == 1


def test_a_visitor_sees_the_voices_and_has_no_button(
    client: Client, member: Member, officer: User, now: datetime
) -> None:
    suggestion = opened(member, officer, now)
    page = client.get(WISHES)
    assert "1 voix" in page.content.decode()
    assert "Voter<" not in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    answer = client.post(reverse("marketplace:vote", args=[suggestion.pk]), {"voix": "1"})
    assert answer["Location"].startswith(reverse("account_login"))


def test_the_most_wanted_comes_first_and_of_as_many_the_oldest(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    first = opened(member, officer, now, "Crémerie")
    second = opened(member, officer, now + timedelta(minutes=1), "Poissonnerie")
    third = opened(member, officer, now + timedelta(minutes=2), "Librairie")
    verbs.vote(third, other_member, by=other_member.user, now=now)
    found = voted_on(member.household.landlord, other_member)
    assert list(found) == [third, first, second]
    assert [one.is_mine for one in found] == [True, False, False]  # type: ignore[attr-defined]


def test_an_erased_member_leaves_neither_name_nor_voice(
    member: Member, other_member: Member, officer: User, now: datetime
) -> None:
    suggestion = opened(member, officer, now)
    verbs.vote(suggestion, other_member, by=other_member.user, now=now)
    erase_member(member, by=member.user, now=now)
    suggestion.refresh_from_db()
    assert suggestion.member is None
    assert [vote.member for vote in suggestion.votes.all()] == [other_member]
    partner = PartnerFactory(landlord=suggestion.landlord)
    verbs.join(suggestion, partner=partner, by=officer, now=now)


def test_what_always_holds_holds(member: Member, officer: User, now: datetime) -> None:
    suggestion = opened(member, officer, now)
    verbs.decline(suggestion, declined_for=DeclinedFor.TOO_FAR, by=officer, now=now)
    found = [one for one in all_invariants() if "suggestion" in one.name]
    assert found
    assert [line for one in found for line in one.violations()] == []
