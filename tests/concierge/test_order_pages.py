"""Bread and baskets as residents meet them: a day, how much, the total, "C’est commandé"."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client

from club.kernel.refusal import Refused
from club.models import LedgerEntry, Member, Place
from cms.setup import build_site
from concierge.domain.order_fees import balance
from concierge.domain.orders import cancel_order
from concierge.models import Delivery, DeliveryStock, Order, StandingOrder
from concierge.order_forms import OrderForm
from concierge.views.orders import once
from tests.factories.club import ClosureFactory, MemberFactory, PlaceFactory, UserFactory
from tests.factories.orders import (
    DeliveryFactory,
    DeliveryRoundFactory,
    OrderFactory,
    ProducerFactory,
    ProductFactory,
    after_cutoff,
    product_of,
)
from tests.factories.parcels import ProxyFactory

KEY = "k" * 40
FRIDAYS = (date(2027, 3, 12), date(2027, 3, 19), date(2027, 3, 26))


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def delivery(place: Place) -> Delivery:
    """Of bread and a basket; five baskets at most."""
    producer = ProducerFactory(landlord=place.landlord)
    bread = ProductFactory(
        producer=producer, name="Pain de campagne", size="1 kg", price_cents=4_50,
        allergens=["gluten", "sesame"],
    )  # fmt: skip
    basket = ProductFactory(producer=producer, name="Panier", price_cents=12_00, position=1)
    round = DeliveryRoundFactory(
        place=place, producer=producer, name="Pain et légumes", goods=[(bread, None), (basket, 5)]
    )
    return DeliveryFactory(round=round)


@pytest.fixture
def samira(place: Place) -> Member:
    return MemberFactory(place=place)


@pytest.fixture
def signed_in(client: Client, samira: Member) -> Client:
    client.force_login(samira.user)
    return client


def url(delivery: Delivery, act: str = "") -> str:
    return f"/paniers/{delivery.public_id}/{act}"


def said(delivery: Delivery, *numbers: int, **more: Any) -> dict[str, Any]:
    """The form as its page sends it: quantities and the prices that were shown."""
    fields = {}
    stock = delivery.stock.select_related("product").order_by("product__position")
    for one, number in zip(stock, numbers, strict=False):
        fields[f"line_{one.product.public_id}"] = number
        fields[f"prix_{one.product.public_id}"] = one.unit_cents
    return fields | more


def order(client: Client, delivery: Delivery, *numbers: int, **more: Any) -> Any:
    return client.post(url(delivery, "commander/"), said(delivery, *numbers, **{"key": KEY} | more))


def wrong(page: Any) -> tuple[int, list[str]]:
    form = page.context["form"]
    return page.status_code, [text for texts in form.errors.values() for text in texts]


# -- What comes --------------------------------------------------------------------------------


def test_a_visitor_reads_what_comes_until_when_for_how_much_and_what_is_in_it(client, delivery):
    OrderFactory(delivery=delivery, lines={product_named(delivery, "Panier"): 3})
    page = client.get("/paniers/")
    for words in (
        "Pain et légumes", "Apporté par Ferme des Marais", "Pain de campagne, 1 kg",
        "4,50\u00a0€", "Contient\u00a0: gluten, sésame.", "Vendredi 12\u00a0mars",
        "Commandez avant jeudi 11\u00a0mars à 12\u00a0h.", "De 16\u00a0h à 19\u00a0h.",
    ):  # fmt: skip
        assert words in page.text
    page = client.get(url(delivery))
    for words in ("Contient\u00a0: gluten, sésame.", "Plus que 2", "Voir le total"):
        assert words in page.text
    assert "csrfmiddlewaretoken" not in page.text


def product_named(delivery: Delivery, name: str) -> str:
    return DeliveryStock.objects.get(delivery=delivery, product__name=name).product.public_id


def test_sold_out_and_closed_are_said_and_other_dates_keep_what_was_typed(
    signed_in, delivery, place
):
    later = DeliveryFactory(round=delivery.round, day=FRIDAYS[1])
    Delivery.objects.filter(pk=delivery.pk).update(most_pieces=2)
    OrderFactory(delivery=delivery, lines={product_named(delivery, "Panier"): 2})
    [section] = signed_in.get("/paniers/").context["rounds"]
    assert [(button.taken, reference) for _url, button, reference in section["dates"]] == [
        (True, ""), (False, ""),
    ]  # fmt: skip
    page = signed_in.get(url(delivery))
    assert "Tout est épuisé pour ce jour" in page.text
    with time_machine.travel(after_cutoff(delivery), tick=False):
        page = signed_in.get(url(delivery), said(delivery, 2))
        assert "Les commandes sont closes depuis jeudi 11\u00a0mars à 12\u00a0h" in page.text
        [(address, _button)] = page.context["others"]
        assert address.startswith(url(later))
        again = signed_in.get(address)
        assert again.context["fields"][0]["field"].value() == "2"


def test_a_place_without_rounds_says_so_and_keeps_its_editors_page(client, place):
    build_site(place)
    assert "Rien à commander ici pour le moment" in client.get("/paniers/").text
    assert "Le panier de légumes" in client.get("/pain-et-paniers/").text
    DeliveryRoundFactory(place=place)
    assert client.get("/pain-et-paniers/")["Location"] == "/paniers/"


LIST = 5
"""The place, its rounds, what comes and its shelves, and one of the frame."""


def test_the_list_costs_the_same_for_one_and_for_three(
    client, place, delivery, django_assert_num_queries
):
    client.get("/paniers/")
    for rows in (1, 3):
        while Delivery.objects.count() < rows:
            DeliveryFactory(round=DeliveryRoundFactory(place=place))
        client.get("/paniers/")
        with django_assert_num_queries(LIST):
            assert len(client.get("/paniers/").context["rounds"]) == rows


# -- Ordering ----------------------------------------------------------------------------------


def test_the_total_is_said_before_and_pressed_twice_it_is_one_order(signed_in, delivery, samira):
    ProxyFactory(member=samira)
    page = signed_in.get(url(delivery, "total/"), said(delivery, 2, 1))
    assert page.context["total"] == 21_00
    for words in (
        "Total\u00a0: 21\u00a0€",
        "2\u00a0× Pain de campagne",
        "Marc Diallo",
        "Commander",
    ):
        assert words in page.text
    for _ in range(2):
        answer = order(signed_in, delivery, 2, 1)
        made = Order.objects.get()
        assert answer["Location"] == f"/paniers/commande/{made.reference}/"
    assert (made.total_cents, made.quantity, balance(samira.household)) == (21_00, 3, -21_00)
    page = signed_in.get(answer["Location"])
    for words in (
        "C’est commandé", "Vendredi 12\u00a0mars", "2\u00a0× 4,50\u00a0€", "Marc Diallo",
        "Annuler ma commande", "Ajouter à mon agenda",
    ):  # fmt: skip
        assert words in page.text
    assert page.context["to_pay"]["cents"] == 21_00
    page = signed_in.get(url(delivery))
    assert "Vous avez déjà commandé pour ce jour" in page.text
    assert signed_in.get(url(delivery, "total/"), said(delivery, 1))["Location"] == url(delivery)
    assert "Vous avez commandé" in signed_in.get("/paniers/").text


def test_who_signs_in_on_the_way_keeps_the_quantities(client, delivery):
    for answer in (
        client.get(url(delivery, "total/"), said(delivery, 2)), order(client, delivery, 2),
    ):  # fmt: skip
        following = parse_qs(urlsplit(answer["Location"]).query)["next"][0]
        assert urlsplit(following).path == url(delivery, "total/")
        assert f"line_{product_of(delivery).public_id}=2" in following
    assert client.get(url(delivery, "commander/"))["Location"] == url(delivery)
    assert not Order.objects.exists()


def test_like_last_week_is_one_press(signed_in, delivery, samira):
    order(signed_in, delivery, 2, 1)
    later = DeliveryFactory(round=delivery.round, day=FRIDAYS[1])
    page = signed_in.get(url(later))
    assert page.context["again_words"] == "2\u00a0× Pain de campagne, 1 kg, 1\u00a0× Panier"
    assert signed_in.get(page.context["again"]).context["total"] == 21_00


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 0), "Choisissez au moins un produit."),
        (("", ""), "Choisissez au moins un produit."),
        ((10**9, 0), "20 au plus."),
        (("9" * 5000, 0), "Écrivez un nombre entier."),
        ((-1, 1), "Écrivez 0 ou plus."),
        (("deux", 1), "Écrivez un nombre entier."),
        ((0, 6), "Il n’en reste que 5."),
    ],
)
def test_what_is_no_order_is_said_beside_its_field_and_kept(signed_in, delivery, numbers, message):
    page = signed_in.get(url(delivery, "total/"), said(delivery, *numbers))
    assert wrong(page) == (422, [message])
    assert page.context["fields"][0]["field"].value() == str(numbers[0])
    pressed = order(signed_in, delivery, *numbers)
    assert pressed.status_code == 422
    assert not Order.objects.exists()


def test_a_price_that_changed_is_told_and_not_charged(signed_in, delivery, samira):
    stale = said(delivery, 1, key=KEY)
    DeliveryStock.objects.filter(delivery=delivery, product=product_of(delivery)).update(
        unit_cents=5_00
    )
    page = signed_in.post(url(delivery, "commander/"), stale)
    assert wrong(page) == (422, ["Le prix a changé\u00a0: 5\u00a0€ au lieu de 4,50\u00a0€."])
    assert 'value="500"' in page.text
    assert not Order.objects.exists()
    assert not LedgerEntry.objects.exists()
    order(signed_in, delivery, 1)
    assert Order.objects.get().total_cents == 5_00


@pytest.mark.django_db(transaction=True)
def test_a_price_that_changes_under_the_press_undoes_the_order(place, samira, delivery):
    """What the order is charged is compared with what the page has shown, before it commits."""
    form = OrderForm(said(delivery, 1, key=KEY), goods=[(product_of(delivery), 4_50)])
    assert form.is_valid()
    DeliveryStock.objects.filter(delivery=delivery).update(unit_cents=9_99)
    request: Any = SimpleNamespace(member=samira, user=samira.user)
    with pytest.raises(Refused) as refused:
        once(request, delivery, form)
    assert refused.value.codes == ["price_changed"]
    assert not Order.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_the_cut_off_passes_while_the_page_is_open_and_nothing_typed_is_lost(signed_in, delivery):
    later = DeliveryFactory(round=delivery.round, day=FRIDAYS[1])
    form = said(delivery, 2, 1, key=KEY)
    with time_machine.travel(delivery.cutoff_at, tick=False):
        page = signed_in.post(url(delivery, "commander/"), form)
        assert wrong(page) == (
            422, ["Les commandes sont closes depuis le jeudi 11\u00a0mars à 12\u00a0h."],
        )  # fmt: skip
        [(address, _button)] = page.context["others"]
        assert address.startswith(url(later))
        fields = signed_in.get(address).context["fields"]
        assert [one["field"].value() for one in fields] == ["2", "1"]
    assert not Order.objects.exists()


def test_what_somebody_else_took_meanwhile_is_said(signed_in, delivery):
    form = said(delivery, 0, 3, key=KEY)
    OrderFactory(delivery=delivery, lines={product_named(delivery, "Panier"): 4})
    page = signed_in.post(url(delivery, "commander/"), form)
    assert (page.status_code, page.context["form"].codes) == (422, ["sold_out"])
    assert page.context["fields"][1]["left"] == "Plus qu’un"


def test_another_producers_product_another_landlords_delivery_and_a_hidden_place(
    signed_in, delivery, place
):
    foreign = ProductFactory(producer=ProducerFactory(landlord=place.landlord, name="Autre"))
    form = said(delivery, 0) | {f"line_{foreign.public_id}": 1, "key": KEY}
    assert wrong(signed_in.post(url(delivery, "commander/"), form)) == (
        422, ["Choisissez au moins un produit."],
    )  # fmt: skip
    elsewhere = PlaceFactory(landlord__slug="autre", landlord__name="Autre Habitat")
    hidden = PlaceFactory(landlord=place.landlord, is_public=False)
    for there in (elsewhere, hidden):
        theirs = DeliveryFactory(round=DeliveryRoundFactory(place=there))
        for act in ("", "total/", "commander/"):
            assert signed_in.get(url(theirs, act)).status_code == 404
        assert order(signed_in, theirs, 1).status_code == 404
    assert not Order.objects.exists()


def test_without_a_right_it_is_said_before_and_refused_after(signed_in, delivery):
    delivery.round.needs_right = True
    delivery.round.save()
    page = signed_in.get(url(delivery))
    assert page.context["reason"].code == "no_right"
    page = order(signed_in, delivery, 1)
    assert (page.status_code, page.context["form"].codes) == (422, ["no_right"])
    assert not Order.objects.exists()


def test_who_owes_too_much_pays_first(signed_in, delivery):
    delivery.round.most_owed_cents = 4_00
    delivery.round.save()
    page = order(signed_in, delivery, 1)
    assert (page.status_code, page.context["form"].codes) == (422, ["owes_too_much"])
    assert "/mon-espace/paniers/" in page.text


def test_the_confirmation_is_its_members_alone_and_true(client, signed_in, delivery, place):
    order(signed_in, delivery, 1)
    made = Order.objects.get()
    address = f"/paniers/commande/{made.reference}/"
    other = Client()
    other.force_login(MemberFactory(place=place).user)
    assert other.get(address).status_code == 404
    cancel_order(made, by=made.member.user, now=datetime.now().astimezone())
    assert signed_in.get(address)["Location"] == f"/mon-espace/reservations/{made.reference}/"


def test_an_account_that_is_no_members_is_told(client, delivery):
    client.force_login(UserFactory())
    assert "Un membre seul peut commander" in client.get(url(delivery)).text
    assert order(client, delivery, 1).status_code == 403


# -- Every week --------------------------------------------------------------------------------


@pytest.fixture
def weeks(delivery: Delivery) -> list[Delivery]:
    return [delivery, *(DeliveryFactory(round=delivery.round, day=day) for day in FRIDAYS[1:])]


def stand(client: Client, delivery: Delivery, *numbers: int, **more: Any) -> StandingOrder:
    answer = order(client, delivery, *numbers, **{"chaque": "1", **more})
    assert answer.status_code == 302, answer.context["form"].errors
    return StandingOrder.objects.latest("pk")


def test_every_week_makes_each_open_date_and_pressed_twice_it_is_one(signed_in, weeks):
    OrderFactory(delivery=weeks[1], lines={product_named(weeks[1], "Panier"): 4})
    for _ in range(2):
        standing = stand(signed_in, weeks[0], 0, 2)
    assert StandingOrder.objects.count() == 1
    days = Order.objects.filter(standing=standing).order_by("starts_at")
    assert [one.delivery.day for one in days] == [FRIDAYS[0], FRIDAYS[2]]
    page = signed_in.get(f"/paniers/commande/{days[0].reference}/")
    assert "Rien n’est commandé vendredi 19\u00a0mars." in page.text
    assert [one.pk for one in page.context["others"]] == [days[1].pk]
    page = signed_in.get(f"/paniers/reguliere/{standing.reference}/")
    assert [(one.day, bool(one.reference), one.why) for one in page.context["dates"]][:3] == [
        (FRIDAYS[0], True, ""),
        (FRIDAYS[1], False, "Rien n’est commandé ce jour-là."),
        (FRIDAYS[2], True, ""),
    ]


def test_every_other_week_until_a_day(signed_in, weeks):
    standing = stand(signed_in, weeks[0], 1, chaque="2", jusquau="2027-03-31")
    assert (standing.every_weeks, standing.ends_on) == (2, date(2027, 3, 31))
    days = [one.delivery.day for one in standing.orders.order_by("starts_at")]
    assert days == [FRIDAYS[0], FRIDAYS[2]]
    page = signed_in.get(f"/paniers/reguliere/{standing.reference}/")
    for words in ("toutes les deux semaines", "Du vendredi 12\u00a0mars au mercredi 31\u00a0mars"):
        assert words in page.text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"chaque": "9"}, "Choisissez une des réponses."),
        ({"jusquau": "hier"}, "Choisissez un jour."),
        ({"jusquau": "2027-03-01"}, "La fin ne peut pas être avant le début."),
        ({"key": "court"}, "Cette page a vieilli. Commandez à nouveau."),
    ],
)
def test_what_is_no_rhythm_is_said_on_the_page_of_the_total(signed_in, weeks, more, message):
    page = order(signed_in, weeks[0], 2, **{"chaque": "1", "jusquau": "", **more})
    assert wrong(page) == (422, [message])
    assert page.context["total"] == 9_00
    assert not StandingOrder.objects.exists()


def test_it_is_changed_paused_taken_up_again_and_stopped(signed_in, weeks):
    standing = stand(signed_in, weeks[0], 1)
    base = f"/paniers/reguliere/{standing.reference}/"
    form = said(weeks[0], 2, 1, chaque="1", jusquau="")
    assert signed_in.post(base + "changer/", form)["Location"] == base
    assert {one.quantity for one in standing.orders.all()} == {3}
    wrong_ = signed_in.post(base + "changer/", form | {"chaque": ""})
    assert wrong(wrong_) == (422, ["Choisissez une des réponses."])

    away = {"first_on": "2027-03-15", "last_on": "2027-03-20"}
    assert signed_in.post(base + "absence/", away)["Location"] == base
    assert dates(signed_in.get(base)) == [
        (FRIDAYS[0], ""), (FRIDAYS[1], "Vous êtes absent\u00a0: rien n’est commandé."),
        (FRIDAYS[2], ""),
    ]  # fmt: skip
    back = signed_in.post(base + "absence/", {"first_on": "2027-03-20", "last_on": "2027-03-15"})
    assert wrong(back) == (422, ["La fin ne peut pas être avant le début."])
    pause = standing.pauses.get()
    assert signed_in.post(f"{base}absence/{pause.pk}/retirer/")["Location"] == base
    assert [why for _day, why in dates(signed_in.get(base))] == ["", "", ""]

    assert "Arrêter ma commande régulière\u00a0?" in signed_in.get(base + "arreter/").text
    assert signed_in.post(base + "arreter/")["Location"] == "/mon-espace/paniers/"
    assert not Order.objects.filter(status="ordered").exists()
    assert signed_in.get(base).status_code == 404
    assert signed_in.post(base + "arreter/").status_code == 404


def dates(page: Any) -> list[tuple[date, str]]:
    return [(one.day, one.why) for one in page.context["dates"] if one.day <= FRIDAYS[2]]


def test_somebody_elses_standing_order_does_not_exist(signed_in, weeks, place):
    standing = stand(signed_in, weeks[0], 1)
    pause = standing.pauses.create(first_on=FRIDAYS[1], last_on=FRIDAYS[1])
    other = Client()
    other.force_login(MemberFactory(place=place).user)
    base = f"/paniers/reguliere/{standing.reference}/"
    for act in ("", "changer/", "absence/", "arreter/"):
        assert other.get(base + act).status_code == 404
        assert other.post(base + act).status_code in {404, 405}
    assert other.post(f"{base}absence/{pause.pk}/retirer/").status_code == 404
    assert standing.pauses.exists()


def test_a_closed_day_is_skipped_and_said(signed_in, weeks, place):
    later = FRIDAYS[2] + timedelta(days=7)
    ClosureFactory(place=place, starts_on=later, ends_on=later)
    place.refresh_from_db()
    standing = stand(signed_in, weeks[0], 1)
    page = signed_in.get(f"/paniers/reguliere/{standing.reference}/")
    assert {one.day: one.why for one in page.context["dates"]}[later] == (
        "Pas de livraison\u00a0: l’accueil est fermé."
    )


# -- A round of several weekdays ---------------------------------------------------------------


@pytest.fixture
def breads(place: Place) -> list[Delivery]:
    """From Wednesday to Friday, 5 € each: this week and the next."""
    producer = ProducerFactory(landlord=place.landlord)
    bread = ProductFactory(producer=producer, name="Pain", price_cents=5_00)
    round = DeliveryRoundFactory(
        place=place, producer=producer, weekdays=[2, 3, 4], goods=[(bread, None)], weeks_ahead=2
    )
    return [DeliveryFactory(round=round, day=date(2027, 3, day)) for day in (11, 12, 17, 18, 19)]


def days_ordered(standing: StandingOrder) -> list[int]:
    rows = standing.orders.filter(status="ordered").order_by("starts_at")
    return [one.delivery.day.day for one in rows]


def test_every_week_is_of_the_chosen_day_alone_and_says_for_how_much(signed_in, breads):
    page = signed_in.get(url(breads[0], "total/"), said(breads[0], 1))
    assert "5\u00a0€ pour chaque jour coché." in page.text
    field = page.context["form"]["jours"]
    assert ([label for _day, label in field.field.choices], field.value()) == (
        ["Mercredi", "Jeudi", "Vendredi"], [3],
    )  # fmt: skip
    assert page.text.count("checked") == 2, "Once, and its own day."
    standing = stand(signed_in, breads[0], 1, jours=["3"])
    assert (standing.weekdays, days_ordered(standing)) == ([3], [11, 18])
    page = signed_in.get(f"/paniers/reguliere/{standing.reference}/")
    for words in ("Chaque jeudi", "5\u00a0€ par semaine"):
        assert words in page.text
    assert "chaque jeudi" in signed_in.get("/mon-espace/paniers/").text
    assert (
        "Chaque jeudi"
        in signed_in.get(f"/paniers/commande/{standing.orders.first().reference}/").text
    )


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ([], "Choisissez au moins un jour."),
        (["0"], "Choisissez au moins un jour."),
        (["mardi"], "Choisissez au moins un jour."),
        (["4"], "Cochez aussi jeudi\u00a0: c’est le jour de cette commande."),
    ],
)
def test_no_day_orders_nothing_and_is_asked_again(signed_in, breads, days, message):
    page = order(signed_in, breads[0], 1, chaque="1", jours=days)
    assert wrong(page) == (422, [message])
    assert page.context["total"] == 5_00
    assert not Order.objects.exists()
    order(signed_in, breads[0], 1, chaque="", jours=["3"])
    assert [one.delivery_id for one in Order.objects.all()] == [breads[0].pk]


def test_its_days_are_changed_and_those_given_up_are_cancelled(signed_in, breads):
    standing = stand(signed_in, breads[0], 2, jours=["3", "4"])
    assert days_ordered(standing) == [11, 12, 18, 19]
    base = f"/paniers/reguliere/{standing.reference}/"
    assert "20\u00a0€ par semaine" in signed_in.get(base).text
    page = signed_in.get(base + "changer/")
    assert page.context["form"]["jours"].value() == [3, 4]
    form = said(breads[0], 2, chaque="1", jusquau="")
    assert wrong(signed_in.post(base + "changer/", form)) == (
        422, ["Choisissez au moins un jour."],
    )  # fmt: skip
    assert signed_in.post(base + "changer/", form | {"jours": ["2", "3"]})["Location"] == base
    assert days_ordered(standing) == [11, 17, 18]
    page = signed_in.get(base)
    assert "chaque mercredi et jeudi" in page.text
    assert {one.day.weekday() for one in page.context["dates"]} == {2, 3}


def test_a_round_of_one_day_asks_for_no_day(signed_in, weeks):
    page = signed_in.get(url(weeks[0], "total/"), said(weeks[0], 1))
    assert "Quels jours" not in page.text
    assert stand(signed_in, weeks[0], 1).weekdays == []


def test_what_was_moved_is_said_where_it_went_and_stays_when_the_rest_stops(signed_in, breads):
    standing = stand(signed_in, breads[0], 1, jours=["3"])
    moved = standing.orders.order_by("starts_at").first()
    base = f"/paniers/reguliere/{standing.reference}/"
    address = f"/mon-espace/reservations/{moved.reference}/changer/"
    signed_in.post(address, {"slot": breads[2].public_id})
    pause = standing.pauses.get()
    page = signed_in.get(base)
    first = page.context["dates"][0]
    assert (first.day, first.why, first.reference) == (
        breads[0].day, "Déplacée au mercredi 17\u00a0mars", moved.reference,
    )  # fmt: skip
    assert page.context["pauses"] == []
    assert "Reprendre les commandes" not in page.text
    signed_in.post(f"{base}absence/{pause.pk}/retirer/")
    assert standing.pauses.exists(), "Taken up again, it would be ordered twice."
    page = signed_in.get(base + "arreter/")
    stays = "La commande du mercredi 17\u00a0mars reste. Annulez-la si vous ne la voulez pas."
    assert stays in page.text
    assert f"/mon-espace/reservations/{moved.reference}/" in page.text
    assert stays in signed_in.post(base + "arreter/", follow=True).text
    assert [one.pk for one in Order.objects.filter(status="ordered")] == [moved.pk]


def test_the_last_time_is_called_last_week_only_where_it_was(signed_in, breads):
    order(signed_in, breads[0], 1)
    assert "Comme la dernière fois" in signed_in.get(url(breads[1])).text
    assert "Comme la semaine dernière" in signed_in.get(url(breads[2])).text


def test_without_a_right_prices_are_seen_and_nothing_is_filled_in(signed_in, delivery):
    delivery.round.needs_right = True
    delivery.round.save()
    for page in (
        signed_in.get(url(delivery)), signed_in.get(url(delivery, "total/"), said(delivery, 1)),
    ):  # fmt: skip
        assert "Il faut un abonnement actif." in page.text
        assert "4,50\u00a0€" in page.text
        assert "M’abonner" in page.text
        for words in ("Renouveler mon abonnement", "Voir le total", "data-stepper", ">Commander<"):
            assert words not in page.text
    refused = order(signed_in, delivery, 1)
    assert "M’abonner" in refused.text
    assert "Renouveler mon abonnement" not in refused.text


def test_what_was_owed_before_is_told_apart_from_this_order(signed_in, weeks):
    first = signed_in.get(order(signed_in, weeks[0], 1)["Location"])
    assert first.context["to_pay"]["before"] == 0
    assert "<span>Avant</span>" not in first.text
    page = signed_in.get(order(signed_in, weeks[1], 2, key="m" * 40)["Location"])
    assert "<span>Cette commande</span> <strong>9\u00a0€</strong>" in page.text
    assert "<span>Avant</span> <strong>4,50\u00a0€</strong>" in page.text
    assert page.context["to_pay"]["cents"] == 13_50
