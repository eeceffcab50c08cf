"""Who may call what: tokens, scopes, and nothing of anybody else's."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from club.domain.tokens import revoke_token
from club.models import ApiToken
from concierge.models import Loan
from tests.api.conftest import Caller, loan_body
from tests.factories.club import AssignmentFactory, PlaceFactory
from tests.factories.concierge import ToolFactory
from tests.factories.events import SessionFactory
from tests.factories.marketplace import PartnerFactory
from tests.factories.services import ServiceFactory

ROUTES = [
    ("GET", "/me"),
    ("GET", "/places"),
    ("GET", "/tools"),
    ("GET", "/tools/{tool}"),
    ("GET", "/tools/{tool}/availability"),
    ("GET", "/services"),
    ("GET", "/services/{service}/slots"),
    ("GET", "/deliveries"),
    ("GET", "/events"),
    ("GET", "/events/{event}"),
    ("GET", "/partners"),
    ("GET", "/partners/{partner}"),
    ("GET", "/offers"),
    ("GET", "/bookings"),
    ("POST", "/bookings"),
    ("GET", "/bookings/{reference}"),
    ("PATCH", "/bookings/{reference}"),
    ("POST", "/bookings/{reference}/cancel"),
    ("POST", "/bookings/{reference}/renew"),
]
OF_PARTNERS = [
    ("GET", "/my/offers"),
    ("GET", "/my/offers/{offer}"),
    ("PATCH", "/my/offers/{offer}"),
    ("POST", "/cards/check"),
]
"""For the token of somebody who acts for a partner: no member's is good for these."""
ON_ONE_BOOKING = [route for route in ROUTES if "{reference}" in route[1]]
BODIES = {"PATCH": {"starts_on": "2027-03-16"}}


def test_the_routes_above_are_all_there_are() -> None:
    from config.api import api

    documented = {
        (method.upper(), path.removeprefix("/api/v1").replace("_id}", "}"))
        for path, operations in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items()
        for method in operations
    }
    assert documented == {*ROUTES, *OF_PARTNERS}


@pytest.mark.parametrize(("method", "path"), ROUTES + OF_PARTNERS)
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic YTpi"])
def test_without_a_good_token_nothing_is_told(
    db: None, method: str, path: str, authorization: str
) -> None:
    answer = Caller()(method, path, BODIES.get(method), Authorization=authorization)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"


def test_a_revoked_token_is_no_token(api: Any, now: datetime) -> None:
    assert api.get("/me").status_code == 200
    revoke_token(ApiToken.objects.get(), now)
    assert api.get("/me").status_code == 401


def test_a_closed_account_calls_no_more(api: Any, member: Any) -> None:
    member.user.is_active = False
    member.user.save()
    assert api.get("/me").status_code == 401


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] != "GET"])
def test_a_token_that_reads_cannot_write(
    member: Any, tool: Any, copy: Any, caller_for: Callable[..., Caller], method: str, path: str
) -> None:
    made = caller_for(member.user).post("/bookings", loan_body(tool)).json()
    reader = caller_for(member.user, "read")
    body = BODIES.get(method) or loan_body(tool, "2027-03-23")
    answer = reader(method, path.format(**made), body)
    assert answer.status_code == 403
    assert answer.json()["code"] == "scope"
    assert 'scope="write"' in answer["WWW-Authenticate"]
    loan = Loan.objects.get()
    assert (loan.status, loan.sequence) == ("reserved", 0)


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] == "GET"])
def test_a_token_that_reads_reads(
    member: Any, tool: Any, copy: Any, caller_for: Callable[..., Caller], method: str, path: str
) -> None:
    made = caller_for(member.user).post("/bookings", loan_body(tool)).json()
    made["event"] = SessionFactory(place=member.place).event.public_id
    made["partner"] = PartnerFactory(landlord=member.place.landlord).public_id
    made["service"] = ServiceFactory(place=member.place).public_id
    reader = caller_for(member.user, "read")
    assert reader(method, path.format(**made)).status_code == 200


@pytest.mark.parametrize(("method", "path"), ON_ONE_BOOKING)
def test_another_members_reference_does_not_exist(
    api: Any, other_api: Any, tool: Any, copy: Any, method: str, path: str
) -> None:
    theirs = other_api.post("/bookings", loan_body(tool)).json()
    answer = api(method, path.format(**theirs), BODIES.get(method))
    nothing = api(method, path.format(reference="R1234567897"), BODIES.get(method))
    assert answer.status_code == 404
    assert answer.content == nothing.content
    loan = Loan.objects.get()
    assert (loan.status, loan.sequence) == ("reserved", 0)


@pytest.mark.parametrize(("method", "path"), ON_ONE_BOOKING)
def test_a_concierge_who_is_a_member_sees_only_their_own_by_the_api(
    api: Any, other_api: Any, member: Any, place: Any, tool: Any, copy: Any, method: str, path: str
) -> None:
    AssignmentFactory(user=member.user, place=place)
    theirs = other_api.post("/bookings", loan_body(tool)).json()
    assert api(method, path.format(**theirs), BODIES.get(method)).status_code == 404
    assert api.get("/bookings").json()["items"] == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_account_without_membership_is_told_so(
    concierge_user: Any, caller_for: Callable[..., Caller], method: str, path: str
) -> None:
    answer = caller_for(concierge_user)(method, path, BODIES.get(method))
    assert answer.status_code == 403
    assert answer.json()["code"] == "no_member"


@pytest.mark.parametrize(("method", "path"), OF_PARTNERS)
def test_an_account_of_no_partner_is_told_so(
    api: Any, concierge_user: Any, caller_for: Callable[..., Caller], method: str, path: str
) -> None:
    for caller in (api, caller_for(concierge_user)):
        answer = caller(method, path, BODIES.get(method))
        assert answer.status_code == 403
        assert answer.json()["code"] == "no_partner"


@pytest.mark.parametrize("path", ["/tools/{id}", "/tools/{id}/availability"])
def test_another_landlords_and_unlisted_objects_do_not_exist(
    api: Any, tool: Any, path: str
) -> None:
    strange = PlaceFactory(landlord__slug="autre", landlord__name="Autre bailleur")
    theirs = ToolFactory(landlord=strange.landlord)
    hidden = ToolFactory(landlord=tool.landlord, is_listed=False)
    for public_id in (theirs.public_id, hidden.public_id, "%00", "é", "x" * 40):
        assert api.get(path.format(id=public_id)).status_code == 404
    assert [item["id"] for item in api.get("/tools").json()["items"]] == [tool.public_id]
    assert [place["id"] for place in api.get("/places").json()["items"]] == ["tilleuls"]
