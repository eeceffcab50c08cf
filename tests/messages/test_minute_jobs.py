"""What runs each minute: every app's own, and one that fails stops no other."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone, translation

from club.kernel import jobs
from club.tasks import run_minute_jobs
from club.worker import recurring
from events.tasks import lapse_registrations


@pytest.fixture
def register(monkeypatch: Any) -> Iterator[Callable[..., None]]:
    """A register with nothing in it yet."""
    monkeypatch.setattr(jobs, "_minutely", {})
    yield jobs.register_minutely


def test_the_house_has_its_work_of_each_minute() -> None:
    assert ("registrations", lapse_registrations) in list(jobs.minutely())


def test_the_worker_does_it_once_a_minute() -> None:
    assert [one.seconds for one in recurring() if one.task == "club.tasks.run_minute_jobs"] == [60]


def test_each_runs_in_the_order_of_the_names_at_the_moment_that_is_given(
    register: Callable[..., None], now: datetime
) -> None:
    ran: list[tuple[str, datetime]] = []
    for name in ("b", "a", "c"):
        register(name, lambda at, name=name: ran.append((name, at)))
    run_minute_jobs(now)
    assert ran == [("a", now), ("b", now), ("c", now)]


def test_it_runs_again_the_next_minute(register: Callable[..., None], now: datetime) -> None:
    ran: list[datetime] = []
    register("a", ran.append)
    run_minute_jobs(now)
    run_minute_jobs(now)
    assert ran == [now, now]


def test_without_a_moment_it_is_now(register: Callable[..., None]) -> None:
    ran: list[datetime] = []
    register("a", ran.append)
    before = timezone.now()
    run_minute_jobs()
    assert before <= ran[0] <= timezone.now()


def test_one_that_fails_stops_no_other_and_is_written_down(
    register: Callable[..., None], now: datetime, caplog: Any
) -> None:
    ran: list[datetime] = []

    def fail(at: datetime) -> None:
        raise RuntimeError("broken")

    register("a", fail)
    register("b", ran.append)
    run_minute_jobs(now)
    assert ran == [now]
    assert "The work of each minute failed: a" in caplog.text


def test_it_writes_in_the_language_of_the_house(
    register: Callable[..., None], now: datetime
) -> None:
    ran: list[str | None] = []
    register("a", lambda at: ran.append(translation.get_language()))
    with translation.override("en"):
        run_minute_jobs(now)
    assert ran == ["fr"]


def test_a_second_registration_of_a_name_replaces_the_first(
    register: Callable[..., None], now: datetime
) -> None:
    ran: list[str] = []
    register("a", lambda at: ran.append("first"))
    register("a", lambda at: ran.append("second"))
    run_minute_jobs(now)
    assert ran == ["second"]
