from datetime import timedelta

import pytest

from club.models import LogEntry
from concierge.domain.lending import hand_over, reserve_tool
from concierge.enums import CopyStatus, LoanStatus
from concierge.models import Loan
from tests.desk.conftest import result, scan
from tests.factories.club import NOW, AssignmentFactory, MemberFactory, PlaceFactory
from tests.factories.concierge import CopyFactory, LoanFactory
from tests.signin import sign_in_staff


def undo(client, answer, **state):
    return client.post(answer.context["screen"].result.undo_url, state)


def test_the_same_scan_sent_again_has_one_effect_and_one_answer(desk, copy, member):
    first = scan(desk, copy.label, membre=member.pk, scan="4503599627370497")
    again = scan(desk, copy.label, membre=member.pk, scan="4503599627370497")
    assert result(first) == result(again)
    assert Loan.objects.get().status == LoanStatus.OUT
    assert again.context["screen"].result.undo_url == first.context["screen"].result.undo_url


def test_without_its_number_the_second_scan_takes_it_back(desk, copy, member):
    """What the number guards against."""
    scan(desk, copy.label, membre=member.pk)
    scan(desk, copy.label, membre=member.pk)
    assert Loan.objects.get().status == LoanStatus.RETURNED


def test_a_return_sent_again_stays_one_return(desk, copy, member, other_member, now):
    hand_over(copy=copy, member=member, by=member.user, now=now)
    scan(desk, copy.label, membre=other_member.pk, scan="17")
    again = scan(desk, copy.label, membre=other_member.pk, scan="17")
    assert result(again)[:2] == ("returned", "Rendu : Gaufrier.")
    assert [loan.status for loan in Loan.objects.all()] == [LoanStatus.RETURNED]


def test_a_refused_scan_may_be_tried_again(desk, copy, place, member):
    poor = MemberFactory(place=place)
    assert result(scan(desk, copy.label, membre=poor.pk, scan="5"))[0] == "refused"
    assert result(scan(desk, copy.label, membre=member.pk, scan="5"))[0] == "done"


def test_the_number_of_another_ones_scan_is_no_obstacle(desk, copies, member, place):
    other = AssignmentFactory(place=place).user
    LogEntry.objects.create(
        subject_kind="scan", subject_id=9, verb="hand_over", actor=other, at=NOW, facts={}
    )
    assert result(scan(desk, copies[0].label, membre=member.pk, scan="9"))[0] == "done"


@pytest.mark.parametrize("number", ["", "-3", "1e3", "9" * 30, "²", str(2**53)])
def test_an_odd_number_counts_as_none(desk, copy, member, number):
    assert result(scan(desk, copy.label, membre=member.pk, scan=number))[0] == "done"
    assert not LogEntry.objects.filter(subject_kind="scan").exists()


def test_a_hand_over_is_undone(desk, copy, member):
    answer = undo(desk, scan(desk, copy.label, membre=member.pk), membre=member.pk)
    assert result(answer) == ("returned", "Défait : Gaufrier.", "Samira B. ne l’a pas emprunté.")
    assert Loan.objects.get().status == LoanStatus.CANCELLED
    assert result(scan(desk, copy.label, membre=member.pk))[0] == "done"


def test_a_reservation_waits_again_after_undo(desk, copy, member, now, tool, place):
    reserve_tool(
        member=member,
        tool=tool,
        place=place,
        starts_on=NOW.date(),
        by=member.user,
        now=now - timedelta(hours=1),
    )
    undo(desk, scan(desk, copy.label, membre=member.pk))
    assert Loan.objects.get().status == LoanStatus.RESERVED


def test_a_return_is_undone(desk, copy, member, now):
    loan = hand_over(copy=copy, member=member, by=member.user, now=now)
    answer = undo(desk, scan(desk, copy.label))
    assert result(answer)[2] == "Samira B. l’a toujours."
    loan.refresh_from_db()
    assert loan.status == LoanStatus.OUT


def test_a_return_is_not_undone_once_the_next_loan_has_begun(desk, copy, member, other_member, now):
    first = hand_over(copy=copy, member=member, by=member.user, now=now)
    back = scan(desk, copy.label)
    scan(desk, copy.label, membre=other_member.pk)
    answer = undo(desk, back)
    assert result(answer) == (
        "refused",
        "Refusé.",
        "Cet objet est déjà reparti chez quelqu’un.",
    )
    first.refresh_from_db()
    assert first.status == LoanStatus.RETURNED


def test_setting_aside_a_fault_and_putting_back_are_undone(desk, copy, member, now, tool, place):
    loan = reserve_tool(
        member=member, tool=tool, place=place, starts_on=NOW.date(), by=member.user, now=now
    )
    aside = desk.post(f"/desk/pret/{loan.reference}/mettre-de-cote/")
    assert result(undo(desk, aside))[1] == "Défait : Gaufrier."
    loan.refresh_from_db()
    assert loan.status == LoanStatus.RESERVED
    faulty = desk.post(f"/desk/exemplaire/{copy.label}/defaut/", {"defaut": "dirty"})
    assert result(undo(desk, faulty))[2] == "Il est de nouveau en service."
    copy.refresh_from_db()
    assert copy.status == CopyStatus.ACTIVE
    assert result(undo(desk, faulty))[0] == "refused"


def test_an_undo_sent_twice_is_told_once(desk, copy, member):
    answer = scan(desk, copy.label, membre=member.pk)
    first = undo(desk, answer, scan="77")
    again = undo(desk, answer, scan="77")
    assert result(first) == result(again)
    assert result(undo(desk, answer))[0] == "refused"


def test_an_undo_expires_and_cannot_be_made_up(desk, copy, member, at_the_counter):
    answer = scan(desk, copy.label, membre=member.pk)
    made_up = desk.post("/desk/defaire/?acte=abc")
    assert result(made_up) == ("refused", "Refusé.", "Il n’y a plus rien à défaire.")
    at_the_counter.shift(timedelta(hours=13))
    assert result(undo(desk, answer))[0] == "refused"
    assert Loan.objects.get().status == LoanStatus.OUT


def test_an_undo_of_another_place_is_refused(client, copy, member, concierge_user, place):
    sign_in_staff(client, concierge_user)
    answer = scan(client, copy.label, membre=member.pk)
    elsewhere = AssignmentFactory(place=PlaceFactory(landlord=place.landlord)).user
    sign_in_staff(client, elsewhere)
    assert result(undo(client, answer))[2] == "Cela s’est fait à un autre accueil."
    assert Loan.objects.get().status == LoanStatus.OUT


def test_a_repair_that_strands_somebody_names_them(desk, copy, member, now):
    LoanFactory(copy=copy, member=member, starts_at=NOW + timedelta(days=1))
    CopyFactory(place=copy.place)
    answer = desk.post(f"/desk/exemplaire/{copy.label}/defaut/", {"defaut": "broken"})
    assert "Plus d’exemplaire pour Samira B., mercredi 10 mars : appelez." in result(answer)[2]


def test_a_scan_that_comes_again_after_its_borrower_has_moved_is_no_fault(
    desk, place, member, copy
):
    scan(desk, copy.label, membre=member.pk, scan="21")
    loan = Loan.objects.get()
    Loan.objects.filter(pk=loan.pk).update(status=LoanStatus.RETURNED)
    member.place = PlaceFactory(landlord=place.landlord, slug="ailleurs")
    member.save()
    answer = scan(desk, copy.label, scan="21")
    assert (answer.status_code, result(answer)[1]) == (200, "Prêté : Gaufrier.")
