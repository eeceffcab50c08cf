"""Mes réservations, and one booking through both of its doors."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from club.kernel.links import booking_path
from club.models import LogEntry, Member, Message, User
from concierge.domain.lending import take_back
from concierge.enums import LoanStatus
from concierge.models import Copy, Loan
from tests.factories.concierge import CopyFactory, LoanFactory, ToolFactory

ACTS = ["", "changer/", "annuler/", "prolonger/", "agenda.ics"]


def page_of(loan: Loan, act: str = "") -> str:
    return f"/mon-espace/reservations/{loan.reference}/{act}"


# -- The list --------------------------------------------------------------------------


def test_what_is_open_comes_first_in_time_order(
    signed_in: Client, member: Member, loan_out: Loan, copy: Copy, now: datetime
) -> None:
    drill = CopyFactory(place=copy.place, tool__name="Perceuse")
    LoanFactory(copy=drill, member=member, starts_at=now + timedelta(days=3))
    LoanFactory(
        copy=drill,
        member=member,
        starts_at=now - timedelta(days=30),
        status="returned",
        returned_at=now - timedelta(days=25),
    )
    page = signed_in.get("/mon-espace/reservations/")
    assert [(line["title"], line["label"], line["day"]) for line in page.context["open"]] == [
        ("Gaufrier", "À rendre", "mardi 16\u00a0mars"),
        ("Perceuse", "À retirer", "vendredi 12\u00a0mars"),
    ]
    assert [(line["title"], line["label"]) for line in page.context["over"]] == [
        ("Perceuse", "Rendu")
    ]
    assert page_of(loan_out, "prolonger/") in page.text


def test_an_empty_list_says_what_to_do(signed_in: Client) -> None:
    page = signed_in.get("/mon-espace/reservations/")
    assert "Rien de réservé pour le moment" in page.text
    assert "/emprunter/" in page.text


def test_another_s_bookings_are_not_in_my_list(
    client: Client, other_member: Member, loan: Loan
) -> None:
    client.force_login(other_member.user)
    assert client.get("/mon-espace/reservations/").context["open"] == []


def test_a_long_list_costs_no_more(signed_in: Client, member: Member, copy: Copy) -> None:
    def add(number: int) -> None:
        for _ in range(number):
            tool = ToolFactory(landlord=copy.place.landlord)
            LoanFactory(copy=CopyFactory(tool=tool, place=copy.place), member=member)

    add(3)
    signed_in.get("/mon-espace/reservations/")
    with CaptureQueriesContext(connection) as few:
        signed_in.get("/mon-espace/reservations/")
    add(37)
    with CaptureQueriesContext(connection) as many:
        page = signed_in.get("/mon-espace/reservations/")
    assert len(page.context["open"]) == 40
    assert len(many) == len(few)


# -- One booking -----------------------------------------------------------------------


@pytest.fixture(params=["session", "link"])
def door(request: pytest.FixtureRequest, client: Client, member: Member, loan: Loan) -> str:
    """The address of the loan's page for somebody who may: signed in, or with the link."""
    if request.param == "session":
        client.force_login(member.user)
        return page_of(loan)
    return booking_path(loan.reference)


def test_the_page_shows_the_ticket_and_what_can_be_done(client: Client, door: str) -> None:
    page = client.get(door)
    assert page.status_code == 200
    assert page.context["acts"] == {"move", "cancel"}
    assert [row["label"] for row in page.context["ticket"]["rows"]] == [
        "À retirer",
        "Où",
        "À rendre",
    ]
    for words in ["Changer le jour", "Annuler ma réservation", "Ajouter à mon agenda"]:
        assert words in page.text
    assert "no-store" in page["Cache-Control"]


def test_another_day_is_taken_by_one_press(client: Client, door: str, loan: Loan) -> None:
    page = client.get(door + "changer/")
    assert page.context["buttons"][0].label == "Venir mercredi 10\u00a0mars"
    answer = client.post(door + "changer/", {"slot": "2027-03-11"})
    assert answer["Location"] == door
    loan.refresh_from_db()
    assert (loan.pickup_on, loan.due_on) == (date(2027, 3, 11), date(2027, 3, 18))
    assert "C’est changé. Venez jeudi 11\u00a0mars." in client.get(door).text


def test_a_chosen_length_stays_with_the_move(
    client: Client, door: str, loan: Loan, now: datetime
) -> None:
    Loan.objects.update(due_on=date(2027, 3, 12))
    client.post(door + "changer/", {"slot": "2027-03-10"})
    loan.refresh_from_db()
    assert loan.due_on == date(2027, 3, 13)


def test_a_day_that_is_taken_is_refused_with_the_next_ones(
    client: Client, door: str, loan: Loan, copy: Copy, other_member: Member, now: datetime
) -> None:
    LoanFactory(
        copy=copy,
        member=other_member,
        starts_at=now + timedelta(days=8),
        ends_at=now + timedelta(days=15),
    )
    answer = client.post(door + "changer/", {"slot": "2027-03-12", "jours": "plus"})
    assert answer.status_code == 422
    assert "Cet objet est déjà réservé à ces dates." in answer.text
    assert any(not button.taken for button in answer.context["buttons"])
    assert any(button.taken for button in answer.context["buttons"])
    loan.refresh_from_db()
    assert loan.pickup_on == now.date()


def test_a_slot_that_cannot_be_read_changes_nothing(
    client: Client, door: str, loan: Loan, now: datetime
) -> None:
    answer = client.post(door + "changer/", {"slot": "bientôt"})
    assert answer.status_code == 422
    assert "Choisissez un jour." in answer.text


