"""Parcels on the shelves of a place that closes.

The rule, as it is told to people: a parcel whose last day is a closed one is kept until the
first open day after. A parcel kept longer stays so when the closure is withdrawn.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from club.domain.messages import channel_for, tell
from club.kernel import words
from club.kernel.closures import Change, Effect, Kind, Outcome
from club.kernel.transitions import log
from club.models import LogEntry, Place, User
from concierge.enums import ParcelStatus
from concierge.models import Parcel

NAME = "parcel"
KEPT = "keep_for_closure"


def plan(change: Change, now: datetime) -> list[Effect]:
    rows = Parcel.objects.filter(place=change.place, status=ParcelStatus.WAITING)
    waiting = list(rows.select_related("member__user").order_by("keep_until", "pk"))
    effects = []
    for parcel in waiting:
        day = change.after.next_open_day(parcel.keep_until)
        if parcel.keep_until in change.shut and day is not None:
            text = _("gardé jusqu’au %(day)s") % {"day": words.day(day, change.today)}
            effects.append(effect_of(parcel, Outcome.PROLONGED, text, day))
    return effects + what_stays(waiting, change)


def effect_of(parcel: Parcel, outcome: str, text: str, day: date) -> Effect:
    member = parcel.member
    return Effect(
        NAME,
        parcel.pk,
        outcome,
        str(_("Colis")),
        _("gardé jusqu’au %(day)s") % {"day": words.day(parcel.keep_until)},
        text,
        member,
        channel_for(member) if member is not None else "",
        parcel.reference,
        facts=(parcel.keep_until, day),
        carries=day,
    )


def what_stays(waiting: Sequence[Parcel], change: Change) -> list[Effect]:
    if not change.reopened:
        return []
    entries = LogEntry.objects.filter(
        subject_kind=NAME, subject_id__in=[one.pk for one in waiting], verb=KEPT
    ).order_by("pk")
    last = {entry.subject_id: entry.facts for entry in entries}
    return [
        effect_of(one, Outcome.STAYS, str(_("reste gardé jusque-là")), one.keep_until)
        for one in waiting
        if one.pk in last
        and last[one.pk]["after"] == one.keep_until.isoformat()
        and date.fromisoformat(last[one.pk]["before"]) in change.reopened
    ]


def lock(place: Place) -> None:
    rows = Parcel.objects.select_for_update(no_key=True, of=("self",))
    list(rows.filter(place=place, status=ParcelStatus.WAITING).order_by("pk").values_list("pk"))


def apply(change: Change, effects: Sequence[Effect], by: User, now: datetime) -> None:
    rows = Parcel.objects.select_related("member__user").in_bulk([one.pk for one in effects])
    for effect in effects:
        parcel, event = rows[effect.pk], "parcel.closure_stays"
        if effect.outcome == Outcome.PROLONGED:
            event = "parcel.closure"
            facts = {
                "before": parcel.keep_until.isoformat(),
                "after": effect.carries.isoformat(),
            }
            parcel.keep_until = effect.carries
            parcel.save(update_fields=["keep_until"])
            log(parcel, KEPT, by=by, now=now, facts=facts)
        if effect.is_told and parcel.member is not None:
            key = f"{event}:{parcel.reference}:{int(now.timestamp())}"
            tell(parcel.member, event, parcel, key=key, now=now)


PARCELS = Kind(NAME, gettext_lazy("Colis"), plan, apply, lock)
