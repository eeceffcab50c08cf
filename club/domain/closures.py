"""Closing a place from one day to another: shown first, then done as it was shown.

The rule, as it is told to people
- Declaring a closure, moving or shortening it, withdrawing it and laying one over another
  are one act. What becomes of a thing depends on the calendar before and after alone.
- Of a closure that runs, the days that are past stay: nobody was there.
- Each kind says what becomes of what it has on those days. All that changes for one person
  is one message, some minutes later; whom no message reaches stands on the list of calls
  until somebody has ticked them off, or until a later act makes what it says untrue.
- What was given up for a closure that is withdrawn stays given up, and the plan says so.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from club.domain.messages import as_one
from club.enums import ClosureReason
from club.kernel import closures as register
from club.kernel.closures import Change, Effect, Kind, Outcome
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.sealed import Sealed
from club.kernel.spans import days_between, local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import Closure, LogEntry, Member, Place, User
from club.queries.calendar import calendar_of

GROUP = "closure"
MOST_DAYS = 366
FARTHEST = timedelta(days=2 * 366)
ONE_DAY = timedelta(days=1)
CLOSED, CALLED = "close_place", "closure_called"
CALLS_KEPT = timedelta(days=60)
"""A call that nobody made is pointless after this."""


@dataclass(frozen=True)
class Wanted:
    """The days of a new closure, or the new days of `closure`; without days it is withdrawn."""

    starts_on: date | None = None
    ends_on: date | None = None
    reason: str = ""
    closure: Closure | None = None

    @property
    def days(self) -> tuple[date, date] | None:
        if self.starts_on is None or self.ends_on is None:
            return None
        return (self.starts_on, self.ends_on)


def withdrawn(closure: Closure, now: datetime) -> Wanted:
    """What is left of a closure that is called off: the days that are past."""
    today = local_day(now)
    if closure.starts_on >= today:
        return Wanted(closure=closure)
    return Wanted(closure.starts_on, today - ONE_DAY, closure.reason, closure)


@dataclass
class Plan(Sealed[Effect]):
    """What becomes of what, before anybody is told."""

    wanted: Wanted
    change: Change
    effects: list[Effect] = field(default_factory=list)
    returns: list[tuple[date, int, int]] = field(default_factory=list)
    """Per day on which something comes back anew: how much of it, and how much anyway."""

    @property
    def facts(self) -> Any:
        closure = self.wanted.closure
        return (
            closure and (closure.pk, closure.starts_on, closure.ends_on),
            self.wanted.days,
            self.wanted.reason,
            sorted(self.change.before.closures),
            sorted(self.change.kept),
            [
                (one.kind, one.pk, one.outcome, one.day, one.cents, one.facts)
                for one in self.effects
            ],
        )

    @property
    def groups(self) -> list[tuple[Kind, list[Effect]]]:
        """By kind, what there is of it."""
        found = ((kind, self.of(kind.name)) for kind in register.kinds())
        return [(kind, effects) for kind, effects in found if effects]

    def of(self, name: str) -> list[Effect]:
        return [effect for effect in self.effects if effect.kind == name]

    @property
    def told(self) -> list[Member]:
        """Who gets a message, each once."""
        return list({one.member: None for one in self.effects if one.member and one.is_told})

    @property
    def called(self) -> list[tuple[Member, list[Effect]]]:
        """Whom the desk calls, with all that there is to say."""
        found: dict[Member, list[Effect]] = {}
        for effect in self.to_call:
            assert effect.member is not None
            found.setdefault(effect.member, []).append(effect)
        return list(found.items())

    @property
    def cents(self) -> int:
        return sum(effect.cents for effect in self.effects)


# -- Showing ------------------------------------------------------------------------------------


def plan_closures(place: Place, wanted: Wanted, *, now: datetime, kept: Iterable[str] = ()) -> Plan:
    """What the act would do. Reads in a constant number of statements, and writes nothing."""
    refuse_impossible(place, wanted, now)
    change = change_of(place, wanted, now, kept)
    plan = Plan(wanted, change)
    for kind in register.kinds():
        plan.effects.extend(kind.plan(change, now))
    plan.returns = returns_of(plan)
    return plan


def returns_of(plan: Plan) -> list[tuple[date, int, int]]:
    anew = Counter(effect.day for effect in plan.effects if effect.day is not None)
    anyway: Counter[date] = Counter()
    for kind in register.kinds():
        if anew and kind.returns is not None:
            anyway.update(kind.returns(plan.change))
    return [(day, anew[day], anyway[day]) for day in sorted(anew)]


def change_of(place: Place, wanted: Wanted, now: datetime, kept: Iterable[str] = ()) -> Change:
    before = calendar_of(place)
    closures = list(before.closures)
    touched = []
    if wanted.closure is not None:
        old = (wanted.closure.starts_on, wanted.closure.ends_on)
        closures.remove(old)
        touched.append(old)
    if wanted.days is not None:
        closures.append(wanted.days)
        touched.append(wanted.days)
    return Change(
        place,
        before,
        before.with_closures(closures),
        min(first for first, _last in touched),
        max(last for _first, last in touched),
        local_day(now),
        frozenset(kept),
    )


def refuse_impossible(place: Place, wanted: Wanted, now: datetime) -> None:
    today, old = local_day(now), wanted.closure
    if old is not None:
        if (
            old.place_id != place.pk
            or (old.starts_on, old.ends_on) not in calendar_of(place).closures
        ):
            raise refuse("closure_gone", _("Cette fermeture a changé. Relisez la liste."))
        if old.ends_on < today:
            raise refuse("over", _("Cette fermeture est finie."))
    if wanted.days is None:
        if old is None:
            raise refuse("days_missing", _("Choisissez le premier et le dernier jour."))
        return
    reasons = list(days_reasons(wanted, today))
    if wanted.reason not in ClosureReason.values:
        reasons.append(Reason("reason_missing", _("Choisissez pourquoi."), "reason"))
    if old is not None and (old.starts_on, old.ends_on, old.reason) == (
        *wanted.days,
        wanted.reason,
    ):
        reasons.append(Reason("wrong_state", _("Il n’y a rien à changer.")))
    if not reasons and old is None:
        calendar = calendar_of(place)
        if all(calendar.closed_by_closure(day) for day in days_between(*wanted.days)):
            text = _("Ces jours sont déjà fermés.")
            reasons.append(Reason("closed_already", text, "starts_on"))
    if reasons:
        raise Refused(reasons)


def days_reasons(wanted: Wanted, today: date) -> Iterable[Reason]:
    assert wanted.starts_on is not None
    assert wanted.ends_on is not None
    old = wanted.closure
    earliest = min(today, old.starts_on) if old is not None else today
    if wanted.starts_on < earliest or (
        old is not None and old.starts_on < today and wanted.starts_on != old.starts_on
    ):
        text = _("Ces jours sont passés. Choisissez un jour à venir.")
        yield Reason("in_the_past", text, "starts_on")
    if wanted.ends_on < wanted.starts_on:
        yield Reason("dates_in_disorder", _("Le dernier jour vient après le premier."), "ends_on")
    elif wanted.ends_on < today - ONE_DAY:
        yield Reason("in_the_past", _("Ce jour est passé."), "ends_on")
    elif (wanted.ends_on - wanted.starts_on).days >= MOST_DAYS:
        yield Reason("too_long", _("Une fermeture dure un an au plus."), "ends_on")
    elif wanted.starts_on > today + FARTHEST:
        yield Reason("too_far_ahead", _("Choisissez un jour d’ici à deux ans."), "starts_on")


# -- Doing --------------------------------------------------------------------------------------


@in_one_transaction
def close_place(
    place: Place,
    wanted: Wanted,
    *,
    seal: str,
    by: User,
    now: datetime,
    kept: Iterable[str] = (),
) -> Plan:
    """The calendar changes, and with it all that the plan names, as it was shown."""
    hold(place)
    place = Place.objects.select_related("landlord").get(pk=place.pk)
    if wanted.closure is not None and not Closure.objects.filter(pk=wanted.closure.pk).exists():
        raise refuse("closure_gone", _("Cette fermeture a changé. Relisez la liste."))
    for kind in register.kinds():
        if kind.lock is not None:
            kind.lock(place)
    plan = plan_closures(place, wanted, now=now, kept=kept)
    plan.refuse_unless(seal, _("Des réservations ont changé. Relisez ce que cela change."))
    closure = write_days(place, wanted)
    place.refresh_from_db(fields=["rules_stamp"])
    with as_one(GROUP, now=now):
        for kind, effects in plan.groups:
            kind.apply(plan.change, effects, by, now)
    drop_untrue_calls(plan, now)
    log(place, CLOSED, by=by, now=now, facts=facts_of(plan, closure))
    return plan


def write_days(place: Place, wanted: Wanted) -> int | None:
    """Saving or deleting the row gives the place a new stamp, and with it a new calendar.
    Says by which key the closure is known."""
    pk = wanted.closure.pk if wanted.closure is not None else None
    closure = Closure(place=place) if pk is None else Closure.objects.get(pk=pk)
    if wanted.days is None:
        closure.delete()
        return pk
    closure.starts_on, closure.ends_on = wanted.days
    closure.reason = wanted.reason
    closure.save()
    return closure.pk


def facts_of(plan: Plan, closure: int | None) -> dict[str, Any]:
    """What is kept of the act: its days, its numbers, and who has to be called, of what."""
    days = plan.wanted.days
    return {
        "closure": closure,
        "days": [day.isoformat() for day in days] if days else None,
        "effects": dict(Counter(f"{one.kind}.{one.outcome}" for one in plan.effects)),
        "calls": [
            {
                "member": member.pk,
                "lines": [
                    [str(one.title), str(one.was), str(one.becomes), one.is_private]
                    for one in effects
                ],
                "things": [[one.kind, one.pk, one.outcome] for one in effects],
            }
            for member, effects in plan.called
        ],
    }


# -- Calling ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """Somebody whom no message reaches, with what the act `entry` changed for them.

    A line is a title, what was, what becomes of it, and whether it tells of an absence.
    """

    entry: int
    at: datetime
    member: Member
    lines: list[tuple[str, str, str, bool]]


def calls_of(place: Place, now: datetime) -> list[Call]:
    """Those who still are to be called, the oldest act first: two statements."""
    entries = LogEntry.objects.filter(
        subject_kind="place",
        subject_id=place.pk,
        verb__in=[CLOSED, CALLED],
        at__gte=now - CALLS_KEPT,
    ).order_by("pk")
    acts, done = [], set()
    for entry in entries:
        if entry.verb == CALLED:
            done.add((entry.facts["entry"], entry.facts["member"]))
        else:
            acts.append(entry)
    open_calls = [
        (entry, call)
        for entry in acts
        for call in entry.facts["calls"]
        if (entry.pk, call["member"]) not in done
    ]
    if not open_calls:
        return []
    rows = Member.objects.filter(user__is_active=True).select_related("user")
    members = rows.in_bulk({call["member"] for _entry, call in open_calls})
    return [
        Call(entry.pk, entry.at, members[call["member"]], [tuple(x) for x in call["lines"]])
        for entry, call in open_calls
        if call["member"] in members
    ]


def drop_untrue_calls(plan: Plan, now: datetime) -> None:
    """What earlier acts left to be said, and this one says anew; and what the changed closure
    left to be settled, and does not ask for any more. What was given up stays to be said."""
    anew = {
        (one.kind, one.pk, one.member.pk): str(one.becomes)
        for one in plan.effects
        if one.member is not None and (one.is_told or one.is_called)
    }
    changed = plan.wanted.closure
    left_open = open_things(plan, now) if changed is not None else set()
    entries = LogEntry.objects.filter(
        subject_kind="place",
        subject_id=plan.change.place.pk,
        verb=CLOSED,
        at__gte=now - CALLS_KEPT,
    ).exclude(facts__calls=[])
    for entry in entries.order_by("pk"):
        is_of_it = changed is not None and entry.facts["closure"] == changed.pk
        calls = entry.facts["calls"]
        held = [still_true(one, anew, left_open if is_of_it else None) for one in calls]
        if held != calls:
            keep_calls(entry, [one for one in held if one["lines"]])


def open_things(plan: Plan, now: datetime) -> set[tuple[str, int]]:
    """What the closure in its new shape, read as if it had just been declared, leaves to be
    settled by telephone: a day that was closed before too counts."""
    change, old = plan.change, plan.wanted.closure
    assert old is not None
    others = list(change.before.closures)
    others.remove((old.starts_on, old.ends_on))
    fresh = replace(change, before=change.before.with_closures(others))
    effects = (effect for kind in register.kinds() for effect in kind.plan(fresh, now))
    return {(one.kind, one.pk) for one in effects if one.outcome == Outcome.CALL}


def still_true(
    call: dict[str, Any],
    anew: dict[tuple[str, int, int], str],
    left_open: set[tuple[str, int]] | None,
) -> dict[str, Any]:
    """A call with the lines that hold. What was to be settled holds until it is asked for in
    the same words, or, where its closure has changed, until it is not asked for any more."""
    if "things" not in call:  # an act of before things were kept
        return call
    kept = []
    for line, thing in zip(call["lines"], call["things"], strict=True):
        kind, pk, outcome = thing
        said = anew.get((kind, pk, call["member"]))
        is_gone = said is not None
        if outcome == Outcome.CALL:
            is_gone = said == line[2] or (left_open is not None and (kind, pk) not in left_open)
        if not is_gone:
            kept.append((line, thing))
    return call | {"lines": [line for line, _ in kept], "things": [thing for _, thing in kept]}


def drop_calls_of(member: Member) -> None:
    """The person is gone: no act tells any more what it changed for them."""
    for entry in LogEntry.objects.filter(subject_kind="place", verb=CLOSED):
        left = [call for call in entry.facts.get("calls", ()) if call["member"] != member.pk]
        if len(left) != len(entry.facts.get("calls", ())):
            keep_calls(entry, left)


def forget_old_calls(now: datetime) -> None:
    """Each night: what is too old to be called about says nothing of anybody any more."""
    old = LogEntry.objects.filter(subject_kind="place", verb=CLOSED, at__lt=now - CALLS_KEPT)
    for entry in old.exclude(facts__calls=[]):
        keep_calls(entry, [])


def keep_calls(entry: LogEntry, calls: list[dict[str, Any]]) -> None:
    entry.facts = {**entry.facts, "calls": calls}
    entry.save(update_fields=["facts"])


@in_one_transaction
def tick_call(place: Place, entry: int, member: int, *, by: User, now: datetime) -> None:
    """Somebody has called them; a second tick changes nothing."""
    hold(place)
    if not any((call.entry, call.member.pk) == (entry, member) for call in calls_of(place, now)):
        return
    log(place, CALLED, by=by, now=now, facts={"entry": entry, "member": member})
