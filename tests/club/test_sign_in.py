"""Signing in and up by a one-time code, by e-mail or SMS."""

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from club.models import Member, Place, User
from tests.factories.club import MemberFactory, UserFactory

LOGIN, SIGNUP, CODE, NAME = (
    "/compte/connexion/",
    "/compte/inscription/",
    "/compte/connexion/code/",
    "/compte/connexion/nom/",
)


@pytest.fixture(autouse=True)
def sms_files(settings: Any, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path


def mailed_code() -> str:
    found = re.search(r"\b\d{6}\b", mail.outbox[-1].body)
    assert found
    return found.group()


def sms_sent(tmp_path: Path) -> list[str]:
    return [file.read_text() for file in sorted((tmp_path / "sms").glob("*.txt"))]


def ask(client: Client, contact: str, **extra: str) -> Any:
    return client.post(LOGIN, {"contact": contact, **extra})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_known_address_gets_a_code_and_signs_in(client: Client, member: Member) -> None:
    asked = ask(client, member.user.email.upper())
    assert asked.status_code == 302
    assert asked.url == CODE
    assert mail.outbox[-1].to == [member.user.email]

    answer = client.post(CODE, {"code": mailed_code()})

    assert answer.status_code == 302
    assert answer.url == "/mon-espace/"
    assert client.session["_auth_user_id"] == str(member.user.pk)
    assert client.session.get_expiry_age() > 89 * 24 * 3600
    assert EmailAddress.objects.get(user=member.user).verified


def what_is_said(client: Client, contact: str) -> list[tuple[int, str, str]]:
    """Every answer on the way to the code, without tokens and without the address itself."""

    def plain(response: Any) -> tuple[int, str, str]:
        text = re.sub(r'value="[^"]{40,}"', "", response.content.decode())
        return response.status_code, response.get("Location", ""), text.replace(contact, "…")

    steps = [ask(client, contact), client.get(CODE)]
    steps.append(client.post(CODE, {"code": "000000"}))
    steps.append(client.post(CODE, {"action": "resend"}))
    steps.append(client.get(CODE))
    return [plain(step) for step in steps]


def test_known_and_unknown_get_the_same_answer(place: Place) -> None:
    MemberFactory(place=place, user__email="connue@example.org")

    known = what_is_said(Client(), "connue@example.org")
    letters = [(m.subject[:-6], re.sub(r"\d{6}", "", m.body)) for m in mail.outbox]
    mail.outbox.clear()
    unknown = what_is_said(Client(), "inconnue@example.org")

    assert known == unknown
    assert letters == [(m.subject[:-6], re.sub(r"\d{6}", "", m.body)) for m in mail.outbox]


def test_known_and_unknown_get_the_same_answer_at_sign_up(place: Place) -> None:
    MemberFactory(place=place, user__email="connue@example.org")
    names = {"first_name": "Leila", "last_name": "Amrani"}

    def seen(contact: str) -> tuple[int, str, str]:
        client = Client()
        answer = client.post(SIGNUP, {"contact": contact, **names})
        page = client.get(CODE).content.decode()
        page = re.sub(r'value="[^"]{40,}"', "", page).replace(contact, "…")
        return answer.status_code, answer.url, page

    assert seen("connue@example.org") == seen("inconnue@example.org")


def test_nothing_is_made_before_the_address_is_proved(client: Client, place: Place) -> None:
    client.post(SIGNUP, {"contact": "a@example.org", "first_name": "A", "last_name": "B"})
    assert not User.objects.exists()


def test_sign_up_takes_two_screens(client: Client, place: Place) -> None:
    client.post(
        SIGNUP, {"contact": "Leila@Example.org", "first_name": "Leïla", "last_name": "Amrani"}
    )
    answer = client.post(CODE, {"code": mailed_code()})

    assert answer.url == "/mon-espace/"
    made = Member.objects.get()
    assert (made.user.email, made.place, made.search_name) == (
        "leila@example.org",
        place,
        "leila amrani",
    )
    assert made.household.landlord == place.landlord
    assert made.cards.filter(revoked_at=None).count() == 1
    assert not made.user.has_usable_password()
    assert client.session["_auth_user_id"] == str(made.user.pk)


def test_sign_up_with_a_known_address_signs_in(client: Client, member: Member) -> None:
    client.post(SIGNUP, {"contact": member.user.email, "first_name": "Autre", "last_name": "Nom"})
    client.post(CODE, {"code": mailed_code()})

    assert client.session["_auth_user_id"] == str(member.user.pk)
    member.user.refresh_from_db()
    assert member.user.first_name == "Samira"


def test_an_unknown_address_is_asked_its_name_after_the_code(client: Client, place: Place) -> None:
    ask(client, "nouvelle@example.org", next="/emprunter/")
    answer = client.post(f"{CODE}?next=/emprunter/", {"code": mailed_code()})
    assert answer.url == f"{NAME}?next=%2Femprunter%2F"
    assert not User.objects.exists()

    page = client.get(answer.url)
    assert "Comment vous appelez-vous" in page.content.decode()
    answer = client.post(answer.url, {"first_name": "Awa", "last_name": "Diop"})

    assert answer.url == "/emprunter/"
    assert Member.objects.get().user.get_full_name() == "Awa Diop"
    assert is_signed_in(client)


def test_the_name_page_opens_only_after_the_code(client: Client, place: Place) -> None:
    ask(client, "nouvelle@example.org")
    answer = client.post(NAME, {"first_name": "Awa", "last_name": "Diop"})
    assert answer.url == LOGIN
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "typed", ["06 39 98 12 34", "0639981234", "+33 6.39.98.12.34", "0033639981234"]
)
def test_a_phone_typed_in_any_way(client: Client, place: Place, tmp_path: Path, typed: str) -> None:
    member = MemberFactory(place=place, user__email="", user__phone="+33639981234")
    ask(client, typed)
    [message] = sms_sent(tmp_path)
    number, text = message.splitlines()
    assert number == "+33639981234"
    assert text.startswith("Conciergerie des Tilleuls")
    assert len(text) <= 160

    code = re.search(r"\d{6}", text).group()
    client.post(CODE, {"code": code})

    assert client.session["_auth_user_id"] == str(member.user.pk)
    member.user.refresh_from_db()
    assert member.user.phone_verified


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Écrivez un e-mail ou un téléphone."),
        ("06 39", "Écrivez un e-mail, ou un téléphone à dix chiffres."),
        ("03 22 71 00 00", "Un téléphone fixe ne reçoit pas de code."),
        ("samira@", "Cet e-mail n’est pas complet."),
        ("\x00@example.org", "Il y a un problème"),
    ],
)
def test_what_is_no_address_is_said_and_kept(
    client: Client, place: Place, typed: str, said: str
) -> None:
    page = ask(client, typed).content.decode()
    assert said in page
    assert "Il y a un problème" in page
    assert "<title>Erreur" in page
    assert not mail.outbox


