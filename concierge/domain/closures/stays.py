"""Homes that are looked after from a place that closes.

The rule, as it is told to people: a stay goes on. Its visits are planned anew by the rule
of visits (`stay_visits`), around the closed days. Where its first or last day is a closed
one, the keys cannot change hands: the desk calls.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from club.domain.messages import channel_for, tell_change
from club.kernel import words
from club.kernel.closures import Change, Effect, Kind, Outcome
from club.kernel.spans import start_of
from club.kernel.transitions import log
from club.models import Place, User
from concierge.domain.stay_visits import plan as plan_days
from concierge.domain.stay_visits import plan_visits
from concierge.enums import WATCHED, StayStatus
from concierge.models import Stay, StayVisit

NAME = "stay"


def plan(change: Change, now: datetime) -> list[Effect]:
    touched = change.shut | change.reopened
    if not touched:
        return []
    rows = Stay.objects.filter(
        place=change.place,
        status__in=WATCHED,
        ends_at__gt=start_of(min(touched)),
        starts_at__lt=start_of(max(touched) + timedelta(days=1)),
    ).select_related("service", "member__user")
    visits = Prefetch("visits", StayVisit.objects.order_by("day"))
    found = (
        effect_of(one, change) for one in rows.prefetch_related(visits).order_by("starts_at", "pk")
    )
    return [effect for effect in found if effect is not None]


def effect_of(stay: Stay, change: Change) -> Effect | None:
    old, new = ahead(stay), planned(stay, change)
    keys = [day for day in hands_change(stay) if is_shut_anew(change, day)]
    if not keys and old == new:
        return None
    outcome, becomes = Outcome.STAYS, str(_("visites inchangées"))
    if old != new:
        outcome = Outcome.MOVED
        days = ", ".join(words.day(day, change.today) for day in new)
        becomes = _("visites : %(days)s") % {"days": days} if days else str(_("plus de visite"))
    if keys:
        outcome = Outcome.CALL
        days = ", ".join(words.day(day, change.today) for day in dict.fromkeys(keys))
        becomes += " ; " + _("clés à voir : fermé %(days)s") % {"days": days}
    return Effect(
        NAME,
        stay.pk,
        outcome,
        stay.service.name,
        ngettext("%(n)d visite", "%(n)d visites", len(old)) % {"n": len(old)},
        becomes,
        stay.member,
        None if keys else channel_for(stay.member),
        stay.reference,
        is_private=True,
        facts=(stay.status, stay.first_on, stay.last_on, tuple(old), tuple(new)),
        carries=old != new,
    )


def hands_change(stay: Stay) -> list[date]:
    """The days on which its keys come and go: of one that runs they are here."""
    if stay.status == StayStatus.RUNNING:
        return [stay.last_on]
    return [stay.first_on, stay.last_on]


def is_shut_anew(change: Change, day: date) -> bool:
    """A Sunday was closed before: whoever leaves then has brought the keys on a Saturday."""
    return day in change.closed and change.before.is_open_day(day)


def ahead(stay: Stay) -> list[date]:
    """The days of the visits that nobody has made yet."""
    return [one.day for one in stay.visits.all() if one.done_at is None and not one.incident]


def planned(stay: Stay, change: Change) -> list[date]:
    kept = [one.day for one in stay.visits.all() if one.done_at is not None or one.incident]
    return plan_days(
        change.after,
        stay.first_on,
        stay.last_on,
        stay.visit_every,
        visited=max(kept, default=None),
        today=change.today,
    )


def lock(place: Place) -> None:
    rows = Stay.objects.select_for_update(no_key=True, of=("self",))
    list(rows.filter(place=place, status__in=WATCHED).order_by("pk").values_list("pk"))


def apply(change: Change, effects: Sequence[Effect], by: User, now: datetime) -> None:
    rows = Stay.objects.select_related("place__landlord", "member__user", "service")
    stays = rows.in_bulk([one.pk for one in effects])
    for effect in effects:
        if not effect.carries:
            continue
        stay = stays[effect.pk]
        plan_visits(stay, now)
        log(stay, "plan_for_closure", by=by, now=now)
        if effect.is_told:
            key = f"stay.closure:{stay.reference}:{int(now.timestamp())}"
            tell_change(stay.member, "stay.closure", stay, key=key, now=now)


STAYS = Kind(NAME, gettext_lazy("Gardes"), plan, apply, lock)
