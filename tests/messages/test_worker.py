"""`manage.py worker` as a real process: it works, heals and stops."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from club.enums import MessageStatus
from club.models import Heartbeat, Member, Message
from tests.factories.concierge import LoanFactory
from tests.messages.test_kill import database_url

pytestmark = pytest.mark.django_db(transaction=True)


def until(true: Callable[[], Any], seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("It did not happen in time.")


@pytest.fixture
def worker(tmp_path: Path, member: Member) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--stalled-after", "15"],
        cwd=django_settings.BASE_DIR,
        env={
            **os.environ,
            "DATABASE_URL": database_url(),
            "VAR_DIR": str(tmp_path),
            "WORKERS": "2",
            "EMAIL_URL": "",
        },
    )
    yield process
    if process.poll() is None:
        process.terminate()
        process.wait(60)


def beat() -> Any:
    return (
        Heartbeat.objects.filter(name__startswith="cluster:")
        .values_list("beat_at", flat=True)
        .first()
    )


def children(pid: int) -> list[int]:
    """The processes under one, by /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return sorted(found)


def family(pid: int) -> list[int]:
    under = children(pid)
    return under + [one for child in under for one in family(child)]


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def all_ended(pids: list[int]) -> bool:
    return not any(is_alive(pid) for pid in pids)


def test_it_sends_outlives_bad_schedules_heals_and_stops(
    worker: subprocess.Popen[bytes], member: Member, tmp_path: Path
) -> None:
    Schedule.objects.create(name="bad", func="no.such", args="((", schedule_type="I", minutes=0)
    loan = LoanFactory(member=member, starts_at=timezone.now() + timedelta(days=1))

    def tell(key: str) -> None:
        Message.objects.create(
            key=key,
            event="loan.reserved",
            member=member,
            subject_kind="loan",
            subject_id=loan.pk,
            channel="email",
            due_at=timezone.now(),
        )

    def is_sent(key: str) -> bool:
        return Message.objects.filter(key=key, status=MessageStatus.SENT).exists()

    tell("first")
    until(lambda: is_sent("first"))
    until(beat)
    if timezone.localtime().hour >= 4:
        until(lambda: Heartbeat.objects.filter(name="job:tidy").exists())
    assert list((tmp_path / "mail").glob("*.log"))

    # A killed idle process may take the queue's lock along. Stopping the whole cluster
    # is what that looks like from outside, each time.
    (main,) = children(worker.pid)
    before = family(main)
    assert len(before) >= 5
    for pid in [main, *before]:
        os.kill(pid, signal.SIGSTOP)
    tell("second")
    until(lambda: is_sent("second"), 120)
    until(lambda: all_ended([main, *before]), 20)

    # The sentinel is killed: nothing of the old group stays.
    (main,) = children(worker.pid)
    before = family(main)
    os.kill(children(main)[0], signal.SIGKILL)
    until(lambda: children(worker.pid) not in ([main], []))
    until(lambda: all_ended(before), 20)
    tell("third")
    until(lambda: is_sent("third"))

    now_under = family(worker.pid)
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(40) == 0
    assert time.monotonic() - began < 30
    until(lambda: all_ended(now_under), 20)
    assert beat() is None
    # Recurring tasks wait once at most, however long nobody took them.
    assert OrmQ.objects.count() <= 4


def test_a_cluster_ends_with_its_supervisor(worker: subprocess.Popen[bytes]) -> None:
    until(beat)
    under = family(worker.pid)
    worker.kill()
    worker.wait()
    until(lambda: all_ended(under), 40)
