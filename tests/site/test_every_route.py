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
from club.models import Dwelling, LogEntry, Place, Receipt, Residence, User
from cms.models import DefectReport
from cms.setup import build_site
from concierge.models import CounterUse, PlanListing, Repair, StandingOrder
from events.models import EventPolicy
from marketplace.domain.fees import take_fee
from marketplace.models import (
    Convention,
    Partner,
    PartnerChange,
    PartnerClosure,
    RefusalReport,
    Suggestion,
)
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
from tests.factories.marketplace import (
    AskFactory,
    CertificateFactory,
    OfferFactory,
    PartnerFactory,
    PersonFactory,
    insured,
)
from tests.factories.money import (
    CheckoutFactory,
    PlanFactory,
    SponsorshipFactory,
    SubscriptionFactory,
    TillDayFactory,
)
from tests.factories.opinions import unhappy
from tests.factories.orders import DeliveryFactory, DeliveryRoundFactory, OrderFactory
from tests.factories.parcels import ParcelFactory, ParcelPolicyFactory, ProxyFactory
from tests.factories.services import AppointmentFactory
from tests.factories.stays import KeySetFactory, RunningStayFactory, photo
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
    "mon-espace/accords/stop/", "avis/<", "a/<",
)  # fmt: skip
"""What a secret in the address opens: a wrong one opens nothing, to nobody."""
CONCIERGES_ALONE = ("desk/gardes/", "desk/cles/", "desk/membre/<int:pk>/garde/")
"""Which homes are empty, and where their keys hang: no officer's business."""
OFFICERS_ALONE = {"desk/membre/<int:pk>/abonnement/"}
"""A right that is given without money."""
TEAM_AT_PLACE = {"concierge", "officer"}
PARTNERS = {"partner", "other partner"}
"""One who acts for the partner of the addresses, and one of another shop in town."""
CALLERS = {"resident", "neighbour", *PARTNERS, "concierge"}
"""Who holds a token for the API."""
RESIDENTS = {"resident", "neighbour"}
STAFF = {"concierge", "concierge elsewhere", "officer", "officer elsewhere", "editor"}
EVERYBODY = ["visitor", "resident", "neighbour", *sorted(PARTNERS), *sorted(STAFF)]


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
        if path.startswith(("espace-partenaire/demandes/", "avantages/demande/")):
            return "1" if name == "number" else str(self.things["visit"].public_id)
        if path.startswith(("espace-partenaire/", "avantages/offre/")) and name == "public_id":
            return str(self.things["offer"].public_id)
        if path.startswith(("desk/livraisons/", "espace-partenaire/commandes/")):
            order = self.things["order"]
            names = {"reference": order.reference, "day": order.delivery.day.isoformat()}
            return str(names.get(name, order.delivery.public_id))
        if path.startswith("desk/colis/") and name == "name":
            return "rendre"
        if path.startswith(("desk/gardes/", "desk/cles/")) and name in {"name", "which"}:
            acts = {"desk/gardes/visite/": "defaire", "desk/gardes/": "annuler"}
            act = next((act for start, act in acts.items() if path.startswith(start)), "sortir")
            return "recues" if name == "which" else act
        if path.startswith("paniers/"):
            order, standing = self.things["order"], self.things["standing"]
            if name == "public_id":
                return str(order.delivery.public_id)
            if name == "pk":
                return str(standing.pauses.get().pk)
            return str(standing.reference if "reguliere/" in path else order.reference)
        if path.startswith(("services/", "desk/rendez-vous/")):
            meeting = self.things["appointment"]
            names = {"reference": meeting.reference, "public_id": meeting.service.public_id}
            return str(names.get(name, "venu"))
        if path.startswith("desk/a-appeler/"):
            names = {"reference": self.things["opinion"].reference}
            return str(names.get(name, "regle"))
        if path.startswith("desk/fermetures/appels/"):
            return str(self.things["call"].pk if name == "entry" else self.things["member"].pk)
        if path.startswith("desk/seances/"):
            seat = self.things["seat"]
            names = {"reference": seat.reference, "public_id": seat.session.public_id}
            return str(names.get(name, "venus"))
        if path.startswith("avantages/souhaits/"):
            return str(self.things["suggestion"].pk)
        if path.startswith("avantages/"):
            slugs = {"kind": "artisans", "sort": "plomberie"}
            return slugs.get(name, str(self.things["partner"].public_id))
        of_prefix = {
            "attestation-assurance/": self.things["certificate"].pk,
            "admin/attestations/": self.things["certificate"].pk,
            "espace-partenaire/ma-page/defaire/": self.things["partnerchange"].pk,
            "espace-partenaire/ma-page/fermer/": self.things["partnerclosure"].pk,
            "espace-partenaire/ma-page/collegue/": self.things["colleague"].pk,
            "espace-partenaire/papiers/": self.things["partnerdocument"].pk,
            "admin/partenaires/recus/": self.things["fee"].pk,
            "admin/partenaires/": self.things["partner"].pk,
            "desk/reparation": self.things["repair"].pk,
            "desk/fermetures/": self.things["closure"].pk,
            "desk/compter": self.things["use"].pk,
            "desk/colis/": self.things["parcel"].reference,
            "desk/gardes/visite/": self.things["stayvisit"].pk,
            "mon-espace/gardes/": self.things["stayvisit"].pk,
            "desk/gardes/": self.things["stay"].reference,
            "desk/cles/": self.things["keyset"].reference,
            "mon-espace/colis/": self.things["proxy"].pk,
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


def fee_of(partner: Partner, by: User) -> Receipt:
    Convention.objects.filter(partner=partner).update(fee_cents=100_00)
    convention = partner.conventions.get()
    place = partner.landlord.places.order_by("pk")[0]
    return take_fee(
        convention, starts_on=convention.starts_on, cents=100_00, means="cheque", place=place,
        by=by, now=NOW,
    )  # fmt: skip


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
    meeting = AppointmentFactory(service__place=place, member=samira)
    stay = RunningStayFactory(service__place=place, member=samira)
    stay.visits.order_by("day")[0].photo.save("visite.jpg", photo())
    residence = Residence.objects.create(landlord=place.landlord, code="R1", name="Les Aulnes")
    partner = PartnerFactory(landlord=place.landlord, delivers=True)
    round = DeliveryRoundFactory(place=place, producer=partner.producer)
    order = OrderFactory(delivery=DeliveryFactory(round=round), member=samira)
    standing = StandingOrder.objects.create(
        member=samira, round=round, starts_on=NOW.date(), created_at=NOW
    )
    standing.pauses.create(first_on=NOW.date(), last_on=NOW.date())
    token, plain = create_token(samira.user, "essai", "write", NOW)
    subscription = SubscriptionFactory(of=samira, plan=PlanFactory(landlord=place.landlord))
    neighbour = MemberFactory(place=place, user__last_name="Roussel")
    paul = UserFactory(first_name="Paul", last_name="Boulanger")
    offer = OfferFactory(partner=partner)
    users = {
        "resident": samira.user,
        "neighbour": neighbour.user,
        "partner": PersonFactory(partner=partner, user=paul).user,
        "other partner": PersonFactory(partner__landlord=place.landlord).user,
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
        "offer": offer,
        "colleague": PersonFactory(partner=partner),
        "partnerclosure": PartnerClosure.objects.create(
            partner=partner, starts_on=NOW.date(), ends_on=NOW.date()
        ),
        "partnerchange": PartnerChange.objects.create(
            partner=partner, kind="phone", before={"phone": ""}, after={"phone": ""}, at=NOW
        ),
        "partnerdocument": insured(partner),
        "partnerperson": PersonFactory(partner=partner),
        "suggestion": Suggestion.objects.create(
            landlord=place.landlord, member=samira, name="Crémerie", shop="cheese",
            status="open", received_at=NOW, open_at=NOW,
        ),
        "refusalreport": RefusalReport.objects.create(
            offer=offer, member=samira, happened="refused", happened_on=NOW, reported_at=NOW
        ),
        "fee": fee_of(partner, users["concierge"]),
        "closure": ClosureFactory(place=place),
        "call": LogEntry.objects.create(
            subject_kind="place", subject_id=place.pk, verb="close_place", at=NOW,
            facts={"calls": [{"member": samira.pk, "lines": [["Gaufrier", "", "", False]]}]},
        ),
        "certificate": CertificateFactory(member=samira),
        "visit": AskFactory(visit__member=samira, partner__landlord=place.landlord).visit,
        "member": samira,
        "household": samira.household,
        "right": RightFactory(household=samira.household),
        "residence": residence,
        "dwelling": Dwelling.objects.create(residence=residence, code="L1"),
        "tool": copy.tool,
        "copy": copy,
        "department": copy.tool.department,
        "lendingpolicy": PolicyFactory(place=place),
        "service": meeting.service,
        "appointment": meeting,
        "use": CounterUse.objects.create(
            service=meeting.service, place=place, member=samira, at=NOW
        ),
        "order": order,
        "standing": standing,
        "delivery": order.delivery,
        "deliveryround": round,
        "product": round.goods.get().product,
        "opinion": unhappy(member=samira),
        "stay": stay,
        "stayvisit": stay.visits.order_by("day")[0],
        "keyset": KeySetFactory(member=samira, stay=stay, reason="stay"),
        "parcelpolicy": ParcelPolicyFactory(place=place),
        "parcel": ParcelFactory(member=samira, reference="R4821703319"),
        "proxy": ProxyFactory(member=samira),
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
            "service_id": meeting.service.public_id,
            "partner_id": partner.public_id, "offer_id": offer.public_id,
            "slug": copy.tool.department.slug, "token": CardFactory(member=samira).token,
            "code": "0" * 20, "landlord_id": place.landlord_id, "stamp": "abc",
            "app_label": "club", "model_name": "member", "app_name": "cms",
            "content_type_app_name": "cms", "content_type_model_name": "servicepage",
            "object_id": samira.pk, "action": "delete", "action_name": "publish",
            "name": "retirer", "filter_spec": "width-100", "revision_id_a": "earliest",
            "revision_id_b": "latest", "uidb64": "MQ", "deed": "retirer",
        },
    }  # fmt: skip
    return Town(place, users, things, tokens)


