"""Each answer is one that the document declares, whatever is sent (schemathesis)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import CHECKS, load_all_checks

from club.models import IdempotentAnswer
from config.api import api as ninja_api
from tests.factories.concierge import CopyFactory, LoanFactory, ToolFactory, days_later
from tests.factories.events import RegistrationFactory, SessionFactory
from tests.factories.marketplace import OfferFactory, PartnerFactory, PersonFactory
from tests.factories.orders import DeliveryFactory, DeliveryRoundFactory, OrderFactory
from tests.factories.services import AppointmentFactory, ServiceFactory

Addresses = dict[str, list[str]]
load_all_checks()
# Not held against it: a rule may refuse what the shape allows (a day that is past), and
# a name in a query that nobody knows is passed over, as on any page.
LEFT_OUT = {"positive_data_acceptance", "negative_data_rejection"}
CHECKED = [check for check in CHECKS.get_all() if check.__name__ not in LEFT_OUT]

schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())


@pytest.fixture
def connection_kept() -> Iterator[None]:
    """As Django's own client does: a call leaves the test's transaction open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def town(
    api: Any, member: Any, place: Any, settings: Any, connection_kept: None
) -> dict[str, list[str]]:
    """Something to find at each address."""
    settings.API_REQUESTS_PER_MINUTE = 10**6
    for days in range(0, 40, 10):
        copy = CopyFactory(tool=ToolFactory(landlord=place.landlord), place=place)
        loan = LoanFactory(copy=copy, member=member, starts_at=days_later(days + 1))
    taken = RegistrationFactory(
        session=SessionFactory(place=place, price_cents=300), member=member, quantity=2
    )
    partner = PartnerFactory(landlord=place.landlord)
    PersonFactory(partner=partner, user=member.user)
    SessionFactory(place=place, event=taken.session.event, in_days=14)
    held = AppointmentFactory(service=ServiceFactory(place=place), member=member)
    ordered = OrderFactory(
        delivery=DeliveryFactory(round=DeliveryRoundFactory(place=place)), member=member
    )
    return {
        "tool_id": [copy.tool.public_id],
        "event_id": [taken.session.event.public_id],
        "partner_id": [partner.public_id],
        "offer_id": [OfferFactory(partner=partner).public_id],
        "service_id": [held.service.public_id],
        "reference": [loan.reference, taken.reference, held.reference, ordered.reference],
    }


@schema.parametrize()
@hypothesis_settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_each_answer_is_declared(case: Any, api: Any, town: Addresses) -> None:
    for name in case.path_parameters:
        # One of each kind, by what was generated: the same run has the same addresses.
        case.path_parameters[name] = town[name][len(str(case.body)) % len(town[name])]
    if "Idempotency-Key" in (case.headers or {}):
        # A key used twice ends a transaction, and here all examples are in one.
        case.headers["Idempotency-Key"] += f"-{IdempotentAnswer.objects.count()}"
    case.call_and_validate(
        headers={"Authorization": f"Bearer {api.token}"}, checks=CHECKED, timeout=20
    )


def test_the_document_names_each_kind_and_each_problem(db: None) -> None:
    document = ninja_api.get_openapi_schema(path_prefix="/api/v1/")
    making = document["paths"]["/api/v1/bookings"]["post"]
    body = making["requestBody"]["content"]["application/json"]["schema"]
    assert [one["$ref"].rsplit("/", 1)[1] for one in body["oneOf"]] == [
        "LoanRequest", "AppointmentRequest", "OrderRequest", "StayRequest", "RegistrationRequest",
    ]  # fmt: skip
    assert body["discriminator"]["propertyName"] == "kind"
    changing = document["paths"]["/api/v1/bookings/{reference}"]["patch"]["requestBody"]
    assert [
        one["$ref"].rsplit("/", 1)[1]
        for one in changing["content"]["application/json"]["schema"]["anyOf"]
    ] == [
        "LoanChanges", "AppointmentChanges", "OrderChanges", "StayChanges", "RegistrationChanges",
    ]  # fmt: skip
    assert set(making["responses"]) == {
        201, 202, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503,
    }  # fmt: skip
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["security"] == [{"Bearer": []}]
            for status, answer in operation["responses"].items():
                if status >= 400:
                    assert list(answer["content"]) == ["application/problem+json"]


def test_the_document_is_served_to_anybody(client: Any, now: datetime) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"
    assert "/api/v1/bookings" in answer.json()["paths"]
