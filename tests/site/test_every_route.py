"""Every address × everybody: the right class of answer, nobody's secrets, never a 500.

The routes are read from the resolver, so that a route of tomorrow is walked too. Their
parameters are things of the resident Samira, of her loan and of her place; the words
that nobody else may read are her surname, her e-mail and her phone.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from wagtail.log_actions import log

from club.domain.tokens import create_token
from club.enums import Role
from club.models import Dwelling, Place, Receipt, Residence, User
from cms.models import DefectReport
from cms.setup import build_site
from concierge.models import PlanListing, Repair
from events.models import EventPolicy
from tests.factories.club import (
    NOW,
    CardFactory,
    ClosureFactory,
    MemberFactory,
    PlaceFactory,
    RightFactory,
    UserFactory,
)
from tests.factories.cms import staff
from tests.factories.concierge import CopyFactory, LoanFactory, PolicyFactory, ToolFactory
from tests.factories.events import RegistrationFactory
from tests.factories.marketplace import PartnerFactory
from tests.factories.money import (
    CheckoutFactory,
    PlanFactory,
    SponsorshipFactory,
    SubscriptionFactory,
    TillDayFactory,
)
from tests.signin import sign_in_staff

SECRETS = ("Vandenbroeck", "samira.v@example.org", "+33639980001", "06\xa039\xa098\xa000\xa001")
LAST = ("compte/deconnexion/", "admin/logout/")
"""Pages that end the session."""
FAILING = {"healthz/ready": 503, "admin/failwhale/": 500}
"""No worker runs here, so the house is not ready; Wagtail's own page to try out a fault."""
FORGED = {
    "admin/choose-external-link/", "admin/pages/<int:page_id>/copy/",
    "admin/pages/add/<slug:content_type_app_name>/<slug:content_type_model_name>"
    "/<int:parent_page_id>/",
}  # fmt: skip
"""Wagtail reads these forms' fields unasked: an empty one, which its pages never send, fails."""
SEALED = (
    "mon-espace/r/", "mon-espace/agenda/<", "mon-espace/foyer/rejoindre/<",
    "mon-espace/accords/stop/",
)  # fmt: skip
"""What a secret in the address opens: a wrong one opens nothing, to nobody."""
OFFICERS_ALONE = {"desk/membre/<int:pk>/abonnement/"}
"""A right that is given without money."""
TEAM_AT_PLACE = {"concierge", "officer"}
CALLERS = {"resident", "neighbour", "partner", "concierge"}
"""Who holds a token for the API."""
RESIDENTS = {"resident", "neighbour"}
STAFF = {"concierge", "concierge elsewhere", "officer", "officer elsewhere", "editor"}
EVERYBODY = ["visitor", "resident", "neighbour", "partner", *sorted(STAFF)]


@dataclass(frozen=True)
class Route:
    path: str
    names: tuple[str, ...]


def routes(resolver: Any, prefix: str = "") -> Iterator[Route]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        elif isinstance(entry, URLPattern):
            yield Route(path, tuple(entry.pattern.regex.groupindex))


