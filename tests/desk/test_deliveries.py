"""Deliveries at the desk: card after card, the person's panel, sheets, orders for somebody."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from club.models import Card, LogEntry, Member, Place
from concierge.domain.deliveries import send_due
from concierge.domain.order_fees import balance
from concierge.domain.orders import cancel_order
from concierge.enums import DeliveryStatus, Leftover, OrderStatus
from concierge.models import Delivery, DeliveryRound, Order
from tests.costs import session
from tests.desk.conftest import result, scan, words
from tests.factories.club import NOW, AssignmentFactory, CardFactory, MemberFactory, PlaceFactory
from tests.factories.orders import (
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    after_cutoff,
    product_of,
)
from tests.factories.parcels import ParcelFactory, ProxyFactory
from tests.factories.services import on
from tests.signin import sign_in_staff

FRIDAY = on(12, 17)


@pytest.fixture
def delivery(place: Place) -> Delivery:
    return DeliveryFactory(
        round=DeliveryRoundFactory(place=place, name="Paniers", goods__name="Panier de légumes")
    )


@pytest.fixture
def order(delivery: Delivery, member: Member) -> Order:
    order: Order = OrderFactory(delivery=delivery, member=member)
    return order


@pytest.fixture
def friday(delivery: Delivery, order: Order, at_the_counter: Any) -> Iterator[datetime]:
    """The day of the delivery, at five, after its cut-off."""
    send_due(after_cutoff(delivery))
    delivery.refresh_from_db()
    with time_machine.travel(FRIDAY, tick=False):
        yield FRIDAY


def url(delivery: Delivery, page: str = "") -> str:
    return f"/desk/livraisons/{delivery.public_id}/{page}"


def give(desk: Client, delivery: Delivery, text: str, **state: Any) -> Any:
    return desk.post(url(delivery), {"texte": text, **state}, headers={"X-Desk": "1"})


def told(response: Any) -> tuple[str, str, str]:
    shown = response.context["screen"].told
    return shown.kind, shown.word.replace("\xa0", " "), shown.text.replace("\xa0", " ")


def status(order: Order) -> str:
    order.refresh_from_db()
    return str(order.status)


# -- Card after card -----------------------------------------------------------------------------


def test_one_scan_is_one_basket_and_one_key_takes_it_back(
    desk: Client, delivery: Delivery, order: Order, card: Card, friday: Any
) -> None:
    for _lost_on_the_way in range(2):
        answer = give(desk, delivery, f"M{card.number}", scan="77")
        assert told(answer) == (
            "done", "Remis.", "Samira B., 1 Panier de légumes. À payer : 12 €."
        )  # fmt: skip
    assert status(order) == "collected"
    assert LogEntry.objects.filter(subject_kind="order", verb="collected").count() == 1
    assert answer.headers["X-Desk"] == "1"
    assert told(give(desk, delivery, card.number, scan="78"))[:2] == ("already", "Déjà remis.")
    undo = answer.context["screen"].told.undo_url
    undone = desk.post(undo, headers={"X-Desk": "1"})
    assert told(undone) == ("returned", "Défait.", "On attend de nouveau Samira B.")
    assert status(order) == "ordered"
    assert told(desk.post(undo, headers={"X-Desk": "1"}))[0] == "refused"
    forged = desk.post(url(delivery, "defaire/?acte=x"), headers={"X-Desk": "1"})
    assert told(forged)[0] == "refused"


def test_three_letters_and_a_list_where_several_bear_the_name(
    desk: Client, delivery: Delivery, order: Order, friday: Any, place: Place
) -> None:
    assert told(give(desk, delivery, "be"))[1] == "À qui ?"
    assert told(give(desk, delivery, "ben"))[1] == "Remis."
    assert told(give(desk, delivery, "ben"))[0] == "already"
    assert told(give(desk, delivery, "cohen"))[:2] == ("unknown", "Introuvable.")
    desk.post(url(delivery, f"attendre/{order.reference}/"))
    assert status(order) == "ordered"


def test_namesakes_are_numbered(
    desk: Client, delivery: Delivery, order: Order, place: Place, at_the_counter: Any
) -> None:
    namesake = OrderFactory(delivery=delivery, member=MemberFactory(place=place))
    send_due(after_cutoff(delivery))
    with time_machine.travel(FRIDAY, tick=False):
        answer = give(desk, delivery, "benali")
        tokens = answer.context["screen"].tokens
        assert len(tokens.split()) == 2 and "À qui ?" in words(answer)
        assert told(give(desk, delivery, "é", choix=tokens))[1] == "Remis."
    assert sorted([status(order), status(namesake)]) == ["collected", "ordered"]


def test_an_adult_of_the_home_by_their_own_card(
    desk: Client, delivery: Delivery, order: Order, member: Member, friday: Any
) -> None:
    partner = MemberFactory(place=member.place, household=member.household, user__first_name="Ali")
    CardFactory(member=partner, number="482174")
    answer = give(desk, delivery, "M482174")
    assert told(answer)[2].startswith("Samira B., 1 Panier de légumes. À Ali Benali.")
    order.refresh_from_db()
    assert order.collected_by == "Ali Benali"


def test_two_of_one_home_one_scan_each(
    desk: Client, delivery: Delivery, order: Order, card: Card, member: Member, at_the_counter: Any
) -> None:
    partner = MemberFactory(place=member.place, household=member.household, user__first_name="Ali")
    theirs = OrderFactory(delivery=delivery, member=partner)
    send_due(after_cutoff(delivery))
    with time_machine.travel(FRIDAY, tick=False):
        assert "Encore : Ali B." in told(give(desk, delivery, card.number))[2]
        assert (status(order), status(theirs)) == ("collected", "ordered")
        give(desk, delivery, card.number)
        assert status(theirs) == "collected"
        assert told(give(desk, delivery, card.number))[0] == "already"


def test_what_cannot_go_out_is_told_in_its_own_colour(
    desk: Client, delivery: Delivery, order: Order, card: Card, place: Place, other_member: Member
) -> None:
    before = give(desk, delivery, card.number)
    assert told(before) == ("wrong", "Pas aujourd’hui.", "Cette commande arrive vendredi 12 mars.")
    assert told(give(desk, delivery, "M123455"))[0] == "unknown"
    stranger = CardFactory(member=other_member, number="482174")
    assert told(give(desk, delivery, stranger.number))[2].endswith(
        "n’a rien commandé pour cette livraison."
    )
    later = DeliveryFactory(round=delivery.round, day=date(2027, 3, 19))
    theirs = OrderFactory(delivery=later, member=other_member)
    assert told(give(desk, delivery, stranger.number))[0] == "wrong"
    assert told(give(desk, delivery, theirs.reference))[1] == "Autre livraison."
    cancel_order(order, by=order.member.user, now=NOW)
    assert told(give(desk, delivery, card.number))[:2] == ("cancelled", "Annulé.")
    assert told(give(desk, delivery, order.reference))[0] == "cancelled"
    Card.objects.filter(pk=stranger.pk).update(revoked_at=NOW)
    assert told(give(desk, delivery, stranger.number))[0] == "refused"
    assert give(desk, delivery, "").context["screen"].told is None


def test_not_fetched_in_one_go_with_what_becomes_of_it(
    desk: Client, delivery: Delivery, order: Order, friday: Any
) -> None:
    assert "non retirée" not in words(desk.get(url(delivery)))
    assert told(desk.post(url(delivery, "non-retire/")))[0] == "refused"
    with time_machine.travel(on(12, 19), tick=False):
        page = words(desk.get(url(delivery)))
        assert "Ce qui reste est donné à une association." in page
        answer = desk.post(url(delivery, "non-retire/"), headers={"X-Desk": "1"})
        assert told(answer)[1:] == (
            "Livraison terminée.", "Une commande non retirée, la personne est prévenue."
        )  # fmt: skip
        assert status(order) == "missed"
        assert Delivery.objects.get(pk=delivery.pk).status == DeliveryStatus.DONE
        undone = desk.post(answer.context["screen"].told.undo_url, headers={"X-Desk": "1"})
        assert told(undone)[1:] == ("Défait.", "On attend de nouveau une personne.")
        assert status(order) == "ordered"
        for wrong in ("", "?quand=x", "?quand=2027-03-12T17:00:00"):
            assert desk.post(url(delivery, f"attendus/{wrong}")).status_code == 404


def test_when_its_last_day_is_past_nothing_is_taken_back_there(
    desk: Client, delivery: Delivery, order: Order, friday: Any
) -> None:
    give(desk, delivery, order.reference)
    assert "Défaire" in words(desk.get(url(delivery)))
    with time_machine.travel(on(13, 10), tick=False):
        assert "Défaire" not in words(desk.get(url(delivery)))
        pressed = desk.post(url(delivery, f"attendre/{order.reference}/"), headers={"X-Desk": "1"})
        assert told(pressed)[2] == "Cette livraison est passée : on n’y défait plus rien."
    assert status(order) == "collected"


def test_what_is_past_and_was_not_fetched_offers_nothing(
    desk: Client, delivery: Delivery, order: Order, friday: Any
) -> None:
    with time_machine.travel(on(13, 10), tick=False):
        noted = desk.post(url(delivery, "non-retire/"), headers={"X-Desk": "1"})
        assert told(noted)[1] == "Livraison terminée."
        assert noted.context["screen"].told.undo_url is None
        page = words(desk.get(url(delivery), headers={"X-Desk": "1"}))
        assert "Non retiré" in page
        assert "Remettre" not in page and "Défaire" not in page and "après coup" not in page


def test_a_forgotten_hand_over_is_noted_by_the_lists_button_and_by_no_scan(
    desk: Client, delivery: Delivery, order: Order, card: Card, friday: Any
) -> None:
    page = desk.get(url(delivery), headers={"X-Desk": "1"})
    assert "Remettre" in words(page) and "après coup" not in words(page)
    with time_machine.travel(on(15, 10), tick=False):
        page = desk.get(url(delivery), headers={"X-Desk": "1"})
        assert "Remis, noté après coup" in words(page) and "Remettre" not in words(page)
        assert "Noter 1 commande non retirée" in words(page)
        for scanned in (card.number, order.reference, "Benali"):
            assert told(give(desk, delivery, scanned))[0] == "wrong"
        [button] = re.findall(f'name="texte" value="(.*{order.reference})"', page.text)
        for _lost_on_the_way in range(2):
            noted = give(desk, delivery, button, scan="79")
            assert told(noted)[:2] == ("done", "Remis, noté après coup.")
            assert noted.context["screen"].told.undo_url is None
        assert status(order) == "collected"
        assert "Remis, noté après coup" in words(desk.get(url(delivery)))
    with time_machine.travel(on(27, 1), tick=False):
        Order.objects.update(status="ordered", collected_at=None)
        assert "après coup" not in words(desk.get(url(delivery)))


def test_the_answer_to_a_press_shows_what_has_become_of_the_delivery(
    desk: Client, delivery: Delivery, order: Order, friday: Any
) -> None:
    with time_machine.travel(on(12, 19), tick=False):
        over = desk.post(url(delivery, "non-retire/"), headers={"X-Desk": "1"})
        assert "Terminée" in words(over)
        again = desk.post(url(delivery, f"attendre/{order.reference}/"), headers={"X-Desk": "1"})
        assert told(again)[1] == "Défait."
        assert "Terminée" not in words(again)
        assert "Noter 1 commande non retirée" in words(again)


# -- At the counter --------------------------------------------------------------------------------


def test_a_card_opens_everything_and_again_hands_over(
    desk: Client, order: Order, card: Card, member: Member, friday: Any
) -> None:
    ParcelFactory(member=member)
    opened = scan(desk, card.number)
    assert result(opened)[2].endswith("Un colis à remettre. Une commande à remettre.")
    assert "1 Panier de légumes" in words(opened) and "Remettre à Samira" in words(opened)
    assert 'aria-keyshortcuts="Enter"' in opened.text
    for _lost_on_the_way in range(2):
        answer = scan(desk, card.number, membre=member.pk, scan="91")
        assert result(answer)[1:] == (
            "Remis : une commande.", "1 Panier de légumes. À Samira Benali. Un colis à remettre."
        )  # fmt: skip
    assert status(order) == "collected"
    undone = desk.post(answer.context["screen"].result.undo_url, headers={"X-Desk": "1"})
    assert result(undone)[1:] == ("Défait : une commande.", "C’est de nouveau à remettre.")
    assert status(order) == "ordered"


def test_a_reference_opens_first_and_hands_over_then(
    desk: Client, order: Order, member: Member, friday: Any
) -> None:
    opened = scan(desk, order.reference)
    assert opened.context["screen"].marked == order.reference
    assert (result(opened)[1], status(order)) == ("Commande lue.", "ordered")
    assert result(scan(desk, order.reference, membre=member.pk))[1] == "Remis : une commande."
    told_again = scan(desk, order.reference, membre=member.pk)
    assert result(told_again)[::2] == (
        "already", "Remis à Samira Benali, vendredi 12 mars à 17 h."
    )  # fmt: skip


def test_another_day_is_shown_and_not_handed_over(
    desk: Client, order: Order, card: Card, member: Member
) -> None:
    opened = scan(desk, card.number, membre=member.pk)
    assert "Commandé pour un autre jour" in words(opened)
    assert result(scan(desk, order.reference))[0] == "wrong"
    assert status(order) == "ordered"
    cancel_order(order, by=member.user, now=NOW)
    assert result(scan(desk, order.reference))[0] == "cancelled"


def test_to_a_named_person_with_a_proof_of_identity(
    desk: Client, order: Order, card: Card, member: Member, other_member: Member, friday: Any
) -> None:
    proxy, theirs = ProxyFactory(member=member), ProxyFactory(member=other_member)
    assert "pièce d’identité au nom de Marc Diallo" in words(scan(desk, card.number))
    ticked = {order.reference: "1"}
    for nobody in (f"p{theirs.pk}", f"m{other_member.pk}", ""):
        assert desk.post("/desk/commandes/remettre/", {**ticked, "a": nobody}).status_code == 404
    assert result(desk.post("/desk/commandes/remettre/", {"a": f"p{proxy.pk}"}))[0] == "refused"
    answer = desk.post("/desk/commandes/remettre/", {**ticked, "a": f"p{proxy.pk}"})
    assert "À Marc Diallo." in result(answer)[2]


def test_what_is_kept_waits_until_the_next_open_day(
    desk: Client, delivery: Delivery, order: Order, card: Card, friday: Any
) -> None:
    Delivery.objects.update(leftover=Leftover.KEPT)
    with time_machine.travel(on(12, 19), tick=False):
        assert "Ce qui reste est gardé jusqu’au samedi 13 mars." in words(desk.get(url(delivery)))
        desk.post(url(delivery, "non-retire/"))
    with time_machine.travel(on(13, 10), tick=False):
        assert "Une commande à remettre." in result(scan(desk, card.number))[2]
        give(desk, delivery, card.number)
    assert status(order) == "collected"


# -- Lists, board, paper ---------------------------------------------------------------------------


def test_the_lists_and_the_board_count(
    desk: Client, delivery: Delivery, order: Order, card: Card, place: Place
) -> None:
    assert "Ensuite" in words(desk.get("/desk/livraisons/"))
    assert "Pain et paniers" in words(desk.get("/desk/"))
    send_due(after_cutoff(delivery))
    with time_machine.travel(FRIDAY, tick=False):
        give(desk, delivery, card.number)
        [part] = [part for part in desk.get("/desk/").context["parts"] if part.key == "deliveries"]
        assert [(one.text, one.end) for one in part.entries] == [("Paniers, 1 sur 1", "16\xa0h")]
        assert "1 sur 1" in words(desk.get("/desk/livraisons/"))
        desk.post(url(delivery, f"attendre/{order.reference}/"))
    with time_machine.travel(on(13, 10), tick=False):
        assert "À terminer" in words(desk.get("/desk/livraisons/"))
        [part] = [part for part in desk.get("/desk/").context["parts"] if part.key == "deliveries"]
        assert part.entries[0].text == "Paniers, à terminer"


def test_a_producer_whom_nobody_could_tell_is_called(
    desk: Client, delivery: Delivery, order: Order
) -> None:
    assert "Producteur à appeler" not in words(desk.get("/desk/livraisons/"))
    send_due(after_cutoff(delivery))
    assert "Producteur à appeler : Ferme des Marais" in words(desk.get("/desk/tableau/"))
    page = words(desk.get(url(delivery)))
    assert "Ferme des Marais n’est pas prévenu : appelez." in page and "03 22 45 00 00" in page
    answer = desk.post(url(delivery, "appele/"))
    assert "producteur prévenu" in words(desk.get(answer["Location"]))
    assert "Producteur à appeler" not in words(desk.get("/desk/tableau/"))


def test_the_sheets_on_paper(
    desk: Client, delivery: Delivery, order: Order, card: Card, other_member: Member
) -> None:
    gone = OrderFactory(delivery=delivery, member=other_member)
    cancel_order(gone, by=other_member.user, now=NOW)
    page = desk.get(url(delivery, "feuille/"))
    told_ = words(page)
    assert "1 Panier de légumes" in told_ and "jusqu’ici" in told_
    assert "Benali Samira M 204 511 1 Panier de légumes" in told_
    assert [(row["name"], row["is_grey"]) for row in page.context["rows"]] == sorted(
        [
            ("Benali Samira", False),
            (f"{other_member.last_name} {other_member.first_name}", True),
        ]
    )
    totals = words(desk.get(url(delivery, "totaux/")))
    assert "En tout, pour 1 commande 1" in totals
    assert "Samira" not in totals.replace("Samira B", "")


def in_pdf(response: Any) -> list[str]:
    """The text of each page."""
    assert response["Content-Type"] == "application/pdf"
    return [page.extract_text() for page in PdfReader(BytesIO(response.content)).pages]


def test_the_sheet_to_sign_is_a_file_too(
    desk: Client, delivery: Delivery, order: Order, card: Card, other_member: Member
) -> None:
    gone = OrderFactory(delivery=delivery, member=other_member)
    cancel_order(gone, by=other_member.user, now=NOW)
    answer = desk.get(url(delivery, "feuille.pdf"))
    assert answer["Content-Disposition"] == 'inline; filename="paniers-2027-03-12.pdf"'
    [text] = in_pdf(answer)
    for said in ("Benali", "M 204 511", "1 Panier de légumes", "annulé", "page 1 / 1"):
        assert said in text.replace("\xa0", " ")


def test_a_long_sheet_has_its_heading_on_each_page_and_takes_text_as_typed(
    desk: Client, delivery: Delivery
) -> None:
    for number in range(40):
        member = MemberFactory(user__last_name=f"<b>{number:02}&", user__first_name="Nguyễn")
        OrderFactory(delivery=delivery, member=member)
    pages = in_pdf(desk.get(url(delivery, "feuille.pdf")))
    assert len(pages) == 2
    assert all("Signature" in text and f"page {n} / 2" in text for n, text in enumerate(pages, 1))
    said = "".join(pages)
    assert all(f"<b>{number:02}&" in said for number in range(40)) and "Nguyen" in said


# -- How many, another day, called off -------------------------------------------------------------


def test_quantities_never_under_what_is_promised(
    desk: Client, delivery: Delivery, order: Order
) -> None:
    stock = delivery.stock.get()
    name = f"most_{stock.pk}"
    refused = desk.post(url(delivery, "places/"), {name: "30", "most": "0"})
    assert refused.status_code == 422
    assert list(refused.context["form"].errors) == ["most"]
    stock.refresh_from_db()
    assert stock.most is None
    answer = desk.post(url(delivery, "places/"), {name: "30", "most": "40"})
    assert "Noté." in words(desk.get(answer["Location"]))
    stock.refresh_from_db()
    assert (stock.most, Delivery.objects.get(pk=delivery.pk).most_pieces) == (30, 40)
    assert desk.post(url(delivery, "places/"), {name: "-1"}).status_code == 422


def test_called_off_after_a_look_at_whom_it_lets_down(
    desk: Client, delivery: Delivery, order: Order, place: Place
) -> None:
    silent = MemberFactory(place=place, user__email="", user__last_name="Sourd")
    OrderFactory(delivery=delivery, member=silent)
    page = words(desk.get(url(delivery, "annuler/")))
    assert "2 personnes attendent 2 pièces." in page and "24 € sont recrédités" in page
    assert "1 est prévenue par e-mail" in page and "À prévenir vous-même : Samira Sourd" in page
    assert Delivery.objects.get(pk=delivery.pk).status == DeliveryStatus.OPEN
    assert desk.post(url(delivery, "annuler/"), {"reason": ""}).status_code == 422
    answer = desk.post(url(delivery, "annuler/"), {"reason": "producer"})
    assert "Livraison annulée." in words(desk.get(answer["Location"]))
    assert status(order) == "failed"
    assert balance(order.member.household) == 0
    assert desk.post(url(delivery, "annuler/"), {"reason": "producer"}).status_code == 422
    assert "Ne viennent pas" in words(desk.get("/desk/livraisons/"))


def test_a_day_on_which_nobody_could_fetch_is_refused_before_the_press_and_at_it(
    desk: Client, delivery: Delivery, order: Order
) -> None:
    page, typed = url(delivery, "deplacer/"), {"jour": "2027-03-13"}
    said = "Le samedi 13 mars, l’accueil ouvre de 9 h à 13 h : personne ne pourrait retirer à 16 h."
    for answer in (desk.get(page, typed), desk.post(page, typed)):
        assert answer.status_code == 422
        assert said in words(answer).replace("\xa0", " ")
        assert answer.context["told"] is None
    delivery.refresh_from_db()
    assert delivery.day == date(2027, 3, 12)


def test_moved_to_another_day(desk: Client, delivery: Delivery, order: Order) -> None:
    DeliveryRound.objects.update(collect_from=time(10), collect_until=time(12))
    for day in ("2027-03-15", "2027-03-08", "x"):
        assert desk.post(url(delivery, "deplacer/"), {"jour": day}).status_code == 422
    asked = words(desk.get(url(delivery, "deplacer/?jour=2027-03-13")))
    assert "Si elle vient samedi 13 mars" in asked and "1 personne attend 1 pièces" in asked
    answer = desk.post(url(delivery, "deplacer/"), {"jour": "2027-03-13"})
    assert "Livraison déplacée." in words(desk.get(answer["Location"]))
    delivery.refresh_from_db()
    assert delivery.day == date(2027, 3, 13)


# -- An order for somebody -------------------------------------------------------------------------


def test_an_order_for_somebody_changed_and_given_back(
    desk: Client, delivery: Delivery, member: Member, card: Card
) -> None:
    product = product_of(delivery).public_id
    sent = desk.post(url(delivery, "commander/"), {"who": "benali"})
    page = f"/desk/membre/{member.pk}/commander/"
    assert sent["Location"] == f"{page}?livraison={delivery.public_id}"
    assert "Paniers" in words(desk.get(page))
    form = desk.get(sent["Location"])
    assert "Panier de légumes" in words(form)
    data = {"livraison": delivery.public_id, "key": form.context["key"], f"line_{product}": "2"}
    for _pressed_twice in range(2):
        answer = desk.post(page, data)
    assert Order.objects.count() == 1
    assert "12" not in answer["Location"][:6]
    order = Order.objects.get()
    assert (order.quantity, order.channel, order.member) == (2, "desk", member)
    again = desk.get(sent["Location"])
    assert 'value="2"' in again.text and "Changer la commande" in words(again)
    desk.post(page, {**data, f"line_{product}": "1"})
    order.refresh_from_db()
    assert order.quantity == 1
    assert desk.post(page, {**data, f"line_{product}": "0"}).status_code == 422
    desk.post(page, {"livraison": delivery.public_id, "annuler": "1"})
    assert status(order) == "cancelled"


def test_the_last_order_is_offered_and_never_typed_by_itself(
    desk: Client, delivery: Delivery, member: Member
) -> None:
    earlier = DeliveryFactory(round=delivery.round, day=date(2027, 3, 19))
    OrderFactory(delivery=delivery, member=member)
    product = product_of(delivery).public_id
    page = f"/desk/membre/{member.pk}/commander/?livraison={earlier.public_id}"
    fresh = desk.get(page)
    assert "Comme la dernière fois : 1 × Panier de légumes" in words(fresh)
    assert fresh.context["form"][f"line_{product}"].value() is None
    again = desk.get(f"{page}&derniere=1")
    assert again.context["form"][f"line_{product}"].value() == 1


def test_who_owes_too_much_pays_first_and_a_closed_list_says_so(
    desk: Client, delivery: Delivery, member: Member
) -> None:
    product = product_of(delivery).public_id
    type(delivery.round).objects.update(most_owed_cents=0)
    page = f"/desk/membre/{member.pk}/commander/"
    key = desk.get(f"{page}?livraison={delivery.public_id}").context["key"]
    data = {"livraison": delivery.public_id, "key": key, f"line_{product}": "1"}
    refused = desk.post(page, data)
    assert refused.status_code == 422 and "Encaisser d’abord" in words(refused)
    assert not Order.objects.exists()
    with time_machine.travel(after_cutoff(delivery), tick=False):
        answer = desk.post(page, data)
        assert "closes" in words(desk.get(answer["Location"]))
    assert desk.post(page, {**data, "livraison": "inconnue"}).status_code == 404


def test_what_is_owed_is_taken_at_the_till(
    desk: Client, order: Order, card: Card, member: Member
) -> None:
    opened = scan(desk, card.number)
    assert "À payer : 12 €" in words(opened) and "Pain et paniers" in words(opened)


# -- Who may, and statements -----------------------------------------------------------------------

PAGES = ("", "feuille/", "feuille.pdf", "totaux/", "places/", "annuler/", "deplacer/", "commander/")
ACTS = ("non-retire/", "appele/", "defaire/", "attendus/", "places/", "annuler/", "deplacer/")


def test_another_places_concierge_and_a_resident_find_nothing(
    client: Client, delivery: Delivery, order: Order, member: Member
) -> None:
    elsewhere = AssignmentFactory(place=PlaceFactory(landlord=delivery.place.landlord)).user
    sign_in_staff(client, elsewhere)
    for page in PAGES:
        assert client.get(url(delivery, page)).status_code == 404
    for act in (*ACTS, f"attendre/{order.reference}/"):
        assert client.post(url(delivery, act)).status_code == 404
    assert member.last_name not in client.get("/desk/livraisons/").text
    client.post("/desk/commandes/remettre/", {order.reference: "1", "a": f"m{member.pk}"})
    assert status(order) == OrderStatus.ORDERED
    resident = Client()
    sign_in_staff(resident, member.user)
    for page in PAGES:
        assert resident.get(url(delivery, page)).status_code == 403


def statements(desk: Client, path: str) -> int:
    desk.get(path)
    with CaptureQueriesContext(connection) as held:
        assert desk.get(path).status_code == 200
    return len(held)


@pytest.mark.parametrize("number", [1, 3])
def test_pages_take_as_many_statements_however_many_order(
    desk: Client, place: Place, delivery: Delivery, number: int
) -> None:
    for _each in range(number):
        CardFactory(member=OrderFactory(delivery=delivery).member)
    for week in range(number):
        DeliveryFactory(round=delivery.round, day=date(2027, 3, 19) + timedelta(weeks=week))
    cost = session()
    assert statements(desk, "/desk/livraisons/") == 7 + cost
    assert statements(desk, url(delivery)) == 7 + cost
    assert statements(desk, url(delivery, "feuille/")) == 12 + cost


@pytest.mark.parametrize("number", [1, 3])
def test_a_hand_over_takes_as_many_statements_however_many_wait(
    desk: Client, delivery: Delivery, order: Order, card: Card, number: int, at_the_counter: Any
) -> None:
    for _each in range(number):
        OrderFactory(delivery=delivery)
    send_due(after_cutoff(delivery))
    with time_machine.travel(FRIDAY, tick=False):
        give(desk, delivery, "M123455")
        with CaptureQueriesContext(connection) as held:
            assert told(give(desk, delivery, card.number, scan="5"))[0] == "done"
    assert len(held) == 19 + session()
