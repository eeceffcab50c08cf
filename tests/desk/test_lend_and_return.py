from datetime import timedelta

from concierge.domain.lending import hand_over, reserve_tool, set_aside
from concierge.enums import CopyStatus, LoanStatus
from concierge.models import Loan
from tests.desk.conftest import result, scan, words
from tests.factories.club import NOW, MemberFactory
from tests.factories.concierge import CopyFactory, ToolFactory


def test_a_card_opens_the_person(desk, card, member):
    answer = scan(desk, "M 204 511")
    assert result(answer) == ("done", "Samira B.", "Rien à rendre.")
    said = words(answer)
    assert "Samira Benali" in said
    assert "Carte M 204 511 · foyer de 4 · location non vérifiée" in said
    assert "À jour jusqu’au vendredi 31 décembre" in said
    assert f'name="membre" value="{member.pk}"' in answer.content.decode()


def test_five_objects_are_lent_with_six_scans(desk, card, copies, member):
    scan(desk, f"M{card.number}")
    for number, copy in enumerate(copies, start=1):
        answer = scan(desk, copy.label, membre=member.pk)
        assert result(answer)[:2] == ("done", "Prêté : Gaufrier.")
        assert result(answer)[2].startswith(f"Samira B. a maintenant {number} objet")
    out = Loan.objects.filter(member=member, status=LoanStatus.OUT)
    assert set(out.values_list("copy", flat=True)) == {copy.pk for copy in copies}
    assert words(answer).count("mardi 16 mars") == 5


def test_five_objects_come_back_with_five_scans_and_no_card(desk, copies, member, now, place):
    for copy in copies:
        hand_over(copy=copy, member=member, by=member.user, now=now)
    for copy in copies:
        answer = scan(desk, copy.label)
        assert result(answer) == (
            "returned",
            "Rendu : Gaufrier.",
            "Samira B. l’avait. Étagère B.",
        )
    assert not Loan.objects.filter(status=LoanStatus.OUT).exists()


def test_a_late_return_says_so(desk, copy, member, now, at_the_counter):
    hand_over(copy=copy, member=member, by=member.user, now=now)
    at_the_counter.shift(timedelta(days=10))
    answer = scan(desk, copy.label)
    assert result(answer)[2] == "Samira B. l’avait. 3 jours de retard. Étagère B."


def test_a_return_keeps_the_person_who_stands_at_the_counter(desk, copy, member, other_member, now):
    hand_over(copy=copy, member=member, by=member.user, now=now)
    answer = scan(desk, copy.label, membre=other_member.pk)
    assert result(answer)[2].startswith("Samira B. l’avait.")
    assert answer.context["screen"].person.member == other_member


def test_a_return_for_somebody_who_waits_says_where_it_goes(
    desk, copy, member, other_member, now, tool, place, at_the_counter
):
    hand_over(copy=copy, member=member, by=member.user, now=now)
    waits = reserve_tool(
        member=other_member,
        tool=tool,
        place=place,
        starts_on=NOW.date() + timedelta(days=8),
        by=other_member.user,
        now=now,
    )
    at_the_counter.shift(timedelta(days=7))
    answer = scan(desk, copy.label)
    assert result(answer)[2] == (
        "Samira B. l’avait. À mettre de côté pour A. Roussel, mercredi 17 mars à 9 h."
    )
    waits.refresh_from_db()
    assert waits.status == LoanStatus.READY


def test_a_thing_alone_on_the_counter_is_shown_not_lent(desk, copy):
    answer = scan(desk, copy.label)
    assert result(answer) == ("done", "Gaufrier.", "Étagère B.")
    assert answer.context["screen"].thing.copy == copy
    assert "Étagère B" in words(answer)
    assert not Loan.objects.exists()


def test_what_is_put_aside_for_another_person_asks_for_attention(
    desk, copy, member, other_member, now, tool, place
):
    loan = reserve_tool(
        member=other_member,
        tool=tool,
        place=place,
        starts_on=NOW.date(),
        by=other_member.user,
        now=now,
    )
    set_aside(loan, by=other_member.user, now=now)
    answer = scan(desk, copy.label, membre=member.pk)
    assert result(answer) == ("attention", "Attention.", "Mis de côté pour A. Roussel.")
    assert scan(desk, copy.label).context["screen"].result.kind == "attention"
    assert not Loan.objects.filter(status=LoanStatus.OUT).exists()


