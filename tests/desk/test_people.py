import re
from datetime import date

import pytest

from club.enums import RightSource, Role
from club.models import Member, Right
from concierge.enums import LoanStatus
from concierge.models import Loan
from tests.desk.conftest import words
from tests.factories.club import AssignmentFactory, CardFactory, MemberFactory, PlaceFactory
from tests.signin import sign_in_staff

NEW = {"first_name": "Inès", "last_name": "Diallo", "contact": "", "household": ""}


def created():
    return Member.objects.select_related("user").get(user__last_name="Diallo")


def test_four_fields_make_a_member_with_a_card(desk, place):
    response = desk.post("/desk/nouveau-membre/", NEW | {"contact": "06 12 34 56 78"}, follow=True)
    member = created()
    assert (member.place, member.user.phone) == (place, "+33612345678")
    said = words(response)
    assert f"Membre créé. Inès Diallo, carte {member.cards.get()}".replace("\xa0", " ") in said
    assert "Pas d’abonnement" in said


def test_an_email_does_as_well_and_so_does_nothing(desk):
    desk.post("/desk/nouveau-membre/", NEW | {"contact": "ines@example.org"})
    assert created().user.email == "ines@example.org"
    desk.post("/desk/nouveau-membre/", NEW | {"first_name": "Paul", "last_name": "Caron"})
    assert Member.objects.filter(user__last_name="Caron", user__email="").exists()


def test_the_same_household_by_card_or_by_name(desk, member):
    card = CardFactory(member=member)
    desk.post("/desk/nouveau-membre/", NEW | {"household": f"M{card.number}"})
    assert created().household == member.household
    desk.post("/desk/nouveau-membre/", NEW | {"last_name": "Petit", "household": "Benali"})
    assert Member.objects.get(user__last_name="Petit").household == member.household
    page = desk.get(f"/desk/nouveau-membre/?foyer={member.pk}")
    assert str(card) in page.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("first_name", "", "Écrivez le prénom."),
        ("contact", "abc", "Ce n’est ni un téléphone ni un e-mail."),
        ("contact", "a@b", "e-mail"),
        ("household", "Personne", "Personne ne porte ce nom ou ce numéro ici."),
    ],
)
def test_a_refused_form_keeps_what_was_typed(desk, field, value, said):
    response = desk.post("/desk/nouveau-membre/", NEW | {field: value})
    assert response.status_code == 422
    assert said in words(response)
    assert 'value="Diallo"' in response.content.decode()
    assert "<title>Erreur" in response.content.decode()
    assert not Member.objects.exists()


def test_two_of_that_name_are_no_household(desk, place):
    MemberFactory.create_batch(2, place=place)
    response = desk.post("/desk/nouveau-membre/", NEW | {"household": "benali"})
    assert "Plusieurs personnes portent ce nom. Scannez la carte." in words(response)


def test_a_likely_double_is_shown_first(desk, member):
    double = NEW | {"first_name": "Samira", "last_name": "Benaly"}
    response = desk.post("/desk/nouveau-membre/", double)
    assert "Cette personne est peut-être déjà membre." in words(response)
    assert f'href="/desk/?membre={member.pk}"' in response.content.decode()
    assert Member.objects.count() == 1
    desk.post("/desk/nouveau-membre/", double | {"is_other": "1"})
    assert Member.objects.filter(user__last_name="Benaly").exists()


def test_enter_in_a_field_asks_again_before_it_makes_a_double(desk, member):
    double = NEW | {"first_name": "Samira", "last_name": "Benaly"}
    page = desk.post("/desk/nouveau-membre/", double).content.decode()
    form = page[page.index('<form class="stack page--member"') :]
    first = re.search(r"<button[^>]*>", form)
    assert 'name="is_other"' not in first[0]


def test_a_paid_right_is_not_given_by_hand(officers_desk, member):
    path = f"/desk/membre/{member.pk}/abonnement/"
    answer = officers_desk.post(path, {"ends_on": "2028-03-08", "source": "payment"})
    assert answer.status_code == 422
    assert Right.objects.count() == 1


