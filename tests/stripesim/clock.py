"""The server's own time: real time plus what control added, with timers run in order."""

import calendar
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

DAY = 86_400
HOUR = 3_600


class Clock:
    def __init__(self) -> None:
        self.offset = 0.0
        self.frozen: float | None = None
        self.during: float | None = None  # a timer runs at the instant it was set for
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def now(self) -> int:
        return int(self.exact())

    def exact(self) -> float:
        if self.during is not None:
            return self.during
        return self.frozen if self.frozen is not None else time.time() + self.offset

    def at(self, when: float, action: Callable[[], None]) -> None:
        """What is late runs now: time does not go back."""
        heapq.heappush(self._timers, (max(when, self.exact()), next(self._count), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self.exact() + seconds, action)

    def run_due(self, until: float | None = None) -> int:
        """Run every timer that is due, each at its own instant, with those it sets."""
        until = self.exact() if until is None else until
        ran = 0
        while self._timers and self._timers[0][0] <= until:
            when, _, action = heapq.heappop(self._timers)
            self.during = when
            try:
                action()
            finally:
                self.during = None
            ran += 1
        return ran

    def advance(self, seconds: float) -> int:
        if seconds < 0:
            raise ValueError("time does not go back")
        ran = self.run_due(self.exact() + seconds)
        if self.frozen is not None:
            self.frozen += seconds
        else:
            self.offset += seconds
        return ran

    def set(self, when: float, freeze: bool = False) -> int:
        """To the past only while nothing is planned: nothing has happened yet."""
        if when < self.exact() and self._timers:
            raise ValueError("time does not go back")
        ran = self.advance(max(0.0, when - self.exact()))
        self.offset = when - time.time()
        self.frozen = when if freeze else None
        return ran


def add_interval(anchor: int, interval: str, count: int) -> int:
    """An anchored date: the day is cut to the month's last, and comes back after."""
    if interval in ("day", "week"):
        return anchor + count * DAY * (7 if interval == "week" else 1)
    start = datetime.fromtimestamp(anchor, UTC)
    months = start.year * 12 + start.month - 1 + count * (12 if interval == "year" else 1)
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())
