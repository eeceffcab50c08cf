"""The two processes of the demonstration: web server and worker, begun and ended together."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from django.conf import settings

STARTING_SECONDS = 60
STOPPING_SECONDS = 12


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def first_free_port(wanted: int) -> int | None:
    return next((port for port in range(wanted, wanted + 50) if is_free(port)), None)


class Running:
    """Server and worker, each in a process group of its own so that Ctrl-C reaches us alone."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.ended = threading.Event()
        environment = os.environ | {"MODE": "demo", "BASE_URL": f"http://localhost:{port}"}
        manage = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]
        server = [
            sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
            "--port", str(port), "--workers", "2", "--blocking-threads", "4", "--no-ws",
            "--log-level", "warning", "config.wsgi:application",
        ]  # fmt: skip
        self.previous = {
            number: signal.signal(number, self.end) for number in (signal.SIGINT, signal.SIGTERM)
        }
        self.children = {
            name: subprocess.Popen(
                command, env=environment, cwd=settings.BASE_DIR, start_new_session=True
            )
            for name, command in (("server", server), ("worker", [*manage, "worker"]))
        }

    def end(self, number: int, frame: FrameType | None) -> None:
        self.ended.set()

    def wait_until_live(self) -> bool:
        """True once the health page answers; False if a process ended or time ran out."""
        limit = time.monotonic() + STARTING_SECONDS
        while time.monotonic() < limit and not self.ended.is_set() and not self.fallen():
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/healthz/live", timeout=2
                ) as answer:
                    if answer.status == 200:
                        return True
            except (urllib.error.URLError, OSError):
                self.ended.wait(0.2)
        return False

    def fallen(self) -> str | None:
        """The name of a process that has ended by itself."""
        ended = (name for name, child in self.children.items() if child.poll() is not None)
        return next(ended, None)

    def watch(self) -> str | None:
        """Wait for Ctrl-C or SIGTERM (None), or for a process to fall (its name)."""
        while not self.ended.wait(1):
            fallen = self.fallen()
            if fallen is not None:
                return fallen
        return None

    def stop(self) -> None:
        """End both, gently first, and leave none behind."""
        for child in self.children.values():
            self.tell(child, signal.SIGTERM)
        limit = time.monotonic() + STOPPING_SECONDS
        for child in self.children.values():
            try:
                child.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                self.tell(child, signal.SIGKILL)
                child.wait()
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    @staticmethod
    def tell(child: "subprocess.Popen[bytes]", number: int) -> None:
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
