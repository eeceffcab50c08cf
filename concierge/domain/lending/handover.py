"""Over the counter to the borrower, and the hand-over that was a mistake."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from club.kernel.bookings import Channel
from club.kernel.refusal import refuse
from club.kernel.spans import at, end_of, local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import LogEntry, Member, User
from club.queries.calendar import calendar_of
from concierge.domain.assignment import make_room
from concierge.domain.fees import charge_fee, refuse_without_deposit, uncharge_fee
from concierge.domain.lending.rules import (
    check_member,
    locked,
    locked_copy,
    locked_loans,
    new_loan,
    period_until,
    read_standing,
    standing_rows,
    taken,
)
from concierge.enums import BEFORE_HANDOVER, CopyStatus, LoanStatus
from concierge.models import Copy, LendingPolicy, Loan
from concierge.queries.availability import due_day
from concierge.queries.loans import next_claim
from concierge.queries.policies import policy_for


@in_one_transaction
def hand_over(
    *, copy: Copy, member: Member, by: User, now: datetime, channel: str = Channel.DESK
) -> Loan:
    """Lend this very copy: by the member's reservation, else at once.

    The reservation is the one whose day has come, or the one for which this copy is
    set aside, even if they come early.

    Refuses what is set aside for another person (`set_aside`, fact `reference`), what is
    out (`already_out`), what is not in service and what still needs its deposit
    (`deposit_due`), before anything changes.
    """
    copy = locked_copy(copy)
    refuse_unfit(copy)
    policy = policy_for(copy.place, copy.tool.value_class)
    aside = next_claim(copy.pk)
    if aside is not None and aside.status == LoanStatus.READY and aside.member_id != member.pk:
        raise refuse(
            "set_aside",
            _("Mis de côté pour %(name)s.") % {"name": aside.member.short_name},
            reference=aside.reference,
        )
    loan = (
        locked_loans()
        .filter(
            Q(starts_at__lt=end_of(local_day(now))) | Q(status=LoanStatus.READY, copy=copy),
            member=member,
            tool=copy.tool,
            place=copy.place,
            status__in=BEFORE_HANDOVER,
        )
        .order_by("starts_at")
        .first()
    )
    refuse_without_deposit(loan, policy)
    facts: dict[str, Any] = {"walk_in": loan is None}
    if loan is None:
        loan = claim_for_now(copy, member, policy, by, now, channel)
    else:
        facts["starts_at"] = loan.starts_at.isoformat()
        claim_this_copy(loan, copy, policy, now)
    move(
        loan,
        LoanStatus.OUT,
        by=by,
        now=now,
        verb="hand_over",
        channel=channel,
        facts=facts,
    )
    loan.copy = copy
    charge_fee(loan, by=by, now=now)
    return loan


@in_one_transaction
def keep_for(
    *, copy: Copy, member: Member, by: User, now: datetime, channel: str = Channel.DESK
) -> Loan:
    """Set the copy in hand aside for whoever stands there, until the deposit is paid."""
    copy = locked_copy(copy)
    refuse_unfit(copy)
    policy = policy_for(copy.place, copy.tool.value_class)
    loan = claim_for_now(copy, member, policy, by, now, channel)
    move(loan, LoanStatus.READY, by=by, now=now, verb="set_aside", channel=channel)
    return loan


def refuse_unfit(copy: Copy) -> None:
    holder = (
        Loan.objects.filter(copy=copy, status=LoanStatus.OUT).select_related("member__user").first()
    )
    if holder is not None:
        raise refuse(
            "already_out",
            _("Noté chez %(name)s. Rendez-le d’abord.") % {"name": holder.member.short_name},
            reference=holder.reference,
        )
    if copy.status != CopyStatus.ACTIVE:
        raise refuse(
            "not_in_service",
            _("Cet objet n’est pas en service : %(state)s.") % {"state": copy.get_status_display()},
        )


def claim_for_now(
    copy: Copy, member: Member, policy: LendingPolicy, by: User, now: datetime, channel: str
) -> Loan:
    """A walk-in: a loan of the usual length that begins now, on this copy."""
    hold(member)
    today = local_day(now)
    calendar = calendar_of(copy.place)
    due_on = due_day(calendar, today + timedelta(days=policy.loan_days))
    closes_at = calendar.closes_at(today) or end_of(today)
    period = period_until(due_on, calendar, policy, now, max(closes_at, now))
    standing = read_standing(standing_rows(member, today, today).get(pk=copy.tool_id))
    check_member(member, standing, copy.place, policy, period)
    loan = new_loan(member, standing.tool, copy.place, period, now, channel)
    insert_on(copy, loan, policy, by, now)
    return loan


def insert_on(copy: Copy, loan: Loan, policy: LendingPolicy, by: User, now: datetime) -> None:
    """Write a new loan that nobody reserved, on the copy that is in hand."""
    if make_room(loan, policy, now, on_copy=copy.pk) is None:
        raise taken(loan.tool, loan.place, now, loan.pickup_on)
    loan.copy = copy
    loan.save(force_insert=True)
    log(loan, "reserve", by=by, now=now, channel=loan.channel, facts={"to": loan.status})


def claim_this_copy(loan: Loan, copy: Copy, policy: LendingPolicy, now: datetime) -> None:
    """Give a reservation the copy that was scanned, from now or from when it began."""
    if loan.copy_id == copy.pk and loan.starts_at <= now:
        return
    if loan.copy_id != copy.pk and loan.status == LoanStatus.READY:
        wrong = Copy.objects.get(pk=loan.copy_id)
        raise refuse(
            "other_copy_set_aside",
            _("Pour cette personne, l’exemplaire %(label)s est mis de côté.")
            % {"label": wrong.label},
        )
    loan.starts_at = min(loan.starts_at, now)
    if make_room(loan, policy, now, on_copy=copy.pk) is None:
        raise refuse("taken", _("Cet exemplaire est promis à quelqu’un d’autre."))
    loan.copy = copy
    loan.save(update_fields=["copy", "starts_at", "ends_at", "held_until"])


@in_one_transaction
def undo_hand_over(loan: Loan, *, by: User, now: datetime) -> Loan:
    """Take a hand-over back: a reservation waits again, a walk-in is cancelled."""
    loan = locked(loan)
    if loan.status != LoanStatus.OUT:
        raise refuse("wrong_state", _("Ce prêt n’est plus en cours."))
    handed = LogEntry.objects.filter(
        subject_kind="loan", subject_id=loan.pk, verb__in=["hand_over", "enter_forgotten_loan"]
    ).latest("pk")
    to, starts_at = LoanStatus.CANCELLED, loan.starts_at
    if not handed.facts["walk_in"]:
        to, starts_at = LoanStatus.RESERVED, datetime.fromisoformat(handed.facts["starts_at"])
    move(
        loan,
        to,
        by=by,
        now=now,
        verb="undo_hand_over",
        channel=Channel.DESK,
        out_at=None,
        starts_at=starts_at,
    )
    uncharge_fee(loan, by=by, now=now)
    return loan


@in_one_transaction
def enter_forgotten_loan(*, copy: Copy, member: Member, on: date, by: User, now: datetime) -> Loan:
    """A loan that the desk forgot to record on an earlier day of the last seven."""
    today = local_day(now)
    if not today - timedelta(days=7) <= on <= today:
        raise refuse("too_old", _("On saisit un prêt oublié de moins de huit jours."), "on")
    copy = Copy.objects.select_related("tool", "place").get(pk=copy.pk)
    refuse_unfit(copy)
    policy = policy_for(copy.place, copy.tool.value_class)
    began = min(at(on, time(12)), now)
    calendar = calendar_of(copy.place)
    due_on = due_day(calendar, on + timedelta(days=policy.loan_days))
    period = period_until(due_on, calendar, policy, began, max(end_of(on), began))
    loan = new_loan(member, copy.tool, copy.place, period, now, Channel.DESK)
    insert_on(copy, loan, policy, by, now)
    move(
        loan,
        LoanStatus.OUT,
        by=by,
        now=now,
        verb="enter_forgotten_loan",
        channel=Channel.DESK,
        facts={"walk_in": True},
        out_at=began,
    )
    charge_fee(loan, by=by, now=now)
    return loan