def test_without_a_sender_of_sms_an_email_is_asked(
    client: Client, place: Place, settings: Any
) -> None:
    settings.SMS_SENDER = ""
    assert "Ce site n’envoie pas de SMS." in ask(client, "06 39 98 12 34").content.decode()


def test_a_code_serves_for_fifteen_minutes(
    client: Client, member: Member, time_machine: Any
) -> None:
    time_machine.move_to("2027-03-09T09:00:00Z", tick=False)
    ask(client, member.user.email)
    time_machine.move_to("2027-03-09T09:15:01Z", tick=False)
    answer = client.post(CODE, {"code": mailed_code()}, follow=True)
    assert not is_signed_in(client)
    assert "Se connecter" in answer.content.decode()


def test_five_wrong_codes_end_the_attempt(client: Client, member: Member) -> None:
    ask(client, member.user.email)
    code = mailed_code()
    for _ in range(4):
        page = client.post(CODE, {"code": wrong(code)}).content.decode()
        assert "Ce code n’est pas le bon" in page
    last = client.post(CODE, {"code": wrong(code)}, follow=True)
    assert "Trop d’essais" in last.content.decode()
    client.post(CODE, {"code": code})
    assert not is_signed_in(client)


def test_a_code_serves_once(client: Client, member: Member) -> None:
    ask(client, member.user.email)
    code = mailed_code()
    client.post(CODE, {"code": code})
    client.post("/compte/deconnexion/")
    client.post(CODE, {"code": code})
    assert not is_signed_in(client)


def test_a_new_code_replaces_the_one_before(client: Client, member: Member) -> None:
    ask(client, member.user.email)
    first = mailed_code()
    client.post(CODE, {"action": "resend"})
    second = mailed_code()
    if first != second:
        client.post(CODE, {"code": first})
        assert not is_signed_in(client)
    client.post(CODE, {"code": second})
    assert is_signed_in(client)


