"""Bad input and faults: a problem document each time, and nothing that breaks."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

from concierge.models import Loan
from tests.api.conftest import loan_body


def raw(api: Any, body: bytes, content_type: str = "application/json") -> Any:
    return Client().generic(
        "POST",
        "/api/v1/bookings",
        body,
        content_type=content_type,
        headers={"Authorization": f"Bearer {api.token}"},
    )


def assert_problem(answer: Any, status: int, code: str) -> None:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:conciergerie:problem:{code}"
    assert problem["title"] and problem["detail"].endswith(".")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b"[" * 30_000])
def test_what_is_no_json(api: Any, body: bytes) -> None:
    status, code = (422, "invalid") if not body else (400, "unreadable")
    assert_problem(raw(api, body), status, code)


@pytest.mark.parametrize("body", [b"null", b"[]", b"7", b'"x"', b"{}", b'{"kind": "boat"}'])
def test_json_of_another_shape(api: Any, body: bytes) -> None:
    assert_problem(raw(api, body), 422, "invalid")


def test_another_media_type(api: Any) -> None:
    assert_problem(raw(api, b"kind=loan", "application/x-www-form-urlencoded"), 415, "media_type")


def test_too_long_a_body(api: Any) -> None:
    assert_problem(raw(api, b'{"kind": "' + b"x" * 70_000 + b'"}'), 413, "too_long")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("starts_on", "9999-12-31"),
        ("starts_on", "0001-01-01"),
        ("starts_on", "2027-02-30"),
        ("starts_on", "20270310"),
        ("starts_on", "2027-W10-3"),
        ("starts_on", "2027-03-10T10:00:00"),
        ("starts_on", "２０２７-03-10"),
        ("starts_on", 1804636800),
        ("starts_on", 10**20),
        ("starts_on", None),
        ("starts_on", "\x00"),
        ("ends_on", "1e5"),
        ("tool", "a\x00b"),
        ("tool", "\ud800"),
        ("tool", "x" * 51),
        ("tool", 10**20),
        ("tool", ["x"]),
        ("place", ""),
        ("kind", "\ud800"),
    ],
)
def test_values_out_of_bounds_name_their_field(
    api: Any, tool: Any, copy: Any, field: str, value: Any
) -> None:
    answer = raw(api, json.dumps(loan_body(tool) | {field: value}).encode())
    assert_problem(answer, 422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Loan.objects.exists()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/tools?limit=100000000000000000000", "limit"),
        ("/tools?limit=0", "limit"),
        ("/tools?limit=1e3", "limit"),
        ("/tools?from=9999-12-31", "from"),
        ("/tools?to=hier", "to"),
        ("/tools?q=%00", "q"),
        ("/tools?q=" + "a" * 101, "q"),
        ("/tools?department=../x", "department"),
        ("/tools?place=%F0%9F%98%80", "place"),
        ("/tools?cursor=%00", "cursor"),
        ("/bookings?limit=-1", "limit"),
        ("/bookings?limit=" + "9" * 5000, "limit"),
    ],
)
def test_bounds_of_a_query(api: Any, path: str, field: str) -> None:
    answer = api.get(path)
    assert_problem(answer, 422, "invalid")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/tools?from=2027-03-10&to=2027-03-09", "dates_in_disorder"),
        ("/tools?from=2027-03-10&to=2028-03-10", "too_many_days"),
        ("/tools?place=ailleurs", "unknown_place"),
        ("/tools?cursor=abc", "bad_cursor"),
        ("/tools?cursor=WyJhIl0", "bad_cursor"),
        ("/tools?cursor=WyJhIiwieCJd", "bad_cursor"),
        ("/tools?q=gaufrier&cursor=WyJ4Il0", "bad_cursor"),
        ("/bookings?cursor=%C3%A9", "bad_cursor"),
        ("/bookings?cursor=WyJoaWVyIiwiUjEiXQ", "bad_cursor"),
    ],
)
def test_what_a_query_asks_must_make_sense(api: Any, path: str, code: str) -> None:
    assert_problem(api.get(path), 422, code)


@pytest.mark.parametrize("reference", ["R1", "%00", "R²²", "x" * 300, "R1234567890", "M1", "é"])
def test_a_reference_that_is_none(api: Any, reference: str) -> None:
    assert_problem(api.get(f"/bookings/{reference}"), 404, "not_found")


def test_no_such_address(api: Any) -> None:
    assert_problem(api.get("/nowhere"), 404, "not_found")
    assert_problem(api.get("/bookings/"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/me", {"GET"}),
        ("PUT", "/bookings", {"GET", "POST"}),
        ("OPTIONS", "/tools", {"GET"}),
        ("GET", "/bookings/R1/cancel", {"POST"}),
    ],
)
def test_methods_that_an_address_does_not_know(
    api: Any, method: str, path: str, allowed: set[str]
) -> None:
    answer = api(method, path)
    assert_problem(answer, 405, "method")
    assert set(answer["Allow"].split(", ")) == allowed


def test_head_is_get_without_its_body(api: Any) -> None:
    got, asked = api.get("/me"), api("HEAD", "/me")
    assert asked.status_code == 200
    assert asked.content == b""
    assert asked["ETag"] == got["ETag"]
    assert asked["Content-Length"] == got["Content-Length"]


def test_a_fault_of_ours_is_a_problem_without_a_secret(api: Any) -> None:
    with patch("club.api.routes.place_json", side_effect=RuntimeError("secret-4711")):
        answer = api.get("/places")
    assert_problem(answer, 500, "internal")
    assert b"4711" not in answer.content


def test_a_database_that_gives_way_says_come_back(api: Any) -> None:
    with patch("club.api.routes.place_json", side_effect=OperationalError("locked")):
        answer = api.get("/places")
    assert_problem(answer, 503, "busy")
    assert answer["Retry-After"] == "1"


def test_sentences_are_french_whatever_the_caller_speaks(api: Any) -> None:
    answer = api.get("/nowhere", Accept_Language="en")
    assert answer.json()["title"] == "Introuvable"
