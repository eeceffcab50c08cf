"""One object's page, and the reservation made from it."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from club.models import Member, Message, Place, Right
from concierge.domain.lending import cancel_loan
from concierge.enums import Condition, CopyStatus, LoanStatus
from concierge.models import Copy, Loan, Part, Tool
from tests.factories.club import NOW, MemberFactory, PlaceFactory, RightFactory, UserFactory
from tests.factories.concierge import CopyFactory, LoanFactory, PolicyFactory, ToolFactory

KEY = "k" * 40


@pytest.fixture(autouse=True)
def at_the_counter(now: datetime):
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def signed_in(client: Client, member: Member) -> Client:
    client.force_login(member.user)
    return client


def reserve(client: Client, tool: Tool, slot: str = "2027-03-10", **more: Any) -> Any:
    return client.post(
        f"/emprunter/objet/{tool.public_id}/reserver/", {"slot": slot, "key": KEY, **more}
    )


def labels(page: Any) -> list[tuple[str, str, bool]]:
    buttons = page.context["buttons"]
    if buttons and isinstance(buttons[0], tuple):
        buttons = [button for button, _url in buttons]
    return [(button.label, button.sub, button.taken) for button in buttons]


# -- The page ------------------------------------------------------------------------


def test_the_page_says_what_a_visitor_asks(client: Client, place: Place, copy: Copy) -> None:
    Tool.objects.update(
        description="Pour huit gaufres.", safety="Ça chauffe.", advice="Huilez.", deposit="20 €"
    )
    Part.objects.create(tool=copy.tool, name="plaque", quantity=2)
    CopyFactory(tool=copy.tool, place=place, condition=Condition.NEW)
    page = client.get(copy.tool.get_absolute_url())
    assert page.context["terms"] == "Prêt d’une semaine, gratuit."
    assert page.context["copies"] == ["1 exemplaire neuf", "1 exemplaire en bon état"]
    for words in [
        "Gaufrier",
        "Cuisiner",
        "Disponible aujourd’hui",
        "Pour huit gaufres.",
        "Ça chauffe.",
        "Huilez.",
        "2 × plaque",
        "20 €",
    ]:
        assert words in page.text
    assert labels(page) == [
        (
            "Venir aujourd’hui",
            "mardi 9\u00a0mars, jusqu’à 12\u00a0h ou de 14\u00a0h à 18\u00a0h",
            False,
        ),
        (
            "Venir mercredi 10\u00a0mars",
            "de 9\u00a0h à 12\u00a0h ou de 14\u00a0h à 18\u00a0h",
            False,
        ),
        ("Venir jeudi 11\u00a0mars", "de 9\u00a0h à 12\u00a0h ou de 14\u00a0h à 18\u00a0h", False),
    ]


def test_other_days_show_what_is_taken_and_let_the_length_be_chosen(
    signed_in: Client, place: Place, copy: Copy
) -> None:
    LoanFactory(copy=copy, starts_at=NOW + timedelta(days=9), ends_at=NOW + timedelta(days=10))
    page = signed_in.get(f"{copy.tool.get_absolute_url()}?jours=plus")
    said = {label: taken for label, _sub, taken in labels(page)}
    assert said["Venir aujourd’hui"] is False
    assert said["Vendredi 12\u00a0mars"] is True
    assert "Complet" in page.text
    shorter = signed_in.get(f"{copy.tool.get_absolute_url()}?jours=plus&duree=1")
    assert {label: taken for label, _sub, taken in labels(shorter)}[
        "Venir vendredi 12\u00a0mars"
    ] is False
    assert 'name="length" value="1"' in shorter.text
    assert "Retour mercredi 10\u00a0mars." in labels(shorter)[0][1]


def test_a_length_beyond_the_rule_is_left_out(signed_in: Client, copy: Copy) -> None:
    for length in ["15", "0", "-1", "abc", "9" * 30]:
        page = signed_in.get(f"{copy.tool.get_absolute_url()}?jours=plus&duree={length}")
        assert page.context["length"] == 7


def test_an_afternoon_is_offered_where_only_that_is_free(
    signed_in: Client, copy: Copy, place: Place
) -> None:
    PolicyFactory(place=place, late_margin_days=0)
    LoanFactory(
        copy=copy,
        starts_at=NOW - timedelta(days=5),
        ends_at=NOW.replace(hour=13) + timedelta(days=1),
        status="out",
        out_at=NOW - timedelta(days=5),
    )
    page = signed_in.get(copy.tool.get_absolute_url())
    assert labels(page)[0] == ("Venir mercredi 10\u00a0mars", "de 14\u00a0h à 18\u00a0h", False)
    assert page.context["buttons"][0].value == "2027-03-10T14:00"
    reserve(signed_in, copy.tool, "2027-03-10T14:00")
    assert Loan.objects.get(status="reserved").starts_at == NOW.replace(
        hour=14, minute=0
    ) + timedelta(days=1)


def test_where_nothing_is_free_neighbours_are_shown(
    client: Client, place: Place, copy: Copy
) -> None:
    CopyFactory(place=place, tool=ToolFactory(landlord=place.landlord, name="Crêpière"))
    Copy.objects.filter(pk=copy.pk).update(status=CopyStatus.REPAIR)
    page = client.get(copy.tool.get_absolute_url())
    assert page.context["buttons"] == []
    assert [card["name"] for card in page.context["neighbours"]] == ["Crêpière"]
    assert "tel:0353012460" in page.text


def test_another_place_lends_it_too(signed_in: Client, copy: Copy, place: Place) -> None:
    other = PlaceFactory(landlord=place.landlord, slug="pigeonnier", name="Le Pigeonnier")
    CopyFactory(tool=copy.tool, place=other)
    page = signed_in.get(copy.tool.get_absolute_url())
    assert [line["place"] for line in page.context["elsewhere"]] == [other]
    there = signed_in.get(page.context["elsewhere"][0]["url"])
    assert there.context["at"] == other
    answer = reserve(signed_in, copy.tool, lieu="pigeonnier")
    assert answer.status_code == 302
    assert Loan.objects.get().place == other
    assert signed_in.get(f"{copy.tool.get_absolute_url()}?lieu=nulle-part").status_code == 404


def test_an_object_of_another_landlord_or_unlisted_is_not_found(
    client: Client, place: Place, copy: Copy
) -> None:
    other = ToolFactory(
        landlord__slug="autre", landlord__name="Autre", department__slug="autre", name="Scie"
    )
    assert client.get(other.get_absolute_url()).status_code == 404
    Tool.objects.filter(pk=copy.tool.pk).update(is_listed=False)
    assert client.get(copy.tool.get_absolute_url()).status_code == 404


# -- Signing in on the way -------------------------------------------------------------


def test_a_visitor_signs_in_and_comes_back_to_the_same_choice(
    client: Client, member: Member, copy: Copy
) -> None:
    page = client.get(copy.tool.get_absolute_url())
    address = page.context["buttons"][1][1]
    assert address.startswith(f"{reverse('account_login')}?next=")
    back = parse_qs(urlsplit(address).query)["next"][0]
    client.force_login(member.user)
    page = client.get(back)
    assert page.context["buttons"][0].value == "2027-03-10"


def test_a_session_that_ended_keeps_the_choice(client: Client, member: Member, copy: Copy) -> None:
    answer = reserve(client, copy.tool, length="3")
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{reverse('account_login')}?next=")
    assert "choix%3D2027-03-10%26duree%3D3" in answer["Location"]
    assert not Loan.objects.exists()


def test_the_reserve_address_opened_by_hand_leads_to_the_object(
    signed_in: Client, copy: Copy
) -> None:
    answer = signed_in.get(f"/emprunter/objet/{copy.tool.public_id}/reserver/")
    assert answer["Location"] == copy.tool.get_absolute_url()


# -- Reserving -------------------------------------------------------------------------


def test_one_press_reserves(signed_in: Client, member: Member, copy: Copy) -> None:
    answer = reserve(signed_in, copy.tool)
    loan = Loan.objects.get()
    assert answer["Location"] == f"/emprunter/reserve/{loan.reference}/"
    assert (loan.member, loan.pickup_on, loan.due_on) == (
        member,
        date(2027, 3, 10),
        date(2027, 3, 17),
    )
    page = signed_in.get(answer["Location"])
    assert "C’est réservé" in page.text
    assert [row["strong"] for row in page.context["ticket"]["rows"]] == [
        "Mercredi 10\u00a0mars",
        "Conciergerie des Tilleuls",
        "Mercredi 17\u00a0mars",
    ]
    assert f"/mon-espace/reservations/{loan.reference}/agenda.ics" in page.text


def test_a_chosen_length_is_kept(signed_in: Client, copy: Copy) -> None:
    reserve(signed_in, copy.tool, length="2")
    assert Loan.objects.get().due_on == date(2027, 3, 12)


def test_today_is_reserved_until_the_close_of_the_day(signed_in: Client, copy: Copy) -> None:
    reserve(signed_in, copy.tool, "2027-03-09")
    assert Loan.objects.get().pickup_ends_at == NOW.replace(hour=18, minute=0)


def test_pressed_twice_is_reserved_once(
    signed_in: Client, member: Member, copy: Copy, place: Place
) -> None:
    CopyFactory(tool=copy.tool, place=place)
    first = reserve(signed_in, copy.tool)
    second = reserve(signed_in, copy.tool)
    assert first["Location"] == second["Location"]
    assert Loan.objects.count() == 1
    assert Message.objects.count() == 1


def test_another_page_is_another_reservation(signed_in: Client, copy: Copy, place: Place) -> None:
    CopyFactory(tool=copy.tool, place=place)
    reserve(signed_in, copy.tool)
    reserve(signed_in, copy.tool, key="m" * 40)
    assert Loan.objects.count() == 2


def test_after_a_cancel_the_same_page_reserves_anew(
    signed_in: Client, member: Member, copy: Copy, now: datetime
) -> None:
    first = reserve(signed_in, copy.tool)
    cancel_loan(Loan.objects.get(), by=member.user, now=now)
    assert signed_in.get(first["Location"])["Location"].startswith("/mon-espace/reservations/")
    second = reserve(signed_in, copy.tool)
    assert second["Location"] != first["Location"]
    assert list(Loan.objects.order_by("pk").values_list("status", flat=True)) == [
        LoanStatus.CANCELLED,
        LoanStatus.RESERVED,
    ]


def test_a_key_is_of_its_member_alone(
    client: Client, member: Member, other_member: Member, copy: Copy, place: Place
) -> None:
    CopyFactory(tool=copy.tool, place=place)
    for who in (member, other_member):
        client.force_login(who.user)
        reserve(client, copy.tool)
    assert sorted(Loan.objects.values_list("member", flat=True)) == [member.pk, other_member.pk]


def test_two_tabs_on_the_last_copy(
    client: Client, member: Member, other_member: Member, copy: Copy
) -> None:
    client.force_login(other_member.user)
    reserve(client, copy.tool)
    client.force_login(member.user)
    page = reserve(client, copy.tool, length="5", key="m" * 40)
    assert page.status_code == 422
    assert "Cet objet est déjà réservé à ces dates." in page.text
    assert "Il y a un problème" in page.text
    assert "<title>Erreur" in page.text
    assert labels(page)[0][0] == "Venir jeudi 18\u00a0mars"
    assert all(not taken for _label, _sub, taken in labels(page))
    assert page.context["form_length"] == 5
    assert Loan.objects.filter(status=LoanStatus.RESERVED).count() == 1


def test_no_right_says_how_to_get_one(signed_in: Client, copy: Copy) -> None:
    Right.objects.all().delete()
    page = signed_in.get(copy.tool.get_absolute_url())
    assert "Il faut un abonnement actif. Prenez-le en ligne ou à l’accueil." in page.text
    assert "tel:0353012460" in page.text
    assert 'href="/mon-espace/abonnement/">M’abonner</a>' in page.text
    answer = reserve(signed_in, copy.tool)
    assert answer.status_code == 422
    assert "Il faut un abonnement actif." in answer.text
    assert not Loan.objects.exists()


def test_a_right_that_ends_too_soon_leads_to_its_renewal(signed_in: Client, copy: Copy) -> None:
    Right.objects.update(ends_on=date(2027, 3, 11))
    page = signed_in.get(copy.tool.get_absolute_url())
    assert "/mon-espace/abonnement/" not in page.text
    answer = reserve(signed_in, copy.tool)
    assert answer.status_code == 422
    assert "Votre abonnement s’arrête le jeudi 11\u00a0mars." in answer.text
    assert 'href="/mon-espace/abonnement/">Renouveler mon abonnement</a>' in answer.text
    assert not Loan.objects.exists()


def test_a_right_that_begins_later_leaves_the_days_in_view(
    signed_in: Client, member: Member, copy: Copy
) -> None:
    Right.objects.all().delete()
    RightFactory(household=member.household, starts_on=date(2027, 3, 11))
    page = signed_in.get(copy.tool.get_absolute_url())
    assert page.context["no_right"] is None
    assert reserve(signed_in, copy.tool, "2027-03-11").status_code == 302


@pytest.mark.parametrize(
    "slot",
    [
        "",
        "demain",
        "2027-13-01",
        "0001-01-01",
        "9999-12-31",
        "2027-03-10T25:00",
        "2027-03-10T09:00+01:00",
        "\x00",
        "2027-03-10" * 50,
    ],
)
def test_a_slot_that_cannot_be_read_is_refused(signed_in: Client, copy: Copy, slot: str) -> None:
    page = reserve(signed_in, copy.tool, slot)
    assert page.status_code == 422
    assert page.context["buttons"]
    assert not Loan.objects.exists()


@pytest.mark.parametrize(
    ("slot", "code"),
    [
        ("2027-03-08", "in_the_past"),
        ("2027-03-15", "closed_day"),
        ("2027-08-17", "too_far_ahead"),
    ],
)
def test_a_day_against_the_rules_is_refused_in_words(
    signed_in: Client, copy: Copy, slot: str, code: str
) -> None:
    page = reserve(signed_in, copy.tool, slot)
    assert page.status_code == 422
    assert page.context["form"].codes == [code]
    assert page.context["buttons"]


@pytest.mark.parametrize("key", ["", "court", "k" * 44])
def test_a_page_without_its_key_is_refused(signed_in: Client, copy: Copy, key: str) -> None:
    page = reserve(signed_in, copy.tool, key=key)
    assert page.status_code == 422
    assert "Cette page a vieilli." in page.text
    assert not Loan.objects.exists()


def test_an_object_is_reserved_in_three_presses(client: Client, member: Member, copy: Copy) -> None:
    """Department, object, day: each is a link or a form that needs no script."""
    client.force_login(member.user)
    for address, following in [
        ("/emprunter/", "/emprunter/rayon/cuisiner/"),
        ("/emprunter/rayon/cuisiner/", copy.tool.get_absolute_url()),
        (copy.tool.get_absolute_url(), f"{copy.tool.get_absolute_url()}reserver/"),
    ]:
        assert f'"{following}"' in client.get(address).text
    assert client.get("/emprunter/").text.count("<script") == 1


def test_an_account_without_a_member_cannot_reserve(client: Client, copy: Copy) -> None:
    client.force_login(UserFactory())
    page = client.get(copy.tool.get_absolute_url())
    assert "Ce compte n’est pas celui d’un membre." in page.text
    assert reserve(client, copy.tool).status_code == 403
    assert not Loan.objects.exists()


def test_a_confirmation_is_its_member_s_alone(
    client: Client, member: Member, other_member: Member, copy: Copy
) -> None:
    client.force_login(other_member.user)
    address = reserve(client, copy.tool)["Location"]
    client.force_login(member.user)
    assert client.get(address).status_code == 404
    client.logout()
    assert client.get(address)["Location"].startswith(reverse("account_login"))


def test_each_page_has_a_key_of_its_own(signed_in: Client, copy: Copy) -> None:
    pages = [signed_in.get(copy.tool.get_absolute_url()).text for _ in range(2)]
    keys = [re.search(r'name="key" value="([^"]+)"', page) for page in pages]
    assert keys[0] and keys[1] and keys[0][1] != keys[1][1]


def test_members_see_their_own_place(client: Client, copy: Copy, place: Place) -> None:
    other = PlaceFactory(landlord=place.landlord, slug="pigeonnier", name="Le Pigeonnier")
    member = MemberFactory(place=other)
    client.force_login(member.user)
    page = client.get(copy.tool.get_absolute_url())
    assert page.context["line"].text == "Pas disponible ici"
