"""House-watching, plants and pets: days on which the concierge looks after a home.

The rule
- From a first to a last day, both included, of a service of kind "stay": not sooner than its
  lead time, not further ahead than its horizon, not longer than its `most_days`; the desk may
  book for today. The right is asked for over the whole stay. What is done is chosen from what
  the service offers, and how often from its rhythm on.
- Each seat of the service is one home at a time. One member has one stay of a service at a
  time; plants and a cat are two services, and go together.
- The price is told before. It is charged when the stay ends: the days until the keys went
  back, never more than was told.
- Until the cut-off before the first day members change and cancel by themselves; later the
  desk does. A stay that has begun keeps its first day.
- It runs once the desk has its keys, or says that none are needed; it ends when the last of
  its keys went back, or by a press.
- Nobody but the member and the concierges of that place sees any of it (`queries.stays`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from club.domain.messages import tell, tell_change
from club.enums import Activity
from club.kernel import words
from club.kernel.bookings import Channel
from club.kernel.form_keys import once_a_form
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import Span, local_day, start_of, whole_days
from club.kernel.transactions import Contended, hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, User
from club.queries.calendar import calendar_of
from club.queries.entitlement import may
from concierge.domain import appointment_fees, stay_fees
from concierge.domain.seats import locked_service, unknown_service
from concierge.domain.stay_visits import drop_visits_ahead, plan, plan_visits
from concierge.enums import ON_HOOK, WATCHED, ServiceKind, StayStatus
from concierge.guards import ONE_STAY
from concierge.models import KeySet, Service, Stay
from concierge.queries.stays import first_free_day, lanes_held

# -- What is asked for -------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """What a member asks of a service, and what it would come to."""

    service: Service
    member: Member
    first_on: date
    last_on: date
    tasks: tuple[str, ...]
    visit_every: int

    @property
    def span(self) -> Span:
        return whole_days(self.first_on, self.last_on)

    @property
    def days(self) -> int:
        return (self.last_on - self.first_on).days + 1

    @property
    def cents(self) -> int:
        return self.service.unit_cents * stay_fees.counted(self.service, self.days)


def wanted_of(
    service: Service,
    member: Member,
    first_on: date,
    last_on: date,
    tasks: Iterable[str],
    visit_every: int | None,
) -> Wanted:
    """In the order in which the service offers them, each once."""
    asked = list(tasks)
    known = [task for task in service.tasks if task in asked]
    strange = [task for task in dict.fromkeys(asked) if task not in known]
    return Wanted(
        service, member, first_on, last_on, (*known, *strange), visit_every or service.visit_every
    )


def refuse_wrong(wanted: Wanted, *, channel: str, now: datetime, moved: Stay | None = None) -> None:
    """Every reason against it, save that no seat is free."""
    service = wanted.service
    reasons = service_reasons(service, wanted.member, channel)
    if reasons and moved is None:
        raise Refused(reasons)
    reasons = date_reasons(wanted, channel=channel, now=now, moved=moved)
    if reasons:
        raise Refused(reasons)
    found: list[Reason | None] = [overlap_reason(wanted, moved)]
    if moved is None:
        found += [task_reason(wanted), rhythm_reason(wanted), limit_reason(wanted, channel, now)]
    if service.needs_right:
        found.append(may(wanted.member, Activity.SERVICES, wanted.first_on, wanted.last_on))
    refused = [reason for reason in found if reason is not None]
    if refused:
        raise Refused(refused)


def service_reasons(service: Service, member: Member, channel: str) -> list[Reason]:
    at_desk = channel == Channel.DESK
    is_seen = at_desk or service.place.is_public or service.place_id == member.place_id
    if service.place.landlord_id != member.place.landlord_id or not is_seen:
        return unknown_service().reasons
    if service.kind != ServiceKind.STAY:
        return [Reason("no_stay", _("Ce service n’est pas une garde."), "service")]
    if not service.is_offered and not at_desk:
        return [Reason("not_offered", _("Ce service n’est plus proposé. Appelez l’accueil."))]
    return []


def soonest(service: Service, now: datetime, *, at_desk: bool = False) -> date:
    """The first day that may be asked for: one that begins after the lead time."""
    today = local_day(now)
    if at_desk:
        return today
    ready = now + timedelta(minutes=service.lead_minutes)
    day = local_day(ready)
    return day if start_of(day) >= ready else day + timedelta(days=1)


def date_reasons(
    wanted: Wanted, *, channel: str, now: datetime, moved: Stay | None = None
) -> list[Reason]:
    service, today = wanted.service, local_day(now)
    if wanted.last_on < wanted.first_on:
        text = _("Le dernier jour vient après le premier. Changez-le.")
        return [Reason("dates_in_disorder", text, "last_on")]
    has_begun = moved is not None and moved.first_on <= today
    if moved is not None and has_begun:
        if wanted.first_on != moved.first_on:
            text = _("La garde a commencé : seul le dernier jour change.")
            return [Reason("has_begun", text, "first_on")]
        if wanted.last_on < today:
            return [Reason("past", _("Choisissez un jour à venir."), "last_on")]
    first = soonest(service, now, at_desk=channel == Channel.DESK)
    if not has_begun and wanted.first_on < first:
        text = _("C’est trop tôt. La garde commence au plus tôt %(day)s.")
        facts = {"first": first.isoformat()}
        return [Reason("too_soon", text % {"day": words.day(first, today)}, "first_on", facts)]
    horizon = today + timedelta(days=service.horizon_days)
    if wanted.first_on > horizon:
        text = _("On réserve jusqu’au %(day)s.")
        facts = {"last": horizon.isoformat()}
        said = text % {"day": words.day(horizon, today)}
        return [Reason("too_far_ahead", said, "first_on", facts)]
    if wanted.days > service.most_days:
        limit = ngettext_lazy(
            "Une garde dure un jour au plus.",
            "Une garde dure %(number)d jours au plus.",
            service.most_days,
        ) % {"number": service.most_days}
        return [Reason("too_long", limit, "last_on", {"limit": service.most_days})]
    if not plan(calendar_of(service.place), wanted.first_on, wanted.last_on, wanted.visit_every):
        text = _("L’accueil est fermé tous ces jours. Choisissez d’autres dates.")
        return [Reason("closed", text, "first_on")]
    return []


def task_reason(wanted: Wanted) -> Reason | None:
    if wanted.tasks and all(task in wanted.service.tasks for task in wanted.tasks):
        return None
    return Reason("tasks_wrong", _("Cochez ce que nous faisons chez vous."), "tasks")


def rhythm_reason(wanted: Wanted) -> Reason | None:
    """More often than the service goes by itself, never less."""
    if 1 <= wanted.visit_every <= wanted.service.visit_every:
        return None
    text = _("Choisissez un rythme de la liste.")
    return Reason("rhythm_wrong", text, "visit_every", {"limit": wanted.service.visit_every})


def overlap_reason(wanted: Wanted, moved: Stay | None) -> Reason | None:
    span = wanted.span
    own = Stay.objects.filter(
        member=wanted.member,
        service=wanted.service,
        status__in=WATCHED,
        starts_at__lt=span.ends_at,
        ends_at__gt=span.starts_at,
    )
    other = own.exclude(pk=moved.pk if moved else 0).order_by("starts_at").first()
    if other is None:
        return None
    text = _("Vous avez déjà cette garde du %(first)s au %(last)s.") % {
        "first": words.day(other.first_on),
        "last": words.day(other.last_on),
    }
    return Reason("same_time", text, "first_on", {"reference": other.reference})


def limit_reason(wanted: Wanted, channel: str, now: datetime) -> Reason | None:
    limit = wanted.service.most_open
    own = Stay.objects.filter(
        member=wanted.member, service=wanted.service, status__in=WATCHED, ends_at__gt=now
    )
    if channel == Channel.DESK or own.count() < limit:
        return None
    text = ngettext_lazy(
        "Vous avez déjà une garde réservée.",
        "Vous avez déjà %(number)d gardes réservées.",
        limit,
    ) % {"number": limit}
    return Reason("too_many_open", text, None, {"limit": limit})


# -- Booking -----------------------------------------------------------------------------------


@in_one_transaction
def book_stay(
    *,
    member: Member,
    service: Service | str,
    first_on: date,
    last_on: date,
    tasks: Iterable[str],
    visit_every: int | None = None,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Stay:
    """Raises `Refused`, code `taken` with `next_free` where no seat is left."""
    service = locked_service(service)
    hold(member)
    wanted = wanted_of(service, member, first_on, last_on, tasks, visit_every)
    refuse_wrong(wanted, channel=channel, now=now)
    stay = Stay(
        service=service,
        member=member,
        place=service.place,
        tasks=list(wanted.tasks),
        visit_every=wanted.visit_every,
        unit_cents=service.unit_cents,
        channel=channel,
        created_at=now,
    )
    take_days(stay, wanted, now)
    keep(stay)
    plan_visits(stay, now)
    log(stay, "book", by=by, now=now, channel=channel, facts={"to": stay.status})
    tell(member, "stay.booked", stay, key=f"stay.booked:{stay.reference}", now=now)
    return stay


def check_stay(wanted: Wanted, *, now: datetime, channel: str = Channel.WEB) -> list[date]:
    """What the check page tells before anything is booked: the days of the visits."""
    refuse_wrong(wanted, channel=channel, now=now)
    free_lane(wanted, now)
    calendar = calendar_of(wanted.service.place)
    return plan(calendar, wanted.first_on, wanted.last_on, wanted.visit_every, today=local_day(now))


def take_days(stay: Stay, wanted: Wanted, now: datetime) -> None:
    stay.starts_at, stay.ends_at = wanted.span.starts_at, wanted.span.ends_at
    stay.quantity = stay_fees.counted(wanted.service, wanted.days)
    stay.lane = free_lane(wanted, now, own=stay)


def free_lane(wanted: Wanted, now: datetime, own: Stay | None = None) -> int:
    service = wanted.service
    without = own.pk if own is not None else None
    lanes = lanes_held(service, wanted.span, without=without)
    if own is not None and own.pk and own.lane in lanes.all and own.lane not in lanes.held:
        return own.lane
    if lanes.free:
        return lanes.free[0]
    following = first_free_day(service, wanted.days, wanted.first_on, now, without=without)
    if following is None:
        text = _("Il n’y a plus de place à ces dates. Choisissez-en d’autres.")
        raise refuse("taken", text, "first_on", next_free=[])
    said = _("Il n’y a plus de place à ces dates. La prochaine commence %(day)s.") % {
        "day": words.day(following)
    }
    until = following + timedelta(days=wanted.days - 1)
    window = {"starts_on": following.isoformat(), "ends_on": until.isoformat()}
    raise refuse("taken", said, "first_on", next_free=[window])


def keep(stay: Stay, fields: list[str] | None = None) -> None:
    """Write it; a lane that somebody took meanwhile is read again from the start."""
    try:
        if fields is None:
            stay.save(force_insert=True)
        else:
            stay.save(update_fields=fields)
    except IntegrityError as error:
        if ONE_STAY.name in str(error):
            raise Contended from error
        raise


def book_once(*, form_key: str, member: Member, make: Any) -> Stay:
    """For the page that carries `form_key`: pressed twice, made once."""
    return once_a_form(Stay, form_key=form_key, member=member, make=make)


# -- Changing ----------------------------------------------------------------------------------


def locked_stay(stay: Stay) -> Stay:
    """Under the lock of its service, which is taken first everywhere."""
    service = locked_service(
        Service(pk=Stay.objects.values_list("service_id", flat=True).get(pk=stay.pk))
    )
    held = (
        Stay.objects.select_for_update(no_key=True, of=("self",))
        .select_related("member__user", "member__household", "member__place", "place")
        .get(pk=stay.pk)
    )
    held.service = service
    return held


def changes_until(stay: Stay) -> datetime:
    """Until then members change and cancel by themselves; later they call the desk."""
    return stay.starts_at - timedelta(minutes=stay.service.cutoff_minutes)


def is_own(stay: Stay, by: User | None) -> bool:
    return by is not None and stay.member.user_id == by.pk


def refuse_closed(stay: Stay, *, by: User | None, now: datetime) -> None:
    """What is over stays; members respect the cut-off."""
    if stay.status not in WATCHED:
        text = _("Cette garde ne peut plus changer : %(state)s.")
        raise refuse("wrong_state", text % {"state": stay.get_status_display()})
    if is_own(stay, by) and now >= changes_until(stay):
        raise refuse("too_late", _("C’est trop tard pour changer en ligne. Appelez l’accueil."))


@in_one_transaction
def move_stay(
    stay: Stay,
    first_on: date,
    last_on: date,
    *,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Stay:
    """Other days: the visits that nobody has made yet are planned anew."""
    stay = locked_stay(stay)
    refuse_closed(stay, by=by, now=now)
    if (first_on, last_on) == (stay.first_on, stay.last_on):
        raise refuse("wrong_state", _("Il n’y a rien à changer."))
    hold(stay.member)
    before = [stay.first_on.isoformat(), stay.last_on.isoformat()]
    wanted = wanted_of(stay.service, stay.member, first_on, last_on, stay.tasks, stay.visit_every)
    refuse_wrong(wanted, channel=channel, now=now, moved=stay)
    visited = stay.visits.exclude(done_at=None, incident="").order_by("day").last()
    if visited is not None and visited.day > last_on:
        raise refuse("visited", _("Une visite a eu lieu après ce jour."), "last_on")
    take_days(stay, wanted, now)
    stay.sequence += 1
    keep(stay, ["starts_at", "ends_at", "lane", "quantity", "sequence"])
    plan_visits(stay, now)
    log(stay, "move", by=by, now=now, channel=channel, facts={"before": before})
    tell_stay(stay, "stay.moved", now=now)
    return stay


@in_one_transaction
def cancel_stay(stay: Stay, *, by: User | None, now: datetime, channel: str = Channel.WEB) -> Stay:
    """Before it begins. Keys that are here already stay on their hook until they go back."""
    stay = locked_stay(stay)
    refuse_closed(stay, by=by, now=now)
    if stay.status == StayStatus.RUNNING and now >= stay.starts_at:
        raise refuse("has_begun", _("Cette garde a commencé. Terminez-la plutôt."))
    drop_visits_ahead(stay)
    move(
        stay,
        StayStatus.CANCELLED,
        by=by,
        now=now,
        verb="cancel",
        channel=channel,
        sequence=stay.sequence + 1,
    )
    tell_stay(stay, "stay.cancelled", now=now)
    return stay


def tell_stay(stay: Stay, event: str, *, now: datetime) -> None:
    """Once things have settled; `sequence` grows with each change."""
    key = f"{event}:{stay.reference}:{stay.sequence}"
    tell_change(stay.member, event, stay, key=key, now=now)


@in_one_transaction
def replan(stay: Stay, *, by: User | None, now: datetime) -> bool:
    """The place has other open days: visits that fell on closed ones move. Whether any did."""
    stay = locked_stay(stay)
    calendar, today = calendar_of(stay.place), local_day(now)
    ahead = stay.visits.filter(done_at=None, day__gte=today).values_list("day", flat=True)
    if stay.status not in WATCHED or all(calendar.is_open_day(day) for day in ahead):
        return False
    plan_visits(stay, now)
    log(stay, "replan", by=by, now=now)
    return True


# -- Beginning and ending ----------------------------------------------------------------------


def begin(stay: Stay, *, by: User | None, now: datetime) -> None:
    """Of a locked stay: its keys are here."""
    if stay.status == StayStatus.BOOKED:
        move(stay, StayStatus.RUNNING, by=by, now=now)


@in_one_transaction
def start_without_keys(stay: Stay, *, by: User, now: datetime) -> Stay:
    """A letter-box, plants that were brought: nothing opens a door."""
    stay = locked_stay(stay)
    if now < stay.starts_at:
        raise refuse("not_yet", _("Cette garde commence un autre jour."))
    move(stay, StayStatus.RUNNING, by=by, now=now, facts={"keys": False})
    return stay


@in_one_transaction
def end_stay(stay: Stay, *, by: User | None, now: datetime) -> Stay:
    """By a press: no keys are here (any more)."""
    stay = locked_stay(stay)
    if keys_here(stay):
        text = _("Les clés sont encore ici. Rendez-les : la garde se termine alors.")
        raise refuse("keys_here", text)
    if now < stay.starts_at:
        raise refuse("not_yet", _("Cette garde n’a pas commencé. Annulez-la plutôt."))
    finish(stay, by=by, now=now)
    return stay


def keys_here(stay: Stay) -> bool:
    return KeySet.objects.filter(stay=stay, status__in=ON_HOOK).exists()


def finish(stay: Stay, *, by: User | None, now: datetime) -> None:
    """Of a locked stay: what is due is charged, nobody goes there any more."""
    quantity = min(stay.quantity, stay_fees.days_kept(stay, local_day(now)))
    drop_visits_ahead(stay)
    move(stay, StayStatus.ENDED, by=by, now=now, quantity=quantity)
    hold(stay.member.household)
    cents, label = stay_fees.price_of(stay), stay_fees.label_of(stay)
    appointment_fees.charge(stay_fees.KIND, stay, stay.member, cents, label, by=by, now=now)


def keys_went_back(stay: Stay, *, by: User, now: datetime) -> None:
    """Of a locked stay, after the last of its keys: it ends, or waits for keys again."""
    if stay.status != StayStatus.RUNNING or keys_here(stay):
        return
    if now >= stay.starts_at:
        finish(stay, by=by, now=now)
    else:
        move(stay, StayStatus.BOOKED, by=by, now=now, verb="keys_back", running_at=None)


@in_one_transaction
def reopen_stay(stay: Stay, *, by: User, now: datetime) -> Stay:
    """It had not ended: what was charged is taken back, the visits to come are planned."""
    stay = locked_stay(stay)
    if stay.status != StayStatus.ENDED:
        raise refuse("wrong_state", _("Il n’y a plus rien à défaire."))
    if stay.ends_at <= now:
        raise refuse("over", _("Les jours de cette garde sont passés. Elle reste terminée."))
    wanted = wanted_of(
        stay.service, stay.member, stay.first_on, stay.last_on, stay.tasks, stay.visit_every
    )
    other = overlap_reason(wanted, stay)
    if other is not None:
        raise Refused(other)
    lane = free_lane(wanted, now, own=stay)
    hold(stay.member.household)
    appointment_fees.uncharge(stay_fees.KIND, stay.pk, by=by, now=now)
    move(
        stay,
        StayStatus.RUNNING,
        by=by,
        now=now,
        verb="reopen",
        lane=lane,
        ended_at=None,
        quantity=stay_fees.counted(stay.service, wanted.days),
    )
    plan_visits(stay, now)
    return stay


@in_one_transaction
def lapse_stay(stay: Stay, *, now: datetime) -> None:
    """Its days are over: what never began is off, what ran without keys ends."""
    stay = locked_stay(stay)
    if stay.ends_at > now or stay.status not in WATCHED:
        return
    if stay.status == StayStatus.BOOKED:
        drop_visits_ahead(stay)
        move(stay, StayStatus.CANCELLED, by=None, now=now, verb="lapse")
    elif not keys_here(stay):
        finish(stay, by=None, now=now)
