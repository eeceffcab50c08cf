"""Loans and reservations of a place that closes.

The rule, as it is told to people
- What is to come back on a closed day comes back on an open day after. Returns are spread
  over as many of the next open days as it takes for the desk to have eight a day, ten days
  at most: each goes to the day with the fewest, and all of one person to the same day.
- A prolonged loan never meets the next claim on its copy. Where it would, it comes back on
  the last open day before; where there is none in time, the desk calls.
- What is to be fetched on a closed day is fetched on the first open day on which its copy,
  or another of the same object, is free for as many days; within three weeks of open days,
  else it is cancelled. What is set aside stays set aside.
- This is the house's doing: no limit, no renewal and no end of a subscription counts.
- What was prolonged or given up for a closure that is withdrawn stays so, and is told.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.domain.messages import channel_for, tell_change
from club.kernel import words
from club.kernel.closures import Change, Effect, Kind, Outcome
from club.kernel.spans import Span, local_day, start_of
from club.kernel.transitions import log, move
from club.models import LogEntry, Place, User
from concierge.domain.assignment import leave_copies
from concierge.domain.lending.rules import Period, locked_loans, period_until, take_period
from concierge.enums import BEFORE_HANDOVER, HOLDING, CopyStatus, LoanStatus
from concierge.models import Copy, LendingPolicy, Loan
from concierge.queries.availability import due_day
from concierge.queries.policies import policy_for

NAME = "loan"
HANDY = 8
"""Returns that a desk takes in a day without a queue."""
MOST_DAYS = 10
PICKUP_DAYS = 15
NONE = timedelta()
MOVED, GIVEN_UP = "move_for_closure", "cancel_for_closure"


@dataclass(frozen=True)
class Placed:
    """Where a loan goes: its period, on which copy."""

    period: Period
    copy_id: int


@dataclass
class Desk:
    """The claims of a place as they will be, filled as each loan finds its days."""

    change: Change
    now: datetime
    claims: dict[int, list[Span]] = field(default_factory=lambda: defaultdict(list))
    copies: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    load: Counter[date] = field(default_factory=Counter)
    day_of: dict[int, date] = field(default_factory=dict)
    spread: list[date] = field(default_factory=list)

    def claim(self, loan: Loan) -> None:
        policy = policy_for(loan.place, loan.tool.value_class)
        until = loan.occupied_until(self.now, policy.late_margin_days)
        self.claims[loan.copy_id].append(Span(loan.starts_at, until))

    def leave(self, loan: Loan) -> None:
        policy = policy_for(loan.place, loan.tool.value_class)
        until = loan.occupied_until(self.now, policy.late_margin_days)
        self.claims[loan.copy_id].remove(Span(loan.starts_at, until))

    def is_free(self, copy_id: int, period: Period, buffer: timedelta = NONE) -> bool:
        wanted = Span(period.starts_at - buffer, period.held_until)
        return not any(wanted.overlaps(claim) for claim in self.claims[copy_id])

    def take(self, loan: Loan, period: Period, copy_id: int) -> Placed:
        self.claims[copy_id].append(Span(period.starts_at, period.held_until))
        self.load[period.due_on] += 1
        self.day_of.setdefault(loan.member_id, period.due_on)
        return Placed(period, copy_id)

    def days_for(self, loan: Loan) -> list[date]:
        """The days of the spread: the person's own, then the least loaded, then the others."""
        own = self.day_of.get(loan.member_id)
        return sorted(self.spread, key=lambda day: (day != own, self.load[day], day))


def plan(change: Change, now: datetime) -> list[Effect]:
    rows = Loan.objects.filter(place=change.place, status__in=HOLDING)
    held = list(rows.select_related("tool", "member__user").order_by("due_on", "pk"))
    for loan in held:
        loan.place = change.place
    desk = Desk(change, now)
    fetched = [one for one in held if is_fetched_shut(one, change)]
    at_home = [one for one in held if one.status == LoanStatus.OUT and one.due_on in change.shut]
    known = {one.pk for one in (*fetched, *at_home)}
    booked = [one for one in held if one.due_on in change.shut and one.pk not in known]
    for loan in held:
        if loan.pk not in known:
            desk.claim(loan)
        if loan.due_on not in change.shut and loan.pk not in known:
            desk.load[loan.due_on] += 1
    shelf = Copy.objects.filter(
        place=change.place, status=CopyStatus.ACTIVE, tool__in={one.tool_id for one in held}
    )
    for pk, tool_id in shelf.order_by("pk").values_list("pk", "tool_id"):
        desk.copies[tool_id].append(pk)
    desk.spread = spread_days(change, len(at_home) + len(booked), desk.load)
    waited_for = {one.copy_id for one in fetched}
    effects = [come_back(one, desk, waited_for) for one in at_home]
    for loan in booked:
        desk.leave(loan)
        effects.append(come_back(loan, desk, waited_for))
    effects += [fetch(one, desk) for one in sorted(fetched, key=lambda one: one.starts_at)]
    return effects + what_stays(held, change)


