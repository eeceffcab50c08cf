"""Plans, and what the neighbours have paid: by cheque, by transfer, with coins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dateutil.relativedelta import relativedelta

from club.domain.receipts import take_payment
from club.domain.till import close_till_day, expected_cash, open_till_day
from club.enums import Activity, Means
from club.kernel.purchases import due_of
from club.kernel.spans import at, local_day
from club.models import Landlord, Member, Place, User
from concierge.domain.subscriptions import subscribe, tend, use_sponsorship
from concierge.enums import Audience, PlanKind
from concierge.models import Loan, Plan, Sponsorship
from concierge.queries.plans import best_plan

CODE = "BIENVENUE"
SERVICES = [Activity.LENDING, Activity.SERVICES, Activity.EVENTS]
FLOAT = {2000: 1, 1000: 2, 200: 3, 100: 4}
"""50 € in the drawer at the opening: how many of each note and coin, by its cents."""


@dataclass(frozen=True)
class Asked:
    """A household that takes its subscription on a day of the past."""

    on: date
    member: Member


def make_plans(landlord: Landlord, now: datetime) -> None:
    """1 € a month for tenants, 5 € for others, both paid by the year; the club is free."""
    tenants = Plan.objects.create(
        landlord=landlord, name="Locataires", slug="locataires", audience=Audience.TENANT,
        price_cents=12_00, activities=SERVICES, position=1,
    )  # fmt: skip
    Plan.objects.create(
        landlord=landlord, name="Tout le quartier", slug="quartier", audience=Audience.ANYBODY,
        price_cents=60_00, activities=SERVICES, position=2,
    )  # fmt: skip
    Plan.objects.create(
        landlord=landlord, kind=PlanKind.MEMBERSHIP, name="Club des locataires", slug="club",
        audience=Audience.ANYBODY, price_cents=0, told_by_month=False,
        activities=[Activity.CLUB], position=3,
    )  # fmt: skip
    Sponsorship.objects.create(
        plan=tenants, code=CODE, quota=20, ends_on=local_day(now) + timedelta(days=120)
    )


def began_on(right: str, number: int, today: date) -> date | None:
    """When a household paid its year: long running, near its end, late or over."""
    ends = {
        "active": today + timedelta(days=40 + number * 7 % 100),
        "soon": today + timedelta(days=11 + number % 3),
        "expired": today - timedelta(days=6 + number * 7 % 30),
    }.get(right)
    return ends and ends + timedelta(days=1) - relativedelta(years=1)


def take_subscriptions(asked: Iterable[Asked], desk: User) -> None:
    """In the order of their days, so that the receipts are numbered in it too."""
    for number, one in enumerate(sorted(asked, key=lambda one: (one.on, one.member.pk))):
        member, now = one.member, at(one.on, time(10, 5))
        if number % 6 == 5 and use_code(member, desk, now):
            continue
        plan = best_plan(member)
        if plan is None:
            continue
        subscribe(member, plan, place=member.place, by=desk, now=now)
        if number % 4 == 0:
            club = Plan.objects.get(landlord=plan.landlord_id, kind=PlanKind.MEMBERSHIP)
            subscribe(member, club, place=member.place, by=desk, now=now)
        pay(member, number, desk, now)


def use_code(member: Member, desk: User, now: datetime) -> bool:
    plan = best_plan(member)
    if plan is None or plan.audience != Audience.TENANT:
        return False
    use_sponsorship(member, CODE, by=desk, now=now)
    return True


def pay(member: Member, number: int, desk: User, now: datetime) -> None:
    """All that a household can pay then; what is paid in coins has a till around it."""
    lines = due_of(member.household, now)
    if not lines:
        return
    means = (Means.CASH, Means.CHEQUE, Means.CASH, Means.TRANSFER)[number % 4]
    if means != Means.CASH:
        take_payment(member=member, place=member.place, lines=lines, means=means, by=desk, now=now)
        return
    till = open_till_day(member.place, 50_00, by=desk, now=now - timedelta(minutes=5))
    cents = sum(line.cents for line in lines)
    given = -(-cents // 10_00) * 10_00
    take_payment(
        member=member, place=member.place, lines=lines, means=means, by=desk, now=now,
        given_cents=given,
    )  # fmt: skip
    counted = FLOAT | {100: FLOAT[100] + (expected_cash(till) - 50_00) // 100}
    close_till_day(till, counted, by=desk, now=now + timedelta(minutes=5))


def pay_fees(place: Place, desk: User, now: datetime) -> None:
    """Each household has paid what its loans cost, but for those of these last days."""
    settled = now - timedelta(days=4)
    loans = Loan.objects.filter(place=place, out_at__lt=settled).select_related(
        "member__household", "member__place"
    )
    for number, loan in enumerate(loans.order_by("out_at", "pk")):
        assert loan.out_at is not None
        pay(loan.member, number, desk, loan.out_at + timedelta(minutes=2))


def open_today(place: Place, desk: User, now: datetime) -> None:
    """What has run out is late; the drawer stands ready with its float."""
    tend(now)
    open_till_day(place, 50_00, by=desk, now=now - timedelta(minutes=30))
