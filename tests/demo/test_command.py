import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(tmp_path: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    kept = {
        name: value for name, value in os.environ.items()
        if name not in {"DATABASE_URL", "REDIS_URL", "MODE", "BASE_URL"}
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", *arguments],
        cwd=ROOT, env=kept | {"VAR_DIR": str(tmp_path)} | environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_a_busy_port_is_said_in_a_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = start(tmp_path, "--port", str(port)).communicate(timeout=60)[0]
    assert f"Le port {port} est déjà pris." in said
    assert "Traceback" not in said


def test_production_refuses_the_demonstration(tmp_path):
    production = {
        "MODE": "production", "SECRET_KEY": "k" * 60, "TENANCY_KEY": "t", "ALLOWED_HOSTS": "x",
        "BASE_URL": "https://x.example", "EMAIL_URL": "smtp://localhost:25",
    }  # fmt: skip
    said = start(tmp_path, **production).communicate(timeout=60)[0]
    assert "ne se lance pas en production" in said


@pytest.mark.timeout(240)
def test_it_opens_prints_its_people_and_stops_both_processes(tmp_path):
    port = free_port()
    running = start(tmp_path, "--port", str(port))
    said = []
    try:
        assert running.stdout is not None
        for line in running.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        text = "".join(said)
        assert f"http://localhost:{port}/" in text
        for name in ("leila", "marc", "rose", "concierge", "officer", "editor", "baker", "plumber"):
            assert f"{name}@demo.example" in text
        assert re.search(r"code du moment : \d{6}", text)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz/live") as answer:
            assert answer.status == 200
        children = descendants(running.pid)
        assert len(children) >= 2
    finally:
        running.send_signal(signal.SIGTERM)
        rest: Any = running.communicate(timeout=60)[0]
    assert "Arrêté." in rest
    assert running.returncode == 0
    until = time.monotonic() + 20
    while any(map(runs, children)) and time.monotonic() < until:
        time.sleep(0.2)
    assert [pid for pid in children if runs(pid)] == []


def runs(pid: int) -> bool:
    """Whether a process is there and has not ended: one nobody has waited for yet is no more."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def descendants(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found
