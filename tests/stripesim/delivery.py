"""Signed webhooks from threads of their own, with what can happen to them on the way."""

import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .state import Store

Event = dict[str, Any]
RATES = ("duplicate", "drop", "reorder", "corrupt", "delay")


@dataclass
class Endpoint:
    url: str
    secret: str
    enabled_events: tuple[str, ...] = ("*",)

    def wants(self, name: str) -> bool:
        return any(
            name.startswith(x[:-1]) if x.endswith("*") else name == x for x in self.enabled_events
        )


@dataclass
class Settings:
    mode: str = "now"  # or "hold"
    seed: int = 1
    rates: dict[str, float] = field(default_factory=dict)
    max_delay: float = 0.5
    retries: int = 3
    retry_seconds: float = 0.2
    timeout: float = 10.0
    workers: int = 1


@dataclass(order=True)
class Job:
    due: float
    order: int
    event: Event = field(compare=False)
    endpoint: Endpoint = field(compare=False)
    attempt: int = field(compare=False, default=0)
    corrupt: bool = field(compare=False, default=False)


def sign(payload: bytes, secret: str, stamp: int) -> str:
    signed = f"{stamp}.".encode() + payload
    return f"t={stamp},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Delivery:
    def __init__(self, store: Store, secret: str) -> None:
        self.store = store
        self.secret = secret
        self.wake = threading.Condition()
        self.threads: list[threading.Thread] = []
        self.reset()

    def reset(self) -> None:
        with self.wake:
            self.endpoints: list[Endpoint] = []
            self.settings = Settings()
            self.random = random.Random(self.settings.seed)
            self.queue: list[Job] = []
            self.held: list[Event] = []
            self.lost: list[str] = []
            self.sent: list[dict[str, Any]] = []
            self.owed: dict[str, int] = {}
            self.busy = 0
            self.round = getattr(self, "round", 0) + 1  # answers to older work count no more
            self.order = itertools.count()

    def quiet(self, timeout: float = 2.0) -> None:
        """Nothing more leaves; what is under way arrives first."""
        limit = time.monotonic() + timeout
        with self.wake:
            self.endpoints, self.queue, self.held = [], [], []
            while self.busy and time.monotonic() < limit:
                self.wake.wait(limit - time.monotonic())

    def configure(self, **wanted: Any) -> None:
        settings = Settings(**wanted)
        if settings.mode not in ("now", "hold") or set(settings.rates) - set(RATES):
            raise ValueError(f"mode is now or hold, rates are {RATES}")
        with self.wake:
            self.settings = settings
            self.random = random.Random(settings.seed)
            held = self.held if settings.mode == "now" else []
            self.held = [] if held else self.held
        if held:
            self.offer(held)

    # Coming in.

    def offer(self, events: list[Event]) -> None:
        """Events just made; called without the state's lock."""
        with self.wake:
            for event in events:
                wanting = [x for x in self.endpoints if x.wants(event["type"])]
                if not wanting:
                    continue
                if self.settings.mode == "hold":
                    self.held.append(event)
                    continue
                for endpoint in wanting:
                    self.plan(event, endpoint)
            self.start_threads()
            self.wake.notify_all()

    def plan(self, event: Event, endpoint: Endpoint) -> None:
        if self.drawn("drop"):
            self.lost.append(event["id"])
            self.owe(event, 1)  # it stays undelivered, as the events' list tells
            return
        times = 2 if self.drawn("duplicate") else 1
        if self.drawn("corrupt"):
            self.push(event, endpoint, corrupt=True)
        for _ in range(times):
            late = self.drawn("delay") or self.drawn("reorder")
            self.push(event, endpoint, self.settings.max_delay * self.random.random() * late)

    def drawn(self, name: str) -> bool:
        rate = self.settings.rates.get(name, 0.0)
        return bool(rate) and self.random.random() < rate

    def push(
        self,
        event: Event,
        endpoint: Endpoint,
        wait: float = 0.0,
        *,
        attempt: int = 0,
        corrupt: bool = False,
    ) -> None:
        self.owe(event, 1)
        due = time.monotonic() + wait
        job = Job(due, next(self.order), event, endpoint, attempt, corrupt)
        heapq.heappush(self.queue, job)

    def owe(self, event: Event, change: int) -> None:
        event["pending_webhooks"] = max(0, event["pending_webhooks"] + change)

    def start_threads(self) -> None:
        while self.queue and len(self.threads) < self.settings.workers:
            thread = threading.Thread(target=self.run, daemon=True)
            self.threads.append(thread)
            thread.start()

    # Going out.

    def run(self) -> None:
        while True:
            with self.wake:
                job = self.next_job()
                self.busy += 1
                turn = self.round
            status = self.post(
                job.endpoint, job.event, corrupt="signature" if job.corrupt else None
            )
            with self.wake:
                if turn != self.round:
                    continue
                self.busy -= 1
                self.after(job, status)
                self.wake.notify_all()

    def next_job(self) -> Job:
        while True:
            if self.busy >= self.settings.workers:
                self.wake.wait()
                continue
            wait = self.queue[0].due - time.monotonic() if self.queue else None
            if wait is not None and wait <= 0:
                return heapq.heappop(self.queue)
            self.wake.wait(wait)

    def after(self, job: Job, status: int) -> None:
        self.owe(job.event, -1)
        if not 200 <= status < 300 and not job.corrupt:
            if job.attempt < self.settings.retries:
                wait = self.settings.retry_seconds * 2**job.attempt
                self.push(job.event, job.endpoint, wait, attempt=job.attempt + 1)
            else:
                self.lost.append(job.event["id"])
                self.owe(job.event, 1)

    def post(
        self,
        endpoint: Endpoint,
        event: Event,
        *,
        corrupt: str | None = None,
        skew: int = 0,
        secret: str | None = None,
    ) -> int:
        """One attempt; 0 where nobody answered."""
        payload = json.dumps(event, indent=2).encode()
        stamp = self.stamp() + skew
        header = sign(payload, secret or endpoint.secret, stamp)
        if corrupt == "signature":
            header = sign(payload, "whsec_somebody_else", stamp)
        elif corrupt == "body":
            payload = payload.replace(b'"eur"', b'"usd"') + b" "
        where = urlsplit(endpoint.url)
        status = 0
        try:
            connection = http.client.HTTPConnection(
                where.hostname or "", where.port or 80, timeout=self.settings.timeout
            )
            path = where.path + (f"?{where.query}" if where.query else "")
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "Stripe-Signature": header,
                "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            }
            connection.request("POST", path or "/", payload, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
            connection.close()
        except (OSError, ValueError, http.client.HTTPException):
            pass  # nobody there, or no sense in what came back
        self.sent.append(
            {
                "event": event["id"],
                "type": event["type"],
                "status": status,
                "corrupt": corrupt,
                "url": endpoint.url,
            }
        )
        return status

    def stamp(self) -> int:
        real = self.store.modes["signature_clock"] == "real"
        return int(time.time()) if real else self.store.clock.now()

    def wait_idle(self, timeout: float) -> bool:
        """True when nothing is queued or under way."""
        limit = time.monotonic() + timeout
        with self.wake:
            while self.queue or self.busy:
                left = limit - time.monotonic()
                if left <= 0:
                    return False
                self.wake.wait(left)
        return True
