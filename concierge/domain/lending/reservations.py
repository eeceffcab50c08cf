"""A claim until it is handed over, and longer: made, moved, cancelled, renewed, lapsed."""

from datetime import date, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from club.domain.messages import tell, tell_change
from club.enums import Activity
from club.kernel.bookings import Channel
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import end_of, local_day
from club.kernel.transactions import hold, in_one_transaction
from club.kernel.transitions import log, move
from club.models import Member, Place, User
from club.queries.calendar import calendar_of
from club.queries.entitlement import may
from concierge.domain.assignment import claim_free_copy, make_room
from concierge.domain.lending.rules import (
    as_if,
    check_member,
    locked,
    new_loan,
    period_for,
    period_until,
    standing_of,
    take_period,
    taken,
)
from concierge.enums import BEFORE_HANDOVER, LoanStatus
from concierge.models import Loan, Tool
from concierge.queries.availability import due_day
from concierge.queries.policies import policy_for


@in_one_transaction
def reserve_tool(
    *,
    member: Member,
    tool: Tool | str,
    place: Place,
    starts_on: date,
    ends_on: date | None = None,
    starts_at: datetime | None = None,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Loan:
    """Claim a copy of `tool` for a period. Raises `Refused`, code `taken` with
    `next_free` where no copy is free.

    The API gives the public identifier, so that no statement only looks the tool up.
    """
    public_id = tool.public_id if isinstance(tool, Tool) else tool
    hold(member)
    standing = standing_of(member, public_id, starts_on, local_day(now))
    if standing is None or standing.tool.landlord_id != place.landlord_id:
        raise refuse("no_copy", _("Cet objet n’est pas disponible à cet accueil."))
    policy = policy_for(place, standing.tool.value_class)
    period = period_for(calendar_of(place), policy, starts_on, ends_on, now, starts_at)
    check_member(member, standing, place, policy, period)
    loan = new_loan(member, standing.tool, place, period, now, channel)
    if not claim_free_copy(loan, policy, now):
        copy_id = make_room(loan, policy, now)
        if copy_id is None:
            raise taken(standing.tool, place, now, starts_on)
        loan.copy_id = copy_id
        loan.save(force_insert=True)
    log(loan, "reserve", by=by, now=now, channel=channel, facts={"to": loan.status})
    tell(member, "loan.reserved", loan, key=f"loan:{loan.reference}:reserved", now=now)
    return loan


@in_one_transaction
def move_loan(
    loan: Loan,
    *,
    starts_on: date,
    ends_on: date | None = None,
    starts_at: datetime | None = None,
    by: User,
    now: datetime,
    channel: str = Channel.WEB,
) -> Loan:
    """Other dates for a loan that is not handed over yet; the reference stays."""
    loan = locked(loan)
    if loan.status not in BEFORE_HANDOVER:
        raise refuse("wrong_state", _("Cette réservation ne peut plus changer de jour."))
    policy = policy_for(loan.place, loan.tool.value_class)
    period = period_for(calendar_of(loan.place), policy, starts_on, ends_on, now, starts_at)
    reason = may(loan.member, Activity.LENDING, local_day(period.starts_at), period.due_on)
    if reason is not None:
        raise Refused(reason)
    before = {"starts_at": loan.starts_at.isoformat(), "due_on": loan.due_on.isoformat()}
    if loan.status == LoanStatus.READY:
        move(loan, LoanStatus.RESERVED, by=by, now=now, verb="put_back", channel=channel)
    wanted = as_if(loan, period)
    copy_id = make_room(wanted, policy, now, on_copy=loan.copy_id) or make_room(wanted, policy, now)
    if copy_id is None:
        raise taken(loan.tool, loan.place, now, starts_on)
    loan.copy_id = copy_id
    take_period(loan, period)
    loan.sequence += 1
    loan.save()
    log(loan, "move", by=by, now=now, channel=channel, facts={"before": before})
    tell_change(
        loan.member, "loan.moved", loan, key=f"loan:{loan.reference}:moved:{loan.sequence}", now=now
    )
    return loan


@in_one_transaction
def cancel_loan(loan: Loan, *, by: User, now: datetime, channel: str = Channel.WEB) -> Loan:
    """Give a claim back before hand-over. Twice is refused, and frees the copy once."""
    loan = locked(loan)
    if loan.status not in BEFORE_HANDOVER:
        raise refuse(
            "wrong_state",
            _("Cette réservation ne peut plus être annulée : %(state)s.")
            % {"state": loan.get_status_display()},
        )
    move(
        loan,
        LoanStatus.CANCELLED,
        by=by,
        now=now,
        verb="cancel",
        channel=channel,
        sequence=loan.sequence + 1,
    )
    tell_change(
        loan.member, "loan.cancelled", loan, key=f"loan:{loan.reference}:cancelled", now=now
    )
    return loan


def not_renewable(loan: Loan, now: datetime) -> Reason | None:
    """What can be known without looking at other claims: screens offer no button then."""
    if loan.status != LoanStatus.OUT:
        return Reason("wrong_state", _("On prolonge un prêt en cours."))
    policy = policy_for(loan.place, loan.tool.value_class)
    if loan.renewals >= policy.renewals:
        return Reason("no_renewal_left", _("Ce prêt a déjà été prolongé. Rendez l’objet."))
    if loan.due_on < local_day(now) and not policy.renew_while_late:
        return Reason("late_loan", _("Ce prêt est en retard. Rendez l’objet."))
    return None


@in_one_transaction
def renew_loan(loan: Loan, *, by: User, now: datetime, channel: str = Channel.WEB) -> Loan:
    """A new period on the same loan, from the later of due day and today."""
    loan = locked(loan)
    reason = not_renewable(loan, now)
    if reason is not None:
        raise Refused(reason)
    policy = policy_for(loan.place, loan.tool.value_class)
    today = local_day(now)
    calendar = calendar_of(loan.place)
    due_on = due_day(calendar, max(loan.due_on, today) + timedelta(days=policy.loan_days))
    reason = may(loan.member, Activity.LENDING, today, due_on)
    if reason is not None:
        raise Refused(reason)
    period = period_until(due_on, calendar, policy, loan.starts_at, loan.pickup_ends_at)
    if make_room(as_if(loan, period), policy, now, on_copy=loan.copy_id) is None:
        raise refuse("taken", _("Quelqu’un l’a réservé ensuite. Rendez-le à la date prévue."))
    before = loan.due_on.isoformat()
    take_period(loan, period)
    loan.renewals += 1
    loan.sequence += 1
    loan.save()
    log(loan, "renew", by=by, now=now, channel=channel, facts={"before": before})
    tell_change(
        loan.member,
        "loan.renewed",
        loan,
        key=f"loan:{loan.reference}:renewed:{loan.renewals}",
        now=now,
    )
    return loan


@in_one_transaction
def lapse_loan(loan: Loan, *, now: datetime) -> Loan:
    """Nobody came: the claim ends at the close of its day, and the copy is free again."""
    loan = locked(loan)
    if not has_lapsed(loan, now):
        return loan
    move(loan, LoanStatus.LAPSED, by=None, now=now, verb="lapse", sequence=loan.sequence + 1)
    tell(loan.member, "loan.lapsed", loan, key=f"loan:{loan.reference}:lapsed", now=now)
    return loan


def has_lapsed(loan: Loan, now: datetime) -> bool:
    """A claim lapses when the pick-up day is over; a day that turned out to be closed
    does not count, so that each claim gets one full open day."""
    if loan.status not in BEFORE_HANDOVER:
        return False
    calendar = calendar_of(loan.place)
    last = calendar.next_open_day(local_day(loan.pickup_ends_at))
    return last is not None and now >= end_of(last)
