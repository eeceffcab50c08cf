from datetime import timedelta

from concierge.domain.lending import report_fault
from concierge.enums import LoanStatus
from desk.board import board
from tests.desk.conftest import words
from tests.factories.club import NOW, ClosureFactory, MemberFactory
from tests.factories.concierge import CopyFactory, LoanFactory, days_later


def parts(place, now=NOW):
    return {
        part.key: [
            (entry.text.replace("\xa0", " "), entry.end.replace("\xa0", " "))
            for entry in part.entries
        ]
        for part in board(place, now)
    }


def test_an_empty_day_says_so(desk):
    assert "Rien à préparer, rien en retard." in words(desk.get("/desk/"))


def test_each_thing_stands_in_its_part(place, copies, member):
    LoanFactory(copy=copies[0], member=member, starts_at=NOW + timedelta(hours=4))
    LoanFactory(copy=copies[1], member=member, status=LoanStatus.READY, starts_at=days_later(1))
    LoanFactory(
        copy=copies[2],
        member=member,
        status=LoanStatus.OUT,
        starts_at=days_later(-7),
        out_at=days_later(-7),
    )
    LoanFactory(
        copy=copies[3],
        member=member,
        status=LoanStatus.OUT,
        starts_at=days_later(-10),
        out_at=days_later(-10),
    )
    report_fault(copy=copies[4], fault="dirty", by=member.user, now=NOW)
    assert parts(place) == {
        "prepare": [("Gaufrier, S. Benali", "14 h 24")],
        "give": [("Gaufrier, S. Benali", "Étagère B")],
        "late": [("Gaufrier, S. Benali", "3 jours")],
        "back": [("Gaufrier, S. Benali", "Étagère B")],
        "repair": [(f"Gaufrier O {copies[4].label[1:4]} {copies[4].label[4:]}", "à nettoyer")],
    }


def test_tomorrow_is_prepared_by_its_weekday_and_later_is_not(place, copies, member):
    LoanFactory(copy=copies[0], member=member, starts_at=days_later(1))
    LoanFactory(copy=copies[1], member=member, starts_at=days_later(2))
    assert parts(place) == {"prepare": [("Gaufrier, S. Benali", "mercredi")]}


def test_a_promised_copy_that_is_not_back_is_to_check(place, copy, member, other_member):
    LoanFactory(
        copy=copy,
        member=member,
        status=LoanStatus.OUT,
        starts_at=days_later(-9),
        out_at=days_later(-9),
    )
    LoanFactory(copy=copy, member=other_member, starts_at=NOW + timedelta(hours=4))
    found = parts(place)
    assert found["check"] == [("Gaufrier, A. Roussel", "pas revenu")]
    assert "prepare" not in found


def test_a_due_day_that_became_closed_is_to_check(place, copy, member):
    LoanFactory(copy=copy, member=member, status=LoanStatus.OUT, out_at=NOW)
    assert "check" not in parts(place)
    ClosureFactory(place=place)
    place.refresh_from_db()
    assert parts(place)["check"] == [("Retours prévus mardi 16 mars", "fermé")]


def test_the_board_shows_six_and_counts_all(desk, place, member, tool):
    for copy in CopyFactory.create_batch(8, tool=tool, place=place):
        LoanFactory(copy=copy, member=member, status=LoanStatus.READY)
    page = words(desk.get("/desk/tableau/"))
    assert page.startswith("Aujourd’hui À remettre 8 Gaufrier, S. Benali")
    assert page.endswith("et 2 autres")
    assert words(desk.get("/desk/jour/")).count("S. Benali") == 8


def test_the_printed_day_has_a_tick_box_a_line(desk, place, copies, member):
    for copy in copies[:3]:
        LoanFactory(copy=copy, member=member, starts_at=NOW + timedelta(hours=4))
    page = desk.get("/desk/jour/")
    assert "Conciergerie des Tilleuls Mardi 9 mars À préparer (3)" in words(page)
    assert page.content.decode().count("day-sheet__tick") == 3


def late(copy, member, days):
    LoanFactory(
        copy=copy,
        member=member,
        status=LoanStatus.OUT,
        out_at=days_later(-7 - days),
        starts_at=days_later(-7 - days),
    )


def test_who_to_call(desk, place, copies, member):
    reached = MemberFactory(place=place, user__last_name="Wasson", user__phone="+33612345678")
    silent = MemberFactory(place=place, user__last_name="Caron", user__email="")
    late(copies[0], reached, 4)
    late(copies[1], silent, 1)
    late(copies[2], member, 3)
    page = words(desk.get("/desk/appels/"))
    assert "Samira Wasson 06 12 34 56 78 Gaufrier" in page
    assert "En retard de 4 jours" in page
    assert "Samira Caron ni téléphone ni e-mail Gaufrier" in page
    assert "Benali" not in page
    assert "Personne à appeler aujourd’hui." not in page


def test_nobody_to_call(desk):
    assert "Personne à appeler aujourd’hui." in words(desk.get("/desk/appels/"))
