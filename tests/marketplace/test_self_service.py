"""A partner's own screens: two taps for the day, each thing of the page, and nobody else's."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from club.models import Message, Place, User
from marketplace.domain import offers, people
from marketplace.enums import OfferKind, PartnerKind
from marketplace.models import (
    Offer,
    OfferStock,
    Partner,
    PartnerChange,
    PartnerClosure,
    PartnerHours,
    PartnerPerson,
)
from marketplace.queries.offers import terms_of
from tests.costs import session
from tests.factories.club import MemberFactory, UserFactory
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory

PAGE = "/espace-partenaire/ma-page/"
OFFERS = "/espace-partenaire/mon-offre/"


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def person(place: Place) -> PartnerPerson:
    partner = PartnerFactory(landlord=place.landlord, name="Boulangerie Delattre")
    return PersonFactory(partner=partner, user__first_name="Paul", user__last_name="Delattre")


@pytest.fixture
def partner(person: PartnerPerson) -> Partner:
    return person.partner


@pytest.fixture
def bread(partner: Partner) -> Offer:
    return OfferFactory(
        partner=partner, title="Pain de campagne", kind=OfferKind.PRICE, percent=None,
        price_cents=1_10, usual_price_cents=1_30,
    )  # fmt: skip


@pytest.fixture
def baker(client: Client, person: PartnerPerson) -> Client:
    client.force_login(person.user)
    return client


def text_of(page: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", page.text.split("<main")[1].split("</main>")[0])
    return re.sub(r"\s+", " ", plain)


def tap(client: Client, offer: Offer, act: str, **more: Any) -> Any:
    address = reverse("pro:stock", args=[offer.public_id])
    return client.post(address, {"faire": act, **more}, follow=True)


def photo() -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "JPEG")
    return SimpleUploadedFile("vitrine.jpg", out.getvalue(), "image/jpeg")


# -- Mon offre -------------------------------------------------------------------------------


def test_each_tap_saves_and_has_its_way_back(baker: Client, bread: Offer) -> None:
    page = baker.get(OFFERS)
    assert "Pain de campagne" in page.text
    assert "Enregistré" not in page.text
    assert "Un de moins" not in page.text
    tap(baker, bread, "plus")
    page = tap(baker, bread, "plus")
    assert '<span class="quantity__number">2</span>' in page.text
    assert "Enregistré à 10 h 24. Défaire" in text_of(page).replace(" .", ".")
    tap(baker, bread, "moins")
    assert OfferStock.objects.get().left == 1
    newest = PartnerChange.objects.latest("pk")
    page = baker.post(reverse("pro:undo", args=[newest.pk]), follow=True)
    assert "C’est défait." in page.text
    assert OfferStock.objects.get().left == 2


def test_sold_out_in_two_taps_and_there_again(baker: Client, bread: Offer) -> None:
    page = tap(baker, bread, "epuise")
    assert "Épuisé aujourd’hui" in page.text
    assert "Marquer épuisé" not in page.text
    assert "Il en reste aujourd’hui" not in page.text
    again = tap(baker, bread, "epuise")
    assert "Rien n’a changé." in again.text
    page = tap(baker, bread, "disponible")
    assert "Marquer épuisé" in page.text


def test_none_left_is_sold_out_until_there_is_some_again(
    baker: Client, bread: Offer, partner: Partner
) -> None:
    tap(baker, bread, "plus")
    page = tap(baker, bread, "moins")
    assert '<span class="quantity__number">0</span>' in page.text
    assert "Épuisé aujourd’hui" in page.text and "Marquer épuisé" not in page.text
    assert "Épuisé aujourd’hui" in baker.get(partner.get_absolute_url()).text
    assert "Pain de campagne : épuisé" in text_of(baker.get(PAGE)).replace("\u00a0", " ")
    page = tap(baker, bread, "disponible")
    assert "Épuisé aujourd’hui" not in page.text and "pas encore dit" in page.text
    row = OfferStock.objects.get()
    assert (row.left, row.sold_out) == (None, False)
    assert "Épuisé aujourd’hui" not in baker.get(partner.get_absolute_url()).text


def test_nothing_stands_above_the_number_that_a_tap_would_push_down(
    baker: Client, bread: Offer
) -> None:
    page = tap(baker, bread, "plus").text
    assert f'id="n-{bread.public_id}" data-tally="{OFFERS}"' in page
    assert page.index("quantity__number") < page.index("Enregistré à")
    assert "js/tally" in page


def test_a_percentage_is_not_counted_in_pieces_and_nothing_is_withdrawn_here(
    baker: Client, partner: Partner
) -> None:
    offer = OfferFactory(partner=partner, title="Tout le magasin")
    page = baker.get(OFFERS).text
    assert "Un de plus" not in page and "Marquer épuisé" in page
    assert "Retirer cet avantage" not in page
    assert (
        "Retirer cet avantage" in baker.get(reverse("pro:offer-edit", args=[offer.public_id])).text
    )


def test_a_change_that_waits_stands_beside_what_holds(
    baker: Client, bread: Offer, person: PartnerPerson, now: datetime
) -> None:
    said = terms_of(bread) | {"price_cents": 1_00}
    offers.propose(bread, bread.partner, said, by=person.user, now=now)
    told = text_of(baker.get(OFFERS)).replace("\u00a0", " ")
    assert "1,10 € au lieu de 1,30 € → deviendrait 1 € au lieu de 1,30 €" in told


def test_a_number_is_typed_and_a_fault_keeps_it(baker: Client, bread: Offer) -> None:
    page = tap(baker, bread, "nombre", left="14")
    assert '<span class="quantity__number">14</span>' in page.text
    for typed, said in [("-1", "de 0 à 999"), ("", "Écrivez un nombre."), ("x", "Écrivez")]:
        page = tap(baker, bread, "nombre", left=typed)
        assert page.status_code == 422
        assert "Il y a un problème" in page.text
        assert said in page.text
        assert f'href="#id_left_{bread.public_id}"' in page.text
        assert "<title>Erreur" in page.text
        if typed == "-1":
            assert 'value="-1"' in page.text
    assert OfferStock.objects.get().left == 14
    assert tap(baker, bread, "rien").status_code == 200


def test_each_offer_has_its_own_line_and_what_is_over_has_none(
    baker: Client, partner: Partner, bread: Offer
) -> None:
    cake = OfferFactory(partner=partner, title="Tarte")
    OfferFactory(partner=partner, title="Galette", ends_on=date(2027, 1, 31))
    later = OfferFactory(partner=partner, title="Œufs", starts_on=date(2027, 3, 20))
    page = tap(baker, cake, "plus")
    assert page.text.count("Enregistré à") == 1
    assert page.text.index('id="o-' + bread.public_id) < page.text.index("Enregistré à")
    assert "Galette" not in page.text
    assert reverse("pro:stock", args=[later.public_id]) not in page.text


def test_yesterday_s_number_is_gone(baker: Client, bread: Offer, now: datetime) -> None:
    tap(baker, bread, "nombre", left="14")
    with time_machine.travel(now + timedelta(days=1), tick=False):
        page = baker.get(OFFERS)
    assert "Enregistré" not in page.text
    assert "pas encore dit" in page.text


def test_without_an_offer_one_is_proposed(baker: Client) -> None:
    page = baker.get(OFFERS)
    assert "Vous n’avez pas encore d’avantage" in page.text
    assert reverse("pro:offer-new") in page.text


@pytest.mark.parametrize("rows", [1, 3])
def test_the_screen_costs_the_same_however_many_offers(
    baker: Client, partner: Partner, rows: int
) -> None:
    for number in range(rows):
        offer = OfferFactory(partner=partner, title=f"Pain {number}")
        tap(baker, offer, "plus")
    baker.get(OFFERS)
    with CaptureQueriesContext(connection) as seen:
        assert len(baker.get(OFFERS).context["lines"]) == rows
    assert len(seen) == 7 + session()


# -- Ma page ---------------------------------------------------------------------------------


def test_the_page_tells_what_residents_read(baker: Client, partner: Partner, place: Place) -> None:
    PartnerHours.objects.create(partner=partner, weekday=1, opens=time(7), closes=time(19))
    page = baker.get(PAGE)
    said = text_of(page).replace("\u00a0", " ")
    assert "Le mardi, de 7 h à 19 h" in said
    assert "03 22 00 00 00" in said
    assert "Paul Delattre (vous)" in said
    assert partner.get_absolute_url() in page.text
    partner.conventions.all().delete()
    page = baker.get(PAGE)
    assert partner.get_absolute_url() not in page.text
    assert "Les habitants ne voient pas votre page aujourd’hui." in page.text


def test_all_is_right_says_so_with_its_day(baker: Client, partner: Partner) -> None:
    Partner.objects.update(confirmed_on=date(2026, 9, 1))
    assert "Tout est-il encore juste" in baker.get(PAGE).text
    page = baker.post(reverse("pro:confirm"), follow=True)
    assert "Tout est-il encore juste" not in page.text
    assert "Relue le 9 mars 2027." in text_of(page).replace("\u00a0", " ")
    partner.refresh_from_db()
    assert partner.confirmed_on == date(2027, 3, 9)


WEEK = {"day_0_0": "", "day_1_0": "07:00", "day_1_1": "13:00", "day_1_2": "15:00",
        "day_1_3": "19:00", "day_2_4": "on", "day_5_0": "7h30", "day_5_1": "12h"}  # fmt: skip


def test_a_week_is_typed_with_days_as_the_one_before(baker: Client, partner: Partner) -> None:
    address = reverse("pro:hours")
    looked = baker.post(address, WEEK | {"lire": "1"})
    said = "Le mardi et le mercredi, de 7 h à 13 h et de 15 h à 19 h ; le samedi, de 7 h 30 à 12 h."
    assert said in text_of(looked).replace("\u00a0", " ")
    assert not PartnerHours.objects.exists()
    page = baker.post(address, WEEK, follow=True)
    assert "Enregistré à 10 h 24." in text_of(page).replace("\u00a0", " ")
    rows = PartnerHours.objects.order_by("weekday", "opens")
    assert [(row.weekday, row.opens.hour) for row in rows] == [
        (1, 7),
        (1, 15),
        (2, 7),
        (2, 15),
        (5, 7),
    ]
    form = baker.get(address).context["form"]
    assert form["day_2"].initial.as_before
    assert form["day_5"].initial.spans == ((time(7, 30), time(12)),)
    again = baker.post(address, WEEK, follow=True)
    assert "Rien n’a changé." in again.text
    assert PartnerChange.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"day_1_0": "07:00"}, "Écrivez l’heure d’ouverture et celle de fermeture."),
        ({"day_1_0": "19:00", "day_1_1": "07:00"}, "L’heure de fermeture doit suivre l’ouverture."),
        (
            {"day_1_0": "07:00", "day_1_1": "13:00", "day_1_2": "12:00", "day_1_3": "19:00"},
            "Ces heures se chevauchent.",
        ),
        ({"day_1_0": "99:99", "day_1_1": "13:00"}, "Écrivez l’heure ainsi"),
    ],
)
@pytest.mark.parametrize("button", ["mettre", "lire"])
def test_a_fault_in_the_hours_stands_at_its_day(
    baker: Client, person: PartnerPerson, typed: Any, said: str, button: str
) -> None:
    page = baker.post(
        reverse("pro:hours"), {**typed, "day_4_0": "08:00", "day_4_1": "12:00", button: "1"}
    )
    assert page.status_code == 422
    assert said in page.text
    assert 'href="#id_day_1_0"' in page.text
    assert list(page.context["form"].errors) == ["day_1"]
    for value in [*typed.values(), "08:00"]:
        assert f'value="{value}"' in page.text
    assert not PartnerHours.objects.exists()


def test_a_phone_and_a_photo_are_changed_and_undone(baker: Client, partner: Partner) -> None:
    baker.post(reverse("pro:phone"), {"phone": "03 22 99 88 77"})
    wrong = baker.post(reverse("pro:phone"), {"phone": "12"})
    assert wrong.status_code == 422
    assert 'value="12"' in wrong.text
    text = SimpleUploadedFile("photo.jpg", b"bonjour", "image/jpeg")
    for upload in (text, ""):
        refused = baker.post(reverse("pro:photo"), {"picture": upload})
        assert refused.status_code == 422
        assert 'href="#id_picture"' in refused.text
    baker.post(reverse("pro:photo"), {"picture": photo()})
    partner.refresh_from_db()
    assert (partner.phone, partner.picture is not None) == ("+33322998877", True)
    for row in PartnerChange.objects.order_by("-pk"):
        assert baker.post(reverse("pro:undo", args=[row.pk]))["Location"] == PAGE
    partner.refresh_from_db()
    assert (partner.phone, partner.picture) == ("+33322000000", None)
    baker.post(reverse("pro:photo"), {"picture": photo()})
    baker.post(reverse("pro:photo"), {"enlever": "1"})
    assert [told.what for told in baker.get(PAGE).context["history"]] == [
        "Photo retirée",
        "Nouvelle photo",
    ]


def test_days_off_are_told_and_taken_back(baker: Client, partner: Partner) -> None:
    address = reverse("pro:closure")
    page = baker.post(address, {"starts_on": "2027-03-16", "ends_on": "2027-03-20"}, follow=True)
    said = text_of(page).replace("\u00a0", " ")
    assert "Fermé du mardi 16 mars au samedi 20 mars" in said
    assert "Enregistré à 10 h 24." in said
    baker.post(address, {"starts_on": "2027-04-05"})
    assert PartnerClosure.objects.get(starts_on=date(2027, 4, 5)).ends_on == date(2027, 4, 5)
    for typed in [{"starts_on": "2027-03-01"}, {"starts_on": ""}, {"starts_on": "2027-99-01"}]:
        page = baker.post(address, typed)
        assert page.status_code == 422
        assert 'href="#id_starts_on"' in page.text
        assert f'value="{typed["starts_on"]}"' in page.text or not typed["starts_on"]
    first = PartnerClosure.objects.get(starts_on=date(2027, 3, 16))
    baker.post(reverse("pro:reopen", args=[first.pk]))
    assert PartnerClosure.objects.count() == 1
    assert "Fermeture annulée" in baker.get(PAGE).text


def test_a_morning_of_taps_is_one_line_of_the_history(
    baker: Client, bread: Offer, partner: Partner
) -> None:
    for _ in range(5):
        tap(baker, bread, "plus")
    baker.post(reverse("pro:phone"), {"phone": "03 22 99 88 77"})
    told = baker.get(PAGE).context["history"]
    assert [one.what.replace("\u00a0", " ") for one in told] == [
        "Téléphone : 03 22 99 88 77",
        "Pain de campagne : il en reste 5",
    ]
    assert [(one.who, one.undo is not None) for one in told] == [("Paul", True)] * 2


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_the_same_however_much_happened(
    baker: Client, partner: Partner, rows: int
) -> None:
    for number in range(rows):
        PersonFactory(partner=partner)
        tap(baker, OfferFactory(partner=partner, title=f"Pain {number}"), "plus")
        PartnerClosure.objects.create(
            partner=partner, starts_on=date(2027, 4, 1 + 3 * number),
            ends_on=date(2027, 4, 2 + 3 * number),
        )  # fmt: skip
    baker.get(PAGE)
    with CaptureQueriesContext(connection) as seen:
        page = baker.get(PAGE)
    assert len(page.context["history"]) == rows
    assert len(page.context["people"]) == rows + 1
    assert len(seen) == 12 + session()


# -- People ----------------------------------------------------------------------------------


def new_person(client: Client, **typed: str) -> Any:
    data = {"first_name": "Ana", "last_name": "Costa", "email": "", "phone": ""} | typed
    return client.post(reverse("pro:person-add"), data)


def test_a_colleague_is_added_and_comes_in(baker: Client, partner: Partner, now: datetime) -> None:
    assert new_person(baker, email="ana@example.org").status_code == 302
    ana = PartnerPerson.objects.get(user__email="ana@example.org")
    assert Message.objects.get().user == ana.user
    assert "Ana Costa" in baker.get(PAGE).text
    for typed in [
        {},
        {"email": "ana"},
        {"phone": "12"},
        {"first_name": "", "email": "b@example.org"},
    ]:
        page = new_person(baker, **typed)
        assert page.status_code == 422
        assert 'value="Costa"' in page.text


def test_an_address_typed_tells_no_resident_s_name(
    baker: Client, partner: Partner, place: Place, now: datetime
) -> None:
    resident = MemberFactory(
        place=place, user__first_name="Samira", user__last_name="Vandenbroeck",
        user__email="samira@example.org",
    )  # fmt: skip
    assert new_person(baker, email="samira@example.org").status_code == 302
    page = baker.get(PAGE)
    assert "Vandenbroeck" not in page.text
    assert "Une personne invitée" in page.text
    person = PartnerPerson.objects.get(user=resident.user)
    question = baker.get(reverse("pro:person-remove", args=[person.pk]))
    assert "Vandenbroeck" not in question.text
    people.enter(people.make_link(person, now=now), now=now)
    assert "Samira Vandenbroeck" in baker.get(PAGE).text


def test_what_an_account_is_is_not_told(
    baker: Client, partner: Partner, concierge_user: User
) -> None:
    closed = UserFactory(is_active=False)
    pages = [new_person(baker, email=user.email) for user in (concierge_user, closed)]
    for page in pages:
        assert page.status_code == 422
        assert "Cette adresse ne peut pas être ajoutée." in page.text


def test_strangers_addresses_are_not_tried_one_by_one(baker: Client, partner: Partner) -> None:
    for number in range(10):
        assert new_person(baker, email=f"n{number}@example.org").status_code == 302
    page = new_person(baker, email="last@example.org")
    assert page.status_code == 422
    assert "C’est assez pour aujourd’hui." in page.text


def test_a_colleague_is_taken_away_after_a_question(
    baker: Client, partner: Partner, now: datetime
) -> None:
    ana = PersonFactory(partner=partner, user__first_name="Ana", user__last_name="Costa")
    address = reverse("pro:person-remove", args=[ana.pk])
    assert "Retirer Ana Costa" in baker.get(address).text
    ana.refresh_from_db()
    assert ana.left_at is None
    baker.post(address)
    ana.refresh_from_db()
    assert ana.left_at == now
    assert baker.post(address).status_code == 404


def test_one_leaves_oneself_and_is_told_who_remains(baker: Client, person: PartnerPerson) -> None:
    address = reverse("pro:person-remove", args=[person.pk])
    page = baker.get(address)
    assert "Quitter l’espace de Boulangerie Delattre" in page.text
    assert "Plus personne ne pourra changer cette page." in page.text
    answer = baker.post(address)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert baker.get(PAGE).status_code == 403


# -- Nobody else's ---------------------------------------------------------------------------


def test_another_firm_s_things_are_not_there(
    baker: Client, partner: Partner, place: Place, now: datetime
) -> None:
    theirs = PartnerFactory(landlord=place.landlord)
    offer = OfferFactory(partner=theirs)
    closure = PartnerClosure.objects.create(
        partner=theirs, starts_on=now.date(), ends_on=now.date()
    )
    row = PartnerChange.objects.create(partner=theirs, kind="phone", at=now)
    person = PersonFactory(partner=theirs)
    for address in (
        reverse("pro:stock", args=[offer.public_id]),
        reverse("pro:reopen", args=[closure.pk]),
        reverse("pro:undo", args=[row.pk]),
        reverse("pro:person-remove", args=[person.pk]),
    ):
        assert baker.post(address, {"faire": "plus"}).status_code == 404
    assert not OfferStock.objects.exists()
    assert PartnerClosure.objects.count() == 1


def test_an_offer_that_is_not_shown_has_no_stock(baker: Client, partner: Partner) -> None:
    draft = OfferFactory(partner=partner, live=False)
    gone = OfferFactory(partner=partner, withdrawn_on=date(2027, 3, 1))
    for offer in (draft, gone):
        assert tap(baker, offer, "plus").status_code == 404


GETS = ["offers", "page", "hours", "phone", "photo", "closure", "person-add"]
POSTS = ["confirm", "choose"]


@pytest.mark.parametrize("who", ["visitor", "resident", "concierge"])
def test_these_screens_are_partners_alone(
    client: Client, place: Place, person: PartnerPerson, concierge_user: User, who: str
) -> None:
    if who == "resident":
        client.force_login(MemberFactory(place=place).user)
    elif who == "concierge":
        client.force_login(concierge_user)
    wanted = 302 if who == "visitor" else 403
    for name in GETS:
        assert client.get(reverse(f"pro:{name}")).status_code == wanted, name
    for name in POSTS:
        assert client.post(reverse(f"pro:{name}")).status_code == wanted, name


@pytest.mark.parametrize("kind", PartnerKind.values)
def test_each_kind_of_partner_has_its_page(baker: Client, partner: Partner, kind: str) -> None:
    Partner.objects.update(kind=kind)
    for name in GETS:
        wanted = 404 if (name, kind) == ("offers", PartnerKind.INTERMEDIARY) else 200
        assert baker.get(reverse(f"pro:{name}")).status_code == wanted, name


def test_what_changes_something_is_not_a_link(baker: Client, person: PartnerPerson) -> None:
    for name in POSTS:
        assert baker.get(reverse(f"pro:{name}")).status_code == 405
    for name in ("undo", "reopen"):
        assert baker.get(reverse(f"pro:{name}", args=[1])).status_code == 405
