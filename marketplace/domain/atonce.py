"""What a partner changes without asking anybody: live at once, kept, and undone in a tap.

Each change is written down as two whole states, how it was and how it became. So undoing
is writing the older state back, and it is refused where the newer one no longer holds:
somebody has changed the same thing meanwhile, here or in the admin.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from dateutil.relativedelta import relativedelta
from django.utils.translation import gettext_lazy as _

from club.kernel import producers
from club.kernel.people import e164
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log
from club.models import User
from content.models import Picture
from marketplace.domain.pictures import keep_picture
from marketplace.enums import ChangeKind
from marketplace.models import (
    Offer,
    OfferStock,
    Partner,
    PartnerChange,
    PartnerClosure,
    PartnerHours,
)
from marketplace.queries.changes import CALLED_OFF, is_of_today

State = dict[str, Any]
MOST_LEFT = 999
ONE_DAY = timedelta(days=1)


class Open(NamedTuple):
    """One stretch of a day of the week; Monday is 0."""

    weekday: int
    opens: time
    closes: time


# -- States ----------------------------------------------------------------------------------


def read_stock(partner: Partner, offer: Offer | None, today: date) -> State:
    rows = OfferStock.objects.filter(offer=offer, day=today)
    left, sold_out = rows.values_list("left", "sold_out").first() or (None, False)
    return {"day": today.isoformat(), "left": left, "sold_out": sold_out}


def write_stock(partner: Partner, offer: Offer | None, state: State) -> None:
    OfferStock.objects.update_or_create(
        offer=offer,
        day=date.fromisoformat(state["day"]),
        defaults={"left": state["left"], "sold_out": state["sold_out"]},
    )


def hours_state(rows: Sequence[Open], note: str) -> State:
    spans = [[row.weekday, f"{row.opens:%H:%M}", f"{row.closes:%H:%M}"] for row in sorted(rows)]
    return {"hours": spans, "note": note}


def read_hours(partner: Partner, offer: Offer | None, today: date) -> State:
    rows = PartnerHours.objects.filter(partner=partner)
    note = Partner.objects.values_list("hours_note", flat=True).get(pk=partner.pk)
    return hours_state([Open(*row) for row in rows.values_list("weekday", "opens", "closes")], note)


def write_hours(partner: Partner, offer: Offer | None, state: State) -> None:
    PartnerHours.objects.filter(partner=partner).delete()
    PartnerHours.objects.bulk_create(
        PartnerHours(
            partner=partner,
            weekday=weekday,
            opens=time.fromisoformat(opens),
            closes=time.fromisoformat(closes),
        )
        for weekday, opens, closes in state["hours"]
    )
    partner.hours_note = state["note"]
    partner.save(update_fields=["hours_note"])


def read_phone(partner: Partner, offer: Offer | None, today: date) -> State:
    return {"phone": Partner.objects.values_list("phone", flat=True).get(pk=partner.pk)}


def write_phone(partner: Partner, offer: Offer | None, state: State) -> None:
    partner.phone = state["phone"]
    partner.save(update_fields=["phone"])


def read_picture(partner: Partner, offer: Offer | None, today: date) -> State:
    return {"picture": Partner.objects.values_list("picture", flat=True).get(pk=partner.pk)}


def write_picture(partner: Partner, offer: Offer | None, state: State) -> None:
    if state["picture"] and not Picture.objects.filter(pk=state["picture"]).exists():
        raise refuse("photo_gone", _("Cette photo n’existe plus. Envoyez-la de nouveau."))
    partner.picture_id = state["picture"]
    partner.save(update_fields=["picture"])


def read_closures(partner: Partner, offer: Offer | None, today: date) -> State:
    rows = PartnerClosure.objects.filter(partner=partner).order_by("starts_on", "ends_on")
    return {
        "closures": [
            [first.isoformat(), last.isoformat()]
            for first, last in rows.values_list("starts_on", "ends_on")
        ]
    }


def write_closures(partner: Partner, offer: Offer | None, state: State) -> None:
    """Rows that stay keep their number: somebody may be looking at one."""
    wanted = {
        (date.fromisoformat(first), date.fromisoformat(last)) for first, last in state["closures"]
    }
    for row in PartnerClosure.objects.filter(partner=partner):
        if (row.starts_on, row.ends_on) in wanted:
            wanted.remove((row.starts_on, row.ends_on))
        else:
            row.delete()
    for first, last in sorted(wanted):
        PartnerClosure.objects.create(partner=partner, starts_on=first, ends_on=last)


class States(NamedTuple):
    read: Callable[[Partner, Offer | None, date], State]
    write: Callable[[Partner, Offer | None, State], None]


STATES: dict[str, States] = {
    ChangeKind.STOCK: States(read_stock, write_stock),
    ChangeKind.HOURS: States(read_hours, write_hours),
    ChangeKind.PHONE: States(read_phone, write_phone),
    ChangeKind.PICTURE: States(read_picture, write_picture),
    ChangeKind.CLOSURE: States(read_closures, write_closures),
}


def change(
    kind: str,
    partner: Partner,
    after: State,
    *,
    offer: Offer | None = None,
    by: User,
    now: datetime,
) -> PartnerChange:
    """Write the new state and keep both. The caller holds the partner."""
    before = STATES[kind].read(partner, offer, local_day(now))
    if before == after:
        raise refuse("no_change", _("Rien n’a changé."))
    STATES[kind].write(partner, offer, after)
    row = PartnerChange.objects.create(
        partner=partner, offer=offer, kind=kind, before=before, after=after, at=now, by=by
    )
    log(partner, f"set_{kind}", by=by, now=now, facts={"change": row.pk})
    return row


# -- Today's stock ---------------------------------------------------------------------------


@in_one_transaction
def set_stock(
    offer: Offer,
    *,
    left: int | None = None,
    sold_out: bool | None = None,
    by: User,
    now: datetime,
) -> PartnerChange:
    """Today's number, or that there is no more; what is not given stays as it is."""
    if left is not None and not 0 <= left <= MOST_LEFT:
        text = _("Écrivez un nombre de 0 à %(most)s.") % {"most": MOST_LEFT}
        raise refuse("left_out_of_range", text, "left")
    hold(offer.partner)
    state = read_stock(offer.partner, offer, local_day(now))
    if left is not None:
        state["left"] = left
    if sold_out is not None:
        state["sold_out"] = sold_out
    return change(ChangeKind.STOCK, offer.partner, state, offer=offer, by=by, now=now)