def ask(town: Town, client: Client, actor: str, method: str, address: str) -> HttpResponse:
    headers = {}
    if address.startswith("/api/") and actor in town.tokens:
        headers["Authorization"] = f"Bearer {town.tokens[actor]}"
    kind = {"content_type": "application/json"} if address.startswith("/api/") else {}
    response = client.generic(method, address, headers=headers, **kind)
    if response.streaming:
        b"".join(response.streaming_content)  # read to its end, a file is closed
    return response


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
        if path.startswith(CONCIERGES_ALONE) and "concierge" not in actor:
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
    if path.startswith("attestation-assurance/"):
        if actor == "visitor":
            return {302, 405}.__contains__
        if actor not in RESIDENTS:
            return {403, 405}.__contains__
        if route.names and not is_own:
            return {404, 405}.__contains__
        return {200, 302, 404, 405}.__contains__
    if path.startswith(
        ("emprunter/reserve/", "seances/inscrit/", "services/reserve/", "paniers/commande/",
         "paniers/reguliere/")
    ):  # fmt: skip
        if is_own:
            return {200, 302, 405}.__contains__
        return {302, 403, 404, 405}.__contains__
    if path.startswith("api/v1/") and not path.endswith(("docs", "openapi.json", "v1/")):
        if actor not in CALLERS:
            return {401, 405}.__contains__
        is_partners = path.startswith(("api/v1/my/", "api/v1/cards/"))
        if is_partners != (actor in PARTNERS) or actor == "concierge":
            return {403, 405}.__contains__
        if is_partners and route.names and actor != "partner":
            return {404, 405}.__contains__
        if "<reference>" in path and not is_own:
            return {400, 404, 405, 422}.__contains__
    if path.startswith("avantages/demande/") and route.names:
        if actor == "visitor":
            return {302, 405}.__contains__
        if actor not in RESIDENTS:
            return {403, 405}.__contains__
        return ({200, 302, 404, 405} if is_own else {404, 405}).__contains__
    if path.startswith("espace-partenaire/entrer/"):
        return {200, 404, 405}.__contains__
    if path.startswith("espace-partenaire/"):
        if actor == "visitor":
            return {302, 405}.__contains__
        if actor not in PARTNERS:
            return {403, 405}.__contains__
        if route.names and actor != "partner":
            return {404, 405}.__contains__
        return {200, 302, 404, 405, 422}.__contains__
    if path.startswith("compte/equipe/") and actor in {*RESIDENTS, *PARTNERS}:
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
