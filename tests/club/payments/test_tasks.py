"""Tasks are named by their path: each name that is put on the queue exists."""

import re
from pathlib import Path
from typing import Any

from django.utils import timezone

from club import tasks
from club.worker import recurring
from tests.club.payments.house import House

ROOT = Path(__file__).resolve().parents[3]


def test_every_task_that_is_named_exists() -> None:
    found = {
        name
        for room in ("club", "concierge", "site")
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r'"club\.tasks\.(\w+)"', path.read_text())
    }
    assert len(found) > 8
    assert [name for name in sorted(found) if not callable(getattr(tasks, name, None))] == []


def test_what_recurs_can_be_called_without_an_argument(house: House) -> None:
    names = [job.task.removeprefix("club.tasks.") for job in recurring()]
    assert {"sweep_payments", "fetch_lost_events"} <= set(names)
    for name in ("sweep_payments", "fetch_lost_events"):
        getattr(tasks, name)()


def test_without_keys_nothing_is_asked(settings: Any, db: None) -> None:
    settings.STRIPE_SECRET_KEY = ""
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    tasks.sweep_payments()
    tasks.fetch_lost_events()
    tasks.read_provider(timezone.now())
