"""Homes that the concierge looks after, and the keys on the board: over, running, to come."""

from datetime import date, datetime, time, timedelta

from club.enums import Activity
from club.kernel.spans import at, local_day
from club.models import Member, Place, User
from concierge.domain.keys import give_back, receive_keys
from concierge.domain.stay_visits import note_incident, tick_visit
from concierge.domain.stays import book_stay
from concierge.enums import Incident, KeyReason, ServiceKind, ServiceUnit, StayTask
from concierge.models import KeySet, Service, Stay
from demo.accounts import DOMAIN

TASKS = [
    StayTask.LOOK, StayTask.POST, StayTask.PLANTS, StayTask.SHUTTERS, StayTask.BINS, StayTask.CAT,
    StayTask.FISH,
]  # fmt: skip


def make_stays(place: Place, desk: User, now: datetime) -> None:
    service = Service.objects.create(
        place=place, name="Garder mon logement", kind=ServiceKind.STAY, wall="rose",
        about="Nous passons pendant votre absence : courrier, plantes, volets, animaux.",
        picture="tiles/service", unit_cents=50, unit=ServiceUnit.DAY, seats=4, visit_every=3,
        most_days=45, lead_minutes=24 * 60, horizon_days=180, cutoff_minutes=24 * 60,
        tasks=[str(task) for task in TASKS], position=9,
    )  # fmt: skip
    today = local_day(now)
    first, second, third = neighbours(place, today)
    leila = Member.objects.select_related("user", "household", "place").get(
        user__email=f"leila@{DOMAIN}"
    )
    over = book(service, first, today - timedelta(days=25), 11, now)
    keys = hand_in(over, 2, desk)
    visit_all(over, desk, now)
    give_back(keys, first, on_paper=True, by=desk, now=morning(over.last_on + timedelta(days=1)))
    running = book(service, second, today - timedelta(days=4), 12, now)
    hand_in(running, 3, desk)
    visit_all(running, desk, now)
    last = running.visits.filter(done_at__isnull=False).order_by("-day").first()
    if last is not None:
        note_incident(last, Incident.PET, by=desk, now=now - timedelta(hours=1))
    book(service, leila, today + timedelta(days=24), 14, now)
    book(service, third, today + timedelta(days=2), 5, now)
    receive_keys(
        place=place, member=third, hook=7, pieces=2, reason=KeyReason.SPARE, on_paper=True,
        by=desk, now=now - timedelta(days=60),
    )  # fmt: skip


def neighbours(place: Place, today: date) -> list[Member]:
    covered = Member.objects.filter(
        place=place,
        household__rights__activity=Activity.SERVICES,
        household__rights__revoked_at=None,
        household__rights__starts_on__lte=today - timedelta(days=45),
        household__rights__ends_on__gte=today + timedelta(days=30),
    )
    named = [f"{name}@{DOMAIN}" for name in ("leila", "rose")]
    return list(
        covered.exclude(user__email__in=named)
        .select_related("user", "household", "place")
        .distinct()
        .order_by("-pk")[:3]
    )


def book(service: Service, member: Member, first_on: date, days: int, now: datetime) -> Stay:
    asked_at = min(at(first_on - timedelta(days=6), time(19)), now - timedelta(hours=20))
    return book_stay(
        member=member, service=service, first_on=first_on,
        last_on=first_on + timedelta(days=days - 1),
        tasks=[StayTask.LOOK, StayTask.POST, StayTask.PLANTS], by=member.user, now=asked_at,
    )  # fmt: skip


def morning(day: date) -> datetime:
    return at(day, time(9, 20))


def hand_in(stay: Stay, hook: int, desk: User) -> KeySet:
    return receive_keys(
        place=stay.place, member=stay.member, hook=hook, pieces=2, stay=stay, on_paper=True,
        by=desk, now=morning(stay.first_on - timedelta(days=1)),
    )  # fmt: skip


def visit_all(stay: Stay, desk: User, now: datetime) -> None:
    """Each visit whose hour has passed is ticked."""
    stay.refresh_from_db()
    for visit in stay.visits.order_by("day"):
        moment = at(visit.day, time(11, 10))
        if moment < now - timedelta(hours=1):
            tick_visit(visit, stay.tasks, by=desk, now=moment)
