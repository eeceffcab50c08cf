"""What a partner changed at once, newest first, and which of it can still be undone."""

from collections.abc import Iterable
from datetime import date

from marketplace.enums import ChangeKind
from marketplace.models import Partner, PartnerChange

SHOWN = 20
READ = 200
"""A morning of taps on "+" is one line, so more is read than is shown."""


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
