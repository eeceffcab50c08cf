import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from club.domain.tokens import create_token
from club.models import Member, User
from tests.factories.club import NOW


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@dataclass
class Caller:
    """A client that speaks JSON with one bearer token."""

    token: str = ""

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        return Client(raise_request_exception=False).generic(
            method,
            "/api/v1" + path,
            b"" if body is None else json.dumps(body),
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def get(self, path: str, **headers: str) -> HttpResponse:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> HttpResponse:
        return self("PATCH", path, body, **headers)


@pytest.fixture
def caller_for(now: datetime) -> Callable[..., Caller]:
    def make(user: User, scope: str = "write") -> Caller:
        _token, plain = create_token(user, "essai", scope, now)
        return Caller(plain)

    return make


@pytest.fixture
def api(member: Member, caller_for: Callable[..., Caller]) -> Caller:
    """The member's own calls, with a token that may write."""
    return caller_for(member.user)


@pytest.fixture
def other_api(other_member: Member, caller_for: Callable[..., Caller]) -> Caller:
    return caller_for(other_member.user)


def loan_body(tool: Any, starts_on: str = "2027-03-10", **more: Any) -> dict[str, Any]:
    return {"kind": "loan", "tool": tool.public_id, "starts_on": starts_on, **more}
