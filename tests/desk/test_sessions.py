"""The door at the desk: scan, search, walk in, register, undo, mark, print."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Card, Member
from events.domain.registrations import register
from events.enums import RegistrationStatus, ScanOutcome
from events.models import CheckIn, Participant, Registration, Session, WalkIn
from events.tickets import ticket_code
from tests.desk.conftest import scan as scan_at_counter
from tests.desk.conftest import words
from tests.factories.club import NOW, CardFactory, MemberFactory, PlaceFactory
from tests.factories.events import RegistrationFactory, SessionFactory


@pytest.fixture
def session(place: Any) -> Session:
    """It begins in half an hour."""
    starts_at = NOW + timedelta(minutes=30)
    return SessionFactory(
        place=place,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
        closes_at=starts_at - timedelta(hours=1),
    )


@pytest.fixture
def family(member: Member, session: Session) -> Registration:
    return take(member, session, 3)


def take(member: Member, session: Session, quantity: int = 1, **more: Any) -> Registration:
    return register(
        member=member,
        session=session,
        quantity=quantity,
        by=member.user,
        now=NOW - timedelta(days=3),
        **more,
    )


def post(desk: Client, session: Session, path: str = "", **fields: Any) -> Any:
    return desk.post(f"/desk/seances/{session.public_id}/{path}", fields, headers={"X-Desk": "1"})


def told(response: Any) -> tuple[str, str]:
    said = response.context["screen"].told
    return said.kind, said.text.replace("\xa0", " ")


def fresh(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


# -- Lists -------------------------------------------------------------------------------


def test_todays_sessions_on_the_list_and_on_the_board(
    desk: Client, session: Session, family: Registration
) -> None:
    SessionFactory(place=session.place, in_days=3)
    page = words(desk.get("/desk/seances/"))
    assert "Aujourd’hui, mardi 9 mars" in page
    assert "0 sur 3" in page
    home = desk.get("/desk/")
    assert f"/desk/seances/{session.public_id}/" in home.content.decode()
    assert "Atelier cuisine 0 sur 3" in words(desk.get("/desk/jour/"))


def test_an_empty_place_says_so(desk: Client) -> None:
    assert "Aucune séance" in words(desk.get("/desk/seances/"))


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_has_a_constant_number_of_statements(
    desk: Client, place: Any, number: int
) -> None:
    for _ in range(number):
        RegistrationFactory(session=SessionFactory(place=place, in_days=1))
    desk.get("/desk/seances/")
    with CaptureQueriesContext(connection) as few:
        desk.get("/desk/seances/")
    RegistrationFactory(session=SessionFactory(place=place, in_days=2))
    with CaptureQueriesContext(connection) as more:
        desk.get("/desk/seances/")
    assert len(few) == len(more)


def test_the_door_has_a_constant_number_of_statements(
    desk: Client, session: Session, family: Registration
) -> None:
    address = f"/desk/seances/{session.public_id}/"
    desk.get(address)
    with CaptureQueriesContext(connection) as few:
        desk.get(address)
    for _ in range(3):
        CardFactory(member=take(MemberFactory(place=session.place), session).member)
    with CaptureQueriesContext(connection) as more:
        desk.get(address)
    assert len(few) == len(more)


# -- Scans -------------------------------------------------------------------------------


def test_a_card_lets_the_family_in_and_the_counter_says_so(
    desk: Client, session: Session, family: Registration, card: Card
) -> None:
    response = post(desk, session, texte="M204511", scan="7")
    assert told(response) == (ScanOutcome.IN, "Samira B., 3 personnes.")
    assert "3 sur 3 entrés" in words(response)
    assert told(post(desk, session, texte="M204511", scan="7"))[0] == ScanOutcome.IN
    again = post(desk, session, texte="204511", scan="8")
    assert told(again) == ("already", "Samira B. est déjà à l’intérieur depuis 10 h 24.")
    assert fresh(family).came == 3


@pytest.mark.parametrize("code", ["ticket", "reference"])
def test_a_ticket_lets_in(desk: Client, session: Session, family: Registration, code: str) -> None:
    text = ticket_code(family) if code == "ticket" else family.reference
    assert told(post(desk, session, texte=text))[0] == ScanOutcome.IN


def test_a_name_lets_in_whom_it_names_alone(
    desk: Client, session: Session, family: Registration
) -> None:
    Participant.objects.create(registration=family, name="Inès Benali")
    other = take(
        MemberFactory(place=session.place, user__first_name="Sami", user__last_name="Cohen"),
        session,
    )
    page = post(desk, session, texte="sam")
    assert page.context["screen"].choices == [family, other]
    assert fresh(family).status == RegistrationStatus.CONFIRMED
    assert told(post(desk, session, texte="2", choix=page.context["screen"].tokens))[0] == "in"
    assert fresh(other).status == RegistrationStatus.PRESENT
    assert told(post(desk, session, texte="inès"))[1] == "Samira B., 3 personnes."


def test_fewer_came_than_were_let_in(desk: Client, session: Session, family: Registration) -> None:
    page = post(desk, session, texte=family.reference)
    assert page.context["screen"].told.how_many == [1, 2]
    post(desk, session, f"inscription/{family.reference}/venus/", nombre="2")
    assert fresh(family).came == 2
    assert told(post(desk, session, texte=family.reference))[1] == "Samira B., 1 personne."


def test_each_answer_has_its_word_and_its_second_act(desk: Client, place: Any) -> None:
    starts_at = NOW + timedelta(minutes=30)
    session = SessionFactory(
        place=place,
        capacity=2,
        price_cents=300,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        closes_at=starts_at,
    )
    unpaid = take(MemberFactory(place=place), session, 2)
    turn = take(MemberFactory(place=place), session, waits=True)
    page = post(desk, session, texte=unpaid.reference)
    assert told(page) == ("unpaid", "Samira B. doit encore 6 €.")
    assert "Faire entrer, à payer" in words(page)
    page = post(desk, session, texte=turn.reference)
    assert told(page)[0] == "waiting"
    again = page.context["screen"].told.again
    page = post(desk, session, **again)
    assert told(page)[0] == "full"
    page = post(desk, session, **page.context["screen"].told.again)
    assert told(page) == ("in", "Samira B., 1 personne. Reste à payer : 3 €.")
    assert fresh(session).booked == 3


def test_another_session_of_the_day_has_a_way_to_its_door(
    desk: Client, session: Session, family: Registration
) -> None:
    other = SessionFactory(
        place=session.place,
        starts_at=session.starts_at + timedelta(hours=4),
        ends_at=session.ends_at + timedelta(hours=4),
    )
    page = post(desk, other, texte=family.reference)
    assert told(page)[0] == "wrong"
    assert f"/desk/seances/{session.public_id}/" in page.content.decode()


def test_a_card_that_is_not_on_the_list_is_registered_and_let_in(
    desk: Client, session: Session, member: Member, card: Card
) -> None:
    page = post(desk, session, texte="204511")
    assert told(page) == ("unknown", "Samira B. n’est pas sur la liste.")
    for _ in range(2):
        page = post(
            desk, session, "inscrire/", personne=member.pk, places="2", entrer="1", scan="44"
        )
    assert told(page) == ("in", "Samira B., 2 personnes.")
    assert Registration.objects.get().came == 2


@pytest.mark.parametrize(
    "text", ["O090001", "é" * 400, "\x00", "R0000000000", "https://x/y", "9", "<b>"]
)
def test_what_is_no_code_lets_nobody_in(
    desk: Client, session: Session, family: Registration, text: str
) -> None:
    assert post(desk, session, texte=text).status_code == 200
    assert fresh(family).status == RegistrationStatus.CONFIRMED


# -- Off line ----------------------------------------------------------------------------


def test_what_was_told_off_line_is_taken_as_it_was(
    desk: Client, session: Session, family: Registration
) -> None:
    fields = {"texte": family.reference, "scan": "5", "dit": "in", "nombre": "3", "age": "600000"}
    for _ in range(2):
        assert told(post(desk, session, **fields))[0] == "in"
    [row] = CheckIn.objects.all()
    assert (row.offline, row.at) == (True, NOW - timedelta(minutes=10))
    second = post(desk, session, **{**fields, "scan": "6"})
    assert told(second)[0] == "forced"
    turned_away = post(desk, session, texte="R0000000000", scan="9", dit="unknown")
    assert told(turned_away)[0] == "unknown"
    assert CheckIn.objects.count() == 3


@pytest.mark.parametrize("age", ["", "-5", "x", "9" * 30, "99999999999"])
def test_a_clock_that_says_nonsense(
    desk: Client, session: Session, family: Registration, age: str
) -> None:
    response = post(desk, session, texte=family.reference, age=age)
    assert response.status_code == 200


def test_the_page_carries_the_list_and_no_secret(
    desk: Client, session: Session, family: Registration, card: Card
) -> None:
    page = desk.get(f"/desk/seances/{session.public_id}/")
    kept = page.context["kept"]
    [line] = kept["lines"]
    assert (line["reference"], line["quantity"], line["state"]) == (family.reference, 3, "in")
    assert line["cards"] == ["204511"]
    assert card.token not in page.content.decode()
    assert "style=" not in page.content.decode()


# -- Walk-ins, registering, acts -----------------------------------------------------------


def test_a_walk_in_and_its_undo(desk: Client, session: Session) -> None:
    page = post(desk, session, "sans-inscription/", prenom="Inès", nombre="2", scan="1")
    assert told(page) == ("walk_in", "Inès, 2 personnes.")
    assert "2 sur 2 entrés" in words(page)
    path = page.context["screen"].told.undo
    for _ in range(2):
        page = desk.post(path, headers={"X-Desk": "1"})
        assert told(page)[0] == "out"
    assert WalkIn.objects.get().undone_at == NOW
    assert fresh(session).booked == 0


def test_a_full_room_asks_first(desk: Client, session: Session, family: Registration) -> None:
    Session.objects.filter(pk=session.pk).update(capacity=3)
    page = post(desk, session, "sans-inscription/", prenom="Inès", nombre="1", scan="1")
    assert told(page)[0] == "full"
    again = page.context["screen"].told
    page = desk.post(again.again_url, {**again.again, "scan": "2"}, headers={"X-Desk": "1"})
    assert told(page)[0] == "walk_in"


@pytest.mark.parametrize(
    ("name", "number"), [("", "1"), ("Inès", ""), ("Inès", "0"), ("Inès", "999"), ("\x00", "x")]
)
def test_a_walk_in_that_is_not_said_well(
    desk: Client, session: Session, name: str, number: str
) -> None:
    page = post(desk, session, "sans-inscription/", prenom=name, nombre=number)
    assert told(page)[0] == "refused"
    assert not WalkIn.objects.exists()


def test_a_member_is_registered_by_name(desk: Client, session: Session, member: Member) -> None:
    page = post(desk, session, "inscrire/", qui="benali", places="2", scan="3")
    assert told(page) == ("done", "Samira B., 2 personnes, inscrit.")
    made = Registration.objects.get()
    assert (made.quantity, made.channel, made.status) == (2, "desk", "confirmed")
    page = post(desk, session, "inscrire/", qui="personne", places="2")
    assert told(page)[0] == "refused"
    assert page.context["screen"].typed == {"qui": "personne", "places": "2"}


def test_full_and_willing_to_wait(desk: Client, session: Session, family: Registration) -> None:
    later = SessionFactory(place=session.place, capacity=1)
    take(MemberFactory(place=session.place), later)
    page = post(desk, later, "inscrire/", qui="benali", places="1")
    assert told(page)[0] == "refused"
    samira = family.member.user.last_name
    page = post(desk, later, "inscrire/", personne=family.member_id, qui=samira, places="1",
                attente="1")  # fmt: skip
    assert told(page)[0] == "waiting"
    assert "Liste d’attente, dans l’ordre" in words(page)


def test_an_undo_is_not_for_another_session(
    desk: Client, session: Session, family: Registration
) -> None:
    post(desk, session, texte=family.reference)
    other = SessionFactory(place=session.place)
    passage = CheckIn.objects.get().pk
    assert post(desk, other, f"defaire/?passage={passage}").status_code == 404
    for wrong in ("", "x", "9" * 20):
        assert post(desk, session, f"defaire/?passage={wrong}").status_code == 404
    assert told(post(desk, session, f"defaire/?passage={passage}"))[0] == "out"
    assert fresh(family).status == RegistrationStatus.CONFIRMED


def test_cancel_approve_and_decline(desk: Client, session: Session, family: Registration) -> None:
    Session.objects.filter(pk=session.pk).update(needs_approval=True)
    yes, no = (take(MemberFactory(place=session.place), session) for _ in range(2))
    for registration, act, status in [
        (family, "annuler", "cancelled"),
        (yes, "accepter", "confirmed"),
        (no, "refuser", "refused"),
    ]:
        path = f"inscription/{registration.reference}/{act}/"
        assert post(desk, session, path).status_code == 200
        assert fresh(registration).status == status
        assert told(post(desk, session, path))[0] in {"refused", "out"}
    assert post(desk, session, f"inscription/{yes.reference}/voler/").status_code == 404
    assert post(desk, session, "inscription/R0000000000/annuler/").status_code == 404


def test_absents_are_marked_after_the_beginning_and_taken_back(
    desk: Client, session: Session, family: Registration, at_the_counter: Any
) -> None:
    assert told(post(desk, session, "absents/"))[0] == "refused"
    at_the_counter.move_to(session.starts_at + timedelta(minutes=10))
    page = post(desk, session, "absents/")
    assert told(page) == ("out", "3 places sont libres pour qui vient.")
    assert fresh(family).status == RegistrationStatus.ABSENT
    page = desk.post(page.context["screen"].told.undo, headers={"X-Desk": "1"})
    assert fresh(family).status == RegistrationStatus.CONFIRMED
    for wrong in ("", "hier", "2027-03-09", "2027-99-99T10:00"):
        assert post(desk, session, f"attendus/?quand={wrong}").status_code == 404


# -- Elsewhere -----------------------------------------------------------------------------


def test_a_reference_or_a_ticket_at_the_counter_opens_the_person(
    desk: Client, session: Session, family: Registration
) -> None:
    for code in (family.reference, ticket_code(family)):
        screen = scan_at_counter(desk, code).context["screen"]
        assert screen.person.member == family.member
        assert screen.result.door == f"/desk/seances/{session.public_id}/"


def test_another_places_door_stays_shut(desk: Client, place: Any) -> None:
    elsewhere = SessionFactory(place=PlaceFactory(landlord=place.landlord))
    assert desk.get(f"/desk/seances/{elsewhere.public_id}/").status_code == 404
    for path in ("", "sans-inscription/", "inscrire/", "absents/", "attendus/", "defaire/"):
        assert post(desk, elsewhere, path, texte="x").status_code == 404


# -- On paper ------------------------------------------------------------------------------


def test_the_sheet_has_a_line_a_place(desk: Client, session: Session, family: Registration) -> None:
    Participant.objects.create(registration=family, name="Inès Benali")
    page = desk.get(f"/desk/seances/{session.public_id}/feuille/")
    assert [name for _one, name in page.context["rows"]] == [
        "Inès Benali",
        "Samira Benali, place 2",
        "Samira Benali, place 3",
    ]
    assert page.content.decode().count("day-sheet__tick") == 3 + 8


def test_a_training_gives_certificates_to_who_was_there(
    desk: Client, session: Session, family: Registration
) -> None:
    address = f"/desk/seances/{session.public_id}/attestations/"
    assert desk.get(address).status_code == 404
    session.event.is_training = True
    session.event.save()
    assert "Personne n’est noté présent" in words(desk.get(address))
    take(MemberFactory(place=session.place, user__first_name="Paul"), session)
    post(desk, session, texte=family.reference)
    page = desk.get(address)
    assert page.context["names"] == ["Samira Benali"]
    assert "le 9 mars 2027, de 10 h 54 à 12 h 54, soit 2 h." in words(page).replace("\xa0", " ")
