"""A sender that is killed at any point loses nobody's message and doubles none.

The sending process is a real one, on the suite's database, with files as mailbox:
each written message can be counted.
"""

import email
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from email import policy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from club.domain.outbox import LEASE, send_due
from club.emails import MailAndSms
from club.enums import MessageStatus
from club.models import Member, Message
from concierge.models import Loan
from tests.factories.concierge import LoanFactory

pytestmark = pytest.mark.django_db(transaction=True)

SENDER = """
import os, signal, sys
import django
django.setup()
from django.conf import settings
settings.EMAIL_FILE_PATH = sys.argv[1]
from club import emails
from club.domain import outbox
from club.models import Message

point, number = sys.argv[2], int(sys.argv[3])
sent = 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Transport(emails.MailAndSms):
    def send(self, *args):
        global sent
        sent += 1
        if point == "before" and sent == number:
            die()
        super().send(*args)
        if point == "after" and sent == number:
            die()

settle = outbox.settle
def settle_and_die(rows, status, now):
    settle(rows, status, now)
    if point == "settled" and rows and sent == number:
        die()
outbox.settle = settle_and_die

if point == "claimed":
    from django.utils import timezone
    outbox.claim(timezone.now())
    die()
from django.utils import timezone
print("ready", flush=True)
with Transport() as transport:
    outbox.send_due(timezone.now(), transport)
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[], Counter[str]]:
    """How often each name was written, by all processes together."""

    def count() -> Counter[str]:
        found: Counter[str] = Counter()
        for file in (tmp_path / "mail").glob("*.log"):
            for part in file.read_bytes().split(b"\n" + b"-" * 79 + b"\n"):
                if part.strip():
                    message = email.message_from_bytes(part, policy=policy.default)
                    found[str(message["Message-ID"])] += 1
        return found

    return count


@pytest.fixture
def loan(member: Member) -> Loan:
    begins = timezone.now() + timedelta(days=1)
    return LoanFactory(member=member, starts_at=begins)


def fill(loan: Loan, many: int) -> None:
    Message.objects.bulk_create(
        Message(
            key=f"m{number}",
            event="loan.reserved",
            member=loan.member,
            subject_kind="loan",
            subject_id=loan.pk,
            channel="email",
            due_at=timezone.now() - timedelta(seconds=1),
        )
        for number in range(many)
    )


def database_url() -> str:
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user, password = database["USER"], database["PASSWORD"]
    host, port = database["HOST"], database["PORT"] or 5432
    return f"postgres://{user}{':' if password else ''}{password}@{host}:{port}/{database['NAME']}"


def sender(tmp_path: Path, point: str, number: int) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "VAR_DIR": str(tmp_path / "var"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    return subprocess.Popen(
        [sys.executable, "-c", SENDER, str(tmp_path / "mail"), point, str(number)],
        env=environment,
        cwd=django_settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(tmp_path: Path, settings: Any) -> None:
    """A later round, after the leases of the killed one."""
    settings.EMAIL_BACKEND = "club.mail.FileBackend"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"
    with MailAndSms() as transport:
        send_due(timezone.now() + LEASE, transport)


@pytest.mark.parametrize(
    ("point", "number"),
    [("claimed", 0), ("before", 1), ("before", 7), ("after", 7), ("settled", 7)],
)
def test_killed_at_each_point_each_message_is_written_once(
    point: str, number: int, loan: Loan, tmp_path: Path, settings: Any, written: Any
) -> None:
    fill(loan, 12)
    process = sender(tmp_path, point, number)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert Message.objects.filter(status=MessageStatus.SENDING).exists()
    finish(tmp_path, settings)
    assert set(Message.objects.values_list("status", flat=True)) == {MessageStatus.SENT}
    assert sorted(written().values()) == [1] * 12


def test_the_fault_is_real_without_the_question_to_the_transport(
    loan: Loan, tmp_path: Path, settings: Any, written: Any, monkeypatch: Any
) -> None:
    """Teeth: a transport that cannot be asked writes the one in flight, and only it, again."""
    monkeypatch.setattr(MailAndSms, "holds", lambda *args: False)
    fill(loan, 12)
    sender(tmp_path, "after", 7).communicate(timeout=120)
    finish(tmp_path, settings)
    assert sorted(written().values()) == [1] * 11 + [2]


def test_killed_at_any_moment_by_another_process(
    loan: Loan, tmp_path: Path, settings: Any, written: Any, capsys: Any
) -> None:
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10**6)))
    with capsys.disabled():
        print(f"\nKILL_SEED={seed}", end=" ")
    chance = random.Random(seed)
    fill(loan, 300)
    for _ in range(4):
        process = sender(tmp_path, "never", 0)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.02, 0.4))
        process.kill()
        process.communicate(timeout=60)
        Message.objects.filter(status=MessageStatus.SENDING).update(
            claimed_at=timezone.now() - LEASE
        )
    finish(tmp_path, settings)
    assert set(Message.objects.values_list("status", flat=True)) == {MessageStatus.SENT}
    assert sorted(written().values()) == [1] * 300


def test_three_senders_at_once_share_the_work(loan: Loan, tmp_path: Path, written: Any) -> None:
    fill(loan, 150)
    processes = [sender(tmp_path, "never", 0) for _ in range(3)]
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert set(Message.objects.values_list("status", flat=True)) == {MessageStatus.SENT}
    assert sorted(written().values()) == [1] * 150