def test_cancelling_is_asked_once_more(client: Client, door: str, loan: Loan) -> None:
    assert "Annuler cette réservation" in client.get(door + "annuler/").text
    loan.refresh_from_db()
    assert loan.status == LoanStatus.RESERVED
    answer = client.post(door + "annuler/")
    assert answer["Location"] == door
    loan.refresh_from_db()
    assert loan.status == LoanStatus.CANCELLED
    assert "C’est annulé." in client.get(door).text


def test_cancelled_twice_is_told(client: Client, door: str, loan: Loan) -> None:
    client.post(door + "annuler/")
    answer = client.post(door + "annuler/")
    assert answer.status_code == 422
    assert "ne peut plus être annulée" in answer.text
    assert client.get(door + "annuler/")["Location"] == door
    assert client.get(door + "changer/")["Location"] == door
    assert client.post(door + "changer/", {"slot": "2027-03-11"}).status_code == 422
    assert Message.objects.filter(event="loan.cancelled").count() == 1


def test_a_loan_is_prolonged_once(client: Client, door: str, loan_out: Loan) -> None:
    assert "Prolonger" in client.get(door).text
    assert client.post(door + "prolonger/")["Location"] == door
    loan_out.refresh_from_db()
    assert loan_out.due_on == date(2027, 3, 23)
    assert "C’est prolongé. À rendre mardi 23\u00a0mars." in client.get(door).text
    answer = client.post(door + "prolonger/")
    assert answer.status_code == 422
    assert "Ce prêt a déjà été prolongé." in answer.text
    assert client.get(door + "prolonger/")["Location"] == door


def test_a_returned_loan_offers_no_act(
    client: Client, door: str, loan_out: Loan, concierge_user: User, now: datetime
) -> None:
    take_back(copy=loan_out.copy, by=concierge_user, now=now)
    page = client.get(door)
    assert page.context["acts"] == set()
    assert "Emprunter un autre objet" in page.text


def test_the_act_is_written_down_as_the_member_s(
    client: Client, door: str, member: Member, loan: Loan
) -> None:
    client.post(door + "annuler/")
    assert LogEntry.objects.get(verb="cancel").actor == member.user


# -- Somebody else's ---------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_another_s_reference_does_not_exist(
    client: Client, other_member: Member, loan: Loan, act: str, method: str
) -> None:
    client.force_login(other_member.user)
    answer = getattr(client, method)(page_of(loan, act), {"slot": "2027-03-11"})
    expected = 405 if method == "post" and act in {"", "agenda.ics"} else 404
    assert answer.status_code == expected
    loan.refresh_from_db()
    assert (loan.status, loan.sequence) == (LoanStatus.RESERVED, 0)


@pytest.mark.parametrize("act", ACTS)
def test_a_concierge_uses_the_desk_for_what_is_another_s(
    client: Client, concierge_user: User, other_member: Member, loan: Loan, act: str
) -> None:
    Member.objects.filter(pk=other_member.pk).update(user=concierge_user)
    client.force_login(concierge_user)
    assert client.get(page_of(loan, act)).status_code == 404


@pytest.mark.parametrize("act", ACTS)
def test_a_visitor_signs_in_first(client: Client, loan: Loan, act: str) -> None:
    answer = client.get(page_of(loan, act))
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("act", ACTS)
def test_an_unknown_reference_does_not_exist(signed_in: Client, act: str) -> None:
    assert signed_in.get(f"/mon-espace/reservations/R0000000000/{act}").status_code == 404


# -- The signed link -----------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    "forge",
    [
        lambda path: path.replace("/r/", "/r/x"),
        lambda path: path[:-3] + ("A/" if path[-2] != "A" else "B/"),
        lambda path: f"/mon-espace/r/{signing.dumps('R1', salt='other')}/",
        lambda path: f"/mon-espace/r/{signing.dumps('R0000000000', salt='booking')}/",
        lambda path: f"/mon-espace/r/{signing.dumps(['R1'], salt='booking')}/",
    ],
    ids=["prefix", "signature", "salt", "unknown", "shape"],
)
def test_a_forged_link_opens_nothing(client: Client, loan: Loan, act: str, forge) -> None:
    answer = client.get(forge(booking_path(loan.reference)) + act)
    assert answer.status_code == 404


@pytest.mark.parametrize("act", ACTS)
def test_an_old_link_leads_to_signing_in(
    client: Client, loan: Loan, act: str, clock: time_machine.Traveller, now: datetime
) -> None:
    path = booking_path(loan.reference)
    clock.move_to(now + timedelta(days=120, hours=3))
    answer = client.get(path + act)
    assert answer.status_code == 410
    assert "/mon-espace/reservations/" in answer.text


def test_a_link_opens_its_booking_alone(client: Client, loan: Loan) -> None:
    path = booking_path(loan.reference)
    assert client.get(path).status_code == 200
    assert client.get("/mon-espace/reservations/")["Location"].startswith(reverse("account_login"))
    assert client.get(page_of(loan))["Location"].startswith(reverse("account_login"))


def test_the_link_of_a_closed_account_opens_nothing(client: Client, loan: Loan) -> None:
    User.objects.filter(pk=loan.member.user_id).update(is_active=False)
    assert client.get(booking_path(loan.reference)).status_code == 404


def test_a_link_opens_for_somebody_else_who_is_signed_in(
    client: Client, other_member: Member, loan: Loan
) -> None:
    client.force_login(other_member.user)
    assert client.get(booking_path(loan.reference)).status_code == 200


def test_each_post_asks_for_its_token(member: Member, loan: Loan) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member.user)
    for path in (page_of(loan), booking_path(loan.reference)):
        for act in ("changer/", "annuler/", "prolonger/"):
            assert strict.post(path + act, {"slot": "2027-03-11"}).status_code == 403
    loan.refresh_from_db()
    assert loan.status == LoanStatus.RESERVED
