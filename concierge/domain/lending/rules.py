"""What every verb of lending reads and checks before it changes anything."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from club.enums import Activity
from club.kernel import words
from club.kernel.composed import Composed
from club.kernel.refusal import Reason, Refused, refuse
from club.kernel.spans import local_day
from club.models import Member, Place
from club.queries.calendar import Calendar
from club.queries.entitlement import covering_until, may
from concierge.enums import HOLDING, LoanStatus, ValueClass
from concierge.models import Copy, LendingPolicy, Loan, Tool
from concierge.queries.availability import due_day, due_instant, shelves, windows
from concierge.queries.policies import policies_of


@dataclass(frozen=True)
class Standing:
    """A tool, and how a member stands towards it: all that the rules ask, in one read."""

    tool: Tool
    right_until: date | None
    held: int
    held_of_class: int
    is_late: bool


TOOL_COLUMNS = tuple(field.attname for field in Tool._meta.concrete_fields)


def standing_rows(member: Member, on: date, today: date) -> QuerySet[Tool, tuple[Any, ...]]:
    """Of each tool the columns of `Standing`."""
    mine = Loan.objects.filter(member=member, status__in=HOLDING).order_by()
    same_class = mine.filter(tool__value_class=OuterRef("value_class"))

    def number(rows: QuerySet[Loan]) -> Coalesce:
        counted = rows.values("member").annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(counted, output_field=IntegerField()), Value(0))

    return Tool.objects.annotate(
        right_until=covering_until(member, Activity.LENDING, on),
        held=number(mine),
        held_of_class=number(same_class),
        is_late=Exists(Loan.objects.filter(member=member, status=LoanStatus.OUT, due_on__lt=today)),
    ).values_list(*TOOL_COLUMNS, "right_until", "held", "held_of_class", "is_late")


standing_query = Composed(
    lambda member, household, public_id, on, today: standing_rows(
        Member(pk=member, household_id=household), on, today
    ).filter(public_id=public_id, is_listed=True),
    member=-71,
    household=-72,
    public_id="<public_id>",
    on=date(1, 7, 3),
    today=date(1, 7, 4),
)


def read_standing(row: tuple[Any, ...]) -> Standing:
    count = len(TOOL_COLUMNS)
    return Standing(Tool.from_db(connection.alias, TOOL_COLUMNS, row[:count]), *row[count:])


def standing_of(member: Member, public_id: str, on: date, today: date) -> Standing | None:
    """Towards a listed tool; the query is composed once."""
    row = standing_query.first(
        member=member.pk, household=member.household_id, public_id=public_id, on=on, today=today
    )
    return None if row is None else read_standing(row)


@dataclass(frozen=True)
class Period:
    """A loan's instants, built from days and opening hours."""

    starts_at: datetime
    pickup_ends_at: datetime
    due_on: date
    ends_at: datetime
    held_until: datetime


def period_for(
    calendar: Calendar,
    policy: LendingPolicy,
    starts_on: date,
    ends_on: date | None,
    now: datetime,
    starts_at: datetime | None = None,
) -> Period:
    """From pick-up day to due day; refuses days that the policy or the hours exclude.

    `starts_at` names one of the day's spans; without it the first that is not over.
    """
    today = local_day(now)
    reasons: list[Reason] = []
    horizon = today + timedelta(days=policy.horizon_days)
    if starts_on < today:
        reasons.append(Reason("in_the_past", _("Ce jour est passé."), "starts_on"))
    elif starts_on > horizon:
        reasons.append(
            Reason(
                "too_far_ahead",
                _("On réserve jusqu’au %(day)s.") % {"day": words.day(horizon)},
                "starts_on",
            )
        )
    if ends_on is not None and ends_on < starts_on:
        reasons.append(
            Reason("dates_in_disorder", _("Le retour vient après le retrait."), "ends_on")
        )
    elif ends_on is not None and (ends_on - starts_on).days > policy.max_days:
        reasons.append(
            Reason(
                "too_long",
                _("Le prêt dure %(days)d jours au plus.") % {"days": policy.max_days},
                "ends_on",
            )
        )
    if reasons:
        raise Refused(reasons)
    spans = calendar.spans(starts_on)
    if not spans:
        following = calendar.next_open_day(starts_on)
        text = (
            _("L’accueil est fermé ce jour-là. Il rouvre le %(day)s.")
            % {"day": words.day(following)}
            if following
            else _("L’accueil est fermé ce jour-là.")
        )
        facts = {"next_open_day": following.isoformat()} if following else {}
        raise Refused(Reason("closed_day", text, "starts_on", facts))
    earliest = now + timedelta(minutes=policy.lead_minutes)
    usable = [span for span in spans if span.ends_at > now and span.ends_at >= earliest]
    if starts_at is not None:
        usable = [span for span in usable if span.starts_at <= starts_at < span.ends_at]
    if not usable:
        raise refuse("too_late_today", _("Il est trop tard pour ce jour-là."), "starts_on")
    begins = max(usable[0].starts_at, now)
    pickup_ends_at = usable[0].ends_at if starts_at is not None else usable[-1].ends_at
    due_on = due_day(calendar, ends_on or starts_on + timedelta(days=policy.loan_days))
    return period_until(due_on, calendar, policy, begins, pickup_ends_at)


