"""Which copy a claim gets, and how claims change copy so that none is refused needlessly."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import IntegrityError, connection
from django.db.models import F
from django.db.models.signals import post_save

from club.kernel.spans import Span
from club.kernel.transactions import Contended
from concierge.enums import BEFORE_HANDOVER, HOLDING, CopyStatus, LoanStatus
from concierge.guards import ONE_CLAIM
from concierge.models import Copy, LendingPolicy, Loan

SEARCH_STEPS = 20_000
"""How many placements the search may try; far more than a shelf of real life needs."""

FREE_COPY = """
    SELECT c.id FROM concierge_copy c
    WHERE c.tool_id = %s AND c.place_id = %s AND c.status = 'active'
      AND NOT EXISTS (
        SELECT 1 FROM concierge_loan l
        WHERE l.copy_id = c.id AND l.status IN ('reserved', 'ready', 'out')
          AND l.held_until > %s AND l.starts_at < %s AND l.id <> %s)
      AND NOT EXISTS (
        SELECT 1 FROM concierge_loan late
        WHERE late.copy_id = c.id AND late.status = 'out'
          AND late.held_until <= %s AND %s < %s)
    ORDER BY c.id LIMIT 1
"""


def is_overlap(error: IntegrityError) -> bool:
    return ONE_CLAIM.name in str(error)


def free_copy_query(loan: Loan, policy: LendingPolicy, now: datetime) -> tuple[str, list[Any]]:
    """The statement that picks a free copy for a loan, locked on PostgreSQL.

    The lock makes two claims on one copy wait for each other instead of meeting in
    the exclusion constraint, where PostgreSQL would settle it as a deadlock.
    """
    buffer = timedelta(minutes=policy.buffer_minutes)
    margin = timedelta(days=policy.late_margin_days)
    field = Loan._meta.get_field("starts_at")
    instants = [
        loan.starts_at - buffer,
        loan.held_until,
        now,
        loan.starts_at,
        now + margin,
    ]
    prepared = [field.get_db_prep_value(instant, connection) for instant in instants]
    parameters: list[Any] = [
        loan.tool_id,
        loan.place_id,
        prepared[0],
        prepared[1],
        loan.pk or 0,
        *prepared[2:],
    ]
    lock = " FOR NO KEY UPDATE OF c" if connection.vendor == "postgresql" else ""
    return FREE_COPY + lock, parameters


def claim_free_copy(loan: Loan, policy: LendingPolicy, now: datetime) -> bool:
    """Insert `loan` on a copy that is free, in one statement; False where none is.

    Raises `Contended` when another transaction took the copy meanwhile.
    """
    query, parameters = free_copy_query(loan, policy, now)
    values = [
        field.get_db_prep_save(getattr(loan, field.attname), connection)
        for field in inserted_fields()
    ]
    try:
        with connection.cursor() as cursor:
            cursor.execute(claim_statement(query), [*values, *parameters])
            row = cursor.fetchone()
    except IntegrityError as error:
        if is_overlap(error):
            raise Contended from error
        raise
    if row is None:
        return False
    loan.pk, loan.copy_id = row
    loan._state.adding = False
    loan._state.db = connection.alias
    post_save.send(Loan, instance=loan, created=True, raw=False, using=connection.alias)
    return True


@cache
def claim_statement(query: str) -> str:
    columns = [connection.ops.quote_name(str(field.column)) for field in inserted_fields()]
    return (
        f"INSERT INTO concierge_loan (copy_id, {', '.join(columns)})"  # noqa: S608 - names of ours
        f" SELECT picked.id, {', '.join(typed(field) for field in inserted_fields())}"
        f" FROM ({query}) AS picked RETURNING id, copy_id"
    )


@cache
def inserted_fields() -> list[Any]:
    return [field for field in Loan._meta.concrete_fields if field.name not in {"id", "copy"}]


def typed(field: Any) -> str:
    """A placeholder of the column's type: in a SELECT list PostgreSQL cannot infer it."""
    if connection.vendor != "postgresql":
        return "%s"
    return f"%s::{field.db_type(connection).split('(')[0]}"


def lock_copies(tool_id: int, place_id: int) -> list[int]:
    """The active copies of a shelf, locked in a fixed order until the transaction ends."""
    return list(
        Copy.objects.select_for_update(no_key=True)
        .filter(tool_id=tool_id, place_id=place_id, status=CopyStatus.ACTIVE)
        .order_by("pk")
        .values_list("pk", flat=True)
    )


