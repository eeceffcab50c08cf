"""How many SQL statements a call costs, BEGIN and COMMIT counted with them."""

from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.db import connection

from config.bench.wire import wire
from tests.api.conftest import loan_body
from tests.factories.concierge import CopyFactory, LoanFactory, ToolFactory, days_later
from tests.factories.events import RegistrationFactory, SessionFactory


def limit_statements() -> int:
    """Without Redis, the limit per token is one upsert."""
    return 0 if isinstance(caches["default"], RedisCache) else 1


def verbs(statements: list[str]) -> list[str]:
    return [sql.split()[0].upper() for sql in statements]


@pytest.fixture
def warm(api: Any, place: Any) -> None:
    """The process has read the place's hours and rules, as after its first call."""
    other = CopyFactory(tool=ToolFactory(landlord=place.landlord), place=place)
    api.post("/bookings", loan_body(other.tool))


@pytest.mark.django_db(transaction=True)
def test_a_whole_booking_is_eight_statements_on_postgresql_with_redis(
    api: Any, tool: Any, copy: Any, warm: None
) -> None:
    with wire() as statements:
        answer = api.post("/bookings", loan_body(tool), Idempotency_Key="une-fois")
    assert answer.status_code == 201
    sign_in, work = ["SELECT"], ["SELECT", "INSERT", "INSERT", "INSERT", "INSERT"]
    if connection.vendor == "sqlite":
        expected = [*sign_in, *["INSERT"] * limit_statements(), "BEGIN", *work, "COMMIT"]
    elif limit_statements():
        lock = ["SELECT"]
        expected = [*sign_in, "INSERT", "BEGIN", *lock, *work, "COMMIT"]
    else:
        expected = ["BEGIN", *sign_in, *work, "COMMIT"]
        assert len(expected) == 8
    seen = verbs(statements)
    if limit_statements():
        # A database cache learns after the commit that kept pages are out of date.
        seen = seen[: seen.index("COMMIT") + 1]
    assert seen == expected


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("/me", 2),
        ("/places", 1),
        ("/tools", 3),
        ("/tools/{tool}", 4),
        ("/tools/{tool}/availability", 3),
        ("/bookings", 5),
    ],
)
def test_reading_costs_the_token_and_these(
    api: Any, tool: Any, copy: Any, warm: None, path: str, own: int
) -> None:
    with wire() as statements:
        assert api.get(path.format(tool=tool.public_id)).status_code == 200
    assert len(statements) == 1 + own + limit_statements()


@pytest.mark.parametrize("rows", [1, 3, 30])
def test_lists_cost_the_same_however_long(
    api: Any, member: Any, place: Any, warm: None, rows: int
) -> None:
    for number in range(rows):
        copy = CopyFactory(tool=ToolFactory(landlord=place.landlord), place=place)
        LoanFactory(copy=copy, member=member, starts_at=days_later(number))
        RegistrationFactory(session=SessionFactory(place=place), member=member)
    with wire() as statements:
        assert len(api.get("/bookings?limit=100").json()["items"]) == 2 * rows + 1
    assert len(statements) == 6 + limit_statements()
    with wire() as statements:
        assert len(api.get("/tools?limit=100").json()["items"]) == rows + 1
    assert len(statements) == 4 + limit_statements()


@pytest.mark.django_db(transaction=True)
def test_places_at_a_session_are_eight_statements_on_postgresql_with_redis(
    api: Any, place: Any
) -> None:
    session = SessionFactory(place=place)
    body = {"kind": "registration", "session": session.public_id, "quantity": 3}
    with wire() as statements:
        answer = api.post("/bookings", body, Idempotency_Key="une-fois")
    assert answer.status_code == 201
    sign_in, rows = ["SELECT"], ["INSERT", "INSERT", "INSERT"]
    if connection.vendor == "sqlite":
        work = ["SELECT", "UPDATE", "INSERT", *rows]
        expected = [*sign_in, *["INSERT"] * limit_statements(), "BEGIN", *work, "COMMIT"]
    elif limit_statements():
        expected = [*sign_in, "INSERT", "BEGIN", "SELECT", "SELECT", "WITH", *rows, "COMMIT"]
    else:
        expected = ["BEGIN", *sign_in, "SELECT", "WITH", *rows, "COMMIT"]
        assert len(expected) == 8
    seen = verbs(statements)
    if limit_statements():
        seen = seen[: seen.index("COMMIT") + 1]
    assert seen == expected