def period_until(
    due_on: date,
    calendar: Calendar,
    policy: LendingPolicy,
    starts_at: datetime,
    pickup_ends_at: datetime,
) -> Period:
    """To the close of the due day, and the buffer after it."""
    ends_at = max(due_instant(calendar, due_on), starts_at)
    held_until = ends_at + timedelta(minutes=policy.buffer_minutes)
    return Period(starts_at, pickup_ends_at, due_on, ends_at, held_until)


def check_member(
    member: Member, standing: Standing, place: Place, policy: LendingPolicy, period: Period
) -> None:
    """Rights, limits and lateness: every reason at once."""
    reasons = []
    first = local_day(period.starts_at)
    if standing.right_until is None or standing.right_until < period.due_on:
        reason = may(member, Activity.LENDING, first, period.due_on)
        if reason is not None:
            reasons.append(reason)
    if not reasons and standing.tool.value_class == ValueClass.VALUABLE:
        reason = may(member, Activity.LENDING, first, period.due_on, firm=True)
        if reason is not None:
            reasons.append(reason)
    overall = policies_of(place)[""]
    if standing.held >= overall.limit:
        reasons.append(
            Reason(
                "limit_reached",
                _("Vous avez déjà %(number)d objets. Rendez-en un d’abord.")
                % {"number": overall.limit},
            )
        )
    elif policy.value_class and standing.held_of_class >= policy.limit:
        reasons.append(
            Reason(
                "class_limit_reached",
                ngettext_lazy(
                    "Un seul objet de cette valeur à la fois. Rendez d’abord l’autre.",
                    "%(number)d objets de cette valeur à la fois. Rendez-en un d’abord.",
                    policy.limit,
                )
                % {"number": policy.limit},
            )
        )
    if policy.block_while_late and standing.is_late:
        reasons.append(
            Reason("late_loan", _("Un objet est en retard. Rendez-le avant d’emprunter."))
        )
    if reasons:
        raise Refused(reasons)


def taken(tool: Tool, place: Place, now: datetime, first: date | None = None) -> Refused:
    """Nothing is free then: say so, with the next free windows."""
    shelf = shelves([tool], place, now)[tool.pk]
    if not shelf.active:
        return refuse("no_copy", _("Cet objet n’est pas disponible à cet accueil."))
    proposals = windows(shelf, now, first=first, limit=3) or windows(shelf, now, limit=3)
    return refuse(
        "taken",
        _("Cet objet est déjà réservé à ces dates."),
        "starts_on",
        next_free=[
            {"starts_on": proposal.day.isoformat(), "ends_on": proposal.due_on.isoformat()}
            for proposal in proposals
        ],
    )


def locked_loans() -> QuerySet[Loan]:
    return Loan.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "tool__department", "copy", "place", "member__user"
    )


def locked(loan: Loan) -> Loan:
    return locked_loans().get(pk=loan.pk)


def locked_copy(copy: Copy) -> Copy:
    return (
        Copy.objects.select_for_update(no_key=True, of=("self",))
        .select_related("tool", "place")
        .get(pk=copy.pk)
    )


def new_loan(
    member: Member, tool: Tool, place: Place, period: Period, now: datetime, channel: str
) -> Loan:
    loan = Loan(
        member=member,
        tool=tool,
        place=place,
        status=LoanStatus.RESERVED,
        channel=channel,
        created_at=now,
    )
    take_period(loan, period)
    return loan


def take_period(loan: Loan, period: Period) -> None:
    loan.starts_at = period.starts_at
    loan.pickup_ends_at = period.pickup_ends_at
    loan.due_on = period.due_on
    loan.ends_at = period.ends_at
    loan.held_until = period.held_until


def as_if(loan: Loan, period: Period) -> Loan:
    """What `loan` would claim over another period, to ask `make_room`; never saved."""
    wanted = Loan(pk=loan.pk, tool_id=loan.tool_id, place_id=loan.place_id)
    take_period(wanted, period)
    return wanted