def test_what_is_put_aside_is_lent_by_one_key(desk, copy, member, now, tool, place):
    loan = reserve_tool(
        member=member, tool=tool, place=place, starts_on=NOW.date(), by=member.user, now=now
    )
    set_aside(loan, by=member.user, now=now)
    page = desk.get(f"/desk/?membre={member.pk}")
    assert "Mis de côté : Gaufrier étagère B, à donner mardi 9 mars au plus tard F6" in words(page)
    answer = desk.post(f"/desk/pret/{loan.reference}/preter/", {"membre": member.pk})
    assert result(answer)[1] == "Prêté : Gaufrier."


def test_no_right_is_refused_in_words(desk, copy, place):
    stranger = MemberFactory(place=place)
    answer = scan(desk, copy.label, membre=stranger.pk)
    assert result(answer) == (
        "refused",
        "Refusé.",
        "Il faut un abonnement actif.",
    )
    assert answer.context["screen"].person.member == stranger


def test_the_limit_is_refused_in_words(desk, copies, member, place, now, tool):
    for copy in [*copies, CopyFactory(tool=tool, place=place)]:
        hand_over(copy=copy, member=member, by=member.user, now=now)
    seventh = CopyFactory(tool=tool, place=place)
    answer = scan(desk, seventh.label, membre=member.pk)
    assert result(answer)[0] == "refused"
    assert "Vous avez déjà 6 objets" in result(answer)[2]


def test_somebody_late_borrows_nothing_more(desk, copies, member, now, at_the_counter):
    hand_over(copy=copies[0], member=member, by=member.user, now=now)
    at_the_counter.shift(timedelta(days=8))
    answer = scan(desk, copies[1].label, membre=member.pk)
    assert result(answer)[0] == "refused"
    assert "en retard" in result(answer)[2]


def test_what_is_in_repair_is_refused(desk, copy, member):
    scan(desk, copy.label)
    desk.post(f"/desk/exemplaire/{copy.label}/defaut/", {"defaut": "broken"})
    answer = scan(desk, copy.label, membre=member.pk)
    assert result(answer)[0] == "refused"
    assert "en réparation" in result(answer)[2]


def test_a_fault_found_on_return_is_one_digit(desk, copy, member, now):
    hand_over(copy=copy, member=member, by=member.user, now=now)
    back = scan(desk, copy.label)
    assert f'name="rendu" value="{copy.label}"' in back.content.decode()
    answer = scan(desk, "3", rendu=copy.label)
    assert result(answer) == (
        "attention",
        "À réparer : Gaufrier.",
        "Ne marche pas. Posez-le à la réparation.",
    )
    copy.refresh_from_db()
    assert copy.status == CopyStatus.REPAIR


def test_an_unknown_fault_is_refused(desk, copy):
    answer = desk.post(f"/desk/exemplaire/{copy.label}/defaut/", {"defaut": "haunted"})
    assert result(answer) == ("refused", "Refusé.", "Choisissez ce qui ne va pas.")


def test_a_repair_ends_on_the_shelf(desk, copy):
    desk.post(f"/desk/exemplaire/{copy.label}/defaut/", {"defaut": "dirty"})
    repair = copy.repairs.get()
    answer = desk.post(f"/desk/reparation/{repair.pk}/", {"etape": "resolved"})
    assert result(answer) == ("done", "Réparé : Gaufrier.", "Étagère B.")
    assert desk.post(f"/desk/reparation/{repair.pk}/", {"etape": "x"}).status_code == 400


def test_a_booking_opens_its_person_and_stands_out(desk, member, now, tool, place, copy):
    loan = reserve_tool(
        member=member,
        tool=tool,
        place=place,
        starts_on=NOW.date() + timedelta(days=1),
        by=member.user,
        now=now,
    )
    answer = scan(desk, loan.reference)
    assert answer.context["screen"].person.member == member
    assert result(answer) == ("done", "Réservation lue.", "Gaufrier, réservé.")
    assert "desk-line--new" in answer.content.decode()


