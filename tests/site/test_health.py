"""The health pages: one touches nothing, the other names what is down."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ

from club.models import Heartbeat, Member, Message
from config import health


@pytest.fixture
def beating(db: None, monkeypatch: Any) -> None:
    """A house in order: its worker beats, its tables are those of the code."""
    Heartbeat.objects.create(name="cluster:here", beat_at=timezone.now())
    monkeypatch.setattr(health, "_migrated", True)


def down(client: Client) -> list[str]:
    answer = client.get("/healthz/ready")
    found: list[str] = answer.json()["down"]
    assert answer.status_code == (503 if found else 200)
    assert answer["Cache-Control"].startswith("max-age=0, no-cache")
    return found


def ago(**delta: float) -> Any:
    return timezone.now() - timedelta(**delta)


def test_live_asks_the_database_nothing(client: Client) -> None:
    answer = client.get("/healthz/live")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_all_is_up(client: Client, beating: None) -> None:
    assert down(client) == []
    assert client.get("/healthz/ready").json()["status"] == "up"


def test_a_worker_that_never_beat(client: Client, beating: None) -> None:
    Heartbeat.objects.all().delete()
    assert down(client) == ["worker"]


def test_a_worker_that_stands_still_and_another_that_lives(client: Client, beating: None) -> None:
    Heartbeat.objects.update(beat_at=ago(minutes=3))
    assert down(client) == ["worker"]
    Heartbeat.objects.create(name="cluster:there", beat_at=ago(seconds=10))
    assert down(client) == []


def test_a_task_that_waits(client: Client, beating: None) -> None:
    OrmQ.objects.create(key="conciergerie", payload="x", lock=ago(minutes=4))
    assert down(client) == []
    OrmQ.objects.create(key="conciergerie", payload="x", lock=ago(minutes=6))
    assert down(client) == ["queue"]
    # A task that a worker has taken is locked until its retry.
    OrmQ.objects.update(lock=ago(minutes=-4))
    assert down(client) == []


def write(member: Member, **changes: Any) -> None:
    Message.objects.create(
        **{
            "key": f"k{Message.objects.count()}",
            "event": "loan.reserved",
            "member": member,
            "subject_kind": "loan",
            "subject_id": 1,
            "channel": "email",
            "due_at": ago(minutes=20),
        }
        | changes
    )


def test_a_message_that_waits(client: Client, beating: None, member: Member) -> None:
    write(member, due_at=ago(minutes=10))
    write(member, status="sent")
    write(member, status="dropped")
    write(member, due_at=ago(minutes=-60))
    assert down(client) == []
    write(member)
    assert down(client) == ["messages"]


def test_failed_messages_are_counted_and_take_nothing_down(
    client: Client, beating: None, member: Member
) -> None:
    write(member, status="failed", error="550 samira@example.org unknown")
    answer = client.get("/healthz/ready")
    assert answer.status_code == 200
    assert answer.json()["parts"]["messages"]["failed_in_a_week"] == 1
    assert "example.org" not in answer.content.decode()


def test_a_daily_job_that_has_not_run(client: Client, beating: None) -> None:
    Heartbeat.objects.create(name="job:reminders", beat_at=ago(hours=40))
    Heartbeat.objects.create(name="job:tidy", beat_at=ago(hours=20))
    assert down(client) == ["daily_jobs"]
    assert client.get("/healthz/ready").json()["parts"]["daily_jobs"]["late"] == ["reminders"]


def test_a_cache_that_forgets(client: Client, beating: None, settings: Any) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
    }
    assert down(client) == ["cache"]


def test_a_storage_that_cannot_be_written(
    client: Client, beating: None, settings: Any, tmp_path: Any
) -> None:
    (tmp_path / "file").write_text("not a folder")
    settings.MEDIA_ROOT = tmp_path / "file"
    assert down(client) == ["storage"]


def test_a_storage_is_left_as_it_was(client: Client, beating: None, settings: Any) -> None:
    assert down(client) == []
    assert [file for file in settings.MEDIA_ROOT.rglob("*") if file.is_file()] == []


def test_a_migration_that_is_pending(client: Client, beating: None, monkeypatch: Any) -> None:
    monkeypatch.setattr(health, "_migrated", False)
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    recorder.migration_qs.filter(app="club").delete()
    assert down(client) == ["migrations"]


def test_a_database_that_does_not_answer(client: Client, beating: None, monkeypatch: Any) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("could not connect to host db.internal user secret")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", fail)
        broken.setattr(connection, "chunked_cursor", fail)
        answer = client.get("/healthz/ready")
    assert answer.status_code == 503
    assert "database" in answer.json()["down"]
    assert "secret" not in answer.content.decode()
