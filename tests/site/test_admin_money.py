"""The admin of plans and money: prices, lists, codes, steps; what is entered is only read."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from club.enums import Role
from club.models import LogEntry, Place, Receipt, Right, User
from concierge.domain.subscriptions import add_period
from concierge.enums import Audience, SubscriptionStatus
from concierge.models import Plan, PlanListing, Sponsorship
from tests.factories.club import (
    NOW,
    CardFactory,
    LandlordFactory,
    MemberFactory,
    PlaceFactory,
)
from tests.factories.cms import staff
from tests.factories.money import (
    PlanFactory,
    SponsorshipFactory,
    SubscriptionFactory,
    TillDayFactory,
)
from tests.signin import sign_in_staff


@pytest.fixture
def officer(client: Client, place: Place) -> User:
    user = staff(place, Role.OFFICER)
    sign_in_staff(client, user)
    return user


def form_of(client: Client, url: str) -> dict[str, Any]:
    form = client.get(url).context["form"]
    data = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in data.items() if value is not None and value is not False}


def test_a_plan_is_made(client: Client, officer: User, place: Place) -> None:
    page = client.get(reverse("plan:add")).content.decode()
    assert page.count('type="checkbox" name="activities"') == 4
    data = form_of(client, reverse("plan:add")) | {
        "landlord": place.landlord_id, "name": "Voisins", "slug": "voisins", "audience": "anybody",
        "price_cents": "6000", "activities": ["lending", "events"],
    }  # fmt: skip
    answer = client.post(reverse("plan:add"), data)
    assert answer.status_code == 302, answer.context["form"].errors
    plan = Plan.objects.get()
    assert (plan.price_cents, plan.months, plan.activities) == (6000, 12, ["lending", "events"])
    assert "60\xa0€" in client.get(reverse("plan:index")).content.decode()


def test_a_new_price_leaves_what_is_paid(client: Client, officer: User, place: Place) -> None:
    subscription = SubscriptionFactory(of=MemberFactory(place=place))
    period = add_period(subscription, "gift:1", 1200, "payment", by=officer, now=NOW)
    plan = subscription.plan
    url = reverse("plan:edit", args=[plan.pk])
    data = form_of(client, url) | {"price_cents": "2400", "kind": "membership"}
    assert client.post(url, data).status_code == 302
    plan.refresh_from_db()
    period.refresh_from_db()
    assert (plan.price_cents, period.cents) == (2400, 1200)
    assert plan.kind == "subscription"


def test_people_are_listed_by_their_card(client: Client, officer: User, place: Place) -> None:
    plan = PlanFactory(landlord=place.landlord, audience=Audience.LISTED)
    open_plan = PlanFactory(landlord=place.landlord)
    card = CardFactory(member=MemberFactory(place=place))
    stranger = CardFactory(member=MemberFactory(place=PlaceFactory(slug="ailleurs")))
    url = reverse("planlisting:add")
    assert client.post(url, {"plan": plan.pk, "card": f"M{stranger.number}"}).status_code == 200
    assert client.post(url, {"plan": open_plan.pk, "card": str(card)}).status_code == 200
    assert not PlanListing.objects.exists()
    for _ in range(2):
        assert client.post(url, {"plan": plan.pk, "card": str(card)}).status_code == 302
    assert PlanListing.objects.get().member == card.member
    assert LogEntry.objects.filter(verb="list_member", actor=officer).count() == 1


def test_a_code_is_kept_as_it_is_looked_for(client: Client, officer: User, place: Place) -> None:
    plan = PlanFactory(landlord=place.landlord)
    data = {"plan": plan.pk, "code": "été 27", "quota": "3", "ends_on": "2027-12-31"}
    assert client.post(reverse("sponsorship:add"), data).status_code == 302
    made = Sponsorship.objects.get()
    assert made.code == "ÉTÉ27"
    again = client.post(reverse("sponsorship:add"), data | {"code": "été27"})
    assert again.status_code == 200
    Sponsorship.objects.update(used=2)
    url = reverse("sponsorship:edit", args=[made.pk])
    refused = client.post(url, data | {"quota": "1"})
    assert "Le nombre ne peut pas être sous ce qui est utilisé." in refused.content.decode()


def test_a_subscription_moves_by_its_steps_alone(
    client: Client, officer: User, place: Place
) -> None:
    subscription = SubscriptionFactory(of=MemberFactory(place=place))
    add_period(subscription, "gift:1", 0, "gift", by=officer, now=NOW)
    url = reverse("subscription:edit", args=[subscription.pk])
    client.post(url, {"status": "ended", "paid_until": "2040-01-01"})
    subscription.refresh_from_db()
    assert subscription.status == SubscriptionStatus.ACTIVE
    page = client.get(url).content.decode()
    assert reverse("subscription:step", args=[subscription.pk, "arreter"]) in page
    assert reverse("subscription:step", args=[subscription.pk, "reprendre"]) not in page
    for step in ("arreter", "garder"):
        client.post(reverse("subscription:step", args=[subscription.pk, step]))
    subscription.refresh_from_db()
    assert subscription.stops_at_end is False
    assert LogEntry.objects.filter(subject_kind="subscription", actor=officer, verb="keep").exists()


@pytest.mark.parametrize("role", [Role.OFFICER, Role.CONCIERGE])
def test_what_is_entered_is_only_read(client: Client, place: Place, role: str) -> None:
    sign_in_staff(client, staff(place, role))
    till = TillDayFactory(place=place, closed_at=NOW + timedelta(hours=1), counted_cents=5000)
    receipt = Receipt.objects.create(
        place=place, year=2027, number=1, means="cash", cents=1200, issued_at=NOW, till=till
    )
    for name, thing in (("receipt", receipt), ("tillday", till)):
        seen = client.get(reverse(f"{name}:inspect", args=[thing.pk]))
        assert seen.status_code == 200
        for screen in ("edit", "delete"):
            url = reverse(f"{name}:{screen}", args=[thing.pk])
            assert client.post(url, {"cents": "1"}).status_code in {302, 403, 404}
        assert client.get(reverse(f"{name}:add")).status_code in {302, 403}
    assert "12\xa0€" in client.get(reverse("receipt:inspect", args=[receipt.pk])).content.decode()
    receipt.refresh_from_db()
    assert receipt.cents == 1200


def test_the_place_tells_who_collects(client: Client, officer: User, place: Place) -> None:
    page = client.get(reverse("place:edit", args=[place.pk])).content.decode()
    for name in ("collector", "payee", "sign_off_cents", "account_numbers-TOTAL_FORMS"):
        assert f'name="{name}"' in page


def test_a_code_cannot_be_lent_to_another_landlord(
    client: Client, officer: User, place: Place
) -> None:
    other = LandlordFactory(slug="autre", name="Autre Habitat", hostname="autre.example")
    theirs = SponsorshipFactory(plan=PlanFactory(landlord=other))
    assert client.get(reverse("sponsorship:edit", args=[theirs.pk])).status_code in {302, 404}
    data = {"plan": theirs.plan_id, "code": "X", "quota": "1", "ends_on": "2027-12-31"}
    assert client.post(reverse("sponsorship:add"), data).status_code == 200
    assert Sponsorship.objects.count() == 1


def test_a_right_by_hand_is_a_gift_or_the_landlords(
    client: Client, officer: User, place: Place
) -> None:
    card = CardFactory(member=MemberFactory(place=place))
    form = {
        "card": str(card), "whole_household": "on", "activity": "lending",
        "starts_on": "2027-03-01", "ends_on": "2028-02-28",
    }  # fmt: skip
    for source in ("payment", "awaited"):
        assert client.post(reverse("right:add"), form | {"source": source}).status_code == 200
    assert not Right.objects.exists()
    assert client.post(reverse("right:add"), form | {"source": "sponsor"}).status_code == 302
    sign_in_staff(client, staff(place, Role.CONCIERGE))
    assert client.get(reverse("right:add")).status_code == 302
