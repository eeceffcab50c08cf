"""What a file says of an event, before anything is compared or stored."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from club.imports.values import stable_key
from events.imports.review import Review

WHOLE_DAY = timedelta(hours=20)
TOUCH = timedelta(minutes=1)
MOST_KEY = 60


@dataclass(frozen=True)
class Date:
    """One date. `key` finds the session again that was made from it."""

    key: str
    starts_at: datetime
    ends_at: datetime
    room: str = ""
    address: str = ""
    is_cancelled: bool = False
    is_full: bool = False


@dataclass
class Found:
    """One record of a file, or several that tell of one event."""

    number: int
    key: str
    title: str
    lead: str = ""
    body: str = ""
    keywords: str = ""
    origin: str = ""
    price: str = ""
    link: str = ""
    access: frozenset[str] = frozenset()
    age_min: int | None = None
    age_max: int | None = None
    department: str = ""
    is_cancelled: bool = False
    dates: list[Date] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    words: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """Those of all the records that are this event."""
    departments: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.keys = self.keys or [self.key]
        if self.department:
            self.departments.add(self.department)

    def review(self, code: Review) -> None:
        self.codes.add(code.value)


def key_of(kind: str, identifier: str) -> str:
    """Short enough to be kept, and the same each time."""
    identifier = re.sub(r"\s+", " ", identifier).strip()
    if len(identifier) > MOST_KEY:
        identifier = stable_key(identifier)
    return f"{kind}:{identifier}"


def moment_key(key: str, moment: datetime) -> str:
    """Of one date among an event's many."""
    return f"{key.partition(':')[2]}/{moment.astimezone(UTC):%Y%m%dT%H%MZ}"


def joined(dates: Iterable[Date]) -> list[Date]:
    """Each date once. What an export cut at midnight is one long stretch again: pieces
    that touch are joined where one of them lasts a day. Two shows in a row stay two."""
    whole: list[Date] = []
    for date in sorted(dates, key=lambda one: (one.room, one.address, one.starts_at, one.ends_at)):
        before = whole[-1] if whole else None
        if before is None or (before.room, before.address) != (date.room, date.address):
            whole.append(date)
        elif (before.starts_at, before.ends_at) == (date.starts_at, date.ends_at):
            continue
        elif abs(date.starts_at - before.ends_at) <= TOUCH and is_long(before, date):
            whole[-1] = Date(
                before.key, before.starts_at, date.ends_at, before.room, before.address,
                before.is_cancelled, before.is_full,
            )  # fmt: skip
        else:
            whole.append(date)
    return sorted(whole, key=lambda one: (one.starts_at, one.ends_at, one.room, one.address))


def is_long(*dates: Date) -> bool:
    return any(date.ends_at - date.starts_at >= WHOLE_DAY for date in dates)
