"""What a partner changed at once, newest first, and which of it can still be undone."""

from collections.abc import Iterable
from datetime import date

from club.models import LogEntry
from marketplace.enums import ChangeKind
from marketplace.models import Partner, PartnerChange

SHOWN = 20
READ = 200
"""A morning of taps on "+" is one line, so more is read than is shown."""
CALLED_OFF = "call_off_deliveries"
"""What the log of a partner says of days off that cancelled deliveries."""

Days = tuple[date, date]


def history_of(partner: Partner, kind: str = "") -> list[PartnerChange]:
    """The last ones; of the steps of one offer on one day, only the newest."""
    rows = PartnerChange.objects.filter(partner=partner, undone_at=None)
    rows = rows.filter(kind=kind) if kind else rows
    shown, steps = [], set()
    for row in rows.select_related("by", "offer").order_by("-at", "-pk")[:READ]:
        step = (row.offer_id, row.after["day"]) if row.kind == ChangeKind.STOCK else None
        if step is None or step not in steps:
            shown.append(row)
            steps.add(step)
    return shown[:SHOWN]


def undoable_in(rows: Iterable[PartnerChange], today: date) -> set[int]:
    """The newest of each sort; the verb looks once more whether it still holds."""
    newest: dict[tuple[str, int | None], PartnerChange] = {}
    for row in rows:
        newest.setdefault((row.kind, row.offer_id), row)
    return {row.pk for row in newest.values() if is_of_today(row, today)}


def is_of_today(row: PartnerChange, today: date) -> bool:
    """Yesterday's quantity is nobody's concern any more; all the rest lasts."""
    return row.kind != ChangeKind.STOCK or row.after["day"] == today.isoformat()


def last_stocks(partner: Partner, today: date) -> dict[int, PartnerChange]:
    """The newest change of today's stock that stands, by offer."""
    rows = PartnerChange.objects.filter(
        partner=partner, kind=ChangeKind.STOCK, undone_at=None, after__day=today.isoformat()
    )
    return {row.offer_id: row for row in rows.select_related("by").order_by("pk") if row.offer_id}


# -- What no undoing brings back -------------------------------------------------------------


def called_off(partner: Partner, today: date) -> list[Days]:
    """Days off, not yet over, that cancelled deliveries: opening again leaves them so."""
    if partner.producer_id is None:
        return []
    rows = LogEntry.objects.filter(
        subject_kind="partner",
        subject_id=partner.pk,
        verb=CALLED_OFF,
        facts__ends_on__gte=today.isoformat(),
    )
    return [
        (date.fromisoformat(facts["starts_on"]), date.fromisoformat(facts["ends_on"]))
        for facts in rows.values_list("facts", flat=True)
    ]


def touches(days: Days, others: Iterable[Days]) -> bool:
    return any(first <= days[1] and last >= days[0] for first, last in others)


def days_changed(row: PartnerChange) -> list[Days]:
    """The closures that a change made; nothing where it is of another sort."""
    if row.kind != ChangeKind.CLOSURE:
        return []
    before = {tuple(days) for days in row.before["closures"]}
    after = {tuple(days) for days in row.after["closures"]}
    return [(date.fromisoformat(first), date.fromisoformat(last)) for first, last in after - before]


def leaves_called_off(row: PartnerChange, gone: Iterable[Days]) -> bool:
    """Whether undoing it would leave deliveries cancelled."""
    gone = list(gone)
    return any(touches(days, gone) for days in days_changed(row))