@pytest.mark.parametrize("contact", ["samira@example.org", "personne@example.org"])
def test_codes_to_one_address_are_limited(place: Place, contact: str) -> None:
    """Whichever browser asks: the limit lies in the shared cache."""
    MemberFactory(place=place, user__email="samira@example.org")
    for _ in range(3):
        assert ask(Client(), contact).status_code == 302
    answer = ask(Client(), contact)
    assert "Trop de demandes" in answer.content.decode()
    assert len(mail.outbox) == 3


def test_codes_from_one_network_address_are_limited(place: Place) -> None:
    for number in range(20):
        ask(Client(), f"personne{number}@example.org")
    assert "Trop de demandes" in ask(Client(), "une-autre@example.org").content.decode()


def test_a_letter_box_that_does_not_answer_is_said(
    client: Client, place: Place, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "tests.club.test_sign_in.BrokenBackend"
    page = ask(client, "samira@example.org").content.decode()
    assert "Le code n’est pas parti." in page
    assert client.get(CODE).status_code == 302


class BrokenBackend:
    def __init__(self, **kwargs: Any) -> None:
        pass

    def send_messages(self, messages: Any) -> int:
        raise ConnectionRefusedError


def test_the_code_shows_on_the_page_in_the_demonstration_alone(
    client: Client, place: Place, settings: Any
) -> None:
    ask(client, "samira@example.org")
    assert mailed_code() not in client.get(CODE).content.decode()
    settings.DEMO = True
    assert mailed_code() in client.get(CODE).content.decode()


def test_a_closed_account_learns_so_after_the_code_alone(client: Client, place: Place) -> None:
    closed = UserFactory(email="fermee@example.org", is_active=False)
    ask(client, closed.email)
    answer = client.post(CODE, {"code": mailed_code()}, follow=True)
    assert "Ce compte est fermé" in answer.content.decode()
    assert not is_signed_in(client)


def test_next_never_leaves_the_site(client: Client, member: Member) -> None:
    ask(client, member.user.email, next="https://evil.example/")
    answer = client.post(f"{CODE}?next=https://evil.example/", {"code": mailed_code()})
    assert answer.url == "/mon-espace/"


@pytest.mark.parametrize(
    "path",
    [
        "/compte/login/",
        "/compte/signup/",
        "/compte/email/",
        "/compte/password/reset/",
        "/compte/password/set/",
        "/compte/phone/change/",
        "/compte/3rdparty/",
        "/compte/2fa/",
        "/compte/sessions/",
    ],
)
def test_pages_of_allauth_without_use_are_gone(client: Client, place: Place, path: str) -> None:
    assert client.get(path).status_code == 404


def test_wagtails_own_sign_in_page_is_gone(client: Client, place: Place) -> None:
    assert client.get("/_util/login/?next=/x/").url == f"{LOGIN}?next=/x/"
    assert client.post("/_util/login/", {"username": "a", "password": "b"}).status_code == 302


def test_a_contact_is_added_once_proved(client: Client, member: Member, tmp_path: Path) -> None:
    client.force_login(member.user)
    client.post("/mon-compte/contact/", {"contact": "06 39 98 12 34"})
    member.user.refresh_from_db()
    assert member.user.phone == ""
    code = re.search(r"\d{6}", sms_sent(tmp_path)[0].splitlines()[1]).group()
    client.post("/mon-compte/contact/code/", {"code": wrong(code)})
    client.post("/mon-compte/contact/code/", {"code": code})
    member.user.refresh_from_db()
    assert (member.user.phone, member.user.phone_verified) == ("+33639981234", True)


def test_a_contact_of_somebody_else_is_refused_after_its_proof(
    client: Client, member: Member, other_member: Member
) -> None:
    client.force_login(member.user)
    client.post("/mon-compte/contact/", {"contact": other_member.user.email})
    answer = client.post("/mon-compte/contact/code/", {"code": mailed_code()}, follow=True)
    assert "Un compte existe déjà avec cet e-mail." in answer.content.decode()
    member.user.refresh_from_db()
    assert member.user.email != other_member.user.email


def test_before_any_place_is_open_nobody_can_join(client: Client, db: None) -> None:
    client.post(SIGNUP, {"contact": "a@example.org", "first_name": "A", "last_name": "B"})
    page = client.post(CODE, {"code": mailed_code()}).content.decode()
    assert "Aucun point d’accueil n’est encore ouvert." in page
    assert not User.objects.exists()
