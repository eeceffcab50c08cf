"""Ten weeks of loans, told through the verbs, so that the history holds together.

Each life of a loan is played with the moments at which it would have happened;
what is under way now comes last, on copies that the past has given back.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from club.enums import Activity
from club.kernel.bookings import Channel
from club.kernel.refusal import Refused
from club.kernel.spans import at, end_of, local_day
from club.models import Member, Place, User
from club.queries.calendar import calendar_of
from concierge.domain.copies import move_copy
from concierge.domain.lending import (
    cancel_loan,
    declare_lost,
    hand_over,
    lapse_loan,
    renew_loan,
    report_fault,
    reserve_tool,
    set_aside,
    step_repair,
    take_back,
)
from concierge.enums import CopyStatus, Fault, RepairStatus, RetiredReason, ValueClass
from concierge.models import Copy, Loan, Repair, Tool

SPARED = {"gaufrier"}
"""Objects that visitors are told to try: enough of their copies stay on the shelf."""


class Lender:
    """One place's loans."""

    def __init__(self, place: Place, desk: User, now: datetime, rng: Random) -> None:
        self.place, self.desk, self.now, self.rng = place, desk, now, rng
        self.today = local_day(now)
        self.calendar = calendar_of(place)
        self.members = list(
            Member.objects.filter(
                place=place,
                household__rights__activity=Activity.LENDING,
                household__rights__ends_on__gte=self.today + timedelta(days=35),
            )
            .exclude(user__email__in=["leila@demo.example", "rose@demo.example"])
            .select_related("user", "household", "place")
            .order_by("pk")
        )
        self.copies = list(
            Copy.objects.filter(place=place, status=CopyStatus.ACTIVE)
            .select_related("tool")
            .order_by("pk")
        )
        rng.shuffle(self.members)
        rng.shuffle(self.copies)
        self.turn = 0

    # -- Days and moments ----------------------------------------------------------

    def open_days_before(self, day: date) -> Iterator[date]:
        for back in range(1, 200):
            candidate = day - timedelta(days=back)
            if self.calendar.is_open_day(candidate):
                yield candidate

    def last_open_day(self, latest: date) -> date:
        return next(self.open_days_before(latest + timedelta(days=1)))

    def next_open_day(self, first: date) -> date:
        return self.calendar.next_open_day(first) or first

    def recent_day(self, days: int) -> date:
        """An open day about `days` days ago, late enough for a loan from it not to be due."""
        day = self.last_open_day(self.today - timedelta(days=days))
        if self.next_open_day(day + timedelta(days=7)) < self.today:
            return self.last_open_day(self.today - timedelta(days=1))
        return day

    def moment(self, day: date) -> datetime:
        """Some minute of an opening span of that day, and never after now."""
        span = self.rng.choice(self.calendar.spans(day))
        length = int((span.ends_at - span.starts_at).total_seconds() // 60)
        return min(span.starts_at + timedelta(minutes=self.rng.randrange(length)), self.now)

    # -- Who and what -----------------------------------------------------------------

    def next_member(self) -> Member:
        self.turn += 1
        return self.members[self.turn % len(self.members)]

    def take_copy(self, *, valuable: bool | None = None) -> Copy:
        """A copy for what is under way: each is used once, the shelf of the spared ones not."""
        for copy in self.copies:
            is_valuable = copy.tool.value_class == ValueClass.VALUABLE
            if copy.tool.source_id in SPARED or (valuable is not None and is_valuable != valuable):
                continue
            self.copies.remove(copy)
            return copy
        raise LookupError("The demonstration has too few copies for its loans.")

    # -- Lives --------------------------------------------------------------------------

    def past(self, count: int) -> None:
        """Loans that came back, most on time, some early, some late."""
        days = [day for day in self.open_days_before(self.today) if (self.today - day).days > 12]
        days = [day for day in days if (self.today - day).days <= 70]
        chosen = sorted(self.rng.choice(days) for _each in range(count))
        busy_until: dict[int, date] = {}
        for day in chosen:
            copy = next(c for c in self.copies if busy_until.get(c.pk, date.min) < day)
            self.copies.append(self.copies.pop(self.copies.index(copy)))
            member = self.next_member()
            try:
                loan = hand_over(copy=copy, member=member, by=self.desk, now=self.moment(day))
            except Refused:
                continue
            shift = timedelta(days=self.rng.choice([-4, -1, 0, 0, 2]))
            back = self.next_open_day(loan.due_on + shift)
            back = min(back, self.last_open_day(self.today - timedelta(days=1)))
            returned_at = max(self.moment(back), loan.starts_at + timedelta(hours=2))
            take_back(copy=copy, by=self.desk, now=returned_at)
            busy_until[copy.pk] = back

    def out_since(self, day: date, copy: Copy | None = None, member: Member | None = None) -> Loan:
        return hand_over(
            copy=copy or self.take_copy(),
            member=member or self.next_member(),
            by=self.desk,
            now=self.moment(day),
        )

    def late(self, days: int) -> Loan:
        """A loan that should have been back `days` days ago, or just before."""
        due = self.last_open_day(self.today - timedelta(days=days))
        for day in self.open_days_before(due - timedelta(days=6)):
            if self.next_open_day(day + timedelta(days=7)) <= due:
                return self.out_since(day)
        raise LookupError("No open day to lend on.")

    def due_next(self) -> Loan:
        """Due today, or on the next open day when today is closed."""
        due = self.next_open_day(self.today)
        for day in self.open_days_before(due - timedelta(days=6)):
            if self.next_open_day(day + timedelta(days=7)) <= due:
                return self.out_since(day)
        raise LookupError("No open day to lend on.")

    def reserved(
        self, day: date, *, tool: Tool | None = None, member: Member | None = None, ahead: int = 2
    ) -> Loan:
        """A claim from `day` on, made some days ago on the site or at the desk."""
        booked_at = self.now - timedelta(days=ahead, minutes=self.rng.randrange(200))
        member = member or self.next_member()
        return reserve_tool(
            member=member,
            tool=tool or self.take_copy().tool,
            place=self.place,
            starts_on=day,
            by=member.user,
            now=booked_at,
            channel=self.rng.choice([Channel.WEB, Channel.WEB, Channel.DESK]),
        )

    def past_claim(self, days_ago: int) -> Loan:
        day = self.last_open_day(self.today - timedelta(days=days_ago))
        member = self.next_member()
        return reserve_tool(
            member=member, tool=self.take_copy().tool, place=self.place, starts_on=day,
            by=member.user, now=at(day - timedelta(days=4), time(12)),
        )  # fmt: skip


def tell_the_story(place: Place, desk: User, now: datetime, rng: Random) -> None:
    """The main place: every state there is, most of them several times."""
    lender = Lender(place, desk, now, rng)
    today = lender.today
    lender.past(50)
    lost(lender)
    copies_in_trouble(lender)
    for days_ago in (5, 9, 20):
        claim = lender.past_claim(days_ago)
        cancel_loan(claim, by=claim.member.user, now=claim.created_at + timedelta(days=1))
    for days_ago in (6, 15):
        claim = lender.past_claim(days_ago)
        following = lender.next_open_day(claim.pickup_on)
        lapse_loan(claim, now=end_of(following) + timedelta(minutes=20))
    for days in (1, 3, 9):
        lender.late(days)
    lender.due_next()
    lender.due_next()
    for back in (1, 2, 2, 3, 4, 5, 6):
        lender.out_since(lender.recent_day(back))
    renewed = lender.out_since(lender.last_open_day(today - timedelta(days=9)))
    renew_loan(
        renewed, by=renewed.member.user,
        now=min(now, renewed.ends_at) - timedelta(days=2),
    )  # fmt: skip
    claims(lender)


def claims(lender: Lender) -> None:
    """What is to be fetched: now, on the next days, next week; some already set aside."""
    first = lender.next_open_day(lender.today)
    second = lender.next_open_day(first + timedelta(days=1))
    for day in (first, first, second, second):
        lender.reserved(day)
    for day in (first, second):
        set_aside(lender.reserved(day), by=lender.desk, now=lender.now - timedelta(hours=1))
    for ahead in (7, 8, 12, 16):
        lender.reserved(lender.next_open_day(lender.today + timedelta(days=ahead)), ahead=1)
    leila = Member.objects.select_related("user", "household", "place").get(
        user__email="leila@demo.example"
    )
    rose = Member.objects.select_related("user", "household", "place").get(
        user__email="rose@demo.example"
    )
    lender.out_since(lender.recent_day(3), member=leila)
    lender.reserved(second, member=leila)
    lender.out_since(lender.recent_day(2), member=rose)
    waffles = Tool.objects.get(landlord=lender.place.landlord, source_id="gaufrier")
    lender.reserved(lender.next_open_day(lender.today + timedelta(days=6)), tool=waffles, ahead=1)
    lender.out_since(
        lender.recent_day(4),
        copy=Copy.objects.filter(tool=waffles, place=lender.place).first(),
    )


def lost(lender: Lender) -> None:
    loan = lender.out_since(lender.last_open_day(lender.today - timedelta(days=60)))
    declare_lost(loan, by=lender.desk, now=loan.ends_at + timedelta(days=25))


def copies_in_trouble(lender: Lender) -> None:
    """One repair at each step, one repaired, one beyond repair; missing and retired copies."""
    steps: tuple[tuple[str, tuple[str, ...]], ...] = (
        (Fault.INCOMPLETE, ()),
        (Fault.DIRTY, ()),
        (Fault.BROKEN, (RepairStatus.PARTS,)),
        (Fault.BROKEN, (RepairStatus.PARTS, RepairStatus.REPAIRING)),
        (Fault.INCOMPLETE, (RepairStatus.REPAIRING, RepairStatus.RESOLVED)),
        (Fault.BROKEN, (RepairStatus.RETIRED,)),
    )
    for fault, moves in steps:
        copy = lender.take_copy(valuable=False)
        days_ago = 2 + 3 * len(moves)
        opened = lender.moment(lender.last_open_day(lender.today - timedelta(days=days_ago)))
        report_fault(copy=copy, fault=fault, by=lender.desk, now=opened)
        repair = Repair.objects.get(copy=copy, closed_at=None)
        for rank, to in enumerate(moves, 1):
            step_repair(repair, to, by=lender.desk, now=opened + timedelta(days=rank))
    a_month_ago = lender.now - timedelta(days=30)
    move_copy(lender.take_copy(), CopyStatus.MISSING, by=lender.desk, now=a_month_ago)
    move_copy(
        lender.take_copy(valuable=False), CopyStatus.RETIRED, by=lender.desk, now=a_month_ago,
        reason=RetiredReason.USED_UP,
    )  # fmt: skip


def a_few_loans(place: Place, desk: User, now: datetime, rng: Random) -> None:
    """The small place: enough for its board not to be empty."""
    lender = Lender(place, desk, now, rng)
    lender.past(6)
    lender.late(2)
    lender.out_since(lender.recent_day(3))
    lender.reserved(lender.next_open_day(lender.today + timedelta(days=1)))
