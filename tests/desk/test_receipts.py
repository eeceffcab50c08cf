"""Receipts at the counter: on paper, found again, cancelled by their opposite."""

import pytest

from club.domain.access import set_second_factor
from club.domain.receipts import take_payment
from club.enums import Means, Role
from club.kernel.purchases import due_of
from club.models import Receipt, User
from concierge.domain.subscriptions import subscribe
from tests.club.test_staff_sign_in import SECRET, current_code
from tests.costs import session
from tests.desk.conftest import words
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.money import PlanFactory, TillDayFactory
from tests.signin import sign_in_staff


def paid(member: object, by: User, cents: int = 1200, given: int | None = None) -> Receipt:
    plan = PlanFactory(landlord=member.place.landlord, price_cents=cents)
    subscribe(member, plan, place=member.place, by=by, now=NOW)
    return take_payment(
        member=member, place=member.place, lines=due_of(member.household, NOW),
        means=Means.CASH, by=by, now=NOW, given_cents=given,
    )  # fmt: skip


@pytest.fixture
def receipt(place, concierge_user):
    TillDayFactory(place=place)
    return paid(MemberFactory(place=place), concierge_user, given=2000)


def said(response):
    return words(response).replace("\xa0", " ")


def test_a_receipt_on_paper_tells_all(desk, receipt, place):
    place.payee = "Association des Tilleuls"
    place.save()
    text = said(desk.get(f"/desk/recu/{receipt.pk}/"))
    for part in (
        "Association des Tilleuls", "Reçu 2027-000001", "Mardi 9 mars", "Samira Benali",
        "Abonnement « Habitants » 12 €", "Total 12 €", "Payé par espèces.", "Reçu 20 €, rendu 8 €.",
    ):  # fmt: skip
        assert part in text


def test_the_list_of_a_day_and_what_is_looked_for(desk, receipt, place, concierge_user):
    other = paid(
        MemberFactory(place=place, user__first_name="Aline", user__last_name="Roussel"),
        concierge_user,
    )
    everything = said(desk.get("/desk/recus/"))
    assert "2027-000001" in everything and "2027-000002" in everything
    assert "Aucun reçu ce jour-là." in said(desk.get("/desk/recus/?jour=2027-03-08"))
    by_name = said(desk.get("/desk/recus/?q=roussel"))
    assert str(other) in by_name and str(receipt) not in by_name
    for typed in ("2027-000001", "1", "000001", "2027 - 1"):
        found = said(desk.get("/desk/recus/", {"q": typed}))
        assert str(receipt) in found and str(other) not in found


@pytest.mark.parametrize("query", ["jour=9999-99-99", "jour=0000", "q=%00", "q=" + "9" * 200])
def test_odd_searches_are_no_fault(desk, receipt, query):
    assert desk.get(f"/desk/recus/?{query}").status_code in {200, 404}


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_takes_as_many_statements_for_more(
    desk, receipt, place, concierge_user, rows, django_assert_num_queries
):
    for _ in range(rows - 1):
        paid(MemberFactory(place=place), concierge_user)
    desk.get("/desk/recus/")
    with django_assert_num_queries(4 + session()):
        desk.get("/desk/recus/")


def test_it_is_cancelled_by_its_opposite_after_a_question(desk, receipt):
    path = f"/desk/recu/{receipt.pk}/annuler/"
    assert "Annuler et rendre 12 €" in said(desk.get(path))
    assert Receipt.objects.count() == 1
    answer = desk.post(path, follow=True)
    assert "Reçu annulé. Rendez 12 €." in said(answer)
    opposite = Receipt.objects.latest("pk")
    assert (opposite.cents, opposite.cancels) == (-1200, receipt)
    assert "Annule le reçu 2027-000001." in said(desk.get(f"/desk/recu/{opposite.pk}/"))
    assert "Annulé par le reçu 2027-000002." in said(desk.get(f"/desk/recu/{receipt.pk}/"))
    again = desk.post(path)
    assert again.status_code == 422
    assert "Ce reçu est déjà annulé." in said(again)


def test_above_the_limit_a_second_person_cancels(client, place, concierge_user):
    TillDayFactory(place=place)
    dear = paid(MemberFactory(place=place), concierge_user, cents=6000)
    path = f"/desk/recu/{dear.pk}/annuler/"
    sign_in_staff(client, concierge_user)
    refused = client.post(path)
    assert refused.status_code == 422
    assert "Au-dessus de 50 €, une autre personne annule le reçu." in said(refused)
    sign_in_staff(client, AssignmentFactory(place=place, role=Role.OFFICER).user)
    assert client.post(path).status_code == 302


def test_money_goes_back_only_after_a_fresh_proof(desk, receipt, at_the_counter, concierge_user):
    set_second_factor(concierge_user, SECRET)
    path = f"/desk/recu/{receipt.pk}/annuler/"
    at_the_counter.shift(31 * 60)
    for method in (desk.get, desk.post):
        answer = method(path)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/compte/equipe/confirmer/code/?next=")
    assert Receipt.objects.count() == 1
    proved = desk.post(answer["Location"], {"code": current_code(), "next": path})
    assert proved["Location"] == path
    assert desk.get(path).status_code == 200


def test_another_places_receipt_is_not_found(client, receipt):
    sign_in_staff(client, AssignmentFactory(place=PlaceFactory(slug="ailleurs")).user)
    for path in ("", "annuler/"):
        assert client.get(f"/desk/recu/{receipt.pk}/{path}").status_code == 404
    assert client.post(f"/desk/recu/{receipt.pk}/annuler/").status_code == 404
    assert "2027-000001" not in words(client.get("/desk/recus/?q=1"))
