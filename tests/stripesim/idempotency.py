"""What an Idempotency-Key stands for: one request, one answer, for a day."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from .clock import DAY
from .errors import ApiError

What = tuple[str, str, tuple[tuple[str, str], ...]]


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def again(self, request_id: str) -> "Answer":
        """The same, told to be a repetition."""
        repeated = {
            **self.headers,
            "Idempotent-Replayed": "true",
            "Original-Request": self.headers["Request-Id"],
            "Request-Id": request_id,
        }
        return Answer(self.status, self.body, repeated)


@dataclass
class Kept:
    what: What
    at: float
    answer: Answer | None = None

    def keep(self, answer: Answer) -> None:
        self.answer = Answer(answer.status, answer.body, dict(answer.headers))


class Keys:
    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.lock = threading.Lock()
        self.kept: dict[str, Kept] = {}

    def claim(self, key: str, what: What) -> Kept:
        """The key's answer where there is one; else it is the caller's to find it."""
        with self.lock:
            now = self.now()
            kept = self.kept.get(key)
            if kept is None or now - kept.at > DAY:
                kept = self.kept[key] = Kept(what, now)
                return kept
            if kept.what != what:
                raise other_request(key, kept, what)
            if kept.answer is None:
                raise in_progress(key)
            return kept

    def forget(self, key: str) -> None:
        with self.lock:
            self.kept.pop(key, None)


def other_request(key: str, kept: Kept, what: What) -> ApiError:
    same_place = kept.what[:2] == what[:2]
    used = "parameters" if same_place else f"endpoint ({kept.what[1]})"
    return ApiError(
        400,
        f"Keys for idempotent requests can only be used with the same {used} they were first "
        f"used with. Try using a key other than '{key}' if you meant to execute a different "
        "request.",
        kind="idempotency_error",
    )


def in_progress(key: str) -> ApiError:
    return ApiError(
        409,
        f"There is currently another in-progress request using this Idempotency Key ({key}).",
        kind="idempotency_error",
        code="idempotency_key_in_use",
    )
