"""When a place is open. Rules are read once per change of the place, then kept by stamp."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import holidays
from django.utils.translation import gettext as _

from club.enums import Period
from club.kernel import words
from club.kernel.spans import Span, at, local_day
from club.models import Place, SchoolHolidays

HORIZON_DAYS = 400
"""How far ahead an open day is looked for before saying that none is known."""


@lru_cache(maxsize=40)
def public_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FR", years=year))


@dataclass(frozen=True)
class Line:
    weekday: int
    opens: time
    closes: time
    period: str
    season_id: int | None


@dataclass(frozen=True)
class OpenLine:
    """ "Ouvert, ferme à 18 h": the line that stands on every page."""

    is_open: bool
    text: str


@dataclass
class Calendar:
    """The opening hours of a place, answered without a query."""

    closed_on_public_holidays: bool = True
    lines: list[Line] = field(default_factory=list)
    seasons: list[tuple[int, tuple[int, int], tuple[int, int]]] = field(default_factory=list)
    exceptions: dict[date, list[tuple[time, time]]] = field(default_factory=dict)
    closures: list[tuple[date, date]] = field(default_factory=list)
    school_holidays: list[tuple[date, date]] = field(default_factory=list)

    def is_school_holiday(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.school_holidays)

    def closed_by_closure(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.closures)

    def with_closures(self, closures: Iterable[tuple[date, date]]) -> "Calendar":
        """As it would be with these closures instead of its own."""
        return replace(self, closures=sorted(closures))

    def season_of(self, day: date) -> int | None:
        for season_id, first, last in self.seasons:
            here = (day.month, day.day)
            inside = first <= here <= last if first <= last else here >= first or here <= last
            if inside:
                return season_id
        return None

    def hours(self, day: date) -> list[tuple[time, time]]:
        """The wall-clock hours of a day, in order, neighbours that touch joined.

        A closure wins over everything, then hours given for the date, then public
        holidays, then the season's lines, then the usual ones.
        """
        if self.closed_by_closure(day):
            return []
        if day in self.exceptions:
            return merged(self.exceptions[day])
        if self.closed_on_public_holidays and day in public_holidays(day.year):
            return []
        season_id = self.season_of(day)
        kept = Period.SCHOOL_HOLIDAYS if self.is_school_holiday(day) else Period.TERM
        return merged(
            (line.opens, line.closes)
            for line in self.lines
            if line.weekday == day.weekday()
            and line.season_id == season_id
            and line.period in {Period.ALWAYS, kept}
        )

    def spans(self, day: date) -> list[Span]:
        return [Span(at(day, opens), at(day, closes)) for opens, closes in self.hours(day)]

    def is_open_day(self, day: date) -> bool:
        return bool(self.hours(day))

    def open_days(self, first: date, limit: int = HORIZON_DAYS) -> Iterator[date]:
        for offset in range(limit):
            day = first + timedelta(days=offset)
            if self.is_open_day(day):
                yield day

    def next_open_day(self, first: date) -> date | None:
        """The first open day from `first` on, itself included; None where none is known."""
        return next(self.open_days(first), None)

    def closes_at(self, day: date) -> datetime | None:
        """The end of the day's last span: until then a thing can be brought back."""
        hours = self.hours(day)
        return at(day, hours[-1][1]) if hours else None

    def open_line(self, now: datetime) -> OpenLine:
        today = local_day(now)
        for span in self.spans(today):
            if span.starts_at <= now < span.ends_at:
                text = _("Ouvert, ferme à %(hour)s") % {"hour": words.hour(span.ends_at)}
                return OpenLine(True, text)
            if now < span.starts_at:
                text = _("Fermé, ouvre à %(hour)s") % {"hour": words.hour(span.starts_at)}
                return OpenLine(False, text)
        day = self.next_open_day(today + timedelta(days=1))
        if day is None:
            return OpenLine(False, _("Fermé"))
        soon = (day - today).days < 7
        name = words.weekday(day) if soon else words.day(day, today)
        text = _("Fermé, ouvre %(day)s à %(hour)s") % {
            "day": name,
            "hour": words.hour(self.spans(day)[0].starts_at),
        }
        return OpenLine(False, text)


def merged(pairs: Iterable[tuple[time, time]]) -> list[tuple[time, time]]:
    joined: list[tuple[time, time]] = []
    for opens, closes in sorted(pairs):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return joined


def day_and_month(text: str) -> tuple[int, int]:
    day, month = text.split("/")
    return int(month), int(day)


def read(place: Place) -> Calendar:
    exceptions: dict[date, list[tuple[time, time]]] = defaultdict(list)
    for day, opens, closes in place.exceptional_hours.values_list("day", "opens", "closes"):
        exceptions[day].append((opens, closes))
    return Calendar(
        closed_on_public_holidays=place.closed_on_public_holidays,
        lines=[
            Line(*row)
            for row in place.opening_hours.values_list(
                "weekday", "opens", "closes", "period", "season_id"
            )
        ],
        seasons=[
            (pk, day_and_month(first), day_and_month(last))
            for pk, first, last in place.seasons.values_list("pk", "first_day", "last_day")
        ],
        exceptions=dict(exceptions),
        closures=list(place.closures.values_list("starts_on", "ends_on")),
        school_holidays=list(
            SchoolHolidays.objects.filter(zone=place.landlord.school_zone).values_list(
                "starts_on", "ends_on"
            )
        ),
    )


_memo: dict[int, tuple[str, Calendar]] = {}


def calendar_of(place: Place) -> Calendar:
    """The calendar of a place as of its stamp.

    The memo holds nothing that could go stale: `rules_stamp` is a fresh random
    value after each change, so an entry of another stamp is never used.
    """
    held = _memo.get(place.pk)
    if held is None or held[0] != place.rules_stamp:
        held = (place.rules_stamp, read(place))
        _memo[place.pk] = held
    return held[1]
