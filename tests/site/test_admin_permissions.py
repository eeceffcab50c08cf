"""Each role × each screen of day-to-day data × its own place and another's."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail import hooks

from club.domain.ledger import enter
from club.enums import Role
from club.models import Place, Receipt, User
from club.permissions import RULES
from cms.models import AccessibilityPage, DefectReport, HomePage, ServicePage
from cms.setup import build_site
from concierge.enums import Audience
from concierge.models import PlanListing
from events.models import EventPolicy
from marketplace.enums import DocumentKind, PartnerKind, Trade
from marketplace.models import ComplianceRule, RefusalReport, Suggestion
from tests.factories.club import (
    NOW,
    ClosureFactory,
    LandlordFactory,
    MemberFactory,
    PlaceFactory,
    RightFactory,
)
from tests.factories.cms import staff
from tests.factories.concierge import (
    CopyFactory,
    DepartmentFactory,
    PolicyFactory,
    ToolFactory,
)
from tests.factories.events import RegistrationFactory
from tests.factories.marketplace import (
    ArtisanFactory,
    CertificateFactory,
    OfferFactory,
    PersonFactory,
    insured,
)
from tests.factories.money import (
    PlanFactory,
    SponsorshipFactory,
    SubscriptionFactory,
    TillDayFactory,
)
from tests.factories.orders import DeliveryFactory, DeliveryRoundFactory
from tests.factories.parcels import ParcelPolicyFactory
from tests.factories.services import AppointmentFactory
from tests.signin import sign_in_staff

NOWHERE = (403, 302)
"""Wagtail sends somebody without permission back to its home page."""


def money_of(member: Any) -> dict[str, Any]:
    plan = PlanFactory(landlord=member.household.landlord, audience=Audience.LISTED)
    till = TillDayFactory(place=member.place)
    receipt = Receipt.objects.create(
        place=member.place, year=2027, number=1, household=member.household, member=member,
        means="cash", cents=1200, till=till, issued_at=NOW,
    )  # fmt: skip
    entry = enter(
        kind="payment", account="fee", cents=1200, place=member.place, household=member.household,
        subject_kind="fee", subject_id=1, label="Essai", source=f"receipt:{receipt.pk}:1",
        means="cash", receipt=receipt, till=till, at=NOW, by=None,
    )  # fmt: skip
    return {
        "plan": plan,
        "planlisting": PlanListing.objects.create(plan=plan, member=member, listed_at=NOW),
        "sponsorship": SponsorshipFactory(plan=plan),
        "subscription": SubscriptionFactory(of=member, plan=plan),
        "receipt": receipt,
        "ledgerentry": entry,
        "tillday": till,
    }


def partner_of(place: Place, member: Any) -> dict[str, Any]:
    artisan = ArtisanFactory(landlord=place.landlord)
    offer = OfferFactory(partner=artisan)
    rule = ComplianceRule.objects.create(
        landlord=place.landlord, kind=PartnerKind.MERCHANT, document=DocumentKind.HYGIENE
    )
    return {
        "partner": artisan,
        "partnerdocument": insured(artisan, Trade.PLUMBING),
        "compliancerule": rule,
        "partnerperson": PersonFactory(partner=artisan),
        "suggestion": Suggestion.objects.create(
            landlord=place.landlord, name="Crémerie", shop="cheese", received_at=NOW
        ),
        "refusalreport": RefusalReport.objects.create(
            offer=offer, member=member, happened="refused", happened_on=NOW, reported_at=NOW
        ),
    }


def things_of(place: Place) -> dict[str, Any]:
    """One row of each model of the admin, at this place."""
    from club.models import Dwelling, Residence

    member = MemberFactory(place=place)
    tool = ToolFactory(landlord=place.landlord)
    residence = Residence.objects.create(landlord=place.landlord, code="R1", name="Les Aulnes")
    return {
        "place": place,
        "landlord": place.landlord,
        "closure": ClosureFactory(place=place),
        "member": member,
        "household": member.household,
        "right": RightFactory(household=member.household),
        "residence": residence,
        "dwelling": Dwelling.objects.create(residence=residence, code="L1"),
        "tool": tool,
        "copy": CopyFactory(tool=tool, place=place),
        "department": tool.department,
        "lendingpolicy": PolicyFactory(place=place),
        "service": (meeting := AppointmentFactory(service__place=place, member=member)).service,
        "appointment": meeting,
        "delivery": (brought := DeliveryFactory(round=DeliveryRoundFactory(place=place))),
        "deliveryround": brought.round,
        "product": brought.round.goods.get().product,
        "parcelpolicy": ParcelPolicyFactory(place=place),
        "session": (seat := RegistrationFactory(session__place=place, member=member)).session,
        "registration": seat,
        "eventpolicy": EventPolicy.objects.create(place=place),
        **money_of(member),
        **partner_of(place, member),
        "certificate": CertificateFactory(member=member),
        "defectreport": DefectReport.objects.create(
            place=place, page="/", what="Rien", reported_at=NOW
        ),
    }


@pytest.fixture
def mine(place: Place) -> dict[str, Any]:
    return things_of(place)


@pytest.fixture
def theirs(db: None) -> dict[str, Any]:
    landlord = LandlordFactory(slug="autre", name="Autre Habitat", hostname="autre.example")
    return things_of(PlaceFactory(slug="ailleurs", landlord=landlord))


def rule_of(name: str) -> Any:
    hooks.search_for_hooks()
    return next(rule for rule in RULES.values() if rule.model._meta.model_name == name)


NAMES = [
    "place",
    "landlord",
    "closure",
    "member",
    "household",
    "right",
    "residence",
    "dwelling",
    "tool",
    "copy",
    "department",
    "lendingpolicy",
    "service",
    "appointment",
    "delivery",
    "deliveryround",
    "product",
    "parcelpolicy",
    "session",
    "registration",
    "eventpolicy",
    "plan",
    "planlisting",
    "sponsorship",
    "subscription",
    "receipt",
    "ledgerentry",
    "tillday",
    "defectreport",
    "partner",
    "partnerdocument",
    "compliancerule",
    "certificate",
]


@pytest.mark.parametrize("role", Role.values)
def test_each_role_meets_its_own_place_and_no_other(
    client: Client, place: Place, mine: dict[str, Any], theirs: dict[str, Any], role: str
) -> None:
    sign_in_staff(client, staff(place, role))
    for name in NAMES:
        granted = rule_of(name).roles.get(role, frozenset())
        listed = client.get(reverse(f"{name}:index"))
        if not granted:
            assert listed.status_code in NOWHERE, (role, name)
            for thing in (mine[name], theirs[name]):
                answer = client.get(reverse(f"{name}:edit", args=[thing.pk]))
                assert answer.status_code in {*NOWHERE, 404}, (role, name)
            continue
        assert listed.status_code == 200, (role, name)
        shown = {row.pk for row in listed.context["object_list"]}
        assert mine[name].pk in shown, (role, name)
        assert theirs[name].pk not in shown, (role, name)
        own = client.get(reverse(f"{name}:edit", args=[mine[name].pk]))
        assert own.status_code == (200 if "change" in granted else 302), (role, name)
        for screen in ("edit", "delete", "inspect", "history", "usage"):
            for method in (client.get, client.post):
                answer = method(reverse(f"{name}:{screen}", args=[theirs[name].pk]))
                assert answer.status_code in {302, 403, 404, 405}, (role, name, screen)
                if answer.status_code == 302:
                    assert answer["Location"] == reverse("wagtailadmin_home")
        added = client.get(reverse(f"{name}:add"))
        assert (added.status_code == 200) == ("add" in granted), (role, name)


@pytest.mark.parametrize("role", [Role.OFFICER, Role.CONCIERGE])
def test_a_form_offers_and_takes_ones_own_places_alone(
    client: Client, place: Place, theirs: dict[str, Any], role: str
) -> None:
    sign_in_staff(client, staff(place, role))
    form = client.get(reverse("copy:add")).context["form"]
    assert list(form.fields["place"].queryset) == [place]
    tool = ToolFactory(landlord=place.landlord)
    typed = {"tool": tool.pk, "condition": "good"}
    answer = client.post(reverse("copy:add"), typed | {"place": theirs["place"].pk})
    assert answer.status_code == 200
    assert "place" in answer.context["form"].errors
    answer = client.post(reverse("copy:add"), typed | {"place": place.pk})
    assert answer.status_code == 302
    assert place.copies.filter(tool=tool).exists()


def test_an_object_cannot_be_moved_to_another_landlord(
    client: Client, place: Place, mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    answer = client.post(
        reverse("copy:edit", args=[mine["copy"].pk]),
        {"tool": theirs["tool"].pk, "place": place.pk, "condition": "good"},
    )
    assert "tool" in answer.context["form"].errors


def test_roles_at_two_places_do_not_add_up(
    client: Client, place: Place, theirs: dict[str, Any]
) -> None:
    """Officer here and editor there: the officer's lists stop at the first place."""
    user = staff(place, Role.OFFICER)
    user.assignments.create(place=theirs["place"], role=Role.EDITOR)
    sign_in_staff(client, user)
    shown = {row.pk for row in client.get(reverse("place:index")).context["object_list"]}
    assert shown == {place.pk}


