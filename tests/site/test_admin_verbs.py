"""The admin calls the same verbs as the desk: labels, states, rights, colours."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from club.enums import Role
from club.models import Landlord, LogEntry, Member, Place, Right, User
from concierge.enums import CopyStatus
from concierge.models import Copy, Tool
from tests.factories.club import CardFactory, MemberFactory, PlaceFactory
from tests.factories.cms import staff
from tests.signin import sign_in_staff


@pytest.fixture
def officer(client: Client, place: Place) -> User:
    user = staff(place, Role.OFFICER)
    sign_in_staff(client, user)
    return user


def test_a_new_copy_gets_its_label_from_the_verb(
    client: Client, officer: User, place: Place, tool: Tool
) -> None:
    answer = client.post(
        reverse("copy:add"),
        {"tool": tool.pk, "place": place.pk, "condition": "new", "shelf": "C4"},
    )
    assert answer.status_code == 302
    copy = Copy.objects.get()
    assert copy.label.startswith("O")
    assert (copy.status, copy.shelf) == (CopyStatus.ACTIVE, "C4")
    assert LogEntry.objects.filter(subject_id=copy.pk, verb="add", actor=officer).exists()


def test_a_copys_state_changes_by_its_buttons_alone(
    client: Client, officer: User, copy: Copy
) -> None:
    page = client.get(reverse("copy:edit", args=[copy.pk])).content.decode()
    missing = reverse("copy:step", args=[copy.pk, "introuvable"])
    assert missing in page
    assert reverse("copy:step", args=[copy.pk, "en-service"]) not in page
    assert client.get(missing).status_code == 200
    copy.refresh_from_db()
    assert copy.status == CopyStatus.ACTIVE
    client.post(missing)
    copy.refresh_from_db()
    assert copy.status == CopyStatus.MISSING
    client.post(
        reverse("copy:edit", args=[copy.pk]),
        {"tool": copy.tool_id, "place": copy.place_id, "condition": "worn", "status": "active"},
    )
    copy.refresh_from_db()
    assert (copy.status, copy.condition) == (CopyStatus.MISSING, "worn")


def test_a_copy_is_retired_with_its_reason(client: Client, officer: User, copy: Copy) -> None:
    path = reverse("copy:step", args=[copy.pk, "retirer"])
    client.post(path, {})
    copy.refresh_from_db()
    assert copy.status == CopyStatus.ACTIVE
    client.post(path, {"reason": "broken"})
    copy.refresh_from_db()
    assert (copy.status, copy.retired_reason) == (CopyStatus.RETIRED, "broken")
    refused = client.post(reverse("copy:step", args=[copy.pk, "introuvable"]))
    assert "Ce n’est plus possible" in refused.content.decode()


def test_steps_stop_at_ones_place(client: Client, copy: Copy) -> None:
    sign_in_staff(client, staff(PlaceFactory(slug="ailleurs"), Role.CONCIERGE))
    path = reverse("copy:step", args=[copy.pk, "introuvable"])
    assert client.post(path).status_code == 404
    copy.refresh_from_db()
    assert copy.status == CopyStatus.ACTIVE


def test_a_right_is_given_by_card_and_withdrawn(
    client: Client, officer: User, place: Place
) -> None:
    member = MemberFactory(place=place)
    card = CardFactory(member=member)
    form = {
        "card": f"M {card.number}",
        "whole_household": "on",
        "activity": "lending",
        "starts_on": "2027-03-01",
        "ends_on": "2028-02-28",
        "source": "gift",
    }
    assert client.post(reverse("right:add"), form).status_code == 302
    right = Right.objects.get()
    assert (right.household, right.member, right.given_by) == (member.household, None, officer)
    assert right.ends_on == date(2028, 2, 28)
    client.post(reverse("right:edit", args=[right.pk]), {"ends_on": "2099-01-01"})
    right.refresh_from_db()
    assert right.ends_on == date(2028, 2, 28)
    client.post(reverse("right:step", args=[right.pk, "retirer"]))
    right.refresh_from_db()
    assert right.revoked_at is not None


def test_a_right_is_refused_with_the_reason(client: Client, officer: User, place: Place) -> None:
    elsewhere = CardFactory(member=MemberFactory(place=PlaceFactory(slug="ailleurs")))
    form = {
        "card": elsewhere.number,
        "activity": "lending",
        "starts_on": "2027-03-01",
        "ends_on": "2027-02-01",
        "source": "gift",
    }
    answer = client.post(reverse("right:add"), form)
    assert "card" in answer.context["form"].errors
    assert not Right.objects.exists()


def test_a_member_is_made_and_renamed_by_the_verbs(
    client: Client, officer: User, place: Place
) -> None:
    form = {
        "first_name": "Rose",
        "last_name": "Lemaire",
        "email": "",
        "phone": "",
        "place": place.pk,
    }
    assert client.post(reverse("member:add"), form).status_code == 302
    member = Member.objects.get()
    assert member.cards.count() == 1
    client.post(reverse("member:edit", args=[member.pk]), form | {"last_name": "Lemaître"})
    member.refresh_from_db()
    assert (member.user.last_name, member.search_name) == ("Lemaître", "rose lemaitre")


def test_a_wrong_phone_keeps_what_was_typed(client: Client, officer: User, place: Place) -> None:
    form = {"first_name": "Rose", "last_name": "Lemaire", "phone": "12", "place": place.pk}
    answer = client.post(reverse("member:add"), form)
    assert "Ce numéro n’existe pas" in answer.content.decode()
    assert 'value="Rose"' in answer.content.decode()
    assert not Member.objects.exists()


def test_hours_are_edited_with_their_place(client: Client, officer: User, place: Place) -> None:
    page = client.get(reverse("place:edit", args=[place.pk]))
    form = page.context["form"]
    data: dict[str, Any] = {
        name: form[name].value() for name in form.fields if form[name].value() is not None
    }
    for relation, formset in form.formsets.items():
        data[f"{relation}-TOTAL_FORMS"] = data[f"{relation}-INITIAL_FORMS"] = 0
        assert formset.total_form_count() >= 0
    data |= {
        "opening_hours-TOTAL_FORMS": 1,
        "opening_hours-0-weekday": 0,
        "opening_hours-0-opens": "08:00",
        "opening_hours-0-closes": "11:00",
        "opening_hours-0-period": "always",
        "opening_hours-0-ORDER": 1,
    }
    before = place.rules_stamp
    answer = client.post(reverse("place:edit", args=[place.pk]), data)
    assert answer.status_code == 302
    fresh = Place.objects.get(pk=place.pk)
    assert "08:00-11:00" in [f"{h.opens:%H:%M}-{h.closes:%H:%M}" for h in fresh.opening_hours.all()]
    assert fresh.rules_stamp != before
    data |= {"opening_hours-0-closes": "07:00"}
    assert client.post(reverse("place:edit", args=[place.pk]), data).status_code == 200


@pytest.mark.parametrize(
    ("field", "colour", "words"),
    [
        ("action", "#9A3F25", "ressemble trop à celle des erreurs"),
        ("action", "#DDEBDD", "Contraste trop faible"),
        ("light", "#1F5641", "Contraste trop faible pour la lumière sur l’enseigne"),
        ("paper", "#5E534A", "le texte sur le papier"),
        ("house", "#FBF5E9", "la maison sur le papier"),
        ("sign", "vert", "Écrivez une couleur comme #1F5641."),
    ],
)
def test_a_colour_that_could_not_be_read_is_refused_with_the_reason(
    client: Client, officer: User, place: Place, field: str, colour: str, words: str
) -> None:
    landlord = place.landlord
    names = ("name", "school_zone", "action", "on_action", "sign", "light", "house", "paper")
    data = {name: getattr(landlord, name) for name in names} | {field: colour}
    answer = client.post(reverse("landlord:edit", args=[landlord.pk]), data)
    assert words in answer.content.decode()
    assert getattr(Landlord.objects.get(), field) == getattr(landlord, field)
    data |= {"action": "#1B4F8A", "sign": "#1B4F8A"} | {field: getattr(landlord, field)}
    data |= {"action": "#1B4F8A", "sign": "#1B4F8A"}
    assert client.post(reverse("landlord:edit", args=[landlord.pk]), data).status_code == 302
    assert Landlord.objects.get().action == "#1B4F8A"


def test_a_drawing_is_chosen_from_those_that_exist(
    client: Client, officer: User, tool: Tool
) -> None:
    choices = dict(
        client.get(reverse("tool:edit", args=[tool.pk])).context["form"].fields["picture"].choices
    )
    assert "gaufrier" in choices
    assert "../secret" not in choices


def test_a_day_typed_in_french_is_kept_and_what_is_no_day_is_refused_as_typed(
    client: Client, officer: User, place: Place
) -> None:
    member = MemberFactory(place=place)
    card = CardFactory(member=member)
    data = {
        "card": card.number, "whole_household": "on", "activity": "lending",
        "starts_on": "le 28", "ends_on": "27/11/2027", "source": "gift",
    }  # fmt: skip
    page = client.post(reverse("right:add"), data)
    form = page.context["form"]
    assert (list(form.errors), form["starts_on"].value()) == (["starts_on"], "le 28")
    assert 'value="le 28"' in page.text
    assert "js/admin.js" in page.text
    client.post(reverse("right:add"), {**data, "starts_on": "28/11/2026"})
    assert Right.objects.get().starts_on == date(2026, 11, 28)
