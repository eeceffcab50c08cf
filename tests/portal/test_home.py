"""Mon espace: one reminder, the windows, the card, the accesses."""

from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from club.models import ApiToken, Member, Right, User
from concierge.models import Copy, Loan
from tests.factories.club import UserFactory
from tests.factories.concierge import CopyFactory, LoanFactory

PAGES = [
    "", "reservations/", "carte/", "agenda/", "acces/", "informations/", "abonnement/",
    "abonnement/formules/", "abonnement/code/", "recus/", "paiements/",
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_visitor_signs_in_first(client: Client, member: Member, page: str) -> None:
    answer = client.get(f"/mon-espace/{page}")
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("page", PAGES)
def test_an_account_without_a_member_is_told(client: Client, member: Member, page: str) -> None:
    client.force_login(UserFactory())
    assert client.get(f"/mon-espace/{page}").status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_private_pages_are_kept_by_nobody(signed_in: Client, page: str) -> None:
    answer = signed_in.get(f"/mon-espace/{page}")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert 'name="robots" content="noindex"' in answer.text


def reminder(client: Client) -> tuple[str, str]:
    line = client.get("/mon-espace/").context["reminder"]
    return (line["title"], line["day"]) if line else ("", "")


def test_one_reminder_and_the_most_urgent(
    signed_in: Client, member: Member, copy: Copy, now: datetime
) -> None:
    def add(name: str, **more: object) -> Loan:
        other = CopyFactory(place=copy.place, tool__name=name)
        return LoanFactory(copy=other, member=member, **more)

    assert reminder(signed_in) == ("", "")
    add("Scie", starts_at=now + timedelta(days=9))
    assert reminder(signed_in)[0] == "Scie"
    add("Gril", status="out", starts_at=now - timedelta(days=2))
    assert reminder(signed_in)[0] == "Gril"
    add("Barnum", status="ready", starts_at=now + timedelta(days=6))
    assert reminder(signed_in)[0] == "Barnum"
    add("Échelle", status="out", starts_at=now - timedelta(days=7))
    assert reminder(signed_in) == ("Échelle", "mardi 9\u00a0mars")
    add("Sono", status="out", starts_at=now - timedelta(days=10))
    page = signed_in.get("/mon-espace/")
    assert page.context["reminder"]["title"] == "Sono"
    assert page.text.count('class="reminder') == 1 + page.text.count("reminder__words")
    assert "Sono, en retard" in page.text


def test_the_windows_lead_somewhere(signed_in: Client, copy: Copy) -> None:
    page = signed_in.get("/mon-espace/")
    assert "Bonjour Samira" in page.text
    assert "/emprunter/" in page.text
    Copy.objects.all().delete()
    page = signed_in.get("/mon-espace/")
    assert [tile["label"] for tile in page.context["own_tiles"]()] == ["Mes réservations"]


def test_the_subscription_in_words(signed_in: Client) -> None:
    assert (
        "Abonnement actif jusqu’au vendredi 31\u00a0décembre." in signed_in.get("/mon-espace/").text
    )
    Right.objects.update(ends_on=date(2027, 3, 1))
    assert (
        "Votre abonnement s’est arrêté le lundi 1er\u00a0mars."
        in signed_in.get("/mon-espace/").text
    )
    Right.objects.all().delete()
    assert "Vous n’avez pas encore d’abonnement." in signed_in.get("/mon-espace/").text


# -- Accesses ----------------------------------------------------------------------------


def test_a_token_is_shown_once(signed_in: Client, member: Member) -> None:
    page = signed_in.post("/mon-espace/acces/", {"name": "Agenda", "scope": "read"})
    assert page.status_code == 200
    plain = page.context["plain"]
    token = ApiToken.objects.get()
    assert (token.name, token.scope, token.user) == ("Agenda", "read", member.user)
    assert plain in page.text and "no-store" in page["Cache-Control"]
    again = signed_in.get("/mon-espace/acces/")
    assert plain not in again.text and "Agenda" in again.text


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "", "scope": "read"},
        {"name": "x", "scope": "tout"},
        {"name": "x" * 61, "scope": "read"},
        {"name": "\x00", "scope": "read"},
    ],
)
def test_a_refused_token_keeps_what_was_typed(signed_in: Client, data: dict[str, str]) -> None:
    page = signed_in.post("/mon-espace/acces/", data)
    assert page.status_code == 422
    assert "Il y a un problème" in page.text
    if data.get("name") == "x":
        assert 'value="x"' in page.text
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_by_its_owner_alone(
    client: Client, member: Member, other_member: Member
) -> None:
    client.force_login(member.user)
    client.post("/mon-espace/acces/", {"name": "Agenda", "scope": "read"})
    token = ApiToken.objects.get()
    path = f"/mon-espace/acces/{token.pk}/annuler/"
    client.force_login(other_member.user)
    assert (client.get(path).status_code, client.post(path).status_code) == (404, 404)
    client.force_login(User.objects.get(pk=member.user_id))
    assert client.get(path).status_code == 200
    token.refresh_from_db()
    assert token.revoked_at is None
    assert client.post(path)["Location"] == "/mon-espace/acces/"
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert client.get("/mon-espace/acces/").context["tokens"].count() == 0
    assert client.post(path)["Location"] == "/mon-espace/acces/"


def test_my_information_is_shown(signed_in: Client, member: Member) -> None:
    page = signed_in.get("/mon-espace/informations/")
    assert "Samira Benali" in page.text
    assert member.user.email in page.text