def arrange(
    copies: Iterable[int],
    fixed: list[tuple[int, Span]],
    movable: list[tuple[int, int, Span]],
) -> dict[int, int] | None:
    """A copy for each movable claim such that no copy has two at once, or None.

    `fixed` are (copy, span); `movable` are (claim, copy that it has now, span).
    Claims are placed in order of start, on their own copy first, and a placement
    that leads nowhere is taken back.
    """
    taken: dict[int, list[Span]] = {copy: [] for copy in copies}
    for copy, span in fixed:
        if copy in taken:
            taken[copy].append(span)
    ordered = sorted(movable, key=lambda claim: (claim[2].starts_at, claim[2].ends_at))
    placed: dict[int, int] = {}
    steps = 0

    def place(position: int) -> bool:
        nonlocal steps
        if position == len(ordered):
            return True
        claim, own, span = ordered[position]
        for copy in sorted(taken, key=lambda candidate: (candidate != own, candidate)):
            steps += 1
            if steps > SEARCH_STEPS:
                return False
            if any(span.overlaps(other) for other in taken[copy]):
                continue
            taken[copy].append(span)
            placed[claim] = copy
            if place(position + 1):
                return True
            taken[copy].pop()
            del placed[claim]
        return False

    return placed if place(0) else None


def make_room(
    loan: Loan, policy: LendingPolicy, now: datetime, on_copy: int | None = None
) -> int | None:
    """Move other claims so that `loan` fits, and return its copy; None if it cannot.

    With `on_copy` it must be that very copy (a scanned one, or one already out).
    Claims that are set aside or out stay where they are. Nothing is written
    where it does not fit; where it does, a loan that exists already has left its
    copy and period, and the caller saves its new ones.
    """
    copies = lock_copies(loan.tool_id, loan.place_id)
    if on_copy is not None and on_copy not in copies:
        return None
    buffer = timedelta(minutes=policy.buffer_minutes)
    rows = list(
        Loan.objects.select_for_update(no_key=True)
        .filter(tool_id=loan.tool_id, place_id=loan.place_id, status__in=HOLDING)
        .exclude(pk=loan.pk)
        .order_by("pk")
    )
    fixed, movable = [], []
    for row in rows:
        span = Span(row.starts_at, row.occupied_until(now, policy.late_margin_days))
        if row.status == LoanStatus.RESERVED:
            movable.append((row.pk, row.copy_id, span))
        else:
            fixed.append((row.copy_id, span))
    wanted = Span(loan.starts_at - buffer, loan.held_until)
    key = loan.pk or 0
    if on_copy is not None:
        if any(copy == on_copy and wanted.overlaps(span) for copy, span in fixed):
            return None
        fixed.append((on_copy, wanted))
    else:
        movable.append((key, 0, wanted))
    placed = arrange(copies, fixed, movable)
    if placed is None:
        return None
    mine = placed.pop(key) if on_copy is None else on_copy
    if loan.pk:
        leave_copies([loan.pk])
    reassign([row for row in rows if placed.get(row.pk, row.copy_id) != row.copy_id], placed)
    return mine


def leave_copies(loans: list[int]) -> None:
    """Empty the periods of these loans, so that they stand in nobody's way meanwhile."""
    Loan.objects.filter(pk__in=loans).update(ends_at=F("starts_at"), held_until=F("starts_at"))


def reassign(loans: list[Loan], copies: dict[int, int]) -> None:
    """Give each loan its new copy; all leave their old one before any takes a new one."""
    leave_copies([loan.pk for loan in loans])
    for loan in loans:
        loan.copy_id = copies[loan.pk]
        loan.save(update_fields=["copy", "ends_at", "held_until"])


def free_the_copy(copy: Copy, policy: LendingPolicy, now: datetime) -> list[Loan]:
    """Move a copy's coming claims elsewhere (it goes to repair); return those that cannot."""
    stranded = []
    for loan in (
        Loan.objects.select_for_update(no_key=True)
        .filter(copy=copy, status__in=BEFORE_HANDOVER)
        .order_by("starts_at")
    ):
        other = make_room(loan, policy, now)
        if other is None:
            stranded.append(loan)
        else:
            reassign([loan], {loan.pk: other})
    return stranded
