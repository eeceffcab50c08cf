"""Staff: password, second factor, and who may enter which screens."""

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.test import Client

from club.access import staff_places
from club.domain.access import assign, dismiss, set_second_factor, sync_groups
from club.enums import Role
from club.kernel.refusal import Refused
from club.models import Member, Place, User
from tests.factories.club import AssignmentFactory, MemberFactory, PlaceFactory, UserFactory
from tests.signin import sign_in_staff

LOGIN = "/compte/equipe/"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "une phrase longue et sûre"


def current_code(secret: str = SECRET) -> str:
    counters = list(yield_hotp_counters_from_time())
    return f"{hotp_value(secret, counters[len(counters) // 2]):06d}"


@pytest.fixture
def concierge(concierge_user: User) -> User:
    concierge_user.set_password(PASSWORD)
    concierge_user.save()
    return concierge_user


def give_password(client: Client, user: User, target: str = "/desk/") -> Any:
    return client.post(
        f"{LOGIN}?next={target}", {"email": user.email, "password": PASSWORD, "next": target}
    )


def test_password_then_code(client: Client, concierge: User) -> None:
    set_second_factor(concierge, SECRET)
    assert client.get("/desk/").url == f"{LOGIN}?next=/desk/"

    answer = give_password(client, concierge)
    assert answer.url == "/compte/equipe/code/"
    assert "_auth_user_id" not in client.session
    assert client.get(answer.url).status_code == 200

    answer = client.post(answer.url, {"code": current_code()})
    assert answer.url == "/desk/"
    assert client.get("/desk/").status_code == 200
    assert client.session.get_expiry_age() <= 12 * 3600


def test_a_wrong_second_factor_opens_nothing(client: Client, concierge: User) -> None:
    set_second_factor(concierge, SECRET)
    give_password(client, concierge)
    answer = client.post("/compte/equipe/code/", {"code": "000000"})
    assert "Ce code n’est pas le bon" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_the_first_sign_in_sets_up_a_second_factor(client: Client, concierge: User) -> None:
    answer = give_password(client, concierge)
    assert answer.url == "/compte/equipe/securite/?next=%2Fdesk%2F"
    for screen in ("/desk/", "/admin/"):
        assert client.get(screen).url == "/compte/equipe/securite/"
    assert client.get("/compte/equipe/securite/").status_code == 200

    page = client.get("/compte/equipe/securite/application/").content.decode()
    secret = re.search(r"<code>([A-Z2-7]+)</code>", page).group(1)
    answer = client.post("/compte/equipe/securite/application/", {"code": current_code(secret)})

    assert answer.url == "/compte/equipe/securite/secours/"
    assert client.get(answer.url).status_code == 200
    assert client.get("/desk/").status_code == 200


def test_a_code_by_email_is_not_enough_for_staff(client: Client, concierge: User) -> None:
    client.post("/compte/connexion/", {"contact": concierge.email})
    code = re.search(r"\d{6}", mail.outbox[-1].body).group()
    client.post("/compte/connexion/code/", {"code": code})
    assert "_auth_user_id" in client.session
    for screen in ("/desk/", "/admin/", "/compte/equipe/securite/application/"):
        assert client.get(screen).url.startswith(LOGIN)

    give_password(client, concierge)
    assert client.get("/compte/equipe/securite/application/").status_code == 200


@pytest.mark.parametrize("who", ["unknown", "wrong password", "no staff"])
def test_a_refused_password_says_the_same_to_everybody(
    client: Client, concierge: User, who: str
) -> None:
    resident = UserFactory(email="habitante@example.org")
    resident.set_password(PASSWORD)
    resident.save()
    email = {"unknown": "personne@example.org", "no staff": resident.email}.get(
        who, concierge.email
    )
    password = "autre chose" if who == "wrong password" else PASSWORD
    page = client.post(LOGIN, {"email": email, "password": password}).content.decode()
    assert "Cet e-mail et ce mot de passe ne vont pas ensemble." in page
    assert "Il y a un problème" in page
    assert "_auth_user_id" not in client.session


def test_passwords_tried_in_turn_are_stopped(
    client: Client, concierge: User, time_machine: Any
) -> None:
    set_second_factor(concierge, SECRET)
    for hour in range(8, 18):
        time_machine.move_to(f"2027-03-09T09:{hour * 5 - 30:02d}:00Z", tick=False)
        client.post(LOGIN, {"email": concierge.email, "password": "essai"})
    answer = give_password(client, concierge)
    assert answer.status_code == 429
    assert "Trop d’essais" in answer.content.decode()


@pytest.mark.parametrize("path", ["/admin/", "/admin/pages/", "/admin/login/", "/admin/users/"])
def test_residents_and_partners_never_enter_the_admin(
    client: Client, member: Member, path: str
) -> None:
    assert client.get(path).url.startswith(LOGIN)
    client.force_login(member.user)
    assert client.get(path).status_code in {302, 403}
    if path != "/admin/login/":
        assert client.get(path).status_code == 403


def test_wagtails_login_leads_to_ours(client: Client, place: Place) -> None:
    assert client.get("/admin/login/?next=/admin/pages/").url == f"{LOGIN}?next=/admin/pages/"
    assert client.post("/admin/login/", {"username": "a", "password": "b"}).status_code == 302


