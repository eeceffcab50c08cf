"""So many calls a minute for each token."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache

from club.kernel import limits
from club.models import UsageCount
from concierge.models import Loan
from tests.api.conftest import loan_body
from tests.factories.club import NOW


def test_what_is_left_is_told_with_each_answer(api: Any, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 3
    answer = api.get("/me")
    assert answer["RateLimit-Policy"] == '"token";q=3;w=60'
    assert answer["RateLimit"] == '"token";r=2;t=60'
    assert api.get("/nowhere").get("RateLimit") is None
    assert api.get("/tools/none")["RateLimit"] == '"token";r=1;t=60'


def test_beyond_the_limit_calls_wait_and_others_do_not(
    api: Any, other_api: Any, settings: Any, tool: Any, copy: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    with time_machine.travel(NOW + timedelta(seconds=12), tick=False):
        assert api.get("/me").status_code == api.get("/me").status_code == 200
        refused = api.post("/bookings", loan_body(tool))
        assert refused.status_code == 429
        assert refused.json()["code"] == "too_many_requests"
        assert refused["Retry-After"] == "48"
        assert refused["RateLimit"] == '"token";r=0;t=48'
        assert not Loan.objects.exists()
        assert other_api.get("/me").status_code == 200
    with time_machine.travel(NOW + timedelta(seconds=60), tick=False):
        assert api.get("/me").status_code == 200


def test_a_refused_call_counts(api: Any, settings: Any) -> None:
    settings.API_REQUESTS_PER_MINUTE = 2
    for _ in range(2):
        assert api.post("/bookings", {"kind": "loan"}).status_code == 422
    assert api.get("/me").status_code == 429


@pytest.mark.parametrize("backend", ["cache", "table"])
def test_counts_of_a_key_grow_in_a_window_and_begin_again(
    db: None, now: datetime, backend: str, monkeypatch: Any
) -> None:
    if backend == "table":
        monkeypatch.setattr(limits, "RedisCache", type(None))
    cache.clear()
    used = [limits.hit("k", 2, 60, now + timedelta(seconds=s)).used for s in (0, 1, 59, 60, 61)]
    assert used == [1, 2, 3, 1, 2]
    assert limits.hit("other", 2, 60, now).used == 1
    spent = [limits.hit("s", 1, 60, now).is_spent for _ in range(2)]
    assert spent == [False, True]


def test_the_table_keeps_one_row_a_key(db: None, now: datetime, monkeypatch: Any) -> None:
    monkeypatch.setattr(limits, "RedisCache", type(None))
    for minutes in range(3):
        limits.hit("k", 2, 60, now + timedelta(minutes=minutes))
    assert UsageCount.objects.get().count == 1
