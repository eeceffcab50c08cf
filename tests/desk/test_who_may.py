import pytest
from django.urls import reverse

from club.enums import Role
from concierge.enums import LoanStatus
from concierge.models import Loan, Repair
from tests.factories.club import AssignmentFactory, PlaceFactory
from tests.factories.concierge import LoanFactory
from tests.signin import sign_in_staff

PAGES = [
    "desk:home",
    "desk:board",
    "desk:return-list",
    "desk:day",
    "desk:calls",
    "desk:new-member",
    "desk:forgotten-loan",
    "desk:till",
    "desk:receipts",
    "desk:journal",
    "desk:sessions",
]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", [Role.CONCIERGE, Role.OFFICER])
def test_concierge_and_officer_enter(client, place, name, role):
    sign_in_staff(client, AssignmentFactory(place=place, role=role).user)
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("name", PAGES)
def test_an_editor_and_a_resident_do_not(client, place, member, name):
    for user in (AssignmentFactory(place=place, role=Role.EDITOR).user, member.user):
        sign_in_staff(client, user)
        assert client.get(reverse(name)).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_a_visitor_is_sent_to_sign_in(client, place, name):
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("staff-login"))


def test_another_places_staff_find_nothing_here(client, place, member, copy):
    loan = LoanFactory(copy=copy, member=member)
    repair = Repair.objects.create(copy=copy, fault="dirty", opened_at=loan.created_at)
    elsewhere = PlaceFactory(landlord=place.landlord)
    sign_in_staff(client, AssignmentFactory(place=elsewhere).user)
    for act in ("preter", "rendre", "mettre-de-cote", "prolonger", "annuler", "perdu"):
        assert client.post(f"/desk/pret/{loan.reference}/{act}/").status_code == 404
    for path, data in [
        (f"/desk/exemplaire/{copy.label}/", {}),
        (f"/desk/exemplaire/{copy.label}/defaut/", {"defaut": "dirty"}),
        (f"/desk/reparation/{repair.pk}/", {"etape": "resolved"}),
        (f"/desk/membre/{member.pk}/encaisser/", {}),
        (f"/desk/membre/{member.pk}/plus-locataire/", {}),
        (f"/desk/pret/{loan.reference}/caution/", {}),
    ]:
        assert client.post(path, data).status_code == 404
    for query in (f"membre={member.pk}", f"objet={copy.label}"):
        assert client.get(f"/desk/?{query}").status_code == 404
    for path in (
        f"/desk/rendre/?membre={member.pk}",
        f"/desk/pret-oublie/?membre={member.pk}",
        f"/desk/nouveau-membre/?foyer={member.pk}",
        f"/desk/encaisser/?membre={member.pk}",
        f"/desk/membre/{member.pk}/encaisser/",
    ):
        assert client.get(path).status_code == 404
    for path in ("/desk/", "/desk/tableau/", "/desk/jour/", "/desk/appels/", "/desk/rendre/"):
        assert member.last_name not in client.get(path).content.decode()
    assert Loan.objects.get().status == LoanStatus.RESERVED


def test_deeds_are_posts(desk, member, copy):
    loan = LoanFactory(copy=copy, member=member)
    for path in (
        f"/desk/pret/{loan.reference}/preter/",
        "/desk/defaire/",
        f"/desk/exemplaire/{copy.label}/",
    ):
        assert desk.get(path).status_code == 405


def test_a_post_without_its_token_is_refused(place, concierge_user, copy):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    sign_in_staff(client, concierge_user)
    assert client.post("/desk/", {"texte": copy.label}).status_code == 403