def is_fetched_shut(loan: Loan, change: Change) -> bool:
    return loan.status in BEFORE_HANDOVER and local_day(loan.pickup_ends_at) in change.shut


def spread_days(change: Change, number: int, load: Counter[date]) -> list[date]:
    """As many open days after the closed ones as the desk needs, and no more."""
    after = max(change.shut, default=change.last) + timedelta(days=1)
    days = list(islice(change.after.open_days(after), MOST_DAYS))
    if not number:
        return days[:1]
    for count in range(1, len(days)):
        if number + sum(load[day] for day in days[:count]) <= HANDY * count:
            return days[:count]
    return days


def policy_of(loan: Loan) -> LendingPolicy:
    return policy_for(loan.place, loan.tool.value_class)


def come_back(loan: Loan, desk: Desk, waited_for: set[int]) -> Effect:
    """Another due day: after the closure, else before it, else a call."""
    change, policy = desk.change, policy_of(loan)
    days = desk.days_for(loan)
    if loan.copy_id in waited_for:
        days = sorted(days)
    before = change.open_day_before(min(change.shut))
    for day in days if before is None else [*days, before]:
        if day <= loan.pickup_on:
            continue
        period = period_until(day, change.after, policy, loan.starts_at, loan.pickup_ends_at)
        if desk.is_free(loan.copy_id, period):
            placed = desk.take(loan, period, loan.copy_id)
            outcome = Outcome.PROLONGED if day > loan.due_on else Outcome.MOVED
            return effect_of(loan, desk, outcome, placed)
    desk.claim(loan)
    return effect_of(loan, desk, Outcome.CALL, None)


def fetch(loan: Loan, desk: Desk) -> Effect:
    """The first open day on which a copy is free for as many days; its own copy first."""
    change, policy = desk.change, policy_of(loan)
    buffer = timedelta(minutes=policy.buffer_minutes)
    length = loan.due_on - loan.pickup_on
    others = [pk for pk in desk.copies[loan.tool_id] if pk != loan.copy_id]
    first = local_day(loan.pickup_ends_at)
    for day in islice(change.after.open_days(first), PICKUP_DAYS):
        spans = change.after.spans(day)
        due_on = due_day(change.after, day + length)
        period = period_until(due_on, change.after, policy, spans[0].starts_at, spans[-1].ends_at)
        for copy_id in (loan.copy_id, *others):
            if desk.is_free(copy_id, period, buffer):
                placed = desk.take(loan, period, copy_id)
                return effect_of(loan, desk, Outcome.MOVED, placed)
    return effect_of(loan, desk, Outcome.CANCELLED, None)


def effect_of(loan: Loan, desk: Desk, outcome: str, placed: Placed | None) -> Effect:
    today = desk.change.today
    is_fetched = is_fetched_shut(loan, desk.change)
    was = _("à retirer %(day)s") if is_fetched else _("à rendre %(day)s")
    old = loan.pickup_on if is_fetched else loan.due_on
    if placed is None:
        becomes = (
            _("annulé : aucun exemplaire n’est libre après")
            if outcome == Outcome.CANCELLED
            else _("à voir avec la personne : l’exemplaire est promis ensuite")
        )
    elif is_fetched:
        becomes = _("à retirer %(day)s, à rendre %(due)s") % {
            "day": words.day(local_day(placed.period.starts_at), today),
            "due": words.day(placed.period.due_on, today),
        }
    else:
        becomes = _("à rendre %(day)s") % {"day": words.day(placed.period.due_on, today)}
    period = placed.period if placed else None
    return Effect(
        NAME,
        loan.pk,
        outcome,
        loan.tool.name,
        was % {"day": words.day(old, today)},
        becomes,
        loan.member,
        channel_for(loan.member) if outcome != Outcome.CALL else None,
        loan.reference,
        period.due_on if period and not is_fetched else None,
        facts=(
            loan.status,
            loan.due_on,
            period and (period.starts_at.isoformat(), period.due_on),
            placed and placed.copy_id,
        ),
        carries=placed,
    )


