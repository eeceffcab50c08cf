"""One key, one effect, one answer."""

import threading
from typing import Any

import pytest
from django.db import connection

from club.models import IdempotentAnswer, Message
from concierge.models import Loan
from tests.api.conftest import Caller, loan_body
from tests.factories.concierge import CopyFactory, PolicyFactory, ToolFactory

committed = pytest.mark.django_db(transaction=True)
"""For what a rollback decides: inside a test's own transaction there is none."""


def test_the_same_request_again_gets_the_same_bytes(api: Any, tool: Any, copy: Any) -> None:
    first = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    again = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    assert first.status_code == again.status_code == 201
    assert again.content == first.content
    assert again["Location"] == first["Location"]
    assert again["ETag"] == first["ETag"]
    assert again["Idempotent-Replayed"] == "true"
    assert Loan.objects.count() == Message.objects.count() == 1


@committed
def test_it_holds_where_a_second_booking_would_have_fitted(
    api: Any, tool: Any, copy: Any, place: Any
) -> None:
    CopyFactory(tool=tool, place=place)
    first = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    again = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    assert again.content == first.content
    assert Loan.objects.count() == 1


def test_another_body_under_the_same_key_is_refused(api: Any, tool: Any, copy: Any) -> None:
    api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    other = api.post("/bookings", loan_body(tool, "2027-03-16"), Idempotency_Key="k-1")
    assert other.status_code == 422
    assert other.json()["code"] == "key_reused"
    assert Loan.objects.count() == 1


@committed
def test_another_route_under_the_same_key_is_refused(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1").json()
    cancel = api.post(f"/bookings/{made['reference']}/cancel", Idempotency_Key="k-1")
    assert cancel.json()["code"] == "key_reused"
    assert Loan.objects.get().status == "reserved"


def test_names_in_another_order_are_the_same_body(api: Any, tool: Any, copy: Any) -> None:
    body = loan_body(tool)
    first = api.post("/bookings", body, Idempotency_Key="k-1")
    again = api.post("/bookings", dict(reversed(body.items())), Idempotency_Key="k-1")
    assert again.content == first.content


@committed
def test_a_refusal_is_the_keys_answer_too(api: Any, other_api: Any, tool: Any, copy: Any) -> None:
    theirs = other_api.post("/bookings", loan_body(tool)).json()
    first = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    assert first.status_code == 409
    other_api.post(f"/bookings/{theirs['reference']}/cancel")
    again = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    assert (again.status_code, again.content) == (409, first.content)
    assert again["Content-Type"] == "application/problem+json"
    assert api.post("/bookings", loan_body(tool), Idempotency_Key="k-2").status_code == 201


def test_a_replay_is_answered_even_when_the_rule_now_says_no(
    api: Any, tool: Any, copy: Any, place: Any
) -> None:
    PolicyFactory(place=place, limit=1)
    place.refresh_from_db()
    first = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    assert first.status_code == 201
    another = CopyFactory(tool=ToolFactory(landlord=place.landlord), place=place)
    assert api.post("/bookings", loan_body(another.tool)).json()["code"] == "limit_reached"
    again = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    assert (again.status_code, again.content) == (201, first.content)


def test_a_cancel_replayed_is_no_conflict(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool)).json()
    path = f"/bookings/{made['reference']}/cancel"
    first = api.post(path, Idempotency_Key="k-1")
    again = api.post(path, Idempotency_Key="k-1")
    assert (again.status_code, again.content) == (200, first.content)


def test_a_move_replayed_with_if_match_is_answered(api: Any, tool: Any, copy: Any) -> None:
    made = api.post("/bookings", loan_body(tool))
    path = f"/bookings/{made.json()['reference']}"
    headers = {"Idempotency_Key": "k-1", "If_Match": made["ETag"]}
    first = api.patch(path, {"starts_on": "2027-03-16"}, **headers)
    again = api.patch(path, {"starts_on": "2027-03-16"}, **headers)
    assert (again.status_code, again.content) == (200, first.content)


def test_keys_of_two_tokens_do_not_meet(
    api: Any, other_api: Any, tool: Any, copy: Any, place: Any
) -> None:
    CopyFactory(tool=tool, place=place)
    one = api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    other = other_api.post("/bookings", loan_body(tool), Idempotency_Key="k-1")
    assert one.status_code == other.status_code == 201
    assert one.json()["reference"] != other.json()["reference"]


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 81])
def test_a_bad_key_is_refused_before_anything_happens(
    api: Any, tool: Any, copy: Any, key: str
) -> None:
    answer = api.post("/bookings", loan_body(tool), Idempotency_Key=key)
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_key"
    assert not Loan.objects.exists()


def at_once(caller: Caller, bodies: list[Any], key: str | None) -> list[Any]:
    """Calls from as many threads as bodies, released together."""
    gate = threading.Barrier(len(bodies))
    answers: list[Any] = [None] * len(bodies)

    def call(number: int) -> None:
        headers = {"Idempotency_Key": key} if key else {}
        try:
            gate.wait(timeout=20)
            answers[number] = caller.post("/bookings", bodies[number], **headers)
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=(n,)) for n in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


@committed
def test_without_a_key_calls_at_once_make_several_bookings(api: Any, tool: Any, place: Any) -> None:
    """The fault that the key is there for: a client that sends twice books twice."""
    for _ in range(4):
        CopyFactory(tool=tool, place=place)
    answers = at_once(api, [loan_body(tool)] * 4, None)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert Loan.objects.count() == 4


@committed
def test_calls_at_once_with_one_key_have_one_effect(api: Any, tool: Any, place: Any) -> None:
    for _ in range(4):
        CopyFactory(tool=tool, place=place)
    answers = at_once(api, [loan_body(tool)] * 4, "k-1")
    assert {answer.content for answer in answers} == {answers[0].content}
    assert [answer.status_code for answer in answers] == [201] * 4
    assert Loan.objects.count() == Message.objects.count() == 1
    assert IdempotentAnswer.objects.count() == 1
