"""From the number of places to "C’est réservé", the waiting list, and what is refused."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from club.enums import Activity
from club.models import Member, Place
from events.domain.registrations import cancel
from events.enums import Entry, RegistrationStatus
from events.models import Question, Registration, Session
from tests.factories.club import NOW, MemberFactory, PlaceFactory, RightFactory, UserFactory
from tests.factories.events import RegistrationFactory, SessionFactory, make_event

KEY = "k" * 40


@pytest.fixture(autouse=True)
def at_the_counter() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def session(place: Place) -> Session:
    return SessionFactory(place=place, capacity=6)


@pytest.fixture
def signed_in(client: Client, member: Member) -> Client:
    client.force_login(member.user)
    return client


def press(client: Client, session: Session, places: Any = 3, **more: Any) -> Any:
    data = {"places": places, "key": KEY, **more}
    return client.post(f"/seances/{session.public_id}/inscrire/", data)


def text_of(response: Any) -> str:
    words = re.sub(r"<[^>]+>", "", response.content.decode())
    return re.sub(r"\s+", " ", words).replace("\u00a0", " ")


# -- The way in --------------------------------------------------------------------------------


def test_a_visitor_signs_in_and_comes_back_to_the_number(
    client: Client, session: Session, member: Member
) -> None:
    page = client.get(session.get_absolute_url())
    assert "6 places libres" in text_of(page)
    assert "csrfmiddlewaretoken" not in page.content.decode().split("<main")[1].split("</main")[0]
    answer = client.get(f"/seances/{session.public_id}/inscrire/", {"places": "3"})
    wanted = f"/compte/connexion/?next=%2Fseances%2F{session.public_id}%2F%3Fplaces%3D3"
    assert answer.headers["Location"] == wanted
    assert press(client, session).headers["Location"] == wanted
    client.force_login(member.user)
    back = client.get(f"{session.get_absolute_url()}?places=3")
    assert 'name="places" min="1" max="6" inputmode="numeric" required value="3"' in (
        back.content.decode()
    )
    again = client.get(f"/seances/{session.public_id}/inscrire/", {"places": "3"})
    assert again.headers["Location"] == f"{session.get_absolute_url()}?places=3"


def test_what_is_no_number_of_places_is_left_out(signed_in: Client, session: Session) -> None:
    for wrong in ("0", "-1", "21", "abc", "٣", "%00", "9" * 40, ""):
        page = signed_in.get(f"{session.get_absolute_url()}?places={wrong}")
        assert page.status_code == 200
        assert page.context["quantity"] is None
    for wrong in ("0", "-1", "21", "abc", "\x00", "9" * 40, ""):
        assert press(signed_in, session, wrong).status_code == 422
    assert not Registration.objects.exists()


# -- Places taken ------------------------------------------------------------------------------


def test_three_places_are_taken_in_one_press(
    signed_in: Client, session: Session, member: Member
) -> None:
    answer = press(signed_in, session)
    made = Registration.objects.get()
    assert answer.headers["Location"] == f"/seances/inscrit/{made.reference}/"
    assert (made.quantity, made.status, made.member) == (3, "confirmed", member)
    words = text_of(signed_in.get(answer.headers["Location"]))
    for said in [
        "C’est réservé",
        "Atelier cuisine",
        "Mardi 16 mars",
        "3 places",
        "Ajouter à mon agenda",
        "Laisser ma place",
    ]:
        assert said in words, said


def test_pressed_twice_it_is_made_once(signed_in: Client, session: Session) -> None:
    first = press(signed_in, session)
    second = press(signed_in, session)
    assert first.headers["Location"] == second.headers["Location"]
    assert Registration.objects.count() == 1


def test_the_confirmation_is_for_its_own_member_alone(
    client: Client, other_member: Member, session: Session, member: Member
) -> None:
    made = RegistrationFactory(session=session, member=member)
    path = f"/seances/inscrit/{made.reference}/"
    assert client.get(path).status_code == 302
    client.force_login(other_member.user)
    assert client.get(path).status_code == 404
    client.force_login(member.user)
    assert client.get(path).status_code == 200
    cancel(made, by=member.user, now=NOW)
    assert client.get(path).headers["Location"] == f"/mon-espace/reservations/{made.reference}/"


def test_what_costs_is_said_before_and_paid_after(
    signed_in: Client, place: Place, member: Member, settings: Any
) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_1"
    session = SessionFactory(place=place, price_cents=300)
    page = text_of(signed_in.get(session.get_absolute_url()))
    assert "3 € la place, à payer en ligne ou à l’accueil." in page
    answer = press(signed_in, session)
    made = Registration.objects.get()
    assert made.status == RegistrationStatus.PENDING
    page = signed_in.get(answer.headers["Location"])
    words = text_of(page)
    assert "Il reste à payer" in words
    assert "9 €" in words
    assert "Vos places sont gardées jusqu’au jeudi 11 mars à 10 h 24." in words
    assert f'href="/mon-espace/payer/registration/{made.pk}/"' in page.content.decode()
    settings.STRIPE_SECRET_KEY = ""
    page = signed_in.get(answer.headers["Location"])
    assert "Payez à l’accueil." in text_of(page)
    assert "/mon-espace/payer/" not in page.content.decode()


def test_a_subscriber_reads_that_it_is_free(
    signed_in: Client, place: Place, member: Member
) -> None:
    session = SessionFactory(place=place, price_cents=300)
    RightFactory(household=member.household, activity=Activity.EVENTS)
    words = text_of(signed_in.get(session.get_absolute_url()))
    assert "Gratuit pour vous, avec votre abonnement." in words


def test_at_the_same_time_is_told_and_allowed(
    signed_in: Client, session: Session, place: Place, member: Member
) -> None:
    other = SessionFactory(place=place, event=make_event(place, title="Gym douce"))
    RegistrationFactory(session=other, member=member)
    answer = press(signed_in, session)
    words = text_of(signed_in.get(answer.headers["Location"]))
    assert "Au même moment, vous avez aussi : Gym douce" in words


def test_what_the_desk_confirms_is_asked_for(signed_in: Client, place: Place) -> None:
    session = SessionFactory(place=place, needs_approval=True)
    assert "Demander ma place" in text_of(signed_in.get(session.get_absolute_url()))
    answer = press(signed_in, session)
    assert "C’est demandé" in text_of(signed_in.get(answer.headers["Location"]))


# -- Names, ages, questions ----------------------------------------------------------------------


@pytest.fixture
def asking(place: Place) -> Session:
    event = make_event(place, asks_names=True, asks_ages=True, age_min=6)
    Question.objects.create(event=event, text="Apportez-vous un plat ?", kind="yes_no")
    Question.objects.create(
        event=event, text="Quel repas ?", kind="choice", choices="Viande\nLégumes", required=False
    )
    Question.objects.create(event=event, text="Combien de chaises ?", kind="number")
    return SessionFactory(place=place, event=event, price_cents=300)


def answers(asking: Session, *values: str) -> dict[str, str]:
    numbers = asking.event.questions.order_by("sort_order", "pk").values_list("pk", flat=True)
    return {f"question_{pk}": value for pk, value in zip(numbers, values, strict=True)}


def test_the_number_comes_first_then_who_comes(
    signed_in: Client, asking: Session, member: Member
) -> None:
    first = signed_in.get(asking.get_absolute_url())
    assert "Personne 1" not in text_of(first)
    assert "Continuer" in text_of(first)
    second = signed_in.get(f"{asking.get_absolute_url()}?places=2")
    words = text_of(second)
    assert "2 places" in words
    assert "6 € en tout" in words
    assert "Personne 2" in words
    assert second.context["form"]["nom_1"].value() == member.user.get_full_name()
    people = {"nom_1": "Samira", "nom_2": "Inès", "age_2": "8"}
    answer = press(signed_in, asking, 2, **people, **answers(asking, "yes", "Légumes", "2"))
    made = Registration.objects.get()
    assert answer.status_code == 302
    assert [(one.name, one.age) for one in made.participants.order_by("pk")] == [
        ("Samira", None),
        ("Inès", 8),
    ]
    assert [one.value for one in made.answers.order_by("pk")] == ["yes", "Légumes", "2"]


def test_what_is_wrong_is_said_on_top_and_at_its_field_and_nothing_is_lost(
    signed_in: Client, asking: Session
) -> None:
    people = {"nom_1": "Samira", "nom_2": "", "age_1": "4", "age_2": "douze"}
    page = press(signed_in, asking, 2, **people, **answers(asking, "", "Poisson", "deux"))
    assert page.status_code == 422
    words = page.content.decode()
    assert "<title>Erreur" in words
    assert 'href="#id_nom_2">Écrivez le nom de cette personne.' in words
    assert 'href="#id_age_2">Écrivez un âge en chiffres.' in words
    assert "Répondez à cette question." in words
    assert "Choisissez une des réponses." in words
    assert "Écrivez un nombre." in words
    assert 'value="Samira"' in words
    assert 'value="deux"' in words
    people = {"nom_1": "Samira", "nom_2": "Inès", "age_1": "4", "age_2": "5"}
    page = press(signed_in, asking, 2, **people, **answers(asking, "no", "", "0"))
    assert page.status_code == 422
    words = page.content.decode()
    assert words.count("C’est à partir de 6 ans.") == 4
    assert 'href="#id_age_1">' in words
    assert not Registration.objects.exists()


def test_an_answer_to_another_events_question_is_not_kept(
    signed_in: Client, session: Session, asking: Session
) -> None:
    press(signed_in, session, 1, **answers(asking, "yes", "Légumes", "2"), nom_1="Samira")
    made = Registration.objects.get()
    assert (made.answers.count(), made.participants.count()) == (0, 0)


# -- The waiting list --------------------------------------------------------------------------


def test_a_full_session_offers_to_wait_for_all_together(
    client: Client, signed_in: Client, session: Session, other_member: Member
) -> None:
    RegistrationFactory(session=session, quantity=6)
    words = text_of(signed_in.get(session.get_absolute_url()))
    assert "C’est complet. Attendre une place ?" in words
    assert "Qui attend plus de places garde son tour." in words
    assert "Une proposition vous attend jusqu’au lendemain, 20 h." in words
    answer = press(signed_in, session, attente="1", moins="on")
    made = Registration.objects.get(status="waiting")
    assert (made.quantity, made.fewer_ok) == (3, True)
    page = text_of(signed_in.get(answer.headers["Location"]))
    assert "Vous êtes en attente" in page
    assert "Vous êtes en tête de la liste d’attente." in page
    assert "Quitter la liste d’attente" in page
    client.force_login(other_member.user)
    answer = press(client, session, 2, attente="1")
    assert "Vous êtes au rang 2 de la liste d’attente." in text_of(
        client.get(answer.headers["Location"])
    )


def test_too_few_places_are_said_and_the_number_is_kept(
    signed_in: Client, session: Session
) -> None:
    RegistrationFactory(session=session, quantity=4)
    page = press(signed_in, session, 3)
    assert page.status_code == 422
    words = text_of(page)
    assert "Il reste 2 places." in words
    assert "Il reste 2 places. Attendre pour en avoir plus ?" in words
    assert 'name="attente" value="1"' in page.content.decode()
    assert 'value="3"' in page.content.decode()
    assert f'href="{session.get_absolute_url()}?places=2"' in page.content.decode()
    assert not Registration.objects.filter(quantity=3).exists()


def test_who_would_have_waited_takes_what_came_free(signed_in: Client, session: Session) -> None:
    press(signed_in, session, 3, attente="1")
    assert Registration.objects.get().status == RegistrationStatus.CONFIRMED


def test_in_the_last_hours_nobody_waits_any_more(
    client: Client, place: Place, member: Member
) -> None:
    starts_at = NOW + timedelta(hours=2)
    session = SessionFactory(place=place, capacity=1, starts_at=starts_at)
    RegistrationFactory(session=session)
    later = SessionFactory(place=place, event=session.event)
    page = client.get(session.get_absolute_url())
    words = text_of(page)
    assert "La liste d’attente est close. Une place libre va à qui vient." in words
    assert "Appeler le 03 53 01 24 60" in words
    assert later.get_absolute_url() in page.content.decode()
    client.force_login(member.user)
    assert press(client, session, 1, attente="1").status_code == 422


# -- Refused -----------------------------------------------------------------------------------


def test_each_reason_is_said_before_anything_is_typed(
    signed_in: Client, place: Place, member: Member
) -> None:
    said = {
        "Les inscriptions sont closes.": {"closes_at": NOW},
        "Les inscriptions ouvrent": {"opens_at": NOW + timedelta(days=1)},
        "Les abonnés s’inscrivent d’abord.": {"others_at": NOW + timedelta(days=1)},
        "M’abonner": {"members_only": True},
        "Cette séance n’a pas lieu.": {"status": "cancelled"},
    }
    for words, fields in said.items():
        session = SessionFactory(place=place, **fields)
        page = signed_in.get(session.get_absolute_url())
        assert words in text_of(page), words
        assert 'name="places"' not in page.content.decode(), words
        assert press(signed_in, session).status_code == 422, words
    assert not Registration.objects.exists()


def test_who_is_registered_is_shown_their_place(
    signed_in: Client, session: Session, member: Member
) -> None:
    made = RegistrationFactory(session=session, member=member)
    page = signed_in.get(session.get_absolute_url())
    assert "Vous êtes inscrit" in text_of(page)
    assert f'href="/mon-espace/reservations/{made.reference}/"' in page.content.decode()
    refused = press(signed_in, session)
    assert refused.status_code == 422
    assert "Vous êtes déjà inscrit à cette séance." in text_of(refused)


def test_a_household_limit_is_told_at_the_number(
    signed_in: Client, place: Place, member: Member
) -> None:
    session = SessionFactory(place=place, household_limit=2)
    page = press(signed_in, session, 3)
    assert page.status_code == 422
    assert 'href="#id_places">Un foyer prend 2' in page.content.decode()


def test_free_entry_and_entry_elsewhere_take_no_places_here(
    signed_in: Client, place: Place
) -> None:
    free = SessionFactory(place=place, event=make_event(place, entry=Entry.FREE))
    assert "On vient sans s’inscrire" in text_of(signed_in.get(free.get_absolute_url()))
    event = make_event(place, entry=Entry.ELSEWHERE, entry_url="https://example.org/x")
    elsewhere = SessionFactory(place=place, event=event)
    page = signed_in.get(elsewhere.get_absolute_url())
    assert 'href="https://example.org/x"' in page.content.decode()
    for session in (free, elsewhere):
        assert press(signed_in, session).status_code == 422
    assert not Registration.objects.exists()


def test_staff_without_a_members_account_are_told(client: Client, session: Session) -> None:
    client.force_login(UserFactory())
    assert "Ce compte n’est pas celui d’un membre." in text_of(
        client.get(session.get_absolute_url())
    )
    assert press(client, session).status_code == 403


def test_what_does_not_exist_is_not_found(client: Client, place: Place) -> None:
    for path in ("/seances/rien/", "/seances/rien/inscrire/", "/seances/evenement/rien.ics"):
        assert client.get(path).status_code == 404
    hidden = SessionFactory(place=PlaceFactory(is_public=False))
    assert client.get(hidden.get_absolute_url()).status_code == 404
    client.force_login(MemberFactory(place=hidden.place).user)
    assert client.get(hidden.get_absolute_url()).status_code == 200


def test_an_old_page_without_its_key_says_so(signed_in: Client, session: Session) -> None:
    page = press(signed_in, session, key="")
    assert page.status_code == 422
    assert "Cette page a vieilli." in text_of(page)