@pytest.mark.parametrize(
    ("role", "enters"),
    [(Role.CONCIERGE, True), (Role.OFFICER, True), (Role.EDITOR, False)],
)
def test_the_role_decides(client: Client, place: Place, role: str, enters: bool) -> None:
    user = AssignmentFactory(place=place, role=role).user
    sign_in_staff(client, user)
    member = MemberFactory(place=place)
    expected = 200 if enters else 403
    assert client.get(f"/accueil/lettre/{member.pk}/").status_code == expected


def test_a_resident_sees_no_staff_page(client: Client, member: Member) -> None:
    client.force_login(member.user)
    assert client.get(f"/accueil/lettre/{member.pk}/").status_code == 403
    assert client.get("/accueil/choisir/").status_code == 403
    assert client.get("/compte/equipe/securite/").status_code == 404
    assert client.get("/compte/equipe/mot-de-passe/").status_code == 404


def test_several_places_are_chosen_among(client: Client, concierge_user: User) -> None:
    other = PlaceFactory(name="Conciergerie du Pigeonnier")
    AssignmentFactory(user=concierge_user, place=other)
    foreign = PlaceFactory(name="Ailleurs")
    sign_in_staff(client, concierge_user)
    member = MemberFactory(place=other)
    path = f"/accueil/lettre/{member.pk}/"

    asked = client.get(path)
    assert asked.url.startswith("/accueil/choisir/?next=")
    assert "Pigeonnier" in client.get(asked.url).content.decode()
    assert client.post("/accueil/choisir/", {"place": foreign.pk}).status_code == 404
    assert client.post("/accueil/choisir/", {"place": "x"}).status_code == 404
    answer = client.post("/accueil/choisir/", {"place": other.pk, "next": path})
    assert answer.url == path
    assert client.get(path).status_code == 200


def test_staff_of_another_place_find_nobody(client: Client, member: Member) -> None:
    sign_in_staff(client, AssignmentFactory(place=PlaceFactory()).user)
    assert client.get(f"/accueil/lettre/{member.pk}/").status_code == 404
    assert client.post(f"/accueil/lettre/{member.pk}/").status_code == 404
    assert client.get(f"/accueil/carte/{member.pk}/").status_code == 404


def test_groups_follow_roles(place: Place, now: Any) -> None:
    user, boss = UserFactory(), UserFactory()
    given = assign(user, place, Role.EDITOR, by=boss, now=now)
    assert [group.name for group in user.groups.all()] == ["editor"]
    assert list(staff_places(user)) == [place]
    with pytest.raises(Refused):
        dismiss(given, by=user, now=now)
    dismiss(given, by=boss, now=now)
    sync_groups(user)
    assert not user.groups.exists()


def test_security_pages_are_in_our_dress(client: Client, concierge: User) -> None:
    set_second_factor(concierge, SECRET)
    give_password(client, concierge)
    client.post("/compte/equipe/code/", {"code": current_code()})
    for path in (
        "/compte/equipe/securite/",
        "/compte/equipe/mot-de-passe/",
        "/compte/appareils/",
        "/compte/equipe/confirmer/",
        "/compte/equipe/confirmer/code/",
        "/compte/deconnexion/",
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        assert 'class="sign"' in page.content.decode(), path
        assert "style=" not in page.content.decode().replace("stylesheet", ""), path
    for path in (
        "/compte/equipe/securite/application/retirer/",
        "/compte/equipe/securite/cles/ajouter/",
        "/compte/equipe/securite/secours/renouveler/",
    ):
        assert client.get(path).url.startswith("/compte/equipe/confirmer/"), path
    client.post("/compte/equipe/confirmer/", {"password": PASSWORD})
    for path in (
        "/compte/equipe/securite/application/retirer/",
        "/compte/equipe/securite/cles/",
        "/compte/equipe/securite/cles/ajouter/",
        "/compte/equipe/securite/secours/renouveler/",
    ):
        assert client.get(path).status_code == 200, path


def test_an_older_session_must_use_the_new_second_factor(client: Client, concierge: User) -> None:
    give_password(client, concierge)
    set_second_factor(concierge, SECRET)
    confirm = "/compte/equipe/confirmer/code/"
    for screen in ("/desk/", "/admin/", "/compte/equipe/securite/cles/ajouter/"):
        assert client.get(screen).url.startswith(confirm), screen
    answer = client.post(f"{confirm}?next=/desk/", {"code": current_code(), "next": "/desk/"})
    assert answer.url == "/desk/"
    assert client.get("/desk/").status_code == 200


@pytest.mark.parametrize(("role", "page"), [(Role.CONCIERGE, "/desk/"), (Role.EDITOR, "/admin/")])
def test_staff_go_to_their_work(client: Client, place: Place, role: str, page: str) -> None:
    user = AssignmentFactory(place=place, role=role).user
    user.set_password(PASSWORD)
    user.save()
    set_second_factor(user, SECRET)
    client.post(LOGIN, {"email": user.email, "password": PASSWORD})
    assert client.post("/compte/equipe/code/", {"code": current_code()}).url == page
    assert client.get(LOGIN).url == page