@in_one_transaction
def step_stock(offer: Offer, delta: int, *, by: User, now: datetime) -> PartnerChange:
    """One more or one less than there is at this moment, whatever the screen still shows."""
    hold(offer.partner)
    state = read_stock(offer.partner, offer, local_day(now))
    left = (state["left"] or 0) + delta
    if left < 0:
        text = _("Il n’en reste déjà plus.")
        raise refuse("none_left", text, "left")
    return set_stock(offer, left=left, by=by, now=now)


@in_one_transaction
def sell_again(offer: Offer, *, by: User, now: datetime) -> PartnerChange:
    """There is some again. A number of none would say the contrary: nothing is said then."""
    hold(offer.partner)
    state = read_stock(offer.partner, offer, local_day(now))
    state |= {"sold_out": False, "left": state["left"] or None}
    return change(ChangeKind.STOCK, offer.partner, state, offer=offer, by=by, now=now)


# -- The page --------------------------------------------------------------------------------


def day_field(weekday: int) -> str:
    return f"day_{weekday}"


def faults_in(rows: Sequence[Open]) -> list[Reason]:
    """At most one for each day, beside its field."""
    days: dict[int, list[Open]] = defaultdict(list)
    for row in sorted(rows):
        days[row.weekday].append(row)
    faults = []
    for weekday, spans in days.items():
        if any(row.closes <= row.opens for row in spans):
            text = _("L’heure de fermeture doit suivre l’ouverture.")
            faults.append(Reason("hours_backwards", text, day_field(weekday)))
        elif any(later.opens < row.closes for row, later in pairwise(spans)):
            text = _("Ces heures se chevauchent. Corrigez-les.")
            faults.append(Reason("hours_overlap", text, day_field(weekday)))
    return faults


@in_one_transaction
def set_hours(partner: Partner, rows: Sequence[Open], *, by: User, now: datetime) -> PartnerChange:
    """The whole week. A sentence written in its place goes: it would contradict the hours."""
    faults = faults_in(rows)
    if faults:
        raise Refused(faults)
    hold(partner)
    return change(ChangeKind.HOURS, partner, hours_state(rows, ""), by=by, now=now)


@in_one_transaction
def set_phone(partner: Partner, phone: str, *, by: User, now: datetime) -> PartnerChange:
    number = e164(phone.strip())
    if number is None:
        text = _("Ce numéro n’existe pas. Exemple : 06 12 34 56 78.")
        raise refuse("phone_wrong", text, "phone")
    hold(partner)
    return change(ChangeKind.PHONE, partner, {"phone": number}, by=by, now=now)