@dataclass
class Town:
    """Samira's place, the other place of the same landlord, and who walks there."""

    here: Place
    users: dict[str, User]
    things: dict[str, Any]
    tokens: dict[str, str] = field(default_factory=dict)

    def client(self, actor: str) -> Client:
        client = Client(raise_request_exception=False)
        if actor in STAFF:
            sign_in_staff(client, self.users[actor])
        elif actor != "visitor":
            client.force_login(self.users[actor])
        return client

    def value(self, path: str, name: str) -> str:
        """What stands in an address for a parameter: something of Samira's."""
        model = re.match(r"admin/([a-z]+)/", path)
        if name == "pk" and model and model[1] in self.things:
            return str(self.things[model[1]].pk)
        if path.startswith("mon-espace/payer/"):
            checkout = self.things["checkout"]
            return {"kind": "subscription", "reference": checkout.reference}.get(
                name, str(checkout.subject_id)
            )
        if path.startswith("seances/"):
            seat = self.things["seat"]
            names = {"reference": seat.reference, "public_id": seat.session.public_id}
            return seat.session.event.public_id if "evenement/" in path else str(names[name])
        if path.startswith("desk/seances/"):
            seat = self.things["seat"]
            names = {"reference": seat.reference, "public_id": seat.session.public_id}
            return str(names.get(name, "venus"))
        if path.startswith("avantages/"):
            slugs = {"kind": "artisans", "sort": "plomberie"}
            return slugs.get(name, str(self.things["partner"].public_id))
        of_prefix = {
            "desk/reparation": self.things["repair"].pk,
            "desk/recu/": self.things["receipt"].pk,
            "desk/caisse": self.things["tillday"].pk,
            "mon-espace/acces": self.things["apitoken"].pk,
            "mon-espace/abonnement": self.things["subscription"].pk,
            "mon-espace/recus": self.things["receipt"].pk,
        }
        for prefix, value in of_prefix.items():
            if path.startswith(prefix):
                return str(value)
        if name == "pk":
            return str(self.things["member"].pk)
        if "page" in name and name.endswith("id"):
            return str(self.things["home"].pk)
        return str(self.things["values"].get(name, "1"))

    def address(self, route: Route) -> str:
        def filled(match: re.Match[str]) -> str:
            return self.value(route.path, match["name"].rpartition(":")[2])

        path = re.sub(r"\^\(\?:?\(?[^<]*\)\*\)\$$", "", route.path)
        path = re.sub(r"\(\?P<(?P<name>\w+)>[^)]*\)", filled, path)
        path = re.sub(r"<(?P<name>[\w:]+)>", filled, path)
        path = path.replace(r"^(\d+)/(.*)$", "1/bail.pdf").replace(r"\.", ".")
        return "/" + path.replace("^", "").replace("$", "").replace("((?:[\\w\\-]+/)*)", "")


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def town(place: Place) -> Town:
    elsewhere = PlaceFactory(landlord=place.landlord, slug="ailleurs", name="Accueil d’ailleurs")
    home = build_site(place)
    build_site(elsewhere)
    samira = MemberFactory(
        place=place, user__last_name="Vandenbroeck", user__email="samira.v@example.org",
        user__phone="+33639980001",
    )  # fmt: skip
    copy = CopyFactory(tool=ToolFactory(landlord=place.landlord), place=place)
    loan = LoanFactory(copy=copy, member=samira)
    seat = RegistrationFactory(session__place=place, member=samira)
    residence = Residence.objects.create(landlord=place.landlord, code="R1", name="Les Aulnes")
    partner = PartnerFactory(landlord=place.landlord)
    token, plain = create_token(samira.user, "essai", "write", NOW)
    subscription = SubscriptionFactory(of=samira, plan=PlanFactory(landlord=place.landlord))
    neighbour = MemberFactory(place=place, user__last_name="Roussel")
    users = {
        "resident": samira.user,
        "neighbour": neighbour.user,
        "partner": UserFactory(first_name="Paul", last_name="Boulanger"),
        "concierge": staff(place, Role.CONCIERGE),
        "concierge elsewhere": staff(elsewhere, Role.CONCIERGE),
        "officer": staff(place, Role.OFFICER),
        "officer elsewhere": staff(elsewhere, Role.OFFICER),
        "editor": staff(place, Role.EDITOR),
    }
    log(samira, "wagtail.edit", user=users["concierge"])
    tokens = {"resident": plain}
    for actor in CALLERS - {"resident"}:
        tokens[actor] = create_token(users[actor], "essai", "write", NOW)[1]
    things = {
        "home": home,
        "place": place,
        "landlord": place.landlord,
        "partner": partner,
        "closure": ClosureFactory(place=place),
        "member": samira,
        "household": samira.household,
        "right": RightFactory(household=samira.household),
        "residence": residence,
        "dwelling": Dwelling.objects.create(residence=residence, code="L1"),
        "tool": copy.tool,
        "copy": copy,
        "department": copy.tool.department,
        "lendingpolicy": PolicyFactory(place=place),
        "session": seat.session,
        "registration": seat,
        "eventpolicy": EventPolicy.objects.create(place=place),
        "defectreport": DefectReport.objects.create(
            place=place, page="/", what="Je ne lis pas la page.", reported_at=NOW
        ),
        "users": samira.user,
        "tillday": TillDayFactory(place=place),
        "plan": PlanFactory(landlord=place.landlord),
        "sponsorship": SponsorshipFactory(plan__landlord=place.landlord),
        "planlisting": PlanListing.objects.create(
            plan=PlanFactory(landlord=place.landlord), member=samira, listed_at=NOW
        ),
        "repair": Repair.objects.create(copy=copy, fault="dirty", opened_at=NOW),
        "apitoken": token,
        "subscription": subscription,
        "checkout": CheckoutFactory(
            household=samira.household, member=samira, place=place, subject_id=subscription.pk
        ),
        "seat": seat,
        "receipt": Receipt.objects.create(
            place=place, year=2027, number=77, household=samira.household, member=samira,
            means="cash", cents=1200, issued_at=NOW,
        ),
        "values": {
            "reference": loan.reference, "label": copy.label, "act": "preter",
            "signed": "InI0ODIxNyI:1tabcd:tampered", "feed_token": "somebodyelses",
            "public_id": copy.tool.public_id, "tool_id": copy.tool.public_id,
            "partner_id": partner.public_id,
            "slug": copy.tool.department.slug, "token": CardFactory(member=samira).token,
            "code": "0" * 20, "landlord_id": place.landlord_id, "stamp": "abc",
            "app_label": "club", "model_name": "member", "app_name": "cms",
            "content_type_app_name": "cms", "content_type_model_name": "servicepage",
            "object_id": samira.pk, "action": "delete", "action_name": "publish",
            "name": "retirer", "filter_spec": "width-100", "revision_id_a": "earliest",
            "revision_id_b": "latest", "uidb64": "MQ",
        },
    }  # fmt: skip
    return Town(place, users, things, tokens)


