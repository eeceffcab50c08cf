"""Mes accords: given and taken back one by one; stopped from a letter without signing in."""

from datetime import date, datetime

import pytest
import time_machine
from django.test import Client

from club.domain.consents import WORDING, give_consent
from club.enums import ConsentKind
from club.kernel import links
from club.kernel.refusal import Refused
from club.models import Consent, LogEntry, Member

PAGE = "/mon-espace/accords/"


def live(member: Member) -> set[str]:
    return set(member.consents.filter(withdrawn_at=None).values_list("kind", flat=True))


def press(client: Client, kind: str, act: str) -> None:
    assert client.post(PAGE, {"kind": kind, "act": act})["Location"] == PAGE


def test_each_is_given_and_taken_back_on_its_own(
    signed_in: Client, member: Member, clock: time_machine.Traveller, now: datetime
) -> None:
    press(signed_in, ConsentKind.CLUB_NEWS, "give")
    press(signed_in, ConsentKind.CLUB_NEWS, "give")
    press(signed_in, ConsentKind.PARTNER_OFFERS, "give")
    assert live(member) == {ConsentKind.CLUB_NEWS, ConsentKind.PARTNER_OFFERS}
    assert f"Vous avez dit oui mardi 9\u00a0mars (texte {WORDING})." in signed_in.get(PAGE).text
    clock.move_to(datetime(2027, 3, 20, 9, 0, tzinfo=now.tzinfo))
    press(signed_in, ConsentKind.CLUB_NEWS, "stop")
    assert live(member) == {ConsentKind.PARTNER_OFFERS}
    assert "Vous avez dit non samedi 20\u00a0mars." in signed_in.get(PAGE).text
    kept = Consent.objects.get(kind=ConsentKind.CLUB_NEWS)
    assert kept.withdrawn_at is not None
    assert (kept.given_at.date(), kept.withdrawn_at.date()) == (date(2027, 3, 9), date(2027, 3, 20))
    told = LogEntry.objects.filter(subject_kind="consent").order_by("pk")
    assert [entry.verb for entry in told] == ["give_consent", "give_consent", "withdraw_consent"]


def test_a_changed_wording_asks_again(
    member: Member, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = give_consent(member, ConsentKind.CLUB_NEWS, by=member.user, now=now)
    monkeypatch.setattr("club.domain.consents.WORDING", "2028-01")
    new = give_consent(member, ConsentKind.CLUB_NEWS, by=member.user, now=now)
    old.refresh_from_db()
    assert (old.withdrawn_at, new.wording) == (now, "2028-01")


def test_sms_is_asked_only_of_who_has_a_phone(
    signed_in: Client, member: Member, now: datetime
) -> None:
    assert "SMS" not in signed_in.get(PAGE).text
    press(signed_in, ConsentKind.SMS, "give")
    with pytest.raises(Refused):
        give_consent(member, ConsentKind.SMS, by=member.user, now=now)
    assert live(member) == set()
    member.user.phone = "+33639980001"
    member.user.save()
    assert "SMS" in signed_in.get(PAGE).text
    press(signed_in, ConsentKind.SMS, "give")
    assert live(member) == {ConsentKind.SMS}


@pytest.mark.parametrize("kind", ["", "tout", "\x00"])
def test_an_unknown_tick_changes_nothing(signed_in: Client, member: Member, kind: str) -> None:
    press(signed_in, kind, "give")
    assert live(member) == set()


# -- From a letter ---------------------------------------------------------------------------


@pytest.fixture
def path(member: Member, now: datetime) -> str:
    for kind in (ConsentKind.CLUB_NEWS, ConsentKind.PARTNER_OFFERS):
        give_consent(member, kind, by=member.user, now=now)
    return links.unsubscribe_path(member.pk, ConsentKind.CLUB_NEWS)


def test_opening_the_link_changes_nothing(client: Client, member: Member, path: str) -> None:
    page = client.get(path)
    assert "nouvelles du club" in page.text and "Benali" not in page.text
    assert ConsentKind.CLUB_NEWS in live(member)
    assert page["Referrer-Policy"] == "no-referrer" and "no-store" in page["Cache-Control"]


def test_one_press_takes_that_one_back(member: Member, path: str) -> None:
    mailbox = Client(enforce_csrf_checks=True)
    for _ in range(2):
        page = mailbox.post(path, {"List-Unsubscribe": "One-Click"})
        assert page.status_code == 200 and "C’est arrêté" in page.text
    assert live(member) == {ConsentKind.PARTNER_OFFERS}


def test_the_link_never_ends(
    client: Client, member: Member, path: str, clock: time_machine.Traveller
) -> None:
    clock.move_to("2035-01-01T10:00:00Z")
    assert client.post(path).status_code == 200
    assert live(member) == {ConsentKind.PARTNER_OFFERS}


def test_a_made_up_link_is_not_there(client: Client, member: Member, path: str) -> None:
    signed = path.split("/")[-2]
    booking = links.booking_path("R1234567897").split("/")[-2]
    for wrong in (signed[:-1] + ("A" if signed[-1] != "A" else "B"), "x", booking):
        assert client.get(f"{PAGE}stop/{wrong}/").status_code == 404
        assert client.post(f"{PAGE}stop/{wrong}/").status_code == 404
    assert ConsentKind.CLUB_NEWS in live(member)


def test_no_to_questions_is_given_and_taken_back_in_its_own_words(
    signed_in: Client, member: Member
) -> None:
    page = signed_in.get(PAGE).content.decode()
    assert "Une question par semaine au plus, après un service." in page
    press(signed_in, ConsentKind.NO_QUESTIONS, "give")
    assert live(member) == {ConsentKind.NO_QUESTIONS}
    page = signed_in.get(PAGE).content.decode()
    assert "nous ne vous demanderons plus votre avis" in page
    assert "Me demander de nouveau" in page
    press(signed_in, ConsentKind.NO_QUESTIONS, "stop")
    assert live(member) == set()
