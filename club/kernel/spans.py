"""Wall time and instants. Instants are stored in UTC; people think in Europe/Paris.

Hours are always built from local wall time: adding hours to midnight is wrong on
the two nights of the clock change.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone


@dataclass(frozen=True, order=True)
class Span:
    """A half-open stretch of instants [starts_at, ends_at)."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: "Span") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    @property
    def day(self) -> date:
        return local_day(self.starts_at)


def at(day: date, hour: time) -> datetime:
    """The instant at which wall clocks show `hour` on `day`.

    An hour that the spring change skips gives the same instant as one hour later;
    one that the autumn change repeats gives the first of the two.
    """
    return datetime.combine(day, hour, tzinfo=timezone.get_default_timezone()).astimezone(
        timezone.get_fixed_timezone(0)
    )


def local_day(instant: datetime) -> date:
    return timezone.localtime(instant, timezone.get_default_timezone()).date()


def start_of(day: date) -> datetime:
    return at(day, time.min)


def end_of(day: date) -> datetime:
    """The first instant of the next day."""
    return start_of(day + timedelta(days=1))


def whole_days(first: date, last: date) -> Span:
    return Span(start_of(first), end_of(last))


def days_between(first: date, last: date) -> list[date]:
    """Each day from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def monday_of(day: date) -> date:
    """The first day of its calendar week: no number of a week is asked for."""
    return day - timedelta(days=day.weekday())