def ask(town: Town, client: Client, actor: str, method: str, address: str) -> HttpResponse:
    headers = {}
    if address.startswith("/api/") and actor in town.tokens:
        headers["Authorization"] = f"Bearer {town.tokens[actor]}"
    kind = {"content_type": "application/json"} if address.startswith("/api/") else {}
    return client.generic(method, address, headers=headers, **kind)


def wanted(actor: str, route: Route) -> Callable[[int], bool] | None:
    """What the status must be for this actor, where the address alone decides."""
    path = route.path
    is_own = actor == "resident"
    if path.startswith("admin/") and actor not in STAFF:
        return {302}.__contains__ if actor == "visitor" or "login/" in path else {403}.__contains__
    if path.startswith("desk/"):
        if actor == "visitor":
            return {302}.__contains__
        if actor not in STAFF or actor == "editor":
            return {403}.__contains__
        if path in OFFICERS_ALONE and "officer" not in actor:
            return {403}.__contains__
        if route.names and actor not in TEAM_AT_PLACE:
            return {404, 405}.__contains__
        return {200, 302, 400, 404, 405, 422}.__contains__
    if path.startswith("accueil/") and route.names:
        if actor == "visitor":
            return {302}.__contains__
        if actor not in STAFF or actor == "editor":
            return {403}.__contains__
        allowed = {200, 302, 422} if actor in TEAM_AT_PLACE else {404}
        return allowed.__contains__
    if path.startswith(SEALED):
        return {404, 405}.__contains__
    if path.startswith("mon-espace/") and not path.endswith(".js"):
        if actor == "visitor":
            return {302, 405}.__contains__
        if actor not in RESIDENTS:
            return {403, 405}.__contains__
        if route.names and not is_own:
            return {404, 405}.__contains__
        return {200, 302, 405, 422}.__contains__
    if path.startswith(("emprunter/reserve/", "seances/inscrit/")):
        if is_own:
            return {200, 302, 405}.__contains__
        return {302, 403, 404, 405}.__contains__
    if path.startswith("api/v1/") and not path.endswith(("docs", "openapi.json", "v1/")):
        if actor in {"partner", "concierge"}:
            return {403, 405}.__contains__
        if actor not in CALLERS:
            return {401, 405}.__contains__
        if "<reference>" in path and not is_own:
            return {400, 404, 405, 422}.__contains__
    if path.startswith("compte/equipe/") and actor in {*RESIDENTS, "partner"}:
        return {200, 302, 403, 404, 405}.__contains__
    return None


def faults_of(actor: str, route: Route, said: str, response: HttpResponse) -> list[str]:
    faults = []
    is_forged = said.startswith("POST") and route.path in FORGED and actor in STAFF
    if (
        response.status_code >= 500
        and not is_forged
        and response.status_code != FAILING.get(route.path)
    ):
        faults.append(f"{said}: {response.status_code}")
    fits = wanted(actor, route)
    if fits is not None and not fits(response.status_code):
        faults.append(f"{said}: {response.status_code} is not for {actor}")
    if not response.streaming and actor not in {"resident", *TEAM_AT_PLACE}:
        text = response.content.decode(errors="replace")
        faults += [f"{said}: tells {secret!r}" for secret in SECRETS if secret in text]
    return faults


@pytest.mark.parametrize("actor", EVERYBODY)
def test_each_route_answers_each_actor_as_it_should(town: Town, actor: str) -> None:
    client, faults = town.client(actor), []
    found = list(routes(get_resolver()))
    assert len(found) > 300
    plan = [(method, route) for method in ("GET", "POST") for route in found]
    plan.sort(key=lambda step: step[1].path in LAST)
    for method, route in plan:
        address = town.address(route)
        response = ask(town, client, actor, method, address)
        faults += faults_of(actor, route, f"{method} {address}", response)
    assert not faults, "\n".join(faults)
