"""Sessions at a place that closes.

The rule, as it is told to people: a session on a day that is closed anew is cancelled as any
other is, with the money given back, unless staff tick that it takes place all the same. One
that is held at another address takes place. A cancelled session does not come back when the
closure is withdrawn.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.kernel import closures, words
from club.kernel.closures import Change, Effect, Kind, Outcome
from club.kernel.spans import local_day, start_of
from club.models import Place, User
from events.domain import changes
from events.domain.changes import plan_cancellation
from events.enums import CancelReason, SessionStatus
from events.models import Session

NAME = "session"


def sessions_on(change: Change, days: frozenset[date], status: str) -> QuerySet[Session]:
    return (
        Session.objects.filter(
            place=change.place,
            status=status,
            starts_at__gte=start_of(min(days)),
            starts_at__lt=start_of(max(days) + timedelta(days=1)),
        )
        .select_related("event", "place")
        .order_by("starts_at", "pk")
    )


def plan(change: Change, now: datetime) -> list[Effect]:
    effects: list[Effect] = []
    if change.closed:
        held = [
            one
            for one in sessions_on(change, change.closed, SessionStatus.SCHEDULED)
            if local_day(one.starts_at) in change.closed and one.ends_at > now
        ]
        called_off = [one for one in held if not takes_place(one, change)]
        for session in held:
            effects.append(effect_of(session, change))
        for one in plan_cancellation(called_off, instead=None, now=now).effects:
            effects.append(effect_on(one))
    if change.reopened:
        lost = sessions_on(change, change.reopened, SessionStatus.CANCELLED)
        for session in lost.filter(cancel_reason=CancelReason.CLOSED):
            if local_day(session.starts_at) in change.reopened:
                effects.append(line(session, Outcome.STAYS, _("reste annulée")))
    return effects


def takes_place(session: Session, change: Change) -> bool:
    return bool(session.address) or option_of(session) in change.kept


def option_of(session: Session) -> str:
    return f"{NAME}-{session.public_id}"


def effect_of(session: Session, change: Change) -> Effect:
    if session.address:
        return line(session, Outcome.STAYS, _("a lieu ailleurs"))
    option = option_of(session)
    if option in change.kept:
        return line(session, Outcome.STAYS, _("a lieu quand même"), option)
    return line(session, Outcome.CANCELLED, _("séance annulée"), option)


def line(session: Session, outcome: str, becomes: str, option: str = "") -> Effect:
    return Effect(
        NAME,
        session.pk,
        outcome,
        session.event.title,
        words.moment(session.starts_at),
        becomes,
        option=option,
        facts=(session.sequence,),
        carries=session,
    )


def effect_on(told: changes.Effect) -> Effect:
    """One registration, which follows its session."""
    one = told.registration
    return Effect(
        NAME,
        one.pk,
        Outcome.CANCELLED,
        one.session.event.title,
        words.moment(one.starts_at),
        _("inscription annulée"),
        one.member,
        told.how,
        one.reference,
        cents=told.refund_cents,
        facts=(one.status, one.quantity),
    )


def lock(place: Place) -> None:
    """Whoever takes a place of a session locks it: nobody does meanwhile."""
    rows = Session.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.filter(place=place, status=SessionStatus.SCHEDULED)
    list(rows.order_by("pk").values_list("pk"))


def apply(change: Change, effects: Sequence[Effect], by: User, now: datetime) -> None:
    sessions = [
        effect.carries
        for effect in effects
        if isinstance(effect.carries, Session) and effect.outcome == Outcome.CANCELLED
    ]
    if not sessions:
        return
    seal = plan_cancellation(sessions, instead=None, now=now).seal
    changes.cancel_sessions(sessions, reason=CancelReason.CLOSED, seal=seal, by=by, now=now)


SESSIONS = Kind(NAME, gettext_lazy("Séances"), plan, apply, lock)


def register() -> None:
    closures.register(SESSIONS)