def test_one_loan_is_renewed_by_one_key(desk, copy, member, now):
    loan = hand_over(copy=copy, member=member, by=member.user, now=now)
    answer = desk.post("/desk/", {"touche": "prolonger", "membre": member.pk})
    assert result(answer)[:2] == ("done", "Prolongé : Gaufrier.")
    loan.refresh_from_db()
    assert loan.renewals == 1


def test_several_loans_are_listed_for_the_keys(desk, copies, member, now):
    loans = [hand_over(copy=copy, member=member, by=member.user, now=now) for copy in copies[:2]]
    answer = desk.post("/desk/", {"touche": "prolonger", "membre": member.pk})
    tokens = answer.context["screen"].tokens
    assert tokens == " ".join(f"p{loan.reference}" for loan in loans)
    answer = scan(desk, "2", choix=tokens, membre=member.pk)
    assert result(answer)[1] == "Prolongé : Gaufrier."
    loans[1].refresh_from_db()
    assert loans[1].renewals == 1


def test_nothing_to_renew_is_said(desk, member):
    assert result(desk.post("/desk/", {"touche": "prolonger"}))[0] == "refused"
    answer = desk.post("/desk/", {"touche": "prolonger", "membre": member.pk})
    assert result(answer)[2] == "Cette personne n’a rien à prolonger."


def test_set_aside_put_back_cancel_and_lost(desk, copy, member, now, tool, place):
    loan = reserve_tool(
        member=member, tool=tool, place=place, starts_on=NOW.date(), by=member.user, now=now
    )
    act = f"/desk/pret/{loan.reference}/"
    assert result(desk.post(act + "mettre-de-cote/"))[1] == "Mis de côté : Gaufrier."
    assert result(desk.post(act + "remettre-en-rayon/"))[1] == "En rayon : Gaufrier."
    assert result(desk.post(act + "annuler/"))[1] == "Annulé : Gaufrier."
    assert result(desk.post(act + "annuler/"))[0] == "refused"
    walk_in = hand_over(copy=copy, member=member, by=member.user, now=now)
    lost = desk.post(f"/desk/pret/{walk_in.reference}/perdu/")
    assert result(lost)[:2] == ("attention", "Perdu : Gaufrier.")
    assert desk.post(act + "brûler/").status_code == 404


def test_a_copy_found_by_its_name_is_lent_without_scanning(desk, copy, member):
    page = desk.get(f"/desk/?objet={copy.label}&membre={member.pk}")
    assert "Prêter à Samira B." in words(page)
    answer = desk.post(f"/desk/exemplaire/{copy.label}/", {"membre": member.pk})
    assert result(answer)[1] == "Prêté : Gaufrier."


def test_the_list_without_scanning(desk, copy, member, other_member, now, place, tool):
    drill = CopyFactory(tool=ToolFactory(name="Perceuse", landlord=place.landlord), place=place)
    loan = hand_over(copy=copy, member=member, by=member.user, now=now)
    hand_over(copy=drill, member=other_member, by=member.user, now=now)
    assert len(desk.get("/desk/rendre/").context["lines"]) == 2
    (line,) = desk.get("/desk/rendre/", {"q": "samira gauf"}).context["lines"]
    assert line.loan == loan
    (line,) = desk.get("/desk/rendre/", {"membre": member.pk}).context["lines"]
    assert line.loan == loan
    assert desk.get("/desk/rendre/", {"q": "\x00"}).status_code == 200
    answer = desk.post(f"/desk/pret/{loan.reference}/rendre/")
    assert result(answer)[1] == "Rendu : Gaufrier."


def test_no_renewal_is_offered_when_none_is_left(desk, copy, member, now):
    hand_over(copy=copy, member=member, by=member.user, now=now)
    path = f"/desk/?membre={member.pk}&objet={copy.label}"
    assert desk.get(path).content.decode().count("Prolonger") == 2
    desk.post("/desk/", {"touche": "prolonger", "membre": member.pk})
    assert "Prolonger" not in desk.get(path).content.decode()
    answer = desk.post("/desk/", {"touche": "prolonger", "membre": member.pk})
    assert result(answer)[2] == "Cette personne n’a rien à prolonger."