def what_stays(held: Sequence[Loan], change: Change) -> list[Effect]:
    """What a closure had changed on days that are open again."""
    if not change.reopened:
        return []
    reopened = change.reopened
    lost = Loan.objects.filter(
        place=change.place,
        status=LoanStatus.CANCELLED,
        starts_at__gte=start_of(min(reopened)),
        starts_at__lt=start_of(max(reopened) + timedelta(days=1)),
    ).select_related("tool", "member__user")
    found = {one.pk: one for one in (*held, *lost)}
    entries = LogEntry.objects.filter(
        subject_kind=NAME, subject_id__in=found, verb__in=[MOVED, GIVEN_UP]
    ).order_by("pk")
    last = {entry.subject_id: entry for entry in entries}
    effects = []
    for pk, entry in last.items():
        loan, was = found[pk], date.fromisoformat(entry.facts["before"])
        is_lost = loan.status == LoanStatus.CANCELLED
        if was not in reopened or is_lost != (entry.verb == GIVEN_UP):
            continue
        if not is_lost and loan.due_on.isoformat() != entry.facts["after"]:
            continue
        day = {"day": words.day(loan.due_on, change.today)}
        effects.append(
            Effect(
                NAME,
                pk,
                Outcome.STAYS,
                loan.tool.name,
                words.day(was, change.today),
                _("reste annulé") if is_lost else _("reste à rendre %(day)s") % day,
                loan.member,
                "" if is_lost else channel_for(loan.member),
                loan.reference,
                facts=(loan.status, loan.due_on),
            )
        )
    return effects


def lock(place: Place) -> None:
    """Whoever claims a copy locks it: nobody does meanwhile."""
    rows = Copy.objects.select_for_update(no_key=True).filter(place=place)
    list(rows.order_by("pk").values_list("pk"))


def apply(change: Change, effects: Sequence[Effect], by: User, now: datetime) -> None:
    """Claims that are given up first; then all leave their copies, and each takes its own."""
    rows = {one.pk: one for one in locked_loans().filter(pk__in=[one.pk for one in effects])}
    for effect in effects:
        if effect.outcome == Outcome.CANCELLED:
            give_up(rows[effect.pk], by, now)
    placed = [effect for effect in effects if effect.carries is not None]
    leave_copies([effect.pk for effect in placed])
    for effect in placed:
        place_anew(rows[effect.pk], effect.carries, change, by, now)
    for effect in effects:
        if effect.outcome == Outcome.STAYS and effect.is_told:
            told(rows[effect.pk], "loan.closure_stays", now)


def give_up(loan: Loan, by: User, now: datetime) -> None:
    move(
        loan,
        LoanStatus.CANCELLED,
        by=by,
        now=now,
        verb=GIVEN_UP,
        facts={"before": loan.pickup_on.isoformat()},
        sequence=loan.sequence + 1,
    )
    told(loan, "loan.closure_cancelled", now)


def place_anew(loan: Loan, placed: Placed, change: Change, by: User, now: datetime) -> None:
    is_fetched = is_fetched_shut(loan, change)
    before = loan.pickup_on if is_fetched else loan.due_on
    if loan.status == LoanStatus.READY and placed.copy_id != loan.copy_id:
        move(loan, LoanStatus.RESERVED, by=by, now=now, verb="put_back", ready_at=None)
    loan.copy_id = placed.copy_id
    take_period(loan, placed.period)
    loan.sequence += 1
    loan.save()
    facts = {"before": before.isoformat(), "after": loan.due_on.isoformat()}
    log(loan, MOVED, by=by, now=now, facts=facts)
    told(loan, "loan.closure_pickup" if is_fetched else "loan.closure_due", now)


def told(loan: Loan, event: str, now: datetime) -> None:
    key = f"{event}:{loan.reference}:{loan.sequence}:{int(now.timestamp())}"
    tell_change(loan.member, event, loan, key=key, now=now)


def returns(change: Change) -> Counter[date]:
    """What comes back per day whatever the act does."""
    rows = Loan.objects.filter(place=change.place, status__in=HOLDING)
    days = rows.filter(due_on__gt=change.today).order_by().values_list("due_on", flat=True)
    return Counter(day for day in days if day not in change.shut)


LOANS = Kind(NAME, gettext_lazy("Prêts et réservations"), plan, apply, lock, returns)
