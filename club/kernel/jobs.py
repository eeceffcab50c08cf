"""The register of work that comes back each day, or each minute.

A job has a local hour from which it may run; it runs once a day, at the first
look after that hour. So no clock change can skip or double it, and a worker that
was down catches up on the same day, and never on the next: what a job does is
about the day on which it runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DailyJob:
    """`work` may be cut off and run again: it goes on where it stopped."""

    name: str
    hour: int
    work: Callable[[datetime], object]


_daily: dict[str, DailyJob] = {}


def register(job: DailyJob) -> None:
    """Called from the app's `ready()`; a second call for a name replaces the first."""
    _daily[job.name] = job


def daily() -> Iterable[DailyJob]:
    return sorted(_daily.values(), key=lambda job: (job.hour, job.name))


_minutely: dict[str, Callable[[datetime], object]] = {}


def register_minutely(name: str, work: Callable[[datetime], object]) -> None:
    """What runs each minute is about what is due at that moment, and may be missed."""
    _minutely[name] = work


def minutely() -> Iterable[tuple[str, Callable[[datetime], object]]]:
    return sorted(_minutely.items())
