import pytest

from club.models import Card
from concierge.models import Loan
from tests.desk.conftest import result, scan, words
from tests.factories.club import CardFactory, MemberFactory, PlaceFactory
from tests.factories.concierge import CopyFactory, LoanFactory, ToolFactory


def test_the_page_opens_on_the_box(desk, place):
    page = desk.get("/desk/")
    html = page.content.decode()
    assert 'name="texte" type="text"' in html
    assert "autofocus" in html
    assert place.name in words(page)
    assert "style=" not in html
    assert "onclick" not in html


def test_nothing_typed_changes_nothing(desk, member):
    answer = scan(desk, "  ", membre=member.pk)
    assert answer.context["screen"].result is None
    assert answer.context["screen"].person.member == member


@pytest.mark.parametrize("typed", ["M204511", "m 204 511", "204511", ",éàç", ",éà'(&&", "?éà'(&&"])
def test_a_card_is_read_however_it_is_typed(desk, card, typed):
    answer = scan(desk, typed)
    opened = answer.context["screen"].person
    assert (opened is not None) == (typed != ",éàç")


def test_a_label_scanned_on_an_azerty_host(desk, copy):
    azerty = copy.label.translate(str.maketrans("1234567890", "&é\"'(-è_çà"))
    assert scan(desk, azerty).context["screen"].thing.copy == copy


def test_the_address_in_a_cards_qr_opens_the_person(desk, card, member):
    answer = scan(desk, f"https://club.example.org/c/{card.token}")
    assert answer.context["screen"].person.member == member
    assert result(scan(desk, "https://club.example.org/c/nothing"))[0] == "refused"


def test_a_wrong_digit_is_a_bad_reading_not_a_search(desk, copy):
    wrong = copy.label[:-1] + str((int(copy.label[-1]) + 1) % 10)
    assert result(scan(desk, wrong))[2] == "Ce numéro est mal lu. Scannez-le encore."


def test_unknown_codes_are_refused(desk, member):
    assert result(scan(desk, "O090001"))[0] == "refused"
    assert result(scan(desk, "M123455"))[0] == "refused"
    assert result(scan(desk, "R18"))[0] == "refused"


def test_a_replaced_card_is_refused(desk, card, now):
    Card.objects.update(revoked_at=now)
    assert result(scan(desk, card.number))[2].startswith("Cette carte a été remplacée.")


def test_few_letters_open_one_person_at_once(desk, member, other_member):
    assert scan(desk, "rous").context["screen"].person.member == other_member
    assert scan(desk, "BÉNALI").context["screen"].person.member == member


def test_several_are_a_list_for_the_keys(desk, member, place):
    second = MemberFactory(place=place, user__first_name="Samir", user__last_name="Cohen")
    answer = scan(desk, "sami")
    tokens = answer.context["screen"].tokens
    assert set(tokens.split()) == {f"m{member.pk}", f"m{second.pk}"}
    wanted = tokens.split()[1]
    chosen = scan(desk, "2", choix=tokens)
    assert f"m{chosen.context['screen'].person.member.pk}" == wanted
    chosen = scan(desk, "é", choix=tokens)
    assert f"m{chosen.context['screen'].person.member.pk}" == wanted
    assert result(scan(desk, "7", choix=tokens))[2] == "Aucune ligne ne porte ce numéro."
    by_link = desk.get("/desk/", {"choix": wanted})
    assert f"m{by_link.context['screen'].person.member.pk}" == wanted


def test_a_tools_name_opens_its_copy(desk, copy, place):
    assert scan(desk, "gaufr").context["screen"].thing.copy == copy
    CopyFactory(tool=copy.tool, place=place)
    answer = scan(desk, "gaufr")
    assert len(answer.context["screen"].choices) == 2
    assert scan(desk, "1", choix=answer.context["screen"].tokens).context["screen"].thing


def test_a_tool_without_a_copy_here_is_not_offered(desk, place):
    ToolFactory(name="Betonniere", landlord=place.landlord)
    assert result(scan(desk, "betonniere"))[1] == "Introuvable."


@pytest.mark.parametrize(
    "choice", ["m", "mx", "m999999", "m\x00", "o\x00", "tnothing", "o123", "p123", "", "z1"]
)
def test_a_made_up_choice_opens_nothing(desk, member, choice):
    answer = scan(desk, "1", choix=choice or "x")
    assert answer.context["screen"].person is None
    assert answer.context["screen"].result.kind == "refused"


def test_a_link_never_does_a_deed(desk, member, place, copy):
    loan = LoanFactory(copy=copy, member=member, status="out")
    assert desk.get("/desk/", {"choix": f"p{loan.reference}"}).status_code == 404
    assert Loan.objects.get().renewals == 0


@pytest.mark.parametrize(
    "text", ["\x00", "a" * 5000, "%", "'; --", "1", "é", "😀", "://", "M", "O"]
)
def test_odd_input_is_answered(desk, member, text):
    assert scan(desk, text).status_code == 200


@pytest.mark.parametrize("state", ["abc", "-1", "9" * 40, "²", "0"])
def test_an_odd_person_is_not_found(desk, state):
    assert scan(desk, "M204511", membre=state).status_code == 404
    assert desk.get("/desk/", {"membre": state}).status_code == 404


def test_the_cards_and_things_of_another_place_stay_there(desk, place):
    elsewhere = PlaceFactory(landlord=place.landlord, name="Conciergerie du Pigeonnier")
    there = MemberFactory(place=elsewhere)
    card = CardFactory(member=there)
    copy = CopyFactory(place=elsewhere)
    assert result(scan(desk, card.number))[2] == (
        "Cette carte est celle d’un autre accueil : Conciergerie du Pigeonnier."
    )
    assert "autre accueil" in result(scan(desk, copy.label))[2]
    loan = LoanFactory(copy=copy, member=there)
    assert result(scan(desk, loan.reference))[0] == "refused"


def test_a_member_with_a_booking_here_is_served_here(desk, place, copy):
    guest = MemberFactory(place=PlaceFactory(landlord=place.landlord))
    card = CardFactory(member=guest)
    LoanFactory(copy=copy, member=guest)
    assert scan(desk, card.number).context["screen"].person.member == guest