def test_a_superuser_sees_all(client: Client, mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    user = User.objects.create_superuser("root", "root@example.org", "x")
    sign_in_staff(client, user)
    shown = {row.pk for row in client.get(reverse("tool:index")).context["object_list"]}
    assert shown == {mine["tool"].pk, theirs["tool"].pk}


@pytest.mark.parametrize("path", ["/admin/", "/admin/pages/", "/admin/place/", "/admin/tool/"])
def test_residents_never_enter_the_admin(client: Client, place: Place, path: str) -> None:
    client.force_login(MemberFactory(place=place).user)
    answer = client.get(path)
    assert answer.status_code in {302, 403}
    if answer.status_code == 302:
        assert not answer["Location"].startswith("/admin/")


def test_an_editor_writes_the_pages_of_their_place_alone(
    client: Client, place: Place, theirs: dict[str, Any]
) -> None:
    editor = staff(place, Role.EDITOR)
    home, other = build_site(place), build_site(theirs["place"])
    editor = User.objects.get(pk=editor.pk)
    own, foreign = (
        ServicePage.objects.child_of(page).get(slug="services") for page in (home, other)
    )
    assert own.permissions_for_user(editor).can_edit()
    assert own.permissions_for_user(editor).can_publish()
    assert not foreign.permissions_for_user(editor).can_edit()
    sign_in_staff(client, editor)
    assert client.get(reverse("wagtailadmin_pages:edit", args=[own.pk])).status_code == 200
    assert client.get(reverse("wagtailadmin_pages:edit", args=[foreign.pk])).status_code == 302


def test_a_role_taken_back_closes_the_pages(place: Place) -> None:
    build_site(place)
    editor = staff(place, Role.EDITOR)
    home = HomePage.objects.get()
    assert home.permissions_for_user(User.objects.get(pk=editor.pk)).can_edit()
    editor.assignments.get().delete()
    assert not home.permissions_for_user(User.objects.get(pk=editor.pk)).can_edit()


def test_a_concierge_writes_no_page(place: Place) -> None:
    home = build_site(place)
    user = staff(place, Role.CONCIERGE)
    assert not home.permissions_for_user(User.objects.get(pk=user.pk)).can_edit()


def test_the_declaration_and_the_home_are_not_deleted(client: Client, place: Place) -> None:
    build_site(place)
    sign_in_staff(client, staff(place, Role.EDITOR))
    for page in (HomePage.objects.get(), AccessibilityPage.objects.get()):
        client.post(reverse("wagtailadmin_pages:delete", args=[page.pk]))
        assert type(page).objects.filter(pk=page.pk).exists()


def test_the_menus_are_edited_by_ones_own_site(
    client: Client, place: Place, theirs: dict[str, Any]
) -> None:
    home, other = build_site(place), build_site(theirs["place"])
    sign_in_staff(client, staff(place, Role.OFFICER))
    own, foreign = (page.sites_rooted_here.get().pk for page in (home, other))
    path = "wagtailsettings:edit"
    assert client.get(reverse(path, args=["cms", "navigation", own])).status_code == 200
    assert client.get(reverse(path, args=["cms", "navigation", foreign])).status_code == 302


def test_lists_cost_the_same_for_one_and_for_twenty(
    client: Client, place: Place, mine: dict[str, Any], django_assert_max_num_queries: Any
) -> None:
    sign_in_staff(client, staff(place, Role.OFFICER))
    for name, make in {
        "copy": lambda: CopyFactory(tool=mine["tool"], place=place),
        "member": lambda: MemberFactory(place=place),
        "tool": lambda: ToolFactory(landlord=place.landlord),
    }.items():
        path = reverse(f"{name}:index")
        client.get(path)
        with django_assert_max_num_queries(100) as statements:
            client.get(path)
        few = len(statements)
        for _time in range(20):
            make()
        with django_assert_max_num_queries(few):
            assert client.get(path).status_code == 200


def test_departments_are_those_of_ones_landlord(
    client: Client, place: Place, theirs: dict[str, Any], now: datetime
) -> None:
    own = DepartmentFactory(landlord=place.landlord)
    sign_in_staff(client, staff(place, Role.OFFICER))
    form = client.get(reverse("tool:add")).context["form"]
    assert list(form.fields["department"].queryset) == [own]
    assert list(form.fields["landlord"].queryset) == [place.landlord]