def test_a_double_at_another_place_is_named_without_a_link(desk, place):
    elsewhere = PlaceFactory(landlord=place.landlord, name="Conciergerie du Pigeonnier")
    there = MemberFactory(place=elsewhere)
    response = desk.post(
        "/desk/nouveau-membre/", NEW | {"first_name": "Samira", "last_name": "Benali"}
    )
    assert "Samira Benali, Conciergerie du Pigeonnier" in words(response)
    assert f"membre={there.pk}" not in response.content.decode()


def test_a_taken_phone_is_told_at_its_field(desk, member):
    member.user.phone = "+33612345678"
    member.user.save()
    response = desk.post("/desk/nouveau-membre/", NEW | {"contact": "0612345678", "is_other": "1"})
    assert response.status_code == 422
    assert "Un compte existe déjà avec ce téléphone." in words(response)


@pytest.fixture
def officers_desk(client, place):
    sign_in_staff(client, AssignmentFactory(place=place, role=Role.OFFICER).user)
    return client


def test_a_right_is_an_officers_gift(desk, place, member):
    assert desk.get(f"/desk/membre/{member.pk}/abonnement/").status_code == 403
    assert "Donner un droit" not in words(desk.get(f"/desk/?membre={member.pk}"))


def test_a_right_is_given_on_the_spot_for_a_year(officers_desk, place):
    desk = officers_desk
    member = MemberFactory(place=place)
    path = f"/desk/membre/{member.pk}/abonnement/"
    assert 'value="2028-03-08"' in desk.get(path).content.decode()
    response = desk.post(path, {"ends_on": "2028-03-08", "source": "gift"}, follow=True)
    assert "Droit donné. Samira Benali peut emprunter jusqu’au mercredi 8 mars 2028" in words(
        response
    )
    given = Right.objects.get()
    assert (given.household, given.starts_on, given.source) == (
        member.household,
        date(2027, 3, 9),
        RightSource.GIFT,
    )


@pytest.mark.parametrize("ends_on", ["2027-03-08", "2040-01-01", "9999-99-99", ""])
def test_an_odd_end_is_refused(officers_desk, member, ends_on):
    response = officers_desk.post(
        f"/desk/membre/{member.pk}/abonnement/", {"ends_on": ends_on, "source": "gift"}
    )
    assert response.status_code == 422
    assert Right.objects.count() == 1


def test_a_forgotten_loan_of_yesterday(desk, member, copy):
    card = CardFactory(member=member)
    page = desk.get(f"/desk/pret-oublie/?membre={member.pk}")
    assert str(card) in page.content.decode()
    assert 'value="2027-03-08"' in page.content.decode()
    response = desk.post(
        "/desk/pret-oublie/",
        {"who": str(card), "what": copy.label, "on": "2027-03-06"},
        follow=True,
    )
    assert "Prêt saisi : Gaufrier. À rendre samedi 13 mars." in words(response)
    loan = Loan.objects.get()
    assert (loan.status, loan.member) == (LoanStatus.OUT, member)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("on", "2027-02-01", "On saisit un prêt oublié de moins de huit jours."),
        ("what", "O123", "Aucun objet d’ici ne porte ce numéro."),
        ("who", "Inconnu", "Personne ne porte ce nom ou ce numéro ici."),
    ],
)
def test_a_refused_forgotten_loan_says_why(desk, member, copy, field, value, said):
    data = {"who": "Benali", "what": copy.label, "on": "2027-03-06"} | {field: value}
    response = desk.post("/desk/pret-oublie/", data)
    assert response.status_code == 422
    assert said in words(response)
    assert not Loan.objects.exists()


def test_a_result_is_said_once(desk, place, at_the_counter):
    response = desk.post("/desk/nouveau-membre/", NEW)
    assert "Membre créé." in words(desk.get(response["Location"]))
    at_the_counter.shift(90)
    assert "Membre créé." not in words(desk.get(response["Location"]))
    assert desk.get("/desk/?dit=made-up").status_code == 200
