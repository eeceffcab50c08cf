"""What is free when: one range scan of the open claims, folded in Python.

Only claims that still hold a copy are read, by a partial index, so that the number
of past loans does not matter. A claim that is not handed over yet may change copy;
so a period is free when at each instant fewer claims run than there are copies.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from club.kernel import words
from club.kernel.spans import Span, end_of, local_day, whole_days
from club.models import Place
from club.queries.calendar import Calendar, calendar_of
from concierge.enums import HOLDING, CopyStatus
from concierge.models import Copy, LendingPolicy, Loan, Tool
from concierge.queries.policies import policy_for


@dataclass(frozen=True)
class Window:
    """One proposal: come in this span, bring it back by the close of `due_on`."""

    starts_at: datetime
    pickup_ends_at: datetime
    due_on: date
    ends_at: datetime
    is_free: bool

    @property
    def day(self) -> date:
        return local_day(self.starts_at)


@dataclass(frozen=True)
class Availability:
    """What the availability line says: `free`, `back`, `repair` or `gone`, and the words."""

    state: str
    text: str
    on: date | None = None


@dataclass
class Shelf:
    """The copies of one tool at one place, with the claims that hold them."""

    tool: Tool
    place: Place
    active: list[int] = field(default_factory=list)
    in_repair: int = 0
    claims: list[Span] = field(default_factory=list)

    def most_at_once(self, span: Span) -> int:
        """The highest number of claims that run at one instant of the span."""
        steps: list[tuple[datetime, int]] = []
        for claim in self.claims:
            if claim.overlaps(span):
                steps.append((max(claim.starts_at, span.starts_at), 1))
                steps.append((min(claim.ends_at, span.ends_at), -1))
        highest = running = 0
        for _instant, step in sorted(steps):
            running += step
            highest = max(highest, running)
        return highest

    def free_copies(self, span: Span) -> int:
        return max(0, len(self.active) - self.most_at_once(span))

    def is_free(self, starts_at: datetime, held_until: datetime, buffer: timedelta) -> bool:
        return self.free_copies(Span(starts_at - buffer, held_until)) > 0


def shelves(tools: Iterable[Tool], place: Place, now: datetime) -> dict[int, Shelf]:
    """The shelves of these tools at a place, by tool: two statements, however many."""
    found = {tool.pk: Shelf(tool, place) for tool in tools}
    copies = Copy.objects.filter(
        tool__in=found, place=place, status__in=[CopyStatus.ACTIVE, CopyStatus.REPAIR]
    ).values_list("pk", "tool_id", "status")
    tool_of: dict[int, int] = {}
    for copy_id, tool_id, status in copies:
        if status == CopyStatus.ACTIVE:
            found[tool_id].active.append(copy_id)
            tool_of[copy_id] = tool_id
        else:
            found[tool_id].in_repair += 1
    for loan in Loan.objects.filter(copy__in=tool_of, status__in=HOLDING).only(
        "copy_id", "starts_at", "held_until", "status"
    ):
        shelf = found[tool_of[loan.copy_id]]
        margin = policy_for(place, shelf.tool.value_class).late_margin_days
        shelf.claims.append(Span(loan.starts_at, loan.occupied_until(now, margin)))
    return found


def due_day(calendar: Calendar, wanted: date) -> date:
    """The wanted day if the place is open then, else the next open one.

    Where no open day is known the raw date stands; the board alerts the staff.
    """
    return calendar.next_open_day(wanted) or wanted


def due_instant(calendar: Calendar, due_on: date) -> datetime:
    return calendar.closes_at(due_on) or end_of(due_on)


def pickup_spans(
    calendar: Calendar, policy: LendingPolicy, now: datetime, first: date | None = None
) -> Iterator[Span]:
    """The opening spans in which an object may be fetched, cut at `now`, in order."""
    today = local_day(now)
    earliest = now + timedelta(minutes=policy.lead_minutes)
    last = today + timedelta(days=policy.horizon_days)
    for day in calendar.open_days(max(first or today, today)):
        if day > last:
            return
        for span in calendar.spans(day):
            if span.ends_at >= earliest and span.ends_at > now:
                yield Span(max(span.starts_at, now), span.ends_at)


def windows(
    shelf: Shelf,
    now: datetime,
    *,
    first: date | None = None,
    days: int | None = None,
    limit: int = 5,
    with_taken: bool = False,
) -> list[Window]:
    """Proposed windows in order: at most one a day (the first free one of that day)."""
    if not shelf.active:
        return []
    calendar = calendar_of(shelf.place)
    policy = policy_for(shelf.place, shelf.tool.value_class)
    buffer = timedelta(minutes=policy.buffer_minutes)
    found: dict[date, Window] = {}
    for span in pickup_spans(calendar, policy, now, first):
        day = local_day(span.starts_at)
        if day not in found and len(found) == limit:
            break
        length = timedelta(days=days or policy.loan_days)
        due_on = due_day(calendar, day + length)
        ends_at = due_instant(calendar, due_on)
        free = shelf.is_free(span.starts_at, ends_at + buffer, buffer)
        if (free and not (day in found and found[day].is_free)) or (
            with_taken and day not in found
        ):
            found[day] = Window(span.starts_at, span.ends_at, due_on, ends_at, free)
    return list(found.values())


def availability(shelf: Shelf, now: datetime) -> Availability:
    """The one line that stands on cards and pages."""
    today = local_day(now)
    if not shelf.active:
        if shelf.in_repair:
            return Availability("repair", _("En réparation"))
        return Availability("gone", _("Pas disponible ici"))
    first = next(iter(windows(shelf, now, limit=1)), None)
    if first is None:
        return Availability("back", _("Tout est réservé"))
    if first.day == today:
        return Availability("free", _("Disponible aujourd’hui"), today)
    name = words.day(first.day, today)
    here_now = len(shelf.active) > sum(
        claim.starts_at <= now < claim.ends_at for claim in shelf.claims
    )
    if here_now:
        return Availability("free", _("Disponible %(day)s") % {"day": name}, first.day)
    return Availability("back", _("De retour %(day)s") % {"day": name}, first.day)


def lines(tools: list[Tool], place: Place, now: datetime) -> dict[int, Availability]:
    """The availability line of each tool of a list."""
    return {pk: availability(shelf, now) for pk, shelf in shelves(tools, place, now).items()}


def free_by_day(shelf: Shelf, days: list[date], now: datetime) -> dict[date, int]:
    """Copies free for the whole of each day; a single hour's claim takes the day."""
    counts: dict[date, int] = defaultdict(int)
    for day in days:
        span = whole_days(day, day)
        counts[day] = 0 if span.ends_at <= now else shelf.free_copies(span)
    return dict(counts)
