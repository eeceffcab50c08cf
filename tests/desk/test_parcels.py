"""Parcels at the counter: received one after the other, opened by a scan, handed over."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from club.models import Card, LogEntry, Member, Place
from concierge.enums import ParcelStatus
from concierge.models import Parcel, ParcelPolicy
from tests.costs import session
from tests.desk.conftest import result, scan, words
from tests.factories.club import AssignmentFactory, CardFactory, MemberFactory, PlaceFactory
from tests.factories.parcels import ParcelFactory, ParcelPolicyFactory, ProxyFactory
from tests.signin import sign_in_staff

RECEIVE = "/desk/colis/recevoir/"
CODE = "6A12345678901"


@pytest.fixture
def policy(place: Place) -> ParcelPolicy:
    return ParcelPolicyFactory(place=place)


@pytest.fixture
def parcel(policy: ParcelPolicy, member: Member) -> Parcel:
    return ParcelFactory(member=member, tracking=CODE)


def receive(desk: Client, **typed: str) -> Any:
    return desk.post(RECEIVE, {"code": CODE, "size": "small", "shelf": "C2", **typed})


def errors(page: Any) -> dict[str, list[str]]:
    return {name: list(found) for name, found in page.context["form"].errors.items()}


# -- Receiving -----------------------------------------------------------------------------------


def test_received_and_ready_for_the_next(
    desk: Client, policy: ParcelPolicy, member: Member
) -> None:
    answer = receive(desk, who="benali")
    parcel = Parcel.objects.get()
    assert (parcel.member, parcel.carrier, parcel.shelf) == (member, "colissimo", "C2")
    page = desk.get(answer["Location"])
    assert "Reçu :" in words(page)
    assert "Samira Benali. La Poste, Colissimo. Étagère C2." in words(page)
    assert 'name="shelf" value="C2"' in page.text
    assert CODE not in page.text


def test_the_last_one_is_undone_by_one_press(
    desk: Client, policy: ParcelPolicy, member: Member
) -> None:
    page = desk.get(receive(desk, who="benali")["Location"])
    assert 'aria-keyshortcuts="F9"' in page.text
    parcel = Parcel.objects.get()
    answer = desk.post(f"/desk/colis/{parcel.reference}/pas-recu/")
    assert not Parcel.objects.exists()
    assert "Défait." in words(desk.get(answer["Location"]))


def test_a_card_names_the_person_and_a_scan_as_typed_by_the_host(
    desk: Client, policy: ParcelPolicy, card: Card, member: Member
) -> None:
    receive(desk, who=f"M{card.number}", code="-Q&é\"'(-è_çà&")
    assert Parcel.objects.get().member == member
    assert Parcel.objects.get().tracking == CODE


def test_nobody_named_is_asked_for_and_what_was_typed_stays(
    desk: Client, policy: ParcelPolicy
) -> None:
    page = receive(desk)
    assert page.status_code == 422
    assert errors(page) == {"who": ["Tapez le nom ou scannez la carte. Sinon, cochez la case."]}
    assert f'value="{CODE}"' in page.text and "Il y a un problème" in page.text
    assert errors(receive(desk, who="inconnu")) == {
        "who": ["Personne ne porte ce nom ou ce numéro ici."]
    }
    assert not Parcel.objects.exists()
    receive(desk, for_nobody="on")
    assert Parcel.objects.get().member is None


def test_several_of_one_name_are_a_list_to_choose_from(
    desk: Client, policy: ParcelPolicy, member: Member, place: Place
) -> None:
    namesake = MemberFactory(place=place)
    CardFactory(member=namesake, number="204511")
    page = receive(desk, who="benali")
    assert "person" in errors(page)
    assert "204" in words(page) and "foyer de 4" in words(page)
    stranger = MemberFactory(place=place, user__last_name="Cohen")
    assert "person" in errors(receive(desk, who="benali", person=str(stranger.pk)))
    receive(desk, who="benali", person=str(namesake.pk))
    assert Parcel.objects.get().member == namesake


def test_scanned_twice_is_told_where_it_lies(desk: Client, parcel: Parcel) -> None:
    page = receive(desk, who="benali")
    assert page.status_code == 422
    [said] = errors(page)["code"]
    assert "étagère C2, pour S. Benali" in said
    assert Parcel.objects.count() == 1


def test_without_the_right_the_rule_is_named(
    desk: Client, policy: ParcelPolicy, member: Member
) -> None:
    ParcelPolicy.objects.update(needs_right=True)
    [said] = errors(receive(desk, who="benali"))["who"]
    assert said.startswith("Ici, les colis sont réservés aux abonnés.")


def test_another_places_member_by_their_card_alone(
    desk: Client, policy: ParcelPolicy, place: Place
) -> None:
    elsewhere = MemberFactory(place=PlaceFactory(landlord=place.landlord), user__last_name="Ferret")
    CardFactory(member=elsewhere, number="482174")
    assert receive(desk, who="ferret").status_code == 422
    receive(desk, who="M482174")
    assert Parcel.objects.get().member == elsewhere
    assert scan(desk, CODE).context["screen"].person.member == elsewhere


def test_a_place_without_a_rule_says_so(desk: Client, place: Place, member: Member) -> None:
    assert "ne prend pas de colis" in words(desk.get(RECEIVE))
    assert receive(desk, who="benali").status_code == 422
    assert "Recevoir un colis" not in words(desk.get("/desk/"))


# -- The box -----------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [CODE, "6a 1234 5678 901", "-Q&é\"'(-è_çà&"])
def test_a_barcode_opens_its_person_with_all_that_waits(
    desk: Client, parcel: Parcel, member: Member, typed: str
) -> None:
    second = ParcelFactory(member=member, shelf="")
    answer = scan(desk, typed)
    screen = answer.context["screen"]
    assert screen.person.member == member
    assert screen.person.parcels[0].parcels == [parcel, second]
    assert screen.marked == parcel.reference
    assert result(answer)[2] == "Étagère C2."
    assert "Remettre à Samira" in words(answer)
    parcel.refresh_from_db()
    assert parcel.status == ParcelStatus.WAITING


def test_a_reference_opens_and_hands_nothing_over(
    desk: Client, parcel: Parcel, member: Member
) -> None:
    for _twice in range(2):
        answer = scan(desk, parcel.reference, membre=member.pk)
        assert answer.context["screen"].marked == parcel.reference
    parcel.refresh_from_db()
    assert parcel.status == ParcelStatus.WAITING


def test_card_then_barcode_hands_it_over_once(
    desk: Client, card: Card, parcel: Parcel, member: Member
) -> None:
    opened = scan(desk, card.number)
    assert result(opened)[2].endswith("Un colis à remettre.")
    for _repeated in range(2):
        answer = scan(desk, CODE, membre=member.pk, scan="77")
        assert result(answer) == ("done", "Remis : un colis.", "À Samira Benali.")
    parcel.refresh_from_db()
    assert (parcel.status, parcel.collected_by) == ("collected", "Samira Benali")
    assert LogEntry.objects.filter(subject_kind="parcel", verb="collected").count() == 1
    again = scan(desk, CODE, membre=member.pk)
    assert result(again)[2] == "Remis à Samira Benali, mardi 9 mars à 10 h 24."


def test_somebody_elses_barcode_opens_that_person(
    desk: Client, parcel: Parcel, other_member: Member, member: Member
) -> None:
    answer = scan(desk, CODE, membre=other_member.pk)
    assert answer.context["screen"].person.member == member


def test_an_unknown_label_of_a_carrier_leads_to_receiving_it(
    desk: Client, policy: ParcelPolicy
) -> None:
    answer = scan(desk, CODE)
    assert answer.context["screen"].result.way == f"{RECEIVE}?code={CODE}"
    page = desk.get(f"{RECEIVE}?code={CODE}")
    assert f'value="{CODE}"' in page.text
    ParcelPolicy.objects.all().delete()
    assert result(scan(desk, CODE))[1] == "Introuvable."


def test_a_parcel_for_nobody_and_one_that_went_open_their_page(
    desk: Client, parcel: Parcel, place: Place
) -> None:
    nobodys = ParcelFactory(member=None, place=place)
    answer = scan(desk, nobodys.tracking)
    assert result(answer)[2] == "Personne n’est noté dessus. Étagère C2."
    assert f"/desk/colis/{nobodys.reference}/" in answer.text
    desk.post(f"/desk/colis/{parcel.reference}/rendre/")
    assert result(scan(desk, parcel.reference))[2].startswith("Rendu au transporteur")


def test_another_places_parcel_is_not_known_here(desk: Client, place: Place) -> None:
    theirs = ParcelFactory(member__place=PlaceFactory(landlord=place.landlord))
    assert result(scan(desk, theirs.reference))[0] == "refused"
    assert result(scan(desk, theirs.tracking))[1] == "Introuvable."


# -- Handing over -------------------------------------------------------------------------------


def press(desk: Client, to: str, *parcels: Parcel, **more: Any) -> Any:
    ticked = {parcel.reference: "1" for parcel in parcels}
    return desk.post("/desk/colis/remettre/", {**ticked, "a": to, **more}, headers={"X-Desk": "1"})


def test_one_press_hands_all_over_and_one_key_takes_it_back(
    desk: Client, parcel: Parcel, member: Member
) -> None:
    second = ParcelFactory(member=member)
    answer = press(desk, f"m{member.pk}", parcel, second, membre=member.pk)
    assert result(answer) == ("done", "Remis : 2 colis.", "À Samira Benali.")
    undo = answer.context["screen"].result.undo_url
    undone = desk.post(undo, headers={"X-Desk": "1"})
    assert result(undone) == ("returned", "Défait : 2 colis.", "De nouveau sur l’étagère.")
    assert Parcel.objects.filter(status=ParcelStatus.WAITING, collected_by="").count() == 2
    assert result(desk.post(undo, headers={"X-Desk": "1"}))[0] == "refused"


def test_to_a_named_person_a_proof_of_identity_is_asked_for(
    desk: Client, card: Card, parcel: Parcel, member: Member
) -> None:
    proxy = ProxyFactory(member=member)
    opened = scan(desk, card.number)
    assert "Demandez une pièce d’identité au nom de Marc Diallo." in words(opened)
    answer = press(desk, f"p{proxy.pk}", parcel)
    assert result(answer)[2] == "À Marc Diallo."
    parcel.refresh_from_db()
    assert parcel.collected_by == "Marc Diallo"


def test_an_adult_of_the_home_sees_and_takes_what_waits_for_another(
    desk: Client, parcel: Parcel, member: Member
) -> None:
    partner = MemberFactory(place=member.place, household=member.household, user__first_name="Ali")
    CardFactory(member=partner, number="482174")
    opened = scan(desk, "482174")
    [shelf] = opened.context["screen"].person.parcels
    assert (shelf.owner, [one.pk for one in shelf.adults]) == (member, [partner.pk, member.pk])
    assert "Colis pour Samira B." in words(opened)
    press(desk, f"m{partner.pk}", parcel)
    parcel.refresh_from_db()
    assert parcel.collected_by == "Ali Benali"


def test_whoever_is_not_named_is_no_choice(
    desk: Client, parcel: Parcel, member: Member, other_member: Member
) -> None:
    theirs = ProxyFactory(member=other_member)
    for to in (f"m{other_member.pk}", f"p{theirs.pk}", "", "x1", "p", "m999999999999999"):
        assert press(desk, to, parcel).status_code == 404
    assert result(press(desk, f"m{member.pk}"))[2] == "Cochez au moins un colis."
    mixed = press(desk, f"m{member.pk}", parcel, ParcelFactory(member=other_member))
    assert result(mixed)[0] == "refused"
    assert not Parcel.objects.exclude(status=ParcelStatus.WAITING).exists()


# -- The shelves and one parcel ----------------------------------------------------------------


def test_the_shelves_and_the_board_tell_what_to_do(
    desk: Client, parcel: Parcel, place: Place, member: Member
) -> None:
    ParcelFactory(member=None, place=place)
    past = ParcelFactory(member=member, keep_until=date(2027, 3, 8))
    [part] = [part for part in desk.get("/desk/").context["parts"] if part.key == "parcels"]
    assert [(entry.text, entry.end) for entry in part.entries] == [
        ("À rendre au transporteur", "1"),
        ("Pour personne encore", "1"),
        ("À remettre", "1"),
    ]
    shelves = words(desk.get("/desk/colis/"))
    assert "À rendre au transporteur (1)" in shelves and "À remettre (1)" in shelves
    desk.post(f"/desk/colis/{past.reference}/rendre/")
    assert "À rendre au transporteur" not in words(desk.get("/desk/colis/"))


def test_the_list_on_paper_names_whoever_may_collect(
    desk: Client, parcel: Parcel, member: Member
) -> None:
    ProxyFactory(member=member)
    ProxyFactory(member=member, first_name="Ancienne", until=date(2027, 3, 1))
    told = words(desk.get("/desk/colis/liste/"))
    assert "Marc Diallo" in told and "Ancienne" not in told
    assert parcel.tracking not in told


def test_a_page_pressed_twice_is_one_parcel(
    desk: Client, policy: ParcelPolicy, member: Member
) -> None:
    key = desk.get(RECEIVE).context["form"]["key"].value()
    for nobody in ({"who": "benali"}, {"for_nobody": "on"}):
        first, again = (receive(desk, code="", key=key, **nobody) for _press in range(2))
        assert first["Location"] == again["Location"]
    other = desk.get(RECEIVE).context["form"]["key"].value()
    receive(desk, code="", key=other, who="benali")
    assert Parcel.objects.count() == 2


@pytest.mark.parametrize("early", ["XY123456789FR", "M123455", "6A01234567890"])
def test_a_scan_that_comes_early_is_no_shelf(desk: Client, member: Member, early: str) -> None:
    page = receive(desk, who="benali", shelf=early)
    assert page.status_code == 422 and list(page.context["form"].errors) == ["shelf"]
    assert "maxlength" not in str(page.context["form"]["shelf"])
    assert not Parcel.objects.exists()
    parcel = ParcelFactory(member=member, shelf="B1")
    assert (
        desk.post(f"/desk/colis/{parcel.reference}/etagere/", {"shelf": early}).status_code == 422
    )
    parcel.refresh_from_db()
    assert parcel.shelf == "B1"


def test_a_parcel_is_given_its_person_another_shelf_and_sent_back(
    desk: Client, policy: ParcelPolicy, place: Place, member: Member
) -> None:
    parcel = ParcelFactory(member=None, place=place)
    page = f"/desk/colis/{parcel.reference}/"
    assert desk.post(f"{page}pour/", {"who": "inconnu"}).status_code == 422
    assert desk.post(f"{page}pour/", {"who": ""}).status_code == 422
    assert desk.post(f"{page}etagere/", {"shelf": ""}).status_code == 422
    answer = desk.post(f"{page}pour/", {"who": "benali"})
    assert "Noté. Pour Samira Benali." in words(desk.get(answer["Location"]))
    desk.post(f"{page}etagere/", {"shelf": "d1"})
    parcel.refresh_from_db()
    assert (parcel.member, parcel.shelf) == (member, "D1")
    for name, status in (("rendre", "returned"), ("pas-rendu", "waiting")):
        desk.post(f"{page}{name}/")
        parcel.refresh_from_db()
        assert parcel.status == status
    refused = desk.post(f"{page}pas-remis/")
    assert "Il n’y a plus rien à défaire." in words(desk.get(refused["Location"]))
    assert desk.post(f"{page}manger/").status_code == 404
    assert desk.get(f"{page}rendre/").status_code == 405


@pytest.mark.parametrize(
    "name", ["rendre", "pas-rendu", "pas-remis", "pas-recu", "pour", "etagere"]
)
def test_another_places_concierge_finds_nothing(
    client: Client, parcel: Parcel, member: Member, name: str
) -> None:
    elsewhere = AssignmentFactory(place=PlaceFactory(landlord=parcel.place.landlord)).user
    sign_in_staff(client, elsewhere)
    assert client.get(f"/desk/colis/{parcel.reference}/").status_code == 404
    assert client.post(f"/desk/colis/{parcel.reference}/{name}/").status_code == 404
    press(client, f"m{member.pk}", parcel)
    parcel.refresh_from_db()
    assert parcel.status == ParcelStatus.WAITING
    for page in ("/desk/colis/", "/desk/colis/liste/", "/desk/colis/chiffres/"):
        assert member.last_name not in client.get(page).text


def test_the_figures_of_the_year_by_month(desk: Client, parcel: Parcel, member: Member) -> None:
    press(desk, f"m{member.pk}", parcel)
    ParcelFactory(member=member)
    assert "mars 2027 2 1 0 0" in words(desk.get("/desk/colis/chiffres/"))


def test_a_resident_has_no_way_in(client: Client, parcel: Parcel, member: Member) -> None:
    sign_in_staff(client, member.user)
    for page in ("", "liste/", "recevoir/", "chiffres/", f"{parcel.reference}/"):
        assert client.get(f"/desk/colis/{page}").status_code == 403


# -- Statements --------------------------------------------------------------------------------


def statements(desk: Client, path: str) -> int:
    desk.get(path)
    with CaptureQueriesContext(connection) as held:
        assert desk.get(path).status_code == 200
    return len(held)


@pytest.mark.parametrize("number", [1, 3])
def test_the_shelves_take_as_many_statements_however_full(
    desk: Client, policy: ParcelPolicy, place: Place, number: int
) -> None:
    for _each in range(number):
        parcel = ParcelFactory(member__place=place)
        ProxyFactory(member=parcel.member)
        ParcelFactory(member=None, place=place)
        ParcelFactory(member=parcel.member, keep_until=date(2027, 3, 8))
    assert statements(desk, "/desk/colis/") == 4 + session()
    assert statements(desk, "/desk/colis/liste/") == 4 + session()


@pytest.mark.parametrize("number", [1, 3])
def test_a_card_takes_two_more_however_many_parcels_wait(
    desk: Client, policy: ParcelPolicy, card: Card, member: Member, number: int
) -> None:
    """The adults of the home and whom they have named; that none waits is one already."""

    def taken() -> int:
        with CaptureQueriesContext(connection) as held:
            scan(desk, card.number)
        return len(held)

    scan(desk, card.number)
    without = taken()
    for _each in range(number):
        ParcelFactory(member=member)
    assert taken() == without + 2