@in_one_transaction
def set_picture(partner: Partner, upload: Any, *, by: User, now: datetime) -> PartnerChange:
    """A new photo; with none the drawing comes back. The one before stays for undoing."""
    hold(partner)
    number = keep_picture(upload, partner, title=partner.name, by=by).pk if upload else None
    return change(ChangeKind.PICTURE, partner, {"picture": number}, by=by, now=now)


# -- Closures --------------------------------------------------------------------------------


@in_one_transaction
def close_days(
    partner: Partner, starts_on: date, ends_on: date, *, by: User, now: datetime
) -> PartnerChange:
    """Shut from one day to another, both included. What touches or overlaps becomes one."""
    today = local_day(now)
    reasons = []
    if starts_on < today:
        text = _("Ce jour est passé. Choisissez aujourd’hui ou plus tard.")
        reasons.append(Reason("in_the_past", text, "starts_on"))
    if ends_on < starts_on:
        text = _("La fin ne peut pas être avant le début.")
        reasons.append(Reason("dates_in_disorder", text, "ends_on"))
    elif ends_on > today + relativedelta(years=1):
        text = _("C’est dans plus d’un an. Choisissez un jour plus proche.")
        reasons.append(Reason("too_far", text, "ends_on"))
    if reasons:
        raise Refused(reasons)
    hold(partner)
    kept = []
    for first, last in closures_of(partner):
        if first <= ends_on + ONE_DAY and last >= starts_on - ONE_DAY:
            starts_on, ends_on = min(first, starts_on), max(last, ends_on)
        else:
            kept.append((first, last))
    return change_closures(partner, [*kept, (starts_on, ends_on)], by=by, now=now)


@in_one_transaction
def close_and_fail(
    partner: Partner, starts_on: date, ends_on: date, *, by: User, now: datetime
) -> int:
    """Shut, and what was to be brought on these days is called off and credited. Says how
    many deliveries it was. Days that were told before are called off all the same."""
    try:
        close_days(partner, starts_on, ends_on, by=by, now=now)
    except Refused as refused:
        if refused.codes != ["no_change"]:
            raise
    if partner.producer is None:
        return 0
    number = producers.fail(partner.producer, starts_on, ends_on, by=by, now=now)
    if number:
        days = {"starts_on": starts_on.isoformat(), "ends_on": ends_on.isoformat()}
        log(partner, CALLED_OFF, by=by, now=now, facts=days | {"deliveries": number})
    return number


@in_one_transaction
def open_again(
    partner: Partner, closure: PartnerClosure, *, by: User, now: datetime
) -> PartnerChange:
    """The closure is called off; where it has begun, what is past of it stays."""
    hold(partner)
    today = local_day(now)
    days = (closure.starts_on, closure.ends_on)
    closures = closures_of(partner)
    if days not in closures or closure.ends_on < today:
        raise refuse("closure_over", _("Cette fermeture est déjà finie ou annulée."))
    closures.remove(days)
    if closure.starts_on < today:
        closures.append((closure.starts_on, today - ONE_DAY))
    return change_closures(partner, closures, by=by, now=now)


def closures_of(partner: Partner) -> list[tuple[date, date]]:
    rows = PartnerClosure.objects.filter(partner=partner).order_by("starts_on", "ends_on")
    return list(rows.values_list("starts_on", "ends_on"))


def change_closures(
    partner: Partner, closures: list[tuple[date, date]], *, by: User, now: datetime
) -> PartnerChange:
    state = {"closures": [[one.isoformat() for one in days] for days in sorted(closures)]}
    return change(ChangeKind.CLOSURE, partner, state, by=by, now=now)


# -- Undoing ---------------------------------------------------------------------------------


@in_one_transaction
def undo(partner: Partner, row: PartnerChange, *, by: User, now: datetime) -> PartnerChange:
    """The newest change of its sort is taken back; then the one before it may be."""
    hold(partner)
    row = PartnerChange.objects.select_related("offer").get(pk=row.pk, partner=partner)
    if row.undone_at is not None:
        raise refuse("undone_already", _("C’est déjà défait."))
    today = local_day(now)
    if not is_of_today(row, today):
        raise refuse("day_over", _("Cette quantité était celle d’un autre jour."))
    same = PartnerChange.objects.filter(partner=partner, kind=row.kind, offer=row.offer)
    is_newest = not same.filter(undone_at=None, pk__gt=row.pk).exists()
    states = STATES[row.kind]
    if not is_newest or states.read(partner, row.offer, today) != row.after:
        text = _("Cela a changé depuis. Défaites d’abord le dernier changement.")
        raise refuse("changed_since", text)
    states.write(partner, row.offer, row.before)
    row.undone_at = now
    row.save(update_fields=["undone_at"])
    log(partner, "undo", by=by, now=now, facts={"change": row.pk})
    return row
