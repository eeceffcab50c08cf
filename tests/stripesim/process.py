"""The server as a child process, for tests and for a demonstration."""

import http.client
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]


class SimError(Exception):
    """Control refused; its message says why."""


class StripeSim:
    """Start, ask, stop. `base` is what STRIPE_API_BASE takes."""

    def __init__(self, secret: str = "whsec_stripesim", port: int = 0) -> None:
        self.secret = secret
        self.port = port
        self.base = ""
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "StripeSim":
        command = [sys.executable, "-m", "tests.stripesim", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, "--webhook-secret", self.secret, "--end-with-input"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.base = self.process.stdout.readline().strip()
        if not self.base:
            self.stop()
            raise SimError("stripesim did not start: its error output says why")
        return self

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.process = None

    def __enter__(self) -> "StripeSim":
        return self.start()

    def __exit__(self, *args: object) -> None:
        self.stop()

    def control(self, path: str, **wanted: Any) -> Any:
        """`sim.control("clock", advance_seconds=60)`; the answer, or SimError."""
        where = urlsplit(self.base)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
        try:
            body = json.dumps(wanted)
            connection.request("POST", f"/_sim/{path}", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            made = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise SimError(made["error"]["message"])
        return made

    def at(self, moment: datetime, *, freeze: bool = False) -> None:
        """Live at this instant from now on, webhooks' stamps too: for a test that travels."""
        self.control("mode", signature_clock="sim")
        self.control("clock", set=moment.timestamp(), freeze=freeze)

    def reset(self) -> None:
        """Empty again; SimError if the server itself was wrong since the last time."""
        own = self.control("reset")["own_faults"]
        if own:
            raise SimError("\n".join(own))
